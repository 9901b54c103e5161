//! CSV for spreadsheets and whatever reads tables: RFC 4180, a header of all members that a row can have.

use std::io::{self, Write};

use csv::{Terminator, WriterBuilder};
use perennial::transport::redact;

use super::{Record, Value, json};

/// A sheet on its way out. Its header goes before the first row, for one that never begins is no sheet.
pub(super) struct Sheet {
    header: Vec<String>,
    begun: bool,
}

impl Sheet {
    pub(super) fn new(header: Vec<String>) -> Self {
        Self { header, begun: false }
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.begun
    }

    pub(super) fn begin(&mut self, out: &mut impl Write) -> io::Result<()> {
        if !self.begun {
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
    json::inert(&mut written, &serde_json::to_string(value)?)?;
    String::from_utf8(written).map_err(io::Error::other)
}

/// One line that steers no terminal, and that no spreadsheet takes for a formula: customers write some of these texts.
fn inert(text: &str) -> String {
    let text = redact::text(text);
    let is_formula = text.starts_with(['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}']);
    if is_formula { format!("'{text}") } else { text.into_owned() }
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
            ("\t=1", " =1"),
            ("\u{ff1d}1", "'\u{ff1d}1"),
            ("a=1", "a=1"),
            ("Ada\u{1b}[2J", "Ada\u{fffd}[2J"),
            ("4111111111111111", "************1111"),
            ("Zoë zahlt 50,00 €", "\"Zoë zahlt 50,00 €\""),
        ] {
            let mut sheet = Sheet::new(vec!["name".to_owned(), "note".to_owned()]);
            let mut out = Vec::new();
            sheet.add(&mut out, &Record::default().with("name", text)).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), format!("name,note\r\n{written},\r\n"));
        }
    }

    #[test]
    fn what_is_within_has_a_column_and_lists_are_documents() {
        let inner = |zip: &'static str| Record::default().with("zip", zip);
        let record = Record::default()
            .with("billing", inner("63101"))
            .with("links", vec![inner("1"), inner("\u{1b}")])
            .with("count", 2);
        let mut sheet = Sheet::new(["billing.zip", "links", "count"].map(str::to_owned).into());
        let mut out = Vec::new();
        sheet.add(&mut out, &record).unwrap();
        let row = r#"63101,"[{""zip"":""1""},{""zip"":""\u001b""}]",2"#;
        assert_eq!(String::from_utf8(out).unwrap(), format!("billing.zip,links,count\r\n{row}\r\n"));
    }
}
