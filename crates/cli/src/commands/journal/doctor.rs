//! `perennial journal doctor`: the condition of a journal, and the things that need a person.

use std::fmt::Write as _;
use std::time::Duration;

use clap::Args;
use perennial_journal::Moment;
use perennial_journal::machine::{Intent, State};
use perennial_journal::store::{Filter, Health, Tenant};

use super::moves::Moves;
use crate::commands::once::{Database, Tenancy};
use crate::context::Global;
use crate::failure::Failure;
use crate::output::{Output, Record};

/// The states of intents that have no outcome.
pub(super) const NOT_SETTLED: [State; 5] =
    [State::Planned, State::Sending, State::Unknown, State::NeedsCard, State::NeedsPerson];

/// The age from which an open intent means that nobody works on it.
const OLD: Duration = Duration::from_secs(3_600);

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    tenancy: Tenancy,
    #[command(flatten)]
    database: Database,
}

/// Something that needs attention, and the command that helps.
struct Finding {
    tenant: Option<String>,
    what: String,
    command: String,
}

/// A tenant with its intents that are not settled.
struct Merchant {
    tenant: Tenant,
    open: Vec<Intent>,
}

impl Merchant {
    fn count(&self, states: &[State]) -> usize {
        self.open.iter().filter(|intent| states.contains(&intent.state)).count()
    }

    fn oldest(&self, states: &[State]) -> Option<&Intent> {
        let open = self.open.iter().filter(|intent| states.contains(&intent.state));
        open.min_by_key(|intent| intent.created)
    }
}

impl Doctor {
    pub(super) async fn run(self, global: &Global) -> Result<(), Failure> {
        let journal = self.database.open_existing(global).await?;
        let (health, now) = (journal.check().await?, journal.now().await?);
        let mut merchants = Vec::new();
        for tenant in super::tenants(global, &self.tenancy, &journal).await? {
            let mut filter = Filter::default();
            filter.tenant = Some(tenant.uid.clone());
            (filter.states, filter.limit) = (NOT_SETTLED.to_vec(), u32::MAX);
            let open = journal.intents(&filter).await?;
            merchants.push(Merchant { tenant, open });
        }
        let adopt = match merchants.first() {
            Some(merchant) => self.moves(global, &merchant.tenant).adopt(),
            None => self.database.on("perennial journal adopt").again(&global.again),
        };
        let mut findings: Vec<Finding> = health
            .problems
            .iter()
            .map(|problem| Finding {
                tenant: None,
                what: format!("the database is damaged: {problem}"),
                command: format!("restore a backup, then: {adopt} --reason TEXT"),
            })
            .collect();
        if let Some(why) = journal.suspicion().await? {
            findings.push(Finding {
                tenant: None,
                what: format!("nothing is sent, because it is not the database that was used last: {why}"),
                command: format!("{adopt} --reason TEXT"),
            });
        }
        for merchant in &merchants {
            findings.extend(self.findings(global, merchant, now));
        }
        match global.output {
            Output::Table => Output::text(&screen(&health, &merchants, &findings, now))?,
            output => output.record(&record(&health, &merchants, &findings, now))?,
        }
        match findings.len() {
            0 => Ok(()),
            count => Err(Failure::Attention(count)),
        }
    }

    fn moves<'a>(&'a self, global: &'a Global, tenant: &'a Tenant) -> Moves<'a> {
        Moves { global, tenancy: &self.tenancy, database: &self.database, tenant }
    }

    fn findings(&self, global: &Global, merchant: &Merchant, now: Moment) -> Vec<Finding> {
        let moves = self.moves(global, &merchant.tenant);
        let mut findings = Vec::new();
        let mut find = |what: String, command: String| {
            findings.push(Finding { tenant: Some(merchant.tenant.name.clone()), what, command });
        };
        if let Some(hold) = &merchant.tenant.hold {
            find(format!("it is on hold: {hold}"), format!("{} --reason TEXT", moves.hold_off()));
        }
        if let Some(oldest) = merchant.oldest(&[State::NeedsPerson]) {
            let count = merchant.count(&[State::NeedsPerson]);
            find(
                format!("intents that need a person: {count}, the oldest since {}", oldest.created),
                moves.show(oldest),
            );
        }
        if let Some(oldest) = merchant.oldest(&[State::NeedsCard]) {
            let count = merchant.count(&[State::NeedsCard]);
            find(
                format!("intents that wait for their card: {count}, the oldest since {}", oldest.created),
                moves.show(oldest),
            );
        }
        let open = [State::Planned, State::Sending, State::Unknown];
        if let Some(oldest) = merchant.oldest(&open).filter(|oldest| now.since(oldest.created) > OLD) {
            let count = merchant.count(&open);
            find(format!("intents that are open: {count}, the oldest since {}", oldest.created), moves.run());
        }
        findings
    }
}

fn integrity(health: &Health) -> &'static str {
    if health.problems.is_empty() { "ok" } else { "damaged" }
}

fn screen(health: &Health, merchants: &[Merchant], findings: &[Finding], now: Moment) -> String {
    let mut screen = String::new();
    let mut line = |name: &str, text: &str| {
        let _ = writeln!(screen, "{name:<14}{}", perennial::transport::redact::text(text));
    };
    line("database", &health.place);
    line("schema", &health.schema.to_string());
    line("integrity", integrity(health));
    for merchant in merchants {
        let Tenant { name, host, sentinel, .. } = &merchant.tenant;
        let bound = if sentinel.is_some() { "" } else { ", not bound to its merchant yet" };
        line("tenant", &format!("{name} at {host}{bound}"));
        let counts: Vec<String> = NOT_SETTLED
            .iter()
            .map(|state| (state, merchant.count(&[*state])))
            .filter(|(_, count)| *count > 0)
            .map(|(state, count)| format!("{count} {state}"))
            .collect();
        match merchant.oldest(&NOT_SETTLED) {
            Some(oldest) => {
                let age = now.since(oldest.created).as_secs();
                line("  open", &format!("{}; the oldest is {age} s old", counts.join(", ")));
            }
            None => line("  open", "none"),
        }
        if let Some(until) = merchant.tenant.quiet_until.filter(|until| *until > now) {
            line("  quiet", &format!("nothing is sent until {until}"));
        }
    }
    for Finding { tenant, what, command } in findings {
        line(
            "attention",
            &match tenant {
                Some(tenant) => format!("{tenant}: {what}"),
                None => what.clone(),
            },
        );
        line("  do", command);
    }
    screen
}

fn record(health: &Health, merchants: &[Merchant], findings: &[Finding], now: Moment) -> Record {
    let tenants = merchants.iter().map(|merchant| {
        let Tenant { name, host, sentinel, hold, quiet_until, .. } = &merchant.tenant;
        let oldest = merchant.oldest(&NOT_SETTLED);
        let record = Record::default()
            .with("name", name.as_str())
            .with("host", host.as_str())
            .with("bound", sentinel.is_some())
            .with("hold", hold.as_deref())
            .with("quiet-until", quiet_until.filter(|until| *until > now).map(|until| until.to_string()));
        let counted = NOT_SETTLED
            .iter()
            .fold(record, |record, state| record.with(state.name(), merchant.count(&[*state]) as u64));
        counted
            .with("oldest", oldest.map(|oldest| oldest.uid.as_str()))
            .with("oldest-seconds", oldest.map(|oldest| now.since(oldest.created).as_secs()))
    });
    let findings = findings.iter().map(|Finding { tenant, what, command }| {
        Record::default()
            .with("tenant", tenant.as_deref())
            .with("what", what.as_str())
            .with("command", command.as_str())
    });
    Record::default()
        .with("database", health.place.as_str())
        .with("schema", u64::try_from(health.schema).unwrap_or(0))
        .with("integrity", integrity(health))
        .with("problems", Some(health.problems.clone()).filter(|problems| !problems.is_empty()))
        .with("tenants", tenants.collect::<Vec<_>>())
        .with("findings", findings.collect::<Vec<_>>())
}
