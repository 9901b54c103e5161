//! Calls through a forward proxy: the bytes it sees, and the result of each of its answers.

use std::process::Command;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use perennial_transport::{Deadline, Delivery, Exchange, HttpBuilder, Kind, Time, TokioTime, TransportError};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::Http;
use crate::socket::Step::{Hold, Read, Request as Whole, Say};
use crate::socket::{Certificate, Gateway, certificate};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// A proxy on loopback. It answers a `CONNECT` with its text, and opens the tunnel if the status is 200.
struct Proxy {
    port: u16,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Proxy {
    async fn start(answer: &'static str, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, heard) = (listener.local_addr().unwrap().port(), Arc::default());
        let noted = Arc::clone(&heard);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (noted, tls) = (Arc::clone(&noted), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => forward(stream, answer, &noted).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                forward(stream, answer, &noted).await;
                            }
                        }
                    }
                });
            }
        });
        Self { port, heard }
    }

    /// All bytes from clients, including those in the tunnel.
    fn heard(&self) -> String {
        String::from_utf8_lossy(&self.heard.lock().unwrap()).into_owned()
    }
}

async fn forward<S: AsyncRead + AsyncWrite + Unpin>(
    mut client: S,
    answer: &'static str,
    noted: &Mutex<Vec<u8>>,
) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = client.read_u8().await else { return };
        head.push(byte);
        noted.lock().unwrap().push(byte);
    }
    let _ = client.write_all(answer.as_bytes()).await;
    let _ = client.flush().await;
    if !answer.starts_with("HTTP/1.1 200") {
        return;
    }
    let head = String::from_utf8(head).unwrap();
    let target = head.split(' ').nth(1).unwrap();
    let Ok(gateway) = TcpStream::connect(target).await else { return };
    let (mut client_reads, mut client_writes) = tokio::io::split(client);
    let (mut gateway_reads, mut gateway_writes) = gateway.into_split();
    let up = async {
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = client_reads.read(&mut buffer).await {
            noted.lock().unwrap().extend_from_slice(&buffer[..read]);
            if gateway_writes.write_all(&buffer[..read]).await.is_err() {
                break;
            }
        }
    };
    let down = tokio::io::copy(&mut gateway_reads, &mut client_writes);
    tokio::select! { () = up => {}, _ = down => {} }
}

async fn send(builder: HttpBuilder<Http>, url: &str) -> Result<Response<Bytes>, TransportError> {
    let request = Request::post(url).header("api-key", "k3y-c4n4ry").body("csc-c4n4ry".into()).unwrap();
    let deadline = Deadline::after(TokioTime.now(), std::time::Duration::from_secs(30));
    let result = builder.build().unwrap().exchange(request, deadline).await;
    if let Err(error) = &result {
        let shown = format!("{error:?} {error}");
        assert!(!["c4n4ry", "word", "rest/v2"].iter().any(|secret| shown.contains(secret)), "{shown}");
    }
    result
}

const OPENED: &str = "HTTP/1.1 200 Connection established\r\n\r\n";

/// Holds: A configured proxy carries a TLS tunnel and cannot read the key.
#[tokio::test]
async fn the_key_goes_through_a_tunnel_that_the_proxy_cannot_read() {
    let Certificate { acceptor, pem } = certificate("127.0.0.1", 2000..2200);
    for (scheme, tls) in [("http", None), ("https", Some(acceptor.clone()))] {
        let gateway = Gateway::start_tls(&[Whole, Say(OK), Hold], acceptor.clone()).await;
        let proxy = Proxy::start(OPENED, tls).await;
        let url = format!("{scheme}://us%20er:pass%40word@127.0.0.1:{}", proxy.port);
        let builder = Http::builder().add_root_certificate(pem.clone()).proxy(url);
        assert!(!format!("{builder:?}").contains("word"), "{builder:?}");
        let answer = send(builder, &gateway.url("https")).await.unwrap();
        assert_eq!((answer.status().as_u16(), &answer.body()[..]), (200, &b"ok"[..]), "{scheme}");
        assert_eq!(gateway.accepted(), 1);
        let heard = proxy.heard();
        let host = gateway.url("https").replace("https://", "").replace("/rest/v2/customers", "");
        assert!(heard.starts_with(&format!("CONNECT {host} HTTP/1.1\r\n")), "{heard}");
        let is_user = |line: &str| {
            line.split_once(": ").is_some_and(|(name, value)| {
                name.eq_ignore_ascii_case("proxy-authorization") && value == "Basic dXMgZXI6cGFzc0B3b3Jk"
            })
        };
        assert!(heard.lines().any(is_user), "{heard}");
        for secret in ["k3y-c4n4ry", "csc-c4n4ry", "rest/v2"] {
            assert!(!heard.contains(secret), "{scheme}: the proxy reads {secret}");
        }
    }
}

/// Checks that a proxy's refusal of a tunnel is not an answer of the gateway, which has received nothing.
#[tokio::test]
async fn an_answer_of_the_proxy_is_not_sent() {
    let Certificate { acceptor, .. } = certificate("127.0.0.1", 2000..2200);
    for answer in [
        "HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 2\r\n\r\nno",
        "HTTP/1.1 403 Forbidden\r\ncontent-type: text/html\r\n\r\n<html>",
        "HTTP/1.1 201 Created\r\n\r\n",
        "HTTP/1.1 302 Found\r\nlocation: https://elsewhere.example/\r\n\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n\r\n",
        "",
    ] {
        let gateway = Gateway::start_tls(&[Whole, Say(OK), Hold], acceptor.clone()).await;
        let proxy = Proxy::start(answer, None).await;
        let builder = Http::builder().proxy(format!("http://127.0.0.1:{}", proxy.port));
        let error = send(builder, &gateway.url("https")).await.unwrap_err();
        assert_eq!((error.kind(), error.delivery()), (Kind::Proxy, Delivery::NotSent), "{answer}");
        assert_eq!(gateway.accepted(), 0, "{answer}");
    }
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_not_sent() {
    let bound = TcpSocket::new_v4().unwrap();
    bound.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = bound.local_addr().unwrap().port();
    let Certificate { acceptor, .. } = certificate("127.0.0.1", 2000..2200);
    let gateway = Gateway::start_tls(&[Whole, Say(OK), Hold], acceptor).await;
    let builder = Http::builder().proxy(format!("http://127.0.0.1:{port}"));
    let error = send(builder, &gateway.url("https")).await.unwrap_err();
    assert_eq!((error.kind(), error.delivery()), (Kind::Proxy, Delivery::NotSent));
    assert_eq!(gateway.accepted(), 0);
}

/// Uses a proxy that intercepts TLS, or redirects the tunnel, and shows a certificate that is not the gateway's.
#[tokio::test]
async fn certificates_are_verified_behind_a_proxy_and_of_it() {
    let trusted = certificate("127.0.0.1", 2000..2200);
    let other = certificate("127.0.0.1", 2000..2200);
    for (gateways, proxys) in
        [(&other, None), (&trusted, Some(other.acceptor.clone())), (&other, Some(trusted.acceptor.clone()))]
    {
        let gateway = Gateway::start_tls(&[Whole, Say(OK), Hold], gateways.acceptor.clone()).await;
        let scheme = if proxys.is_some() { "https" } else { "http" };
        let proxy = Proxy::start(OPENED, proxys).await;
        let builder = Http::builder()
            .add_root_certificate(trusted.pem.clone())
            .proxy(format!("{scheme}://127.0.0.1:{}", proxy.port));
        let error = send(builder, &gateway.url("https")).await.unwrap_err();
        assert_eq!((error.kind(), error.delivery()), (Kind::Tls, Delivery::NotSent), "{scheme}");
        assert!(!proxy.heard().contains("c4n4ry"));
    }
}

/// Checks that no plain call goes through a proxy, which would read its key.
///
/// Holds: Plain HTTP does not go through a proxy.
#[tokio::test]
async fn plain_http_is_not_sent_through_a_proxy() {
    let gateway = Gateway::start(&[Whole, Say(OK)]).await;
    let proxy = Proxy::start(OK, None).await;
    let builder = Http::builder().proxy(format!("http://127.0.0.1:{}", proxy.port));
    let error = send(builder, &gateway.url("http")).await.unwrap_err();
    assert_eq!((error.kind(), error.delivery()), (Kind::PlainThroughProxy, Delivery::NotSent));
    assert_eq!((gateway.accepted(), proxy.heard().as_str()), (0, ""));
}

/// Checks that a failure within the tunnel is between the client and the gateway, as without a proxy.
#[tokio::test]
async fn a_connection_that_closes_within_the_tunnel_is_maybe_sent() {
    let Certificate { acceptor, pem } = certificate("127.0.0.1", 2000..2200);
    let gateway = Gateway::start_tls(&[Whole, Read(0)], acceptor).await;
    let proxy = Proxy::start(OPENED, None).await;
    let builder = Http::builder().add_root_certificate(pem).proxy(format!("http://127.0.0.1:{}", proxy.port));
    let error = send(builder, &gateway.url("https")).await.unwrap_err();
    assert_eq!((error.kind(), error.delivery()), (Kind::Closed, Delivery::MaybeSent));
}

/// Runs the test of the tunnel in a child process whose environment exempts all hosts from the proxy.
#[test]
fn no_variable_bypasses_a_proxy() {
    let mut child = Command::new(std::env::current_exe().unwrap());
    for name in ["NO_PROXY", "no_proxy"] {
        child.env(name, "*,127.0.0.1");
    }
    child.env("REQUEST_METHOD", "GET");
    let test = super::test("proxy::the_key_goes_through_a_tunnel_that_the_proxy_cannot_read");
    let child = child.args(["--exact", &test]).output().unwrap();
    let report = String::from_utf8(child.stdout).unwrap();
    assert!(child.status.success() && report.contains("1 passed"), "{report}");
}
