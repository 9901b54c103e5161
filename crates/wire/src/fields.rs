//! Conversion between the text of members and the values of the domain.

use std::borrow::Cow;
use std::str::FromStr;

use perennial_domain::clearent::LastFour;
use perennial_domain::{Amount, AsGateway, Date, Expiry, Flag, Reported, Total};

use crate::error::UnreadableRecord;
use crate::failure::Failure;
use crate::format::Format;
use crate::member::Listed;
use crate::text::Text;

/// Unreadable records of a list, while the list is converted.
#[derive(Default)]
pub(crate) struct Unreadable(Vec<(usize, Option<String>, Failure)>);

impl Unreadable {
    /// Whether every record so far can be read.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The readable records of a list at `path`. The others are collected, each with its key.
    pub(crate) fn sort<M, R>(
        &mut self,
        Listed(messages): Listed<M>,
        key: impl Fn(&M) -> Option<&str>,
        record: impl Fn(M) -> Result<R, Failure>,
        path: &'static str,
    ) -> Vec<R> {
        let mut records = Vec::with_capacity(messages.len());
        for (index, message) in messages.into_iter().enumerate() {
            let (key, failure) = match message {
                Ok(message) => {
                    let key = key(&message).map(str::to_owned);
                    match record(message) {
                        Ok(record) => {
                            records.push(record);
                            continue;
                        }
                        Err(failure) => (key, failure),
                    }
                }
                Err(failure) => (failure.key().map(str::to_owned), failure),
            };
            self.0.push((index, key, failure.within(path)));
        }
        records
    }

    /// Converts to the public form.
    pub(crate) fn within(self, member: &'static str, format: Format) -> Vec<UnreadableRecord> {
        let unreadable = |(index, key, failure): (usize, Option<String>, Failure)| {
            UnreadableRecord::new(index, key.as_deref(), failure.within(member).in_format(format))
        };
        self.0.into_iter().map(unreadable).collect()
    }
}

/// A text that is not empty; an empty one counts as absent.
pub(crate) fn given(text: Option<Text<'_>>) -> Option<Text<'_>> {
    text.filter(|text| !text.trim_ascii().is_empty())
}

/// A text of a record.
pub(crate) fn owned(text: Option<Text<'_>>) -> Option<String> {
    given(text).map(Cow::into_owned)
}

/// A key; an unreadable one is an error.
pub(crate) fn key<T: TryFrom<String>>(
    member: &'static str,
    text: Option<Text<'_>>,
) -> Result<Option<T>, Failure> {
    owned(text).map(|text| T::try_from(text).map_err(|_| Failure::invalid(member))).transpose()
}

/// The key of the record itself; a missing one is an error.
pub(crate) fn own_key<T: TryFrom<String>>(
    member: &'static str,
    text: Option<Text<'_>>,
) -> Result<T, Failure> {
    key(member, text)?.ok_or_else(|| Failure::missing(member))
}

/// An amount; an unreadable one is an error.
pub(crate) fn amount(member: &'static str, text: Option<Text<'_>>) -> Result<Option<Amount>, Failure> {
    given(text).map(|text| Amount::reported(&text).map_err(|_| Failure::invalid(member))).transpose()
}

/// A total; an unreadable one is an error.
pub(crate) fn total(member: &'static str, text: Option<Text<'_>>) -> Result<Option<Total>, Failure> {
    given(text).map(|text| Total::try_from(&*text).map_err(|_| Failure::invalid(member))).transpose()
}

/// A date; an unreadable one is an error, because it decides when money moves.
pub(crate) fn date(member: &'static str, text: Option<Text<'_>>) -> Result<Option<Date>, Failure> {
    given(text).map(|text| Date::try_from(&*text).map_err(|_| Failure::invalid(member))).transpose()
}

/// A detail; an unreadable one counts as absent.
pub(crate) fn lenient<'a, T: for<'t> TryFrom<&'t str>>(text: Option<impl Into<Text<'a>>>) -> Option<T> {
    T::try_from(given(text.map(Into::into))?.trim_ascii()).ok()
}

/// A flag of an envelope; an unreadable one counts as absent.
pub(crate) fn lenient_flag<'a>(text: Option<impl Into<Text<'a>>>) -> Option<bool> {
    Flag::reported(&given(text.map(Into::into))?).map(|flag| flag.0)
}

/// A count of an envelope; an unreadable one counts as absent.
pub(crate) fn lenient_count<'a, T: FromStr>(text: Option<impl Into<Text<'a>>>) -> Option<T> {
    number(&given(text.map(Into::into))?)
}

/// A flag about the result of a payment; an unreadable one is an error.
pub(crate) fn flag<'a>(
    member: &'static str,
    text: Option<impl Into<Text<'a>>>,
) -> Result<Option<bool>, Failure> {
    let flag =
        |text: Text<'_>| Flag::reported(&text).map(|flag| flag.0).ok_or_else(|| Failure::invalid(member));
    given(text.map(Into::into)).map(flag).transpose()
}

/// A count of payments; an unreadable one is an error.
pub(crate) fn count<'a>(
    member: &'static str,
    text: Option<impl Into<Text<'a>>>,
) -> Result<Option<u64>, Failure> {
    let count = |text: Text<'_>| number(&text).ok_or_else(|| Failure::invalid(member));
    given(text.map(Into::into)).map(count).transpose()
}

/// A detail that moves no money; a value that the domain does not know is kept as text.
pub(crate) fn reported<'a, T>(
    text: Option<impl Into<Text<'a>>>,
    read: impl FnOnce(&str) -> Option<T>,
) -> Option<Reported<T>> {
    given(text.map(Into::into)).map(|text| Reported::read(&text, read))
}

/// A flag that moves no money.
pub(crate) fn reported_flag<'a>(text: Option<impl Into<Text<'a>>>) -> Option<Reported<bool>> {
    reported(text, |text| Flag::reported(text).map(|flag| flag.0))
}

/// A count that moves no money.
pub(crate) fn reported_count<'a>(text: Option<impl Into<Text<'a>>>) -> Option<Reported<u64>> {
    reported(text, number)
}

/// An expiry; a JSON number lacks its leading zero.
pub(crate) fn expiry(text: Option<Text<'_>>) -> Option<Reported<Expiry>> {
    reported(text, |text| Expiry::try_from(AsGateway(text)).ok())
}

fn number<T: FromStr>(text: &str) -> Option<T> {
    let digits = text.trim_ascii();
    digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Digits of a fixed width, with the leading zeros that a number lost. Any other text is unchanged.
pub(crate) fn padded(width: usize, text: Text<'_>) -> Text<'_> {
    let digits = text.trim_ascii();
    if digits.len() < width && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Cow::Owned(format!("{digits:0>width$}"));
    }
    text
}

/// The last four digits of a card; unreadable ones are an error. A mask of the other digits may precede them.
pub(crate) fn last_four(member: &'static str, text: Option<Text<'_>>) -> Result<Option<String>, Failure> {
    let read = |text: Text<'_>| {
        let digits = text.trim_ascii().trim_start_matches(['X', 'x', '*', '#', '\u{2022}', ' ']);
        let digits = padded(4, Cow::Borrowed(digits));
        LastFour::try_from(&*digits)
            .map(|digits| digits.as_str().to_owned())
            .map_err(|_| Failure::invalid(member))
    };
    given(text).map(read).transpose()
}

/// A result code, which has three digits.
pub(crate) fn result_code(text: Option<Text<'_>>) -> Option<String> {
    owned(given(text).map(|text| padded(3, text)))
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

/// Sets the fields of a builder from the members that are present.
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

/// Sets fields of a builder from values that the gateway reads in its own way.
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
