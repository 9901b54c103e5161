//! JSON for programmes: one document.

use std::io::{self, Write};

use super::Record;

/// One object.
pub(super) fn document(out: &mut impl Write, record: &Record) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, record)?;
    writeln!(out)
}

/// An array that is written while its objects arrive, a line for each.
#[derive(Default)]
pub(super) struct Array {
    begun: bool,
}

impl Array {
    pub(super) fn is_empty(&self) -> bool {
        !self.begun
    }

    pub(super) fn add(&mut self, out: &mut impl Write, record: &Record) -> io::Result<()> {
        out.write_all(if self.begun { b",\n" } else { b"[\n" })?;
        self.begun = true;
        Ok(serde_json::to_writer(out, record)?)
    }

    pub(super) fn finish(&self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(if self.begun { b"\n]\n" } else { b"[]\n" })
    }
}
