//! JSON for programs: one document.

use std::io::{self, Write};

use super::Record;

/// One object.
pub(super) fn document(out: &mut impl Write, record: &Record) -> io::Result<()> {
    inert(out, &serde_json::to_string_pretty(record)?)?;
    writeln!(out)
}

/// One object, without a line break in or after it.
pub(super) fn line(out: &mut impl Write, record: &Record) -> io::Result<()> {
    inert(out, &serde_json::to_string(record)?)
}

/// One object on a line of its own.
pub(crate) fn row(out: &mut impl Write, record: &Record) -> io::Result<()> {
    line(out, record)?;
    writeln!(out)
}

/// Writes JSON with all terminal control characters as `\uXXXX`. They occur in strings only: the rest of JSON is ASCII.
pub(super) fn inert(out: &mut impl Write, json: &str) -> io::Result<()> {
    let mut rest = json;
    while let Some((at, c)) = rest.char_indices().find(|&(_, c)| steers(c)) {
        write!(out, "{}\\u{:04x}", &rest[..at], u32::from(c))?;
        rest = &rest[at + c.len_utf8()..];
    }
    out.write_all(rest.as_bytes())
}

/// Whether a character controls a terminal: control characters, and the invisible and bidirectional ones that make a
/// line look like another. The line breaks are between members: in strings they are escaped already.
fn steers(c: char) -> bool {
    c != '\n' && c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// An array that is written while its objects arrive, one per line.
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
        line(out, record)
    }

    pub(super) fn finish(&self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(if self.begun { b"\n]\n" } else { b"[]\n" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn no_document_steers_the_terminal() {
        for (text, written) in [
            ("Ada\u{1b}[2J\u{9b}31m", r"Ada\u001b[2J\u009b31m"),
            ("\u{7f}\u{85}\n\t", r"\u007f\u0085\n\t"),
            ("\u{202e}adA\u{2066}\u{200b}", r"\u202eadA\u2066\u200b"),
            ("a\u{2028}b\u{2029}c", r"a\u2028b\u2029c"),
            ("Zoë zahlt 50,00 € 😀", "Zoë zahlt 50,00 € 😀"),
        ] {
            let record = Record::default().with("name", text);
            let (mut pretty, mut compact) = (Vec::new(), Vec::new());
            document(&mut pretty, &record).unwrap();
            line(&mut compact, &record).unwrap();
            assert_eq!(
                String::from_utf8(pretty.clone()).unwrap(),
                format!("{{\n  \"name\": \"{written}\"\n}}\n")
            );
            assert_eq!(String::from_utf8(compact.clone()).unwrap(), format!("{{\"name\":\"{written}\"}}"));
            for json in [pretty, compact] {
                assert_eq!(serde_json::from_slice::<Value>(&json).unwrap()["name"], text);
            }
        }
    }
}
