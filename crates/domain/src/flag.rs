use crate::{InvalidValue, Rule};

/// A flag in a request: `true` or `false`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Flag(pub bool);

impl Flag {
    /// Parses a flag as a gateway reports it: `true`, `yes`, `y` or `1`, and the opposites, in any letter case.
    ///
    /// ```
    /// use perennial_domain::clearent::Flag;
    ///
    /// assert_eq!(Flag::reported("Yes"), Some(Flag(true)));
    /// assert_eq!(Flag::reported("0"), Some(Flag(false)));
    /// assert_eq!(Flag::reported("maybe"), None);
    /// ```
    pub fn reported(text: &str) -> Option<Self> {
        let is_one_of = |words: [&str; 4]| words.iter().any(|word| text.trim().eq_ignore_ascii_case(word));
        match () {
            () if is_one_of(["true", "yes", "y", "1"]) => Some(Self(true)),
            () if is_one_of(["false", "no", "n", "0"]) => Some(Self(false)),
            () => None,
        }
    }
}

impl From<bool> for Flag {
    fn from(value: bool) -> Self {
        Self(value)
    }
}

impl TryFrom<&str> for Flag {
    type Error = InvalidValue;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        match text {
            _ if text.eq_ignore_ascii_case("true") => Ok(Self(true)),
            _ if text.eq_ignore_ascii_case("false") => Ok(Self(false)),
            _ => Err(Rule::Flag.into()),
        }
    }
}
