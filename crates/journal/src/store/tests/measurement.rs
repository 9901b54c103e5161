//! The cost of storing and claiming intents, beside the same by hand. `cargo xtask bench journal` runs it in release with more rows.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::Moment;
use crate::machine::{Absence, History, Intent, State, Write};
use crate::store::{Filter, Sqlite, Statements, Store, Tenant};

const TASKS: usize = 128;

/// The number of intents.
fn intents() -> usize {
    std::env::var("PERENNIAL_INTENTS").ok().and_then(|number| number.parse().ok()).unwrap_or(250)
}

fn tenant() -> Tenant {
    Tenant {
        uid: "tenant".to_owned(),
        name: "tenant".to_owned(),
        host: "https://gateway.example".to_owned(),
        sentinel: None,
        hold: None,
        quiet_until: None,
        worst_lag: 0,
        created: Moment::of_system(),
    }
}

fn intent(number: usize) -> Intent {
    let uid = format!("{number:026}");
    assert_eq!(Write::Sale.absence(), Absence::Person);
    Intent {
        tenant: "tenant".to_owned(),
        key: format!("invoice-{number}"),
        write: Write::Sale,
        object: format!("new/{uid}"),
        request: format!(
            r#"{{"amount":"25.00","card":"1100000000555551111","exp-date":"1230","order-id":"{uid}"}}"#
        ),
        fingerprint: "0".repeat(32),
        mark: uid.clone(),
        is_stop: false,
        needs_card: false,
        activates: false,
        precondition: None,
        send_before: Moment::of_system(),
        state: State::Planned,
        fence: 0,
        lease_until: None,
        next: Some(Moment::of_system()),
        history: History::default(),
        outcome: None,
        created: Moment::of_system(),
        uid,
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn per_second(count: usize, time: Duration) -> u128 {
    u128::try_from(count).unwrap_or(0) * 1_000_000 / time.as_micros().max(1)
}

/// The time to store intents by many tasks at once.
async fn journal(path: &Path, intents: usize) -> Duration {
    let store: Arc<dyn Store> = Arc::new(Statements(Sqlite::open(Some(path)).unwrap()));
    store.add_tenant(&tenant()).await.unwrap();
    let started = Instant::now();
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let store = store.clone();
            tokio::spawn(async move {
                for number in (task..intents).step_by(TASKS) {
                    store.intend(&intent(number)).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let took = started.elapsed();
    let limit = u32::try_from(intents).unwrap() + 1;
    let stored = store.list(&Filter { limit, ..Filter::default() }).await.unwrap();
    assert_eq!(stored.len(), intents, "every intent is stored");
    store.close();
    took
}

/// The time to store rows of the same columns, each with its own commit.
fn by_hand(path: &Path, rows: usize) -> Duration {
    let file = rusqlite::Connection::open(path).unwrap();
    file.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE intent (uid TEXT PRIMARY KEY, key TEXT UNIQUE, request TEXT, fingerprint TEXT, state TEXT)",
    )
    .unwrap();
    let started = Instant::now();
    for number in 0..rows {
        let row = intent(number);
        file.prepare_cached("INSERT INTO intent VALUES (?1, ?2, ?3, ?4, ?5)")
            .unwrap()
            .execute((&row.uid, &row.key, &row.request, &row.fingerprint, row.state.name()))
            .unwrap();
    }
    started.elapsed()
}

/// Holds: Intents that many tasks store at the same moment are all stored.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_tasks_store_together() {
    let intents = intents();
    let runs = if intents < 1_000 { 1 } else { 5 };
    let folder = tempfile::tempdir().unwrap();
    let (mut journals, mut hands) = (Vec::new(), Vec::new());
    let few = intents / 10;
    for run in 0..runs {
        journals.push(journal(&folder.path().join(format!("journal-{run}.db")), intents).await);
        hands.push(by_hand(&folder.path().join(format!("hand-{run}.db")), few));
    }
    let journal = per_second(intents, median(journals));
    let hand = per_second(few, median(hands));
    let size = std::fs::metadata(folder.path().join("journal-0.db")).unwrap().len();
    let per_row = size / u64::try_from(intents).unwrap();
    println!(
        "durable intents per second: {journal}; single commits by hand: {hand}; ratio {}",
        journal / hand.max(1)
    );
    println!("bytes of an intent, indexes included: {per_row}");
}

#[cfg(all(feature = "postgres", unix))]
mod claims {
    use tokio_postgres::NoTls;

    use super::*;
    use crate::store::Postgres;
    use crate::store::tests::testing_postgres::database;

    /// The connections of one process.
    const CONNECTIONS: usize = 8;

    /// The statement that the journal runs, and nothing around it.
    const RAW: &str = "UPDATE perennial.intent SET fence = fence + 1, lease_until = $3 WHERE uid = coalesce(
            (SELECT uid FROM perennial.intent WHERE tenant = $1 AND (lease_until IS NULL OR lease_until < $2) AND is_stop = 1 AND state = 'sending'
              ORDER BY created LIMIT 1 FOR UPDATE SKIP LOCKED),
            (SELECT uid FROM perennial.intent WHERE tenant = $1 AND (lease_until IS NULL OR lease_until < $2) AND is_stop = 1 AND next <= $4
              ORDER BY next, created LIMIT 1 FOR UPDATE SKIP LOCKED),
            (SELECT uid FROM perennial.intent WHERE tenant = $1 AND (lease_until IS NULL OR lease_until < $2) AND is_stop = 0 AND state = 'sending'
              ORDER BY created LIMIT 1 FOR UPDATE SKIP LOCKED),
            CASE WHEN EXISTS (SELECT 1 FROM perennial.tenant t WHERE t.uid = $1 AND (t.hold IS NOT NULL OR t.quiet_until > $4))
            THEN (SELECT uid FROM perennial.intent WHERE tenant = $1 AND (lease_until IS NULL OR lease_until < $2) AND is_stop = 0
                AND state <> 'planned' AND next <= $4 ORDER BY next, created LIMIT 1 FOR UPDATE SKIP LOCKED)
            ELSE (SELECT uid FROM perennial.intent WHERE tenant = $1 AND (lease_until IS NULL OR lease_until < $2) AND is_stop = 0
                AND next <= $4 ORDER BY next, created LIMIT 1 FOR UPDATE SKIP LOCKED) END)
        RETURNING uid, operation_key, operation, object, request, fingerprint, mark, is_stop, needs_card, activates, guard,
          guard_version, send_before, state, fence, lease_until, next, history, outcome, created";

    /// A database with planned intents.
    async fn planned(count: usize) -> (String, Arc<dyn Store>) {
        let url = database();
        let store: Arc<dyn Store> = Arc::new(Statements(Postgres::open(&url).await.unwrap()));
        store.add_tenant(&tenant()).await.unwrap();
        for number in 0..count {
            store.intend(&intent(number)).await.unwrap();
        }
        (url, store)
    }

    /// Claims until nothing is due, on each connection.
    async fn journal(store: &Arc<dyn Store>) -> usize {
        let (now, lease) = (Moment::of_system(), Moment::of_system() + Duration::from_secs(2 * 60));
        let tasks: Vec<_> = (0..CONNECTIONS)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move {
                    let mut count = 0;
                    while store.claim("tenant", None, now, now, lease).await.unwrap().is_some() {
                        count += 1;
                    }
                    count
                })
            })
            .collect();
        let mut count = 0;
        for task in tasks {
            count += task.await.unwrap();
        }
        count
    }

    async fn raw(url: &str) -> (usize, Duration) {
        let mut clients = Vec::new();
        for _ in 0..CONNECTIONS {
            let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
            tokio::spawn(connection);
            let statement = client.prepare(RAW).await.unwrap();
            clients.push((client, statement));
        }
        let (now, lease) = (Moment::of_system(), Moment::of_system() + Duration::from_secs(2 * 60));
        let started = Instant::now();
        let tasks: Vec<_> = clients
            .into_iter()
            .map(|(client, statement)| {
                tokio::spawn(async move {
                    let mut count = 0;
                    let (now, lease) = (now.as_millis(), lease.as_millis());
                    while client
                        .query_opt(&statement, &[&"tenant", &now, &lease, &now])
                        .await
                        .unwrap()
                        .is_some()
                    {
                        count += 1;
                    }
                    count
                })
            })
            .collect();
        let mut count = 0;
        for task in tasks {
            count += task.await.unwrap();
        }
        (count, started.elapsed())
    }

    /// Holds: Intents that are claimed on many connections at the same moment are each claimed once.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn many_connections_claim_together() {
        let count = intents().min(2_000);
        let runs = if count < 1_000 { 1 } else { 5 };
        let (mut journals, mut raws) = (Vec::new(), Vec::new());
        for _ in 0..runs {
            let (_, store) = planned(count).await;
            // A connection that is open and has its statement, as those by hand.
            assert_eq!(store.list(&Filter { limit: 1, ..Filter::default() }).await.unwrap().len(), 1);
            let started = Instant::now();
            assert_eq!(journal(&store).await, count);
            journals.push(started.elapsed());
            let (url, _) = planned(count).await;
            let (claimed, time) = raw(&url).await;
            assert_eq!(claimed, count);
            raws.push(time);
        }
        let (journal, raw) = (per_second(count, median(journals)), per_second(count, median(raws)));
        println!("claims per second: {journal}; raw SQL {raw}; ratio {}%", journal * 100 / raw.max(1));
    }
}
