//! The process that is killed and stopped: this test program again, with a journal's worker and callers.
//!
//! It is commanded by lines on its standard input, and reports by lines on its standard output.

use std::io::BufRead as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc as threads};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use fastrand::Rng;
use http::{Request, Response};
use perennial::transport::{Deadline, Exchange, ReqwestExchange, TransportError};
use perennial_journal::store::StoreError;
use perennial_journal::{Bound, Error};
use tokio::sync::{mpsc, watch};
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber, span};

use crate::decisions::{final_outcome, make};
use crate::setup::{Clients, Setup, paced};

/// The variable with the setup of the process.
pub(crate) const SETUP: &str = "PERENNIAL_TEST_WORKER";

/// The callers of one process.
const CALLERS: u64 = 3;

/// The time between two decisions of a caller, and between two tries of what failed.
const PACE: Duration = Duration::from_millis(30);

/// The decisions of which callers choose one: the last ones, so that several processes make the same.
const RECENT: u64 = 30;

/// Works in the other process, until it is killed.
#[test]
fn until_killed() {
    let Ok(setup) = std::env::var(SETUP) else { return };
    let setup: Setup = serde_json::from_str(&setup).unwrap();
    let (go, goes) = threads::channel();
    let hold = Arc::new(Hold { next: AtomicBool::new(false), goes: Mutex::new(goes) });
    let (round, rounds) = mpsc::unbounded_channel();
    let commanded = hold.clone();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            match line.as_str() {
                "hold" => commanded.next.store(true, Ordering::SeqCst),
                "go" => drop(go.send(())),
                _ => drop(round.send(())),
            }
        }
        // The campaign has ended.
        std::process::exit(0);
    });
    let exchange = setup.sends_late.then(|| LateExchange::new(hold.clone()));
    let reports = Reports { hold: Some(hold).filter(|_| exchange.is_none()) };
    tracing::subscriber::set_global_default(reports).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(work(&setup, exchange, rounds));
}

/// The point at which the process waits for a signal if it is commanded to: an attempt is stored, and has not left.
struct Hold {
    next: AtomicBool,
    goes: Mutex<threads::Receiver<()>>,
}

impl Hold {
    fn wait(&self) {
        if self.next.swap(false, Ordering::SeqCst) {
            println!("held");
            let _ = self.goes.lock().unwrap_or_else(PoisonError::into_inner).recv();
        }
    }
}

/// Reports what the driver tells, and holds an attempt directly after it was stored.
struct Reports {
    hold: Option<Arc<Hold>>,
}

#[derive(Default)]
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

impl Subscriber for Reports {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && metadata.target().starts_with("perennial_journal")
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut message = Message::default();
        event.record(&mut message);
        match message.0.as_str() {
            "attempt sent" => {
                println!("sends");
                if let Some(hold) = &self.hold {
                    hold.wait();
                }
            }
            "fence refused" => println!("fenced"),
            _ => {}
        }
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// A defect: a sale waits after the last check of its moment, and leaves however late it is. Other writes do not wait: the
/// gateway does not show whether an update or a void took effect late.
struct LateExchange {
    inner: ReqwestExchange,
    hold: Arc<Hold>,
}

impl LateExchange {
    fn new(hold: Arc<Hold>) -> Self {
        Self { inner: ReqwestExchange::builder().build().unwrap(), hold }
    }
}

#[async_trait]
impl Exchange for LateExchange {
    async fn exchange(
        &self,
        request: Request<Bytes>,
        deadline: Deadline,
    ) -> Result<Response<Bytes>, TransportError> {
        if !request.uri().path().ends_with("/transactions/sale") {
            return self.inner.exchange(request, deadline).await;
        }
        self.hold.wait();
        self.inner.exchange(request, Deadline::after(Instant::now(), Duration::from_secs(60))).await
    }
}

/// Reports an error. Most are expected: the database and the gateway fail.
fn report(error: &Error) {
    let is_expected = matches!(
        error,
        Error::Store(StoreError::Lost { .. } | StoreError::Busy(_))
            | Error::Gateway(_)
            | Error::NotBound { .. }
            | Error::InUse
    );
    println!("{} {error}", if is_expected { "error" } else { "broken" });
}

async fn work(setup: &Setup, exchange: Option<LateExchange>, mut rounds: mpsc::UnboundedReceiver<()>) {
    let exchange = exchange.map(Arc::new);
    let mut pace = paced(PACE);
    let clients = loop {
        pace.tick().await;
        match setup.open(exchange.clone().map(|exchange| Box::new(exchange) as Box<dyn Exchange>)).await {
            Ok(clients) => break Arc::new(clients),
            Err(error) => report(&error),
        }
    };
    println!("ready");
    let (stop, stopped) = watch::channel(false);
    let mut tasks = vec![tokio::spawn(settle(clients.clone(), stopped.clone()))];
    for number in 0..CALLERS {
        let rng = Rng::with_seed(setup.seed.wrapping_mul(CALLERS).wrapping_add(number));
        tasks.push(tokio::spawn(call(clients.clone(), setup.clone(), rng, stopped.clone())));
    }
    let mut open: Option<Vec<u64>> = None;
    while rounds.recv().await.is_some() {
        stop.send_replace(true);
        for task in tasks.drain(..) {
            task.await.unwrap();
        }
        let (share, workers) = setup.share;
        let all = || (0..setup.time.read().1).filter(|number| number % workers == share).collect();
        open = Some(complete(&clients, open.take().unwrap_or_else(all)).await);
        println!("idle");
    }
}

/// Runs the journal's worker, and starts it again when it ends with an error.
async fn settle(clients: Arc<Clients>, mut stopped: watch::Receiver<bool>) {
    let tenants = [Bound::from(&clients.north), Bound::from(&clients.pay)];
    let mut pace = paced(PACE);
    while !*stopped.borrow() {
        pace.tick().await;
        let stop = async {
            let _ = stopped.wait_for(|stopped| *stopped).await;
        };
        if let Err(error) = clients.journal.run(&tenants, stop).await {
            report(&error);
        }
    }
}

/// Makes decisions, again and again the same ones.
async fn call(clients: Arc<Clients>, setup: Setup, mut rng: Rng, stopped: watch::Receiver<bool>) {
    let mut pace = paced(PACE);
    while !*stopped.borrow() {
        pace.tick().await;
        let (_, decisions) = setup.time.read();
        if decisions > 0 {
            let _ = call_once(&clients, rng.u64(decisions.saturating_sub(RECENT)..decisions)).await;
        }
    }
}

/// Makes a decision; returns whether all its outcomes are final or with a person.
async fn call_once(clients: &Clients, number: u64) -> bool {
    match make(clients, number).await {
        Ok(outcomes) => {
            for (key, word) in &outcomes {
                println!("settled {key} {word}");
            }
            outcomes.iter().all(|(_, word)| final_outcome(word).is_some() || *word == "needs-person")
        }
        Err(error) => {
            report(&error);
            false
        }
    }
}

/// Takes all turns that are due, and makes decisions that are not settled; returns those that stay open.
async fn complete(clients: &Clients, mut numbers: Vec<u64>) -> Vec<u64> {
    let tenants = [Bound::from(&clients.north), Bound::from(&clients.pay)];
    let mut pace = paced(PACE);
    while let Err(error) = clients.journal.settle(&tenants).await {
        report(&error);
        pace.tick().await;
    }
    let mut open = Vec::new();
    for number in numbers.drain(..) {
        if !call_once(clients, number).await {
            open.push(number);
        }
    }
    open
}
