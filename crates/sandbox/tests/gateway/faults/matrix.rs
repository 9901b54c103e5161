//! Every operation under every effect, in both formats: the client's view, and the resulting world.

use std::time::{Duration, Instant};

use perennial_sandbox::{Effect, Fault, RetryAfter, Sandbox, World};
use serde_json::Value as Json;

use super::{Saw, call};
use crate::client::{Client, YEAR};

type Call = (&'static str, &'static str, &'static str, &'static str, &'static str);

/// A call of each operation: its name, method, path and body in JSON and in XML. `{customer}` has a card and a plan,
/// `{lonely}` has neither; `{plan}` is active, `{idle}` never was; `{sale}` and `{auth}` are transactions of the open batch.
#[rustfmt::skip]
const CALLS: &[Call] = &[
    ("customers.create", "POST", "customers", r#"{"first-name":"Eve","last-name":"Moore"}"#, "<customer><first-name>Eve</first-name><last-name>Moore</last-name></customer>"),
    ("customers.search", "GET", "customers?page-size=2", "", ""),
    ("customers.get", "GET", "customers/{customer}", "", ""),
    ("customers.update", "PUT", "customers/{customer}", r#"{"comments":"tea"}"#, "<customer><comments>tea</comments></customer>"),
    ("customers.delete", "DELETE", "customers/{lonely}", "", ""),
    ("customer-tokens.attach", "POST", "customers/{lonely}/tokens", r#"{"token-id":"{token}","exp-date":"1230","card-type":"VISA","last-four-digits":"1111"}"#, "<customer-token><token-id>{token}</token-id><exp-date>1230</exp-date><card-type>VISA</card-type><last-four-digits>1111</last-four-digits></customer-token>"),
    ("customer-tokens.list", "GET", "customers/{customer}/tokens", "", ""),
    ("customer-tokens.update", "PUT", "customers/{customer}/tokens", r#"{"token-id":"{token}","description":"first"}"#, "<customer-token><token-id>{token}</token-id><description>first</description></customer-token>"),
    ("tokens.create", "POST", "tokens", r#"{"card":"4111111111111111","exp-date":"1230","csc":"999","description":"card"}"#, "<token><card>4111111111111111</card><exp-date>1230</exp-date><csc>999</csc><description>card</description></token>"),
    ("tokens.search", "GET", "tokens", "", ""),
    ("tokens.get", "GET", "tokens/{token}", "", ""),
    ("tokens.update", "PUT", "tokens/{token}", r#"{"description":"old card"}"#, "<token><description>old card</description></token>"),
    ("tokens.delete", "DELETE", "tokens/{token}", "", ""),
    ("plans.create", "POST", "payment-plans", r#"{"plan-name":"Gold","customer-key":"{customer}","token-id":"{token}","frequency":"MONTHLY","frequency-day":"20","start-date":"2027-01-01","end-date":"2027-12-31","payment-amount":"5.00"}"#, "<payment-plan><plan-name>Gold</plan-name><customer-key>{customer}</customer-key><token-id>{token}</token-id><frequency>MONTHLY</frequency><frequency-day>20</frequency-day><start-date>2027-01-01</start-date><end-date>2027-12-31</end-date><payment-amount>5.00</payment-amount></payment-plan>"),
    ("plans.search", "GET", "payment-plans", "", ""),
    ("plans.get", "GET", "payment-plans/{plan}", "", ""),
    ("plans.update", "PUT", "payment-plans/{plan}", r#"{"payment-amount":"75.00"}"#, "<payment-plan><payment-amount>75.00</payment-amount></payment-plan>"),
    ("plans.delete", "DELETE", "payment-plans/{idle}", "", ""),
    ("plans.expected-runs", "GET", "payment-plans/{plan}/expected-runs", "", ""),
    ("payments.list", "GET", "payments", "", ""),
    ("plans.forecast", "GET", "plan-forecast?start-date=2027-01-20&end-date=2027-06-30&frequency=MONTHLY&frequency-day=3", "", ""),
    ("transactions.sale", "POST", "transactions", r#"{"type":"SALE","card":"{token}","amount":"26.00"}"#, "<transaction><type>SALE</type><card>{token}</card><amount>26.00</amount></transaction>"),
    ("transactions.sale", "POST", "transactions/sale", r#"{"card":"4111111111111111","exp-date":"1230","csc":"999","amount":"27.00"}"#, "<transaction><card>4111111111111111</card><exp-date>1230</exp-date><csc>999</csc><amount>27.00</amount></transaction>"),
    ("transactions.sale", "POST", "transactions/forced-sale", r#"{"card":"{token}","amount":"28.00","authorization-code":"TAS123"}"#, "<transaction><card>{token}</card><amount>28.00</amount><authorization-code>TAS123</authorization-code></transaction>"),
    ("transactions.auth", "POST", "transactions/auth", r#"{"card":"{token}","amount":"29.00"}"#, "<transaction><card>{token}</card><amount>29.00</amount></transaction>"),
    ("transactions.capture", "POST", "transactions/capture", r#"{"id":"{auth}","amount":"9.00"}"#, "<transaction><id>{auth}</id><amount>9.00</amount></transaction>"),
    ("transactions.void", "POST", "transactions/void", r#"{"id":"{sale}"}"#, "<transaction><id>{sale}</id></transaction>"),
    ("transactions.refund", "POST", "transactions/refund", r#"{"id":"{sale}","amount":"5.00"}"#, "<transaction><id>{sale}</id><amount>5.00</amount></transaction>"),
    ("transactions.search", "GET", "transactions", "", ""),
    ("transactions.get", "GET", "transactions/{sale}", "", ""),
    ("transactions.update", "PUT", "transactions/{sale}", r#"{"tip-amount":"1.00"}"#, "<transaction><tip-amount>1.00</tip-amount></transaction>"),
    ("batches.list", "GET", "batches", "", ""),
    ("batches.open", "GET", "batches/open", "", ""),
    ("batches.settle", "PUT", "batches/open", "{}", "<batch/>"),
    ("avs-settings.get", "GET", "settings/terminal/avs", "", ""),
    ("avs-settings.update", "PUT", "settings/terminal/avs", r#"{"response-filters":{"response-filter":[{"name":"ADDRESS_AND_ZIP_DO_NOT_MATCH","allowed":false}]}}"#, "<avs-settings><response-filters><response-filter><name>ADDRESS_AND_ZIP_DO_NOT_MATCH</name><allowed>false</allowed></response-filter></response-filters></avs-settings>"),
    ("csc-settings.get", "GET", "settings/terminal/csc", "", ""),
    ("csc-settings.update", "PUT", "settings/terminal/csc", r#"{"response-filters":{"response-filter":[{"name":"CSC_NOT_MATCHED","allowed":false}]}}"#, "<csc-settings><response-filters><response-filter><name>CSC_NOT_MATCHED</name><allowed>false</allowed></response-filter></response-filters></csc-settings>"),
    ("duplicate-settings.get", "GET", "settings/transaction/duplicates", "", ""),
    ("duplicate-settings.update", "POST", "settings/transaction/duplicates", r#"{"time-range-in-minutes":5}"#, "<check-duplicate-transaction-settings><time-range-in-minutes>5</time-range-in-minutes></check-duplicate-transaction-settings>"),
];

/// The client's view of a call.
#[derive(Clone, Copy, Debug)]
enum Sees {
    /// The normal answer.
    Same,
    /// The answer to the second of two calls.
    Second,
    /// A closed connection.
    Nothing,
    /// An error of this status with this text.
    Error(u16, &'static str),
    /// The answer up to this byte.
    Start(usize),
    /// This page, whatever the call did.
    Page(&'static str),
    /// The answer, padded to at least this size.
    Long(usize),
}

/// The resulting world.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Becomes {
    /// The unchanged world.
    Before,
    /// The world after the call.
    Once,
    /// The world after the call, after a delay.
    OnceLater,
    /// The world after two calls.
    Twice,
}

fn effects() -> Vec<(Effect, Sees, Becomes)> {
    let (body, content_type) = ("<html>busy</html>", "text/html");
    vec![
        (Effect::ErrorBefore { status: 503 }, Sees::Error(503, "Service Unavailable"), Becomes::Before),
        (Effect::ErrorAfter { status: 500 }, Sees::Error(500, "Internal Server Error"), Becomes::Once),
        (Effect::DropReply, Sees::Nothing, Becomes::Once),
        (Effect::LateCommit { delay: Duration::from_millis(1) }, Sees::Nothing, Becomes::OnceLater),
        (Effect::Duplicate, Sees::Second, Becomes::Twice),
        (Effect::Delay { delay: Duration::from_millis(1) }, Sees::Same, Becomes::Once),
        (Effect::SlowBody { bytes_per_second: 1_000_000 }, Sees::Same, Becomes::Once),
        (Effect::CutReply { at_byte: 9 }, Sees::Start(9), Becomes::Once),
        (
            Effect::Garbage { body: body.into(), content_type: content_type.into() },
            Sees::Page(body),
            Becomes::Once,
        ),
        (
            Effect::RateLimit { retry_after: Some(RetryAfter::Seconds(2)) },
            Sees::Error(429, "Too Many Requests"),
            Becomes::Before,
        ),
        (Effect::HugeBody { bytes: 100_000 }, Sees::Long(100_000), Becomes::Once),
    ]
}

/// A filled world, and a client for it.
struct Bench {
    sandbox: Sandbox,
    world: World,
    client: Client,
    format: &'static str,
    names: Vec<(&'static str, String)>,
    /// The snapshot of the filled world.
    snapshot: String,
    before: String,
}

impl Bench {
    async fn of(format: &'static str) -> Self {
        let sandbox = Sandbox::start().await.unwrap();
        let world = sandbox.world(7).await.unwrap();
        let client = Client::with_key(&sandbox, world.api_key().expose());
        let (customer, token, plan) = client.subscriber().await;
        let lonely = client.customer().await;
        let idle = client.plan(&customer, &token, &format!(r#"{YEAR},"status":"SUSPENDED""#)).await;
        let charge = async |kind: &str, amount: &str| {
            let body = format!(r#"{{"card":"{token}","amount":"{amount}"}}"#);
            client
                .json("POST", &format!("/rest/v2/transactions/{kind}"), &body)
                .await
                .at("/payload/transaction/id")
        };
        let (sale, auth) = (charge("sale", "25.00").await, charge("auth", "9.00").await);
        let names = vec![
            ("customer", customer),
            ("token", token),
            ("plan", plan),
            ("lonely", lonely),
            ("idle", idle),
            ("sale", sale),
            ("auth", auth),
        ];
        let (snapshot, before) = (world.snapshot().await.unwrap(), world.state().await.unwrap());
        Self { sandbox, world, client, format, names, snapshot, before }
    }

    /// Restores the filled world, without faults.
    async fn again(&self) {
        self.world.restore(&self.snapshot).await.unwrap();
        self.world.clear_faults().await.unwrap();
    }

    async fn state(&self) -> String {
        self.world.state().await.unwrap()
    }

    async fn make(&self, (_, method, path, json, xml): Call) -> Saw {
        let fill = |text: &str| {
            let filled =
                |text: String, (name, key): &(&str, String)| text.replace(&format!("{{{name}}}"), key);
            self.names.iter().fold(text.to_owned(), filled)
        };
        let (path, body) = (fill(path), fill(if self.format == "json" { json } else { xml }));
        call(&self.sandbox, &self.client.key, self.format, method, &path, &body).await
    }

    /// Tests every operation under every effect that goes with all.
    async fn each(&self) {
        for row in CALLS {
            self.again().await;
            let (first, once) = (self.make(*row).await, self.state().await);
            let (second, twice) = (self.make(*row).await, self.state().await);
            assert!(matches!(first.status(), Some(200..=204)), "{row:?}: {first:?}");
            for (effect, sees, becomes) in effects() {
                let what = format!("{} {}, {effect:?}", row.1, row.2);
                self.again().await;
                let id = self.world.fault(&Fault::on(row.0, effect).nth(1)).await.unwrap();
                let saw = self.make(*row).await;
                self.compare(&saw, sees, &first, &second, &what);
                let expected = match becomes {
                    Becomes::Before => &self.before,
                    Becomes::Once | Becomes::OnceLater => &once,
                    Becomes::Twice => &twice,
                };
                let deadline = Instant::now() + Duration::from_secs(20);
                let mut state = self.state().await;
                while becomes == Becomes::OnceLater && state != *expected && Instant::now() < deadline {
                    tokio::task::yield_now().await;
                    state = self.state().await;
                }
                assert_eq!(&state, expected, "{what}");
                let log = self.client.control("GET", "requests?limit=1", "").await.json();
                let hit = (log[0]["fault"].as_str(), log[0]["operation"].as_str());
                assert_eq!(hit, (Some(&*id), Some(row.0)), "{what}");
                assert_eq!(log[0]["status"].as_u64(), saw.status().map(u64::from), "{what}");
            }
        }
    }

    fn compare(&self, saw: &Saw, sees: Sees, first: &Saw, second: &Saw, what: &str) {
        let context = format!("{what}: {saw:?}");
        match sees {
            Sees::Same => assert_eq!(saw, first, "{what}"),
            // It is one exchange; the second call is another one.
            Sees::Second => {
                assert_eq!(saw.status(), second.status(), "{what}");
                assert_eq!(without_exchange(saw.body()), without_exchange(second.body()), "{what}");
            }
            Sees::Nothing => assert_eq!(*saw, Saw::Nothing, "{what}"),
            Sees::Error(status, text) => {
                let (kind, message) = match self.format {
                    "json" => (r#""payloadType":"error""#.to_owned(), format!(r#""error-message":"{text}""#)),
                    _ => (
                        r#"<payload type="error">"#.to_owned(),
                        format!("<error-message>{text}</error-message>"),
                    ),
                };
                assert_eq!(saw.status(), Some(status), "{context}");
                assert!(saw.body().contains(&kind) && saw.body().contains(&message), "{context}");
                assert_eq!(
                    saw.header("content-type"),
                    Some(&*format!("application/{}", self.format)),
                    "{context}"
                );
            }
            Sees::Start(bytes) => {
                assert_eq!((saw.status(), saw.announced()), (first.status(), first.announced()), "{context}");
                assert_eq!(saw.body(), &first.body()[..bytes.min(first.body().len())], "{context}");
            }
            Sees::Page(page) => {
                assert_eq!((saw.status(), saw.body()), (Some(200), page), "{context}");
                assert_eq!(saw.header("content-type"), Some("text/html"), "{context}");
            }
            Sees::Long(bytes) => {
                let length = if first.body().is_empty() { 0 } else { bytes };
                assert_eq!((saw.status(), saw.body().len()), (first.status(), length), "{what}");
                assert_eq!(saw.body().trim_end(), first.body().trim_end(), "{what}");
            }
        }
    }

    /// Tests every read, after every write was called.
    async fn stale(&self) {
        for row in CALLS.iter().filter(|row| row.1 == "GET") {
            self.again().await;
            let first = self.make(*row).await;
            self.again().await;
            self.world.fault(&Fault::on(row.0, Effect::StaleRead)).await.unwrap();
            for written in CALLS.iter().filter(|row| matches!(row.1, "POST" | "PUT")) {
                let saw = self.make(*written).await;
                assert!(matches!(saw.status(), Some(200..=204 | 402)), "{written:?}: {saw:?}");
            }
            self.world.advance("P3M").await.unwrap();
            let after = self.state().await;
            let saw = self.make(*row).await;
            assert_eq!(saw.status(), first.status(), "{row:?}");
            assert_eq!(without_exchange(saw.body()), without_exchange(first.body()), "{row:?}");
            assert_eq!(self.state().await, after, "{row:?}");
        }
    }

    /// Tests every charge with a decline.
    async fn declined(&self) {
        let all = |state: &str| -> Vec<Json> {
            let state: Json = serde_json::from_str(state).unwrap();
            state["transactions"].as_array().unwrap().clone()
        };
        for row in CALLS.iter().filter(|row| matches!(row.0, "transactions.sale" | "transactions.auth")) {
            for (code, status, result, message) in [
                ("012", 402, "DECLINED", "Not Sufficient Funds"),
                ("009", 400, "ERROR", "Invalid Card Number"),
                ("057", 402, "DECLINED", "Card Issuer Timed Out"),
                ("049", 500, "ERROR", "No Response From Server"),
            ] {
                self.again().await;
                let effect = Effect::Decline { result_code: code.into() };
                self.world.fault(&Fault::on(row.0, effect).nth(1)).await.unwrap();
                let saw = self.make(*row).await;
                assert_eq!(saw.status(), Some(status), "{row:?}: {saw:?}");
                assert!(saw.body().contains("errorTransaction") && saw.body().contains(message), "{saw:?}");
                let (before, after) = (all(&self.before), all(&self.state().await));
                let [transaction] = &after[before.len()..] else { panic!("{row:?}: {after:?}") };
                assert_eq!(after[..before.len()], before, "{row:?}");
                let members =
                    ["result", "result-code", "display-message"].map(|member| transaction[member].as_str());
                assert_eq!(members, [Some(result), Some(code), Some(message)], "{row:?}");
                assert_eq!(
                    (transaction["batch"].as_str(), transaction["authorization-code"].as_str()),
                    (None, None),
                    "{row:?}"
                );
            }
        }
    }
}

/// An answer without its exchange id, which must occur once.
fn without_exchange(body: &str) -> String {
    let Some((before, rest)) = body.split_once("ID-clearent-") else { return body.to_owned() };
    let end = rest.find(['"', '<']).unwrap();
    format!("{before}{}", &rest[end..])
}

/// Holds: Each operation under each fault leaves the world that the fault promises, in JSON.
#[tokio::test]
async fn every_operation_under_every_effect_in_json() {
    Bench::of("json").await.each().await;
}

/// Holds: Each operation under each fault leaves the world that the fault promises, in XML.
#[tokio::test]
async fn every_operation_under_every_effect_in_xml() {
    Bench::of("xml").await.each().await;
}

/// Holds: Each read can return an earlier copy of the world.
#[tokio::test]
async fn every_read_can_be_stale() {
    for format in ["json", "xml"] {
        Bench::of(format).await.stale().await;
    }
}

/// Holds: Each charge can be declined with the result code of the fault.
#[tokio::test]
async fn every_charge_can_be_declined() {
    for format in ["json", "xml"] {
        Bench::of(format).await.declined().await;
    }
}

/// Holds: The matrix of operations and faults has all operations.
#[tokio::test]
async fn no_operation_is_missing() {
    let sandbox = Sandbox::start().await.unwrap();
    let document = Client::of(&sandbox).control("GET", "openapi.json", "").await.json();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys().filter(|key| *key != "parameters") {
            let is_called = CALLS.iter().any(|(_, verb, called, ..)| {
                let called = called.split('?').next().unwrap().split('/');
                let mut parts = path.trim_start_matches("/rest/v2").trim_start_matches('/').split('/');
                verb.eq_ignore_ascii_case(method)
                    && called.clone().count() == parts.clone().count()
                    && called
                        .zip(&mut parts)
                        .all(|(one, other)| one == other || one.starts_with('{') && other.starts_with('{'))
            });
            assert!(is_called, "{method} {path}");
        }
    }
}
