//! Writes under an operation key: they go through the journal, and take effect once.

mod database;
#[cfg(feature = "postgres")]
mod password;
mod writer;

use std::time::Duration;

use clap::Args;
use perennial::{Clearent, ClientPay};

use crate::context::Global;
use crate::failure::Failure;

pub(super) use database::{Database, Tenancy, is_of, merchant_at_clientpay, row_of_clientpay};
pub(super) use writer::{Outcome, Writer, exchange_id, gone};

/// The longest time limit of a call under an operation key: a claim of an intent lasts two minutes.
const LONGEST: Duration = Duration::from_secs(60);

/// A write, and the options under which it takes effect once.
#[derive(Debug, Args)]
pub(crate) struct Keyed<T: Args> {
    #[command(flatten)]
    pub(super) command: T,
    #[command(flatten)]
    pub(super) once: Once,
}

/// The operation key of a write.
#[derive(Debug, Args)]
#[command(next_help_heading = "Once")]
pub(crate) struct Once {
    /// Your name for this decision: under one key, the write takes effect once, however often the command runs
    #[arg(long, value_name = "KEY")]
    operation_key: Option<String>,
    #[command(flatten)]
    tenancy: Tenancy,
    #[command(flatten)]
    database: Database,
}

impl Once {
    /// Opens the journal for this write of Clearent, if it has an operation key. A dry run stores nothing and needs no
    /// journal.
    pub(super) async fn open(
        &self,
        global: &Global,
        client: &Clearent,
    ) -> Result<Option<Writer<perennial_journal::Clearent>>, Failure> {
        let Some(key) = self.checked(global)? else { return Ok(None) };
        let journal = self.database.open_or_create(global).await?;
        let tenant = self.tenancy.of(global, &journal, client).await?;
        let bound = journal.clearent(&tenant, client).await?;
        let look_up = self.database.on("perennial journal show");
        Ok(Some(Writer::new(journal, bound, tenant, key, look_up, global)))
    }

    /// Opens the journal for this write of ClientPay, if it has an operation key.
    pub(super) async fn open_clientpay(
        &self,
        global: &Global,
        client: &ClientPay,
    ) -> Result<Option<Writer<perennial_journal::ClientPay>>, Failure> {
        let Some(key) = self.checked(global)? else { return Ok(None) };
        let journal = self.database.open_or_create(global).await?;
        let tenant = self.tenancy.name(global, client.environment());
        let bound = journal.clientpay(&tenant, client).await?;
        let look_up = self.database.on("perennial journal show");
        Ok(Some(Writer::new(journal, bound, row_of_clientpay(&tenant), key, look_up, global)))
    }

    /// Checks the key of a write that is followed by another one, whose key has this name after a slash.
    pub(super) fn check_following(&self, name: &str) -> Result<(), Failure> {
        match &self.operation_key {
            Some(key) => Ok(perennial_journal::check_key(&format!("{key}/{name}"))?),
            None => Ok(()),
        }
    }

    /// The key, if this run uses the journal.
    fn checked(&self, global: &Global) -> Result<Option<String>, Failure> {
        let Some(key) = &self.operation_key else {
            let option = if self.database.has_clock() { "--clock" } else { "--tenant" };
            if self.database.has_clock() || self.tenancy.is_given() {
                return Err(Failure::Usage(format!(
                    "{option} is for the journal, which is used under a key: add --operation-key KEY, or leave it out"
                )));
            }
            return Ok(None);
        };
        perennial_journal::check_key(key)?;
        check_deadline(global)?;
        if global.dry_run.is_on() {
            return Ok(None);
        }
        global.interrupt.under(key);
        Ok(Some(key.clone()))
    }
}

/// Refuses a time limit that is longer than the claim of an intent allows.
pub(super) fn check_deadline(global: &Global) -> Result<(), Failure> {
    if global.deadline() > LONGEST {
        let message = "under an operation key, a call has at most 60 seconds: give --timeout 60 or less";
        return Err(Failure::Usage(message.to_owned()));
    }
    Ok(())
}
