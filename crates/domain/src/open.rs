//! The macro behind every word that the wire may extend.

/// Declares a newtype over a word of the wire with its documented values as constants.
///
/// `TryFrom<&str>` reads documented values only, in any letter case, for requests; `reported` keeps whatever a
/// gateway says, in upper case, for responses.
macro_rules! open {
    (
        $(#[$meta:meta])*
        pub struct $Word:ident one of $all:literal {
            $( $(#[$value_meta:meta])* $NAME:ident = $text:literal $(| $other:literal)*, )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub struct $Word(std::borrow::Cow<'static, str>);

        impl $Word {
            $( $(#[$value_meta])* pub const $NAME: Self = Self(std::borrow::Cow::Borrowed($text)); )*

            /// The documented words.
            pub const WORDS: &'static [&'static str] = &[$($text),*];

            /// What a gateway reported, documented or not; compared without letter case.
            pub fn reported(text: &str) -> Self {
                Self::documented(text).unwrap_or_else(|| Self(text.trim().to_ascii_uppercase().into()))
            }

            /// The word in upper case.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            fn documented(text: &str) -> Option<Self> {
                let text = text.trim();
                $( if text.eq_ignore_ascii_case($text) $(|| text.eq_ignore_ascii_case($other))* {
                    return Some(Self::$NAME);
                } )*
                None
            }
        }

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
                f.pad(&self.0)
            }
        }
    };
}

pub(crate) use open;
