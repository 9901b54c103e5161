//! `perennial customers tokens`

use clap::{Args, Subcommand};
use perennial::Builder;
use perennial::Clearent;
use perennial::clearent::{CustomerTokenUpdate, NewCustomerToken};

use super::both;
use super::named::Named;
use super::once::Keyed;
use crate::context::Global;
use crate::failure::Failure;

/// The card tokens of a customer.
#[derive(Debug, Subcommand)]
pub(crate) enum CustomerTokens {
    /// Lists the tokens of a customer
    #[command(
        visible_alias = "search",
        after_help = "Example:\n  perennial customers tokens list cust_5a1d7c1e8a0f"
    )]
    List(Named),
    /// Attaches a token of the vault to a customer
    #[command(after_help = "Example:\n  perennial customers tokens attach cust_5a1d7c1e8a0f \
        --token-id 1100000000555551111 \\\n    --exp-date 1230 --card-type VISA --last-four-digits 1111")]
    Attach(Keyed<Attach>),
    /// Changes the attachment of a token
    #[command(after_help = "Example:\n  perennial customers tokens update cust_5a1d7c1e8a0f \
        --token-id 1100000000555551111 --default true")]
    Update(Keyed<Update>),
}

#[derive(Debug, Args)]
pub(crate) struct Attach {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    fields: NewFields,
}

options! {
    NewFields fills Builder<NewCustomerToken> {
        /// The token; required
        token_id = "token-id", "ID";
        /// The expiry of the card; required
        exp_date = "exp-date", "MMYY";
        /// The brand of the card: VISA, MASTERCARD, AMERICAN EXPRESS, DISCOVER, DINERS CLUB, JCB; required
        card_type = "card-type", "BRAND";
        /// The last four digits of the card; required
        last_four_digits = "last-four-digits", "DIGITS";
        /// A description of the card
        description = "description", "TEXT";
        /// Whether it becomes the customer's default card
        is_default = "default", "BOOL";
        /// The street of the card's billing address
        avs_address = "avs-address", "TEXT";
        /// The postal code of the card's billing address
        avs_zip = "avs-zip", "TEXT";
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
    Changes fills Builder<CustomerTokenUpdate> {
        /// The token; required
        token_id = "token-id", "ID";
        /// A description of the card
        description = "description", "TEXT";
        /// Whether it becomes the customer's default card
        is_default = "default", "BOOL";
        /// The street of the card's billing address
        avs_address = "avs-address", "TEXT";
        /// The postal code of the card's billing address
        avs_zip = "avs-zip", "TEXT";
    }
}

impl CustomerTokens {
    pub(super) async fn run(self, client: &Clearent, global: &Global) -> Result<(), Failure> {
        let output = global.output;
        match self {
            Self::List(named) => {
                output.each(client.customers().tokens(&named.key()?).each().await?.into_value())
            }
            Self::Attach(Keyed { command, once }) => {
                let token = command.fields.fill(NewCustomerToken::builder()).build();
                let (key, token) = both(command.named.key(), token)?;
                match once.open(global, client).await? {
                    None => output.written(client.customers().tokens(&key).attach(&token).await?),
                    Some(writer) => {
                        let tokens = writer.writes().customers().tokens(&key);
                        writer.written(tokens.attach(writer.key(), &token).await).await
                    }
                }
            }
            Self::Update(Keyed { command, once }) => {
                let changes = command.changes.fill(CustomerTokenUpdate::builder()).build();
                let (key, changes) = both(command.named.key(), changes)?;
                match once.open(global, client).await? {
                    None => output.written(client.customers().tokens(&key).update(&changes).await?),
                    Some(writer) => {
                        let tokens = writer.writes().customers().tokens(&key);
                        writer.written(tokens.update(writer.key(), &changes).await).await
                    }
                }
            }
        }
    }
}
