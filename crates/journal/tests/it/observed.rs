//! Events and numbers of the journal: they tell what happens, and have nothing of a request.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use perennial::Format;
use perennial::clearent::{Charge, NewCustomer};
use perennial_journal::machine::Rules;
use perennial_journal::{By, Journal, Settled};
use perennial_sandbox::{Effect, Fault};
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

use crate::support::World;

/// Texts of the calls, of which nothing is in an event, a span, a log or a label.
const CANARIES: [&str; 6] =
    ["Bartholomew", "bart@canary.example", "order-canary", "key-canary", "pw-canary", "tenant-canary"];

/// The fields of each event of the journal.
const EVENTS: &[(&str, &[&str])] = &[
    ("attempt sent", &["attempt", "intent", "operation"]),
    ("fence refused", &["intent", "operation"]),
    ("hold", &["intent", "operation"]),
    ("hold changed", &["is_held"]),
    ("intent stored", &["intent", "operation"]),
    ("lag measured", &["intent", "lag_ms", "operation"]),
    ("look", &["intent", "looks", "operation"]),
    ("request refused", &[]),
    ("restored", &["intents"]),
    ("settled", &["intent", "operation", "state"]),
    ("waits for a person", &["intent", "operation", "state"]),
];

/// Everything that is printed, and the fields of the journal's own events.
#[derive(Debug, Clone, Default)]
struct Seen {
    text: Arc<Mutex<String>>,
    events: Arc<Mutex<BTreeMap<String, BTreeSet<String>>>>,
}

impl Seen {
    fn add(&self, text: &str) {
        let mut all = self.text.lock().unwrap();
        all.push_str(text);
        all.push('\n');
    }
}

/// The fields of one event or span.
#[derive(Default)]
struct Fields {
    message: String,
    names: BTreeSet<String>,
    text: String,
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            self.message = format!("{value:?}");
        } else {
            self.names.insert(field.name().to_owned());
        }
        let _ = write!(self.text, "{}={value:?} ", field.name());
    }
}

impl<S: tracing::Subscriber> Layer<S> for Seen {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        self.add(&fields.text);
        if event.metadata().target().starts_with("perennial_journal") {
            self.events.lock().unwrap().entry(fields.message).or_default().extend(fields.names);
        }
    }

    fn on_new_span(&self, span: &tracing::span::Attributes<'_>, _: &tracing::Id, _: Context<'_, S>) {
        let mut fields = Fields::default();
        span.record(&mut fields);
        self.add(&fields.text);
    }

    fn on_record(&self, _: &tracing::Id, values: &tracing::span::Record<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        values.record(&mut fields);
        self.add(&fields.text);
    }
}

/// Crates below use `log`.
impl log::Log for Seen {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        self.add(&record.args().to_string());
    }

    fn flush(&self) {}
}

/// Writes that are stored, sent, looked for, settled, refused, held and restored.
async fn everything(world: &World, url: &str) {
    let by = || By { actor: "ines".to_owned(), reason: "key-canary".to_owned() };
    let open = async || Journal::open_with(url, world.clock.clone(), Rules::default()).await.unwrap();
    let journal = open().await;
    let north = journal.clearent("tenant-canary", &world.client).await.unwrap();
    let person =
        NewCustomer::builder().first_name("Bartholomew").last_name("Byron").email("bart@canary.example");
    assert!(north.customers().create("key-canary-1", &person.build().unwrap()).await.unwrap().is_done());
    let charge =
        Charge::builder().amount("25.00").card(&world.token).exp_date("1230").order_id("order-canary");
    let charge = charge.build().unwrap();
    // A search that lacks the charge measures the lag.
    world.sandbox.fault(&Fault::on("transactions.search", Effect::StaleRead).nth(2)).await.unwrap();
    let first = Charge::builder().amount("31.00").card(&world.token).exp_date("1230").build().unwrap();
    assert!(north.transactions().sale("key-canary-0", &first).await.unwrap().is_done());
    for _ in 0..2 {
        world.pass(1).await;
        journal.settle(std::slice::from_ref(&north)).await.unwrap();
    }
    let fault = |effect| Fault::on("transactions.sale", effect).nth(1);
    world.sandbox.fault(&fault(Effect::DropReply)).await.unwrap();
    assert!(north.transactions().sale("key-canary-2", &charge).await.unwrap().is_done());

    // A refused key is a hold, and a lost request is a person's.
    let other = world.charge();
    world.sandbox.fault(&fault(Effect::ErrorBefore { status: 401 })).await.unwrap();
    assert!(matches!(north.transactions().sale("key-canary-3", &other).await.unwrap(), Settled::Open(_)));
    journal.release("tenant-canary", by()).await.unwrap();
    world.sandbox.fault(&fault(Effect::ErrorBefore { status: 502 })).await.unwrap();
    for _ in 0..20 {
        world.pass(10).await;
        if !matches!(north.transactions().sale("key-canary-3", &other).await.unwrap(), Settled::Open(_)) {
            break;
        }
    }
    #[cfg(feature = "postgres")]
    if url.starts_with("postgres") {
        let sql =
            "SELECT perennial.intend('tenant-canary', 'key-canary-4', 'order-canary', NULL, 'Bartholomew')";
        crate::postgres::sql(url, sql);
        journal.settle(std::slice::from_ref(&north)).await.unwrap();
    }
    journal.adopt(by(), Duration::ZERO).await.unwrap();
    open().await.run(std::slice::from_ref(&north), async {}).await.unwrap();
}

/// Holds: The journal's events have a closed set of fields, and no event, span or log of it and the crates below has a name,
/// mail address, order id, operation key, reason, tenant, token, API key or password of a call, at TRACE, on both databases.
#[tokio::test]
async fn no_event_has_data_of_a_request() {
    let seen = Seen::default();
    // Beside it, the subscriber of the other tests' threads: without one, a point that such a thread reaches first is off for all.
    tracing::subscriber::set_global_default(tracing_subscriber::registry()).unwrap();
    let _subscribed = tracing::subscriber::set_default(tracing_subscriber::registry().with(seen.clone()));
    log::set_boxed_logger(Box::new(seen.clone())).unwrap();
    log::set_max_level(log::LevelFilter::Trace);

    let world = World::new(Format::Json).await;
    let file = format!("sqlite:{}", world.path().with_file_name("other.db").display());
    #[cfg_attr(not(feature = "postgres"), expect(unused_mut))]
    let mut urls = vec![file];
    #[cfg(all(unix, feature = "postgres"))]
    urls.push(crate::postgres::database().replace("perennial@", "perennial:pw-canary@"));
    for url in &urls {
        let world = World::new(Format::Json).await;
        everything(&world, url).await;
        let text = seen.text.lock().unwrap();
        let own = [world.token.to_string(), world.sandbox.api_key().expose().to_owned()];
        for canary in CANARIES.into_iter().chain(own.iter().map(String::as_str)) {
            let line = text.lines().find(|line| line.contains(canary));
            assert_eq!(line, None, "{canary}");
        }
    }
    assert!(seen.text.lock().unwrap().contains("transactions.sale"), "the subscriber hears something");
    let mut expected: BTreeMap<_, _> = EVENTS
        .iter()
        .map(|(name, fields)| ((*name).to_owned(), fields.iter().map(ToString::to_string).collect()))
        .collect();
    // One worker takes no claim of another, and the inbox is filled on PostgreSQL.
    let unseen: &[_] = if urls.len() == 2 { &RARE[..1] } else { &RARE };
    for name in unseen {
        expected.remove(*name).unwrap();
    }
    assert_eq!(*seen.events.lock().unwrap(), expected);
}

const RARE: [&str; 2] = ["fence refused", "request refused"];

#[cfg(feature = "metrics")]
mod numbers {
    use std::sync::atomic::AtomicU64;

    use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};

    use super::*;

    /// The values by name and labels. The value of a gauge is the bits of a float.
    #[derive(Default)]
    struct Numbers(Mutex<BTreeMap<String, Arc<AtomicU64>>>);

    impl Numbers {
        fn of(&self, key: &Key) -> Arc<AtomicU64> {
            let labels: Vec<_> =
                key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
            let name = format!("{} {}", key.name(), labels.join(" "));
            self.0.lock().unwrap().entry(name.trim_end().to_owned()).or_default().clone()
        }
    }

    impl Recorder for Numbers {
        fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
            Counter::from_arc(self.of(key))
        }
        fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
            Gauge::from_arc(self.of(key))
        }
        fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
            Histogram::noop()
        }
    }

    /// Holds: The metrics of the journal count intents, attempts, looks and outcomes, and show what is open, how old it is
    /// and the measured lag; labels are operations and states.
    #[tokio::test]
    async fn metrics_are_counted_and_labeled_with_operations_and_states() {
        let numbers = Numbers::default();
        let _recorded = metrics::set_default_local_recorder(&numbers);
        let world = World::new(Format::Json).await;
        let url = format!("sqlite:{}", world.path().with_file_name("other.db").display());
        everything(&world, &url).await;
        let mut numbers: Vec<_> = numbers
            .0
            .lock()
            .unwrap()
            .iter()
            .map(|(name, value)| {
                let bits = value.load(std::sync::atomic::Ordering::SeqCst);
                let is_count = name.contains("_total");
                format!(
                    "{name}: {}",
                    if is_count { bits.to_string() } else { f64::from_bits(bits).to_string() }
                )
            })
            .collect();
        // How often is looked, and when, is the machine's.
        for (name, positive) in [("looks_total", 2), ("oldest_open", 1)] {
            let found = numbers.iter().filter(|number| number.contains(name) && !number.ends_with(": 0"));
            assert_eq!(found.count(), positive, "{name}: {numbers:#?}");
            numbers.retain(|number| !number.contains(name));
        }
        assert_eq!(numbers, NUMBERS, "{numbers:#?}");
    }

    const NUMBERS: &[&str] = &[
        "perennial_journal_attempts_total operation=customers.create: 3",
        "perennial_journal_attempts_total operation=transactions.sale: 4",
        "perennial_journal_intents_total operation=customers.create: 3",
        "perennial_journal_intents_total operation=transactions.sale: 3",
        "perennial_journal_open_intents state=needs-card: 0",
        "perennial_journal_open_intents state=needs-person: 1",
        "perennial_journal_open_intents state=planned: 0",
        "perennial_journal_open_intents state=sending: 0",
        "perennial_journal_open_intents state=unknown: 0",
        "perennial_journal_outcomes_total operation=customers.create state=done: 3",
        "perennial_journal_outcomes_total operation=transactions.sale state=done: 2",
        "perennial_journal_outcomes_total operation=transactions.sale state=needs-person: 1",
        "perennial_journal_worst_lag_seconds: 60",
    ];
}
