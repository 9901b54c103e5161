use std::fmt;

use crate::{Secret, encoding};

/// The secret key of a merchant's terminal, sent as the `api-key` header of every call.
///
/// The keys in public samples are 32 lower-case hexadecimal digits. The vendor documents no format, so any 16 to 256
/// visible ASCII characters except quotation marks are accepted. Whitespace around the key and a byte order mark at the
/// very start are removed. Characters that are added by copying from a PDF are refused: the error has their name and
/// position, but not the key.
///
/// A label is text that begins with "api key" (also `api-key`, `api_key`, `ApiKey`), or words without a digit before a
/// colon or an equals sign that is followed by more text. No hexadecimal, base64 or UUID key looks like a label.
///
/// ```
/// use perennial_domain::clearent::{ApiKey, InvalidApiKey};
///
/// let key = ApiKey::new(" 0123456789abcdef0123456789abcdef\n").unwrap();
/// assert_eq!(format!("{key:?}"), "ApiKey(..)");
/// assert_eq!(ApiKey::new("0123456789abcdef\n0123456789abcdef").unwrap_err(), InvalidApiKey::LineBreak { at: 17 });
/// assert_eq!(ApiKey::new("API Key: 0123456789abcdef").unwrap_err(), InvalidApiKey::Label);
/// ```
pub struct ApiKey(Secret);

impl ApiKey {
    /// Parses a pasted key.
    pub fn new(pasted: &str) -> Result<Self, InvalidApiKey> {
        let key = encoding::without_mark(pasted).trim_matches([' ', '\t', '\r', '\n']);
        if key.is_empty() {
            return Err(InvalidApiKey::Empty);
        }
        if has_label(key) {
            return Err(InvalidApiKey::Label);
        }
        for (index, character) in key.chars().enumerate() {
            let at = index + 1;
            match character {
                '!'..='~' if !matches!(character, '"' | '\'' | '`') => {}
                '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => {
                    return Err(InvalidApiKey::LineBreak { at });
                }
                ' ' | '\t' => return Err(InvalidApiKey::Space { at }),
                '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => {
                    return Err(InvalidApiKey::SpecialSpace { at });
                }
                '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => {
                    return Err(InvalidApiKey::ZeroWidth { at });
                }
                '\u{ad}' => return Err(InvalidApiKey::SoftHyphen { at }),
                '"'
                | '\''
                | '`'
                | '\u{2018}'..='\u{201f}'
                | '\u{2039}'
                | '\u{203a}'
                | '\u{ab}'
                | '\u{bb}' => {
                    return Err(InvalidApiKey::Quote { at });
                }
                _ => return Err(InvalidApiKey::Character { at }),
            }
        }
        match key.len() {
            16..=256 => Ok(Self(Secret::from(key.to_owned()))),
            _ => Err(InvalidApiKey::Length),
        }
    }

    /// Returns the key, to write it into the header.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

fn has_label(pasted: &str) -> bool {
    let blank = [' ', '_', '-', '\u{a0}', '\u{ad}'];
    let named = strip_word(pasted, "api").and_then(|rest| strip_word(rest.trim_start_matches(blank), "key"));
    // Nothing follows the equals signs at the end of a base64 key.
    let separated = pasted.split_once([':', '=']).filter(|(label, key)| {
        !label.contains(|c: char| c.is_ascii_digit()) && !key.trim_matches('=').is_empty()
    });
    named.is_some() || separated.is_some()
}

fn strip_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    text.split_at_checked(word.len())
        .filter(|(start, _)| start.eq_ignore_ascii_case(word))
        .map(|(_, rest)| rest)
}

impl TryFrom<&str> for ApiKey {
    type Error = InvalidApiKey;

    fn try_from(pasted: &str) -> Result<Self, Self::Error> {
        Self::new(pasted)
    }
}

impl TryFrom<String> for ApiKey {
    type Error = InvalidApiKey;

    fn try_from(pasted: String) -> Result<Self, Self::Error> {
        Self::new(zeroize::Zeroizing::new(pasted).as_str())
    }
}

impl std::str::FromStr for ApiKey {
    type Err = InvalidApiKey;

    fn from_str(pasted: &str) -> Result<Self, Self::Err> {
        Self::new(pasted)
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(..)")
    }
}

/// The reason why a pasted key is invalid. Positions count the characters of the pasted text from 1, after the
/// whitespace around it is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidApiKey {
    /// The pasted text is empty.
    #[error("the api key is empty: paste the key from the document that Clearent sent")]
    Empty,
    /// The pasted text contains a label.
    #[error("the api key begins with a label such as \"API Key:\": paste only what follows it")]
    Label,
    /// The key is broken over two lines.
    #[error("the api key has a line break at character {at}: join its lines")]
    LineBreak {
        /// The position of the line break.
        at: usize,
    },
    /// The key contains a space.
    #[error("the api key has a space at character {at}: remove it")]
    Space {
        /// The position of the space.
        at: usize,
    },
    /// The key contains a special space, such as a non-breaking space.
    #[error("the api key has a non-breaking or other special space at character {at}: remove it")]
    SpecialSpace {
        /// The position of the space.
        at: usize,
    },
    /// The key contains an invisible character.
    #[error(
        "the api key has an invisible zero-width character at character {at}: type the key or paste it as plain text"
    )]
    ZeroWidth {
        /// The position of the character.
        at: usize,
    },
    /// The key contains an invisible hyphen.
    #[error("the api key has a soft hyphen at character {at}: remove it")]
    SoftHyphen {
        /// The position of the hyphen.
        at: usize,
    },
    /// The key contains a straight or smart quotation mark.
    #[error("the api key has a quotation mark at character {at}: paste the key without quotes")]
    Quote {
        /// The position of the quotation mark.
        at: usize,
    },
    /// The key contains another character that is not visible ASCII.
    #[error("the api key has a character that no key has at character {at}")]
    Character {
        /// The position of the character.
        at: usize,
    },
    /// The key is too short or too long.
    #[error("the api key must have 16 to 256 characters (those of the vendor have 32)")]
    Length,
}
