//! The client: its settings, and the common path of all calls.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, header};
use perennial_domain::clearent::{ApiKey, Paging};
use perennial_transport::{Exchange, Jitter, Policy, Redactor, SendBy, Sender, Time, auth};
use perennial_wire::Format;
use perennial_wire::clearent::{Call, Operation, Payload};
use tracing::{Instrument, field};

use super::answer::{Answer, AnswerReader, Mismatch, is_own};
use super::{Batches, Customers, Invoices, Payments, Plans, Tokens, Transactions};
use crate::object_locks::{ObjectGuard, ObjectLocks};
use crate::sent::retry_class_of;
use crate::setup::{Settings, settings};
use crate::{Environment, Error, ErrorKind, List, Response};

/// A client of the Clearent gateway.
///
/// It is cheap to clone; the clones share connections, the retry budget and the order of updates. Each operation is a
/// `tracing` span `call` at level INFO with the fields `operation`, `route` (the template, never the path), `status`,
/// `attempts`, `exchange_id` and `duration_ms`, and no others.
///
/// ```
/// use perennial::{Clearent, Environment, Format, clearent::ApiKey};
///
/// # fn main() -> Result<(), perennial::Error> {
/// # let pasted = "0123456789abcdef0123456789abcdef";
/// let client = Clearent::builder(ApiKey::new(pasted)?)
///     .environment(Environment::Sandbox)
///     .format(Format::Xml)
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Clearent(Arc<Inner>, Option<SendBy>);

struct Inner {
    sender: Sender,
    time: Arc<dyn Time>,
    environment: Environment,
    key: (HeaderName, HeaderValue),
    format: Format,
    deadline: Duration,
    redactor: Redactor,
    object_locks: ObjectLocks,
}

/// The builder of a [`Clearent`].
#[must_use = "nothing exists until `build` is called"]
pub struct ClearentBuilder {
    key: ApiKey,
    format: Format,
    settings: Settings,
}

impl Clearent {
    /// Creates a builder for a client that sends this key.
    pub fn builder(key: ApiKey) -> ClearentBuilder {
        ClearentBuilder { key, format: Format::default(), settings: Settings::default() }
    }

    /// The customers, and their tokens.
    pub fn customers(&self) -> Customers<'_> {
        Customers(self)
    }

    /// The card tokens of the vault.
    pub fn tokens(&self) -> Tokens<'_> {
        Tokens(self)
    }

    /// The payment plans.
    pub fn plans(&self) -> Plans<'_> {
        Plans(self)
    }

    /// The payments made by plans.
    pub fn payments(&self) -> Payments<'_> {
        Payments(self)
    }

    /// The card transactions.
    pub fn transactions(&self) -> Transactions<'_> {
        Transactions(self)
    }

    /// Invoices, each paid once by a card transaction.
    pub fn invoices(&self) -> Invoices<'_> {
        Invoices(self)
    }

    /// The batches in which transactions are settled.
    pub fn batches(&self) -> Batches<'_> {
        Batches(self)
    }

    /// The format of requests and of the requested responses.
    pub fn format(&self) -> Format {
        self.0.format
    }

    /// Returns a client that makes one attempt for each call, and sends nothing after this moment: a call that is too
    /// late fails with [`Timeout`](ErrorKind::Timeout), and nothing was sent. A call ends after a minute at the latest,
    /// whatever the client's deadline is. It shares everything else with this one.
    ///
    /// This is for programs that store the decision to send before they send, such as the journal.
    ///
    /// ```
    /// use std::time::Duration;
    /// use perennial::transport::{Delivery, SendBy};
    #[doc = include_str!("example.md")]
    /// let too_late = client.once(SendBy::within(Duration::ZERO));
    /// let error = too_late.plans().get(&plan.plan_key).await.unwrap_err();
    /// assert_eq!(error.delivery(), Delivery::NotSent);
    #[doc = include_str!("../example_end.md")]
    /// ```
    #[must_use]
    pub fn once(&self, send_by: SendBy) -> Self {
        Self(self.0.clone(), Some(send_by))
    }

    /// The gateway that is called.
    pub fn environment(&self) -> &Environment {
        &self.0.environment
    }

    /// Waits until earlier changes to the same object are finished.
    pub(super) async fn guard(&self, call: &Call) -> ObjectGuard<'_> {
        self.0.object_locks.guard(&call.target).await
    }

    /// Sends a call that returns a value.
    pub(super) async fn one<T>(
        &self,
        call: Call,
        take: impl FnOnce(Payload) -> Option<T>,
        check: impl FnOnce(&T) -> Result<(), Mismatch>,
    ) -> Result<Response<T>, Error> {
        self.call(call).await?.one(take, check)
    }

    /// Sends a call whose response may be empty: a deletion, or a read of an object that does not exist.
    pub(super) async fn maybe<T>(
        &self,
        call: Call,
        take: impl FnOnce(Payload) -> Option<T>,
        check: impl FnOnce(&T) -> Result<(), Mismatch>,
    ) -> Result<Response<Option<T>>, Error> {
        self.call(call).await?.maybe(take, check)
    }

    /// Sends a call that returns a list, including its unreadable records. Every record must pass the check.
    pub(super) async fn all<T>(
        &self,
        call: Call,
        take: impl FnOnce(Payload) -> Option<Vec<T>>,
        check: impl Fn(&T) -> Result<(), Mismatch>,
    ) -> Result<Response<Vec<T>>, Error> {
        self.call(call).await?.all(take, check)
    }

    /// Sends a call that returns a list, and fails if a record cannot be read.
    pub(super) async fn whole<T>(
        &self,
        call: Call,
        take: impl FnOnce(Payload) -> Option<Vec<T>>,
        check: impl Fn(&T) -> Result<(), Mismatch>,
    ) -> Result<Response<Vec<T>>, Error> {
        self.all(call, take, check).await?.whole()
    }

    #[expect(clippy::too_many_arguments, reason = "each is one part of an operation")]
    /// Sends a call for each page of a search. A record that does not match the search is an error.
    pub(super) fn list<S: Clone + Send + Sync + 'static, T: Send + 'static>(
        &self,
        operation: Operation,
        search: &S,
        paging: fn(&mut S) -> &mut Paging,
        call: fn(&S) -> Call,
        take: fn(Payload) -> Option<Vec<T>>,
        key: fn(&T) -> Option<&str>,
        matches: fn(&S, &T) -> Result<(), Mismatch>,
    ) -> List<T> {
        let (client, mut search) = (self.clone(), search.clone());
        let Paging { page, ref order_by, descending, .. } = *paging(&mut search);
        // The gateway's own order has the newest first, so that an unchanged total means that no object moved.
        let any_order = order_by.is_some() || descending == Some(false);
        let list = List::new(operation.name(), page, key, move |page| {
            let (client, mut search) = (client.clone(), search.clone());
            paging(&mut search).page = Some(page);
            Box::pin(async move { client.all(call(&search), take, |found| matches(&search, found)).await })
        });
        list.in_any_order(any_order)
    }

    /// Returns the number of matching objects, from the total and the content of a page of one. An object in the page
    /// counts regardless of the total and of whether it can be read: otherwise, something could be deleted in spite of
    /// it.
    pub(super) async fn count<T>(
        &self,
        call: Call,
        take: impl FnOnce(Payload) -> Option<Vec<T>>,
        check: impl Fn(&T) -> Result<(), Mismatch>,
    ) -> Result<u64, Error> {
        let found = self.all(call, take, check).await?;
        let total = found.page().and_then(|page| page.total_elements).unwrap_or_default();
        let there = found.len() + found.unreadable().len();
        Ok(total.max(there.try_into().unwrap_or(u64::MAX)))
    }

    async fn call(&self, call: Call) -> Result<Answer, Error> {
        let started = self.0.time.now();
        let span = tracing::info_span!(
            "call",
            operation = call.operation,
            route = call.route,
            status = field::Empty,
            attempts = field::Empty,
            exchange_id = field::Empty,
            duration_ms = field::Empty,
        );
        let answered = self.send(call).instrument(span.clone()).await;
        let (status, attempts, exchange_id) = match &answered {
            Ok(answer) => (Some(answer.status()), answer.attempts(), answer.exchange_id()),
            Err(error) => (error.status(), error.attempts(), error.exchange_id()),
        };
        let took = self.0.time.now().saturating_duration_since(started);
        span.record("status", status);
        span.record("attempts", attempts);
        span.record("exchange_id", exchange_id);
        span.record("duration_ms", u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        answered
    }

    async fn send(&self, call: Call) -> Result<Answer, Error> {
        let Inner { sender, environment, key: (name, value), format, deadline, redactor, .. } = &*self.0;
        let Call { operation, class, method, route, target, body, one_time_token } = call;
        let retry_class = retry_class_of(class);
        let mut request = Request::builder()
            .method(method.as_str())
            .uri(format!("{}{target}", environment.base_url()))
            .header(name, value)
            .header(header::ACCEPT, format.content_type())
            .header(header::CACHE_CONTROL, "no-cache");
        if let Some((name, value)) = one_time_token.as_ref().map(auth::mobile_jwt) {
            request = request.header(name, value);
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, format.content_type());
        }
        // The body stays in the buffer that is wiped when it is dropped.
        let body = body.map(Bytes::from_owner).unwrap_or_default();
        // This fails only if the URL is too long, as in a search for a text of many thousand characters.
        let request = request
            .body(body)
            .map_err(|error| Error::because(ErrorKind::InvalidRequest, error).of_operation(operation))?;
        let redactor = redactor.of_call(request.headers(), request.body());
        let once = self.1.map(|send_by| sender.once(send_by));
        let sender = once.as_ref().unwrap_or(sender);
        let deadline = sender.deadline_in(*deadline);
        let is_own: fn(&http::Response<Bytes>) -> bool = match format {
            Format::Json => |answer| is_own(Format::Json, answer),
            Format::Xml => |answer| is_own(Format::Xml, answer),
        };
        let sent =
            sender.send(perennial_transport::Call { request, route, retry_class, is_own, deadline }).await;
        let answer = AnswerReader { operation, retry_class, format: *format, redactor: &redactor }.open(sent);
        answer.map_err(|error| error.of_environment(environment))
    }
}

/// Requests a page only for its total.
pub(super) fn one_of_all() -> Paging {
    Paging { page: Some(1), page_size: Some(1), ..Paging::default() }
}

impl fmt::Debug for Clearent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clearent")
            .field("environment", &self.0.environment)
            .field("format", &self.0.format)
            .field("deadline", &self.0.deadline)
            .finish_non_exhaustive()
    }
}

settings!(ClearentBuilder);

impl ClearentBuilder {
    /// Sets the format of requests and responses. The default is JSON.
    pub fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// Builds the client. This does not connect yet.
    pub fn build(self) -> Result<Clearent, Error> {
        let Self { key, format, settings } = self;
        let (environment, sender) = settings.sender()?;
        Ok(Clearent(
            Arc::new(Inner {
                sender,
                time: settings.time,
                environment,
                redactor: Redactor::new().secret(key.expose()),
                key: auth::api_key(&key),
                format,
                deadline: settings.deadline,
                object_locks: ObjectLocks::default(),
            }),
            None,
        ))
    }
}

impl fmt::Debug for ClearentBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClearentBuilder")
            .field("format", &self.format)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
