//! The driver and the machine in a seeded world: no runtime, no sockets, no wall time.
//!
//! Callers and workers are futures that a seeded scheduler polls in any order. Each access to the store and to the
//! gateway is a point at which another task can run, a process can die or pause, and time can pass. The gateway loses
//! requests and answers, acts late, refuses, limits, declines, and shows objects late in its searches. The clock of the
//! journal jumps forward and back, and the database is put back to an earlier state or copied. A person decides what
//! needs one.
//!
//! `PERENNIAL_SEEDS=N` runs N seeds, and `PERENNIAL_SEED=S` replays one with its trace.

mod decisions;
mod differential;
mod gateway;
mod objects;
mod planted;
mod run;
mod store;
mod tests;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use zeroize::Zeroizing;

use self::decisions::Decided;
use self::gateway::Gateway;
use self::store::MemoryStore;
use crate::clock::Clock;
use crate::driver::{Driver, mark_of, new_uid};
use crate::gateway::request::Full;
use crate::machine::{Decision, History, Intent, Judged, Precondition, Rules, State};
use crate::store::{Intended, NewDecision, Store as _};
use crate::{Error, Moment};

/// The number of processes: workers, and then callers.
const SLOTS: usize = 6;
const WORKERS: usize = 3;
const TENANT: &str = "tenant";

/// The time, and how wrong the journal's clock is.
#[derive(Debug)]
struct Time {
    now: AtomicI64,
    wrong_by: AtomicI64,
}

impl Time {
    fn real(&self) -> Moment {
        Moment::from_millis(self.now.load(Ordering::Relaxed))
    }

    fn pass(&self, millis: i64) {
        self.now.fetch_add(millis, Ordering::Relaxed);
    }
}

impl Clock for Time {
    fn now(&self) -> Moment {
        Moment::from_millis(self.now.load(Ordering::Relaxed) + self.wrong_by.load(Ordering::Relaxed))
    }

    fn system(&self) -> Moment {
        self.now()
    }
}

/// The world of one seed.
struct Sim {
    time: Arc<Time>,
    gateway: Gateway,
    rules: Rules,
    roads: Mutex<BTreeMap<&'static str, u64>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

thread_local! {
    /// The lines of the trace, if somebody wants to read it.
    static TRACE: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Writes a line into the trace.
fn note(line: impl FnOnce() -> String) {
    TRACE.with_borrow_mut(|trace| {
        if let Some(trace) = trace {
            trace.push(line());
        }
    });
}

/// A point at which another task can run.
async fn pause() {
    struct Once(bool);
    impl Future for Once {
        type Output = ();

        fn poll(mut self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<()> {
            if std::mem::replace(&mut self.0, true) { Poll::Ready(()) } else { Poll::Pending }
        }
    }
    Once(false).await;
}

fn recorded() -> NewDecision {
    NewDecision { actor: String::new(), reason: String::new(), what: String::new() }
}

impl Sim {
    fn driver<'a>(&'a self, store: &'a MemoryStore) -> Driver<'a> {
        Driver { store, gateway: &self.gateway, clock: &*self.time, rules: &self.rules, tenant: TENANT }
    }

    fn road(&self, name: &'static str) {
        *lock(&self.roads).entry(name).or_default() += 1;
    }

    /// Takes a turn, as a worker does; returns whether there was one.
    async fn work(&self, store: &MemoryStore) -> Result<bool, Error> {
        if store.suspicion().await?.is_some() {
            return Ok(false);
        }
        self.driver(store).work().await
    }

    /// Makes the same call until it is settled, or gives up, as a caller does.
    async fn call(&self, store: &MemoryStore, decided: &Decided, patience: u32) -> Result<(), Error> {
        for _ in 0..patience {
            if store.suspicion().await?.is_some() {
                return Ok(());
            }
            let full = decided.needs_card.then(|| Full {
                body: Zeroizing::new(decided.request.as_bytes().to_vec()),
                one_time_token: None,
            });
            let intent = self.intent(store, decided).await?;
            let (uid, is_fresh) = match store.intend(&intent).await? {
                Intended::New => (intent.uid, intent.history.restored.is_none()),
                Intended::Existing(existing) => (existing.uid, false),
                Intended::MarkTaken { .. } => return Ok(()),
            };
            let driven = self.driver(store).drive(&uid, full.as_ref(), is_fresh).await?;
            if driven.state.is_final() {
                return Ok(());
            }
            for _ in 0..3 {
                pause().await;
            }
        }
        Ok(())
    }

    async fn intent(&self, store: &MemoryStore, decided: &Decided) -> Result<Intent, Error> {
        let now = store.now(self.time.now()).await?;
        let mark = mark_of(TENANT, &decided.key);
        let version = store.guard(TENANT, "member").await?;
        let write = decided.write;
        let is_searched = write.moves_money() || !write.is_clientpay();
        let restored = store.quiet_until().filter(|until| is_searched && !self.rules.is_too_old(*until, now));
        Ok(Intent {
            uid: new_uid(),
            tenant: TENANT.to_owned(),
            key: decided.key.clone(),
            write,
            object: decided.object.map_or_else(|| format!("new/{mark}"), str::to_owned),
            request: decided.request.to_owned(),
            fingerprint: String::new(),
            mark,
            is_stop: decided.is_stop,
            needs_card: decided.needs_card,
            activates: decided.activates,
            precondition: decided.guard.then(|| Precondition { guard: "member".to_owned(), version }),
            send_before: now + write.sent_within(decided.needs_card),
            state: State::Planned,
            fence: 0,
            lease_until: None,
            next: Some(now),
            history: History { restored, ..History::default() },
            outcome: None,
            created: now,
        })
    }

    /// A person decides about an intent, from the records of the gateway.
    async fn decide(&self, store: &MemoryStore, intent: &Intent, resends: bool) -> Result<(), Error> {
        let Some(found) = self.gateway.decision(intent) else { return Ok(()) };
        let decision = if resends && intent.can_be_resent() {
            self.road("a person sends again");
            Decision::Resend
        } else {
            found
        };
        note(|| format!("a person decides about {}: {decision:?}", intent.key));
        self.road("a person decides");
        match self.driver(store).decide(&intent.uid, decision, recorded()).await {
            // Somebody else was faster.
            Err(Error::InUse | Error::NotToDecide { .. }) | Ok(_) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The promise that is broken now.
    fn broken(&self, stores: &[Arc<MemoryStore>]) -> Option<String> {
        for store in stores {
            for intent in store.take_beliefs() {
                if intent.state == State::Refused {
                    self.gateway.believed_refused(&intent);
                }
                let last = intent.history.attempts.last().and_then(|attempt| attempt.judged);
                if last == Some(Judged::Absent) && !intent.state.is_final() {
                    self.gateway.believed_absent(&intent);
                }
            }
        }
        self.gateway.broken().or_else(|| stores.iter().find_map(|store| store.broken()))
    }

    /// The promise that is broken when nothing is on its way any more.
    fn broken_at_the_end(&self, store: &MemoryStore) -> Option<String> {
        let is_held = store.is_held_for_good();
        store.with(|intents| {
            intents.values().find_map(|intent| {
                let Intent { key, write, state, history, .. } = intent;
                if let Some(why) = self.gateway.contradicts(intent) {
                    return Some(format!("{key} {write} is {state}: it is {why}"));
                }
                let waits = matches!(state, State::Planned | State::NeedsCard) && is_held;
                (!state.is_final() && !waits)
                    .then(|| format!("{key} {write} is still {state}: {:?}", history.reason))
            })
        })
    }
}

/// The quiet period after an adoption, as the command has it.
const QUIET: Duration = Duration::from_secs(10 * 60);
