//! Nothing that is printed shows the key or the card, even when the gateway repeats them: no value, no error and none
//! of its causes, no span, no event.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::io;
use std::sync::{Arc, Mutex, Once};

use perennial::clearent::{ApiKey, CustomerSearch};
use perennial::transport::{Kind, TransportError};
use perennial::{Clearent, Environment, Format, blocking};
use tracing::span::Attributes;
use tracing::{Event, Id, Metadata, Subscriber};
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::gateway::{Answer, CARD, CSC, Gateway, KEY, says};
use crate::operations::{OPERATIONS, charge, new_token, right};

const CANARIES: [&str; 4] = [KEY, CARD, "4111 1111 1111 1111", CSC];

thread_local! {
    /// A subscriber sees all tests of this programme; each of those that look sees its own thread.
    static WATCH: RefCell<Option<Watch>> = const { RefCell::new(None) };
}

/// What is printed on this thread from now on, spans and events included, and the fields that they have.
#[derive(Clone, Default)]
pub(crate) struct Watch {
    pub(crate) printed: Printed,
    pub(crate) fields: Fields,
}

pub(crate) fn watched() -> Watch {
    static SUBSCRIBED: Once = Once::new();
    SUBSCRIBED.call_once(|| {
        let text = tracing_subscriber::fmt::layer()
            .with_span_events(FmtSpan::FULL)
            .without_time()
            .with_writer(|| Lines);
        let subscriber = tracing_subscriber::registry().with(text).with(Noting);
        tracing::subscriber::set_global_default(subscriber).unwrap();
    });
    let watch = Watch::default();
    WATCH.set(Some(watch.clone()));
    watch
}

fn with_watch(see: impl FnOnce(&Watch)) {
    WATCH.with_borrow(|watch| watch.as_ref().map(see));
}

#[derive(Clone, Default)]
pub(crate) struct Printed(Arc<Mutex<String>>);

impl Printed {
    pub(crate) fn show(&self, value: &dyn Debug) {
        self.add(&format!("{value:?}\n{value:#?}\n"));
    }

    pub(crate) fn add(&self, text: &str) {
        self.0.lock().unwrap().push_str(text);
    }

    pub(crate) fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }
}

struct Lines;

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        with_watch(|watch| watch.printed.add(std::str::from_utf8(bytes).unwrap()));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Clone, Default)]
pub(crate) struct Fields(Arc<Mutex<BTreeSet<&'static str>>>);

impl Fields {
    pub(crate) fn seen(&self) -> BTreeSet<&'static str> {
        self.0.lock().unwrap().clone()
    }
}

struct Noting;

impl Noting {
    fn note(metadata: &'static Metadata<'static>) {
        let names = metadata.fields().iter().map(|field| field.name());
        with_watch(|watch| watch.fields.0.lock().unwrap().extend(names));
    }
}

impl<S: Subscriber> Layer<S> for Noting {
    fn on_new_span(&self, span: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        Self::note(span.metadata());
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        Self::note(event.metadata());
    }
}

/// An answer that repeats the key and the card wherever the gateway writes texts of its own.
fn echo(status: u16, payload: &str) -> Answer {
    let body = format!(
        r#"{{"code":"{status}","exchange-id":"{KEY} {CARD}","links":[{{"rel":"self","href":"/{KEY}/{CARD}"}}],
            "payload":{{"payloadType":"{CARD}",{payload}}}}}"#
    );
    let mut answer = says(status, body)?;
    answer.headers_mut().insert("api-key", KEY.parse().unwrap());
    answer.headers_mut().insert("x-card", CARD.parse().unwrap());
    Ok(answer)
}

#[tokio::test(start_paused = true)]
async fn no_canary_is_printed_and_no_field_that_is_not_allowed() {
    let Watch { printed, fields } = watched();
    let error = format!(
        r#""error":{{"error-message":"card {CARD} (4111 1111 1111 1111), key {KEY}","result-code":"{KEY}"}}"#
    );
    let transaction = format!(r#""transaction":{{"id":"700001","card":"{CARD}","result":"APPROVED"}}"#);
    let answers: [Box<dyn Fn() -> Answer + Send + Sync>; 6] = [
        Box::new({
            let error = error.clone();
            move || echo(400, &error)
        }),
        Box::new(move || echo(500, &error)),
        Box::new(move || echo(200, &transaction)),
        Box::new(|| says(200, format!(r#"{{"{CARD}":{CARD},"{KEY}":"#))),
        Box::new(|| says(200, format!("<response><{CARD}>{KEY}"))),
        Box::new(|| Err(TransportError::new(Kind::Closed))),
    ];
    let answers = Arc::new(answers);
    for index in 0..answers.len() {
        for operation in OPERATIONS {
            let answers = answers.clone();
            let gateway = Gateway::new(move |_, _| answers[index]());
            match (operation.run)(gateway.client(Format::Json)).await {
                Ok(value) => printed.add(&value),
                Err(error) => {
                    printed.show(&error);
                    let mut cause: Option<&dyn std::error::Error> = Some(&error);
                    while let Some(error) = cause {
                        printed.add(&format!("{error}\n"));
                        cause = error.source();
                    }
                    printed.add(error.gateway_message().unwrap_or_default());
                    printed.add(error.exchange_id().unwrap_or_default());
                    printed.show(&error.lookup());
                }
            }
        }
    }

    let gateway = Gateway::new(|_, request| right(Format::Json, request));
    let builder = Clearent::builder(ApiKey::new(KEY).unwrap()).environment(Environment::Sandbox);
    printed.show(&builder);
    let client = gateway.client(Format::Json);
    printed.show(&client);
    printed.show(&client.customers());
    let list = client.customers().search(&CustomerSearch::default());
    printed.show(&list);
    printed.show(&list.pages());
    printed.show(&client.transactions().sale(&charge()).await.unwrap());
    printed.show(&client.tokens().create(new_token()).await.unwrap());
    let blocking = blocking::Clearent::new(client).unwrap();
    printed.show(&blocking);
    printed.show(&blocking.customers());
    printed.show(&blocking.customers().search(&CustomerSearch::default()));

    let text = printed.text();
    assert!(text.contains("operation=\"tokens.create\""), "spans are captured");
    assert!(text.contains("card ************1111"), "messages are masked");
    for canary in CANARIES {
        let found = text.find(canary).map(|at| &text[at.saturating_sub(300)..at + canary.len()]);
        assert_eq!(found, None, "{canary} was printed");
    }
    let calls = ["operation", "route", "status", "attempts", "exchange_id", "duration_ms"];
    let attempts = ["message", "method", "attempt", "delivery", "wait_ms"];
    let allowed: BTreeSet<&str> = calls.into_iter().chain(attempts).collect();
    assert_eq!(fields.seen(), allowed);
}
