//! The CPU time of a charge with an operation key, beside the call alone and beside an INSERT and an UPDATE by hand.

use std::path::Path;
use std::sync::{Arc, Mutex};

use cpu_time::ProcessTime;
use perennial_journal::{Clearent, Journal};
use rusqlite::Connection;

use crate::shop::{Shop, median};

const RUNS: usize = 5;
const CALLS: usize = 640;
const IN_FLIGHT: usize = 64;

/// A way to charge.
#[derive(Clone)]
enum Way {
    Call,
    ByHand(Arc<Mutex<Connection>>),
    Key(Box<Clearent>),
}

impl Way {
    async fn charge(&self, shop: &Shop, number: usize) {
        let charge = shop.charge(number);
        match self {
            Self::Call => assert!(shop.client.transactions().sale(&charge).await.unwrap().is_approved()),
            Self::ByHand(file) => {
                let key = format!("invoice-{number}");
                let request =
                    format!("{{\"amount\":\"{}\",\"card\":\"{}\"}}", charge.fields().amount, shop.token);
                write(file, "INSERT INTO intent VALUES (?1, ?2, 'sending', NULL)", [&key, &request]);
                let sale = shop.client.transactions().sale(&charge).await.unwrap();
                assert!(sale.is_approved());
                let id = sale.id.as_ref().unwrap().to_string();
                write(file, "UPDATE intent SET state = 'done', outcome = ?2 WHERE key = ?1", [&key, &id]);
            }
            Self::Key(north) => {
                let key = format!("invoice-{number}");
                assert!(north.transactions().sale(&key, &charge).await.unwrap().is_done());
            }
        }
    }
}

/// Runs a statement with its own commit.
fn write(file: &Mutex<Connection>, sql: &str, values: [&String; 2]) {
    let file = file.lock().unwrap();
    file.prepare_cached(sql).unwrap().execute(values).unwrap();
}

fn by_hand(path: &Path) -> Way {
    let file = Connection::open(path).unwrap();
    let sql = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
        CREATE TABLE intent (key TEXT PRIMARY KEY, request TEXT, state TEXT, outcome TEXT)";
    file.execute_batch(sql).unwrap();
    Way::ByHand(Arc::new(Mutex::new(file)))
}

/// The CPU time of a charge in microseconds.
async fn cpu(shop: &Arc<Shop>, way: &Way, first: usize) -> f64 {
    let before = ProcessTime::now();
    let tasks: Vec<_> = (0..IN_FLIGHT)
        .map(|task| {
            let (shop, way) = (shop.clone(), way.clone());
            tokio::spawn(async move {
                for number in (first + task..first + CALLS).step_by(IN_FLIGHT) {
                    way.charge(&shop, number).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    before.elapsed().as_secs_f64() * 1e6 / CALLS as f64
}

pub(crate) async fn measure() {
    let shop = Arc::new(Shop::start().await);
    let folder = tempfile::tempdir().unwrap();
    let journal =
        Journal::open(&format!("sqlite:{}", folder.path().join("journal.db").display())).await.unwrap();
    let north = journal.clearent("north-street", &shop.client).await.unwrap();
    let ways = [Way::Call, by_hand(&folder.path().join("hand.db")), Way::Key(Box::new(north))];
    let mut times = [const { Vec::new() }; 3];
    let mut first = 0;
    // The first run warms up.
    for run in 0..=RUNS {
        for (way, times) in ways.iter().zip(&mut times) {
            let time = cpu(&shop, way, first).await;
            first += CALLS;
            if run > 0 {
                times.push(time);
            }
        }
    }
    let [call, hand, key] = times.map(median);
    println!(
        "CPU of a charge, {IN_FLIGHT} in flight: the call alone {call:.0} us; with an INSERT and an UPDATE by hand"
    );
    println!("{hand:.0} us ({:.2}); with an operation key {key:.0} us ({:.2})", hand / call, key / call);
}
