//! Benchmarks, as tables whose columns are measured side by side in one run.

mod one_call;

use std::io::{self, Write};
use std::time::Duration;
use std::{fs, thread};

use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::step::Step;

/// A table of the command line.
struct Table {
    name: &'static str,
    /// The programs that print it, once they are built.
    programs: &'static [&'static str],
}

const TABLES: &[Table] = &[
    // Encoding, decoding and calling, compared with handwritten code.
    Table { name: "ratios", programs: &["cargo bench --package perennial --all-features --bench ratios"] },
    // The sandbox's writes per second, compared with a handwritten server.
    Table {
        name: "throughput",
        programs: &["cargo bench --package perennial-sandbox --bench gateway -- throughput"],
    },
    // The time until the command and an embedded sandbox answer, and their memory.
    Table { name: "start", programs: &["cargo bench --package perennial-sandbox --bench gateway -- start"] },
    // The cost of starting a world, advancing it and restoring a snapshot.
    Table {
        name: "worlds",
        programs: &["cargo bench --package perennial-sandbox --bench gateway -- worlds"],
    },
    // The journal's intents and claims per second, the size of an intent, the cost of a key and the memory of a program,
    // compared with the same by hand.
    Table {
        name: "journal",
        programs: &[
            "cargo test --release --package perennial-journal --features postgres --lib -- --nocapture measurement::",
            "cargo bench --package perennial-journal --bench journal",
        ],
    },
    // A night, the starts and the books of a month of 100,000 subscriptions, beside a sandbox in a process of its own.
    Table { name: "billing", programs: &["cargo bench --package perennial-billing --bench billing"] },
    // The build of a program that makes one call, compared with one that is written by hand.
    Table { name: ONE_CALL, programs: &[] },
];

/// The table that needs no program.
const ONE_CALL: &str = "one-call";

/// The option that prints each row as one line of JSON.
const JSON: &str = "--output=json";

/// The option that lets a table be printed on a busy machine.
const BUSY: &str = "--busy";
/// The most that other programs may use while a table is measured, in percent of a core.
const MOST: u64 = 100;
/// The time for which the use of the cores is watched before a table.
const WATCH: Duration = Duration::from_secs(2);

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let is_option = |name: &String| [BUSY, JSON].contains(&name.as_str());
    let is_known = |name: &&String| is_option(name) || TABLES.iter().any(|table| table.name == **name);
    if let Some(given) = arguments.iter().find(|name| !is_known(name)) {
        let known: Vec<_> = TABLES.iter().map(|table| format!("[{}]", table.name)).collect();
        return Err(Failure::Unknown {
            given: given.clone(),
            known: format!("[{BUSY}] [{JSON}] {}", known.join(" ")),
        });
    }
    let has = |option: &str| arguments.iter().any(|name| name == option);
    let names: Vec<_> = arguments.iter().filter(|name| !is_option(name)).collect();
    let picked = |table: &&Table| names.is_empty() || names.iter().any(|name| **name == table.name);
    TABLES.iter().filter(picked).try_for_each(|table| print(table, has(BUSY), has(JSON)))
}

/// Builds the programs of a table, and prints it if the machine has nothing else to do.
fn print(table: &Table, may_be_busy: bool, as_json: bool) -> Result<(), Failure> {
    let command = crate::target()?.join("release/perennial").display().to_string();
    if table.name == "start" {
        Step::new("cargo build --release --package perennial-cli").run()?;
    }
    let mut rows = Rows { table: table.name, head: Vec::new() };
    let mut say = |line: &str| {
        let line = if as_json { rows.row(line).map(|row| row.to_string()) } else { Some(line.to_owned()) };
        line.map_or(Ok(()), |line| writeln!(io::stdout(), "{line}"))
    };
    let quiet = || {
        let load = load();
        check_load(load, may_be_busy)?;
        if let Some(percent) = load {
            eprintln!("other programs use {percent} % of a core");
        }
        Ok(())
    };
    if table.name == ONE_CALL {
        quiet()?;
        return one_call::measure(say);
    }
    for program in table.programs {
        Step::new(&without_running(program)).run()?;
        quiet()?;
        let step = Step::new(program)
            .variable("PERENNIAL_BENCH_COMMAND", command.as_str())
            .variable("PERENNIAL_INTENTS", "5000");
        step.lines(&mut say)?;
    }
    Ok(())
}

/// The rows of a table, whose columns are at least two spaces apart.
struct Rows {
    table: &'static str,
    /// The names of the columns after the first, which has the name of the row.
    head: Vec<String>,
}

impl Rows {
    /// A line as an object; `None` for a head and for an empty line. What is no row of the head is a text.
    fn row(&mut self, line: &str) -> Option<Value> {
        let cells: Vec<&str> = line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
        if line.starts_with("  ") {
            self.head = cells.iter().map(ToString::to_string).collect();
            return None;
        }
        let (name, values) = cells.split_first()?;
        if values.is_empty() || values.len() != self.head.len() {
            return Some(json!({ "table": self.table, "text": line.trim() }));
        }
        let values = self.head.iter().zip(values).map(|(head, value)| (head.clone(), json!(value)));
        Some(json!({ "table": self.table, "row": name, "values": values.collect::<Map<_, _>>() }))
    }
}

/// The line that builds a program and does not run it.
fn without_running(line: &str) -> String {
    match line.split_once(" -- ") {
        Some((cargo, _)) => format!("{cargo} --no-run"),
        None => format!("{line} --no-run"),
    }
}

/// Refuses a machine on which other programs use more than a core, because they change what is measured.
fn check_load(load: Option<u64>, may_be_busy: bool) -> Result<(), Failure> {
    match load {
        Some(percent) if percent > MOST && !may_be_busy => Err(Failure::Busy { percent }),
        _ => Ok(()),
    }
}

/// The use of the cores now, in percent of a core, where the system says so.
fn load() -> Option<u64> {
    let read = || used_and_all(&fs::read_to_string("/proc/stat").ok()?);
    let (used_before, all_before) = read()?;
    thread::sleep(WATCH);
    let (used, all) = read()?;
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let percent = 100 * u64::try_from(cores).ok()?;
    (used.saturating_sub(used_before) * percent).checked_div(all.saturating_sub(all_before))
}

/// The time of all cores that was used, and all their time, from the first line of Linux's statistics.
fn used_and_all(statistics: &str) -> Option<(u64, u64)> {
    let times = statistics.lines().next()?.strip_prefix("cpu ")?;
    let times: Vec<u64> = times.split_whitespace().take(8).map_while(|time| time.parse().ok()).collect();
    let [_, _, _, idle, waiting, ..] = times.as_slice() else { return None };
    let all: u64 = times.iter().sum();
    Some((all - idle - waiting, all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_that_is_not_there_is_refused() {
        let failure = run(&["start".into(), "speed".into()]).unwrap_err();
        assert_eq!(
            failure.to_string(),
            "does not know `speed`: [--busy] [--output=json] [ratios] [throughput] [start] [worlds] [journal] \
             [billing] [one-call]"
        );
    }

    #[test]
    fn a_busy_machine_is_refused_unless_told() {
        let statistics = "cpu  100 0 50 700 50 0 20 80 0 0\ncpu0 1 2 3 4\n";
        assert_eq!(used_and_all(statistics), Some((250, 1_000)));
        assert_eq!(used_and_all("intr 1 2 3"), None);
        for (load, may_be_busy, is_refused) in [
            (Some(40), false, false),
            (Some(100), false, false),
            (Some(120), false, true),
            (Some(120), true, false),
            (None, false, false),
        ] {
            assert_eq!(check_load(load, may_be_busy).is_err(), is_refused, "{load:?} {may_be_busy}");
        }
    }

    #[test]
    fn a_row_is_an_object_of_its_columns() {
        let mut rows = Rows { table: "ratios", head: Vec::new() };
        for (line, expected) in [
            ("12 of 40", Some(json!({"table": "ratios", "text": "12 of 40"}))),
            ("                 ours   by hand   aim", None),
            ("", None),
            (
                "a call, in flight   25.29 us     31 us   <= 1.02",
                Some(json!({
                    "table": "ratios",
                    "row": "a call, in flight",
                    "values": {"ours": "25.29 us", "by hand": "31 us", "aim": "<= 1.02"},
                })),
            ),
            ("a note   of two cells", Some(json!({"table": "ratios", "text": "a note   of two cells"}))),
        ] {
            assert_eq!(rows.row(line), expected, "{line}");
        }
    }

    #[test]
    fn programs_are_built_first() {
        for (line, built) in [
            ("cargo bench --bench ratios", "cargo bench --bench ratios --no-run"),
            ("cargo bench --bench gateway -- start", "cargo bench --bench gateway --no-run"),
        ] {
            assert_eq!(without_running(line), built);
        }
    }
}
