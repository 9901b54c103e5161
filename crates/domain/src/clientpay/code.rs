//! The macro behind every choice that is a number on the wire.

/// Declares a choice in a request: its number on the wire, and the words that are accepted instead of the number.
macro_rules! code {
    (
        $(#[$meta:meta])*
        pub enum $Choice:ident one of $all:literal {
            $( $(#[$variant_meta:meta])* $Variant:ident = $code:literal $(| $word:literal)*, )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $Choice {
            $( $(#[$variant_meta])* $Variant, )*
        }

        impl $Choice {
            /// The number on the wire.
            pub fn code(self) -> u64 {
                match self {
                    $( Self::$Variant => $code, )*
                }
            }
        }

        impl TryFrom<&str> for $Choice {
            type Error = $crate::InvalidValue;

            fn try_from(text: &str) -> Result<Self, Self::Error> {
                let text = text.trim();
                $( if text == stringify!($code) $(|| text.eq_ignore_ascii_case($word))* {
                    return Ok(Self::$Variant);
                } )*
                Err($crate::Rule::OneOf($all).into())
            }
        }

        impl TryFrom<String> for $Choice {
            type Error = $crate::InvalidValue;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::try_from(text.as_str())
            }
        }
    };
}

pub(super) use code;
