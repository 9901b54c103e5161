//! A store in memory, which keeps the rules that the statements keep in a database.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;

use super::{Bug, lock, note, pause};
use crate::Moment;
use crate::machine::{Intent, Rules, State};
use crate::store::{
    Change, Committed, Decision, Event, Filter, Health, InboxRow, Intended, NewDecision, NewEvent,
    SharedAccess, Store, StoreError, Tenant,
};

#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    intents: BTreeMap<String, Intent>,
    guards: BTreeMap<String, i64>,
    hold: Option<String>,
    quiet_until: Option<Moment>,
    now: Option<Moment>,
}

#[derive(Debug)]
pub(super) struct MemoryStore {
    rows: Mutex<Rows>,
    broken: Mutex<Option<String>>,
    roads: Mutex<BTreeMap<&'static str, u64>>,
    bug: Option<Bug>,
}

impl MemoryStore {
    pub(super) fn new(bug: Option<Bug>) -> Self {
        Self { rows: Mutex::default(), broken: Mutex::default(), roads: Mutex::default(), bug }
    }

    pub(super) fn intents(&self) -> Vec<Intent> {
        lock(&self.rows).intents.values().cloned().collect()
    }

    pub(super) fn backup(&self) -> Rows {
        lock(&self.rows).clone()
    }

    pub(super) fn restore(&self, rows: &Rows, now: Moment, rules: &Rules) {
        let mut rows = rows.clone();
        // As an adoption does: the gateway may have forgotten what was sent since the backup.
        if rows.now.is_some_and(|then| rules.is_too_old(then, now)) {
            rows.hold = Some("an old backup".to_owned());
        }
        rows.now = Some(now);
        *lock(&self.rows) = rows;
    }

    pub(super) fn is_on_hold(&self) -> bool {
        lock(&self.rows).hold.is_some()
    }

    pub(super) fn quiet_until(&self) -> Option<Moment> {
        lock(&self.rows).quiet_until
    }

    pub(super) fn broken(&self) -> Option<String> {
        lock(&self.broken).clone()
    }

    pub(super) fn roads(&self) -> BTreeMap<&'static str, u64> {
        lock(&self.roads).clone()
    }

    fn road(&self, name: &'static str) {
        *lock(&self.roads).entry(name).or_default() += 1;
    }
}

fn is_open(intent: &Intent) -> bool {
    !intent.is_stop && intent.state.is_open()
}

#[async_trait]
impl Store for MemoryStore {
    async fn now(&self, clock: Moment) -> Result<Moment, StoreError> {
        pause().await;
        let mut rows = lock(&self.rows);
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
        let chosen = match uid {
            Some(uid) => rows.intents.get(uid).filter(|intent| {
                let works = matches!(intent.state, State::Planned | State::Sending | State::Unknown);
                is_free(intent) && (intent.next.is_some() || works)
            }),
            None => rows
                .intents
                .values()
                .filter(|intent| is_free(intent))
                .filter(|intent| {
                    intent.next.is_some_and(|next| next <= now) || intent.state == State::Sending
                })
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
        if stored.fence != intent.fence && self.bug != Some(Bug::NoFence) {
            self.road("a fence is refused");
            return Ok(Committed::Fenced);
        }
        if intent.state == State::Sending {
            if *now >= intent.send_before {
                return Ok(Committed::Unwanted);
            }
            if let Some(precondition) = &intent.precondition {
                let version = rows.guards.get(&precondition.guard).copied().unwrap_or(0);
                if version != precondition.version {
                    if self.bug != Some(Bug::NoPrecondition) {
                        self.road("a precondition does not hold");
                        return Ok(Committed::Unwanted);
                    }
                    *lock(&self.broken) = Some("a guard was raised, and the write was sent".to_owned());
                }
            }
            if !intent.is_stop {
                if rows.hold.is_some() || rows.quiet_until.is_some_and(|quiet| quiet > *now) {
                    self.road("a tenant is on hold");
                    return Ok(Committed::Held);
                }
                let rival = rows
                    .intents
                    .values()
                    .find(|other| other.uid != intent.uid && other.object == intent.object && is_open(other));
                if rival.is_some() {
                    if self.bug != Some(Bug::NoLane) {
                        self.road("an object is busy");
                        return Ok(Committed::Busy);
                    }
                    *lock(&self.broken) = Some("two writes to an object are open".to_owned());
                }
            }
        }
        note(|| {
            let Intent { key, write, state, fence, history, .. } = intent;
            format!(
                "{now} {key} {write} becomes {state} (fence {fence}): {:?} {:?}",
                history.reason, history.attempts
            )
        });
        let mut intent = intent.clone();
        if self.bug == Some(Bug::LosesSending) && intent.state == State::Sending {
            let (attempts, lease) = (stored.history.attempts.clone(), stored.lease_until);
            intent.state = State::Planned;
            intent.next = Some(*now);
            intent.lease_until = lease;
            intent.history.attempts = attempts;
        }
        rows.intents.insert(intent.uid.clone(), intent);
        for follow in follow {
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

    async fn list(&self, _filter: &Filter) -> Result<Vec<Intent>, StoreError> {
        Ok(self.intents())
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
        Ok(None)
    }

    fn place(&self) -> String {
        "memory".to_owned()
    }

    fn close(&self) {}
}
