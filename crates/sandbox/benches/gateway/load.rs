//! Requests over 64 connections that stay open, each sent after the answer to the previous one. The bytes are written
//! and parsed by hand, so that the client costs little compared with the server.

use std::cell::{Cell, RefCell};
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::child::Server;

/// The number of concurrent requests.
pub(crate) const CONNECTIONS: usize = 64;

/// The measurements.
#[derive(Clone, Copy)]
pub(crate) struct Measured {
    pub(crate) per_second: u128,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    /// The CPU time of the server's process for one request.
    pub(crate) cpu: Duration,
}

/// Sends this many requests; `write` writes the bytes of each by its number.
pub(crate) fn run(server: &Server, requests: usize, write: impl Fn(usize, &mut Vec<u8>)) -> Measured {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_io().build().expect("a runtime starts");
    let next = Cell::new(0);
    let latencies = RefCell::new(Vec::with_capacity(requests));
    let (next, latencies_of, write) = (&next, &latencies, &write);
    let before = server.cpu();
    let elapsed = runtime.block_on(async {
        let streams =
            futures_util::future::join_all((0..CONNECTIONS).map(|_| TcpStream::connect(server.address)))
                .await;
        let start = Instant::now();
        futures_util::future::join_all(streams.into_iter().map(|stream| async move {
            let mut stream = stream.expect("the server accepts");
            stream.set_nodelay(true).expect("a socket has the option");
            let (mut request, mut answer) = (Vec::with_capacity(1024), Vec::with_capacity(4096));
            while next.get() < requests {
                let number = next.replace(next.get() + 1);
                request.clear();
                write(number, &mut request);
                let sent = Instant::now();
                stream.write_all(&request).await.expect("the server reads");
                receive(&mut stream, &mut answer).await;
                latencies_of.borrow_mut().push(sent.elapsed());
            }
        }))
        .await;
        start.elapsed()
    });
    let mut latencies = latencies.into_inner();
    latencies.sort_unstable();
    let count = latencies.len();
    Measured {
        per_second: count as u128 * 1_000_000 / elapsed.as_micros().max(1),
        p50: latencies[count / 2],
        p99: latencies[count * 99 / 100],
        cpu: server.cpu().saturating_sub(before) / u32::try_from(count).expect("few requests"),
    }
}

/// Sends one request, over a separate connection.
pub(crate) fn ask(address: SocketAddr, path: &str) {
    let mut stream = std::net::TcpStream::connect(address).expect("the server accepts");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("the server reads");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("the server answers");
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
}

/// Reads one whole answer, which must be a success.
async fn receive(stream: &mut TcpStream, answer: &mut Vec<u8>) {
    answer.clear();
    let mut expected = None;
    while expected.is_none_or(|expected| answer.len() < expected) {
        let read = stream.read_buf(answer).await.expect("the server answers");
        assert!(read > 0, "the server closed the connection");
        expected = expected.or_else(|| length(answer));
    }
    assert!(answer.starts_with(b"HTTP/1.1 20"), "{}", String::from_utf8_lossy(answer));
}

/// The length of the answer, once its head is there.
fn length(answer: &[u8]) -> Option<usize> {
    let head = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let lengths = answer[..head].split(|byte| *byte == b'\n').filter_map(|line| {
        let (name, value) = line.split_at_checked(15)?;
        name.eq_ignore_ascii_case(b"content-length:").then(|| value.trim_ascii())
    });
    let length = lengths.map(|value| std::str::from_utf8(value).ok()?.parse::<usize>().ok()).next().flatten();
    Some(head + 4 + length.unwrap_or_default())
}
