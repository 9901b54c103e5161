//! The journal in an `SQLite` file. Several processes of one machine can use it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use perennial_sqlite::{JobError, OpenError, Writer, problem_of_the_file, within_savepoint};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags, ToSql};

use super::StoreError;
use super::row::{Row, Value};
use super::schema::MIGRATIONS;
use super::statements::{Sql, Statement, Transacted};

/// How long a statement waits for another process.
const BUSY: Duration = Duration::from_secs(5);

/// An open file.
pub(crate) struct Sqlite {
    place: String,
    writer: Writer,
}

impl Sqlite {
    /// Opens a file and brings its schema up to date; `None` is a database in memory.
    pub(crate) fn open(path: Option<&Path>) -> Result<Self, StoreError> {
        let place = path.map_or_else(|| ":memory:".to_owned(), |path| path.display().to_string());
        let (file, named) = (path.map(Path::to_owned), place.clone());
        let writer = Writer::open("journal", "BEGIN IMMEDIATE", move || {
            connect(file.as_ref(), &named).map(|connection| (connection, ()))
        });
        match writer {
            Ok(writer) => Ok(Self { place, writer }),
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
            // A path is a path, even if it looks like a URI.
            let flags = OpenFlags::default() - OpenFlags::SQLITE_OPEN_URI;
            Connection::open_with_flags(path, flags).map_err(failed)?
        }
    };
    connection.busy_timeout(BUSY).map_err(failed)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection
        .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON")
        .map_err(failed)?;
    if let Some(path) = path {
        keep_private(path);
    }
    migrate(&connection, place)?;
    Ok(connection)
}

/// The file holds names and mail addresses: only its owner reads it.
#[cfg(unix)]
fn keep_private(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;

    // A folder on a file system without permissions is the operator's choice.
    let _ = std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600));
}

#[cfg(not(unix))]
fn keep_private(_path: &Path) {}

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
        for (version, sql) in (1..).zip(MIGRATIONS).filter(|(version, _)| *version > found) {
            let sql = sql.replace("{serial}", "INTEGER PRIMARY KEY AUTOINCREMENT");
            connection.execute_batch(&sql).map_err(failed)?;
            connection.execute("INSERT INTO perennial_schema VALUES (?1)", [version]).map_err(failed)?;
        }
        Ok(())
    })();
    connection.execute_batch(if migrated.is_ok() { "COMMIT" } else { "ROLLBACK" }).map_err(failed)?;
    migrated
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

/// Why a transaction was undone.
enum Undone {
    Unmet,
    Conflict,
    Error(rusqlite::Error),
}

impl From<rusqlite::Error> for Undone {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::ConstraintViolation) => Self::Conflict,
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

    fn skip_locked(&self) -> &'static str {
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
