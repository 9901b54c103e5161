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

/// The place of a table: the pager, if the table's first part is too long for the terminal, and standard output otherwise.
#[derive(Default)]
pub(super) struct Place {
    begun: bool,
    pager: Option<Child>,
}

impl Place {
    /// Shows the next part of the table. If the reader has left the pager, the error is a broken pipe.
    pub(super) fn show(&mut self, out: &mut impl Write, part: &str) -> io::Result<()> {
        if !self.begun {
            self.begun = true;
            // One that cannot be had is no reason to show nothing.
            self.pager = pager().filter(|_| is_too_long(part)).and_then(|mut pager| pager.spawn().ok());
        }
        match self.pager.as_mut().and_then(|pager| pager.stdin.as_mut()) {
            Some(input) => input.write_all(part.as_bytes()),
            None => out.write_all(part.as_bytes()),
        }
    }

    /// Waits until the reader leaves the pager.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        let Some(mut pager) = self.pager.take() else { return Ok(()) };
        drop(pager.stdin.take());
        pager.wait().map(drop)
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
