//! The recurring engine: makes the payments that became due, each one exactly once and in one order, so that one jump
//! of the clock and many small steps leave the same world.
//!
//! Payments are made at 10:00 UTC of a plan's day, day by day and by plan key within a day. A plan takes part from
//! the first run after it was created, activated or changed: days that passed before are not caught up. Between two
//! days of payments, the open batch is settled when its time comes.

use perennial_domain::clearent::{Plan, Transaction, TransactionType};
use perennial_domain::{Amount, NaiveDate};
use rusqlite::Result;

use crate::clearent::checks;
use crate::clearent::outcome::{self, Outcome};
use crate::clock::Moment;
use crate::store::payment::Made;
use crate::store::plan::remaining;
use crate::world::Ledger;

/// How many payments were made, and how they went.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Fired {
    pub(crate) approved: u64,
    pub(crate) declined: u64,
}

/// Makes all payments that are due by the ledger's moment.
pub(crate) fn fire(ledger: &Ledger<'_>) -> Result<Fired> {
    let mut fired = Fired::default();
    while let Some((plan, day)) = ledger.due(ledger.now.last_run())? {
        ledger.settle_due(Moment::run_of(day))?;
        if charge(ledger, &plan, day)? {
            fired.approved += 1;
        } else {
            fired.declined += 1;
        }
    }
    ledger.settle_due(ledger.now)?;
    Ok(fired)
}

/// Charges the plan's card for this day; whether that was approved.
fn charge(ledger: &Ledger<'_>, plan: &Plan, day: NaiveDate) -> Result<bool> {
    let at = Moment::run_of(day);
    let (Some(customer), Some(token_id)) = (&plan.customer_key, &plan.token_id) else {
        return Err(rusqlite::Error::InvalidQuery);
    };
    let amount = plan.payment_amount.unwrap_or(Amount::ZERO);
    let token = ledger.token(token_id)?;
    let issuer = match &token {
        None => Outcome::ACCOUNT_NOT_FOUND,
        Some(token) => outcome::of_token(token, day).unwrap_or_else(|| outcome::of_amount(amount)),
    };
    let charge = Transaction {
        transaction_type: Some(TransactionType::SALE),
        amount: Some(amount),
        last_four: token.as_ref().and_then(|token| token.last_four_digits.clone()),
        card_type: token.as_ref().and_then(|token| token.card_type.clone()),
        exp_date: token.as_ref().and_then(|token| token.exp_date),
        order_id: Some(plan.plan_key.to_string()),
        customer_id: Some(customer.to_string()),
        email_address: plan.email_address.clone(),
        software_type: Some(Transaction::ENGINE.into()),
        plan_name: plan.plan_name.clone(),
        ..Transaction::default()
    };
    let address = token
        .as_ref()
        .and_then(|token| checks::of_address(token.avs_address.as_deref(), token.avs_zip.as_deref()));
    let (record, _) = checks::book(ledger, charge, issuer, (address, None), at)?;
    let (Some(id), Some(status)) = (&record.id, &record.result) else {
        return Err(rusqlite::Error::InvalidQuery);
    };
    ledger.create_payment(&Made {
        plan: &plan.plan_key,
        customer,
        day,
        transaction: id,
        amount,
        status,
        at,
    })?;
    if token.is_some() {
        ledger.use_token(token_id, at)?;
    }
    ledger.set_next_charge(&plan.plan_key, remaining(plan, at).next())?;
    Ok(record.is_approved())
}

#[cfg(test)]
mod tests {
    use perennial_domain::clearent::{Frequency, FrequencyDay, PlanStatus};

    use super::*;
    use crate::clock::Clock;
    use crate::seed::Seed;
    use crate::store::Store;
    use crate::world::Row;

    fn at(moment: &str) -> Moment {
        moment.parse().unwrap()
    }

    #[tokio::test]
    async fn a_day_that_was_charged_is_never_due_again_even_if_the_clock_steps_back() {
        let store = Store::open(None).unwrap();
        let fired = store.run(|connection| {
            let clock = Clock::Frozen(at("2027-01-01T00:00:00Z"));
            let row = Row::create(connection, &[7; 32], Seed(7), clock, true)?;
            let (ledger, _) = Ledger::open(connection, &row, at("2027-01-01T00:00:00Z"))?;
            let (number, plan_key) = ledger.next_plan_key()?;
            let plan = Plan {
                plan_key,
                plan_name: None,
                plan_type: None,
                customer_key: Some("cust_1".try_into().unwrap()),
                customer_name: None,
                token_id: Some("1100000000555551111".try_into().unwrap()),
                frequency: Some(Frequency::MONTHLY),
                frequency_day: Some(FrequencyDay::new(15).unwrap()),
                frequency_month: None,
                frequency_week: None,
                payment_amount: Some("50.00".try_into().unwrap()),
                start_date: Some("2027-01-01".try_into().unwrap()),
                end_date: Some("2027-12-31".try_into().unwrap()),
                status: Some(PlanStatus::ACTIVE),
                status_date: None,
                email_address: None,
                email_receipt: None,
                links: Vec::new(),
            };
            ledger.create_plan(number, &plan)?;
            let (ledger, first) = ledger.turn(Clock::Frozen(at("2027-01-15T10:00:00Z")))?;
            let (ledger, _) = ledger.turn(Clock::Frozen(at("2027-01-15T09:59:59Z")))?;
            ledger.update_plan(&plan, &plan)?;
            let (ledger, again) = ledger.turn(Clock::Frozen(at("2027-01-15T10:00:00Z")))?;
            let (_, next) = ledger.turn(Clock::Frozen(at("2027-02-15T10:00:00Z")))?;
            Ok([first, again, next].map(|fired| fired.approved + fired.declined))
        });
        assert_eq!(fired.await.unwrap(), [1, 0, 1]);
    }
}
