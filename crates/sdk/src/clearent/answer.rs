//! Interprets the response to a call: a value, a definite failure, or an unknown outcome.

use std::error::Error as StdError;

use bytes::Bytes;
use http::response::Parts;
use http::{HeaderMap, StatusCode};
use perennial_domain::Reported;
use perennial_transport::{CallError, Redactor, RetryClass};
use perennial_wire::clearent::{GatewayError, Payload, Reply, names_an_effect};
use perennial_wire::{Format, Limits, is_html};

use super::Lookup;
use super::evidence::{Evidence, is_undecided, named};
use crate::error::GatewayMessage;
use crate::response::About;
use crate::sent::{Foreign, kind_of, media_type, unanswered};
use crate::{Error, ErrorKind, Response};

/// The data of a call that are needed to interpret its response.
#[derive(Clone, Copy)]
pub(super) struct AnswerReader<'a> {
    pub(super) operation: &'static str,
    pub(super) retry_class: RetryClass,
    pub(super) format: Format,
    pub(super) redactor: &'a Redactor,
}

/// A response with a payload, from which the operation extracts its value.
pub(super) struct Answer {
    operation: &'static str,
    writes: bool,
    payload: Payload,
    /// The object that the response names.
    named: Option<Lookup>,
    about: About,
}

/// The reason why the parts of a response are inconclusive.
#[derive(Debug, thiserror::Error)]
enum Inconclusive {
    #[error(
        "the parts of the response contradict each other: one says that it was done, another that it failed"
    )]
    Contradiction,
    #[error(
        "the parts of the response contradict each other: one says that it was done, another that it failed: {0}"
    )]
    Error(GatewayMessage),
    #[error("the transaction is neither approved nor declined")]
    Undecided,
}

/// The error for a response about something other than the request. It names the member but not its values.
#[derive(Debug, thiserror::Error)]
#[error("{0} differs from the request")]
pub(super) struct Mismatch(pub(super) &'static str);

impl Mismatch {
    /// Whether the response is about the requested object, but reports other data of it. If so, a search by the
    /// requested data may miss the object.
    fn is_of_content(&self) -> bool {
        let identity = [
            "id",
            "ref-id",
            "type",
            "order-id",
            "invoice",
            "last-four",
            "last-four-digits",
            "customer-key",
            "plan-key",
            "first-name",
            "last-name",
        ];
        !identity.contains(&self.0)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the response has another payload than this operation returns")]
struct OtherPayload;

#[derive(Debug, thiserror::Error)]
#[error("the response is empty")]
struct Nothing;

/// Whether a response is the gateway's own: it is in the gateway's envelope, whose code agrees with the status.
pub(super) fn is_own(requested: Format, answer: &http::Response<Bytes>) -> bool {
    let reply = read(requested, answer.headers(), answer.body(), &Limits::default());
    reply.is_ok_and(|reply| {
        let names = || names_an_effect(format_of(requested, answer.headers()), answer.body());
        let agrees = !Evidence::of_write(answer.status(), &reply, names).contradicts_itself();
        reply.is_envelope() && fits(&reply, answer.status()) && agrees
    })
}

/// A code of 500 or more with a different status leaves the outcome open.
fn fits(reply: &Reply, status: StatusCode) -> bool {
    reply.code.is_none_or(|code| code < 500 || code == status.as_u16())
}

fn read(
    requested: Format,
    headers: &HeaderMap,
    body: &[u8],
    limits: &Limits,
) -> Result<Reply, Box<dyn StdError + Send + Sync>> {
    if is_html(media_type(headers)) {
        return Err(Foreign.into());
    }
    Ok(Reply::decode(format_of(requested, headers), body, limits)?)
}

/// The format of a response: the one in its `Content-Type`, or else the requested one.
fn format_of(requested: Format, headers: &HeaderMap) -> Format {
    Format::of_media_type(media_type(headers)).unwrap_or(requested)
}

impl AnswerReader<'_> {
    /// Opens the envelope of a response, or returns its error.
    pub(super) fn open(self, sent: Result<perennial_transport::Answer, CallError>) -> Result<Answer, Error> {
        let (response, attempts, uncertain) = match sent {
            Ok(answer) => {
                let (attempts, uncertain) = (answer.attempts(), answer.after_unknown());
                (answer.into_response(), attempts, uncertain)
            }
            Err(error) => {
                let (next, attempts, delivery) = (error.next(), error.attempts(), error.delivery());
                let unanswered = |cause| unanswered(self.operation, next, attempts, delivery, cause);
                (error.into_cause().map_err(unanswered)?, attempts, true)
            }
        };
        let (Parts { status, headers, .. }, body) = response.into_parts();
        // The response may repeat sent data in any of its texts.
        let limits = Limits::masking(self.redactor.known());
        let (reply, unreadable) = match read(self.format, &headers, &body, &limits) {
            Ok(reply) => (reply, None),
            Err(error) => (Reply::default(), Some(error)),
        };
        // A 204 has no body, and therefore no envelope.
        let is_own = reply.is_envelope() && (status.is_success() || fits(&reply, status))
            || status == StatusCode::NO_CONTENT && body.is_empty();
        let evidence = if self.writes() {
            Evidence::of_write(status, &reply, || names_an_effect(format_of(self.format, &headers), &body))
        } else {
            Evidence::of_read(status, &reply)
        };
        let named = named(self.operation, &reply.payload, &reply.links);
        let Reply { code, status: _, exchange_id, links, page, payload_type, payload, unreadable: records } =
            reply;
        // If a success has an envelope with another code, the code decides.
        let inside = code.filter(|_| status.is_success()).and_then(|code| StatusCode::from_u16(code).ok());
        let effective = inside.unwrap_or(status);
        let gone = uncertain
            && self.retry_class == RetryClass::Delete
            && is_own
            && matches!(effective, StatusCode::NOT_FOUND | StatusCode::GONE);
        let kind = kind_of(self.retry_class, effective, is_own, uncertain);
        let exchange_id = exchange_id.map(|id| self.redactor.text(&id));
        let about = About {
            operation: self.operation,
            status: status.as_u16(),
            headers: self.redactor.masked_headers(headers),
            exchange_id,
            links,
            page,
            unreadable: records,
            payload_type,
            attempts,
        };
        let payload = match (payload, unreadable) {
            (_, Some(error)) if status.is_success() => {
                let kind = if self.writes() { ErrorKind::OutcomeUnknown } else { ErrorKind::InvalidResponse };
                return Err(about.into_error(kind, self.operation).with_source(error));
            }
            (payload, None) if evidence.contradicts_itself() => {
                let kind = if self.writes() { ErrorKind::OutcomeUnknown } else { ErrorKind::InvalidResponse };
                let error = about.into_error(kind, self.operation).looking_at(named);
                return Err(error.with_source(self.uncertain(payload)));
            }
            (_, None)
                if !is_own && (status == StatusCode::NO_CONTENT || status.is_success() && self.writes()) =>
            {
                let kind = if self.writes() { ErrorKind::OutcomeUnknown } else { ErrorKind::InvalidResponse };
                return Err(about.into_error(kind, self.operation).with_source(Foreign));
            }
            (Payload::Error(_) | Payload::Empty, None) if gone => Payload::Empty,
            (Payload::Error(message), _) => {
                return Err(about.into_error(kind, self.operation).with_source(self.masked(message)));
            }
            (payload, _) if status.is_success() || (kind == ErrorKind::Refused && is_made(&payload)) => {
                payload
            }
            _ if is_own => return Err(about.into_error(kind, self.operation).looking_at(named)),
            _ => return Err(about.into_error(kind, self.operation).looking_at(named).with_source(Foreign)),
        };
        Ok(Answer { operation: self.operation, writes: self.writes(), payload, named, about })
    }

    fn uncertain(self, payload: Payload) -> Inconclusive {
        match payload {
            payload if is_undecided(&payload) => Inconclusive::Undecided,
            Payload::Error(error) => Inconclusive::Error(self.masked(error)),
            Payload::Several(payloads) => {
                let error = payloads.into_iter().find_map(|payload| match payload {
                    Payload::Error(error) => Some(self.masked(error)),
                    _ => None,
                });
                error.map_or(Inconclusive::Contradiction, Inconclusive::Error)
            }
            _ => Inconclusive::Contradiction,
        }
    }

    fn writes(self) -> bool {
        self.retry_class != RetryClass::Safe
    }

    fn masked(self, effective: GatewayError) -> GatewayMessage {
        let GatewayError { message, result_code, time_stamp: _ } = effective;
        let mask = |text: String| self.redactor.text(&text);
        GatewayMessage { message: message.map(mask), result_code: result_code.map(mask) }
    }
}

impl Answer {
    pub(super) fn status(&self) -> u16 {
        self.about.status
    }

    pub(super) fn attempts(&self) -> u32 {
        self.about.attempts
    }

    pub(super) fn exchange_id(&self) -> Option<&str> {
        self.about.exchange_id.as_deref()
    }

    /// Returns the value, if the payload contains one and it is the requested one.
    pub(super) fn one<T>(
        self,
        take: impl FnOnce(Payload) -> Option<T>,
        check: impl FnOnce(&T) -> Result<(), Mismatch>,
    ) -> Result<Response<T>, Error> {
        let Self { operation, writes, payload, named, about } = self;
        let nothing = payload == Payload::Empty && about.status == 204;
        let unless_it_writes = |kind| if writes { ErrorKind::OutcomeUnknown } else { kind };
        let (kind, source): (_, Box<dyn StdError + Send + Sync>) = match take(payload) {
            // An unreadable record of a list may be the requested one.
            Some(_) if !about.unreadable.is_empty() => {
                (unless_it_writes(ErrorKind::InvalidResponse), about.unreadable[0].clone().into())
            }
            Some(value) => match check(&value) {
                Ok(()) => return Ok(Response::new(value, about)),
                Err(mismatch) => {
                    let named = named.filter(|_| mismatch.is_of_content());
                    let error = about.into_error(unless_it_writes(ErrorKind::Mismatch), operation);
                    return Err(error.looking_at(named).with_source(mismatch));
                }
            },
            None if about.status >= 400 => (ErrorKind::Refused, OtherPayload.into()),
            None if nothing => (unless_it_writes(ErrorKind::NotFound), Nothing.into()),
            None => (unless_it_writes(ErrorKind::InvalidResponse), OtherPayload.into()),
        };
        Err(about.into_error(kind, operation).with_source(source))
    }

    /// Returns the value, or `None` for a deleted object and for an empty 204, which means that there is none.
    pub(super) fn maybe<T>(
        self,
        take: impl FnOnce(Payload) -> Option<T>,
        check: impl FnOnce(&T) -> Result<(), Mismatch>,
    ) -> Result<Response<Option<T>>, Error> {
        if self.payload == Payload::Empty && (self.writes || self.about.status == 204) {
            return Ok(Response::new(None, self.about));
        }
        self.one(take, check).map(|response| response.map(Some))
    }

    /// Returns the readable values and, separately, the unreadable ones. If nothing was found, the gateway sends an
    /// empty 204 or an empty page.
    pub(super) fn all<T>(
        self,
        take: impl FnOnce(Payload) -> Option<Vec<T>>,
        check: impl Fn(&T) -> Result<(), Mismatch>,
    ) -> Result<Response<Vec<T>>, Error> {
        let total = self.about.page.as_ref().and_then(|page| page.total_elements);
        if self.payload == Payload::Empty && (self.about.status == 204 || total == Some(0)) {
            return Ok(Response::new(Vec::new(), self.about));
        }
        let Self { payload, mut about, .. } = self;
        let unreadable = std::mem::take(&mut about.unreadable);
        let found = Self { payload, about, ..self }.one(take, |all| all.iter().try_for_each(check))?;
        Ok(found.beside(unreadable))
    }
}

/// Whether the payload is a transaction: a declined one has the status of a refusal but is a value.
fn is_made(payload: &Payload) -> bool {
    matches!(payload, Payload::Transaction(_) | Payload::TransactionToken(..))
}

/// Refuses a response that names another object or none.
pub(super) fn same<T: PartialEq>(
    member: &'static str,
    requested: &T,
    answered: Option<&T>,
) -> Result<(), Mismatch> {
    if answered == Some(requested) { Ok(()) } else { Err(Mismatch(member)) }
}

/// The requested value, as the gateway reports it.
pub(super) fn reported<T: Copy>(requested: Option<&T>) -> Option<Reported<T>> {
    requested.copied().map(Reported::Value)
}

/// Refuses a response that omits the requested value or contains a different one.
pub(super) fn as_requested<T: PartialEq + ?Sized>(
    member: &'static str,
    requested: Option<&T>,
    answered: Option<&T>,
) -> Result<(), Mismatch> {
    if requested.is_none() || requested == answered { Ok(()) } else { Err(Mismatch(member)) }
}

/// Refuses a response that names another object. A response that omits the member passes.
pub(super) fn not_another<T: PartialEq + ?Sized>(
    member: &'static str,
    requested: Option<&T>,
    answered: Option<&T>,
) -> Result<(), Mismatch> {
    match (requested, answered) {
        (Some(requested), Some(answered)) if requested != answered => Err(Mismatch(member)),
        _ => Ok(()),
    }
}
