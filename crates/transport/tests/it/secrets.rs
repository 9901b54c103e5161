//! Secrets: no output shows a key, a card number or a body: of our types, of our spans, or of the stack below.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::Request;
use perennial_domain::clearent::ApiKey;
use perennial_domain::clientpay::AccessId;
use perennial_transport::testing::{Recording, Replaying, Scripted};
use perennial_transport::{
    Backoff, Call, Exchange, HyperExchange, Policy, Redactor, ReqwestExchange, RetryClass, Sender, TokioTime,
    auth, full_jitter,
};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::socket::Step::{Request as Whole, Reset, Say};
use crate::socket::{Certificate, Gateway, certificate};

const KEY: &str = "c4n4ry0123456789c4n4ry0123456789";
const CANARIES: [&str; 6] =
    [KEY, "4111111111111111", "4111 1111 1111 1111", "csc-c4n4ry", "Bartholomew", "cust_7"];

const ECHO: &str = concat!(
    "HTTP/1.1 500 Oops\r\napi-key: c4n4ry0123456789c4n4ry0123456789\r\nx-card: 4111 1111 1111 1111\r\n",
    "connection: close\r\ncontent-length: 73\r\n\r\n",
    r#"{"card":"4111111111111111","csc":"csc-c4n4ry","first-name":"Bartholomew"}"#
);

#[derive(Clone, Default)]
struct Printed(Arc<Mutex<String>>);

impl Printed {
    fn show(&self, value: &dyn Debug) {
        self.add(&format!("{value:?}\n{value:#?}\n"));
    }

    fn add(&self, text: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_str(text);
    }

    fn text(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn has_none_of_the_canaries(&self) {
        let printed = self.text();
        for canary in CANARIES {
            let found = printed.find(canary).map(|at| &printed[at.saturating_sub(200)..at + canary.len()]);
            assert_eq!(found, None, "{canary} was printed");
        }
    }
}

impl std::io::Write for Printed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.add(std::str::from_utf8(bytes).unwrap());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl log::Log for Printed {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        self.add(&format!("{} {}\n", record.target(), record.args()));
    }

    fn flush(&self) {}
}

fn call(sender: &Sender, url: &str, retry_class: RetryClass) -> Call {
    let id = AccessId::try_from(KEY).unwrap();
    let mut request = Request::post(format!("{url}/cust_7"));
    for (name, value) in
        [auth::api_key(&ApiKey::new(KEY).unwrap()), auth::access_id(&id), auth::authorization(&id)]
    {
        request = request.header(name, value);
    }
    let request = request
        .body(r#"{"card":"4111 1111 1111 1111","csc":"csc-c4n4ry","first-name":"Bartholomew"}"#.into())
        .unwrap();
    Call {
        request,
        route: "/rest/v2/customers/{customer-key}",
        retry_class,
        is_own: |_| true,
        deadline: sender.deadline_in(Duration::from_secs(30)),
    }
}

#[derive(Clone, Default)]
struct Fields(Arc<Mutex<BTreeSet<&'static str>>>);

impl Fields {
    fn note(&self, metadata: &'static tracing::Metadata<'static>) {
        if metadata.target().starts_with("perennial") {
            self.0.lock().unwrap().extend(metadata.fields().iter().map(|field| field.name()));
        }
    }
}

impl<S: tracing::Subscriber> Layer<S> for Fields {
    fn on_new_span(&self, span: &tracing::span::Attributes<'_>, _: &tracing::Id, _: Context<'_, S>) {
        self.note(span.metadata());
    }

    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        self.note(event.metadata());
    }
}

/// Prints all that calls over this exchange show and record.
async fn record(printed: &Printed, certificate: &Certificate, exchange: impl Exchange + Debug + 'static) {
    printed.show(&exchange);
    let recording = Arc::new(Recording::new(exchange, Redactor::new().secret(KEY)));
    let policy =
        Policy { backoff: Backoff { base: Duration::ZERO, cap: Duration::ZERO }, ..Policy::default() };
    let sender = Sender::with(recording.clone(), policy, Arc::new(TokioTime), full_jitter);
    printed.show(&sender);
    for script in
        [&[Whole, Say(ECHO)][..], &[Whole, Reset], &[Whole, Say("4111111111111111 csc-c4n4ry\r\n\r\n")]]
    {
        let plain = Gateway::start(script).await.url("http");
        let secured = Gateway::start_tls(script, certificate.acceptor.clone()).await.url("https");
        for (url, retry_class) in
            [(&plain, RetryClass::Safe), (&plain, RetryClass::Never), (&secured, RetryClass::Never)]
        {
            let call = call(&sender, url, retry_class);
            printed.show(&call);
            match sender.send(call).await {
                Ok(answer) => printed.show(&answer),
                Err(error) => {
                    printed.show(&error);
                    printed.add(&error.to_string());
                }
            }
        }
    }
    printed.show(&recording);
    let cassette = recording.cassette();
    assert_eq!(
        cassette.to_json().unwrap().matches("\"asked\"").count(),
        5,
        "every answered attempt is recorded"
    );
    let names = ["cust_7", "Bartholomew"].into_iter();
    printed
        .add(&names.fold(cassette.to_json().unwrap(), |json, name| json.replace(name, "(not secret here)")));
}

/// Holds: No `Debug` output, error, span, event or recording of the transport shows a key, a card number or a
/// security code, and spans have only listed fields.
#[tokio::test]
async fn no_canary_is_printed_and_no_field_that_is_not_allowed() {
    let (printed, fields) = (Printed::default(), Fields::default());
    log::set_boxed_logger(Box::new(printed.clone())).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    let writer = printed.clone();
    let text = tracing_subscriber::fmt::layer()
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
        .with_writer(move || writer.clone());
    let subscriber = tracing_subscriber::registry().with(text).with(fields.clone());
    tracing::subscriber::set_global_default(subscriber).unwrap();

    let certificate = certificate("127.0.0.1", 2000..2200);
    let builder = ReqwestExchange::builder().add_root_certificate(certificate.pem.clone());
    printed.show(&builder);
    record(&printed, &certificate, builder.build().unwrap()).await;
    let builder = HyperExchange::builder().add_root_certificate(certificate.pem.clone());
    printed.show(&builder);
    record(&printed, &certificate, builder.build().unwrap()).await;
    let scripted = Scripted::new([]);
    let sender = Sender::new(Arc::new(scripted));
    printed.show(&sender.send(call(&sender, "https://gateway.example", RetryClass::Safe)).await.unwrap_err());
    printed.show(&Replaying::new(perennial_transport::testing::Cassette::default()));
    printed.show(&Redactor::new().secret(KEY));

    assert!(printed.text().contains("maybe-sent"), "spans are captured");
    printed.has_none_of_the_canaries();
    let allowed = ["attempt", "delivery", "duration_ms", "message", "method", "route", "status", "wait_ms"];
    assert_eq!(*fields.0.lock().unwrap(), BTreeSet::from(allowed));
}
