//! Reasons why an exchange has no response, and how much of the request may have been sent.

use std::error::Error;
use std::fmt;

use crate::Delivery;

/// One exchange that ended without a usable response.
///
/// It has the reason ([`kind`](Self::kind)), whether the gateway can have seen the request
/// ([`delivery`](Self::delivery)), and the cause as its [`source`](Error::source). No part of it, source included,
/// carries a URL, a header or a body.
///
/// ```
/// use perennial_transport::{Delivery, Kind, TransportError};
///
/// let error = TransportError::new(Kind::Connect);
/// assert_eq!(error.delivery(), Delivery::NotSent);
/// assert_eq!(error.to_string(), "no connection to the gateway: check the network and the base URL");
/// assert_eq!(size_of::<TransportError>(), size_of::<usize>());
/// ```
pub struct TransportError(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: Kind,
    delivery: Delivery,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// The reason why an exchange failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// The URL is not one to which secrets may be sent; nothing was sent.
    RefusedUrl,
    /// The gateway's name has no address.
    Resolve,
    /// The proxy was not reached, or opened no tunnel to the gateway; nothing was sent to the gateway.
    Proxy,
    /// A proxy is set and the URL is plain `http`, whose key the proxy would read; nothing was sent.
    PlainThroughProxy,
    /// No TCP connection: refused, unreachable, or not made within the connect timeout.
    Connect,
    /// The TLS handshake failed: certificate, host name, protocol version.
    Tls,
    /// The deadline passed.
    Timeout,
    /// The call waited for its turn among those in flight, or for its start time, and would have been sent after its
    /// deadline; nothing was sent.
    NoPermit,
    /// The last moment to send the request ([`SendBy`](crate::SendBy)) passed before it was handed over; nothing was
    /// sent.
    TooLate,
    /// The connection was closed or reset before the head of a response was complete.
    Closed,
    /// The body of a response broke off, or broke its framing.
    Truncated,
    /// The response is longer than the limit.
    TooLarge,
    /// The response is not HTTP.
    Protocol,
    /// A replay has no recorded response for this request.
    Unrecorded,
    /// The caller canceled the exchange before a response, as a program does when it is stopped. It is never retried.
    Canceled,
}

impl Kind {
    const fn delivery(self) -> Delivery {
        match self {
            Self::RefusedUrl
            | Self::Resolve
            | Self::Proxy
            | Self::PlainThroughProxy
            | Self::Connect
            | Self::Tls
            | Self::NoPermit
            | Self::TooLate
            | Self::Unrecorded => Delivery::NotSent,
            Self::Timeout | Self::Closed | Self::Truncated | Self::Canceled => Delivery::MaybeSent,
            Self::TooLarge | Self::Protocol => Delivery::Answered,
        }
    }

    const fn advice(self) -> &'static str {
        match self {
            Self::RefusedUrl => {
                "the URL is refused: use https, or http to a literal loopback address, without user or dot segments"
            }
            Self::Resolve => "the gateway's host name has no address: check the name and the resolver",
            Self::Proxy => {
                "no connection to the gateway through the proxy: check the proxy's URL and credentials, and that it lets the gateway's host and port through"
            }
            Self::PlainThroughProxy => {
                "a proxy would read the key of a plain http call, so nothing was sent: use an https base URL, or no proxy"
            }
            Self::Connect => "no connection to the gateway: check the network and the base URL",
            Self::Tls => {
                "no secure connection to the gateway: check the host name, the trusted roots and this machine's clock"
            }
            Self::Timeout => {
                "the deadline passed before a response: allow more time, or look up the outcome before you send it again"
            }
            Self::NoPermit => {
                "the deadline passed while the call waited for other calls of this client, and nothing was sent: allow more time, more calls in flight or a higher rate"
            }
            Self::TooLate => {
                "the last moment to send the request passed before it was sent, and nothing was sent: decide again"
            }
            Self::Closed => {
                "the connection closed before a response: look up the outcome before you send it again"
            }
            Self::Truncated => "the response broke off: look up the outcome before you send it again",
            Self::TooLarge => {
                "the response is longer than the limit: raise the limit, or request a smaller page"
            }
            Self::Protocol => "the response is not HTTP: check that the base URL is the gateway's",
            Self::Unrecorded => "no recorded response fits this request: record the exchange anew",
            Self::Canceled => {
                "the call was canceled before a response: if it was a write, look up the outcome before you send it again"
            }
        }
    }
}

impl TransportError {
    /// An error of this kind, with the delivery that the kind implies: a failure before the request leaves is
    /// `NotSent`, one after it `MaybeSent`, and a response that cannot be used is `Answered`.
    pub fn new(kind: Kind) -> Self {
        Self(Box::new(Inner { kind, delivery: kind.delivery(), source: None }))
    }

    /// Marks the error as `NotSent` where the exchange can prove that nothing was sent, for example if the deadline
    /// passes while it is still connecting. Without proof, leave it out: a retry of a request that was sent can charge
    /// a card twice.
    #[must_use]
    pub fn not_sent(mut self) -> Self {
        self.0.delivery = Delivery::NotSent;
        self
    }

    /// Keeps the cause. Its text must carry no URL, header or body.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The reason of the failure.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// Whether the gateway can have seen the request.
    pub fn delivery(&self) -> Delivery {
        self.0.delivery
    }
}

impl fmt::Debug for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransportError")
            .field("kind", &self.0.kind)
            .field("delivery", &self.0.delivery)
            .field("source", &self.0.source)
            .finish()
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.kind.advice())
    }
}

impl Error for TransportError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
