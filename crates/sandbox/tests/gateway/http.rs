//! HTTP itself: methods, hosts, sizes, connections, TLS and the control interface's own errors.

use perennial_sandbox::{Sandbox, StartError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::Client;

#[tokio::test]
async fn methods_and_paths() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    client.customer().await;
    #[rustfmt::skip]
    let cases = [
        ("PATCH", "/rest/v2/customers", 405, "POST, GET, HEAD, OPTIONS"),
        ("DELETE", "/rest/v2/customers", 405, "POST, GET, HEAD, OPTIONS"),
        ("POST", "/rest/v2/customers/cust_1", 405, "GET, PUT, DELETE, HEAD, OPTIONS"),
        ("POST", "/rest/v2/payments", 405, "GET, HEAD, OPTIONS"),
        ("DELETE", "/rest/v2/transactions/sale", 405, "POST, OPTIONS"),
        ("OPTIONS", "/rest/v2/customers", 204, "POST, GET, HEAD, OPTIONS"),
        ("OPTIONS", "/rest/v2/nothing", 404, ""),
        ("GET", "/rest/v2/transactions/sale", 405, "POST, OPTIONS"),
        ("HEAD", "/rest/v2/customers", 200, ""),
        ("GET", "//rest/v2/customers", 200, ""),
        ("GET", "/rest//v2/customers//", 200, ""),
        ("GET", "/rest/v2/customers/?page=1", 200, ""),
        ("GET", "/rest/v2/receipts", 404, ""),
        ("POST", "/rest/v2/batches/open", 405, "GET, PUT, HEAD, OPTIONS"),
        ("GET", "/rest/v1/customers", 404, ""),
        ("GET", "/", 404, ""),
        ("GET", "/favicon.ico", 404, ""),
        ("GET", "/_sandbox/health", 200, ""),
        ("GET", "/_sandbox/faults", 200, ""),
        ("DELETE", "/_sandbox/clock", 405, "GET, HEAD, POST"),
        ("POST", "/_sandbox/health", 405, "GET, HEAD"),
        ("GET", "/_sandbox/restore", 405, "POST"),
        ("PATCH", "/_sandbox/faults", 405, "GET, HEAD, POST, DELETE"),
        ("GET", "/_sandbox/faults/fault-1", 405, "DELETE"),
        ("POST", "/_sandbox/webhook", 405, "GET, HEAD, PUT, DELETE"),
        ("GET", "/_sandbox", 404, ""),
        ("GET", "/_sandbox/requests?limit=0", 400, ""),
    ];
    for (method, path, status, allow) in cases {
        let got = client.json(method, path, "").await;
        let allowed = got.headers.get("allow").map(|value| value.to_str().unwrap()).unwrap_or_default();
        assert_eq!((got.status, allowed), (status, allow), "{method} {path}: {}", got.body);
        assert!(method != "HEAD" || got.body.is_empty());
        assert_eq!(got.headers["cache-control"], "no-store");
    }
    let health = client.control("GET", "health", "").await;
    assert_eq!(health.body, format!(r#"{{"status":"ok","version":"{}"}}"#, env!("CARGO_PKG_VERSION")));
    let keyless = client.send("GET", "/_sandbox/state", &[], "").await;
    assert_eq!(
        (keyless.status, keyless.body.as_str()),
        (
            401,
            r#"{"error":"the api-key header must hold a key that opens a world, or accessId an access id that is live"}"#
        )
    );
}

#[tokio::test]
async fn hosts_and_origins() {
    let sandbox = Sandbox::builder().host("gateway-sb.clearent.net").start().await.unwrap();
    let client = Client::of(&sandbox);
    let port = sandbox.address().port();
    let own = format!("http://127.0.0.1:{port}");
    let cases = [
        ("127.0.0.1", None, 200),
        ("localhost:9", None, 200),
        ("gateway-sb.clearent.net", None, 200),
        ("evil.example", None, 421),
        ("evil.example:80", None, 421),
        (&own[7..], Some(own.as_str()), 200),
        (&own[7..], Some("http://evil.example"), 403),
        (&own[7..], Some("http://127.0.0.1:1"), 403),
        (&own[7..], Some("null"), 403),
    ];
    for (host, origin, status) in cases {
        for path in ["/rest/v2/customers", "/_sandbox/clock"] {
            let mut headers = vec![("api-key", client.key.as_str()), ("host", host)];
            headers.extend(origin.map(|origin| ("origin", origin)));
            let got = client.send("GET", path, &headers, "").await;
            assert_eq!(got.status, status, "{host} {origin:?} {path}");
            let member = if path.starts_with("/_") { "/error" } else { "/payload/error/error-message" };
            assert_eq!(got.at(member).is_empty(), status == 200, "{path}: {}", got.body);
            assert!(got.headers.get("access-control-allow-origin").is_none());
        }
    }
    let headers = [("api-key", client.key.as_str()), ("host", "gateway-sb.clearent.net")];
    let got =
        client.send("POST", "/rest/v2/customers", &headers, r#"{"first-name":"A","last-name":"B"}"#).await;
    assert!(
        got.at("/links/0/href").starts_with("http://gateway-sb.clearent.net/rest/v2/customers/cust_"),
        "{}",
        got.body
    );
}

#[tokio::test]
async fn header_names_are_spelled_as_live_clients_look_them_up() {
    let sandbox = Sandbox::start().await.unwrap();
    let mut stream = TcpStream::connect(sandbox.address()).await.unwrap();
    let request = b"GET /rest/v2/customers HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains("\r\nContent-Type: application/json\r\n"), "{answer}");
}

#[tokio::test]
async fn bodies_have_a_limit() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let sized = |size: usize| {
        format!(r#"{{"first-name":"Ada","last-name":"Byron","unknown":"{}"}}"#, "x".repeat(size - 54))
    };
    for (size, status) in [(60 * 1024, 201), (257 * 1024, 413), (2 * 1024 * 1024, 413)] {
        let mut stream = TcpStream::connect(sandbox.address()).await.unwrap();
        let body = sized(size);
        let head = format!(
            "POST /rest/v2/customers HTTP/1.1\r\nHost: localhost\r\napi-key: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            client.key,
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        // A server that refuses may stop reading before everything is written.
        let _ = stream.write_all(body.as_bytes()).await;
        let mut start = [0; 12];
        stream.read_exact(&mut start).await.unwrap();
        assert_eq!(std::str::from_utf8(&start).unwrap(), format!("HTTP/1.1 {status}"), "{size} bytes");
    }
}

#[tokio::test]
async fn a_body_too_large_is_refused_before_it_is_sent_and_in_the_words_of_its_tree() {
    let sandbox = Sandbox::start().await.unwrap();
    let cases = [
        ("/_sandbox/clock", r#"{"error":"The request body must have at most 256 KiB"}"#),
        ("//%5Fsandbox/clock", r#"{"error":"The request body must have at most 256 KiB"}"#),
        (
            "/rest/v2/customers",
            r#""error-message":"The request body must have at most 256 KiB","result-code":"041""#,
        ),
    ];
    for (path, says) in cases {
        let mut stream = TcpStream::connect(sandbox.address()).await.unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 300000\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains(says), "{path}: {answer}");
    }
}

#[tokio::test]
async fn a_stop_finishes_and_refuses() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let world = sandbox.world(1).await.unwrap();
    client.customer().await;
    let address = sandbox.address();
    sandbox.stop().await;
    assert!(TcpStream::connect(address).await.is_err());
    assert_eq!(world.advance("P1D").await.unwrap_err().to_string(), "the sandbox is stopped");
}

#[tokio::test]
async fn starts_that_fail() {
    let first = Sandbox::start().await.unwrap();
    let taken = Sandbox::builder().listen(first.address()).start().await.unwrap_err();
    assert!(matches!(taken, StartError::Listen(_)));
    let everywhere = Sandbox::builder().listen("0.0.0.0:0".parse().unwrap()).start().await.unwrap_err();
    assert!(matches!(everywhere, StartError::NotLoopback));
    for host in ["", "a b", "gateway.example:443", "http://gateway.example", "gateway.example/"] {
        let refused = Sandbox::builder().host(host).start().await.unwrap_err();
        assert!(matches!(refused, StartError::Host), "{host}");
    }
    let no_pem = Sandbox::builder().tls("no certificate", "no key").start().await.unwrap_err();
    assert!(matches!(no_pem, StartError::PrivateKey | StartError::Certificate));
}

#[tokio::test]
async fn tls() {
    use std::sync::Arc;
    use tokio_rustls::rustls;

    let generated = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let sandbox = Sandbox::builder()
        .tls(generated.cert.pem(), generated.signing_key.serialize_pem())
        .start()
        .await
        .unwrap();
    assert!(sandbox.base_url().starts_with("https://127.0.0.1:"));
    let mut roots = rustls::RootCertStore::empty();
    roots.add(generated.cert.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(sandbox.address()).await.unwrap();
    let name = "localhost".try_into().unwrap();
    let mut stream = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
    let body = r#"{"first-name":"Ada","last-name":"Byron"}"#;
    let request = format!(
        "POST /rest/v2/customers HTTP/1.1\r\nHost: localhost\r\napi-key: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        sandbox.api_key().expose(),
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    // Only the response matters, not how the connection is closed.
    let _ = stream.read_to_string(&mut answer).await;
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert!(answer.contains("https://localhost/rest/v2/customers/cust_"), "{answer}");
}
