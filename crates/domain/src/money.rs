use std::iter::Sum;
use std::ops::{Add, AddAssign, Mul, Sub};
use std::{fmt, str::FromStr};

use rust_decimal::Decimal;

use crate::{AsGateway, InvalidValue, Rule};

/// An amount of money in the merchant's currency, in whole cents, from 0.00 to 999999999.99.
///
/// Text is parsed by a strict grammar: digits, optionally a point and one or two digits; no sign, exponent, separator
/// or whitespace, and never through a float. A parsed amount is at least 0.01; only [`Amount::ZERO`] and sums can be
/// zero. An amount is always written with two decimals, as the gateway requires. Sums, differences and products are
/// [`Total`]s, which have no maximum; [`checked_add`](Self::checked_add) and the other `checked_` methods return
/// amounts.
///
/// ```
/// use perennial_domain::{Amount, Rule};
///
/// let amount: Amount = "50".parse().unwrap();
/// assert_eq!(amount.to_string(), "50.00");
/// assert_eq!(amount.cents(), 5_000);
/// assert_eq!("1,000.00".parse::<Amount>().unwrap_err().0, Rule::AmountFormat);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Amount(u64);

impl Amount {
    /// Zero: the amount of an authorization that only checks a card.
    pub const ZERO: Self = Self(0);
    /// The largest amount.
    pub const MAX: Self = Self(99_999_999_999);

    /// Creates an amount of at least one cent.
    pub fn from_cents(cents: u64) -> Result<Self, InvalidValue> {
        match Self(cents) {
            Self::ZERO => Err(Rule::AmountTooSmall.into()),
            amount if amount > Self::MAX => Err(Rule::AmountTooLarge.into()),
            amount => Ok(amount),
        }
    }

    /// Creates an amount from a decimal with at most two places.
    pub fn from_decimal(decimal: Decimal) -> Result<Self, InvalidValue> {
        let decimal = decimal.normalize();
        if decimal.is_sign_negative() || decimal.scale() > 2 {
            return Err(Rule::AmountFormat.into());
        }
        let cents = decimal.checked_mul(Decimal::ONE_HUNDRED).ok_or(Rule::AmountTooLarge)?;
        Self::from_cents(u64::try_from(cents).map_err(|_| Rule::AmountTooLarge)?)
    }

    /// The amount in cents.
    pub const fn cents(self) -> u64 {
        self.0
    }

    /// The amount as a decimal with two places.
    pub fn to_decimal(self) -> Decimal {
        Decimal::from_i128_with_scale(i128::from(self.0), 2)
    }

    /// Whether the amount is zero.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Returns the sum; `None` if it is larger than [`Amount::MAX`].
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self).filter(|sum| *sum <= Self::MAX)
    }

    /// Returns the difference; `None` if it is negative.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// Returns the product; `None` if it is larger than [`Amount::MAX`].
    #[must_use]
    pub fn checked_mul(self, times: u64) -> Option<Self> {
        self.0.checked_mul(times).map(Self).filter(|product| *product <= Self::MAX)
    }

    /// Parses an amount as a gateway reports it, which may be zero.
    pub fn reported(text: &str) -> Result<Self, InvalidValue> {
        parse(text).map(|(amount, _)| amount)
    }
}

/// The amount and the number of its decimals.
fn parse(text: &str) -> Result<(Amount, usize), InvalidValue> {
    let (cents, decimals) = parse_cents(text)?;
    if cents > Amount::MAX.0 {
        return Err(Rule::AmountTooLarge.into());
    }
    Ok((Amount(cents), decimals))
}

fn parse_cents(text: &str) -> Result<(u64, usize), InvalidValue> {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) if matches!(fraction.len(), 1 | 2) => (whole, fraction),
        Some(_) => return Err(Rule::AmountFormat.into()),
        None => (text, ""),
    };
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return Err(Rule::AmountFormat.into());
    }
    let cents = format!("{whole}{fraction:0<2}").parse().map_err(|_| Rule::AmountTooLarge)?;
    Ok((cents, fraction.len()))
}

impl TryFrom<&str> for Amount {
    type Error = InvalidValue;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        let (amount, _) = parse(text)?;
        Self::from_cents(amount.0)
    }
}

impl TryFrom<String> for Amount {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::try_from(text.as_str())
    }
}

impl TryFrom<Decimal> for Amount {
    type Error = InvalidValue;

    fn try_from(decimal: Decimal) -> Result<Self, Self::Error> {
        Self::from_decimal(decimal)
    }
}

impl TryFrom<AsGateway<'_>> for Amount {
    type Error = InvalidValue;

    fn try_from(text: AsGateway<'_>) -> Result<Self, Self::Error> {
        match parse(text.0) {
            Ok((amount, 2)) => Ok(amount),
            Err(InvalidValue(Rule::AmountTooLarge)) => Err(Rule::AmountTooLarge.into()),
            _ => Err(Rule::AmountDecimals.into()),
        }
    }
}

impl FromStr for Amount {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::try_from(text)
    }
}

impl From<Amount> for Decimal {
    fn from(amount: Amount) -> Self {
        amount.to_decimal()
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}.{:02}", self.0 / 100, self.0 % 100))
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Amount({self})")
    }
}

/// A sum of amounts, less refunds: in whole cents, negative if the refunds exceed the charges. It is not bounded as an
/// [`Amount`] is, and holds the sum of more amounts than a program can add, so it neither overflows nor saturates.
///
/// ```
/// use perennial_domain::{Amount, Total};
///
/// assert_eq!((Amount::MAX + Amount::MAX).to_string(), "1999999999.98");
/// assert_eq!([Amount::MAX; 12].into_iter().sum::<Total>(), Amount::MAX * 12);
/// let net: Total = "-5.05".parse().unwrap();
/// assert_eq!((net.cents(), net.to_string().as_str()), (-505, "-5.05"));
/// assert!("+5.05".parse::<Total>().is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Total(i128);

impl Total {
    /// Zero.
    pub const ZERO: Self = Self(0);

    /// Creates a sum from cents.
    pub const fn from_cents(cents: i64) -> Self {
        Self(cents as i128)
    }

    /// The sum in cents.
    pub const fn cents(self) -> i128 {
        self.0
    }

    /// Whether the sum is zero.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl TryFrom<&str> for Total {
    type Error = InvalidValue;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
        let (cents, _) = parse_cents(digits)?;
        let cents = i64::try_from(sign * i128::from(cents)).map_err(|_| Rule::AmountTooLarge)?;
        Ok(Self::from_cents(cents))
    }
}

impl TryFrom<String> for Total {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::try_from(text.as_str())
    }
}

impl FromStr for Total {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::try_from(text)
    }
}

impl From<Amount> for Total {
    fn from(amount: Amount) -> Self {
        Self(amount.0.into())
    }
}

impl Add for Amount {
    type Output = Total;

    fn add(self, more: Self) -> Total {
        Total::from(self) + more
    }
}

impl Sub for Amount {
    type Output = Total;

    fn sub(self, less: Self) -> Total {
        Total::from(self) - less
    }
}

impl Mul<u32> for Amount {
    type Output = Total;

    fn mul(self, times: u32) -> Total {
        Total(Total::from(self).0 * i128::from(times))
    }
}

impl<T: Into<Self>> Add<T> for Total {
    type Output = Self;

    fn add(self, more: T) -> Self {
        Self(self.0 + more.into().0)
    }
}

impl<T: Into<Self>> Sub<T> for Total {
    type Output = Self;

    fn sub(self, less: T) -> Self {
        Self(self.0 - less.into().0)
    }
}

impl<T: Into<Self>> AddAssign<T> for Total {
    fn add_assign(&mut self, more: T) {
        *self = *self + more;
    }
}

impl<T: Into<Self>> Sum<T> for Total {
    fn sum<I: Iterator<Item = T>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Total {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let cents = self.0.unsigned_abs();
        f.pad(&format!("{sign}{}.{:02}", cents / 100, cents % 100))
    }
}

impl fmt::Debug for Total {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Total({self})")
    }
}
