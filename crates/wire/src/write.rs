//! The writer of both formats: members, in the order of the calls.

use crate::error::EncodeError;

/// A name as each format writes it, made at compile time, so that it is written in one piece.
pub(crate) struct Name {
    /// The name alone.
    pub(crate) plain: &'static str,
    /// A member of a JSON object from the comma before it to the quote of its text.
    pub(crate) member: &'static str,
    /// The start of an XML element.
    pub(crate) start: &'static str,
    /// The end of an XML element.
    pub(crate) end: &'static str,
}

/// The forms of a name. It needs no escaping in either format.
macro_rules! name {
    ($name:literal) => {
        $crate::write::Name {
            plain: $name,
            member: concat!(",\"", $name, "\":\""),
            start: concat!("<", $name, ">"),
            end: concat!("</", $name, ">"),
        }
    };
}

pub(crate) use name;

/// A document being written.
pub(crate) trait Write {
    /// Begins the object or element `name`.
    fn begin(&mut self, name: &'static Name);
    /// Ends the object or element of the last [`begin`](Self::begin).
    fn end(&mut self, name: &'static Name);
    /// Begins a list, whose items follow, each announced by [`item`](Self::item) and written under the same name.
    fn begin_list(&mut self, name: &'static Name);
    /// Announces an item.
    fn item(&mut self);
    /// Ends a list.
    fn end_list(&mut self);
    /// Writes a scalar: a JSON string, or the text of an element.
    fn text(&mut self, name: &'static Name, text: &str) -> Result<(), EncodeError>;
    /// Writes a scalar that JSON writes bare: a number or a boolean.
    fn bare(&mut self, name: &'static Name, token: &str);
}

/// Counts the maximum number of bytes that a document can need, in either format.
///
/// A buffer of this size never grows, so that a card written to it is nowhere else.
#[derive(Default)]
pub(crate) struct Bound(pub(crate) usize);

impl Bound {
    /// Adds a value. The longest name around it is that of an XML element, twice; the longest escape of a byte has six
    /// bytes.
    fn add(&mut self, name: &Name, text: &str) {
        self.0 += name.start.len() + name.end.len() + 6 * text.len();
    }
}

impl Write for Bound {
    fn begin(&mut self, name: &'static Name) {
        self.add(name, "");
    }

    fn end(&mut self, _: &'static Name) {}

    fn begin_list(&mut self, name: &'static Name) {
        self.add(name, "");
    }

    fn item(&mut self) {}

    fn end_list(&mut self) {}

    fn text(&mut self, name: &'static Name, text: &str) -> Result<(), EncodeError> {
        self.add(name, text);
        Ok(())
    }

    fn bare(&mut self, name: &'static Name, token: &str) {
        self.add(name, token);
    }
}

/// Whether any byte of the text is of a class that is tested without branches, so that the compiler tests a block of
/// bytes at once. The last block overlaps the one before it.
#[inline]
pub(crate) fn has_byte(text: &str, class: impl Fn(u8) -> bool) -> bool {
    const BLOCK: usize = 8;
    let any = |bytes: &[u8]| bytes.iter().fold(false, |any, byte| any | class(*byte));
    let bytes = text.as_bytes();
    match bytes.last_chunk::<BLOCK>() {
        Some(last) => bytes.as_chunks::<BLOCK>().0.iter().any(|block| any(block)) || any(last),
        None => any(bytes),
    }
}
