//! Scalars. The wire documents almost all of them as text, and clients send numbers and booleans in their place.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde_json::value::RawValue;

use crate::error::{DecodeErrorKind, EncodeError};
use crate::member::{Put, Read};
use crate::reading::{At, Scalars};
use crate::write::Write;

/// A scalar as text: a string, an integer, a boolean, or a number with exactly the digits that the document has.
pub(crate) type Text<'a> = Cow<'a, str>;

/// A boolean, or its name in any letter case; an empty text is no flag.
pub(crate) type Flag = bool;

/// A whole number from zero, or its digits as text; an empty text is no count.
pub(crate) type Count = u64;

impl<'de: 'a, 'a> Read<'de> for Text<'a> {
    #[inline]
    fn read<D: Deserializer<'de>>(de: D, at: At<'_>) -> Result<Option<Self>, D::Error> {
        if at.scalars() == Scalars::JsonText {
            return exact(<&RawValue>::deserialize(de)?.get(), at);
        }
        let text = de.deserialize_any(Scalar(at))?;
        if text.as_ref().is_some_and(|text| text.len() > at.limits().text) {
            return Err(at.fail(DecodeErrorKind::TextTooLong));
        }
        Ok(text)
    }
}

impl Put for Text<'_> {
    #[inline]
    fn put<W: Write>(&self, name: &'static str, to: &mut W) -> Result<(), EncodeError> {
        to.text(name, self)
    }
}

impl<'de> Read<'de> for Flag {
    fn read<D: Deserializer<'de>>(de: D, at: At<'_>) -> Result<Option<Self>, D::Error> {
        parse(de, at, |text| {
            [true, false]
                .into_iter()
                .find(|flag| text.eq_ignore_ascii_case(if *flag { "true" } else { "false" }))
        })
    }
}

impl Put for Flag {
    fn put<W: Write>(&self, name: &'static str, to: &mut W) -> Result<(), EncodeError> {
        to.bare(name, if *self { "true" } else { "false" });
        Ok(())
    }
}

impl<'de> Read<'de> for Count {
    fn read<D: Deserializer<'de>>(de: D, at: At<'_>) -> Result<Option<Self>, D::Error> {
        parse(de, at, |text| if text.starts_with('+') { None } else { text.parse().ok() })
    }
}

impl Put for Count {
    fn put<W: Write>(&self, name: &'static str, to: &mut W) -> Result<(), EncodeError> {
        to.bare(name, &self.to_string());
        Ok(())
    }
}

/// Reads a text that means something else, and nothing when it is empty.
fn parse<'de, D: Deserializer<'de>, T>(
    de: D,
    at: At<'_>,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, D::Error> {
    let Some(text) = Text::read(de, at)?.filter(|text| !text.is_empty()) else { return Ok(None) };
    parse(&text).map(Some).ok_or_else(|| at.fail(DecodeErrorKind::WrongType))
}

/// Reads the JSON text of a scalar.
fn exact<'a, E: Error>(json: &'a str, at: At<'_>) -> Result<Option<Text<'a>>, E> {
    let text = match json.as_bytes().first() {
        Some(b'-' | b'0'..=b'9') => Some(Cow::Borrowed(json)),
        _ => serde_json::Deserializer::from_str(json)
            .deserialize_any(Scalar(at))
            .map_err(|_| at.fail::<E>(DecodeErrorKind::WrongType))?,
    };
    if text.as_ref().is_some_and(|text| text.len() > at.limits().text) {
        return Err(at.fail(DecodeErrorKind::TextTooLong));
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
}
