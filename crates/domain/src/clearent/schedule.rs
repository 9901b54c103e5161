use chrono::{Datelike, NaiveDate};

use super::{FrequencyDay, PlanTerm};
use crate::add_months;

/// The dates on which a monthly plan charges, in order.
///
/// The first is the first frequency day on or after the start (documented: day 3, start 17 September, first charge
/// 3 October); the last is on or before the end. Each date is computed from the first and its index.
///
/// A term of 12 calendar months holds 12 charges, but 13 if it starts on its frequency day, because both ends count:
/// end it a day earlier for 12.
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
    first: Option<NaiveDate>,
    end: NaiveDate,
    next: u32,
}

impl Schedule {
    /// The charge dates of this term on this day of the month.
    pub fn new(term: PlanTerm, day: FrequencyDay) -> Self {
        let (start, end) = (term.start().naive(), term.end().naive());
        // Days 1 to 28 are in every month.
        let first = start
            .with_day(day.get())
            .and_then(|date| if date < start { add_months(date, 1) } else { Some(date) });
        Self { first, end, next: 0 }
    }
}

impl Iterator for Schedule {
    type Item = NaiveDate;

    fn next(&mut self) -> Option<NaiveDate> {
        let date = add_months(self.first?, self.next).filter(|date| *date <= self.end)?;
        self.next += 1;
        Some(date)
    }
}

impl std::iter::FusedIterator for Schedule {}
