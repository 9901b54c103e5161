//! One-time tokens: JWTs that stand for a card that the merchant's server never sees.

use std::fmt;

use zeroize::Zeroizing;

use crate::encoding::without_mark;
use crate::{CardBrand, InvalidValue, Rule};

/// A one-time token of a card: the JWT that the gateway gives to the payer's browser or phone in exchange for the card, so
/// that the card never passes the merchant's server (reference of the mobile SDKs; header `mobilejwt`).
///
/// It charges a card once and until it expires, so it is a secret: it is wiped when dropped and never printed.
///
/// It is read from text with three parts of letters, digits, `-` and `_`, with dots between them, of at most 4,096 bytes.
/// Blanks around it are taken off, and so is a byte order mark at the very start. Its content is for the gateway alone and
/// is not read.
///
/// ```
/// use perennial_domain::clearent::{Charge, OneTimeToken};
///
/// let token = OneTimeToken::try_from("eyJhbGciOiJIUzI1NiJ9.eyJ0b2tlbiI6IjEifQ.c2ln").unwrap();
/// assert_eq!(format!("{token:?}"), "OneTimeToken(..)");
/// assert!(Charge::builder().amount("25.00").card(token).build().is_ok());
/// assert!(OneTimeToken::try_from("\u{feff}eyJhbGciOiJIUzI1NiJ9.eyJ0b2tlbiI6IjEifQ.c2ln\n").is_ok());
/// assert!(OneTimeToken::try_from("4111111111111111").is_err());
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct OneTimeToken(Zeroizing<String>);

impl OneTimeToken {
    const LONGEST: usize = 4_096;

    /// The JWT itself, for the one place that puts it on the wire.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for OneTimeToken {
    type Error = InvalidValue;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        let text = without_mark(text).trim();
        let is_part = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        };
        if text.len() <= Self::LONGEST && text.split('.').count() == 3 && text.split('.').all(is_part) {
            Ok(Self(Zeroizing::new(text.to_owned())))
        } else {
            Err(Rule::OneTimeToken.into())
        }
    }
}

impl TryFrom<String> for OneTimeToken {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::try_from(Zeroizing::new(text).as_str())
    }
}

impl fmt::Debug for OneTimeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneTimeToken(..)")
    }
}

/// What the gateway gives for a card: its one-time token, and what the payer may see of the card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MobileJwt {
    /// The token.
    pub token: OneTimeToken,
    /// The card's last four digits.
    pub last_four: Option<String>,
    /// The brand.
    pub card_type: Option<CardBrand>,
}
