//! Benchmarks, as tables whose columns are measured side by side in one run.

use crate::failure::Failure;
use crate::step::Step;

/// A table of the command line.
struct Table {
    name: &'static str,
    run: fn() -> Result<(), Failure>,
}

const TABLES: &[Table] = &[
    Table { name: "ratios", run: ratios },
    Table { name: "throughput", run: throughput },
    Table { name: "start", run: start },
    Table { name: "worlds", run: worlds },
    Table { name: "journal", run: journal },
    Table { name: "billing", run: billing },
];

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let is_known = |name: &&String| TABLES.iter().any(|table| table.name == *name);
    if let Some(given) = arguments.iter().find(|name| !is_known(name)) {
        return Err(Failure::Unknown {
            given: given.clone(),
            known: "[ratios] [throughput] [start] [worlds] [journal] [billing]".into(),
        });
    }
    let picked = |table: &&Table| arguments.is_empty() || arguments.iter().any(|name| name == table.name);
    TABLES.iter().filter(picked).try_for_each(|table| (table.run)())
}

/// Encoding, decoding and calling, compared with handwritten code.
fn ratios() -> Result<(), Failure> {
    Step::new("cargo bench --package perennial --all-features --bench ratios").run()
}

/// The sandbox's writes per second, compared with a handwritten server.
fn throughput() -> Result<(), Failure> {
    Step::new("cargo bench --package perennial-sandbox --bench gateway -- throughput").run()
}

/// The time until the command and an embedded sandbox answer, and their memory.
fn start() -> Result<(), Failure> {
    Step::new("cargo build --release --package perennial-cli").run()?;
    Step::new("cargo bench --package perennial-sandbox --bench gateway -- start")
        .variable("PERENNIAL_BENCH_COMMAND", crate::target()?.join("release/perennial").display().to_string())
        .run()
}

/// The cost of starting a world, advancing it and restoring a snapshot.
fn worlds() -> Result<(), Failure> {
    Step::new("cargo bench --package perennial-sandbox --bench gateway -- worlds").run()
}

/// The journal's intents and claims per second, the size of an intent, the cost of a key and the memory of a program,
/// compared with the same by hand.
fn journal() -> Result<(), Failure> {
    Step::new("cargo test --release --package perennial-journal --features postgres --lib -- --nocapture measurement::")
        .variable("PERENNIAL_INTENTS", "5000")
        .run()?;
    Step::new("cargo bench --package perennial-journal --bench journal").run()
}

/// A night, the starts and the books of a month of 100,000 subscriptions, beside a sandbox in a process of its own.
fn billing() -> Result<(), Failure> {
    Step::new("cargo bench --package perennial-billing --bench billing").run()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_that_is_not_there_is_refused() {
        let failure = run(&["start".into(), "speed".into()]).unwrap_err();
        assert_eq!(
            failure.to_string(),
            "does not know `speed`: [ratios] [throughput] [start] [worlds] [journal] [billing]"
        );
    }
}
