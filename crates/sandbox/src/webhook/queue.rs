//! Delivery of alerts: after the commit that made them, world by world, each world's in order.
//!
//! Every change that leaves an alert pending notifies the queue. A move of the clock delivers by itself, and waits.
//! Only one task delivers for a world at a time, and the result of a delivery is committed before the next one is made.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use perennial_wire::clearent::webhook::Signer;
use rusqlite::Connection;
use tokio::sync::{Notify, OwnedMutexGuard, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::post::post;
use crate::clock::Moment;
use crate::delivery::{DeliveryOutcome, Endpoint, PostResult, signer};
use crate::engine::{self, SLICE};
use crate::fault::{DELIVER, Effect, Faults, Hit, stands_in};
use crate::gateway::Gateway;
use crate::store::StoreError;
use crate::store::session::Session;
use crate::store::webhook::{Due, next_delivery};
use crate::store::world::WorldRow;

/// The hash of the key of a world.
type KeyHash = [u8; 32];

/// The queue that wakes deliveries, and that prevents two tasks from delivering for one world.
pub(crate) struct DeliveryQueue {
    notifications: mpsc::UnboundedSender<KeyHash>,
    dispatchers: Mutex<HashMap<KeyHash, Arc<tokio::sync::Mutex<Dispatcher>>>>,
}

/// The state of the task that delivers for a world.
pub(crate) struct Dispatcher {
    world: KeyHash,
    /// The signer, created at its first use: creating it takes as long as signing.
    signer: Option<Signer>,
    /// Whether the last attempt timed out.
    hangs: bool,
}

impl Dispatcher {
    /// Whether the world's endpoint does not answer, so that nothing should wait for it.
    pub(crate) fn hangs(&self) -> bool {
        self.hangs
    }
}

/// The condition under which a delivery stops before all due alerts are delivered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// Stops after an attempt that times out.
    OneHangs,
    /// Stops after any attempt.
    AnyAttempt,
}

/// The progress of a delivery.
pub(crate) enum Delivered {
    /// All due alerts are delivered; the next one may be due after this time.
    All(Option<Duration>),
    /// More alerts may be due.
    Some,
}

/// The lock of the only task that delivers for a world at this time.
pub(crate) type WorldGuard = OwnedMutexGuard<Dispatcher>;

impl DeliveryQueue {
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<KeyHash>) {
        let (notifications, pending) = mpsc::unbounded_channel();
        (Self { notifications, dispatchers: Mutex::default() }, pending)
    }

    /// Reports that this world may have something to deliver, now or later by its clock.
    pub(crate) fn notify(&self, world: KeyHash) {
        // Nobody receives it when the sandbox stops; then the alerts wait for its next start.
        let _ = self.notifications.send(world);
    }

    /// Notifies the queue if deliveries are pending. The queue reads them after the commit of the current job.
    pub(crate) fn notify_if_alerts_wait(
        &self,
        connection: &Connection,
        row: &WorldRow,
    ) -> rusqlite::Result<()> {
        if next_delivery(connection, row.id)?.is_some() {
            self.notify(row.key_hash);
        }
        Ok(())
    }

    /// Waits until no other task delivers for this world.
    pub(crate) async fn guard(&self, world: KeyHash) -> WorldGuard {
        let dispatcher = {
            let mut dispatchers = self.dispatchers.lock().unwrap_or_else(PoisonError::into_inner);
            dispatchers
                .entry(world)
                .or_insert_with(|| Arc::new(Dispatcher { world, signer: None, hangs: false }.into()))
                .clone()
        };
        dispatcher.lock_owned().await
    }
}

/// Delivers the alerts left from the last start, and then on each notification, until the sandbox stops.
pub(crate) async fn serve(
    gateway: Arc<Gateway>,
    mut pending: mpsc::UnboundedReceiver<KeyHash>,
    mut stop: watch::Receiver<bool>,
) {
    match gateway.store.run(WorldRow::with_alerts).await {
        Ok(worlds) => worlds.into_iter().for_each(|world| gateway.deliveries.notify(world)),
        Err(error) => tracing::error!(%error, "the alerts of the last time cannot be delivered"),
    }
    let (mut notifies, mut tasks) = (HashMap::new(), JoinSet::new());
    loop {
        let world = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            _ = gateway.store.ended() => break,
            Some(world) = pending.recv() => world,
        };
        let notify: &Arc<Notify> = match notifies.entry(world) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let notify = new.insert(Arc::default());
                tasks.spawn(deliver_when_notified(gateway.clone(), world, notify.clone()));
                notify
            }
        };
        notify.notify_one();
    }
}

/// Delivers for one world on each notification, and as its clock runs.
async fn deliver_when_notified(gateway: Arc<Gateway>, world: KeyHash, notify: Arc<Notify>) {
    let mut next = None;
    loop {
        match next {
            None => notify.notified().await,
            Some(at) => {
                // The time has come, or it is another one.
                let _ = tokio::time::timeout_at(at, notify.notified()).await;
            }
        }
        next = match gateway.fire_and_deliver(world).await {
            Ok(wait) => wait.map(|wait| Instant::now() + wait),
            Err(error) => {
                tracing::debug!(%error, "alerts wait");
                None
            }
        };
    }
}

impl Gateway {
    /// Makes the payments that became due as the world's clock ran, delivers, and returns the time until something is
    /// due.
    async fn fire_and_deliver(&self, world: KeyHash) -> Result<Option<Duration>, StoreError> {
        loop {
            // Given back after each attempt, so that a change of the clock waits for one at most.
            let mut guard = self.deliveries.guard(world).await;
            let faults = self.faults.clone();
            let fire = self.store.run(move |connection| {
                let Some(row) = WorldRow::find(connection, &world)? else { return Ok(true) };
                let session = engine::open(connection, &row, Moment::real(), &faults, SLICE)?;
                Ok(session.is_some())
            });
            if fire.await?
                && let Delivered::All(wait) = self.deliver(&mut guard, Until::AnyAttempt).await?
            {
                return Ok(wait);
            }
        }
    }

    /// Makes the deliveries that are due by the world's clock, in order, and returns the time until something is due
    /// again if the clock runs.
    pub(crate) async fn deliver(
        &self,
        guard: &mut WorldGuard,
        until: Until,
    ) -> Result<Delivered, StoreError> {
        let world = guard.world;
        let mut attempt: Option<(Due, PostResult)> = None;
        loop {
            let faults = self.faults.clone();
            let stops = attempt.is_some() && (until == Until::AnyAttempt || guard.hangs);
            let next = self.store.run(move |connection| {
                let Some(row) = WorldRow::find(connection, &world)? else {
                    return Ok(Err(Delivered::All(None)));
                };
                let session = Session::open(connection, &row, Moment::real());
                if let Some((due, result)) = attempt {
                    session.record_delivery(&due, result)?;
                }
                if stops {
                    return Ok(Err(Delivered::Some));
                }
                while let Some(due) = session.due_delivery()? {
                    let Some(hit) = hit(&faults, &session, &due) else {
                        return Ok(Ok((due, session.seed, 1)));
                    };
                    let is_reordered = hit.effect == Effect::Reorder;
                    let held = is_reordered && !session.holds_a_delivery()?;
                    let until = hit.effect.holds(due.at).filter(|_| held || !is_reordered).unwrap_or(due.at);
                    session.put_off(&due, &hit.id, held, until)?;
                    if hit.effect == Effect::Duplicate {
                        return Ok(Ok((due, session.seed, 2)));
                    }
                }
                session.until_next_alert().map(|wait| Err(Delivered::All(wait)))
            });
            let (due, seed, times) = match next.await? {
                Ok(next) => next,
                Err(delivered) => return Ok(delivered),
            };
            let alert = if due.is_signed {
                guard.signer.get_or_insert_with(|| signer(seed)).sign(due.body.as_bytes())
            } else {
                Ok(due.body.as_bytes().to_vec())
            };
            let (Ok(endpoint), Ok(alert)) = (due.url.parse::<Endpoint>(), alert) else {
                // Both were checked before they were written.
                return Err(StoreError::Statement(rusqlite::Error::InvalidQuery));
            };
            let mut result = post(&endpoint, alert.clone(), self.patience).await;
            for _ in 1..times {
                if result.outcome != DeliveryOutcome::TimedOut {
                    result = post(&endpoint, alert.clone(), self.patience).await;
                }
            }
            guard.hangs = result.outcome == DeliveryOutcome::TimedOut;
            attempt = Some((due, result));
        }
    }
}

/// The fault that hits a delivery; each fault hits a delivery once at most.
fn hit(faults: &Faults, session: &Session<'_>, due: &Due) -> Option<Hit> {
    if due.fault.is_some() {
        return None;
    }
    let names = |key: &str| stands_in(due.body.as_bytes(), key);
    faults.hit(&session.key_hash, DELIVER, |_| true, names)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::net::TcpListener;

    use crate::{DeliveryOutcome, Sandbox};

    #[tokio::test]
    async fn a_change_of_the_clock_waits_for_one_attempt_that_hangs() {
        let sandbox = Sandbox::builder().patience(Duration::from_millis(200)).start().await.unwrap();
        let world = sandbox.world(1).await.unwrap();
        let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::new();
        let post = async |path: &str, body: String| {
            let request = client.post(format!("{}/rest/v2/{path}", sandbox.base_url())).body(body);
            let request =
                request.header("api-key", world.api_key().expose()).header("accept", "application/json");
            let answer = request.header("content-type", "application/json").send().await.unwrap();
            assert!(answer.status().is_success());
            serde_json::from_str::<serde_json::Value>(&answer.text().await.unwrap()).unwrap()["payload"]
                .take()
        };
        let customer = post("customers", r#"{"first-name":"Ada","last-name":"Byron"}"#.into()).await;
        let customer = customer["customer"]["customer-key"].as_str().unwrap().to_owned();
        let card = r#""card":"4111111111111111","exp-date":"1230","csc":"999""#;
        let token = post("tokens", format!(r#"{{{card},"customer-key":"{customer}"}}"#)).await;
        let token = token["tokenResponse"]["token-id"].as_str().unwrap().to_owned();
        let plan = r#""plan-name":"Gold","frequency":"MONTHLY","frequency-day":"15","start-date":"2027-01-01","end-date":"2027-12-31",
            "payment-amount":"50.00""#;
        let plan =
            format!(r#"{{{plan},"customer-key":"{customer}","token-id":"{token}","customer-name":"Ada"}}"#);
        post("payment-plans", plan).await;
        // The system takes connections for a listener, and nobody answers.
        let hangs = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", hangs.local_addr().unwrap());
        world.webhook(&url).await.unwrap();
        let fired = world.advance("P1Y").await.unwrap();
        assert_eq!((fired.fired, fired.now.to_string().as_str()), (12, "2028-01-01T00:00:00Z"));
        let outcomes = world.deliveries().await.unwrap();
        let count = |outcome| outcomes.iter().filter(|delivery| delivery.outcome == outcome).count();
        // The delivery task may have begun with those that are left.
        let timed_out = count(DeliveryOutcome::TimedOut);
        assert!((1..=3).contains(&timed_out), "{timed_out}");
        assert!(count(DeliveryOutcome::Waiting) >= 10, "they are delivered later");
    }
}
