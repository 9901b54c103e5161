//! The worlds of the database, each identified by its key.

use perennial_domain::clearent::ApiKey;
use rusqlite::{Connection, OptionalExtension, Result, params};

use super::clientpay::credential::AccountCredential;
use crate::clock::{Clock, Moment};
use crate::options::GatewayOptions;
use crate::seed::Seed;

/// A world's row.
pub(crate) struct WorldRow {
    pub(crate) id: i64,
    pub(crate) key_hash: [u8; 32],
    pub(crate) seed: Seed,
    pub(crate) clock: Clock,
    /// The day of the month that further months keep, as a [`Goal`](crate::clock::Goal) has it.
    pub(crate) month_day: Option<u32>,
    pub(crate) gateway: GatewayOptions,
    /// Whether the world was created on request, not by the first use of its key.
    pub(super) on_request: bool,
    /// The number of times the database was opened since the world began, including this time.
    pub(super) opened: u64,
}

/// The keys that open a world that does not exist yet.
#[derive(Clone)]
pub(crate) enum Admission {
    /// Any key of 32 hexadecimal digits.
    Any,
    /// Only these keys, given by their hashes. Worlds that were created on request are open too.
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

/// A presented key.
#[derive(Clone, Copy)]
pub(crate) struct WorldKey {
    pub(crate) hash: [u8; 32],
    /// Whether the key has 32 hexadecimal digits.
    pub(crate) well_formed: bool,
    /// The last four characters of an API key, by which people recognize worlds.
    pub(crate) end: Option<[u8; 4]>,
}

impl WorldKey {
    /// The key of an existing world.
    pub(crate) fn of(hash: [u8; 32]) -> Self {
        Self { hash, well_formed: true, end: None }
    }

    /// The API key's last four characters.
    pub(crate) fn end_of(key: &ApiKey) -> Option<[u8; 4]> {
        key.expose().as_bytes().last_chunk().copied()
    }
}

impl WorldRow {
    /// The world of this key, created at its first use; `None` if the key opens no world.
    pub(crate) fn admit(
        connection: &Connection,
        world_key: WorldKey,
        admission: &Admission,
        start: Start,
    ) -> Result<Option<Self>> {
        let opens = admission.opens(&world_key.hash, world_key.well_formed);
        match Self::find(connection, &world_key.hash)? {
            Some(row) if opens || row.on_request => Ok(Some(row)),
            None if opens => Self::create(
                connection,
                &world_key.hash,
                world_key.end,
                Seed::of_hash(&world_key.hash),
                start,
                false,
            )
            .map(Some),
            _ => Ok(None),
        }
    }

    pub(crate) fn find(connection: &Connection, hash: &[u8; 32]) -> Result<Option<Self>> {
        connection
            .prepare_cached(
                "SELECT id, seed, asked_for, mode, at, month_day, gateway,
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
                    on_request: row.get("asked_for")?,
                    opened: row.get("opened")?,
                })
            })
            .optional()
    }

    /// The hashes of the keys of all worlds that have a webhook, or deliveries to other addresses.
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
        on_request: bool,
    ) -> Result<Self> {
        let (mode, at) = columns(clock);
        connection.execute(
            "INSERT INTO worlds (key_hash, key_end, seed, asked_for, mode, at, first_mode, first_at, gateway, opened_before)
             VALUES (?1, ?7, ?2, ?3, ?4, ?5, ?4, ?5, ?6, (SELECT count - 1 FROM openings))",
            params![hash, seed.0.cast_signed(), on_request, mode, at, gateway.to_json().to_string(), end.map(|end| String::from_utf8_lossy(&end).into_owned())],
        )?;
        let id = connection.last_insert_rowid();
        AccountCredential::of_world(seed)
            .iter()
            .try_for_each(|credential| credential.bind(connection, id))?;
        Ok(Self { id, key_hash: *hash, seed, clock, month_day: None, gateway, on_request, opened: 1 })
    }
}

/// The initial state of a world.
#[derive(Clone, Copy)]
pub(crate) struct Start {
    pub(crate) clock: Clock,
    pub(crate) gateway: GatewayOptions,
}

/// The values of the columns `mode` and `at` for a clock.
pub(crate) fn columns(clock: Clock) -> (&'static str, i64) {
    match clock {
        Clock::Frozen(moment) => ("frozen", moment.millis()),
        Clock::Running(ahead) => ("running", ahead),
    }
}

/// The clock in a row.
pub(crate) fn clock_of(row: &rusqlite::Row<'_>) -> Result<Clock> {
    let (mode, at) = (row.get::<_, String>("mode")?, row.get("at")?);
    Ok(if mode == "frozen" { Clock::Frozen(Moment::from_millis(at)) } else { Clock::Running(at) })
}

/// The gateway options in a row.
fn gateway_of(row: &rusqlite::Row<'_>) -> Result<GatewayOptions> {
    let options = row.get::<_, String>("gateway")?;
    GatewayOptions::of_json(&options).map_err(|_| rusqlite::Error::InvalidQuery)
}

/// A kind of objects that a world counts.
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
