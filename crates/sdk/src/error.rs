//! Errors, classified by the reaction that is possible.

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

/// The error type of this crate.
///
/// A decline is not an error: it is the value of a sale. Neither the text of an error nor its `Debug` contains values
/// of the request. The text is one line with the reason: the violated fields, or the gateway's own message, masked. The
/// reason is also the [`source`](StdError::source), for programs that inspect it; print only one of them.
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

/// The kind of an error, which determines the possible reaction. Only [`OutcomeUnknown`](Self::OutcomeUnknown) leaves
/// open whether something was changed; with all other kinds, nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request breaks rules and was not sent; [`Error::violations`] lists every field.
    InvalidRequest,
    /// The object cannot be deleted; [`Error::refusal`] has the reasons and an alternative.
    DeletionRefused,
    /// The client cannot be used: a key, URL or setting is invalid.
    Configuration,
    /// The gateway does not accept the API key or the credentials (401 or 403 in its own envelope).
    Unauthorized,
    /// The gateway does not know the object (404 or 410 in its own envelope, or an empty 204 to a get).
    NotFound,
    /// The gateway refused the request; [`Error::gateway_message`] has the reason.
    Refused,
    /// The gateway requires fewer calls (429, also after the retries) and has done nothing; [`Error::retry_after`] is
    /// the requested wait. For a write, this requires the gateway's own envelope.
    RateLimited,
    /// The gateway failed (5xx, 408 or 425 to a read, also after the retries).
    Unavailable,
    /// The connection failed, or was closed before the response to a read.
    Connection,
    /// The deadline passed during a read, or while a call waited for its turn among the calls of this client.
    Timeout,
    /// The response to a read is not the gateway's (such as a proxy's error page), is incomplete, too long, malformed
    /// or about something else, or its parts contradict each other, such as an error and an object. Or a record of a
    /// list cannot be read: [`Error::unreadable_record`].
    InvalidResponse,
    /// The response to a read is about another object, or a search result does not match the search.
    Mismatch,
    /// The response to a read was a redirect, which is never followed.
    Redirected,
    /// The pages of a list do not end.
    PageLoop,
    /// A write may or may not have been performed: its response was lost or is inconclusive. [`Error::lookup`] finds
    /// out, or, with ClientPay, [`Error::request_id`].
    OutcomeUnknown,
}

impl ErrorKind {
    /// The description of the failure.
    fn what(self) -> &'static str {
        match self {
            Self::InvalidRequest => "the request breaks rules and was not sent",
            Self::DeletionRefused => "the object was not deleted",
            Self::Configuration => "the client's settings are invalid",
            Self::Unauthorized => "the gateway does not accept the credentials",
            Self::NotFound => "the gateway knows no such object",
            Self::Refused => "the gateway refused the request",
            Self::RateLimited => "the gateway limits the rate of calls",
            Self::Unavailable => "the gateway is failing",
            Self::Connection => "the gateway was not reached",
            Self::Timeout => "the gateway did not respond in time",
            Self::InvalidResponse => "the response cannot be read",
            Self::Mismatch => "the response is about another object",
            Self::Redirected => "the response is a redirect, which is never followed",
            Self::PageLoop => "the pages of the list do not end",
            Self::OutcomeUnknown => "the outcome is unknown: the gateway may have performed the request",
        }
    }

    /// Whether the text must say that nothing was changed.
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

    /// The advice to the caller.
    fn advice(self) -> &'static str {
        match self {
            Self::InvalidRequest => "correct the fields that are named",
            Self::DeletionRefused => "remove the listed obstacles, or use the alternative",
            Self::Configuration => "correct the setting that is named",
            Self::Unauthorized => {
                "check that they are complete, belong to this environment, and permit this call"
            }
            Self::NotFound => "check the key, and that it is of this environment and merchant",
            Self::Refused => "correct the request according to the gateway's message",
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

    /// Creates the error of a [provider of access ids](crate::clientpay::AccessIds) that cannot get one for its own
    /// reason, such as a lost database. It has the kind [`Unavailable`](ErrorKind::Unavailable), and nothing was sent.
    ///
    /// ```
    /// use perennial::{Error, ErrorKind};
    ///
    /// let error = Error::no_access_id(std::io::Error::other("the disk is full"));
    /// assert_eq!(error.kind(), ErrorKind::Unavailable);
    /// assert!(error.to_string().contains("the disk is full"));
    /// ```
    pub fn no_access_id(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::because(ErrorKind::Unavailable, source)
    }

    pub(crate) fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    pub(crate) fn of_operation(mut self, operation: &'static str) -> Self {
        self.0.operation = Some(operation);
        self
    }

    /// Sets the gateway that was called.
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

    /// Sets the lookup of the object that the response names, if the outcome is unknown.
    pub(crate) fn looking_at(mut self, named: Option<Lookup>) -> Self {
        if self.is_outcome_unknown() {
            self.0.lookup = named;
        }
        self
    }

    /// Sets the wait that the response requested.
    pub(crate) fn later(mut self, wait: Option<Duration>) -> Self {
        self.0.retry_after = wait;
        self
    }

    /// Sets the lookup, if the outcome is unknown.
    pub(crate) fn look_up(self, lookup: impl FnOnce() -> Lookup) -> Self {
        let unknown = self.is_outcome_unknown();
        self.looking_at(unknown.then(lookup))
    }

    /// Sets the lookup, if the outcome is unknown and the response named no object.
    pub(crate) fn or_look_up(mut self, lookup: impl FnOnce() -> Lookup) -> Self {
        if self.is_outcome_unknown() {
            self.0.lookup.get_or_insert_with(lookup);
        }
        self
    }

    /// Sets the id under which the request may have been performed.
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

    /// Returns this failure with another kind.
    pub(crate) fn of_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// Returns this failure for another call that waited for the failed one.
    pub(crate) fn shared(&self) -> Self {
        let Inner { kind, operation, status, retry_after, attempts, delivery, .. } = *self.0;
        let mut error = Self::new(kind).sent(attempts, delivery).later(retry_after);
        (error.0.operation, error.0.status) = (operation, status);
        error.0.source = self.cause::<GatewayMessage>().map(|message| message.clone().into());
        error
    }

    /// The kind of the error, which determines the possible reaction.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether a write may or may not have been performed.
    pub fn is_outcome_unknown(&self) -> bool {
        self.kind() == ErrorKind::OutcomeUnknown
    }

    /// Whether the request broke rules and was not sent.
    pub fn is_invalid_request(&self) -> bool {
        self.kind() == ErrorKind::InvalidRequest
    }

    /// Whether the gateway does not know the object.
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

    /// The gateway that an operation of [`Clearent`](crate::Clearent) called. Keys of one gateway are not valid at
    /// another, so name it in a report of a refused key.
    pub fn environment(&self) -> Option<&Environment> {
        self.0.environment.as_ref()
    }

    /// All rules that the request breaks, by field.
    pub fn violations(&self) -> Option<&Violations> {
        self.cause()
    }

    /// The reasons why the object cannot be deleted, and an alternative.
    pub fn refusal(&self) -> Option<&Refusal> {
        self.cause()
    }

    /// A lookup that finds out whether a write of unknown outcome was performed.
    pub fn lookup(&self) -> Option<&Lookup> {
        self.0.lookup.as_ref()
    }

    /// The id of a ClientPay request that may have been performed. It names the result of the request, and it is safe
    /// to send the same request again under this id.
    pub fn request_id(&self) -> Option<&RequestId> {
        self.0.request_id.as_ref()
    }

    /// Returns the id of the request, owned, to [send the request again](crate::clientpay::Payments::under).
    pub fn into_request_id(self) -> Option<RequestId> {
        self.0.request_id
    }

    /// The unreadable record, if this error stands for a record of a list. The list continues after it.
    pub fn unreadable_record(&self) -> Option<&UnreadableRecord> {
        self.cause()
    }

    /// The ClientPay payments that the gateway named without reporting that they were made, or several payments under
    /// one request id: each may have taken money. Check them before you pay again, and refund duplicates.
    pub fn payment_ids(&self) -> &[PaymentId] {
        &self.0.payment_ids
    }

    /// The HTTP status of the last response.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The wait before another call, requested by the header `Retry-After` of the last response in either format.
    ///
    /// The value is not limited: set your own maximum. Retries of the call itself waited for this time only if the
    /// deadline allowed it.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The gateway's id of the exchange, which its support asks for.
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

    /// The number of attempts to send the request; zero if there were none.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Whether the gateway may have received the request.
    pub fn delivery(&self) -> Delivery {
        self.0.delivery
    }

    /// The description, the effect and the advice.
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

    /// The text of the error without its reason, for reports that show the reason elsewhere.
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

    /// The innermost cause, masked, in one line: the outer ones repeat the kind.
    fn reason(&self) -> Option<String> {
        let innermost = iter::successors(self.source(), |&cause| cause.source()).last()?;
        let words = redact::text(&innermost.to_string()).split_whitespace().collect::<Vec<_>>().join(" ");
        Some(words).filter(|words| !words.is_empty())
    }

    fn cause<E: StdError + 'static>(&self) -> Option<&E> {
        self.0.source.as_deref()?.downcast_ref()
    }
}

/// Formats the description, the reason and the advice in one line. The reason is the innermost
/// [`source`](StdError::source): the violated fields, the gateway's message, or the failure of the connection.
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

/// Omits the lookup, which may contain a name, and the request id.
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

/// The gateway's message about a refused request, masked.
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
                "the gateway refused the request: Card Expired (result code 004); correct the request according to the gateway's message",
            ),
            (
                Error::because(ErrorKind::Refused, message(None, None)),
                "the gateway refused the request: the gateway gave no reason; correct the request according to the gateway's message",
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
