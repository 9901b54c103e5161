//! `perennial journal show`: an intent on one screen.

use std::fmt::Write as _;

use clap::Args;
use perennial::transport::{Redactor, redact};
use perennial_journal::Moment;
use perennial_journal::machine::{Attempt, Intent, Judged, State};
use perennial_journal::store::{Decision, Tenant};
use serde_json::Value as Json;

use super::moves::{Move, Moves};
use super::{Named, summary};
use crate::commands::once::Database;
use crate::context::Global;
use crate::failure::{Failure, Waiting};
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
        let ahead = journal.waits_for(&intent).await?;
        let commands =
            Moves { global, tenancy: &self.named.tenancy, database: &self.named.database, tenant: &tenant };
        let commands = commands.of(&intent, ahead.as_ref());
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
        write: intent.write,
        state: intent.state,
        reason: intent.reason().unwrap_or_default().into_owned(),
        look_up: database.on("perennial journal show").word(&intent.uid),
    }))
}

/// An intent and all that explains it.
struct Explained {
    tenant: Tenant,
    intent: Intent,
    decisions: Vec<Decision>,
    commands: Vec<Move>,
}

/// The meaning of a state, for somebody who sees it for the first time.
fn meaning(state: State) -> &'static str {
    match state {
        State::Planned => "nothing of it is at the gateway yet",
        State::Sending => "a request may be on its way to the gateway",
        State::Unknown => "a request was sent, and it is not known yet whether it was done",
        State::Done => "the gateway did it, once",
        State::Declined => "the card was declined: a new try is a new decision, under a new operation key",
        State::Refused => "the gateway refused it and did nothing: a new try needs a new operation key",
        State::Withdrawn => "it was not done and is not sent any more: a new try needs a new operation key",
        State::NeedsCard => {
            "it was not done, and only the same command, with what is not stored, can send it"
        }
        State::NeedsPerson => "only a person can tell whether it was done: look at the gateway, then decide",
        _ => "",
    }
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
        let commands = commands.iter().map(|Move { what, command }| {
            Record::default().with("what", *what).with("command", command.as_str())
        });
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
        line("state", &format!("{}: {}", intent.state, meaning(intent.state)));
        if let Some(reason) = intent.reason() {
            line("because", &reason);
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
        if let Some(until) = intent.lease_until.filter(|until| *until > Moment::of_system()) {
            line("claimed", &format!("by a process, until {until}"));
        }
        if let Some(next) = intent.next {
            line("next step", &next.to_string());
        }
        for Move { what, command } in commands {
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
