//! The listener: allowed clients, limits on size and time, and a stop that lets answers finish.

use std::error::Error as _;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, DATE, HOST,
    HeaderName, HeaderValue, LOCATION, ORIGIN, REFERRER_POLICY, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use percent_encoding::percent_decode_str;
use perennial_domain::encoding;
use perennial_wire::Format;
use perennial_wire::clientpay::Operation;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use zeroize::{Zeroize, Zeroizing};

use crate::call;
use crate::clearent::{self, Formats, refusal, worldless};
use crate::connections::{Connections, Open};
use crate::fault::{Effect, Hit};
use crate::faulty_body::FaultyBody;
use crate::gateway::Gateway;
use crate::requests::{Entry, Exchange};
use crate::store::StoreError;
use crate::{clientpay, console, control, mask, payment_page};

/// The maximum size of a body: about a hundred times the largest request of the API.
const LARGEST_BODY: usize = 256 * 1024;
/// The maximum size of a form: about ten times one with a hundred invoices. A page looks up and shows its lines while
/// it holds the database.
const LARGEST_FORM: usize = 64 * 1024;
/// The time limit for a client to send its body or to shake hands.
const PATIENCE: Duration = Duration::from_secs(5);
/// The time limit for an idle connection and its next headers together, which hyper does not distinguish: longer than
/// a client's pause between two calls, because a connection that closes as a call begins leaves the outcome unknown.
const IDLE: Duration = Duration::from_secs(30);
/// The time that a stop waits for pending answers.
const GRACE: Duration = Duration::from_secs(5);
/// The maximum number of open connections.
pub(crate) const CONNECTIONS: u32 = 1_024;

/// Serves until the stop signal, and then until the pending answers are sent.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    gateway: Arc<Gateway>,
    connections: Arc<Connections>,
    mut stop: watch::Receiver<bool>,
) {
    let scheme = if tls.is_some() { "https" } else { "http" };
    loop {
        let accepted = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            error = gateway.store.ended() => {
                // `Sandbox::failed` reports the error; the log has its cause.
                tracing::info!(%error, cause = error.source().map(tracing::field::display), "the sandbox stops");
                break;
            }
            accepted = accept(&listener, &connections) => accepted,
        };
        let (stream, peer, open) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, say.
                connections.close_longest_idle();
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            }
        };
        let (gateway, tls, stop) = (gateway.clone(), tls.clone(), stop.clone());
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let (gateway, busy) = (gateway.clone(), open.call());
                async move {
                    caught(gateway, scheme, peer, request)
                        .await
                        .map(|answer| answer.map(|body| body.of(busy)))
                }
            });
            let ended = match tls {
                None => run(&open, stream, service, stop).await,
                Some(tls) => {
                    let shaken = tokio::time::timeout(PATIENCE, tls.accept(stream));
                    match open.run(shaken).await {
                        Some(Ok(Ok(stream))) => run(&open, stream, service, stop).await,
                        Some(Ok(Err(_)) | Err(_)) | None => None,
                    }
                }
            };
            if !matches!(ended, Some(Ok(()))) {
                tracing::debug!("a connection ended early");
            }
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(GRACE, connections.closed()).await;
    gateway.finish_late().await;
}

async fn accept(
    listener: &TcpListener,
    connections: &Arc<Connections>,
) -> io::Result<(tokio::net::TcpStream, SocketAddr, Open)> {
    let (stream, peer) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok((stream, peer, connections.admit().await?))
}

/// Serves a connection until it ends or is asked to close. Then its read buffers are wiped, because they may hold a
/// card.
async fn run<I, S>(
    open: &Open,
    stream: I,
    service: S,
    mut stop: watch::Receiver<bool>,
) -> Option<hyper::Result<()>>
where
    I: AsyncRead + AsyncWrite + Unpin,
    S: hyper::service::HttpService<Incoming, ResBody = FaultyBody> + Unpin,
    S::Error: std::error::Error + Send + Sync,
{
    let mut connection = connection(open.watch(stream), service);
    let ended = open.run(async {
        tokio::select! {
            ended = &mut connection => return ended,
            _ = stop.wait_for(|stop| *stop) => {}
        }
        Pin::new(&mut connection).graceful_shutdown();
        (&mut connection).await
    });
    let ended = ended.await;
    wipe(connection.into_parts().read_buf);
    ended
}

/// Wipes a buffer that hyper has read into, unless it is shared.
fn wipe(read: Bytes) {
    let Ok(mut read) = read.try_into_mut() else { return };
    read.clear();
    // What was consumed is before the buffer's start, and is reclaimed if that size is requested.
    let sizes = (1..=LARGEST_BODY / 1024).rev().map(|size| size * 1024);
    for size in sizes {
        if read.try_reclaim(size) {
            break;
        }
    }
    read.resize(read.capacity(), 0);
    read.as_mut().zeroize();
}

fn connection<I, S>(stream: I, service: S) -> http1::Connection<TokioIo<I>, S>
where
    I: AsyncRead + AsyncWrite + Unpin,
    S: hyper::service::HttpService<Incoming, ResBody = FaultyBody>,
    S::Error: std::error::Error + Send + Sync,
{
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .max_headers(64)
        // HTTP does not care, but live clients look up `Content-Type` by this spelling.
        .title_case_headers(true)
        .serve_connection(TokioIo::new(stream), service)
}

type ServerResponse = Response<FaultyBody>;

/// The reason why a request has no answer of its tree.
enum Unanswered {
    Dropped,
    Store(StoreError),
}

impl From<StoreError> for Unanswered {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The connection was closed by a fault instead of an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is closed on purpose")]
struct Dropped;

/// The tree of a path. A path outside of all trees is answered as the vendor would.
#[derive(Clone, Copy)]
enum Tree {
    Control,
    /// The Clearent tree, with the format of answers.
    Clearent(Format),
    ClientPay,
    /// The payment pages.
    Pages,
}

impl Tree {
    fn of<B>(request: &Request<B>) -> Self {
        match segments(request.uri().path()).first() {
            Some(first) if first == "_sandbox" => Self::Control,
            Some(first) if first == "app" => Self::Pages,
            _ if Operation::has_root(request.uri().path()) => Self::ClientPay,
            _ => Self::Clearent(Formats::of(request.headers(), b"").answer),
        }
    }
}

/// Answers in a separate task, so that a panic is one failed answer, and a started change is finished even
/// if its client has disconnected.
async fn caught(
    gateway: Arc<Gateway>,
    scheme: &'static str,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> Result<ServerResponse, Dropped> {
    let tree = Tree::of(&request);
    let ours = gateway.clone();
    let failed = match tokio::spawn(async move { answer(&ours, scheme, peer, tree, request).await }).await {
        Ok(Ok(answered)) => return Ok(answered),
        Ok(Err(Unanswered::Dropped)) => return Err(Dropped),
        Ok(Err(Unanswered::Store(error @ (StoreError::Statement(_) | StoreError::Panicked)))) => {
            tracing::error!(%error, cause = error.source().map(tracing::field::display), "a request failed");
            failed(&gateway, StatusCode::INTERNAL_SERVER_ERROR, "050", "Internal Error", tree)
        }
        Ok(Err(_)) => failed(
            &gateway,
            StatusCode::SERVICE_UNAVAILABLE,
            "050",
            "The sandbox stops or cannot use its database: look before you send this again",
            tree,
        ),
        Err(_) => {
            tracing::error!("a request met a defect of the sandbox");
            failed(&gateway, StatusCode::INTERNAL_SERVER_ERROR, "050", "Internal Error", tree)
        }
    };
    Ok(failed)
}

async fn answer(
    gateway: &Arc<Gateway>,
    scheme: &str,
    peer: SocketAddr,
    tree: Tree,
    request: Request<Incoming>,
) -> Result<ServerResponse, Unanswered> {
    let started = Instant::now();
    // Wiped after all that refers to it is dropped.
    let mut frames = Frames::default();
    let (head, body) = request.into_parts();
    let fail = |status, code, message| Ok(failed(gateway, status, code, message, tree));

    let Some(host) = host(&head.headers, &gateway.hosts) else {
        return fail(
            StatusCode::MISDIRECTED_REQUEST,
            "041",
            "The Host header must be a loopback name, or a name that was given with --host",
        );
    };
    let site = format!("{scheme}://{host}");
    // A browser says where a page comes from; no page of another site has business here.
    if head.headers.get_all(ORIGIN).iter().any(|origin| origin.as_bytes() != site.as_bytes()) {
        return fail(StatusCode::FORBIDDEN, "041", "Requests of pages from elsewhere are refused");
    }
    let body = match tokio::time::timeout(PATIENCE, read(body, &mut frames)).await {
        Ok(Ok(body)) => body,
        Ok(Err(BodyError::TooLarge)) => {
            return fail(StatusCode::PAYLOAD_TOO_LARGE, "041", "The request body must have at most 256 KiB");
        }
        Ok(Err(BodyError::Broken)) => {
            return fail(StatusCode::BAD_REQUEST, "041", "The request body broke off");
        }
        Err(_) => return fail(StatusCode::REQUEST_TIMEOUT, "041", "The request body took too long"),
    };
    let is_form = matches!(segments(head.uri.path()).first().map(String::as_str), Some("app" | "console"));
    if is_form && body.len() > LARGEST_FORM {
        return fail(StatusCode::PAYLOAD_TOO_LARGE, "041", "A form must have at most 64 KiB");
    }
    if !body.is_empty() && is_encoded(&head.headers) {
        return fail(StatusCode::UNSUPPORTED_MEDIA_TYPE, "041", "The request body must not be compressed");
    }
    let decoded: Vec<String> = segments(head.uri.path());
    let segments: Vec<&str> = decoded.iter().map(String::as_str).collect();
    let query = head.uri.query().unwrap_or_default();

    if let ["_sandbox", call @ ..] = segments.as_slice() {
        if !peer.ip().is_loopback() {
            return Ok(json_answer(control::refused(
                StatusCode::FORBIDDEN,
                "only this machine may call here",
            )));
        }
        if let Some(large) = control::large(gateway, &head.method, call, query, &head.headers).await? {
            return Ok(large.map_or_else(json_answer, |text| envelope(StatusCode::OK, text, Format::Json)));
        }
        let answered = control::answer(gateway, &head.method, call, query, &head.headers, &body).await?;
        let mut response = json_answer(answered);
        if response.status() == StatusCode::METHOD_NOT_ALLOWED
            && let Some(methods) = control::methods(call)
        {
            set(&mut response, ALLOW, methods);
        }
        return Ok(response);
    }
    let form = body.strip_prefix(encoding::MARK).unwrap_or(&body);
    if let ["console", page @ ..] = segments.as_slice() {
        if !peer.ip().is_loopback() {
            return Ok(plain(StatusCode::FORBIDDEN));
        }
        let request = console::ConsoleRequest { method: &head.method, segments: page, query, body: form };
        return Ok(console_response(console::answer(gateway, request).await?));
    }
    if let ["app", page @ ..] = segments.as_slice() {
        let request =
            payment_page::BrowserRequest { method: &head.method, segments: page, body: form, site: &site };
        let answered = payment_page::answer(gateway, request).await?;
        let (exchange, hit) = (answered.exchange, answered.hit);
        let mut whole = page_response(answered.response);
        if head.method == Method::POST {
            // So that what the connection has read is wiped at once.
            set(&mut whole, CONNECTION, "close");
        }
        let seen = |page: &[u8]| [mask::form(&body), format!("(a page of {} bytes)", page.len())];
        return deliver(gateway, &head, started, whole, exchange, hit, seen).await;
    }
    let formats = match tree {
        Tree::ClientPay => Formats::JSON,
        _ => Formats::of(&head.headers, &body),
    };
    let answered = called(gateway, tree, &head, &segments, &body, site, formats).await?;
    let call::CallResponse { status, body: answer, allow, exchange, hit } = answered;
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut whole = envelope(status, answer, formats.answer);
    if let Some(allow) = allow {
        set(&mut whole, ALLOW, &allow);
    }
    if let Some((_, exchange)) = &exchange {
        set(&mut whole, DATE, &exchange.time.http_date());
    }
    let seen = |answer: &[u8]| [mask::body(formats.request, &body), mask::body(formats.answer, answer)];
    deliver(gateway, &head, started, whole, exchange, hit, seen).await
}

/// Sends an answer, changed by the fault that hit its call, and logs the call in its world.
async fn deliver(
    gateway: &Gateway,
    head: &Parts,
    started: Instant,
    answer: ServerResponse,
    exchange: Option<(i64, Exchange)>,
    hit: Option<Hit>,
    seen: impl FnOnce(&[u8]) -> [String; 2],
) -> Result<ServerResponse, Unanswered> {
    let effect = hit.as_ref().map(|hit| &hit.effect);
    if let Some(Effect::Delay { delay }) = effect {
        gateway.pause(*delay).await;
    }
    let sent = sent(answer, effect);
    if let Some((world, exchange)) = exchange {
        let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let status = sent.as_ref().map(|sent| sent.status().as_u16());
        tracing::info!(operation = exchange.operation, status, milliseconds, "answered");
        let path = head.uri.path_and_query().map_or("", http::uri::PathAndQuery::as_str);
        let [request, response] = seen(sent.as_ref().map_or(&[], |sent| sent.body().seen()));
        let entry = Entry {
            exchange,
            method: head.method.to_string(),
            path: mask::path(path),
            status,
            fault: hit.map(|hit| hit.id),
            milliseconds,
            request,
            response: if sent.is_some() { response } else { String::new() },
        };
        gateway.requests.record(world, entry);
    }
    sent.ok_or(Unanswered::Dropped)
}

/// The answer of a vendor's tree.
async fn called(
    gateway: &Arc<Gateway>,
    tree: Tree,
    head: &Parts,
    segments: &[&str],
    body: &Zeroizing<Vec<u8>>,
    site: String,
    formats: Formats,
) -> Result<call::CallResponse, StoreError> {
    let (method, headers, query) = (&head.method, &head.headers, head.uri.query().unwrap_or_default());
    if let Tree::ClientPay = tree {
        let path = head.uri.path();
        let call = clientpay::ClientPayRequest { method, path, query, headers, body, site: &site };
        return clientpay::answer(gateway, call).await;
    }
    // An escaped slash is part of a segment.
    let segments = segments.iter().map(|segment| format!("/{}", segment.replace('/', "%2F")));
    let decoded_path = segments.collect::<String>();
    clearent::answer(
        gateway,
        clearent::ClearentRequest {
            method,
            path: head.uri.path(),
            decoded_path: &decoded_path,
            query,
            headers,
            formats,
            body,
            site,
        },
    )
    .await
}

/// The answer to a browser for the console.
fn console_response(answered: console::ConsoleResponse) -> ServerResponse {
    let (status, content_type, body, see) = match answered {
        console::ConsoleResponse::Page(status, page) => (status, "text/html; charset=utf-8", page, None),
        console::ConsoleResponse::File(content_type, file) => {
            (StatusCode::OK, content_type, file.to_owned(), None)
        }
        console::ConsoleResponse::See(path) => {
            (StatusCode::SEE_OTHER, "text/plain", String::new(), Some(path))
        }
    };
    in_browser(status, content_type, body, see, console::POLICY)
}

/// The answer to a payer's browser.
fn page_response(response: payment_page::HtmlResponse) -> ServerResponse {
    let payment_page::HtmlResponse { status, content_type, body, framed_by, see } = response;
    in_browser(status, content_type, body, see, &payment_page::policy(&framed_by))
}

fn in_browser(
    status: StatusCode,
    content_type: &str,
    body: String,
    see: Option<String>,
    policy: &str,
) -> ServerResponse {
    let mut response = plain(status);
    set(&mut response, CONTENT_TYPE, content_type);
    if status == StatusCode::METHOD_NOT_ALLOWED {
        set(&mut response, ALLOW, "GET, HEAD, POST");
    }
    set(&mut response, CONTENT_SECURITY_POLICY, policy);
    set(&mut response, X_CONTENT_TYPE_OPTIONS, "nosniff");
    // Stricter, and a form of ours would come without its origin.
    set(&mut response, REFERRER_POLICY, "same-origin");
    if let Some(path) = see {
        set(&mut response, LOCATION, &path);
    }
    *response.body_mut() = FaultyBody::from(body.into_bytes());
    response
}

/// The answer that a client gets; `None` if a fault closes its connection instead.
fn sent(mut answer: ServerResponse, effect: Option<&Effect>) -> Option<ServerResponse> {
    match effect {
        Some(Effect::DropReply | Effect::LateCommit { .. }) => return None,
        Some(Effect::Garbage { body, content_type }) => {
            let mut garbage = plain(StatusCode::OK);
            if !body.is_empty() {
                set(&mut garbage, CONTENT_TYPE, content_type);
            }
            *garbage.body_mut() = body.clone().into();
            return Some(garbage);
        }
        Some(Effect::SlowBody { bytes_per_second }) => {
            answer = answer.map(|body| body.slow(*bytes_per_second));
        }
        Some(Effect::CutReply { at_byte }) => answer = answer.map(|body| body.cut(*at_byte)),
        Some(Effect::HugeBody { bytes }) => answer = answer.map(|body| body.padded(*bytes)),
        Some(Effect::RateLimit { retry_after: Some(retry_after) }) => {
            set(&mut answer, RETRY_AFTER, &retry_after.to_string());
        }
        _ => {}
    }
    Some(answer)
}

/// The host of a request, if it is a permitted one.
fn host(headers: &HeaderMap, others: &[String]) -> Option<String> {
    let mut hosts = headers.get_all(HOST).iter();
    let (host, None) = (hosts.next()?.to_str().ok()?, hosts.next()) else { return None };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let ours = address.is_ok_and(|address| address.is_loopback())
        || name.eq_ignore_ascii_case("localhost")
        || others.iter().any(|other| other.eq_ignore_ascii_case(name));
    ours.then(|| host.to_owned())
}

/// Whether a body has a content encoding.
fn is_encoded(headers: &HeaderMap) -> bool {
    headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

/// The segments of a path. Empty ones are ignored: live clients double their slashes.
fn segments(path: &str) -> Vec<String> {
    let parts = path.split('/').filter(|part| !part.is_empty());
    parts.map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned()).collect()
}

enum BodyError {
    TooLarge,
    Broken,
}

/// Reads a body into one buffer that is wiped after use: it may hold a card.
async fn read(mut body: Incoming, frames: &mut Frames) -> Result<Zeroizing<Vec<u8>>, BodyError> {
    let hint = body.size_hint();
    let announced = usize::try_from(hint.lower()).unwrap_or(usize::MAX);
    if announced > LARGEST_BODY {
        return Err(BodyError::TooLarge);
    }
    // All of the buffer is wiped, so one of a known size is no larger.
    let room = if hint.exact().is_some() { announced } else { 4 * 1024 };
    let mut whole = Zeroizing::new(Vec::with_capacity(room));
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| BodyError::Broken)?.into_data() else { continue };
        if whole.len() + data.len() > LARGEST_BODY {
            return Err(BodyError::TooLarge);
        }
        whole.extend_from_slice(&data);
        frames.0.push(data);
    }
    Ok(whole)
}

/// Frames of a body, in hyper's buffers that are wiped after use. Buffers that hyper still reads into are wiped when
/// their connection ends.
#[derive(Default)]
struct Frames(Vec<Bytes>);

impl Drop for Frames {
    fn drop(&mut self) {
        // Several are of one buffer, and the last of them has it alone.
        self.0.drain(..).for_each(wipe);
    }
}

/// A refusal of the server itself, in the form of the tree that was called.
fn failed(
    gateway: &Gateway,
    status: StatusCode,
    code: &'static str,
    message: &str,
    tree: Tree,
) -> ServerResponse {
    match tree {
        Tree::Control => json_answer(control::refused(status, message)),
        Tree::Clearent(format) => {
            let answered = worldless(gateway, refusal(status.as_u16(), code, message), format);
            envelope(status, answered.body, format)
        }
        Tree::Pages => page_response(payment_page::problem(status, message)),
        Tree::ClientPay => envelope(status, clientpay::refusal(status.as_u16(), message).body, Format::Json),
    }
}

/// Sets a header to a text if a header can hold it.
fn set(response: &mut ServerResponse, name: HeaderName, text: &str) {
    if let Ok(value) = HeaderValue::from_str(text) {
        response.headers_mut().insert(name, value);
    }
}

fn envelope(status: StatusCode, body: impl Into<FaultyBody>, format: Format) -> ServerResponse {
    let (mut response, body) = (plain(status), body.into());
    if !body.is_end_stream() {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
        *response.body_mut() = body;
    }
    response
}

fn json_answer((status, document): control::ControlResponse) -> ServerResponse {
    let body = document.map(|document| document.to_string().into_bytes()).unwrap_or_default();
    envelope(status, body, Format::Json)
}

fn plain(status: StatusCode) -> ServerResponse {
    let mut response = Response::new(FaultyBody::default());
    *response.status_mut() = status;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        let cases = [
            ("127.0.0.1:8480", true),
            ("127.0.0.1", true),
            ("LOCALHOST:1", true),
            ("[::1]:8480", true),
            ("[::1]", true),
            ("gateway-sb.clearent.net", true),
            ("gateway-sb.clearent.net:443", true),
            ("gateway.clearent.net", false),
            ("127.0.0.2:1", true),
            ("10.0.0.1", false),
            ("evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("localhost@evil.example", false),
            ("localhost:80:80", false),
            ("", false),
        ];
        let others = ["gateway-sb.clearent.net".to_owned()];
        for (name, ours) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, name.parse().unwrap());
            assert_eq!(host(&headers, &others).is_some(), ours, "{name}");
            headers.append(HOST, HeaderValue::from_static("localhost"));
            assert_eq!(host(&headers, &others), None, "{name}, twice");
        }
        assert_eq!(host(&HeaderMap::new(), &others), None);
    }
}
