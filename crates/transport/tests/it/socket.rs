//! A gateway that does exactly what its script says, on a separate loopback port.

use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// The gateway's next action on a connection. At the end of its script it closes the connection.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// Reads this many bytes.
    Read(usize),
    /// Reads a whole request.
    Request,
    /// Writes.
    Say(&'static str),
    /// Writes a text repeatedly until nobody listens.
    Forever(&'static str),
    /// Does nothing more, and does not close.
    Hold,
    /// Holds the connection, and skips the time that the client would wait in vain. Waits until the client was
    /// heard: otherwise it would seem to wait for a connection.
    Stall,
    /// Stalls, but writes a text every 100 ms.
    Drip(&'static str),
    /// Resets the connection.
    Reset,
}

/// Plays one script on each connection, and counts connections.
pub(crate) struct Gateway {
    address: SocketAddr,
    accepted: Arc<AtomicUsize>,
}

impl Gateway {
    pub(crate) async fn start(script: &'static [Step]) -> Self {
        Self::listen(script, None).await
    }

    pub(crate) async fn start_tls(script: &'static [Step], tls: TlsAcceptor) -> Self {
        Self::listen(script, Some(tls)).await
    }

    async fn listen(script: &'static [Step], tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let accepted = Arc::new(AtomicUsize::new(0));
        let counter = accepted.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, script, tls.clone()));
            }
        });
        Self { address, accepted }
    }

    pub(crate) fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{}/rest/v2/customers", self.address)
    }

    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}

async fn serve(mut stream: TcpStream, script: &'static [Step], tls: Option<TlsAcceptor>) {
    let (last, steps) = script.split_last().unwrap();
    let reset = matches!(last, Step::Reset);
    let steps = if reset { steps } else { script };
    match tls {
        None => play(&mut stream, steps).await,
        Some(tls) => {
            if let Ok(mut secured) = tls.accept(&mut stream).await {
                play(&mut secured, steps).await;
            }
        }
    }
    if reset {
        stream.set_zero_linger().unwrap();
    }
}

async fn play<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, steps: &[Step]) {
    for step in steps {
        match step {
            Step::Read(bytes) => {
                stream.read_exact(&mut vec![0; *bytes]).await.unwrap();
            }
            Step::Request => read_request(stream).await,
            Step::Say(text) => {
                stream.write_all(text.as_bytes()).await.unwrap();
                stream.flush().await.unwrap();
            }
            Step::Forever(text) => while stream.write_all(text.as_bytes()).await.is_ok() {},
            Step::Drip(text) => {
                tokio::time::pause();
                let mut drops = tokio::time::interval(Duration::from_millis(100));
                while stream.write_all(text.as_bytes()).await.is_ok() {
                    drops.tick().await;
                }
            }
            Step::Hold => std::future::pending().await,
            Step::Stall => {
                tokio::time::pause();
                std::future::pending::<()>().await;
            }
            Step::Reset => unreachable!("a reset is the last step"),
        }
    }
}

async fn read_request<S: AsyncRead + Unpin>(stream: &mut S) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length = length.map_or(0, |length| length.parse().unwrap());
    stream.read_exact(&mut vec![0; length]).await.unwrap();
}

/// A self-signed certificate, and a server that shows it.
pub(crate) struct Certificate {
    pub(crate) acceptor: TlsAcceptor,
    pub(crate) pem: String,
}

/// A certificate for this name, valid from January of the first year to January of the last.
pub(crate) fn certificate(name: &str, years: Range<i32>) -> Certificate {
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    params.not_before = date_time_ymd(years.start, 1, 1);
    params.not_after = date_time_ymd(years.end, 1, 1);
    let signing_key = KeyPair::generate().unwrap();
    let cert = params.self_signed(&signing_key).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], PrivateKeyDer::Pkcs8(signing_key.serialize_der().into()))
        .unwrap();
    Certificate { acceptor: Arc::new(config).into(), pem: cert.pem() }
}
