//! Requests that no operation serves: the answer says so, and the request log of their world shows them.

use perennial_sandbox::Sandbox;
use serde_json::json;

use crate::client::Client;
use crate::clientpay::Merchant;

#[tokio::test]
async fn a_call_of_clearent_that_is_not_emulated_says_so_and_is_in_the_log() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let masked = "not emulated by the sandbox: GET /rest/v2/receipts/************1111";
    let cases = [
        ("GET", "/rest/v2/receipts", 404, "not emulated by the sandbox: GET /rest/v2/receipts"),
        (
            "POST",
            "/rest/v2/ach/transactions/debit?x=1",
            404,
            "not emulated by the sandbox: POST /rest/v2/ach/transactions/debit",
        ),
        (
            "PUT",
            "/rest/v2/settings/terminal",
            404,
            "not emulated by the sandbox: PUT /rest/v2/settings/terminal",
        ),
        ("GET", "/rest/v1/customers", 404, "not emulated by the sandbox: GET /rest/v1/customers"),
        ("GET", "/rest/v2/receipts/4111111111111111", 404, masked),
        ("PATCH", "/rest/v2/customers", 405, "Method not allowed: this path has POST, GET, HEAD, OPTIONS"),
        // A missing object has a different text.
        ("GET", "/rest/v2/payment-plans/plan_1", 404, "Object not found"),
    ];
    for (method, path, status, message) in cases {
        let got = client.json(method, path, "").await;
        let error =
            (got.status, got.at("/payload/error/error-message"), got.at("/payload/error/result-code"));
        assert_eq!(error, (status, message.to_owned(), "041".to_owned()), "{method} {path}");
        let log = client.control("GET", "requests?limit=1", "").await.json();
        let operation = if path.contains("plan_1") { "plans.get" } else { "not-emulated" };
        let expected = json!([method, status, operation, got.at("/exchange-id")]);
        let entry = &log[0];
        assert_eq!(
            json!([entry["method"], entry["status"], entry["operation"], entry["exchange-id"]]),
            expected
        );
        assert!(!entry.to_string().contains("4111111111111111"), "{entry}");
    }
    let xml = client.xml("GET", "/rest/v2/receipts", "").await;
    assert_eq!(xml.element("error-message"), "not emulated by the sandbox: GET /rest/v2/receipts");
    // Without a key, the text is the same, and no world records it.
    let nobody = client.send("GET", "/rest/v2/receipts", &[], "").await;
    assert_eq!((nobody.status, nobody.at("/payload/error/result-code").as_str()), (404, "041"));
    let entries = client.control("GET", "requests", "").await.json();
    assert_eq!(entries.as_array().unwrap().len(), cases.len() + 1);
}

#[tokio::test]
async fn a_call_of_clientpay_that_is_not_emulated_says_so_and_is_in_the_log() {
    let sandbox = Sandbox::start().await.unwrap();
    let merchant = Merchant::of(&sandbox).await;
    let cases = [
        ("GET", "/v2/reports/daily", 404, "not emulated by the sandbox: GET /v2/reports/daily"),
        (
            "POST",
            "/Invoice/4111111111111111",
            404,
            "not emulated by the sandbox: POST /Invoice/************1111",
        ),
        ("PUT", "/v2/payment", 405, "This path has POST only."),
    ];
    for (method, path, status, message) in cases {
        let got = merchant.client.send(method, path, &[("accessId", &merchant.access_id)], "").await;
        assert_eq!((got.status, got.at("/message").as_str()), (status, message), "{path}: {}", got.body);
        let log = merchant.client.control("GET", "requests?limit=1", "").await.json();
        let entry = json!([log[0]["method"], log[0]["status"], log[0]["operation"]]);
        assert_eq!(entry, json!([method, status, "not-emulated"]), "{path}");
    }
    let nobody = merchant.client.send("GET", "/v2/reports/daily", &[], "").await;
    assert_eq!(nobody.at("/message"), cases[0].3);
}
