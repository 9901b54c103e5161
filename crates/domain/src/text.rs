use std::fmt;

use crate::{CardBrand, InvalidValue, Rule, Violations};

/// Free text in a request: not empty, no control characters except tab and line breaks, at most 4,000 characters.
///
/// The vendor documents no limits ("all fields are in alphanumeric format"); the maximum is ours. Characters that XML
/// 1.0 cannot carry are refused in both formats, so that one value is valid in either.
///
/// ```
/// use perennial_domain::{Rule, Text};
///
/// assert_eq!(Text::try_from("Ada").unwrap().as_str(), "Ada");
/// assert_eq!(Text::try_from("A\u{0}a").unwrap_err().0, Rule::ControlCharacter { at: 2 });
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Text(String);

impl Text {
    /// The maximum number of characters of a text.
    pub const MAX: usize = 4_000;

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Converts a key. All its characters are valid in a text.
    pub(crate) fn of_key(key: &str) -> Self {
        Self(key.to_owned())
    }

    fn check(text: &str, max: usize) -> Result<(), InvalidValue> {
        if text.trim().is_empty() {
            return Err(Rule::Empty.into());
        }
        let forbidden = |c: char| {
            (c.is_control() && !matches!(c, '\t' | '\n' | '\r')) || matches!(c, '\u{fffe}' | '\u{ffff}')
        };
        match text.chars().position(forbidden) {
            Some(index) => Err(Rule::ControlCharacter { at: index + 1 }.into()),
            None if text.chars().nth(max).is_some() => Err(Rule::TooLong { max }.into()),
            None => Ok(()),
        }
    }
}

/// Checks that a brand is valid text. Any word is allowed, because gateways report more than the documented ones.
pub(crate) fn check_brand(brand: Option<&CardBrand>, violations: &mut Violations) {
    if let Some(Err(error)) = brand.map(|brand| Text::check(brand.as_str(), Text::MAX)) {
        violations.add("card-type", error.0);
    }
}

impl TryFrom<String> for Text {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::check(&text, Self::MAX)?;
        Ok(Self(text))
    }
}

impl TryFrom<&str> for Text {
    type Error = InvalidValue;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        Self::check(text, Self::MAX)?;
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<&String> for Text {
    type Error = InvalidValue;

    fn try_from(text: &String) -> Result<Self, Self::Error> {
        Self::try_from(text.as_str())
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A reference number of at most 100 characters, the documented limit of `invoice` and `purchase-order`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reference(Text);

impl Reference {
    /// The maximum number of characters of a reference.
    pub const MAX: usize = 100;

    /// The text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl TryFrom<&str> for Reference {
    type Error = InvalidValue;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        Text::check(text, Self::MAX)?;
        Text::try_from(text).map(Self)
    }
}

impl TryFrom<String> for Reference {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::try_from(text.as_str())
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Parsing of text as the live gateway reads it, where that differs from the constructors of this crate.
///
/// Amounts must have exactly two decimals and may be zero; an expiry may lack its leading zero (`130` for `0130`).
///
/// ```
/// use perennial_domain::{Amount, AsGateway, Expiry, Rule};
///
/// assert_eq!(Amount::try_from("100.0").unwrap().to_string(), "100.00");
/// assert_eq!(Amount::try_from(AsGateway("100.0")).unwrap_err().0, Rule::AmountDecimals);
/// assert_eq!(Expiry::try_from(AsGateway("130")).unwrap().to_string(), "0130");
/// ```
#[derive(Clone, Copy)]
pub struct AsGateway<'a>(pub &'a str);
