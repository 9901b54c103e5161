//! Messages as tables of their members, for whoever describes a message instead of reading or writing one.

/// A member of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// The name, in both formats.
    pub name: &'static str,
    /// What it holds, should it be there: any member may be absent.
    pub kind: Kind,
}

/// What a member holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A scalar that JSON writes as a string.
    Text,
    /// A scalar that JSON writes bare: a number or a boolean.
    Bare,
    /// A message.
    Object(Shape),
    /// Many of a kind, written if there are any.
    Many(&'static Kind),
    /// Many of a kind, written even if there are none: the records of an answer.
    Records(&'static Kind),
}

/// A message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Its name: the root element, should it be a whole XML document.
    pub name: &'static str,
    /// Its members, in the order in which they are written.
    pub members: &'static [Member],
}
