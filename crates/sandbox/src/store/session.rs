//! A session: one world of the database, opened by a job.

use std::cell::OnceCell;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Result, Row, params};
use serde_json::{Map, Value as Json, json};

use super::settings::Settings;
use super::slice::Slice;
use super::world::{Kind, WorldRow, columns};
use super::{WORLD_TABLES, within_savepoint};
use crate::clock::{Clock, Moment};
use crate::members::given;
use crate::options::GatewayOptions;
use crate::seed::Seed;

/// An open world within a job, at one moment of its clock.
pub(crate) struct Session<'c> {
    pub(crate) connection: &'c Connection,
    pub(crate) world: i64,
    pub(crate) seed: Seed,
    pub(crate) clock: Clock,
    pub(crate) now: Moment,
    /// The day of the month that further months keep, as a [`Goal`](crate::clock::Goal) has it.
    pub(crate) month_day: Option<u32>,
    pub(crate) gateway: GatewayOptions,
    /// The time of the machine's clock.
    pub(crate) real: Moment,
    /// The hash of the world's key.
    pub(crate) key_hash: [u8; 32],
    /// The number of times the database was opened since the world began, including this time.
    pub(crate) opened: u64,
    /// The memory of the engine while it makes payments.
    pub(super) slice: Option<Slice>,
}

impl<'c> Session<'c> {
    /// Opens a world as it is; due payments have not been made yet.
    pub(crate) fn open(connection: &'c Connection, row: &WorldRow, real: Moment) -> Self {
        let WorldRow { id, key_hash, seed, clock, month_day, gateway, on_request: _, opened } = *row;
        let now = clock.now(real);
        let slice = None;
        Self { connection, world: id, seed, clock, now, month_day, gateway, real, key_hash, opened, slice }
    }

    /// Sets the world's clock.
    pub(crate) fn set_clock(self, clock: Clock, month_day: Option<u32>) -> Result<Self> {
        let (mode, at) = columns(clock);
        let sql = "UPDATE worlds SET mode = ?, at = ?, month_day = ? WHERE id = ?";
        self.connection.prepare_cached(sql)?.execute(params![mode, at, month_day, self.world])?;
        Ok(Self { clock, now: clock.now(self.real), month_day, ..self })
    }

    /// The moment up to which a search of the gateway finds new objects; `None` if it finds all of them.
    pub(crate) fn search_time(&self) -> Option<Moment> {
        Some(self.now).filter(|_| !self.gateway.search_lag.is_zero())
    }

    /// The column of a new object with the first millisecond at which searches find it; null if that is now.
    pub(crate) fn found_from(&self) -> Value {
        let from = |now: Moment| now.after(self.gateway.search_lag).map_or(i64::MAX, Moment::millis);
        self.search_time().map(from).into()
    }

    /// A session of the world at another moment of its clock.
    pub(crate) fn at(&self, clock: Clock, now: Moment) -> Self {
        Self { clock, now, slice: None, ..*self }
    }

    /// A session of the stored copy of the world, as it was then.
    pub(crate) fn of_copy(&self, place: i64, now: Moment) -> Self {
        Self { world: place, ..self.at(Clock::Frozen(now), now) }
    }

    /// Runs work that leaves no trace if it is refused.
    pub(crate) fn attempt<T, E: From<rusqlite::Error>>(
        &self,
        work: impl FnOnce(&Self) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        within_savepoint(self.connection, || work(self))
    }

    /// Makes payments in a slice.
    pub(crate) fn in_slice<T>(&self, work: impl FnOnce(&Self) -> Result<T>) -> Result<T> {
        let session = Self { slice: Some(Slice::default()), ..*self };
        let result = work(&session)?;
        let sql = "INSERT INTO tallies (world, kind, made, gone) VALUES (?, ?, ?, 0)
                   ON CONFLICT DO UPDATE SET made = excluded.made";
        for (kind, made) in session.slice.into_iter().flat_map(Slice::made) {
            self.connection.prepare_cached(sql)?.execute(params![self.world, kind.table(), made])?;
        }
        Ok(result)
    }

    /// Reads a value that no payment changes; in a slice, once.
    pub(super) fn once<T: Clone>(
        &self,
        cell: impl FnOnce(&Slice) -> &OnceCell<T>,
        read: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let Some(cell) = self.slice.as_ref().map(cell) else { return read() };
        match cell.get() {
            Some(known) => Ok(known.clone()),
            None => read().map(|value| cell.get_or_init(|| value).clone()),
        }
    }

    /// The settings of the world's terminal.
    pub(crate) fn settings(&self) -> Result<Settings> {
        self.once(|slice| &slice.settings, || Settings::read(self.connection, self.world))
    }

    pub(crate) fn set(&self, settings: &Settings) -> Result<()> {
        settings.write(self.connection, self.world)
    }

    /// The number of the next object of this kind, from 1.
    pub(crate) fn next(&self, kind: Kind) -> Result<u64> {
        if let Some(slice) = &self.slice {
            return slice.next(kind, || Ok(self.tally(kind)?.0));
        }
        // With RETURNING, SQLite would make a table for the one number.
        let sql = "INSERT INTO tallies (world, kind, made, gone) VALUES (?, ?, 1, 0)
                   ON CONFLICT DO UPDATE SET made = made + 1";
        self.connection.prepare_cached(sql)?.execute(params![self.world, kind.table()])?;
        let sql = "SELECT made FROM tallies WHERE world = ? AND kind = ?";
        self.connection.prepare_cached(sql)?.query_row(params![self.world, kind.table()], |row| row.get(0))
    }

    /// Counts removed objects of this kind.
    pub(crate) fn gone(&self, kind: Kind, count: usize) -> Result<()> {
        let sql = "UPDATE tallies SET gone = gone + ? WHERE world = ? AND kind = ?";
        self.connection.prepare_cached(sql)?.execute(params![count, self.world, kind.table()])?;
        Ok(())
    }

    /// The number of existing objects of this kind.
    pub(crate) fn count_of(&self, kind: Kind) -> Result<u64> {
        let (made, gone) = self.tally(kind)?;
        Ok(made.saturating_sub(gone))
    }

    /// The number of objects of this kind that were made, and of those that are gone. Numbers count from 1.
    pub(crate) fn tally(&self, kind: Kind) -> Result<(u64, u64)> {
        let sql = "SELECT made, gone FROM tallies WHERE world = ? AND kind = ?";
        let mut statement = self.connection.prepare_cached(sql)?;
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let tally = statement.query_row(params![self.world, kind.table()], read).optional()?;
        Ok(tally.unwrap_or_default())
    }

    /// The merchant of the world: 12 digits.
    pub(crate) fn merchant_id(&self) -> String {
        format!("9{}", self.seed.digits("merchant", 0, 11))
    }

    /// The merchant's only terminal: 8 digits.
    pub(crate) fn terminal_id(&self) -> String {
        format!("1{}", self.seed.digits("terminal", 0, 7))
    }

    /// The whole world except its request log in JSON, so that two equal worlds have equal bytes. It is written row by
    /// row, because the values of a large world take several times the memory of its text.
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
            [("clock", given(clock)), ("gateway", self.gateway.to_json()), ("seed", self.seed.0.into())];
        let values = values.map(|(name, value)| (name.to_owned(), Part::Value(value)));
        // Waiting charges and further attempts are left out if there are none: only a gateway with options has them.
        let waits = self.next_waiting_charge()?.is_some();
        let shown = WORLD_TABLES.iter().filter(|(table, _)| waits || *table != "waiting_charges");
        let tables = shown.map(|(table, order)| (table.replace('_', "-"), Part::Rows(table, order)));
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
                    Value::Integer(0) if *column == "attempt" => continue,
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
}

/// A member of a world's state.
enum Part {
    Value(Json),
    /// A table and the columns that order it.
    Rows(&'static str, &'static str),
}
