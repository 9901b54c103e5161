//! Test doubles: exchanges that record, replay and follow a script, and a clock that moves only on request.
//!
//! Record once against a real gateway, keep the cassette beside the test, and replay it from then on:
//!
//! ```
//! use std::time::{Duration, Instant};
//!
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use perennial_transport::testing::{Recording, Replaying, Scripted};
//! use perennial_transport::{Deadline, Exchange, Redactor};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let gateway = Scripted::new([Ok(Response::new(r#"{"card":"4111111111111111"}"#.into()))]);
//! let recording = Recording::new(gateway, Redactor::new().secret("the api key"));
//! let deadline = Deadline::after(Instant::now(), Duration::from_secs(10));
//! let request = || Request::get("https://gateway.example/tokens/7?page=1").body(Bytes::new()).unwrap();
//! recording.exchange(request(), deadline).await?;
//!
//! let cassette = recording.cassette();
//! assert!(!cassette.to_json()?.contains("4111"));
//!
//! let replaying = Replaying::new(cassette);
//! let answer = replaying.exchange(request(), deadline).await?;
//! assert_eq!(answer.body(), r#"{"card":"***"}"#);
//! replaying.assert_all_used();
//! # Ok(())
//! # }
//! ```

use std::collections::VecDeque;
use std::fmt;
use std::fs;
use std::future::poll_fn;
use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use serde::{Deserialize, Serialize};

use crate::{Deadline, Exchange, Kind, Redactor, Time, TransportError};

/// Passes each request on and records those with a response, masked.
///
/// The error of a failed exchange is returned and not recorded.
#[derive(Debug)]
pub struct Recording<E> {
    inner: E,
    redactor: Redactor,
    cassette: Mutex<Cassette>,
}

impl<E: Exchange> Recording<E> {
    /// Records the responses of `inner`, masked by the redactor.
    pub fn new(inner: E, redactor: Redactor) -> Self {
        Self { inner, redactor, cassette: Mutex::default() }
    }

    /// The recorded exchanges so far.
    pub fn cassette(&self) -> Cassette {
        lock(&self.cassette).clone()
    }
}

#[async_trait]
impl<E: Exchange> Exchange for Recording<E> {
    async fn exchange(
        &self,
        request: Request<Bytes>,
        deadline: Deadline,
    ) -> Result<Response<Bytes>, TransportError> {
        let redactor = self.redactor.of_call(request.headers(), request.body());
        let asked = RecordedRequest {
            call: self.redactor.text(&call(&request)),
            headers: redactor.headers(request.headers()),
            body: redactor.body(request.body()),
        };
        let answer = self.inner.exchange(request, deadline).await?;
        let answered = RecordedAnswer {
            status: answer.status().as_u16(),
            headers: redactor.headers(answer.headers()),
            body: redactor.body(answer.body()),
        };
        lock(&self.cassette).exchanges.push(Recorded { asked, answered });
        Ok(answer)
    }
}

/// Recorded exchanges, as a JSON file that people can read and review.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cassette {
    exchanges: Vec<Recorded>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Recorded {
    asked: RecordedRequest,
    answered: RecordedAnswer,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordedRequest {
    call: String,
    headers: Vec<(String, String)>,
    body: String,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordedAnswer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Cassette {
    /// Reads a cassette from a file.
    pub fn load(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::from_json(&fs::read_to_string(path)?)
    }

    /// Writes the cassette to a file and replaces its content.
    pub fn save(&self, path: impl AsRef<Path>) -> io::Result<()> {
        fs::write(path, self.to_json()?)
    }

    /// Reads a cassette from its JSON, and checks that every response in it can be replayed.
    pub fn from_json(json: &str) -> io::Result<Self> {
        let cassette: Self = serde_json::from_str(json)?;
        for recorded in &cassette.exchanges {
            recorded.answered.response()?;
        }
        Ok(cassette)
    }

    /// Formats the cassette as indented JSON.
    pub fn to_json(&self) -> io::Result<String> {
        Ok(serde_json::to_string_pretty(self)?)
    }
}

impl fmt::Debug for Cassette {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cassette").field("exchanges", &self.exchanges.len()).finish()
    }
}

impl RecordedAnswer {
    fn response(&self) -> io::Result<Response<Bytes>> {
        let invalid = |reason: &'static str| io::Error::new(io::ErrorKind::InvalidData, reason);
        let mut response = Response::new(Bytes::from(self.body.clone()));
        *response.status_mut() =
            StatusCode::from_u16(self.status).map_err(|_| invalid("not an HTTP status"))?;
        for (name, value) in &self.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid("not a header name"))?;
            let value = HeaderValue::from_str(value).map_err(|_| invalid("not a header value"))?;
            response.headers_mut().append(name, value);
        }
        Ok(response)
    }
}

/// Responds from a cassette. Calls with equal method, path and query get their responses in the order of recording;
/// headers and bodies of requests are not compared, since they were recorded masked.
///
/// A call without a recorded response left fails with [`Kind::Unrecorded`], and the error's source names the call.
#[derive(Debug)]
pub struct Replaying {
    left: Mutex<Cassette>,
}

impl Replaying {
    /// Creates an exchange that responds from this cassette.
    pub fn new(cassette: Cassette) -> Self {
        Self { left: Mutex::new(cassette) }
    }

    /// Calls whose recorded responses were not requested, such as `GET /rest/v2/tokens?page=2`.
    pub fn unused(&self) -> Vec<String> {
        lock(&self.left).exchanges.iter().map(|recorded| recorded.asked.call.clone()).collect()
    }

    /// Checks that every recorded response was requested.
    ///
    /// # Panics
    ///
    /// Panics if a recorded response was not requested.
    pub fn assert_all_used(&self) {
        let unused = self.unused();
        assert!(unused.is_empty(), "recorded and not asked for: {}", unused.join(", "));
    }
}

#[async_trait]
impl Exchange for Replaying {
    async fn exchange(
        &self,
        request: Request<Bytes>,
        _deadline: Deadline,
    ) -> Result<Response<Bytes>, TransportError> {
        let call = Redactor::new().text(&call(&request));
        let unrecorded = |source: String| TransportError::new(Kind::Unrecorded).with_source(source);
        let left = &mut lock(&self.left).exchanges;
        let at = left.iter().position(|recorded| recorded.asked.call == call);
        let at = at.ok_or_else(|| unrecorded(format!("no recorded response is left for {call}")))?;
        left.remove(at).answered.response().map_err(|error| unrecorded(error.to_string()))
    }
}

/// Returns its responses in order, whatever the requests, and keeps the requests for inspection.
///
/// After the last response, it fails with [`Kind::Unrecorded`].
pub struct Scripted {
    answers: Mutex<VecDeque<Result<Response<Bytes>, TransportError>>>,
    requests: Mutex<Vec<(Request<Bytes>, Deadline)>>,
}

impl Scripted {
    /// Creates an exchange that returns these responses.
    pub fn new(answers: impl IntoIterator<Item = Result<Response<Bytes>, TransportError>>) -> Self {
        Self { answers: Mutex::new(answers.into_iter().collect()), requests: Mutex::default() }
    }

    /// The requests so far, each with the deadline of its exchange. They are not masked.
    pub fn requests(&self) -> Vec<(Request<Bytes>, Deadline)> {
        lock(&self.requests).clone()
    }
}

impl fmt::Debug for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scripted").field("answers_left", &lock(&self.answers).len()).finish_non_exhaustive()
    }
}

#[async_trait]
impl Exchange for Scripted {
    async fn exchange(
        &self,
        request: Request<Bytes>,
        deadline: Deadline,
    ) -> Result<Response<Bytes>, TransportError> {
        lock(&self.requests).push((request, deadline));
        lock(&self.answers).pop_front().unwrap_or_else(|| Err(TransportError::new(Kind::Unrecorded)))
    }
}

/// A clock that moves only on request.
///
/// ```
/// use std::time::Duration;
/// use perennial_transport::Time;
/// use perennial_transport::testing::ManualTime;
///
/// let time = ManualTime::new();
/// let start = time.now();
/// time.advance(Duration::from_secs(60));
/// assert_eq!(time.now() - start, Duration::from_secs(60));
/// ```
#[derive(Debug)]
pub struct ManualTime(Mutex<Clock>);

#[derive(Debug)]
struct Clock {
    now: Instant,
    sleepers: Vec<Waker>,
}

impl ManualTime {
    /// Creates a clock at an arbitrary instant.
    pub fn new() -> Self {
        Self(Mutex::new(Clock { now: Instant::now(), sleepers: Vec::new() }))
    }

    /// Moves the clock forward and wakes every sleeper whose time has passed.
    pub fn advance(&self, by: Duration) {
        let mut clock = lock(&self.0);
        clock.now += by;
        let sleepers = std::mem::take(&mut clock.sleepers);
        drop(clock);
        sleepers.into_iter().for_each(Waker::wake);
    }
}

impl Default for ManualTime {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Time for ManualTime {
    fn now(&self) -> Instant {
        lock(&self.0).now
    }

    async fn sleep(&self, duration: Duration) {
        let until = self.now() + duration;
        poll_fn(|context| {
            let mut clock = lock(&self.0);
            if clock.now >= until {
                return Poll::Ready(());
            }
            clock.sleepers.push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

/// The name by which a call is matched: `GET /rest/v2/tokens?page=2`.
fn call(request: &Request<Bytes>) -> String {
    let target = request.uri().path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    format!("{} {target}", request.method())
}

/// Locks a mutex even after a panic, so that a panic elsewhere in a test does not make its lists unreadable.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
