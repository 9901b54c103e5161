//! Open connections. If there is no room for another, the one that has been idle longest is closed,
//! never one with a call in progress.

use std::collections::HashMap;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};

/// The longest time a peer may leave sent data unread.
const STALL: Duration = Duration::from_secs(30);

/// All connections of a sandbox.
pub(crate) struct Connections {
    most: u32,
    room: Arc<Semaphore>,
    open: Mutex<HashMap<u64, Arc<Line>>>,
    opened: AtomicU64,
    /// Signals that a connection has become idle.
    idle: Notify,
}

/// The state of a connection.
struct Line {
    state: Mutex<State>,
    close: Notify,
}

struct State {
    calls: usize,
    /// Whether written data has not been sent yet.
    unsent: bool,
    since: Instant,
    closes: bool,
}

impl State {
    fn is_idle(&self) -> bool {
        self.calls == 0 && !self.unsent
    }
}

impl Line {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connections {
    pub(crate) fn new(most: u32) -> Arc<Self> {
        Arc::new(Self {
            most,
            room: Arc::new(Semaphore::new(most as usize)),
            open: Mutex::default(),
            opened: AtomicU64::new(0),
            idle: Notify::new(),
        })
    }

    fn open(&self) -> MutexGuard<'_, HashMap<u64, Arc<Line>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Finds room for one more connection.
    pub(crate) async fn admit(self: &Arc<Self>) -> io::Result<Open> {
        let permit = loop {
            let idle = self.idle.notified();
            if let Ok(permit) = self.room.clone().try_acquire_owned() {
                break permit;
            }
            self.close_longest_idle();
            tokio::select! {
                permit = self.room.clone().acquire_owned() => break permit.map_err(io::Error::other)?,
                () = idle => {}
            }
        };
        let state = State { calls: 0, unsent: false, since: Instant::now(), closes: false };
        let line = Arc::new(Line { state: state.into(), close: Notify::new() });
        let number = self.opened.fetch_add(1, Ordering::Relaxed);
        self.open().insert(number, line.clone());
        Ok(Open { connections: self.clone(), number, line, _permit: permit })
    }

    /// Waits until no connection is open.
    pub(crate) async fn closed(&self) {
        let _ = self.room.acquire_many(self.most).await;
    }

    /// Asks the connection that has been idle longest to close.
    pub(crate) fn close_longest_idle(&self) {
        let open = self.open();
        let idle = open.values().filter(|line| {
            let state = line.state();
            state.is_idle() && !state.closes
        });
        if let Some(longest) = idle.min_by_key(|line| line.state().since) {
            longest.state().closes = true;
            longest.close.notify_one();
        }
    }
}

/// A connection while it is open.
pub(crate) struct Open {
    connections: Arc<Connections>,
    number: u64,
    line: Arc<Line>,
    _permit: OwnedSemaphorePermit,
}

impl Open {
    /// Runs the connection until it ends or, while idle, is asked to close.
    pub(crate) async fn run<T>(&self, connection: impl Future<Output = T>) -> Option<T> {
        let mut connection = std::pin::pin!(connection);
        loop {
            tokio::select! {
                biased;
                ended = &mut connection => return Some(ended),
                () = self.line.close.notified() => {
                    let mut state = self.line.state();
                    if state.is_idle() {
                        return None;
                    }
                    // A call came meanwhile.
                    state.closes = false;
                }
            }
        }
    }

    /// Starts a call, which lasts until the returned value is dropped.
    pub(crate) fn call(&self) -> Busy {
        self.line.state().calls += 1;
        Busy { connections: self.connections.clone(), line: self.line.clone() }
    }

    /// Watches the written data, and breaks the connection if the peer does not read it.
    pub(crate) fn watch<I>(&self, stream: I) -> Watched<I> {
        Watched { stream, connections: self.connections.clone(), line: self.line.clone(), stalled: None }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.connections.open().remove(&self.number);
    }
}

/// A call in progress.
pub(crate) struct Busy {
    connections: Arc<Connections>,
    line: Arc<Line>,
}

impl Drop for Busy {
    fn drop(&mut self) {
        let mut state = self.line.state();
        state.calls -= 1;
        settle(&self.connections, &mut state);
    }
}

fn settle(connections: &Connections, state: &mut State) {
    if state.is_idle() {
        state.since = Instant::now();
        connections.idle.notify_waiters();
    }
}

/// A stream that records whether all written data was sent.
pub(crate) struct Watched<I> {
    stream: I,
    connections: Arc<Connections>,
    line: Arc<Line>,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<I> Watched<I> {
    fn written(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        self.line.state().unsent = true;
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        ready!(self.stalled.get_or_insert_with(|| Box::pin(sleep(STALL))).as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Watched<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Watched<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, buffer);
        self.written(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, buffers);
        self.written(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = ready!(Pin::new(&mut self.stream).poll_flush(context));
        let mut state = self.line.state();
        if state.unsent {
            state.unsent = false;
            settle(&self.connections, &mut state);
        }
        Poll::Ready(flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use crate::Sandbox;

    /// Sends a request on a connection that stays open, and reads the status of the answer.
    async fn ask(stream: &mut TcpStream, key: &str) -> u16 {
        send(stream, key).await;
        status(stream).await
    }

    async fn send(stream: &mut TcpStream, key: &str) {
        let head = format!("GET /rest/v2/customers HTTP/1.1\r\nHost: localhost\r\napi-key: {key}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
    }

    async fn status(stream: &mut TcpStream) -> u16 {
        let mut answer = Vec::new();
        let mut byte = [0; 1];
        while !answer.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte).await.unwrap();
            answer.push(byte[0]);
        }
        let head = String::from_utf8(answer).unwrap();
        let length =
            head.to_lowercase().split("content-length: ").nth(1).unwrap().lines().next().unwrap().to_owned();
        let mut body = vec![0; length.parse().unwrap()];
        stream.read_exact(&mut body).await.unwrap();
        head[9..12].parse().unwrap()
    }

    /// Whether the other side has closed.
    async fn is_closed(stream: &mut TcpStream) -> bool {
        matches!(stream.read(&mut [0; 1]).await, Ok(0) | Err(_))
    }

    #[tokio::test]
    async fn when_there_is_no_room_the_longest_idle_one_is_closed_and_no_call_in_progress() {
        let sandbox = Sandbox::builder().connections(8).start().await.unwrap();
        let key = sandbox.api_key().expose().to_owned();
        let open = || TcpStream::connect(sandbox.address());
        let mut in_progress = open().await.unwrap();
        let head = format!(
            "POST /rest/v2/customers HTTP/1.1\r\nHost: localhost\r\napi-key: {key}\r\nContent-Length: 2\r\n\
             Expect: 100-continue\r\n\r\n"
        );
        in_progress.write_all(head.as_bytes()).await.unwrap();
        // The gateway asks for the body once the call has begun.
        let mut received = [0; 25];
        in_progress.read_exact(&mut received).await.unwrap();
        assert_eq!(&received, b"HTTP/1.1 100 Continue\r\n\r\n");
        let mut idle = Vec::new();
        for _ in 0..7 {
            let mut stream = open().await.unwrap();
            assert_eq!(ask(&mut stream, &key).await, 200);
            idle.push(stream);
        }
        // The first of them is used again, so the second has been idle for longest.
        assert_eq!(ask(&mut idle[0], &key).await, 200);
        let mut more = Vec::new();
        for closed in &mut idle[1..=3] {
            let mut stream = open().await.unwrap();
            assert_eq!(ask(&mut stream, &key).await, 200, "at once, and not when another ends");
            more.push(stream);
            assert!(is_closed(closed).await);
        }
        for at in [0, 4] {
            assert_eq!(ask(&mut idle[at], &key).await, 200);
        }
        in_progress.write_all(b"{}").await.unwrap();
        assert_eq!(status(&mut in_progress).await, 400);
    }
}
