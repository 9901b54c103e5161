//! The times of a search for transactions, as the vendor's page writes them: `MM-dd-yyyy hh:mm a`, `MM-dd-yy HH:mm[ z]`
//! and `yyyy-MM-dd HH:mm[ z]`. A date without a time is accepted too.

use std::ops::RangeInclusive;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

/// The allowed formats of a search time.
pub(super) const FORMATS: &str = "MM-dd-yyyy hh:mm a, MM-dd-yy HH:mm, yyyy-MM-dd HH:mm";

/// The milliseconds that a search text covers: its whole minute, or its whole day if it has no time. A search from a
/// day to that day, or to its last minute, finds the whole day (**inferred**). A text without a zone is in UTC,
/// like the times of answers (**inferred**).
pub(super) fn span(text: &str) -> Option<RangeInclusive<i64>> {
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        let first = day.and_time(NaiveTime::MIN).and_utc().timestamp_millis();
        return Some(first..=first + 86_399_999);
    }
    let zoned = text.rsplit_once(' ').and_then(|(text, zone)| Some((text, minutes_east(zone)?)));
    let (text, east) = zoned.unwrap_or((text, 0));
    ["%m-%d-%Y %I:%M %p", "%m-%d-%y %H:%M", "%Y-%m-%d %H:%M"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
        .map(|moment| moment.and_utc().timestamp_millis() - east * 60_000)
        .map(|first| first..=first + 59_999)
}

/// A time zone's offset, by name for the zones of the vendor's merchants, or as an offset: `GMT-06:00`, `-0600`.
fn minutes_east(zone: &str) -> Option<i64> {
    let hours = match zone {
        "UTC" | "GMT" | "Z" => 0,
        "EDT" => -4,
        "EST" | "CDT" => -5,
        "CST" | "MDT" => -6,
        "MST" | "PDT" => -7,
        "PST" | "AKDT" => -8,
        "AKST" => -9,
        "HST" => -10,
        _ => return distance(zone.strip_prefix("GMT").unwrap_or(zone)),
    };
    Some(hours * 60)
}

fn distance(text: &str) -> Option<i64> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = digits.split_once(':').or_else(|| digits.split_at_checked(2))?;
    let number =
        |digits: &str| digits.parse::<i64>().ok().filter(|_| digits.bytes().all(|b| b.is_ascii_digit()));
    match (number(hours)?, number(minutes)?) {
        (hours @ 0..=14, minutes @ 0..=59) => Some(sign * (hours * 60 + minutes)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_and_zones() {
        let at = |hour: i64, minute: i64| Some(1_798_761_600_000 + (hour * 60 + minute) * 60_000);
        let cases = [
            ("2027-01-01", at(0, 0)),
            ("2027-01-01 14:05", at(14, 5)),
            ("01-01-27 14:05", at(14, 5)),
            ("01-01-2027 02:05 PM", at(14, 5)),
            ("01-01-2027 12:00 am", at(0, 0)),
            ("2027-01-01 14:05 UTC", at(14, 5)),
            ("2027-01-01 14:05 CST", at(20, 5)),
            ("01-01-27 14:05 PDT", at(21, 5)),
            ("2027-01-01 14:05 GMT-06:00", at(20, 5)),
            ("2027-01-01 14:05 GMT+5:30", at(8, 35)),
            ("2027-01-01 14:05 +0530", at(8, 35)),
            ("2027-01-01 14:05 XYZ", None),
            ("2027-01-01 14:05 +15:00", None),
            ("2027-01-01 14:05 GMT+-1:00", None),
            ("2027-02-30 14:05", None),
            ("2027-01-01T14:05", None),
            ("yesterday", None),
            ("", None),
        ];
        for (text, expected) in cases {
            let covered = |first| first..=first + if text.len() == 10 { 86_399_999 } else { 59_999 };
            assert_eq!(span(text), expected.map(covered), "{text}");
        }
    }
}
