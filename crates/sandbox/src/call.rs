//! Common steps of every call of both vendors: the faults, and one commit for all changes of the call.

use std::sync::{Arc, Weak};
use std::time::Duration;

use rusqlite::Result;

use crate::clock::Moment;
use crate::fault::{Effect, Hit};
use crate::gateway::Gateway;
use crate::issuer::outcome::Outcome;
use crate::requests::Exchange;
use crate::seed::Seed;
use crate::store::StoreError;
use crate::store::session::Session;
use crate::store::world::WorldKey;

/// The database work of a call; returns its result. The outcome is the one that a fault forces on the charge of the
/// call.
pub(crate) type Work<A> = Box<dyn FnOnce(&Session<'_>, Option<Outcome>) -> Result<A> + Send>;

/// A response, and the record of it for the request log.
pub(crate) struct CallResponse {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    /// The methods that the path allows, if the request used another one.
    pub(crate) allow: Option<String>,
    /// The world that was called, and the exchange; `None` if the call reached no world.
    pub(crate) exchange: Option<(i64, Exchange)>,
    /// The fault that hit the call.
    pub(crate) hit: Option<Hit>,
}

impl CallResponse {
    /// A response that belongs to no world.
    pub(crate) fn worldless(status: u16, body: Vec<u8>) -> Self {
        Self { status, body, allow: None, exchange: None, hit: None }
    }
}

/// The result of a call in a world.
pub(crate) struct Done<A> {
    pub(crate) world: i64,
    pub(crate) seed: Seed,
    pub(crate) now: Moment,
    /// The number of times the database was opened since the world began, including this time.
    pub(crate) opened: u64,
    /// The result of the last execution. `None` if a fault prevents or delays the execution.
    outcome: Option<A>,
    /// The fault that hit the call.
    pub(crate) hit: Option<Hit>,
}

impl<A> Done<A> {
    /// The answer: that of the fault, or the result. A delayed call has neither, and no client sees its answer.
    pub(crate) fn answer(&mut self, fault: impl FnOnce(u16) -> A, put_off: impl FnOnce() -> A) -> A {
        match self.hit.as_ref().map(|hit| &hit.effect) {
            Some(Effect::ErrorBefore { status } | Effect::ErrorAfter { status }) => fault(*status),
            Some(Effect::RateLimit { .. }) => fault(429),
            _ => self.outcome.take().unwrap_or_else(put_off),
        }
    }
}

/// Executes a call as often and as soon as its fault says. Returns `None` if the key opens no world.
pub(crate) async fn execute<A: Send + 'static>(
    gateway: &Arc<Gateway>,
    world_key: WorldKey,
    hit: Option<Hit>,
    mut work: impl FnMut() -> Work<A>,
) -> std::result::Result<Option<Done<A>>, StoreError> {
    let mut calls = Vec::with_capacity(2);
    match &hit {
        Some(Hit { effect: Effect::ErrorBefore { .. } | Effect::RateLimit { .. }, .. }) => {}
        Some(Hit { effect: Effect::LateCommit { delay }, world, .. }) => {
            late(gateway, world_key, unless_gone(work(), world.clone()), *delay);
        }
        Some(Hit { effect: Effect::Duplicate, .. }) => calls.extend([work(), work()]),
        _ => calls.push(work()),
    }
    commit(gateway, world_key, calls, hit).await
}

async fn commit<A: Send + 'static>(
    gateway: &Gateway,
    world_key: WorldKey,
    calls: Vec<Work<A>>,
    hit: Option<Hit>,
) -> std::result::Result<Option<Done<A>>, StoreError> {
    gateway
        .with_world(world_key, move |session| {
            let Session { world, seed, now, opened, .. } = session;
            let mut decline = None;
            let session = match &hit {
                None => session,
                Some(Hit { copy: Some(copy), .. }) => session.of_copy(copy.place, copy.now),
                Some(Hit { effect: Effect::EvictAccessId, .. }) => {
                    session.end_access_ids()?;
                    session
                }
                Some(Hit { effect, .. }) => {
                    decline = effect.decline();
                    session
                }
            };
            let mut outcome = None;
            for call in calls {
                outcome = Some(call(&session, decline)?);
            }
            Ok(Done { world, seed, now, opened, outcome, hit })
        })
        .await
}

/// Executes a call after its client has disconnected.
fn late(gateway: &Arc<Gateway>, world_key: WorldKey, call: Work<()>, delay: Duration) {
    let ours = gateway.clone();
    gateway.later(async move {
        ours.pause(delay).await;
        if let Err(error) = commit(&ours, world_key, vec![call], None).await {
            tracing::error!(%error, "a late call failed");
        }
    });
}

/// Wraps the call so that it does nothing after its world was emptied: the world then belongs to another test.
fn unless_gone<A: 'static>(call: Work<A>, world: Weak<()>) -> Work<()> {
    Box::new(
        move |session, decline| {
            if world.strong_count() == 0 { Ok(()) } else { call(session, decline).map(drop) }
        },
    )
}
