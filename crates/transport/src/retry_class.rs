//! The retry table: the only place that decides which calls may be retried, so that no card is charged twice.

use http::StatusCode;

use crate::{Kind, TransportError};

/// The safety of sending a call again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RetryClass {
    /// A read: a retry changes nothing.
    Safe,
    /// A write under a key that the gateway accepts once, such as a single-use request id.
    WithKey,
    /// A delete: a retry finds the object gone.
    Delete,
    /// A write that the gateway would perform again: every Clearent create and update.
    Never,
}

/// The extent to which a request was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Delivery {
    /// No byte of it reached the gateway.
    NotSent,
    /// Some bytes of it may have reached the gateway, and no whole response came back.
    MaybeSent,
    /// The gateway responded, readably or not.
    Answered,
}

impl Delivery {
    /// The name in spans: `not-sent`, `maybe-sent` or `answered`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotSent => "not-sent",
            Self::MaybeSent => "maybe-sent",
            Self::Answered => "answered",
        }
    }
}

/// The outcome of one attempt, as far as it matters for a retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// No connection, so nothing was sent.
    NotSent,
    /// No whole response: timeout, reset, truncation.
    MaybeSent,
    /// A 429 in the gateway's own envelope: the gateway did nothing and asks for a later call.
    Throttled,
    /// Any other 429, any 5xx, 408 and 425: each leaves it uncertain whether the request was performed.
    Fault,
    /// A response without a definite result: any other 4xx that is not the gateway's own, 1xx, 3xx (a redirect is not
    /// followed, and is mostly a proxy's), an unknown status class, or a response too long or too broken to read.
    Unclear,
    /// A definite no: any other 4xx in the gateway's own envelope (a decline is one), or a call that this client
    /// refused to send.
    Refused,
    /// A 2xx response. The caller checks whether its body is the gateway's.
    Done,
}

impl Outcome {
    /// The outcome of an attempt with a response. `is_own` returns whether the response is in the gateway's envelope;
    /// it is called only where the result matters (4xx).
    ///
    /// A proxy, a firewall or a portal can respond instead of the gateway, before or after the gateway has acted, with
    /// any status. So only a response in the gateway's own envelope is a definite no.
    ///
    /// ```
    /// use http::StatusCode;
    /// use perennial_transport::Outcome;
    ///
    /// assert_eq!(Outcome::of_status(StatusCode::NOT_FOUND, || true), Outcome::Refused);
    /// assert_eq!(Outcome::of_status(StatusCode::NOT_FOUND, || false), Outcome::Unclear);
    /// ```
    pub fn of_status(status: StatusCode, is_own: impl FnOnce() -> bool) -> Self {
        match status {
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY => Self::Fault,
            status if status.is_success() => Self::Done,
            status if status.is_client_error() => match (status, is_own()) {
                (StatusCode::TOO_MANY_REQUESTS, true) => Self::Throttled,
                (StatusCode::TOO_MANY_REQUESTS, false) => Self::Fault,
                (_, true) => Self::Refused,
                (_, false) => Self::Unclear,
            },
            status if status.is_server_error() => Self::Fault,
            _ => Self::Unclear,
        }
    }

    /// The outcome of an attempt that failed.
    pub fn of_error(error: &TransportError) -> Self {
        match (error.kind(), error.delivery()) {
            (
                Kind::RefusedUrl
                | Kind::PlainThroughProxy
                | Kind::Unrecorded
                | Kind::NoPermit
                | Kind::TooLate,
                _,
            )
            | (Kind::Canceled, Delivery::NotSent) => Self::Refused,
            (_, Delivery::NotSent) => Self::NotSent,
            (Kind::Canceled, _) | (_, Delivery::Answered) => Self::Unclear,
            (_, Delivery::MaybeSent) => Self::MaybeSent,
        }
    }

    /// Whether the attempt is known to have changed something, or to have changed nothing.
    pub const fn is_definite(self) -> bool {
        matches!(self, Self::NotSent | Self::Throttled | Self::Refused | Self::Done)
    }
}

/// The next step after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// Stop: the response, or its absence, is final.
    Stop,
    /// Send the request again.
    Retry,
    /// Stop and report that the call may have been performed: only a lookup can decide.
    OutcomeUnknown,
    /// Ask the gateway about the call's key. Sending again is not allowed even if the gateway has no record of the key
    /// yet.
    LookUp,
}

/// The retry table. Each row is a [`RetryClass`], each column an [`Outcome`].
///
/// **Inferred** from the meaning of 429 (RFC 6585, section 4): a gateway that responds with 429 in its own envelope has
/// done nothing; neither vendor documents it.
///
/// ```
/// use perennial_transport::{Decision, Outcome, RetryClass, decide};
///
/// assert_eq!(decide(RetryClass::Safe, Outcome::MaybeSent), Decision::Retry);
/// assert_eq!(decide(RetryClass::Never, Outcome::MaybeSent), Decision::OutcomeUnknown);
/// assert_eq!(decide(RetryClass::Never, Outcome::NotSent), Decision::Retry);
/// ```
pub const fn decide(retry_class: RetryClass, outcome: Outcome) -> Decision {
    use Outcome::{Done, Fault, MaybeSent, NotSent, Refused, Throttled, Unclear};

    match retry_class {
        RetryClass::Safe => match outcome {
            NotSent | MaybeSent | Throttled | Fault => Decision::Retry,
            Unclear | Refused | Done => Decision::Stop,
        },
        RetryClass::WithKey => match outcome {
            NotSent | Throttled => Decision::Retry,
            MaybeSent | Fault | Unclear => Decision::LookUp,
            Refused | Done => Decision::Stop,
        },
        RetryClass::Delete => match outcome {
            NotSent | MaybeSent | Throttled | Fault => Decision::Retry,
            Unclear => Decision::OutcomeUnknown,
            Refused | Done => Decision::Stop,
        },
        RetryClass::Never => match outcome {
            NotSent | Throttled => Decision::Retry,
            MaybeSent | Fault | Unclear => Decision::OutcomeUnknown,
            Refused | Done => Decision::Stop,
        },
    }
}

/// Whether the status of a definite response, if there was one, settles a call whose earlier attempt may have been
/// performed.
///
/// A delete may have been performed: only a missing object settles it, or a refusal that judges the object (402), which
/// a deleted one could not get. A rejected key (401, 403) or a malformed request (400) judges the retry alone.
pub(crate) fn settles(retry_class: RetryClass, status: Option<StatusCode>) -> bool {
    retry_class != RetryClass::Delete
        || status.is_some_and(|status| matches!(status.as_u16(), 200..=299 | 402 | 404 | 410))
}

/// The final step where the table asks for a retry and none may be made: no attempt, budget or time is left.
pub(crate) const fn give_up(retry_class: RetryClass, outcome: Outcome) -> Decision {
    match retry_class {
        _ if outcome.is_definite() => Decision::Stop,
        RetryClass::Safe => Decision::Stop,
        RetryClass::WithKey => Decision::LookUp,
        RetryClass::Delete | RetryClass::Never => Decision::OutcomeUnknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Holds: Each combination of a retry class and an outcome has one decision, and a create or update is
    /// sent again only if nothing of it was sent or the gateway responds with 429 in its own envelope.
    #[test]
    #[rustfmt::skip]
    fn every_cell_of_the_table() {
        use Decision::{LookUp as L, OutcomeUnknown as U, Retry as R, Stop as S};
        let columns = [Outcome::NotSent, Outcome::MaybeSent, Outcome::Throttled, Outcome::Fault,
                       Outcome::Unclear, Outcome::Refused, Outcome::Done];
        let decided = [
            (RetryClass::Safe,    [R, R, R, R, S, S, S]),
            (RetryClass::WithKey, [R, L, R, L, L, S, S]),
            (RetryClass::Delete,  [R, R, R, R, U, S, S]),
            (RetryClass::Never,   [R, U, R, U, U, S, S]),
        ];
        let given_up = [
            (RetryClass::Safe,    [S, S, S, S, S, S, S]),
            (RetryClass::WithKey, [S, L, S, L, L, S, S]),
            (RetryClass::Delete,  [S, U, S, U, U, S, S]),
            (RetryClass::Never,   [S, U, S, U, U, S, S]),
        ];
        for (retry_class, row) in decided {
            assert_eq!(columns.map(|outcome| decide(retry_class, outcome)), row, "{retry_class:?}");
        }
        for (retry_class, row) in given_up {
            assert_eq!(columns.map(|outcome| give_up(retry_class, outcome)), row, "{retry_class:?}, given up");
        }
    }

    /// Holds: Each HTTP status maps to an outcome of the retry table.
    #[test]
    fn every_status_has_an_outcome() {
        use Outcome::{Done, Fault, Refused, Throttled, Unclear};
        for (statuses, own, of_another) in [
            (100..=199, Unclear, Unclear),
            (200..=299, Done, Done),
            (300..=399, Unclear, Unclear),
            (400..=407, Refused, Unclear),
            (408..=408, Fault, Fault),
            (409..=424, Refused, Unclear),
            (425..=425, Fault, Fault),
            (426..=428, Refused, Unclear),
            (429..=429, Throttled, Fault),
            (430..=499, Refused, Unclear),
            (500..=599, Fault, Fault),
            (600..=999, Unclear, Unclear),
        ] {
            for status in statuses {
                let status = StatusCode::from_u16(status).unwrap();
                assert_eq!(Outcome::of_status(status, || true), own, "{status} of the gateway");
                assert_eq!(Outcome::of_status(status, || false), of_another, "{status} of a proxy");
            }
        }
    }

    /// Holds: Each transport error maps to an outcome of the retry table.
    #[test]
    fn every_error_has_an_outcome() {
        for (kind, outcome) in [
            (Kind::RefusedUrl, Outcome::Refused),
            (Kind::PlainThroughProxy, Outcome::Refused),
            (Kind::Unrecorded, Outcome::Refused),
            (Kind::NoPermit, Outcome::Refused),
            (Kind::Proxy, Outcome::NotSent),
            (Kind::Resolve, Outcome::NotSent),
            (Kind::Connect, Outcome::NotSent),
            (Kind::Tls, Outcome::NotSent),
            (Kind::Timeout, Outcome::MaybeSent),
            (Kind::Closed, Outcome::MaybeSent),
            (Kind::Truncated, Outcome::MaybeSent),
            (Kind::TooLarge, Outcome::Unclear),
            (Kind::Protocol, Outcome::Unclear),
            (Kind::Canceled, Outcome::Unclear),
        ] {
            assert_eq!(Outcome::of_error(&TransportError::new(kind)), outcome, "{kind:?}");
        }
        for (kind, outcome) in [(Kind::Timeout, Outcome::NotSent), (Kind::Canceled, Outcome::Refused)] {
            assert_eq!(Outcome::of_error(&TransportError::new(kind).not_sent()), outcome, "{kind:?}");
        }
    }
}
