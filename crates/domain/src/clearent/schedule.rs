use chrono::{Datelike, NaiveDate, NaiveDateTime};

use super::{FrequencyDay, PlanTerm};
use crate::add_months;

/// The dates on which a monthly plan charges, in order.
///
/// The first date is the first frequency day on or after the start (documented: day 3, start September 17, first charge
/// October 3). The last date is on or before the end. Each date is computed from the first date and its index.
///
/// A term of 12 calendar months has 12 charges, but 13 if it starts on its frequency day, because both ends count. To
/// get 12, end it a day earlier, as [`PlanTerm::months`] does.
///
/// ```
/// use perennial_domain::clearent::{FrequencyDay, PlanTerm, Schedule};
///
/// let term = PlanTerm::parse("2027-09-17", "2027-12-31").unwrap();
/// let dates: Vec<String> = Schedule::new(term, FrequencyDay::new(3).unwrap()).map(|d| d.to_string()).collect();
/// assert_eq!(dates, ["2027-10-03", "2027-11-03", "2027-12-03"]);
///
/// let charges = |end| Schedule::new(PlanTerm::parse("2027-01-15", end).unwrap(), FrequencyDay::new(15).unwrap()).count();
/// assert_eq!((charges("2028-01-15"), charges("2028-01-14")), (13, 12));
/// ```
#[derive(Debug, Clone)]
pub struct Schedule {
    term: PlanTerm,
    day: FrequencyDay,
    first: Option<NaiveDate>,
    next: u32,
}

impl Schedule {
    /// Computes the charge dates of this term on this day of the month.
    pub fn new(term: PlanTerm, day: FrequencyDay) -> Self {
        let start = term.start().naive();
        // Every month has the days 1 to 28.
        let first = start
            .with_day(day.get())
            .and_then(|date| if date < start { add_months(date, 1) } else { Some(date) });
        Self { term, day, first, next: 0 }
    }

    /// The hour of the day (UTC) at which charges are made: 10, as in the sandbox. The gateway's hour is not
    /// documented, so this value is **inferred**.
    pub const HOUR: u32 = 10;

    /// The dates that are still to come at this moment (UTC): a day counts until [its hour](Self::HOUR).
    ///
    /// ```
    /// use perennial_domain::NaiveDate;
    /// use perennial_domain::clearent::{FrequencyDay, PlanTerm, Schedule};
    ///
    /// let term = PlanTerm::months("2027-01-15".parse().unwrap(), 12).unwrap();
    /// let schedule = Schedule::new(term, FrequencyDay::new(15).unwrap());
    /// let at = |hour| NaiveDate::from_ymd_opt(2027, 1, 15).unwrap().and_hms_opt(hour, 0, 0).unwrap();
    /// assert_eq!(schedule.clone().to_come(at(9)).count(), 12);
    /// assert_eq!(schedule.to_come(at(10)).count(), 11);
    /// ```
    pub fn to_come(self, now: NaiveDateTime) -> impl Iterator<Item = NaiveDate> {
        self.skip_while(move |day| !is_to_come(*day, now))
    }

    /// The term of the plan.
    pub const fn term(&self) -> PlanTerm {
        self.term
    }

    /// The day of the month on which the plan charges.
    pub const fn day(&self) -> FrequencyDay {
        self.day
    }
}

/// Whether the charge of this day is still to come at this moment.
pub(super) fn is_to_come(day: NaiveDate, now: NaiveDateTime) -> bool {
    day.and_hms_opt(Schedule::HOUR, 0, 0).is_some_and(|run| run > now)
}

impl Iterator for Schedule {
    type Item = NaiveDate;

    fn next(&mut self) -> Option<NaiveDate> {
        let date = add_months(self.first?, self.next).filter(|date| *date <= self.term.end().naive())?;
        self.next += 1;
        Some(date)
    }
}

impl std::iter::FusedIterator for Schedule {}
