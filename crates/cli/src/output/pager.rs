//! A pager for tables that are longer than the terminal, and for nothing else.

use std::env;
use std::io::{self, IsTerminal, Write};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use terminal_size::{Height, terminal_size};

static FORBIDDEN: AtomicBool = AtomicBool::new(false);

/// Turns the pager off.
pub(crate) fn forbid() {
    FORBIDDEN.store(true, Ordering::Relaxed);
}

/// Shows a text in the pager if it is too long for the terminal, and prints it otherwise.
pub(super) fn show(out: &mut impl Write, text: &str) -> io::Result<()> {
    match pager().filter(|_| is_too_long(text)).map(|mut pager| pager.spawn()) {
        Some(Ok(pager)) => page(pager, text),
        // One that cannot be had is no reason to show nothing.
        Some(Err(_)) | None => out.write_all(text.as_bytes()),
    }
}

fn is_too_long(text: &str) -> bool {
    let rows = terminal_size().map_or(0, |(_, Height(rows))| usize::from(rows));
    rows > 0 && text.lines().count() >= rows && io::stdout().is_terminal()
}

/// The configured pager, or `None` if it is turned off.
fn pager() -> Option<Command> {
    if FORBIDDEN.load(Ordering::Relaxed) {
        return None;
    }
    let chosen = env::var("PERENNIAL_PAGER").or_else(|_| env::var("PAGER"));
    let chosen = chosen.unwrap_or_else(|_| "less -FRX".to_owned());
    let mut words = chosen.split_whitespace();
    let mut pager = Command::new(words.next()?);
    pager.args(words).stdin(Stdio::piped());
    // It has no use for keys.
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PERENNIAL_")) {
        pager.env_remove(name);
    }
    Some(pager)
}

fn page(mut pager: Child, text: &str) -> io::Result<()> {
    let written = pager.stdin.take().map_or(Ok(()), |mut input| input.write_all(text.as_bytes()));
    pager.wait()?;
    match written {
        // Whoever has seen enough leaves it.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}
