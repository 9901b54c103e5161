//! Scalars in this vendor's form: money as numbers, flags as letters, and undocumented objects.

use std::borrow::Cow;

use perennial_domain::{InvalidValue, Rule, Violations};
use serde_json::value::RawValue;

use crate::error::{DecodeErrorKind, EncodeError};
use crate::failure::Failure;
use crate::fields::{given, text, truth};
use crate::member::{Fill, Put, Read};
use crate::reader::{Reader, Value};
use crate::shape::{Kind, Shape};
use crate::text::{Bare, Text};
use crate::write::{Name, Write};

/// An amount, as a number.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Money<'a>(pub(super) Bare<'a>);

impl<'de: 'a, 'a> Read<'de> for Money<'a> {
    fn read(value: Value<'de>, from: &mut Reader<'de, '_>) -> Result<Option<Self>, Failure> {
        Ok(Bare::read(value, from)?.map(Self))
    }
}

impl Put for Money<'_> {
    const KIND: Kind = Bare::KIND;

    fn put<W: Write>(&self, name: &'static Name, to: &mut W) -> Result<(), EncodeError> {
        self.0.put(name, to)
    }
}

/// The text of the number, without the zeros that a decimal type adds after the second decimal.
impl<'a> From<Money<'a>> for Text<'a> {
    fn from(Money(number): Money<'a>) -> Self {
        let text = Text::from(number);
        let Some((whole, decimals)) = text.split_once('.') else { return text };
        let kept = decimals.trim_end_matches('0').len();
        if decimals.len() <= 2 || kept > 2 {
            return text;
        }
        let kept = whole.len() + usize::from(kept > 0) + kept;
        match text {
            Cow::Borrowed(text) => Cow::Borrowed(&text[..kept]),
            Cow::Owned(text) => Cow::Owned(text[..kept].to_owned()),
        }
    }
}

/// An id of a record; an unreadable one is an error.
pub(super) fn id<T: for<'t> TryFrom<&'t str>>(
    member: &'static str,
    text: Option<Text<'_>>,
) -> Result<Option<T>, Failure> {
    let read = |text: Text<'_>| T::try_from(text.trim_ascii()).map_err(|_| Failure::invalid(member));
    given(text).map(read).transpose()
}

pub(super) fn bare(number: Option<Bare<'_>>) -> Option<Text<'_>> {
    number.map(Text::from)
}

/// A required member, or a violation.
pub(super) fn required<T>(name: &'static str, member: Option<Text<'_>>, wrong: &mut Violations) -> Option<T>
where
    T: for<'t> TryFrom<&'t str, Error = InvalidValue>,
{
    let read = given(member).ok_or(Rule::Required.into()).and_then(|text| T::try_from(&*text));
    read.map_err(|error| wrong.add(name, error.0)).ok()
}

/// A flag that is written as `Y` or `N`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Letter<'a>(pub(super) Text<'a>);

impl From<bool> for Letter<'_> {
    fn from(flag: bool) -> Self {
        Self(text(if flag { "Y" } else { "N" }))
    }
}

/// The text of a flag; any other text is unchanged.
impl<'a> From<Letter<'a>> for Text<'a> {
    fn from(Letter(letter): Letter<'a>) -> Self {
        match yes_or_no(&letter) {
            Some(flag) => truth(flag),
            None => letter,
        }
    }
}

/// Whether the letter is `Y`; `None` for any other text than `Y` and `N`.
pub(super) fn yes_or_no(letter: &str) -> Option<bool> {
    match letter.trim() {
        "Y" | "y" => Some(true),
        "N" | "n" => Some(false),
        _ => None,
    }
}

impl<'de: 'a, 'a> Read<'de> for Letter<'a> {
    fn read(value: Value<'de>, from: &mut Reader<'de, '_>) -> Result<Option<Self>, Failure> {
        Ok(Text::read(value, from)?.map(Self))
    }
}

impl Put for Letter<'_> {
    const KIND: Kind = Kind::Text;

    fn put<W: Write>(&self, name: &'static Name, to: &mut W) -> Result<(), EncodeError> {
        self.0.put(name, to)
    }
}

/// A member that is written as null where others are left out: the vendor's postbacks have such members.
#[derive(Default)]
#[cfg_attr(test, derive(Clone, Debug, PartialEq))]
pub(super) struct OrNull<T>(pub(super) Option<T>);

impl<'de, T: Read<'de>> Fill<'de> for OrNull<T> {
    fn fill(&mut self, from: &mut Reader<'de, '_>) -> Result<(), Failure> {
        self.0.fill(from)
    }
}

impl<T: Put> Put for OrNull<T> {
    const KIND: Kind = T::KIND;

    fn put<W: Write>(&self, name: &'static Name, to: &mut W) -> Result<(), EncodeError> {
        match &self.0 {
            Some(value) => value.put(name, to)?,
            None => to.bare(name, "null"),
        }
        Ok(())
    }
}

/// A scalar that is sometimes a word and sometimes a number.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum WordOrNumber<'a> {
    Word(Text<'a>),
    Number(u64),
}

impl<'a> From<WordOrNumber<'a>> for Text<'a> {
    fn from(scalar: WordOrNumber<'a>) -> Self {
        match scalar {
            WordOrNumber::Word(word) => word,
            WordOrNumber::Number(number) => Cow::Owned(number.to_string()),
        }
    }
}

impl<'de: 'a, 'a> Read<'de> for WordOrNumber<'a> {
    fn read(value: Value<'de>, from: &mut Reader<'de, '_>) -> Result<Option<Self>, Failure> {
        Ok(Text::read(value, from)?.map(Self::Word))
    }
}

impl Put for WordOrNumber<'_> {
    const KIND: Kind = Kind::Text;

    fn put<W: Write>(&self, name: &'static Name, to: &mut W) -> Result<(), EncodeError> {
        match self {
            Self::Word(word) => word.put(name, to),
            Self::Number(number) => Bare::from(*number).put(name, to),
        }
    }
}

/// The text of an object whose members are unknown.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Verbatim<'a>(pub(super) &'a str);

impl<'de: 'a, 'a> Read<'de> for Verbatim<'a> {
    fn read(value: Value<'de>, from: &mut Reader<'de, '_>) -> Result<Option<Self>, Failure> {
        let json = from.json(&value)?;
        if json.len() > from.limits().text {
            return Err(DecodeErrorKind::TextTooLong.into());
        }
        Ok(Some(Self(json)).filter(|Self(json)| *json != "null"))
    }
}

impl<'a> From<Verbatim<'a>> for Text<'a> {
    fn from(Verbatim(json): Verbatim<'a>) -> Self {
        text(json)
    }
}

impl Put for Verbatim<'_> {
    const KIND: Kind = Kind::Object(Shape { name: "object", members: &[] });

    fn put<W: Write>(&self, name: &'static Name, to: &mut W) -> Result<(), EncodeError> {
        // A text that is sent as it is must not be able to close the object around it.
        serde_json::from_str::<&RawValue>(self.0).map_err(|_| EncodeError::not_json(name.plain))?;
        to.bare(name, self.0);
        Ok(())
    }
}
