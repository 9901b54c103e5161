//! `perennial tokens`

use clap::{Args, Subcommand};
use perennial::clearent::{NewToken, TokenId, TokenSearch, TokenUpdate};
use perennial::{Builder, Clearent, Violations};

use super::criteria::{Criteria, Pages, key};
use super::once::Keyed;
use super::{both, of_card};
use crate::context::Global;
use crate::failure::Failure;
use crate::input::{CardData, CardSource};

/// Card tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum Tokens {
    /// Stores a card in the vault; reads the card from a prompt, or from standard input
    #[command(after_help = "Example:\n  perennial tokens create --customer-key cust_5a1d7c1e8a0f \
        --description 'business card'\n  perennial tokens create --description 'business card' --card-stdin < card.json")]
    Create(Keyed<Create>),
    /// Shows a token
    #[command(after_help = "Example:\n  perennial tokens get 1100000000555551111")]
    Get(Named),
    /// Lists matching tokens
    #[command(
        visible_alias = "list",
        after_help = "Example:\n  perennial tokens search --updated-start-date 2027-01-01"
    )]
    Search(Search),
    /// Changes a token's customer, status or description; its other fields cannot change
    #[command(
        after_help = "Example:\n  perennial tokens update 1100000000555551111 --description 'old card'"
    )]
    Update(Keyed<Update>),
    /// Deletes a token; plans can no longer charge it
    #[command(after_help = "Example:\n  perennial tokens delete 1100000000555551111")]
    Delete(Keyed<Named>),
}

/// A token by its id.
#[derive(Debug, Args)]
pub(crate) struct Named {
    /// The token's id
    #[arg(value_name = "TOKEN-ID")]
    token: String,
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    #[command(flatten)]
    fields: NewFields,
    #[command(flatten)]
    card: CardSource,
}

options! {
    NewFields fills Builder<NewToken> {
        /// A description of the card; required
        description = "description", "TEXT";
        /// The customer; required to use the token in a plan
        customer_key = "customer-key", "KEY";
        /// The street of the card's billing address
        avs_address = "avs-address", "TEXT";
        /// The postal code of the card's billing address
        avs_zip = "avs-zip", "TEXT";
        /// Whether to check the address; the default is true
        avs_required = "avs-required", "BOOL";
        /// The brand; the default is derived from the number
        card_type = "card-type", "BRAND";
    }
}

#[derive(Debug, Args)]
pub(crate) struct Update {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    changes: Changes,
}

options! {
    Changes fills Builder<TokenUpdate> {
        /// The customer who owns the card
        customer_key = "customer-key", "KEY";
        /// The status: ACTIVE, INACTIVE or DELETED
        status = "status", "STATUS";
        /// A description of the card
        description = "description", "TEXT";
    }
}

#[derive(Debug, Args)]
pub(crate) struct Search {
    /// The token
    #[arg(long, value_name = "ID")]
    token_id: Option<String>,
    /// An id from the merchant's former system
    #[arg(long, value_name = "ID")]
    merchant_legacy_token_id: Option<String>,
    /// Tokens changed on or after this day
    #[arg(long, value_name = "DATE")]
    updated_start_date: Option<String>,
    /// Tokens changed on or before this day
    #[arg(long, value_name = "DATE")]
    updated_end_date: Option<String>,
    /// A named span: custom_range, last_24_hours, yesterday, last_week, last_month, last_180_days
    #[arg(long, value_name = "SPAN")]
    date_filter: Option<String>,
    #[command(flatten)]
    pages: Pages,
}

impl Tokens {
    pub(crate) async fn run(self, client: &Clearent, global: &Global) -> Result<(), Failure> {
        let (tokens, output) = (client.tokens(), global.output);
        match self {
            Self::Create(Keyed { command, once }) => {
                let token = command.token()?;
                match once.open(global, client).await? {
                    None => output.written(tokens.create(token).await?),
                    Some(writer) => {
                        let created = writer.writes().tokens().create(writer.key(), token).await;
                        writer.written(created).await
                    }
                }
            }
            Self::Get(named) => output.one(tokens.get(&named.id()?).await?.into_value()),
            Self::Search(search) => {
                output.list(tokens.search(&search.search()?), search.pages.extent()).await
            }
            Self::Update(Keyed { command, once }) => {
                let changes = command.changes.fill(TokenUpdate::builder()).build();
                let (id, changes) = both(command.named.id(), changes)?;
                match once.open(global, client).await? {
                    None => output.written(tokens.update(&id, &changes).await?),
                    Some(writer) => {
                        let updated = writer.writes().tokens().update(writer.key(), &id, &changes).await;
                        writer.written(updated).await
                    }
                }
            }
            Self::Delete(Keyed { command, once }) => {
                let id = command.id()?;
                match once.open(global, client).await? {
                    None => output.deleted(tokens.delete(&id).await?, id),
                    Some(writer) => {
                        let deleted = writer.writes().tokens().delete(writer.key(), &id).await;
                        writer.written(deleted).await
                    }
                }
            }
        }
    }
}

impl Named {
    fn id(&self) -> Result<TokenId, Violations> {
        key("<TOKEN-ID>", &self.token)
    }
}

impl Create {
    fn token(&self) -> Result<NewToken, Failure> {
        let CardData { card, exp_date, csc } = self.card.read()?;
        let mut builder = self.fields.fill(NewToken::builder());
        given!(builder: card, exp_date, csc);
        Ok(builder.build().map_err(|violations| of_card(&violations))?)
    }
}

impl Search {
    fn search(&self) -> Result<TokenSearch, Violations> {
        let mut criteria = Criteria::default();
        let search = TokenSearch {
            token_id: criteria.read("token-id", self.token_id.as_ref()),
            merchant_legacy_token_id: self.merchant_legacy_token_id.clone(),
            updated_start_date: criteria.read("updated-start-date", self.updated_start_date.as_ref()),
            updated_end_date: criteria.read("updated-end-date", self.updated_end_date.as_ref()),
            date_filter: self.date_filter.clone(),
            paging: self.pages.paging(),
        };
        criteria.finish(search)
    }
}
