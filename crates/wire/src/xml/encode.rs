//! Writes XML: compact, without a declaration, members in the order of the tables.

use crate::error::EncodeError;
use crate::write::Write;
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

    fn tag(&mut self, open: &[u8], name: &str) {
        self.buffer.extend_from_slice(open);
        self.buffer.extend_from_slice(name.as_bytes());
        self.buffer.push(b'>');
    }
}

impl Write for Writer<'_> {
    fn begin(&mut self, name: &'static str) {
        self.tag(b"<", name);
        if name == PAYLOAD {
            self.attribute = self.buffer.len() - 1;
        }
    }

    fn end(&mut self, name: &'static str) {
        self.tag(b"</", name);
    }

    fn begin_list(&mut self, _: &'static str) {}

    fn item(&mut self) {}

    fn end_list(&mut self) {}

    fn text(&mut self, name: &'static str, text: &str) -> Result<(), EncodeError> {
        if name == PAYLOAD_TYPE {
            let mut attribute = b" type=\"".to_vec();
            escape(text, name, &mut attribute)?;
            attribute.push(b'"');
            self.buffer.splice(self.attribute..self.attribute, attribute);
            return Ok(());
        }
        self.tag(b"<", name);
        escape(text, name, self.buffer)?;
        self.tag(b"</", name);
        Ok(())
    }

    fn bare(&mut self, name: &'static str, token: &str) {
        self.tag(b"<", name);
        self.buffer.extend_from_slice(token.as_bytes());
        self.tag(b"</", name);
    }
}

/// Writes text so that it is read back unchanged: blanks at either end, and carriage returns, as references, because
/// readers trim the first and change the second.
fn escape(text: &str, member: &'static str, to: &mut Vec<u8>) -> Result<(), EncodeError> {
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
