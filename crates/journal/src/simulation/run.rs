//! One seed: the time with faults, and the time after them.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use fastrand::Rng;

use super::decisions::{Decided, decision};
use super::gateway::Gateway;
use super::planted::Bug;
use super::store::{MemoryStore, Rows};
use super::{QUIET, SLOTS, Sim, TENANT, TRACE, Time, WORKERS, note, recorded};
use crate::Error;
use crate::clock::Clock as _;
use crate::machine::{Intent, Rules, State};
use crate::store::{Store as _, StoreError};

/// The number of times that each road was taken.
pub(super) type Roads = BTreeMap<&'static str, u64>;

/// The roads that are faults.
const FAULTS: &[&str] = &[
    "a clock jumps",
    "a key is refused",
    "a late effect",
    "a look fails",
    "a process dies",
    "a process pauses",
    "a request is late",
    "a request is limited",
    "a request is lost",
    "an answer is half readable",
    "an answer is lost",
    "no request id is issued",
    "searches are blind",
    "the database is copied",
    "the database is put back",
    "the gateway refuses",
];
const STEPS: u32 = 3_000;
const DECISIONS: u32 = 24;
const DAY: i64 = 86_400_000;

type Task = Pin<Box<dyn Future<Output = Result<(), Error>>>>;

/// The run of one seed.
struct Run {
    sim: Arc<Sim>,
    rng: Rng,
    bug: Option<Bug>,
    /// The database in use, and a copy of it.
    stores: Vec<Arc<MemoryStore>>,
    tasks: [Option<Task>; SLOTS],
    paused: [u32; SLOTS],
    decided: Vec<Decided>,
    waiting: Vec<usize>,
    backup: Option<Rows>,
    has_restore: bool,
    has_copy: bool,
    /// The step at which somebody adopts the database that was restored or copied.
    adopted_at: Option<u32>,
    is_restored: bool,
}

/// Runs one seed; returns the roads that it took, or what is wrong.
pub(super) fn run(seed: u64, bug: Option<Bug>) -> Result<Roads, String> {
    let mut run = Run::new(seed, bug);
    run.with_faults()?;
    run.without_faults()?;
    run.roads()
}

/// Runs one seed, and returns its trace, too.
pub(super) fn traced(seed: u64, bug: Option<Bug>) -> (Result<Roads, String>, Vec<String>) {
    TRACE.set(Some(Vec::new()));
    let ran = run(seed, bug);
    (ran, TRACE.take().unwrap_or_default())
}

impl Run {
    fn new(seed: u64, bug: Option<Bug>) -> Self {
        fastrand::seed(seed);
        let mut rng = Rng::with_seed(seed);
        let mut rules = Rules::default();
        if bug == Some(Bug::NoWindow) {
            rules.latest_effect = std::time::Duration::ZERO;
            rules.index_lag = std::time::Duration::ZERO;
        }
        if bug == Some(Bug::NoRetention) {
            rules.retention = std::time::Duration::from_secs(u64::MAX / 1_000_000);
        }
        let time = Arc::new(Time { now: AtomicI64::new(1_798_761_600_000), wrong_by: AtomicI64::new(0) });
        let is_late = rng.u8(..5) == 0;
        let sim = Sim {
            gateway: Gateway::new(rng.fork(), time.clone(), is_late, bug),
            time,
            rules,
            roads: Mutex::default(),
        };
        let special = rng.u8(..10);
        let decided: Vec<_> = (0..DECISIONS).map(|number| decision(number, &mut rng)).collect();
        Self {
            sim: Arc::new(sim),
            bug,
            stores: vec![Arc::new(MemoryStore::new(bug))],
            tasks: Default::default(),
            paused: [0; SLOTS],
            waiting: (0..decided.len()).rev().collect(),
            decided,
            backup: None,
            has_restore: special < 2,
            has_copy: special == 2,
            adopted_at: None,
            is_restored: false,
            rng,
        }
    }

    /// Once in this many steps.
    fn seldom(&mut self, steps: u32) -> bool {
        self.rng.u32(..steps) == 0
    }

    fn check(&self) -> Result<(), String> {
        self.sim.broken(&self.stores).map_or(Ok(()), Err)
    }

    fn with_faults(&mut self) -> Result<(), String> {
        for step in 0..STEPS {
            self.let_time_pass();
            let slot = self.rng.usize(..SLOTS);
            self.sim.gateway.wait_for(slot);
            if self.tasks[slot].is_some() && self.seldom(250) {
                self.tasks[slot] = None;
                note(|| format!("{} process {slot} dies", self.sim.time.real()));
                self.sim.road("a process dies");
            }
            if self.seldom(500) {
                self.paused[slot] = self.rng.u32(1..200);
                self.sim.road("a process pauses");
            }
            self.harm_the_database(step);
            if self.seldom(700) {
                let _ = poll_to_end(self.stores[0].raise_guard(TENANT, "member"));
                self.sim.road("a guard is raised");
            }
            if self.seldom(60) {
                self.ask_a_person()?;
            }
            if self.paused[slot] > 0 {
                self.paused[slot] -= 1;
                continue;
            }
            if self.tasks[slot].is_none() {
                self.tasks[slot] = Some(self.task(slot));
            }
            poll(&mut self.tasks[slot])?;
            self.check()?;
        }
        self.tasks = Default::default();
        Ok(())
    }

    fn let_time_pass(&mut self) {
        let jump = match self.rng.u32(..400) {
            0 => self.rng.i64(60_000..400_000),
            1..20 => self.rng.i64(1_000..20_000),
            _ => self.rng.i64(0..150),
        };
        // Once in a while the whole system sleeps for months, but no caller repeats its key so long after a restore.
        let sleeps = !self.is_restored && self.adopted_at.is_none() && self.seldom(40_000);
        self.sim.time.pass(if sleeps { 100 * DAY } else { jump });
        if self.seldom(700) {
            // Clocks that are more than five minutes apart decide nothing.
            let wrong = if self.rng.u8(..4) == 0 { 1_200_000 } else { 290_000 };
            let wrong_by = if self.rng.bool() { 0 } else { self.rng.i64(-wrong..wrong) };
            self.sim.time.wrong_by.store(wrong_by, Ordering::Relaxed);
            note(|| format!("the clock is wrong by {wrong_by} ms"));
            self.sim.road("a clock jumps");
        }
    }

    /// Puts the database back to a backup, or copies it, and later adopts it.
    fn harm_the_database(&mut self, step: u32) {
        if let Some(adopted_at) = self.adopted_at {
            if step >= adopted_at {
                self.adopt();
            }
            return;
        }
        if self.is_restored || step < 300 || !(self.has_restore || self.has_copy) {
            return;
        }
        if self.has_copy {
            if self.seldom(600) {
                let copy = Arc::new(self.stores[0].copy());
                self.stores.push(copy);
                note(|| format!("{} copied", self.sim.time.real()));
                self.sim.road("the database is copied");
                self.adopted_at = Some(step + self.rng.u32(100..1_000));
            }
        } else if let Some(backup) = &self.backup {
            if self.rng.u32(..300) == 0 {
                self.stores[0].restore(backup);
                self.sim.gateway.restored();
                self.tasks = Default::default();
                note(|| format!("{} restored", self.sim.time.real()));
                self.sim.road("the database is put back");
                let wait = if self.bug == Some(Bug::NoAdoption) { 0 } else { self.rng.u32(0..200) };
                self.adopted_at = Some(step + wait);
            }
        } else if self.seldom(200) {
            self.backup = Some(self.stores[0].backup());
        }
    }

    /// Somebody makes sure that no other copy is in use, and adopts the last one.
    fn adopt(&mut self) {
        self.adopted_at = None;
        self.is_restored = true;
        if self.bug == Some(Bug::NoAdoption) {
            return;
        }
        self.tasks = Default::default();
        self.stores.drain(..self.stores.len() - 1);
        self.sim.gateway.restored();
        let store = &self.stores[0];
        let now = poll_to_end(store.now(self.sim.time.now())).unwrap_or_else(|_| self.sim.time.now());
        store.adopt(now, &self.sim.rules);
        let _ = poll_to_end(store.mark_restored(now + QUIET, recorded(), now));
        note(|| format!("{} adopted", self.sim.time.real()));
        self.sim.road("a database is adopted");
        // Callers that have no answer call again.
        self.waiting = (0..self.decided.len()).rev().collect();
    }

    fn task(&mut self, slot: usize) -> Task {
        let sim = self.sim.clone();
        let store = self.stores[self.rng.usize(..self.stores.len())].clone();
        if slot < WORKERS {
            return Box::pin(async move { sim.work(&store).await.map(|_| ()) });
        }
        let index = self.waiting.pop().unwrap_or_else(|| self.rng.usize(..self.decided.len()));
        let (decided, patience) = (self.decided[index].clone(), self.rng.u32(1..4));
        Box::pin(async move { sim.call(&store, &decided, patience).await })
    }

    fn with_person(&self) -> Vec<Intent> {
        self.stores[0].with(|intents| {
            intents.values().filter(|intent| intent.state == State::NeedsPerson).cloned().collect()
        })
    }

    /// Shows a person one intent that needs one, or the hold.
    fn ask_a_person(&mut self) -> Result<(), String> {
        if self.adopted_at.is_some() {
            return Ok(());
        }
        if self.rng.bool() && self.stores[0].release() {
            self.sim.road("a hold is ended");
        }
        let cases = self.with_person();
        if let Some(intent) = cases.get(self.rng.usize(..=cases.len())) {
            let resends = self.rng.bool();
            let decided = poll_to_end(self.sim.decide(&self.stores[0], intent, resends));
            unless_clock(decided)?;
        }
        self.check()
    }

    /// Faults end, what is on its way arrives, and callers, workers and persons go on until everything has ended.
    fn without_faults(&mut self) -> Result<(), String> {
        if self.adopted_at.is_some() {
            self.adopt();
        }
        self.sim.gateway.calm();
        self.sim.time.wrong_by.store(0, Ordering::Relaxed);
        for round in 0..4 {
            self.stores[0].release();
            self.settle()?;
            // A person waits until nothing can arrive any more.
            self.sim.time.pass(1_800_000);
            self.sim.gateway.wait_for(0);
            for intent in self.with_person() {
                let decided = poll_to_end(self.sim.decide(&self.stores[0], &intent, false));
                unless_clock(decided)?;
            }
            if round == 3 {
                break;
            }
            for index in 0..self.decided.len() {
                let (sim, decided) = (self.sim.clone(), &self.decided[index]);
                let called = poll_to_end(sim.call(&self.stores[0], decided, 1));
                unless_clock(called)?;
                self.check()?;
            }
        }
        self.settle()?;
        self.sim.broken_at_the_end(&self.stores[0]).map_or(Ok(()), Err)
    }

    /// Works until nothing is due any more.
    fn settle(&mut self) -> Result<(), String> {
        let (sim, store) = (self.sim.clone(), self.stores[0].clone());
        for _ in 0..4_000 {
            sim.gateway.wait_for(0);
            let worked = unless_clock(poll_to_end(sim.work(&store)))?;
            self.check()?;
            if worked {
                continue;
            }
            // To the next moment at which something is due.
            let clock = sim.time.now();
            let now = poll_to_end(store.now(clock)).unwrap_or(clock);
            let is_held = store.is_held();
            let due = store.with(|intents| {
                // A write waits while a person decides about another one to its object.
                let of_person = intents.values().filter(|intent| match intent.state {
                    State::NeedsPerson => true,
                    State::NeedsCard => !intent.history.attempts.is_empty(),
                    _ => false,
                });
                let busy: BTreeSet<_> = of_person.map(|intent| intent.object.as_str()).collect();
                let waits = |intent: &&Intent| {
                    let is_put_off = is_held || busy.contains(intent.object.as_str());
                    let is_planned = intent.state == State::Planned && !intent.is_stop;
                    let is_with_people = matches!(intent.state, State::NeedsCard | State::NeedsPerson);
                    !(is_with_people || is_planned && is_put_off)
                };
                let due = intents.values().filter(waits);
                due.filter_map(|intent| intent.next.max(intent.lease_until)).max_by_key(|due| {
                    // The earliest one that is still to come.
                    if *due > now { i64::MAX - due.as_millis() } else { i64::MIN }
                })
            });
            let Some(due) = due else { return Ok(()) };
            sim.time.pass((due.as_millis() - clock.as_millis()).max(10_000) + 1);
        }
        Err("the journal never comes to rest".to_owned())
    }

    /// The roads that the seed took.
    fn roads(&self) -> Result<Roads, String> {
        let mut roads = std::mem::take(&mut *super::lock(&self.sim.roads));
        let others = self.stores.iter().map(|store| store.take_roads());
        for (name, count) in others.chain([self.sim.gateway.take_roads()]).flatten() {
            *roads.entry(name).or_default() += count;
        }
        let faults: u64 = FAULTS.iter().filter_map(|name| roads.get(name)).sum();
        if faults < 5 {
            return Err(format!("only {faults} faults happened"));
        }
        self.stores[0].with(|intents| {
            if intents.len() < 20 {
                return Err(format!("there are only {} intents", intents.len()));
            }
            for intent in intents.values() {
                let Intent { write, state, history, outcome, .. } = intent;
                let mut road = |name, is_taken: bool| *roads.entry(name).or_default() += u64::from(is_taken);
                road("intents", true);
                road(write.name(), true);
                road(state.name(), true);
                road("several attempts", history.attempts.len() > 1);
                let how = outcome.as_ref().map(|outcome| outcome.how);
                road("adopted by a look", how == Some(crate::machine::How::Adopted));
                road("spares", !history.spares.is_empty());
                road("no effect for certain", history.not_done > 0);
            }
            Ok(())
        })?;
        roads.insert("faults", faults);
        Ok(roads)
    }
}

fn poll(task: &mut Option<Task>) -> Result<(), String> {
    let mut context = Context::from_waker(Waker::noop());
    if let Some(running) = task
        && let Poll::Ready(ended) = running.as_mut().poll(&mut context)
    {
        *task = None;
        return unless_clock(ended);
    }
    Ok(())
}

fn poll_to_end<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(result) = future.as_mut().poll(&mut context) {
            return result;
        }
    }
}

/// The result, or nothing if the clock is behind the journal's time: then nothing is done.
fn unless_clock<T: Default>(result: Result<T, Error>) -> Result<T, String> {
    match result {
        Err(Error::Store(StoreError::ClockBehind { .. })) => Ok(T::default()),
        result => result.map_err(|error| error.to_string()),
    }
}
