//! The journal in an `SQLite` file. Several processes of one machine can use it.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use perennial_sqlite::{JobError, OpenError, Writer, problem_of_the_file, within_savepoint};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags, ToSql};

use super::StoreError;
use super::row::{Row, Value};
use super::schema::MIGRATIONS;
use super::statements::{Sql, Statement, Transacted};
use super::witness::{Witness, private};
use crate::driver::new_uid;

/// The longest wait of a statement for another process.
const BUSY: Duration = Duration::from_secs(5);

/// Additions of `SQLite` to each migration: a request that waits already is not stored again, as by `perennial.intend` on
/// `PostgreSQL`. Another request under its key fails the statement by the unique index.
const ALSO: &[&str] = &[
    "
CREATE TRIGGER perennial_intended BEFORE INSERT ON perennial_inbox WHEN EXISTS (
  SELECT 1 FROM perennial_inbox i WHERE i.tenant = NEW.tenant AND i.operation_key = NEW.operation_key
    AND i.operation = NEW.operation AND i.object IS NEW.object AND i.request = NEW.request)
BEGIN
  SELECT RAISE(IGNORE);
END",
    "",
];

/// An open file.
pub(crate) struct Sqlite {
    place: String,
    /// The random id that the journal had when it was opened.
    id: String,
    writer: Writer,
    /// The file beside the database; `None` in memory.
    witness: Option<Witness>,
    /// The reason why the database is not the one that was used last.
    suspicion: Mutex<Option<String>>,
}

impl Sqlite {
    /// Opens a file and brings its schema up to date; `None` is a database in memory.
    pub(crate) fn open(path: Option<&Path>) -> Result<Self, StoreError> {
        let place = path.map_or_else(|| ":memory:".to_owned(), |path| path.display().to_string());
        let (file, named) = (path.map(Path::to_owned), place.clone());
        let (tell, told) = std::sync::mpsc::channel();
        let writer = Writer::open("journal", "BEGIN IMMEDIATE", move || {
            let connection = connect(file.as_ref(), &named)?;
            let _ = tell.send(identify(&connection).map_err(|error| failure(&named, &error))?);
            Ok((connection, ()))
        });
        match writer {
            Ok(writer) => {
                let (id, count) = told.try_recv().unwrap_or_default();
                let witness = path.map(Witness::of);
                let suspicion = witness.as_ref().and_then(|witness| witness.suspicion(&id, count));
                if let Some(witness) = witness.as_ref().filter(|_| suspicion.is_none()) {
                    let why = "its witness beside it cannot be written: the folder must be writable";
                    witness
                        .accept(&id, count)
                        .map_err(|_| StoreError::Unusable { place: place.clone(), why })?;
                }
                Ok(Self { place, id, writer, witness, suspicion: Mutex::new(suspicion) })
            }
            Err(OpenError::Database(error)) => Err(error),
            Err(error) => Err(StoreError::Lost { place, why: error.to_string() }),
        }
    }
}

fn connect(path: Option<&PathBuf>, place: &str) -> Result<Connection, StoreError> {
    let failed = |error: rusqlite::Error| failure(place, &error);
    let connection = match path {
        None => Connection::open_in_memory().map_err(failed)?,
        Some(path) => {
            make_private(path).map_err(|_| {
                let why = "cannot be opened: its folder must exist, and both must be readable and writable";
                StoreError::Unusable { place: place.to_owned(), why }
            })?;
            // A path is a path, even if it looks like a URI.
            let flags = OpenFlags::default() - OpenFlags::SQLITE_OPEN_URI;
            Connection::open_with_flags(path, flags).map_err(failed)?
        }
    };
    connection.busy_timeout(BUSY).map_err(failed)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
             PRAGMA secure_delete = ON",
        )
        .map_err(failed)?;
    migrate(&connection, place)?;
    Ok(connection)
}

/// Makes a new file that only its owner can read, because it holds names and mail addresses. `SQLite` gives its log the same
/// permissions. A file that exists is the operator's, and keeps its own.
fn make_private(path: &Path) -> std::io::Result<()> {
    match private().create_new(true).open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map(|_| ()),
    }
}

/// The number of migrations that the file has seen is in a table of ours: its `user_version` may be the user's own.
fn migrate(connection: &Connection, place: &str) -> Result<(), StoreError> {
    let failed = |error: rusqlite::Error| failure(place, &error);
    connection.execute_batch("BEGIN IMMEDIATE").map_err(failed)?;
    let migrated = (|| {
        let ours = |name: &str| {
            let sql = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?1";
            connection
                .query_row(sql, [name], |row| row.get::<_, i64>(0))
                .map(|count| count > 0)
                .map_err(failed)
        };
        if !ours("perennial_schema")? && ours("perennial_intent")? {
            return Err(StoreError::Foreign(place.to_owned()));
        }
        connection
            .execute_batch("CREATE TABLE IF NOT EXISTS perennial_schema (version BIGINT PRIMARY KEY)")
            .map_err(failed)?;
        let sql = "SELECT coalesce(max(version), 0) FROM perennial_schema";
        let found = connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(failed)?;
        let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
        if found > known {
            return Err(StoreError::Newer { place: place.to_owned(), found, known });
        }
        for (version, (common, also)) in
            (1..).zip(MIGRATIONS.iter().zip(ALSO)).filter(|(version, _)| *version > found)
        {
            let sql = common.replace("{serial}", "INTEGER PRIMARY KEY AUTOINCREMENT");
            connection.execute_batch(&sql).and_then(|()| connection.execute_batch(also)).map_err(failed)?;
            connection.execute("INSERT INTO perennial_schema VALUES (?1)", [version]).map_err(failed)?;
        }
        Ok(())
    })();
    connection.execute_batch(if migrated.is_ok() { "COMMIT" } else { "ROLLBACK" }).map_err(failed)?;
    migrated
}

/// The random id of the journal, which it gets at its first use, and the number of committed attempts.
fn identify(connection: &Connection) -> rusqlite::Result<(String, i64)> {
    connection.execute(
        "INSERT INTO perennial_setting (name, value) VALUES ('id', ?1), ('sent', '0') ON CONFLICT DO NOTHING",
        [new_uid()],
    )?;
    connection.query_row(
        "SELECT (SELECT value FROM perennial_setting WHERE name = 'id'),
           (SELECT CAST(value AS INTEGER) FROM perennial_setting WHERE name = 'sent')",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

/// An error in words.
fn failure(place: &str, error: &rusqlite::Error) -> StoreError {
    let place = place.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy) => StoreError::Busy(place),
        Some(
            ErrorCode::DiskFull
            | ErrorCode::SystemIoFailure
            | ErrorCode::ReadOnly
            | ErrorCode::CannotOpen
            | ErrorCode::DatabaseCorrupt
            | ErrorCode::NotADatabase,
        ) => StoreError::Unusable { place, why: problem_of_the_file(error) },
        _ => StoreError::Statement(error.to_string().into()),
    }
}

/// The reason why a transaction was undone.
enum Undone {
    Unmet,
    Conflict,
    Error(rusqlite::Error),
}

impl From<rusqlite::Error> for Undone {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ffi::{SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE};

        match error.sqlite_error().map(|error| error.extended_code) {
            Some(SQLITE_CONSTRAINT_UNIQUE | SQLITE_CONSTRAINT_PRIMARYKEY) => Self::Conflict,
            _ => Self::Error(error),
        }
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => rusqlite::types::Null.into(),
            Self::Int(number) => (*number).into(),
            Self::Text(text) => text.as_str().into(),
        })
    }
}

fn run(connection: &Connection, statements: &[Statement]) -> Result<Vec<Vec<Row>>, Undone> {
    let mut answers = Vec::with_capacity(statements.len());
    for Statement { sql, values, must } in statements {
        let mut prepared = connection.prepare_cached(sql)?;
        let columns = prepared.column_count();
        let mut rows = prepared.query(rusqlite::params_from_iter(values))?;
        let mut answer = Vec::new();
        while let Some(row) = rows.next()? {
            let value = |column| {
                Ok(match row.get_ref(column)? {
                    ValueRef::Null => Value::Null,
                    ValueRef::Integer(number) => Value::Int(number),
                    ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
                    ValueRef::Real(_) | ValueRef::Blob(_) => Value::Text("?".to_owned()),
                })
            };
            answer.push(Row::new((0..columns).map(value).collect::<rusqlite::Result<_>>()?));
        }
        if *must && answer.is_empty() {
            return Err(Undone::Unmet);
        }
        answers.push(answer);
    }
    Ok(answers)
}

#[async_trait]
impl Sql for Sqlite {
    async fn transact(&self, statements: Vec<Statement>) -> Result<Transacted, StoreError> {
        let job = move |connection: &Connection| match within_savepoint(connection, || {
            run(connection, &statements)
        }) {
            Ok(rows) => Ok(Transacted::Rows(rows)),
            Err(Undone::Unmet) => Ok(Transacted::Unmet),
            Err(Undone::Conflict) => Ok(Transacted::Conflict),
            Err(Undone::Error(error)) => Err(error),
        };
        self.writer.run(job).await.map_err(|error| match error {
            JobError::Statement(error) => failure(&self.place, &error),
            JobError::Busy => StoreError::Busy(self.place.clone()),
            JobError::Failed(error) => failure(&self.place, &error),
            JobError::Closed => StoreError::Closed,
            _ => StoreError::Statement("a job panicked".into()),
        })
    }

    fn count_send(&self) -> Option<&'static str> {
        self.witness.as_ref().map(|_| {
            "UPDATE perennial_setting SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT) WHERE name = 'sent'
             RETURNING value || ' ' || (SELECT value FROM perennial_setting WHERE name = 'id')"
        })
    }

    fn close(&self) {
        self.writer.close();
    }

    fn witness(&self) -> String {
        self.witness.as_ref().map(Witness::read).unwrap_or_default()
    }

    fn sent(&self, before: String, counted: &str) -> Option<String> {
        let witness = self.witness.as_ref()?;
        let (count, id) = counted.split_once(' ')?;
        let count: i64 = count.parse().ok()?;
        // A backup can be restored into the open file, and another process can adopt it. With another id, the witness
        // tells both apart already, and is the other process's.
        let why = if id == self.id {
            let why = witness.compare(&before, id, count - 1);
            match why {
                None => witness.raise(id, count),
                Some(_) => witness.condemn(id, count),
            }
            why
        } else {
            Some("it was adopted or restored by another process: open it again".to_owned())
        };
        if why.is_some() {
            self.suspicion.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&why);
        }
        why
    }

    async fn suspicion(&self) -> Result<Option<String>, StoreError> {
        let at_the_start = self.suspicion.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(at_the_start.or_else(|| self.witness.as_ref()?.replaced()))
    }

    async fn accept(&self) -> Result<(), StoreError> {
        let Some(witness) = &self.witness else { return Ok(()) };
        // Copies that go on with the old id are found out by theirs.
        let id = self.writer.run(|connection| {
            connection.execute("UPDATE perennial_setting SET value = ?1 WHERE name = 'id'", [new_uid()])?;
            identify(connection)
        });
        let (id, count) = id.await.map_err(|_| StoreError::Busy(self.place.clone()))?;
        let why = "its witness beside it cannot be written: the folder must be writable";
        witness.accept(&id, count).map_err(|_| StoreError::Unusable { place: self.place.clone(), why })?;
        // This handle has the old id: the journal is opened again before it is used.
        let opened_again = "it was adopted: open it again".to_owned();
        *self.suspicion.lock().unwrap_or_else(PoisonError::into_inner) = Some(opened_again);
        Ok(())
    }

    fn skip_locked(&self) -> &'static str {
        ""
    }

    fn unchanged(&self) -> &'static str {
        ""
    }

    fn one_at_a_time(&self) -> Option<&'static str> {
        None
    }

    fn check(&self) -> &'static str {
        "PRAGMA quick_check"
    }

    fn place(&self) -> &str {
        &self.place
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::store::tests::{Both, intent, store_tenant};
    use crate::store::{Filter, Intended, Statements, Store as _};

    /// A file with one intent.
    async fn file() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        let store = Statements(Sqlite::open(Some(&path)).unwrap());
        store_tenant(&store).await;
        assert_eq!(store.intend(&intent("1")).await.unwrap(), Intended::New);
        store.0.writer.close();
        (folder, path)
    }

    /// The error of the first thing that fails: opening the file, or reading the intent.
    async fn error_of(path: &Path) -> String {
        match Sqlite::open(Some(path)) {
            Err(error) => error.to_string().replace(&path.display().to_string(), "FILE"),
            Ok(store) => match Statements(store).intent("1").await {
                Err(error) => error.to_string().replace(&path.display().to_string(), "FILE"),
                Ok(found) => format!("found: {}", found.is_some()),
            },
        }
    }

    fn execute(path: &Path, sql: &str) {
        Connection::open(path).unwrap().execute_batch(sql).unwrap();
    }

    /// Holds: A journal that is damaged, newer or of another program is refused with its problem.
    #[tokio::test]
    async fn a_file_that_is_not_usable_is_named_with_its_problem() {
        type Spoil = fn(&Path);
        let cases: [(&str, Spoil, &str); 8] = [
            ("a good file", |_| {}, "found: true"),
            (
                "a newer schema",
                |path| execute(path, "INSERT INTO perennial_schema VALUES (99)"),
                "the journal FILE has schema 99, and this program knows up to 2: use a newer version of it",
            ),
            (
                "tables of another program",
                |path| execute(path, "DROP TABLE perennial_schema"),
                "the database FILE has tables named perennial that this program did not make: use another database",
            ),
            (
                "another kind of file",
                |path| fs::write(path, "%PDF-1.7 and so on ".repeat(500)).unwrap(),
                "the database FILE is not one: the file holds something else",
            ),
            (
                "a page overwritten",
                |path| {
                    let mut bytes = fs::read(path).unwrap();
                    bytes[4096..].fill(0x5a);
                    fs::write(path, bytes).unwrap();
                },
                "the database FILE is damaged: put back a copy of it, or use another file",
            ),
            (
                "a file cut off",
                |path| {
                    let bytes = fs::read(path).unwrap();
                    fs::write(path, &bytes[..8192]).unwrap();
                },
                "the database FILE is damaged: put back a copy of it, or use another file",
            ),
            (
                "a folder in its place",
                |path| {
                    fs::remove_file(path).unwrap();
                    fs::create_dir(path).unwrap();
                },
                "the database FILE cannot be opened: its folder must exist, and both must be readable and writable",
            ),
            (
                "a state of a later version",
                |path| {
                    execute(
                        path,
                        "PRAGMA ignore_check_constraints = ON; UPDATE perennial_intent SET state = 'lost'",
                    );
                },
                "the journal FILE is damaged: a state is not known; restore a backup, then run `perennial journal adopt`",
            ),
        ];
        for (name, spoil, expected) in cases {
            let (_folder, path) = file().await;
            spoil(&path);
            assert_eq!(error_of(&path).await, expected, "{name}");
        }
    }

    #[tokio::test]
    async fn a_file_that_another_program_locks_is_busy() {
        let (_folder, path) = file().await;
        let other = Connection::open(&path).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let expected = "the database FILE is locked by another program for longer than five seconds: try again, or \
                        end that program";
        assert_eq!(error_of(&path).await, expected);
        other.execute_batch("COMMIT").unwrap();

        let store = Statements(Sqlite::open(Some(&path)).unwrap());
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let busy = store.intend(&intent("2")).await;
        assert!(matches!(busy, Err(StoreError::Busy(_))), "{busy:?}");
        other.execute_batch("COMMIT").unwrap();
        // It is no failure of the file: the next call is served.
        assert_eq!(store.intend(&intent("2")).await.unwrap(), Intended::New);
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_written_to_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        execute(&path, "CREATE TABLE other (name TEXT)");
        // Root may write into any file, so the permission is the connection's.
        let connection = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        let error = migrate(&connection, "FILE").unwrap_err().to_string();
        assert_eq!(error, "the database FILE cannot be written to: the file or its folder is read-only");
    }

    /// Holds: A full disk loses no intent that was answered.
    #[tokio::test]
    async fn a_full_disk_keeps_what_was_answered_and_nothing_else() {
        let (_folder, path) = file().await;
        let store = Statements(Sqlite::open(Some(&path)).unwrap());
        // The smallest file that it can be.
        assert!(store.sql("PRAGMA max_page_count = 1", Vec::new()).await.is_ok());
        let mut stored = 1;
        let error = loop {
            let mut next = intent(&format!("next {stored}"));
            next.request = "x".repeat(1_000);
            match store.intend(&next).await {
                Ok(_) => stored += 1,
                Err(error) => break error.to_string(),
            }
        };
        assert!(error.ends_with("has no room left: its disk is full"), "{error}");
        assert!(stored < 1_000);
        drop(store);
        let store = Statements(Sqlite::open(Some(&path)).unwrap());
        let all = store.list(&Filter { limit: 10_000, ..Filter::default() }).await.unwrap();
        assert_eq!(all.len(), stored);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn only_its_owner_reads_a_file() {
        use std::os::unix::fs::PermissionsExt as _;

        let (_folder, path) = file().await;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
