use std::{fmt, str::FromStr};

use chrono::{DateTime, Datelike, Months, NaiveDate, NaiveDateTime};

use crate::{InvalidValue, Rule};

/// A calendar date from 1970 to 2199, written `yyyy-MM-dd`.
///
/// It converts from [`NaiveDate`] and from text. Text is parsed strictly, because chrono's own parser also accepts
/// `2026-1-3` and whitespace.
///
/// ```
/// use perennial_domain::{Date, NaiveDate};
///
/// let date = Date::try_from("2028-02-29").unwrap();
/// assert_eq!(date.naive(), NaiveDate::from_ymd_opt(2028, 2, 29).unwrap());
/// assert!(Date::try_from("2027-02-29").is_err());
/// assert!(Date::try_from("2027-1-3").is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Date(NaiveDate);

impl Date {
    /// The date as a chrono type.
    pub const fn naive(self) -> NaiveDate {
        self.0
    }
}

impl TryFrom<&str> for Date {
    type Error = InvalidValue;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        let format = InvalidValue(Rule::DateFormat);
        let &[y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1] = text.as_bytes() else { return Err(format) };
        let digits = [y0, y1, y2, y3, m0, m1, d0, d1];
        if !digits.iter().all(u8::is_ascii_digit) {
            return Err(format);
        }
        let [y0, y1, y2, y3, m0, m1, d0, d1] = digits.map(|b| u32::from(b - b'0'));
        let year = i32::try_from(y0 * 1000 + y1 * 100 + y2 * 10 + y3).map_err(|_| format)?;
        NaiveDate::from_ymd_opt(year, m0 * 10 + m1, d0 * 10 + d1).ok_or(format)?.try_into()
    }
}

impl TryFrom<String> for Date {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::try_from(text.as_str())
    }
}

impl TryFrom<NaiveDate> for Date {
    type Error = InvalidValue;

    fn try_from(date: NaiveDate) -> Result<Self, Self::Error> {
        if matches!(date.year(), 1970..=2199) { Ok(Self(date)) } else { Err(Rule::DateFormat.into()) }
    }
}

impl FromStr for Date {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::try_from(text)
    }
}

impl From<Date> for NaiveDate {
    fn from(date: Date) -> Self {
        date.0
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:04}-{:02}-{:02}", self.0.year(), self.0.month(), self.0.day()))
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Date({self})")
    }
}

/// Returns the same day of the month this many calendar months later, or the last day of that month if it has no such
/// day.
///
/// ```
/// use perennial_domain::{NaiveDate, add_months};
///
/// let leap_day = NaiveDate::from_ymd_opt(2028, 2, 29).unwrap();
/// assert_eq!(add_months(leap_day, 12), NaiveDate::from_ymd_opt(2029, 2, 28));
/// ```
pub fn add_months(date: NaiveDate, months: u32) -> Option<NaiveDate> {
    date.checked_add_months(Months::new(months))
}

/// Parses the HTTP header `Date`; returns its time in UTC.
///
/// ```
/// use perennial_domain::http_date;
///
/// let moment = http_date("Fri, 15 Jan 2027 10:00:00 GMT").unwrap();
/// assert_eq!(moment.to_string(), "2027-01-15 10:00:00");
/// assert_eq!(http_date("2027-01-15"), None);
/// ```
pub fn http_date(text: &str) -> Option<NaiveDateTime> {
    DateTime::parse_from_rfc2822(text).ok().map(|moment| moment.naive_utc())
}
