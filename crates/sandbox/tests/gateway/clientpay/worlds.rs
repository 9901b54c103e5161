//! A world's ClientPay side: its pages by the clock, its restoration, and its isolation from others.

use perennial_sandbox::Sandbox;
use serde_json::{Value as Json, json};

use super::Merchant;

/// Creates a page of one item that lasts this many seconds; returns its request id.
async fn page(merchant: &Merchant, version_1: bool, seconds: Option<u32>) -> String {
    let id = merchant.request_id().await;
    let (path, mut body) = if version_1 {
        (
            "/PaymentPage/Forms/Add",
            json!({ "accessId": merchant.access_id, "requestId": id, "duration": seconds }),
        )
    } else {
        (
            "/v2/paymentpage/lineitem",
            json!({ "token": { "requestId": id }, "pageOptions": { "duration": seconds },
            "lineItemTableLabels": {} }),
        )
    };
    body["lineItems"] = json!([{ "paymentAmount": 5 }]);
    let got = merchant.send(path, &body).await;
    assert_eq!(got.status, 200, "{}", got.body);
    id
}

async fn status(merchant: &Merchant, id: &str) -> String {
    let path = format!("/Payment/Status?accessId={}&requestId={id}", merchant.access_id);
    merchant.client.send("GET", &path, &[], "").await.at("/paymentPageUrlStatus")
}

async fn set(merchant: &Merchant, moment: &str) {
    let got = merchant.client.control("POST", "clock", &format!(r#"{{"advance-to":"{moment}"}}"#)).await;
    assert_eq!(got.status, 200, "{}", got.body);
}

#[tokio::test]
async fn a_page_is_over_when_its_time_is() {
    let sandbox = Sandbox::start().await.unwrap();
    for (seed, version_1, seconds, last, over) in [
        (1, false, Some(3600), "2027-01-01T00:59:59Z", "2027-01-01T01:00:00Z"),
        (2, false, Some(1), "2027-01-01T00:14:59Z", "2027-01-01T00:15:00Z"),
        (3, false, Some(0), "2027-01-01T00:14:59Z", "2027-01-01T00:15:00Z"),
        (4, true, None, "2027-01-01T00:14:59Z", "2027-01-01T00:15:00Z"),
        (5, true, Some(7200), "2027-01-01T01:59:59Z", "2027-01-01T02:00:00Z"),
        // The default and maximum is a year in the vendor's sense, 31540000 seconds.
        (6, false, None, "2028-01-01T01:06:39Z", "2028-01-01T01:06:40Z"),
        (7, false, Some(4_000_000_000), "2028-01-01T01:06:39Z", "2028-01-01T01:06:40Z"),
    ] {
        let merchant = Merchant::of_world(&sandbox, &sandbox.world(seed).await.unwrap()).await;
        let id = page(&merchant, version_1, seconds).await;
        set(&merchant, last).await;
        assert_eq!(status(&merchant, &id).await, "Active", "{seconds:?}");
        set(&merchant, over).await;
        assert_eq!(status(&merchant, &id).await, "Expired", "{seconds:?}");
        let got = merchant.client.send("GET", &format!("/app/api/{id}"), &[], "").await;
        assert_eq!(got.status, 410);
        // Expiring it again is not an error.
        assert_eq!(merchant.send("/v2/expirepage", &json!({ "requestId": id })).await.status, 200);
    }
    let merchant = Merchant::of(&sandbox).await;
    for (id, expected) in
        [("0d3f4c2e-7f55-4d0e-9a6a-3f2f8f6f1b11", 404), ("", 400), (&merchant.request_id().await, 404)]
    {
        assert_eq!(merchant.send("/v2/expirepage", &json!({ "requestId": id })).await.status, expected);
    }
}

/// Creates objects of every kind; returns the answers.
async fn busy(merchant: &Merchant) -> Vec<Json> {
    let payer = json!({ "payer": { "firstName": "Rosa", "emails": ["rosa@example.test"] } });
    let payer = merchant.keyed("/v2/payer", &payer).await.json();
    let method = json!({ "payerId": payer["payerId"], "paymentMethods": [{ "creditCard":
        { "cardNumber": "4000100011112224", "expirationDateMonth": 9, "expirationDateYear": 2030 } }] });
    let method = merchant.keyed("/v2/payer/paymentmethods", &method).await.json();
    let payment = json!({ "totalAmount": 12.5, "payerOrPaymentMethodId": payer["payerId"] });
    let paid = merchant.keyed("/v2/payment", &payment).await.json();
    let refunded =
        merchant.keyed("/v2/payment/refund", &json!({ "paymentId": paid["paymentID"] })).await.json();
    let page = page(merchant, false, None).await;
    let answers = vec![payer, method, paid, refunded, json!(page), merchant.state().await];
    assert!(answers[..4].iter().all(|answer| answer["success"] == true), "{answers:?}");
    answers
}

#[tokio::test]
async fn the_same_seed_says_the_same_and_so_does_a_world_that_comes_back() {
    let mut transcripts = Vec::new();
    for _ in 0..2 {
        let sandbox = Sandbox::start().await.unwrap();
        let world = sandbox.world(7).await.unwrap();
        let merchant = Merchant::of_world(&sandbox, &world).await;
        transcripts.push(busy(&merchant).await);
        let snapshot = world.snapshot().await.unwrap();
        let next = busy(&merchant).await;
        assert_ne!(next[2]["paymentID"], transcripts[0][2]["paymentID"]);
        world.restore(&snapshot).await.unwrap();
        assert_eq!(merchant.state().await, transcripts[0][5]);
        assert_eq!(busy(&merchant).await, next, "what happens then is what would have happened");

        // A reset removes the access id too; the account and its PIN stay.
        world.reset().await.unwrap();
        assert_eq!(merchant.send("/v2/token/requestid", &json!({})).await.status, 401);
        let mut wrong = merchant.credentials.clone();
        wrong["accountPin"] = "0000".into();
        assert_eq!(merchant.send("/v2/token/accessid", &wrong).await.status, 401);
        let merchant = Merchant::of_world(&sandbox, &world).await;
        assert_eq!(busy(&merchant).await, transcripts[0]);
    }
    assert_eq!(transcripts[0], transcripts[1]);
}

#[tokio::test]
async fn a_restart_from_the_file_finds_all_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sandbox.db");
    let start = || Sandbox::builder().database(&path).start();
    let sandbox = start().await.unwrap();
    let merchant = Merchant::of(&sandbox).await;
    let answers = busy(&merchant).await;
    let unused = merchant.request_id().await;
    let state = merchant.state().await;
    drop(sandbox);

    let sandbox = start().await.unwrap();
    let client = crate::client::Client::of(&sandbox);
    let merchant = Merchant { client, ..merchant };
    assert_eq!(merchant.state().await, state);
    let current = merchant.send("/v2/token/accessid/current", &merchant.credentials).await;
    assert_eq!(current.at("/accessId"), merchant.access_id);
    let payment = json!({ "token": { "requestId": unused }, "totalAmount": 5,
        "payerOrPaymentMethodId": answers[1]["paymentMethodIds"][0] });
    assert_eq!(merchant.send("/v2/payment", &payment).await.at("/paymentStatus"), "Approved");
    assert_eq!(
        merchant.send("/v2/payment", &payment).await.at("/message"),
        "requestId has already been used."
    );
}

#[tokio::test]
async fn nothing_of_one_world_is_known_in_another() {
    let sandbox = Sandbox::start().await.unwrap();
    let ours = Merchant::of(&sandbox).await;
    let theirs = Merchant::of_world(&sandbox, &sandbox.world(7).await.unwrap()).await;
    let answers = busy(&ours).await;
    let before = (ours.state().await, theirs.state().await["clientpay-payments"].clone());
    let source = json!({ "totalAmount": 5, "payerOrPaymentMethodId": answers[0]["payerId"] });
    for (path, body) in [
        ("/v2/payment", &source),
        ("/v2/payment/refund", &json!({ "paymentId": answers[2]["paymentID"] })),
        ("/v2/payer/update", &json!({ "payerId": answers[0]["payerId"], "payer": { "firstName": "Ada" } })),
        ("/v2/payer/delete", &json!({ "payerId": answers[0]["payerId"] })),
        ("/v2/payer/payerpage", &json!({ "payerId": answers[0]["payerId"] })),
        (
            "/v2/payer/paymentmethods/update",
            &json!({ "paymentMethods": [{ "id": answers[1]["paymentMethodIds"][0], "isPrimary": true }] }),
        ),
    ] {
        let got = theirs.keyed(path, body).await;
        assert_eq!(got.status, 404, "{path}: {}", got.body);
    }
    assert_eq!(theirs.send("/v2/expirepage", &json!({ "requestId": answers[4] })).await.status, 404);
    let search = json!({ "group": { "type": "and", "conditions": [{ "criteria": { "field": 2, "operator": 1, "value": answers[2]["paymentID"] } }] } });
    assert_eq!(theirs.send("/v2/paymentsearch/count", &search).await.at("/count"), "0");
    assert_eq!(ours.send("/v2/paymentsearch/count", &search).await.at("/count"), "1");
    assert_eq!((ours.state().await, theirs.state().await["clientpay-payments"].clone()), before);
}
