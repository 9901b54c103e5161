//! Snapshots: copies of a world's rows under a separate number, so that taking or restoring one needs one
//! statement per table and no memory.

use rusqlite::{Connection, OptionalExtension, Result, params};

use super::WORLD_TABLES;
use super::session::Session;
use super::world::{Start, clock_of, columns};
use crate::clock::Clock;

impl Session<'_> {
    /// Stores a copy of the world, with the number of its last exchange. The id is derived from the world's seed.
    pub(crate) fn take_snapshot(&self, exchanges: u64) -> Result<String> {
        let sql = "SELECT count(*) + 1 FROM snapshots WHERE world = ?";
        let number = self.connection.query_row(sql, [self.world], |row| row.get(0))?;
        let name = format!("snap_{}", self.seed.uuid("snapshot", number));
        let (mode, at) = columns(self.clock);
        self.connection.execute(
            "INSERT INTO snapshots (world, name, mode, at, month_day, opened, exchanges) VALUES (?, ?, ?, ?, ?, ?, ?)",
            params![self.world, name, mode, at, self.month_day, self.opened, exchanges],
        )?;
        copy(self.connection, self.world, place(self.connection.last_insert_rowid()))?;
        Ok(name)
    }

    /// The ids of the world's snapshots, oldest first.
    pub(crate) fn snapshots(&self) -> Result<Vec<String>> {
        let sql = "SELECT name FROM snapshots WHERE world = ? ORDER BY id";
        self.connection.prepare_cached(sql)?.query_map([self.world], |row| row.get(0))?.collect()
    }

    /// Restores the world from a snapshot, and returns its clock and the number of its last exchange;
    /// `None` if the world has no such snapshot.
    pub(crate) fn restore(&self, name: &str) -> Result<Option<(Clock, u64)>> {
        let sql =
            "SELECT id, mode, at, month_day, opened, exchanges FROM snapshots WHERE world = ? AND name = ?";
        let found = self
            .connection
            .query_row(sql, params![self.world, name], |row| {
                let month_day: Option<u32> = row.get("month_day")?;
                let (opened, exchanges) = (row.get::<_, u64>("opened")?, row.get("exchanges")?);
                Ok((row.get("id")?, clock_of(row)?, month_day, opened, exchanges))
            })
            .optional()?;
        let Some((id, clock, month_day, opened, exchanges)) = found else { return Ok(None) };
        erase(self.connection, self.world)?;
        copy(self.connection, place(id), self.world)?;
        let (mode, at) = columns(clock);
        let sql = "UPDATE worlds SET mode = ?, at = ?, month_day = ?, opened_before = (SELECT count FROM openings) - ? WHERE id = ?";
        self.connection.execute(sql, params![mode, at, month_day, opened, self.world])?;
        Ok(Some((clock, exchanges)))
    }
}

/// The base number of copies that end with the sandbox: far below all snapshots.
const APART: i64 = i64::MIN;

impl Session<'_> {
    /// Copies the world for stale reads, and returns the place of the copy, which the number makes unique.
    pub(crate) fn copy_apart(&self, number: i64) -> Result<i64> {
        let place = APART + number;
        copy(self.connection, self.world, place)?;
        Ok(place)
    }

    /// Removes the world with its snapshots, so that its key opens a new one.
    pub(crate) fn delete(&self) -> Result<()> {
        erase(self.connection, self.world)?;
        forget(self.connection, self.world)?;
        self.connection.execute("DELETE FROM doors WHERE opens = ?", [self.world])?;
        self.connection.execute("DELETE FROM worlds WHERE id = ?", [self.world]).map(|_| ())
    }
}

/// Empties the world and restarts it: with new options, or with those that it was created with, to which its snapshots
/// still belong.
pub(crate) fn restart(connection: &Connection, world: i64, start: Option<Start>) -> Result<()> {
    erase(connection, world)?;
    if let Some(Start { clock, gateway }) = start {
        forget(connection, world)?;
        let (mode, at) = columns(clock);
        connection.execute(
            "UPDATE worlds SET asked_for = 1, first_mode = ?, first_at = ?, gateway = ? WHERE id = ?",
            params![mode, at, gateway.to_json().to_string(), world],
        )?;
    }
    let sql =
        "UPDATE worlds SET mode = first_mode, at = first_at, month_day = NULL, opened_before = (SELECT count - 1 FROM openings)
               WHERE id = ?";
    connection.execute(sql, [world]).map(|_| ())
}

/// Removes the copies that an earlier sandbox left behind.
pub(super) fn forget_copies(connection: &Connection) -> Result<()> {
    for (table, _) in WORLD_TABLES {
        connection.execute(&format!("DELETE FROM {table} WHERE world < ?"), [APART / 2])?;
    }
    Ok(())
}

/// Drops all snapshots of a world.
pub(crate) fn forget(connection: &Connection, world: i64) -> Result<()> {
    let mut statement = connection.prepare("SELECT id FROM snapshots WHERE world = ?")?;
    for id in statement.query_map([world], |row| row.get(0))? {
        erase(connection, place(id?))?;
    }
    connection.execute("DELETE FROM snapshots WHERE world = ?", [world]).map(|_| ())
}

/// Removes the rows of a world.
pub(crate) fn erase(connection: &Connection, world: i64) -> Result<()> {
    for (table, _) in WORLD_TABLES {
        connection.execute(&format!("DELETE FROM {table} WHERE world = ?"), [world])?;
    }
    Ok(())
}

/// The world number of a snapshot's rows: worlds that a key opens have numbers above zero.
fn place(id: i64) -> i64 {
    -id
}

/// Copies the rows of a world to an empty one.
fn copy(connection: &Connection, from: i64, to: i64) -> Result<()> {
    for (table, _) in WORLD_TABLES {
        let all = connection.prepare(&format!("SELECT * FROM {table}"))?;
        let columns = all.column_names().join(", ");
        let others = columns.strip_prefix("world, ").ok_or(rusqlite::Error::InvalidQuery)?;
        let sql =
            format!("INSERT INTO {table} ({columns}) SELECT ?2, {others} FROM {table} WHERE world = ?1");
        connection.execute(&sql, [from, to])?;
    }
    Ok(())
}
