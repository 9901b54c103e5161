//! Writes JSON: compact, members in the order of the tables.

use crate::error::EncodeError;
use crate::write::{Name, Write, has_byte};

/// A document being written to a buffer. The last byte shows whether a comma is due, because no finished
/// value ends in an opening bracket.
pub(crate) struct Writer<'b> {
    buffer: &'b mut Vec<u8>,
    unnamed: bool,
}

impl<'b> Writer<'b> {
    pub(crate) fn new(buffer: &'b mut Vec<u8>) -> Self {
        Self { buffer, unnamed: true }
    }

    /// Writes everything before a value: a comma if one is due, the name, and the quote of a text.
    fn name(&mut self, name: &'static Name, quote: bool) {
        let before = if std::mem::take(&mut self.unnamed) { ",\"" } else { name.member };
        let is_first = matches!(self.buffer.last(), None | Some(b'{' | b'['));
        let before = &before.as_bytes()[usize::from(is_first)..before.len() - usize::from(!quote)];
        self.buffer.extend_from_slice(before);
    }
}

impl Write for Writer<'_> {
    fn begin(&mut self, name: &'static Name) {
        self.name(name, false);
        self.buffer.push(b'{');
    }

    fn end(&mut self, _: &'static Name) {
        self.buffer.push(b'}');
    }

    fn begin_list(&mut self, name: &'static Name) {
        self.name(name, false);
        self.buffer.push(b'[');
    }

    fn item(&mut self) {
        self.unnamed = true;
    }

    fn end_list(&mut self) {
        self.buffer.push(b']');
    }

    fn text(&mut self, name: &'static Name, text: &str) -> Result<(), EncodeError> {
        if has_byte(text, |byte| byte < b' ' || byte == b'"' || byte == b'\\') {
            self.name(name, false);
            serde_json::to_writer(&mut *self.buffer, text).map_err(|_| EncodeError::character(name.plain))
        } else {
            self.name(name, true);
            self.buffer.extend_from_slice(text.as_bytes());
            self.buffer.push(b'"');
            Ok(())
        }
    }

    fn bare(&mut self, name: &'static Name, token: &str) {
        self.name(name, false);
        self.buffer.extend_from_slice(token.as_bytes());
    }
}
