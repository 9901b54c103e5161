//! The [`Exchange`] over reqwest: its settings are fixed, and its errors are mapped to what is known of the delivery.

mod connected;
mod proxy;

use std::error::Error;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use ::reqwest::{Client, redirect, retry};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::uri::Scheme;
use http::{Request, Response, Uri};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use thiserror::Error;

use self::connected::Connected;
use crate::{Deadline, Exchange, Kind, TransportError};

/// One HTTPS client with a pool of connections, built once and shared by cloning.
///
/// Its guarantees are restrictions:
///
/// * It sends to `https` URLs, and to `http` only if the host is a literal loopback address (`127.0.0.0/8` or
///   `[::1]`; `localhost` is a name, and names can point elsewhere). Any other URL is refused before a connection is
///   made, and so is one with a user part or with dot segments.
/// * It follows no redirect (307 and 308 would carry the card to another host), keeps no cookies, sends no `Referer`,
///   decompresses nothing and retries nothing.
/// * It uses no proxy except for that of [`proxy`](ReqwestBuilder::proxy); no environment variable chooses or
///   bypasses one.
/// * It speaks TLS 1.2 or 1.3 with the compiled-in Mozilla roots and explicitly added roots. Verification
///   cannot be turned off.
/// * It reads at most [`response_limit`](ReqwestBuilder::response_limit) bytes of a body.
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
#[derive(Clone)]
pub struct ReqwestBuilder {
    connect_timeout: Duration,
    response_limit: usize,
    root_pems: Vec<Vec<u8>>,
    proxy: Option<String>,
}

/// An error in the settings of a [`ReqwestExchange`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A root is not one or more X.509 certificates in PEM.
    #[error("the additional roots are not certificates in PEM")]
    RootPem,
    /// The proxy is not an `http` or `https` URL of a host, or its URL has a path, a query or a fragment.
    #[error("the proxy is not a URL such as http://proxy.example:3128 (http or https, with no path)")]
    Proxy,
    /// The HTTP client refused its settings.
    #[error("the HTTP client could not be set up")]
    Client,
}

impl ReqwestExchange {
    /// A builder with the defaults: connect within 3.1 s, read at most 1 MiB.
    pub fn builder() -> ReqwestBuilder {
        ReqwestBuilder {
            // Just above one TCP retransmission after 1 s and the next after 2 s.
            connect_timeout: Duration::from_millis(3_100),
            response_limit: 1024 * 1024,
            root_pems: Vec::new(),
            proxy: None,
        }
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
        let declared = answer.content_length().unwrap_or(0);
        let declared = usize::try_from(declared).unwrap_or(usize::MAX);
        if declared > self.response_limit {
            return Err(TransportError::new(Kind::TooLarge));
        }
        let mut body = BytesMut::with_capacity(declared);
        while let Some(chunk) = answer.chunk().await.map_err(broken_off)? {
            if chunk.len() > self.response_limit - body.len() {
                return Err(TransportError::new(Kind::TooLarge));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }
}

impl ReqwestBuilder {
    /// Sets the maximum time to make a connection, name resolution and TLS handshake included.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets the maximum size of a body, in bytes. A longer one is [`Kind::TooLarge`], and its connection is closed.
    #[must_use]
    pub fn response_limit(mut self, bytes: usize) -> Self {
        self.response_limit = bytes;
        self
    }

    /// Trusts these root certificates (PEM, one or more) in addition to the built-in ones: for a test gateway with a
    /// private root, or a proxy that breaks TLS open.
    #[must_use]
    pub fn add_root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_pems.push(pem.into());
        self
    }

    /// Sends every call through this forward proxy, an `http` or `https` URL with a host and no path.
    ///
    /// The exchange asks the proxy for a tunnel (`CONNECT`) to the gateway and speaks TLS with the gateway inside it,
    /// so the proxy sees the gateway's host and port, and no key, no header and no body. A call to a plain `http` URL
    /// is refused with [`Kind::PlainThroughProxy`], because the proxy would read its key. A proxy that opens no tunnel
    /// (407, 502 or any other status except 200) is [`Kind::Proxy`]: nothing was sent to the gateway.
    ///
    /// The URL can hold a user and a password, percent-encoded, which go to the proxy alone (in clear text to an `http`
    /// proxy) and are never shown. Without a port, it is 80 for `http` and 443 for `https`. Only this method sets a
    /// proxy; no environment variable does.
    ///
    /// ```
    /// use perennial_transport::{BuildError, ReqwestExchange};
    ///
    /// let behind = |proxy: &str| ReqwestExchange::builder().proxy(proxy).build();
    /// let exchange = behind("http://user:pass%40word@proxy.example:3128").unwrap();
    /// assert!(!format!("{exchange:?}").contains("word"));
    /// assert_eq!(behind("socks5://proxy.example:1080").err(), Some(BuildError::Proxy));
    /// assert_eq!(behind("proxy.example:3128").err(), Some(BuildError::Proxy));
    /// ```
    #[must_use]
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = Some(url.into());
        self
    }

    /// Builds the exchange, which makes no connection yet.
    pub fn build(self) -> Result<ReqwestExchange, BuildError> {
        let connected = Connected::default();
        let client = Client::builder()
            .connector_layer(connected.clone())
            .tls_backend_preconfigured(self.tls()?)
            .connect_timeout(self.connect_timeout)
            .user_agent(concat!("perennial/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .referer(false)
            .no_proxy();
        #[cfg(not(feature = "http2"))]
        let client = client.http1_only();
        let proxied = self.proxy.is_some();
        let client = match &self.proxy {
            Some(url) => client.proxy(proxy::tunnel(url).ok_or(BuildError::Proxy)?),
            None => client,
        };
        let client = client.build().map_err(|_| BuildError::Client)?;
        Ok(ReqwestExchange { client, response_limit: self.response_limit, proxied, connected })
    }

    fn tls(&self) -> Result<ClientConfig, BuildError> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        for pem in &self.root_pems {
            let before = roots.len();
            for certificate in CertificateDer::pem_slice_iter(pem) {
                let certificate = certificate.map_err(|_| BuildError::RootPem)?;
                roots.add(certificate).map_err(|_| BuildError::RootPem)?;
            }
            if roots.len() == before {
                return Err(BuildError::RootPem);
            }
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| BuildError::Client)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![
            #[cfg(feature = "http2")]
            b"h2".to_vec(),
            b"http/1.1".to_vec(),
        ];
        Ok(config)
    }
}

#[async_trait]
impl Exchange for ReqwestExchange {
    async fn exchange(
        &self,
        request: Request<Bytes>,
        deadline: Deadline,
    ) -> Result<Response<Bytes>, TransportError> {
        let refused = || TransportError::new(Kind::RefusedUrl);
        if !may_carry_secrets(request.uri()) {
            return Err(refused());
        }
        if self.proxied && request.uri().scheme() != Some(&Scheme::HTTPS) {
            return Err(TransportError::new(Kind::PlainThroughProxy));
        }
        let path = request.uri().path().to_owned();
        let request = ::reqwest::Request::try_from(request).map_err(|_| refused())?;
        // reqwest resolves dot segments, so a key with `..` in it would name another object.
        if request.url().path() != path {
            return Err(refused());
        }
        let deadline = tokio::time::Instant::from_std(deadline.instant());
        if deadline <= tokio::time::Instant::now() {
            return Err(TransportError::new(Kind::Timeout).not_sent());
        }
        tokio::time::timeout_at(deadline, self.answer(request))
            .await
            .unwrap_or_else(|_| Err(TransportError::new(Kind::Timeout)))
    }
}

impl fmt::Debug for ReqwestExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReqwestExchange")
            .field("response_limit", &self.response_limit)
            .finish_non_exhaustive()
    }
}

/// Omits the roots and the proxy: the file of the roots may hold a private key too, and the proxy's URL a password.
impl fmt::Debug for ReqwestBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReqwestBuilder")
            .field("connect_timeout", &self.connect_timeout)
            .field("response_limit", &self.response_limit)
            .finish_non_exhaustive()
    }
}

fn may_carry_secrets(uri: &Uri) -> bool {
    let has_user = uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
    let host = uri.host().unwrap_or_default();
    let literal_loopback = host.parse().is_ok_and(|address: Ipv4Addr| address.is_loopback())
        || host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .is_some_and(|host| host.parse().is_ok_and(|address: Ipv6Addr| address.is_loopback()));
    !has_user
        && !host.is_empty()
        && (uri.scheme() == Some(&Scheme::HTTPS) || (uri.scheme() == Some(&Scheme::HTTP) && literal_loopback))
}

/// Maps a failure before the head of a response. reqwest's `is_request` and `is_timeout` do not say whether
/// anything was sent; `is_connect` does, and covers the tunnel of a proxy.
fn unanswered(error: ::reqwest::Error, proxied: bool) -> TransportError {
    let error = error.without_url();
    let kind = if error.is_connect() && cause::<rustls::Error>(&error).is_some() {
        Kind::Tls
    } else if proxied && error.is_connect() {
        Kind::Proxy
    } else if error.is_dns() {
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

/// The first error of this type in the chain, including errors inside I/O errors, whose `source` skips them.
fn cause<'e, T: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = wrapped.map(|wrapped| wrapped as &(dyn Error + 'static)).or_else(|| error.source());
    }
    None
}

#[cfg(test)]
mod tests {
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
        let tls = ReqwestExchange::builder().tls().unwrap();
        let client = Client::builder().tls_backend_preconfigured(tls).dns_resolver(Arc::new(NoNames));
        let request = client.build().unwrap().get("https://gateway.example/rest/v2/customers");
        let error = unanswered(request.send().await.unwrap_err(), false);
        assert_eq!((error.kind(), error.delivery()), (Kind::Resolve, Delivery::NotSent));
        assert!(!format!("{error:?}").contains("rest/v2"), "{error:?}");
    }

    #[test]
    fn secrets_go_to_https_and_to_literal_loopback_only() {
        for (url, allowed) in [
            ("https://gateway.clearent.net/rest/v2/customers", true),
            ("https://localhost/", true),
            ("http://127.0.0.1:8080/rest/v2/customers", true),
            ("http://127.255.255.254/", true),
            ("http://[::1]:8080/", true),
            ("http://localhost:8080/", false),
            ("http://gateway.clearent.net/", false),
            ("http://127.0.0.1.evil.example/", false),
            ("http://128.0.0.1/", false),
            ("http://0.0.0.0/", false),
            ("http://[::]/", false),
            ("http://[::ffff:127.0.0.1]/", false),
            ("http://127.1/", false),
            ("http://0x7f000001/", false),
            ("http://2130706433/", false),
            ("http://127.0.0.1@evil.example/", false),
            ("http://user@127.0.0.1/", false),
            ("https://user:password@gateway.clearent.net/", false),
            ("ftp://127.0.0.1/", false),
            ("/rest/v2/customers", false),
        ] {
            assert_eq!(may_carry_secrets(&url.parse().unwrap()), allowed, "{url}");
        }
    }

    #[test]
    fn roots_must_be_certificates() {
        let empty_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        for pem in ["", "no certificate", empty_certificate, key] {
            let built = ReqwestExchange::builder().add_root_certificate(pem).build();
            assert_eq!(built.err(), Some(BuildError::RootPem), "{pem:?}");
        }
    }
}
