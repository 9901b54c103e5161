//! Runs a call to its end: attempts, waits and retries, within the table, the budget and the deadline.

use std::error::Error;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use tracing::{Instrument, Span, field};

use crate::backoff::{Budget, retry_after};
use crate::pace::{Pace, Permits};
use crate::retry_class::{give_up, settles};
use crate::{
    Backoff, Deadline, Decision, Delivery, Exchange, Jitter, Kind, Outcome, RetryClass, SendBy, Time,
    TokioTime, TransportError, decide, full_jitter,
};

/// Sends calls through an [`Exchange`], with retries where they are allowed.
///
/// It is cheap to clone; the clones share the exchange and one retry budget.
///
/// Each attempt is a `tracing` span `exchange` at level DEBUG with the fields `method`, `route` (the template, never
/// the path), `attempt`, `delivery`, `status` and `duration_ms`, and no others.
#[derive(Clone)]
pub struct Sender {
    inner: Arc<Inner>,
    /// The last moment to send, if calls are attempted only once.
    once: Option<SendBy>,
}

struct Inner {
    exchange: Arc<dyn Exchange>,
    time: Arc<dyn Time>,
    jitter: Jitter,
    policy: Policy,
    budget: Budget,
    permits: Permits,
}

/// The limits on a [`Sender`]'s attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Attempts for one call, the first included. The default is three.
    pub attempts: NonZeroU32,
    /// The maximum time of one attempt that another one may follow: 10 s by default. A call that cannot be retried
    /// without a response waits until its deadline instead, because stopping early would only leave its outcome unknown.
    pub attempt_timeout: Duration,
    /// The waits between attempts.
    pub backoff: Backoff,
    /// Retries that all calls of one sender may make together in a burst, 25 by default. Every twenty calls earn one
    /// more.
    pub budget: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            attempts: const { NonZeroU32::new(3).expect("three is not zero") },
            attempt_timeout: Duration::from_secs(10),
            backoff: Backoff::default(),
            budget: 25,
        }
    }
}

/// One call: the request, and the permitted reactions to a failure.
pub struct Call {
    /// The request, with all its headers.
    pub request: Request<Bytes>,
    /// The route template, such as `/rest/v2/customers/{customer-key}`: the only form of the path that is logged.
    pub route: &'static str,
    /// The permitted retries.
    pub retry_class: RetryClass,
    /// Whether a response is in the gateway's own envelope. This crate contains no message, so the sender of the call
    /// decides; the response of a proxy or a portal is never a definite no.
    pub is_own: fn(&Response<Bytes>) -> bool,
    /// The end of the call, waits and retries included.
    pub deadline: Deadline,
}

/// A definite response: 2xx, a definite no of the gateway, or for a read any status that persisted through retries.
pub struct Answer {
    response: Response<Bytes>,
    attempts: u32,
    after_unknown: bool,
}

/// The error of a call without a definite response. It keeps the last response or error of the gateway.
pub struct CallError(Box<Failure>);

struct Failure {
    next: Decision,
    delivery: Delivery,
    attempts: u32,
    cause: Result<Response<Bytes>, TransportError>,
}

impl Sender {
    /// Creates a sender with the default [`Policy`], Tokio's clock and real randomness.
    pub fn new(exchange: Arc<dyn Exchange>) -> Self {
        Self::with(exchange, Policy::default(), Arc::new(TokioTime), full_jitter)
    }

    /// Creates a sender with the caller's policy, clock and randomness.
    pub fn with(exchange: Arc<dyn Exchange>, policy: Policy, time: Arc<dyn Time>, jitter: Jitter) -> Self {
        Self::paced(exchange, policy, Pace::default(), time, jitter)
    }

    /// Returns a sender that also limits how many exchanges run at once, and how many start in a second.
    ///
    /// An exchange waits for its turn at most until the deadline of its call; a call that gets no turn fails with
    /// [`Kind::NoPermit`](crate::Kind::NoPermit), and was not sent.
    pub fn paced(
        exchange: Arc<dyn Exchange>,
        policy: Policy,
        pace: Pace,
        time: Arc<dyn Time>,
        jitter: Jitter,
    ) -> Self {
        let (budget, permits) = (Budget::new(policy.budget), Permits::new(pace));
        Self { inner: Arc::new(Inner { exchange, time, jitter, policy, budget, permits }), once: None }
    }

    /// Returns a sender that attempts each call once, and does not send it after this moment: a call that is too late
    /// fails with [`Kind::TooLate`](crate::Kind::TooLate). It shares everything else with this one.
    ///
    /// The moment is checked directly before the request is handed to the [`Exchange`]. What the exchange does before
    /// its first byte leaves, such as connecting, is bounded only by the deadline of the call, which
    /// [`deadline_in`](Self::deadline_in) limits to [`SendBy::LONGEST_CALL`].
    #[must_use]
    pub fn once(&self, send_by: SendBy) -> Self {
        Self { inner: self.inner.clone(), once: Some(send_by) }
    }

    /// The deadline this far from the current time, by the sender's clock.
    pub fn deadline_in(&self, timeout: Duration) -> Deadline {
        let longest = self.once.map_or(timeout, |_| SendBy::LONGEST_CALL);
        Deadline::after(self.inner.time.now(), timeout.min(longest))
    }

    /// Sends the call and retries it as [`decide`] allows, while attempts, budget and time are left.
    pub async fn send(&self, call: Call) -> Result<Answer, CallError> {
        self.inner.budget.earn();
        let mut attempts = 0;
        // The outcome of the last attempt before this one that left it open whether the call was performed.
        let mut open = None;
        loop {
            attempts += 1;
            let result = self.attempt(&call, attempts).await;
            let outcome = result.as_ref().map_or_else(Outcome::of_error, |answer| {
                Outcome::of_status(answer.status(), || (call.is_own)(answer))
            });
            let next = match decide(call.retry_class, outcome) {
                Decision::Retry => {
                    match self.wait_before_repeat(&call, attempts, outcome, result.as_ref().ok()) {
                        Some(wait) => {
                            tracing::debug!(attempt = attempts, wait_ms = millis(wait), "repeating");
                            self.inner.time.sleep(wait).await;
                            if !outcome.is_definite() {
                                open = Some(outcome);
                            }
                            continue;
                        }
                        None => give_up(call.retry_class, open.unwrap_or(outcome)),
                    }
                }
                Decision::Stop if open.is_some() && !settles(call.retry_class, status(&result)) => {
                    Decision::OutcomeUnknown
                }
                next => next,
            };
            return match (next, result) {
                (Decision::Stop, Ok(response)) => {
                    Ok(Answer { response, attempts, after_unknown: open.is_some() })
                }
                (next, cause) => {
                    let delivery = match delivery(&cause) {
                        Delivery::NotSent if open.is_some() => Delivery::MaybeSent,
                        last => last,
                    };
                    Err(CallError(Box::new(Failure { next, delivery, attempts, cause })))
                }
            };
        }
    }

    async fn attempt(&self, call: &Call, attempt: u32) -> Result<Response<Bytes>, TransportError> {
        let permit = self.inner.permits.wait(&*self.inner.time, call.deadline).await;
        let _permit = permit.ok_or_else(|| TransportError::new(Kind::NoPermit))?;
        if self.once.is_some_and(SendBy::has_passed) {
            return Err(TransportError::new(Kind::TooLate));
        }
        let started = self.inner.time.now();
        let span = tracing::debug_span!(
            "exchange",
            method = call.request.method().as_str(),
            route = call.route,
            attempt,
            delivery = field::Empty,
            status = field::Empty,
            duration_ms = field::Empty,
        );
        let deadline = self.attempt_deadline(call, started);
        let result =
            (*self.inner.exchange).exchange(call.request.clone(), deadline).instrument(span.clone()).await;
        self.record(&span, &result, started);
        result
    }

    fn attempt_deadline(&self, call: &Call, now: Instant) -> Deadline {
        if decide(call.retry_class, Outcome::MaybeSent) == Decision::Retry {
            call.deadline.min(Deadline::after(now, self.inner.policy.attempt_timeout))
        } else {
            call.deadline
        }
    }

    fn record(&self, span: &Span, result: &Result<Response<Bytes>, TransportError>, started: Instant) {
        span.record("delivery", delivery(result).as_str());
        if let Ok(response) = result {
            span.record("status", response.status().as_u16());
        }
        span.record("duration_ms", millis(self.inner.time.now().saturating_duration_since(started)));
    }

    /// The wait before the next attempt, unless attempts, time or budget forbid one.
    fn wait_before_repeat(
        &self,
        call: &Call,
        attempts: u32,
        outcome: Outcome,
        answer: Option<&Response<Bytes>>,
    ) -> Option<Duration> {
        let Policy { backoff, attempts: allowed, .. } = &self.inner.policy;
        let requested = answer.and_then(|answer| retry_after(answer.headers()));
        let left = call.deadline.remaining(self.inner.time.now());
        // The gateway itself is given all the time that it asks for, as far as the call has it.
        let granted = match outcome {
            Outcome::Throttled => left.saturating_sub(Duration::from_nanos(1)),
            _ => Duration::ZERO,
        };
        let wait = backoff.wait(attempts, requested, granted, self.inner.jitter);
        let possible = self.once.is_none() && attempts < allowed.get() && wait < left;
        (possible && self.inner.budget.spend()).then_some(wait)
    }
}

fn delivery(result: &Result<Response<Bytes>, TransportError>) -> Delivery {
    result.as_ref().map_or_else(TransportError::delivery, |_| Delivery::Answered)
}

fn status(result: &Result<Response<Bytes>, TransportError>) -> Option<StatusCode> {
    result.as_ref().ok().map(Response::status)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("policy", &self.inner.policy).finish_non_exhaustive()
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("method", self.request.method())
            .field("route", &self.route)
            .field("retry_class", &self.retry_class)
            .finish_non_exhaustive()
    }
}

impl Answer {
    /// The gateway's response.
    pub fn response(&self) -> &Response<Bytes> {
        &self.response
    }

    /// Returns the gateway's response, owned.
    pub fn into_response(self) -> Response<Bytes> {
        self.response
    }

    /// The number of times the call was sent.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Whether an earlier attempt of this call may have been performed. A missing object of a delete
    /// (404, 410) then means that it is gone, as requested.
    pub fn after_unknown(&self) -> bool {
        self.after_unknown
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.response.status())
            .field("attempts", &self.attempts)
            .field("after_unknown", &self.after_unknown)
            .finish_non_exhaustive()
    }
}

impl CallError {
    /// The caller's next step: [`Decision::Stop`], [`Decision::OutcomeUnknown`] or [`Decision::LookUp`], never
    /// [`Decision::Retry`].
    pub fn next(&self) -> Decision {
        self.0.next
    }

    /// The delivery of the call over all its attempts: `NotSent` only if none of them was sent.
    pub fn delivery(&self) -> Delivery {
        self.0.delivery
    }

    /// The number of attempts to send the call.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// The last response, if the last attempt had one.
    pub fn answer(&self) -> Option<&Response<Bytes>> {
        self.0.cause.as_ref().ok()
    }

    /// The error of the last attempt, if it had no response.
    pub fn transport_error(&self) -> Option<&TransportError> {
        self.0.cause.as_ref().err()
    }

    /// Returns the last response or the last error, owned.
    pub fn into_cause(self) -> Result<Response<Bytes>, TransportError> {
        self.0.cause
    }

    /// The status of the last response.
    pub fn status(&self) -> Option<StatusCode> {
        self.answer().map(Response::status)
    }
}

impl fmt::Debug for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallError")
            .field("next", &self.0.next)
            .field("delivery", &self.0.delivery)
            .field("attempts", &self.0.attempts)
            .field("status", &self.status())
            .field("transport_error", &self.transport_error())
            .finish_non_exhaustive()
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.0.next, self.0.delivery) {
            (Decision::OutcomeUnknown, _) => {
                "the call may have been performed: look up the outcome before you send it again"
            }
            (Decision::LookUp, _) => {
                "the call may have been performed: look up its key before you send it again"
            }
            (_, Delivery::NotSent) => "the call did not reach the gateway",
            _ => "the call had no response",
        })
    }
}

impl Error for CallError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.transport_error().map(|error| error as _)
    }
}
