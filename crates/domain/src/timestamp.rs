//! Moments as gateways report them.

use std::fmt;

use chrono::{DateTime, NaiveDate, NaiveDateTime};

use crate::Date;

/// A moment as a gateway reported it, unchanged.
///
/// Neither vendor documents one form, and captures show several: `2027-01-15 14:00:00.483`, `2027-01-15T14:00:00.464Z`,
/// `2024-03-18T10:02:44.1934821-05:00`, `01/15/2027`. So the text is kept, and [`utc`](Self::utc) and
/// [`date`](Self::date) read it.
///
/// ```
/// use perennial_domain::Timestamp;
///
/// let created = Timestamp::reported("2027-01-15 14:00:00.483");
/// assert_eq!(created.utc().unwrap().to_string(), "2027-01-15 14:00:00.483");
/// assert_eq!(created.date(), "2027-01-15".parse().ok());
/// assert_eq!(created.as_str(), "2027-01-15 14:00:00.483");
///
/// assert_eq!(Timestamp::reported("yesterday").utc(), None);
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Timestamp(String);

impl Timestamp {
    /// Keeps a text, trimmed.
    pub fn reported(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The moment in UTC. A text without an offset is taken as UTC, which the vendor documents for transactions and
    /// which is **inferred** for everything else. `None` for a day alone and for a text in no known form.
    pub fn utc(&self) -> Option<NaiveDateTime> {
        let text = self.0.replacen(' ', "T", 1);
        let with_offset = DateTime::parse_from_rfc3339(&text).map(|moment| moment.naive_utc());
        with_offset.or_else(|_| NaiveDateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.f")).ok()
    }

    /// The day in UTC, also of a text that has only a day: `2027-01-15` or `01/15/2027`.
    pub fn date(&self) -> Option<Date> {
        let day = |form| NaiveDate::parse_from_str(&self.0, form).ok();
        let day =
            self.utc().map(|moment| moment.date()).or_else(|| day("%Y-%m-%d")).or_else(|| day("%m/%d/%Y"))?;
        Date::try_from(day).ok()
    }
}

/// The text, quoted.
impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// The text.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(feature = "serde")]
crate::serial::as_text!(Timestamp: |text| Ok(Self::reported(&crate::mask::card_numbers(text))));

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_forms_are_read() {
        for (text, utc, date) in [
            ("2027-01-15 14:00:00.483", "2027-01-15 14:00:00.483", "2027-01-15"),
            ("2026-11-21 19:43:04", "2026-11-21 19:43:04", "2026-11-21"),
            ("2020-05-01T14:31:12.464Z", "2020-05-01 14:31:12.464", "2020-05-01"),
            ("2024-03-18T10:02:44.1934821-05:00", "2024-03-18 15:02:44.193482100", "2024-03-18"),
            ("2024-03-18T22:00:00-05:00", "2024-03-19 03:00:00", "2024-03-19"),
            ("2026-05-01T09:15:00", "2026-05-01 09:15:00", "2026-05-01"),
            (" 2026-05-01 09:15:00 ", "2026-05-01 09:15:00", "2026-05-01"),
            ("2027-01-15", "", "2027-01-15"),
            ("01/15/2027", "", "2027-01-15"),
            ("15/01/2027", "", ""),
            ("2027-02-29 14:00:00", "", ""),
            ("2027-01-15 25:00:00", "", ""),
            ("soon", "", ""),
            ("", "", ""),
        ] {
            let moment = Timestamp::reported(text);
            assert_eq!(moment.utc().map(|utc| utc.to_string()).unwrap_or_default(), utc, "{text:?}");
            assert_eq!(moment.date().map(|date| date.to_string()).unwrap_or_default(), date, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_kept(text in any::<String>()) {
            let moment = Timestamp::reported(&text);
            prop_assert_eq!(moment.as_str(), text.trim());
            let _ = (moment.utc(), moment.date());
        }

        #[test]
        fn what_is_written_is_read(seconds in -1_000_000_000_i64..4_000_000_000) {
            let utc = DateTime::from_timestamp(seconds, 0).unwrap().naive_utc();
            prop_assert_eq!(Timestamp::reported(&utc.to_string()).utc(), Some(utc));
            prop_assert_eq!(Timestamp::reported(&format!("{utc}Z")).utc(), Some(utc));
        }
    }
}
