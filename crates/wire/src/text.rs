//! Scalars. The wire documents almost all of them as text, and clients send numbers and booleans instead.

use std::borrow::Cow;
use std::fmt;

use perennial_domain::mask::Prose;
use perennial_domain::{Amount, Reported};

use crate::error::{DecodeErrorKind, EncodeError};
use crate::failure::Failure;
use crate::member::{Put, Read};
use crate::reader::{Reader, Value};
use crate::shape::Kind;
use crate::write::{Name, Write};

/// A scalar as text: a string, an integer, a boolean, or a number with exactly the digits that the document has.
pub(crate) type Text<'a> = Cow<'a, str>;

/// A scalar that JSON writes bare: a boolean or a number. It is read as text, like any other; its user
/// interprets it, and handles invalid values.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bare<'a>(Text<'a>);

impl From<bool> for Bare<'_> {
    fn from(flag: bool) -> Self {
        Self(Cow::Borrowed(if flag { "true" } else { "false" }))
    }
}

impl Bare<'_> {
    /// A detail as it was reported, which may not be a number or boolean.
    pub(crate) fn shown<T: fmt::Display>(value: &Reported<T>) -> Self {
        Self(Cow::Owned(value.to_string()))
    }
}

impl From<u64> for Bare<'_> {
    fn from(number: u64) -> Self {
        Self(Cow::Owned(number.to_string()))
    }
}

impl From<Amount> for Bare<'_> {
    fn from(amount: Amount) -> Self {
        Self(Cow::Owned(amount.to_string()))
    }
}

impl<'a> From<Bare<'a>> for Text<'a> {
    fn from(bare: Bare<'a>) -> Self {
        bare.0
    }
}

impl<'de: 'a, 'a> Read<'de> for Text<'a> {
    #[inline]
    fn read(value: Value<'de>, from: &mut Reader<'de, '_>) -> Result<Option<Self>, Failure> {
        Ok(scalar(value, from)?.map(|text| from.masked(text)))
    }
}

/// Reads a scalar; null is none.
#[inline]
fn scalar<'de>(value: Value<'de>, from: &mut Reader<'de, '_>) -> Result<Option<Text<'de>>, Failure> {
    let text = match value {
        Value::Text(text) => text,
        Value::Bare(text) => Cow::Borrowed(text),
        Value::Null => return Ok(None),
        Value::Object | Value::Array => return Err(from.refuse(&value, DecodeErrorKind::WrongType)),
    };
    if text.len() > from.limits().text {
        return Err(Failure::passed(DecodeErrorKind::TextTooLong));
    }
    Ok(Some(text))
}

impl Put for Text<'_> {
    const KIND: Kind = Kind::Text;

    #[inline]
    fn put<W: Write>(&self, name: &'static Name, to: &mut W) -> Result<(), EncodeError> {
        to.text(name, self)
    }
}

impl<'de: 'a, 'a> Read<'de> for Bare<'a> {
    fn read(value: Value<'de>, from: &mut Reader<'de, '_>) -> Result<Option<Self>, Failure> {
        let Some(text) = scalar(value, from)? else { return Ok(None) };
        let text = from.masked_as(Prose::Exact, text);
        // What is no number and no boolean is a text like any other.
        let text = if is_bare(&text) { text } else { from.masked(text) };
        Ok(Some(Self(text)))
    }
}

impl Put for Bare<'_> {
    const KIND: Kind = Kind::Bare;

    fn put<W: Write>(&self, name: &'static Name, to: &mut W) -> Result<(), EncodeError> {
        if is_bare(&self.0) {
            to.bare(name, &self.0);
            Ok(())
        } else {
            to.text(name, &self.0)
        }
    }
}

/// Whether JSON can hold the text unquoted: a boolean, or a number in plain digits.
fn is_bare(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = digits(whole) && digits(decimals) && (whole.len() == 1 || !whole.starts_with('0'));
    is_number || matches!(text, "true" | "false")
}
