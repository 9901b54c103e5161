//! A client whose writes go through the journal, and the outcomes of its writes in print.

use perennial::transport::redact;
use perennial_journal::machine::{Intent, State};
use perennial_journal::{Error, Journal, Settled, Told};

use crate::context::Global;
use crate::failure::{Failure, Waiting};
use crate::lookup::{Again, Line};
use crate::output::{IntoRecord, Output, Record, note};

/// A merchant's client whose writes go through the journal, under one operation key.
pub(in crate::commands) struct Writer<C> {
    journal: Journal,
    client: C,
    /// The tenant's name in the database.
    tenant: String,
    key: String,
    /// The command that shows an intent.
    look_up: Line,
    output: Output,
    /// The global options of this run.
    again: Again,
}

/// A settled write.
pub(in crate::commands) struct Outcome<T> {
    /// The object; `None` if the gateway does not return it, and after the decision of a person.
    pub(in crate::commands) value: Option<T>,
    /// The way in which the outcome is known; `None` if the card was declined.
    pub(in crate::commands) told: Option<Told>,
    pub(in crate::commands) intent: Intent,
}

impl<C> Writer<C> {
    pub(super) fn new(
        journal: Journal,
        client: C,
        tenant: String,
        key: String,
        look_up: Line,
        global: &Global,
    ) -> Self {
        Self { journal, client, tenant, key, look_up, output: global.output, again: global.again.clone() }
    }

    /// The writes, which take the operation key first.
    pub(in crate::commands) fn writes(&self) -> &C {
        &self.client
    }

    /// The operation key.
    pub(in crate::commands) fn key(&self) -> &str {
        &self.key
    }

    /// The writer of what follows from this write, under a key of its own.
    pub(in crate::commands) fn following(self, name: &str) -> Self {
        Self { key: format!("{}/{name}", self.key), ..self }
    }

    /// Whether the journal has an intent with this key: then the journal decides, and no precondition.
    pub(in crate::commands) async fn is_known(&self) -> Result<bool, Failure> {
        match self.journal.intent(Some(&self.tenant), &self.key).await {
            Ok(_) => Ok(true),
            Err(Error::NoIntent(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Prints the outcome of a write.
    pub(in crate::commands) async fn written<T: IntoRecord>(
        &self,
        settled: Result<Settled<T>, Error>,
    ) -> Result<(), Failure> {
        self.written_as::<T, T>(settled, T::record).await
    }

    /// Prints the outcome of a deletion, which returns nothing.
    pub(in crate::commands) async fn deleted<T: IntoRecord>(
        &self,
        settled: Result<Settled<()>, Error>,
    ) -> Result<(), Failure> {
        let Outcome { told, intent, .. } = self.outcome(settled).await?;
        self.print::<T>(gone::<T>(&intent), told, &intent)
    }

    /// Prints the outcome of a write as another object.
    pub(in crate::commands) async fn written_as<T, O: IntoRecord>(
        &self,
        settled: Result<Settled<T>, Error>,
        record: impl FnOnce(T) -> Record,
    ) -> Result<(), Failure> {
        let Outcome { value, told, intent } = self.outcome(settled).await?;
        let record = value.map_or_else(|| gone::<O>(&intent), record);
        self.print::<O>(record, told, &intent)
    }

    /// Prints the object of a write. Programs also get the operation.
    pub(in crate::commands) fn print<T: IntoRecord>(
        &self,
        record: Record,
        told: Option<Told>,
        intent: &Intent,
    ) -> Result<(), Failure> {
        let word = told.map(word);
        if self.output == Output::Table {
            match told {
                Some(Told::Replayed) => {
                    note("this was done before under this operation key: nothing was sent now");
                }
                Some(Told::Adopted) => note("this was found at the gateway: an earlier response was lost"),
                Some(Told::Decided) => note(&format!(
                    "a person decided this; who and why is shown by: {}",
                    self.look_up.clone().word(&intent.uid).again(&self.again)
                )),
                _ => {}
            }
        }
        let record = if self.output.is_json() {
            let operation = Record::default()
                .with("key", self.key.as_str())
                .with("intent", intent.uid.as_str())
                .with("how", word);
            record.with("operation", operation)
        } else {
            record
        };
        self.output.left::<T>(&record, exchange_id(intent).map(str::to_owned))
    }

    /// The outcome of a write, or the failure if it is refused or not settled.
    pub(in crate::commands) async fn outcome<T>(
        &self,
        settled: Result<Settled<T>, Error>,
    ) -> Result<Outcome<T>, Failure> {
        let settled = settled.map_err(|error| match error {
            Error::Store(error) => Failure::JournalLost(error),
            error => error.into(),
        })?;
        let intent = self.journal.intent(Some(&self.tenant), &self.key).await?;
        Ok(match settled {
            Settled::Done { value, how } => Outcome { value, told: Some(how), intent },
            Settled::Declined { value } => Outcome { value, told: None, intent },
            Settled::Refused { reason } => {
                let reason = redact::text(&reason);
                let message = format!("{reason}. Nothing was done: a new try needs another --operation-key");
                return Err(Failure::Refused(message));
            }
            Settled::Withdrawn { reason } => {
                let reason = redact::text(&reason);
                let message = format!(
                    "this was withdrawn and is not done: {reason}. A new try needs another --operation-key"
                );
                return Err(Failure::Refused(message));
            }
            Settled::NotActivated { plan, reason } => {
                let reason = redact::text(&reason);
                let line = self.look_up.of("perennial plans activate").with("operation-key", Some("KEY"));
                let message = format!(
                    "the plan {plan} is made and stays suspended: {reason}. Do not create it again. With a new key, it is \
                     activated by: {}",
                    line.word(plan.as_str()).again(&self.again)
                );
                return Err(Failure::Refused(message));
            }
            Settled::Open(waits) | Settled::NeedsCard(waits) | Settled::NeedsPerson(waits) => {
                // A plan that is made waits for its activation, which is an intent of its own.
                let intent = if waits.intent == intent.uid {
                    intent
                } else {
                    self.journal.intent(None, &waits.intent).await?
                };
                return Err(self.waiting(&intent, waits.reason).await?);
            }
            _ => return Err(Failure::Unexpected("the journal reports an outcome that is not known here")),
        })
    }

    async fn waiting(&self, intent: &Intent, reason: String) -> Result<Failure, Failure> {
        let tenant = self.journal.tenants().await?.into_iter().find(|known| known.uid == intent.tenant);
        let hold = tenant.and_then(|tenant| Some((tenant.hold?, tenant.name)));
        let reason = match (intent.state, hold) {
            (State::Planned, Some((hold, name))) => {
                let line = self.look_up.of("perennial hold off").with("tenant", Some(&name));
                let command = line.with("reason", Some("TEXT")).again(&self.again);
                format!("the tenant {name} is on hold ({hold}), which is ended by: {command}")
            }
            _ => reason,
        };
        Ok(Failure::Waiting(Box::new(Waiting {
            key: self.key.clone(),
            intent: intent.uid.clone(),
            write: intent.write,
            state: intent.state,
            reason,
            look_up: self.look_up.clone().word(&intent.uid),
        })))
    }
}

/// The id of a written object that the gateway does not return.
pub(in crate::commands) fn gone<T: IntoRecord>(intent: &Intent) -> Record {
    let id = intent.outcome.as_ref().and_then(|outcome| outcome.id.clone());
    Record::default().with(T::KEY, id)
}

/// The gateway's id of the exchange that settled an intent.
pub(in crate::commands) fn exchange_id(intent: &Intent) -> Option<&str> {
    intent.history.attempts.last()?.exchange_id.as_deref()
}

fn word(told: Told) -> &'static str {
    match told {
        Told::Sent => "sent",
        Told::Adopted => "adopted",
        Told::Replayed => "replayed",
        Told::Decided => "decided",
        _ => "known",
    }
}
