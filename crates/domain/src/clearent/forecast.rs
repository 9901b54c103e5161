use chrono::NaiveDateTime;

use super::{Plan, Schedule};
use crate::{Amount, Month, Total};

/// The money that plans will charge, month by month, for as long as they stay as they are.
///
/// A month counts whole, with the days of it that are past, unless [`at`](Self::at) says what time it is. Declines are
/// not foreseen.
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

/// What is expected of a month, or of several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Expected {
    /// How many charges there will be.
    pub charges: u64,
    /// What they come to.
    pub amount: Total,
}

impl Forecast {
    /// Of so many months from this one on, in which no plan charges yet.
    pub fn new(from: Month, months: u16) -> Self {
        Self { from, months: vec![Expected::default(); months.into()], now: None, unknown: 0 }
    }

    /// Counts of what is added from here on only the charges that are [to come](Schedule::to_come) at this moment (UTC).
    pub fn at(&mut self, now: NaiveDateTime) {
        self.now = Some(now);
    }

    /// Adds the charges of a plan, whatever its status.
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

    /// The months, in order, those without a charge among them.
    pub fn months(&self) -> impl Iterator<Item = (Month, Expected)> {
        (0..).zip(&self.months).map(|(index, expected)| (self.from.plus(index), *expected))
    }

    /// All months together.
    pub fn total(&self) -> Expected {
        self.months.iter().fold(Expected::default(), |sum, month| sum.and(*month))
    }

    /// How many plans were added whose charges are not known: without a day, a term or an amount, or not monthly.
    pub fn unknown(&self) -> u64 {
        self.unknown
    }
}

impl Expected {
    /// Both together.
    #[must_use]
    pub fn and(self, more: Self) -> Self {
        Self { charges: self.charges + more.charges, amount: self.amount + more.amount }
    }
}
