//! Interprets the response to a call: a value, a definite failure, or an unknown outcome.

use std::error::Error as StdError;

use bytes::Bytes;
use http::StatusCode;
use http::response::Parts;
use perennial_domain::clientpay::{AccessId, Payment, PaymentId, RequestId, SavedPayer};
use perennial_domain::encoding;
use perennial_transport::{CallError, Redactor};
use perennial_wire::clientpay::{
    FieldError, Operation, Reply, access, is_envelope, names_an_effect, page, search,
};
use perennial_wire::{Class, DecodeError, Limits, is_html};

use crate::error::GatewayMessage;
use crate::response::About;
use crate::sent::{Foreign, kind_of, media_type, retry_class_of, unanswered};
use crate::{Error, ErrorKind, Response};

/// The function that decodes the response of an operation.
pub(super) type Decode<T> = fn(&[u8], &Limits) -> Result<Reply<T>, DecodeError>;

/// The data of a call that are needed to interpret its response.
pub(super) struct AnswerReader<'a, T> {
    pub(super) operation: Operation,
    pub(super) decode: Decode<T>,
    pub(super) redactor: &'a Redactor,
}

/// The content of a response outside the envelope, as evidence of a result of the request.
pub(super) trait Effect {
    /// Whether it names anything that a request may have created or changed.
    fn is_named(&self) -> bool;

    /// The payment that it names.
    fn payment_id(&self) -> Option<&PaymentId> {
        None
    }
}

/// A response, readable or not.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about the answer")]
pub(super) struct Answered<T> {
    operation: Operation,
    value: Option<T>,
    /// The reason why it has no value.
    failed: Option<ErrorKind>,
    why: Result<GatewayMessage, Box<dyn StdError + Send + Sync>>,
    /// Whether it names a possible result of the request.
    named: bool,
    payment_id: Option<PaymentId>,
    /// Whether it is the gateway's own, with its envelope.
    enveloped: bool,
    refuses_access: bool,
    uncertain: bool,
    about: About,
}

#[derive(Debug, thiserror::Error)]
#[error("the response does not show whether the request was performed")]
struct Unsaid;

/// Whether a response is the gateway's own. A response that asks to retry later, but names a result, contradicts
/// itself.
pub(super) fn is_own(answer: &http::Response<Bytes>) -> bool {
    let puts_off = answer.status() == StatusCode::TOO_MANY_REQUESTS;
    is_enveloped(answer) && (!puts_off || is_plain_no(answer.body(), &Limits::default()))
}

fn is_enveloped(answer: &http::Response<Bytes>) -> bool {
    !is_html(media_type(answer.headers())) && is_envelope(answer.body(), &Limits::default())
}

/// Whether a body is a complete refusal that names no result and does not say that the request id was used.
fn is_plain_no(body: &[u8], limits: &Limits) -> bool {
    let says_no = access::decode_done(body, limits).is_ok_and(|reply| {
        let Reply { success, message, errors, .. } = reply;
        success == Some(false) && !names("requestid", message.as_deref(), &errors)
    });
    says_no && !names_an_effect(body, limits)
}

/// Whether a response is a success according to its body: it has the gateway's envelope, or is a text or list that is
/// the value. A 204 has no body.
fn is_own_success(answer: &http::Response<Bytes>) -> bool {
    let body = answer.body().strip_prefix(encoding::MARK).unwrap_or(answer.body()).trim_ascii_start();
    let bare = matches!(body.first(), Some(b'"' | b'[')) && !is_html(media_type(answer.headers()));
    answer.status().is_success() && (bare || answer.status() == StatusCode::NO_CONTENT && body.is_empty())
}

impl<T: Effect> AnswerReader<'_, T> {
    /// Interprets the response, or returns the error of a call without a response.
    pub(super) fn open(
        self,
        sent: Result<perennial_transport::Answer, CallError>,
    ) -> Result<Answered<T>, Error> {
        let operation = self.operation.name();
        let (response, attempts, uncertain) = match sent {
            Ok(answer) => {
                let (attempts, uncertain) = (answer.attempts(), answer.after_unknown());
                (answer.into_response(), attempts, uncertain)
            }
            Err(error) => {
                let (next, attempts, delivery) = (error.next(), error.attempts(), error.delivery());
                let unanswered = |cause| unanswered(operation, next, attempts, delivery, cause);
                (error.into_cause().map_err(unanswered)?, attempts, true)
            }
        };
        let is_own = is_own(&response) || is_own_success(&response);
        let speaks = is_own || is_enveloped(&response);
        let (Parts { status, headers, .. }, body) = response.into_parts();
        let about = About {
            operation,
            status: status.as_u16(),
            headers: self.redactor.masked_headers(headers),
            exchange_id: None,
            links: Vec::new(),
            page: None,
            unreadable: Vec::new(),
            payload_type: None,
            attempts,
        };
        let mut answer = Answered {
            operation: self.operation,
            value: None,
            failed: None,
            why: Ok(GatewayMessage { message: None, result_code: None }),
            named: false,
            payment_id: None,
            enveloped: is_own,
            refuses_access: false,
            uncertain,
            about,
        };
        let class = self.operation.class();
        let writes = !class.is_harmless();
        // After a lost attempt, a refusal may be about the retry only; if the request has an id, the payment is looked
        // up by it.
        let kind = kind_of(retry_class_of(class), status, is_own, uncertain && class != Class::Idempotent);
        // A response that contradicts itself, or cannot be read, is not a definite refusal.
        let is_uncertain = match kind {
            _ if writes => ErrorKind::OutcomeUnknown,
            kind if is_definite(kind) => ErrorKind::InvalidResponse,
            kind => kind,
        };
        let Reply { success, message, errors, value, unreadable } =
            match (self.decode)(&body, &Limits::masking(self.redactor.known())) {
                Ok(reply) => reply,
                Err(error) => {
                    return Ok(Answered {
                        failed: Some(is_uncertain),
                        // A response that cannot be read may name anything.
                        named: matches!(body.trim_ascii_start().first(), Some(b'{' | b'[' | b'"')),
                        why: Err(if status.is_success() || speaks { error.into() } else { Foreign.into() }),
                        refuses_access: !writes && !speaks && status.as_u16() == 401,
                        ..answer
                    });
                }
            };
        let (named, payment_id) = (value.is_named() || !unreadable.is_empty(), value.payment_id().cloned());
        answer.about.unreadable = unreadable;
        let refused = !status.is_success() || success == Some(false);
        // A definite refusal has the envelope and no other content. A definite success has the envelope or names a
        // result, and has no errors.
        let contradicts = if refused {
            named
                || names_an_effect(&body, &Limits::default())
                || (success == Some(true))
                || (!is_own && status.is_client_error())
        } else {
            !errors.is_empty() || (writes && !is_own && !named)
        };
        let failed = match (contradicts, refused) {
            (true, _) => Some(is_uncertain),
            (false, true) => Some(kind),
            (false, false) => None,
        };
        let is_no = failed.is_some_and(is_definite);
        // An id can only have been used by this request, so the request was executed, even if it arrived twice.
        let is_used = is_no && class == Class::Idempotent && names("requestid", message.as_deref(), &errors);
        Ok(Answered {
            refuses_access: is_no && !is_used && refuses_access(status.as_u16(), message.as_deref(), &errors)
                || !writes && !speaks && status.as_u16() == 401,
            why: if speaks { Ok(self.masked(message, &errors)) } else { Err(Foreign.into()) },
            value: Some(value),
            failed,
            named,
            payment_id,
            uncertain: uncertain || is_used,
            ..answer
        })
    }

    /// The gateway's message, followed by the messages about fields that are not in it.
    fn masked(&self, message: Option<String>, errors: &[FieldError]) -> GatewayMessage {
        let about = |FieldError { field, message }: &FieldError| {
            let parts: Vec<&str> = [field, message].into_iter().flatten().map(String::as_str).collect();
            parts.join(": ")
        };
        let is_new = |about: &String| !message.as_ref().is_some_and(|message| message.contains(about));
        let errors: Vec<String> = errors.iter().map(about).filter(is_new).collect();
        let text = match (message, errors.is_empty()) {
            (message, true) => message,
            (Some(message), false) => Some(format!("{message} ({})", errors.join("; "))),
            (None, false) => Some(errors.join("; ")),
        };
        GatewayMessage { message: text.map(|text| self.redactor.text(&text)), result_code: None }
    }
}

/// Whether a kind is a refusal by the gateway itself.
fn is_definite(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Refused | ErrorKind::Unauthorized | ErrorKind::NotFound)
}

/// Whether the access id was refused. A 401 means that it was (**inferred**); with another status, the gateway's
/// message must name it. A 403 refuses an action that a valid id may not do.
fn refuses_access(status: u16, message: Option<&str>, errors: &[FieldError]) -> bool {
    match status {
        401 => true,
        403 => false,
        _ => names("accessid", message, errors),
    }
}

/// Whether a refusal mentions this term, in any spelling.
fn names(what: &str, message: Option<&str>, errors: &[FieldError]) -> bool {
    let names_it = |text: &str| {
        let letters = text.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_lowercase());
        letters.collect::<String>().contains(what)
    };
    let texts = errors.iter().flat_map(|error| [error.field.as_deref(), error.message.as_deref()]).flatten();
    message.into_iter().chain(texts).any(names_it)
}

impl<T> Answered<T> {
    /// Whether another access id is needed.
    pub(super) fn refuses_access(&self) -> bool {
        self.refuses_access
    }

    /// Whether an earlier attempt may have been executed.
    pub(super) fn is_uncertain(&self) -> bool {
        self.uncertain
    }

    /// Returns the same response, for a call whose earlier attempt may have been executed.
    pub(super) fn or_uncertain(self, uncertain: bool) -> Self {
        Self { uncertain: self.uncertain || uncertain, ..self }
    }

    /// Whether it names a possible result of the request; such a request is not sent again.
    pub(super) fn is_named(&self) -> bool {
        self.named
    }

    /// Whether it is a refusal of this kind by the gateway itself, to a read, and names no result.
    pub(super) fn is_plainly(&self, kind: ErrorKind) -> bool {
        self.failed == Some(kind) && self.enveloped && !self.named
    }

    /// Whether it is a failure that did not come from the gateway.
    pub(super) fn is_foreign(&self) -> bool {
        self.failed.is_some() && !self.enveloped
    }

    pub(super) fn status(&self) -> u16 {
        self.about.status
    }

    pub(super) fn attempts(&self) -> u32 {
        self.about.attempts
    }

    /// Extracts the value from a response, which may be a refusal. `take` returns `None` if the response is not
    /// sufficient.
    pub(super) fn take<V>(
        self,
        take: impl FnOnce(T, Option<ErrorKind>) -> Option<V>,
    ) -> Result<Response<V>, Error> {
        let Self { operation, value, failed, why, payment_id, about, .. } = self;
        let taken = value.and_then(|value| take(value, failed));
        let (kind, error): (_, Box<dyn StdError + Send + Sync>) = match (taken, failed, why) {
            (Some(value), ..) => return Ok(Response::new(value, about)),
            (None, Some(kind), Ok(message)) => (kind, message.into()),
            (None, Some(kind), Err(unreadable)) => (kind, unreadable),
            (None, None, _) => (ErrorKind::OutcomeUnknown, Unsaid.into()),
        };
        let error = about.into_error(kind, operation.name()).with_source(error);
        Err(if kind == ErrorKind::OutcomeUnknown { error.naming_payments(payment_id) } else { error })
    }

    /// Extracts the value from the response to a read.
    pub(super) fn read<V>(self, take: impl FnOnce(T) -> Option<V>) -> Result<Response<V>, Error> {
        self.read_even(|value, failed| if failed.is_none() { take(value) } else { None })
    }

    /// Extracts the value from the response to a read, which may be a refusal.
    pub(super) fn read_even<V>(
        self,
        take: impl FnOnce(T, Option<ErrorKind>) -> Option<V>,
    ) -> Result<Response<V>, Error> {
        self.take(take).map_err(|error| match error.kind() {
            ErrorKind::OutcomeUnknown => error.of_kind(ErrorKind::InvalidResponse),
            _ => error,
        })
    }
}

impl Effect for () {
    fn is_named(&self) -> bool {
        false
    }
}

impl<T: Effect> Effect for Option<T> {
    fn is_named(&self) -> bool {
        self.as_ref().is_some_and(T::is_named)
    }
}

impl Effect for AccessId {
    fn is_named(&self) -> bool {
        true
    }
}

impl Effect for RequestId {
    fn is_named(&self) -> bool {
        true
    }
}

/// A count.
impl Effect for u64 {
    fn is_named(&self) -> bool {
        true
    }
}

/// The validity of an id; an invalid id is not a success.
impl Effect for bool {
    fn is_named(&self) -> bool {
        *self
    }
}

impl Effect for search::Found {
    fn is_named(&self) -> bool {
        !self.payments.is_empty()
    }
}

impl<T> Effect for Vec<T> {
    fn is_named(&self) -> bool {
        !self.is_empty()
    }
}

/// All members of a payment except success and message.
impl Effect for Payment {
    fn is_named(&self) -> bool {
        Self { success: None, message: None, ..self.clone() } != Self::default()
    }

    fn payment_id(&self) -> Option<&PaymentId> {
        self.payment_id.as_ref()
    }
}

impl Effect for page::Named {
    fn is_named(&self) -> bool {
        *self != Self::default()
    }
}

impl Effect for SavedPayer {
    fn is_named(&self) -> bool {
        *self != Self::default()
    }
}
