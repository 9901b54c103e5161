//! An `SQLite` connection, owned by one thread, and jobs that reach it over a channel.
//!
//! The thread puts all waiting jobs into one transaction, each in a savepoint so that a failing one undoes only its own
//! changes, commits, and only then lets the jobs answer: what is answered is stored, and a hundred callers share the
//! cost of one flush to disk.
//!
//! ```
//! use perennial_sqlite::Writer;
//! use rusqlite::Connection;
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let writer = Writer::open("counter", "BEGIN", || {
//!     let connection = Connection::open_in_memory()?;
//!     connection.execute_batch("CREATE TABLE counter (value INTEGER)")?;
//!     Ok::<_, rusqlite::Error>((connection, ()))
//! })?;
//! writer.run(|connection| connection.execute("INSERT INTO counter VALUES (1)", [])).await?;
//! let sum = writer.run(|c| c.query_row("SELECT sum(value) FROM counter", [], |row| row.get::<_, i64>(0)));
//! assert_eq!(sum.await?, 1);
//! # Ok(()) }
//! ```

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::{fmt, io};

use rusqlite::{Connection, ErrorCode};
use tokio::sync::{mpsc, oneshot, watch};

/// The maximum number of jobs in one commit.
const BATCH: usize = 256;

/// The steps of a database around its commits. All methods run on the writer's thread. An error ends the writer.
pub trait Hooks: 'static {
    /// Runs before a transaction begins.
    fn before_begin(&mut self) -> rusqlite::Result<()> {
        Ok(())
    }

    /// Runs after a commit, before its jobs are answered. They are answered even if it fails.
    fn committed(&mut self) -> rusqlite::Result<()> {
        Ok(())
    }

    /// Runs after the jobs of a commit are answered.
    fn answered(&mut self, _connection: &Connection) -> rusqlite::Result<()> {
        Ok(())
    }

    /// Runs when no job can come any more, before the connection is closed.
    fn close(&mut self, _connection: &Connection) -> rusqlite::Result<()> {
        Ok(())
    }
}

impl Hooks for () {}

/// The handle of the thread that owns the connection.
pub struct Writer {
    thread: Mutex<Option<(mpsc::UnboundedSender<Job>, JoinHandle<()>)>>,
    /// The result of the thread.
    ended: watch::Receiver<Option<Result<(), Arc<rusqlite::Error>>>>,
}

/// A unit of work within a transaction, which returns its prepared answer, or fails because the file fails. If no
/// transaction can begin, it gets the reason and answers at once.
type Job = Box<dyn FnOnce(Result<&Connection, &rusqlite::Error>) -> rusqlite::Result<CompletedJob> + Send>;
/// Sends the result of a job. It is called after the commit, and dropped if the job is never committed.
type CompletedJob = Box<dyn FnOnce()>;

/// The reason why a job has no result. Nothing of it is stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JobError {
    /// The database refused a statement of the job.
    #[error("the database refused a statement")]
    Statement(#[source] rusqlite::Error),
    /// Another process has held the database locked for longer than the connection's busy timeout.
    #[error("another process holds the database locked")]
    Busy,
    /// The job panicked.
    #[error("the job panicked")]
    Panicked,
    /// The writer is closed.
    #[error("the database is closed")]
    Closed,
    /// The file fails, for example because the disk is full. If the system failed while it flushed the job to the disk,
    /// the job may be stored nevertheless.
    #[error("the database file fails")]
    Failed(#[source] Arc<rusqlite::Error>),
}

/// The reason why a writer does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError<E> {
    /// The database cannot be opened.
    #[error("the database cannot be opened")]
    Database(E),
    /// No thread could be started.
    #[error("the thread of the database cannot be started")]
    Thread(#[source] io::Error),
    /// The function that opens the database panicked.
    #[error("the function that opens the database panicked")]
    Panicked,
}

impl Writer {
    /// Starts a thread of this name, which opens the database. Each transaction begins with the statement `begin`: use
    /// `BEGIN IMMEDIATE` where other processes write into the file.
    pub fn open<H: Hooks, E: Send + 'static>(
        name: &str,
        begin: &'static str,
        open: impl FnOnce() -> Result<(Connection, H), E> + Send + 'static,
    ) -> Result<Self, OpenError<E>> {
        let (jobs, waiting) = mpsc::unbounded_channel();
        let (end, ended) = watch::channel(None);
        let (ready, opened) = std::sync::mpsc::channel();
        let thread = std::thread::Builder::new().name(name.into()).spawn(move || {
            let (connection, mut hooks) = match open() {
                Ok(opened) => opened,
                Err(error) => return drop(ready.send(Err(error))),
            };
            let _ = ready.send(Ok(()));
            let worked = work(&connection, begin, &mut hooks, waiting).map_err(Arc::new);
            // Whoever hears of the end finds the file closed.
            drop(connection);
            drop(hooks);
            end.send_replace(Some(worked));
        });
        let thread = thread.map_err(OpenError::Thread)?;
        match opened.recv() {
            Ok(Ok(())) => Ok(Self { thread: Mutex::new(Some((jobs, thread))), ended }),
            Ok(Err(error)) => Err(OpenError::Database(error)),
            Err(_) => Err(OpenError::Panicked),
        }
    }

    /// Runs a job and returns its result after it is on disk.
    ///
    /// A job that fails or panics leaves no trace. If the file fails, no waiting job is executed.
    pub async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, JobError> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let result = match connection {
                Err(_) => Err(JobError::Busy),
                Ok(connection) => {
                    let work = || within_savepoint(connection, || job(connection));
                    match catch_unwind(AssertUnwindSafe(work)) {
                        Ok(Err(error)) if is_of_the_file(&error) => return Err(error),
                        Ok(result) => result.map_err(JobError::Statement),
                        Err(_) => Err(JobError::Panicked),
                    }
                }
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
    pub async fn ended(&self) -> JobError {
        match self.ended.clone().wait_for(Option::is_some).await.as_deref() {
            Ok(Some(Err(failure))) => JobError::Failed(failure.clone()),
            _ => JobError::Closed,
        }
    }

    /// Finishes the waiting jobs and closes the database; new jobs are refused.
    pub fn close(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((jobs, thread)) = thread {
            drop(jobs);
            // A job that panics is caught, so the thread always ends by itself.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}

/// Works until no more jobs can come, or the file fails: then the whole transaction is undone with the connection.
fn work(
    connection: &Connection,
    begin: &str,
    hooks: &mut impl Hooks,
    mut waiting: mpsc::UnboundedReceiver<Job>,
) -> rusqlite::Result<()> {
    while let Some(first) = waiting.blocking_recv() {
        hooks.before_begin()?;
        match execute(connection, begin) {
            // Another process writes: it is no failure of the file.
            Err(busy) if begin != "BEGIN" && busy.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                first(Err(&busy))?();
                continue;
            }
            result => result?,
        }
        let mut completed = vec![first(Ok(connection))?];
        while completed.len() < BATCH
            && let Ok(next) = waiting.try_recv()
        {
            completed.push(next(Ok(connection))?);
        }
        execute(connection, "COMMIT")?;
        // If this fails, what is committed is answered all the same.
        let marked = hooks.committed();
        for answer in completed {
            answer();
        }
        marked?;
        hooks.answered(connection)?;
    }
    hooks.close(connection)
}

/// Executes a statement that every job needs, and that is parsed once.
fn execute(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(|_| ())
}

/// Runs work that leaves no trace if it fails or panics.
pub fn within_savepoint<T, E: From<rusqlite::Error>>(
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

/// Whether the file fails, so that nothing more can be stored, as opposed to a wrong statement.
pub fn is_of_the_file(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::ReadOnly
                | ErrorCode::CannotOpen
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::OutOfMemory
        )
    )
}

/// The problem with a file in words that follow its name.
pub fn problem_of_the_file(error: &rusqlite::Error) -> &'static str {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy) => "is in use by another program",
        Some(ErrorCode::DiskFull) => "has no room left: its disk is full",
        Some(ErrorCode::ReadOnly) => "cannot be written to: the file or its folder is read-only",
        Some(ErrorCode::CannotOpen) => {
            "cannot be opened: its folder must exist, and both must be readable and writable"
        }
        Some(ErrorCode::NotADatabase) => "is not one: the file holds something else",
        Some(ErrorCode::DatabaseCorrupt) => "is damaged: put back a copy of it, or use another file",
        _ => "cannot be read or written",
    }
}
