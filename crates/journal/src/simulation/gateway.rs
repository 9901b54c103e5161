//! A model of a gateway: everything that can happen to a request and to a look.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use fastrand::Rng;
use perennial::transport::SendBy;

use super::objects::{Objects, Order, Shown};
use super::planted::Bug;
use super::{SLOTS, Time, lock, note, pause};
use crate::Moment;
use crate::clock::Clock as _;
use crate::gateway::request::Full;
use crate::gateway::{self, NotIssued};
use crate::machine::{Answer, Decision, Intent, Look, Said, Write};

#[derive(Debug)]
struct State {
    rng: Rng,
    objects: Objects,
    flying: Vec<(Moment, Order)>,
    /// Until when searches find nothing, the control object included.
    blind_until: Moment,
    /// Whether a search ever found the control object.
    has_found_control: bool,
    is_calm: bool,
    /// The number of requests and of request ids.
    number: u64,
    /// The process that runs, and the last moment at which each may send.
    slot: usize,
    send_by: [Moment; SLOTS],
    roads: BTreeMap<&'static str, u64>,
}

#[derive(Debug)]
pub(super) struct Gateway {
    state: Mutex<State>,
    time: Arc<Time>,
    bug: Option<Bug>,
}

impl Gateway {
    pub(super) fn new(rng: Rng, time: Arc<Time>, is_late: bool, bug: Option<Bug>) -> Self {
        let start = Moment::from_millis(0);
        let state = State {
            rng,
            objects: Objects::new(is_late),
            flying: Vec::new(),
            blind_until: start,
            has_found_control: false,
            is_calm: false,
            number: 0,
            slot: 0,
            send_by: [start; SLOTS],
            roads: BTreeMap::new(),
        };
        Self { state: Mutex::new(state), time, bug }
    }

    pub(super) fn take_roads(&self) -> BTreeMap<&'static str, u64> {
        std::mem::take(&mut lock(&self.state).roads)
    }

    pub(super) fn broken(&self) -> Option<String> {
        lock(&self.state).objects.broken.take()
    }

    pub(super) fn calm(&self) {
        lock(&self.state).is_calm = true;
    }

    /// The database was put back.
    pub(super) fn restored(&self) {
        lock(&self.state).objects.restored();
    }

    /// Lets the time pass until a process runs: what is on its way arrives.
    pub(super) fn wait_for(&self, slot: usize) {
        let now = self.time.real();
        let mut state = lock(&self.state);
        state.slot = slot;
        while let Some(index) = (0..state.flying.len()).min_by_key(|index| state.flying[*index].0)
            && state.flying[index].0 <= now
        {
            let (arrived, order) = state.flying.swap_remove(index);
            state.road("a late effect");
            // Searches show it from then on, however far the clock has jumped.
            state.apply(&order, arrived);
        }
        if !state.is_calm && state.rng.u32(..3_000) == 0 {
            state.blind_until = now + Duration::from_secs(state.rng.u64(1..600));
            state.road("searches are blind");
        }
    }

    pub(super) fn believed_absent(&self, intent: &Intent) {
        let mut state = lock(&self.state);
        let is_flying = state.flying.iter().any(|(_, order)| order.mark == intent.mark);
        state.objects.believed_absent(intent, is_flying);
    }

    pub(super) fn believed_refused(&self, intent: &Intent) {
        lock(&self.state).objects.believed_refused(&intent.mark);
    }

    pub(super) fn contradicts(&self, intent: &Intent) -> Option<&'static str> {
        lock(&self.state).objects.contradicts(intent)
    }

    /// The decision of a person who reads the gateway's records; `None` while a request may still arrive.
    pub(super) fn decision(&self, intent: &Intent) -> Option<Decision> {
        let now = self.time.real();
        let state = lock(&self.state);
        let may_come = state.flying.iter().any(|(_, order)| order.mark == intent.mark)
            || state.send_by.iter().any(|send_by| *send_by >= now);
        if may_come {
            return None;
        }
        let is_done = state.objects.has_effect(&intent.mark);
        Some(if is_done { Decision::Done(state.objects.of_mark(&intent.mark)) } else { Decision::NotDone })
    }
}

impl State {
    fn road(&mut self, name: &'static str) {
        *self.roads.entry(name).or_default() += 1;
    }

    /// Whether a fault happens. Its road is taken then.
    fn fault(&mut self, name: &'static str, of_hundred: u32) -> bool {
        let happens = !self.is_calm && self.rng.u32(..100) < of_hundred;
        if happens {
            self.road(name);
        }
        happens
    }

    fn apply(&mut self, order: &Order, landed: Moment) -> Said {
        let mut later = |most: u64| landed + Duration::from_millis(self.rng.u64(..=most));
        let visible = if self.is_calm { landed } else { later(59_000) };
        let decided =
            if self.is_calm || self.rng.u8(..20) > 0 { landed } else { landed + Duration::from_secs(5 * 60) };
        let said = self.objects.apply(order, Shown { landed, visible, decided });
        note(|| format!("{landed} the gateway does {} {}: {said:?}", order.write, order.mark));
        said
    }

    /// Decides the fate of a request that leaves; `None` if its answer never comes.
    fn leave(&mut self, intent: &Intent, now: Moment) -> Option<Said> {
        self.number += 1;
        let order = Order::of(intent, self.number);
        self.objects.sent(&order.mark, now);
        if self.fault("a request is lost", 8) {
            return None;
        }
        if self.fault("a request is late", 12) {
            let latest = if self.objects.is_late && self.rng.bool() { 1_800_000 } else { 115_000 };
            self.flying.push((now + Duration::from_millis(self.rng.u64(..latest)), order));
            return None;
        }
        if self.fault("the gateway refuses", 4) {
            return Some(Said::Refused("refused".to_owned()));
        }
        Some(self.apply(&order, now))
    }

    fn answer(&mut self, write: Write, said: Option<Said>, retries: Option<Order>, now: Moment) -> Said {
        match said {
            Some(Said::Done(object))
                if write == Write::Pay && self.fault("an answer is half readable", 5) =>
            {
                Said::Named { reason: "unreadable".to_owned(), ids: object.id.into_iter().collect() }
            }
            Some(said) if !self.fault("an answer is lost", 15) => said,
            _ => match retries {
                Some(order) => self.apply(&order, now),
                None => Said::Unknown("lost".to_owned()),
            },
        }
    }
}

#[async_trait]
impl gateway::Gateway for Gateway {
    fn send_by(&self, within: Duration) -> SendBy {
        let mut state = lock(&self.state);
        let slot = state.slot;
        state.send_by[slot] = self.time.real() + within;
        SendBy::within(within)
    }

    async fn request_id(&self, intent: &Intent) -> Result<Option<String>, NotIssued> {
        if !intent.write.has_request_id() {
            return Ok(None);
        }
        pause().await;
        let mut state = lock(&self.state);
        if state.fault("no request id is issued", 5) {
            return Err(NotIssued { reason: String::new(), wait: Duration::from_secs(2), hold: false });
        }
        state.number += 1;
        Ok(Some(format!("R-{}", state.number)))
    }

    async fn send(&self, intent: &Intent, _full: Option<&Full>, _send_by: SendBy) -> Answer {
        let answer = |said| Answer { said, exchange_id: None };
        let not_done =
            |hold| answer(Said::NotDone { reason: String::new(), wait: Duration::from_secs(2), hold });
        // The process may pause before the first byte leaves.
        pause().await;
        pause().await;
        let said = {
            let now = self.time.real();
            let mut state = lock(&self.state);
            if now > state.send_by[state.slot] && self.bug != Some(Bug::IgnoresSendBy) {
                state.road("too late to send");
                return not_done(false);
            }
            if state.fault("a request is limited", 5) {
                return not_done(false);
            }
            if state.fault("a key is refused", 1) {
                return not_done(true);
            }
            state.leave(intent, now)
        };
        note(|| format!("{} sent: {said:?}", intent.key));
        pause().await;
        pause().await;
        let mut state = lock(&self.state);
        let retries = (self.bug == Some(Bug::RetriesBeneath)).then(|| Order::of(intent, state.number));
        let now = self.time.real();
        answer(state.answer(intent.write, said, retries, now))
    }

    async fn look(&self, intent: &Intent) -> Look {
        pause().await;
        let look = {
            let now = self.time.real();
            let mut state = lock(&self.state);
            if state.fault("a look fails", 5) {
                return Look::Failed("unavailable".to_owned());
            }
            let is_blind = now < state.blind_until;
            if is_blind {
                state.road("a blind search");
            }
            let at = if self.bug == Some(Bug::OwnClock) { self.time.now() } else { now };
            match state.objects.find(intent, now, is_blind) {
                Ok(found) => {
                    let is_found = !is_blind
                        || self.bug == Some(Bug::NoControl)
                        || self.bug == Some(Bug::OldControl) && state.has_found_control;
                    let control = is_found && intent.absence_may_count();
                    state.has_found_control |= control;
                    Look::Seen { at: Some(at), control, found }
                }
                Err(look) => look,
            }
        };
        note(|| format!("{} look: {look:?}", intent.key));
        pause().await;
        look
    }
}
