//! A table that is written while its rows arrive.

use std::io::{self, ErrorKind, Write};
use std::mem;

use super::Record;
use super::pager::Place;
use super::table::Layout;

/// The maximum number of rows in memory. The layout is that of the first ones.
const HELD: usize = 1_000;

/// A writer of rows. It draws them together once there are enough, and at the end.
pub(super) struct TableWriter<'a> {
    columns: &'a [&'a str],
    rows: Vec<Record>,
    /// The layout, after the first rows are drawn.
    layout: Option<Layout>,
    place: Place,
}

impl<'a> TableWriter<'a> {
    pub(super) fn new(columns: &'a [&'a str]) -> Self {
        Self { columns, rows: Vec::new(), layout: None, place: Place::default() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.layout.is_none()
    }

    /// Whether rows are drawn before this many more are added.
    pub(super) fn draws_before(&self, more: usize) -> bool {
        self.layout.is_some() || self.rows.len() + more > HELD
    }

    pub(super) fn add(&mut self, out: &mut impl Write, row: Record) -> io::Result<()> {
        if self.rows.len() == HELD {
            self.draw(out)?;
        }
        self.rows.push(row);
        Ok(())
    }

    /// Draws the remaining rows, and waits until the reader leaves the pager.
    pub(super) fn finish(&mut self, out: &mut impl Write) -> io::Result<()> {
        let drawn = self.draw(out);
        self.place.finish()?;
        match drawn {
            // Whoever has seen enough leaves it.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            drawn => drawn,
        }
    }

    fn draw(&mut self, out: &mut impl Write) -> io::Result<()> {
        let rows = mem::take(&mut self.rows);
        if rows.is_empty() {
            return Ok(());
        }
        let has_header = self.layout.is_none();
        let layout = self.layout.get_or_insert_with(|| Layout::of(self.columns, &rows));
        self.place.show(out, &layout.draw(&rows, has_header).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Holds: A table has at most a thousand rows in memory, one header, and its columns below each other.
    #[test]
    fn a_long_table_is_written_while_its_rows_arrive() {
        let mut writer = TableWriter::new(&["key", "payment-amount", "missing"]);
        let mut out = Vec::new();
        for number in 0..=3 * HELD {
            let row = Record::default().with("key", format!("cust_{number}")).with("payment-amount", 5_u64);
            writer.add(&mut out, row).unwrap();
            assert!(writer.rows.len() <= HELD);
            assert_eq!(out.is_empty(), number < HELD, "{number}");
        }
        writer.finish(&mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2 + 3 * HELD + 1);
        assert_eq!(lines[0], "key       payment-amount");
        assert_eq!(lines[2], "cust_0                 5");
        assert_eq!(lines[2 + HELD], "cust_1000               5");
        assert_eq!(lines[2 + 3 * HELD], "cust_3000               5");
        assert_eq!(text.matches("key").count(), 1);
    }
}
