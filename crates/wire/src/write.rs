//! The writer of both formats: members, in the order of the calls.

use crate::error::EncodeError;

/// A document being written. Names are constants and need no escaping.
pub(crate) trait Write {
    /// Begins the object or element `name`.
    fn begin(&mut self, name: &'static str);
    /// Ends the object or element of the last [`begin`](Self::begin).
    fn end(&mut self, name: &'static str);
    /// Begins a list, whose items follow, each announced by [`item`](Self::item) and written under the same name.
    fn begin_list(&mut self, name: &'static str);
    /// Announces an item.
    fn item(&mut self);
    /// Ends a list.
    fn end_list(&mut self);
    /// Writes a scalar: a JSON string, or the text of an element.
    fn text(&mut self, name: &'static str, text: &str) -> Result<(), EncodeError>;
    /// Writes a scalar that JSON writes bare: a number or a boolean.
    fn bare(&mut self, name: &'static str, token: &str);
}

/// Counts the maximum number of bytes that a document can need, in either format.
///
/// A buffer of this size never grows, so that a card written to it is nowhere else.
#[derive(Default)]
pub(crate) struct Bound(pub(crate) usize);

impl Bound {
    /// Adds a value. The longest name around it is that of an XML element, twice; the longest escape of a byte has six
    /// bytes.
    fn add(&mut self, name: &str, text: &str) {
        self.0 += 2 * name.len() + "<></>".len() + 6 * text.len();
    }
}

impl Write for Bound {
    fn begin(&mut self, name: &'static str) {
        self.add(name, "");
    }

    fn end(&mut self, _: &'static str) {}

    fn begin_list(&mut self, name: &'static str) {
        self.add(name, "");
    }

    fn item(&mut self) {}

    fn end_list(&mut self) {}

    fn text(&mut self, name: &'static str, text: &str) -> Result<(), EncodeError> {
        self.add(name, text);
        Ok(())
    }

    fn bare(&mut self, name: &'static str, token: &str) {
        self.add(name, token);
    }
}
