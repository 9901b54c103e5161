//! Webhooks: the messages to an endpoint, their times, and their retries.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use perennial_sandbox::{DeliveryOutcome, Effect, Fault, Sandbox, World, WorldError};
use perennial_wire::clearent::webhook::{Alert, PublicKey, Signed};
use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::client::{Client, YEAR};

const SALE: &str = r#"{"type":"SALE","card":"4111111111111111","exp-date":"1230","amount":"25.00"}"#;

/// A user's endpoint.
struct Endpoint(TcpListener);

/// A received message that waits for its answer.
struct Posted {
    stream: TcpStream,
    head: String,
    body: String,
}

impl Endpoint {
    async fn bind() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    fn url(&self) -> String {
        format!("http://{}/hook?of=perennial", self.0.local_addr().unwrap())
    }

    /// The next whole message.
    async fn posted(&self) -> Posted {
        let next = async {
            loop {
                let (mut stream, _) = self.0.accept().await.unwrap();
                let mut request = String::new();
                loop {
                    let mut some = [0; 4096];
                    let length = stream.read(&mut some).await.unwrap_or(0);
                    request.push_str(std::str::from_utf8(&some[..length]).unwrap());
                    if let Some((head, body)) = request.split_once("\r\n\r\n") {
                        let announced = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                        if announced.unwrap().parse() == Ok(body.len()) {
                            let (head, body) = (head.to_owned(), body.to_owned());
                            return Posted { stream, head, body };
                        }
                    }
                    if length == 0 {
                        break;
                    }
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(20), next).await.expect("something is posted")
    }

    /// Answers every message with the status that this returns, and keeps the bodies.
    fn answering(self, status: impl Fn(&Json) -> u16 + Send + 'static) -> Answering {
        let (bodies, posted) = std::sync::mpsc::channel();
        let task = tokio::spawn(async move {
            loop {
                let next = self.posted().await;
                let status = status(&next.json());
                bodies.send(next.body.clone()).unwrap();
                next.answer(status).await;
            }
        });
        Answering { task, posted }
    }
}

struct Answering {
    task: JoinHandle<()>,
    posted: std::sync::mpsc::Receiver<String>,
}

impl Answering {
    /// Messages since the last call.
    fn posted(&self) -> Vec<String> {
        self.posted.try_iter().collect()
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Posted {
    fn json(&self) -> Json {
        serde_json::from_str(&self.body).unwrap()
    }

    async fn answer(mut self, status: u16) {
        let answer = format!("HTTP/1.1 {status} So\r\nLocation: /elsewhere\r\nContent-Length: 2\r\n\r\nok");
        self.stream.write_all(answer.as_bytes()).await.unwrap();
    }
}

fn client_of(sandbox: &Sandbox, world: &World) -> Client {
    Client::with_key(sandbox, world.api_key().expose())
}

async fn key_of(world: &World) -> PublicKey {
    PublicKey::from_hex(&world.webhook_key().await.unwrap()).unwrap()
}

fn verified(body: &str, key: &PublicKey) -> Alert {
    Signed::read(body.as_bytes()).unwrap().verify(key).unwrap()
}

/// The deliveries of a world, oldest first: transaction, attempt, minutes since the first was due, status and outcome.
async fn deliveries(world: &World) -> Vec<String> {
    let mut deliveries = world.deliveries().await.unwrap();
    deliveries.reverse();
    let rows = deliveries.iter().map(|delivery| {
        let status = delivery.status.map_or("-".into(), |status| status.to_string());
        format!("{} {} {status} {}", delivery.id, delivery.due, delivery.outcome)
    });
    rows.collect()
}

/// Holds: Each transaction causes one signed alert, and alerts come in the order of the transactions.
#[tokio::test]
async fn every_transaction_is_reported_in_order_and_signed() {
    let sandbox = Sandbox::start().await.unwrap();
    let world = sandbox.world(7).await.unwrap();
    let client = client_of(&sandbox, &world);
    let endpoint = Endpoint::bind().await;
    world.webhook(&endpoint.url()).await.unwrap();
    let endpoint = endpoint.answering(|_| 200);
    let token = client.token(&client.customer().await).await;
    let id = |number: u32| 700_700 + number;
    let card = r#""card":"4111111111111111","exp-date":"1230""#;
    #[rustfmt::skip]
    let cases = [
        ("auth", format!(r#"{{{card},"amount":"25.00"}}"#), ["authorization", "transaction", "200"]),
        ("capture", format!(r#"{{"id":"{}","amount":"20.00"}}"#, id(1)), ["capture", "transaction", "200"]),
        ("sale", format!(r#"{{{card},"amount":"25.00","comments":"4111 1111 1111 1111"}}"#), ["sale", "transaction", "200"]),
        ("sale", format!(r#"{{{card},"amount":"25.00","create-token":"true"}}"#), ["sale", "transactionToken", "200"]),
        ("sale", format!(r#"{{"card":"{token}","exp-date":"1230","amount":"25.00"}}"#), ["sale", "transactionToken", "200"]),
        ("sale", format!(r#"{{{card},"amount":"0.21"}}"#), ["sale", "errorTransaction", "402"]),
        ("sale", format!(r#"{{{card},"amount":"0.14"}}"#), ["sale", "errorTransaction", "400"]),
        ("forced-sale", format!(r#"{{{card},"amount":"25.00","authorization-code":"APPC10"}}"#), ["forced sale", "transaction", "200"]),
        ("refund", format!(r#"{{"id":"{}","amount":"5.00"}}"#, id(3)), ["refund", "transaction", "200"]),
        ("refund", format!(r#"{{{card},"amount":"5.00"}}"#), ["unmatched refund", "transaction", "200"]),
        ("void", format!(r#"{{"id":"{}"}}"#, id(4)), ["void", "transaction", "200"]),
        ("auth", format!(r#"{{{card},"amount":"0.00","create-token":"true"}}"#), ["authorization", "transactionToken", "200"]),
    ];
    let mut answers = Vec::new();
    for (path, body, _) in &cases {
        let got = client.json("POST", &format!("/rest/v2/transactions/{path}"), body).await;
        assert!([200, 402, 400].contains(&got.status), "{path} {body}: {}", got.body);
        answers.push(got.json());
    }
    // There is no alert about a request that is refused before it becomes a transaction.
    let refused = client.json("POST", "/rest/v2/transactions/void", r#"{"id":"1"}"#).await;
    assert_eq!(refused.status, 402);
    world.advance("PT0S").await.unwrap();

    let mut deliveries = world.deliveries().await.unwrap();
    deliveries.reverse();
    let (posted, key) = (endpoint.posted(), key_of(&world).await);
    assert_eq!((posted.len(), deliveries.len()), (cases.len(), cases.len()));
    for ((number, body), ((delivery, answer), (path, _, [event, payload_type, code]))) in
        (1..).zip(&posted).zip(deliveries.iter().zip(&answers).zip(&cases))
    {
        let alert = verified(body, &key);
        let document: Json = serde_json::from_str(body).unwrap();
        let transaction = id(number).to_string();
        assert_eq!(alert.transaction.id.as_ref().unwrap().as_str(), transaction, "{path}");
        assert_eq!(document["code"], *code, "{path}");
        assert_eq!(alert.payload_type.as_deref(), Some(*payload_type), "{path}");
        assert_eq!(alert.token.is_some(), *payload_type == "transactionToken", "{path}");
        assert!(document["exchange-id"].as_str().unwrap().starts_with("ID-clearent-cgw-1-1798761600000-0-"));
        assert_eq!(
            (delivery.transaction_id.as_str(), delivery.event.as_str(), delivery.attempt, delivery.outcome),
            (transaction.as_str(), *event, 1, DeliveryOutcome::Delivered),
        );
        // The API returns the same data of the transaction.
        let mut answered = answer["payload"]["transaction"].clone();
        if answered.is_null() {
            continue;
        }
        if answered["comments"].is_string() {
            answered["comments"] = "**** **** **** 1111".into();
        }
        let mut telling = document["payload"]["transaction"].clone();
        for member in ["comments"] {
            if answered[member].is_string() {
                telling[member] = answered[member].clone();
                assert!(!body.contains("4111 1111 1111 1111"));
            }
        }
        assert_eq!(telling, answered, "{path}");
    }
}

#[tokio::test]
async fn what_is_posted_is_json_for_the_path_of_the_url() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let endpoint = Endpoint::bind().await;
    let set = client.control("PUT", "webhook", &json!({ "url": endpoint.url() }).to_string()).await;
    assert_eq!((set.status, set.at("/url")), (200, endpoint.url()));

    let sale = client.json("POST", "/rest/v2/transactions/sale", SALE).await;
    let posted = endpoint.posted().await;
    let (host, path) = (endpoint.0.local_addr().unwrap(), "/hook?of=perennial");
    let head: Vec<&str> = posted.head.lines().collect();
    let length = format!("content-length: {}", posted.body.len());
    let host = format!("host: {host}");
    let expected = [
        &*format!("POST {path} HTTP/1.1"),
        &*host,
        "content-type: application/json",
        "connection: close",
        &*length,
    ];
    assert_eq!(head, expected);
    // The response to the call was sent long before.
    assert_eq!(sale.status, 200);
    let webhook = client.control("GET", "webhook", "").await;
    assert_eq!(webhook.at("/deliveries/0/outcome"), "waiting");
    posted.answer(204).await;
    client.advance("PT0S").await;
    let webhook = client.control("GET", "webhook?limit=1", "").await;
    assert_eq!(
        webhook.json(),
        json!({
            "url": endpoint.url(),
            "public-key": set.at("/public-key"),
            "deliveries": [{
                "id": format!("{}-1", sale.at("/payload/transaction/id")),
                "transaction-id": sale.at("/payload/transaction/id"),
                "event": "sale",
                "attempt": 1,
                "due": webhook.at("/deliveries/0/due"),
                "status": 204,
                "outcome": "delivered",
            }],
        })
    );
}

/// Holds: An alert that the endpoint does not take is sent three times, by the world's clock.
#[tokio::test]
async fn what_is_not_taken_is_sent_three_times() {
    let sandbox = Sandbox::start().await.unwrap();
    let at = ["2027-01-01T00:00:00Z", "2027-01-01T00:01:00Z", "2027-01-01T00:06:00Z"];
    let cases: &[(&[u16], &[&str])] = &[
        (&[200], &["200 delivered"]),
        (&[201], &["201 delivered"]),
        (&[299], &["299 delivered"]),
        (&[302, 200], &["302 refused", "200 delivered"]),
        (&[400, 200], &["400 refused", "200 delivered"]),
        (&[401, 410, 200], &["401 refused", "410 refused", "200 delivered"]),
        (&[500, 503, 429], &["500 refused", "503 refused", "429 refused"]),
    ];
    for steps in [&["P1D"][..], &["PT30S", "PT30S", "PT4M59S", "PT1S", "P1D"], &["PT3M", "PT3M", "P1D"]] {
        for (statuses, expected) in cases {
            let world = sandbox.world(7).await.unwrap();
            let endpoint = Endpoint::bind().await;
            world.webhook(&endpoint.url()).await.unwrap();
            let script = Mutex::new(statuses.iter());
            let endpoint = endpoint.answering(move |_| *script.lock().unwrap().next().unwrap());
            let sale = client_of(&sandbox, &world).json("POST", "/rest/v2/transactions/sale", SALE).await;
            assert_eq!(sale.status, 200);
            world.advance("PT0S").await.unwrap();
            assert_eq!(endpoint.posted().len(), 1);
            for step in steps {
                world.advance(step).await.unwrap();
            }
            let expected: Vec<_> = (1..)
                .zip(at.iter().zip(*expected))
                .map(|(attempt, (at, came))| format!("700701-{attempt} {at} {came}"))
                .collect();
            assert_eq!(deliveries(&world).await, expected, "{statuses:?} {steps:?}");
            assert_eq!(endpoint.posted().len() + 1, statuses.len());
        }
    }
}

#[tokio::test]
async fn nobody_listens() {
    let sandbox = Sandbox::start().await.unwrap();
    let world = sandbox.world(7).await.unwrap();
    let gone = Endpoint::bind().await.url();
    world.webhook(&gone).await.unwrap();
    client_of(&sandbox, &world).json("POST", "/rest/v2/transactions/sale", SALE).await;
    world.advance("P1D").await.unwrap();
    let expected = [
        "700701-1 2027-01-01T00:00:00Z - unreachable",
        "700701-2 2027-01-01T00:01:00Z - unreachable",
        "700701-3 2027-01-01T00:06:00Z - unreachable",
    ];
    assert_eq!(deliveries(&world).await, expected);
}

/// Holds: An endpoint gets the alert of a payment before the engine makes the next payment.
#[tokio::test]
async fn an_endpoint_hears_of_a_payment_before_the_next_is_made() {
    let sandbox = Sandbox::start().await.unwrap();
    let world = sandbox.world(7).await.unwrap();
    let client = client_of(&sandbox, &world);
    let (customer, token, plan) = client.subscriber().await;
    let declined = YEAR.replace("50.00", "0.21").replace(r#""15""#, r#""20""#);
    let declined = client.plan(&customer, &token, &declined).await;
    let (endpoint, key) = (Endpoint::bind().await, key_of(&world).await);
    world.webhook(&endpoint.url()).await.unwrap();

    // A user who suspends a plan at its first decline is in time, even if the clock moves far at once.
    let answering = async {
        let mut received = Vec::new();
        while received.len() < 13 {
            let posted = endpoint.posted().await;
            let alert = verified(&posted.body, &key);
            let now = client.control("GET", "clock", "").await.at("/now");
            if alert.transaction.decline().is_some() {
                let path = format!("/rest/v2/payment-plans/{}", alert.transaction.plan_key().unwrap());
                let got = client.json("PUT", &path, r#"{"status":"SUSPENDED"}"#).await;
                assert_eq!(got.status, 200, "{}", got.body);
            }
            let exchange = alert.unsigned.exchange_id.unwrap();
            assert!(exchange.starts_with("ID-clearent-cre-2-"), "{exchange}");
            assert_eq!(alert.token.unwrap().token_id.unwrap().as_str(), token);
            received.push((now, alert.transaction.plan_key().unwrap().to_string()));
            posted.answer(200).await;
        }
        received
    };
    let (fired, received) = tokio::join!(world.advance("P2Y"), answering);
    assert_eq!((fired.unwrap().fired, received.len()), (13, 13));
    let mut expected: Vec<_> =
        (1..=12).map(|month| (format!("2027-{month:02}-15T10:00:00Z"), plan.clone())).collect();
    expected.insert(1, ("2027-01-20T10:00:00Z".into(), declined));
    assert_eq!(received, expected);
}

/// Holds: One jump of the clock delivers the same alerts as many steps.
#[tokio::test]
async fn one_jump_equals_many_steps() {
    let sandbox = Sandbox::start().await.unwrap();
    // Some are accepted at once, some later and some never, depending on their content.
    let endpoint = Endpoint::bind().await;
    let url = endpoint.url();
    let seen = Arc::new(Mutex::new(HashMap::<u64, u64>::new()));
    let ours = seen.clone();
    let endpoint = endpoint.answering(move |alert| {
        let id = alert["payload"]["transaction"]["id"].as_str().unwrap().parse().unwrap();
        let mut seen = ours.lock().unwrap();
        let count = seen.entry(id).or_default();
        *count += 1;
        if id % 5 < *count { 200 } else { 503 }
    });
    let mut results = Vec::new();
    for steps in [vec!["P5M"], vec!["P1M"; 5], vec!["P14D", "PT10H", "PT30S", "PT30S", "PT5M", "P4M"]] {
        seen.lock().unwrap().clear();
        let world = sandbox.world(7).await.unwrap();
        let client = client_of(&sandbox, &world);
        let (customer, token, _) = client.subscriber().await;
        client.plan(&customer, &token, YEAR).await;
        client.plan(&customer, &token, &YEAR.replace("50.00", "0.21")).await;
        world.webhook(&url).await.unwrap();
        for step in steps {
            world.advance(step).await.unwrap();
        }
        world.advance_to("2027-07-01").await.unwrap();
        let deliveries = deliveries(&world).await;
        assert!(deliveries.len() > 30, "{deliveries:?}");
        results.push((deliveries, world.state().await.unwrap(), endpoint.posted()));
    }
    for (deliveries, state, posted) in &results[1..] {
        assert_eq!(deliveries, &results[0].0);
        assert!((state, posted) == (&results[0].1, &results[0].2));
    }
}

/// Holds: An alert that was not delivered is delivered after the next start.
#[tokio::test]
async fn what_was_not_delivered_is_after_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sandbox.db");
    let start = || Sandbox::builder().database(&path).start();
    let endpoint = Endpoint::bind().await;
    let sandbox = start().await.unwrap();
    let client = Client::of(&sandbox);
    client.control("PUT", "webhook", &json!({ "url": endpoint.url() }).to_string()).await;
    let sale = client.json("POST", "/rest/v2/transactions/sale", SALE).await;
    let first = endpoint.posted().await;
    sandbox.stop().await;

    let sandbox = start().await.unwrap();
    let again = endpoint.posted().await;
    assert_eq!(again.json()["payload"]["transaction"]["id"], sale.at("/payload/transaction/id"));
    assert_eq!(again.body, first.body);
    again.answer(200).await;
    let client = Client::of(&sandbox);
    client.advance("P1D").await;
    let webhook = client.control("GET", "webhook", "").await.json();
    let outcomes: Vec<_> =
        webhook["deliveries"].as_array().unwrap().iter().map(|delivery| &delivery["outcome"]).collect();
    assert_eq!(outcomes, ["delivered"]);
}

#[tokio::test]
async fn a_dropped_sandbox_posts_no_more() {
    let endpoint = Endpoint::bind().await;
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    client.control("PUT", "webhook", &json!({ "url": endpoint.url() }).to_string()).await;
    for _ in 0..2 {
        client.json("POST", "/rest/v2/transactions/sale", SALE).await;
    }
    let mut posted = endpoint.posted().await;
    drop(sandbox);
    let mut rest = Vec::new();
    assert_eq!(posted.stream.read_to_end(&mut rest).await.unwrap_or(0), 0);
}

#[tokio::test]
async fn a_clock_that_runs_delivers_by_itself() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let (_, _, plan) = client.subscriber().await;
    let endpoint = Endpoint::bind().await;
    client.control("PUT", "webhook", &json!({ "url": endpoint.url() }).to_string()).await;
    client.control("POST", "clock", r#"{"set":"2027-01-15T09:59:59.700Z"}"#).await;
    client.control("POST", "clock", r#"{"mode":"running"}"#).await;
    let posted = endpoint.posted().await;
    assert_eq!(posted.json()["payload"]["transaction"]["order-id"], plan);
    posted.answer(500).await;
    // The second attempt is a minute later, by a clock that may move in the meantime.
    let (moved, again) = tokio::join!(client.control("POST", "clock", r#"{"advance":"PT1M"}"#), async {
        let again = endpoint.posted().await;
        let body = again.body.clone();
        again.answer(200).await;
        body
    });
    assert_eq!(moved.status, 200);
    assert!(again.contains(&plan));
}

#[tokio::test]
async fn a_webhook_is_a_part_of_its_world() {
    let sandbox = Sandbox::start().await.unwrap();
    let (world, other) = (sandbox.world(7).await.unwrap(), sandbox.world(8).await.unwrap());
    assert_ne!(world.webhook_key().await.unwrap(), other.webhook_key().await.unwrap());
    let client = client_of(&sandbox, &world);
    let endpoint = Endpoint::bind().await;
    world.webhook(&endpoint.url()).await.unwrap();
    let endpoint = endpoint.answering(|_| 500);
    let id = world.snapshot().await.unwrap();
    client.json("POST", "/rest/v2/transactions/sale", SALE).await;
    client_of(&sandbox, &other).json("POST", "/rest/v2/transactions/sale", SALE).await;
    world.advance("P1D").await.unwrap();
    let first = endpoint.posted();
    assert_eq!((first.len(), world.deliveries().await.unwrap().len()), (3, 3));
    assert_eq!(other.deliveries().await.unwrap(), []);

    // Events after a restore are the same as without it, byte by byte.
    world.restore(&id).await.unwrap();
    assert_eq!(world.deliveries().await.unwrap(), []);
    client.json("POST", "/rest/v2/transactions/sale", SALE).await;
    world.advance("PT1M").await.unwrap();
    assert_eq!(endpoint.posted(), first[..2]);

    // After its removal, waiting alerts are dropped, and the endpoint gets no more.
    world.remove_webhook().await.unwrap();
    client.json("POST", "/rest/v2/transactions/sale", SALE).await;
    world.advance("P1D").await.unwrap();
    assert!(endpoint.posted().is_empty());
    let abandoned = "700701-3 2027-01-01T00:06:00Z - abandoned";
    assert_eq!(deliveries(&world).await.last().unwrap(), abandoned);
    world.reset().await.unwrap();
    assert_eq!(world.deliveries().await.unwrap(), []);
    let webhook = client.control("GET", "webhook", "").await.json();
    assert_eq!(webhook, json!({ "public-key": world.webhook_key().await.unwrap(), "deliveries": [] }));
}

#[tokio::test]
async fn the_same_seed_gives_the_same_bytes() {
    let mut results = Vec::new();
    for _ in 0..2 {
        let sandbox = Sandbox::start().await.unwrap();
        let world = sandbox.world(7).await.unwrap();
        let client = client_of(&sandbox, &world);
        let endpoint = Endpoint::bind().await;
        world.webhook(&endpoint.url()).await.unwrap();
        let endpoint = endpoint.answering(|_| 200);
        client.json("POST", "/rest/v2/transactions/sale", SALE).await;
        client.subscriber().await;
        world.advance("P2M").await.unwrap();
        results.push((endpoint.posted(), world.webhook_key().await.unwrap()));
    }
    assert_eq!((results[0].0.len(), &results[0]), (3, &results[1]));
}

/// Holds: A webhook's endpoint is a literal address of this machine; a wrong request is refused by member and
/// changes nothing.
#[tokio::test]
async fn what_is_wrong_is_named_and_changes_nothing() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let good = "http://127.0.0.1:9/hook";
    let set = client.control("PUT", "webhook", &json!({ "url": good }).to_string()).await;
    assert_eq!(set.status, 200, "{}", set.body);
    let before = client.state().await;
    let loopback = "url: must name the loopback by its address, as in 127.0.0.1 or [::1]";
    let malformed = "url: must be a URL of at most 2000 bytes such as http://127.0.0.1:9000/hook, without user, password and \
                     fragment";
    let cases = [
        ("", "url: is required"),
        ("{}", "url: is required"),
        (r#"{"url":null}"#, "url: is required"),
        (r#"{"url":7}"#, "url: must be text"),
        ("[]", "the body: must be a JSON object"),
        (
            r#"{"url":"http://127.0.0.1:9/","to":"x"}"#,
            "the body: has the member to, which is not known here; there is url",
        ),
        (r#"{"url":"https://127.0.0.1:9/"}"#, "url: must begin with http://"),
        (r#"{"url":"http://localhost:9/"}"#, loopback),
        (r#"{"url":"http://10.0.0.1:9/"}"#, loopback),
        (r#"{"url":"http://127.0.0.1.example.com/"}"#, loopback),
        (r#"{"url":"http://user:word@127.0.0.1:9/"}"#, malformed),
        (r#"{"url":"http://127.0.0.1:9/#a"}"#, malformed),
        (r#"{"url":""}"#, malformed),
    ];
    for (body, says) in cases {
        let got = client.control("PUT", "webhook", body).await;
        assert_eq!((got.status, got.at("/error").as_str()), (400, says), "{body}");
    }
    let got = client.control("GET", "webhook?limit=0", "").await;
    assert_eq!((got.status, got.at("/error")), (400, "limit: must be a number from 1 to 500".into()));
    assert_eq!(client.control("POST", "webhook", "").await.status, 405);
    assert_eq!(client.control("GET", "webhook/1", "").await.status, 404);
    for method in ["GET", "PUT", "DELETE"] {
        assert_eq!(client.send(method, "/_sandbox/webhook", &[], "").await.status, 401, "{method}");
    }
    assert_eq!(
        (client.state().await, client.control("GET", "webhook", "").await.at("/url")),
        (before, good.into())
    );
    assert_eq!(client.control("DELETE", "webhook", "").await.status, 204);
    assert_eq!(client.control("GET", "webhook", "").await.json().get("url"), None);

    let world = sandbox.world(7).await.unwrap();
    let error = world.webhook("http://localhost:9/").await.unwrap_err();
    assert!(matches!(error, WorldError::Webhook(_)));
    assert_eq!(error.to_string(), "the URL must name the loopback by its address, as in 127.0.0.1 or [::1]");
}

/// The months of the payments of one plan, in the order in which their alerts are posted.
#[tokio::test]
async fn one_plan_alone_has_alerts_in_the_wrong_order() {
    let sandbox = Sandbox::start().await.unwrap();
    let reorder = || Fault::on("webhooks.deliver", Effect::Reorder);
    let cases = [
        (reorder().nth(1), "02 01 03 04"),
        (reorder().nth(2).times(1), "01 03 02 04"),
        (reorder(), "02 01 04 03"),
        // No payment comes after the last one, so its alert is 40 days late, but is sent.
        (reorder().nth(4), "01 02 03 04"),
    ];
    for (fault, expected) in cases {
        for steps in [&["P6M"][..], &["P1M"; 6]] {
            let world = sandbox.world(7).await.unwrap();
            let client = client_of(&sandbox, &world);
            let (_, _, plan) = client.subscriber().await;
            let ends = r#"{"end-date":"2027-04-30"}"#;
            client.json("PUT", &format!("/rest/v2/payment-plans/{plan}"), ends).await;
            world.fault(&fault).await.unwrap();
            let endpoint = Endpoint::bind().await;
            world.webhook(&endpoint.url()).await.unwrap();
            let endpoint = endpoint.answering(|_| 200);
            for step in steps {
                world.advance(step).await.unwrap();
            }
            let month = |body: &String| {
                let alert: Json = serde_json::from_str(body).unwrap();
                alert["payload"]["transaction"]["created"].as_str().unwrap()[5..7].to_owned()
            };
            let posted: Vec<_> = endpoint.posted().iter().map(month).collect();
            assert_eq!(posted.join(" "), expected, "{fault:?} {steps:?}");
        }
    }
}

/// Messages for three successive sales, by the last digits of their ids, and the results of their deliveries, under
/// this fault; the second sale has an invoice `inv-2`. The endpoint refuses the first message.
#[tokio::test]
async fn deliveries_go_wrong_on_purpose() {
    let sandbox = Sandbox::start().await.unwrap();
    let duplicate = || Effect::Duplicate;
    let late = |delay: &str| Effect::Late { delay: delay.to_owned() };
    let on = |effect| Fault::on("webhooks.deliver", effect);
    let cases: &[(&str, Option<Fault>, &str, &str)] = &[
        ("nothing", None, "1 2 3 1", "1-1 00:00 2-1 00:00 3-1 00:00 1-2 01:00"),
        ("every", Some(on(duplicate())), "1 1 2 2 3 3", "1-1 00:00! 2-1 00:00! 3-1 00:00!"),
        ("the second", Some(on(duplicate()).nth(2)), "1 2 2 3 1", "1-1 00:00 2-1 00:00! 3-1 00:00 1-2 01:00"),
        ("the last", Some(on(duplicate()).nth(4)), "1 2 3 1 1", "1-1 00:00 2-1 00:00 3-1 00:00 1-2 01:00!"),
        (
            "an invoice",
            Some(on(duplicate()).key("inv-2")),
            "1 2 2 3 1",
            "1-1 00:00 2-1 00:00! 3-1 00:00 1-2 01:00",
        ),
        (
            "an id",
            Some(on(duplicate()).key("700703")),
            "1 2 3 3 1",
            "1-1 00:00 2-1 00:00 3-1 00:00! 1-2 01:00",
        ),
        ("no id", Some(on(duplicate()).key("70070")), "1 2 3 1", "1-1 00:00 2-1 00:00 3-1 00:00 1-2 01:00"),
        (
            "calls",
            Some(Fault::on("*", duplicate()).key("700703")),
            "1 2 3 1",
            "1-1 00:00 2-1 00:00 3-1 00:00 1-2 01:00",
        ),
        ("swap", Some(on(Effect::Reorder).nth(1)), "2 1 3 2", "1-1 00:00! 2-1 00:00 3-1 00:00 2-2 01:00"),
        (
            "swap last",
            Some(on(Effect::Reorder).nth(3)),
            "1 2 1 3",
            "1-1 00:00 2-1 00:00 1-2 01:00 3-1 +40 00:00!",
        ),
        // The third alert does not wait for the second attempt of the second one.
        ("swap all", Some(on(Effect::Reorder)), "2 1 2 3", "1-1 00:00! 2-1 00:00! 2-2 01:00! 3-1 +40 00:00!"),
        ("late", Some(on(late("PT90S")).nth(2)), "1 3 1 2", "1-1 00:00 3-1 00:00 1-2 01:00 2-1 01:30!"),
        ("not late", Some(on(late("PT0S")).nth(2)), "1 2 3 1", "1-1 00:00 2-1 00:00! 3-1 00:00 1-2 01:00"),
    ];
    for steps in [&["PT1H", "P40D"][..], &["PT30S", "PT30S", "PT29S", "PT1S", "PT2M", "PT1H", "P40D"]] {
        for (name, fault, expected, became) in cases {
            let world = sandbox.world(7).await.unwrap();
            let client = client_of(&sandbox, &world);
            if let Some(fault) = fault {
                world.fault(fault).await.unwrap();
            }
            let endpoint = Endpoint::bind().await;
            world.webhook(&endpoint.url()).await.unwrap();
            let first = Mutex::new(true);
            let endpoint = endpoint
                .answering(move |_| if std::mem::take(&mut *first.lock().unwrap()) { 500 } else { 200 });
            for number in 1..=3 {
                let sale = SALE.replace('{', &format!(r#"{{"invoice":"inv-{number}","#));
                client.json("POST", "/rest/v2/transactions/sale", &sale).await;
            }
            world.advance("PT0S").await.unwrap();
            for step in steps {
                world.advance(step).await.unwrap();
            }
            let id = |body: &String| {
                let alert: Json = serde_json::from_str(body).unwrap();
                alert["payload"]["transaction"]["id"].as_str().unwrap()[5..].to_owned()
            };
            let posted: Vec<_> = endpoint.posted().iter().map(id).collect();
            assert_eq!(posted.join(" "), *expected, "{name} {steps:?}");
            let mut deliveries = world.deliveries().await.unwrap();
            deliveries.reverse();
            let rows: Vec<_> = deliveries
                .iter()
                .map(|delivery| {
                    let met = if delivery.fault.is_some() { "!" } else { "" };
                    let due = delivery.due.to_string();
                    let days = if due.starts_with("2027-01-01") { "" } else { "+40 " };
                    format!("{} {days}{}{met}", &delivery.id[5..], &due[14..19])
                })
                .collect();
            assert_eq!(rows.join(" "), *became, "{name} {steps:?}");
        }
    }
}
