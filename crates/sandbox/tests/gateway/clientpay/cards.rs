//! Card numbers in any member of any request are refused or masked, and stored nowhere: in calls of both versions, in
//! the forms of pages and of the console, and in the control interface.

use perennial_sandbox::Sandbox;
use serde_json::{Value as Json, json};

use super::Merchant;
use super::operations::{Books, REQUESTS};
use crate::canary::{SPELLINGS, assert_free, assert_not_in_files, assert_nowhere};

/// JSON pointers to the values of a document.
fn leaves(value: &Json, at: &str, found: &mut Vec<String>) {
    match value {
        Json::Object(members) => {
            members.iter().for_each(|(name, value)| leaves(value, &format!("{at}/{name}"), found));
        }
        Json::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(index, value)| leaves(value, &format!("{at}/{index}"), found));
        }
        _ => found.push(at.to_owned()),
    }
}

/// Holds: A card number in any member of any ClientPay call is stored and shown nowhere.
#[tokio::test]
async fn a_card_in_any_member_of_any_call_is_nowhere_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::builder().database(folder.path().join("sandbox.db")).start().await.unwrap();
    let merchant = Merchant::of(&sandbox).await;
    let nothing = String::new;
    let mut books = Books { merchant: &merchant, payer: nothing(), method: nothing(), payment: nothing() };
    let text = |json: &Json| json.as_str().unwrap().to_owned();
    books.payer = text(&books.done("/v2/payer", REQUESTS[0].1).await.0["payerId"]);
    books.method =
        text(&books.done("/v2/payer/paymentmethods", REQUESTS[1].1).await.0["paymentMethodIds"][0]);
    books.payment = text(&books.done("/v2/payment", REQUESTS[2].1).await.0["paymentID"]);
    let (mut taken, mut refused) = (0, 0);
    let mut spellings = SPELLINGS.into_iter().cycle();
    for (path, body) in REQUESTS {
        let mut places = Vec::new();
        leaves(&books.filled(body, "x"), "", &mut places);
        for place in places {
            let mut body = books.filled(body, &merchant.request_id().await);
            *body.pointer_mut(&place).unwrap() = spellings.next().unwrap().into();
            let got = merchant.send(path, &body).await;
            let what = format!("{path} {place}");
            assert_free(&what, &got.body);
            assert!(got.status < 500, "{what}: {} {}", got.status, got.body);
            taken += usize::from(got.status == 200);
            refused += usize::from(got.body.contains("must not hold a card number"));
        }
        assert_nowhere(path, &merchant.client, folder.path()).await;
    }
    assert!(taken > 40 && refused > 200, "{taken} taken, {refused} refused");
    sandbox.stop().await;
    assert_not_in_files("when it stopped", folder.path());
}

/// The names of the fields of a page's forms, each once.
fn fields(page: &str) -> Vec<String> {
    let names = page.split(" name=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let mut names: Vec<String> =
        names.filter(|name| !matches!(*name, "token" | "viewport")).map(str::to_owned).collect();
    names.sort();
    names.dedup();
    names
}

fn hidden(page: &str) -> String {
    page.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// Holds: A card number in any field of a payment page's form is stored and shown nowhere.
#[tokio::test]
async fn nor_in_any_field_of_a_form() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::builder().database(folder.path().join("sandbox.db")).start().await.unwrap();
    let merchant = Merchant::of(&sandbox).await;
    let client = &merchant.client;
    let whole = [
        ("method", "card"),
        ("card-name", "Rosa"),
        ("card-number", "4000100011112224"),
        ("card-expiry", "0930"),
        ("card-code", "999"),
        ("amount-0", "5"),
        ("first-name", "Rosa"),
        ("last-name", "Lind"),
        ("email", "rosa@example.test"),
        ("account-name", "Rosa"),
        ("routing-number", "021000021"),
        ("account-number", "5550001234"),
        ("save", "yes"),
    ];
    let encoded = |value: &str| {
        percent_encoding::percent_encode(value.as_bytes(), percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    let mut spellings = SPELLINGS.into_iter().cycle();
    let mut sent = 0;
    let invoices = json!({ "invoices": [{ "invoiceNumber": "INV-1", "invoiceDate": "2027-01-02", "outstandingBalance": 100.5 }],
        "pageOptions": { "enablePayerSaving": true } });
    let payers = json!({ "acceptMultipleMethods": true });
    for (path, body, member) in [
        ("/v2/paymentpage/invoice", &invoices, "/paymentPageUrl"),
        ("/v2/payer/payerpage", &payers, "/payerPageUrl"),
    ] {
        let fresh = async || {
            let created = merchant.keyed(path, body).await;
            let url = created.at(member);
            let path = url.split('#').next().unwrap().strip_prefix(sandbox.base_url()).unwrap().to_owned();
            let page = client.send("GET", &path, &[], "").await.body;
            (path, page)
        };
        for field in fields(&fresh().await.1) {
            for method in ["card", "echeck"] {
                let (path, page) = fresh().await;
                let card = spellings.next().unwrap();
                let others = whole.iter().filter(|(name, _)| *name != field && *name != "method");
                let mut form: Vec<String> = others.map(|(name, value)| format!("{name}={value}")).collect();
                form.push(format!("method={method}"));
                form.insert(0, format!("{field}={}", encoded(card)));
                let form = format!("token={}&{}", hidden(&page), form.join("&"));
                let got = client.send("POST", &path, &[FORM], form).await;
                assert!(got.status < 500, "{field}: {}", got.status);
                assert_free(&field, &got.body);
                assert_free(&field, &client.send("GET", &path, &[], "").await.body);
                sent += 1;
            }
        }
    }
    let opened = client.send("GET", "/console", &[], "").await.body;
    let token = hidden(&opened);
    let login = format!("token={token}&api-key={}", client.key);
    assert!(client.send("POST", "/console/open", &[FORM], login).await.status < 400);
    for page in ["", "/webhook", "/faults"] {
        let page = format!("/console/worlds/1{page}");
        let html = client.send("GET", &page, &[], "").await.body;
        let actions: Vec<&str> =
            html.split(" action=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert!(!actions.is_empty(), "{page}");
        for field in fields(&html) {
            for action in &actions {
                let form = format!("token={token}&{field}={}", encoded(spellings.next().unwrap()));
                let got = client.send("POST", action, &[FORM], form).await;
                assert_eq!(got.status, 400, "{action} {field}");
                assert!(
                    got.body.contains(&format!("The field {field} must not hold a card number.")),
                    "{}",
                    got.body
                );
                sent += 1;
            }
        }
    }
    assert!(sent > 60, "{sent}");
    assert_nowhere("forms", client, folder.path()).await;
}

/// Holds: A card number in a control request is stored and shown nowhere.
#[tokio::test]
async fn nor_in_the_control_interface() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::builder().database(folder.path().join("sandbox.db")).start().await.unwrap();
    let merchant = Merchant::of(&sandbox).await;
    let client = &merchant.client;
    let effect = json!({ "kind": "garbage", "body": "x", "content-type": "text/plain" });
    let calls = [
        ("POST", "worlds", json!({ "seed": 7, "now": "2027-01-01T00:00:00Z" })),
        ("POST", "clock", json!({ "set": "2027-01-01T00:00:00Z" })),
        ("POST", "faults", json!({ "operation": "*", "key": "x", "nth": 1, "effect": effect })),
        ("PUT", "webhook", json!({ "url": "http://127.0.0.1:9/hook" })),
        ("POST", "restore", json!({ "id": "x" })),
        ("POST", "partial-refund", json!({ "payment-id": "x", "amount": "5.00" })),
    ];
    let mut spellings = SPELLINGS.into_iter().cycle();
    for (method, call, body) in &calls {
        let mut places = Vec::new();
        leaves(body, "", &mut places);
        for place in places {
            for _ in SPELLINGS {
                let mut body = body.clone();
                *body.pointer_mut(&place).unwrap() = spellings.next().unwrap().into();
                let got = client.control(method, call, &body.to_string()).await;
                let member = place[1..].replace('/', ".");
                let error = format!(r#"{{"error":"{member}: must not hold a card number"}}"#);
                assert_eq!((got.status, got.body), (400, error), "{call} {place}");
            }
        }
    }
    let url = json!({ "url": "http://127.0.0.1:9/5454545454545454" });
    assert_eq!(client.control("PUT", "webhook", &url.to_string()).await.status, 400);
    for call in ["faults", "webhook", "requests"] {
        assert_free(call, &client.control("GET", call, "").await.body);
    }
    assert_nowhere("control", client, folder.path()).await;
}
