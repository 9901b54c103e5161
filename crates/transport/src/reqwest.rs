//! The [`Exchange`] over reqwest: its settings are fixed, and its errors are mapped to what is known of the delivery.

mod connected;

use std::fmt;

use ::reqwest::{Client, Proxy, redirect, retry};
use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use rustls::pki_types::InvalidDnsNameError;

use self::connected::Noted;
use crate::http::{self as shared, AGENT, Body, BuildError, Connected, HttpBuilder, cause, is_proxy};
use crate::{Deadline, Exchange, Kind, TransportError};

/// One HTTPS client with a pool of connections, built once and shared by cloning.
///
/// Its guarantees are restrictions:
///
/// * It sends to `https` URLs, and to `http` only if the host is a literal loopback address (`127.0.0.0/8` or
///   `[::1]`; `localhost` is a name, and names can point elsewhere). Any other URL is refused before a connection is
///   made, and so is one with a user part or with dot segments.
/// * It follows no redirect (307 and 308 would carry the card to another host), keeps no cookies, sends no `Referer`,
///   decompresses nothing and sends no byte of a request twice: a request of which nothing was written, because the gateway
///   had closed a kept connection, goes over another.
/// * It uses no proxy except for that of [`proxy`](HttpBuilder::proxy); no environment variable chooses or
///   bypasses one.
/// * It speaks TLS 1.2 or 1.3 with the compiled-in Mozilla roots and explicitly added roots. Verification
///   cannot be turned off.
/// * It reads at most [`response_limit`](HttpBuilder::response_limit) bytes of a body.
///
/// It reports `NotSent` only for a failure to connect, TLS included. reqwest's connector layers cannot see the bytes
/// of a connection, so every failure after a connection is made counts as `MaybeSent`, even if the gateway closed
/// it at once.
///
/// Deadlines are read by Tokio's clock, and a Tokio runtime with I/O and time enabled must be running.
///
/// ```
/// use perennial_transport::ReqwestExchange;
///
/// # fn main() -> Result<(), perennial_transport::BuildError> {
/// let exchange = ReqwestExchange::builder().response_limit(64 * 1024).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ReqwestExchange {
    client: Client,
    response_limit: usize,
    proxied: bool,
    connected: Connected,
}

/// The settings of a [`ReqwestExchange`].
pub type ReqwestBuilder = HttpBuilder<ReqwestExchange>;

impl ReqwestExchange {
    /// A builder with the defaults: connect within 3.1 s, read at most 1 MiB.
    pub fn builder() -> ReqwestBuilder {
        HttpBuilder::new()
    }

    /// Whether there ever was a connection to a gateway. Before the first one nothing was sent, even by a call that was
    /// canceled by dropping its future.
    ///
    /// ```
    /// use perennial_transport::ReqwestExchange;
    ///
    /// assert!(!ReqwestExchange::builder().build().unwrap().has_connected());
    /// ```
    pub fn has_connected(&self) -> bool {
        self.connected.get()
    }

    async fn answer(&self, request: ::reqwest::Request) -> Result<Response<Bytes>, TransportError> {
        let answer = self.client.execute(request).await;
        let mut answer = answer.map_err(|error| unanswered(error, self.proxied))?;
        let mut response = Response::new(self.body(&mut answer).await?);
        *response.status_mut() = answer.status();
        *response.version_mut() = answer.version();
        *response.headers_mut() = std::mem::take(answer.headers_mut());
        Ok(response)
    }

    async fn body(&self, answer: &mut ::reqwest::Response) -> Result<Bytes, TransportError> {
        let mut body = Body::new(self.response_limit, answer.content_length())?;
        while let Some(piece) = answer.chunk().await.map_err(broken_off)? {
            body.add(piece)?;
        }
        Ok(body.whole())
    }
}

impl ReqwestBuilder {
    /// Builds the exchange, which makes no connection yet.
    pub fn build(self) -> Result<ReqwestExchange, BuildError> {
        let settings = self.settings();
        let mut tls = settings.tls()?;
        tls.alpn_protocols = vec![
            #[cfg(feature = "http2")]
            b"h2".to_vec(),
            b"http/1.1".to_vec(),
        ];
        let connected = Connected::default();
        let client = Client::builder()
            .connector_layer(Noted(connected.clone()))
            .tls_backend_preconfigured(tls)
            .connect_timeout(settings.connect_timeout)
            .user_agent(AGENT)
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .referer(false)
            .no_proxy();
        #[cfg(not(feature = "http2"))]
        let client = client.http1_only();
        let proxied = settings.proxy.is_some();
        let client = match &settings.proxy {
            Some(url) => client.proxy(tunnel(url).ok_or(BuildError::Proxy)?),
            None => client,
        };
        let client = client.build().map_err(|_| BuildError::Client)?;
        Ok(ReqwestExchange { client, response_limit: settings.response_limit, proxied, connected })
    }
}

/// A proxy that tunnels `https` by `CONNECT`, or `None` if the text is not the URL of one. Without the check, reqwest
/// would send a request directly if it could not parse the URL of its proxy.
pub(crate) fn tunnel(text: &str) -> Option<Proxy> {
    if is_proxy(text) { Proxy::https(text.trim()).ok() } else { None }
}

#[async_trait]
impl Exchange for ReqwestExchange {
    async fn exchange(
        &self,
        request: Request<Bytes>,
        deadline: Deadline,
    ) -> Result<Response<Bytes>, TransportError> {
        shared::check(request.uri(), self.proxied)?;
        let refused = || TransportError::new(Kind::RefusedUrl);
        let uri = request.uri().clone();
        let request = ::reqwest::Request::try_from(request).map_err(|_| refused())?;
        // reqwest resolves dot segments, so a key with `..` in it would name another object.
        if request.url().path() != uri.path() {
            return Err(refused());
        }
        shared::within(deadline, self.answer(request)).await
    }
}

impl fmt::Debug for ReqwestExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReqwestExchange")
            .field("response_limit", &self.response_limit)
            .finish_non_exhaustive()
    }
}

/// Maps a failure before the head of a response. reqwest's `is_request` and `is_timeout` do not say whether
/// anything was sent; `is_connect` does, and covers the tunnel of a proxy.
fn unanswered(error: ::reqwest::Error, proxied: bool) -> TransportError {
    let error = error.without_url();
    let kind = if error.is_connect() && cause::<rustls::Error>(&error).is_some() {
        Kind::Tls
    } else if proxied && error.is_connect() {
        Kind::Proxy
    } else if error.is_dns() || cause::<InvalidDnsNameError>(&error).is_some() {
        Kind::Resolve
    } else if error.is_connect() {
        Kind::Connect
    } else if cause::<hyper::Error>(&error).is_some_and(hyper::Error::is_parse) {
        Kind::Protocol
    } else {
        Kind::Closed
    };
    TransportError::new(kind).with_source(error)
}

/// Maps a body that ends early, which reqwest reports as a decoding error; either way the response is not whole.
fn broken_off(error: ::reqwest::Error) -> TransportError {
    TransportError::new(Kind::Truncated).with_source(error.without_url())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ::reqwest::dns::{Name, Resolve, Resolving};

    use super::*;
    use crate::Delivery;

    struct NoNames;

    impl Resolve for NoNames {
        fn resolve(&self, _: Name) -> Resolving {
            Box::pin(async { Err("no such name".into()) })
        }
    }

    #[tokio::test]
    async fn a_name_without_an_address_is_not_sent() {
        let tls = ReqwestExchange::builder().settings().tls().unwrap();
        let client = Client::builder().tls_backend_preconfigured(tls).dns_resolver(Arc::new(NoNames));
        let client = client.connector_layer(Noted(Connected::default()));
        let request = client.build().unwrap().get("https://gateway.example/rest/v2/customers");
        let error = unanswered(request.send().await.unwrap_err(), false);
        assert_eq!((error.kind(), error.delivery()), (Kind::Resolve, Delivery::NotSent));
        assert!(!format!("{error:?}").contains("rest/v2"), "{error:?}");
    }
}
