//! `perennial hold`: nothing of a tenant is sent until a person says so.

use clap::{Args, Subcommand};
use perennial_billing::hold_once;

use super::journal::Decider;
use super::once::{Database, Tenancy, is_of};
use super::subscriptions::{Decided, TAKEN};
use crate::context::Global;
use crate::dry_run::DryRun;
use crate::failure::Failure;
use crate::output::{Output, Record, note};

/// The hold of a merchant, at both gateways.
#[derive(Debug, Subcommand)]
pub(crate) enum Hold {
    /// Stops sending: writes under an operation key wait
    #[command(
        after_help = "Looks go on, and so do cancellations of plans.\n\nExample:\n  perennial hold on --reason 'wrong prices' --profile north-street"
    )]
    On(Change),
    /// Goes on sending
    #[command(
        after_help = "What waits is sent by the same command again, or by perennial journal run.\n\nExample:\n  perennial hold off --reason 'prices corrected' --profile north-street"
    )]
    Off(Change),
}

#[derive(Debug, Args)]
pub(crate) struct Change {
    #[command(flatten)]
    decider: Decider,
    #[command(flatten)]
    decided: Decided,
    #[command(flatten)]
    tenancy: Tenancy,
    #[command(flatten)]
    database: Database,
}

impl Hold {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        let (Self::On(change) | Self::Off(change)) = &self;
        let merchant = match change.tenancy.given(global) {
            Some(name) => name.to_owned(),
            None => change.tenancy.name(global, &global.environment()?),
        };
        let is_on = matches!(self, Self::On(_));
        let record = |is_on: bool| Record::default().with("tenant", merchant.as_str()).with("hold", is_on);
        let key = change.decided.key()?.map(str::to_owned);
        let journal = change.database.open_existing(global).await?;
        let mut tenants = journal.tenants().await?;
        tenants.retain(|tenant| is_of(&tenant.name, &merchant));
        if tenants.is_empty() {
            return Err(perennial_journal::Error::NoTenant(merchant).into());
        }
        if global.dry_run.is_on() {
            return DryRun::print(global.output, record(is_on));
        }
        let (Self::On(change) | Self::Off(change)) = self;
        let by = change.decider.by()?;
        let (mut is_new, by) = (key.is_none(), || by.clone());
        for tenant in &tenants {
            match &key {
                Some(key) => is_new |= hold_once(&journal, tenant, is_on, by(), key).await?,
                None if is_on => journal.hold(&tenant.name, by()).await?,
                None => journal.release(&tenant.name, by()).await?,
            }
        }
        if !is_new && global.output == Output::Table {
            note(TAKEN);
        }
        // A later decision may have changed it.
        let tenants = journal.tenants().await?;
        let is_held = tenants.iter().any(|tenant| is_of(&tenant.name, &merchant) && tenant.hold.is_some());
        global.output.record(&record(is_held))
    }
}
