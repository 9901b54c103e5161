//! Faults on ClientPay's calls: a lost reply leaves a payment, and with any fault a request id makes only one.

use std::time::Duration;

use perennial_sandbox::{Effect, Fault, Sandbox};
use serde_json::{Value as Json, json};

use super::{JSON, Merchant};

const PAYMENTS: &str = "clientpay-payments.create";

fn payment(id: &str) -> Json {
    json!({ "token": { "requestId": id }, "totalAmount": 5, "creditCard":
        { "cardNumber": "4000100011112224", "expirationDateMonth": 9, "expirationDateYear": 2030 } })
}

/// Pays and returns status and body, or `None` if the answer was lost.
async fn pay(merchant: &Merchant, id: &str) -> Option<(u16, String)> {
    let request = merchant.client.http.post(format!("{}/v2/payment", merchant.client.base));
    let request = request.header(JSON.0, JSON.1).header("accessId", &merchant.access_id);
    let response = request.body(payment(id).to_string()).send().await.ok()?;
    let status = response.status().as_u16();
    Some((status, response.text().await.ok()?))
}

async fn payments(merchant: &Merchant) -> usize {
    merchant.state().await["clientpay-payments"].as_array().unwrap().len()
}

/// Holds: Under each fault a request id makes at most one payment.
#[tokio::test]
async fn whatever_strikes_a_payment_its_request_id_makes_one() {
    let ms = Duration::from_millis;
    #[rustfmt::skip]
    let cases = [
        (Effect::ErrorBefore { status: 503 }, Some((503, "Service Unavailable")), 0),
        (Effect::ErrorAfter { status: 500 }, Some((500, "Internal Server Error")), 1),
        (Effect::RateLimit { retry_after: None }, Some((429, "Too Many Requests")), 0),
        (Effect::DropReply, None, 1),
        (Effect::CutReply { at_byte: 20 }, None, 1),
        (Effect::Duplicate, Some((400, "requestId has already been used.")), 1),
        (Effect::Delay { delay: ms(1) }, Some((200, "Approved")), 1),
        (Effect::SlowBody { bytes_per_second: 100_000 }, Some((200, "Approved")), 1),
        (Effect::HugeBody { bytes: 100_000 }, Some((200, "Approved")), 1),
        (Effect::Garbage { body: "<html>".into(), content_type: "text/html".into() }, Some((200, "<html>")), 1),
        (Effect::Decline { result_code: "012".into() }, Some((200, "Declined")), 1),
        (Effect::EvictAccessId, Some((401, "The access ID or the credentials are not valid.")), 0),
    ];
    let sandbox = Sandbox::start().await.unwrap();
    for (effect, response, count) in cases {
        let mut merchant = Merchant::of(&sandbox).await;
        let (id, before) = (merchant.request_id().await, payments(&merchant).await);
        sandbox.fault(&Fault::on(PAYMENTS, effect.clone()).times(1)).await.unwrap();
        let got = pay(&merchant, &id).await;
        assert_eq!(
            got.as_ref().map(|(status, _)| *status),
            response.map(|(status, _)| status),
            "{effect:?}: {got:?}"
        );
        assert!(
            response.is_none_or(|(_, words)| got.as_ref().unwrap().1.contains(words)),
            "{effect:?}: {got:?}"
        );
        assert_eq!(payments(&merchant).await - before, count, "{effect:?}");
        sandbox.clear_faults().await.unwrap();
        let is_evicted = effect == Effect::EvictAccessId;
        assert_eq!(
            merchant.send("/v2/token/requestid", &json!({})).await.status,
            if is_evicted { 401 } else { 200 }
        );
        if is_evicted {
            merchant = Merchant::of(&sandbox).await;
        }
        // Sent again, the payment is made if it was not, and refused if it was.
        let again = pay(&merchant, &id).await.unwrap();
        assert_eq!(again.0, if count == 0 { 200 } else { 400 }, "{effect:?}: {again:?}");
        assert_eq!(payments(&merchant).await - before, 1, "{effect:?}");
    }
}

#[tokio::test]
async fn a_stale_search_does_not_see_the_payment_that_was_made() {
    let sandbox = Sandbox::start().await.unwrap();
    let merchant = Merchant::of(&sandbox).await;
    sandbox.fault(&Fault::on("clientpay-payments.search", Effect::StaleRead).times(1)).await.unwrap();
    let id = merchant.request_id().await;
    pay(&merchant, &id).await.unwrap();
    let search = json!({ "group": { "type": "and", "conditions": [{ "criteria": { "field": 1, "operator": 1, "value": id } }] } });
    for found in [0, 1] {
        let got = merchant.send("/v2/paymentsearch/results", &search).await.json();
        assert_eq!(got["payments"].as_array().unwrap().len(), found);
    }
}

#[tokio::test]
async fn faults_are_set_and_the_world_is_turned_under_an_access_id_too() {
    let sandbox = Sandbox::start().await.unwrap();
    let merchant = Merchant::of(&sandbox).await;
    let control = async |method: &str, call: &str, id: &str, body: &str| {
        merchant.client.send(method, &format!("/_sandbox/{call}"), &[("accessId", id)], body).await
    };
    let id = merchant.access_id.as_str();
    for operation in [
        "access.new",
        "access.current",
        "access.validate",
        "access.expire",
        "request-id.new",
        "pages.create",
        "pages.expire",
        "clientpay-payments.create",
        "clientpay-payments.refund",
        "clientpay-payments.search",
        "clientpay-payments.count",
        "clientpay-payments.status",
        "connect.search",
        "payers.create",
        "payers.update",
        "payers.delete",
        "payers.add-methods",
        "payers.update-methods",
    ] {
        let fault = format!(
            r#"{{"operation":"{operation}","times":1,"effect":{{"kind":"error-before","status":503}}}}"#
        );
        let got = control("POST", "faults", id, &fault).await;
        assert_eq!(got.status, 200, "{operation}: {}", got.body);
    }
    assert_eq!(merchant.send("/v2/token/requestid", &json!({})).await.status, 503);
    assert_eq!(merchant.send("/v2/token/requestid", &json!({})).await.status, 200);
    assert_eq!(control("DELETE", "faults", id, "").await.status, 204);
    assert_eq!(control("POST", "clock", id, r#"{"advance":"P1D"}"#).await.at("/now"), "2027-01-02T00:00:00Z");
    assert_eq!(control("GET", "state", id, "").await.json(), merchant.state().await);
    for dead in ["6b0f0a57-2f6a-4a6e-9a0f-64c1b8b7d210", "nothing", ""] {
        assert_eq!(control("GET", "state", dead, "").await.status, 401);
    }
    merchant.send("/v2/token/accessid/expire", &json!({})).await;
    assert_eq!(control("GET", "state", id, "").await.status, 401);
}
