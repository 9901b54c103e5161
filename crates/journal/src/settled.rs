//! Results of operations.

use crate::machine::How;

/// The result of an operation: its outcome, or the state in which it waits.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "an operation may be open, declined or refused"]
#[non_exhaustive]
pub enum Settled<T> {
    /// The gateway did it, once.
    Done {
        /// The object; `None` if the gateway does not return it, and after a person's decision.
        value: Option<T>,
        /// The way in which this is known.
        how: Told,
    },
    /// The card was declined. A new try is a new decision, under a new operation key.
    Declined {
        /// The declined transaction.
        value: Option<T>,
    },
    /// The gateway refused the request, and did nothing.
    Refused {
        /// Its reason.
        reason: String,
    },
    /// It was taken back before it was sent, or a person decided that it was not done.
    Withdrawn {
        /// The reason.
        reason: String,
    },
    /// The plan is made, and stays suspended: its activation was refused, or was taken back. Activate it with a new
    /// operation key, or cancel it.
    NotActivated {
        /// The plan's key.
        plan: String,
        /// The reason.
        reason: String,
    },
    /// It is not known yet. The same call again is safe, and so is waiting for the worker.
    Open(Waits),
    /// It is not done, and its card is not stored: the same call with the card sends it.
    NeedsCard(Waits),
    /// Nothing decides but a person: `perennial journal show` says what to do.
    NeedsPerson(Waits),
}

/// The way in which an outcome is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Told {
    /// By the answer to this call.
    Sent,
    /// This call found it at the gateway.
    Adopted,
    /// It was known before this call, which sent nothing.
    Replayed,
    /// A person decided it.
    Decided,
}

impl From<How> for Told {
    fn from(how: How) -> Self {
        match how {
            How::Sent => Self::Sent,
            How::Adopted => Self::Adopted,
            How::Decided => Self::Decided,
        }
    }
}

/// An intent that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Waits {
    /// The uid of the intent.
    pub intent: String,
    /// The reason for the wait, in a sentence.
    pub reason: String,
    /// The moment of its next step, if it has one.
    pub next: Option<crate::Moment>,
}

impl<T> Settled<T> {
    /// The object of a done operation.
    pub fn done(self) -> Option<T> {
        match self {
            Self::Done { value, .. } => value,
            _ => None,
        }
    }

    /// Replaces the value, if the operation is done.
    pub(crate) fn with_value<U>(self, value: Option<U>) -> Settled<U> {
        match self {
            Self::Done { how, .. } => Settled::Done { value, how },
            Self::Declined { .. } => Settled::Declined { value: None },
            Self::Refused { reason } => Settled::Refused { reason },
            Self::Withdrawn { reason } => Settled::Withdrawn { reason },
            Self::NotActivated { plan, reason } => Settled::NotActivated { plan, reason },
            Self::Open(waits) => Settled::Open(waits),
            Self::NeedsCard(waits) => Settled::NeedsCard(waits),
            Self::NeedsPerson(waits) => Settled::NeedsPerson(waits),
        }
    }

    /// Whether the operation is done.
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Done { .. })
    }
}
