//! One-time tokens: JWTs that represent a card, so that the card data never reaches the merchant's server.

use std::fmt;

use zeroize::Zeroizing;

use crate::encoding::without_mark;
use crate::{CardBrand, InvalidValue, Rule};

/// A one-time token of a card: a JWT that the gateway issues to the payer's browser or phone in exchange for the card,
/// so that the card never passes the merchant's server (reference of the mobile SDKs; header `mobilejwt`).
///
/// The token can charge the card once, until it expires, so it is a secret: it is wiped when dropped and never printed.
///
/// Parsing accepts three parts of letters, digits, `-` and `_`, separated by dots, of at most 4,096 bytes in total. It
/// removes whitespace around the token and a byte order mark at the very start. The content is meant for the gateway
/// and is not parsed.
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

    /// Returns the JWT, to write it on the wire.
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

/// The gateway's response to a card: its one-time token, and the data of the card that the payer may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MobileJwt {
    /// The token.
    pub token: OneTimeToken,
    /// The card's last four digits.
    pub last_four: Option<String>,
    /// The brand of the card.
    pub card_type: Option<CardBrand>,
}
