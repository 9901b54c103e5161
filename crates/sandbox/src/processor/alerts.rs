//! Alerts: messages to the merchant's endpoint about each transaction, sent as soon as it is stored.
//!
//! An alert is the answer to the transaction, with its token if there is one. Alerts about declines, with the fields of
//! their answer, are **inferred**, and so is a separate exchange id for each alert.

use perennial_domain::clearent::{Token, Transaction, TransactionResult};
use perennial_wire::Format;
use perennial_wire::clearent::{Payload, Reply};
use rusqlite::Result;

use super::records;
use crate::clock::Moment;
use crate::store::session::Session;

/// Stores a transaction, and the alert about it.
pub(crate) fn book(
    session: &Session<'_>,
    record: Transaction,
    token: Option<&Token>,
    at: Moment,
) -> Result<Transaction> {
    let record = session.create_transaction(record, at)?;
    write_alert(session, &record, token, at)?;
    Ok(record)
}

/// Writes an alert, if the world has a webhook; or updates it, if more is known of the transaction.
pub(crate) fn write_alert(
    session: &Session<'_>,
    record: &Transaction,
    token: Option<&Token>,
    at: Moment,
) -> Result<()> {
    let (Some(id), Some(kind)) = (&record.id, &record.transaction_type) else { return Ok(()) };
    if session.webhook()?.is_none() {
        return Ok(());
    }
    let exchange_id = if record.plan_key().is_some() {
        format!("ID-clearent-cre-2-{}", session.seed.uuid(&format!("alert {id}"), 0))
    } else {
        let tail = session.seed.digits(&format!("alert {id}"), 0, 8);
        format!("ID-clearent-cgw-1-{}-0-{tail}", at.millis())
    };
    let reply = reply(session, record, token, exchange_id);
    // JSON can carry every text.
    let body = reply.encode(Format::Json).unwrap_or_default();
    session.write_alert(id, kind, &String::from_utf8_lossy(&body), at)
}

fn reply(session: &Session<'_>, record: &Transaction, token: Option<&Token>, exchange_id: String) -> Reply {
    let approved = record.is_approved();
    let status = match &record.result {
        _ if approved => 200,
        Some(result) if *result == TransactionResult::ERROR => 400,
        _ => 402,
    };
    let token_id = token.and_then(|token| token.token_id.as_ref());
    let links = record.id.as_ref().map(records::link).into_iter().chain(token_id.map(records::token_link));
    let fresh = Box::new(records::fresh(session, record.clone()));
    Reply {
        code: Some(status),
        status: Some(if approved { "success" } else { "fail" }.into()),
        exchange_id: Some(exchange_id),
        links: links.collect(),
        payload_type: (!approved).then(|| "errorTransaction".to_owned()),
        payload: match token {
            Some(token) => {
                let token = records::with_merchant(session, token.clone());
                Payload::TransactionToken(fresh, Box::new(token))
            }
            None => Payload::Transaction(fresh),
        },
        ..Reply::default()
    }
}
