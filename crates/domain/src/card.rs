use std::{fmt, str::FromStr};

use chrono::{Datelike, NaiveDate};
use zeroize::Zeroizing;

use crate::{AsGateway, InvalidValue, Rule, Violations, open::open};

/// A card number: 12 to 19 digits with a correct Luhn check digit.
///
/// Parsing removes spaces and hyphens. The number is wiped when dropped. It shows only its last four digits and cannot
/// be cloned, compared or serialized.
///
/// ```
/// use perennial_domain::{CardBrand, CardNumber, Rule};
///
/// let card = CardNumber::try_from("4111 1111 1111 1111").unwrap();
/// assert_eq!(card.brand(), Some(CardBrand::VISA));
/// assert_eq!(format!("{card:?}"), "CardNumber(..1111)");
/// assert_eq!(CardNumber::try_from("4111111111111112").unwrap_err().0, Rule::CardChecksum);
/// ```
pub struct CardNumber(Zeroizing<String>);

impl CardNumber {
    /// Returns the digits, to write them on the wire.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns the last four digits, which may be shown and stored.
    pub fn last_four(&self) -> &str {
        &self.0[self.0.len() - 4..]
    }

    /// The brand that the first digits indicate, if the gateway has a name for it.
    pub fn brand(&self) -> Option<CardBrand> {
        let prefix = |digits: usize| self.0[..digits].parse::<u32>().unwrap_or_default();
        let brand = match (prefix(1), prefix(2), prefix(3), prefix(4)) {
            (4, ..) => CardBrand::VISA,
            (_, 51..=55, ..) | (_, _, _, 2221..=2720) => CardBrand::MASTERCARD,
            (_, 34 | 37, ..) => CardBrand::AMERICAN_EXPRESS,
            (_, _, _, 3528..=3589) => CardBrand::JCB,
            (_, 36 | 38 | 39, ..) | (_, _, 300..=305, _) => CardBrand::DINERS_CLUB,
            (_, 65, ..) | (_, _, 644..=649, _) | (_, _, _, 6011) => CardBrand::DISCOVER,
            _ if matches!(prefix(6), 622_126..=622_925) => CardBrand::DISCOVER,
            _ => return None,
        };
        Some(brand)
    }
}

impl TryFrom<&str> for CardNumber {
    type Error = InvalidValue;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        // One allocation of the final size: a buffer that grows leaves copies of the number behind.
        let mut digits = Zeroizing::new(String::with_capacity(text.len()));
        for c in text.chars() {
            match c {
                '0'..='9' => digits.push(c),
                ' ' | '-' => {}
                _ => return Err(Rule::CardFormat.into()),
            }
        }
        if !matches!(digits.len(), 12..=19) {
            return Err(Rule::CardFormat.into());
        }
        if !luhn(digits.as_bytes()) || digits.bytes().all(|b| b == b'0') {
            return Err(Rule::CardChecksum.into());
        }
        Ok(Self(digits))
    }
}

impl TryFrom<String> for CardNumber {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::try_from(Zeroizing::new(text).as_str())
    }
}

impl FromStr for CardNumber {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::try_from(text)
    }
}

impl fmt::Debug for CardNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CardNumber(..{})", self.last_four())
    }
}

/// Whether the Luhn check digit of these ASCII digits is correct.
pub(crate) fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(index, digit)| match (index % 2, u32::from(digit - b'0')) {
            (0, digit) => digit,
            (_, digit) if digit > 4 => digit * 2 - 9,
            (_, digit) => digit * 2,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// The security code of a card (CSC, CVV): 3 or 4 digits, wiped when dropped and never shown.
///
/// ```
/// use perennial_domain::SecurityCode;
///
/// assert_eq!(format!("{:?}", SecurityCode::try_from("999").unwrap()), "SecurityCode(..)");
/// assert!(SecurityCode::try_from("99").is_err());
/// ```
pub struct SecurityCode(Zeroizing<String>);

impl SecurityCode {
    /// Returns the digits, to write them on the wire.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for SecurityCode {
    type Error = InvalidValue;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        let text = text.trim();
        if matches!(text.len(), 3 | 4) && text.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(Zeroizing::new(text.to_owned())))
        } else {
            Err(Rule::SecurityCode.into())
        }
    }
}

impl TryFrom<String> for SecurityCode {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::try_from(Zeroizing::new(text).as_str())
    }
}

impl fmt::Debug for SecurityCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecurityCode(..)")
    }
}

/// The month in which a card expires, written `MMYY`; the years are 2000 to 2099.
///
/// Parsing also accepts `MM/YY`.
///
/// ```
/// use perennial_domain::{Expiry, NaiveDate};
///
/// let expiry = Expiry::try_from("0228").unwrap();
/// assert_eq!(expiry.last_day(), NaiveDate::from_ymd_opt(2028, 2, 29).unwrap());
/// assert!(expiry.is_valid_on(NaiveDate::from_ymd_opt(2028, 2, 29).unwrap()));
/// assert!(!expiry.is_valid_on(NaiveDate::from_ymd_opt(2028, 3, 1).unwrap()));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Expiry {
    year: u8,
    month: u8,
}

impl Expiry {
    /// Creates the expiry from a month (1 to 12) and a year (2000 to 2099). The card is valid until the end of that
    /// month.
    pub fn new(month: u32, year: i32) -> Result<Self, InvalidValue> {
        match (u8::try_from(month), u8::try_from(year.saturating_sub(2000))) {
            (Ok(month @ 1..=12), Ok(year @ 0..=99)) => Ok(Self { year, month }),
            _ => Err(Rule::ExpiryFormat.into()),
        }
    }

    /// The month, from 1 to 12.
    pub fn month(self) -> u32 {
        self.month.into()
    }

    /// The year, from 2000 to 2099.
    pub fn year(self) -> i32 {
        2000 + i32::from(self.year)
    }

    /// The last day on which the card is valid.
    pub fn last_day(self) -> NaiveDate {
        let (year, month) = (self.year(), self.month());
        let next = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
        // The month is 1 to 12 and the year is 2000 to 2100, so the first day of the next month always exists.
        NaiveDate::from_ymd_opt(next.0, next.1, 1).and_then(|first| first.pred_opt()).unwrap_or_default()
    }

    /// Returns an error if the card has expired on this day, as the gateway does.
    ///
    /// ```
    /// use perennial_domain::{Expiry, NaiveDate};
    ///
    /// let today = NaiveDate::from_ymd_opt(2027, 1, 1).unwrap();
    /// assert!(Expiry::try_from("0127").unwrap().check_on(today).is_ok());
    /// assert_eq!(
    ///     Expiry::try_from("1226").unwrap().check_on(today).unwrap_err().to_string(),
    ///     "exp-date: must not be in the past: the card has expired",
    /// );
    /// ```
    pub fn check_on(self, today: NaiveDate) -> Result<(), Violations> {
        if self.is_valid_on(today) { Ok(()) } else { Err(Violations::one("exp-date", Rule::Expired)) }
    }

    /// Whether the card is still valid on this day.
    pub fn is_valid_on(self, date: NaiveDate) -> bool {
        (date.year(), date.month()) <= (self.year(), self.month())
    }
}

impl TryFrom<&str> for Expiry {
    type Error = InvalidValue;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        let text = text.trim();
        let (month, year) = match text.len() {
            5 => text.split_once('/').filter(|(month, _)| month.len() == 2),
            4 => text.split_at_checked(2),
            _ => None,
        }
        .filter(|(month, year)| month.bytes().chain(year.bytes()).all(|b| b.is_ascii_digit()))
        .ok_or(Rule::ExpiryFormat)?;
        let number = |digits: &str| digits.parse::<u32>().map_err(|_| Rule::ExpiryFormat);
        Self::new(number(month)?, 2000 + i32::try_from(number(year)?).map_err(|_| Rule::ExpiryFormat)?)
    }
}

impl TryFrom<String> for Expiry {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::try_from(text.as_str())
    }
}

impl TryFrom<AsGateway<'_>> for Expiry {
    type Error = InvalidValue;

    fn try_from(AsGateway(text): AsGateway<'_>) -> Result<Self, Self::Error> {
        if text.len() == 3 { Self::try_from(format!("0{text}")) } else { Self::try_from(text) }
    }
}

impl FromStr for Expiry {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::try_from(text)
    }
}

impl fmt::Display for Expiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:02}{:02}", self.month, self.year))
    }
}

impl fmt::Debug for Expiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expiry({self})")
    }
}

open! {
    /// The brand of a card, with the names that the gateway uses in `card-type` (vault models page).
    pub struct CardBrand one of "VISA, MASTERCARD, AMERICAN EXPRESS, DISCOVER, DINERS CLUB, JCB" {
        /// Visa.
        VISA = "VISA",
        /// Mastercard.
        MASTERCARD = "MASTERCARD",
        /// American Express.
        AMERICAN_EXPRESS = "AMERICAN EXPRESS",
        /// Discover.
        DISCOVER = "DISCOVER",
        /// Diners Club.
        DINERS_CLUB = "DINERS CLUB",
        /// JCB.
        JCB = "JCB",
    }
}
