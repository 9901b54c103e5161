//! Card transactions: charges, their captures, voids and refunds, and the search.

use perennial_domain::clearent::{
    Capture, CaptureFields, Charge, ChargeFields, ChargeSource, CheckAnswer, OneTimeToken, PostalAddress,
    Refund, RefundFields, Token, TokenId, Transaction, TransactionId, TransactionRequest, TransactionType,
    Void,
};
use perennial_domain::{Amount, Expiry, Reported, Rule, Text, Total, Violations};
use perennial_wire::clearent::{Operation, Payload, transaction};

use super::answer::{Answer, CallError, Refused};
use super::{Call, Handled, LIMITS, act, duplicates, one_time_tokens, search_time};
use crate::issuer::outcome::{self, Outcome};
use crate::issuer::test_cards;
use crate::mask;
use crate::processor::checks::Code;
use crate::processor::{alerts, checks, records};
use crate::store::customer::postal;
use crate::store::one_time_token::OneTimeCard;
use crate::store::session::Session;
use crate::store::token::{Card, Tokenised};

/// Handles a transaction whose `type` is in the body.
pub(super) fn any(call: &mut Call<'_>) -> Handled {
    read(call, None)
}

pub(super) fn sale(call: &mut Call<'_>) -> Handled {
    read(call, Some(TransactionType::SALE))
}

pub(super) fn auth(call: &mut Call<'_>) -> Handled {
    read(call, Some(TransactionType::AUTH))
}

pub(super) fn forced_sale(call: &mut Call<'_>) -> Handled {
    read(call, Some(TransactionType::FORCED_SALE))
}

pub(super) fn capture(call: &mut Call<'_>) -> Handled {
    read(call, Some(TransactionType::CAPTURE))
}

pub(super) fn void(call: &mut Call<'_>) -> Handled {
    read(call, Some(TransactionType::VOID))
}

pub(super) fn refund(call: &mut Call<'_>) -> Handled {
    read(call, Some(TransactionType::REFUND))
}

pub(super) fn mobile_any(call: &mut Call<'_>) -> Handled {
    read_mobile(call, None)
}

pub(super) fn mobile_sale(call: &mut Call<'_>) -> Handled {
    read_mobile(call, Some(TransactionType::SALE))
}

pub(super) fn mobile_auth(call: &mut Call<'_>) -> Handled {
    read_mobile(call, Some(TransactionType::AUTH))
}

pub(super) fn mobile_refund(call: &mut Call<'_>) -> Handled {
    read_mobile(call, Some(TransactionType::REFUND))
}

fn read(call: &mut Call<'_>, from_path: Option<TransactionType>) -> Handled {
    let request = transaction::read(call.format, call.body, &LIMITS, from_path)?;
    handle(call, request)
}

/// Handles a transaction that charges the card behind the token of the header `mobilejwt`.
fn read_mobile(call: &mut Call<'_>, from_path: Option<TransactionType>) -> Handled {
    let text = call.mobile_jwt.ok_or_else(one_time_tokens::missing)?.to_str().unwrap_or_default();
    let token = OneTimeToken::try_from(text).map_err(|error| Violations::one("mobilejwt", error.0))?;
    let request = transaction::read_mobile(call.format, call.body, &LIMITS, from_path, token)?;
    handle(call, request)
}

fn handle(call: &mut Call<'_>, request: TransactionRequest) -> Handled {
    let (operation, action) = match request {
        TransactionRequest::Sale(charge) => (Operation::Sale, charged(call, TransactionType::SALE, &charge)),
        TransactionRequest::Auth(charge) => (Operation::Auth, charged(call, TransactionType::AUTH, &charge)),
        TransactionRequest::ForcedSale(charge) => {
            (Operation::Sale, charged(call, TransactionType::FORCED_SALE, &charge))
        }
        TransactionRequest::Capture(capture) => (Operation::Capture, captured(capture)),
        TransactionRequest::Void(void, amount) => (Operation::Void, voided(void, amount)),
        TransactionRequest::Refund(refund) => (Operation::Refund, refunded(call, &refund)),
        _ => return Err(Violations::one("type", Rule::OneOf("those that this sandbox knows")).into()),
    };
    call.operation = operation.name();
    action
}

/// The source of a charge, after the card is reduced to its storable parts.
enum Source {
    Card(Card),
    Token(TokenId),
    OneTimeToken(OneTimeToken),
}

/// A card to charge or refund.
struct Found {
    card: Card,
    /// Its token, if it has one.
    token: Option<Token>,
    /// The reason why it cannot be charged, if there is one.
    refused: Option<Outcome>,
    /// The issuer's result for the security code in the request.
    csc: Option<CheckAnswer>,
}

impl Source {
    fn of(source: &ChargeSource, exp_date: Option<&Expiry>, call: &Call<'_>) -> Result<Self, Violations> {
        match source {
            ChargeSource::Token(id) => Ok(Self::Token(id.clone())),
            ChargeSource::OneTimeToken(token) => Ok(Self::OneTimeToken(token.clone())),
            ChargeSource::Card(card) => {
                if !call.any_card {
                    test_cards::check(card)?;
                }
                let last_four = card.last_four().to_owned();
                Ok(Self::Card(Card { brand: card.brand(), last_four, exp_date: exp_date.copied() }))
            }
        }
    }

    /// Looks the card up. A one-time token is used up.
    fn look_up(self, session: &Session<'_>) -> Result<Found, CallError> {
        let today = session.now.date();
        match self {
            Self::Card(card) => {
                let refused = outcome::of_expiry(card.exp_date, today);
                Ok(Found { card, token: None, refused, csc: None })
            }
            Self::OneTimeToken(token) => {
                let OneTimeCard { card, csc } = one_time_tokens::redeem(session, &token)?;
                let refused = outcome::of_expiry(card.exp_date, today);
                let csc = CheckAnswer::CSC.iter().find(|answer| Some(answer.code) == csc.as_deref());
                Ok(Found { card, token: None, refused, csc: csc.copied() })
            }
            Self::Token(id) => {
                let unknown = || Refused::from(Violations::one("card", Rule::Unknown("token")));
                let token = session.token(&id)?.ok_or_else(unknown)?;
                let last_four = token.last_four_digits.clone().ok_or_else(unknown)?;
                let exp_date = token.exp_date.as_ref().and_then(Reported::value);
                let card = Card { brand: token.card_type.clone(), last_four, exp_date };
                let refused = outcome::of_token(&token, today);
                Ok(Found { card, token: Some(token), refused, csc: None })
            }
        }
    }
}

fn owned(text: Option<&Text>) -> Option<String> {
    text.map(|text| text.as_str().to_owned())
}

/// Free text with card numbers masked; neither the answer nor the alert repeats one.
fn prose(text: Option<&Text>) -> Option<String> {
    text.map(|text| mask::text(text.as_str()))
}

fn charged(call: &Call<'_>, kind: TransactionType, charge: &Charge) -> Handled {
    let ChargeFields {
        amount,
        card,
        exp_date,
        csc,
        check_field,
        create_token,
        token_description,
        description,
        ..
    } = charge.fields();
    let source = Source::of(card, exp_date, call)?;
    let (amount, wants_token) = (*amount, create_token.is_some_and(|flag| flag.0));
    let only_vaults = kind == TransactionType::AUTH && amount.is_zero() && wants_token;
    let checks_invoice = check_field.is_some();
    // Only the issuer's answer to the code is stored, not the code.
    let code = csc.map(Code::from);
    let description = prose(token_description.or(description));
    let record = recorded(kind, charge);
    act(move |session, site| {
        let Found { card, token, refused, csc } = source.look_up(session)?;
        let record = Transaction {
            last_four: Some(card.last_four.clone()),
            card_type: record.card_type.or_else(|| card.brand.clone()),
            exp_date: card.exp_date.map(Reported::from),
            check_field_duplicate: checks_invoice.then_some(false),
            ..record
        };
        if site.decline.is_none()
            && let Some(earlier) = duplicates::earlier(session, &record, checks_invoice)?
        {
            return Ok(answer_for(session, earlier, |earlier| Answer::ok(Payload::Transaction(earlier))));
        }
        let answers = if record.transaction_type == Some(TransactionType::FORCED_SALE) {
            (None, None)
        } else {
            (
                address(session, &record, token.as_ref())?,
                code.and_then(|code| code.answer(record.card_type.as_ref())).or(csc),
            )
        };
        let issuer = site.decline.or(refused).unwrap_or_else(|| outcome::of_amount(amount));
        let (record, outcome) = checks::book(session, record, token.as_ref(), issuer, answers, session.now)?;
        if let Some(id) = token.as_ref().and_then(|token| token.token_id.as_ref()) {
            session.use_token(id, session.now)?;
        }
        if !outcome.is_approved() {
            return Ok(answer_for(session, record, |fresh| {
                Answer::declined(outcome.status, Payload::Transaction(fresh))
            }));
        }
        if !wants_token {
            return Ok(answer_for(session, record, |fresh| Answer::ok(Payload::Transaction(fresh))));
        }
        let token = if let Some(token) = token {
            token
        } else {
            let token = session.create_token(Tokenised {
                card: Card { brand: record.card_type.clone(), ..card },
                customer_key: None,
                description,
                avs_address: None,
                avs_zip: None,
                avs_required: true,
            })?;
            alerts::write_alert(session, &record, Some(&token), session.now)?;
            token
        };
        let token = Box::new(records::with_merchant(session, token));
        let link = token.token_id.as_ref().map(records::token_link);
        let answer = answer_for(session, record, |fresh| {
            if only_vaults {
                Answer::ok(Payload::Token(token))
            } else {
                Answer::ok(Payload::TransactionToken(fresh, token))
            }
        });
        Ok(link.into_iter().fold(answer, Answer::with_link))
    })
}

/// The charge as it will be stored, before its card is looked up.
fn recorded(kind: TransactionType, charge: &Charge) -> Transaction {
    let ChargeFields {
        amount,
        card: _,
        exp_date: _,
        csc: _,
        card_type,
        invoice,
        purchase_order,
        order_id,
        customer_id,
        description,
        comments,
        client_ip: _,
        email_address,
        email_receipt: _,
        sales_tax_amount,
        tip_amount,
        check_field: _,
        create_token: _,
        token_description,
        billing_is_shipping,
        authorization_code,
        software_type,
        software_type_version,
        billing,
        shipping,
    } = charge.fields();
    Transaction {
        transaction_type: Some(kind),
        amount: Some(*amount),
        card_type: card_type.cloned(),
        authorization_code: owned(authorization_code),
        invoice: invoice.map(|invoice| invoice.as_str().to_owned()),
        purchase_order: purchase_order.map(|order| order.as_str().to_owned()),
        order_id: owned(order_id),
        customer_id: owned(customer_id),
        description: prose(description),
        comments: prose(comments),
        token_description: prose(token_description),
        email_address: owned(email_address),
        sales_tax_amount: sales_tax_amount.copied(),
        tip_amount: tip_amount.copied(),
        billing: billing.map(postal),
        shipping: shipping.map(postal),
        billing_is_shipping: billing_is_shipping.map(|flag| flag.0.into()),
        software_type: prose(software_type),
        software_type_version: owned(software_type_version),
        ..Transaction::default()
    }
}

/// The issuer's result for the billing address, or else for the token's address; `None` if address checks are off.
fn address(
    session: &Session<'_>,
    charge: &Transaction,
    token: Option<&Token>,
) -> Result<Option<CheckAnswer>, CallError> {
    match (&charge.billing, token) {
        (Some(PostalAddress { street, zip, .. }), _) if street.is_some() || zip.is_some() => {
            Ok(checks::of_address(street.as_deref(), zip.as_deref()))
        }
        (_, Some(token)) => Ok(checks::of_token(session, token)?),
        _ => Ok(None),
    }
}

/// Captures up to the authorized amount, once; a tip is added on top.
fn captured(capture: Capture) -> Handled {
    act(move |session, _| {
        let CaptureFields { id, amount, tip_amount, sales_tax_amount } = capture.fields();
        let original = original(session, id, &[TransactionType::AUTH])?;
        if !session.followed_up(id, &TransactionType::CAPTURE)?.is_zero() {
            return Err(Refused::business("041", "the authorization is captured already").into());
        }
        if *amount > original.amount.unwrap_or_default() {
            return Err(Refused::business("014", "Exceeds amount limit: more than was authorized").into());
        }
        let record = Transaction {
            tip_amount: tip_amount.copied(),
            sales_tax_amount: sales_tax_amount.copied(),
            ..records::following(original, TransactionType::CAPTURE, *amount)
        };
        session.set_pending(id, false)?;
        follow(session, record)
    })
}

/// Voids a transaction of the open batch, or an authorization, in full, unless another transaction follows it up.
fn voided(void: Void, requested: Option<Amount>) -> Handled {
    act(move |session, _| {
        let Void { id } = &void;
        let original = original(
            session,
            id,
            &[
                TransactionType::SALE,
                TransactionType::AUTH,
                TransactionType::FORCED_SALE,
                TransactionType::CAPTURE,
                TransactionType::REFUND,
                TransactionType::UNMATCHED_REFUND,
            ],
        )?;
        for kind in [TransactionType::CAPTURE, TransactionType::REFUND] {
            if !session.followed_up(id, &kind)?.is_zero() {
                let followed = if kind == TransactionType::CAPTURE { "captured" } else { "refunded" };
                return Err(Refused::business("041", format!("the transaction is {followed} already")).into());
            }
        }
        if original.settled == Some(true) {
            return Err(Refused::business("041", "the batch of the transaction is closed: refund it").into());
        }
        let amount = original.amount.unwrap_or_default();
        // A tip comes on top, and a client may count it in; nothing is what some write who mean no amount.
        let whole = [amount.into(), amount + original.tip_amount.unwrap_or_default(), Total::ZERO];
        if requested.is_some_and(|requested| !whole.contains(&requested.into())) {
            return Err(
                Refused::business("041", "a void takes back all of a transaction: refund a part").into()
            );
        }
        session.void_transaction(id)?;
        if let Some(authorization) = original.ref_id.as_ref().filter(|_| is_capture(&original)) {
            session.set_pending(authorization, true)?;
        }
        follow(session, records::following(original, TransactionType::VOID, amount))
    })
}

fn is_capture(transaction: &Transaction) -> bool {
    transaction.transaction_type == Some(TransactionType::CAPTURE)
}

/// Refunds up to the captured amount, or refunds a card without an earlier transaction.
fn refunded(call: &Call<'_>, refund: &Refund) -> Handled {
    let RefundFields { amount, id, card, exp_date, invoice, order_id, comments } = refund.fields();
    let (amount, id) = (*amount, id.cloned());
    let source = match (&id, card) {
        (None, Some(card)) => Some(Source::of(card, exp_date, call)?),
        _ => None,
    };
    let (invoice, order_id) = (invoice.map(|invoice| invoice.as_str().to_owned()), owned(order_id));
    let comments = prose(comments);
    act(move |session, _| {
        let record = match (id, source) {
            (Some(id), _) => {
                let kinds = [TransactionType::SALE, TransactionType::FORCED_SALE, TransactionType::CAPTURE];
                let original = original(session, &id, &kinds)?;
                let taken = original.amount.unwrap_or_default() + original.tip_amount.unwrap_or_default();
                let left = taken - session.followed_up(&id, &TransactionType::REFUND)?;
                if left < amount.into() {
                    return Err(Refused::business("025", "Exceeds Maximum Refundable Amount").into());
                }
                records::following(original, TransactionType::REFUND, amount)
            }
            (None, Some(source)) => {
                let Found { card, refused, .. } = source.look_up(session)?;
                if let Some(outcome) = refused {
                    let declined = outcome.stamp(Transaction::default()).display_message.unwrap_or_default();
                    return Err(Refused::business("023", declined).into());
                }
                Transaction {
                    transaction_type: Some(TransactionType::UNMATCHED_REFUND),
                    amount: Some(amount),
                    last_four: Some(card.last_four),
                    card_type: card.brand,
                    exp_date: card.exp_date.map(Reported::from),
                    ..Transaction::default()
                }
            }
            (None, None) => return Err(Violations::one("id", Rule::Required).into()),
        };
        let record = Transaction {
            invoice: invoice.or(record.invoice),
            order_id: order_id.or(record.order_id),
            comments: comments.or(record.comments),
            ..record
        };
        follow(session, record)
    })
}

/// The approved transaction of one of these types that a request follows up.
fn original(
    session: &Session<'_>,
    id: &TransactionId,
    kinds: &[TransactionType],
) -> Result<Transaction, CallError> {
    let found = session.transaction(id)?;
    let of_kind = |transaction: &Transaction| {
        transaction.is_approved()
            && transaction.transaction_type.as_ref().is_some_and(|kind| kinds.contains(kind))
    };
    let original = found.filter(of_kind).ok_or_else(|| Refused::business("027", "Original Not Found"))?;
    if original.voided == Some(true) {
        return Err(Refused::business("024", "Previously Reversed").into());
    }
    Ok(original)
}

fn follow(session: &Session<'_>, record: Transaction) -> Result<Answer, CallError> {
    let record = alerts::book(session, Outcome::APPROVED.stamp(record), None, session.now)?;
    Ok(answer_for(session, record, |fresh| Answer::ok(Payload::Transaction(fresh))))
}

/// The answer for a transaction that was just created.
fn answer_for(
    session: &Session<'_>,
    record: Transaction,
    answer: impl FnOnce(Box<Transaction>) -> Answer,
) -> Answer {
    let link = record.id.as_ref().map(records::link);
    let fresh = records::fresh(session, record);
    link.into_iter().fold(answer(Box::new(fresh)), Answer::with_link)
}

/// Sets the tip of a charge that is not settled yet.
pub(super) fn update(call: &mut Call<'_>) -> Handled {
    let id = call.transaction_id()?;
    let update = transaction::read_update(call.format, call.body, &LIMITS)?;
    act(move |session, _| {
        session.transaction(&id)?.ok_or_else(Refused::unknown_object)?;
        let kinds = [TransactionType::SALE, TransactionType::FORCED_SALE, TransactionType::CAPTURE];
        let charge = original(session, &id, &kinds)?;
        if charge.settled == Some(true) {
            return Err(Refused::business("041", "the batch of the transaction is closed").into());
        }
        if !session.followed_up(&id, &TransactionType::REFUND)?.is_zero() {
            return Err(Refused::business("041", "the transaction is refunded already").into());
        }
        let tip_amount = *update.fields().tip_amount;
        session.set_tip(&id, tip_amount)?;
        let adjusted = Transaction { tip_amount: Some(tip_amount), ..charge };
        Ok(answer_for(session, adjusted, |adjusted| Answer::ok(Payload::Transaction(adjusted))))
    })
}

pub(super) fn get(call: &mut Call<'_>) -> Handled {
    let id = call.transaction_id()?;
    act(move |session, _| {
        let transaction = session.transaction(&id)?.ok_or_else(Refused::unknown_object)?;
        Ok(Answer::ok(Payload::Transaction(Box::new(records::of_terminal(session, transaction)))))
    })
}

pub(super) fn list(call: &mut Call<'_>) -> Handled {
    let search = transaction::read_search(call.query)?;
    let mut violations = Violations::default();
    let mut span = |name: &'static str, text: &Option<String>| {
        let span = text.as_deref().map(search_time::span)?;
        if span.is_none() {
            violations.add(name, Rule::OneOf(search_time::FORMATS));
        }
        span
    };
    let from = span("start-date", &search.start_date).map(|span| *span.start());
    let to = span("end-date", &search.end_date).map(|span| *span.end());
    if !violations.is_empty() {
        return Err(violations.into());
    }
    act(move |session, _| {
        let (transactions, page) =
            session.transactions(search, from, to, session.forgotten()?, session.search_time())?;
        let transactions =
            transactions.into_iter().map(|found| records::of_terminal(session, found)).collect();
        Ok(Answer::page_or_nothing(Payload::Transactions(transactions), page))
    })
}
