//! What the sandbox is, whichever door a request comes through.

use std::sync::Arc;

use perennial_domain::clearent::ApiKey;
use rusqlite::Connection;

use crate::clock::{Clock, ClockError, Mode, Moment, Turn};
use crate::engine;
use crate::requests::Requests;
use crate::seed::{Seed, hash};
use crate::store::{Store, StoreError};
use crate::world::{Admission, Knock, Ledger, Row, Turned, restart};

/// The most payments that one world makes before others have their turn: some hundredths of a second's work.
const SLICE: u64 = 500;

/// The store, and what a start was told.
pub(crate) struct Gateway {
    pub(crate) store: Store,
    pub(crate) requests: Arc<Requests>,
    pub(crate) admission: Admission,
    pub(crate) any_card: bool,
    /// Where the clocks of worlds stand that their key opens; they run if nothing was said.
    pub(crate) frozen_at: Option<Moment>,
    /// Names besides the loopback's that a request's `Host` may be.
    pub(crate) hosts: Vec<String>,
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
    /// The clock of a world that its key opens.
    pub(crate) fn start(&self) -> Clock {
        self.frozen_at.map_or(Clock::Running(0), Clock::Frozen)
    }

    /// Makes the world of a seed, or starts it afresh.
    pub(crate) async fn make_world(&self, options: &WorldOptions) -> Result<Credentials, StoreError> {
        let seed = options.seed.map_or_else(Seed::fresh, Seed);
        let credentials = Credentials::of(seed);
        let clock = Clock::Frozen(options.now.unwrap_or(Moment::first()));
        let hash = hash(credentials.api_key.expose());
        let world = self
            .store
            .run(move |connection| match Row::find(connection, &hash)? {
                Some(row) => restart(connection, row.id, Some(clock)).map(|()| row.id),
                None => Row::create(connection, &hash, seed, clock, true).map(|row| row.id),
            })
            .await?;
        self.requests.forget(world);
        Ok(credentials)
    }

    /// Makes sure that the world of a seed is there, and leaves it as it is if it was.
    pub(crate) async fn keep_world(&self, seed: Seed) -> Result<Credentials, StoreError> {
        let credentials = Credentials::of(seed);
        let hash = hash(credentials.api_key.expose());
        self.store
            .run(move |connection| match Row::find(connection, &hash)? {
                Some(_) => Ok(()),
                None => {
                    Row::create(connection, &hash, seed, Clock::Frozen(Moment::first()), true).map(|_| ())
                }
            })
            .await?;
        Ok(credentials)
    }

    /// Opens a key's books and does something there; nothing if the key opens none.
    pub(crate) async fn with_world<T: Send + 'static>(
        &self,
        knock: Knock,
        work: impl FnOnce(Ledger<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<Option<T>, StoreError> {
        self.with_row(knock, move |connection, row| work(Ledger::open(connection, row, Moment::real())?))
            .await
    }

    async fn with_row<T: Send + 'static>(
        &self,
        knock: Knock,
        work: impl FnOnce(&Connection, &Row) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<Option<T>, StoreError> {
        let (admission, start) = (self.admission.clone(), self.start());
        self.store
            .run(move |connection| {
                let row = Row::admit(connection, knock, &admission, start)?;
                row.map(|row| work(connection, &row)).transpose()
            })
            .await
    }

    /// Turns a key's clock, slice by slice, so that other worlds have their turn in between. After each slice the world
    /// stands at a moment of its own, and stays there if it is the last.
    pub(crate) async fn turn(
        &self,
        knock: Knock,
        turn: Turn,
    ) -> Result<Option<Result<Fired, ClockError>>, StoreError> {
        let (mut total, mut goal) = (engine::Fired::default(), None);
        loop {
            let slice = self.with_row(knock, move |connection, row| {
                let ledger = Ledger::open_unfired(connection, row, Moment::real());
                let goal = match goal {
                    None => match turn.of(ledger.clock, ledger.real) {
                        Ok(goal) => goal,
                        Err(error) => return Ok(Err(error)),
                    },
                    // Somebody else turned it further meanwhile.
                    Some(goal) if Clock::now(goal, ledger.real) < ledger.now => ledger.clock,
                    Some(goal) => goal,
                };
                let (ledger, turned) = ledger.turn(goal, SLICE)?;
                Ok(Ok((goal, ledger.now, turned)))
            });
            let (went, now, Turned { fired, settled }) = match slice.await? {
                None => return Ok(None),
                Some(Err(error)) => return Ok(Some(Err(error))),
                Some(Ok(slice)) => slice,
            };
            total += fired;
            goal = Some(went);
            if settled {
                let engine::Fired { approved, declined } = total;
                return Ok(Some(Ok(Fired { now, fired: total.payments(), approved, declined })));
            }
        }
    }

    /// Empties a key's world and starts it as it began.
    pub(crate) async fn reset(&self, knock: Knock) -> Result<Option<()>, StoreError> {
        let world = self
            .with_world(knock, |ledger| restart(ledger.connection, ledger.world, None).map(|()| ledger.world))
            .await?;
        Ok(world.map(|world| self.requests.forget(world)))
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
        let requests = self.requests.clone();
        self.with_world(knock, move |ledger| {
            let Some((clock, exchanges)) = ledger.restore(&id)? else { return Ok(Err(NoSnapshot)) };
            requests.count_from(ledger.world, exchanges);
            Ok(Ok((clock.now(ledger.real), clock.mode())))
        })
        .await
    }
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
    fn of(seed: Seed) -> Self {
        Self {
            api_key: ApiKey::new(&seed.hex("api-key")).expect("32 hexadecimal digits are a key"),
            integrator_key: seed.uuid("integrator-key", 0),
            account_key: seed.uuid("account-key", 0),
            account_pin: seed.digits("account-pin", 0, 6),
        }
    }
}
