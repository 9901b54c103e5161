//! Signals: before the first write they end the process as usual; from then on they give up what is under way, so that
//! a write that was cut short ends as an unknown outcome with all that finds it.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::process;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use perennial::clientpay::Route;
use perennial::transport::{Deadline, Exchange, Kind, Time, TokioTime, TransportError};
use serde::Deserialize;
use tokio::sync::watch;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::lookup::Again;
use crate::output::{Output, note};
use crate::rehearsal::{is_read, route};

/// A signal that asks the process to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    Hangup,
    Interrupt,
    Terminate,
}

/// The signals that this process got, and the writes that they can cut short.
#[derive(Debug, Clone)]
pub(crate) struct Interrupt(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    signal: watch::Sender<Option<Signal>>,
    journal: Mutex<Journal>,
}

/// What is known of the writes of this run.
#[derive(Debug, Default)]
struct Journal {
    listens: bool,
    is_verbose: bool,
    output: Output,
    /// Writes that left and have no answer yet, or never will.
    in_flight: usize,
    cut_short: usize,
    ids: Ids,
}

/// The ids of a write by which it is found, or repeated safely.
pub(crate) type Ids = Vec<(&'static str, String)>;

/// How long the second signal waits for its message to be written.
const PATIENCE: Duration = Duration::from_millis(200);

impl Default for Interrupt {
    fn default() -> Self {
        Self(Arc::new(Inner { signal: watch::Sender::new(None), journal: Mutex::default() }))
    }
}

impl Interrupt {
    /// Sets how it speaks.
    pub(crate) fn speak(&self, output: Output, is_verbose: bool) {
        let mut journal = self.journal();
        (journal.output, journal.is_verbose) = (output, is_verbose);
    }

    /// The exchange, whose calls end when a signal comes.
    pub(crate) fn around(&self, inner: impl Exchange + 'static) -> Interruptible<impl Exchange + 'static> {
        Interruptible { inner, interrupt: self.clone() }
    }

    /// A failure that a signal brought about is one of the signal, unless a write is left in doubt.
    pub(crate) fn judge(&self, failure: Failure) -> Failure {
        match *self.0.signal.borrow() {
            Some(signal) if failure.is_given_up() => Failure::Interrupted(signal),
            _ => failure,
        }
    }

    /// Takes signals over from the system, on a thread that lasts as long as the process: a signal also comes while the
    /// outcome is printed. One that is ignored, as `nohup` has it, stays ignored.
    fn listen(&self) -> io::Result<()> {
        let mut journal = self.journal();
        if !journal.listens {
            let (listening, listens) = mpsc::channel();
            let interrupt = self.clone();
            thread::Builder::new().spawn(move || interrupt.wait(&listening))?;
            listens.recv().map_err(io::Error::other)??;
            journal.listens = true;
        }
        Ok(())
    }

    /// Waits for signals, once it has said that it does.
    fn wait(&self, listening: &mpsc::Sender<io::Result<()>>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let waited = runtime.and_then(|runtime| runtime.block_on(self.wait_twice(listening)));
        let _ = listening.send(waited);
    }

    async fn wait_twice(&self, listening: &mpsc::Sender<io::Result<()>>) -> io::Result<()> {
        let mut signals = signals::Signals::listen()?;
        let _ = listening.send(Ok(()));
        self.0.signal.send_replace(Some(signals.next().await));
        self.end(signals.next().await)
    }

    /// Ends the process at the second signal, whatever it is doing: it may be waiting for a reader of standard error.
    fn end(&self, signal: Signal) -> ! {
        let (failure, output) = {
            let journal = self.journal();
            let in_doubt = journal.in_flight + journal.cut_short > 0;
            let ids = journal.ids.clone();
            (if in_doubt { Failure::CutShort(ids) } else { Failure::Interrupted(signal) }, journal.output)
        };
        let exit = failure.exit();
        let (told, is_told) = mpsc::channel();
        thread::spawn(move || {
            failure.report(output, &Again::default());
            let _ = told.send(());
        });
        let _ = is_told.recv_timeout(PATIENCE);
        process::exit(exit as i32)
    }

    fn journal(&self) -> MutexGuard<'_, Journal> {
        self.0.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An [`Exchange`] whose calls end when a signal comes.
pub(crate) struct Interruptible<E> {
    inner: E,
    interrupt: Interrupt,
}

#[async_trait]
impl<E: Exchange> Exchange for Interruptible<E> {
    async fn exchange(
        &self,
        request: Request<Bytes>,
        deadline: Deadline,
    ) -> Result<Response<Bytes>, TransportError> {
        let unsent = || TransportError::new(Kind::Canceled).not_sent();
        let writes = !is_read(&request);
        if writes {
            self.interrupt.listen().map_err(|error| unsent().with_source(error))?;
        }
        let mut signal = self.interrupt.0.signal.subscribe();
        if signal.borrow().is_some() {
            return Err(unsent());
        }
        if !writes {
            return tokio::select! {
                biased;
                answer = self.inner.exchange(request, deadline) => answer,
                _ = signal.changed() => Err(TransportError::new(Kind::Canceled)),
            };
        }
        self.interrupt.depart(&request);
        let answer = tokio::select! {
            biased;
            answer = self.inner.exchange(request, deadline) => Some(answer),
            _ = signal.changed() => None,
        };
        self.interrupt.arrive(answer.is_some());
        answer.unwrap_or_else(|| Err(TransportError::new(Kind::Canceled)))
    }
}

impl Interrupt {
    fn depart(&self, request: &Request<Bytes>) {
        let ids = ids(request);
        let mut journal = self.journal();
        journal.in_flight += 1;
        if journal.is_verbose && !ids.is_empty() && journal.ids != ids {
            note(&format!("before the send: {}", Listed(&ids)));
        }
        journal.ids = ids;
    }

    fn arrive(&self, answered: bool) {
        let mut journal = self.journal();
        journal.in_flight -= 1;
        journal.cut_short += usize::from(!answered);
    }
}

/// Ids as a list in a sentence.
pub(crate) struct Listed<'a>(pub(crate) &'a Ids);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (name, id)) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{name} {id}")?;
            if *name == REQUEST_ID {
                write!(f, " (to repeat it safely: the same command with --request-id {id})")?;
            }
        }
        Ok(())
    }
}

const REQUEST_ID: &str = "request id";

/// The ids in the body of a write, in either format. Nothing else of it is kept.
fn ids(request: &Request<Bytes>) -> Ids {
    /// The members of both vendors' requests, borrowed, so that no card is copied.
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    struct Members<'a> {
        #[serde(borrow, rename = "requestId")]
        request_id: Option<Cow<'a, str>>,
        #[serde(borrow, rename = "token")]
        session: Option<Session<'a>>,
        #[serde(borrow)]
        order_id: Option<Cow<'a, str>>,
        #[serde(borrow)]
        invoice: Option<Cow<'a, str>>,
    }

    #[derive(Deserialize)]
    struct Session<'a> {
        #[serde(borrow, rename = "requestId")]
        request_id: Option<Cow<'a, str>>,
    }

    let body = request.body().as_ref();
    let named = |name, id: Option<Cow<'_, str>>| id.map(|id| (name, id.into_owned()));
    if let Some(route) = route(request) {
        if route == Route::ExpirePage {
            return Ids::new();
        }
        let Members { request_id, session, .. } = serde_json::from_slice(body).unwrap_or_default();
        let id = request_id.or(session.and_then(|session| session.request_id));
        return named(REQUEST_ID, id).into_iter().collect();
    }
    let (order_id, invoice) = match serde_json::from_slice(body) {
        Ok(Members { order_id, invoice, .. }) => (order_id, invoice),
        Err(_) => (element(body, "order-id"), element(body, "invoice")),
    };
    [named("order id", order_id), named("invoice", invoice)].into_iter().flatten().collect()
}

/// The text of an element, as our own encoder writes it.
fn element<'a>(body: &'a [u8], name: &str) -> Option<Cow<'a, str>> {
    let body = str::from_utf8(body).ok()?;
    let (_, rest) = body.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    let plain = |text: Cow<'a, str>, (entity, plain): (&str, &str)| {
        if text.contains(entity) { Cow::Owned(text.replace(entity, plain)) } else { text }
    };
    Some(entities.into_iter().fold(Cow::Borrowed(text), plain))
}

/// A clock whose waits end when a signal comes.
#[derive(Debug, Clone)]
pub(crate) struct Waits(pub(crate) Interrupt);

#[async_trait]
impl Time for Waits {
    fn now(&self) -> Instant {
        TokioTime.now()
    }

    async fn sleep(&self, duration: Duration) {
        let mut signal = self.0.0.signal.subscribe();
        tokio::select! {
            () = TokioTime.sleep(duration) => {}
            _ = signal.wait_for(Option::is_some) => {}
        }
    }
}

impl Signal {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Hangup => "SIGHUP",
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
        }
    }

    pub(crate) fn exit(self) -> Exit {
        match self {
            Self::Hangup => Exit::Hangup,
            Self::Interrupt => Exit::Interrupt,
            Self::Terminate => Exit::Terminate,
        }
    }
}

#[cfg(unix)]
mod signals {
    use std::fs;
    use std::future;
    use std::io;

    use tokio::signal::unix::{self, SignalKind, signal};

    use super::Signal;

    /// The signals that are listened for.
    pub(super) struct Signals([(Signal, Option<unix::Signal>); 3]);

    impl Signals {
        pub(super) fn listen() -> io::Result<Self> {
            let ignored = ignored();
            let listen = |kind: SignalKind| {
                let is_ignored = ignored >> (kind.as_raw_value() - 1) & 1 == 1;
                if is_ignored { Ok(None) } else { signal(kind).map(Some) }
            };
            Ok(Self([
                (Signal::Hangup, listen(SignalKind::hangup())?),
                (Signal::Interrupt, listen(SignalKind::interrupt())?),
                (Signal::Terminate, listen(SignalKind::terminate())?),
            ]))
        }

        pub(super) async fn next(&mut self) -> Signal {
            let [hangup, interrupt, terminate] = &mut self.0;
            tokio::select! {
                signal = came(hangup) => signal,
                signal = came(interrupt) => signal,
                signal = came(terminate) => signal,
            }
        }
    }

    async fn came((which, stream): &mut (Signal, Option<unix::Signal>)) -> Signal {
        if let Some(stream) = stream
            && stream.recv().await.is_some()
        {
            return *which;
        }
        future::pending().await
    }

    /// The mask of signals that whoever started this process had it ignore, where the system tells it.
    fn ignored() -> u64 {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
    }
}

#[cfg(not(unix))]
mod signals {
    use std::io;

    use super::Signal;

    pub(super) struct Signals;

    impl Signals {
        pub(super) fn listen() -> io::Result<Self> {
            Ok(Self)
        }

        pub(super) async fn next(&mut self) -> Signal {
            let _ = tokio::signal::ctrl_c().await;
            Signal::Interrupt
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_in_both_formats_and_nothing_else_is() {
        let post = |path: &str, body: &'static str| {
            Request::post(format!("https://gateway.test{path}")).body(Bytes::from(body)).unwrap()
        };
        for (path, body, expected) in [
            (
                "/rest/v2/transactions/sale",
                r#"{"card":"4111111111111111","order-id":"A \"7\"","invoice":"INV-1"}"#,
                r#"order id A "7", invoice INV-1"#,
            ),
            (
                "/rest/v2/transactions/sale",
                "<transaction><card>4111111111111111</card><order-id>A &amp; 7</order-id></transaction>",
                "order id A & 7",
            ),
            ("/rest/v2/transactions/sale", r#"{"card":"4111111111111111","csc":"999"}"#, ""),
            ("/rest/v2/transactions/700001", "", ""),
            ("/v2/expirepage", r#"{"requestId":"r-1"}"#, ""),
            (
                "/v2/payment",
                r#"{"token":{"requestId":"r-1","sessionId":"S"},"orderId":"A"}"#,
                "request id r-1 (to repeat it safely: the same command with --request-id r-1)",
            ),
        ] {
            assert_eq!(Listed(&ids(&post(path, body))).to_string(), expected, "{path} {body}");
        }
    }
}
