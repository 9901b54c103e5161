use std::{fmt, str::FromStr};

use chrono::{Datelike, NaiveDate};

use crate::{Date, InvalidValue, Rule};

/// A calendar month, written `yyyy-MM`. Text is parsed strictly, from 1970-01 to 2199-12.
///
/// ```
/// use perennial_domain::{Month, NaiveDate};
///
/// let december = Month::try_from("2027-12").unwrap();
/// assert_eq!(december.plus(1).to_string(), "2028-01");
/// assert_eq!(Month::of(NaiveDate::from_ymd_opt(2027, 12, 31).unwrap()), december);
/// assert!(Month::try_from("2027-13").is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Month(i32);

impl Month {
    /// The month of this date.
    pub fn of(date: NaiveDate) -> Self {
        Self(date.year() * 12 + date.month0().cast_signed())
    }

    /// Returns the month this many months later.
    #[must_use]
    pub const fn plus(self, months: u16) -> Self {
        Self(self.0 + months as i32)
    }

    /// The number of months from an earlier month to this one; `None` if this month is before `earlier`.
    pub fn since(self, earlier: Self) -> Option<u32> {
        u32::try_from(self.0 - earlier.0).ok()
    }

    /// The year.
    pub const fn year(self) -> i32 {
        self.0.div_euclid(12)
    }

    /// The number of the month in its year, from 1 to 12.
    pub const fn number(self) -> u32 {
        self.0.rem_euclid(12).cast_unsigned() + 1
    }

    /// The days of the month, in order.
    pub fn days(self) -> impl Iterator<Item = NaiveDate> {
        let first = NaiveDate::from_ymd_opt(self.year(), self.number(), 1);
        first.into_iter().flat_map(|first| first.iter_days()).take_while(move |day| Self::of(*day) == self)
    }
}

impl TryFrom<&str> for Month {
    type Error = InvalidValue;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        let first = Date::try_from(format!("{text}-01")).map_err(|_| Rule::MonthFormat)?;
        Ok(Self::of(first.naive()))
    }
}

impl FromStr for Month {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::try_from(text)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:04}-{:02}", self.year(), self.number()))
    }
}

impl fmt::Debug for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Month({self})")
    }
}
