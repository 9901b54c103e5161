//! Duplicates: charges that repeat an earlier charge.
//!
//! The vendor's page "Duplicate Transaction Settings" gives the criteria: the last four digits of the card within the
//! window, with or without the invoice, or the invoice alone and without limit. **Inferred**: amount and type must be
//! equal; only approved charges that are not voided count; payments of plans and zero-amount card checks are never
//! duplicates. A request with `invoice` in `check-field` is compared by invoice whatever the settings.

use perennial_domain::clearent::Transaction;

use super::answer::{CallError, Refused};
use crate::clock::Moment;
use crate::store::session::Session;
use crate::store::settings::Duplicates;
use crate::store::transaction::DuplicateKey;

/// The earlier charge, marked as a repeated answer; or a refusal, if the terminal is set to refuse.
pub(super) fn earlier(
    session: &Session<'_>,
    charge: &Transaction,
    checks_invoice: bool,
) -> Result<Option<Transaction>, CallError> {
    if charge.amount.unwrap_or_default().is_zero() {
        return Ok(None);
    }
    let invoice = charge.invoice.as_deref();
    if checks_invoice && invoice.is_some() {
        let same = DuplicateKey { invoice, ..DuplicateKey::default() };
        let found = session.earlier_charge(charge, &same)?;
        return Ok(
            found.map(|found| Transaction { check_field_duplicate: Some(true), ..answered_again(found) })
        );
    }
    let settings = session.settings()?.duplicates;
    if !settings.enabled {
        return Ok(None);
    }
    match session.earlier_charge(charge, &likeness(&settings, charge, session.now))? {
        Some(_) if settings.respond_with_error && !session.gateway.duplicate_answers_old => {
            Err(Refused::business("045", "Duplicate Transaction").into())
        }
        found => Ok(found.map(answered_again)),
    }
}

fn likeness<'t>(settings: &Duplicates, charge: &'t Transaction, now: Moment) -> DuplicateKey<'t> {
    let invoice = charge.invoice.as_deref();
    if settings.use_invoice_instead_of_card && invoice.is_some() {
        return DuplicateKey { invoice, ..DuplicateKey::default() };
    }
    DuplicateKey {
        last_four: charge.last_four.as_deref(),
        invoice: invoice.filter(|_| settings.include_invoice),
        since: Some(now.minutes_before(settings.minutes)),
    }
}

fn answered_again(earlier: Transaction) -> Transaction {
    Transaction { display_message: Some(Transaction::PREVIOUSLY_APPROVED.into()), ..earlier }
}
