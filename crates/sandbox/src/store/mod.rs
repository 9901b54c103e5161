//! The store: one `SQLite` connection, owned by one thread, and jobs that reach it over a channel.
//!
//! The thread takes all waiting jobs into one transaction, each in a savepoint so that a failing one undoes only
//! itself, commits, and only then lets the jobs answer: answered changes are stored, and a hundred clients share the
//! cost of one flush to disk.

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
pub(crate) mod snapshot;
pub(crate) mod token;
pub(crate) mod transaction;
mod unfit;
mod wal;
pub(crate) mod webhook;
pub(crate) mod world;

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::{mpsc, oneshot, watch};

use self::seal::Files;
use self::unfit::Unfit;

pub use error::StoreError;
pub(crate) use schema::WORLD_TABLES;

/// The maximum number of jobs in one commit.
const BATCH: usize = 256;

thread_local! {
    /// The frames of the log of the thread's database, after its last commit.
    static LOG_FRAMES: Cell<u64> = const { Cell::new(0) };
}

fn log_frames() -> u64 {
    LOG_FRAMES.get()
}

/// The handle of the thread that owns the database.
pub(crate) struct Store {
    path: PathBuf,
    /// The bytes of an incomplete last write that were dropped at the start.
    pub(crate) dropped: Option<u64>,
    thread: Mutex<Option<(mpsc::UnboundedSender<Job>, JoinHandle<()>)>>,
    /// The result of the thread.
    ended: watch::Receiver<Option<Result<(), Failure>>>,
}

/// A unit of work within a transaction, which returns its prepared answer, or fails because the file fails.
type Job = Box<dyn FnOnce(&Connection) -> rusqlite::Result<CompletedJob> + Send>;
/// Sends the result of a job. It is called after the commit, and dropped if the job is never committed.
type CompletedJob = Box<dyn FnOnce()>;
/// The error for all waiting jobs when the file fails.
type Failure = Arc<rusqlite::Error>;

impl Store {
    /// Opens a database file, or a database in memory that ends with the sandbox.
    pub(crate) fn open(path: Option<&Path>) -> Result<Self, StoreError> {
        let file = path.map(Path::to_owned);
        let path = path.unwrap_or(Path::new(":memory:")).to_owned();
        let (jobs, waiting) = mpsc::unbounded_channel();
        let (end, ended) = watch::channel(None);
        let (ready, opened) = std::sync::mpsc::channel();
        let thread = std::thread::Builder::new().name("sandbox-store".into());
        let thread = thread.spawn(move || {
            let (connection, mut files) = match connect(file.as_deref()) {
                Ok(connected) => connected,
                Err(unfit) => return drop(ready.send(Err(unfit))),
            };
            let _ = ready.send(Ok(files.as_ref().and_then(|files| files.dropped)));
            let worked = work(&connection, files.as_mut(), waiting).map_err(Arc::new);
            // Whoever hears of the end finds the file closed.
            drop(connection);
            drop(files);
            end.send_replace(Some(worked));
        });
        let thread = thread.map_err(StoreError::Thread)?;
        match opened.recv() {
            Ok(Ok(dropped)) => Ok(Self { path, dropped, thread: Mutex::new(Some((jobs, thread))), ended }),
            Ok(Err(unfit)) => Err(unfit.within(&path)),
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
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let result = catch_unwind(AssertUnwindSafe(|| within_savepoint(connection, || job(connection))));
            let result = match result {
                Ok(Err(error)) if error::is_of_the_file(&error) => return Err(error),
                Ok(result) => result.map_err(StoreError::Statement),
                Err(_) => Err(StoreError::Panicked),
            };
            Ok(Box::new(move || {
                // Nobody waits when the caller is gone; what was done stays done.
                let _ = answer.send(result);
            }))
        });
        {
            let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
            // A thread that has ended drops the job, and with it the sender of the answer.
            let _ = thread.as_ref().map(|(jobs, _)| jobs.send(job));
        }
        match answered.await {
            Ok(result) => result,
            Err(_) => Err(self.ended().await),
        }
    }

    /// Waits until the database is closed or fails, and returns which.
    pub(crate) async fn ended(&self) -> StoreError {
        match self.ended.clone().wait_for(Option::is_some).await.as_deref() {
            Ok(Some(Err(failure))) => StoreError::unusable(&self.path, failure.clone()),
            _ => StoreError::Closed,
        }
    }

    /// Finishes the waiting jobs and closes the database; new jobs are refused.
    pub(crate) fn close(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((jobs, thread)) = thread {
            drop(jobs);
            // A job that panics is caught, so the thread always ends by itself.
            let _ = thread.join();
        }
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

/// Works until no more jobs can come, or the file fails: then the whole transaction is undone with the connection.
fn work(
    connection: &Connection,
    mut files: Option<&mut Files>,
    mut waiting: mpsc::UnboundedReceiver<Job>,
) -> rusqlite::Result<()> {
    while let Some(first) = waiting.blocking_recv() {
        if let Some(files) = &mut files {
            files.grow_log()?;
        }
        execute(connection, "BEGIN")?;
        let mut completed = vec![first(connection)?];
        while completed.len() < BATCH
            && let Ok(next) = waiting.try_recv()
        {
            completed.push(next(connection)?);
        }
        execute(connection, "COMMIT")?;
        // If this fails, what is committed is answered all the same.
        let marked = files.as_mut().map_or(Ok(()), |files| files.mark_log());
        for answer in completed {
            answer();
        }
        marked?;
        if let Some(files) = &mut files {
            files.keep_log_short(connection)?;
        }
    }
    if let Some(files) = files {
        files.close(connection)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    }
    Ok(())
}

/// Executes a statement that every job needs, and that is parsed once.
fn execute(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(|_| ())
}

/// Runs work that leaves no trace if it fails or panics.
pub(crate) fn within_savepoint<T, E: From<rusqlite::Error>>(
    connection: &Connection,
    work: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    struct Savepoint<'c>(&'c Connection, bool);
    impl Drop for Savepoint<'_> {
        fn drop(&mut self) {
            // A file that fails may have ended the transaction; then there is nothing left to end.
            if !self.1 {
                let _ = execute(self.0, "ROLLBACK TO work");
            }
            let _ = execute(self.0, "RELEASE work");
        }
    }
    execute(connection, "SAVEPOINT work")?;
    let mut savepoint = Savepoint(connection, false);
    let result = work()?;
    savepoint.1 = true;
    Ok(result)
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
        Connection::open(&marked).unwrap().execute_batch("PRAGMA user_version = 6").unwrap();
        let text = folder.path().join("text.db");
        std::fs::write(&text, "no database, but long enough to be looked at ".repeat(30)).unwrap();
        let cases = [
            (
                older,
                "has schema 3, and this sandbox knows 6 only: use the version that wrote it, or another file",
            ),
            (
                newer,
                "has schema 99, and this sandbox knows 6 only: use the version that wrote it, or another file",
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
