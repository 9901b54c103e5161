//! What can go wrong, told by what the caller can do about it.

use std::error::Error as StdError;
use std::time::Duration;
use std::{fmt, iter};

use perennial_domain::clearent::{InvalidApiKey, Refusal};
use perennial_domain::clientpay::{PaymentId, RequestId};
use perennial_domain::{InvalidValue, Violations};
use perennial_transport::{Delivery, redact};
use perennial_wire::{EncodeError, UnreadableRecord};

use crate::clearent::Lookup;
use crate::{Environment, InvalidBaseUrl};

/// An operation that gave no value.
///
/// A decline is none of these: it is the value of a sale. Neither the text of an error nor its `Debug` holds a value
/// of the request. Its text is one line with the reason: the violated fields, or the gateway's own message, masked. The
/// same reason is its [`source`](StdError::source), for programs that look at it; print one of them.
///
/// ```
/// use perennial::{Error, ErrorKind, clearent::NewCustomer};
///
/// fn ada() -> Result<NewCustomer, Error> {
///     Ok(NewCustomer::builder().first_name("Ada").build()?)
/// }
///
/// let error = ada().unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::InvalidRequest);
/// assert_eq!(error.violations().unwrap().to_string(), "last-name: is required");
/// assert_eq!(
///     error.to_string(),
///     "the request breaks rules and was not sent: last-name: is required; correct the fields that are named",
/// );
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
    InvalidRequest,
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
    Connection,
    /// The deadline of a read passed, or of a call that was still waiting for its place among the calls of this client.
    Timeout,
    /// The answer to a read is not the gateway's (such as a proxy's error page), or it is cut off, too long, malformed, about
    /// something else, or of parts that contradict each other, such as an error beside an object. Or a record of a list
    /// cannot be read: [`Error::unreadable_record`].
    InvalidResponse,
    /// The answer to a read is about another object, or a search found an object that it does not match.
    Mismatch,
    /// A read was answered with a redirect, which is never followed.
    Redirected,
    /// The pages of a list do not end.
    PageLoop,
    /// A write may have been performed, or not: its answer was lost, or decides nothing. [`Error::lookup`] tells which, or
    /// with ClientPay [`Error::request_id`].
    OutcomeUnknown,
}

impl ErrorKind {
    /// What happened.
    fn what(self) -> &'static str {
        match self {
            Self::InvalidRequest => "the request breaks rules and was not sent",
            Self::DeletionRefused => "the object was not deleted",
            Self::Configuration => "the client cannot be set up like this",
            Self::Unauthorized => "the gateway does not accept the credentials",
            Self::NotFound => "the gateway knows no such object",
            Self::Refused => "the gateway refused the request",
            Self::RateLimited => "the gateway wants fewer calls",
            Self::Unavailable => "the gateway is failing",
            Self::Connection => "the gateway was not reached",
            Self::Timeout => "the gateway did not answer in time",
            Self::InvalidResponse => "the answer cannot be read",
            Self::Mismatch => "the answer is about another object",
            Self::Redirected => "the gateway answered with a redirect, which is never followed",
            Self::PageLoop => "the pages of the list do not end",
            Self::OutcomeUnknown => "the gateway may have done this or not",
        }
    }

    /// Whether it has to be said that nothing was changed.
    fn says_unchanged(self) -> bool {
        matches!(
            self,
            Self::RateLimited
                | Self::Unavailable
                | Self::Connection
                | Self::Timeout
                | Self::InvalidResponse
                | Self::Mismatch
        )
    }

    /// What to do.
    fn advice(self) -> &'static str {
        match self {
            Self::InvalidRequest => "correct the fields that are named",
            Self::DeletionRefused => "remove what stands in the way, or do what is named instead",
            Self::Configuration => "correct the setting that is named",
            Self::Unauthorized => "check that they are whole, of this environment, and allowed to do this",
            Self::NotFound => "check the key, and that it is of this environment and merchant",
            Self::Refused => "correct it as its message says",
            Self::RateLimited => "wait, then call again",
            Self::Unavailable => "call again later",
            Self::Connection => "check the network and the base URL",
            Self::Timeout => "call again, or allow more time",
            Self::InvalidResponse => "check that the base URL is the gateway's",
            Self::Mismatch => "call again, and report it to the gateway's support",
            Self::Redirected => "check the base URL",
            Self::PageLoop => "narrow the search, or begin from another page",
            Self::OutcomeUnknown => "look for the object before sending it again",
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
        error.0.source = self.cause::<GatewayMessage>().map(|message| message.clone().into());
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
    pub fn is_invalid_request(&self) -> bool {
        self.kind() == ErrorKind::InvalidRequest
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

    /// What happened, what it left, and what to do.
    fn parts(&self) -> (&'static str, Option<&'static str>, &'static str) {
        let kind = self.kind();
        match self.unreadable_record() {
            Some(_) => (
                "a record of the list cannot be read",
                Some("the others can"),
                "report it to the gateway's support",
            ),
            None => (kind.what(), kind.says_unchanged().then_some("nothing was changed"), kind.advice()),
        }
    }

    /// The text of the error without its reason, for a report that has the reason elsewhere.
    ///
    /// ```
    /// use perennial::{Error, clearent::PlanKey};
    ///
    /// let error = Error::from("a/b".parse::<PlanKey>().unwrap_err());
    /// assert_eq!(error.without_reason(), "the request breaks rules and was not sent: correct the fields that are named");
    /// ```
    pub fn without_reason(&self) -> String {
        let (what, unchanged, advice) = self.parts();
        let unchanged = unchanged.map(|unchanged| format!("; {unchanged}")).unwrap_or_default();
        format!("{what}{unchanged}: {advice}")
    }

    /// The innermost cause, masked, in one line: those around it say what the kind says.
    fn reason(&self) -> Option<String> {
        let innermost = iter::successors(self.source(), |&cause| cause.source()).last()?;
        let words = redact::text(&innermost.to_string()).split_whitespace().collect::<Vec<_>>().join(" ");
        Some(words).filter(|words| !words.is_empty())
    }

    fn cause<E: StdError + 'static>(&self) -> Option<&E> {
        self.0.source.as_deref()?.downcast_ref()
    }
}

/// What happened, the reason, and what to do, in one line. The reason is what [`source`](StdError::source) says last: the
/// violated fields, the gateway's message, or how the connection failed.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.refusal(), self.reason()) {
            (Some(refusal), _) => refusal.fmt(f),
            (None, Some(reason)) => {
                let (what, unchanged, advice) = self.parts();
                let unchanged = unchanged.map(|unchanged| format!("{unchanged}: ")).unwrap_or_default();
                write!(f, "{what}: {reason}; {unchanged}{advice}")
            }
            (None, None) => f.write_str(&self.without_reason()),
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
        Self::because(ErrorKind::InvalidRequest, violations)
    }
}

impl From<InvalidValue> for Error {
    fn from(invalid: InvalidValue) -> Self {
        Self::because(ErrorKind::InvalidRequest, invalid)
    }
}

impl From<EncodeError> for Error {
    fn from(error: EncodeError) -> Self {
        Self::because(ErrorKind::InvalidRequest, error)
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
            ErrorKind::InvalidRequest,
            ErrorKind::DeletionRefused,
            ErrorKind::Configuration,
            ErrorKind::Unauthorized,
            ErrorKind::NotFound,
            ErrorKind::Refused,
            ErrorKind::RateLimited,
            ErrorKind::Unavailable,
            ErrorKind::Connection,
            ErrorKind::Timeout,
            ErrorKind::InvalidResponse,
            ErrorKind::Mismatch,
            ErrorKind::Redirected,
            ErrorKind::PageLoop,
            ErrorKind::OutcomeUnknown,
        ];
        let texts: Vec<String> =
            kinds.iter().map(|kind| format!("{kind:?}: {}", Error::new(*kind))).collect();
        insta::assert_snapshot!(texts.join("\n"));
    }

    #[test]
    fn the_text_has_the_reason() {
        let message = |message: Option<&str>, code: Option<&str>| GatewayMessage {
            message: message.map(str::to_owned),
            result_code: code.map(str::to_owned),
        };
        let mut two = Violations::one("last-name", perennial_domain::Rule::Required);
        two.add("billing-address.zip", perennial_domain::Rule::Key);
        let refusal = perennial_domain::clearent::check_customer_deletion(1, 3).unwrap_err();
        let lost = std::io::Error::other("connection reset by peer");
        let odd = message(Some("no\r\nsuch\tcard 4111111111111111"), None);
        for (error, expected) in [
            (
                Error::from(two),
                "the request breaks rules and was not sent: last-name: is required; billing-address.zip: must be 1 to 100 \
                 characters of A-Z, a-z, 0-9, '_', '-', '.' and ':'; correct the fields that are named",
            ),
            (
                Error::from(InvalidValue(perennial_domain::Rule::FrequencyDay)),
                "the request breaks rules and was not sent: must be a day from 1 to 28; correct the fields that are named",
            ),
            (
                Error::because(ErrorKind::Refused, message(Some("Card Expired"), Some("004"))),
                "the gateway refused the request: Card Expired (result code 004); correct it as its message says",
            ),
            (
                Error::because(ErrorKind::Refused, message(None, None)),
                "the gateway refused the request: the gateway gave no reason; correct it as its message says",
            ),
            (
                Error::because(ErrorKind::NotFound, odd),
                "the gateway knows no such object: no such card ************1111; check the key, and that it is of \
                 this environment and merchant",
            ),
            (
                Error::because(ErrorKind::Connection, lost),
                "the gateway was not reached: connection reset by peer; nothing was changed: check the network and \
                 the base URL",
            ),
            (
                Error::from(refusal),
                "the customer cannot be deleted: it has 1 payment plan and has 3 payments; update the customer's \
                 status to inactive instead; it is archived after 24 months",
            ),
        ] {
            assert_eq!(error.to_string(), expected);
            assert!(!error.to_string().contains('\n'));
        }
    }
}
