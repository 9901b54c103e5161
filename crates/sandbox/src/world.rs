//! A world: what one key sees, and nothing of any other.

use perennial_domain::clearent::ApiKey;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Result, params};
use serde_json::{Map, Value as Json, json};

use crate::clearent::outcome::Outcome;
use crate::clock::{Clock, Goal, Moment};
use crate::fault::{Aside, Faults};
use crate::members::given;
use crate::options::GatewayOptions;
use crate::seed::Seed;
use crate::store::clientpay::access::Door;
use crate::store::row::{cents, read_amount};
use crate::store::snapshot::{erase, forget};
use crate::store::{WORLD_TABLES, within_savepoint};
use crate::{engine, engine::Fired};

/// A world's row.
pub(crate) struct Row {
    pub(crate) id: i64,
    pub(crate) key_hash: [u8; 32],
    pub(crate) seed: Seed,
    pub(crate) clock: Clock,
    /// The day of the month that further months keep, as [`Goal`] has it.
    pub(crate) month_day: Option<u32>,
    pub(crate) gateway: GatewayOptions,
    /// Whether someone asked for it, and not just used a key.
    asked_for: bool,
    /// How often the database was opened since the world began, then included.
    opened: u64,
}

/// Which keys open a world that does not exist yet.
#[derive(Clone)]
pub(crate) enum Admission {
    /// Any of 32 hexadecimal digits.
    Any,
    /// These only, known by their hashes. Worlds that were asked for are open too.
    Only(Vec<[u8; 32]>),
}

impl Admission {
    fn opens(&self, hash: &[u8; 32], well_formed: bool) -> bool {
        match self {
            Self::Any => well_formed,
            Self::Only(hashes) => hashes.contains(hash),
        }
    }
}

/// A key as it knocks.
#[derive(Clone, Copy)]
pub(crate) struct Knock {
    pub(crate) hash: [u8; 32],
    /// Whether the key has 32 hexadecimal digits.
    pub(crate) well_formed: bool,
    /// The last four characters of an API key, by which people tell worlds apart.
    pub(crate) end: Option<[u8; 4]>,
}

impl Knock {
    /// The key of a world that is there.
    pub(crate) fn of(hash: [u8; 32]) -> Self {
        Self { hash, well_formed: true, end: None }
    }

    /// The API key's last four characters.
    pub(crate) fn end_of(key: &ApiKey) -> Option<[u8; 4]> {
        key.expose().as_bytes().last_chunk().copied()
    }
}

impl Row {
    /// The world of this key, made at its first use; nothing if the key opens none.
    pub(crate) fn admit(
        connection: &Connection,
        knock: Knock,
        admission: &Admission,
        start: Start,
    ) -> Result<Option<Self>> {
        let opens = admission.opens(&knock.hash, knock.well_formed);
        match Self::find(connection, &knock.hash)? {
            Some(row) if opens || row.asked_for => Ok(Some(row)),
            None if opens => {
                Self::create(connection, &knock.hash, knock.end, Seed::of_hash(&knock.hash), start, false)
                    .map(Some)
            }
            _ => Ok(None),
        }
    }

    pub(crate) fn find(connection: &Connection, hash: &[u8; 32]) -> Result<Option<Self>> {
        connection
            .prepare_cached(
                "SELECT id, seed, asked_for, mode, at, month_day, retention, partial_amount,
                 (SELECT count FROM openings) - opened_before AS opened FROM worlds WHERE key_hash = ?",
            )?
            .query_row([hash], |row| {
                let seed = Seed(row.get::<_, i64>("seed")?.cast_unsigned());
                Ok(Self {
                    id: row.get("id")?,
                    key_hash: *hash,
                    seed,
                    clock: clock_of(row)?,
                    month_day: row.get("month_day")?,
                    gateway: gateway_of(row)?,
                    asked_for: row.get("asked_for")?,
                    opened: row.get("opened")?,
                })
            })
            .optional()
    }

    /// The hashes of the keys of all worlds with a webhook, or something to deliver elsewhere.
    pub(crate) fn with_alerts(connection: &Connection) -> Result<Vec<[u8; 32]>> {
        let sql = "SELECT key_hash FROM worlds WHERE id IN
                   (SELECT world FROM webhooks UNION SELECT world FROM deliveries WHERE outcome = 'waiting') ORDER BY id";
        connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
    }

    pub(crate) fn create(
        connection: &Connection,
        hash: &[u8; 32],
        end: Option<[u8; 4]>,
        seed: Seed,
        Start { clock, gateway }: Start,
        asked_for: bool,
    ) -> Result<Self> {
        let (mode, at) = columns(clock);
        let GatewayOptions { retention, partial_amount } = gateway;
        connection.execute(
            "INSERT INTO worlds (key_hash, key_end, seed, asked_for, mode, at, first_mode, first_at, retention, partial_amount, opened_before)
             VALUES (?1, ?8, ?2, ?3, ?4, ?5, ?4, ?5, ?6, ?7, (SELECT count - 1 FROM openings))",
            params![hash, seed.0.cast_signed(), asked_for, mode, at, retention.to_string(), cents(partial_amount), end.map(|end| String::from_utf8_lossy(&end).into_owned())],
        )?;
        let id = connection.last_insert_rowid();
        Door::of_world(seed).iter().try_for_each(|door| door.bind(connection, id))?;
        Ok(Self { id, key_hash: *hash, seed, clock, month_day: None, gateway, asked_for, opened: 1 })
    }
}

/// How a world begins.
#[derive(Clone, Copy)]
pub(crate) struct Start {
    pub(crate) clock: Clock,
    pub(crate) gateway: GatewayOptions,
}

/// Empties the world and starts it again: afresh in this way, or in the one that it was made in, to which its snapshots
/// still belong.
pub(crate) fn restart(connection: &Connection, world: i64, start: Option<Start>) -> Result<()> {
    erase(connection, world)?;
    if let Some(Start { clock, gateway: GatewayOptions { retention, partial_amount } }) = start {
        forget(connection, world)?;
        let (mode, at) = columns(clock);
        connection.execute(
            "UPDATE worlds SET asked_for = 1, first_mode = ?, first_at = ?, retention = ?, partial_amount = ? WHERE id = ?",
            params![mode, at, retention.to_string(), cents(partial_amount), world],
        )?;
    }
    let sql =
        "UPDATE worlds SET mode = first_mode, at = first_at, month_day = NULL, opened_before = (SELECT count - 1 FROM openings)
               WHERE id = ?";
    connection.execute(sql, [world]).map(|_| ())
}

/// A clock as the columns `mode` and `at` have it.
pub(crate) fn columns(clock: Clock) -> (&'static str, i64) {
    match clock {
        Clock::Frozen(moment) => ("frozen", moment.millis()),
        Clock::Running(ahead) => ("running", ahead),
    }
}

/// The clock of a row.
pub(crate) fn clock_of(row: &rusqlite::Row<'_>) -> Result<Clock> {
    let (mode, at) = (row.get::<_, String>("mode")?, row.get("at")?);
    Ok(if mode == "frozen" { Clock::Frozen(Moment::from_millis(at)) } else { Clock::Running(at) })
}

/// The gateway's settings of a row.
fn gateway_of(row: &rusqlite::Row<'_>) -> Result<GatewayOptions> {
    Ok(GatewayOptions {
        retention: row.get::<_, String>("retention")?.parse().map_err(|_| rusqlite::Error::InvalidQuery)?,
        partial_amount: read_amount(row, "partial_amount")?,
    })
}

/// What a world counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Customer,
    Token,
    CustomerToken,
    Plan,
    Transaction,
    Payment,
    Batch,
    Alert,
    AccessId,
    RequestId,
    Page,
    ClientPayment,
    Payer,
    Method,
    OneTimeToken,
}

impl Kind {
    pub(crate) fn table(self) -> &'static str {
        match self {
            Self::Customer => "customers",
            Self::Token => "tokens",
            Self::CustomerToken => "customer_tokens",
            Self::Plan => "plans",
            Self::Transaction => "transactions",
            Self::Payment => "payments",
            Self::Batch => "batches",
            Self::Alert => "alerts",
            Self::AccessId => "access_ids",
            Self::RequestId => "request_ids",
            Self::Page => "pages",
            Self::ClientPayment => "clientpay_payments",
            Self::Payer => "payers",
            Self::Method => "methods",
            Self::OneTimeToken => "one_time_tokens",
        }
    }
}

/// What turning a clock did.
#[derive(Clone, Copy)]
pub(crate) struct Turned {
    pub(crate) fired: Fired,
    /// Whether all that is due was done.
    pub(crate) settled: bool,
}

/// The books of a world while a job has them open, at one moment of its clock and with everything due fired.
pub(crate) struct Ledger<'c> {
    pub(crate) connection: &'c Connection,
    pub(crate) world: i64,
    pub(crate) seed: Seed,
    pub(crate) clock: Clock,
    pub(crate) now: Moment,
    /// The day of the month that further months keep, as [`Goal`] has it.
    pub(crate) month_day: Option<u32>,
    pub(crate) gateway: GatewayOptions,
    /// What the machine's clock shows.
    pub(crate) real: Moment,
    pub(crate) faults: &'c Faults,
    /// The hash by which the faults know the world.
    pub(crate) key_hash: [u8; 32],
    /// How often the database was opened since the world began, then included.
    pub(crate) opened: u64,
    /// How a fault makes the charge of this call go.
    pub(crate) decline: Option<Outcome>,
}

impl<'c> Ledger<'c> {
    /// Opens the books after making the payments that became due since they were closed, but no more than this: if
    /// others are to come, the books stay closed.
    pub(crate) fn open(
        connection: &'c Connection,
        row: &Row,
        real: Moment,
        faults: &'c Faults,
        most: u64,
    ) -> Result<Option<Self>> {
        let ledger = Self::open_unfired(connection, row, real, faults);
        let (_, more) = engine::fire(&ledger, most)?;
        Ok(more.is_none().then_some(ledger))
    }

    /// Opens the books as they are, for whoever fires what became due.
    pub(crate) fn open_unfired(
        connection: &'c Connection,
        row: &Row,
        real: Moment,
        faults: &'c Faults,
    ) -> Self {
        let Row { id, key_hash, seed, clock, month_day, gateway, asked_for: _, opened } = *row;
        let now = clock.now(real);
        Self {
            connection,
            world: id,
            seed,
            clock,
            now,
            month_day,
            gateway,
            real,
            faults,
            key_hash,
            opened,
            decline: None,
        }
    }

    /// Sets the clock as a turn does whose endpoint hears of each run before the next.
    #[cfg(test)]
    pub(crate) fn turn(self, to: impl Into<Goal>, most: u64) -> Result<(Self, Turned)> {
        self.turn_and_tell(to, most, true)
    }

    /// Sets the world's clock and makes the payments that are due by then, but no more than this: if others are to
    /// come, the clock stands at the last that was made.
    /// The endpoint of a webhook hears of each run before the next, unless it is not to be waited for.
    pub(crate) fn turn_and_tell(
        self,
        to: impl Into<Goal>,
        most: u64,
        at_once: bool,
    ) -> Result<(Self, Turned)> {
        let Goal { clock, month_day } = to.into();
        let goal = clock.now(self.real);
        let now = if at_once { self.stop_before(goal)? } else { goal.max(self.now) };
        let fired = Self { clock: clock.set(now, self.real), now, ..self };
        let (fired, last) = engine::fire(&fired, most)?;
        let clock = clock.set(last.map_or(now, |last| last.max(self.now)), self.real);
        let settled = last.is_none() && now == goal;
        let month_day = month_day.filter(|_| settled);
        let (mode, at) = columns(clock);
        let sql = "UPDATE worlds SET mode = ?, at = ?, month_day = ? WHERE id = ?";
        self.connection.prepare_cached(sql)?.execute(params![mode, at, month_day, self.world])?;
        let ledger = Self { clock, now: clock.now(self.real), month_day, ..self };
        Ok((ledger, Turned { fired, settled }))
    }

    /// Where a turn to this moment stops first. A world with a webhook stops wherever there is something to tell, so that
    /// its endpoint hears of it while it is so, and before what comes next.
    fn stop_before(&self, goal: Moment) -> Result<Moment> {
        let run = match self.webhook()? {
            Some(_) => self.due(goal.last_run())?.map(|(_, day)| Moment::run_of(day)),
            None => None,
        };
        let stops = [run, self.next_delivery()?].into_iter().flatten();
        Ok(stops.fold(goal, Moment::min).max(self.now))
    }

    /// The books of a copy of the world, as it stood then.
    pub(crate) fn of_aside(&self, Aside { place, now }: Aside) -> Self {
        Self { world: place, clock: Clock::Frozen(now), now, ..*self }
    }

    /// Does something that leaves no trace if it is refused.
    pub(crate) fn attempt<T, E: From<rusqlite::Error>>(
        &self,
        work: impl FnOnce(&Self) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        within_savepoint(self.connection, || work(self))
    }

    /// The number of the next object of this kind, from 1.
    pub(crate) fn next(&self, kind: Kind) -> Result<u64> {
        // With RETURNING, SQLite would make a table for the one number.
        let sql = "INSERT INTO tallies (world, kind, made, gone) VALUES (?, ?, 1, 0)
                   ON CONFLICT DO UPDATE SET made = made + 1";
        self.connection.prepare_cached(sql)?.execute(params![self.world, kind.table()])?;
        let sql = "SELECT made FROM tallies WHERE world = ? AND kind = ?";
        self.connection.prepare_cached(sql)?.query_row(params![self.world, kind.table()], |row| row.get(0))
    }

    /// Counts objects of this kind that are gone.
    pub(crate) fn gone(&self, kind: Kind, count: usize) -> Result<()> {
        let sql = "UPDATE tallies SET gone = gone + ? WHERE world = ? AND kind = ?";
        self.connection.prepare_cached(sql)?.execute(params![count, self.world, kind.table()])?;
        Ok(())
    }

    /// How many objects of this kind there are.
    pub(crate) fn standing(&self, kind: Kind) -> Result<u64> {
        let sql = "SELECT made - gone FROM tallies WHERE world = ? AND kind = ?";
        let mut statement = self.connection.prepare_cached(sql)?;
        let count = statement.query_row(params![self.world, kind.table()], |row| row.get(0)).optional()?;
        Ok(count.unwrap_or_default())
    }

    /// The merchant of all that happens here: 12 digits.
    pub(crate) fn merchant_id(&self) -> String {
        format!("9{}", self.seed.digits("merchant", 0, 11))
    }

    /// The merchant's only terminal: 8 digits.
    pub(crate) fn terminal_id(&self) -> String {
        format!("1{}", self.seed.digits("terminal", 0, 7))
    }

    /// The whole world but its request log in JSON, so that two equal worlds have equal bytes. It is written row by row,
    /// because a large world takes a multiple of its text as values.
    pub(crate) fn state(&self) -> Result<Vec<u8>> {
        let mut state = Vec::new();
        self.write_state(&mut |text| state.extend_from_slice(text))?;
        Ok(state)
    }

    /// Writes the state, piece by piece.
    pub(crate) fn write_state(&self, write: &mut dyn FnMut(&[u8])) -> Result<()> {
        let clock = match self.clock {
            Clock::Frozen(moment) => {
                json!({ "mode": "frozen", "now": moment.to_string(), "month-day": self.month_day })
            }
            Clock::Running(ahead) => {
                json!({ "mode": "running", "milliseconds-ahead": ahead, "month-day": self.month_day })
            }
        };
        let values =
            [("clock", given(clock)), ("gateway", self.gateway.shown()), ("seed", self.seed.0.into())];
        let values = values.map(|(name, value)| (name.to_owned(), Part::Value(value)));
        let tables =
            WORLD_TABLES.iter().map(|(table, order)| (table.replace('_', "-"), Part::Rows(table, order)));
        let mut parts: Vec<_> = tables.chain(values).collect();
        parts.sort_by(|(one, _), (other, _)| one.cmp(other));
        let mut opens = '{';
        for (name, part) in parts {
            write(format!("{opens}\"{name}\":").as_bytes());
            opens = ',';
            match part {
                Part::Value(value) => write(value.to_string().as_bytes()),
                Part::Rows(table, order) => self.write_rows(table, order, write)?,
            }
        }
        write(b"}");
        Ok(())
    }

    /// Writes the world's rows of a table as an array of objects.
    fn write_rows(&self, table: &str, order: &str, write: &mut dyn FnMut(&[u8])) -> Result<()> {
        let sql = format!("SELECT * FROM {table} WHERE world = ? ORDER BY {order}");
        let mut statement = self.connection.prepare(&sql)?;
        let columns: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
        let mut rows = statement.query([self.world])?;
        let mut opens = "[";
        while let Some(row) = rows.next()? {
            let mut object = Map::new();
            for (index, column) in columns.iter().enumerate().filter(|(_, column)| *column != "world") {
                let value = match row.get(index)? {
                    Value::Integer(number) => number.into(),
                    Value::Text(text)
                        if matches!(
                            &**column,
                            "billing" | "shipping" | "address" | "emails" | "document"
                        ) =>
                    {
                        serde_json::from_str(&text).unwrap_or(Json::String(text))
                    }
                    Value::Text(text) => text.into(),
                    // No table of a world has a column of another type.
                    Value::Null | Value::Real(_) | Value::Blob(_) => continue,
                };
                object.insert(column.replace('_', "-"), value);
            }
            write(opens.as_bytes());
            write(Json::Object(object).to_string().as_bytes());
            opens = ",";
        }
        write(if opens == "[" { b"[]" } else { b"]" });
        Ok(())
    }

    /// Removes the world with its snapshots, so that its key opens a new one.
    pub(crate) fn delete(&self) -> Result<()> {
        erase(self.connection, self.world)?;
        forget(self.connection, self.world)?;
        self.connection.execute("DELETE FROM doors WHERE opens = ?", [self.world])?;
        self.connection.execute("DELETE FROM worlds WHERE id = ?", [self.world]).map(|_| ())
    }
}

/// A member of a world's state.
enum Part {
    Value(Json),
    /// A table and the columns that order it.
    Rows(&'static str, &'static str),
}
