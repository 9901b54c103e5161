//! Writes JSON: compact, members in the order of the tables.

use crate::error::EncodeError;
use crate::write::Write;

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

    fn name(&mut self, name: &'static str) {
        if !matches!(self.buffer.last(), None | Some(b'{' | b'[')) {
            self.buffer.push(b',');
        }
        if !std::mem::take(&mut self.unnamed) {
            self.buffer.push(b'"');
            self.buffer.extend_from_slice(name.as_bytes());
            self.buffer.extend_from_slice(b"\":");
        }
    }
}

impl Write for Writer<'_> {
    fn begin(&mut self, name: &'static str) {
        self.name(name);
        self.buffer.push(b'{');
    }

    fn end(&mut self, _: &'static str) {
        self.buffer.push(b'}');
    }

    fn begin_list(&mut self, name: &'static str) {
        self.name(name);
        self.buffer.push(b'[');
    }

    fn item(&mut self) {
        self.unnamed = true;
    }

    fn end_list(&mut self) {
        self.buffer.push(b']');
    }

    fn text(&mut self, name: &'static str, text: &str) -> Result<(), EncodeError> {
        self.name(name);
        // Looked for without a branch, which the compiler does for many bytes at once.
        let escaped = |byte| byte < b' ' || byte == b'"' || byte == b'\\';
        if text.bytes().fold(false, |any, byte| any | escaped(byte)) {
            serde_json::to_writer(&mut *self.buffer, text).map_err(|_| EncodeError::character(name))
        } else {
            self.buffer.push(b'"');
            self.buffer.extend_from_slice(text.as_bytes());
            self.buffer.push(b'"');
            Ok(())
        }
    }

    fn bare(&mut self, name: &'static str, token: &str) {
        self.name(name);
        self.buffer.extend_from_slice(token.as_bytes());
    }
}
