//! The failure to read a value.

use crate::error::{DecodeError, DecodeErrorKind};
use crate::format::Format;

/// The reason why a value cannot be read, and its place, which is collected while the failure is returned, so that
/// success costs nothing.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone, PartialEq))]
pub(crate) struct Failure(Box<Details>);

#[derive(Debug)]
#[cfg_attr(test, derive(Clone, PartialEq))]
struct Details {
    kind: DecodeErrorKind,
    /// The members around the value, the innermost first.
    trail: Vec<&'static str>,
    /// The key of the record around the value.
    key: Option<String>,
    /// Whether the value was read to its end, so that reading can continue after it.
    is_passed: bool,
}

impl Failure {
    #[cold]
    fn new(kind: DecodeErrorKind, is_passed: bool) -> Self {
        Self(Box::new(Details { kind, trail: Vec::new(), key: None, is_passed }))
    }

    /// An invalid value that was read to its end.
    pub(crate) fn passed(kind: DecodeErrorKind) -> Self {
        Self::new(kind, true)
    }

    /// A member whose value breaks a rule of its type.
    pub(crate) fn invalid(member: &'static str) -> Self {
        Self::passed(DecodeErrorKind::Invalid).within(member)
    }

    /// A required member that is missing.
    pub(crate) fn missing(member: &'static str) -> Self {
        Self::passed(DecodeErrorKind::Missing).within(member)
    }

    /// Returns the failure as seen from the object around it.
    #[must_use]
    pub(crate) fn within(mut self, member: &'static str) -> Self {
        self.0.trail.push(member);
        self
    }

    /// Returns the failure as seen from the record around it, whose key this is.
    #[must_use]
    pub(crate) fn keyed(mut self, key: Option<&str>) -> Self {
        self.0.key = key.map(str::to_owned).or(self.0.key);
        self
    }

    /// Whether reading can continue after the value.
    pub(crate) fn is_passed(&self) -> bool {
        self.0.is_passed
    }

    /// The key of the record.
    pub(crate) fn key(&self) -> Option<&str> {
        self.0.key.as_deref()
    }

    pub(crate) fn in_format(self, format: Format) -> DecodeError {
        let Details { kind, mut trail, .. } = *self.0;
        trail.reverse();
        trail.retain(|member| !member.is_empty());
        DecodeError::new(format, trail.join("."), kind)
    }

    /// The error of a document, with the place of a syntax error.
    pub(crate) fn at(mut self, place: impl FnOnce() -> (usize, usize), format: Format) -> DecodeError {
        if let DecodeErrorKind::Syntax { .. } = self.0.kind {
            let (line, column) = place();
            self.0.kind = DecodeErrorKind::Syntax { line, column };
        }
        self.in_format(format)
    }
}

/// Reading cannot continue after such a failure.
impl From<DecodeErrorKind> for Failure {
    fn from(kind: DecodeErrorKind) -> Self {
        Self::new(kind, false)
    }
}
