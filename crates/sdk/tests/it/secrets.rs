//! No printed text contains the key or the card, even if the gateway repeats them: no value, no error and none of its
//! causes, no span, no event.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::io;
use std::sync::{Arc, Mutex, Once};

use perennial::clearent::{ApiKey, CustomerSearch, Transaction, TransactionResult};
use perennial::transport::{Kind, TransportError};
use perennial::{Clearent, Environment, Format, blocking};
use perennial_wire::clearent::{GatewayError, Payload, Reply};
use tracing::span::Attributes;
use tracing::{Event, Id, Metadata, Subscriber};
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::gateway::{Answer, CARD, CSC, Gateway, KEY, envelope, says};
use crate::operations::{OPERATIONS, charge, new_token, right, transaction};

const CANARIES: [&str; 4] = [KEY, CARD, "4111 1111 1111 1111", CSC];

thread_local! {
    /// The subscriber receives the events of all tests of this program; each test that uses it reads those of its own
    /// thread.
    static WATCH: RefCell<Option<Watch>> = const { RefCell::new(None) };
}

/// The text printed on this thread from now on, including spans and events, and the names of their fields.
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

/// A response that repeats the key and the card in all texts of the gateway.
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

/// Holds: No `Debug` output, error, span or event of the facade shows a key, a card number or a security
/// code, and spans have only listed fields.
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

/// The spellings in which a response may repeat a sent card (4111111111111111) and code (9876), and the text that
/// identifies each.
pub(crate) const SPELLINGS: &[(&str, &str)] = &[
    ("4111111111111111", "1111"),
    ("4111 1111 1111 1111", "1111"),
    ("4111-1111-1111-1111", "1111"),
    ("4111.1111.1111.1111", "1111"),
    ("4111/1111/1111/1111", "1111"),
    ("4111\u{200b}1111\u{200b}1111\u{200b}1111", "1111"),
    ("4111\n1111\n1111\n1111", "1111"),
    ("４１１１１１１１１１１１１１１１", "１１１１"),
    ("%34%31%31%311111%31%31111111", "%31"),
    ("4111%201111%201111%201111", "1111"),
    ("&#52;111&#32;11111111&#32;1111", "1111"),
    ("PAN:4111111111111111;", "1111"),
    ("9876", "9876"),
    ("9 8 7 6", "9 8 7 6"),
    ("９８７６", "９８７６"),
    ("%39%38%37%36", "%39"),
    ("CSC=9876.", "9876"),
    ("\"9876\"", "9876"),
    ("0123456789ABCDEF0123456789ABCDEF", "CDEF"),
    ("01234567-89ab-cdef-0123-456789abcdef", "cdef"),
];

/// Everything that can be printed of a value or an error.
fn printed<T: Debug>(outcome: Result<T, perennial::Error>) -> String {
    match outcome {
        Ok(value) => format!("{value:?}\n{value:#?}"),
        Err(error) => {
            let mut text = format!("{error:?}\n{error:#?}\n{:?}", error.gateway_message());
            let mut cause: Option<&dyn std::error::Error> = Some(&error);
            while let Some(error) = cause {
                text += &format!("\n{error}");
                cause = error.source();
            }
            text
        }
    }
}

/// Holds: A secret that the call sent is masked wherever the response repeats it, in every spelling.
#[tokio::test]
async fn what_was_sent_is_masked_however_it_comes_back() {
    for (spelling, trace) in SPELLINGS {
        for format in [Format::Json, Format::Xml] {
            let echo = format!("not {spelling} again");
            let some = || Some(echo.clone());
            let approved = Transaction {
                display_message: some(),
                comments: some(),
                authorization_code: some(),
                // The last digits of a card are not secret, and are searched for here.
                last_four: None,
                card: None,
                ..transaction()
            };
            let declined = Transaction {
                result: Some(TransactionResult::DECLINED),
                result_code: Some("012".into()),
                ..approved.clone()
            };
            let error =
                || Payload::Error(GatewayError { message: some(), result_code: some(), time_stamp: None });
            for (status, payload) in [
                (200, Payload::Transaction(Box::new(approved))),
                (402, Payload::Transaction(Box::new(declined))),
                (400, error()),
                (409, error()),
                (500, error()),
            ] {
                let reply = Reply { payload, payload_type: some(), ..Reply::default() };
                let mut answer = envelope(format, status, reply).unwrap();
                if let Ok(header) = echo.parse() {
                    answer.headers_mut().insert("x-echo", header);
                }
                let gateway = Gateway::script([Ok(answer)]);
                let outcome = gateway.client(format).transactions().sale(&charge()).await;
                let shown = printed(outcome.map(|sold| {
                    let headers: Vec<_> = sold.headers().iter().map(|(_, value)| value.clone()).collect();
                    (sold.clone(), sold.into_value(), headers)
                }));
                assert!(shown.contains("***"), "{format} {status} {spelling}: {shown}");
                assert!(!shown.contains(trace), "{format} {status} {spelling}: {shown}");
            }
        }
    }
}
