//! The `perennial` command: recurring payments from the shell.

#![expect(clippy::doc_markdown, reason = "what documents an option is its help, and is read on a terminal")]

mod args;
mod commands;
mod context;
mod dry_run;
mod exit;
mod failure;
mod in_flight;
mod input;
mod interrupt;
mod key_options;
mod lookup;
mod output;
#[cfg(feature = "pdf")]
mod pdf;
mod report;
mod secrets;
mod sent;
mod signal;
mod svg;
mod tips;

use std::ffi::OsString;
use std::io::{self, Write};
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::process::ExitCode;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use args::Arguments;
use exit::Exit;
use failure::Failure;
use lookup::Again;

fn main() -> ExitCode {
    hide_memory();
    // What a panic says may hold a value; where it happened does not.
    panic::set_hook(Box::new(print_panic_location));
    let line: Vec<OsString> = std::env::args_os().collect();
    let ended = panic::catch_unwind(AssertUnwindSafe(|| {
        let mut again = Again::default();
        match run(&line, &mut again) {
            Ok(()) => Exit::Done,
            Err(failure) => report::report(&failure, args::output_of(&line), &again),
        }
    }));
    ended.unwrap_or(Exit::Internal).into()
}

/// Prevents core files, which would hold the keys, and debuggers of this user from reading memory.
#[cfg(unix)]
fn hide_memory() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    // On Linux no program that takes cores is started at a limit of one byte, while it is at none.
    let most = Some(u64::from(cfg!(target_os = "linux")));
    let _ = setrlimit(Resource::Core, Rlimit { current: most, maximum: most });
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

#[cfg(not(unix))]
fn hide_memory() {}

/// Runs the command line, and stores the options that a second run for this merchant needs.
fn run(line: &[OsString], again: &mut Again) -> Result<(), Failure> {
    let Some(Arguments { global, command }) = Arguments::read(line)? else { return Ok(()) };
    again.clone_from(&global.again);
    trace(global.verbose);
    if global.no_pager {
        output::pager::forbid();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(Failure::System)?;
    runtime.block_on(command.run(&global)).map_err(|failure| global.interrupt.judge(failure))
}

fn print_panic_location(panic: &PanicHookInfo<'_>) {
    let location = panic.location().map(ToString::to_string).unwrap_or_default();
    let _ = writeln!(io::stderr(), "error: a defect of this program, at {location}: please report it");
}

/// Logs calls of our own crates only: logs of other crates may contain secrets.
fn trace(verbose: u8) {
    let level = match verbose {
        0 => LevelFilter::ERROR,
        1 => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(false)
        .with_span_events(FmtSpan::CLOSE);
    tracing_subscriber::registry().with(lines).with(Targets::new().with_target("perennial", level)).init();
}
