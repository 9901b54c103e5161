//! Events for `tracing` and, behind the feature `metrics`, numbers for the `metrics` facade.
//!
//! The fields are a closed set: the uid of an intent, which is random, and words and numbers of the journal. No field and
//! no label has data of a request, an operation key, a reason, or the name of a tenant.

use crate::machine::{Intent, State};
use crate::store::{Change, Committed};

/// Adds one to a counter, if the feature is on.
macro_rules! count {
    ($name:literal $(, $label:literal => $value:expr)*) => {
        #[cfg(feature = "metrics")]
        metrics::counter!($name $(, $label => $value)*).increment(1);
    };
}

/// An intent is stored.
pub(crate) fn stored(intent: &Intent) {
    let (uid, operation) = (&*intent.uid, intent.write.name());
    tracing::debug!(intent = uid, operation, "intent stored");
    count!("perennial_journal_intents_total", "operation" => operation);
}

/// An attempt is stored, and is sent now.
pub(crate) fn sending(intent: &Intent) {
    let (uid, operation) = (&*intent.uid, intent.write.name());
    tracing::debug!(intent = uid, operation, attempt = intent.history.attempts.len(), "attempt sent");
    count!("perennial_journal_attempts_total", "operation" => operation);
}

/// A look asks the gateway for the result of an intent.
pub(crate) fn looking(intent: &Intent) {
    let (uid, operation) = (&*intent.uid, intent.write.name());
    tracing::debug!(intent = uid, operation, looks = intent.history.looks, "look");
    count!("perennial_journal_looks_total", "operation" => operation);
}

/// A change to an intent was to be stored.
pub(crate) fn changed(before: State, change: &Change, committed: Committed) {
    let intent = &change.intent;
    let (uid, operation, state) = (&*intent.uid, intent.write.name(), intent.state.name());
    if committed == Committed::Fenced {
        tracing::debug!(intent = uid, operation, "fence refused");
        count!("perennial_journal_fences_refused_total", "operation" => operation);
    }
    if committed != Committed::Yes {
        return;
    }
    change.follow.iter().for_each(stored);
    if let Some(lag) = change.lag {
        let lag = lag.as_millis();
        tracing::debug!(
            intent = uid,
            operation,
            lag_ms = u64::try_from(lag).unwrap_or(u64::MAX),
            "lag measured"
        );
    }
    if change.hold.is_some() {
        tracing::warn!(intent = uid, operation, "hold");
    }
    if intent.state == before {
        return;
    }
    if intent.state.is_final() {
        tracing::info!(intent = uid, operation, state, "settled");
        count!("perennial_journal_outcomes_total", "operation" => operation, "state" => state);
    } else if matches!(intent.state, State::NeedsCard | State::NeedsPerson) {
        tracing::warn!(intent = uid, operation, state, "waits for a person");
        count!("perennial_journal_outcomes_total", "operation" => operation, "state" => state);
    }
}

/// A person holds or releases a tenant.
pub(crate) fn held(is_held: bool) {
    tracing::info!(is_held, "hold changed");
}

/// A restored, copied or moved database is adopted.
pub(crate) fn restored(intents: u64) {
    tracing::warn!(intents, "restored");
}

/// A request of the inbox is refused. Its operation may be any text, so it is not shown.
pub(crate) fn refused_in_the_inbox() {
    tracing::warn!("request refused");
}

/// Gauges of the open work, which the worker reports.
#[cfg(feature = "metrics")]
#[derive(Default)]
pub(crate) struct Reports {
    last: Option<tokio::time::Instant>,
}

#[cfg(feature = "metrics")]
impl Reports {
    /// The time between two reports.
    const EVERY: std::time::Duration = std::time::Duration::from_secs(15);

    /// Reports, unless that was done a short time ago.
    pub(crate) async fn report(
        &mut self,
        store: &dyn crate::store::Store,
        clock: &dyn crate::Clock,
    ) -> Result<(), crate::Error> {
        if self.last.is_some_and(|last| last.elapsed() < Self::EVERY) {
            return Ok(());
        }
        self.last = Some(tokio::time::Instant::now());
        let (work, now) = (store.open_work().await?, store.now(clock.now()).await?);
        for state in State::ALL.into_iter().filter(|state| !state.is_final()) {
            let count = work.states.get(&state).copied().unwrap_or(0);
            // A count is far below the numbers that a float does not have.
            #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
            metrics::gauge!("perennial_journal_open_intents", "state" => state.name()).set(count as f64);
        }
        let age = work.oldest.map_or(std::time::Duration::ZERO, |oldest| now.since(oldest));
        metrics::gauge!("perennial_journal_oldest_open_seconds").set(age.as_secs_f64());
        metrics::gauge!("perennial_journal_worst_lag_seconds").set(work.worst_lag.as_secs_f64());
        Ok(())
    }
}
