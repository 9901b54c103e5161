//! What the sandbox is, whichever door a request comes through.

use std::io;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use perennial_domain::clearent::ApiKey;
use perennial_domain::clientpay::AccessId;
use rusqlite::Connection;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::clock::{Clock, ClockError, Goal, Mode, Moment, Turn};
use crate::engine::{self, SLICE};
use crate::fault::{Aside, Fault, Faults, StandingFault};
use crate::options::GatewayOptions;
use crate::requests::Requests;
use crate::seed::{Seed, hash};
use crate::spool::{Spool, Spooled};
use crate::store::clientpay::access::Pass;
use crate::store::snapshot::erase;
use crate::store::{Store, StoreError};
use crate::webhook::{Couriers, Delivered, Delivery, Until, signer};
use crate::world::{Admission, Knock, Ledger, Row, Start, Turned, restart};

/// The store, and what a start was told.
pub(crate) struct Gateway {
    pub(crate) store: Store,
    pub(crate) requests: Arc<Requests>,
    pub(crate) admission: Admission,
    pub(crate) any_card: bool,
    /// Where the clocks of worlds stand that their key opens; they run if nothing was said.
    pub(crate) frozen_at: Option<Moment>,
    /// The settings of worlds that their key opens.
    pub(crate) options: GatewayOptions,
    /// Names besides the loopback's that a request's `Host` may be.
    pub(crate) hosts: Vec<String>,
    pub(crate) faults: Arc<Faults>,
    pub(crate) couriers: Arc<Couriers>,
    /// How long the endpoint of a webhook may take to answer.
    pub(crate) patience: Duration,
    /// Whether the sandbox is told to stop.
    pub(crate) stopped: watch::Receiver<bool>,
    /// The permit to write the state of a world: one may be large, and other calls have their turn between two.
    pub(crate) states: Semaphore,
    /// Calls whose clients were left without an answer before they were executed.
    pub(crate) late: Mutex<JoinSet<()>>,
}

/// A world to make.
///
/// Without a seed it is a world of its own, and without `now` it begins at 2027-01-01T00:00:00Z. A seed that was used
/// before starts its world afresh.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorldOptions {
    /// The number that all keys, ids and codes of the world are derived from.
    pub seed: Option<u64>,
    /// Where its clock stands at first.
    pub now: Option<Moment>,
    /// What the vendor does not say of its gateway.
    pub gateway: GatewayOptions,
}

/// What moving a clock did, once everything due by then has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fired {
    /// What the clock shows.
    pub now: Moment,
    /// How many payments were made.
    pub fired: u64,
    /// How many of them were approved.
    pub approved: u64,
    /// How many of them were declined.
    pub declined: u64,
}

impl Gateway {
    /// How a world begins that its key opens.
    pub(crate) fn start(&self) -> Start {
        Start { clock: self.frozen_at.map_or(Clock::Running(0), Clock::Frozen), gateway: self.options }
    }

    /// Makes the world of a seed, or starts it afresh.
    pub(crate) async fn make_world(&self, options: &WorldOptions) -> Result<Credentials, StoreError> {
        let seed = options.seed.map_or_else(Seed::fresh, Seed);
        let credentials = Credentials::of(seed);
        let clock = Clock::Frozen(options.now.unwrap_or(Moment::first()));
        let start = Start { clock, gateway: options.gateway };
        let hash = hash(credentials.api_key.expose());
        let end = Knock::end_of(&credentials.api_key);
        let faults = self.faults.clone();
        let world = self
            .store
            .run(move |connection| {
                let Some(row) = Row::find(connection, &hash)? else {
                    return Row::create(connection, &hash, end, seed, start, true).map(|row| row.id);
                };
                erase_asides(connection, &faults.forget(&hash))?;
                restart(connection, row.id, Some(start)).map(|()| row.id)
            })
            .await?;
        self.requests.forget(world);
        Ok(credentials)
    }

    /// Makes sure that the world of a seed is there, and leaves it as it is if it was.
    pub(crate) async fn keep_world(&self, seed: Seed) -> Result<Credentials, StoreError> {
        let credentials = Credentials::of(seed);
        let hash = hash(credentials.api_key.expose());
        let end = Knock::end_of(&credentials.api_key);
        let start = Start { clock: Clock::Frozen(Moment::first()), gateway: self.options };
        self.store
            .run(move |connection| match Row::find(connection, &hash)? {
                Some(_) => Ok(()),
                None => Row::create(connection, &hash, end, seed, start, true).map(|_| ()),
            })
            .await?;
        Ok(credentials)
    }

    /// Opens a key's books and does something there; nothing if the key opens none. What became due before is made slice
    /// by slice, so that other worlds have their turn in between.
    pub(crate) async fn with_world<T: Send + 'static>(
        &self,
        knock: Knock,
        mut work: impl FnOnce(Ledger<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<Option<T>, StoreError> {
        loop {
            let faults = self.faults.clone();
            // The clock is read in the job, so that none sees an earlier time than the one before it.
            let opened = self.with_row(knock, move |connection, row| {
                match Ledger::open(connection, row, Moment::real(), &faults, SLICE)? {
                    Some(ledger) => work(ledger).map(Ok),
                    None => Ok(Err(work)),
                }
            });
            match opened.await? {
                None => return Ok(None),
                Some(Ok(made)) => return Ok(Some(made)),
                Some(Err(waiting)) => work = waiting,
            }
        }
    }

    /// How the world of an access id is knocked at, while the id is live.
    pub(crate) async fn knock_of(&self, id: AccessId) -> Result<Option<Knock>, StoreError> {
        let pass = self.store.run(move |connection| Pass::find(connection, &id)).await?;
        Ok(pass.filter(|pass| pass.is_live).map(|pass| pass.knock))
    }

    async fn with_row<T: Send + 'static>(
        &self,
        knock: Knock,
        work: impl FnOnce(&Connection, &Row) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<Option<T>, StoreError> {
        let (admission, start, couriers) = (self.admission.clone(), self.start(), self.couriers.clone());
        self.store
            .run(move |connection| {
                let Some(row) = Row::admit(connection, knock, &admission, start)? else { return Ok(None) };
                let made = work(connection, &row)?;
                couriers.ring_if_alerts_wait(connection, &row)?;
                Ok(Some(made))
            })
            .await
    }

    /// Turns a key's clock, slice by slice, so that other worlds have their turn in between. After each slice the world
    /// stands at a moment of its own, with its alerts delivered, and stays there if it is the last.
    pub(crate) async fn turn(
        &self,
        knock: Knock,
        turn: Turn,
    ) -> Result<Option<Result<Fired, ClockError>>, StoreError> {
        let (mut total, mut goal) = (engine::Fired::default(), None);
        let mut round = self.couriers.round(knock.hash).await;
        loop {
            let (faults, hangs) = (self.faults.clone(), round.hangs());
            let slice = self.with_row(knock, move |connection, row| {
                let ledger = Ledger::open_unfired(connection, row, Moment::real(), &faults);
                let here = Goal { clock: ledger.clock, month_day: ledger.month_day };
                let goal = match goal {
                    None => match turn.of(here, ledger.real) {
                        Ok(goal) => goal,
                        Err(error) => return Ok(Err(error)),
                    },
                    // Somebody else turned it further meanwhile.
                    Some(Goal { clock, .. }) if clock.now(ledger.real) < ledger.now => here,
                    Some(goal) => goal,
                };
                let (ledger, turned) = ledger.turn_and_tell(goal, SLICE, !hangs)?;
                Ok(Ok((goal, ledger.now, turned)))
            });
            let (went, now, Turned { fired, settled }) = match slice.await? {
                None => return Ok(None),
                Some(Err(error)) => return Ok(Some(Err(error))),
                Some(Ok(slice)) => slice,
            };
            total += fired;
            goal = Some(went);
            // A turn waits for one attempt that hangs, and leaves the rest to the courier.
            let runs = round.hangs()
                || !matches!(self.deliver(&mut round, Until::OneHangs).await?, Delivered::All(None));
            if settled {
                if runs {
                    self.couriers.ring(knock.hash);
                }
                let engine::Fired { approved, declined } = total;
                return Ok(Some(Ok(Fired { now, fired: total.payments(), approved, declined })));
            }
        }
    }

    /// Empties a key's world and starts it as it began.
    pub(crate) async fn reset(&self, knock: Knock) -> Result<Option<()>, StoreError> {
        let world = self
            .with_world(knock, |ledger| {
                erase_asides(ledger.connection, &ledger.faults.forget(&ledger.key_hash))?;
                restart(ledger.connection, ledger.world, None).map(|()| ledger.world)
            })
            .await?;
        Ok(world.map(|world| self.requests.forget(world)))
    }

    /// Removes a key's world; the key opens a new one, if it may.
    pub(crate) async fn delete(&self, knock: Knock) -> Result<Option<()>, StoreError> {
        let world = self
            .with_world(knock, |ledger| {
                erase_asides(ledger.connection, &ledger.faults.forget(&ledger.key_hash))?;
                ledger.delete().map(|()| ledger.world)
            })
            .await?;
        Ok(world.map(|world| self.requests.forget(world)))
    }

    /// The state of a key's world. It fails within if temporary files have no room.
    pub(crate) async fn state(&self, knock: Knock) -> Result<Option<io::Result<Spooled>>, StoreError> {
        let _permit = self.states.acquire().await.map_err(|_| StoreError::Closed)?;
        self.with_world(knock, |ledger| {
            let mut spool = Spool::new();
            ledger.write_state(&mut |text| spool.push(text))?;
            Ok(spool.finish())
        })
        .await
    }

    /// The last requests of a key's world, newest first. It fails within if temporary files have no room.
    pub(crate) async fn request_log(
        &self,
        knock: Knock,
        limit: usize,
    ) -> Result<Option<io::Result<Spooled>>, StoreError> {
        let world = self.with_world(knock, |ledger| Ok(ledger.world)).await?;
        Ok(world.map(|world| {
            let (mut spool, mut opens) = (Spool::new(), "[");
            for entry in self.requests.newest(world, limit) {
                spool.push(opens.as_bytes());
                spool.push(entry.shown().to_string().as_bytes());
                opens = ",";
            }
            spool.push(if opens == "[" { b"[]" } else { b"]" });
            spool.finish()
        }))
    }

    /// Keeps a key's world as it is, and says under which id.
    pub(crate) async fn snapshot(&self, knock: Knock) -> Result<Option<String>, StoreError> {
        let requests = self.requests.clone();
        self.with_world(knock, move |ledger| ledger.keep(requests.last_exchange(ledger.world))).await
    }

    /// Makes a key's world what it was when this snapshot was taken, and says what its clock shows.
    pub(crate) async fn restore(
        &self,
        knock: Knock,
        id: String,
    ) -> Result<Option<Result<(Moment, Mode), NoSnapshot>>, StoreError> {
        let (requests, couriers) = (self.requests.clone(), self.couriers.clone());
        self.with_world(knock, move |ledger| {
            let Some((clock, exchanges)) = ledger.restore(&id)? else { return Ok(Err(NoSnapshot)) };
            requests.count_from(ledger.world, exchanges);
            couriers.ring(ledger.key_hash);
            Ok(Ok((clock.now(ledger.real), clock.mode())))
        })
        .await
    }

    /// Sets a fault that is right in a key's world, and says its id.
    pub(crate) async fn set_fault(&self, knock: Knock, fault: Fault) -> Result<Option<String>, StoreError> {
        self.with_world(knock, move |ledger| {
            let aside = if fault.reads_stale() { Some(ledger.set_aside()?) } else { None };
            Ok(ledger.faults.set(ledger.key_hash, fault, aside))
        })
        .await
    }

    /// The faults of a key's world, oldest first.
    pub(crate) async fn faults(&self, knock: Knock) -> Result<Option<Vec<StandingFault>>, StoreError> {
        self.with_world(knock, |ledger| Ok(ledger.faults.standing(&ledger.key_hash))).await
    }

    /// Clears the faults of a key's world, or the one of this id, and says how many there were.
    pub(crate) async fn clear_faults(
        &self,
        knock: Knock,
        id: Option<String>,
    ) -> Result<Option<usize>, StoreError> {
        self.with_world(knock, move |ledger| {
            let which = |other: &str| id.as_ref().is_none_or(|id| id == other);
            let (cleared, asides) = ledger.faults.clear(&ledger.key_hash, which);
            erase_asides(ledger.connection, &asides)?;
            Ok(cleared)
        })
        .await
    }

    /// Sends the alerts of a key's world there, and says which key verifies them.
    pub(crate) async fn set_webhook(&self, knock: Knock, url: String) -> Result<Option<String>, StoreError> {
        let couriers = self.couriers.clone();
        self.with_world(knock, move |ledger| {
            ledger.set_webhook(&url)?;
            couriers.ring(ledger.key_hash);
            Ok(signer(ledger.seed).public_key().to_string())
        })
        .await
    }

    pub(crate) async fn remove_webhook(&self, knock: Knock) -> Result<Option<()>, StoreError> {
        self.with_world(knock, |ledger| ledger.remove_webhook()).await
    }

    /// Where the alerts of a key's world are sent, which key verifies them, and the last deliveries, newest first.
    pub(crate) async fn webhook(&self, knock: Knock, limit: usize) -> Result<Option<Webhook>, StoreError> {
        self.with_world(knock, move |ledger| {
            Ok(Webhook {
                url: ledger.webhook()?,
                public_key: signer(ledger.seed).public_key().to_string(),
                deliveries: ledger.deliveries(limit)?,
            })
        })
        .await
    }

    /// Waits in real time, until the sandbox is stopped at the latest.
    pub(crate) async fn pause(&self, delay: Duration) {
        let mut stopped = self.stopped.clone();
        tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => {}
            () = tokio::time::sleep(delay) => {}
        }
    }

    /// Does something that no client waits for.
    pub(crate) fn later(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut late = self.late.lock().unwrap_or_else(PoisonError::into_inner);
        while late.try_join_next().is_some() {}
        late.spawn(work);
    }

    /// Waits for what no client waits for.
    pub(crate) async fn finish_late(&self) {
        let mut late = mem::take(&mut *self.late.lock().unwrap_or_else(PoisonError::into_inner));
        while late.join_next().await.is_some() {}
    }
}

fn erase_asides(connection: &Connection, asides: &[Aside]) -> rusqlite::Result<()> {
    asides.iter().try_for_each(|aside| erase(connection, aside.place))
}

/// What a world says of its alerts.
pub(crate) struct Webhook {
    pub(crate) url: Option<String>,
    pub(crate) public_key: String,
    pub(crate) deliveries: Vec<Delivery>,
}

/// A world has no snapshot of this id.
pub(crate) struct NoSnapshot;

/// What a world answers to, all derived from its seed.
pub(crate) struct Credentials {
    pub(crate) api_key: ApiKey,
    pub(crate) integrator_key: String,
    pub(crate) account_key: String,
    pub(crate) account_pin: String,
}

impl Credentials {
    pub(crate) fn of(seed: Seed) -> Self {
        Self {
            api_key: ApiKey::new(&seed.hex("api-key")).expect("32 hexadecimal digits are a key"),
            integrator_key: seed.uuid("integrator-key", 0),
            account_key: seed.uuid("account-key", 0),
            account_pin: seed.digits("account-pin", 0, 6),
        }
    }

    /// Those of the world that a key opens.
    pub(crate) fn of_key(api_key: ApiKey) -> Self {
        let others = Self::of(Seed::of_hash(&hash(api_key.expose())));
        Self { api_key, ..others }
    }
}
