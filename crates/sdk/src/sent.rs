//! Maps the status or the failure of a call to the kind of its error.

use http::{HeaderMap, StatusCode, header};
use perennial_transport::{Decision, Delivery, Kind, Outcome, RetryClass, TransportError};
use perennial_wire::Class;

use crate::{Error, ErrorKind};

/// The source of an error whose answer something else than the gateway gave.
#[derive(Debug, thiserror::Error)]
#[error("the answer is not in the gateway's envelope: a proxy, a firewall or another server gave it")]
pub(crate) struct Foreign;

/// The media type of an answer.
pub(crate) fn media_type(headers: &HeaderMap) -> &str {
    headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// How often an operation of this class may be sent.
pub(crate) fn retry_class_of(class: Class) -> RetryClass {
    match class {
        Class::Read | Class::Issue => RetryClass::Safe,
        Class::Keyed => RetryClass::WithKey,
        Class::Delete => RetryClass::Delete,
        Class::Write => RetryClass::Never,
    }
}

/// The kind of an answer that has a status and no value. `is_own` tells whether it is in the gateway's envelope, and
/// `doubt` whether an attempt before it may have been performed.
///
/// A write is only refused where it is certain that it was not done: by the gateway itself, and in doubt only by a
/// refusal that judges the object (402).
pub(crate) fn kind_of(
    retry_class: RetryClass,
    status: StatusCode,
    is_own: bool,
    uncertain: bool,
) -> ErrorKind {
    let outcome = Outcome::of_status(status, || is_own);
    let settled = outcome.is_definite() && (!uncertain || status == StatusCode::PAYMENT_REQUIRED);
    if retry_class != RetryClass::Safe && !settled {
        return ErrorKind::OutcomeUnknown;
    }
    match status.as_u16() {
        429 => ErrorKind::RateLimited,
        408 | 425 | 500..=599 => ErrorKind::Unavailable,
        300..=399 => ErrorKind::Redirected,
        400..=499 if !is_own => ErrorKind::InvalidResponse,
        401 | 403 => ErrorKind::Unauthorized,
        404 | 410 => ErrorKind::NotFound,
        // 2xx with an error inside is as definite as a 4xx.
        200..=299 | 400..=499 => ErrorKind::Refused,
        _ => ErrorKind::InvalidResponse,
    }
}

/// A call that no answer came to.
pub(crate) fn unanswered(
    operation: &'static str,
    next: Decision,
    attempts: u32,
    delivery: Delivery,
    cause: TransportError,
) -> Error {
    let kind = match cause.kind() {
        _ if next != Decision::Stop => ErrorKind::OutcomeUnknown,
        Kind::RefusedUrl | Kind::PlainThroughProxy => ErrorKind::Configuration,
        Kind::NoPlace => ErrorKind::Timeout,
        _ if delivery == Delivery::NotSent => ErrorKind::Connection,
        Kind::Timeout => ErrorKind::Timeout,
        Kind::Truncated | Kind::TooLarge | Kind::Protocol => ErrorKind::InvalidResponse,
        _ => ErrorKind::Connection,
    };
    Error::because(kind, cause).of_operation(operation).sent(attempts, delivery)
}
