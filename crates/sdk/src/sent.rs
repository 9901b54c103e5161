//! What became of a call, as far as its status or its failure tells.

use http::StatusCode;
use perennial_transport::{Delivery, Kind, Next, Outcome, Replay, TransportError, decide};

use crate::{Error, ErrorKind};

/// What a status is that came with no value. A write is only refused where it is certain that it was not done; in
/// doubt about an attempt before, only a refusal that judges the object (402) is certain.
pub(crate) fn kind_of(replay: Replay, status: StatusCode, doubt: bool) -> ErrorKind {
    let writes = replay != Replay::Safe;
    if writes && doubt && status != StatusCode::PAYMENT_REQUIRED {
        return ErrorKind::OutcomeUnknown;
    }
    let mut answer = http::Response::new(());
    *answer.status_mut() = status;
    if writes && decide(replay, Outcome::of_answer(&answer)) != Next::Stop {
        return ErrorKind::OutcomeUnknown;
    }
    match status.as_u16() {
        401 | 403 => ErrorKind::Unauthorized,
        404 | 410 => ErrorKind::NotFound,
        429 => ErrorKind::RateLimited,
        408 | 425 | 500..=599 => ErrorKind::Unavailable,
        300..=399 => ErrorKind::Redirected,
        // 2xx with an error inside is as definite as a 4xx.
        200..=299 | 400..=499 => ErrorKind::Refused,
        _ => ErrorKind::Unreadable,
    }
}

/// A call that no answer came to.
pub(crate) fn unanswered(
    operation: &'static str,
    next: Next,
    attempts: u32,
    delivery: Delivery,
    cause: TransportError,
) -> Error {
    let kind = match cause.kind() {
        _ if next != Next::Stop => ErrorKind::OutcomeUnknown,
        Kind::RefusedUrl | Kind::PlainThroughProxy => ErrorKind::Configuration,
        _ if delivery == Delivery::NotSent => ErrorKind::Unreachable,
        Kind::Timeout => ErrorKind::Timeout,
        Kind::Truncated | Kind::TooLarge | Kind::Protocol => ErrorKind::Unreadable,
        _ => ErrorKind::Unreachable,
    };
    Error::because(kind, cause).of_operation(operation).sent(attempts, delivery)
}
