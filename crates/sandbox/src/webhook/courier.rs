//! Who delivers alerts: after the commit that made them, world by world, each world's in order.
//!
//! Whatever leaves an alert waiting rings for a courier. A turn of the clock delivers by itself, and waits for it. Only
//! one delivers for a world at a time, and what a delivery came to is committed before the next one is made.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use perennial_wire::clearent::webhook::Signer;
use rusqlite::Connection;
use tokio::sync::{Notify, OwnedMutexGuard, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::post::{Heard, post};
use super::{Endpoint, signer};
use crate::clock::Moment;
use crate::engine::SLICE;
use crate::fault::{DELIVER, Effect, Hit, stands_in};
use crate::gateway::Gateway;
use crate::store::StoreError;
use crate::store::webhook::{Due, next_delivery};
use crate::world::{Ledger, Row};

/// The hash of the key of a world.
type World = [u8; 32];

/// How couriers are rung for, and kept from delivering for the same world.
pub(crate) struct Couriers {
    bell: mpsc::UnboundedSender<World>,
    beats: Mutex<HashMap<World, Arc<tokio::sync::Mutex<Beat>>>>,
}

/// What whoever delivers for a world has in hand.
pub(crate) struct Beat {
    world: World,
    /// Made when it is first needed: that takes as long as signing.
    signer: Option<Signer>,
}

/// Held by the only one who delivers for a world now.
pub(crate) type Round = OwnedMutexGuard<Beat>;

impl Couriers {
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<World>) {
        let (bell, rings) = mpsc::unbounded_channel();
        (Self { bell, beats: Mutex::default() }, rings)
    }

    /// Says that this world may have something to deliver, now or when its clock has run.
    pub(crate) fn ring(&self, world: World) {
        // Nobody hears it when the sandbox stops; then the alerts wait for its next start.
        let _ = self.bell.send(world);
    }

    /// Rings if deliveries wait. Couriers look after the job that this is a part of, when it is committed.
    pub(crate) fn ring_if_alerts_wait(&self, connection: &Connection, row: &Row) -> rusqlite::Result<()> {
        if next_delivery(connection, row.id)?.is_some() {
            self.ring(row.key_hash);
        }
        Ok(())
    }

    /// Waits until nobody else delivers for a world.
    pub(crate) async fn round(&self, world: World) -> Round {
        let beat = {
            let mut beats = self.beats.lock().unwrap_or_else(PoisonError::into_inner);
            beats.entry(world).or_insert_with(|| Arc::new(Beat { world, signer: None }.into())).clone()
        };
        beat.lock_owned().await
    }
}

/// Delivers what is left from the last time, and then what is rung for, until the sandbox stops.
pub(crate) async fn serve(
    gateway: Arc<Gateway>,
    mut rings: mpsc::UnboundedReceiver<World>,
    mut stop: watch::Receiver<bool>,
) {
    match gateway.store.run(Row::with_alerts).await {
        Ok(worlds) => worlds.into_iter().for_each(|world| gateway.couriers.ring(world)),
        Err(error) => tracing::error!(%error, "the alerts of the last time cannot be delivered"),
    }
    let (mut bells, mut couriers) = (HashMap::new(), JoinSet::new());
    loop {
        let world = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            _ = gateway.store.ended() => break,
            Some(world) = rings.recv() => world,
        };
        let bell: &Arc<Notify> = match bells.entry(world) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let bell = new.insert(Arc::default());
                couriers.spawn(courier(gateway.clone(), world, bell.clone()));
                bell
            }
        };
        bell.notify_one();
    }
}

/// Delivers for one world whenever its bell rings, and as its clock runs.
async fn courier(gateway: Arc<Gateway>, world: World, bell: Arc<Notify>) {
    let mut next = None;
    loop {
        match next {
            None => bell.notified().await,
            Some(at) => {
                // The time has come, or it is another one.
                let _ = tokio::time::timeout_at(at, bell.notified()).await;
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
    /// Makes what became due as the world's clock ran, delivers, and says how long it is until something is due again.
    async fn fire_and_deliver(&self, world: World) -> Result<Option<Duration>, StoreError> {
        let mut round = self.couriers.round(world).await;
        loop {
            let faults = self.faults.clone();
            let fire = self.store.run(move |connection| {
                let Some(row) = Row::find(connection, &world)? else { return Ok(true) };
                let ledger = Ledger::open(connection, &row, Moment::real(), &faults, SLICE)?;
                Ok(ledger.is_some())
            });
            if fire.await? {
                return self.deliver(&mut round).await;
            }
        }
    }

    /// Makes all deliveries that are due by the world's clock, in order, and says how long it is until something is due
    /// again if the clock runs.
    pub(crate) async fn deliver(&self, round: &mut Round) -> Result<Option<Duration>, StoreError> {
        let world = round.world;
        let mut made: Option<(Due, Heard)> = None;
        loop {
            let faults = self.faults.clone();
            let next = self.store.run(move |connection| {
                let Some(row) = Row::find(connection, &world)? else { return Ok(Err(None)) };
                let ledger = Ledger::open_unfired(connection, &row, Moment::real(), &faults);
                if let Some((due, heard)) = made {
                    ledger.record_delivery(&due, heard)?;
                }
                while let Some(due) = ledger.due_delivery()? {
                    let Some(hit) = hit(&ledger, &due) else { return Ok(Ok((due, ledger.seed, 1))) };
                    ledger.meet_fault(&due, &hit)?;
                    if hit.effect == Effect::Duplicate {
                        return Ok(Ok((due, ledger.seed, 2)));
                    }
                }
                ledger.until_next_alert().map(Err)
            });
            let (due, seed, times) = match next.await? {
                Ok(next) => next,
                Err(wait) => return Ok(wait),
            };
            let alert = if due.is_signed {
                round.signer.get_or_insert_with(|| signer(seed)).sign(due.body.as_bytes())
            } else {
                Ok(due.body.as_bytes().to_vec())
            };
            let (Ok(endpoint), Ok(alert)) = (due.url.parse::<Endpoint>(), alert) else {
                // Both were checked before they were written.
                return Err(StoreError::Statement(rusqlite::Error::InvalidQuery));
            };
            for _ in 1..times {
                post(&endpoint, alert.clone()).await;
            }
            let heard = post(&endpoint, alert).await;
            made = Some((due, heard));
        }
    }
}

/// The fault that a delivery meets, which each does once at most.
fn hit(ledger: &Ledger<'_>, due: &Due) -> Option<Hit> {
    if due.fault.is_some() {
        return None;
    }
    let names = |key: &str| stands_in(due.body.as_bytes(), key);
    ledger.faults.hit(&ledger.key_hash, DELIVER, |_| true, names)
}
