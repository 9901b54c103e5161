use chrono::NaiveDateTime;

use super::{Plan, Schedule};
use crate::{Amount, Month, Total};

/// A forecast of the money that plans will charge in each month, if the plans do not change.
///
/// A month counts as a whole, including its past days, unless the current time is given with [`at`](Self::at). Declines
/// are not predicted.
///
/// ```
/// use perennial_domain::clearent::{Forecast, FrequencyDay, PlanTerm, Schedule};
/// use perennial_domain::{Month, Total};
///
/// let term = PlanTerm::parse("2027-01-16", "2027-03-31").unwrap();
/// let schedule = Schedule::new(term, FrequencyDay::new(15).unwrap());
/// let mut forecast = Forecast::new(Month::try_from("2027-01").unwrap(), 3);
/// forecast.add(schedule, "50.00".parse().unwrap());
/// let cents: Vec<i128> = forecast.months().map(|(_, expected)| expected.amount.cents()).collect();
/// assert_eq!(cents, [0, 5_000, 5_000]);
/// assert_eq!(forecast.total().amount, Total::from_cents(10_000));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forecast {
    from: Month,
    months: Vec<Expected>,
    now: Option<NaiveDateTime>,
    unknown: u64,
}

/// The expected charges of one or more months.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Expected {
    /// The number of charges.
    pub charges: u64,
    /// The sum of the charges.
    pub amount: Total,
}

impl Forecast {
    /// Creates an empty forecast for this number of months, beginning with `from`.
    pub fn new(from: Month, months: u16) -> Self {
        Self { from, months: vec![Expected::default(); months.into()], now: None, unknown: 0 }
    }

    /// Sets the current time (UTC): of plans added from now on, only charges that are [to come](Schedule::to_come)
    /// count.
    pub fn at(&mut self, now: NaiveDateTime) {
        self.now = Some(now);
    }

    /// Adds the charges of a plan, regardless of its status.
    pub fn add_plan(&mut self, plan: &Plan) {
        match (plan.schedule(), plan.payment_amount) {
            (Some(schedule), Some(amount)) => self.add(schedule, amount),
            _ => self.unknown += 1,
        }
    }

    /// Adds a charge of this amount on each of these days.
    pub fn add(&mut self, schedule: Schedule, amount: Amount) {
        let charge = Expected { charges: 1, amount: amount.into() };
        for date in schedule.to_come(self.now.unwrap_or(NaiveDateTime::MIN)) {
            let index = Month::of(date).since(self.from).and_then(|months| usize::try_from(months).ok());
            if let Some(month) = index.and_then(|index| self.months.get_mut(index)) {
                *month = month.and(charge);
            }
        }
    }

    /// The months in order, including those without charges.
    pub fn months(&self) -> impl Iterator<Item = (Month, Expected)> {
        (0..).zip(&self.months).map(|(index, expected)| (self.from.plus(index), *expected))
    }

    /// The sum over all months.
    pub fn total(&self) -> Expected {
        self.months.iter().fold(Expected::default(), |sum, month| sum.and(*month))
    }

    /// The number of added plans whose charges are not known: they have no day, term or amount, or are not monthly.
    pub fn unknown(&self) -> u64 {
        self.unknown
    }
}

impl Expected {
    /// Returns the sum of both.
    #[must_use]
    pub fn and(self, more: Self) -> Self {
        Self { charges: self.charges + more.charges, amount: self.amount + more.amount }
    }
}
