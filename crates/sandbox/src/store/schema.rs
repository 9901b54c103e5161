//! The tables, and the preparation of a database file.

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ffi};

use super::seal::{self, Files};
use super::snapshot::forget_copies;
use super::unfit::Unfit;
use super::{LOG_FRAMES, names};

/// The version of the schema, stored in the file's `user_version`.
const VERSION: i64 = 8;

/// The file's `application_id`, so that a database of another program is never opened: `Pere`.
const APPLICATION: i64 = 0x5065_7265;

/// Tables of the database. `number` counts a world's objects of a kind in the order of their creation; `tallies` counts
/// created and removed objects, so that a list need not be counted. Times are milliseconds since 1970, days
/// `yyyy-MM-dd`, amounts cents. No column has room for a card number; credentials and access ids are stored as hashes,
/// and an API key also by its last four characters.
const TABLES: &str = "
CREATE TABLE openings (count INTEGER NOT NULL);
INSERT INTO openings VALUES (0);
CREATE TABLE worlds (
    id INTEGER PRIMARY KEY, key_hash BLOB NOT NULL UNIQUE, key_end TEXT, seed INTEGER NOT NULL,
    asked_for INTEGER NOT NULL, mode TEXT NOT NULL, at INTEGER NOT NULL, first_mode TEXT NOT NULL, first_at INTEGER NOT NULL,
    public_key BLOB, month_day INTEGER, gateway TEXT NOT NULL, opened_before INTEGER NOT NULL
);
CREATE INDEX worlds_public_key ON worlds (public_key) WHERE public_key IS NOT NULL;
CREATE TABLE tallies (
    world INTEGER NOT NULL, kind TEXT NOT NULL, made INTEGER NOT NULL, gone INTEGER NOT NULL, PRIMARY KEY (world, kind)
) WITHOUT ROWID;

CREATE TABLE customers (
    world INTEGER NOT NULL, number INTEGER NOT NULL, key TEXT NOT NULL, first_name TEXT, last_name TEXT, email TEXT COLLATE NOCASE,
    phone TEXT, comments TEXT, status TEXT, billing TEXT, shipping TEXT, found_from INTEGER,
    PRIMARY KEY (world, number), UNIQUE (world, key)
) WITHOUT ROWID;
CREATE INDEX customers_first_name ON customers (world, number >> 10, first_name COLLATE names, number);
CREATE INDEX customers_last_name ON customers (world, number >> 10, last_name COLLATE names, number);
CREATE INDEX customers_email ON customers (world, number >> 10, email, number);
CREATE INDEX customers_phone ON customers (world, number >> 10, phone, number);

CREATE TABLE tokens (
    world INTEGER NOT NULL, number INTEGER NOT NULL, id TEXT NOT NULL, customer_key TEXT, status TEXT NOT NULL, description TEXT,
    card_type TEXT, last_four TEXT NOT NULL, exp_date TEXT NOT NULL, avs_address TEXT, avs_zip TEXT,
    avs_required INTEGER NOT NULL, times_used INTEGER NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL,
    PRIMARY KEY (world, number), UNIQUE (world, id)
) WITHOUT ROWID;
CREATE INDEX tokens_kept ON tokens (world, number) WHERE status <> 'DELETED';
CREATE INDEX tokens_updated ON tokens (world, updated) WHERE status <> 'DELETED';
CREATE INDEX tokens_last_four ON tokens (world, last_four);
CREATE INDEX tokens_exp_date ON tokens (world, exp_date);
CREATE INDEX tokens_customer ON tokens (world, customer_key) WHERE customer_key IS NOT NULL;

CREATE TABLE customer_tokens (
    world INTEGER NOT NULL, number INTEGER NOT NULL, customer_key TEXT NOT NULL, token_id TEXT NOT NULL, description TEXT,
    is_default INTEGER NOT NULL, avs_address TEXT, avs_zip TEXT,
    PRIMARY KEY (world, number), UNIQUE (world, customer_key, token_id)
) WITHOUT ROWID;
CREATE INDEX customer_tokens_token ON customer_tokens (world, token_id);

CREATE TABLE plans (
    world INTEGER NOT NULL, number INTEGER NOT NULL, key TEXT NOT NULL, name TEXT, customer_key TEXT NOT NULL, customer_name TEXT,
    token_id TEXT NOT NULL, frequency TEXT NOT NULL, frequency_day INTEGER NOT NULL,
    frequency_month INTEGER, frequency_week INTEGER, amount INTEGER NOT NULL,
    start_date TEXT NOT NULL, end_date TEXT NOT NULL, status TEXT NOT NULL, status_date INTEGER NOT NULL,
    email_address TEXT, email_receipt INTEGER NOT NULL, next_charge TEXT, archive_at INTEGER, archived INTEGER,
    found_from INTEGER,
    PRIMARY KEY (world, number), UNIQUE (world, key)
) WITHOUT ROWID;
CREATE INDEX plans_due ON plans (world, next_charge, key) WHERE next_charge IS NOT NULL;
CREATE INDEX plans_archive ON plans (world, archive_at) WHERE archive_at IS NOT NULL;
CREATE INDEX plans_kept ON plans (world, number) WHERE archived IS NULL;
CREATE INDEX plans_customer ON plans (world, customer_key, number);
CREATE INDEX plans_customer_name ON plans (world, number >> 10, customer_name COLLATE names, number);
CREATE INDEX plans_name ON plans (world, name COLLATE names, number);
CREATE INDEX plans_token ON plans (world, token_id, number);
CREATE INDEX plans_status ON plans (world, status, number);
CREATE INDEX plans_amount ON plans (world, amount, number);

CREATE TABLE transactions (
    world INTEGER NOT NULL, number INTEGER NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL, amount INTEGER NOT NULL, asked INTEGER, result TEXT NOT NULL,
    result_code TEXT NOT NULL, display_message TEXT NOT NULL, status TEXT NOT NULL, authorization_code TEXT,
    last_four TEXT, card_type TEXT, exp_date TEXT, created INTEGER NOT NULL, batch INTEGER, ref_id TEXT,
    sales_tax INTEGER, tip INTEGER, invoice TEXT, purchase_order TEXT, order_id TEXT, customer_id TEXT,
    description TEXT, comments TEXT, token_description TEXT, email_address TEXT, billing TEXT, shipping TEXT,
    billing_is_shipping INTEGER NOT NULL, software_type TEXT,
    software_type_version TEXT, avs TEXT, csc TEXT, pending INTEGER NOT NULL, voided INTEGER NOT NULL, plan_name TEXT,
    PRIMARY KEY (world, number), UNIQUE (world, id)
) WITHOUT ROWID;
CREATE INDEX transactions_ref ON transactions (world, ref_id) WHERE ref_id IS NOT NULL;
CREATE INDEX transactions_batch ON transactions (world, batch) WHERE batch IS NOT NULL;
CREATE INDEX transactions_order ON transactions (world, number >> 10, order_id, number);
CREATE INDEX transactions_invoice ON transactions (world, number >> 10, invoice, number);
CREATE INDEX transactions_last_four ON transactions (world, number >> 10, last_four, number);
CREATE INDEX transactions_authorization ON transactions (world, number >> 10, authorization_code, number);
CREATE INDEX transactions_amount ON transactions (world, amount, number);
CREATE INDEX transactions_type ON transactions (world, type, number);
CREATE INDEX transactions_status ON transactions (world, status COLLATE NOCASE, number);
CREATE INDEX transactions_created ON transactions (world, created, number);

CREATE TABLE batches (
    world INTEGER NOT NULL, number INTEGER NOT NULL, opened INTEGER NOT NULL, settled INTEGER,
    PRIMARY KEY (world, number)
) WITHOUT ROWID;
CREATE UNIQUE INDEX batches_open ON batches (world) WHERE settled IS NULL;

CREATE TABLE settings (
    world INTEGER PRIMARY KEY, avs_enabled INTEGER NOT NULL, avs_allowed TEXT NOT NULL, csc_enabled INTEGER NOT NULL,
    csc_allowed TEXT NOT NULL, duplicates_enabled INTEGER NOT NULL, check_merchant_level INTEGER NOT NULL,
    include_invoice INTEGER NOT NULL, use_invoice_instead_of_card INTEGER NOT NULL, time_range_in_minutes INTEGER NOT NULL,
    respond_with_error INTEGER NOT NULL
);

CREATE TABLE payments (
    world INTEGER NOT NULL, number INTEGER NOT NULL, plan_key TEXT NOT NULL, customer_key TEXT NOT NULL, frequency_date TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    transaction_id TEXT NOT NULL, amount INTEGER NOT NULL, status TEXT NOT NULL, created INTEGER NOT NULL,
    PRIMARY KEY (world, number), UNIQUE (world, frequency_date, plan_key, attempt)
) WITHOUT ROWID;
CREATE INDEX payments_plan ON payments (world, number >> 10, plan_key, number);
CREATE INDEX payments_customer ON payments (world, number >> 10, customer_key, number);
CREATE TABLE waiting_charges (
    world INTEGER NOT NULL, at INTEGER NOT NULL, plan_key TEXT NOT NULL, frequency_date TEXT NOT NULL, retries INTEGER NOT NULL,
    is_late INTEGER NOT NULL, PRIMARY KEY (world, at, plan_key, frequency_date, retries)
) WITHOUT ROWID;

CREATE TABLE webhooks (world INTEGER PRIMARY KEY, url TEXT NOT NULL);
CREATE TABLE alerts (
    world INTEGER NOT NULL, number INTEGER NOT NULL, transaction_id TEXT NOT NULL, event TEXT NOT NULL, body TEXT NOT NULL, url TEXT,
    PRIMARY KEY (world, number), UNIQUE (world, transaction_id, event)
);
CREATE TABLE deliveries (
    world INTEGER NOT NULL, alert INTEGER NOT NULL, attempt INTEGER NOT NULL, due INTEGER NOT NULL, outcome TEXT NOT NULL,
    status INTEGER, fault TEXT, held INTEGER NOT NULL, PRIMARY KEY (world, alert, attempt)
) WITHOUT ROWID;
CREATE INDEX deliveries_waiting ON deliveries (world, due, alert) WHERE outcome = 'waiting';
CREATE INDEX deliveries_due ON deliveries (world, due, alert);

CREATE TABLE doors (hash BLOB PRIMARY KEY, pin BLOB NOT NULL, opens INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE access_ids (
    world INTEGER NOT NULL, number INTEGER NOT NULL, hash TEXT NOT NULL, scope TEXT NOT NULL, ended INTEGER,
    PRIMARY KEY (world, number), UNIQUE (world, hash)
) WITHOUT ROWID;
CREATE INDEX access_ids_hash ON access_ids (hash, world);
CREATE UNIQUE INDEX access_ids_live ON access_ids (world, scope) WHERE ended IS NULL;
CREATE TABLE request_ids (
    world INTEGER NOT NULL, number INTEGER NOT NULL, id TEXT NOT NULL, used INTEGER NOT NULL,
    PRIMARY KEY (world, number), UNIQUE (world, id)
) WITHOUT ROWID;
CREATE TABLE pages (
    world INTEGER NOT NULL, number INTEGER NOT NULL, request_id TEXT NOT NULL, kind TEXT NOT NULL, document TEXT NOT NULL,
    created INTEGER NOT NULL, expires INTEGER NOT NULL, ended TEXT, payer TEXT,
    PRIMARY KEY (world, number), UNIQUE (world, request_id)
) WITHOUT ROWID;
CREATE INDEX pages_request ON pages (request_id, world);
CREATE TABLE clientpay_payments (
    world INTEGER NOT NULL, number INTEGER NOT NULL, id TEXT NOT NULL, request_id TEXT NOT NULL, session_id TEXT, customer_ref TEXT,
    status TEXT NOT NULL, message TEXT, method INTEGER NOT NULL, amount INTEGER NOT NULL, tax INTEGER NOT NULL, order_id TEXT,
    description TEXT, created INTEGER NOT NULL, refunded INTEGER NOT NULL, original TEXT, note TEXT,
    PRIMARY KEY (world, number), UNIQUE (world, id)
) WITHOUT ROWID;
CREATE INDEX clientpay_payments_request ON clientpay_payments (world, request_id);
CREATE INDEX clientpay_payments_session ON clientpay_payments (world, session_id) WHERE session_id IS NOT NULL;
CREATE INDEX clientpay_payments_created ON clientpay_payments (world, created, number);
CREATE TABLE payers (
    world INTEGER NOT NULL, number INTEGER NOT NULL, id TEXT NOT NULL, first_name TEXT, last_name TEXT, business_name TEXT,
    payer_name INTEGER, emails TEXT NOT NULL, address TEXT, session_id TEXT, customer_ref TEXT, deleted INTEGER NOT NULL,
    PRIMARY KEY (world, number), UNIQUE (world, id)
) WITHOUT ROWID;
CREATE TABLE methods (
    world INTEGER NOT NULL, number INTEGER NOT NULL, id TEXT NOT NULL, payer_id TEXT NOT NULL, method INTEGER NOT NULL, name TEXT,
    card_type TEXT, last_four TEXT NOT NULL, exp_date TEXT, account_type TEXT, outcome TEXT, address TEXT,
    is_primary INTEGER NOT NULL, PRIMARY KEY (world, number), UNIQUE (world, id)
) WITHOUT ROWID;
CREATE INDEX methods_payer ON methods (world, payer_id, number);

CREATE TABLE one_time_tokens (
    world INTEGER NOT NULL, number INTEGER NOT NULL, hash TEXT NOT NULL, card_type TEXT, last_four TEXT NOT NULL, exp_date TEXT,
    csc TEXT, expires INTEGER NOT NULL, used INTEGER NOT NULL, PRIMARY KEY (world, number), UNIQUE (world, hash)
) WITHOUT ROWID;

CREATE TABLE snapshots (
    id INTEGER PRIMARY KEY AUTOINCREMENT, world INTEGER NOT NULL, name TEXT NOT NULL, mode TEXT NOT NULL, at INTEGER NOT NULL,
    month_day INTEGER, opened INTEGER NOT NULL, exchanges INTEGER NOT NULL, UNIQUE (world, name)
);
";

/// Statistics that the planner uses instead of those of a small or empty database: a world is large,
/// and types and statuses are few. Without them it reads whole worlds where an index is better, because the rows
/// of a table are in its primary key.
const STATISTICS: &str = "
ANALYZE;
DELETE FROM sqlite_stat1;
INSERT INTO sqlite_stat1
    SELECT t.name, iif(i.origin = 'pk', t.name, i.name), CASE (SELECT count(*) FROM pragma_index_info(i.name))
        WHEN 1 THEN '1000000 1'
        WHEN 2 THEN '1000000 10000 ' || iif(i.\"unique\", '1', '10')
        WHEN 4 THEN '1000000 10000 1000 2 1'
        ELSE '1000000 10000 ' || iif(i.name LIKE '%type' OR i.name LIKE '%status', '2000 1', '10 1') END
    FROM sqlite_schema t JOIN pragma_index_list(t.name) i WHERE t.type = 'table' AND t.name <> 'worlds';
ANALYZE sqlite_schema;
";

/// Tables of a world, each with the column that orders it in the world's state. Each begins with a column `world` and
/// has it in all its keys, so that a world can be copied.
pub(crate) const WORLD_TABLES: &[(&str, &str)] = &[
    ("customers", "key"),
    ("tokens", "id"),
    ("customer_tokens", "number"),
    ("plans", "key"),
    ("transactions", "number"),
    ("payments", "number"),
    ("waiting_charges", "at, plan_key, frequency_date, retries"),
    ("batches", "number"),
    ("settings", "world"),
    ("webhooks", "world"),
    ("alerts", "number"),
    ("deliveries", "alert, attempt"),
    ("access_ids", "number"),
    ("request_ids", "number"),
    ("pages", "number"),
    ("clientpay_payments", "number"),
    ("payers", "number"),
    ("methods", "number"),
    ("one_time_tokens", "number"),
    ("tallies", "kind"),
];

/// Locks the file for this sandbox, checks it, creates its tables if it is new, and counts the start.
pub(super) fn prepare(connection: &Connection, mut files: Option<&mut Files>) -> Result<(), Unfit> {
    // A file that is read-only is opened all the same, and its first lock fails with another error.
    if connection.is_readonly("main")? {
        let read_only = ffi::Error::new(ffi::SQLITE_READONLY);
        return Err(rusqlite::Error::SqliteFailure(read_only, None).into());
    }
    connection.set_prepared_statement_cache_capacity(256);
    names::register(connection)?;
    connection.busy_timeout(std::time::Duration::ZERO)?;
    connection.execute_batch(
        "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;",
    )?;
    // Savepoints are in memory; what was written stays at hand, up to 32 MiB.
    connection.execute_batch("PRAGMA temp_store = MEMORY; PRAGMA cache_size = -32768;")?;
    // The hook takes the place of `SQLite`'s own, which would write the log back.
    connection.wal_hook(Some(|_, frames| {
        LOG_FRAMES.set(u64::try_from(frames).unwrap_or_default());
        Ok(())
    }));
    // Otherwise a statement is planned anew for each value that is bound to it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // Taking the lock at once is what makes a second sandbox on the file fail here and not later.
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let number = |pragma| connection.query_row(pragma, [], |row| row.get::<_, i64>(0));
    let mut checked = Ok(());
    if let Some(files) = &mut files {
        checked = files.check(connection);
    }
    match (number("PRAGMA application_id")?, number("PRAGMA user_version")?) {
        (APPLICATION, VERSION) => checked?,
        (APPLICATION, found) => return Err(Unfit::Schema { found, known: VERSION }),
        (0, 0) if number("SELECT count(*) FROM sqlite_schema")? == 0 => {
            connection.execute_batch(&format!(
                "{TABLES} {} {STATISTICS} PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION};",
                seal::TABLE
            ))?;
        }
        _ => return Err(Unfit::Foreign),
    }
    if let Some(files) = &mut files {
        files.grow_log()?;
    }
    connection.execute("UPDATE openings SET count = count + 1", [])?;
    connection.execute("UPDATE seal SET closed = 0, checksum = NULL", [])?;
    forget_copies(connection)?;
    connection.execute_batch("COMMIT")?;
    // At once, so that from the first answer on the database file says that a log belongs to it.
    Ok(files.map_or(Ok(()), |files| files.checkpoint(connection))?)
}

#[cfg(test)]
mod tests {
    use super::super::list::stretches;
    use super::*;
    use crate::store::world::Kind;

    /// Holds: Each search uses an index and reads no whole world.
    #[test]
    fn no_search_reads_a_whole_world() {
        let [customers, transactions, payments] =
            [Kind::Customer, Kind::Transaction, Kind::Payment].map(stretches);
        let named = format!("customers WHERE world = ?1{customers} AND last_name = ? COLLATE names");
        let ordered = format!("transactions WHERE world = ?1{transactions} AND order_id = ?");
        let of_plan = format!("payments WHERE world = ?1{payments} AND plan_key = ?");
        let connection = Connection::open_in_memory().unwrap();
        prepare(&connection, None).map_err(|_| "a new database is fit").unwrap();
        #[rustfmt::skip]
        let cases = [
            (&*named, "customers_last_name (world=? AND <expr>=? AND last_name=?)"),
            ("customers WHERE world = ?1 ORDER BY number DESC LIMIT ?", "PRIMARY KEY (world=?)"),
            ("tokens WHERE world = ? AND id = ? AND status <> 'DELETED'", "sqlite_autoindex_tokens_2 (world=? AND id=?)"),
            ("plans WHERE world = ? AND customer_key = ?", "plans_customer (world=? AND customer_key=?)"),
            ("plans WHERE world = ? AND next_charge IS NOT NULL AND next_charge <= ? ORDER BY next_charge LIMIT 1", "plans_due (world=? AND next_charge>? AND next_charge<?)"),
            ("plans WHERE world = ? AND next_charge = ? ORDER BY key LIMIT ?", "plans_due (world=? AND next_charge=?)"),
            (&ordered, "transactions_order (world=? AND <expr>=? AND order_id=?)"),
            ("transactions WHERE world = ?1 AND created >= ? ORDER BY created DESC, number DESC LIMIT ?", "transactions_created (world=? AND created>?)"),
            ("transactions WHERE world = ? AND created < ? ORDER BY created DESC, number DESC LIMIT 1", "transactions_created (world=? AND created<?)"),
            ("transactions WHERE world = ?1 AND number > ? ORDER BY number DESC LIMIT ?", "PRIMARY KEY (world=? AND number>?)"),
            ("one_time_tokens WHERE world = ? AND hash = ?", "sqlite_autoindex_one_time_tokens_2 (world=? AND hash=?)"),
            ("transactions WHERE world = ? AND ref_id = ? AND type = ? AND result = 'APPROVED' AND voided = 0", "transactions_ref (world=? AND ref_id=?)"),
            ("transactions WHERE world = ? AND batch = ? AND voided = 0 AND type LIKE '%REFUND'", "transactions_batch (world=? AND batch=?)"),
            ("batches WHERE world = ? AND settled IS NULL", "batches_open (world=?)"),
            ("waiting_charges WHERE world = ? AND at <= ? ORDER BY at, plan_key, frequency_date, retries LIMIT 1", "PRIMARY KEY (world=? AND at<?)"),
            (&of_plan, "payments_plan (world=? AND <expr>=? AND plan_key=?)"),
            ("payments WHERE world = ? AND plan_key = ? AND frequency_date = ?", "sqlite_autoindex_payments_2 (world=? AND frequency_date=? AND plan_key=?)"),
            ("payments WHERE world = ? AND frequency_date >= ? AND plan_key = ? ORDER BY frequency_date DESC LIMIT 1", "sqlite_autoindex_payments_2 (world=? AND frequency_date>?)"),
        ];
        for (from, index) in cases {
            let mut explain =
                connection.prepare(&format!("EXPLAIN QUERY PLAN SELECT * FROM {from}")).unwrap();
            let values = vec![1; explain.parameter_count()];
            let steps = explain.query_map(rusqlite::params_from_iter(values), |row| row.get(3)).unwrap();
            let mut steps: Vec<String> = steps.collect::<rusqlite::Result<_>>().unwrap();
            let (table, _) = from.split_once(' ').unwrap();
            // Steps on other tables do not read the world's objects.
            steps.retain(|step| step.contains(table) || step.contains("TEMP B-TREE"));
            assert!(steps.len() == 1 && steps[0].ends_with(index), "{from}: {steps:?}");
        }
    }

    #[test]
    fn whatever_belongs_to_a_world_is_copied_with_it() {
        let connection = Connection::open_in_memory().unwrap();
        names::register(&connection).unwrap();
        connection.execute_batch(TABLES).unwrap();
        let sql = "SELECT t.name FROM sqlite_schema t, pragma_table_info(t.name) c
                   WHERE t.type = 'table' AND c.name = 'world' ORDER BY t.name";
        let mut statement = connection.prepare(sql).unwrap();
        let found: rusqlite::Result<Vec<String>> =
            statement.query_map([], |row| row.get(0)).unwrap().collect();
        let mut known: Vec<&str> = WORLD_TABLES.iter().map(|(table, _)| *table).collect();
        known.push("snapshots");
        known.sort_unstable();
        assert_eq!(found.unwrap(), known);
    }
}
