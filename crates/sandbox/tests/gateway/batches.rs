//! Batches: their transactions, their settlement by request, and their automatic settlement.

use perennial_sandbox::{Sandbox, WorldOptions};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value as Json;

use crate::client::{Client, Got, YEAR, for_ever, runtime};

const CARD: &str = r#""card":"4111111111111111","exp-date":"1230""#;

impl Client {
    async fn charge(&self, kind: &str, members: &str) -> String {
        let got = self
            .json("POST", &format!("/rest/v2/transactions/{kind}"), &format!("{{{CARD},{members}}}"))
            .await;
        assert_eq!(got.status, 200, "{}", got.body);
        got.at("/payload/transaction/id")
    }

    async fn follow(&self, kind: &str, id: &str, members: &str) -> Got {
        let body = format!(r#"{{"id":"{id}"{members}}}"#);
        self.json("POST", &format!("/rest/v2/transactions/{kind}"), &body).await
    }

    async fn settle(&self, body: &str) -> Got {
        self.json("PUT", "/rest/v2/batches/open", body).await
    }

    async fn stored(&self, id: &str) -> [String; 5] {
        let got = self.json("GET", &format!("/rest/v2/transactions/{id}"), "").await;
        ["batch-string-id", "pending", "settled", "voided", "voided-auth"]
            .map(|member| got.at(&format!("/payload/transaction/{member}")))
    }
}

fn figures(got: &Got) -> [String; 6] {
    ["sales-count", "sales-total", "refund-count", "refund-total", "total-count", "net-amount"]
        .map(|member| got.at(&format!("/payload/batch/{member}")))
}

#[tokio::test]
async fn what_is_in_a_batch() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let none = client.json("GET", "/rest/v2/batches/open", "").await;
    assert_eq!((none.status, none.body.as_str()), (204, ""));
    assert_eq!(client.json("GET", "/rest/v2/batches", "").await.status, 204);

    let declined = format!(r#"{{{CARD},"amount":"0.21"}}"#);
    client.json("POST", "/rest/v2/transactions/sale", &declined).await;
    let auth = client.charge("auth", r#""amount":"40.00""#).await;
    // Neither moves money.
    assert_eq!(client.json("GET", "/rest/v2/batches/open", "").await.status, 204);
    assert_eq!(client.stored(&auth).await, ["", "true", "false", "false", "false"]);

    let sale = client.charge("sale", r#""amount":"10.00","tip-amount":"1.50""#).await;
    let voided = client.charge("sale", r#""amount":"99.00""#).await;
    client.follow("void", &voided, "").await;
    let capture = client.follow("capture", &auth, r#","amount":"30.00""#).await.at("/payload/transaction/id");
    client.follow("refund", &sale, r#","amount":"11.50""#).await;
    client.charge("refund", r#""amount":"35.05""#).await;

    let open = client.json("GET", "/rest/v2/batches/open", "").await;
    let at = |member: &str| open.at(&format!("/payload/batch/{member}"));
    assert_eq!(figures(&open), ["2", "41.50", "2", "46.55", "4", "-5.05"]);
    assert_eq!(
        [at("id"), at("status"), at("date-opened"), at("terminal-name"), at("settled")],
        ["1", "OPEN", "2027-01-01T00:00:00.000Z", "Terminal 1", ""]
    );
    assert_eq!((at("merchant-id").len(), at("terminal-id").len()), (12, 8));
    for (id, expected) in [
        (&auth, ["", "false", "false", "false", "false"]),
        (&sale, ["000001", "false", "false", "false", "false"]),
        (&voided, ["000001", "false", "false", "true", "false"]),
        (&capture, ["000001", "false", "false", "false", "false"]),
    ] {
        assert_eq!(client.stored(id).await, expected, "{id}");
    }
}

/// Holds: A settlement by request settles the batch that the caller saw, or nothing.
#[tokio::test]
async fn settling_by_request() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let sale = client.charge("sale", r#""amount":"10.00""#).await;
    let voided = client.charge("sale", r#""amount":"7.00""#).await;
    let auth = client.charge("auth", r#""amount":"5.00""#).await;
    client.follow("void", &voided, "").await;
    #[rustfmt::skip]
    let rows = [
        (r#"{"total-count":"2","net-amount":"10.00"}"#, 402, "038", "the open batch does not come to this: total-count"),
        (r#"{"total-count":"1","net-amount":"17.00"}"#, 402, "038", "the open batch does not come to this: net-amount"),
        (r#"{"total-count":"0","net-amount":"-10.00"}"#, 402, "038", "the open batch does not come to this: total-count, net-amount"),
        (r#"{"total-count":"one","net-amount":"1e1"}"#, 400, "041", "total-count: must be a whole number from 0; net-amount: must be digits with at most two decimals, such as 50.00"),
        (r#"{"total-count":1,"net-amount":10.00}"#, 200, "", ""),
        (r#"{"total-count":"1","net-amount":"10.00"}"#, 402, "040", "No Opened Batch"),
        ("", 402, "040", "No Opened Batch"),
    ];
    for (body, status, code, message) in rows {
        let got = client.settle(body).await;
        let error = |member: &str| got.at(&format!("/payload/error/{member}"));
        assert_eq!(
            (got.status, error("result-code").as_str(), error("error-message").as_str()),
            (status, code, message),
            "{body}"
        );
        if status == 200 {
            let at = |member: &str| got.at(&format!("/payload/batch/{member}"));
            assert_eq!([at("status"), at("settled")], ["CLOSED", "2027-01-01T00:00:00.000Z"]);
            assert_eq!(at("confirmation-code").len(), 8);
        }
    }
    // A settled transaction can be refunded but not voided; an authorization is in no batch.
    let refused = client.follow("void", &sale, "").await;
    assert_eq!(
        (refused.status, refused.at("/payload/error/error-message").as_str()),
        (402, "the batch of the transaction is closed: refund it")
    );
    assert_eq!(client.stored(&sale).await, ["000001", "false", "true", "false", "false"]);
    assert_eq!(client.follow("refund", &sale, r#","amount":"4.00""#).await.status, 200);
    assert_eq!(client.follow("void", &auth, "").await.status, 200);
    assert_eq!(client.stored(&auth).await, ["", "false", "false", "true", "true"]);
    let open = client.json("GET", "/rest/v2/batches/open", "").await;
    assert_eq!((open.at("/payload/batch/id").as_str(), figures(&open)[5].as_str()), ("2", "-4.00"));

    for (query, ids) in [
        ("", &["2", "1"][..]),
        ("?status=OPEN", &["2"]),
        ("?status=closed", &["1"]),
        ("?isDescending=false&page-size=1", &["1"]),
    ] {
        let got = client.json("GET", &format!("/rest/v2/batches{query}"), "").await;
        let batches = got.json().pointer("/payload/batches/batch").cloned().unwrap();
        let found: Vec<&str> =
            batches.as_array().unwrap().iter().filter_map(|batch| batch["id"].as_str()).collect();
        assert_eq!(found, ids, "{query}");
    }
    assert_eq!(client.json("GET", "/rest/v2/batches?status=PENDING", "").await.status, 204);
    assert_eq!(client.json("GET", "/rest/v2/batches?status=SHUT", "").await.status, 400);
    // Without a body, no figures are expected.
    assert_eq!(client.settle("").await.status, 200);
}

#[tokio::test]
async fn a_capture_that_is_voided_can_be_made_again() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let auth = client.charge("auth", r#""amount":"5.00""#).await;
    for pending in ["true", "false"] {
        let capture = client.follow("capture", &auth, r#","amount":"5.00""#).await;
        assert_eq!(client.stored(&auth).await[1], "false");
        if pending == "true" {
            client.follow("void", &capture.at("/payload/transaction/id"), "").await;
        }
        assert_eq!(client.stored(&auth).await[1], pending);
    }
}

#[tokio::test]
async fn a_tip_is_adjusted_until_the_batch_is_settled() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let sale = client.charge("sale", r#""amount":"10.00","tip-amount":"1.00""#).await;
    let (auth, voided, refunded) = (
        client.charge("auth", r#""amount":"10.00""#).await,
        client.charge("sale", r#""amount":"10.00""#).await,
        client.charge("sale", r#""amount":"10.00""#).await,
    );
    client.follow("void", &voided, "").await;
    client.follow("refund", &refunded, r#","amount":"0.50""#).await;
    #[rustfmt::skip]
    let rows = [
        (sale.as_str(), r#"{"tip-amount":"2.50"}"#, 200, "", "22.00"),
        (sale.as_str(), r#"{"tip-amount":"0.00"}"#, 200, "", "19.50"),
        (sale.as_str(), r#"{"tip-amount":"0.08"}"#, 200, "", "19.58"),
        (sale.as_str(), r#"{"tip-amount":"0.1"}"#, 400, "tip-amount: must be digits with exactly two decimals, such as 50.00", "19.58"),
        (sale.as_str(), "{}", 400, "tip-amount: is required", "19.58"),
        (auth.as_str(), r#"{"tip-amount":"1.00"}"#, 402, "Original Not Found", "19.58"),
        (voided.as_str(), r#"{"tip-amount":"1.00"}"#, 402, "Previously Reversed", "19.58"),
        (refunded.as_str(), r#"{"tip-amount":"1.00"}"#, 402, "the transaction is refunded already", "19.58"),
        ("1", r#"{"tip-amount":"1.00"}"#, 404, "Object not found", "19.58"),
    ];
    for (id, body, status, message, net) in rows {
        let got = client.json("PUT", &format!("/rest/v2/transactions/{id}"), body).await;
        assert_eq!(
            (got.status, got.at("/payload/error/error-message")),
            (status, message.to_owned()),
            "{body}"
        );
        let open = client.json("GET", "/rest/v2/batches/open", "").await;
        assert_eq!(figures(&open)[5], net, "{id} {body}");
    }
    client.settle("").await;
    let late = client.json("PUT", &format!("/rest/v2/transactions/{sale}"), r#"{"tip-amount":"1.00"}"#).await;
    assert_eq!(
        (late.status, late.at("/payload/error/error-message").as_str()),
        (402, "the batch of the transaction is closed")
    );
}

/// Holds: An open batch is settled at 22:00 UTC.
#[tokio::test]
async fn batches_are_settled_at_22_utc() {
    let cases = [
        ("2027-01-01T00:00:00Z", "2027-01-01T22:00:00.000Z"),
        ("2027-01-01T21:59:59Z", "2027-01-01T22:00:00.000Z"),
        ("2027-01-01T22:00:00Z", "2027-01-02T22:00:00.000Z"),
        ("2028-02-28T23:30:00Z", "2028-02-29T22:00:00.000Z"),
    ];
    let sandbox = Sandbox::start().await.unwrap();
    for (opened, settled) in cases {
        let now = Some(opened.parse().unwrap());
        let world = sandbox.new_world(WorldOptions { now, ..WorldOptions::default() }).await.unwrap();
        let client = Client::with_key(&sandbox, world.api_key().expose());
        client.charge("sale", r#""amount":"1.00""#).await;
        client
            .control("POST", "clock", &format!(r#"{{"set":"{}"}}"#, settled.replace("00.000Z", "00Z")))
            .await;
        let got = client.json("GET", "/rest/v2/batches", "").await;
        assert_eq!(got.at("/payload/batches/batch/0/settled"), settled, "{opened}");
        assert_eq!(client.json("GET", "/rest/v2/batches/open", "").await.status, 204);
    }
}

#[tokio::test]
async fn payments_of_plans_are_settled_on_their_day() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    client.subscriber().await;
    client.subscriber().await;
    client.advance("P3M").await;
    let got = client.json("GET", "/rest/v2/batches?isDescending=false", "").await;
    let batches: Vec<[String; 3]> = (0..3)
        .map(|index| {
            ["settled", "total-count", "net-amount"]
                .map(|member| got.at(&format!("/payload/batches/batch/{index}/{member}")))
        })
        .collect();
    let expected = ["2027-01", "2027-02", "2027-03"]
        .map(|month| [format!("{month}-15T22:00:00.000Z"), "2".to_owned(), "100.00".to_owned()]);
    assert_eq!(batches, expected);
}

#[tokio::test]
async fn a_payment_that_is_voided_was_approved_all_the_same() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let (_, _, plan) = client.subscriber().await;
    client.control("POST", "clock", r#"{"advance-to":"2027-01-15"}"#).await;
    let payments = client.json("GET", &format!("/rest/v2/payments?plan-key={plan}"), "").await;
    let id = payments.at("/payload/payments/payment/0/transaction-id");
    assert_eq!(client.follow("void", &id, "").await.status, 200);
    let payments = client.json("GET", &format!("/rest/v2/payments?plan-key={plan}"), "").await;
    assert_eq!(payments.at("/payload/payments/payment/0/status"), "APPROVED");
    assert_eq!(client.stored(&id).await[3], "true");
}

/// A step of a merchant.
#[derive(Debug, Clone)]
enum Step {
    Charge { kind: &'static str, cents: u64, tip: u64 },
    Follow { kind: &'static str, which: usize, cents: u64 },
    Advance(&'static str),
    Settle,
}

fn step() -> impl Strategy<Value = Step> {
    let charge = (prop_oneof![Just("sale"), Just("auth"), Just("refund")], 1_u64..100_000, 0_u64..500);
    let follow = (prop_oneof![Just("void"), Just("refund"), Just("capture")], 0_usize..8, 1_u64..50_000);
    prop_oneof![
        4 => charge.prop_map(|(kind, cents, tip)| Step::Charge { kind, cents, tip }),
        4 => follow.prop_map(|(kind, which, cents)| Step::Follow { kind, which, cents }),
        1 => prop_oneof![Just("PT5H"), Just("P1D"), Just("P1M")].prop_map(Step::Advance),
        1 => Just(Step::Settle),
    ]
}

fn money(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

fn cents(text: &str) -> i64 {
    text.replace('.', "").parse().unwrap_or_default()
}

async fn take(client: &Client, steps: &[Step]) {
    let mut ids = Vec::new();
    for step in steps {
        let (path, body) = match step {
            Step::Charge { kind, cents, tip } => {
                let tip =
                    if *tip == 0 { String::new() } else { format!(r#","tip-amount":"{}""#, money(*tip)) };
                (format!("transactions/{kind}"), format!(r#"{{{CARD},"amount":"{}"{tip}}}"#, money(*cents)))
            }
            Step::Follow { kind, which, cents } => {
                let id = ids.get(*which).map_or("700000", String::as_str);
                let amount = match *kind {
                    "void" => String::new(),
                    _ => format!(r#","amount":"{}""#, money(*cents)),
                };
                (format!("transactions/{kind}"), format!(r#"{{"id":"{id}"{amount}}}"#))
            }
            Step::Advance(period) => {
                client.advance(period).await;
                continue;
            }
            Step::Settle => {
                client.settle("").await;
                continue;
            }
        };
        let got = client.json("POST", &format!("/rest/v2/{path}"), &body).await;
        ids.extend(Some(got.at("/payload/transaction/id")).filter(|id| !id.is_empty()));
    }
}

/// All objects of a list.
async fn all(client: &Client, list: &str, item: &str) -> Vec<Json> {
    let got = client.json("GET", &format!("/rest/v2/{list}?page-size=1000"), "").await;
    if got.status == 204 { Vec::new() } else { got.json()["payload"][list][item].as_array().unwrap().clone() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Holds: The totals of a batch are the sums of its transactions, and each transaction that moves money
    /// is in a batch.
    #[test]
    fn a_batch_comes_to_what_its_transactions_do(steps in vec(step(), 1..24)) {
        runtime().block_on(async {
            let sandbox = Sandbox::builder().gateway(for_ever()).start().await.unwrap();
            let client = Client::of(&sandbox);
            client.subscriber().await;
            take(&client, &steps).await;
            let transactions = all(&client, "transactions", "transaction").await;
            let text = |object: &Json, member: &str| object[member].as_str().unwrap_or_default().to_owned();
            let mut moved = 0;
            for batch in all(&client, "batches", "batch").await {
                let number = format!("{:0>6}", text(&batch, "id"));
                let mut counted = [0_i64; 4];
                for transaction in &transactions {
                    if text(transaction, "batch-string-id") != number || text(transaction, "voided") == "true" {
                        continue;
                    }
                    assert_eq!(text(transaction, "settled") == "true", text(&batch, "status") == "CLOSED");
                    let at = if text(transaction, "type").ends_with("REFUND") { 2 } else { 0 };
                    counted[at] += 1;
                    counted[at + 1] += cents(&text(transaction, "amount")) + cents(&text(transaction, "tip-amount"));
                }
                let [sales, taken, refunds, given] = counted;
                let members = ["sales-count", "sales-total", "refund-count", "refund-total", "total-count", "net-amount"];
                let figures = members.map(|member| cents(&text(&batch, member)));
                assert_eq!(figures, [sales, taken, refunds, given, sales + refunds, taken - given]);
                moved += taken - given;
            }
            // Every transaction that moves money is in a batch.
            let moving = |transaction: &&Json| {
                text(transaction, "result") == "APPROVED"
                    && text(transaction, "voided") == "false"
                    && !matches!(text(transaction, "type").as_str(), "AUTH" | "VOID")
            };
            let net: i64 = transactions.iter().filter(moving).map(|transaction| {
                let sum = cents(&text(transaction, "amount")) + cents(&text(transaction, "tip-amount"));
                if text(transaction, "type").ends_with("REFUND") { -sum } else { sum }
            }).sum();
            assert_eq!(moved, net);
        });
    }

    /// Holds: Batches close at the same moments in one jump of the clock as in many steps.
    #[test]
    fn one_jump_equals_steps_across_batches(hours in vec(1_u32..900, 1..9), steps in vec(step(), 1..8)) {
        runtime().block_on(async {
            let sandbox = Sandbox::start().await.unwrap();
            let mut states = Vec::new();
            for periods in [vec![hours.iter().sum()], hours.clone()] {
                let world = sandbox.world(7).await.unwrap();
                let client = Client::with_key(&sandbox, world.api_key().expose());
                let (customer, token, _) = client.subscriber().await;
                let sixteenth = YEAR.replace(r#""15""#, r#""16""#);
                client.plan(&customer, &token, &sixteenth).await;
                take(&client, &steps).await;
                for hours in periods {
                    client.advance(&format!("PT{hours}H")).await;
                }
                states.push(client.state().await);
            }
            assert_eq!(states[0], states[1]);
        });
    }
}
