//! Maps the status or the failure of a call to the kind of its error.

use http::{HeaderMap, StatusCode, header};
use perennial_transport::{Decision, Delivery, Kind, Outcome, RetryClass, TransportError};
use perennial_wire::Class;

use crate::{Error, ErrorKind};

/// The source of an error for a response that did not come from the gateway.
#[derive(Debug, thiserror::Error)]
#[error("the response is not in the gateway's envelope: it came from a proxy, a firewall or another server")]
pub(crate) struct Foreign;

/// The media type of a response.
pub(crate) fn media_type(headers: &HeaderMap) -> &str {
    headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// The retry class of an operation of this class.
pub(crate) fn retry_class_of(class: Class) -> RetryClass {
    match class {
        Class::Read | Class::Issue => RetryClass::Safe,
        Class::Idempotent => RetryClass::WithKey,
        Class::Delete => RetryClass::Delete,
        Class::Write => RetryClass::Never,
    }
}

/// The error kind for a response that has a status and no value. `is_own` is true if the gateway sent it in its
/// envelope, and `uncertain` if an earlier attempt may have been executed.
///
/// A write is refused only if it is certain that it was not executed: by the gateway itself and, after an uncertain
/// attempt, only by a refusal of the object itself (402).
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

/// The error of a call without a response.
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
        Kind::NoPermit | Kind::TooLate => ErrorKind::Timeout,
        _ if delivery == Delivery::NotSent => ErrorKind::Connection,
        Kind::Timeout => ErrorKind::Timeout,
        Kind::Truncated | Kind::TooLarge | Kind::Protocol => ErrorKind::InvalidResponse,
        _ => ErrorKind::Connection,
    };
    Error::because(kind, cause).of_operation(operation).sent(attempts, delivery)
}
