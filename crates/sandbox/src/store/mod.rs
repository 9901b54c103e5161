//! The store: one `SQLite` connection on its own thread, and jobs that reach it over a channel. `perennial-sqlite` groups
//! their commits; here is what this database needs around them.

pub(crate) mod batch;
pub(crate) mod clientpay;
pub(crate) mod customer;
mod error;
pub(crate) mod list;
mod names;
pub(crate) mod one_time_token;
pub(crate) mod payment;
pub(crate) mod plan;
pub(crate) mod row;
mod schema;
mod seal;
pub(crate) mod session;
pub(crate) mod settings;
mod slice;
pub(crate) mod snapshot;
pub(crate) mod token;
pub(crate) mod transaction;
mod unfit;
pub(crate) mod waiting_charge;
mod wal;
pub(crate) mod webhook;
pub(crate) mod world;

use std::cell::Cell;
use std::path::{Path, PathBuf};

use perennial_sqlite::{Hooks, JobError, OpenError, Writer};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use self::seal::Files;
use self::unfit::Unfit;

pub use error::StoreError;
pub(crate) use perennial_sqlite::within_savepoint;
pub(crate) use schema::WORLD_TABLES;

thread_local! {
    /// The frames of the log of the thread's database, after its last commit.
    static LOG_FRAMES: Cell<u64> = const { Cell::new(0) };
}

fn log_frames() -> u64 {
    LOG_FRAMES.get()
}

/// The handle of the database.
pub(crate) struct Store {
    path: PathBuf,
    /// The bytes of an incomplete last write that were dropped at the start.
    pub(crate) dropped: Option<u64>,
    writer: Writer,
}

impl Store {
    /// Opens a database file, or a database in memory that ends with the sandbox.
    pub(crate) fn open(path: Option<&Path>) -> Result<Self, StoreError> {
        let file = path.map(Path::to_owned);
        let path = path.unwrap_or(Path::new(":memory:")).to_owned();
        let (tell, told) = std::sync::mpsc::channel();
        let writer = Writer::open("sandbox-store", "BEGIN", move || {
            let (connection, files) = connect(file.as_deref())?;
            let _ = tell.send(files.as_ref().and_then(|files| files.dropped));
            Ok((connection, Around(files)))
        });
        match writer {
            Ok(writer) => Ok(Self { path, dropped: told.try_recv().ok().flatten(), writer }),
            Err(OpenError::Database(unfit)) => Err(Unfit::within(unfit, &path)),
            Err(OpenError::Thread(error)) => Err(StoreError::Thread(error)),
            Err(_) => Err(StoreError::Panicked),
        }
    }

    /// Runs a job and returns its result after it is on disk.
    ///
    /// A job that fails or panics leaves no trace. If the file fails, no waiting job is executed.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.writer.run(job).await.map_err(|error| self.error(error))
    }

    /// Waits until the database is closed or fails, and returns which.
    pub(crate) async fn ended(&self) -> StoreError {
        self.error(self.writer.ended().await)
    }

    /// Finishes the waiting jobs and closes the database; new jobs are refused.
    pub(crate) fn close(&self) {
        self.writer.close();
    }

    fn error(&self, error: JobError) -> StoreError {
        match error {
            JobError::Statement(error) => StoreError::Statement(error),
            JobError::Busy => StoreError::InUse { path: self.path.clone() },
            JobError::Failed(failure) => StoreError::unusable(&self.path, failure),
            JobError::Closed => StoreError::Closed,
            _ => StoreError::Panicked,
        }
    }
}

/// The files of the database, which need something around commits; `None` in memory.
struct Around(Option<Files>);

impl Hooks for Around {
    fn before_begin(&mut self) -> rusqlite::Result<()> {
        self.0.as_mut().map_or(Ok(()), Files::grow_log)
    }

    fn committed(&mut self) -> rusqlite::Result<()> {
        self.0.as_mut().map_or(Ok(()), Files::mark_log)
    }

    fn answered(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        self.0.as_mut().map_or(Ok(()), |files| files.keep_log_short(connection))
    }

    fn close(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let Some(files) = &mut self.0 else { return Ok(()) };
        files.close(connection)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map(|_| ())
    }
}

/// Connects to a database and prepares it. Its files are dropped after the connection.
fn connect(path: Option<&Path>) -> Result<(Connection, Option<Files>), Unfit> {
    let Some(path) = path else {
        let connection = Connection::open_in_memory()?;
        schema::prepare(&connection, None)?;
        return Ok((connection, None));
    };
    seal::check_before(path)?;
    // A path is a path, even if it looks like a URI.
    let flags = OpenFlags::default() - OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(path, flags)?;
    // A connection that closes writes nothing back: what is refused stays as it is.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    let mut files = Files::open(path).map_err(seal::failed)?;
    match schema::prepare(&connection, Some(&mut files)) {
        Ok(()) => Ok((connection, Some(files))),
        Err(unfit) => {
            drop(connection);
            drop(files);
            Err(unfit)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn numbers(store: &Store) -> Vec<i64> {
        store
            .run(|connection| {
                let mut statement = connection.prepare("SELECT id FROM numbers ORDER BY id")?;
                statement.query_map([], |row| row.get(0))?.collect()
            })
            .await
            .unwrap()
    }

    /// Holds: A database job that fails undoes only its own changes.
    #[tokio::test]
    async fn a_job_that_fails_undoes_only_itself() {
        let store = Store::open(None).unwrap();
        store.run(|c| c.execute_batch("CREATE TABLE numbers (id INTEGER PRIMARY KEY)")).await.unwrap();
        let insert =
            |number: i64| move |c: &Connection| c.execute("INSERT INTO numbers VALUES (?)", [number]);
        let twice = move |c: &Connection| insert(2)(c).and_then(|_| insert(1)(c));
        let panics = move |c: &Connection| -> rusqlite::Result<()> {
            insert(4)(c)?;
            panic!("on purpose")
        };
        let (first, failed, panicked, last) =
            tokio::join!(store.run(insert(1)), store.run(twice), store.run(panics), store.run(insert(3)));
        assert!(first.is_ok() && last.is_ok());
        assert!(matches!(failed, Err(StoreError::Statement(_))));
        assert!(matches!(panicked, Err(StoreError::Panicked)));
        assert_eq!(numbers(&store).await, [1, 3]);
    }

    #[tokio::test]
    async fn a_closed_store_refuses() {
        let store = Store::open(None).unwrap();
        store.close();
        assert!(matches!(store.run(|_| Ok(())).await, Err(StoreError::Closed)));
    }

    /// Holds: A database that cannot grow keeps the acknowledged changes and nothing else.
    #[tokio::test]
    async fn a_full_file_keeps_what_was_answered_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("full.db");
        let store = Store::open(Some(&path)).unwrap();
        let room = store.run(|c| {
            c.execute_batch("CREATE TABLE numbers (id INTEGER PRIMARY KEY, filling TEXT)")?;
            let pages: i64 = c.query_row("PRAGMA page_count", [], |row| row.get(0))?;
            c.query_row(&format!("PRAGMA max_page_count = {}", pages + 8), [], |row| row.get::<_, i64>(0))
        });
        room.await.unwrap();
        let insert = |number: i64| {
            store.run(move |c| c.execute("INSERT INTO numbers VALUES (?, hex(zeroblob(900)))", [number]))
        };
        let mut answered = Vec::new();
        let failure = loop {
            let first = i64::try_from(answered.len()).unwrap();
            let (one, two, three) = tokio::join!(insert(first), insert(first + 1), insert(first + 2));
            let results = [one, two, three];
            answered.extend(
                (first..).zip(&results).filter(|(_, result)| result.is_ok()).map(|(number, _)| number),
            );
            if let Some(error) = results.into_iter().find_map(Result::err) {
                break error.to_string();
            }
        };
        let message = format!("the database {} has no room left: its disk is full", path.display());
        assert_eq!(failure, message);
        assert_eq!(insert(1_000).await.unwrap_err().to_string(), message);
        assert_eq!(store.ended().await.to_string(), message);
        assert!(answered.len() > 3, "{answered:?}");
        assert_eq!(numbers(&Store::open(Some(&path)).unwrap()).await, answered);
    }

    #[tokio::test]
    async fn no_other_program_can_write_into_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("locked.db");
        let store = Store::open(Some(&path)).unwrap();
        store.run(|c| c.execute_batch("CREATE TABLE numbers (id INTEGER PRIMARY KEY)")).await.unwrap();
        let other = Connection::open(&path).unwrap();
        other.busy_timeout(std::time::Duration::ZERO).unwrap();
        assert!(other.execute("INSERT INTO numbers VALUES (1)", []).is_err());
        store.run(|c| c.execute("INSERT INTO numbers VALUES (2)", [])).await.unwrap();
        assert!(matches!(Store::open(Some(&path)), Err(StoreError::InUse { .. })));
        store.close();

        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        assert!(matches!(Store::open(Some(&path)), Err(StoreError::InUse { .. })));
        drop(other);
        assert_eq!(numbers(&Store::open(Some(&path)).unwrap()).await, [2]);
    }

    #[test]
    fn files_that_cannot_be_used_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let ours = |name: &str, sql: &str| {
            let path = folder.path().join(name);
            Store::open(Some(&path)).unwrap().close();
            Connection::open(&path).unwrap().execute_batch(sql).unwrap();
            path
        };
        let older = ours("older.db", "PRAGMA user_version = 3");
        let newer = ours("newer.db", "PRAGMA user_version = 99");
        let theirs = folder.path().join("theirs.db");
        Connection::open(&theirs).unwrap().execute_batch("CREATE TABLE theirs (id)").unwrap();
        let marked = folder.path().join("marked.db");
        Connection::open(&marked).unwrap().execute_batch("PRAGMA user_version = 7").unwrap();
        let text = folder.path().join("text.db");
        std::fs::write(&text, "no database, but long enough to be looked at ".repeat(30)).unwrap();
        let cases = [
            (
                older,
                "has schema 3, and this sandbox knows 8 only: use the version that wrote it, or another file",
            ),
            (
                newer,
                "has schema 99, and this sandbox knows 8 only: use the version that wrote it, or another file",
            ),
            (theirs, "belongs to another program: use another file"),
            (marked, "belongs to another program: use another file"),
            (text, "is not one: the file holds something else"),
            (
                folder.path().join("missing").join("sandbox.db"),
                "cannot be opened: its folder must exist, and both must be readable and writable",
            ),
            (
                folder.path().to_owned(),
                "cannot be opened: its folder must exist, and both must be readable and writable",
            ),
        ];
        let sealed = ours("sealed.db", "");
        let mut permissions = std::fs::metadata(&sealed).unwrap().permissions();
        permissions.set_readonly(true);
        std::fs::set_permissions(&sealed, permissions).unwrap();
        // Root writes into it all the same.
        let is_sealed = std::fs::OpenOptions::new().write(true).open(&sealed).is_err();
        let sealed =
            is_sealed.then_some((sealed, "cannot be written to: the file or its folder is read-only"));
        for (path, reason) in cases.into_iter().chain(sealed) {
            let refused = Store::open(Some(&path)).map(|_| ()).unwrap_err();
            assert_eq!(refused.to_string(), format!("the database {} {reason}", path.display()));
        }
    }
}
