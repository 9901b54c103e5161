//! Reports over the stored rows: the money of months, and the result of declines.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use perennial::{Month, Total};

use crate::Error;
use crate::billing::Billing;
use crate::model::DayState;
use crate::recovery::{DeclineClass, decline_class};

/// The money of a month.
///
/// `expected` is the sum of `paid`, `recovered`, `part`, `waived`, `given_up` and `open`, by the month in which a day is due.
/// `refunds` and `surplus` are of the month in which they were made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MonthMoney {
    /// The month.
    pub month: Month,
    /// The sum of what was due.
    pub expected: Total,
    /// The sum of what plans, and sales of the first try, paid.
    pub paid: Total,
    /// The sum of what later tries paid.
    pub recovered: Total,
    /// The sum of partial payments.
    pub part: Total,
    /// The sum of what the merchant does without.
    pub waived: Total,
    /// The sum of what is not tried any more.
    pub given_up: Total,
    /// The sum of what is still open, the rest of partial payments included.
    pub open: Total,
    /// The sum of what was given back.
    pub refunds: Total,
    /// The sum of what was paid a second time.
    pub surplus: Total,
}

/// A number of due days, and the sum of their amounts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tally {
    /// The number.
    pub count: u64,
    /// The sum.
    pub amount: Total,
}

impl Tally {
    fn add(&mut self, more: Self) {
        self.count += more.count;
        self.amount += more.amount;
    }

    /// The share of another sum, in tenths of a percent, rounded down.
    pub fn permille_of(&self, whole: &Self) -> u64 {
        let permille = (self.amount.cents() * 1_000).checked_div(whole.amount.cents()).unwrap_or(0);
        u64::try_from(permille).unwrap_or(0)
    }
}

/// The result of the due days of which a charge was declined with a result code of one class.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recovery {
    /// The class.
    pub class: DeclineClass,
    /// All due days.
    pub declined: Tally,
    /// Due days that were paid, by the number of sales that it took. With none, the gateway tried its plan's charge again.
    pub recovered_by: BTreeMap<u32, Tally>,
    /// Due days that are not tried any more.
    pub given_up: Tally,
    /// Due days that the merchant does without.
    pub waived: Tally,
    /// Due days that are open.
    pub open: Tally,
}

impl Recovery {
    /// All due days that were paid.
    pub fn recovered(&self) -> Tally {
        let mut all = Tally::default();
        self.recovered_by.values().for_each(|tally| all.add(*tally));
        all
    }
}

impl Billing {
    /// The money of each month from one to another.
    pub async fn money(&self, from: Month, until: Month) -> Result<Vec<MonthMoney>, Error> {
        let window = window(from, until)?;
        let empty = |month| MonthMoney {
            month,
            expected: Total::ZERO,
            paid: Total::ZERO,
            recovered: Total::ZERO,
            part: Total::ZERO,
            waived: Total::ZERO,
            given_up: Total::ZERO,
            open: Total::ZERO,
            refunds: Total::ZERO,
            surplus: Total::ZERO,
        };
        let months = (0..).map(|later| from.plus(later)).take_while(|month| *month <= until);
        let mut months: BTreeMap<String, MonthMoney> =
            months.map(|month| (month.to_string(), empty(month))).collect();
        for row in self.store.months(window.0, window.1).await? {
            let Some(money) = months.get_mut(&row.month) else { continue };
            let (amount, paid) = (Total::from_cents(row.amount), Total::from_cents(row.paid));
            let sum = match row.word.as_str() {
                "surplus" => &mut money.surplus,
                "undoes" => &mut money.refunds,
                state => {
                    money.expected += amount;
                    money.part += paid;
                    match state.parse()? {
                        DayState::Paid => &mut money.paid,
                        DayState::Recovered => &mut money.recovered,
                        DayState::Waived => &mut money.waived,
                        DayState::GivenUp => &mut money.given_up,
                        _ => &mut money.open,
                    }
                }
            };
            *sum += amount - paid;
        }
        Ok(months.into_values().collect())
    }

    /// The result of declines of days that were due from one month to another, by class.
    pub async fn recovery(&self, from: Month, until: Month) -> Result<Vec<Recovery>, Error> {
        let window = window(from, until)?;
        let empty = |class| Recovery {
            class,
            declined: Tally::default(),
            recovered_by: BTreeMap::new(),
            given_up: Tally::default(),
            waived: Tally::default(),
            open: Tally::default(),
        };
        let mut classes: Vec<_> = DeclineClass::ALL.iter().copied().map(empty).collect();
        for row in self.store.declines(window.0, window.1).await? {
            let class = decline_class(Some(&row.code));
            let Some(recovery) = classes.iter_mut().find(|of| of.class == class) else { continue };
            let count = u64::try_from(row.count).unwrap_or(0);
            let tally = Tally { count, amount: Total::from_cents(row.amount) };
            recovery.declined.add(tally);
            match row.state {
                DayState::Paid | DayState::Recovered => {
                    let tries = u32::try_from(row.tries).unwrap_or(0);
                    recovery.recovered_by.entry(tries).or_default().add(tally);
                }
                DayState::GivenUp => recovery.given_up.add(tally),
                DayState::Waived => recovery.waived.add(tally),
                _ => recovery.open.add(tally),
            }
        }
        Ok(classes)
    }
}

/// The days of the months, and the day after.
fn window(from: Month, until: Month) -> Result<(NaiveDate, NaiveDate), Error> {
    let first = |month: Month| month.days().next();
    let days = first(from).zip(first(until.plus(1))).filter(|(from, until)| from < until);
    days.ok_or(Error::EmptyPeriod("the period of the report"))
}
