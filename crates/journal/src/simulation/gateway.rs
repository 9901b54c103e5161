//! A model of a gateway: objects with marks, and everything that can happen to a request.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use fastrand::Rng;
use perennial::transport::SendBy;

use super::{Bug, lock, note, pause};
use crate::Moment;
use crate::gateway::request::Full;
use crate::machine::{Answer, Intent, Look, Object as Known, Said, Seen, Verdict, Write};

#[derive(Debug, Clone)]
pub(super) struct Object {
    pub(super) id: String,
    pub(super) mark: String,
    pub(super) write: Write,
    pub(super) status: &'static str,
    landed: Moment,
    /// From when searches show it.
    visible: Moment,
}

/// A request on its way.
#[derive(Debug, Clone)]
struct Flying {
    arrives: Moment,
    write: Write,
    mark: String,
    object: String,
    request: String,
}

#[derive(Debug)]
struct State {
    rng: Rng,
    now: Moment,
    objects: Vec<Object>,
    flying: Vec<Flying>,
    /// Until when searches find nothing, the control object included.
    blind_until: Moment,
    is_calm: bool,
    broken: Option<String>,
    roads: BTreeMap<&'static str, u64>,
}

#[derive(Debug)]
pub(super) struct Gateway {
    state: Mutex<State>,
    bug: Option<Bug>,
}

/// The time for which the gateway keeps its objects.
const RETENTION: Duration = Duration::from_hours(90 * 24);

impl Gateway {
    pub(super) fn new(rng: Rng, bug: Option<Bug>) -> Self {
        let start = Moment::from_millis(0);
        let plan = Object {
            id: "p1".to_owned(),
            mark: "p1".to_owned(),
            write: Write::CreatePlan,
            status: "SUSPENDED",
            landed: start,
            visible: start,
        };
        Self {
            state: Mutex::new(State {
                rng,
                now: start,
                objects: vec![plan],
                flying: Vec::new(),
                blind_until: start,
                is_calm: false,
                broken: None,
                roads: BTreeMap::new(),
            }),
            bug,
        }
    }

    pub(super) fn objects(&self) -> Vec<Object> {
        lock(&self.state).objects.clone()
    }

    pub(super) fn roads(&self) -> BTreeMap<&'static str, u64> {
        lock(&self.state).roads.clone()
    }

    pub(super) fn broken(&self) -> Option<String> {
        lock(&self.state).broken.clone()
    }

    pub(super) fn calm(&self) {
        lock(&self.state).is_calm = true;
    }

    /// Lets the time pass: what is on its way arrives.
    pub(super) fn set_time(&self, now: Moment) {
        let mut state = lock(&self.state);
        let flying = std::mem::take(&mut state.flying);
        let (mut arrived, flying): (Vec<_>, Vec<_>) =
            flying.into_iter().partition(|flying| flying.arrives <= now);
        arrived.sort_by_key(|flying| flying.arrives);
        state.flying = flying;
        for Flying { arrives, write, mark, object, request } in arrived {
            state.road("a late effect");
            // Searches show it from then on, however far the clock has jumped.
            state.now = arrives;
            state.apply(write, &mark, &object, &request);
        }
        state.now = now;
        if !state.is_calm && state.rng.u32(..3_000) == 0 {
            state.blind_until = now + Duration::from_secs(state.rng.u64(1..600));
        }
    }
}

impl State {
    fn road(&mut self, name: &'static str) {
        *self.roads.entry(name).or_default() += 1;
    }

    fn chance(&mut self, of_hundred: u32) -> bool {
        !self.is_calm && self.rng.u32(..100) < of_hundred
    }

    fn known(object: &Object) -> Known {
        Known { id: Some(object.id.clone()), value: None }
    }

    fn apply(&mut self, write: Write, mark: &str, at: &str, request: &str) -> Said {
        if write == Write::UpdatePlan {
            let id = at.trim_start_matches("plans/");
            let Some(plan) = self.objects.iter_mut().find(|object| object.id == id) else {
                return Said::Refused("no such plan".to_owned());
            };
            let status =
                ["CANCELED", "SUSPENDED", "ACTIVE"].into_iter().find(|status| request.contains(status));
            match status {
                Some(status) if plan.status != "CANCELED" || status == "CANCELED" => plan.status = status,
                _ => return Said::Refused("the plan is canceled".to_owned()),
            }
            return Said::Done(Self::known(plan));
        }
        if write == Write::CreateCustomer && self.objects.iter().any(|object| object.mark == mark) {
            return Said::Refused("the key is taken".to_owned());
        }
        let is_declined = write == Write::Sale && self.chance(15);
        let status = match (write, is_declined) {
            (Write::CreatePlan, _) => "SUSPENDED",
            (_, true) => "declined",
            _ => "there",
        };
        note(|| format!("{} the gateway does {write} {mark}", self.now));
        let object = Object {
            id: format!("o{}", self.objects.len()),
            mark: mark.to_owned(),
            write,
            status,
            landed: self.now,
            visible: self.now + Duration::from_millis(if self.is_calm { 0 } else { self.rng.u64(..60_000) }),
        };
        let known = Self::known(&object);
        self.objects.push(object);
        if is_declined { Said::Declined(known) } else { Said::Done(known) }
    }
}

#[async_trait]
impl crate::gateway::Gateway for Gateway {
    async fn send(&self, intent: &Intent, _full: Option<&Full>, _send_by: SendBy) -> Answer {
        let answer = |said| Answer { said, exchange_id: None };
        let not_done = |hold| Said::NotDone { reason: String::new(), wait: Duration::from_secs(2), hold };
        // The process may pause before the first byte leaves.
        pause().await;
        pause().await;
        let said = {
            let mut state = lock(&self.state);
            let send_by = intent.history.attempts.last().map_or(state.now, |attempt| attempt.send_by);
            if state.now > send_by && self.bug != Some(Bug::IgnoresSendBy) {
                state.road("too late to send");
                return answer(not_done(false));
            }
            if state.chance(6) {
                return answer(not_done(false));
            }
            if state.chance(8) {
                state.road("a request is lost");
                None
            } else if state.chance(12) {
                let arrives = state.now + Duration::from_millis(state.rng.u64(..115_000));
                state.flying.push(Flying {
                    arrives,
                    write: intent.write,
                    mark: intent.mark.clone(),
                    object: intent.object.clone(),
                    request: intent.request.clone(),
                });
                None
            } else if state.chance(4) {
                Some(Said::Refused("refused".to_owned()))
            } else {
                let said = state.apply(intent.write, &intent.mark, &intent.object, &intent.request);
                Some(said)
            }
        };
        note(|| format!("{} sent: {said:?}", intent.key));
        pause().await;
        pause().await;
        let mut state = lock(&self.state);
        match said {
            Some(said) if !state.chance(15) => answer(said),
            Some(_) => {
                state.road("an answer is lost");
                answer(Said::Unknown("lost".to_owned()))
            }
            None => answer(Said::Unknown("lost".to_owned())),
        }
    }

    async fn look(&self, intent: &Intent) -> Look {
        pause().await;
        let look = {
            let mut state = lock(&self.state);
            if state.chance(5) {
                return Look::Failed("unavailable".to_owned());
            }
            let now = state.now;
            let is_blind = now < state.blind_until;
            let found: Vec<Seen> = if intent.write == Write::UpdatePlan {
                let id = intent.object.trim_start_matches("plans/");
                let wanted = |status: &str| intent.request.contains(status);
                let plan = state.objects.iter().find(|object| object.id == id && wanted(object.status));
                plan.into_iter()
                    .map(|plan| Seen { object: State::known(plan), verdict: Verdict::Done })
                    .collect()
            } else {
                let visible = |object: &&Object| {
                    object.mark == intent.mark
                        && object.write == intent.write
                        && object.status != "CANCELED"
                        && !is_blind
                        && object.visible <= now
                        && now.since(object.landed) < RETENTION
                };
                let found: Vec<_> = state.objects.iter().filter(visible).collect();
                let verdict = |object: &Object| match object.status {
                    "declined" => Verdict::Declined,
                    _ => Verdict::Done,
                };
                found
                    .iter()
                    .map(|object| Seen { object: State::known(object), verdict: verdict(object) })
                    .collect()
            };
            if is_blind {
                state.road("a blind search");
            }
            let control = !is_blind || intent.write == Write::UpdatePlan || self.bug == Some(Bug::NoControl);
            Look::Seen { at: Some(now), control, found }
        };
        note(|| format!("{} look: {look:?}", intent.key));
        pause().await;
        look
    }
}
