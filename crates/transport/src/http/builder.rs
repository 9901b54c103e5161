//! The settings of an exchange over HTTP.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use rustls::ClientConfig;
use thiserror::Error;

use super::tls;

/// The settings of an exchange over HTTP, the same for every HTTP client: `ReqwestExchange::builder()` and
/// `HyperExchange::builder()` begin with the defaults.
pub struct HttpBuilder<E> {
    settings: Settings,
    exchange: PhantomData<fn() -> E>,
}

#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) connect_timeout: Duration,
    pub(crate) response_limit: usize,
    root_pems: Vec<Vec<u8>>,
    pub(crate) proxy: Option<String>,
}

/// An error in the settings of an exchange.
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

impl<E> HttpBuilder<E> {
    /// Connects within 3.1 s and reads at most 1 MiB.
    pub(crate) fn new() -> Self {
        let settings = Settings {
            // Just above one TCP retransmission after 1 s and the next after 2 s.
            connect_timeout: Duration::from_millis(3_100),
            response_limit: 1024 * 1024,
            root_pems: Vec::new(),
            proxy: None,
        };
        Self { settings, exchange: PhantomData }
    }

    pub(crate) fn settings(self) -> Settings {
        self.settings
    }

    /// Sets the maximum time to make a connection, name resolution and TLS handshake included.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.settings.connect_timeout = timeout;
        self
    }

    /// Sets the maximum size of a body, in bytes. A longer one is [`Kind::TooLarge`](crate::Kind::TooLarge), and its
    /// connection is closed.
    #[must_use]
    pub fn response_limit(mut self, bytes: usize) -> Self {
        self.settings.response_limit = bytes;
        self
    }

    /// Trusts these root certificates (PEM, one or more) in addition to the built-in ones: for a test gateway with a
    /// private root, or a proxy that breaks TLS open.
    #[must_use]
    pub fn add_root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.settings.root_pems.push(pem.into());
        self
    }

    /// Sends every call through this forward proxy, an `http` or `https` URL with a host and no path.
    ///
    /// The exchange asks the proxy for a tunnel (`CONNECT`) to the gateway and speaks TLS with the gateway inside it,
    /// so the proxy sees the gateway's host and port, and no key, no header and no body. A call to a plain `http` URL
    /// is refused with [`Kind::PlainThroughProxy`](crate::Kind::PlainThroughProxy), because the proxy would read its
    /// key. A proxy that opens no tunnel (407, 502 or any other status except 200) is
    /// [`Kind::Proxy`](crate::Kind::Proxy): nothing was sent to the gateway.
    ///
    /// The URL can hold a user and a password, percent-encoded, which go to the proxy alone (in clear text to an `http`
    /// proxy) and are never shown. Without a port, it is 80 for `http` and 443 for `https`. Only this method sets a
    /// proxy; no environment variable does.
    ///
    /// ```
    /// # #[cfg(feature = "reqwest")] {
    /// use perennial_transport::{BuildError, ReqwestExchange};
    ///
    /// let behind = |proxy: &str| ReqwestExchange::builder().proxy(proxy).build();
    /// let exchange = behind("http://user:pass%40word@proxy.example:3128").unwrap();
    /// assert!(!format!("{exchange:?}").contains("word"));
    /// assert_eq!(behind("socks5://proxy.example:1080").err(), Some(BuildError::Proxy));
    /// assert_eq!(behind("proxy.example:3128").err(), Some(BuildError::Proxy));
    /// # }
    /// ```
    #[must_use]
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.settings.proxy = Some(url.into());
        self
    }
}

impl Settings {
    /// The TLS of every connection: version 1.2 or 1.3, the Mozilla roots compiled in, and the roots that were added.
    pub(crate) fn tls(&self) -> Result<ClientConfig, BuildError> {
        tls::config(&self.root_pems)
    }
}

impl<E> Clone for HttpBuilder<E> {
    fn clone(&self) -> Self {
        Self { settings: self.settings.clone(), exchange: PhantomData }
    }
}

/// Omits the roots and the proxy: the file of the roots may hold a private key too, and the proxy's URL a password.
impl<E> fmt::Debug for HttpBuilder<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpBuilder")
            .field("connect_timeout", &self.settings.connect_timeout)
            .field("response_limit", &self.settings.response_limit)
            .finish_non_exhaustive()
    }
}
