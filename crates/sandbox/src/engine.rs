//! The recurring engine: makes the payments that became due, each one exactly once and in one order, so that one jump
//! of the clock and many small steps leave the same world.
//!
//! Payments are made at 10:00 UTC of a plan's day, day by day and by plan key within a day. A plan takes part from
//! the first run after it was created, activated or changed: days that passed before are not caught up.

use perennial_domain::clearent::{Plan, Transaction, TransactionType};
use perennial_domain::{Amount, NaiveDate};
use rusqlite::Result;

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
        if charge(ledger, &plan, day)? {
            fired.approved += 1;
        } else {
            fired.declined += 1;
        }
    }
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
    let outcome = match &token {
        None => Outcome::ACCOUNT_NOT_FOUND,
        Some(token) => outcome::of_token(token, day).unwrap_or_else(|| outcome::of_amount(amount)),
    };
    let record = outcome.stamp(Transaction {
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
    });
    let record = ledger.create_transaction(record, at)?;
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
