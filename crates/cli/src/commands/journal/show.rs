//! `perennial journal show`: an intent on one screen.

use std::fmt::Write as _;

use clap::Args;
use perennial::transport::{Redactor, redact};
use perennial_journal::machine::{Attempt, Intent, Judged, State, Write};
use perennial_journal::store::{Decision, Tenant};
use serde_json::Value as Json;

use super::{Named, summary};
use crate::commands::once::Database;
use crate::context::Global;
use crate::failure::{Failure, Waiting};
use crate::lookup::Line;
use crate::output::{Output, Record};

#[derive(Debug, Args)]
pub(crate) struct Show {
    #[command(flatten)]
    named: Named,
}

impl Show {
    pub(super) async fn run(self, global: &Global) -> Result<(), Failure> {
        let (journal, tenant, intent) = self.named.find(global).await?;
        let decisions = journal.decisions(&intent.uid).await?;
        let commands = commands(global, &self.named.database, &tenant, &intent);
        let explained = Explained { tenant, intent, decisions, commands };
        match global.output {
            Output::Table => Output::text(&explained.screen()),
            output => output.record(&explained.record()),
        }
    }
}

/// The failure for an intent that is not settled.
pub(super) fn waiting(database: &Database, intent: &Intent) -> Failure {
    Failure::Waiting(Box::new(Waiting {
        key: intent.key.clone(),
        intent: intent.uid.clone(),
        state: intent.state,
        reason: intent.history.reason.clone().unwrap_or_default(),
        look_up: database.on("perennial journal show").word(&intent.uid),
    }))
}

/// An intent and all that explains it.
struct Explained {
    tenant: Tenant,
    intent: Intent,
    decisions: Vec<Decision>,
    commands: Vec<(&'static str, String)>,
}

/// The request with secrets masked.
fn masked(intent: &Intent) -> String {
    let body = Redactor::new().body(intent.request.as_bytes());
    redact::text(&body).into_owned()
}

fn judged(attempt: &Attempt) -> &'static str {
    match attempt.judged {
        None => "under way",
        Some(Judged::Done) => "done",
        Some(Judged::Declined) => "declined",
        Some(Judged::Refused) => "refused",
        Some(Judged::Absent) => "not at the gateway",
        Some(_) => "unknown",
    }
}

impl Explained {
    fn record(&self) -> Record {
        let Self { tenant, intent, decisions, commands } = self;
        let request: Json = serde_json::from_str(&masked(intent)).unwrap_or_default();
        let attempts = intent.history.attempts.iter().map(|attempt| {
            Record::default()
                .with("stored", attempt.committed.to_string())
                .with("send-by", attempt.send_by.to_string())
                .with("result", judged(attempt))
                .with("exchange-id", attempt.exchange_id.as_deref())
        });
        let attempts = attempts.collect::<Vec<_>>();
        let decisions = decisions.iter().map(|decision| {
            Record::default()
                .with("at", decision.at.to_string())
                .with("actor", decision.actor.as_str())
                .with("what", decision.what.as_str())
                .with("reason", decision.reason.as_str())
        });
        let commands = commands
            .iter()
            .map(|(what, command)| Record::default().with("what", *what).with("command", command.as_str()));
        let outcome = intent.outcome.as_ref();
        summary(&tenant.name, intent)
            .with("host", tenant.host.as_str())
            .with("hold", tenant.hold.as_deref())
            .with("object", Some(intent.object.as_str()).filter(|object| !object.starts_with("new/")))
            .with("request", Record::of_json(request))
            .with("mark", intent.mark.as_str())
            .with("send-before", intent.send_before.to_string())
            .with("attempts", attempts)
            .with("not-sent", u64::from(intent.history.not_done))
            .with("looks", u64::from(intent.history.looks))
            .with("last-look", intent.history.last_look.map(|at| at.to_string()))
            .with("how", outcome.map(|outcome| how(outcome.how)))
            .with("spares", Some(intent.history.spares.clone()).filter(|spares| !spares.is_empty()))
            .with("decisions", decisions.collect::<Vec<_>>())
            .with("commands", commands.collect::<Vec<_>>())
    }

    fn screen(&self) -> String {
        let Self { tenant, intent, decisions, commands } = self;
        let history = &intent.history;
        let mut screen = String::new();
        let mut line = |name: &str, text: &str| {
            let _ = writeln!(screen, "{name:<14}{}", redact::text(text));
        };
        line("intent", &intent.uid);
        line("operation key", &intent.key);
        line("tenant", &format!("{} at {}", tenant.name, tenant.host));
        if let Some(hold) = &tenant.hold {
            line("hold", hold);
        }
        line("operation", intent.write.name());
        if !intent.object.starts_with("new/") {
            line("object", &intent.object);
        }
        line("request", &masked(intent));
        line("mark", &intent.mark);
        line("stored", &intent.created.to_string());
        line("state", intent.state.name());
        if let Some(reason) = &history.reason {
            line("because", reason);
        }
        if let Some(outcome) = &intent.outcome {
            let id = outcome.id.as_deref().unwrap_or("it has no id");
            line("outcome", &format!("{id} ({})", how(outcome.how)));
        }
        for (attempt, number) in history.attempts.iter().zip(1..) {
            let exchange = attempt.exchange_id.as_deref().map(|id| format!(", exchange {id}"));
            let text = format!(
                "{}; first byte by {}; {}{}",
                attempt.committed,
                attempt.send_by,
                judged(attempt),
                exchange.unwrap_or_default()
            );
            line(&format!("attempt {number}"), &text);
        }
        if history.not_done > 0 {
            line("not sent", &format!("{} more attempts had no effect", history.not_done));
        }
        match history.last_look {
            Some(last) => line("looks", &format!("{}, the last at {last}", history.looks)),
            None => line("looks", "none"),
        }
        if !history.spares.is_empty() {
            line("spares", &history.spares.join(" "));
        }
        for Decision { at, actor, reason, what, .. } in decisions {
            line("decision", &format!("{at} {actor}: {what} ({reason})"));
        }
        if let Some(next) = intent.next {
            line("next step", &next.to_string());
        }
        for (what, command) in commands {
            line(what, command);
        }
        screen
    }
}

fn how(how: perennial_journal::machine::How) -> &'static str {
    use perennial_journal::machine::How;
    match how {
        How::Sent => "sent",
        How::Adopted => "adopted",
        How::Decided => "decided",
        _ => "known",
    }
}

/// The commands that move an intent on, each with a word for it.
fn commands(
    global: &Global,
    database: &Database,
    tenant: &Tenant,
    intent: &Intent,
) -> Vec<(&'static str, String)> {
    let on = |line: &'static str| database.on(line).word(&intent.uid).again(&global.again);
    let look = || {
        let line = at(global, tenant, database.on("perennial journal look")).word(&intent.uid);
        ("move it on", line.again(&global.again))
    };
    let withdraw = || ("take it back", format!("{} --reason TEXT", on("perennial journal withdraw")));
    match intent.state {
        State::Planned if tenant.hold.is_some() => {
            let off = of_tenant(global, tenant, database.on("perennial hold off")).again(&global.again);
            vec![("move it on", format!("{off} --reason TEXT")), withdraw()]
        }
        State::Planned => vec![look(), withdraw()],
        State::Sending | State::Unknown => vec![look()],
        State::NeedsCard => {
            vec![("move it on", "the command that made it, again, with the card".to_owned()), withdraw()]
        }
        State::NeedsPerson => {
            let resolve = on("perennial journal resolve");
            let check = check(intent).map(|line| of_tenant(global, tenant, line));
            let check = check.map(|line| ("check", line.again(&global.again)));
            let decisions = [
                ("if done", format!("{resolve} --as done --id OBJECT --reason TEXT")),
                ("if not", format!("{resolve} --as not-done --reason TEXT")),
            ];
            check.into_iter().chain(decisions).collect()
        }
        _ => Vec::new(),
    }
}

/// Adds the merchant of the tenant to a command, if the options of this run do not name one.
pub(super) fn of_tenant(global: &Global, tenant: &Tenant, line: Line) -> Line {
    if global.names_gateway() {
        return line;
    }
    if tenant.name.starts_with("default@") {
        line.with("base-url", Some(&tenant.host))
    } else {
        line.with("profile", Some(&tenant.name))
    }
}

/// Adds the merchant and the clock of the tenant to a command that takes a step. A gateway without TLS is a sandbox.
pub(super) fn at(global: &Global, tenant: &Tenant, line: Line) -> Line {
    let clock = tenant.host.starts_with("http://").then_some("sandbox");
    of_tenant(global, tenant, line).with("clock", clock)
}

/// The command that shows what the gateway has.
fn check(intent: &Intent) -> Option<Line> {
    let (_, id) = intent.object.split_once('/')?;
    let id = id.split_once('/').map_or(id, |(id, _)| id);
    let request: Json = serde_json::from_str(&intent.request).unwrap_or_default();
    let text = |name: &str| request[name].as_str().map(str::to_owned);
    Some(match intent.write {
        Write::CreateCustomer => Line::new("perennial customers get").word(&text("customer-key")?),
        Write::UpdateCustomer | Write::DeleteCustomer => Line::new("perennial customers get").word(id),
        Write::AttachToken | Write::UpdateCustomerToken => {
            Line::new("perennial customers tokens list").word(id)
        }
        Write::CreateToken => Line::new("perennial tokens search"),
        Write::UpdateToken | Write::DeleteToken => Line::new("perennial tokens get").word(id),
        Write::CreatePlan => Line::new("perennial plans search").with("customer-key", text("customer-key")),
        Write::UpdatePlan | Write::DeletePlan => Line::new("perennial plans get").word(id),
        Write::Sale | Write::Auth | Write::Refund => {
            Line::new("perennial transactions search").with("order-id", Some(&intent.mark))
        }
        Write::Capture => {
            Line::new("perennial transactions search").with("type", Some("CAPTURE")).with("ref-id", Some(id))
        }
        Write::Void | Write::UpdateTransaction => Line::new("perennial transactions get").word(id),
        Write::SettleBatch => Line::new("perennial batches list"),
        _ => return None,
    })
}
