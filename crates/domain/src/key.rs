//! The macro behind every key and id.

use crate::{InvalidValue, Rule};

/// Declares an identifier that is safe in a path: 1 to 100 characters of `A-Z a-z 0-9 _ - . :`, not only dots.
macro_rules! key {
    ($(#[$meta:meta])* pub struct $Key:ident;) => {
        $(#[$meta])*
        ///
        /// The identifier has 1 to 100 characters of `A-Z a-z 0-9 _ - . :`, not only dots, so that it is always one
        /// segment of a path.
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $Key(String);

        impl $Key {
            /// The identifier in its form on the wire.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $Key {
            type Error = $crate::InvalidValue;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                $crate::key::check(&text)?;
                Ok(Self(text))
            }
        }

        impl TryFrom<&str> for $Key {
            type Error = $crate::InvalidValue;

            fn try_from(text: &str) -> Result<Self, Self::Error> {
                $crate::key::check(text)?;
                Ok(Self(text.to_owned()))
            }
        }

        impl std::str::FromStr for $Key {
            type Err = $crate::InvalidValue;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::try_from(text)
            }
        }

        impl From<&$Key> for $Key {
            fn from(key: &$Key) -> Self {
                key.clone()
            }
        }

        impl From<&$Key> for $crate::Text {
            fn from(key: &$Key) -> Self {
                Self::of_key(&key.0)
            }
        }

        /// Converts a key that a response may omit, for a request that requires it.
        impl TryFrom<Option<$Key>> for $Key {
            type Error = $crate::InvalidValue;

            fn try_from(key: Option<$Key>) -> Result<Self, Self::Error> {
                key.ok_or($crate::InvalidValue($crate::Rule::Required))
            }
        }

        #[cfg(feature = "serde")]
        $crate::serial::as_text!($Key);

        impl $crate::field::Described for $Key {
            const KIND: $crate::field::Kind = $crate::field::Kind::Key;
        }

        impl AsRef<str> for $Key {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $Key {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

pub(crate) fn check(text: &str) -> Result<(), InvalidValue> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b':');
    if matches!(text.len(), 1..=100) && text.bytes().all(allowed) && !text.bytes().all(|b| b == b'.') {
        Ok(())
    } else {
        Err(Rule::Key.into())
    }
}

pub(crate) use key;
