//! Writes XML: compact, without a declaration, members in the order of the tables.

use crate::error::EncodeError;
use crate::write::{Name, Write, has_byte};
use crate::xml::grammar::is_text;
use crate::xml::{PAYLOAD, PAYLOAD_TYPE};

/// A document being written to a buffer.
pub(crate) struct Writer<'b> {
    buffer: &'b mut Vec<u8>,
    /// The position of the attribute of the last `<payload>`, whose value is known after its children.
    attribute: usize,
}

impl<'b> Writer<'b> {
    pub(crate) fn new(buffer: &'b mut Vec<u8>) -> Self {
        Self { buffer, attribute: 0 }
    }

    fn write(&mut self, text: &str) {
        self.buffer.extend_from_slice(text.as_bytes());
    }

    /// Writes the kind of the payload as an attribute, into its start, which is already written.
    fn attribute(&mut self, kind: &str) -> Result<(), EncodeError> {
        let end = self.buffer.len();
        self.write(" type=\"");
        escape(kind, PAYLOAD_TYPE, self.buffer)?;
        self.write("\"");
        let written = self.buffer.len() - end;
        self.buffer[self.attribute..].rotate_right(written);
        Ok(())
    }
}

impl Write for Writer<'_> {
    fn begin(&mut self, name: &'static Name) {
        self.write(name.start);
        if name.plain == PAYLOAD {
            self.attribute = self.buffer.len() - 1;
        }
    }

    fn end(&mut self, name: &'static Name) {
        self.write(name.end);
    }

    fn begin_list(&mut self, _: &'static Name) {}

    fn item(&mut self) {}

    fn end_list(&mut self) {}

    fn text(&mut self, name: &'static Name, text: &str) -> Result<(), EncodeError> {
        if name.plain == PAYLOAD_TYPE {
            return self.attribute(text);
        }
        self.write(name.start);
        escape(text, name.plain, self.buffer)?;
        self.write(name.end);
        Ok(())
    }

    fn bare(&mut self, name: &'static Name, token: &str) {
        self.write(name.start);
        self.write(token);
        self.write(name.end);
    }
}

/// Writes text so that it is read back unchanged: blanks at either end, and carriage returns, as references, because
/// readers trim the first and change the second.
#[expect(clippy::needless_bitwise_bool, reason = "without a branch, the compiler tests many bytes at once")]
fn escape(text: &str, member: &'static str, to: &mut Vec<u8>) -> Result<(), EncodeError> {
    let special = |byte: u8| {
        !(b' '..=b'~').contains(&byte) | (byte == b'&') | (byte == b'<') | (byte == b'>') | (byte == b'"')
    };
    if !has_byte(text, special) && !text.starts_with(' ') && !text.ends_with(' ') {
        to.extend_from_slice(text.as_bytes());
        return Ok(());
    }
    if !is_text(text) {
        return Err(EncodeError::character(member));
    }
    let (before, text) = text.as_bytes().split_at(text.len() - text.trim_ascii_start().len());
    let (mut text, after) = text.split_at(text.trim_ascii_end().len());
    for blank in before {
        refer(*blank, to);
    }
    while let Some(index) = text.iter().position(|byte| matches!(byte, b'&' | b'<' | b'>' | b'"' | b'\r')) {
        to.extend_from_slice(&text[..index]);
        refer(text[index], to);
        text = &text[index + 1..];
    }
    to.extend_from_slice(text);
    for blank in after {
        refer(*blank, to);
    }
    Ok(())
}

fn refer(byte: u8, to: &mut Vec<u8>) {
    match byte {
        b'&' => to.extend_from_slice(b"&amp;"),
        b'<' => to.extend_from_slice(b"&lt;"),
        b'>' => to.extend_from_slice(b"&gt;"),
        b'"' => to.extend_from_slice(b"&quot;"),
        _ => to.extend_from_slice(format!("&#{byte};").as_bytes()),
    }
}
