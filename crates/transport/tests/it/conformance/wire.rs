//! Results of an exchange for each way in which a gateway, a network or a URL can fail.

use std::error::Error;
use std::process::Command;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use perennial_transport::{Deadline, Delivery, Exchange, Kind, Time, TokioTime, TransportError};
use tokio::net::{TcpListener, TcpSocket};

use super::Http;
use crate::socket::Step::{self, Drip, Forever, Hold, Read, Request as Whole, Reset, Say, Stall};
use crate::socket::{Certificate, Gateway, certificate};

/// A time far longer than any answer takes.
const DEADLINE: Duration = Duration::from_secs(30);

const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

fn small() -> Http {
    Http::builder().response_limit(4096).build().unwrap()
}

fn post(url: &str) -> Request<Bytes> {
    Request::post(url).header("api-key", "secret").body(r#"{"first-name":"Ada"}"#.into()).unwrap()
}

async fn send(exchange: &Http, url: &str) -> Result<Response<Bytes>, TransportError> {
    exchange.exchange(post(url), Deadline::after(TokioTime.now(), DEADLINE)).await
}

async fn failure(exchange: &Http, url: &str) -> (Kind, Delivery) {
    let error = send(exchange, url).await.expect_err(url);
    assert!(!format!("{error:?} {error}").contains("rest/v2"), "{error:?} shows the URL");
    (error.kind(), error.delivery())
}

#[tokio::test]
async fn whole_answers() {
    for (script, status, body) in [
        (&[Whole, Say(OK)][..], 200, "ok"),
        (&[Whole, Say("HTTP/1.1 204 No Content\r\n\r\n")], 204, ""),
        (&[Whole, Say("HTTP/1.1 402 Payment Required\r\ncontent-length: 0\r\n\r\n")], 402, ""),
        (&[Whole, Say("HTTP/1.1 500 Oops\r\n\r\nuntil the end")], 500, "until the end"),
        (
            &[Whole, Say("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")],
            200,
            "ok",
        ),
        (
            &[Whole, Say("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\nraw")],
            200,
            "raw",
        ),
        (&[Whole, Say("HTTP/1.1 100 Continue\r\n\r\n"), Say(OK)], 200, "ok"),
    ] {
        let gateway = Gateway::start(script).await;
        let answer = send(&small(), &gateway.url("http")).await.unwrap();
        assert_eq!((answer.status().as_u16(), &answer.body()[..]), (status, body.as_bytes()), "{script:?}");
        assert_eq!(gateway.accepted(), 1, "{script:?}");
    }
}

/// Holds: A response that stalls, trickles or does not end is given up at the deadline or at the size limit.
#[tokio::test]
#[rustfmt::skip]
async fn answers_that_never_come_whole() {
    use {Delivery::{Answered, MaybeSent}, Kind::{Closed, Protocol, TooLarge, Truncated}};
    for (script, kind, delivery) in [
        (&[Read(0)][..],                                                                        Closed,    MaybeSent),
        (&[Reset],                                                                              Closed,    MaybeSent),
        (&[Whole, Read(0)],                                                                     Closed,    MaybeSent),
        (&[Whole, Reset],                                                                       Closed,    MaybeSent),
        (&[Whole, Say("HTTP/1.1 200 OK\r\ncontent-le")],                                        Closed,    MaybeSent),
        (&[Whole, Say("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort")],                    Truncated, MaybeSent),
        (&[Whole, Say("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort"), Reset],             Truncated, MaybeSent),
        (&[Whole, Say(CHUNKED), Say("5\r\nshort\r\n")],                                         Truncated, MaybeSent),
        (&[Whole, Say(CHUNKED), Say("5\r\nsho")],                                               Truncated, MaybeSent),
        (&[Whole, Say(CHUNKED), Say("five\r\nshort\r\n0\r\n\r\n")],                             Truncated, MaybeSent),
        (&[Whole, Say("HTTP/1.1 200 OK\r\ncontent-length: 4097\r\n\r\n"), Hold],               TooLarge,  Answered),
        (&[Whole, Say("HTTP/1.1 200 OK\r\ncontent-length: 10737418240\r\n\r\n"), Hold], TooLarge, Answered),
        (&[Whole, Say(CHUNKED), Forever("4\r\nmore\r\n")],                                      TooLarge,  Answered),
        (&[Whole, Say("HTTP/1.1 200 OK\r\n\r\n"), Forever("more")],                             TooLarge,  Answered),
        (&[Whole, Say("hello\r\n\r\n"), Hold],                                                 Protocol,  Answered),
        (&[Whole, Say("SSH-2.0-OpenSSH_9.2\r\n\r\n"), Hold],                                   Protocol,  Answered),
        (&[Whole, Say("HTTP/1.1 099 Odd\r\n\r\n"), Hold],                                      Protocol,  Answered),
        (&[Whole, Say("HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nok"), Hold], Protocol, Answered),
        (&[Whole, Say("HTTP/1.1 200 OK\r\n"), Forever("x-more: and more of the same\r\n")],     Protocol,  Answered),
    ] {
        let gateway = Gateway::start(script).await;
        assert_eq!(failure(&small(), &gateway.url("http")).await, (kind, delivery), "{script:?}");
        assert_eq!(gateway.accepted(), 1, "{script:?}");
    }
}

#[tokio::test]
async fn answers_that_take_too_long_end_at_the_deadline() {
    for script in [
        &[Read(1), Stall][..],
        &[Whole, Stall],
        &[Whole, Say("HTTP/1.1 200 OK\r\nx-slow: "), Drip("y")],
        &[Whole, Say(CHUNKED), Drip("1\r\nx\r\n")],
        &[Whole, Say(CHUNKED), Say("5\r\nshort\r\n"), Stall],
        &[Whole, Say("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nshort"), Stall],
    ] {
        let gateway = Gateway::start(script).await;
        let deadline = Deadline::after(TokioTime.now(), DEADLINE);
        let error = small().exchange(post(&gateway.url("http")), deadline).await.unwrap_err();
        let late = TokioTime.now().duration_since(deadline.instant());
        assert_eq!((error.kind(), error.delivery()), (Kind::Timeout, Delivery::MaybeSent), "{script:?}");
        assert!(late <= Duration::from_millis(50), "{script:?} ended {late:?} late");
        assert_eq!(gateway.accepted(), 1, "{script:?}");
        tokio::time::resume();
    }
}

/// Checks that an existing connection may have carried a byte, and that no fresh one replaces it.
///
/// Holds: A reset after the first byte counts as maybe sent.
#[tokio::test]
async fn a_reset_at_any_byte_is_maybe_sent() {
    const RESETS: [&[Step]; 8] = [
        &[Read(0), Reset],
        &[Read(1), Reset],
        &[Read(4), Reset],
        &[Read(30), Reset],
        &[Read(60), Reset],
        &[Read(90), Reset],
        &[Read(120), Reset],
        &[Whole, Reset],
    ];
    for script in RESETS {
        let gateway = Gateway::start(script).await;
        let failed = failure(&small(), &gateway.url("http")).await;
        assert_eq!(failed, (Kind::Closed, Delivery::MaybeSent), "{script:?}");
        assert_eq!(gateway.accepted(), 1, "{script:?}");
    }
}

/// Checks that a kept connection is not replaced after a request was written to it.
#[tokio::test]
async fn a_reset_of_a_kept_connection_is_maybe_sent() {
    let gateway = Gateway::start(&[Whole, Say(OK), Whole, Reset]).await;
    let exchange = small();
    assert_eq!(send(&exchange, &gateway.url("http")).await.unwrap().body(), "ok");
    assert_eq!(failure(&exchange, &gateway.url("http")).await, (Kind::Closed, Delivery::MaybeSent));
    assert_eq!(gateway.accepted(), 1);
}

/// Holds: A failed connection counts as not sent.
#[tokio::test]
async fn no_connection_is_not_sent() {
    // Bound but not listening, so that no other test gets this port in the meantime.
    let bound = TcpSocket::new_v4().unwrap();
    bound.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = bound.local_addr().unwrap().port();
    for scheme in ["http", "https"] {
        let url = format!("{scheme}://127.0.0.1:{port}/rest/v2/customers");
        assert_eq!(failure(&small(), &url).await, (Kind::Connect, Delivery::NotSent), "{url}");
    }
}

/// A label of a name has at most 63 letters, so that no resolver asks for this one.
#[tokio::test]
async fn a_name_without_an_address_is_not_sent() {
    let url = format!("https://{}.example/rest/v2/customers", "a".repeat(64));
    assert_eq!(failure(&small(), &url).await, (Kind::Resolve, Delivery::NotSent));
}

#[tokio::test]
async fn a_passed_deadline_sends_nothing() {
    let gateway = Gateway::start(&[Whole, Say(OK)]).await;
    let now = TokioTime.now();
    let error =
        small().exchange(post(&gateway.url("http")), Deadline::after(now, Duration::ZERO)).await.unwrap_err();
    assert_eq!((error.kind(), error.delivery()), (Kind::Timeout, Delivery::NotSent));
    assert_eq!(gateway.accepted(), 0);
}

/// Holds: A refused URL opens no connection.
#[tokio::test]
async fn refused_urls_connect_to_nothing() {
    let gateway = Gateway::start(&[Whole, Say(OK)]).await;
    let port = gateway.url("http").split(':').nth(2).unwrap().split('/').next().unwrap().to_owned();
    for url in [
        format!("http://localhost:{port}/"),
        format!("http://0.0.0.0:{port}/"),
        format!("http://127.1:{port}/"),
        format!("http://key@127.0.0.1:{port}/"),
        format!("http://127.0.0.1:{port}/rest/v2/customers/../tokens"),
        format!("http://127.0.0.1:{port}/rest/v2/customers/%2e%2e/tokens"),
        format!("http://127.0.0.1:{port}/rest/v2/customers/."),
        format!("ws://127.0.0.1:{port}/"),
    ] {
        assert_eq!(failure(&small(), &url).await, (Kind::RefusedUrl, Delivery::NotSent), "{url}");
    }
    assert_eq!(gateway.accepted(), 0);
}

/// Holds: A redirect is a response and is not followed.
#[tokio::test]
async fn redirects_are_answers() {
    let sink = Gateway::start(&[Whole, Say(OK)]).await;
    for status in [301, 302, 303, 307, 308] {
        for target in
            [sink.url("http"), sink.url("https"), sink.url("http").replace("http:", ""), "/other".into()]
        {
            let head = format!("HTTP/1.1 {status} Moved\r\nlocation: {target}\r\ncontent-length: 0\r\n\r\n");
            let script = Box::leak(Box::new([Whole, Say(head.leak())]));
            let gateway = Gateway::start(script).await;
            let answer = send(&small(), &gateway.url("http")).await.unwrap();
            assert_eq!(answer.status(), status, "{target}");
            assert_eq!(gateway.accepted(), 1, "{status} {target}");
        }
    }
    assert_eq!(sink.accepted(), 0);
}

/// Checks the whole request, byte for byte: only the host, the agent and the length are added.
#[tokio::test]
async fn the_request_carries_nothing_more() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let exchange = small();
    let url = format!("http://{address}/rest/v2/tokens?page=1");
    let call = exchange.exchange(post(&url), Deadline::after(TokioTime.now(), DEADLINE));
    let gateway = async {
        let (stream, _) = listener.accept().await.unwrap();
        let mut seen = Vec::new();
        while !seen.ends_with(br#"{"first-name":"Ada"}"#) {
            stream.readable().await.unwrap();
            let mut buffer = [0; 1024];
            if let Ok(read) = stream.try_read(&mut buffer) {
                seen.extend_from_slice(&buffer[..read]);
            }
        }
        seen
    };
    let (_, seen) = tokio::join!(call, gateway);
    let agent = concat!("perennial/", env!("CARGO_PKG_VERSION"));
    assert_eq!(
        String::from_utf8(seen).unwrap(),
        format!(
            "POST /rest/v2/tokens?page=1 HTTP/1.1\r\napi-key: secret\r\naccept: */*\r\nuser-agent: {agent}\r\n\
             host: {address}\r\ncontent-length: 20\r\n\r\n{{\"first-name\":\"Ada\"}}"
        )
    );
}

/// Runs in a separate child process: all tests of a process share its environment.
///
/// Holds: A proxy of the environment is not used.
#[test]
fn proxies_of_the_environment_are_not_used() {
    let sink = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    sink.set_nonblocking(true).unwrap();
    let proxy = format!("http://{}", sink.local_addr().unwrap());
    let mut child = Command::new(std::env::current_exe().unwrap());
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        child.env(name, &proxy);
    }
    child.env_remove("NO_PROXY").env_remove("no_proxy").env_remove("REQUEST_METHOD");
    let child = child.args(["--exact", &super::test("wire::a_direct_call_is_answered")]).output().unwrap();
    let report = String::from_utf8(child.stdout).unwrap();
    assert!(child.status.success() && report.contains("1 passed"), "{report}");
    assert_eq!(sink.accept().map_err(|error| error.kind()).unwrap_err(), std::io::ErrorKind::WouldBlock);
}

/// Runs also from `proxies_of_the_environment_are_not_used`, with a proxy in its environment.
#[tokio::test]
async fn a_direct_call_is_answered() {
    let gateway = Gateway::start(&[Whole, Say(OK)]).await;
    assert_eq!(send(&small(), &gateway.url("http")).await.unwrap().status(), 200);
}

/// Holds: A request goes only to a server with a trusted certificate.
#[tokio::test]
async fn only_trusted_certificates_are_spoken_to() {
    for (name, years, trusted, spoken_to) in [
        ("127.0.0.1", 2000..2200, true, true),
        ("127.0.0.1", 2000..2200, false, false),
        ("other.example", 2000..2200, true, false),
        ("127.0.0.1", 2000..2001, true, false),
        ("127.0.0.1", 2199..2200, true, false),
    ] {
        let Certificate { acceptor, pem } = certificate(name, years.clone());
        let gateway = Gateway::start_tls(&[Whole, Say(OK), Hold], acceptor).await;
        let mut builder = Http::builder();
        if trusted {
            builder = builder.add_root_certificate(pem);
        }
        let result = send(&builder.build().unwrap(), &gateway.url("https")).await;
        let seen = result.as_ref().map(Response::body).map_err(|error| (error.kind(), error.delivery()));
        let expected = if spoken_to { Ok(&Bytes::from("ok")) } else { Err((Kind::Tls, Delivery::NotSent)) };
        assert_eq!(seen, expected, "{name} {years:?} trusted: {trusted}");
    }
}

#[tokio::test]
async fn handshakes_that_fail_send_nothing() {
    for (script, kind) in [
        (&[Read(1)][..], Kind::Connect),
        (&[Read(1), Reset], Kind::Connect),
        (&[Read(1), Say("HTTP/1.1 400 Bad Request\r\n\r\n"), Hold], Kind::Tls),
    ] {
        let gateway = Gateway::start(script).await;
        assert_eq!(failure(&small(), &gateway.url("https")).await, (kind, Delivery::NotSent), "{script:?}");
    }
}

#[tokio::test]
async fn the_connect_timeout_bounds_the_handshake() {
    let gateway = Gateway::start(&[Read(1), Stall]).await;
    let started = TokioTime.now();
    assert_eq!(failure(&small(), &gateway.url("https")).await, (Kind::Connect, Delivery::NotSent));
    assert!(TokioTime.now() - started < Duration::from_secs(4));
}

/// Checks that a body that ends with the connection is whole only if TLS reports a proper close.
#[tokio::test]
async fn a_cut_tls_connection_is_no_end_of_body() {
    let Certificate { acceptor, pem } = certificate("127.0.0.1", 2000..2200);
    let gateway = Gateway::start_tls(&[Whole, Say("HTTP/1.1 200 OK\r\n\r\nhalf"), Read(0)], acceptor).await;
    let exchange = Http::builder().add_root_certificate(pem).build().unwrap();
    assert_eq!(failure(&exchange, &gateway.url("https")).await, (Kind::Truncated, Delivery::MaybeSent));
}

#[tokio::test]
async fn the_cause_is_kept() {
    let Certificate { acceptor, .. } = certificate("127.0.0.1", 2000..2200);
    let gateway = Gateway::start_tls(&[Whole, Say(OK)], acceptor).await;
    let error = send(&small(), &gateway.url("https")).await.unwrap_err();
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    assert!(causes.iter().any(|cause| cause.contains("UnknownIssuer")), "{causes:?}");
}
