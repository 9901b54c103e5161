//! Card transactions. A decline is a value: see [`Transaction::decline`].

use std::ops::Deref;

use perennial_domain::clearent::{
    Capture, CaptureFields, Charge, ChargeFields, ChargeSource, Reference, Refund, RefundFields, Token,
    Transaction, TransactionId, TransactionResult, TransactionSearch, TransactionType, TransactionUpdate,
    Void,
};
use perennial_domain::{Amount, Text};
use perennial_wire::clearent::{Operation, Payload, transaction as wire};

use super::answer::{Mismatch, not_another, same};
use super::{Clearent, Lookup};
use crate::{Error, ErrorKind, List, Response};

/// The card transactions of a merchant.
///
/// A decline by the issuer or the gateway is a value, and [`decline`](Transaction::decline) has the reason. An error
/// means that there is no transaction, or (kind [`OutcomeUnknown`](crate::ErrorKind::OutcomeUnknown)) that there may be
/// one. The outcome is also unknown if the [`verdict`](Transaction::verdict) of the response is undecided, if its parts
/// contradict each other, or if its amount is not the requested one and it does not give the reason.
#[derive(Debug, Clone, Copy)]
#[must_use = "it does nothing by itself"]
pub struct Transactions<'a>(pub(super) &'a Clearent);

/// The result of a [`Charge`]. It dereferences to its transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charged {
    /// The transaction: approved ([`partial`](Transaction::partial) if for less than requested) or declined.
    pub transaction: Transaction,
    /// The token of the card, if the charge requested one with `create-token`.
    pub token: Option<Token>,
}

impl Transactions<'_> {
    /// Charges a card, a token or a one-time token at once.
    ///
    /// A [`OneTimeToken`](perennial_domain::clearent::OneTimeToken) comes from the payer's browser or phone, so that
    /// the card data never pass this program. The gateway accepts it once: if the outcome is unknown, look up the
    /// charge, and get another token before you charge again. [`auth`](Self::auth) and [`refund`](Self::refund) also
    /// accept one.
    ///
    /// A terminal that detects duplicates (a setting in the portal) may return an earlier charge that looks equal. Then
    /// nothing is charged now, and [`is_duplicate`](Transaction::is_duplicate) of the response is true. Only in such a
    /// response may `invoice` and `order-id` differ from the request; otherwise a difference means another transaction,
    /// and the outcome is unknown.
    ///
    /// An issuer may approve less than the requested amount: [`partial`](Transaction::partial) then has the charged and
    /// the remaining amount. Charge the rest, or void the transaction.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let charge = Charge::builder().amount("25.00").card(&token).exp_date("1230").order_id("order-7").build()?;
    /// let sold = client.transactions().sale(&charge).await?;
    /// assert!(sold.is_approved());
    /// assert_eq!(sold.amount, "25.00".parse().ok());
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub async fn sale(self, charge: &Charge) -> Result<Response<Charged>, Error> {
        charge.check_sale()?;
        let call = wire::sale(self.0.format(), charge)?;
        let check = |reported: &Charged| {
            is_a(&[TransactionType::SALE, TransactionType::FORCED_SALE], reported)?;
            // A sale that was made now is neither voided nor pending.
            let is_open = reported.is_voided() || reported.may_be_voided() || reported.pending == Some(true);
            if is_open && !reported.is_duplicate() {
                return Err(Mismatch("voided or pending"));
            }
            echoes(charge, reported)
        };
        let sold = self.0.one(call, charged, check).await;
        sold.map(|sold| sold.map(|reported| with_requested_amount(charge, reported)))
            .map_err(|error| error.or_look_up(|| search_for(TransactionType::SALE, charge)))
    }

    /// Authorizes an amount for a later capture, or checks a card with an amount of zero.
    ///
    /// If a check requests a token, the response is only the token (transactions page). The transaction then has the
    /// result `APPROVED` and no other members.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let charge = Charge::builder().amount("25.00").card(&token).exp_date("1230").build()?;
    /// let held = client.transactions().auth(&charge).await?;
    /// assert!(held.is_approved());
    /// assert_eq!(held.transaction_type, Some(TransactionType::AUTH));
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub async fn auth(self, charge: &Charge) -> Result<Response<Charged>, Error> {
        let call = wire::auth(self.0.format(), charge)?;
        let take = |payload| match payload {
            Payload::Token(token) if charge.fields().amount.is_zero() => Some(Charged {
                transaction: Transaction {
                    result: Some(TransactionResult::APPROVED),
                    ..Transaction::default()
                },
                token: Some(*token),
            }),
            payload => charged(payload),
        };
        let check = |reported: &Charged| {
            // The response to a card check may be only the token, which identifies the card.
            if charge.fields().amount.is_zero() && reported.id.is_none() {
                match &reported.token {
                    Some(Token { token_id: None, .. }) => return Err(Mismatch("token-id")),
                    Some(_) => return Ok(()),
                    None => {}
                }
            }
            is_a(&[TransactionType::AUTH], reported)?;
            echoes(charge, reported)
        };
        let reserved = self.0.one(call, take, check).await;
        reserved
            .map(|reserved| reserved.map(|reported| with_requested_amount(charge, reported)))
            .map_err(|error| error.or_look_up(|| search_for(TransactionType::AUTH, charge)))
    }

    /// Charges an authorized amount.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let charge = Charge::builder().amount("25.00").card(&token).exp_date("1230").build()?;
    /// let held = client.transactions().auth(&charge).await?;
    /// let capture = Capture::builder().id(held.id.clone()).amount("25.00").build()?;
    /// assert!(client.transactions().capture(&capture).await?.is_approved());
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub async fn capture(self, capture: &Capture) -> Result<Response<Transaction>, Error> {
        let call = wire::capture(self.0.format(), capture)?;
        let CaptureFields { id, amount, tip_amount, .. } = capture.fields();
        let check = |reported: &Transaction| {
            is_a(&[TransactionType::CAPTURE], reported)?;
            follows(id, reported)?;
            comes_to(*amount, tip_amount.copied(), reported)
        };
        let captured = self.0.one(call, one, check).await;
        captured.map_err(|error| {
            error.or_look_up(|| {
                let search = TransactionSearch {
                    transaction_type: Some(TransactionType::CAPTURE),
                    amount: Some(*amount),
                    ..TransactionSearch::default()
                };
                Lookup::FollowUps { of: id.clone(), search }
            })
        })
    }

    /// Cancels a transaction of an open batch in full.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let charge = Charge::builder().amount("25.00").card(&token).exp_date("1230").build()?;
    /// let id = client.transactions().sale(&charge).await?.id.clone().ok_or("a sale has an id")?;
    /// assert!(client.transactions().void(&Void { id }).await?.is_approved());
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub async fn void(self, void: &Void) -> Result<Response<Transaction>, Error> {
        let call = wire::void(self.0.format(), void)?;
        let check = |reported: &Transaction| {
            is_a(&[TransactionType::VOID], reported)?;
            follows(&void.id, reported)
        };
        let voided = self.0.one(call, one, check).await;
        voided.map_err(|error| error.look_up(|| Lookup::Transaction(void.id.clone())))
    }

    /// Changes the tip of a charge whose batch is open. Updates to one transaction are sent in the order in which they
    /// are first awaited.
    ///
    /// No published sample shows the gateway's response. If the response has no tip, the transaction is read and
    /// returned; if that has no tip either, the outcome is unknown.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let charge = Charge::builder().amount("25.00").card(&token).exp_date("1230").build()?;
    /// let id = client.transactions().sale(&charge).await?.id.clone().ok_or("a sale has an id")?;
    /// let tip = TransactionUpdate::builder().tip_amount("3.00").build()?;
    /// let updated = client.transactions().update(&id, &tip).await?;
    /// assert_eq!(updated.tip_amount, "3.00".parse().ok());
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub async fn update(
        self,
        id: &TransactionId,
        update: &TransactionUpdate,
    ) -> Result<Response<Transaction>, Error> {
        let call = wire::update(self.0.format(), id, update)?;
        let tip = update.fields().tip_amount;
        let _guard = self.0.guard(&call).await;
        let check = |reported: &Transaction| {
            not_another("id", Some(id), reported.id.as_ref())?;
            not_another("tip-amount", Some(tip), reported.tip_amount.as_ref())
        };
        let updated = match self.0.one(call, one, check).await {
            Ok(updated) if updated.is_approved() && updated.tip_amount.is_none() => {
                let recorded =
                    self.get(id).await.ok().filter(|reported| reported.tip_amount.as_ref() == Some(tip));
                recorded.ok_or_else(|| {
                    updated.into_error(ErrorKind::OutcomeUnknown).with_source(Mismatch("tip-amount"))
                })
            }
            updated => updated,
        };
        updated.map_err(|error| error.look_up(|| Lookup::Transaction(id.clone())))
    }

    /// Returns money.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let charge = Charge::builder().amount("25.00").card(&token).exp_date("1230").build()?;
    /// let sold = client.transactions().sale(&charge).await?;
    /// let refund = Refund::builder().id(sold.id.clone()).amount("5.00").build()?;
    /// let refunded = client.transactions().refund(&refund).await?;
    /// assert!(refunded.is_approved());
    /// assert_eq!(refunded.amount, "5.00".parse().ok());
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub async fn refund(self, refund: &Refund) -> Result<Response<Transaction>, Error> {
        let call = wire::refund(self.0.format(), refund)?;
        let RefundFields { id, card, amount, invoice, order_id, .. } = refund.fields();
        let check = |reported: &Transaction| {
            is_a(&[TransactionType::REFUND, TransactionType::UNMATCHED_REFUND], reported)?;
            id.map_or(Ok(()), |id| follows(id, reported))?;
            comes_to(*amount, None, reported)
        };
        let refunded = self.0.one(call, one, check).await;
        refunded.map_err(|error| {
            error.or_look_up(|| {
                let search = TransactionSearch {
                    // A refund without an earlier transaction has another type in responses.
                    transaction_type: id.map(|_| TransactionType::REFUND),
                    amount: Some(*amount),
                    invoice: invoice.map(|invoice| invoice.as_str().to_owned()),
                    order_id: order_id.map(|id| id.as_str().to_owned()),
                    last_four: card.and_then(last_four).map(str::to_owned),
                    ..TransactionSearch::default()
                };
                match id {
                    Some(id) => Lookup::FollowUps { of: id.clone(), search },
                    None => Lookup::Transactions(search),
                }
            })
        })
    }

    /// Returns the transaction with this id; the gateway keeps transactions for 90 days.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let charge = Charge::builder().amount("25.00").card(&token).exp_date("1230").build()?;
    /// let id = client.transactions().sale(&charge).await?.id.clone().ok_or("a sale has an id")?;
    /// assert!(client.transactions().get(&id).await?.is_approved());
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub async fn get(self, id: &TransactionId) -> Result<Response<Transaction>, Error> {
        self.0.one(wire::get(id), one, |found| same("id", id, found.id.as_ref())).await
    }

    /// Searches the transactions of the last 90 days.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let charge = Charge::builder().amount("25.00").card(&token).exp_date("1230").order_id("order-7").build()?;
    /// client.transactions().sale(&charge).await?;
    /// let search = TransactionSearch { order_id: Some("order-7".into()), ..TransactionSearch::default() };
    /// assert_eq!(client.transactions().search(&search).collect_all().await?.len(), 1);
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub fn search(self, search: &TransactionSearch) -> List<Transaction> {
        self.0.list(
            Operation::SearchTransactions,
            search,
            |search| &mut search.paging,
            wire::search,
            all,
            |transaction| transaction.id.as_ref().map(TransactionId::as_str),
            fits,
        )
    }
}

impl Deref for Charged {
    type Target = Transaction;

    fn deref(&self) -> &Transaction {
        &self.transaction
    }
}

fn charged(payload: Payload) -> Option<Charged> {
    let (transaction, token) = match payload {
        Payload::Transaction(transaction) => (transaction, None),
        Payload::TransactionToken(transaction, token) => (transaction, Some(*token)),
        _ => return None,
    };
    Some(Charged { transaction: *transaction, token })
}

fn one(payload: Payload) -> Option<Transaction> {
    match payload {
        Payload::Transactions(mut transactions) if transactions.len() == 1 => transactions.pop(),
        payload => charged(payload).map(|charged| charged.transaction),
    }
}

fn all(payload: Payload) -> Option<Vec<Transaction>> {
    match payload {
        Payload::Transactions(transactions) => Some(transactions),
        payload => one(payload).map(|transaction| vec![transaction]),
    }
}

/// Checks that an approved transaction has an id, and that the type, if present, is one of these.
fn is_a(kinds: &[TransactionType], reported: &Transaction) -> Result<(), Mismatch> {
    if reported.is_approved() && reported.id.is_none() {
        return Err(Mismatch("id"));
    }
    match &reported.transaction_type {
        Some(kind) if !kinds.contains(kind) => Err(Mismatch("type")),
        _ => Ok(()),
    }
}

/// Checks the members that repeat the request. A declined transaction may omit them, but must not contradict them. An
/// earlier transaction that is returned instead has other values, and is marked as a duplicate.
fn echoes(requested: &Charge, reported: &Transaction) -> Result<(), Mismatch> {
    let ChargeFields { amount, tip_amount, invoice, order_id, card, .. } = requested.fields();
    not_another("last-four", last_four(card), reported.last_four.as_deref())?;
    if reported.is_duplicate() {
        return Ok(());
    }
    not_another("invoice", invoice.map(Reference::as_str), reported.invoice.as_deref())?;
    not_another("order-id", order_id.map(Text::as_str), reported.order_id.as_deref())?;
    comes_to(*amount, tip_amount.copied(), reported)
}

/// Checks the amount. A declined transaction has the requested amount, if it has one. An approved transaction has the
/// requested amount, with or without tip and service fee; or less, if it is marked as a partial approval; or more, if
/// it is marked with a surcharge of the terminal.
fn comes_to(requested: Amount, tip: Option<Amount>, reported: &Transaction) -> Result<(), Mismatch> {
    if !reported.is_approved() {
        let with_tip = tip.and_then(|tip| requested.checked_add(tip));
        let is_of_another =
            reported.amount.is_some_and(|amount| amount != requested && Some(amount) != with_tip);
        return if is_of_another { Err(Mismatch("amount")) } else { Ok(()) };
    }
    let amount = reported.amount.or(requested.is_zero().then_some(requested)).ok_or(Mismatch("amount"))?;
    let fee = reported.service_fee.unwrap_or_default();
    let with_tip = requested.checked_add(tip.or(reported.tip_amount).unwrap_or_default());
    let totals = [Some(requested), with_tip];
    let is_whole = |amount: Amount| {
        totals.into_iter().flatten().any(|total| total == amount || total.checked_add(fee) == Some(amount))
    };
    let is_true = match reported.partial() {
        Some(_) => {
            amount < requested
                && !amount.is_zero()
                && reported.partial_approved != Some(false)
                && reported.original_amount.is_none_or(is_whole)
        }
        None => is_whole(amount) || (reported.surcharge_applied == Some(true) && amount > requested),
    };
    if is_true { Ok(()) } else { Err(Mismatch("amount")) }
}

/// The charge, with the original amount of a partial approval if the gateway omits it.
fn with_requested_amount(requested: &Charge, mut reported: Charged) -> Charged {
    if reported.partial().is_some() && !reported.is_duplicate() {
        reported.transaction.original_amount.get_or_insert(*requested.fields().amount);
    }
    reported
}

/// Checks that the response to a follow-up has the id of the first transaction, as its own id or as its reference.
/// Older responses have no reference.
fn follows(id: &TransactionId, reported: &Transaction) -> Result<(), Mismatch> {
    if reported.id.as_ref() == Some(id) {
        Ok(())
    } else {
        not_another("ref-id", Some(id), reported.ref_id.as_ref())
    }
}

/// The compared members match exactly. The gateway matches texts, times and the status word in its own way.
fn fits(search: &TransactionSearch, found: &Transaction) -> Result<(), Mismatch> {
    let TransactionSearch {
        id,
        level: _,
        amount,
        transaction_type,
        status: _,
        last_four,
        authorization_code,
        invoice,
        order_id,
        display_message: _,
        start_date: _,
        end_date: _,
        paging: _,
    } = search;
    not_another("id", id.as_ref(), found.id.as_ref())?;
    // The search may mean the amount before a change.
    if found.original_amount.is_none() || found.original_amount != *amount {
        not_another("amount", amount.as_ref(), found.amount.as_ref())?;
    }
    not_another("type", transaction_type.as_ref(), found.transaction_type.as_ref())?;
    not_another("last-four", last_four.as_ref(), found.last_four.as_ref())?;
    not_another("authorization-code", authorization_code.as_ref(), found.authorization_code.as_ref())?;
    not_another("invoice", invoice.as_ref(), found.invoice.as_ref())?;
    not_another("order-id", order_id.as_ref(), found.order_id.as_ref())
}

fn search_for(kind: TransactionType, charge: &Charge) -> Lookup {
    let ChargeFields { amount, invoice, order_id, card, .. } = charge.fields();
    // A partial approval has another amount, so the amount is a criterion only if nothing else identifies the charge.
    let amount = (invoice.is_none() && order_id.is_none()).then_some(*amount);
    Lookup::Transactions(TransactionSearch {
        transaction_type: Some(kind),
        amount,
        invoice: invoice.map(|invoice| invoice.as_str().to_owned()),
        order_id: order_id.map(|id| id.as_str().to_owned()),
        last_four: last_four(card).map(str::to_owned),
        ..TransactionSearch::default()
    })
}

/// The last four digits of a card; `None` for a token, which keeps its id when an account updater replaces its card.
fn last_four(source: &ChargeSource) -> Option<&str> {
    match source {
        ChargeSource::Card(card) => Some(card.last_four()),
        ChargeSource::Token(_) | ChargeSource::OneTimeToken(_) => None,
    }
}
