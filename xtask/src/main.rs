//! Runs Perennial's tests, checks, benchmarks and releases: one file per task, and every step can be run by hand.

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

mod bench;
mod ci;
mod failure;
mod release;
mod screenshots;
mod soak;
mod step;
mod test;
mod tidy;

use failure::Failure;
use step::Step;

/// A task, with its name and its description in the list.
struct Task {
    name: &'static str,
    arguments: &'static str,
    about: &'static str,
    run: fn(&[String]) -> Result<(), Failure>,
}

const TASKS: &[Task] = &[
    Task {
        name: "test",
        arguments: "[ARGS…]",
        about: "every test and documentation example; ARGS go to `cargo test`",
        run: test::run,
    },
    Task { name: "ci", arguments: "", about: "formatting, clippy, documentation, tidy", run: ci::run },
    Task {
        name: "tidy",
        arguments: "[--write]",
        about: "the rules of the tree that no compiler checks; --write updates docs/INVARIANTS.md",
        run: tidy::run,
    },
    Task {
        name: "bench",
        arguments: "[ARGS…]",
        about: "what things cost: ratios, throughput, start, worlds, journal, billing; --busy measures on a busy machine",
        run: bench::run,
    },
    Task {
        name: "soak",
        arguments: "[ARGS…]",
        about: "tests without an end: kills, memory, api, journal, journal-processes, billing; --kills N, --seeds N, --seed N, --minutes N",
        run: soak::run,
    },
    Task {
        name: "release",
        arguments: "TASK",
        about: "what leaves the house: plan, check [GATE…], publish [--dry-run], --help",
        run: release::run,
    },
    Task {
        name: "screenshots",
        arguments: "",
        about: "the pictures of the command and of the sandbox's pages in docs/screenshots",
        run: screenshots::run,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let Some((name, rest)) = arguments.split_first() else {
        println!("{}", list());
        return ExitCode::SUCCESS;
    };
    if matches!(name.as_str(), "help" | "--help" | "-h") {
        println!("{}", list());
        return ExitCode::SUCCESS;
    }
    let Some(task) = TASKS.iter().find(|task| task.name == name) else {
        eprintln!("There is no task `{name}`.\n\n{}", list());
        return ExitCode::from(2);
    };
    match (task.run)(rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\ncargo xtask {name}: {failure}");
            failure.exit()
        }
    }
}

fn list() -> String {
    let line = |task: &Task| format!("\n  {:<11} {:<9}  {}", task.name, task.arguments, task.about);
    let lines: String = TASKS.iter().map(line).collect();
    format!("Usage: cargo xtask <TASK>\n{lines}")
}

/// The root of the workspace, independent of the current folder. Cargo sets the variable for `run` and `test` alike.
fn root() -> PathBuf {
    let own = env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from("xtask"), PathBuf::from);
    own.join("..")
}

/// The target folder of cargo, where these tasks also install programs.
fn target() -> Result<PathBuf, Failure> {
    let metadata = "cargo metadata --format-version 1 --no-deps";
    let metadata: serde_json::Value = serde_json::from_str(&Step::new(metadata).read()?)
        .map_err(|source| Failure::Unreadable { program: metadata.into(), source })?;
    Ok(metadata["target_directory"].as_str().unwrap_or("target").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_names_every_task() {
        for task in TASKS {
            assert!(list().contains(&format!("\n  {}", task.name)), "{}", task.name);
        }
    }
}
