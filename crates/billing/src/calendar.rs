//! Due days, and the terms that cover them.
//!
//! All days are days in UTC, as the gateway counts them. Every function is pure.

use std::ops::RangeInclusive;

use chrono::{Datelike as _, Days, Months, NaiveDate};
use perennial_domain::clearent::FrequencyDay;

/// The most due days of one term: a plan is at most twelve months long.
pub(crate) const DAYS_OF_A_TERM: usize = 12;
/// The days by which a term begins before its first due day and ends after its last. With two, it does not matter whether
/// the gateway counts the two dates of a plan as part of it, nor whether its date is a day off.
const MARGIN: Days = Days::new(2);

/// The first due day on or after a date; `None` at the end of the calendar.
///
/// ```
/// use perennial_billing::due_day;
/// use perennial_domain::clearent::FrequencyDay;
///
/// let due = due_day(FrequencyDay::new(15)?, "2027-01-16".parse()?);
/// assert_eq!(due, Some("2027-02-15".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn due_day(day: FrequencyDay, from: NaiveDate) -> Option<NaiveDate> {
    let in_this_month = from.with_day(day.get())?;
    if in_this_month >= from { Some(in_this_month) } else { in_this_month.checked_add_months(Months::new(1)) }
}

/// The due days on or after a date, without end.
pub(crate) fn due_days(day: FrequencyDay, from: NaiveDate) -> impl Iterator<Item = NaiveDate> {
    let first = due_day(day, from);
    (0..).map_while(move |month| first?.checked_add_months(Months::new(month)))
}

/// The start and the end date of the plan that charges from the first of these due days to the last.
///
/// ```
/// let days = "2027-01-15".parse()?..="2027-12-15".parse()?;
/// let dates = perennial_billing::dates_of_term(&days).unwrap();
/// assert_eq!(dates, "2027-01-13".parse()?..="2027-12-17".parse()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn dates_of_term(days: &RangeInclusive<NaiveDate>) -> Option<RangeInclusive<NaiveDate>> {
    Some(days.start().checked_sub_days(MARGIN)?..=days.end().checked_add_days(MARGIN)?)
}
