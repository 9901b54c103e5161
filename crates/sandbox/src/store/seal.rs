//! Checks at the start that the files are as the sandbox left them.
//!
//! Between two checkpoints the database file does not change, and all new data is in the log. The table `seal` has a
//! checksum of the database file except for its own page, and whether the sandbox closed it:
//!
//! * closed: the file is complete without a log, and matches the checksum;
//! * not closed: the log must exist. Its first transaction has the checksum of the file that it belongs to;
//! * no checksum: a checkpoint was in progress, whose pages are all in the log.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Result, ffi};

use super::unfit::Unfit;
use super::wal::{self, State, Wal};
use super::{LOG_FRAMES, log_frames};

/// The maximum frames of the log before they are written back: 64 MiB, so that a page that changes often is written
/// once.
const LONGEST_LOG: u64 = 16_000;

pub(super) const TABLE: &str = "
CREATE TABLE seal (closed INTEGER NOT NULL, checksum INTEGER);
INSERT INTO seal VALUES (0, NULL);
";

/// The files of an open database.
pub(super) struct Files {
    /// The main file, open from before the first lock until after the last: on Unix, closing a file drops the process's
    /// locks on it.
    main: File,
    path: PathBuf,
    log: PathBuf,
    page: u64,
    /// The log, after the first write.
    open_log: Option<File>,
    /// The size of the log file.
    size: u64,
    /// The bytes of an incomplete last write that were dropped at the start.
    pub(super) dropped: Option<u64>,
}

/// The content of `seal`.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Seal {
    closed: bool,
    checksum: Option<i64>,
}

/// The path of a database's log.
fn log_of(path: &Path) -> PathBuf {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    log.into()
}

/// Refuses a log without its database, which `SQLite` would remove.
pub(super) fn check_before(path: &Path) -> std::result::Result<(), Unfit> {
    let size = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if size(&real) == 0 && size(&log_of(&real)) > 0 {
        return Err(Unfit::Files(
            "is missing or empty, but its log is there: put the database back, or remove the log (the file of the same \
             name that ends in -wal) to begin anew",
        ));
    }
    Ok(())
}

impl Files {
    /// Opens the files of a database that is connected and not yet locked.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let path = path.canonicalize()?;
        let log = log_of(&path);
        Ok(Self { main: File::open(&path)?, log, path, page: 0, open_log: None, size: 0, dropped: None })
    }

    /// Checks the files, within the transaction that has locked them.
    pub(super) fn check(&mut self, connection: &Connection) -> std::result::Result<(), Unfit> {
        self.page = connection.query_row("PRAGMA page_size", [], |row| row.get(0))?;
        let wal = Wal::read(&self.log).map_err(failed)?;
        LOG_FRAMES.set(wal.committed);
        let main = self.of_main()?;
        let now = seal(connection)?;
        let is_closed = main.is_some_and(|seal| seal.closed);
        match wal.state {
            State::Missing if main.is_some() && !is_closed => return Err(Unfit::Files(MISSING)),
            State::Cut if main.is_some() && !is_closed => return Err(Unfit::Files(CUT)),
            State::Damaged => return Err(Unfit::Files(DAMAGED)),
            State::Interrupted(bytes) => self.dropped = Some(bytes),
            State::Missing | State::Cut | State::Whole => {}
        }
        match now {
            // Nothing was ever answered.
            None => Ok(()),
            Some(Seal { checksum: Some(checksum), .. }) if self.checksum(connection)? == checksum => Ok(()),
            Some(Seal { checksum: Some(_), .. }) if wal.committed > 0 => Err(Unfit::Files(FOREIGN)),
            Some(Seal { checksum: Some(_), .. }) => Err(Unfit::Files(CHANGED)),
            Some(Seal { checksum: None, .. }) => quick_check(connection),
        }
    }

    /// Reads the seal in the database file without its log.
    fn of_main(&self) -> std::result::Result<Option<Seal>, Unfit> {
        let path = percent_encode(self.path.as_os_str().as_encoded_bytes(), NON_ALPHANUMERIC);
        let flags =
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let alone = Connection::open_with_flags(format!("file:{path}?immutable=1"), flags)?;
        match seal(&alone) {
            // A checkpoint was interrupted, or the file is damaged: the log tells.
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => Ok(None),
            read => Ok(read?),
        }
    }

    /// A checksum of the database file except for the page of `seal`; it detects any page that is changed, swapped or
    /// older.
    fn checksum(&mut self, connection: &Connection) -> Result<i64> {
        let own = "SELECT rootpage FROM sqlite_schema WHERE name = 'seal'";
        let own: u64 = connection.query_row(own, [], |row| row.get(0))?;
        self.main.seek(SeekFrom::Start(0)).map_err(failed)?;
        let page = usize::try_from(self.page).unwrap_or(4096);
        let mut pages = vec![0; page * 64];
        let (mut sum, mut number) = (0x9e37_79b9_7f4a_7c15_u64, 0);
        loop {
            let length = fill(&mut self.main, &mut pages).map_err(failed)?;
            for page in pages[..length].chunks(page) {
                number += 1;
                if number != own {
                    sum = page.chunks(8).fold(sum ^ number, mixed);
                }
            }
            if length < pages.len() {
                return Ok(sum.cast_signed());
            }
        }
    }

    /// Makes room in the log for a transaction.
    pub(super) fn grow_log(&mut self) -> Result<()> {
        let (page, size) = (self.page, self.size);
        self.size = wal::grow(self.open_log().map_err(failed)?, log_frames(), page, size).map_err(failed)?;
        Ok(())
    }

    /// Writes the mark of committed frames, before their answers are sent.
    pub(super) fn mark_log(&mut self) -> Result<()> {
        if wal::is_passed(log_frames(), self.page, self.size) {
            return self.grow_log();
        }
        let size = self.size;
        wal::mark(self.open_log().map_err(failed)?, log_frames(), size).map_err(failed)
    }

    fn open_log(&mut self) -> io::Result<&mut File> {
        if self.open_log.is_none() {
            let mut options = File::options();
            self.open_log =
                Some(options.read(true).write(true).create(true).truncate(false).open(&self.log)?);
        }
        self.open_log.as_mut().ok_or_else(|| ErrorKind::NotFound.into())
    }

    /// Writes the log back once it is long.
    pub(super) fn keep_log_short(&mut self, connection: &Connection) -> Result<()> {
        if log_frames() < LONGEST_LOG { Ok(()) } else { self.checkpoint(connection) }
    }

    /// Writes the log back and starts another.
    pub(super) fn checkpoint(&mut self, connection: &Connection) -> Result<()> {
        self.grow_log()?;
        connection.execute("UPDATE seal SET closed = 0, checksum = NULL", [])?;
        let (busy, frames, written): (bool, i64, i64) =
            connection.query_row("PRAGMA wal_checkpoint(RESTART)", [], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?;
        if busy || frames != written {
            return Err(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_BUSY), None));
        }
        LOG_FRAMES.set(0);
        let checksum = self.checksum(connection)?;
        self.grow_log()?;
        connection.execute("UPDATE seal SET checksum = ?", [checksum]).map(|_| ())
    }

    /// Leaves a database that is complete without its log.
    pub(super) fn close(&mut self, connection: &Connection) -> Result<()> {
        self.checkpoint(connection)?;
        self.grow_log()?;
        connection.execute("UPDATE seal SET closed = 1", []).map(|_| ())
    }
}

const MISSING: &str = "is not whole: its log, the file of the same name that ends in -wal, is missing; put it back, or remove \
                       the database too to begin anew";
const CUT: &str = "is not whole: its log, the file of the same name that ends in -wal, was cut short; put back a copy of \
                   both files, or remove both to begin anew";
const DAMAGED: &str = "is not whole: its log, the file of the same name that ends in -wal, is damaged; put back a copy of \
                       both files, or remove both to begin anew";
const FOREIGN: &str = "and its log, the file of the same name that ends in -wal, do not belong together, or were changed; put \
                       back a copy of both files, or remove both to begin anew";
const CHANGED: &str =
    "was changed since the sandbox closed it: put back a copy of it, or remove it to begin anew";

/// The content of `seal`; `None` if the database is new.
fn seal(connection: &Connection) -> Result<Option<Seal>> {
    let is_there = "SELECT count(*) FROM sqlite_schema WHERE name = 'seal'";
    if connection.query_row(is_there, [], |row| row.get::<_, i64>(0))? == 0 {
        return Ok(None);
    }
    let row = |row: &rusqlite::Row<'_>| Ok(Seal { closed: row.get(0)?, checksum: row.get(1)? });
    let seal = connection.query_row("SELECT closed, checksum FROM seal", [], row).optional()?;
    Ok(seal.or(Some(Seal { closed: false, checksum: Some(0) })))
}

fn quick_check(connection: &Connection) -> std::result::Result<(), Unfit> {
    let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if found == "ok" { Ok(()) } else { Err(Unfit::Files(FOREIGN)) }
}

/// A step of the checksum. Steps are injective, so that a single change is always detected.
fn mixed(sum: u64, word: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    bytes[..word.len()].copy_from_slice(word);
    (sum ^ u64::from_le_bytes(bytes)).wrapping_mul(0x9fb2_1c65_1e98_df25).rotate_left(23)
}

/// Fills a buffer up to the end of the file.
fn fill(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match file.read(&mut buffer[length..])? {
            0 => break,
            more => length += more,
        }
    }
    Ok(length)
}

/// The database error for a file error.
#[expect(clippy::needless_pass_by_value, reason = "it maps errors")]
pub(super) fn failed(error: io::Error) -> rusqlite::Error {
    let code = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ffi::SQLITE_FULL,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => ffi::SQLITE_READONLY,
        io::ErrorKind::NotFound => ffi::SQLITE_CANTOPEN,
        _ => ffi::SQLITE_IOERR,
    };
    rusqlite::Error::SqliteFailure(ffi::Error::new(code), Some(error.to_string()))
}

#[cfg(test)]
mod tests;
