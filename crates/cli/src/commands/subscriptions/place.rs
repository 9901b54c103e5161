//! The merchant and the database of subscriptions.

use std::fs::File;

use clap::Args;
use perennial::Clearent;
use perennial::clearent::PlanKey;
use perennial_billing::Billing;
use perennial_journal::{Error, Journal};

use crate::commands::once::{Database, Tenancy, check_deadline};
use crate::context::Global;
use crate::failure::Failure;
use crate::lookup::Line;

#[derive(Debug, Args)]
pub(crate) struct Place {
    #[command(flatten)]
    tenancy: Tenancy,
    #[command(flatten)]
    pub(super) database: Database,
}

/// The subscriptions of a merchant, and the journal with their writes.
pub(in crate::commands) struct Opened {
    pub(in crate::commands) billing: Billing,
    pub(in crate::commands) tenant: String,
    pub(super) journal: Journal,
}

impl Place {
    /// A command with the same database and clock.
    pub(in crate::commands) fn on(&self, command: &'static str) -> Line {
        self.database.on(command).with("clock", self.database.clock())
    }

    /// Opens the subscriptions of a merchant that the journal has.
    pub(in crate::commands) async fn open(
        &self,
        global: &Global,
        client: &Clearent,
    ) -> Result<Opened, Failure> {
        check_deadline(global)?;
        let journal = self.database.open_existing(global).await?;
        let tenant = self.tenancy.of(global, &journal, client).await?;
        if journal.tenants().await?.iter().all(|known| known.name != tenant) {
            return Err(Error::NoTenant(tenant).into());
        }
        Opened::of(journal, tenant, client).await
    }

    /// The command that shows an intent.
    pub(in crate::commands) fn show_intent(&self, global: &Global, uid: &str) -> String {
        self.database.on("perennial journal show").word(uid).again(&global.again)
    }

    /// Opens the subscriptions of a merchant without a write at the gateway: a tenant that does not exist is bound by the
    /// customer of this plan.
    pub(super) async fn open_in_shadow(
        &self,
        global: &Global,
        client: &Clearent,
        plan: &PlanKey,
    ) -> Result<Opened, Failure> {
        check_deadline(global)?;
        let customer = client.plans().get(plan).await?.customer_key.clone();
        let customer = customer.ok_or_else(|| {
            Failure::Refused(format!("the gateway does not report the customer of the plan {plan}"))
        })?;
        let journal = self.database.open_or_create(global).await?;
        let tenant = self.tenancy.of(global, &journal, client).await?;
        let bound = journal.clearent_by(&tenant, client, &customer).await?;
        let billing = Billing::open(&journal, &bound).await?;
        Ok(Opened { billing, tenant, journal })
    }

    /// Makes this process the one worker of the database, if that is a file.
    pub(in crate::commands) fn lock_worker(&self) -> Result<Option<File>, Failure> {
        self.database.lock_worker()
    }

    /// Opens the subscriptions of a merchant, and makes the journal and its tenant if they do not exist.
    pub(super) async fn open_or_create(&self, global: &Global, client: &Clearent) -> Result<Opened, Failure> {
        check_deadline(global)?;
        let journal = self.database.open_or_create(global).await?;
        let tenant = self.tenancy.of(global, &journal, client).await?;
        Opened::of(journal, tenant, client).await
    }
}

impl Opened {
    async fn of(journal: Journal, tenant: String, client: &Clearent) -> Result<Self, Failure> {
        let billing = Billing::open(&journal, &journal.clearent(&tenant, client).await?).await?;
        Ok(Self { billing, tenant, journal })
    }
}
