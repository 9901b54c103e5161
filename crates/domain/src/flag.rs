use crate::{InvalidValue, Rule};

/// A flag as a request has it: `true` or `false`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flag(pub bool);

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
