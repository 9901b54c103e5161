//! CSV for spreadsheets and other readers of tables: RFC 4180, with a header of all possible members.

use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use csv::{Terminator, WriterBuilder};
use perennial::transport::redact;

use super::{Record, Value, json};

/// Whether CSV output starts with a byte order mark.
static IS_MARKED: AtomicBool = AtomicBool::new(false);

/// Starts the CSV output of this run with a byte order mark, which tells Excel that the text is UTF-8.
pub(crate) fn mark() {
    IS_MARKED.store(true, Ordering::Relaxed);
}

/// A writer of rows. It writes the header before the first row, because empty output has no header.
pub(super) struct CsvWriter {
    header: Vec<String>,
    begun: bool,
}

impl CsvWriter {
    pub(super) fn new(header: Vec<String>) -> Self {
        Self { header, begun: false }
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.begun
    }

    pub(super) fn begin(&mut self, out: &mut impl Write) -> io::Result<()> {
        if !self.begun {
            if IS_MARKED.load(Ordering::Relaxed) {
                out.write_all("\u{feff}".as_bytes())?;
            }
            line(out, &self.header)?;
        }
        self.begun = true;
        Ok(())
    }

    pub(super) fn add(&mut self, out: &mut impl Write, record: &Record) -> io::Result<()> {
        self.begin(out)?;
        let fields = record.flat();
        debug_assert!(fields.iter().all(|(name, _)| self.header.contains(name)), "a member has no column");
        let of = |column| fields.iter().find(|(name, _)| name == column).map(|(_, value)| cell(value));
        let cells = self.header.iter().map(|column| of(column).unwrap_or_else(|| Ok(String::new())));
        line(out, &cells.collect::<io::Result<Vec<_>>>()?)
    }
}

fn line(out: &mut impl Write, cells: &[String]) -> io::Result<()> {
    let mut line = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    line.write_record(cells)?;
    out.write_all(&line.into_inner().map_err(csv::IntoInnerError::into_error)?)
}

fn cell(value: &Value) -> io::Result<String> {
    Ok(match value {
        Value::Text(text) => inert(text),
        Value::Texts(texts) => inert(&texts.join(" ")),
        Value::Amount(amount) => amount.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Flag(flag) => flag.to_string(),
        Value::Record(record) => document(record)?,
        Value::Records(records) => document(records)?,
    })
}

fn document(value: &impl serde::Serialize) -> io::Result<String> {
    let mut written = Vec::new();
    // A spreadsheet that splits at semicolons splits within quotes, too, where a field does not begin with one.
    json::inert(&mut written, &serde_json::to_string(value)?.replace(';', r"\u003b"))?;
    String::from_utf8(written).map_err(io::Error::other)
}

/// One line without terminal control characters and without formulas of spreadsheets: customers write some of these
/// texts. A spreadsheet of a country whose lists have semicolons starts a cell after each.
fn inert(text: &str) -> String {
    let text = redact::text(text);
    let cells: Vec<Cow<'_, str>> = text.split(';').map(inert_cell).collect();
    cells.join(";")
}

/// Skips blanks and quotes before a formula, as some spreadsheets do.
fn inert_cell(text: &str) -> Cow<'_, str> {
    let before = |c: char| c.is_whitespace() || "'\"`\u{2018}\u{2019}\u{201c}\u{201d}".contains(c);
    let begins = text.trim_start_matches(before);
    let is_formula = begins.starts_with(['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}']);
    if is_formula { format!("'{text}").into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_they_must_be_and_never_formulas() {
        for (text, written) in [
            ("Ada", "Ada"),
            ("Byron, Ada", "\"Byron, Ada\""),
            ("the \"first\"", "\"the \"\"first\"\"\""),
            ("one\r\ntwo", "one  two"),
            ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
            ("+1 314 555 0100", "'+1 314 555 0100"),
            ("-1", "'-1"),
            ("@SUM(1)", "'@SUM(1)"),
            ("\t=1", "' =1"),
            ("\u{ff1d}1", "'\u{ff1d}1"),
            ("a=1", "a=1"),
            ("Ada;=HYPERLINK(1)", "Ada;'=HYPERLINK(1)"),
            ("Ada; \t=1;b", "Ada;'  =1;b"),
            ("Ada;b;-1;+2", "Ada;b;'-1;'+2"),
            ("Ada;b", "Ada;b"),
            (" =1", "' =1"),
            ("\r=1", "' =1"),
            ("\"=1", "\"'\"\"=1\""),
            ("'=1", "''=1"),
            ("\u{a0}@SUM(1)", "'\u{a0}@SUM(1)"),
            ("Ada\u{1b}[2J", "Ada\u{fffd}[2J"),
            ("4111111111111111", "************1111"),
            ("Zoë zahlt 50,00 €", "\"Zoë zahlt 50,00 €\""),
        ] {
            let mut writer = CsvWriter::new(vec!["name".to_owned(), "note".to_owned()]);
            let mut out = Vec::new();
            writer.add(&mut out, &Record::default().with("name", text)).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), format!("name,note\r\n{written},\r\n"));
        }
    }

    #[test]
    fn what_is_within_has_a_column_and_lists_are_documents() {
        let inner = |zip: &'static str| Record::default().with("zip", zip);
        let record = Record::default()
            .with("billing", inner("63101"))
            .with("links", vec![inner("1;=2"), inner("\u{1b}")])
            .with("count", 2);
        let mut writer = CsvWriter::new(["billing.zip", "links", "count"].map(str::to_owned).into());
        let mut out = Vec::new();
        writer.add(&mut out, &record).unwrap();
        let row = r#"63101,"[{""zip"":""1\u003b=2""},{""zip"":""\u001b""}]",2"#;
        assert_eq!(String::from_utf8(out).unwrap(), format!("billing.zip,links,count\r\n{row}\r\n"));
    }
}
