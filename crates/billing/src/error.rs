//! The errors of billing.

/// The error of a call. Nothing is changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The journal or its database fails.
    #[error(transparent)]
    Journal(#[from] perennial_journal::Error),
    /// The gateway fails, or a request breaks its rules.
    #[error(transparent)]
    Gateway(#[from] perennial::Error),
    /// A word is not one of those that are known.
    #[error("it is not one of: {known}")]
    UnknownWord {
        /// The known words.
        known: String,
    },
    /// The id of a subscription cannot be one.
    #[error("the id of a subscription has 1 to 60 letters, digits, '-', '_' or '.': M-1")]
    InvalidId,
    /// The amount is nothing.
    #[error("the amount is nothing: a subscription charges at least 0.01")]
    NoAmount,
    /// A date lies in the past.
    #[error("{what} is in the past: the gateway's day is {today}")]
    Past {
        /// The date, in words.
        what: &'static str,
        /// The day.
        today: chrono::NaiveDate,
    },
    /// A period ends before it begins.
    #[error("{0} ends before it begins")]
    EmptyPeriod(&'static str),
    /// The id is in use with other values.
    #[error("the subscription {0} exists with other values: show it, or use another id")]
    IdUsed(String),
    /// There is no such subscription.
    #[error("there is no subscription {0}: perennial subscriptions list shows all")]
    NoSubscription(String),
    /// The subscription is over.
    #[error("the subscription {0} is over: start another one with the same id")]
    IsOver(String),
    /// The token is not one of the customer's.
    #[error("the token is not one of the customer's: attach it first, or use another")]
    ForeignToken,
    /// Another process changed the subscription meanwhile.
    #[error("another process changed the subscription {0} meanwhile: do it again")]
    Changed(String),
    /// A charge of a plan cannot be placed on a day.
    #[error(
        "a charge of the plan {0} has no id or no day: look at it at the gateway before its day is charged again"
    )]
    UnclearCharge(String),
    /// The gateway's list changed while it was read.
    #[error(
        "the gateway's transactions changed while they were read, so that nothing is certain: do it again"
    )]
    ListChanged,
    /// An alert is not signed by the owner of the key, or is no alert.
    #[error(
        "the alert is refused, and nothing of it is stored: {0}. If the gateway sent it, the public key is of another environment"
    )]
    InvalidAlert(String),
    /// An alert is signed and names no transaction.
    #[error(
        "the alert is signed, and names no transaction with an id: nothing of it is stored. A newer version may read it"
    )]
    UnreadableAlert,
    /// The subscription is not over.
    #[error("the subscription {0} is not over: cancel it, and erase it when it has ended")]
    NotOver(String),
    /// Something of a subscription that is over is open.
    #[error("the subscription {id} cannot be erased yet: {what}")]
    NotSettled {
        /// The id of the subscription.
        id: String,
        /// The reason, and the remedy.
        what: String,
    },
    /// There is no cancellation that could be taken back.
    #[error("nothing is to be taken back: the subscription {0} is not canceled, or its end has come")]
    NotEnding(String),
}

impl Error {
    /// Whether the same call can succeed later without any change: the gateway was not reached, or another process was faster.
    pub(crate) fn is_passing(&self) -> bool {
        use perennial::ErrorKind::{Connection, RateLimited, Timeout, Unavailable};
        match self {
            Self::Gateway(error) | Self::Journal(perennial_journal::Error::Gateway(error)) => {
                matches!(error.kind(), Connection | RateLimited | Timeout | Unavailable)
            }
            Self::Changed(_) | Self::ListChanged => true,
            _ => false,
        }
    }
}
