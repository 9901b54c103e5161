//! What goes to standard output: objects, and nothing else. Notes and errors go to standard error.

mod clientpay;
pub(crate) mod json;
mod record;
mod table;

use std::io::{self, BufWriter, StdoutLock, Write};

use perennial::clearent::Page;
use perennial::{List, Response};

pub(crate) use clientpay::ShownAccessId;
pub(crate) use record::{IntoValue, Record, Shown, Value};

use crate::failure::{Failure, Written};

/// How objects are printed: as tables for people, or as one JSON document.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Output {
    #[default]
    Table,
    Json,
}

/// How much of a list is printed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Extent {
    /// One page.
    Page,
    /// This many objects.
    Limit(u64),
    /// Everything.
    All,
}

impl Output {
    /// Prints one object.
    pub(crate) fn one(self, shown: impl Shown) -> Result<(), Failure> {
        self.record(&shown.record())
    }

    /// Prints what a write answered. Where that fails, the failure names the object, so that nobody writes it again.
    pub(crate) fn written<T: Shown>(self, answer: Response<T>) -> Result<(), Failure> {
        self.written_record::<T>(answer.map(T::record))
    }

    /// Prints what a deletion answered: what is gone, or at least the key that is.
    pub(crate) fn deleted<T: Shown>(
        self,
        answer: Response<Option<T>>,
        key: impl IntoValue,
    ) -> Result<(), Failure> {
        let gone = || Record::default().with(T::KEY, key);
        self.written_record::<T>(answer.map(|object| object.map_or_else(gone, T::record)))
    }

    fn written_record<T: Shown>(self, answer: Response<Record>) -> Result<(), Failure> {
        let exchange_id = answer.exchange_id().map(str::to_owned);
        let record = answer.into_value();
        self.print(&record).map_err(|error| {
            let written = Written { object: record.name::<T>(), exchange_id };
            Failure::Unprinted { error, written: Some(written) }
        })
    }

    /// Prints one record.
    pub(crate) fn record(self, record: &Record) -> Result<(), Failure> {
        Ok(self.print(record)?)
    }

    fn print(self, record: &Record) -> io::Result<()> {
        let mut out = stdout();
        match self {
            Self::Table => write!(out, "{}", table::of_one(record))?,
            Self::Json => json::document(&mut out, record)?,
        }
        out.flush()
    }

    /// Prints objects that are all there.
    pub(crate) fn many<T: Shown>(self, all: Vec<T>) -> Result<(), Failure> {
        let records = all.into_iter().map(T::record).collect();
        self.rows(T::COLUMNS, records)
    }

    /// Prints records as a list.
    pub(crate) fn rows(self, columns: &[&str], records: Vec<Record>) -> Result<(), Failure> {
        let mut rows = Rows::new(self, columns);
        for record in records {
            rows.add(record)?;
        }
        rows.finish()
    }

    /// Prints a list, page after page as they arrive. What was printed stays when a page fails.
    pub(crate) async fn list<T: Shown>(self, list: List<T>, extent: Extent) -> Result<(), Failure> {
        let mut rows = Rows::new(self, T::COLUMNS);
        match rows.read(list, extent).await {
            Ok(page) => {
                rows.finish()?;
                if let (Self::Table, Some(page)) = (self, page) {
                    note_the_rest(&page);
                }
                Ok(())
            }
            Err(failure) if rows.is_empty() => Err(failure),
            Err(failure) => {
                // Whether or not the rest can be printed, this is what went wrong first.
                let _ = rows.finish();
                Err(failure)
            }
        }
    }
}

/// A list on its way out. JSON leaves at once; a table needs all its rows to know its widths.
struct Rows<'a> {
    output: Output,
    columns: &'a [&'a str],
    out: BufWriter<StdoutLock<'static>>,
    array: json::Array,
    table: Vec<Record>,
}

impl<'a> Rows<'a> {
    fn new(output: Output, columns: &'a [&'a str]) -> Self {
        Self { output, columns, out: stdout(), array: json::Array::default(), table: Vec::new() }
    }

    fn add(&mut self, record: Record) -> Result<(), Failure> {
        match self.output {
            Output::Table => self.table.push(record),
            Output::Json => self.array.add(&mut self.out, &record)?,
        }
        Ok(())
    }

    fn is_empty(&self) -> bool {
        self.table.is_empty() && self.array.is_empty()
    }

    /// Reads as far as is wanted; the page, if it was one.
    async fn read<T: Shown>(&mut self, list: List<T>, extent: Extent) -> Result<Option<Page>, Failure> {
        let mut left = match extent {
            Extent::Limit(limit) => limit,
            Extent::Page | Extent::All => u64::MAX,
        };
        let mut pages = list.pages();
        while left > 0
            && let Some(page) = pages.next_page().await
        {
            let page = page?;
            let told = Response::page(&page).cloned();
            for object in page.into_value().into_iter().take(usize::try_from(left).unwrap_or(usize::MAX)) {
                self.add(object.record())?;
                left -= 1;
            }
            self.out.flush()?;
            if matches!(extent, Extent::Page) {
                return Ok(told);
            }
        }
        Ok(None)
    }

    fn finish(mut self) -> Result<(), Failure> {
        match self.output {
            Output::Table if self.table.is_empty() => note("nothing found"),
            Output::Table => write!(self.out, "{}", table::of_many(self.columns, &self.table))?,
            Output::Json => self.array.finish(&mut self.out)?,
        }
        Ok(self.out.flush()?)
    }
}

/// Tells people something that is no data. Whoever closed standard error does not want to know.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

fn note_the_rest(page: &Page) {
    if let (Some(number), Some(pages), Some(total)) = (page.number, page.total_pages, page.total_elements)
        && pages > 1
    {
        note(&format!("page {number} of {pages}, {total} in all: --page N shows another, --all all of them"));
    }
}

fn stdout() -> BufWriter<StdoutLock<'static>> {
    BufWriter::new(io::stdout().lock())
}
