//! The time until a started sandbox answers, and its memory when idle.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::child::{Served, Server};
use crate::{load, median, row};

/// The number of starts; the median counts.
const ROUNDS: usize = 15;

/// The command to measure, which `cargo xtask bench` has built.
const COMMAND: &str = "PERENNIAL_BENCH_COMMAND";

pub(crate) fn table() {
    row("", &["first answer", "idle memory"]);
    if let Some(command) = std::env::var_os(COMMAND).map(PathBuf::from) {
        let serve = |arguments: &[&str]| {
            let mut serve = Command::new(&command);
            serve.args(["sandbox", "serve", "--listen", "127.0.0.1:0"]).args(arguments);
            Server::of(serve)
        };
        show("perennial sandbox serve", || serve(&[]));
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder can be made");
        let file = folder.path().join("sandbox.db").display().to_string();
        show("perennial sandbox serve --db FILE, that exists", || serve(&["--db", &file]));
    }
    show("a process that embeds Sandbox::start()", || Server::start(Served::Embedded));
    row("aims", &["<= 15 ms", "<= 20 MiB"]);
    let rounds = (0..ROUNDS).map(|_| Server::start(Served::Nothing).resident());
    row("for comparison, a runtime and a listener alone", &["", &mebibytes(median(rounds))]);
}

fn show(name: &str, start: impl Fn() -> Server) {
    let rounds: Vec<(Duration, Option<u64>)> = (0..ROUNDS)
        .map(|_| {
            let started = Instant::now();
            let server = start();
            load::ask(server.address, "/_sandbox/health");
            (started.elapsed(), server.resident())
        })
        .collect();
    let first = median(rounds.iter().map(|round| round.0));
    row(name, &[&format!("{first:.1?}"), &mebibytes(median(rounds.iter().map(|round| round.1)))]);
}

fn mebibytes(kibibytes: Option<u64>) -> String {
    kibibytes
        .map_or_else(|| "unknown".into(), |size| format!("{}.{} MiB", size / 1024, size % 1024 * 10 / 1024))
}
