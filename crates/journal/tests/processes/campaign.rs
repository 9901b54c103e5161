//! A campaign of kills, stops and crashes, and what must have happened in it.

use std::time::{Duration, Instant};

use crate::checker::{Verdict, judge};
use crate::postgres::programs_in;
use crate::run::Run;
use crate::tally::Tally;

/// The signals of a campaign.
pub(crate) struct Campaign {
    pub(crate) kills: usize,
    /// The stops past the lease.
    pub(crate) stops: usize,
    /// The immediate stops of the database.
    pub(crate) crashes: usize,
    pub(crate) seed: u64,
    pub(crate) has_faults: bool,
    /// Whether the workers have the defect that requests leave late.
    pub(crate) sends_late: bool,
}

impl Campaign {
    /// The number of kills and the seed, from `cargo xtask soak`; by default a few.
    fn from_environment() -> Self {
        let kills = number("PERENNIAL_SOAK_KILLS").unwrap_or(12);
        let kills = usize::try_from(kills).unwrap();
        let seed = number("PERENNIAL_SOAK_SEED").unwrap_or(1);
        Self {
            kills,
            stops: kills.div_ceil(10),
            crashes: kills.div_ceil(40),
            seed,
            has_faults: true,
            sends_late: false,
        }
    }
}

fn number(name: &str) -> Option<u64> {
    Some(std::env::var(name).ok()?.parse().unwrap())
}

/// Runs a campaign; returns what it found.
pub(crate) async fn run(
    campaign: &Campaign,
    until: Option<Instant>,
) -> (Tally, Result<Verdict, Vec<String>>) {
    let mut run = Run::start(campaign).await;
    run.disturb(until).await;
    let (intents, state) = run.settle().await;
    let mut verdict = judge(&intents, &state, run.tally.outcomes());
    let findings = &run.tally.findings;
    if !findings.is_empty() {
        let found = verdict.as_ref().err().into_iter().flatten();
        verdict = Err(findings.iter().chain(found).cloned().collect());
    }
    (std::mem::take(&mut run.tally), verdict)
}

/// Holds: Four processes over one `PostgreSQL` database, which are killed, and stopped for longer than their leases, while the database crashes and the gateway loses and delays requests, make each effect once, and settle everything but what a person decides.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn processes_that_die_make_each_effect_once() {
    let campaign = Campaign::from_environment();
    let minutes = number("PERENNIAL_SOAK_MINUTES").map(|minutes| Duration::from_secs(minutes * 60));
    let start = Instant::now();
    let (tally, verdict) = run(&campaign, minutes.map(|minutes| start + minutes)).await;
    let Campaign { kills, seed, .. } = campaign;
    let by_hand = format!("by hand: cargo xtask soak journal-processes --kills {kills} --seed {seed}");
    let verdict = verdict.unwrap_or_else(|findings| panic!("{}\n{tally}\n{by_hand}", findings.join("\n")));
    eprintln!("{tally}\n{verdict:?}\n{} s", start.elapsed().as_secs());
    if minutes.is_none() {
        let counted = (tally.kills, tally.stops, tally.crashes);
        let wanted = [kills, campaign.stops, campaign.crashes].map(|count| u64::try_from(count).unwrap());
        assert_eq!(counted, wanted.into(), "{by_hand}");
    }
    let adopted = ("intents adopted by a look", u64::try_from(verdict.adopted).unwrap());
    for (name, count) in tally.roads().into_iter().chain([adopted]) {
        assert!(count > 0, "the campaign had no {name}: {tally}\n{by_hand}");
    }
}

/// Holds: A test of `PostgreSQL` fails where there is no server: it is never skipped.
#[test]
#[should_panic(expected = "PostgreSQL is missing")]
fn a_missing_server_is_a_failure() {
    programs_in("/there/is/none".as_ref(), "/nor/here".as_ref());
}
