//! The errors of billing.

use perennial::clearent::{PlanKey, TransactionId};

use crate::model::DayState;

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
    /// A change changes nothing.
    #[error("the change has no value: give at least one")]
    EmptyChange,
    /// A date lies in the past.
    #[error("{what} is in the past: today is {today}, in UTC")]
    Past {
        /// The date, in words.
        what: &'static str,
        /// The day.
        today: chrono::NaiveDate,
    },
    /// A subscription that charges today starts on another day.
    #[error("a first charge today needs a start today: leave out the start, or the first charge")]
    NotToday,
    /// A period ends before it begins.
    #[error("{0} ends before it begins")]
    EmptyPeriod(&'static str),
    /// The id is in use with other values.
    #[error("the subscription {0} exists with other values: show it, or use another id")]
    IdUsed(String),
    /// There is no such subscription.
    #[error("there is no subscription {0}: perennial subscriptions list shows all")]
    NoSubscription(String),
    /// Another subscription charges the same customer, token and amount on the same day.
    #[error(
        "the subscription {other} charges this customer and token the same amount on the same day already: show it, or \
         allow a second one (--allow-second)"
    )]
    Second {
        /// The id of the other subscription.
        other: String,
    },
    /// A plan that is of no subscription charges the same customer, token and amount on the same day.
    #[error(
        "the plan {plan} charges this customer and token the same amount on the same day already, and is of no \
         subscription: perennial subscriptions adopt --id {id} --plan-key {plan} takes it, or allow a second one \
         (--allow-second)"
    )]
    SecondPlan {
        /// The id of the subscription that was to be started.
        id: String,
        /// The plan.
        plan: PlanKey,
    },
    /// The plan cannot be the first term of a subscription.
    #[error("the plan {plan} cannot be adopted: {why}")]
    NotAdoptable {
        /// The plan.
        plan: PlanKey,
        /// The reason, and what to do.
        why: String,
    },
    /// The plan is of another subscription, or of one that is over.
    #[error(
        "the plan {0} is of another subscription, or of one that is over: perennial subscriptions list shows all"
    )]
    PlanUsed(PlanKey),
    /// The subscription is in shadow.
    #[error(
        "the subscription {0} is in shadow, and nothing of it is changed at the gateway: first end the shadow with \
         perennial subscriptions adopt --id {0}"
    )]
    InShadow(String),
    /// The subscription is not in shadow.
    #[error("the subscription {0} is not in shadow: nothing was changed")]
    NotInShadow(String),
    /// The operation key was used for another decision.
    #[error(
        "the operation key {0} was used for something else: use a new key for a new decision, and the same decision with \
         the same key"
    )]
    KeyUsed(String),
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
    /// There is no such due day.
    #[error("the subscription {id} has no due day {day}: perennial due-days list --id {id} shows all")]
    NoDueDay {
        /// The id of the subscription.
        id: String,
        /// The day.
        day: chrono::NaiveDate,
    },
    /// A due day cannot be decided in its state.
    #[error("the due day {day} is {state}, and cannot be {decision}: {}", ways(*.state))]
    DayState {
        /// The day.
        day: chrono::NaiveDate,
        /// Its state.
        state: DayState,
        /// The decision.
        decision: &'static str,
    },
    /// A sale of a due day has no outcome yet.
    #[error(
        "a sale of {id} on {day} is open: wait for its outcome; perennial subscriptions show {id} names the command \
         that explains it"
    )]
    SaleOpen {
        /// The id of the subscription.
        id: String,
        /// The day.
        day: chrono::NaiveDate,
    },
    /// A transaction did not pay a due day.
    #[error(
        "the transaction {transaction} cannot be claimed for this day: {why}. See perennial transactions get {transaction}"
    )]
    NoClaim {
        /// The transaction.
        transaction: TransactionId,
        /// The reason.
        why: &'static str,
    },
    /// A due day has no charge, or all of it is given back.
    #[error("the due day {0} has no charge of which anything is left")]
    NothingToRefund(chrono::NaiveDate),
    /// A due day has several charges.
    #[error("the due day {0} has several charges: say which, by its transaction id")]
    WhichCharge(chrono::NaiveDate),
    /// A refund is above its charge.
    #[error("the refund is above what is left of the charge, {left}")]
    RefundAbove {
        /// The rest of the charge.
        left: perennial::Amount,
    },
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
    #[error(
        "the subscription {0} has no cancellation that can be taken back: it is not canceled, or its end has come"
    )]
    NotEnding(String),
}

/// The ways that are left for a day in a state.
fn ways(state: DayState) -> &'static str {
    match state {
        DayState::Paid | DayState::Recovered => "it can be refunded",
        DayState::Expected => "pause the subscription, or wait for the charge",
        _ => "only a day that has come can be",
    }
}

impl Error {
    /// Whether the worker goes on after it: the gateway was not reached, or it is about one subscription. It does not go on if
    /// the database fails, or the gateway does not take the key.
    pub fn is_passing(&self) -> bool {
        use perennial::ErrorKind::{Configuration, Redirected, Unauthorized};
        match self {
            Self::Gateway(error) | Self::Journal(perennial_journal::Error::Gateway(error)) => {
                !matches!(error.kind(), Configuration | Redirected | Unauthorized)
            }
            Self::Journal(_) => false,
            _ => true,
        }
    }
}
