//! The payment page over plain HTTP: refusals, stored data, and data that is never shown again.

use std::time::Duration;

use perennial_sandbox::{Effect, Fault, RetryAfter, Sandbox};
use serde_json::{Value as Json, json};

use crate::client::Client;

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const CARD: &str =
    "method=card&card-name=Rosa+Lind&card-number=4000100011112224&card-expiry=09%2F30&card-code=999";

/// A client of the API, with its access id.
async fn open(sandbox: &Sandbox) -> (Client, String) {
    let client = Client::of(sandbox);
    let credentials = sandbox.clientpay();
    let fields = credentials.fields();
    let body = json!({
        "integratorKey": fields.integrator_key.expose(),
        "accountKey": fields.account_key.expose(),
        "accountPin": fields.account_pin.expose(),
    });
    let got = client.send("POST", "/v2/token/accessid", &[], body.to_string()).await;
    let got: Json = serde_json::from_str(&got.body).unwrap();
    (client, got["accessId"].as_str().unwrap().to_owned())
}

async fn call(client: &Client, access_id: &str, path: &str, body: &Json) -> Json {
    let got = client.send("POST", path, &[("accessId", access_id)], body.to_string()).await;
    serde_json::from_str(&got.body).unwrap()
}

/// Creates a page of one invoice; returns its path.
async fn page(client: &Client, access_id: &str, options: Json) -> (String, String) {
    let id = call(client, access_id, "/v2/token/requestid", &json!({})).await;
    let id = id["requestId"].as_str().unwrap().to_owned();
    let mut body = json!({
        "token": { "requestId": id },
        "invoices": [{ "invoiceNumber": "INV-1", "invoiceDate": "2027-01-02", "outstandingBalance": 100.5, "tax": 0.5 }],
    });
    body.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
    let page = call(client, access_id, "/v2/paymentpage/invoice", &body).await;
    let url = page["paymentPageUrl"].as_str().unwrap();
    assert!(url.ends_with(&format!("#/invoicePaymentPage/{id}")), "{url}");
    (format!("/app/api/{id}"), id)
}

fn token(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"token\" value=\"").unwrap();
    rest[..32].to_owned()
}

/// Holds: A wrong entry on a payment page is explained to the payer and charges nothing.
#[tokio::test]
async fn what_is_wrong_is_said_in_the_payers_words_and_nothing_is_charged() {
    let sandbox = Sandbox::start().await.unwrap();
    let (client, access_id) = open(&sandbox).await;
    let (path, _) = page(&client, &access_id, json!({})).await;
    let form = client.send("GET", &path, &[], "").await;
    assert_eq!(form.status, 200);
    let policy = form.headers["content-security-policy"].to_str().unwrap();
    assert!(
        policy.starts_with("default-src 'none'") && policy.ends_with("frame-ancestors 'none'"),
        "{policy}"
    );
    let token = token(&form.body);
    #[rustfmt::skip]
    let cases = [
        ("amount-0=", "Enter an amount to pay."),
        ("amount-0=0", "Enter an amount such as 125.50."),
        ("amount-0=-5", "Enter an amount such as 125.50."),
        ("amount-0=1e2", "Enter an amount such as 125.50."),
        ("amount-0=100.51", "Enter at most the balance, 100.50."),
        ("amount-0=1,50", "Enter an amount such as 125.50."),
        ("amount-0=1,0,0", "Enter an amount such as 125.50."),
        ("amount-0=1,000", "Enter at most the balance, 100.50."),
        ("amount-0=$$5", "Enter an amount such as 125.50."),
        ("amount-0=5&method=card&card-name=4000100011112224&address=4000100011112224&email=4000100011112224", "Enter the number of a card"),
        ("amount-0=5&method=", "Choose how to pay."),
        ("amount-0=5&method=3c1d9c52-6a44-4f50-9a2e-5d0c2f9a7e01", "Choose how to pay."),
        ("amount-0=5&method=card&card-number=4000100011112225&card-expiry=0930&card-code=999", "Enter the number of a card"),
        ("amount-0=5&method=card&card-number=4000100011112224&card-expiry=13%2F30&card-code=999", "Enter the month and year"),
        ("amount-0=5&method=card&card-number=4000100011112224&card-expiry=09%2F30&card-code=", "Enter the 3 or 4 digits"),
        ("amount-0=5&method=echeck&account-name=Rosa&routing-number=12&account-number=5550001234", "Enter the 9 digits"),
        ("amount-0=5&method=echeck&account-name=&routing-number=021000021&account-number=5550001234", "Enter the name on the account."),
        ("amount-0=5&method=card&card-number=4000100011112224&card-expiry=0930&card-code=999&state=XX", "Enter the two letters"),
        ("amount-0=5&method=card&card-name=R&card-number=4000100011112224&card-expiry=0930&card-code=999&save=yes", "Enter an email address"),
    ];
    for (entered, message) in cases {
        let refused = client.send("POST", &path, &[FORM], format!("token={token}&{entered}")).await;
        assert_eq!(refused.status, 400, "{entered}");
        assert!(refused.body.contains(message), "{entered}: {}", refused.body);
        assert!(
            !refused.body.contains("4000100011112224") && !refused.body.contains("5550001234"),
            "{entered}"
        );
    }
    for entered in [String::new(), CARD.to_owned(), format!("token={}&{CARD}", "0".repeat(32))] {
        assert_eq!(client.send("POST", &path, &[FORM], entered.as_str()).await.status, 403, "{entered}");
    }
    assert_eq!(client.send("PUT", &path, &[FORM], CARD).await.status, 405);
    assert_eq!(client.send("GET", "/app/api/nothing", &[], "").await.status, 404);
    let state: Json = serde_json::from_str(&client.control("GET", "state", "").await.body).unwrap();
    assert_eq!(state["clientpay-payments"], json!([]));
}

/// Creates a payer page; returns its path.
async fn payer_page(client: &Client, access_id: &str, payer: Option<&str>) -> String {
    let id = call(client, access_id, "/v2/token/requestid", &json!({})).await;
    let body = json!({
        "token": { "requestId": id["requestId"] },
        "payerId": payer,
        "responseOptions": { "serverSideReturnAddress": "https://portal.example.test/hook" },
    });
    let page = call(client, access_id, "/v2/payer/payerpage", &body).await;
    let (_, id) = page["payerPageUrl"].as_str().unwrap().rsplit_once('/').unwrap();
    format!("/app/api/{id}")
}

/// Holds: Each page of a payer stores a payment method, and a page of a deleted payer stores none.
#[tokio::test]
async fn a_payer_has_as_many_pages_as_it_takes_and_none_once_it_is_deleted() {
    let sandbox = Sandbox::start().await.unwrap();
    let (client, access_id) = open(&sandbox).await;
    let send = async |path: &str, who: &str| {
        let form = client.send("GET", path, &[], "").await;
        let entered = format!("token={}&{who}&{CARD}&then=done", token(&form.body));
        client.send("POST", path, &[FORM], entered).await
    };
    let stored = async || {
        let state: Json = serde_json::from_str(&client.state().await).unwrap();
        let of = |rows: &str, member: &str| -> Vec<String> {
            let rows = state[rows].as_array().unwrap().iter();
            rows.map(|row| row[member].as_str().unwrap().to_owned()).collect()
        };
        (of("payers", "id"), of("methods", "payer-id"), of("alerts", "event"))
    };
    let first = payer_page(&client, &access_id, None).await;
    let nobody = send(&first, "").await;
    for message in ["Enter an email address.", "Enter a name or a business."] {
        assert!(nobody.body.contains(message), "{}", nobody.body);
    }
    assert_eq!(send(&first, "first-name=Ada&email=ada@example.test").await.status, 200);
    let (payers, ..) = stored().await;
    let [payer] = payers.as_slice() else { panic!("{payers:?}") };
    for _ in 0..2 {
        let next = payer_page(&client, &access_id, Some(payer)).await;
        assert_eq!(send(&next, "").await.status, 200);
    }
    assert_eq!(stored().await, (payers.clone(), vec![payer.clone(); 3], vec!["payer".to_owned(); 3]));

    let late = payer_page(&client, &access_id, Some(payer)).await;
    let id = call(&client, &access_id, "/v2/token/requestid", &json!({})).await;
    let delete = json!({ "token": { "requestId": id["requestId"] }, "payerId": payer });
    assert_eq!(call(&client, &access_id, "/v2/payer/delete", &delete).await["success"], true);
    // There is no payer to store it for, so the page asks for the payer's name.
    let form = send(&late, "").await;
    assert_eq!((form.status, form.body.contains("Who pays?")), (400, true), "{}", form.body);
    assert_eq!(send(&late, "first-name=Bo&email=bo@example.test").await.status, 200);
    let (payers, methods, _) = stored().await;
    assert_eq!((payers.len(), methods.as_slice()), (2, &payers[1..]), "{payers:?} {methods:?}");
}

/// Holds: Under each fault a payment page is paid once, and the request log names the fault.
#[tokio::test]
async fn whatever_strikes_a_page_it_is_paid_once_and_the_log_says_what_struck() {
    let ms = Duration::from_millis;
    let cases = [
        (Effect::ErrorBefore { status: 503 }, Some((503, "Look before you pay again")), 0),
        (Effect::ErrorAfter { status: 500 }, Some((500, "Look before you pay again")), 1),
        (
            Effect::RateLimit { retry_after: Some(RetryAfter::Seconds(7)) },
            Some((429, "Too Many Requests")),
            0,
        ),
        (Effect::DropReply, None, 1),
        (Effect::Duplicate, Some((200, "$100.50")), 1),
        (Effect::Delay { delay: ms(1) }, Some((200, "$100.50")), 1),
        (Effect::Garbage { body: "<p>".into(), content_type: "text/html".into() }, Some((200, "<p>")), 1),
        (Effect::Decline { result_code: "012".into() }, Some((402, "could not be processed")), 0),
        // It has no access id.
        (Effect::EvictAccessId, Some((200, "$100.50")), 1),
    ];
    let sandbox = Sandbox::start().await.unwrap();
    let (client, access_id) = open(&sandbox).await;
    for (effect, expected, paid) in cases {
        let (path, id) = page(&client, &access_id, json!({})).await;
        let form = client.send("GET", &path, &[], "").await;
        let entered = format!("token={}&amount-0=100.50&{CARD}", token(&form.body));
        let fault = Fault::on("clientpay-payments.create", effect.clone()).key(&id);
        let hit = sandbox.fault(&fault.times(1)).await.unwrap();
        let url = format!("{}{path}", client.base);
        let got = client.http.post(url).header(FORM.0, FORM.1).body(entered.clone()).send().await.ok();
        assert_eq!(
            got.as_ref().map(|got| got.status().as_u16()),
            expected.map(|(status, _)| status),
            "{effect:?}"
        );
        if let (Some(got), Some((_, words))) = (got, expected) {
            assert_eq!(got.headers().contains_key("retry-after"), got.status() == 429);
            let text = got.text().await.unwrap();
            assert!(text.contains(words), "{effect:?}: {text}");
        }
        let approved = async || {
            let state: Json = serde_json::from_str(&client.state().await).unwrap();
            let payments = state["clientpay-payments"].as_array().unwrap().clone();
            payments
                .iter()
                .filter(|paid| paid["request-id"] == id.as_str() && paid["status"] == "Approved")
                .count()
        };
        assert_eq!(approved().await, paid, "{effect:?}");
        let log = client.control("GET", "requests?limit=1", "").await.json();
        let struck = if effect == Effect::EvictAccessId { Json::Null } else { json!(hit) };
        assert_eq!(
            json!([log[0]["operation"], log[0]["method"], log[0]["path"], log[0]["fault"]]),
            json!(["clientpay-payments.create", "POST", path, struck]),
            "{effect:?}"
        );
        let sent = log[0]["request"].as_str().unwrap();
        assert!(sent.contains("card-name=Rosa Lind&card-number=****&"), "{sent}");
        assert!(sent.contains("card-code=****"), "{sent}");

        let again = client.send("POST", &path, &[FORM], entered).await;
        assert_eq!((again.status, approved().await), (200, 1), "{effect:?}: {}", again.body);
        sandbox.clear_faults().await.unwrap();
    }
}

#[tokio::test]
async fn an_address_that_could_not_be_kept_is_refused_and_not_changed() {
    let sandbox = Sandbox::start().await.unwrap();
    let (client, access_id) = open(&sandbox).await;
    let id = call(&client, &access_id, "/v2/token/requestid", &json!({})).await;
    for (address, refused) in [
        ("http://127.0.0.1:9/hooks/4111111111111111", json!("responseOptions.serverSideReturnAddress")),
        ("http://127.0.0.1:9/hooks/d15e31a5-dafe-4174-9399-16341bc817d2", json!(null)),
    ] {
        let body = json!({ "token": { "requestId": id["requestId"] }, "lineItems": [{ "paymentAmount": 5 }],
            "lineItemTableLabels": {}, "responseOptions": { "serverSideReturnAddress": address } });
        let answer = call(&client, &access_id, "/v2/paymentpage/lineitem", &body).await;
        assert_eq!(answer["errors"][0]["field"], refused, "{answer}");
        let is_stored = client.state().await.contains(address);
        assert_eq!(is_stored, refused.is_null(), "{address}");
    }
}

#[tokio::test]
async fn what_is_too_large_for_a_page_is_reported_as_a_page() {
    let sandbox = Sandbox::start().await.unwrap();
    let (client, access_id) = open(&sandbox).await;
    let (path, _) = page(&client, &access_id, json!({})).await;
    let refused = client.send("POST", &path, &[FORM], "x".repeat(300_000)).await;
    assert_eq!(
        (refused.status, &refused.headers["content-type"]),
        (413, &"text/html; charset=utf-8".parse().unwrap())
    );
}

/// Holds: A payment page is paid once, and a page that is over says so.
#[tokio::test]
async fn a_page_is_paid_once_and_what_is_over_says_so() {
    let sandbox = Sandbox::start().await.unwrap();
    let (client, access_id) = open(&sandbox).await;
    let options = json!({
        "pageOptions": { "duration": 900 },
        "responseOptions": { "clientSideReturnAddress": "https://portal.example.test/pay", "serverSideReturnAddress": "https://portal.example.test/hook" },
    });
    let (path, id) = page(&client, &access_id, options.clone()).await;
    let form = client.send("GET", &path, &[], "").await;
    let policy = form.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.ends_with("frame-ancestors https://portal.example.test"), "{policy}");
    let entered = format!("token={}&amount-0=100.50&{CARD}", token(&form.body));
    let (one, two) = tokio::join!(
        client.send("POST", &path, &[FORM], entered.as_str()),
        client.send("POST", &path, &[FORM], entered.as_str())
    );
    // Both were redirected to the receipt.
    assert!(one.body.contains("$100.50") && two.body.contains("$100.50"), "{} {}", one.body, two.body);
    let receipt = client.send("GET", &path, &[], "").await;
    assert!(
        receipt.body.contains("$100.50")
            && receipt.body.contains("data-origin=\"https://portal.example.test\"")
    );
    let refused = call(&client, &access_id, "/v2/expirepage", &json!({ "requestId": id })).await;
    assert_eq!(refused["message"], "The page is completed and cannot be expired.");

    let state = client.control("GET", "state", "").await.body;
    assert!(!state.contains("4000100011112224"));
    let state: Json = serde_json::from_str(&state).unwrap();
    let payments = state["clientpay-payments"].as_array().unwrap();
    assert_eq!(payments.len(), 1);
    assert_eq!((payments[0]["amount"].as_u64(), payments[0]["tax"].as_u64()), (Some(10_050), Some(50)));
    // Nothing leaves this machine, and the deliveries show it.
    let deliveries = state["deliveries"].as_array().unwrap();
    assert_eq!(deliveries.len(), 2);
    assert!(deliveries.iter().all(|delivery| delivery["outcome"] == "abandoned"), "{deliveries:?}");

    let (expired, id) = page(&client, &access_id, options.clone()).await;
    for _ in 0..2 {
        let done = call(&client, &access_id, "/v2/expirepage", &json!({ "requestId": id })).await;
        assert_eq!(done, json!({ "success": true }));
    }
    let (late, _) = page(&client, &access_id, options).await;
    client.control("POST", "clock", r#"{"advance":"PT15M"}"#).await;
    for path in [expired, late] {
        let gone = client.send("GET", &path, &[], "").await;
        assert_eq!(gone.status, 410);
        assert!(gone.body.contains("This page has expired."));
        assert_eq!(client.send("POST", &path, &[FORM], CARD).await.status, 410);
    }
}
