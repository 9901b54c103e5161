//! State shared by all HTTP interfaces of the sandbox.

use std::io;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use perennial_domain::clientpay::AccessId;
use rusqlite::Connection;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::clock::{Clock, ClockChange, ClockError, Goal, Mode, Moment};
use crate::credentials::Credentials;
use crate::delivery::{Delivery, signer};
use crate::engine::ClockChangeResult;
use crate::engine::{self, SLICE};
use crate::fault::{Fault, Faults, StaleCopy, StandingFault};
use crate::options::GatewayOptions;
use crate::requests::Requests;
use crate::seed::{Seed, hash};
use crate::spool::{Spool, Spooled};
use crate::store::clientpay::access::AccessIdRecord;
use crate::store::session::Session;
use crate::store::snapshot::erase;
use crate::store::snapshot::restart;
use crate::store::world::{Admission, Start, WorldKey, WorldRow};
use crate::store::{Store, StoreError};
use crate::webhook::{Delivered, DeliveryQueue, Until};

/// The store and the start options.
pub(crate) struct Gateway {
    pub(crate) store: Store,
    pub(crate) requests: Arc<Requests>,
    pub(crate) admission: Admission,
    pub(crate) any_card: bool,
    /// The start time of the frozen clocks of worlds that a key opens; `None` if these clocks run.
    pub(crate) frozen_at: Option<Moment>,
    /// The options of worlds that a key opens.
    pub(crate) options: GatewayOptions,
    /// Host names besides the loopback's that a request may use.
    pub(crate) hosts: Vec<String>,
    pub(crate) faults: Arc<Faults>,
    pub(crate) deliveries: Arc<DeliveryQueue>,
    /// The time limit for an answer of a webhook endpoint.
    pub(crate) patience: Duration,
    /// Whether the sandbox is stopping.
    pub(crate) stopped: watch::Receiver<bool>,
    /// The permit to write the state of a world: a state may be large, and other calls run between two of them.
    pub(crate) states: Semaphore,
    /// Calls whose clients got no answer before execution.
    pub(crate) late: Mutex<JoinSet<()>>,
}

/// Options of a world to create.
///
/// Without a seed the world gets a fresh one; without `now` it begins at 2027-01-01T00:00:00Z. A seed that was used
/// before restarts its world.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorldOptions {
    /// The number that all keys, ids and codes of the world are derived from.
    pub seed: Option<u64>,
    /// The initial time of its clock.
    pub now: Option<Moment>,
    /// The gateway options of the world.
    pub gateway: GatewayOptions,
}

/// The result of moving a clock, after everything due by then has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fired {
    /// The time of the clock.
    pub now: Moment,
    /// The number of payments made.
    pub fired: u64,
    /// The number of approved payments.
    pub approved: u64,
    /// The number of declined payments.
    pub declined: u64,
}

impl Gateway {
    /// The initial state of a world that its key opens.
    pub(crate) fn start(&self) -> Start {
        Start { clock: self.frozen_at.map_or(Clock::Running(0), Clock::Frozen), gateway: self.options }
    }

    /// Creates the world of a seed, or restarts it.
    pub(crate) async fn make_world(&self, options: &WorldOptions) -> Result<Credentials, StoreError> {
        let seed = options.seed.map_or_else(Seed::fresh, Seed);
        let credentials = Credentials::of(seed);
        let clock = Clock::Frozen(options.now.unwrap_or(Moment::first()));
        let start = Start { clock, gateway: options.gateway };
        let hash = hash(credentials.api_key.expose());
        let end = WorldKey::end_of(&credentials.api_key);
        let faults = self.faults.clone();
        let world = self
            .store
            .run(move |connection| {
                let Some(row) = WorldRow::find(connection, &hash)? else {
                    return WorldRow::create(connection, &hash, end, seed, start, true).map(|row| row.id);
                };
                erase_copies(connection, &faults.forget(&hash))?;
                restart(connection, row.id, Some(start)).map(|()| row.id)
            })
            .await?;
        self.requests.forget(world);
        Ok(credentials)
    }

    /// Creates the world of a seed unless it exists.
    pub(crate) async fn ensure_world(&self, seed: Seed) -> Result<Credentials, StoreError> {
        let credentials = Credentials::of(seed);
        let hash = hash(credentials.api_key.expose());
        let end = WorldKey::end_of(&credentials.api_key);
        let start = Start { clock: Clock::Frozen(Moment::first()), gateway: self.options };
        self.store
            .run(move |connection| match WorldRow::find(connection, &hash)? {
                Some(_) => Ok(()),
                None => WorldRow::create(connection, &hash, end, seed, start, true).map(|_| ()),
            })
            .await?;
        Ok(credentials)
    }

    /// Runs a job in the world of a key; returns `None` if the key opens no world. Due payments are made first, slice
    /// by slice, so that other worlds run in between.
    pub(crate) async fn with_world<T: Send + 'static>(
        &self,
        world_key: WorldKey,
        mut work: impl FnOnce(Session<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<Option<T>, StoreError> {
        loop {
            let faults = self.faults.clone();
            // The clock is read in the job, so that none sees an earlier time than the one before it.
            let opened = self.with_row(world_key, move |connection, row| {
                match engine::open(connection, row, Moment::real(), &faults, SLICE)? {
                    Some(session) => work(session).map(Ok),
                    None => Ok(Err(work)),
                }
            });
            match opened.await? {
                None => return Ok(None),
                Some(Ok(result)) => return Ok(Some(result)),
                Some(Err(waiting)) => work = waiting,
            }
        }
    }

    /// The world key of an access id, while the id is live.
    pub(crate) async fn world_key_of(&self, id: AccessId) -> Result<Option<WorldKey>, StoreError> {
        let record = self.store.run(move |connection| AccessIdRecord::find(connection, &id)).await?;
        Ok(record.filter(|record| record.is_live).map(|record| record.world_key))
    }

    async fn with_row<T: Send + 'static>(
        &self,
        world_key: WorldKey,
        work: impl FnOnce(&Connection, &WorldRow) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<Option<T>, StoreError> {
        let (admission, start, deliveries) = (self.admission.clone(), self.start(), self.deliveries.clone());
        self.store
            .run(move |connection| {
                let Some(row) = WorldRow::admit(connection, world_key, &admission, start)? else {
                    return Ok(None);
                };
                let result = work(connection, &row)?;
                deliveries.notify_if_alerts_wait(connection, &row)?;
                Ok(Some(result))
            })
            .await
    }

    /// Moves a world's clock, slice by slice, so that other worlds run in between. After each slice the world
    /// is at a moment of its own with its alerts delivered, and stays there if the slice is the last.
    pub(crate) async fn change_clock(
        &self,
        world_key: WorldKey,
        change: ClockChange,
    ) -> Result<Option<Result<Fired, ClockError>>, StoreError> {
        let (mut total, mut goal) = (engine::PaymentCounts::default(), None);
        let mut guard = self.deliveries.guard(world_key.hash).await;
        loop {
            let (faults, hangs) = (self.faults.clone(), guard.hangs());
            let slice = self.with_row(world_key, move |connection, row| {
                let session = Session::open(connection, row, Moment::real());
                let here = Goal { clock: session.clock, month_day: session.month_day };
                let goal = match goal {
                    None => match change.of(here, session.real, session.gateway.charge_hour) {
                        Ok(goal) => goal,
                        Err(error) => return Ok(Err(error)),
                    },
                    // Another call has moved it further in the meantime.
                    Some(Goal { clock, .. }) if clock.now(session.real) < session.now => here,
                    Some(goal) => goal,
                };
                let (session, result) = engine::change_clock(session, &faults, goal, SLICE, !hangs)?;
                Ok(Ok((goal, session.now, result)))
            });
            let (went, now, ClockChangeResult { fired, settled }) = match slice.await? {
                None => return Ok(None),
                Some(Err(error)) => return Ok(Some(Err(error))),
                Some(Ok(slice)) => slice,
            };
            total += fired;
            goal = Some(went);
            // A clock change waits for one attempt that hangs, and leaves the rest to the delivery task.
            let runs = guard.hangs()
                || !matches!(self.deliver(&mut guard, Until::OneHangs).await?, Delivered::All(None));
            if settled {
                if runs {
                    self.deliveries.notify(world_key.hash);
                }
                let engine::PaymentCounts { approved, declined } = total;
                return Ok(Some(Ok(Fired { now, fired: total.payments(), approved, declined })));
            }
        }
    }

    /// Empties a world and restarts it from its initial state.
    pub(crate) async fn reset(&self, world_key: WorldKey) -> Result<Option<()>, StoreError> {
        let faults = self.faults.clone();
        let world = self
            .with_world(world_key, move |session| {
                erase_copies(session.connection, &faults.forget(&session.key_hash))?;
                restart(session.connection, session.world, None).map(|()| session.world)
            })
            .await?;
        Ok(world.map(|world| self.requests.forget(world)))
    }

    /// Removes a world. Its key may then open a new one, if keys may.
    pub(crate) async fn delete(&self, world_key: WorldKey) -> Result<Option<()>, StoreError> {
        let faults = self.faults.clone();
        let world = self
            .with_world(world_key, move |session| {
                erase_copies(session.connection, &faults.forget(&session.key_hash))?;
                session.delete().map(|()| session.world)
            })
            .await?;
        Ok(world.map(|world| self.requests.forget(world)))
    }

    /// The state of a world. The inner result fails if there is no space for temporary files.
    pub(crate) async fn state(&self, world_key: WorldKey) -> Result<Option<io::Result<Spooled>>, StoreError> {
        let _permit = self.states.acquire().await.map_err(|_| StoreError::Closed)?;
        self.with_world(world_key, |session| {
            let mut spool = Spool::new();
            session.write_state(&mut |text| spool.push(text))?;
            Ok(spool.finish())
        })
        .await
    }

    /// The last requests of a world, newest first. The inner result fails if there is no space for temporary files.
    pub(crate) async fn request_log(
        &self,
        world_key: WorldKey,
        limit: usize,
    ) -> Result<Option<io::Result<Spooled>>, StoreError> {
        let world = self.with_world(world_key, |session| Ok(session.world)).await?;
        Ok(world.map(|world| {
            let (mut spool, mut opens) = (Spool::new(), "[");
            for entry in self.requests.newest(world, limit) {
                spool.push(opens.as_bytes());
                spool.push(entry.to_json().to_string().as_bytes());
                opens = ",";
            }
            spool.push(if opens == "[" { b"[]" } else { b"]" });
            spool.finish()
        }))
    }

    /// Takes a snapshot of a world and returns its id.
    pub(crate) async fn snapshot(&self, world_key: WorldKey) -> Result<Option<String>, StoreError> {
        let requests = self.requests.clone();
        self.with_world(world_key, move |session| {
            session.take_snapshot(requests.last_exchange(session.world))
        })
        .await
    }

    /// Restores a world from a snapshot and returns the time of its clock.
    pub(crate) async fn restore(
        &self,
        world_key: WorldKey,
        id: String,
    ) -> Result<Option<Result<(Moment, Mode), NoSnapshot>>, StoreError> {
        let (requests, deliveries) = (self.requests.clone(), self.deliveries.clone());
        self.with_world(world_key, move |session| {
            let Some((clock, exchanges)) = session.restore(&id)? else { return Ok(Err(NoSnapshot)) };
            requests.count_from(session.world, exchanges);
            deliveries.notify(session.key_hash);
            Ok(Ok((clock.now(session.real), clock.mode())))
        })
        .await
    }

    /// Sets a valid fault in a world, and returns its id.
    pub(crate) async fn set_fault(
        &self,
        world_key: WorldKey,
        fault: Fault,
    ) -> Result<Option<String>, StoreError> {
        let faults = self.faults.clone();
        self.with_world(world_key, move |session| {
            let copy = if fault.reads_stale() {
                let place = session.copy_apart(faults.next_copy())?;
                Some(StaleCopy { place, now: session.now })
            } else {
                None
            };
            Ok(faults.set(session.key_hash, fault, copy))
        })
        .await
    }

    /// Faults of a world, oldest first.
    pub(crate) async fn faults(&self, world_key: WorldKey) -> Result<Option<Vec<StandingFault>>, StoreError> {
        let faults = self.faults.clone();
        self.with_world(world_key, move |session| Ok(faults.standing(&session.key_hash))).await
    }

    /// Clears all faults of a world, or the one of this id, and returns their number.
    pub(crate) async fn clear_faults(
        &self,
        world_key: WorldKey,
        id: Option<String>,
    ) -> Result<Option<usize>, StoreError> {
        let faults = self.faults.clone();
        self.with_world(world_key, move |session| {
            let which = |other: &str| id.as_ref().is_none_or(|id| id == other);
            let (cleared, copies) = faults.clear(&session.key_hash, which);
            erase_copies(session.connection, &copies)?;
            Ok(cleared)
        })
        .await
    }

    /// Sets the webhook of a world, and returns the public key that verifies its alerts.
    pub(crate) async fn set_webhook(
        &self,
        world_key: WorldKey,
        url: String,
    ) -> Result<Option<String>, StoreError> {
        let deliveries = self.deliveries.clone();
        self.with_world(world_key, move |session| {
            session.set_webhook(&url)?;
            deliveries.notify(session.key_hash);
            Ok(signer(session.seed).public_key().to_string())
        })
        .await
    }

    pub(crate) async fn remove_webhook(&self, world_key: WorldKey) -> Result<Option<()>, StoreError> {
        self.with_world(world_key, |session| session.remove_webhook()).await
    }

    /// The webhook of a world: the URL, the public key that verifies alerts, and the last deliveries, newest first.
    pub(crate) async fn webhook(
        &self,
        world_key: WorldKey,
        limit: usize,
    ) -> Result<Option<Webhook>, StoreError> {
        self.with_world(world_key, move |session| {
            Ok(Webhook {
                url: session.webhook()?,
                public_key: signer(session.seed).public_key().to_string(),
                deliveries: session.deliveries(limit)?,
            })
        })
        .await
    }

    /// Waits in real time, at most until the sandbox stops.
    pub(crate) async fn pause(&self, delay: Duration) {
        let mut stopped = self.stopped.clone();
        tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => {}
            () = tokio::time::sleep(delay) => {}
        }
    }

    /// Runs work in the background.
    pub(crate) fn later(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut late = self.late.lock().unwrap_or_else(PoisonError::into_inner);
        while late.try_join_next().is_some() {}
        late.spawn(work);
    }

    /// Waits for the background work.
    pub(crate) async fn finish_late(&self) {
        let mut late = mem::take(&mut *self.late.lock().unwrap_or_else(PoisonError::into_inner));
        while late.join_next().await.is_some() {}
    }
}

fn erase_copies(connection: &Connection, copies: &[StaleCopy]) -> rusqlite::Result<()> {
    copies.iter().try_for_each(|copy| erase(connection, copy.place))
}

/// The webhook state of a world.
pub(crate) struct Webhook {
    pub(crate) url: Option<String>,
    pub(crate) public_key: String,
    pub(crate) deliveries: Vec<Delivery>,
}

/// The world has no snapshot of this id.
pub(crate) struct NoSnapshot;
