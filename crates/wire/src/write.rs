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
