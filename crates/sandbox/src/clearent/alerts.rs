//! Alerts: what the merchant's own endpoint is told of each transaction, as soon as it is in the books.
//!
//! An alert is the answer to the transaction, with its token where there is one. That declined ones are told too, as
//! their answer has it, is **inferred**, and so is that an alert has an exchange id of its own.

use perennial_domain::clearent::{Token, Transaction, TransactionResult};
use perennial_wire::Format;
use perennial_wire::clearent::Payload;
use rusqlite::Result;

use super::answer::{Answer, Site};
use super::tokens::with_merchant;
use super::transactions::shown;
use crate::clock::Moment;
use crate::world::Ledger;

/// Writes a transaction, and the alert about it.
pub(super) fn book(
    ledger: &Ledger<'_>,
    record: Transaction,
    token: Option<&Token>,
    at: Moment,
) -> Result<Transaction> {
    let record = ledger.create_transaction(record, at)?;
    tell(ledger, &record, token, at)?;
    Ok(record)
}

/// Writes an alert, if the world has a webhook; or what it says now, if more is known of the transaction.
pub(super) fn tell(
    ledger: &Ledger<'_>,
    record: &Transaction,
    token: Option<&Token>,
    at: Moment,
) -> Result<()> {
    let (Some(id), Some(kind)) = (&record.id, &record.transaction_type) else { return Ok(()) };
    if ledger.webhook()?.is_none() {
        return Ok(());
    }
    let exchange_id = if record.plan_key().is_some() {
        format!("ID-clearent-cre-2-{}", ledger.seed.uuid(&format!("alert {id}"), 0))
    } else {
        let tail = ledger.seed.digits(&format!("alert {id}"), 0, 8);
        format!("ID-clearent-cgw-1-{}-0-{tail}", at.millis())
    };
    let reply = answer(ledger, record, token).reply("success", exchange_id);
    // JSON can carry every text.
    let body = reply.encode(Format::Json).unwrap_or_default();
    ledger.write_alert(id, kind, &String::from_utf8_lossy(&body), at)
}

fn answer(ledger: &Ledger<'_>, record: &Transaction, token: Option<&Token>) -> Answer {
    let token = token.cloned();
    let link = token.as_ref().and_then(|token| token.token_id.as_ref()).map(Site::token_of_transaction);
    let status = if record.is_approved() {
        200
    } else if record.result == Some(TransactionResult::ERROR) {
        400
    } else {
        402
    };
    let answer = shown(ledger, record.clone(), |fresh| {
        let payload = match token {
            Some(token) => Payload::TransactionToken(fresh, Box::new(with_merchant(ledger, token))),
            None => Payload::Transaction(fresh),
        };
        if status == 200 { Answer::ok(payload) } else { Answer::declined(status, payload) }
    });
    link.into_iter().fold(answer, Answer::with_link)
}
