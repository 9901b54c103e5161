//! Payments, refunds and voids, and the search for them.

use perennial_domain::clientpay::{
    NewPayment, NewPaymentFields, PageStatus, Payment, PaymentFilterFields, PaymentKind, PaymentSearchFields,
    PaymentStatus, RefundFields, RequestId,
};
use perennial_domain::{Amount, Reported, Text};
use perennial_wire::clientpay::{Received, Reply, payment, search};

use super::answer::{Answer, CallError, Refused};
use super::pages::{self, Document};
use super::{Call, Handled, LIMITS, act, spend};
use crate::issuer::clientpay::{Charged, Verdict};
use crate::issuer::outcome::Outcome;
use crate::store::clientpay::page::StoredPage;
use crate::store::clientpay::payment::{Booked, Booking, Filter};
use crate::store::session::Session;

pub(super) fn pay(call: &Call<'_>) -> Handled {
    let Received { request_id, request, .. } = payment::read_pay(call.version, call.body, &LIMITS)?;
    let given = given(&request, call.any_card)?;
    act(move |session, decline| {
        spend(session, &request_id)?;
        let charged = match given {
            Some(charged) => charged,
            None => stored(session, &request)?,
        };
        let NewPaymentFields { total_amount, session_id, customer_id, tax, description, order_id, .. } =
            request.fields();
        let order = Charge {
            request_id: request_id.expose(),
            session_id: session_id.map(Text::as_str),
            customer_ref: customer_id.map(Text::as_str),
            amount: *total_amount,
            tax: tax.map_or(Amount::ZERO, |tax| tax.amount()),
            order_id: order_id.map(Text::as_str),
            description: description.map(Text::as_str),
        };
        let booked = charge(session, &order, &charged, decline)?;
        Ok(payment_answer(booked.payment))
    })
}

/// A payment request from the API or a page.
pub(crate) struct Charge<'a> {
    pub(crate) request_id: &'a str,
    pub(crate) session_id: Option<&'a str>,
    pub(crate) customer_ref: Option<&'a str>,
    pub(crate) amount: Amount,
    pub(crate) tax: Amount,
    pub(crate) order_id: Option<&'a str>,
    pub(crate) description: Option<&'a str>,
}

/// Charges a card or an account, and stores the result. Declined payments are stored too.
pub(crate) fn charge(
    session: &Session<'_>,
    order: &Charge<'_>,
    charged: &Charged,
    decline: Option<Outcome>,
) -> rusqlite::Result<Booked> {
    let verdict = match decline {
        Some(outcome) => Verdict::declined(outcome.message()),
        None => charged.charge(order.amount, session.now.date()),
    };
    let Charge { request_id, session_id, customer_ref, amount, tax, order_id, description } = *order;
    session.book_payment(&Booking {
        request_id,
        session_id,
        customer_ref,
        method: charged.kind,
        amount,
        tax,
        order_id,
        description,
        verdict: &verdict,
        original: None,
        note: None,
    })
}

/// The card or account in a request, if there is one.
fn given(payment: &NewPayment, any_card: bool) -> Result<Option<Charged>, perennial_domain::Violations> {
    let NewPaymentFields { credit_card, e_check, .. } = payment.fields();
    match (credit_card, e_check) {
        (Some(card), _) => Charged::card(card, any_card, "creditCard.cardNumber").map(Some),
        (None, Some(account)) => Ok(Some(Charged::account(account))),
        (None, None) => Ok(None),
    }
}

/// The stored method of a request: the method itself, or the primary one of a payer.
fn stored(session: &Session<'_>, payment: &NewPayment) -> Result<Charged, CallError> {
    let source = payment.fields().payer_or_payment_method_id.map_or("", |source| source.as_str());
    let method = match session.method(source)? {
        Some(method) => method,
        None if session.has_payer(source)? => {
            let primary = session.methods_of(source)?.into_iter().find(|method| method.is_primary);
            primary.ok_or_else(|| {
                Refused::field(
                    400,
                    "The payer has no payment method.",
                    "payerOrPaymentMethodId",
                    "Must be a payer with a primary method, or a method.",
                )
            })?
        }
        None => return Err(Refused::unknown("payer or payment method").into()),
    };
    Ok(Charged { kind: method.kind, expiry: method.expiry, trigger: method.trigger })
}

/// The answer to a payment, approved or not: a decline is an answer, not a refusal.
fn payment_answer(payment: Payment) -> Answer {
    let reply = Reply { success: payment.success, ..Reply::success(payment) };
    Answer::ok(payment::encode(&reply))
}

pub(super) fn refund(call: &Call<'_>) -> Handled {
    let Received { request_id, request, .. } = payment::read_refund(call.body, &LIMITS)?;
    act(move |session, _| {
        spend(session, &request_id)?;
        let RefundFields {
            payment_id,
            session_id,
            customer_id,
            enable_remaining_amount_refunds,
            refund_note,
            order_id,
            email_options: _,
        } = request.fields();
        let Some(booked) = session.payment(payment_id.as_str())? else {
            return Err(Refused::unknown("payment").into());
        };
        let left = left(&booked)?;
        let whole = booked.refunded.is_zero();
        if !whole && !enable_remaining_amount_refunds.is_some_and(|flag| flag.0) {
            let why = format!("Payment {payment_id} has already been partially refunded.");
            return Err(Refused::new(400, why).into());
        }
        let paid = booked.payment.payment_amount.unwrap_or(Amount::ZERO);
        if whole && !booked.is_settled(session.now) {
            session.mark_payment(payment_id, &PaymentStatus::VOIDED, paid)?;
            let voided = Payment {
                request_id: Some(request_id.used()),
                payment_status: Some(PaymentStatus::VOIDED),
                refund_amount: Some(left),
                ..booked.payment
            };
            return Ok(payment_answer(voided));
        }
        let refund = session.book_payment(&Booking {
            request_id: request_id.expose(),
            session_id: session_id.map(Text::as_str),
            customer_ref: customer_id.map(Text::as_str),
            method: booked
                .payment
                .payment_method_type
                .as_ref()
                .and_then(Reported::value)
                .unwrap_or(PaymentKind::CARD),
            amount: left,
            tax: Amount::ZERO,
            order_id: order_id.map(Text::as_str),
            description: None,
            verdict: &Verdict::approved(),
            original: Some(payment_id),
            note: refund_note.map(Text::as_str),
        })?;
        session.mark_payment(payment_id, &PaymentStatus::REFUNDED, paid)?;
        Ok(payment_answer(refund.payment))
    })
}

/// The amount of a payment that can still be refunded.
fn left(booked: &Booked) -> Result<Amount, Refused> {
    let Payment { payment_status, payment_amount, original_payment_id, .. } = &booked.payment;
    if original_payment_id.is_some() {
        return Err(Refused::new(400, "The payment is a refund itself."));
    }
    if payment_status.as_ref() != Some(&PaymentStatus::APPROVED) {
        let status = payment_status.as_ref().map_or("unknown", PaymentStatus::as_str);
        return Err(Refused::new(400, format!("The payment is {status} and cannot be refunded.")));
    }
    let left = payment_amount.unwrap_or(Amount::ZERO).checked_sub(booked.refunded);
    left.filter(|left| !left.is_zero()).ok_or_else(|| Refused::new(400, "The payment is refunded already."))
}

/// Refunds a part of a payment, as the vendor's own screens do: the API has no call for this. Returns the remainder.
pub(crate) fn refund_part(
    session: &Session<'_>,
    payment: &str,
    amount: Amount,
) -> rusqlite::Result<Result<Amount, &'static str>> {
    let Some(booked) = session.payment(payment)? else {
        return Ok(Err("payment-id: must be that of a payment"));
    };
    let (Ok(left), Some(id)) = (left(&booked), &booked.payment.payment_id) else {
        return Ok(Err("payment-id: must be that of a payment that can be refunded"));
    };
    let left = left.checked_sub(amount).filter(|left| !left.is_zero());
    let Some((left, refunded)) = left.zip(booked.refunded.checked_add(amount)) else {
        return Ok(Err("amount: must be less than what is left of the payment"));
    };
    session.mark_payment(id, &PaymentStatus::APPROVED, refunded)?;
    Ok(Ok(left))
}

pub(super) fn count(call: &Call<'_>) -> Handled {
    let filter = search::read_count(call.body, &LIMITS)?;
    let PaymentFilterFields { group } = filter.fields();
    let filter = Filter::of(group)?;
    act(move |session, _| {
        let count = session.count_payments(&filter)?;
        Ok(Answer::ok(search::encode_count(&Reply::success(Some(count)))))
    })
}

pub(super) fn search(call: &Call<'_>) -> Handled {
    let search = search::read_results(call.body, &LIMITS)?;
    let filter = Filter::of(search.fields().group)?;
    act(move |session, _| {
        let PaymentSearchFields { group: _, order_by, page_number, page_size } = search.fields();
        let order = order_by.map(perennial_domain::clientpay::Order::as_slice).unwrap_or_default();
        let (page, size) =
            (page_number.map_or(1, |page| page.get()), page_size.map_or(100, |size| size.get()));
        let found = search::Found {
            page_number: Some(page.into()),
            page_size: Some(size.into()),
            payments: session.found_payments(&filter, order, page, size)?,
        };
        Ok(Answer::ok(search::encode_results(&Reply::success(Some(found)))))
    })
}

/// The status of version 1.0: of a payment, or of a page without a payment. Everything but its method is **inferred**.
pub(super) fn status(call: &Call<'_>) -> Handled {
    let Received { request_id, .. } = payment::read_status(call.query)?;
    let site = call.site.to_owned();
    act(move |session, _| {
        let page = session.page(request_id.expose())?;
        let place = page.as_ref().map(|page| (page.status(session.now), pages::url(&site, page)));
        let (page_status, url) = place.unzip();
        match session.payment_under(request_id.expose())? {
            Some(booked) => Ok(payment_answer(Payment {
                payment_page_url_status: page_status,
                payment_page_url: url,
                ..booked.payment
            })),
            None => match page {
                Some(page) => Ok(payment_answer(unpaid(&request_id, &page, page_status, url))),
                None => Err(Refused::unknown("request").into()),
            },
        }
    })
}

fn unpaid(id: &RequestId, page: &StoredPage, status: Option<PageStatus>, url: Option<String>) -> Payment {
    let document = Document::of(page);
    let [session_id, customer_ref_number] = document.as_ref().map(Document::references).unwrap_or_default();
    Payment {
        success: Some(true),
        request_id: Some(id.used()),
        session_id: session_id.map(str::to_owned),
        customer_ref_number: customer_ref_number.map(str::to_owned),
        payment_page_url_status: status,
        payment_amount: Some(Amount::ZERO),
        payment_tax_amount: Some(Amount::ZERO),
        surcharge_amount: Some(Amount::ZERO),
        payment_page_url: url,
        ..Payment::default()
    }
}
