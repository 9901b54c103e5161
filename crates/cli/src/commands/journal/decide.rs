//! Decisions of people: `perennial journal resolve`, `withdraw` and `adopt`.

use std::env;
use std::time::Duration;

use clap::{Args, ValueEnum};
use perennial::clearent::CustomerKey;
use perennial_journal::By;

use super::{Named, summary};
use crate::commands::once::{Database, Tenancy};
use crate::context::Global;
use crate::dry_run::DryRun;
use crate::failure::Failure;
use crate::output::Record;

/// The person who decides, and the reason. Both are kept.
#[derive(Debug, Args)]
pub(crate) struct Decider {
    /// The reason, which is kept with the decision
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// The person who decides; the default is your user name
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
}

impl Decider {
    pub(crate) fn by(self) -> Result<By, Failure> {
        decided_by(self.reason, self.actor)
    }
}

/// The person of a decision: by default the user of this process.
pub(crate) fn decided_by(reason: String, actor: Option<String>) -> Result<By, Failure> {
    if reason.trim().is_empty() || reason == "TEXT" {
        return Err(Failure::Usage("--reason has no reason: say why, in a sentence".to_owned()));
    }
    let user = || ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| env::var(name).ok());
    let actor = actor.or_else(user).filter(|actor| !actor.trim().is_empty());
    let actor =
        actor.ok_or_else(|| Failure::Usage("it is not known who you are: pass --actor NAME".to_owned()))?;
    Ok(By { actor, reason })
}

#[derive(Debug, Args)]
pub(crate) struct Resolve {
    #[command(flatten)]
    named: Named,
    /// Whether the gateway has done it; or that a write of ClientPay is sent again under its request id, which the gateway
    /// accepts once
    #[arg(long = "as", value_name = "DECISION", value_enum)]
    decision: Decision,
    /// The id of the object at the gateway, such as 700001, if it was done
    #[arg(long, value_name = "OBJECT", required_if_eq("decision", "done"))]
    id: Option<String>,
    #[command(flatten)]
    decider: Decider,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Decision {
    Done,
    NotDone,
    SendAgain,
}

#[derive(Debug, Args)]
pub(crate) struct Withdraw {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    decider: Decider,
}

#[derive(Debug, Args)]
pub(crate) struct Rebind {
    /// A customer of the merchant that becomes the control customer, in place of a new one; it must not be deleted
    #[arg(long, value_name = "KEY")]
    customer_key: Option<CustomerKey>,
    #[command(flatten)]
    tenancy: Tenancy,
    #[command(flatten)]
    decider: Decider,
    #[command(flatten)]
    database: Database,
}

#[derive(Debug, Args)]
pub(crate) struct Adopt {
    /// The seconds in which nothing is sent, so that the last requests of another copy have arrived
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    quiet: u32,
    #[command(flatten)]
    decider: Decider,
    #[command(flatten)]
    database: Database,
}

impl Resolve {
    pub(super) async fn run(self, global: &Global) -> Result<(), Failure> {
        let by = self.decider.by()?;
        if self.decision != Decision::Done && self.id.is_some() {
            return Err(Failure::Usage("what was not done has no object: leave out --id".to_owned()));
        }
        if self.id.as_deref() == Some("OBJECT") {
            return Err(Failure::Usage(
                "--id OBJECT is no id: give the one that the gateway shows".to_owned(),
            ));
        }
        let (journal, tenant, intent) = self.named.find(global).await?;
        if global.dry_run.is_on() {
            return DryRun::print(global.output, summary(&tenant.name, &intent));
        }
        let resolved = match self.decision {
            Decision::SendAgain => journal.resend(&intent.uid, by).await?,
            Decision::Done | Decision::NotDone => journal.resolve(&intent.uid, self.id, by).await?,
        };
        global.output.record(&summary(&tenant.name, &resolved))
    }
}

impl Withdraw {
    pub(super) async fn run(self, global: &Global) -> Result<(), Failure> {
        let by = self.decider.by()?;
        let (journal, tenant, intent) = self.named.find(global).await?;
        if global.dry_run.is_on() {
            return DryRun::print(global.output, summary(&tenant.name, &intent));
        }
        let intent = journal.withdraw(&intent.uid, by).await?;
        global.output.record(&summary(&tenant.name, &intent))?;
        if intent.state == perennial_journal::machine::State::Withdrawn {
            return Ok(());
        }
        Err(Failure::Refused(format!(
            "the intent is {} and cannot be taken back: only what is not sent is withdrawn",
            intent.state
        )))
    }
}

impl Rebind {
    pub(super) async fn run(self, global: &Global) -> Result<(), Failure> {
        let by = self.decider.by()?;
        let client = global.client().await?;
        let journal = self.database.open_existing(global).await?;
        let tenant = self.tenancy.name(global, client.environment());
        let record = Record::default().with("tenant", tenant.as_str());
        if global.dry_run.is_on() {
            return DryRun::print(global.output, record);
        }
        journal.rebind(&tenant, &client, self.customer_key.as_ref(), by).await?;
        global.output.record(&record)
    }
}

impl Adopt {
    pub(super) async fn run(self, global: &Global) -> Result<(), Failure> {
        let by = self.decider.by()?;
        let quiet = Duration::from_secs(self.quiet.into());
        let journal = self.database.open_existing(global).await?;
        if global.dry_run.is_on() {
            let until = (journal.now().await? + quiet).to_string();
            return DryRun::print(global.output, Record::default().with("quiet-until", until));
        }
        let adopted = journal.adopt(by, quiet).await?;
        let record = Record::default().with("intents", adopted.intents);
        global.output.record(&record.with("quiet-until", adopted.quiet_until.to_string()))
    }
}
