//! What may be repeated: the one table that keeps a card from being charged twice.

use http::{Response, StatusCode, header};

use crate::{Kind, TransportError};

/// What a call allows to be done with it a second time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Replay {
    /// A read: a repeat changes nothing.
    Safe,
    /// A write under a key that the gateway accepts once, such as a single-use request id.
    WithKey,
    /// A delete: a repeat finds the object gone.
    Delete,
    /// A write that the gateway would perform again: every Clearent create and update.
    Never,
}

/// How far a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Delivery {
    /// No byte of it reached the gateway.
    NotSent,
    /// Some of it may have, and no whole answer came back.
    MaybeSent,
    /// The gateway answered, readably or not.
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

/// What one attempt came to, as far as a repeat is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// No connection, so nothing was sent.
    NotSent,
    /// No whole answer: timeout, reset, truncation.
    MaybeSent,
    /// 429, or 503 with `Retry-After`: later, please.
    Throttled,
    /// Any other 5xx, and 408 and 425, which leave open as a 5xx does whether the request was performed.
    Fault,
    /// An answer that says nothing definite: 1xx, 300 to 306, a status of no known class, or an answer too long
    /// or too broken to read.
    Unclear,
    /// A definite no: any other 4xx (a decline is one), 307 and 308 (which are not followed), a URL refused by us.
    Refused,
    /// 2xx.
    Done,
}

impl Outcome {
    /// The outcome of an attempt that was answered.
    pub fn of_answer<B>(answer: &Response<B>) -> Self {
        let throttled = answer.headers().contains_key(header::RETRY_AFTER);
        match answer.status() {
            StatusCode::TOO_MANY_REQUESTS => Self::Throttled,
            StatusCode::SERVICE_UNAVAILABLE if throttled => Self::Throttled,
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY => Self::Fault,
            StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => Self::Refused,
            status if status.is_success() => Self::Done,
            status if status.is_client_error() => Self::Refused,
            status if status.is_server_error() => Self::Fault,
            _ => Self::Unclear,
        }
    }

    /// The outcome of an attempt that failed.
    pub fn of_error(error: &TransportError) -> Self {
        match (error.kind(), error.delivery()) {
            (Kind::RefusedUrl | Kind::PlainThroughProxy | Kind::Unrecorded, _)
            | (Kind::Canceled, Delivery::NotSent) => Self::Refused,
            (_, Delivery::NotSent) => Self::NotSent,
            (Kind::Canceled, _) | (_, Delivery::Answered) => Self::Unclear,
            (_, Delivery::MaybeSent) => Self::MaybeSent,
        }
    }
}

/// What to do after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Next {
    /// Nothing more: the answer, or the lack of one, is final.
    Stop,
    /// Send the same request again.
    Repeat,
    /// Stop and say that the call may have been performed: only reconciliation can tell.
    OutcomeUnknown,
    /// Ask the gateway about the call's key. That it knows nothing of the key yet is no leave to send again.
    LookUp,
}

/// The table. Each row is a [`Replay`], each column an [`Outcome`].
///
/// Neither vendor documents that a throttled request was not processed, so no write is repeated after it.
///
/// ```
/// use perennial_transport::{Next, Outcome, Replay, decide};
///
/// assert_eq!(decide(Replay::Safe, Outcome::MaybeSent), Next::Repeat);
/// assert_eq!(decide(Replay::Never, Outcome::MaybeSent), Next::OutcomeUnknown);
/// assert_eq!(decide(Replay::Never, Outcome::NotSent), Next::Repeat);
/// ```
pub const fn decide(replay: Replay, outcome: Outcome) -> Next {
    use Outcome::{Done, Fault, MaybeSent, NotSent, Refused, Throttled, Unclear};

    match replay {
        Replay::Safe => match outcome {
            NotSent | MaybeSent | Throttled | Fault => Next::Repeat,
            Unclear | Refused | Done => Next::Stop,
        },
        Replay::WithKey => match outcome {
            NotSent => Next::Repeat,
            MaybeSent | Throttled | Fault | Unclear => Next::LookUp,
            Refused | Done => Next::Stop,
        },
        Replay::Delete => match outcome {
            NotSent | MaybeSent | Throttled | Fault => Next::Repeat,
            Unclear => Next::OutcomeUnknown,
            Refused | Done => Next::Stop,
        },
        Replay::Never => match outcome {
            NotSent => Next::Repeat,
            MaybeSent | Throttled | Fault | Unclear => Next::OutcomeUnknown,
            Refused | Done => Next::Stop,
        },
    }
}

/// Whether the status of an answer, if there was one, settles a call whose earlier attempt may have been performed.
///
/// A delete may have been: then only that the object is gone tells, or a refusal that judges the object (402), which a
/// deleted one could not get. That a key was not accepted (401, 403) or a request not understood (400) judges the
/// repeat alone.
pub(crate) fn settles(replay: Replay, status: Option<StatusCode>) -> bool {
    replay != Replay::Delete
        || status.is_some_and(|status| matches!(status.as_u16(), 200..=299 | 402 | 404 | 410))
}

/// What is left to say where the table wants a repeat and none may be made: no attempt, budget or time is left.
pub(crate) const fn give_up(replay: Replay, outcome: Outcome) -> Next {
    match (replay, outcome) {
        (_, Outcome::Done | Outcome::Refused | Outcome::NotSent) | (Replay::Safe, _) => Next::Stop,
        (Replay::WithKey, _) => Next::LookUp,
        (Replay::Delete | Replay::Never, _) => Next::OutcomeUnknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[rustfmt::skip]
    fn every_cell_of_the_table() {
        use Next::{LookUp as L, OutcomeUnknown as U, Repeat as R, Stop as S};
        let columns = [Outcome::NotSent, Outcome::MaybeSent, Outcome::Throttled, Outcome::Fault,
                       Outcome::Unclear, Outcome::Refused, Outcome::Done];
        let decided = [
            (Replay::Safe,    [R, R, R, R, S, S, S]),
            (Replay::WithKey, [R, L, L, L, L, S, S]),
            (Replay::Delete,  [R, R, R, R, U, S, S]),
            (Replay::Never,   [R, U, U, U, U, S, S]),
        ];
        let given_up = [
            (Replay::Safe,    [S, S, S, S, S, S, S]),
            (Replay::WithKey, [S, L, L, L, L, S, S]),
            (Replay::Delete,  [S, U, U, U, U, S, S]),
            (Replay::Never,   [S, U, U, U, U, S, S]),
        ];
        for (replay, row) in decided {
            assert_eq!(columns.map(|outcome| decide(replay, outcome)), row, "{replay:?}");
        }
        for (replay, row) in given_up {
            assert_eq!(columns.map(|outcome| give_up(replay, outcome)), row, "{replay:?}, given up");
        }
    }

    #[test]
    fn every_status_has_an_outcome() {
        for (statuses, retry_after, outcome) in [
            (100..=199, None, Outcome::Unclear),
            (200..=299, None, Outcome::Done),
            (300..=306, None, Outcome::Unclear),
            (307..=308, None, Outcome::Refused),
            (309..=399, None, Outcome::Unclear),
            (400..=407, None, Outcome::Refused),
            (408..=408, None, Outcome::Fault),
            (409..=424, None, Outcome::Refused),
            (425..=425, None, Outcome::Fault),
            (426..=428, None, Outcome::Refused),
            (429..=429, None, Outcome::Throttled),
            (429..=429, Some("1"), Outcome::Throttled),
            (430..=499, None, Outcome::Refused),
            (500..=599, None, Outcome::Fault),
            (503..=503, Some("1"), Outcome::Throttled),
            (504..=504, Some("1"), Outcome::Fault),
            (600..=999, None, Outcome::Unclear),
        ] {
            for status in statuses {
                let mut answer = Response::builder().status(status);
                if let Some(seconds) = retry_after {
                    answer = answer.header(header::RETRY_AFTER, seconds);
                }
                assert_eq!(
                    Outcome::of_answer(&answer.body(()).unwrap()),
                    outcome,
                    "{status} {retry_after:?}"
                );
            }
        }
    }

    #[test]
    fn every_error_has_an_outcome() {
        for (kind, outcome) in [
            (Kind::RefusedUrl, Outcome::Refused),
            (Kind::PlainThroughProxy, Outcome::Refused),
            (Kind::Unrecorded, Outcome::Refused),
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
