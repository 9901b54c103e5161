//! The cost of storing intents, beside the same by hand. `cargo xtask bench journal` runs it in release with more rows.

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
        fingerprint: "0".repeat(64),
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
