//! Errors of documents, which never quote the document.

use std::fmt;

use perennial_domain::mask;

use crate::Format;

/// An error of reading a document: the place, and the rule it broke.
///
/// It holds no text of the document, because documents hold card numbers: the path consists of member names that this
/// crate knows, and the kind is a rule.
///
/// ```
/// use perennial_wire::{DecodeError, DecodeErrorKind, Format};
///
/// let error = DecodeError::new(Format::Json, "payload.customer", DecodeErrorKind::Missing);
/// assert_eq!(error.to_string(), "JSON at payload.customer: a required member is missing");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    format: Format,
    path: String,
    kind: DecodeErrorKind,
}

/// The rule that a document broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The document is empty: no bytes, or only blanks.
    Empty,
    /// The bytes are not UTF-8, or an XML declaration names another encoding.
    NotUtf8,
    /// The bytes begin with the byte order mark of UTF-16.
    Utf16,
    /// The text is not JSON or not well-formed XML. Both numbers count from one; the column counts bytes.
    Syntax {
        /// The line, from 1.
        line: usize,
        /// The byte in the line, from 1.
        column: usize,
    },
    /// The XML root element is not the message's.
    WrongRoot,
    /// More text follows the end of the document.
    Trailing,
    /// The XML document has a document type declaration, which is always refused.
    Doctype,
    /// The XML document has a reference to an entity other than the five that XML defines.
    UndefinedEntity,
    /// The XML document has text beside child elements.
    MixedContent,
    /// A member has the wrong type: an object for a scalar, a scalar for an object, or a scalar of another type.
    WrongType,
    /// A member is given twice.
    Duplicate,
    /// A required member is missing.
    Missing,
    /// A member is present, but its value breaks a rule of its type.
    Invalid,
    /// The document has more bytes than [`Limits::bytes`](crate::Limits::bytes).
    TooLarge,
    /// The document has more levels than [`Limits::depth`](crate::Limits::depth).
    TooDeep,
    /// The document has more elements or items than [`Limits::items`](crate::Limits::items), or more than 32 attributes
    /// in one tag.
    TooMany,
    /// A scalar is longer than [`Limits::text`](crate::Limits::text).
    TextTooLong,
}

/// A syntax error whose place is not known yet.
pub(crate) const MALFORMED: DecodeErrorKind = DecodeErrorKind::Syntax { line: 0, column: 0 };

impl DecodeError {
    /// Creates an error at `path`: member names joined by dots, or empty for the document as a whole.
    pub fn new(format: Format, path: impl Into<String>, kind: DecodeErrorKind) -> Self {
        Self { format, path: path.into(), kind }
    }

    /// The format in which the document was read.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The member, such as `payload.customer.first-name`; empty for the document as a whole.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The rule that was broken.
    pub fn kind(&self) -> DecodeErrorKind {
        self.kind
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.format {
            Format::Json => f.write_str("JSON")?,
            Format::Xml => f.write_str("XML")?,
        }
        if !self.path.is_empty() {
            write!(f, " at {}", self.path)?;
        }
        write!(f, ": {}", self.kind)
    }
}

impl std::error::Error for DecodeError {}

/// A record of a list that could not be read, while others of the list could.
///
/// ```
/// use perennial_wire::{Format, Limits, clearent::Reply};
///
/// let body = br#"{"payload":{"customers":{"customer":[{"customer-key":"cust_1","first-name":{}},
///     {"customer-key":"cust_2"}]},"payloadType":"customers"}}"#;
/// let reply = Reply::decode(Format::Json, body, &Limits::default()).unwrap();
/// let unreadable = &reply.unreadable[0];
/// assert_eq!((unreadable.index(), unreadable.key()), (0, Some("cust_1")));
/// assert_eq!(
///     unreadable.to_string(),
///     "record cust_1: JSON at payload.customers.customer.first-name: the value has another type",
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadableRecord {
    index: usize,
    key: Option<String>,
    error: DecodeError,
}

impl UnreadableRecord {
    pub(crate) fn new(index: usize, key: Option<&str>, error: DecodeError) -> Self {
        let key = key.map(str::trim).filter(|key| (1..=100).contains(&key.len()));
        Self { index, key: key.map(|key| mask::card_numbers(key).into_owned()), error }
    }

    /// Its index among all records of the list, from 0.
    pub fn index(&self) -> usize {
        self.index
    }

    /// The record with another index, for a list without some of the others.
    #[must_use]
    pub fn at(self, index: usize) -> Self {
        Self { index, ..self }
    }

    /// Its key or id, if it could be read; any text in it that looks like a card number is masked.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// The invalid member, and the rule that it broke.
    pub fn error(&self) -> &DecodeError {
        &self.error
    }
}

impl fmt::Display for UnreadableRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some(key) => write!(f, "record {}: {}", key.escape_debug(), self.error),
            None => write!(f, "record {} of the list: {}", self.index + 1, self.error),
        }
    }
}

impl std::error::Error for UnreadableRecord {}

impl fmt::Display for DecodeErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Syntax { line, column } => return write!(f, "malformed at line {line}, column {column}"),
            Self::Empty => "the document is empty",
            Self::NotUtf8 => "the document is not UTF-8",
            Self::Utf16 => "the document is UTF-16, and must be UTF-8",
            Self::WrongRoot => "the root element is another one",
            Self::Trailing => "something follows the end of the document",
            Self::Doctype => "a document type declaration is not allowed",
            Self::UndefinedEntity => "an entity is not defined",
            Self::MixedContent => "text stands beside elements",
            Self::WrongType => "the value has another type",
            Self::Duplicate => "the member is given twice",
            Self::Missing => "a required member is missing",
            Self::Invalid => "the value is not valid",
            Self::TooLarge => "the document is too large",
            Self::TooDeep => "the document is nested too deeply",
            Self::TooMany => "there are too many items",
            Self::TextTooLong => "a text is too long",
        })
    }
}

/// A value that cannot be written: XML 1.0 has no way to write most control characters, version 1.0 of ClientPay lacks
/// members, and raw values must be JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem} {member}")]
pub struct EncodeError {
    problem: &'static str,
    member: &'static str,
}

impl EncodeError {
    /// The error for a character in this member that XML cannot write.
    pub(crate) fn character(member: &'static str) -> Self {
        Self { problem: "XML cannot carry a character of", member }
    }

    /// The error for a raw value in this member that is not JSON.
    pub(crate) fn not_json(member: &'static str) -> Self {
        Self { problem: "no JSON is in", member }
    }

    /// The error for a value that version 1.0 has no member for.
    pub(crate) fn not_in_v1(member: &'static str) -> Self {
        Self { problem: "version 1.0 has no", member }
    }

    /// The error for an operation that version 2 no longer has.
    pub(crate) fn not_in_v2(member: &'static str) -> Self {
        Self { problem: "version 2.0 has no", member }
    }

    /// The error for a text that is too long for version 1.0.
    pub(crate) fn too_long_for_v1(member: &'static str) -> Self {
        Self { problem: "version 1.0 takes 100 characters at most of", member }
    }

    /// The member with the value, such as `comments`.
    pub fn member(&self) -> &'static str {
        self.member
    }
}
