//! `perennial members`: the data of a person, exported and erased.

use clap::{Args, Subcommand};
use perennial_billing::Erasure;

use super::journal::Decider;
use super::subscriptions::{Decided, Place};
use crate::context::Global;
use crate::dry_run::DryRun;
use crate::failure::Failure;
use crate::output::{Output, Record, note};

/// Members.
#[derive(Debug, Subcommand)]
pub(crate) enum Members {
    /// Prints all that is stored about the subscriptions with an id, as JSON
    #[command(
        after_help = "Also the writes of the journal about their customers, such as the creation of a customer. The \
        gateway's own records are not part of it.\n\n\
        Example:\n  perennial members export M-1"
    )]
    Export(Export),
    /// Erases the personal data of a member who has left; the books stay whole
    #[command(
        after_help = "All subscriptions with the id must have ended, and nothing of them may be open. The customer, the \
        token, the name, reasons, and the persons who decided are replaced; the content of requests is removed. With the \
        last subscription of a customer, this includes all writes of the journal about the customer. The id, days, amounts, \
        plan keys and transaction ids stay.\n\n\
        Not erased: the gateway's own records (perennial customers delete, perennial tokens delete), backups, and freed \
        bytes of the database until it is vacuumed.\n\n\
        Example:\n  perennial members erase M-1 --reason 'asked for it on 4 May'"
    )]
    Erase(Erase),
}

/// A member by the id of the subscriptions.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The id of the subscriptions
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
pub(crate) struct Erase {
    #[command(flatten)]
    member: Export,
    #[command(flatten)]
    decider: Decider,
    #[command(flatten)]
    decided: Decided,
}

impl Members {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        match self {
            Self::Export(Export { id, place }) => {
                let opened = place.open(global, &global.client().await?).await?;
                let exported = opened.billing.export(&id).await?;
                let exported = serde_json::from_str(&exported)
                    .map_err(|_| Failure::Unexpected("the export is no JSON: report it"))?;
                // The document is nested: no table holds it.
                let output = if global.output == Output::Table { Output::Json } else { global.output };
                output.record(&Record::of_json(exported))
            }
            Self::Erase(Erase { member: Export { id, place }, decider, decided }) => {
                let by = decider.by()?;
                let opened = place.open(global, &global.client().await?).await?;
                if global.dry_run.is_on() {
                    let erased = opened.billing.preview_erase(&id).await?;
                    return DryRun::print(global.output, record(&id, erased));
                }
                let once = decided.once(&opened.billing, global).await?;
                let erased = once.taken(once.billing.erase(&id, by).await)?;
                global.output.record(&record(&id, erased))?;
                note(
                    "not erased: the gateway's own records, backups, and freed bytes of the database until it is vacuumed",
                );
                Ok(())
            }
        }
    }
}

fn record(id: &str, erased: Erasure) -> Record {
    Record::default().with("id", id).with("subscriptions", erased.subscriptions).with("writes", erased.writes)
}
