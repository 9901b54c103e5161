//! `perennial clientpay access`: access ids, which replace the credentials. A reader of an id can act for the account,
//! so ids are printed only on request.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use perennial::clientpay::AccessId;
use perennial::{ClientPay, InvalidValue, Violations};

use super::account::Account;
use crate::commands::once::{Keyed, Outcome};
use crate::context::Global;
use crate::failure::Failure;
use crate::input;
use crate::lookup::{self, Line};
use crate::output::{IntoRecord, PrintedAccessId, Record};

/// Access ids.
#[derive(Debug, Subcommand)]
pub(super) enum Access {
    /// Creates an access id. The previous id stops working for all its users
    #[command(
        after_help = "Under an operation key, the same command again shows the id that is valid then; an id of a \
        customer is shown once.\n\nExample:\n  perennial clientpay access new --reveal"
    )]
    New(Keyed<New>),
    /// Shows the live id; changes nothing
    #[command(after_help = "Example:\n  perennial clientpay access current")]
    Current(Reveal),
    /// Checks whether an id is live
    #[command(after_help = "Example:\n  perennial clientpay access validate --access-id-file id.txt")]
    Validate(Named),
    /// Ends an id for all its users
    #[command(after_help = "Example:\n  perennial clientpay access expire --access-id-file id.txt")]
    Expire(Keyed<Named>),
}

#[derive(Debug, Args)]
pub(super) struct New {
    /// Create an id for the customer across all its accounts, which also needs PERENNIAL_CLIENTPAY_CUSTOMER_KEY and
    /// PERENNIAL_CLIENTPAY_CUSTOMER_PIN
    #[arg(long)]
    customer: bool,
    #[command(flatten)]
    reveal: Reveal,
}

#[derive(Debug, Args)]
pub(super) struct Reveal {
    /// Print the id, which lets any reader act for the account
    #[arg(long)]
    reveal: bool,
}

/// An access id given by the user.
#[derive(Debug, Args)]
pub(super) struct Named {
    /// A file that holds the id, instead of PERENNIAL_CLIENTPAY_ACCESS_ID
    #[arg(long, value_name = "FILE")]
    access_id_file: Option<PathBuf>,
}

/// The command that shows the live id.
const CURRENT: &str = "perennial clientpay access current";
const ACCESS_ID: &str = "PERENNIAL_CLIENTPAY_ACCESS_ID";

impl Access {
    pub(super) async fn run(
        self,
        client: &ClientPay,
        account: &Account,
        global: &Global,
    ) -> Result<(), Failure> {
        let (access, output) = (client.access(), global.output);
        match self {
            Self::New(Keyed { command: New { customer, reveal }, once }) => {
                if let Some(writer) = once.open_clientpay(global, client).await? {
                    let (access, key) = (writer.writes().access(), writer.key());
                    let renewed = if customer {
                        access.renew_for_customer(key, &account.customer()?).await
                    } else {
                        access.renew(key).await
                    };
                    let show = |id| reveal.show(id).record();
                    return writer.written_as::<_, PrintedAccessId>(renewed, show).await;
                }
                let renewed = if customer {
                    access.renew_for_customer(&account.customer()?).await
                } else {
                    access.renew().await
                };
                let renewed = renewed.map_err(|error| Failure::lost(error, Line::new(CURRENT)))?;
                output.written(renewed.map(|id| reveal.show(id)))
            }
            Self::Current(reveal) => match access.current().await?.into_value() {
                Some(id) => output.one(reveal.show(id)),
                None => Err(Failure::Nothing("no access id is live")),
            },
            Self::Validate(named) => {
                let valid = access.validate(&named.id()?).await?.into_value();
                output.record(&Record::default().with("valid", valid))
            }
            Self::Expire(Keyed { command: named, once }) => {
                let (id, expired) = (named.id()?, Record::default().with("expired", true));
                if let Some(writer) = once.open_clientpay(global, client).await? {
                    let ended = writer.writes().access().expire(writer.key(), &id).await;
                    let Outcome { told, intent, .. } = writer.outcome(ended).await?;
                    return writer.print::<PrintedAccessId>(expired, told, &intent);
                }
                let ended = access.expire(&id).await;
                ended.map_err(|error| Failure::lost(error, named.validation()))?;
                output.record(&expired)
            }
        }
    }
}

impl Reveal {
    fn show(&self, id: AccessId) -> PrintedAccessId {
        if self.reveal { PrintedAccessId::Revealed(id) } else { PrintedAccessId::Masked }
    }
}

impl Named {
    /// The command that checks whether the id is live.
    fn validation(&self) -> Line {
        let file = self.access_id_file.as_deref().map(|file| lookup::absolute(file.as_os_str()));
        Line::new("perennial clientpay access validate").with("access-id-file", file)
    }

    fn id(&self) -> Result<AccessId, Failure> {
        let missing = || {
            Failure::Usage(format!("there is no access id: set {ACCESS_ID} or pass --access-id-file FILE"))
        };
        let (given, text) = match &self.access_id_file {
            Some(file) => ("access id of the file", input::of_file("access id", file)?),
            None => (ACCESS_ID, input::of_variable(ACCESS_ID)?.ok_or_else(missing)?),
        };
        let id = AccessId::try_from(text.as_str());
        Ok(id.map_err(|InvalidValue(rule)| Violations::one(given, rule))?)
    }
}
