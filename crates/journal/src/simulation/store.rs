//! A store in memory, which keeps the rules that the statements keep in a database, and its witness.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;

use super::planted::{Bug, without_a_rule};
use super::{lock, note, pause};
use crate::Moment;
use crate::machine::{How, Intent, Judged, Rules, State, Write};
use crate::store::{
    Change, Committed, Decision, Event, Filter, Health, InboxRow, Intended, NewDecision, NewEvent,
    SharedAccess, Statement, Store, StoreError, Tenant, Transacted,
};

#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    intents: BTreeMap<String, Intent>,
    guards: BTreeMap<String, i64>,
    hold: Option<String>,
    quiet_until: Option<Moment>,
    now: Option<Moment>,
    /// The number of attempts that were committed.
    sends: u64,
}

/// The data that is kept outside the database: the file that was used last, and its number of attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Witness {
    file: u32,
    sends: u64,
}

#[derive(Debug)]
pub(super) struct MemoryStore {
    file: u32,
    rows: Mutex<Rows>,
    witness: Mutex<Witness>,
    /// The intents whose attempts are now believed to be absent or refused.
    beliefs: Mutex<Vec<Intent>>,
    broken: Mutex<Option<String>>,
    roads: Mutex<BTreeMap<&'static str, u64>>,
    bug: Option<Bug>,
}

/// The reason for a hold that only the merchant's records can end.
const OLD_BACKUP: &str = "an old backup";

impl MemoryStore {
    pub(super) fn new(bug: Option<Bug>) -> Self {
        Self::of(1, Rows::default(), Witness { file: 1, sends: 0 }, bug)
    }

    fn of(file: u32, rows: Rows, witness: Witness, bug: Option<Bug>) -> Self {
        Self {
            file,
            rows: Mutex::new(rows),
            witness: Mutex::new(witness),
            beliefs: Mutex::default(),
            broken: Mutex::default(),
            roads: Mutex::default(),
            bug,
        }
    }

    /// A copy of the database and of its witness.
    pub(super) fn copy(&self) -> Self {
        Self::of(self.file + 1, lock(&self.rows).clone(), *lock(&self.witness), self.bug)
    }

    pub(super) fn with<T>(&self, read: impl FnOnce(&BTreeMap<String, Intent>) -> T) -> T {
        read(&lock(&self.rows).intents)
    }

    pub(super) fn backup(&self) -> Rows {
        lock(&self.rows).clone()
    }

    pub(super) fn restore(&self, rows: &Rows) {
        *lock(&self.rows) = rows.clone();
    }

    /// As [`crate::Journal::adopt`] does: the gateway may have forgotten what was sent since the backup.
    pub(super) fn adopt(&self, now: Moment, rules: &Rules) {
        let mut rows = lock(&self.rows);
        if rows.now.is_some_and(|then| rules.is_too_old(then, now)) {
            rows.hold = Some(OLD_BACKUP.to_owned());
        }
        rows.now = rows.now.max(Some(now));
        *lock(&self.witness) = Witness { file: self.file, sends: rows.sends };
    }

    pub(super) fn is_held(&self) -> bool {
        lock(&self.rows).hold.is_some()
    }

    pub(super) fn is_held_for_good(&self) -> bool {
        lock(&self.rows).hold.as_deref() == Some(OLD_BACKUP)
    }

    /// Ends a hold, if a person may end it; returns whether there was one.
    pub(super) fn release(&self) -> bool {
        let hold = &mut lock(&self.rows).hold;
        let ends = hold.as_deref().is_some_and(|hold| hold != OLD_BACKUP);
        if ends {
            *hold = None;
        }
        ends
    }

    pub(super) fn quiet_until(&self) -> Option<Moment> {
        lock(&self.rows).quiet_until
    }

    pub(super) fn broken(&self) -> Option<String> {
        lock(&self.broken).take()
    }

    pub(super) fn take_beliefs(&self) -> Vec<Intent> {
        std::mem::take(&mut lock(&self.beliefs))
    }

    pub(super) fn take_roads(&self) -> BTreeMap<&'static str, u64> {
        std::mem::take(&mut lock(&self.roads))
    }

    /// The reason why the database is not the one that was used last.
    fn suspect(&self) -> Option<&'static str> {
        let (witness, sends) = (*lock(&self.witness), lock(&self.rows).sends);
        if self.bug == Some(Bug::NoWitness) {
            return None;
        }
        if witness.file != self.file {
            return Some("a copy is refused");
        }
        let is_behind = witness.sends > sends && self.bug != Some(Bug::NoAdoption);
        is_behind.then_some("a restored database is refused")
    }

    fn road(&self, name: &'static str) {
        *lock(&self.roads).entry(name).or_default() += 1;
    }

    /// Checks a change that was accepted, apart from the rules that accepted it.
    fn audit(&self, rows: &Rows, intent: &Intent, fence: i64, now: Moment) {
        let break_promise = |why: &str| {
            lock(&self.broken).get_or_insert_with(|| why.to_owned());
        };
        if intent.fence != fence {
            break_promise("a change under an old claim was stored");
        }
        let last = intent.history.attempts.last().and_then(|attempt| attempt.judged);
        if last == Some(Judged::Absent) || intent.state == State::Refused {
            lock(&self.beliefs).push(intent.clone());
        }
        if intent.state != State::Sending {
            return;
        }
        let condition = intent.precondition.as_ref();
        let is_raised = condition.is_some_and(|condition| {
            rows.guards.get(&condition.guard).copied().unwrap_or(0) != condition.version
        });
        if is_raised || now >= intent.send_before {
            break_promise("a guard was raised, and the write was sent");
        }
        if !intent.is_stop && rows.rival(intent).is_some() {
            break_promise("two writes to an object are open");
        }
        if !intent.is_stop && rows.is_held(now) {
            break_promise("a write of a tenant on hold was sent");
        }
    }

    /// Checks that a plan is activated after a look, or by a person.
    fn audit_activation(&self, rows: &Rows, change: &Change, follow: &Intent) {
        let made = rows.intents.get(&change.intent.uid).unwrap_or(&change.intent);
        let sent = made.history.attempts.last().map(|last| last.committed);
        let is_looked_for = made.history.last_look.is_some_and(|look| sent.is_none_or(|sent| look >= sent));
        let is_decided = made.outcome.as_ref().is_some_and(|outcome| outcome.how == How::Decided);
        if follow.key == change.intent.activation_key() && !is_looked_for && !is_decided {
            lock(&self.broken).get_or_insert_with(|| "a plan is activated before a look".to_owned());
        }
    }
}

impl Rows {
    fn is_held(&self, now: Moment) -> bool {
        self.hold.is_some() || self.quiet_until.is_some_and(|quiet| quiet > now)
    }

    /// Another intent of the object that is open, or that is planned and was stored earlier.
    fn rival(&self, intent: &Intent) -> Option<&Intent> {
        let stored = self.intents.get(&intent.uid);
        let is_first = stored.is_none_or(|stored| stored.history.attempts.is_empty());
        let is_earlier = |other: &Intent| (other.created, &other.uid) < (intent.created, &intent.uid);
        let is_open = |other: &Intent| {
            let may_be_done = !other.history.attempts.is_empty();
            let waits = match other.state {
                State::Planned => may_be_done || is_first && is_earlier(other),
                State::NeedsCard => may_be_done,
                state => state.is_open(),
            };
            (!other.is_stop || other.write == Write::Void) && waits
        };
        self.intents
            .values()
            .find(|other| other.uid != intent.uid && other.object == intent.object && is_open(other))
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn now(&self, clock: Moment) -> Result<Moment, StoreError> {
        pause().await;
        // A restored database keeps the time of its backup until it is adopted.
        if self.suspect().is_some() {
            return Ok(clock);
        }
        let mut rows = lock(&self.rows);
        if rows.now.is_some_and(|now| now > clock) {
            self.road("the stored time is later than the clock");
        }
        let now = rows.now.map_or(clock, |now| now.max(clock));
        rows.now = Some(now);
        Ok(now)
    }

    async fn intend(&self, intent: &Intent) -> Result<Intended, StoreError> {
        pause().await;
        let mut rows = lock(&self.rows);
        if let Some(existing) = rows.intents.values().find(|existing| existing.key == intent.key) {
            return Ok(Intended::Existing(Box::new(existing.clone())));
        }
        rows.intents.insert(intent.uid.clone(), intent.clone());
        Ok(Intended::New)
    }

    async fn intent(&self, uid: &str) -> Result<Option<Intent>, StoreError> {
        pause().await;
        Ok(lock(&self.rows).intents.get(uid).cloned())
    }

    async fn intent_of_key(&self, _tenant: &str, key: &str) -> Result<Option<Intent>, StoreError> {
        pause().await;
        Ok(lock(&self.rows).intents.values().find(|intent| intent.key == key).cloned())
    }

    async fn claim(
        &self,
        _tenant: &str,
        uid: Option<&str>,
        now: Moment,
        system: Moment,
        lease_until: Moment,
    ) -> Result<Option<Intent>, StoreError> {
        pause().await;
        let mut rows = lock(&self.rows);
        let is_free = |intent: &Intent| intent.lease_until.is_none_or(|end| end < system);
        let is_held = rows.is_held(now);
        let chosen = match uid {
            Some(uid) => rows.intents.get(uid).filter(|intent| {
                let works = matches!(
                    intent.state,
                    State::Planned | State::Sending | State::Unknown | State::NeedsPerson
                );
                is_free(intent) && (intent.next.is_some() || works)
            }),
            None => rows
                .intents
                .values()
                .filter(|intent| is_free(intent))
                .filter(|intent| {
                    intent.next.is_some_and(|next| next <= now) || intent.state == State::Sending
                })
                .filter(|intent| intent.state != State::Planned || intent.is_stop || !is_held)
                .min_by_key(|intent| (!intent.is_stop, intent.next, intent.created)),
        };
        let Some(uid) = chosen.map(|intent| intent.uid.clone()) else { return Ok(None) };
        let Some(intent) = rows.intents.get_mut(&uid) else { return Ok(None) };
        if intent.lease_until.is_some() {
            self.road("a claim is taken over");
        }
        intent.fence += 1;
        intent.lease_until = Some(lease_until);
        Ok(Some(intent.clone()))
    }

    async fn commit(&self, change: &Change) -> Result<Committed, StoreError> {
        pause().await;
        let Change { intent, follow, hold, now, .. } = change;
        let mut rows = lock(&self.rows);
        let Some(stored) = rows.intents.get(&intent.uid) else { return Ok(Committed::Fenced) };
        let fence = stored.fence;
        if fence != intent.fence && self.bug != Some(Bug::NoFence) {
            self.road("a fence is refused");
            return Ok(Committed::Fenced);
        }
        if intent.state == State::Sending {
            if *now >= intent.send_before {
                return Ok(Committed::Unwanted);
            }
            if let Some(precondition) = &intent.precondition {
                let version = rows.guards.get(&precondition.guard).copied().unwrap_or(0);
                if version != precondition.version && self.bug != Some(Bug::NoPrecondition) {
                    self.road("a precondition does not hold");
                    return Ok(Committed::Unwanted);
                }
            }
            if !intent.is_stop && rows.is_held(*now) {
                self.road("a tenant is on hold");
                return Ok(Committed::Held);
            }
            if !intent.is_stop && rows.rival(intent).is_some() && self.bug != Some(Bug::NoLane) {
                self.road("an object is busy");
                return Ok(Committed::Busy);
            }
        }
        note(|| {
            let Intent { key, write, state, fence, history, .. } = intent;
            let (reason, attempts) = (&history.reason, &history.attempts);
            format!("{now} {key} {write} becomes {state} (fence {fence}): {reason:?} {attempts:?}")
        });
        self.audit(&rows, intent, fence, *now);
        let mut intent = intent.clone();
        let activation = rows
            .intents
            .get(&intent.uid)
            .and_then(|stored| without_a_rule(self.bug, &mut intent, stored, *now));
        if intent.state == State::Sending {
            rows.sends += 1;
            let mut witness = lock(&self.witness);
            witness.sends = witness.sends.max(rows.sends);
        }
        if intent.state == State::Refused && self.bug.is_some() {
            lock(&self.beliefs).push(intent.clone());
        }
        rows.intents.insert(intent.uid.clone(), intent);
        for follow in follow.iter().chain(&activation) {
            self.audit_activation(&rows, change, follow);
            if rows.intents.values().all(|existing| existing.key != follow.key) {
                rows.intents.insert(follow.uid.clone(), follow.clone());
            }
        }
        if let Some(hold) = hold {
            rows.hold.get_or_insert_with(|| hold.clone());
        }
        Ok(Committed::Yes)
    }

    async fn guard(&self, _tenant: &str, name: &str) -> Result<i64, StoreError> {
        pause().await;
        Ok(lock(&self.rows).guards.get(name).copied().unwrap_or(0))
    }

    async fn raise_guard(&self, _tenant: &str, name: &str) -> Result<i64, StoreError> {
        let mut rows = lock(&self.rows);
        let version = rows.guards.entry(name.to_owned()).or_default();
        *version += 1;
        Ok(*version)
    }

    async fn mark_restored(
        &self,
        quiet_until: Moment,
        _decision: NewDecision,
        _now: Moment,
    ) -> Result<u64, StoreError> {
        let mut rows = lock(&self.rows);
        rows.quiet_until = Some(quiet_until);
        for intent in rows.intents.values_mut() {
            if matches!(intent.state, State::Planned | State::Sending | State::Unknown | State::NeedsCard) {
                intent.history.restored = Some(quiet_until);
                intent.history.looked_first = false;
                intent.fence += 1;
                intent.lease_until = None;
            }
        }
        Ok(0)
    }

    async fn tenant(&self, _name: &str) -> Result<Option<Tenant>, StoreError> {
        Ok(None)
    }

    async fn tenants(&self) -> Result<Vec<Tenant>, StoreError> {
        Ok(Vec::new())
    }

    async fn add_tenant(&self, _tenant: &Tenant) -> Result<(), StoreError> {
        Ok(())
    }

    async fn change_tenant(
        &self,
        _tenant: &Tenant,
        _decision: Option<NewDecision>,
        _now: Moment,
    ) -> Result<(), StoreError> {
        Ok(())
    }

    async fn waits_for(&self, intent: &Intent) -> Result<Option<Intent>, StoreError> {
        Ok(lock(&self.rows).rival(intent).cloned())
    }

    async fn list(&self, _filter: &Filter) -> Result<Vec<Intent>, StoreError> {
        Ok(self.with(|intents| intents.values().cloned().collect()))
    }

    async fn events(&self, _after: i64, _limit: u32) -> Result<Vec<Event>, StoreError> {
        Ok(Vec::new())
    }

    async fn worst_lag(&self, _tenant: &str) -> Result<std::time::Duration, StoreError> {
        Ok(std::time::Duration::ZERO)
    }

    async fn open_work(&self) -> Result<crate::store::OpenWork, StoreError> {
        unreachable!("the simulation counts for itself")
    }

    async fn decisions(&self, _about: &str) -> Result<Vec<Decision>, StoreError> {
        Ok(Vec::new())
    }

    async fn inbox(&self, _limit: u32) -> Result<Vec<InboxRow>, StoreError> {
        Ok(Vec::new())
    }

    async fn take(
        &self,
        _row: &InboxRow,
        _intent: Option<&Intent>,
        _event: Option<(&str, &NewEvent)>,
        _now: Moment,
    ) -> Result<bool, StoreError> {
        Ok(false)
    }

    async fn access(&self, _tenant: &str) -> Result<SharedAccess, StoreError> {
        Ok(SharedAccess { id: None, generation: 0 })
    }

    async fn claim_access(
        &self,
        _tenant: &str,
        _generation: i64,
        _now: Moment,
        _lease_until: Moment,
    ) -> Result<bool, StoreError> {
        Ok(false)
    }

    async fn replace_access(&self, _tenant: &str, _generation: i64, _id: &str) -> Result<bool, StoreError> {
        Ok(false)
    }

    async fn setting(&self, _name: &str) -> Result<Option<String>, StoreError> {
        Ok(None)
    }

    async fn set(&self, _name: &str, _value: &str) -> Result<(), StoreError> {
        Ok(())
    }

    async fn check(&self) -> Result<Health, StoreError> {
        Ok(Health { place: self.place(), schema: 1, problems: Vec::new() })
    }

    async fn suspicion(&self) -> Result<Option<String>, StoreError> {
        let suspected = self.suspect();
        if let Some(why) = suspected {
            self.road(why);
        }
        Ok(suspected.map(str::to_owned))
    }

    fn place(&self) -> String {
        "memory".to_owned()
    }

    async fn transact(&self, _: Vec<Statement>) -> Result<Transacted, StoreError> {
        unreachable!("the simulation has no SQL")
    }

    fn close(&self) {}
}
