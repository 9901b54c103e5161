//! Benchmarks of the sandbox: requests per second, time to the first answer, and memory, compared with a handwritten
//! server on one machine and in one run. `cargo xtask bench` runs it; it has no pass or fail.

mod bare;
mod child;
mod load;
mod start;
mod throughput;
mod worlds;

use std::io::Write as _;

fn main() {
    if child::serve() {
        return;
    }
    let tables: [(&str, fn()); 3] =
        [("throughput", throughput::table), ("start", start::table), ("worlds", worlds::table)];
    let picked: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    for (name, table) in tables {
        if picked.is_empty() || picked.iter().any(|picked| picked == name) {
            table();
        }
    }
}

/// Prints a row: its name to the left, its figures to the right.
fn row(name: &str, figures: &[&str]) {
    let mut out = std::io::stdout().lock();
    let figures: Vec<String> = figures.iter().map(|figure| format!("{figure:>13}")).collect();
    // The reader may close the pipe.
    let _ = writeln!(out, "{name:<52} {}", figures.join(" "));
}

/// A ratio with two decimals.
fn ratio(of: u128, to: u128) -> String {
    let hundredths = of * 100 / to.max(1);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

fn median<T: Ord + Copy>(values: impl IntoIterator<Item = T>) -> T {
    let mut values: Vec<T> = values.into_iter().collect();
    values.sort_unstable();
    values[values.len() / 2]
}
