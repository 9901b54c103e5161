//! Payers and their stored methods.

use perennial_domain::Violations;
use perennial_domain::clientpay::{
    MethodUpdates, MethodUpdatesBuilder, MethodUpdatesFields, NewMethodBuilder, NewMethods,
    NewMethodsBuilder, NewMethodsFields, NewPayer, NewPayerBuilder, NewPayerFields, PayerId, PayerUpdate,
    PayerUpdateBuilder, PayerUpdateFields, RequestId, SavedPayer,
};

use super::fields::{OrNull, WordOrNumber, id, required};
use super::method::{Address, Method};
use super::reply::{Envelope, Reply, document, read, refused, write};
use super::session::{Token, Under, token};
use super::{Operation, Received, Session};
use crate::call::{Call, ReadError};
use crate::codec;
use crate::error::{DecodeError, EncodeError};
use crate::failure::Failure;
use crate::fields::{owned, some_text, text};
use crate::format::Format;
use crate::limits::Limits;
use crate::member::Many;
use crate::rule::{Asks, request};
use crate::text::Text;

message! {
    /// The payer object.
    struct Payer<'a> as "payer" in any case {
        first_name: Option<Text<'a>> = "firstName",
        last_name: Option<Text<'a>> = "lastName",
        business_name: Option<Text<'a>> = "businessName",
        payer_name: Option<WordOrNumber<'a>> = "payerName",
        emails: Many<Text<'a>> = "emails",
        payer_address: Option<Address<'a>> = "payerAddress",
    }
}

message! {
    /// A request about payers; the path decides which of the members count.
    struct PayerRequest<'a> as "" in any case {
        token: Option<Token<'a>> = "token",
        payer_id: Option<Text<'a>> = "payerId",
        payer: Option<Payer<'a>> = "payer",
        payment_methods: Many<Method<'a>> = "paymentMethods",
    }
}

message! {
    /// The response, **inferred**: the vendor says that it has a payer's id. In postbacks the names end in `ID`.
    struct PayerAnswer<'a> as "" in any case with envelope: Envelope<'a> {
        request_id: Option<Text<'a>> = "requestID",
        session_id: Option<Text<'a>> = "sessionID",
        customer_ref_number: Option<Text<'a>> = "customerRefNumber",
        payer_id: Option<Text<'a>> = "payerId",
        payment_method_ids: Many<Text<'a>> = "paymentMethodIds",
    }
}

request! {
    PayerRequest asks NewPayer, by NewPayerFields, NewPayerBuilder {
        session_id in token, customer_id in token, first_name in payer, last_name in payer, business_name in payer,
        payer_name in payer;
        lists emails in payer;
        nested payer_address in payer
    }
}

request! {
    PayerRequest asks PayerUpdate, by PayerUpdateFields, PayerUpdateBuilder {
        payer_id, session_id in token, customer_id in token, first_name in payer, last_name in payer,
        business_name in payer, payer_name in payer;
        lists emails in payer;
        nested payer_address in payer
    }
}

request! {
    PayerRequest asks NewMethods, by NewMethodsFields, NewMethodsBuilder {
        payer_id, session_id in token, customer_id in token;
        apart methods
    }
}

request! {
    PayerRequest asks MethodUpdates, by MethodUpdatesFields, MethodUpdatesBuilder {
        session_id in token, customer_id in token;
        apart updates
    }
}

/// New payer.
pub fn create(session: Session<'_>, request_id: &RequestId, payer: &NewPayer) -> Result<Call, EncodeError> {
    post(Operation::NewPayer, session, request_id, payer.into())
}

/// Update payer: sends only the changes.
pub fn update(
    session: Session<'_>,
    request_id: &RequestId,
    update: &PayerUpdate,
) -> Result<Call, EncodeError> {
    let mut message = PayerRequest::from(update);
    message.payer.get_or_insert_default();
    post(Operation::UpdatePayer, session, request_id, message)
}

/// Delete payer.
pub fn delete(session: Session<'_>, request_id: &RequestId, payer: &PayerId) -> Result<Call, EncodeError> {
    let message = PayerRequest { payer_id: Some(text(payer.as_str())), ..PayerRequest::default() };
    post(Operation::DeletePayer, session, request_id, message)
}

/// New payment method.
pub fn add_methods(
    session: Session<'_>,
    request_id: &RequestId,
    methods: &NewMethods,
) -> Result<Call, EncodeError> {
    let mut message = PayerRequest::from(methods);
    message.payment_methods = methods.fields().methods.iter().map(Method::from).collect();
    post(Operation::NewMethods, session, request_id, message)
}

/// Update payment method. The request does not name the payer.
pub fn update_methods(
    session: Session<'_>,
    request_id: &RequestId,
    updates: &MethodUpdates,
) -> Result<Call, EncodeError> {
    let mut message = PayerRequest::from(updates);
    message.payment_methods = updates.fields().updates.iter().map(Method::from).collect();
    post(Operation::UpdateMethods, session, request_id, message)
}

fn post<'a>(
    operation: Operation,
    session: Session<'_>,
    request_id: &'a RequestId,
    mut message: PayerRequest<'a>,
) -> Result<Call, EncodeError> {
    message.token = Some(token(request_id, message.token));
    operation.call(session.version)?.with_body(Format::Json, &message)
}

/// Reads the body of new payer.
#[cfg(feature = "gateway")]
pub fn read_create(body: &[u8], limits: &Limits) -> Result<Received<NewPayer>, ReadError> {
    let request: PayerRequest<'_> = codec::decode(Format::Json, body, limits)?;
    let under = Under::from(&request.token);
    under.receive(within("payer", request.onto(NewPayer::builder()).accept()))
}

/// Reads the body of update payer.
#[cfg(feature = "gateway")]
pub fn read_update(body: &[u8], limits: &Limits) -> Result<Received<PayerUpdate>, ReadError> {
    let request: PayerRequest<'_> = codec::decode(Format::Json, body, limits)?;
    let under = Under::from(&request.token).starred("payer", request.payer.is_some());
    under.receive(within("payer", request.onto(PayerUpdate::builder()).accept()))
}

/// Reads the body of delete payer.
#[cfg(feature = "gateway")]
pub fn read_delete(body: &[u8], limits: &Limits) -> Result<Received<PayerId>, ReadError> {
    let PayerRequest { token, payer_id, .. } = codec::decode(Format::Json, body, limits)?;
    let mut wrong = Violations::default();
    let payer = required("payerId", payer_id, &mut wrong);
    Under::from(&token).receive(payer.ok_or(wrong))
}

/// Reads the body of new payment method.
#[cfg(feature = "gateway")]
pub fn read_add_methods(body: &[u8], limits: &Limits) -> Result<Received<NewMethods>, ReadError> {
    let mut request: PayerRequest<'_> = codec::decode(Format::Json, body, limits)?;
    let under = Under::from(&request.token);
    let methods = std::mem::take(&mut request.payment_methods).into_iter().map(Method::builder);
    let methods =
        methods.fold(request.onto(NewMethods::builder()), NewMethodsBuilder::method::<NewMethodBuilder>);
    under.receive(methods.accept())
}

/// Reads the body of update payment method; a member that a stored method cannot change is a violation.
#[cfg(feature = "gateway")]
pub fn read_update_methods(body: &[u8], limits: &Limits) -> Result<Received<MethodUpdates>, ReadError> {
    let mut request: PayerRequest<'_> = codec::decode(Format::Json, body, limits)?;
    let under = Under::from(&request.token);
    let updates = std::mem::take(&mut request.payment_methods).into_iter().map(Method::update);
    let updates = updates.fold(request.onto(MethodUpdates::builder()), MethodUpdatesBuilder::update);
    under.receive(updates.accept())
}

/// Prefixes violations with the member of the request that holds the payer.
fn within<T>(object: &str, request: Result<T, Violations>) -> Result<T, Violations> {
    request.map_err(|violations| {
        let mut nested = Violations::default();
        for violation in &violations {
            let outside = ["payerId", "sessionId", "customerId", object];
            if outside.contains(&&*violation.field) {
                nested.add(violation.field.clone(), violation.rule);
            } else {
                nested.add(format!("{object}.{}", violation.field), violation.rule);
            }
        }
        nested
    })
}

/// Reads the response to new and update payer, and to new and update payment method.
pub fn decode(body: &[u8], limits: &Limits) -> Result<Reply<SavedPayer>, DecodeError> {
    // A bare text is the id only where it can be one: `"OK"` is not.
    let bare = body.strip_prefix(perennial_domain::encoding::MARK).unwrap_or(body).trim_ascii();
    let is_id = |text: &[u8]| text.len() >= 16 && text.iter().all(|b| b.is_ascii_hexdigit() || *b == b'-');
    let member = match bare.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\"")) {
        Some(text) if !is_id(text) => "message",
        _ => "payerId",
    };
    let document = document(body, member);
    let answer: PayerAnswer<'_> = read(&document, limits)?;
    answer.reply().map_err(refused)
}

/// Writes the response to new and update payer, and to new and update payment method.
#[cfg(feature = "gateway")]
pub fn encode(reply: &Reply<SavedPayer>) -> Vec<u8> {
    write(&PayerAnswer::of(reply))
}

/// Reads the postback of a payer page; `None` for another postback.
pub(super) fn postback(document: &[u8], limits: &Limits) -> Result<Option<SavedPayer>, DecodeError> {
    let answer: PayerAnswer<'_> = read(document, limits)?;
    Ok(Some(answer.reply().map_err(refused)?.value).filter(|payer| payer.payer_id.is_some()))
}

impl<'a> PayerAnswer<'a> {
    fn of(reply: &'a Reply<SavedPayer>) -> Self {
        let SavedPayer { request_id, session_id, customer_ref_number, payer_id, payment_method_ids } =
            &reply.value;
        Self {
            envelope: reply.envelope(),
            request_id: some_text(request_id.as_ref()),
            session_id: some_text(session_id.as_ref()),
            customer_ref_number: some_text(customer_ref_number.as_ref()),
            payer_id: some_text(payer_id.as_ref()),
            payment_method_ids: payment_method_ids.iter().map(|id| text(id.as_str())).collect(),
        }
    }

    fn reply(self) -> Result<Reply<SavedPayer>, Failure> {
        let Self { envelope, request_id, session_id, customer_ref_number, payer_id, payment_method_ids } =
            self;
        envelope.reply(SavedPayer {
            request_id: id("requestId", request_id)?,
            session_id: owned(session_id),
            customer_ref_number: owned(customer_ref_number),
            payer_id: id("payerId", payer_id)?,
            payment_method_ids: payment_method_ids
                .into_iter()
                .filter_map(|method| id("paymentMethodIds", Some(method)).transpose())
                .collect::<Result<_, _>>()?,
        })
    }
}

/// Writes the postback of a payer page, whose ids are spelled otherwise than in responses.
pub(super) fn encode_postback(payer: &SavedPayer) -> Vec<u8> {
    let reply = Reply::success(payer.clone());
    let PayerAnswer { envelope, request_id, session_id, customer_ref_number, payer_id, payment_method_ids } =
        PayerAnswer::of(&reply);
    let (session_id, customer_ref_number) = (OrNull(session_id), OrNull(customer_ref_number));
    write(&PayerPostback {
        envelope,
        request_id,
        session_id,
        customer_ref_number,
        payer_id,
        payment_method_ids,
    })
}

message! {
    /// The postback of a payer page, **inferred** from those of payment pages.
    struct PayerPostback<'a> as "" with envelope: Envelope<'a> {
        request_id: Option<Text<'a>> = "requestID",
        session_id: OrNull<Text<'a>> = "sessionID",
        customer_ref_number: OrNull<Text<'a>> = "customerRefNumber",
        payer_id: Option<Text<'a>> = "payerID",
        payment_method_ids: Many<Text<'a>> = "paymentMethodIDs",
    }
}
