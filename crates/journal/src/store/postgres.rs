//! The journal in a `PostgreSQL` database. Processes of many machines can use it.
//!
//! Transactions are READ COMMITTED: the statements lock what they decide by, and unique indexes refuse what two
//! transactions would do together. A connection keeps its prepared statements, so a pooler between both must give each
//! client a session of its own.

mod settings;
#[cfg(test)]
#[cfg(unix)]
mod tests;
mod tls;

use std::collections::HashMap;
use std::error::Error as _;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::BytesMut;
use deadpool_postgres::{
    Client, Hook, HookError, Manager, ManagerConfig, Pool, PoolError, RecyclingMethod, Runtime,
};
use futures_util::TryStreamExt as _;
use futures_util::future::try_join_all;
use tokio_postgres::GenericClient;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use super::StoreError;
use super::row::{Row, Value};
use super::schema::MIGRATIONS;
use super::statements::{Sql, Statement, Transacted};

/// The most connections of one process. A statement takes less than a millisecond of the server, so more would only
/// wait there.
const CONNECTIONS: usize = 8;

/// The longest wait of a call for a connection, new or free.
const CONNECT: Duration = Duration::from_secs(10);

/// The most runs of a transaction that the server undoes because of another one.
const TRIES: usize = 5;

/// The most statements that are sent before their answers are read.
const TOGETHER: usize = 16;

/// The most texts of statements that are kept in the server's form.
const TEXTS: usize = 256;

/// The settings of the journal's sessions, whatever the server, the role and the database have as default: a commit
/// is on disk, a statement sees what was committed before it, nobody else's function or operator is called, a lock is
/// waited for as long as in `SQLite`, and a process that stops in the middle of a transaction does not stop the others.
const SESSION: &str = "
SELECT pg_catalog.set_config('synchronous_commit', 'on', false)
  WHERE pg_catalog.current_setting('synchronous_commit') = 'off';
SET default_transaction_isolation = 'read committed';
SET search_path = pg_catalog, pg_temp;
SET lock_timeout = '5s';
SET idle_in_transaction_session_timeout = '10s'";

/// The number of the advisory lock under which the schema is migrated: the bytes of `perennia`.
const MIGRATING: i64 = 0x7065_7265_6e6e_6961;

/// Additions of `PostgreSQL` to each migration.
const ALSO: &[&str] = &["
CREATE FUNCTION perennial.intend(tenant text, operation_key text, operation text, object text, request text)
  RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  number bigint;
  is_same boolean;
BEGIN
  LOOP
    INSERT INTO perennial.inbox AS i (tenant, operation_key, operation, object, request)
      VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING RETURNING i.id INTO number;
    IF FOUND THEN
      RETURN number;
    END IF;
    SELECT i.id, (i.operation, i.object, i.request) IS NOT DISTINCT FROM ($3, $4, $5) INTO number, is_same
      FROM perennial.inbox i WHERE i.tenant = $1 AND i.operation_key = $2;
    IF FOUND AND is_same THEN
      RETURN number;
    ELSIF FOUND THEN
      RAISE EXCEPTION 'the operation key % is used for another request', $2 USING ERRCODE = 'unique_violation';
    END IF;
  END LOOP;
END
$$;
REVOKE ALL ON FUNCTION perennial.intend(text, text, text, text, text) FROM PUBLIC;
COMMENT ON FUNCTION perennial.intend(text, text, text, text, text) IS
  'Puts a write into the journal, in the transaction of the caller. A role that calls it needs USAGE on the schema and \
  EXECUTE on this function, and no right on a table.'
", ""];

/// An open database.
pub(crate) struct Postgres {
    place: String,
    pool: Pool,
    /// Statements in the server's form, by the common text.
    texts: Mutex<HashMap<String, Arc<str>>>,
    known: Arc<Known>,
}

/// The identity of the database in use, and the reason why it is not the one that was used last. Each new connection is
/// compared, because a server can be restored or promoted behind the same address.
#[derive(Default)]
struct Known {
    identity: Mutex<Option<String>>,
    suspicion: Mutex<Option<String>>,
    /// The number of adoptions when it was opened.
    adopted: Mutex<String>,
    /// The last position of the server's log at which this process knows of an attempt, or connected.
    position: AtomicI64,
}

impl Known {
    /// Compares a new connection, whose server was asked after the position `before` was known.
    fn compare(&self, identity: &str, position: &str, before: i64) {
        let known = self.identity.lock().unwrap_or_else(PoisonError::into_inner);
        let is_other = known.as_deref().is_some_and(|known| known != identity);
        if is_other || position.parse().unwrap_or(0) < before {
            self.suspect();
        }
        self.reach(position);
    }

    /// Compares the number of adoptions with the one at the start.
    fn check_adopted(&self, adopted: &str) {
        if self.adopted.lock().unwrap_or_else(PoisonError::into_inner).as_str() != adopted {
            self.suspect_that("another process adopted it: open it again");
        }
    }

    /// Takes the position of an attempt.
    fn reach(&self, position: &str) {
        self.position.fetch_max(position.parse().unwrap_or(0), Ordering::Relaxed);
    }

    fn suspect(&self) {
        self.suspect_that("its server, timeline or tables are others, or the server's log went back");
    }

    fn suspect_that(&self, why: &str) {
        *self.suspicion.lock().unwrap_or_else(PoisonError::into_inner) = Some(why.to_owned());
    }

    /// Takes this identity for the one in use.
    fn know(&self, identity: String) {
        *self.identity.lock().unwrap_or_else(PoisonError::into_inner) = Some(identity);
    }

    fn suspicion(&self) -> Option<String> {
        self.suspicion.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The identity of a server and its history, which a restored, promoted or copied one does not have: the system
/// identifier, the timeline, the database and the table, which a restored dump makes anew.
const IDENTITY: &str = "(SELECT system_identifier::text FROM pg_control_system()) || '/' ||
    (SELECT timeline_id::text FROM pg_control_checkpoint()) || '/' ||
    (SELECT oid::text FROM pg_database WHERE datname = current_database()) || '/' ||
    coalesce(to_regclass('perennial.intent')::oid::text, '-')";

/// The position up to which the server's log is on disk, in bytes. It only goes back if the server is restored, as from a snapshot of its
/// disk.
const POSITION: &str = "SELECT pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0')::bigint::text";

impl Postgres {
    /// Connects, and brings the schema up to date.
    ///
    /// To a server on another machine it connects only over TLS, with a certificate for the host's name: from a root
    /// that browsers accept, or from one of the file that `sslrootcert` names. `sslmode=disable` is obeyed, for private
    /// networks. On loopback and over a Unix socket it uses TLS only if `sslmode` asks for it.
    pub(crate) async fn open(url: &str) -> Result<Self, StoreError> {
        let (config, tls) = settings::read(url)?;
        let place = settings::place(&config);
        let manager = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let known = Arc::new(Known::default());
        let of_pool = known.clone();
        let prepare = Hook::async_fn(move |client: &mut deadpool_postgres::ClientWrapper, _| {
            let known = of_pool.clone();
            Box::pin(async move {
                client.batch_execute(SESSION).await.map_err(HookError::Backend)?;
                let sql = format!("SELECT {IDENTITY}, ({POSITION})");
                let before = known.position.load(Ordering::Relaxed);
                let row = client.query_one(&sql, &[]).await.map_err(HookError::Backend)?;
                let text = |column| row.try_get::<_, &str>(column).map_err(HookError::Backend);
                known.compare(text(0)?, text(1)?, before);
                Ok(())
            })
        });
        let pool = Pool::builder(Manager::from_config(config, tls, manager))
            .max_size(CONNECTIONS)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(CONNECT))
            .create_timeout(Some(CONNECT))
            .recycle_timeout(Some(CONNECT))
            .post_create(prepare)
            .build()
            .map_err(|error| StoreError::Lost { place: place.clone(), why: error.to_string() })?;
        let store = Self { place, pool, texts: Mutex::default(), known };
        store.migrate().await?;
        store.check_same().await?;
        Ok(store)
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        let failed = |error: tokio_postgres::Error| self.final_error(&error);
        let mut client = self.connection().await?;
        let transaction = client.transaction().await.map_err(failed)?;
        // Processes that start together wait for the first one; a large migration may take its time.
        let lock = format!("SET LOCAL lock_timeout = '10min'; SELECT pg_advisory_xact_lock({MIGRATING})");
        transaction.batch_execute(&lock).await.map_err(failed)?;
        let found = self.schema(&transaction).await?;
        let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
        if found > known {
            return Err(StoreError::Newer { place: self.place.clone(), found, known });
        }
        for (version, (common, also)) in
            (1..).zip(MIGRATIONS.iter().zip(ALSO)).filter(|(version, _)| *version > found)
        {
            let sql = common.replace("{serial}", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY");
            transaction.batch_execute(&translate(&sql)).await.map_err(failed)?;
            transaction.batch_execute(also).await.map_err(failed)?;
            let sql = "INSERT INTO perennial.schema VALUES ($1)";
            transaction.execute(sql, &[&version]).await.map_err(failed)?;
        }
        transaction.commit().await.map_err(failed)
    }

    /// Returns the version of the schema, and makes its table if the database has none.
    async fn schema(&self, transaction: &deadpool_postgres::Transaction<'_>) -> Result<i64, StoreError> {
        let failed = |error: tokio_postgres::Error| self.final_error(&error);
        let sql = "SELECT current_setting('server_encoding'), to_regnamespace('perennial') IS NOT NULL,
            EXISTS (SELECT 1 FROM pg_class WHERE relnamespace = to_regnamespace('perennial')),
            (SELECT count(*) = 2 FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
              WHERE relnamespace = to_regnamespace('perennial')
                AND (relname, attname) IN (('schema', 'version'), ('intent', 'operation_key')))";
        let row = transaction.query_one(sql, &[]).await.map_err(failed)?;
        let encoding: String = row.try_get(0).map_err(failed)?;
        if encoding != "UTF8" {
            let why = "does not store all characters: make it with the encoding UTF8";
            return Err(StoreError::Unusable { place: self.place.clone(), why });
        }
        let [has_schema, has_tables, has_ours] =
            [1, 2, 3].map(|column| row.try_get::<_, bool>(column).unwrap_or(false));
        if has_tables && !has_ours {
            return Err(StoreError::Foreign(self.place.clone()));
        }
        if !has_ours {
            // An operator may have made the schema for a role that may not.
            let make = if has_schema { "" } else { "CREATE SCHEMA perennial;" };
            let sql = format!("{make} CREATE TABLE perennial.schema (version BIGINT PRIMARY KEY)");
            transaction.batch_execute(&sql).await.map_err(failed)?;
            return Ok(0);
        }
        let sql = "SELECT coalesce(max(version), 0) FROM perennial.schema";
        transaction.query_one(sql, &[]).await.and_then(|row| row.try_get(0)).map_err(failed)
    }

    /// Compares the server with the one that was used last; a new journal takes this one.
    async fn check_same(&self) -> Result<(), StoreError> {
        let failed = |error: tokio_postgres::Error| self.final_error(&error);
        let client = self.connection().await?;
        let sql = format!(
            "INSERT INTO perennial.setting (name, value) VALUES ('identity', {IDENTITY}) ON CONFLICT DO NOTHING"
        );
        client.execute(&sql, &[]).await.map_err(failed)?;
        let sql =
            format!("SELECT value = {IDENTITY}, {IDENTITY} FROM perennial.setting WHERE name = 'identity'");
        let row = client.query_one(&sql, &[]).await.map_err(failed)?;
        self.known.know(row.try_get(1).map_err(failed)?);
        let sql = "SELECT coalesce((SELECT value FROM perennial.setting WHERE name = 'adopted'), '0')";
        let adopted = client.query_one(sql, &[]).await.and_then(|row| row.try_get(0)).map_err(failed)?;
        *self.known.adopted.lock().unwrap_or_else(PoisonError::into_inner) = adopted;
        if !row.try_get::<_, bool>(0).map_err(failed)? {
            self.known.suspect();
        }
        Ok(())
    }

    async fn connection(&self) -> Result<Client, StoreError> {
        self.pool.get().await.map_err(|error| match error {
            PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => {
                match self.failure(&error) {
                    // The server answered, but not to a statement of ours.
                    Undone::Error(StoreError::Statement(_)) => self.lost(chain(&error)),
                    Undone::Error(error) => error,
                    _ => self.lost(chain(&error)),
                }
            }
            PoolError::Timeout(_) => self.lost(format!("no connection within {} s", CONNECT.as_secs())),
            PoolError::Closed => StoreError::Closed,
            error => self.lost(error.to_string()),
        })
    }

    /// The statement in the server's form.
    fn text(&self, sql: &str) -> Arc<str> {
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(text) = texts.get(sql) {
            return text.clone();
        }
        // No caller makes this many; it bounds what a mistake would cost.
        if texts.len() >= TEXTS {
            texts.clear();
        }
        let text: Arc<str> = translate(sql).into();
        texts.insert(sql.to_owned(), text.clone());
        text
    }

    /// Runs the transaction once.
    async fn attempt(&self, statements: &[Statement]) -> Result<Vec<Vec<Row>>, Undone> {
        let failed = |error: tokio_postgres::Error| self.failure(&error);
        let mut client = self.connection().await.map_err(Undone::Error)?;
        let mut prepared = Vec::with_capacity(statements.len());
        for statement in statements {
            prepared.push(client.prepare_cached(&self.text(&statement.sql)).await.map_err(failed)?);
        }
        // One statement is a transaction by itself: it costs one round trip, not three.
        if let ([statement], [prepared]) = (statements, &prepared[..]) {
            let rows = rows(&**client, prepared, statement).await.map_err(failed)?;
            return if statement.must && rows.is_empty() { Err(Undone::Unmet) } else { Ok(vec![rows]) };
        }
        let transaction = client.transaction().await.map_err(failed)?;
        let pairs: Vec<_> = statements.iter().zip(&prepared).collect();
        // A statement that decides is waited for; those after it travel together.
        let decided = statements.iter().rposition(|statement| statement.must).map_or(0, |last| last + 1);
        let (deciding, others) = pairs.split_at(decided);
        let mut answers = Vec::with_capacity(statements.len());
        for (statement, prepared) in deciding {
            let rows = rows(&*transaction, prepared, statement).await.map_err(failed)?;
            if statement.must && rows.is_empty() {
                transaction.rollback().await.map_err(failed)?;
                return Err(Undone::Unmet);
            }
            answers.push(rows);
        }
        for together in others.chunks(TOGETHER) {
            let sent = together.iter().map(|(statement, prepared)| rows(&*transaction, prepared, statement));
            answers.extend(try_join_all(sent).await.map_err(failed)?);
        }
        transaction.commit().await.map_err(failed)?;
        Ok(answers)
    }

    /// The error of a statement, in words.
    fn failure(&self, error: &tokio_postgres::Error) -> Undone {
        let place = self.place.clone();
        let Some(problem) = error.as_db_error() else {
            let is_of_the_line = error.is_closed()
                || error.source().is_some_and(<dyn std::error::Error>::is::<std::io::Error>);
            return Undone::Error(if is_of_the_line {
                self.lost(chain(error))
            } else {
                StoreError::Statement(chain(error).into())
            });
        };
        // Details and hints may repeat what is in a row; the message does not.
        let said = format!("{} ({})", problem.message(), problem.code().code());
        Undone::Error(match problem.code() {
            &SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED => return Undone::Again,
            &SqlState::UNIQUE_VIOLATION => return Undone::Conflict,
            &SqlState::LOCK_NOT_AVAILABLE | &SqlState::QUERY_CANCELED => StoreError::Busy(place),
            &SqlState::DISK_FULL => StoreError::Unusable { place, why: "has no room left: its disk is full" },
            &SqlState::READ_ONLY_SQL_TRANSACTION => StoreError::Unusable {
                place,
                why: "cannot be written to: it is read-only, or a standby of another one",
            },
            &SqlState::DATA_CORRUPTED | &SqlState::INDEX_CORRUPTED => StoreError::Unusable {
                place,
                why: "is damaged: restore a backup, then run `perennial journal adopt`",
            },
            code if ["08", "28", "3D", "53", "57P", "25P03"]
                .iter()
                .any(|class| code.code().starts_with(class)) =>
            {
                self.lost(said)
            }
            _ => StoreError::Statement(said.into()),
        })
    }

    /// The error of a statement that is not run again.
    fn final_error(&self, error: &tokio_postgres::Error) -> StoreError {
        match self.failure(error) {
            Undone::Error(error) => error,
            Undone::Unmet | Undone::Conflict | Undone::Again => StoreError::Statement(chain(error).into()),
        }
    }

    fn lost(&self, why: String) -> StoreError {
        StoreError::Lost { place: self.place.clone(), why }
    }
}

#[async_trait]
impl Sql for Postgres {
    async fn transact(&self, statements: Vec<Statement>) -> Result<Transacted, StoreError> {
        for _ in 0..TRIES {
            match self.attempt(&statements).await {
                Ok(rows) => return Ok(Transacted::Rows(rows)),
                Err(Undone::Unmet) => return Ok(Transacted::Unmet),
                Err(Undone::Conflict) => return Ok(Transacted::Conflict),
                Err(Undone::Error(error)) => return Err(error),
                // Whatever it waited for has happened by now.
                Err(Undone::Again) => {}
            }
        }
        Err(StoreError::Busy(self.place.clone()))
    }

    async fn suspicion(&self) -> Result<Option<String>, StoreError> {
        Ok(self.known.suspicion())
    }

    async fn accept(&self) -> Result<(), StoreError> {
        let client = self.connection().await?;
        let sql = format!("UPDATE perennial.setting SET value = {IDENTITY} WHERE name = 'identity'");
        client.execute(&sql, &[]).await.map_err(|error| self.final_error(&error))?;
        let sql = "INSERT INTO perennial.setting (name, value) VALUES ('adopted', '1') ON CONFLICT (name) DO UPDATE \
                   SET value = (CAST(setting.value AS BIGINT) + 1)::text";
        client.execute(sql, &[]).await.map_err(|error| self.final_error(&error))?;
        Ok(())
    }

    fn count_send(&self) -> Option<&'static str> {
        Some(
            "SELECT pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0')::bigint::text || ' ' ||
               coalesce((SELECT value FROM perennial_setting WHERE name = 'adopted'), '0')",
        )
    }

    fn sent(&self, _witness: String, counted: &str) -> Option<String> {
        let (position, adopted) = counted.split_once(' ').unwrap_or((counted, "0"));
        self.known.reach(position);
        self.known.check_adopted(adopted);
        self.known.suspicion()
    }

    fn close(&self) {
        self.pool.close();
    }

    fn skip_locked(&self) -> &'static str {
        "FOR UPDATE SKIP LOCKED"
    }

    fn unchanged(&self) -> &'static str {
        "FOR SHARE"
    }

    fn one_at_a_time(&self) -> Option<&'static str> {
        // The bytes of `perennie`.
        Some("SELECT pg_advisory_xact_lock(8099005284865698149)")
    }

    fn place(&self) -> &str {
        &self.place
    }
}

/// The reason why a transaction was undone.
enum Undone {
    Unmet,
    Conflict,
    /// Another transaction was in its way.
    Again,
    /// If the connection was lost during the commit, the transaction may be stored nevertheless.
    Error(StoreError),
}

/// The statement as `PostgreSQL` writes it. An index is in the schema of its table, and its name names none. The order of
/// bytes is `BINARY` on `SQLite`, and `"C"` here.
fn translate(sql: &str) -> String {
    let sql = sql.replace('?', "$").replace("perennial_", "perennial.");
    sql.replace("INDEX perennial.", "INDEX perennial_").replace("COLLATE BINARY", "COLLATE \"C\"")
}

async fn rows(
    client: &impl GenericClient,
    prepared: &tokio_postgres::Statement,
    statement: &Statement,
) -> Result<Vec<Row>, tokio_postgres::Error> {
    let answer = client.query_raw(prepared, &statement.values).await?;
    answer.map_ok(|row| row_of(&row)).try_collect().await
}

fn row_of(row: &tokio_postgres::Row) -> Row {
    let value = |(index, column): (usize, &tokio_postgres::Column)| match *column.type_() {
        Type::INT8 => row.try_get::<_, Option<i64>>(index).ok().map(Value::from),
        Type::TEXT => row.try_get::<_, Option<String>>(index).ok().map(Value::from),
        Type::VOID => Some(Value::Null),
        _ => None,
    };
    // No statement of ours returns another type; a text where a number belongs is reported as damage.
    let value = |column| value(column).unwrap_or_else(|| Value::Text("?".to_owned()));
    Row::new(row.columns().iter().enumerate().map(value).collect())
}

impl ToSql for Value {
    fn to_sql(
        &self,
        column: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(number) if *column == Type::INT8 => number.to_sql(column, out),
            Self::Text(text) if *column == Type::TEXT => text.to_sql(column, out),
            Self::Int(_) | Self::Text(_) => Err(format!("a value for a column of the type {column}").into()),
        }
    }

    /// NULL has every type.
    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// An error and its causes on one line.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let _ = write!(text, ": {error}");
        source = error.source();
    }
    text
}
