//! Between the text of members and the values of the domain.

use std::borrow::Cow;
use std::str::FromStr;

use perennial_domain::{Amount, Date, Flag};

use crate::error::{DecodeError, DecodeErrorKind};
use crate::format::Format;
use crate::text::Text;

/// A member whose value cannot be taken: where, and why.
pub(crate) struct Fault {
    path: String,
    kind: DecodeErrorKind,
}

impl Fault {
    pub(crate) fn invalid(member: &str) -> Self {
        Self { path: member.to_owned(), kind: DecodeErrorKind::Invalid }
    }

    pub(crate) fn missing(member: &str) -> Self {
        Self { path: member.to_owned(), kind: DecodeErrorKind::Missing }
    }

    pub(crate) fn within(self, member: &str) -> Self {
        Self { path: format!("{member}.{}", self.path), ..self }
    }

    pub(crate) fn in_format(self, format: Format) -> DecodeError {
        DecodeError::new(format, self.path, self.kind)
    }
}

/// A text that says something; an empty one is the same as none.
pub(crate) fn given(text: Option<Text<'_>>) -> Option<Text<'_>> {
    text.filter(|text| !text.trim_ascii().is_empty())
}

/// A text of a record.
pub(crate) fn owned(text: Option<Text<'_>>) -> Option<String> {
    given(text).map(Cow::into_owned)
}

/// A key, which is never guessed.
pub(crate) fn key<T: TryFrom<String>>(member: &str, text: Option<Text<'_>>) -> Result<Option<T>, Fault> {
    owned(text).map(|text| T::try_from(text).map_err(|_| Fault::invalid(member))).transpose()
}

/// A key without which the record names nothing.
pub(crate) fn own_key<T: TryFrom<String>>(member: &str, text: Option<Text<'_>>) -> Result<T, Fault> {
    key(member, text)?.ok_or_else(|| Fault::missing(member))
}

/// An amount, which is never guessed.
pub(crate) fn amount(member: &str, text: Option<Text<'_>>) -> Result<Option<Amount>, Fault> {
    given(text).map(|text| Amount::reported(&text).map_err(|_| Fault::invalid(member))).transpose()
}

/// A date, which is never guessed: it says when money moves.
pub(crate) fn date(member: &str, text: Option<Text<'_>>) -> Result<Option<Date>, Fault> {
    given(text).map(|text| Date::try_from(&*text).map_err(|_| Fault::invalid(member))).transpose()
}

/// A value that is for information: unreadable is the same as absent.
pub(crate) fn lenient<'a, T: for<'t> TryFrom<&'t str>>(text: Option<impl Into<Text<'a>>>) -> Option<T> {
    T::try_from(given(text.map(Into::into))?.trim_ascii()).ok()
}

/// A flag, likewise.
pub(crate) fn flag<'a>(text: Option<impl Into<Text<'a>>>) -> Option<bool> {
    lenient::<Flag>(text).map(|flag| flag.0)
}

/// A count, likewise.
pub(crate) fn count<'a, T: FromStr>(text: Option<impl Into<Text<'a>>>) -> Option<T> {
    let text = given(text.map(Into::into))?;
    let digits = text.trim_ascii();
    digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))
}

pub(crate) fn text(value: &str) -> Text<'_> {
    Cow::Borrowed(value)
}

pub(crate) fn some_text<T: AsRef<str>>(value: Option<&T>) -> Option<Text<'_>> {
    value.map(|value| Cow::Borrowed(value.as_ref()))
}

pub(crate) fn shown<T: ToString>(value: Option<T>) -> Option<Text<'static>> {
    value.map(|value| Cow::Owned(value.to_string()))
}

pub(crate) fn truth(flag: bool) -> Text<'static> {
    Cow::Borrowed(if flag { "true" } else { "false" })
}

/// Sets the fields of a builder from members that are given.
macro_rules! set {
    ($builder:expr; $($method:ident: $member:expr),* $(,)?) => {{
        let builder = $builder;
        $(
            let builder = match $crate::fields::given($member) {
                Some(text) => builder.$method(&*text),
                None => builder,
            };
        )*
        builder
    }};
}

/// The same for values that the gateway reads in its own way.
macro_rules! set_as_gateway {
    ($builder:expr; $($method:ident: $member:expr),* $(,)?) => {{
        let builder = $builder;
        $(
            let builder = match $crate::fields::given($member) {
                Some(text) => builder.$method(perennial_domain::AsGateway(&text)),
                None => builder,
            };
        )*
        builder
    }};
}

pub(crate) use {set, set_as_gateway};
