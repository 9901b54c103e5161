//! `perennial journal`: the intents of writes under an operation key, and the decisions about them.

mod decide;
mod doctor;
mod moves;
mod show;

use std::cmp::Reverse;

use clap::{Args, Subcommand};
use perennial::Environment;
use perennial_journal::machine::{Intent, State};
use perennial_journal::store::{Filter, Tenant};
use perennial_journal::{Bound, Journal, Moment};

use super::clientpay::Account;
use super::once::{Database, Tenancy, is_of, merchant_at_clientpay, row_of_clientpay};
use crate::context::Global;
use crate::dry_run::DryRun;
use crate::failure::Failure;
use crate::output::{Record, note};

use decide::{Adopt, Rebind, Resolve, Withdraw};
use doctor::Doctor;
use show::Show;

pub(super) use decide::{Decider, decided_by};

/// The journal.
#[derive(Debug, Subcommand)]
pub(crate) enum Journals {
    /// Lists intents, the newest first: one for each operation key
    #[command(
        visible_alias = "search",
        after_help = "Lists the intents of all merchants, or of --tenant or --profile.\n\n\
        Examples:\n  perennial journal list --state needs-person --state needs-card\n  \
        perennial journal list --key-prefix signup-1042/ --tenant north-street"
    )]
    List(List),
    /// Explains an intent on one screen, with the command that moves it on
    #[command(after_help = "Example:\n  perennial journal show signup-1042/plan")]
    Show(Show),
    /// Takes the next step of an intent now: looks, and sends what may be sent
    #[command(
        after_help = "Needs the merchant's key, or the credentials of ClientPay. Prints the intent; the exit status is 75 \
        while it is not settled.\n\n\
        Example:\n  perennial journal look 4F0XK7Q2M8V5N1B6C3Z9T0RYWA --profile north-street"
    )]
    Look(Look),
    /// Records the decision of a person about an intent that waits for one
    #[command(
        after_help = "Look at the gateway first: perennial journal show names the command. An intent that was not done is \
        not sent any more; a new try needs a new operation key. A write of ClientPay can also be sent again under the same \
        request id: then perennial journal look sends it, or the same command if it has a card.\n\n\
        Examples:\n  perennial journal resolve signup-1042/fee --as done --id 700001 --reason 'found in the portal'\n  \
        perennial journal resolve signup-1042/fee --as not-done --reason 'not in the portal after a day'"
    )]
    Resolve(Resolve),
    /// Takes back an intent that is not sent yet
    #[command(
        after_help = "Example:\n  perennial journal withdraw signup-1042/fee --reason 'the member left'"
    )]
    Withdraw(Withdraw),
    /// Checks the database, holds and open intents; exits with 1 if any needs attention
    #[command(after_help = "Example:\n  perennial journal doctor --output json")]
    Doctor(Doctor),
    /// Takes over a database that was restored from a backup, copied or moved
    #[command(
        after_help = "Make sure that no other copy of the database is in use. Until the quiet period ends, nothing is \
        sent; after it, all that is not settled is looked for before it is sent.\n\n\
        Example:\n  perennial journal adopt --reason 'restored the backup of Monday'"
    )]
    Adopt(Adopt),
    /// Binds a merchant anew, if its control customer was deleted or could not be created
    #[command(
        after_help = "Make sure that the API key is of the same merchant: the journal cannot tell any more. It creates a \
        new control customer. A gateway that gives customers keys of its own refuses that: name a customer that exists.\n\n\
        Examples:\n  perennial journal rebind --customer-key cust_1 --reason 'the gateway gives keys of its own'\n  \
        perennial journal rebind --profile north-street --reason 'Perennial Control was deleted in the portal'"
    )]
    Rebind(Rebind),
    /// Works on all open intents of a merchant until a signal stops it
    #[command(
        after_help = "Looks, and sends what is planned. Needs the merchant's key, and the credentials of ClientPay for its \
        writes. Several may run at once.\n\n\
        Examples:\n  perennial journal run --profile north-street\n  perennial journal run --until-idle"
    )]
    Run(Run),
    /// Prints the events of all intents in their order, for programs
    #[command(after_help = "A program that keeps the last position misses nothing.\n\n\
        Example:\n  perennial journal events --after 41 --output jsonl")]
    Events(Events),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Intents in this state: planned, sending, unknown, done, declined, refused, withdrawn, needs-card, needs-person; may
    /// be repeated
    #[arg(long, value_name = "STATE")]
    state: Vec<State>,
    /// Intents whose operation key begins with this
    #[arg(long, value_name = "TEXT")]
    key_prefix: Option<String>,
    /// Intents that were stored at least this long ago
    #[arg(long, value_name = "SECONDS")]
    older_than: Option<u64>,
    /// The number of intents
    #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    tenancy: Tenancy,
    #[command(flatten)]
    database: Database,
}

/// An intent by its id, or by its operation key.
#[derive(Debug, Args)]
pub(super) struct Named {
    /// The intent's id, or its operation key
    #[arg(value_name = "ID|KEY")]
    intent: String,
    #[command(flatten)]
    tenancy: Tenancy,
    #[command(flatten)]
    database: Database,
}

#[derive(Debug, Args)]
pub(crate) struct Look {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    account: Account,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// End when nothing is due any more
    #[arg(long)]
    until_idle: bool,
    #[command(flatten)]
    tenancy: Tenancy,
    #[command(flatten)]
    database: Database,
    #[command(flatten)]
    account: Account,
}

#[derive(Debug, Args)]
pub(crate) struct Events {
    /// Events after this position
    #[arg(long, value_name = "NUMBER", default_value_t = 0, value_parser = clap::value_parser!(i64).range(0..))]
    after: i64,
    /// The number of events
    #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    database: Database,
}

impl Journals {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        match self {
            Self::List(list) => list.run(global).await,
            Self::Show(show) => show.run(global).await,
            Self::Look(look) => look.run(global).await,
            Self::Resolve(resolve) => resolve.run(global).await,
            Self::Withdraw(withdraw) => withdraw.run(global).await,
            Self::Doctor(doctor) => doctor.run(global).await,
            Self::Adopt(adopt) => adopt.run(global).await,
            Self::Rebind(rebind) => rebind.run(global).await,
            Self::Run(run) => run.run(global).await,
            Self::Events(events) => events.run(global).await,
        }
    }
}

impl Named {
    /// Finds the intent, and its tenant.
    async fn find(&self, global: &Global) -> Result<(Journal, Tenant, Intent), Failure> {
        let journal = self.database.open_existing(global).await?;
        let mut found = Vec::new();
        for tenant in tenants(global, &self.tenancy, &journal).await? {
            match journal.intent(Some(&tenant.name), &self.intent).await {
                // The id of an intent is found whatever its tenant is.
                Ok(intent) if intent.tenant == tenant.uid => found.push((tenant, intent)),
                Ok(_) | Err(perennial_journal::Error::NoIntent(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        if found.len() > 1 {
            let names: Vec<_> = found.iter().map(|(tenant, _)| tenant.name.as_str()).collect();
            return Err(Failure::Usage(format!(
                "several tenants have this operation key ({}): give the intent's id, or --tenant NAME",
                names.join(", ")
            )));
        }
        let Some((tenant, mut intent)) = found.pop() else {
            return Err(perennial_journal::Error::NoIntent(self.intent.clone()).into());
        };
        // A plan that is made may wait for its activation, which is an intent of its own.
        if intent.activates && intent.state == State::Done && self.intent == intent.key {
            match journal.intent(Some(&tenant.name), &intent.activation_key()).await {
                Ok(activation) if !activation.state.is_final() => intent = activation,
                Ok(_) | Err(perennial_journal::Error::NoIntent(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok((journal, tenant, intent))
    }
}

/// The tenants of the named merchant, or all tenants.
async fn tenants(global: &Global, tenancy: &Tenancy, journal: &Journal) -> Result<Vec<Tenant>, Failure> {
    let mut tenants = journal.tenants().await?;
    if let Some(merchant) = tenancy.given(global) {
        tenants.retain(|tenant| is_of(&tenant.name, merchant));
        if tenants.is_empty() {
            return Err(perennial_journal::Error::NoTenant(merchant.to_owned()).into());
        }
    }
    Ok(tenants)
}

/// An intent in a few members.
fn summary(tenant: &str, intent: &Intent) -> Record {
    Record::default()
        .with("intent", intent.uid.as_str())
        .with("operation-key", intent.key.as_str())
        .with("tenant", tenant)
        .with("operation", intent.write.name())
        .with("state", intent.state.name())
        .with("id", intent.outcome.as_ref().and_then(|outcome| outcome.id.as_deref()))
        .with("reason", intent.reason().as_deref())
        .with("created", intent.created.to_string())
        .with("next", intent.next.map(|next| next.to_string()))
}

/// Columns of a list of intents, the most important first.
const INTENTS: &[&str] =
    &["intent", "state", "operation", "operation-key", "tenant", "created", "next", "id", "reason"];

impl List {
    async fn run(self, global: &Global) -> Result<(), Failure> {
        let journal = self.database.open_existing(global).await?;
        let mut filter = Filter::default();
        (filter.states, filter.key_prefix, filter.limit) = (self.state, self.key_prefix, self.limit);
        if let Some(seconds) = self.older_than {
            let age = i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000);
            let before = journal.now().await?.as_millis().saturating_sub(age);
            filter.created_before = Some(Moment::from_millis(before));
        }
        let mut listed = Vec::new();
        for tenant in tenants(global, &self.tenancy, &journal).await? {
            filter.tenant = Some(tenant.uid.clone());
            let intents = journal.intents(&filter).await?.into_iter();
            listed.extend(intents.map(|intent| (intent.created, summary(&tenant.name, &intent))));
        }
        listed.sort_by_key(|(created, _)| Reverse(*created));
        listed.truncate(self.limit as usize);
        global.output.rows(INTENTS, listed.into_iter().map(|(_, row)| row).collect())
    }
}

impl Look {
    async fn run(self, global: &Global) -> Result<(), Failure> {
        let (journal, tenant, intent) = self.named.find(global).await?;
        if global.dry_run.is_on() {
            return DryRun::print(global.output, summary(&tenant.name, &intent));
        }
        let looked = match merchant_at_clientpay(&tenant.name) {
            Some(merchant) => {
                global.refuse_clearent()?;
                let client = self.account.client(global, global.exchange(|reqwest| reqwest)?)?;
                journal.clientpay(merchant, &client).await?.look(&intent.uid).await?
            }
            None => journal.clearent(&tenant.name, &global.client().await?).await?.look(&intent.uid).await?,
        };
        global.output.record(&summary(&tenant.name, &looked))?;
        if looked.state.is_final() {
            return Ok(());
        }
        Err(show::waiting(&self.named.database, &looked))
    }
}

impl Run {
    async fn run(self, global: &Global) -> Result<(), Failure> {
        let journal = self.database.open_existing(global).await?;
        let merchant = self.merchant(global, &journal).await?;
        if global.dry_run.is_on() {
            return DryRun::print(global.output, Record::default().with("tenant", merchant));
        }
        let clients = self.clients(global, &journal, &merchant).await?;
        let turns = if self.until_idle {
            Some(journal.settle(&clients).await?)
        } else {
            note(&format!("working for the tenant {merchant}: SIGINT or SIGTERM stops it"));
            journal.run(&clients, global.interrupt.stop()).await?;
            None
        };
        let mut open = Vec::new();
        for tenant in journal.tenants().await?.into_iter().filter(|tenant| is_of(&tenant.name, &merchant)) {
            let mut filter = Filter::default();
            (filter.tenant, filter.limit) = (Some(tenant.uid), u32::MAX);
            filter.states = doctor::NOT_SETTLED.to_vec();
            open.extend(journal.intents(&filter).await?);
        }
        let next = open.iter().filter_map(|intent| intent.next).min();
        let summary = Record::default()
            .with("tenant", merchant)
            .with("turns", turns)
            .with("open", open.len() as u64)
            .with("next", next.map(|next| next.to_string()));
        global.output.record(&summary)
    }

    /// The merchant's name: without an option, the tenant that has this merchant already.
    async fn merchant(&self, global: &Global, journal: &Journal) -> Result<String, Failure> {
        if self.tenancy.given(global).is_some() {
            return Ok(self.tenancy.name(global, &Environment::Sandbox));
        }
        let name = self.tenancy.name(global, &global.environment()?);
        let tenants = journal.tenants().await?;
        if tenants.is_empty() || tenants.iter().any(|tenant| is_of(&tenant.name, &name)) {
            return Ok(name);
        }
        self.tenancy.of(global, journal, &global.worker_client().await?).await
    }

    /// The clients of the merchant. One without a tenant at ClientPay is at Clearent.
    async fn clients(
        &self,
        global: &Global,
        journal: &Journal,
        merchant: &str,
    ) -> Result<Vec<Bound>, Failure> {
        let tenants = journal.tenants().await?;
        let has = |name: &str| tenants.iter().any(|tenant| tenant.name == name);
        let at_clientpay = has(&row_of_clientpay(merchant));
        let mut clients = Vec::new();
        if has(merchant) || !at_clientpay {
            let client = global.worker_client().await?;
            clients.push(Bound::Clearent(journal.clearent(merchant, &client).await?));
        }
        if at_clientpay {
            let client =
                global.refuse_clearent().and_then(|()| self.account.client(global, global.worker()?));
            match client {
                Ok(client) => clients.push(Bound::ClientPay(journal.clientpay(merchant, &client).await?)),
                Err(failure) if clients.is_empty() => return Err(failure),
                Err(failure) => {
                    note(&format!("nothing is done for ClientPay: {}", failure.message()));
                }
            }
        }
        Ok(clients)
    }
}

impl Events {
    async fn run(self, global: &Global) -> Result<(), Failure> {
        let journal = self.database.open_existing(global).await?;
        let events = journal.events(self.after, self.limit).await?;
        let rows = events.into_iter().map(|event| {
            Record::default()
                .with("position", u64::try_from(event.position).unwrap_or(0))
                .with("at", event.at.to_string())
                .with("tenant", event.tenant)
                .with("event", event.kind)
                .with("intent", event.about)
                .with("about", Record::of_json(serde_json::from_str(&event.body).unwrap_or_default()))
        });
        global.output.rows(EVENTS, rows.collect())
    }
}

/// Columns of a list of events, the most important first.
const EVENTS: &[&str] = &[
    "position",
    "event",
    "intent",
    "tenant",
    "at",
    "about.operation",
    "about.operation-key",
    "about.reason",
];
