//! Payments, their refunds, and reports of them: in responses, in search results, and in postbacks.

use perennial_domain::clientpay::{
    self as domain, AccessId, NewPayment, NewPaymentBuilder, NewPaymentFields, PaymentStatus, Postback,
    Refund, RefundBuilder, RefundFields, RequestId, UsedRequestId,
};

use super::fields::{Money, OrNull, Verbatim};
use super::method::{Address, Card, ECheck};
use super::payer;
use super::reply::{Envelope, Reply, document, read, refused, write};
use super::session::{Ids, Token, Under, absent, short, token};
use super::{Operation, Received, Session, Version};
use crate::call::{Call, ReadError};
use crate::codec;
use crate::error::{DecodeError, EncodeError};
use crate::failure::Failure;
use crate::fields::{given, lenient, some_text, text};
use crate::format::Format;
use crate::limits::Limits;
use crate::query::{Params, Target};
use crate::rule::{Asks, record, request};
use crate::text::{Bare, Text};

message! {
    struct PaymentRequest<'a> as "" in any case {
        token: Option<Token<'a>> = "token",
        total_amount: Option<Money<'a>> = "totalAmount",
        tax: Option<Money<'a>> = "tax",
        description: Option<Text<'a>> = "description",
        order_id: Option<Text<'a>> = "orderId",
        payer_or_payment_method_id: Option<Text<'a>> = "payerOrPaymentMethodId",
        credit_card: Option<Card<'a>> = "creditCard",
        e_check: Option<ECheck<'a>> = "eCheck",
        billing_information: Option<Address<'a>> = "billingInformation",
        billing_address: Option<Address<'a>> = "billingAddress",
    }
}

message! {
    /// A payment in version 1.0: **inferred** from the flat messages of its pages.
    struct PaymentForm<'a> as "" in any case with ids: Ids<'a> {
        total_amount: Option<Money<'a>> = "totalAmount",
        tax: Option<Money<'a>> = "tax",
        description: Option<Text<'a>> = "description",
        cardholder_name: Option<Text<'a>> = "cardholderName",
        card_number: Option<Text<'a>> = "cardNumber",
        expiration_date_month: Option<Bare<'a>> = "expirationDateMonth",
        expiration_date_year: Option<Bare<'a>> = "expirationDateYear",
        cvv: Option<Text<'a>> = "cvv",
        billing_address: Option<Text<'a>> = "billingAddress",
        billing_city: Option<Text<'a>> = "billingCity",
        billing_state_code: Option<Text<'a>> = "billingStateCode",
        billing_zip_code: Option<Text<'a>> = "billingZipCode",
        billing_country: Option<Text<'a>> = "billingCountry",
    }
}

message! {
    struct RefundRequest<'a> as "" in any case {
        token: Option<Token<'a>> = "token",
        payment_id: Option<Text<'a>> = "paymentId",
        enable_remaining_amount_refunds: Option<Bare<'a>> = "enableRemainingAmountRefunds",
        refund_note: Option<Text<'a>> = "refundNote",
        order_id: Option<Text<'a>> = "orderId",
        email_options: Option<Verbatim<'a>> = "emailOptions",
    }
}

message! {
    /// A payment in a report. Members up to the page's URL are attested in postbacks; their use in responses and
    /// searches, and all further members, are **inferred**. There is no place for a card, if a gateway echoes one.
    pub(super) struct Payment<'a> as "payment" keyed by |payment| payment.payment_id.0.as_deref();
        in any case with envelope: Envelope<'a> {
        request_id: Option<Text<'a>> = "requestID",
        payment_id: OrNull<Text<'a>> = "paymentID",
        session_id: OrNull<Text<'a>> = "sessionID",
        customer_ref_number: OrNull<Text<'a>> = "customerRefNumber",
        payment_status: OrNull<Text<'a>> = "paymentStatus",
        payment_page_url_status: Option<Text<'a>> = "paymentPageUrlStatus",
        payment_date: Option<Text<'a>> = "paymentDate",
        payment_date_utc: Option<Text<'a>> = "paymentDateUtc",
        payment_method_type: Option<Bare<'a>> = "paymentMethodType",
        status_by_type: Option<Bare<'a>> = "statusByType",
        payment_amount: Option<Money<'a>> = "paymentAmount",
        payment_tax_amount: Option<Money<'a>> = "paymentTaxAmount",
        surcharge_amount: Option<Money<'a>> = "surchargeAmount",
        payment_page_url: Option<Text<'a>> = "paymentPageUrl",
        original_payment_id: Option<Text<'a>> = "originalPaymentID",
        refund_amount: Option<Money<'a>> = "refundAmount",
        status: Option<Text<'a>> = "status",
    }
}

message! {
    /// The first postback of a payment, which has another name for the status.
    struct Processing<'a> as "" {
        request_id: Option<Text<'a>> = "requestID",
        status: Option<Text<'a>> = "status",
        payment_id: Option<Text<'a>> = "paymentID",
        success: Option<Bare<'a>> = "success",
    }
}

request! {
    PaymentRequest asks NewPayment, by NewPaymentFields, NewPaymentBuilder {
        total_amount, session_id in token, customer_id in token, tax, description, order_id,
        payer_or_payment_method_id;
        nested credit_card, e_check, billing_information
    }
}

request! {
    RefundRequest asks Refund, by RefundFields, RefundBuilder {
        payment_id, session_id in token, customer_id in token, enable_remaining_amount_refunds, refund_note, order_id,
        email_options
    }
}

record! {
    Payment is domain::Payment {
        request_id, payment_id, session_id, customer_ref_number, payment_status, payment_page_url_status,
        payment_date, payment_date_utc, payment_method_type, status_by_type, payment_amount, payment_tax_amount,
        surcharge_amount, payment_page_url, original_payment_id, refund_amount;
        apart success, message
    }
}

/// Payment. Version 1.0 accepts a card only.
pub fn pay(session: Session<'_>, request_id: &RequestId, payment: &NewPayment) -> Result<Call, EncodeError> {
    let call = Operation::Pay.call(session.version)?;
    let mut message = PaymentRequest::from(payment);
    message.token = Some(token(request_id, message.token));
    match session.version {
        Version::V2 => call.with_body(Format::Json, &message),
        Version::V1 => call.with_body(Format::Json, &message.in_v1(session)?),
    }
}

/// Full refund or void, of version 2 only.
pub fn refund(session: Session<'_>, request_id: &RequestId, refund: &Refund) -> Result<Call, EncodeError> {
    let mut message = RefundRequest::from(refund);
    message.token = Some(token(request_id, message.token));
    Operation::Refund.call(session.version)?.with_body(Format::Json, &message)
}

/// Status, of version 1.0 only, **inferred** except for the method. The access id is a header, because our URLs contain
/// no secrets.
pub fn status(version: Version, request_id: &UsedRequestId) -> Result<Call, EncodeError> {
    let call = Operation::PaymentStatus.call(version)?;
    let target = Target::new(&call.target).with("requestId", Some(request_id)).finish();
    Ok(Call { target, ..call })
}

/// Reads the query of a status.
#[cfg(feature = "gateway")]
pub fn read_status(query: &str) -> Result<Received<()>, ReadError> {
    let request_id = Params::new(query).text("requestId").map(Into::into);
    Under::from(Ids { request_id, ..Ids::default() }).receive(Ok(()))
}

/// Reads the access id in the query of a status, if present.
#[cfg(feature = "gateway")]
pub fn read_status_access_id(query: &str) -> Option<AccessId> {
    lenient(Params::new(query).text("accessId"))
}

/// Reads the body of a payment. The address is accepted under either of the names that the vendor's pages have for it.
#[cfg(feature = "gateway")]
pub fn read_pay(version: Version, body: &[u8], limits: &Limits) -> Result<Received<NewPayment>, ReadError> {
    let (under, mut request) = match version {
        Version::V2 => {
            let request: PaymentRequest<'_> = codec::decode(Format::Json, body, limits)?;
            (Under::from(&request.token), request)
        }
        Version::V1 => {
            let form: PaymentForm<'_> = codec::decode(Format::Json, body, limits)?;
            let (ids, request) = form.in_v2();
            (Under::from(ids), request)
        }
    };
    request.billing_information = request.billing_information.or(request.billing_address.take());
    under.receive(request.onto(NewPayment::builder()).accept())
}

impl<'a> PaymentRequest<'a> {
    fn in_v1(self, session: Session<'a>) -> Result<PaymentForm<'a>, EncodeError> {
        let Self {
            token,
            total_amount,
            tax,
            description,
            order_id,
            payer_or_payment_method_id,
            credit_card,
            e_check,
            billing_information,
            billing_address: _,
        } = self;
        absent("orderId", order_id)?;
        absent("payerOrPaymentMethodId", payer_or_payment_method_id)?;
        absent("eCheck", e_check)?;
        let Card { cardholder_name, card_number, expiration_date_month, expiration_date_year, cvv } =
            credit_card.unwrap_or_default();
        let Address { address_line1, phone_number, city, state, country, zip_code } =
            billing_information.unwrap_or_default();
        absent("phoneNumber", phone_number)?;
        Ok(PaymentForm {
            ids: Ids::of(session, token),
            total_amount,
            tax,
            description,
            cardholder_name: short("cardholderName", cardholder_name)?,
            card_number,
            expiration_date_month,
            expiration_date_year,
            cvv,
            billing_address: short("billingAddress", address_line1)?,
            billing_city: short("billingCity", city)?,
            billing_state_code: state,
            billing_zip_code: zip_code,
            billing_country: short("billingCountry", country)?,
        })
    }
}

impl<'a> PaymentForm<'a> {
    fn in_v2(self) -> (Ids<'a>, PaymentRequest<'a>) {
        let Self {
            ids,
            total_amount,
            tax,
            description,
            cardholder_name,
            card_number,
            expiration_date_month,
            expiration_date_year,
            cvv,
            billing_address,
            billing_city,
            billing_state_code,
            billing_zip_code,
            billing_country,
        } = self;
        let request = PaymentRequest {
            token: Some(ids.token()),
            total_amount,
            tax,
            description,
            credit_card: Some(Card {
                cardholder_name,
                card_number,
                expiration_date_month,
                expiration_date_year,
                cvv,
            }),
            billing_information: Some(Address {
                address_line1: billing_address,
                phone_number: None,
                city: billing_city,
                state: billing_state_code,
                country: billing_country,
                zip_code: billing_zip_code,
            }),
            ..PaymentRequest::default()
        };
        (ids, request)
    }
}

/// Reads the body of a refund.
#[cfg(feature = "gateway")]
pub fn read_refund(body: &[u8], limits: &Limits) -> Result<Received<Refund>, ReadError> {
    let request: RefundRequest<'_> = codec::decode(Format::Json, body, limits)?;
    let under = Under::from(&request.token);
    under.receive(request.onto(Refund::builder()).accept())
}

/// Reads the response to a payment, to a refund and to a status: an approval or a decline, both are payments.
pub fn decode(body: &[u8], limits: &Limits) -> Result<Reply<domain::Payment>, DecodeError> {
    let document = document(body, "message");
    let payment: Payment<'_> = read(&document, limits)?;
    payment.reply().map_err(refused)
}

/// Writes the response to a payment, to a refund and to a status.
#[cfg(feature = "gateway")]
pub fn encode(reply: &Reply<domain::Payment>) -> Vec<u8> {
    let mut payment = Payment::of(&reply.value);
    let own = std::mem::replace(&mut payment.envelope, reply.envelope());
    payment.envelope.success = payment.envelope.success.or(own.success);
    payment.envelope.message = payment.envelope.message.or(own.message);
    write(&payment)
}

/// Reads a postback.
///
/// ```
/// use perennial_domain::clientpay::{PaymentStatus, Postback};
/// use perennial_wire::{Limits, clientpay::payment};
///
/// let body = br#"{"requestID":"0d3f4c2e","status":"Processing","paymentID":"","success":true}"#;
/// let Postback::Payment(reported) = payment::decode_postback(body, &Limits::default()).unwrap() else {
///     panic!("a payment")
/// };
/// assert_eq!((reported.payment_status, reported.payment_id), (Some(PaymentStatus::PROCESSING), None));
/// ```
pub fn decode_postback(body: &[u8], limits: &Limits) -> Result<Postback, DecodeError> {
    if let Some(payer) = payer::postback(body, limits)? {
        return Ok(Postback::Payer(payer));
    }
    let payment: Payment<'_> = read(body, limits)?;
    Ok(Postback::Payment(Box::new(payment.report().map_err(refused)?)))
}

/// Writes a postback.
#[cfg(feature = "gateway")]
pub fn encode_postback(postback: &Postback) -> Vec<u8> {
    match postback {
        Postback::Payer(payer) => payer::encode_postback(payer),
        Postback::Payment(payment) if payment.payment_status == Some(PaymentStatus::PROCESSING) => {
            write(&Processing {
                request_id: some_text(payment.request_id.as_ref()),
                status: Some(text(PaymentStatus::PROCESSING.as_str())),
                payment_id: Some(text("")),
                success: payment.success.map(Bare::from),
            })
        }
        Postback::Payment(payment) => write(&Payment::of(payment)),
    }
}

/// The status of a payment, from the member of this name, or from the one in the first postback. If they contradict
/// each other, the status is unknown.
fn payment_status(named: Option<PaymentStatus>, first: Option<Text<'_>>) -> Option<PaymentStatus> {
    let other = given(first).and_then(|word| PaymentStatus::try_from(&*word).ok());
    match (named, other) {
        (Some(named), Some(other)) if named != other => {
            Some(PaymentStatus::reported(&format!("{named} and {other}")))
        }
        (named, other) => named.or(other),
    }
}

impl<'a> Payment<'a> {
    /// The report of a payment.
    pub(super) fn of(payment: &'a domain::Payment) -> Self {
        let envelope = Envelope {
            success: payment.success.map(Bare::from),
            message: some_text(payment.message.as_ref()),
            ..Envelope::default()
        };
        Self { envelope, ..Self::from(payment) }
    }

    fn reply(mut self) -> Result<Reply<domain::Payment>, Failure> {
        let envelope = std::mem::take(&mut self.envelope);
        let Reply { success, message, errors, unreadable, value: () } = envelope.reply(())?;
        let value = domain::Payment { success, message: message.clone(), ..self.report()? };
        Ok(Reply { success, message, errors, value, unreadable })
    }

    /// Converts to the report. Unreadable ids and amounts are errors.
    pub(super) fn report(mut self) -> Result<domain::Payment, Failure> {
        let (envelope, first) = (std::mem::take(&mut self.envelope), self.status.take());
        let Reply { success, message, .. } = envelope.reply(())?;
        let payment = self.record()?;
        let payment_status = payment_status(payment.payment_status, first);
        Ok(domain::Payment { success, message, payment_status, ..payment })
    }
}
