//! What can go wrong, told by what the caller can do about it.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use perennial_domain::clearent::{InvalidApiKey, Refusal};
use perennial_domain::clientpay::{PaymentId, RequestId};
use perennial_domain::{InvalidValue, Violations};
use perennial_transport::Delivery;
use perennial_wire::{EncodeError, UnreadableRecord};

use crate::clearent::Lookup;
use crate::{Environment, InvalidBaseUrl};

/// An operation that gave no value.
///
/// A decline is none of these: it is the value of a sale. Neither the text of an error nor its `Debug` holds a value
/// of the request; the gateway's own message, masked, is the [`source`](StdError::source) of what it refused.
///
/// ```
/// use perennial::{Error, ErrorKind, clearent::NewCustomer};
///
/// fn ada() -> Result<NewCustomer, Error> {
///     Ok(NewCustomer::builder().first_name("Ada").build()?)
/// }
///
/// let error = ada().unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Rules);
/// assert_eq!(error.violations().unwrap().to_string(), "last-name: is required");
/// assert_eq!(size_of::<Error>(), size_of::<usize>());
/// ```
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    operation: Option<&'static str>,
    environment: Option<Environment>,
    status: Option<u16>,
    exchange_id: Option<String>,
    retry_after: Option<Duration>,
    attempts: u32,
    delivery: Delivery,
    lookup: Option<Lookup>,
    request_id: Option<RequestId>,
    payment_ids: Vec<PaymentId>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What a caller can do about an error. Only [`OutcomeUnknown`](Self::OutcomeUnknown) leaves open whether something
/// was changed; after all others nothing was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request breaks rules and was not sent; [`Error::violations`] names every field.
    Rules,
    /// What was to be deleted cannot be; [`Error::refusal`] says why and what can be done instead.
    DeletionRefused,
    /// The client is not set up: a key, URL or setting is not usable.
    Configuration,
    /// The gateway does not accept the api key or the credentials for this (401 or 403 in its own envelope).
    Unauthorized,
    /// The gateway knows no such object (404 or 410 in its own envelope, or an empty 204 to a get).
    NotFound,
    /// The gateway refused the request; [`Error::gateway_message`] says why.
    Refused,
    /// The gateway wants fewer calls (429, still after the repeats) and has done nothing; [`Error::retry_after`] is the
    /// wait that it asked for. A write is refused so only in the gateway's own envelope.
    RateLimited,
    /// The gateway failed (5xx, 408 or 425 to a read, still after the repeats).
    Unavailable,
    /// No connection, or one that closed before the answer to a read.
    Unreachable,
    /// The deadline of a read passed, or of a call that was still waiting for its place among the calls of this client.
    Timeout,
    /// The answer to a read is not the gateway's (such as a proxy's error page), or it is cut off, too long, malformed, about
    /// something else, or of parts that contradict each other, such as an error beside an object. Or a record of a list
    /// cannot be read: [`Error::unreadable_record`].
    Unreadable,
    /// The answer to a read is about another object, or a search found an object that it does not match.
    Mismatch,
    /// A read was answered with a redirect, which is never followed.
    Redirected,
    /// The pages of a list do not end.
    PageLoop,
    /// A write may have been performed, or not: its answer was lost, or decides nothing. [`Error::lookup`] is what tells, or with ClientPay
    /// [`Error::request_id`].
    OutcomeUnknown,
}

impl ErrorKind {
    fn advice(self) -> &'static str {
        match self {
            Self::Rules => "the request breaks rules and was not sent: correct the fields that are named",
            Self::DeletionRefused => {
                "the object was not deleted: remove what stands in the way, or do what is named instead"
            }
            Self::Configuration => "the client cannot be set up like this: correct the setting that is named",
            Self::Unauthorized => {
                "the gateway does not accept the credentials: check that they are whole, of this environment, and allowed to do this"
            }
            Self::NotFound => {
                "the gateway knows no such object: check the key, and that it is of this environment and merchant"
            }
            Self::Refused => "the gateway refused the request: correct it as its message says",
            Self::RateLimited => "the gateway wants fewer calls; nothing was changed: wait, then call again",
            Self::Unavailable => "the gateway is failing; nothing was changed: call again later",
            Self::Unreachable => {
                "the gateway was not reached; nothing was changed: check the network and the base URL"
            }
            Self::Timeout => {
                "the gateway did not answer in time; nothing was changed: call again, or allow more time"
            }
            Self::Unreadable => {
                "the answer cannot be read; nothing was changed: check that the base URL is the gateway's"
            }
            Self::Mismatch => {
                "the answer is about another object; nothing was changed: call again, and report it to the gateway's support"
            }
            Self::Redirected => {
                "the gateway answered with a redirect, which is never followed: check the base URL"
            }
            Self::PageLoop => {
                "the pages of the list do not end: narrow the search, or begin from another page"
            }
            Self::OutcomeUnknown => {
                "the gateway may have done this or not: look for the object before sending it again"
            }
        }
    }
}

impl Error {
    pub(crate) fn new(kind: ErrorKind) -> Self {
        Self(Box::new(Inner {
            kind,
            operation: None,
            environment: None,
            status: None,
            exchange_id: None,
            retry_after: None,
            attempts: 0,
            delivery: Delivery::NotSent,
            lookup: None,
            request_id: None,
            payment_ids: Vec::new(),
            source: None,
        }))
    }

    pub(crate) fn because(kind: ErrorKind, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(kind).with_source(source)
    }

    pub(crate) fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    pub(crate) fn of_operation(mut self, operation: &'static str) -> Self {
        self.0.operation = Some(operation);
        self
    }

    /// Says which gateway was called.
    pub(crate) fn of_environment(mut self, environment: &Environment) -> Self {
        self.0.environment = Some(environment.clone());
        self
    }

    pub(crate) fn sent(mut self, attempts: u32, delivery: Delivery) -> Self {
        self.0.attempts = attempts;
        self.0.delivery = delivery;
        self
    }

    pub(crate) fn answered(mut self, status: u16, exchange_id: Option<String>) -> Self {
        self.0.status = Some(status);
        self.0.exchange_id = exchange_id;
        self
    }

    /// Notes the object that the answer names, if the outcome is unknown.
    pub(crate) fn looking_at(mut self, named: Option<Lookup>) -> Self {
        if self.is_outcome_unknown() {
            self.0.lookup = named;
        }
        self
    }

    /// Keeps the wait that the answer asked for.
    pub(crate) fn later(mut self, wait: Option<Duration>) -> Self {
        self.0.retry_after = wait;
        self
    }

    /// Says where to look, if the outcome is unknown.
    pub(crate) fn look_up(self, lookup: impl FnOnce() -> Lookup) -> Self {
        let unknown = self.is_outcome_unknown();
        self.looking_at(unknown.then(lookup))
    }

    /// Says where to look, if the outcome is unknown and the answer named no object.
    pub(crate) fn or_look_up(mut self, lookup: impl FnOnce() -> Lookup) -> Self {
        if self.is_outcome_unknown() {
            self.0.lookup.get_or_insert_with(lookup);
        }
        self
    }

    /// Keeps the id under which the request may have been performed.
    pub(crate) fn under(mut self, request_id: RequestId) -> Self {
        self.0.request_id = Some(request_id);
        self
    }

    /// Adds the payments that the gateway named.
    pub(crate) fn naming_payments(mut self, payments: impl IntoIterator<Item = PaymentId>) -> Self {
        for id in payments {
            if !self.0.payment_ids.contains(&id) {
                self.0.payment_ids.push(id);
            }
        }
        self
    }

    /// The same failure as an unknown outcome, or as one that changed nothing.
    pub(crate) fn of_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// The same failure for another call that waited for the one that failed.
    pub(crate) fn shared(&self) -> Self {
        let Inner { kind, operation, status, retry_after, attempts, delivery, .. } = *self.0;
        let mut error = Self::new(kind).sent(attempts, delivery).later(retry_after);
        (error.0.operation, error.0.status) = (operation, status);
        error.0.source = self.cause::<GatewayMessage>().map(|said| said.clone().into());
        error
    }

    /// What can be done about it.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether a write may have been performed or not.
    pub fn is_outcome_unknown(&self) -> bool {
        self.kind() == ErrorKind::OutcomeUnknown
    }

    /// Whether the request broke rules before it was sent.
    pub fn is_rules(&self) -> bool {
        self.kind() == ErrorKind::Rules
    }

    /// Whether the gateway knows no such object.
    pub fn is_not_found(&self) -> bool {
        self.kind() == ErrorKind::NotFound
    }

    /// Whether the gateway did not accept the key or the credentials.
    pub fn is_unauthorized(&self) -> bool {
        self.kind() == ErrorKind::Unauthorized
    }

    /// Whether the gateway refused the request.
    pub fn is_refused(&self) -> bool {
        self.kind() == ErrorKind::Refused
    }

    /// The operation, such as `plans.create`.
    pub fn operation(&self) -> Option<&'static str> {
        self.0.operation
    }

    /// Which gateway an operation of [`Clearent`](crate::Clearent) called. Keys of one are not valid at another, so that
    /// it is worth saying beside a key that was refused.
    pub fn environment(&self) -> Option<&Environment> {
        self.0.environment.as_ref()
    }

    /// Every rule that the request breaks, by field.
    pub fn violations(&self) -> Option<&Violations> {
        self.cause()
    }

    /// Why the object cannot be deleted, and what can be done instead.
    pub fn refusal(&self) -> Option<&Refusal> {
        self.cause()
    }

    /// What finds out whether a write of unknown outcome was performed.
    pub fn lookup(&self) -> Option<&Lookup> {
        self.0.lookup.as_ref()
    }

    /// The id of a ClientPay request that may have been performed: what was made has its name, and to send the same
    /// request again under it is safe.
    pub fn request_id(&self) -> Option<&RequestId> {
        self.0.request_id.as_ref()
    }

    /// The same id, to [send the request again](crate::clientpay::Payments::under).
    pub fn into_request_id(self) -> Option<RequestId> {
        self.0.request_id
    }

    /// The record of a list that could not be read, where this is the error in its place. The records after it follow.
    pub fn unreadable_record(&self) -> Option<&UnreadableRecord> {
        self.cause()
    }

    /// The ClientPay payments that the gateway named where it did not say that they were made, or named several under one
    /// request id: each may have taken money. Look at them before you pay again; give back what was paid twice.
    pub fn payment_ids(&self) -> &[PaymentId] {
        &self.0.payment_ids
    }

    /// The HTTP status of the last answer.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The wait before another call that the last answer asked for with `Retry-After`, in either form of the header.
    ///
    /// It is what was asked for, however long: a caller sets its own limit. The repeats of the call itself waited so long
    /// only where the deadline allowed it.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The gateway's number of the exchange, which its support asks for.
    pub fn exchange_id(&self) -> Option<&str> {
        self.0.exchange_id.as_deref()
    }

    /// The gateway's three-digit code; the same number can mean different things on different endpoints.
    pub fn result_code(&self) -> Option<&str> {
        self.cause::<GatewayMessage>()?.result_code.as_deref()
    }

    /// The gateway's message, with keys, card numbers and control characters masked.
    pub fn gateway_message(&self) -> Option<&str> {
        self.cause::<GatewayMessage>()?.message.as_deref()
    }

    /// How often the request was sent, or tried to be; zero if it never was.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Whether the gateway can have seen the request.
    pub fn delivery(&self) -> Delivery {
        self.0.delivery
    }

    fn cause<E: StdError + 'static>(&self) -> Option<&E> {
        self.0.source.as_deref()?.downcast_ref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.unreadable_record() {
            Some(_) => f.write_str(
                "a record of the list cannot be read; the others can: report it to the gateway's support",
            ),
            None => f.write_str(self.kind().advice()),
        }
    }
}

/// Where to look is left out: it may hold a name. So is the request id.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner {
            kind,
            operation,
            environment,
            status,
            exchange_id,
            retry_after,
            attempts,
            delivery,
            lookup: _,
            request_id: _,
            payment_ids,
            source,
        } = &*self.0;
        f.debug_struct("Error")
            .field("kind", kind)
            .field("operation", operation)
            .field("environment", environment)
            .field("status", status)
            .field("exchange_id", exchange_id)
            .field("retry_after", retry_after)
            .field("attempts", attempts)
            .field("delivery", delivery)
            .field("payment_ids", payment_ids)
            .field("source", source)
            .finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

impl From<Violations> for Error {
    fn from(violations: Violations) -> Self {
        Self::because(ErrorKind::Rules, violations)
    }
}

impl From<InvalidValue> for Error {
    fn from(invalid: InvalidValue) -> Self {
        Self::because(ErrorKind::Rules, invalid)
    }
}

impl From<EncodeError> for Error {
    fn from(error: EncodeError) -> Self {
        Self::because(ErrorKind::Rules, error)
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::because(ErrorKind::DeletionRefused, refusal)
    }
}

impl From<InvalidApiKey> for Error {
    fn from(invalid: InvalidApiKey) -> Self {
        Self::because(ErrorKind::Configuration, invalid)
    }
}

impl From<InvalidBaseUrl> for Error {
    fn from(invalid: InvalidBaseUrl) -> Self {
        Self::because(ErrorKind::Configuration, invalid)
    }
}

/// What the gateway said of a request that it refused, masked.
#[derive(Debug, Clone)]
pub(crate) struct GatewayMessage {
    pub(crate) message: Option<String>,
    pub(crate) result_code: Option<String>,
}

impl fmt::Display for GatewayMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message.as_deref().unwrap_or("the gateway gave no reason"))?;
        match &self.result_code {
            Some(code) => write!(f, " (result code {code})"),
            None => Ok(()),
        }
    }
}

impl StdError for GatewayMessage {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_word_wide_and_can_travel() {
        fn travels<T: Send + Sync + 'static>() {}
        travels::<Error>();
        assert_eq!(size_of::<Result<(), Error>>(), size_of::<usize>());
    }

    #[test]
    fn wording() {
        let kinds = [
            ErrorKind::Rules,
            ErrorKind::DeletionRefused,
            ErrorKind::Configuration,
            ErrorKind::Unauthorized,
            ErrorKind::NotFound,
            ErrorKind::Refused,
            ErrorKind::RateLimited,
            ErrorKind::Unavailable,
            ErrorKind::Unreachable,
            ErrorKind::Timeout,
            ErrorKind::Unreadable,
            ErrorKind::Mismatch,
            ErrorKind::Redirected,
            ErrorKind::PageLoop,
            ErrorKind::OutcomeUnknown,
        ];
        let texts: Vec<String> =
            kinds.iter().map(|kind| format!("{kind:?}: {}", Error::new(*kind))).collect();
        insta::assert_snapshot!(texts.join("\n"));
    }
}
