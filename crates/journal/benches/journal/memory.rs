//! The memory of a program that opens a journal, lists it and uses a new key, with a million done intents and with none.

use std::path::Path;
use std::time::{Duration, Instant};

use perennial_journal::machine::{Rules, State};
use perennial_journal::store::Filter;
use perennial_journal::{Journal, Moment, ShiftedClock};
use rusqlite::Connection;

use crate::shop::Shop;

const INTENTS: u64 = 1_000_000;
/// The variable with the file of the journal.
const FILE: &str = "PERENNIAL_BENCH_FILE";

fn url(path: &Path) -> String {
    format!("sqlite:{}", path.display())
}

/// Copies the only done sale of the journal this many times.
fn fill(path: &Path, count: u64) {
    let file = Connection::open(path).unwrap();
    let sql = format!(
        "PRAGMA synchronous = OFF;
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
         INSERT INTO perennial_intent (uid, tenant, operation_key, operation, object, request, fingerprint, mark, is_stop,
           needs_card, activates, guard, guard_version, send_before, state, fence, lease_until, next, history, outcome, created)
         SELECT upper(hex(randomblob(13))), tenant, 'invoice-' || i, operation, object, request,
           lower(hex(randomblob(16))), hex(randomblob(13)), is_stop, needs_card, activates, guard, guard_version, send_before,
           state, fence, lease_until, next, history, outcome, created + i
         FROM n, perennial_intent WHERE operation = 'transactions.sale';
         PRAGMA wal_checkpoint(TRUNCATE)"
    );
    file.execute_batch(&sql).unwrap();
}

/// The peak of the resident memory in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

/// Works as a program with one charge to make, and prints its peak and the milliseconds of each step.
pub(crate) async fn child() {
    let shop = Shop::of_parent();
    let path = std::env::var(FILE).unwrap();
    let mut since = Instant::now();
    let mut took = || std::mem::replace(&mut since, Instant::now()).elapsed().as_millis();
    let journal = Journal::open(&url(Path::new(&path))).await.unwrap();
    let north = journal.clearent("north-street", &shop.client).await.unwrap();
    let open = took();
    let listed = journal.intents(&Filter::default()).await.unwrap().len();
    let list = took();
    let open_ones = journal.cases().await.unwrap().len();
    let work = journal.open_work().await.unwrap();
    assert!(open_ones == 0 && !work.states.contains_key(&State::NeedsPerson));
    let cases = took();
    let number = usize::try_from(std::process::id()).unwrap() % 100_000;
    assert!(north.transactions().sale("one more", &shop.charge(number)).await.unwrap().is_done());
    let sale = took();
    println!(
        "peak {} KiB; open {open} ms, list of {listed} {list} ms, cases and open work {cases} ms, new key {sale} ms",
        peak()
    );
}

pub(crate) async fn measure() {
    for count in [0, INTENTS] {
        // Another journal for the same merchant is taken for a restored one.
        let shop = Shop::start().await;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        let journal = Journal::open(&url(&path)).await.unwrap();
        let north = journal.clearent("north-street", &shop.client).await.unwrap();
        assert!(north.transactions().sale("template", &shop.charge(1)).await.unwrap().is_done());
        journal.close();
        // The search that measures the lag of searches is over, as it is for all charges but the last ones.
        let later = ShiftedClock::from(Moment::of_system() + Duration::from_secs(10));
        let journal = Journal::open_with(&url(&path), later, Rules::default()).await.unwrap();
        let north = journal.clearent("north-street", &shop.client).await.unwrap();
        assert_eq!(journal.settle(std::slice::from_ref(&north)).await.unwrap(), 1);
        journal.close();
        drop((journal, north));
        if count > 0 {
            fill(&path, count);
            let size = std::fs::metadata(&path).unwrap().len();
            println!("bytes of a done intent, indexes included: {}", size / count);
        }
        let output = shop.child("memory").env(FILE, &path).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        print!("with {count} done intents: {}", String::from_utf8_lossy(&output.stdout));
    }
}
