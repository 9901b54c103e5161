//! The errors of a journal.

use crate::store::StoreError;

/// The error of a call of the journal. Nothing was sent for the call, unless the text says otherwise.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database fails. If an attempt was already stored, the same call finds its result.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The request breaks rules, or the tenant's client failed while it was bound.
    #[error(transparent)]
    Gateway(#[from] perennial::Error),
    /// The operation key was used for another request.
    #[error(
        "the operation key {key} was used for another request ({operation}): use a new key for a new decision, and the \
         same request with the same key"
    )]
    KeyUsed {
        /// The key.
        key: String,
        /// The operation of the earlier request.
        operation: &'static str,
    },
    /// Another intent has the same order id.
    #[error(
        "the order id is the mark of the operation key {by}, which is not refused: give this charge another order id"
    )]
    MarkTaken {
        /// The other key.
        by: String,
    },
    /// The operation key is empty or too long.
    #[error(
        "an operation key has 1 to 200 characters, none of them a control character, and neither ends with /activation \
         nor contains /spare/ nor begins with perennial/control, which the journal's own keys do"
    )]
    InvalidKey,
    /// The operation key has a card number.
    #[error("an operation key must not have a card number, because it is stored: choose another key")]
    CardAsKey,
    /// A write that is stored for later has a card, a security code or a one-time token.
    #[error(
        "a write that is sent later cannot have a card, because none is ever stored: charge a token of the customer"
    )]
    CardLater,
    /// The id of an object is none that a gateway gives.
    #[error(
        "the id of the object is 1 to 100 letters, digits, '_', '-', '.' or ':', as the gateway reports it"
    )]
    InvalidId,
    /// A decision has no person or no reason.
    #[error("a decision is kept with the person who made it and the reason: give both")]
    Anonymous,
    /// The name of a tenant is empty or too long.
    #[error("a tenant's name has 1 to 100 characters, and none of them is a control character")]
    InvalidTenant,
    /// There is no such tenant.
    #[error("the journal has no tenant {0}: it is made when a client is bound to it")]
    NoTenant(String),
    /// The client is of another merchant or host than the tenant.
    #[error(
        "the tenant {tenant} is bound to another {what}: nothing was sent. Use the right key{}",
        if *what == "merchant" { "; if its control customer was deleted, bind the tenant anew (perennial journal rebind)" } else { ", or another tenant" }
    )]
    OtherMerchant {
        /// The tenant.
        tenant: String,
        /// `host`, `merchant` or `account`.
        what: &'static str,
    },
    /// The tenant could not be bound, because its sentinel is not known to exist.
    #[error(
        "the tenant {tenant} is not bound yet: the gateway did not confirm its control customer{}; call again. If that does \
         not help, bind it to a customer that exists (perennial journal rebind --customer-key KEY)",
        if reason.is_empty() { String::new() } else { format!(" ({reason})") }
    )]
    NotBound {
        /// The tenant.
        tenant: String,
        /// The reason.
        reason: String,
    },
    /// There is no such intent.
    #[error("the journal has no intent {0}")]
    NoIntent(String),
    /// The intent cannot be decided by a person in its state.
    #[error(
        "the intent is {state}: only one that needs a person or a card, or is unknown for more than a day, is resolved by \
         a decision"
    )]
    NotToDecide {
        /// The state.
        state: crate::machine::State,
    },
    /// The intent cannot be sent again by a decision.
    #[error(
        "the intent {intent} is not sent again: only a write of ClientPay that needs a person is, under the same request \
         id, and only if no response and no search named a result"
    )]
    NotToResend {
        /// The uid of the intent.
        intent: String,
    },
    /// Another process has the intent.
    #[error("another process is working on the intent: try again in a few seconds")]
    InUse,
    /// The request cannot be stored, and so is not sent.
    #[error("{0}")]
    NotStorable(String),
    /// The stored outcome cannot be read as the requested type.
    #[error("the outcome of the operation key {0} cannot be read: it was stored by another version")]
    Outcome(String),
}

impl From<crate::gateway::request::NotStorable> for Error {
    fn from(error: crate::gateway::request::NotStorable) -> Self {
        Self::NotStorable(error.to_string())
    }
}
