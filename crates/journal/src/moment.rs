//! Points in time.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, SecondsFormat, Utc};

/// A point in time: milliseconds since 1970-01-01T00:00:00Z. It is displayed as RFC 3339, in UTC.
///
/// ```
/// use perennial_journal::Moment;
/// use std::time::Duration;
///
/// let sent = Moment::from_millis(1_800_000_000_000);
/// assert_eq!(sent.to_string(), "2027-01-15T08:00:00.000Z");
/// assert_eq!((sent + Duration::from_secs(60)).since(sent), Duration::from_secs(60));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(i64);

impl Moment {
    /// The moment this many milliseconds after 1970-01-01T00:00:00Z.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// The milliseconds since 1970-01-01T00:00:00Z.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// The current time of the system's clock.
    pub fn of_system() -> Self {
        Self(Utc::now().timestamp_millis())
    }

    /// The moment of a date and time in UTC.
    pub fn of_utc(time: NaiveDateTime) -> Self {
        Self(time.and_utc().timestamp_millis())
    }

    /// The time since an earlier moment; zero if that moment is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl std::ops::Add<Duration> for Moment {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match DateTime::<Utc>::from_timestamp_millis(self.0) {
            Some(time) => f.write_str(&time.to_rfc3339_opts(SecondsFormat::Millis, true)),
            None => write!(f, "{} ms", self.0),
        }
    }
}
