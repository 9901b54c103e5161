//! Signals: before the first write they end the process as usual; from then on they cancel the calls in flight, so that
//! an interrupted write ends as an unknown outcome with all facts that find it.

use std::io;
use std::process;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use perennial::transport::{Deadline, Exchange, Kind, ReqwestExchange, Time, TokioTime, TransportError};
use tokio::sync::watch;

use crate::failure::Failure;
use crate::in_flight::{self, Ids, Listed};
use crate::lookup::{Again, Line};
use crate::output::{Output, note};
use crate::report::report;
use crate::sent::is_read;
use crate::signal::Signal;

/// The signals that this process received, and the writes that they can interrupt.
#[derive(Debug, Clone)]
pub(crate) struct Interrupt(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    signal: watch::Sender<Option<Signal>>,
    journal: Mutex<Journal>,
}

/// The writes of this run.
#[derive(Debug, Default)]
struct Journal {
    listens: bool,
    is_verbose: bool,
    output: Output,
    /// Writes that were sent and have no response yet, or will never have one.
    in_flight: usize,
    cut_short: usize,
    ids: Ids,
    look_up: Option<Line>,
    /// The operation key of the writes.
    operation_key: Option<String>,
    /// The global options of this run.
    again: Again,
}

/// The time that the second signal waits for its message to be written.
const PATIENCE: Duration = Duration::from_millis(200);

impl Default for Interrupt {
    fn default() -> Self {
        Self(Arc::new(Inner { signal: watch::Sender::new(None), journal: Mutex::default() }))
    }
}

impl Interrupt {
    /// Sets the output format.
    pub(crate) fn speak(&self, output: Output, is_verbose: bool, again: &Again) {
        let mut journal = self.journal();
        (journal.output, journal.is_verbose) = (output, is_verbose);
        journal.again.clone_from(again);
    }

    /// Notes the operation key of the writes.
    pub(crate) fn under(&self, operation_key: &str) {
        self.journal().operation_key = Some(operation_key.to_owned());
    }

    /// Wraps the exchange so that its calls end on a signal.
    pub(crate) fn around(&self, inner: ReqwestExchange) -> Interruptible {
        Interruptible { inner, interrupt: self.clone() }
    }

    /// Turns a failure caused by a signal into one of the signal, unless a write is uncertain.
    pub(crate) fn judge(&self, failure: Failure) -> Failure {
        match *self.0.signal.borrow() {
            Some(signal) if failure.is_given_up() => Failure::Interrupted(signal),
            _ => failure,
        }
    }

    /// Waits until a signal asks the process to end. Without this call, it ends at once where nothing is in doubt.
    pub(crate) async fn request(&self) -> io::Result<()> {
        self.listen()?;
        let mut signal = self.0.signal.subscribe();
        signal.wait_for(Option::is_some).await.map(drop).map_err(io::Error::other)
    }

    /// Waits until a signal asks the process to end; forever, if signals cannot be handled.
    pub(crate) async fn stop(&self) {
        if self.request().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Handles signals on a thread that lasts as long as the process: a signal may also arrive while the
    /// outcome is printed. A signal that is ignored, as by `nohup`, stays ignored.
    pub(crate) fn listen(&self) -> io::Result<()> {
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

    /// Waits for signals, after reporting that it does.
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

    /// The failure of a second signal: a write with uncertain outcome, or nothing.
    fn at_second(&self, signal: Signal) -> Failure {
        let journal = self.journal();
        if journal.in_flight + journal.cut_short == 0 {
            return Failure::Interrupted(signal);
        }
        let look_up = journal.look_up.as_ref().map(|look_up| look_up.again(&journal.again));
        Failure::CutShort { ids: journal.ids.clone(), look_up, operation_key: journal.operation_key.clone() }
    }

    /// Ends the process at the second signal, whatever it is doing: it may be waiting for a reader of standard error.
    fn end(&self, signal: Signal) -> ! {
        let (failure, output) = (self.at_second(signal), self.journal().output);
        let exit = failure.exit();
        let (reported, is_reported) = mpsc::channel();
        thread::spawn(move || {
            report(&failure, output, &Again::default());
            let _ = reported.send(());
        });
        let _ = is_reported.recv_timeout(PATIENCE);
        process::exit(exit as i32)
    }

    fn journal(&self) -> MutexGuard<'_, Journal> {
        self.0.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An [`Exchange`] whose calls end on a signal.
pub(crate) struct Interruptible {
    inner: ReqwestExchange,
    interrupt: Interrupt,
}

#[async_trait]
impl Exchange for Interruptible {
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
        // What was given up before there was a connection never left.
        let is_unsent = answer.is_none() && !self.inner.has_connected();
        self.interrupt.arrive(answer.is_some() || is_unsent);
        let canceled = || TransportError::new(Kind::Canceled);
        answer.unwrap_or_else(|| Err(if is_unsent { canceled().not_sent() } else { canceled() }))
    }
}

impl Interrupt {
    fn depart(&self, request: &Request<Bytes>) {
        let (ids, look_up) = (in_flight::ids(request), in_flight::look_up(request));
        let mut journal = self.journal();
        journal.in_flight += 1;
        if journal.is_verbose && !ids.is_empty() && journal.ids != ids {
            note(&format!("before the send: {}", Listed(&ids)));
        }
        (journal.ids, journal.look_up) = (ids, look_up);
    }

    fn arrive(&self, answered: bool) {
        let mut journal = self.journal();
        journal.in_flight -= 1;
        journal.cut_short += usize::from(!answered);
    }
}

/// A clock whose waits end on a signal.
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

#[cfg(unix)]
mod signals {
    use std::fs;
    use std::future;
    use std::io;

    use tokio::signal::unix::{self, SignalKind, signal};

    use crate::signal::Signal;

    /// Signal handlers.
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

    /// The mask of signals that the parent process ignores, if the system reports it.
    fn ignored() -> u64 {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
    }
}

#[cfg(not(unix))]
mod signals {
    use std::io;

    use crate::signal::Signal;

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
    use crate::exit::Exit;

    #[test]
    fn a_write_that_a_second_signal_cuts_short_has_its_ids_and_a_look_up() {
        let request = Request::post("https://gateway.test/rest/v2/transactions/sale");
        let request = request.body(Bytes::from(r#"{"type":"SALE","order-id":"A-17"}"#)).unwrap();
        let interrupt = Interrupt::default();
        interrupt.depart(&request);
        let message = interrupt.at_second(Signal::Terminate).to_string();
        assert!(
            message.contains("during a write, which may have been done or not: order id A-17"),
            "{message}"
        );
        let expected = "look with: perennial transactions search --type SALE --order-id A-17\n";
        assert!(message.ends_with(expected), "{message}");
        // Under an operation key, the same command finds out.
        interrupt.under("order-17");
        let message = interrupt.at_second(Signal::Terminate).to_string();
        for part in
            ["operation key order-17: the same command again is safe", "repeat with: the same command\n"]
        {
            assert!(message.contains(part), "{message}");
        }
        interrupt.arrive(true);
        assert_eq!(interrupt.at_second(Signal::Terminate).exit(), Exit::Terminate);
    }
}
