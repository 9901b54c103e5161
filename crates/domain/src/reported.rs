//! Details that a gateway may report in a form that is unknown to this library.

use std::fmt;

use crate::mask;

/// A detail of a record as the gateway reported it: its value, or the original text if this library cannot parse it.
///
/// Only details that move no money have this type, so that an unexpected form is neither an error nor lost. Money,
/// keys, dates and the flags of a transaction are never kept as text: a record in which one of them cannot be parsed is
/// an error.
///
/// ```
/// use perennial_domain::{Expiry, Reported};
///
/// let read = |text: &str| Reported::<Expiry>::read(text, |text| text.try_into().ok());
/// assert_eq!(read("1230").value(), "1230".parse().ok());
/// assert_eq!((read("LAST").value(), read("LAST").to_string()), (None, "LAST".to_owned()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(untagged))]
pub enum Reported<T> {
    /// The parsed value.
    Value(T),
    /// The text, trimmed, with card numbers masked.
    Other(#[cfg_attr(feature = "serde", serde(deserialize_with = "masked"))] String),
}

#[cfg(feature = "serde")]
fn masked<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text: std::borrow::Cow<'de, str> = serde::Deserialize::deserialize(deserializer)?;
    Ok(mask::card_numbers(text.trim()).into_owned())
}

impl<T> Reported<T> {
    /// Parses a text; a text that `read` refuses is kept.
    pub fn read(text: &str, read: impl FnOnce(&str) -> Option<T>) -> Self {
        let text = text.trim();
        read(text).map_or_else(|| Self::Other(mask::card_numbers(text).into_owned()), Self::Value)
    }

    /// The value, unless only the text is known.
    pub fn value(&self) -> Option<T>
    where
        T: Copy,
    {
        match self {
            Self::Value(value) => Some(*value),
            Self::Other(_) => None,
        }
    }
}

impl<T> From<T> for Reported<T> {
    fn from(value: T) -> Self {
        Self::Value(value)
    }
}

impl<T: fmt::Display> fmt::Display for Reported<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => value.fmt(f),
            Self::Other(text) => f.pad(text),
        }
    }
}
