//! Standard output: objects, and nothing else. Notes and errors go to standard error.

pub(crate) mod bars;
pub(crate) mod calendar;
pub(crate) mod charges;
mod clientpay;
pub(crate) mod csv;
mod due;
pub(crate) mod json;
pub(crate) mod lines;
mod names;
pub(crate) mod outlook;
pub(crate) mod pager;
mod record;
mod table;
mod table_writer;

use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};

use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};
use perennial::PageInfo;
use perennial::{Clearent, Error, List, Response};

pub(crate) use clientpay::PrintedAccessId;
pub(crate) use record::{IntoRecord, IntoValue, Record, Value};

use self::csv::CsvWriter;
use self::due::Amounts;
use self::names::Names;
use self::table_writer::TableWriter;
use crate::failure::{Failure, Written};

/// The output format: tables for people; for programs one JSON document, one JSON object per line, or
/// CSV with a header.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Output {
    #[default]
    Table,
    Json,
    Jsonl,
    Csv,
}

/// The part of a list to print.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Extent {
    /// One page.
    Page,
    /// This many objects.
    Limit(u64),
    /// The whole list.
    All,
}

impl Extent {
    /// Prints everything instead of one page.
    pub(crate) fn or_all(self) -> Self {
        if matches!(self, Self::Page) { Self::All } else { self }
    }
}

impl Output {
    /// Whether the output is JSON; errors are JSON then, too.
    pub(crate) fn is_json(self) -> bool {
        matches!(self, Self::Json | Self::Jsonl)
    }

    /// Prints one object.
    pub(crate) fn one<T: IntoRecord>(self, object: T) -> Result<(), Failure> {
        Ok(self.print(&object.record(), T::members)?)
    }

    /// Prints the response to a write. If that fails, the failure names the object, so that nobody writes it again.
    pub(crate) fn written<T: IntoRecord>(self, answer: Response<T>) -> Result<(), Failure> {
        self.written_record::<T>(answer.map(T::record))
    }

    /// Prints the response to a deletion: the deleted object, or at least its key.
    pub(crate) fn deleted<T: IntoRecord>(
        self,
        answer: Response<Option<T>>,
        key: impl IntoValue,
    ) -> Result<(), Failure> {
        let gone = || Record::default().with(T::KEY, key);
        self.written_record::<T>(answer.map(|object| object.map_or_else(gone, T::record)))
    }

    fn written_record<T: IntoRecord>(self, answer: Response<Record>) -> Result<(), Failure> {
        let exchange_id = answer.exchange_id().map(str::to_owned);
        self.left::<T>(&answer.into_value(), exchange_id)
    }

    /// Prints the result of a write.
    pub(crate) fn left<T: IntoRecord>(
        self,
        record: &Record,
        exchange_id: Option<String>,
    ) -> Result<(), Failure> {
        self.print(record, T::members).map_err(|error| {
            let written = Written { object: record.name::<T>(), exchange_id };
            Failure::Unprinted { error, written: Some(written) }
        })
    }

    /// Prints text for people.
    pub(crate) fn text(text: &str) -> Result<(), Failure> {
        let mut out = stdout();
        out.write_all(text.as_bytes())?;
        Ok(out.flush()?)
    }

    /// Prints one record.
    pub(crate) fn record(self, record: &Record) -> Result<(), Failure> {
        let members = || record.flat().into_iter().map(|(name, _)| name).collect();
        Ok(self.print(record, members)?)
    }

    fn print(self, record: &Record, members: impl FnOnce() -> Vec<String>) -> io::Result<()> {
        let mut out = stdout();
        match self {
            Self::Table => write!(out, "{}", table::of_one(record))?,
            Self::Json => json::document(&mut out, record)?,
            Self::Jsonl => json::row(&mut out, record)?,
            Self::Csv => CsvWriter::new(members()).add(&mut out, record)?,
        }
        out.flush()
    }

    /// Prints complete objects.
    pub(crate) fn many<T: IntoRecord>(self, all: Vec<T>) -> Result<(), Failure> {
        let records = all.into_iter().map(T::record).collect();
        Rows::new(self, T::COLUMNS, T::members()).print(records)
    }

    /// Prints the readable objects, then reports the others.
    pub(crate) fn each<T: IntoRecord>(self, each: Vec<Result<T, Error>>) -> Result<(), Failure> {
        let (mut readable, mut unreadable) = (Vec::new(), Vec::new());
        for object in each {
            match object {
                Ok(object) => readable.push(object),
                Err(error) => unreadable.push(error),
            }
        }
        if unreadable.is_empty() {
            return self.many(readable);
        }
        if !readable.is_empty() {
            self.many(readable)?;
        }
        Err(Failure::UnreadableRecords(unreadable))
    }

    /// Prints records as a list. In CSV, members without a column among these get one after them.
    pub(crate) fn rows(self, columns: &[&str], records: Vec<Record>) -> Result<(), Failure> {
        self.rows_with(columns, &[], records)
    }

    /// Prints records as a list. `more` are the members without a column, which have one in CSV, whatever the rows have.
    pub(crate) fn rows_with(
        self,
        columns: &[&str],
        more: &[&str],
        records: Vec<Record>,
    ) -> Result<(), Failure> {
        let mut members: Vec<String> = columns.iter().chain(more).map(|&name| name.to_owned()).collect();
        for (name, _) in records.iter().flat_map(Record::flat) {
            if !members.contains(&name) {
                members.push(name);
            }
        }
        Rows::new(self, columns, members).print(records)
    }

    /// Prints a list, page after page as they arrive. The printed part stays when a page fails.
    pub(crate) async fn list<T: IntoRecord>(self, list: List<T>, extent: Extent) -> Result<(), Failure> {
        self.list_of(list, extent, |_| true, None).await
    }

    /// Prints a list page after page; a table has the names of the customers, and the amounts due of payments.
    pub(crate) async fn list_with_names<T: IntoRecord>(
        self,
        list: List<T>,
        extent: Extent,
        client: &Clearent,
    ) -> Result<(), Failure> {
        self.list_of(list, extent, |_| true, Some(client)).await
    }

    /// Prints the matching objects of a list, page after page.
    pub(crate) async fn list_where<T: IntoRecord>(
        self,
        list: List<T>,
        extent: Extent,
        wanted: impl Fn(&T) -> bool,
    ) -> Result<(), Failure> {
        self.list_of(list, extent, wanted, None).await
    }

    async fn list_of<T: IntoRecord>(
        self,
        list: List<T>,
        extent: Extent,
        wanted: impl Fn(&T) -> bool,
        names: Option<&Clearent>,
    ) -> Result<(), Failure> {
        let mut rows = Rows::new(self, T::COLUMNS, T::members());
        match rows.read(list, extent, wanted, names).await {
            Ok(page) => {
                let unreadable = rows.finish()?;
                if let (Self::Table, Some(page)) = (self, page) {
                    note_the_rest(&page);
                }
                if unreadable.is_empty() { Ok(()) } else { Err(Failure::UnreadableRecords(unreadable)) }
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

/// A list in progress.
struct Rows<'a> {
    out: BufWriter<StdoutLock<'static>>,
    list: Listing<'a>,
    /// Errors of unreadable records.
    unreadable: Vec<Error>,
}

/// The form of the list. Rows are written at once; a table needs its first rows to find its widths.
enum Listing<'a> {
    Table(TableWriter<'a>),
    Array(json::Array),
    Lines { begun: bool },
    Csv(CsvWriter),
}

impl<'a> Rows<'a> {
    fn new(output: Output, columns: &'a [&'a str], members: Vec<String>) -> Self {
        let list = match output {
            Output::Table => Listing::Table(TableWriter::new(columns)),
            Output::Json => Listing::Array(json::Array::default()),
            Output::Jsonl => Listing::Lines { begun: false },
            Output::Csv => Listing::Csv(CsvWriter::new(members)),
        };
        Self { out: stdout(), list, unreadable: Vec::new() }
    }

    fn print(mut self, records: Vec<Record>) -> Result<(), Failure> {
        for record in records {
            self.add(record)?;
        }
        self.finish().map(drop)
    }

    fn add(&mut self, record: Record) -> Result<(), Failure> {
        match &mut self.list {
            Listing::Table(writer) => writer.add(&mut self.out, record)?,
            Listing::Array(array) => array.add(&mut self.out, &record)?,
            Listing::Lines { begun } => {
                *begun = true;
                json::row(&mut self.out, &record)?;
            }
            Listing::Csv(writer) => writer.add(&mut self.out, &record)?,
        }
        Ok(())
    }

    fn is_empty(&self) -> bool {
        match &self.list {
            Listing::Table(writer) => writer.is_empty(),
            Listing::Array(array) => array.is_empty(),
            Listing::Lines { begun } => !begun,
            Listing::Csv(writer) => writer.is_empty(),
        }
    }

    /// Reads as far as needed; returns the page, if it was one. With a client, a table has names and amounts due.
    async fn read<T: IntoRecord>(
        &mut self,
        list: List<T>,
        extent: Extent,
        wanted: impl Fn(&T) -> bool,
        names: Option<&Clearent>,
    ) -> Result<Option<PageInfo>, Failure> {
        let client = names.filter(|_| matches!(self.list, Listing::Table(_)));
        let (mut names, mut amounts) = (Names::default(), Amounts::default());
        let mut left = match extent {
            Extent::Limit(limit) => limit,
            Extent::Page | Extent::All => u64::MAX,
        };
        let progress = self.progress(extent);
        let mut pages = list.pages();
        while left > 0
            && let Some(page) = pages.next_page().await
        {
            let page = page?;
            let info = Response::page(&page).cloned();
            let mut records = Vec::new();
            for object in Response::each(page).into_value() {
                match object {
                    Ok(object) if !wanted(&object) => {}
                    Ok(object) if left > 0 => {
                        records.push(object.record());
                        left -= 1;
                    }
                    Ok(_) => break,
                    Err(error) => self.unreadable.push(error),
                }
            }
            if let Some(client) = client {
                names.add(client, &mut records).await;
                amounts.add(client, &mut records).await;
            }
            if let Listing::Table(writer) = &self.list
                && writer.draws_before(records.len())
                && io::stdout().is_terminal()
            {
                progress.finish_and_clear();
            }
            for record in records {
                self.add(record)?;
                progress.inc(1);
            }
            self.out.flush()?;
            if matches!(extent, Extent::Page) {
                return Ok(info);
            }
        }
        if pages.changed() {
            note(
                "the list changed while it was read: what was made since may be missing; list it again to see it",
            );
        }
        Ok(None)
    }

    /// A progress bar with the number of rows so far, on a terminal without other output.
    fn progress(&self, extent: Extent) -> ProgressBar {
        let is_silent = matches!(self.list, Listing::Table(_)) || !io::stdout().is_terminal();
        match ProgressStyle::with_template("{spinner} {pos} so far") {
            Ok(style) if is_silent && !matches!(extent, Extent::Page) => {
                ProgressBar::new_spinner().with_style(style).with_finish(ProgressFinish::AndClear)
            }
            _ => ProgressBar::hidden(),
        }
    }

    /// Ends the list; returns the errors of unreadable records.
    fn finish(mut self) -> Result<Vec<Error>, Failure> {
        match &mut self.list {
            Listing::Table(writer) if writer.is_empty() && self.unreadable.is_empty() => {
                note("nothing found");
            }
            Listing::Table(writer) => writer.finish(&mut self.out)?,
            Listing::Array(array) => array.finish(&mut self.out)?,
            Listing::Lines { .. } => {}
            Listing::Csv(writer) => writer.begin(&mut self.out)?,
        }
        self.out.flush()?;
        Ok(self.unreadable)
    }
}

/// Prints drawn text.
pub(crate) fn screen(text: &str) -> Result<(), Failure> {
    let mut out = stdout();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// Prints a note for people to standard error. A closed standard error is ignored.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

fn note_the_rest(page: &PageInfo) {
    if let (Some(number), Some(pages), Some(total)) = (page.number, page.total_pages, page.total_elements)
        && pages > 1
    {
        note(&format!("page {number} of {pages}, {total} in all: --page N shows another, --all all of them"));
    }
}

fn stdout() -> BufWriter<StdoutLock<'static>> {
    BufWriter::new(io::stdout().lock())
}
