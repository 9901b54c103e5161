//! Secrets: no card number, security code or key is stored anywhere.

use perennial_sandbox::Sandbox;

use crate::client::Client;

const CARD: &str = "5454545454545454";
const CSC: &str = "7391";

/// Sends cards to everything that takes one, valid and invalid, in both formats.
async fn use_cards(client: &Client) {
    let token = format!(
        r#"{{"card":"{CARD}","exp-date":"1230","csc":"{CSC}","description":"pays with {CARD}","avs-address":"{CARD}"}}"#
    );
    let customer = format!(
        r#"{{"first-name":"Ada {CARD}","last-name":"{CARD}","comments":"pays with {CARD}",
            "billing-address":{{"street":"{CARD}","company":"{CARD}"}}}}"#
    );
    let sale = format!(
        r#"{{"type":"SALE","card":"{CARD}","exp-date":"1230","csc":"{CSC}","amount":"5.00","description":"pays with {CARD}","create-token":true,
            "software-type":"{CARD}","shipping":{{"last-name":"{CARD}"}}}}"#
    );
    let refund =
        format!(r#"{{"type":"REFUND","card":"{CARD}","amount":"5.00","comments":"pays with {CARD}"}}"#);
    let broken = format!(r#"{{"card":"{CARD}","csc":"{CSC}""#);
    let keyed = format!(r#"{{"api-key":"{}","card":"{CARD}","exp-date":"0101","csc":"{CSC}"}}"#, client.key);
    for (path, body) in [
        ("customers", &customer),
        ("tokens", &token),
        ("transactions", &sale),
        ("transactions", &refund),
        ("tokens", &broken),
        ("tokens", &keyed),
    ] {
        client.json("POST", &format!("/rest/v2/{path}"), body).await;
    }
    let xml = format!("<token><card>{CARD}</card><exp-date>1230</exp-date><csc>{CSC}</csc></token>");
    assert_eq!(client.xml("POST", "/rest/v2/tokens", &xml).await.status, 200);
    client.json("GET", &format!("/rest/v2/tokens/{CARD}?token-id={CARD}"), "").await;
}

/// Holds: Responses, the request log and the state show no card number, security code, credential or account
/// number, except in the response that issues a credential.
#[tokio::test]
async fn neither_in_answers_nor_in_the_request_log_nor_in_the_state() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    use_cards(&client).await;
    let log = client.control("GET", "requests?limit=500", "").await;
    let entries = log.json();
    assert_eq!(entries.as_array().unwrap().len(), 8);
    let operations: Vec<&str> =
        entries.as_array().unwrap().iter().filter_map(|entry| entry["operation"].as_str()).collect();
    assert_eq!(operations[..2], ["tokens.get", "tokens.create"]);
    assert_eq!(
        operations[4..],
        ["transactions.refund", "transactions.sale", "tokens.create", "customers.create"]
    );
    for (what, text, times) in [("log", log.body, 9), ("state", client.state().await, 5)] {
        for secret in [CARD, CSC, client.key.as_str()] {
            assert!(!text.contains(secret), "the {what} has {secret}: {text}");
        }
        assert!(text.contains("5454"), "the {what} has the last four digits");
        assert_eq!(text.matches("pays with ****").count(), times, "the {what}: {text}");
    }
}

#[tokio::test]
async fn nor_in_the_request_log_however_they_are_spelled() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    for body in [
        r#"{"comments":"qty 1 5454 5454 5454 5454"}"#,
        r#"{"comments":"5454.5454.5454.5454, 5454545454545454-999"}"#,
        "{\"comments\":\"5454\u{a0}5454\u{a0}5454\u{a0}5454\"}",
        r#"{"CSC":"7391","cvv":"7391","Card":"73915"}"#,
    ] {
        client.json("POST", "/rest/v2/customers", body).await;
    }
    for body in [
        "<customer><comments>5454&#53;45454545454</comments></customer>",
        "<customer><comments>54545454<!-- -->5454<![CDATA[5454]]></comments></customer>",
        r#"<customer csc="7391"><x:csc>7391</x:csc></customer>"#,
        &"<a>".repeat(80_000),
    ] {
        client.xml("POST", "/rest/v2/customers", body).await;
    }
    let log = client.control("GET", "requests?limit=500", "").await;
    assert_eq!(log.json().as_array().unwrap().len(), 8);
    for secret in ["5454 5454", "5454.5454", "5454\u{a0}5454", "54545454", "5454&#53;", CSC] {
        assert!(!log.body.contains(secret), "the log has {secret}: {}", log.body);
    }
}

/// Holds: The database files hold no card number, security code, credential, access id, account number or
/// one-time token.
#[tokio::test]
async fn nor_in_the_files_of_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sandbox.db");
    let sandbox = Sandbox::builder().database(&path).start().await.unwrap();
    let client = Client::of(&sandbox);
    for _ in 0..20 {
        use_cards(&client).await;
    }
    let scan = |when: &str| {
        let mut files = 0;
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let file = file.unwrap();
            let bytes = std::fs::read(file.path()).unwrap();
            let has = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
            for secret in [CARD, client.key.as_str()] {
                assert!(!has(secret), "{when}: {} has {secret}", file.path().display());
            }
            files += 1;
        }
        files
    };
    assert!(scan("while it runs") >= 2, "the write-ahead log is looked at too");
    sandbox.stop().await;
    assert!(scan("when it stopped") >= 1);
}

#[tokio::test]
async fn any_card_must_be_asked_for() {
    let sandbox = Sandbox::builder().any_card().start().await.unwrap();
    let body = r#"{"card":"9999999999999995","exp-date":"1230"}"#;
    assert_eq!(Client::of(&sandbox).json("POST", "/rest/v2/tokens", body).await.status, 200);
    let sandbox = Sandbox::start().await.unwrap();
    let got = Client::of(&sandbox).json("POST", "/rest/v2/tokens", body).await;
    assert_eq!(got.status, 400);
    assert!(!got.body.contains("9999999999999995"));
}

/// Sends a card number in paths and queries: neither the answer nor the log repeats it.
#[tokio::test]
async fn nor_in_the_answer_to_a_path_or_a_query() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    client.customer().await;
    for path in [
        "rest/v2/customers/cust_CARD",
        "rest/v2/customers/CARD/tokens",
        "rest/v2/tokens/CARD",
        "rest/v2/payment-plans/plan_CARD/expected-runs",
        "rest/v2/transactions/CARD",
        "rest/v2/transactions?id=CARD&page=CARD&sort=CARD",
        "rest/v2/plan-forecast?start-date=CARD&frequency=CARD",
        "rest/v2/CARD",
        "v2/payment/CARD",
        "app/api/CARD",
        "_sandbox/faults/CARD",
        "_sandbox/requests?limit=CARD",
        "console/worlds/CARD",
        "console/worlds/1/customers/CARD",
        "console/worlds/1/customers?last-name=CARD",
        "console/worlds/1/plans?plan-name=CARD",
        "console/worlds/1/payments?plan-key=CARD",
        "console/worlds/1/transactions?id=CARD&order-id=CARD",
    ] {
        let path = format!("/{}", path.replace("CARD", CARD));
        for got in [client.json("GET", &path, "").await, client.xml("GET", &path, "").await] {
            assert!(got.status < 500, "{path}: {}", got.status);
            assert!(!got.body.contains(CARD), "{path}: {}", got.body);
            assert!(
                got.headers.values().all(|value| !value.as_bytes().windows(16).any(|w| w == CARD.as_bytes()))
            );
        }
    }
    let log = client.control("GET", "requests?limit=500", "").await.body;
    assert!(!log.contains(CARD) && log.contains("cust_************5454"), "{log}");
}
