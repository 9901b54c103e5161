//! Makes connections: TCP, through the tunnel of a proxy if there is one, and TLS.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use http::header::{HeaderMap, HeaderValue, USER_AGENT};
use http::uri::Scheme;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::{GaiAddrs, GaiFuture, GaiResolver, Name};
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use thiserror::Error;
use tokio_rustls::TlsConnector;
use tower_service::Service;

use super::stream::Stream;
use crate::Kind;
use crate::http::{AGENT, Connected, Proxy, cause};

type BoxError = Box<dyn Error + Send + Sync>;
type Boxed<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

/// A connection that was not made.
#[derive(Debug, Error)]
#[error("no connection")]
pub(super) struct NotConnected {
    kind: Kind,
    source: Option<BoxError>,
}

impl NotConnected {
    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// A failed connection to the gateway, or to the proxy on the way to it.
    fn because(error: impl Into<BoxError>, is_proxied: bool) -> Self {
        let source = error.into();
        let kind = if let Some(earlier) = cause::<Self>(&*source) {
            earlier.kind
        } else if cause::<rustls::Error>(&*source).is_some() {
            Kind::Tls
        } else {
            Kind::Connect
        };
        let kind = if is_proxied && kind != Kind::Tls { Kind::Proxy } else { kind };
        Self { kind, source: Some(source) }
    }
}

/// Connects to the gateway.
#[derive(Clone)]
pub(super) struct Connector {
    direct: Direct,
    proxy: Option<Proxy>,
    timeout: Duration,
    connected: Connected,
}

impl Connector {
    pub(super) fn new(
        tls: ClientConfig,
        proxy: Option<Proxy>,
        timeout: Duration,
        connected: Connected,
    ) -> Self {
        let mut tcp = HttpConnector::new_with_resolver(Resolver(GaiResolver::new()));
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        // A dead connection is noticed after a minute, and bytes that arrive at nobody are not sent again for longer than
        // 30 s: a write must not reach the gateway long after its call has ended.
        tcp.set_keepalive(Some(Duration::from_secs(15)));
        tcp.set_keepalive_interval(Some(Duration::from_secs(15)));
        tcp.set_keepalive_retries(Some(3));
        #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
        tcp.set_tcp_user_timeout(Some(Duration::from_secs(30)));
        let direct = Direct { tcp, tls: Arc::new(tls).into() };
        Self { direct, proxy, timeout, connected }
    }

    async fn connect(mut self, uri: Uri) -> Result<TokioIo<Stream>, NotConnected> {
        let is_proxied = self.proxy.is_some();
        let failed = |error| NotConnected::because(error, is_proxied);
        let Some(Proxy { uri: proxy, auth }) = self.proxy else {
            return self.direct.call(uri).await.map_err(failed);
        };
        let tls = self.direct.tls.clone();
        let agent = HeaderMap::from_iter([(USER_AGENT, HeaderValue::from_static(AGENT))]);
        let tunnel = Tunnel::new(proxy, self.direct).with_headers(agent);
        let mut tunnel = match auth {
            Some(auth) => tunnel.with_auth(auth),
            None => tunnel,
        };
        let stream = tunnel.call(uri.clone()).await.map_err(|error| failed(error.into()))?;
        secured(&tls, &uri, stream.into_inner()).await.map_err(failed)
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = NotConnected;
    type Future = Boxed<Self::Response, NotConnected>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), NotConnected>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move {
            let (timeout, connected) = (connector.timeout, connector.connected.clone());
            let kind = if connector.proxy.is_some() { Kind::Proxy } else { Kind::Connect };
            let stream = tokio::time::timeout(timeout, connector.connect(uri))
                .await
                .unwrap_or(Err(NotConnected { kind, source: None }))?;
            connected.set();
            Ok(stream)
        })
    }
}

/// Connects to a host without a proxy, with TLS if the scheme is `https`.
#[derive(Clone)]
struct Direct {
    tcp: HttpConnector<Resolver>,
    tls: TlsConnector,
}

impl Service<Uri> for Direct {
    type Response = TokioIo<Stream>;
    type Error = BoxError;
    type Future = Boxed<Self::Response, BoxError>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let mut direct = self.clone();
        Box::pin(async move {
            let stream = Stream::Plain(direct.tcp.call(uri.clone()).await?.into_inner());
            if uri.scheme() == Some(&Scheme::HTTPS) {
                return secured(&direct.tls, &uri, stream).await;
            }
            Ok(TokioIo::new(stream))
        })
    }
}

/// Speaks TLS with this host over a stream.
async fn secured(tls: &TlsConnector, uri: &Uri, stream: Stream) -> Result<TokioIo<Stream>, BoxError> {
    let host = uri.host().unwrap_or_default();
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let name = ServerName::try_from(host)?.to_owned();
    Ok(TokioIo::new(Stream::Secured(Box::new(tls.connect(name, stream).await?))))
}

/// The resolver of the system. Its failures have a kind of their own.
#[derive(Clone)]
struct Resolver(GaiResolver);

impl Service<Name> for Resolver {
    type Response = GaiAddrs;
    type Error = NotConnected;
    type Future = Resolving;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), NotConnected>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Resolving {
        Resolving(self.0.call(name))
    }
}

struct Resolving(GaiFuture);

impl Future for Resolving {
    type Output = Result<GaiAddrs, NotConnected>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let resolved = Pin::new(&mut self.0).poll(context);
        resolved.map_err(|error| NotConnected { kind: Kind::Resolve, source: Some(error.into()) })
    }
}
