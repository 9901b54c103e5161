//! The runs of many seeds, and of the planted defects.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::lock;
use super::planted::Bug;
use super::run::{Roads, run, traced};

/// The roads that many seeds take. A part of the tests proves nothing if nobody takes its road.
const ROADS: &[&str] = &[
    "a blind search",
    "a claim is taken over",
    "a copy is refused",
    "a database is adopted",
    "a fence is refused",
    "a hold is ended",
    "a late effect",
    "a person decides",
    "a person sends again",
    "a precondition does not hold",
    "a restored database is refused",
    "a tenant is on hold",
    "an object is busy",
    "adopted by a look",
    "several attempts",
    "spares",
    "the stored time is later than the clock",
    "too late to send",
];

pub(super) fn number_of(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn add(sum: &mut Roads, roads: Roads) {
    for (name, count) in roads {
        *sum.entry(name).or_default() += count;
    }
}

/// Runs seeds on all processors; returns the sum of their roads.
fn run_all(first: u64, seeds: u64) -> Roads {
    let (next, roads) = (AtomicU64::new(first), Mutex::new(Roads::new()));
    let failed = AtomicBool::new(false);
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut sum = Roads::new();
                while !failed.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + seeds {
                        break;
                    }
                    match run(seed, None) {
                        Ok(taken) => add(&mut sum, taken),
                        Err(why) => {
                            failed.store(true, Ordering::Relaxed);
                            unreachable!("{why}; replay it with PERENNIAL_SEED={seed}");
                        }
                    }
                }
                add(&mut lock(&roads), sum);
            });
        }
    });
    roads.into_inner().expect("no thread failed")
}

/// Holds: In a seeded world of crashes, pauses, lost and late effects, index lag, wrong clocks, guards, restores and copies, no intent has two effects, and once faults end, every intent ends.
#[test]
fn no_seed_breaks_a_promise() {
    if let Ok(seed) = std::env::var("PERENNIAL_SEED") {
        let seed = seed.parse().expect("a number");
        let (ran, trace) = traced(seed, None);
        if let Err(why) = ran {
            unreachable!("{}\nseed {seed}: {why}", trace.join("\n"));
        }
        return;
    }
    let roads = run_all(number_of("PERENNIAL_FIRST_SEED", 0), number_of("PERENNIAL_SEEDS", 10_000));
    for (name, count) in &roads {
        println!("{count:>10} {name}");
    }
    let taken: BTreeSet<_> = roads.keys().copied().collect();
    let writes = crate::machine::Write::ALL.iter().map(|write| write.name());
    for name in ROADS.iter().copied().chain(writes) {
        assert!(taken.contains(name), "no seed took this road: {name}");
    }
}

#[test]
fn the_same_seed_has_the_same_trace() {
    for seed in 0..40 {
        let (ran, trace) = traced(seed, None);
        assert!(trace.len() > 100, "{seed}: {} lines", trace.len());
        assert_eq!((ran, trace), traced(seed, None), "{seed}");
    }
    assert_ne!(traced(1, None).1, traced(2, None).1);
}

/// Holds: The simulation finds each planted defect: a decision to send that is not stored, no fence, no last moment to send, no control object, one that was found before the search, no window, a wrong clock that counts, no precondition, a restored database that is not adopted, a copy that works, no lane of an object, no bound by the retention, money that is sent again, a second refusal that counts, an activation without a look, and a client that retries.
#[test]
fn planted_defects_are_found() {
    let cases = [
        (Bug::LosesSending, "2 effects of"),
        (Bug::NoFence, "a change under an old claim was stored"),
        (Bug::IgnoresSendBy, "took effect after its absence was believed"),
        (Bug::NoControl, "an absence was believed, and the gateway had done it"),
        (Bug::OldControl, "an absence was believed, and the gateway had done it"),
        (Bug::NoWindow, "an absence was believed"),
        (Bug::OwnClock, "an absence was believed"),
        (Bug::NoPrecondition, "a guard was raised, and the write was sent"),
        (Bug::NoAdoption, "2 effects of"),
        (Bug::NoWitness, "2 effects of"),
        (Bug::NoLane, "two writes to an object are open"),
        (Bug::NoRetention, "an absence was believed, and the gateway had done it"),
        (Bug::MoneyIsSentAgain, "2 effects of"),
        (Bug::SecondRefusalCounts, "was believed, and an earlier attempt was done"),
        (Bug::NoLookBeforeActivation, "a plan is activated before a look"),
        (Bug::RetriesBeneath, "2 effects of"),
    ];
    for (bug, expected) in cases {
        let is_found = |seed: &u64| run(*seed, Some(bug)).is_err_and(|why| why.contains(expected));
        let seed =
            (0..3_000).find(is_found).unwrap_or_else(|| unreachable!("{bug:?} is not found: {expected}"));
        println!("{bug:?}: {expected}: seed {seed}");
    }
}
