//! The [`Exchange`] over hyper: fewer crates and less work for each call than over reqwest, with the same guarantees.

mod connector;
mod stream;

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{ACCEPT, HeaderValue, USER_AGENT};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use self::connector::{Connector, NotConnected};
use crate::http::{self as shared, AGENT, Body, BuildError, Connected, HttpBuilder, Proxy};
use crate::{Deadline, Exchange, Kind, TransportError};

/// One HTTPS client with a pool of connections, built once and shared by cloning.
///
/// It has the guarantees of `ReqwestExchange`, which are restrictions:
///
/// * It sends to `https` URLs, and to `http` only if the host is a literal loopback address (`127.0.0.0/8` or
///   `[::1]`; `localhost` is a name, and names can point elsewhere). Any other URL is refused before a connection is
///   made, and so is one with a user part or with dot segments.
/// * It follows no redirect, keeps no cookies, sends no `Referer`, decompresses nothing and sends no byte of a request
///   twice: a request of which nothing was written, because the gateway had closed a kept connection, goes over another.
/// * It uses no proxy except for that of [`proxy`](HttpBuilder::proxy); no environment variable chooses or bypasses one.
/// * It speaks HTTP/1.1 over TLS 1.2 or 1.3 with the compiled-in Mozilla roots and explicitly added roots. Verification
///   cannot be turned off.
/// * It reads at most [`response_limit`](HttpBuilder::response_limit) bytes of a body.
///
/// It reports `NotSent` only for a failure to connect, TLS included; every failure after a connection is made counts as
/// `MaybeSent`, even if the gateway closed it at once.
///
/// Deadlines are read by Tokio's clock, and a Tokio runtime with I/O and time enabled must be running.
///
/// ```
/// use perennial_transport::HyperExchange;
///
/// # fn main() -> Result<(), perennial_transport::BuildError> {
/// let exchange = HyperExchange::builder().response_limit(64 * 1024).build()?;
/// assert!(!exchange.has_connected());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct HyperExchange {
    client: Client<Connector, Full<Bytes>>,
    response_limit: usize,
    is_proxied: bool,
    connected: Connected,
}

/// The settings of a [`HyperExchange`].
pub type HyperBuilder = HttpBuilder<HyperExchange>;

impl HyperExchange {
    /// A builder with the defaults: connect within 3.1 s, read at most 1 MiB.
    pub fn builder() -> HyperBuilder {
        HttpBuilder::new()
    }

    /// Whether there ever was a connection to a gateway. Before the first one nothing was sent, even by a call that was
    /// canceled by dropping its future.
    pub fn has_connected(&self) -> bool {
        self.connected.get()
    }

    async fn answer(&self, request: Request<Full<Bytes>>) -> Result<Response<Bytes>, TransportError> {
        let answer = self.client.request(request).await.map_err(unanswered)?;
        let (mut head, mut incoming) = answer.into_parts();
        // The reason phrase, a text of the gateway.
        head.extensions.clear();
        let declared = hyper::body::Body::size_hint(&incoming).exact();
        let mut body = Body::new(self.response_limit, declared)?;
        while let Some(frame) = incoming.frame().await {
            let frame = frame.map_err(|error| TransportError::new(Kind::Truncated).with_source(error))?;
            if let Ok(piece) = frame.into_data() {
                body.add(piece)?;
            }
        }
        Ok(Response::from_parts(head, body.whole()))
    }
}

impl HyperBuilder {
    /// Builds the exchange, which makes no connection yet.
    pub fn build(self) -> Result<HyperExchange, BuildError> {
        let settings = self.settings();
        let proxy = match &settings.proxy {
            Some(url) => Some(Proxy::read(url).ok_or(BuildError::Proxy)?),
            None => None,
        };
        let is_proxied = proxy.is_some();
        let connected = Connected::default();
        let mut tls = settings.tls()?;
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let connector = Connector::new(tls, proxy, settings.connect_timeout, connected.clone());
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .build(connector);
        Ok(HyperExchange { client, response_limit: settings.response_limit, is_proxied, connected })
    }
}

#[async_trait]
impl Exchange for HyperExchange {
    async fn exchange(
        &self,
        request: Request<Bytes>,
        deadline: Deadline,
    ) -> Result<Response<Bytes>, TransportError> {
        shared::check(request.uri(), self.is_proxied)?;
        let mut request = request.map(Full::new);
        let headers = request.headers_mut();
        headers.entry(ACCEPT).or_insert(const { HeaderValue::from_static("*/*") });
        headers.entry(USER_AGENT).or_insert(const { HeaderValue::from_static(AGENT) });
        shared::within(deadline, self.answer(request)).await
    }
}

impl fmt::Debug for HyperExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HyperExchange").field("response_limit", &self.response_limit).finish_non_exhaustive()
    }
}

/// Maps a failure before the head of a response.
fn unanswered(error: legacy::Error) -> TransportError {
    let kind = match shared::cause::<NotConnected>(&error) {
        Some(failure) => failure.kind(),
        None if error.is_connect() => Kind::Connect,
        None if shared::cause::<hyper::Error>(&error).is_some_and(hyper::Error::is_parse) => Kind::Protocol,
        None => Kind::Closed,
    };
    TransportError::new(kind).with_source(error)
}
