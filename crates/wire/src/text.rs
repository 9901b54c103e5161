//! Scalars. The wire documents almost all of them as text, and clients send numbers and booleans instead.

use std::borrow::Cow;
use std::fmt;

use perennial_domain::{Amount, Reported};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::{DecodeErrorKind, EncodeError};
use crate::member::{Put, Read};
use crate::reading::{At, Scalars};
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
    fn read<D: Deserializer<'de>>(de: D, at: At<'_>) -> Result<Option<Self>, D::Error> {
        if at.scalars() == Scalars::JsonText {
            let text: Option<Self> = exact(<&RawValue>::deserialize(de)?.get(), at)?;
            return Ok(text.map(|text| at.masked(text)));
        }
        let text = de.deserialize_any(Scalar(at))?;
        if text.as_ref().is_some_and(|text| text.len() > at.limits().text) {
            return Err(at.spoil(DecodeErrorKind::TextTooLong));
        }
        Ok(text.map(|text| at.masked(text)))
    }
}

impl Put for Text<'_> {
    const KIND: Kind = Kind::Text;

    #[inline]
    fn put<W: Write>(&self, name: &'static Name, to: &mut W) -> Result<(), EncodeError> {
        to.text(name, self)
    }
}

impl<'de: 'a, 'a> Read<'de> for Bare<'a> {
    fn read<D: Deserializer<'de>>(de: D, at: At<'_>) -> Result<Option<Self>, D::Error> {
        // What is no number and no boolean is a text like any other.
        let masked = |text: Text<'a>| if is_bare(&text) { text } else { at.masked(text) };
        Ok(Text::read(de, at.bare())?.map(masked).map(Self))
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

/// Reads the JSON text of a scalar.
fn exact<'a, E: Error>(json: &'a str, at: At<'_>) -> Result<Option<Text<'a>>, E> {
    let text = match json.as_bytes().first() {
        Some(b'-' | b'0'..=b'9') => Some(Cow::Borrowed(json)),
        _ => serde_json::Deserializer::from_str(json)
            .deserialize_any(Scalar(at))
            .map_err(|_| at.spoil::<E>(DecodeErrorKind::WrongType))?,
    };
    if text.as_ref().is_some_and(|text| text.len() > at.limits().text) {
        return Err(at.spoil(DecodeErrorKind::TextTooLong));
    }
    Ok(text)
}

struct Scalar<'r>(At<'r>);

impl<'de> Visitor<'de> for Scalar<'_> {
    type Value = Option<Text<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a scalar")
    }

    #[inline]
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(text.to_owned())))
    }

    fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(text)))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Self::Value, E> {
        Ok(Some(Cow::Borrowed(if flag { "true" } else { "false" })))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(number.to_string())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(number.to_string())))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
        Err(self.0.inexact())
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        self.0.deeper().pass_map(map)?;
        Err(self.0.spoil(DecodeErrorKind::WrongType))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        self.0.deeper().pass_seq(seq)?;
        Err(self.0.spoil(DecodeErrorKind::WrongType))
    }
}
