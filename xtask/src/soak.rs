//! Soak tests of any duration: a list of parts, each repeatable from its seed.

mod api;

use std::time::{SystemTime, UNIX_EPOCH};

use crate::failure::Failure;
use crate::step::Step;

/// A part of the command line.
struct Part {
    name: &'static str,
    run: fn(&Soak) -> Result<(), Failure>,
}

const PARTS: &[Part] = &[
    Part { name: "kills", run: kills },
    Part { name: "memory", run: memory },
    Part { name: "api", run: api::run },
    Part { name: "journal", run: journal },
    Part { name: "journal-processes", run: journal_processes },
    Part { name: "billing", run: billing },
];

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let soak = Soak::read(arguments, fresh_seed())?;
    for part in PARTS.iter().filter(|part| soak.part.is_none_or(|name| name == part.name)) {
        (part.run)(&soak)?;
    }
    Ok(())
}

/// Options of a run.
#[derive(Debug, PartialEq, Eq)]
struct Soak {
    /// The only part to run.
    part: Option<&'static str>,
    kills: u64,
    /// The seeds of the simulations of the journal and of billing.
    seeds: u64,
    seed: u64,
    /// The time after which a part stops even if it is not done.
    minutes: Option<u64>,
}

impl Soak {
    fn read(arguments: &[String], seed: u64) -> Result<Self, Failure> {
        let mut soak = Self { part: None, kills: 300, seeds: 100_000, seed, minutes: None };
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let unknown = || Failure::Unknown { given: word.clone(), known: USAGE.into() };
            let mut number = || words.next().and_then(|number| number.parse().ok()).ok_or_else(unknown);
            match word.as_str() {
                "--kills" => soak.kills = number()?,
                "--seeds" => soak.seeds = number()?,
                "--seed" => soak.seed = number()?,
                "--minutes" => soak.minutes = Some(number()?),
                name => {
                    let part = PARTS.iter().find(|part| part.name == name).ok_or_else(unknown)?;
                    soak.part = Some(part.name);
                }
            }
        }
        Ok(soak)
    }
}

const USAGE: &str =
    "[kills|memory|api|journal|journal-processes|billing] [--kills N] [--seeds N] [--seed N] [--minutes N]";

/// A seed of six digits, which are easy to read out and type.
fn fresh_seed() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::from(since.subsec_micros())
}

/// Kills a sandbox while many clients write to it, and checks the stored data.
fn kills(soak: &Soak) -> Result<(), Failure> {
    let Soak { kills, seed, minutes, .. } = soak;
    eprintln!("by hand: cargo xtask soak kills --kills {kills} --seed {seed}");
    let step = Step::new("cargo test --package perennial-sandbox --test kills -- --exact --nocapture")
        .arguments(&["campaign::a_killed_process_keeps_what_it_answered".into()])
        .variable("PERENNIAL_SOAK_KILLS", kills.to_string())
        .variable("PERENNIAL_SOAK_SEED", seed.to_string());
    match minutes {
        Some(minutes) => step.variable("PERENNIAL_SOAK_MINUTES", minutes.to_string()).run(),
        None => step.run(),
    }
}

/// Starts many reads of a state of 25,000 objects, and stops reading.
fn memory(_: &Soak) -> Result<(), Failure> {
    eprintln!("by hand: cargo xtask soak memory");
    Step::new("cargo test --package perennial-sandbox --test kills -- --exact --nocapture")
        .arguments(&["slow_readers::readers_that_stop_hold_no_memory_and_no_other_world".into()])
        .variable("PERENNIAL_SOAK_PLANS", 1_000.to_string())
        .run()
}

/// Runs the simulation of the journal over many seeds, prints how often each rare road was taken, and runs a part of
/// them against worlds of the sandbox.
fn journal(soak: &Soak) -> Result<(), Failure> {
    let Soak { seeds, seed, .. } = soak;
    eprintln!("by hand: cargo xtask soak journal --seeds {seeds} --seed {seed}");
    Step::new("cargo test --release --package perennial-journal --lib -- --exact --nocapture")
        .arguments(&["simulation::tests::no_seed_breaks_a_promise".into()])
        .variable("PERENNIAL_SEEDS", seeds.to_string())
        .variable("PERENNIAL_FIRST_SEED", seed.to_string())
        .run()?;
    Step::new("cargo test --package perennial-journal --test it -- --exact --nocapture")
        .arguments(&["worlds::random_worlds_agree_with_the_journal".into()])
        .variable("PERENNIAL_WORLD_SEEDS", (seeds / 1_000).max(24).to_string())
        .run()
}

/// Kills and stops the processes of a journal while its database crashes and the gateway has faults, and checks the
/// effects. For each ten kills there is a stop past the lease, and for each forty an immediate stop of the database.
fn journal_processes(soak: &Soak) -> Result<(), Failure> {
    let Soak { kills, seed, minutes, .. } = soak;
    eprintln!("by hand: cargo xtask soak journal-processes --kills {kills} --seed {seed}");
    let step = Step::new(
        "cargo test --package perennial-journal --all-features --test processes -- --exact --nocapture",
    )
    .arguments(&["campaign::processes_that_die_make_each_effect_once".into()])
    .variable("PERENNIAL_SOAK_KILLS", kills.to_string())
    .variable("PERENNIAL_SOAK_SEED", seed.to_string());
    match minutes {
        Some(minutes) => step.variable("PERENNIAL_SOAK_MINUTES", minutes.to_string()).run(),
        None => step.run(),
    }
}

/// Runs the simulation of subscriptions over many seeds, and prints how often each rare road was taken; then every calendar,
/// and the books of many.
fn billing(soak: &Soak) -> Result<(), Failure> {
    let Soak { seeds, seed, .. } = soak;
    eprintln!("by hand: cargo xtask soak billing --seeds {seeds} --seed {seed}");
    Step::new("cargo test --release --package perennial-billing --lib -- --exact --nocapture")
        .arguments(&["simulation::no_life_charges_a_day_twice_or_never".into()])
        .variable("PERENNIAL_SEEDS", seeds.to_string())
        .variable("PERENNIAL_FIRST_SEED", seed.to_string())
        .run()?;
    Step::new("cargo test --release --package perennial-billing --lib -- --exact --nocapture")
        .arguments(&["simulation::each_month_is_charged_once_under_every_habit".into()])
        .variable("PERENNIAL_CALENDAR", 1.to_string())
        .run()?;
    // 1,000 planted differences in the books of 100,000 subscriptions, with the time and the memory that they take.
    Step::new("cargo test --release --package perennial-billing --test it -- --exact --nocapture")
        .arguments(&["planted::planted_differences_are_found_and_none_is_invented".into()])
        .variable("PERENNIAL_BOOKS", "100000")
        .variable("PERENNIAL_PLANTS", "1000")
        .run()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_requested() {
        let soak = |part, kills, seed, minutes| Ok(Soak { part, kills, seeds: 100_000, seed, minutes });
        let cases = [
            ("", soak(None, 300, 42, None)),
            ("kills", soak(Some("kills"), 300, 42, None)),
            ("api --seed 7", soak(Some("api"), 300, 7, None)),
            ("--kills 5 --seed 7 --minutes 3 kills", soak(Some("kills"), 5, 7, Some(3))),
            (
                "journal --seeds 5",
                Ok(Soak { seeds: 5, part: Some("journal"), kills: 300, seed: 42, minutes: None }),
            ),
            ("journal-processes --kills 200", soak(Some("journal-processes"), 200, 42, None)),
            ("kill", Err("kill")),
            ("--kills", Err("--kills")),
            ("--seed many", Err("--seed")),
            ("--hours 1", Err("--hours")),
        ];
        for (line, expected) in cases {
            let arguments: Vec<String> = line.split_whitespace().map(String::from).collect();
            match (Soak::read(&arguments, 42), expected) {
                (Ok(soak), Ok(expected)) => assert_eq!(soak, expected, "{line}"),
                (Err(failure), Err(word)) => {
                    assert_eq!(failure.to_string(), format!("does not know `{word}`: {USAGE}"), "{line}");
                }
                (read, _) => panic!("{line}: {read:?}"),
            }
        }
    }
}
