//! The macro behind every whole number with bounds.

/// Declares a whole number in a request between two bounds, both included.
macro_rules! ranged {
    ($(#[$meta:meta])* pub struct $Number:ident from $min:literal to $max:literal;) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $Number(u32);

        impl $Number {
            /// The minimum.
            pub const MIN: Self = Self($min);
            /// The maximum.
            pub const MAX: Self = Self($max);

            /// The number.
            pub const fn get(self) -> u32 {
                self.0
            }
        }

        impl TryFrom<u32> for $Number {
            type Error = $crate::InvalidValue;

            fn try_from(number: u32) -> Result<Self, Self::Error> {
                match number {
                    $min..=$max => Ok(Self(number)),
                    _ => Err($crate::Rule::Range { min: $min, max: $max }.into()),
                }
            }
        }

        impl TryFrom<&str> for $Number {
            type Error = $crate::InvalidValue;

            fn try_from(text: &str) -> Result<Self, Self::Error> {
                let digits = text.bytes().all(|b| b.is_ascii_digit());
                let number = text.parse::<u32>().ok().filter(|_| digits);
                number.map_or(Err($crate::Rule::Range { min: $min, max: $max }.into()), Self::try_from)
            }
        }

        impl std::fmt::Display for $Number {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

pub(super) use ranged;
