//! The merchant and the database of subscriptions.

use std::fs::File;

use clap::Args;
use perennial::Clearent;
use perennial::clearent::PlanKey;
use perennial::transport::redact;
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

/// A hold of the merchant.
pub(in crate::commands) struct Hold {
    pub(in crate::commands) reason: String,
    /// The command that ends it.
    pub(in crate::commands) command: String,
}

impl Place {
    /// A command with the same database, clock and merchant.
    pub(in crate::commands) fn on(&self, command: &'static str) -> Line {
        self.tenancy.on(self.database.on(command).with("clock", self.database.clock()))
    }

    /// The command that does what is due.
    pub(in crate::commands) fn work(&self, global: &Global) -> String {
        self.on("perennial work").flag("until-idle").again(&global.again)
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
        self.on("perennial journal show").word(uid).again(&global.again)
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
    /// The reason of the merchant's hold, with the command that ends it.
    pub(in crate::commands) async fn hold(
        &self,
        place: &Place,
        global: &Global,
    ) -> Result<Option<Hold>, Failure> {
        let tenants = self.journal.tenants().await?;
        let hold = tenants.into_iter().find(|known| known.name == self.tenant).and_then(|known| known.hold);
        Ok(hold.map(|reason| {
            let line = place.database.on("perennial hold off").with("tenant", Some(&self.tenant));
            Hold { reason, command: line.with("reason", Some("TEXT")).again(&global.again) }
        }))
    }

    /// The failure for a decision that is stored and not carried out yet.
    pub(in crate::commands) async fn unsettled(
        &self,
        place: &Place,
        global: &Global,
        about: &str,
        why: &str,
    ) -> Failure {
        let then = match self.hold(place, global).await {
            Ok(Some(Hold { reason, command })) => format!(
                "The tenant {} is on hold ({}), and nothing is sent but cancellations of plans; the hold ends with: {command}\n\
                 After that, the same command again is safe, and goes on; so does: {}",
                self.tenant,
                redact::text(&reason),
                place.work(global)
            ),
            Ok(None) => {
                format!("The same command again is safe, and goes on; so does: {}", place.work(global))
            }
            Err(failure) => return failure,
        };
        Failure::Unsettled(format!("the decision about {about} is stored, and {why}. {then}"))
    }

    async fn of(journal: Journal, tenant: String, client: &Clearent) -> Result<Self, Failure> {
        let billing = Billing::open(&journal, &journal.clearent(&tenant, client).await?).await?;
        Ok(Self { billing, tenant, journal })
    }
}
