//! The charges of a plan, in pictures and lists.

use perennial::clearent::PlanTerm;
use perennial::{Amount, NaiveDate, Total};

use super::Record;

/// A plan's days, and the amount of each charge.
pub(crate) struct Charges {
    pub(crate) name: Option<String>,
    pub(crate) term: PlanTerm,
    pub(crate) dates: Vec<NaiveDate>,
    pub(crate) amount: Amount,
}

/// Charges of this amount, in the order of their days, with their running total.
pub(crate) fn records(dates: impl Iterator<Item = NaiveDate>, amount: Amount) -> Vec<Record> {
    let charges = (1_u64..).zip(dates).scan(Total::ZERO, |total, (number, date)| {
        *total += amount;
        let charge = Record::default()
            .with("charge", number)
            .with("date", date.to_string())
            .with("payment-amount", amount)
            .with("total", *total);
        Some(charge)
    });
    charges.collect()
}
