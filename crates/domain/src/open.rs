//! The macro behind every word of the wire that a gateway may extend.

use std::fmt;

/// The text of a word. A documented word is always `Documented`, so that its constant can be used as a pattern.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum Spelling {
    Documented(&'static str),
    Other(String),
}

impl Spelling {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Documented(text) => text,
            Self::Other(text) => text,
        }
    }
}

impl fmt::Debug for Spelling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// Declares a newtype over a word of the wire. Its documented values are constants, which can be used as patterns; a
/// `match` needs another arm for words that are unknown to this crate.
///
/// `TryFrom<&str>` accepts only documented values, in any letter case, for requests; `reported` accepts any word of a
/// gateway, in upper case, for responses.
macro_rules! open {
    (
        $(#[$meta:meta])*
        pub struct $Word:ident one of $all:literal {
            $( $(#[$value_meta:meta])* $NAME:ident = $text:literal $(| $other:literal)*, )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub struct $Word($crate::open::Spelling);

        impl $Word {
            $( $(#[$value_meta])* pub const $NAME: Self = Self($crate::open::Spelling::Documented($text)); )*

            /// The documented words.
            pub const WORDS: &'static [&'static str] = &[$($text),*];

            /// Creates the word that a gateway reported, documented or not; letter case makes no difference.
            pub fn reported(text: &str) -> Self {
                Self::documented(text).unwrap_or_else(|| {
                    Self($crate::open::Spelling::Other(text.trim().to_ascii_uppercase()))
                })
            }

            /// The word as it is written on the wire; one that is not documented is in upper case.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }

            fn documented(text: &str) -> Option<Self> {
                let text = text.trim();
                $( if text.eq_ignore_ascii_case($text) $(|| text.eq_ignore_ascii_case($other))* {
                    return Some(Self::$NAME);
                } )*
                None
            }
        }

        #[cfg(feature = "serde")]
        $crate::serial::as_text!($Word: |text| Ok(Self::reported(text)));

        impl $crate::field::Described for $Word {
            const KIND: $crate::field::Kind = $crate::field::Kind::Word(Self::WORDS);
        }

        impl TryFrom<&str> for $Word {
            type Error = $crate::InvalidValue;

            fn try_from(text: &str) -> Result<Self, Self::Error> {
                Self::documented(text).ok_or($crate::InvalidValue($crate::Rule::OneOf($all)))
            }
        }

        impl TryFrom<String> for $Word {
            type Error = $crate::InvalidValue;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::try_from(text.as_str())
            }
        }

        impl std::str::FromStr for $Word {
            type Err = $crate::InvalidValue;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::try_from(text)
            }
        }

        impl std::fmt::Display for $Word {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

pub(crate) use open;
