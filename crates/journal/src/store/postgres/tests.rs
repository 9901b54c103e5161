//! Differences from `SQLite`: several transactions at once, a server that fails, roles, and TLS.

use std::time::Duration;

use tokio_postgres::NoTls;

use super::*;
use crate::Moment;
use crate::machine::{Intent, Precondition};
use crate::store::tests::testing_postgres::{Cluster, database, sql};
use crate::store::tests::{Both as _, Place, intent, many_on_hold, send, store_tenant};
use crate::store::{Committed, Intended, Statements, Store as _};

const fn at(millis: i64) -> Moment {
    Moment::from_millis(millis)
}

async fn open(url: &str) -> Arc<Statements<Postgres>> {
    Arc::new(Statements(Postgres::open(url).await.unwrap()))
}

/// A connection of the user's own.
async fn connect(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn error_of(url: &str) -> String {
    let Err(error) = Postgres::open(url).await else { panic!("{url} can be used") };
    let place = settings::read(url).map(|(config, _)| settings::place(&config)).unwrap();
    error.to_string().replace(&place, "DATABASE")
}

/// Waits until `count` sessions of the journal wait for a lock.
async fn until_waiting(url: &str, count: i64) {
    let own = connect(url).await;
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while own.query_one(sql, &[]).await.unwrap().get::<_, i64>(0) < count {
        tokio::task::yield_now().await;
    }
}

/// Holds: On `PostgreSQL`, no reader of events passes over an event that is committed late.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_committed_late_comes_after_those_that_were_read() {
    let url = database();
    let store = open(&url).await;
    store_tenant(&*store).await;
    let (mut early, late) = (connect(&url).await, connect(&url).await);
    let insert = "INSERT INTO perennial.event (tenant, kind, about, body, at) VALUES ('t', $1, '', '{}', 0)";
    // The first transaction has the lower id, and commits last.
    let transaction = early.transaction().await.unwrap();
    transaction.execute(insert, &[&"slow"]).await.unwrap();
    late.execute(insert, &[&"fast"]).await.unwrap();
    let kinds = async |after| {
        let events = store.events(after, 10).await.unwrap();
        events.into_iter().map(|event| (event.position, event.kind)).collect::<Vec<_>>()
    };
    assert_eq!(kinds(0).await, [(1, "fast".to_owned())]);
    assert_eq!(kinds(1).await, []);
    transaction.commit().await.unwrap();
    assert_eq!(kinds(1).await, [(2, "slow".to_owned())]);
    assert_eq!(kinds(0).await.len(), 2);
}

/// Holds: On `PostgreSQL`, no attempt is committed after its guard was raised or its tenant was put on hold.
#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_waits_for_whoever_makes_it_unwanted() {
    let raise = "INSERT INTO perennial.guard (tenant, name, version) VALUES ('t', 'g', 1)
                 ON CONFLICT (tenant, name) DO UPDATE SET version = perennial.guard.version + 1";
    let hold = "UPDATE perennial.tenant SET hold = 'no' WHERE uid = 't'";
    let cases = [(raise, true, Committed::Unwanted), (raise, false, Committed::Yes)];
    for (sql, commits, expected) in
        cases.into_iter().chain([(hold, true, Committed::Held), (hold, false, Committed::Yes)])
    {
        let url = database();
        let store = open(&url).await;
        store_tenant(&*store).await;
        let precondition = Some(Precondition { guard: "g".to_owned(), version: 0 });
        let guarded = Intent { precondition, ..intent("1") };
        assert_eq!(store.intend(&guarded).await.unwrap(), Intended::New);
        let mut user = connect(&url).await;
        let transaction = user.transaction().await.unwrap();
        transaction.execute(sql, &[]).await.unwrap();
        let sender = tokio::spawn({
            let store = store.clone();
            async move { send(&*store, "1", 10).await }
        });
        until_waiting(&url, 1).await;
        if commits {
            transaction.commit().await.unwrap();
        } else {
            transaction.rollback().await.unwrap();
        }
        assert_eq!(sender.await.unwrap(), expected, "{sql} {commits}");
    }
}

/// Holds: An intent of `perennial.intend` is stored if the transaction of its caller is, and not otherwise.
#[tokio::test(flavor = "multi_thread")]
async fn an_intent_is_part_of_the_users_transaction() {
    let url = database();
    let store = open(&url).await;
    store_tenant(&*store).await;
    // The role may call the function, and nothing else.
    sql(
        &url,
        "DROP ROLE IF EXISTS shop; CREATE ROLE shop LOGIN; GRANT USAGE ON SCHEMA perennial TO shop;
         GRANT EXECUTE ON FUNCTION perennial.intend TO shop; CREATE TABLE public.signup (name text);
         GRANT ALL ON public.signup TO shop",
    );
    let mut shop = connect(&url.replace("perennial@", "shop@")).await;
    let intend = "SELECT perennial.intend('t', $1, 'transactions.sale', NULL, $2)";
    let mut numbers = Vec::new();
    for (name, commits) in [("a", true), ("b", false), ("c", true)] {
        let transaction = shop.transaction().await.unwrap();
        transaction.execute("INSERT INTO public.signup VALUES ($1)", &[&name]).await.unwrap();
        let number: i64 = transaction.query_one(intend, &[&name, &"{}"]).await.unwrap().get(0);
        numbers.push(number);
        if commits {
            transaction.commit().await.unwrap();
        } else {
            transaction.rollback().await.unwrap();
        }
    }
    let inbox = store.inbox(10).await.unwrap();
    let rows: Vec<_> = inbox.iter().map(|row| (row.id, row.key.as_str(), row.object.clone())).collect();
    assert_eq!(rows, [(numbers[0], "a", None), (numbers[2], "c", None)]);
    assert_eq!(sql(&url, "SELECT string_agg(name, ' ' ORDER BY name) FROM public.signup"), "a c");

    // The same again is the same row; another request under the key is refused, and with it the transaction.
    let again: i64 = shop.query_one(intend, &[&"a", &"{}"]).await.unwrap().get(0);
    assert_eq!(again, numbers[0]);
    let error = shop.query_one(intend, &[&"a", &"{\"other\":1}"]).await.unwrap_err();
    let problem = error.as_db_error().unwrap();
    assert_eq!(problem.message(), "the operation key a is used for another request");
    assert_eq!(problem.code(), &SqlState::UNIQUE_VIOLATION);
    let denied = shop.query("SELECT * FROM perennial.inbox", &[]).await.unwrap_err();
    assert_eq!(denied.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE));
    store.take(&inbox[0], Some(&intent("1")), None, at(5)).await.unwrap();
    assert_eq!(store.intent("1").await.unwrap(), Some(intent("1")));
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_start_together_make_one_schema() {
    let url = database();
    let starts: Vec<_> = (0..8)
        .map(|_| {
            let url = url.clone();
            tokio::spawn(async move { Postgres::open(&url).await.map(drop) })
        })
        .collect();
    for start in starts {
        start.await.unwrap().unwrap();
    }
    assert_eq!(
        sql(&url, "SELECT count(*), max(version) FROM perennial.schema"),
        format!("{0}|{0}", MIGRATIONS.len())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_not_usable_is_named_with_its_problem() {
    let foreign = "the database DATABASE has tables named perennial that this program did not make: use another database";
    let cases = [
        ("CREATE SCHEMA perennial; CREATE TABLE perennial.schema (name text)", foreign),
        ("CREATE SCHEMA perennial; CREATE TABLE perennial.subscription (version bigint)", foreign),
        (
            "CREATE SCHEMA perennial; CREATE TABLE perennial.schema (version bigint);
             CREATE TABLE perennial.intent (operation_key text); INSERT INTO perennial.schema VALUES (99)",
            "the journal DATABASE has schema 99, and this program knows up to 2: use a newer version of it",
        ),
    ];
    for (made, expected) in cases {
        let url = database();
        sql(&url, made);
        assert_eq!(error_of(&url).await, expected, "{made}");
        // Nothing is changed in it.
        assert_eq!(sql(&url, "SELECT to_regclass('perennial.tenant') IS NULL"), "t", "{made}");
    }
    let url = database();
    sql(&url, "CREATE SCHEMA perennial");
    assert!(Postgres::open(&url).await.is_ok(), "an operator may make the schema");

    let (server, name) = url.rsplit_once('/').unwrap();
    sql(&url, &format!("CREATE DATABASE {name}_ascii ENCODING 'SQL_ASCII' TEMPLATE template0"));
    let expected = "the database DATABASE does not store all characters: make it with the encoding UTF8";
    assert_eq!(error_of(&format!("{url}_ascii")).await, expected);

    let expected = "the database DATABASE cannot be reached: database \"none\" does not exist (3D000); the journal does \
                    nothing without it";
    assert_eq!(error_of(&format!("{server}/none")).await, expected);

    let url = database();
    let name = url.rsplit_once('/').unwrap().1;
    sql(&url, &format!("ALTER DATABASE {name} SET default_transaction_read_only = on"));
    let expected = "the database DATABASE cannot be written to: it is read-only, or a standby of another one";
    assert_eq!(error_of(&url).await, expected);

    let nobody = "postgres://perennial:secret-password@127.0.0.1:1/journal";
    let error = error_of(nobody).await;
    assert!(
        error.starts_with("the database DATABASE cannot be reached: error connecting to server"),
        "{error}"
    );
    assert!(!error.contains("secret"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn defaults_of_the_database_change_nothing() {
    let url = database();
    let name = url.rsplit_once('/').unwrap().1;
    sql(
        &url,
        &format!(
            "ALTER DATABASE {name} SET synchronous_commit = off;
         ALTER DATABASE {name} SET default_transaction_isolation = 'serializable';
         CREATE FUNCTION public.count(bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 0::bigint';
         ALTER DATABASE {name} SET search_path = public, pg_catalog",
        ),
    );
    let store = open(&url).await;
    let sql =
        "SELECT current_setting('synchronous_commit') || ' ' || current_setting('transaction_isolation')
               || ' ' || current_setting('search_path') || ' ' || current_setting('lock_timeout')";
    let Ok(Transacted::Rows(mut rows)) = store.sql(sql, Vec::new()).await else { panic!() };
    let settings = rows.remove(0).remove(0).text().unwrap();
    assert_eq!(settings, "on read committed pg_catalog, pg_temp 5s");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_the_server_undoes_is_run_again() {
    let url = database();
    let store = open(&url).await;
    for name in ["a", "b", "gate"] {
        store.set(name, "").await.unwrap();
    }
    let append = |name: &str| Statement {
        sql: "UPDATE perennial_setting SET value = value || 'j' WHERE name = ?1 RETURNING value".into(),
        values: vec![name.into()],
        must: true,
    };
    let by_user = "UPDATE perennial.setting SET value = value || 'u' WHERE name = $1";
    let (mut user, mut porter) = (connect(&url).await, connect(&url).await);
    // The user's transaction does not look for circles, so the server undoes the journal's.
    user.batch_execute("SET deadlock_timeout = '1min'").await.unwrap();
    let users = user.transaction().await.unwrap();
    users.execute(by_user, &[&"b"]).await.unwrap();
    let gate = porter.transaction().await.unwrap();
    gate.execute(by_user, &[&"gate"]).await.unwrap();

    let journals = tokio::spawn({
        let store = store.clone();
        async move { store.0.transact(["a", "gate", "b"].map(append).into()).await.unwrap() }
    });
    until_waiting(&url, 1).await;
    let circle = async {
        users.execute(by_user, &[&"a"]).await.unwrap();
        users.commit().await.unwrap();
    };
    let open = async {
        until_waiting(&url, 2).await;
        gate.commit().await.unwrap();
    };
    tokio::join!(circle, open);
    assert!(matches!(journals.await.unwrap(), Transacted::Rows(_)));
    for name in ["a", "b", "gate"] {
        assert_eq!(store.setting(name).await.unwrap().as_deref(), Some("uj"), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_is_held_too_long_is_busy() {
    let url = database();
    let store = open(&url).await;
    store_tenant(&*store).await;
    assert_eq!(store.intend(&intent("1")).await.unwrap(), Intended::New);
    let mut other = connect(&url).await;
    let transaction = other.transaction().await.unwrap();
    transaction.execute("UPDATE perennial.intent SET fence = fence", &[]).await.unwrap();
    // Whoever claims what is due passes over it; whoever asks for it by name waits.
    assert_eq!(store.claim("t", None, at(10), at(10), at(20)).await.unwrap(), None);
    let busy = store.claim("t", Some("1"), at(10), at(10), at(20)).await;
    assert!(matches!(busy, Err(StoreError::Busy(_))), "{busy:?}");
    transaction.rollback().await.unwrap();
    assert!(store.claim("t", Some("1"), at(10), at(10), at(20)).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_goes_away_leaves_no_transaction_open() {
    let url = database();
    let store = open(&url).await;
    store_tenant(&*store).await;
    assert_eq!(store.intend(&intent("1")).await.unwrap(), Intended::New);
    let mut other = connect(&url).await;
    let transaction = other.transaction().await.unwrap();
    transaction.execute("UPDATE perennial.tenant SET hold = NULL", &[]).await.unwrap();
    // More callers than connections, each dropped while it waits for the lock in its transaction.
    for _ in 0..CONNECTIONS * 2 {
        let late = tokio::time::timeout(
            Duration::from_millis(20),
            store.mark_restored(
                at(1),
                crate::store::NewDecision {
                    actor: "a".to_owned(),
                    reason: "r".to_owned(),
                    what: "w".to_owned(),
                },
                at(1),
            ),
        );
        assert!(late.await.is_err());
    }
    transaction.commit().await.unwrap();
    assert_eq!(send(&*store, "1", 10).await, Committed::Yes);
    assert_eq!(store.decisions("journal").await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_crashes_is_named_and_used_again_when_it_is_back() {
    let mut cluster = Cluster::start();
    let url = cluster.database();
    let store = open(&url).await;
    store_tenant(&*store).await;
    assert_eq!(store.intend(&intent("1")).await.unwrap(), Intended::New);
    assert_eq!(send(&*store, "1", 10).await, Committed::Yes);
    let before = store.intent("1").await.unwrap();

    // A session that is ended while it is idle costs one call at most.
    cluster.sql(
        "postgres",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'perennial'",
    );
    let mut lost = 0;
    while let Err(error) = store.intent("1").await {
        assert!(matches!(error, StoreError::Lost { .. }), "{error}");
        lost += 1;
    }
    assert!(lost <= CONNECTIONS, "{lost}");

    let cluster = tokio::task::spawn_blocking(move || {
        cluster.stop();
        cluster
    });
    let mut cluster = cluster.await.unwrap();
    for _ in 0..3 {
        let error = store.intent("1").await.unwrap_err();
        assert!(matches!(error, StoreError::Lost { .. }), "{error}");
        assert!(!error.to_string().contains("perennial@"), "{error}");
    }
    let cluster = tokio::task::spawn_blocking(move || {
        cluster.run(&[]);
        cluster
    });
    let _cluster = cluster.await.unwrap();
    assert_eq!(store.intent("1").await.unwrap(), before);
}

/// Holds: A `PostgreSQL` server on another machine is used only over TLS, with a certificate for its name.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_tls_is_verified() {
    let mut cluster = Cluster::new();
    let own =
        rcgen::generate_simple_self_signed(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    for (name, text) in [
        ("own.pem", own.cert.pem()),
        ("own.key", own.signing_key.serialize_pem()),
        ("other.pem", other.cert.pem()),
    ] {
        cluster.put(name, &text);
    }
    let (certificate, key) = (cluster.folder().join("own.pem"), cluster.folder().join("own.key"));
    let settings = [
        "ssl=on".to_owned(),
        format!("ssl_cert_file={}", certificate.display()),
        format!("ssl_key_file={}", key.display()),
    ];
    cluster.run(&settings.each_ref().map(String::as_str));
    let url = cluster.database();
    let roots = |name: &str| format!("sslrootcert={}", cluster.folder().join(name).display());
    let sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let cases = [
        (format!("{url}?sslmode=verify-full&{}", roots("own.pem")), Ok(true)),
        (format!("{url}?sslmode=require&{}", roots("own.pem")), Ok(true)),
        (format!("{}?sslmode=require&{}", url.replace("127.0.0.1", "localhost"), roots("own.pem")), Ok(true)),
        // Not the server's certificate, no root at all, and a name that the certificate lacks.
        (format!("{url}?sslmode=require&{}", roots("other.pem")), Err("invalid peer certificate")),
        (format!("{url}?sslmode=require"), Err("invalid peer certificate")),
        (
            format!("{}?sslmode=require&{}", url.replace("127.0.0.1", "[::1]"), roots("own.pem")),
            Err("connect"),
        ),
        (
            format!(
                "{}?sslmode=require&{}&hostaddr=127.0.0.1",
                url.replace("127.0.0.1", "elsewhere.example"),
                roots("own.pem")
            ),
            Err("not valid for name"),
        ),
        // On loopback without a word about TLS.
        (url.clone(), Ok(false)),
    ];
    for (url, expected) in cases {
        match (Postgres::open(&url).await, expected) {
            (Ok(store), Ok(encrypted)) => {
                let client = store.connection().await.unwrap();
                assert_eq!(client.query_one(sql, &[]).await.unwrap().get::<_, bool>(0), encrypted, "{url}");
            }
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{url}: {error}"),
            (Ok(_), Err(part)) => panic!("{url}: {part} was expected"),
            (Err(error), Ok(_)) => panic!("{url}: {error}"),
        }
    }
    // A server without TLS is refused if TLS is asked for.
    let plain = database();
    let error = error_of(&format!("{plain}?sslmode=require&{}", roots("own.pem"))).await;
    assert!(error.contains("server does not support TLS"), "{error}");
}

#[test]
fn statements_are_written_in_the_form_of_the_server() {
    let cases = [
        (
            "SELECT uid FROM perennial_intent i WHERE uid = ?1",
            "SELECT uid FROM perennial.intent i WHERE uid = $1",
        ),
        (
            "CREATE UNIQUE INDEX perennial_one_mark ON perennial_intent (mark)",
            "CREATE UNIQUE INDEX perennial_one_mark ON perennial.intent (mark)",
        ),
    ];
    for (common, expected) in cases {
        assert_eq!(translate(common), expected);
    }
    assert_eq!(MIGRATIONS.len(), ALSO.len());
    for sql in MIGRATIONS {
        assert!(!sql.contains('\'') || !sql.contains("'perennial"), "a literal is not translated");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_is_kept_once_however_often_it_runs() {
    let Place::Postgres(url) = Place::postgres() else { panic!() };
    let store = open(&url).await;
    for number in 0..50 {
        store.events(0, number).await.unwrap();
        store.setting(&number.to_string()).await.unwrap();
    }
    // Three statements of `events` and one of `setting`.
    assert_eq!(store.0.texts.lock().unwrap().len(), 4);
    let kept = store.0.text("SELECT 1");
    assert!(Arc::ptr_eq(&kept, &store.0.text("SELECT 1")));
}

#[test]
fn a_connection_to_another_server_is_suspicious() {
    let known = Known::default();
    known.compare("first/1/5", "100", 0);
    assert_eq!(known.suspicion(), None, "nothing is known yet");
    known.know("first/1/5".to_owned());
    known.compare("first/1/5", "100", 0);
    assert_eq!(known.suspicion(), None);
    known.reach("200");
    known.compare("first/1/5", "200", 200);
    assert_eq!(known.suspicion(), None);
    for (identity, position, what) in
        [("first/2/5", "300", "another timeline"), ("first/1/5", "199", "an older log")]
    {
        let known = Known::default();
        known.know("first/1/5".to_owned());
        known.compare(identity, position, 200);
        assert!(known.suspicion().is_some(), "{what}");
    }
}

/// Holds: On `PostgreSQL`, a claim for a tenant on hold reads as few rows as another one, however many writes are planned.
#[tokio::test(flavor = "multi_thread")]
async fn a_claim_on_hold_reads_no_planned_intent() {
    let url = database();
    let store = open(&url).await;
    let claim = many_on_hold(&*store).await;
    store.sql("ANALYZE perennial_intent", Vec::new()).await.unwrap();
    let values = [("?1", "'t'"), ("?2", "9"), ("?3", "9"), ("?4", "9"), ("perennial_", "perennial.")];
    let claim = values.into_iter().fold(claim, |sql, (from, to)| sql.replace(from, to));
    let plan =
        connect(&url).await.query(&format!("EXPLAIN (ANALYZE, COSTS OFF) {claim}"), &[]).await.unwrap();
    let plan: Vec<String> = plan.iter().map(|row| row.get(0)).collect();
    let removed = plan.iter().filter_map(|line| line.split_once("Removed by Filter: "));
    let removed: u64 = removed.map(|(_, count)| count.parse::<u64>().unwrap()).sum();
    assert!(removed < 10, "{}", plan.join("\n"));
}
