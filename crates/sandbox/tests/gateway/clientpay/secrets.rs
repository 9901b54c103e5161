//! Secrets: no number of a card or account, code, pin, key or access id is stored or returned.

use perennial_sandbox::Sandbox;
use serde_json::json;

use super::{JSON, Merchant};

const CARD: &str = "5555444433332226";
const CVV: &str = "7391";
const ACCOUNT: &str = "5550771234";

/// Sends secrets to every call that takes one, valid and invalid; returns the answers.
async fn use_secrets(merchant: &Merchant) -> String {
    let card = json!({ "cardholderName": format!("Rosa {CARD}"), "cardNumber": CARD, "expirationDateMonth": 9,
        "expirationDateYear": 2030, "cvv": CVV });
    let check = json!({ "nameOnAccount": format!("Rosa {CARD}"), "routingNumber": "021000021", "accountNumber": ACCOUNT });
    let token = json!({ "sessionId": "S-1", "customerId": "C-1" });
    let mut answers = String::new();
    let payer = json!({ "token": token, "payer": { "firstName": CARD, "emails": ["rosa@example.test"],
        "payerAddress": { "addressLine1": format!("pays with {CARD}") } } });
    let payer = merchant.keyed("/v2/payer", &payer).await;
    assert_eq!(payer.status, 200, "{}", payer.body);
    let payer = payer.at("/payerId");
    for (path, body) in [
        (
            "/v2/payment",
            json!({ "token": token, "totalAmount": 5, "description": CARD, "orderId": "O-1", "creditCard": card }),
        ),
        ("/v2/payment", json!({ "totalAmount": 5, "eCheck": check })),
        ("/v2/payment", json!({ "totalAmount": 0, "eCheck": check })),
        ("/v2/payment", json!({ "totalAmount": "x", "creditCard": card })),
        (
            "/v2/payer/paymentmethods",
            json!({ "payerId": payer, "paymentMethods": [{ "creditCard": card }, { "eCheck": check }] }),
        ),
        (
            "/v2/payer/paymentmethods",
            json!({ "payerId": CARD, "paymentMethods": [{ "creditCard": card, "eCheck": check }] }),
        ),
        (
            "/v2/paymentpage/lineitem",
            json!({ "token": token, "nameOnAccount": CARD, "lineItemTableLabels": {},
            "lineItems": [{ "paymentAmount": 5, "itemName": format!("pays with {CARD}") }] }),
        ),
    ] {
        answers.push_str(&merchant.keyed(path, &body).await.body);
    }
    let flat = json!({ "accessId": merchant.access_id, "requestId": merchant.request_id().await, "totalAmount": 5,
        "cardholderName": CARD, "cardNumber": CARD, "expirationDateMonth": 9, "expirationDateYear": 2030, "cvv": CVV });
    answers.push_str(&merchant.send("/Payment/Add", &flat).await.body);
    let mut wrong = merchant.credentials.clone();
    wrong["accountPin"] = CVV.into();
    answers.push_str(&merchant.send("/v2/token/accessid", &wrong).await.body);
    let broken = format!(r#"{{"creditCard":{{"cardNumber":"{CARD}","cvv":"{CVV}""#);
    let headers = [JSON, ("accessId", merchant.access_id.as_str())];
    answers.push_str(&merchant.client.send("POST", "/v2/payment", &headers, broken).await.body);
    merchant
        .client
        .send("GET", &format!("/Payment/Status?accessId={}&requestId={CARD}", merchant.access_id), &[], "")
        .await;
    answers
}

/// Secrets that must occur nowhere.
fn secrets(merchant: &Merchant) -> Vec<String> {
    let credentials = ["integratorKey", "accountKey", "accountPin"]
        .map(|name| merchant.credentials[name].as_str().unwrap());
    let known = [CARD, CVV, ACCOUNT, &merchant.access_id];
    known.into_iter().chain(credentials).map(str::to_owned).collect()
}

#[tokio::test]
async fn neither_in_answers_nor_in_the_request_log_nor_in_the_state() {
    let sandbox = Sandbox::start().await.unwrap();
    let merchant = Merchant::of(&sandbox).await;
    let answers = use_secrets(&merchant).await;
    let log = merchant.client.control("GET", "requests?limit=500", "").await.body;
    let state = merchant.client.state().await;
    for (what, text) in [("an answer", &answers), ("the log", &log), ("the state", &state)] {
        for secret in secrets(&merchant) {
            // The digits of a security code may be in an id by chance.
            let is_of_id = |c: char| c.is_ascii_alphanumeric() || c == '-';
            let mut words = text.split(|c| !is_of_id(c));
            let has = if secret == CVV { words.any(|word| word == CVV) } else { text.contains(&secret) };
            assert!(!has, "{what} has {secret}: {text}");
        }
    }
    assert!(state.contains("2226") && state.contains("1234"), "the last four digits are kept: {state}");
    assert!(log.contains("clientpay-payments.create") && log.contains("payers.add-methods"));
}

#[tokio::test]
async fn nor_in_the_files_of_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sandbox.db");
    let sandbox = Sandbox::builder().database(&path).start().await.unwrap();
    let merchant = Merchant::of(&sandbox).await;
    for _ in 0..5 {
        use_secrets(&merchant).await;
    }
    let scan = || {
        let mut files = 0;
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            // Four digits occur by chance in this number of bytes.
            for secret in secrets(&merchant).iter().filter(|secret| secret.len() > 6) {
                assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret}");
            }
            files += 1;
        }
        files
    };
    assert!(scan() >= 2, "the write-ahead log is looked at too");
    sandbox.stop().await;
    assert!(scan() >= 1);
}
