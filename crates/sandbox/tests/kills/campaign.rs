//! Lives of a database: rounds of writing, each ended by a kill and followed by a check.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use fastrand::Rng;
use rusqlite::Connection;

use crate::books::Book;
use crate::oracle::{Verdict, judge};
use crate::served;
use crate::traffic::{Gateway, books, write};

/// The maximum number of kills of one file, whose state is read after each.
const LIFE: u64 = 25;

/// The number of kills and the seed, from `cargo xtask soak`; by default a few.
struct Campaign {
    kills: u64,
    seed: u64,
    until: Option<Instant>,
}

impl Campaign {
    fn from_environment() -> Self {
        let number = |name: &str| Some(std::env::var(name).ok()?.parse::<u64>().unwrap());
        Self {
            kills: number("PERENNIAL_SOAK_KILLS").unwrap_or(8),
            seed: number("PERENNIAL_SOAK_SEED").unwrap_or(1),
            until: number("PERENNIAL_SOAK_MINUTES")
                .map(|minutes| Instant::now() + Duration::from_secs(minutes * 60)),
        }
    }

    fn is_over(&self, kills: u64) -> bool {
        kills >= self.kills || self.until.is_some_and(|until| Instant::now() >= until)
    }
}

/// Counts of a campaign.
#[derive(Default)]
struct Tally {
    kills: u64,
    answered: usize,
    applied: u64,
    not_applied: u64,
    payments: usize,
}

/// Holds: A killed sandbox keeps all changes that it acknowledged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_process_keeps_what_it_answered() {
    let campaign = Campaign::from_environment();
    let (start, mut tally, mut life) = (Instant::now(), Tally::default(), 0);
    while !campaign.is_over(tally.kills) {
        let seed = campaign.seed + life;
        let kills = LIFE.min(campaign.kills - tally.kills);
        if let Err(findings) = live(seed, kills, &campaign, &mut tally).await {
            panic!("{}\nby hand: cargo xtask soak kills --kills {kills} --seed {seed}", findings.join("\n"));
        }
        life += 1;
        let Tally { kills, answered, applied, not_applied, payments } = tally;
        eprintln!(
            "{kills} of {} kills in {} s: {answered} calls answered; of {} without an answer {applied} were made; \
             {payments} payments; nothing lost, doubled or torn",
            campaign.kills,
            start.elapsed().as_secs(),
            applied + not_applied,
        );
    }
}

/// Writes to one file and kills its server, repeatedly.
async fn live(seed: u64, kills: u64, campaign: &Campaign, tally: &mut Tally) -> Result<(), Vec<String>> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = folder.path().join("sandbox.db");
    let mut rng = Rng::with_seed(seed);
    let (mut books, before) = (books(), tally.kills);
    while tally.kills - before < kills && !campaign.is_over(tally.kills) {
        if rng.u8(0..6) == 0 {
            // It is killed while it starts, and possibly while it recovers from the previous kill.
            let child = served::spawn(&path);
            pass(Duration::from_micros(rng.u64(0..20_000)));
            served::kill(child);
        } else {
            books = round(&path, books, &mut rng, tally).await?;
        }
        tally.kills += 1;
    }
    let mut child = served::spawn(&path);
    let (base, key) = served::listening(&mut child);
    let verdict = judge(&Gateway::new(&base, &key).state().await, &mut books);
    served::kill(child);
    let verdict = verdict?;
    tally.add(&verdict);
    tally.payments += verdict.payments;
    let connection = Connection::open(&path).unwrap();
    // The order of the sandbox's own indexes of names, which are ASCII here.
    let order = |one: &str, other: &str| one.trim().to_uppercase().cmp(&other.trim().to_uppercase());
    connection.create_collation("names", order).unwrap();
    let verdict: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    if verdict == "ok" { Ok(()) } else { Err(vec![format!("the file is damaged: {verdict}")]) }
}

/// Starts the server, checks its data, writes, and kills it.
async fn round(
    path: &Path,
    mut books: Vec<Book>,
    rng: &mut Rng,
    tally: &mut Tally,
) -> Result<Vec<Book>, Vec<String>> {
    let mut child = served::spawn(path);
    let (base, key) = served::listening(&mut child);
    let gateway = Gateway::new(&base, &key);
    tally.add(&judge(&gateway.state().await, &mut books)?);

    let (enough, moment) = (rng.usize(1..250), Duration::from_micros(rng.u64(0..3_000)));
    let (reached, signal) = mpsc::channel();
    let killer = std::thread::spawn(move || {
        signal.recv().is_ok_and(|()| {
            // Right after a response, a commit has hardly begun.
            pass(moment);
            served::kill(child);
            true
        })
    });
    let answered = Arc::new(AtomicUsize::new(0));
    let writers: Vec<_> = books
        .into_iter()
        .map(|book| {
            let (answered, reached) = (answered.clone(), reached.clone());
            let go_on = move || {
                if answered.fetch_add(1, Ordering::Relaxed) + 1 == enough {
                    reached.send(()).unwrap();
                }
                true
            };
            tokio::spawn(write(gateway.clone(), book, rng.fork(), go_on))
        })
        .collect();
    drop(reached);
    let (mut books, mut findings) = (Vec::new(), Vec::new());
    for writer in writers {
        match writer.await.unwrap() {
            Ok(book) => books.push(book),
            Err(finding) => findings.push(finding),
        }
    }
    if !killer.join().unwrap() {
        findings.push("the sandbox ended by itself".into());
    }
    tally.answered += answered.load(Ordering::Relaxed);
    if findings.is_empty() { Ok(books) } else { Err(findings) }
}

/// Waits for a time that is too short for a sleep.
fn pass(time: Duration) {
    let start = Instant::now();
    while start.elapsed() < time {
        std::hint::spin_loop();
    }
}

impl Tally {
    fn add(&mut self, verdict: &Verdict) {
        self.applied += verdict.applied;
        self.not_applied += verdict.not_applied;
    }
}
