//! Messages as tables of their members, for code that describes messages.

/// A member of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// The name, in both formats.
    pub name: &'static str,
    /// The kind of its value, if present: any member may be absent.
    pub kind: Kind,
}

/// The kind of a member's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A scalar that JSON writes as a string.
    Text,
    /// A scalar that JSON writes bare: a number or a boolean.
    Bare,
    /// A message.
    Object(Shape),
    /// Repeated values, written if there are any.
    Many(&'static Kind),
    /// Repeated values, written even if there are none: the records of a response.
    Records(&'static Kind),
}

/// A message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Its name: the root element, if it is a whole XML document.
    pub name: &'static str,
    /// Its members, in the order in which they are written.
    pub members: &'static [Member],
}
