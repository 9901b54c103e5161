//! Where everything lives: one `SQLite` connection, owned by one thread, and jobs that reach it over a channel.
//!
//! The thread takes all jobs that wait into one transaction, each in a savepoint so that one that fails undoes only
//! itself, commits, and only then lets the jobs answer: what was answered is kept, and a hundred clients share the
//! cost of one flush to disk.

pub(crate) mod batch;
pub(crate) mod customer;
pub(crate) mod list;
pub(crate) mod payment;
pub(crate) mod plan;
pub(crate) mod row;
mod schema;
pub(crate) mod settings;
pub(crate) mod snapshot;
pub(crate) mod token;
pub(crate) mod transaction;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

pub(crate) use schema::WORLD_TABLES;

/// The most jobs of one commit.
const BATCH: usize = 256;

/// The handle of the thread that owns the database.
pub(crate) struct Store {
    /// How often this database was opened, this time included.
    pub(crate) opened: u64,
    thread: Mutex<Option<(mpsc::UnboundedSender<Job>, JoinHandle<()>)>>,
}

/// Works within a transaction, or learns why there is none.
type Job = Box<dyn FnOnce(Result<&Connection, Failure>) -> Answer + Send>;
/// Sends what the job made, once it is known whether it was committed.
type Answer = Box<dyn FnOnce(Result<(), Failure>)>;
/// What many jobs have to be told.
type Failure = Arc<rusqlite::Error>;

impl Store {
    /// Opens a database file, or one in memory that is gone with the sandbox.
    pub(crate) fn open(path: Option<&Path>) -> Result<Self, StoreError> {
        let connection = match path {
            Some(path) => Connection::open(path),
            None => Connection::open_in_memory(),
        };
        let connection = connection.map_err(Arc::new)?;
        let opened = schema::prepare(&connection).map_err(|error| error.within(path))?;
        let (jobs, waiting) = mpsc::unbounded_channel();
        let thread = std::thread::Builder::new().name("sandbox-store".into());
        let thread = thread.spawn(move || work(&connection, waiting)).map_err(StoreError::Thread)?;
        Ok(Self { opened, thread: Mutex::new(Some((jobs, thread))) })
    }

    /// Runs a job and returns what it made, once that is on disk.
    ///
    /// A job that fails or panics leaves no trace.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let made = connection.map_err(StoreError::Sqlite).and_then(|connection| {
                catch_unwind(AssertUnwindSafe(|| within_savepoint(connection, || job(connection))))
                    .map_err(|_| StoreError::Panicked)?
                    .map_err(|error| StoreError::Sqlite(Arc::new(error)))
            });
            Box::new(move |committed| {
                // Nobody waits when the caller is gone; what was done stays done.
                let _ =
                    answer.send(made.and_then(|made| committed.map(|()| made).map_err(StoreError::Sqlite)));
            })
        });
        {
            let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
            let (jobs, _) = thread.as_ref().ok_or(StoreError::Closed)?;
            jobs.send(job).map_err(|_| StoreError::Closed)?;
        }
        answered.await.map_err(|_| StoreError::Closed)?
    }

    /// Finishes the jobs that wait and closes the database; others are refused from now on.
    pub(crate) fn close(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((jobs, thread)) = thread {
            drop(jobs);
            // A job that panics is caught, so the thread always ends by itself.
            let _ = thread.join();
        }
    }
}

fn work(connection: &Connection, mut waiting: mpsc::UnboundedReceiver<Job>) {
    while let Some(first) = waiting.blocking_recv() {
        if let Err(failure) = execute(connection, "BEGIN").map_err(Arc::new) {
            first(Err(failure.clone()))(Err(failure));
            continue;
        }
        let mut answers = vec![first(Ok(connection))];
        // A full disk, for one, ends the transaction on the spot: then the commit fails, and all are told.
        while answers.len() < BATCH
            && !connection.is_autocommit()
            && let Ok(next) = waiting.try_recv()
        {
            answers.push(next(Ok(connection)));
        }
        let committed = execute(connection, "COMMIT").map_err(Arc::new);
        if !connection.is_autocommit() {
            // The answers say what went wrong; a rollback that fails adds nothing.
            let _ = execute(connection, "ROLLBACK");
        }
        for answer in answers {
            answer(committed.clone());
        }
    }
}

/// Executes a statement that every job needs, and that is parsed once.
fn execute(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(|_| ())
}

/// Does something that leaves no trace if it fails or panics.
pub(crate) fn within_savepoint<T, E: From<rusqlite::Error>>(
    connection: &Connection,
    work: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    struct Savepoint<'c>(&'c Connection, bool);
    impl Drop for Savepoint<'_> {
        fn drop(&mut self) {
            // Without a transaction there is nothing left to end, and the commit says so.
            if !self.1 {
                let _ = execute(self.0, "ROLLBACK TO work");
            }
            let _ = execute(self.0, "RELEASE work");
        }
    }
    execute(connection, "SAVEPOINT work")?;
    let mut savepoint = Savepoint(connection, false);
    let made = work()?;
    savepoint.1 = true;
    Ok(made)
}

/// Why the sandbox's database cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// It was written by a newer version of the sandbox.
    #[error("the database {} has schema {found}, and this sandbox knows up to {known}: use a newer one", .path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The newest schema known here.
        known: i64,
    },
    /// Another sandbox has it open.
    #[error("the database {} is in use by another sandbox", .path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// It is not a database, cannot be read or cannot be written.
    #[error("the database cannot be used")]
    Sqlite(#[from] Arc<rusqlite::Error>),
    /// No thread could be started for it.
    #[error("the database's thread cannot be started")]
    Thread(#[source] std::io::Error),
    /// A defect of the sandbox.
    #[error("the sandbox failed in a way that is its own fault")]
    Panicked,
    /// The sandbox was stopped.
    #[error("the sandbox is stopped")]
    Closed,
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
        assert!(matches!(failed, Err(StoreError::Sqlite(_))));
        assert!(matches!(panicked, Err(StoreError::Panicked)));
        assert_eq!(numbers(&store).await, [1, 3]);
    }

    #[tokio::test]
    async fn a_closed_store_refuses() {
        let store = Store::open(None).unwrap();
        store.close();
        assert!(matches!(store.run(|_| Ok(())).await, Err(StoreError::Closed)));
    }

    #[test]
    fn files_that_cannot_be_used_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let newer = folder.path().join("newer.db");
        Connection::open(&newer).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
        assert!(matches!(Store::open(Some(&newer)), Err(StoreError::Newer { found: 99, .. })));

        let text = folder.path().join("text.db");
        std::fs::write(&text, "no database, but long enough to be looked at ".repeat(30)).unwrap();
        assert!(matches!(Store::open(Some(&text)), Err(StoreError::Sqlite(_))));

        let used = folder.path().join("used.db");
        let first = Store::open(Some(&used)).unwrap();
        assert!(matches!(Store::open(Some(&used)), Err(StoreError::InUse { .. })));
        first.close();
        Store::open(Some(&used)).unwrap();
    }
}
