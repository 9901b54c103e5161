//! What both formats can write: members, in the order in which they come.

use crate::error::EncodeError;

/// A document being written. Names are ours and need no escaping.
pub(crate) trait Write {
    /// Begins the object or element `name`.
    fn begin(&mut self, name: &'static str);
    /// Ends what [`begin`](Self::begin) began.
    fn end(&mut self, name: &'static str);
    /// Begins a list, whose items follow, each announced by [`item`](Self::item) and written under the same name.
    fn begin_list(&mut self, name: &'static str);
    /// Announces an item.
    fn item(&mut self);
    /// Ends a list.
    fn end_list(&mut self);
    /// A scalar: a JSON string, or the text of an element.
    fn text(&mut self, name: &'static str, text: &str) -> Result<(), EncodeError>;
    /// A scalar that JSON writes bare: a number or a boolean.
    fn bare(&mut self, name: &'static str, token: &str);
}

/// Counts the most bytes that a document can need, in either format.
///
/// A buffer of that size never grows, so that a card which was written to it is nowhere else.
#[derive(Default)]
pub(crate) struct Bound(pub(crate) usize);

impl Bound {
    /// The longest name around a value is that of an XML element, twice; the longest escape of a byte takes six.
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
