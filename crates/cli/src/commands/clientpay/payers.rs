//! `perennial clientpay payers`

use clap::{Args, Subcommand};
use perennial::clientpay::{
    MethodUpdate, MethodUpdates, NewMethod, NewMethods, NewPayer, PayerId, PayerUpdate, SavedPayer,
};
use perennial::{Builder, ClientPay, Violations};

use super::address::{BillingAddress, PayerAddress};
use super::method::{Method, MethodOptions};
use super::names::by_option;
use super::pages::{PayerPageArguments, of_payer};
use super::{Under, under};
use crate::commands::criteria::key;
use crate::commands::once::Keyed;
use crate::commands::{both, renamed};
use crate::context::Global;
use crate::failure::{self, Failure};
use crate::output::IntoRecord;

/// Payers.
#[derive(Debug, Subcommand)]
pub(super) enum Payers {
    /// Stores a payer, and prints the id
    #[command(
        after_help = "Example:\n  perennial clientpay payers create --first-name Rosa --last-name Lind \
        --email rosa@example.test"
    )]
    Create(Keyed<Create>),
    /// Changes a payer; omitted fields stay unchanged
    #[command(after_help = "Example:\n  perennial clientpay payers update pyr-1 --payer-city Mobile")]
    Update(Keyed<Update>),
    /// Deletes a payer
    #[command(after_help = "Example:\n  perennial clientpay payers delete pyr-1")]
    Delete(Keyed<Delete>),
    /// Creates a page on which the payer enters or changes methods
    #[command(after_help = "Example:\n  perennial clientpay payers page --payer-id pyr-1")]
    Page(Keyed<PayerPageArguments>),
    /// Stores a card or a bank account for a payer, and prints its id
    #[command(
        after_help = "Without --account-stdin, prompts for the card, or reads it from standard input.\n\n\
        Example:\n  perennial clientpay payers add-methods pyr-1 --is-primary true --card-stdin < card.json"
    )]
    AddMethods(Keyed<AddMethods>),
    /// Changes a stored method: its name, its expiry, whether it is the primary one
    #[command(after_help = "Example:\n  perennial clientpay payers update-methods mth-1 --exp-date 1231")]
    UpdateMethods(Keyed<UpdateMethods>),
}

/// A payer by its id.
#[derive(Debug, Args)]
struct Named {
    /// The payer's id
    #[arg(value_name = "PAYER-ID")]
    payer: String,
}

/// Email addresses of a payer.
#[derive(Debug, Args)]
struct Emails {
    /// An email address; may be repeated
    #[arg(long, value_name = "TEXT")]
    email: Vec<String>,
}

macro_rules! names {
    ($Options:ident fills $Builder:ty) => {
        options! {
            $Options fills $Builder {
                /// The first name; one of the three names is needed
                first_name = "first-name", "TEXT";
                /// The last name
                last_name = "last-name", "TEXT";
                /// The name of the business
                business_name = "business-name", "TEXT";
                /// The display name: 1 (first and last name), 2 (business), 3 (both)
                payer_name = "payer-name", "NUMBER";
                /// Your own reference, stored with the payer
                session_id = "session-id", "TEXT";
                /// A second reference
                customer_id = "customer-id", "TEXT";
            }
        }
    };
}

names!(NewNames fills Builder<NewPayer>);
names!(OtherNames fills Builder<PayerUpdate>);

#[derive(Debug, Args)]
pub(super) struct Create {
    #[command(flatten)]
    names: NewNames,
    #[command(flatten)]
    emails: Emails,
    #[command(flatten)]
    under: Under,
    #[command(flatten)]
    address: PayerAddress,
}

#[derive(Debug, Args)]
pub(super) struct Update {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    names: OtherNames,
    #[command(flatten)]
    emails: Emails,
    #[command(flatten)]
    under: Under,
    #[command(flatten)]
    address: PayerAddress,
}

#[derive(Debug, Args)]
pub(super) struct Delete {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    under: Under,
}

#[derive(Debug, Args)]
pub(super) struct AddMethods {
    #[command(flatten)]
    named: Named,
    /// Whether it becomes the primary method, which is charged by the payer's id
    #[arg(long, value_name = "BOOL")]
    is_primary: Option<String>,
    #[command(flatten)]
    method: MethodOptions,
    #[command(flatten)]
    under: Under,
    #[command(flatten)]
    billing: BillingAddress,
}

options! {
    Changes fills Builder<MethodUpdate> {
        /// Whether it becomes the primary method, which is charged by the payer's id
        is_primary = "is-primary", "BOOL";
        /// The name on the card
        cardholder_name = "cardholder-name", "TEXT";
        /// The card's expiry
        expiration_date = "exp-date", "MMYY";
        /// The name on the account
        #[arg(conflicts_with_all = ["cardholder-name", "exp-date"])]
        name_on_account = "name-on-account", "TEXT";
    }
}

#[derive(Debug, Args)]
pub(super) struct UpdateMethods {
    /// The method's id
    #[arg(value_name = "METHOD-ID")]
    method: String,
    #[command(flatten)]
    changes: Changes,
    #[command(flatten)]
    under: Under,
}

impl Payers {
    pub(super) async fn run(self, client: &ClientPay, global: &Global) -> Result<(), Failure> {
        let output = global.output;
        match self {
            Self::Create(Keyed { command, once }) => {
                let (payer, id) = both(command.payer(), command.under.id())?;
                let saved = |id| SavedPayer { payer_id: Some(id), ..SavedPayer::default() };
                if let Some(writer) = once.open_clientpay(global, client).await? {
                    let created = writer.writes().payers().create(writer.key(), &payer).await;
                    return writer.written_as::<_, SavedPayer>(created, |id| saved(id).record()).await;
                }
                output.written(under!(client.payers(), id).create(&payer).await?.map(saved))
            }
            Self::Update(Keyed { command, once }) => {
                let (changes, id) = both(command.update(), command.under.id())?;
                if let Some(writer) = once.open_clientpay(global, client).await? {
                    return writer
                        .written(writer.writes().payers().update(writer.key(), &changes).await)
                        .await;
                }
                output.written(under!(client.payers(), id).update(&changes).await?)
            }
            Self::Delete(Keyed { command, once }) => {
                let (payer, id) = both(command.named.id(), command.under.id())?;
                if let Some(writer) = once.open_clientpay(global, client).await? {
                    let deleted = writer.writes().payers().delete(writer.key(), &payer).await;
                    return writer.deleted::<SavedPayer>(deleted).await;
                }
                let deleted = under!(client.payers(), id).delete(&payer).await?;
                output.deleted::<SavedPayer>(deleted.map(|()| None), payer)
            }
            Self::Page(page) => of_payer(&page, client, global).await,
            Self::AddMethods(Keyed { command, once }) => {
                let id = command.under.id()?;
                let methods = command.methods()?;
                if let Some(writer) = once.open_clientpay(global, client).await? {
                    let added = writer.writes().payers().add_methods(writer.key(), &methods).await;
                    return writer.written(added).await;
                }
                output.written(under!(client.payers(), id).add_methods(&methods).await?)
            }
            Self::UpdateMethods(Keyed { command, once }) => {
                let (updates, id) = both(command.updates(), command.under.id())?;
                if let Some(writer) = once.open_clientpay(global, client).await? {
                    let saved = writer.writes().payers().update_methods(writer.key(), &updates).await;
                    return writer.written(saved).await;
                }
                output.written(under!(client.payers(), id).update_methods(&updates).await?)
            }
        }
    }
}

impl Named {
    fn id(&self) -> Result<PayerId, Violations> {
        key("<PAYER-ID>", &self.payer)
    }
}

/// Renames violations by option, except for the payer's id.
fn named(violations: &Violations) -> Violations {
    renamed(&renamed(&by_option(violations), "payer-id", "<PAYER-ID>"), "emails", "email")
}

impl Create {
    fn payer(&self) -> Result<NewPayer, Violations> {
        let mut payer = self.names.fill(NewPayer::builder());
        if !self.emails.email.is_empty() {
            payer = payer.emails(self.emails.email.as_slice());
        }
        if let Some(address) = self.address.address() {
            payer = payer.payer_address(address);
        }
        payer.build().map_err(|violations| named(&violations))
    }
}

impl Update {
    fn update(&self) -> Result<PayerUpdate, Violations> {
        let mut update = self.names.fill(PayerUpdate::builder()).payer_id(self.named.payer.as_str());
        if !self.emails.email.is_empty() {
            update = update.emails(self.emails.email.as_slice());
        }
        if let Some(address) = self.address.address() {
            update = update.payer_address(address);
        }
        update.build().map_err(|violations| named(&violations))
    }
}

impl AddMethods {
    fn methods(&self) -> Result<NewMethods, Failure> {
        let Self { named: Named { payer }, is_primary, method, under: _, billing } = self;
        let mut added = NewMethod::builder();
        given!(added: is_primary);
        added = match method.read()? {
            Method::Card(card) => added.credit_card(card),
            Method::Account(account) => added.e_check(account),
        };
        if let Some(address) = billing.address() {
            added = added.billing_address(address);
        }
        let methods = NewMethods::builder().payer_id(payer.as_str()).method(added).build();
        Ok(methods.map_err(|violations| named(&violations))?)
    }
}

impl UpdateMethods {
    fn updates(&self) -> Result<MethodUpdates, Violations> {
        let update = self.changes.fill(MethodUpdate::builder()).id(self.method.as_str());
        MethodUpdates::builder().update(update).build().map_err(|violations| {
            let named = renamed(&by_option(&violations), failure::CARD_EXPIRY, "exp-date");
            renamed(&named, "id", "<METHOD-ID>")
        })
    }
}
