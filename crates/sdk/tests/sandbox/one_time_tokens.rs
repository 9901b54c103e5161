//! A charge with a one-time token: the card goes from the payer to the gateway, and never through this client.

use perennial::clearent::*;
use perennial::{Clearent, ErrorKind, Format, blocking};
use perennial_sandbox::{Effect, Fault, Sandbox};

use crate::{FORMATS, start};

/// The work of a payer's browser or phone: it exchanges a card for a token, using only the merchant's public key.
async fn exchange(sandbox: &Sandbox) -> OneTimeToken {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let answer = reqwest::Client::new()
        .post(format!("{}/rest/v2/mobilejwt/manual", sandbox.base_url()))
        .header("public-key", sandbox.webhook_key().await.unwrap())
        .header("content-type", "application/json")
        .body(r#"{"card":"4111111111111111","exp-date":"1230","csc":"999"}"#)
        .send()
        .await
        .unwrap();
    let answer: serde_json::Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    answer["payload"]["mobile-jwt"]["jwt"].as_str().unwrap().try_into().unwrap()
}

fn charge(token: &OneTimeToken, order: &str) -> Charge {
    Charge::builder().amount("25.00").card(token.clone()).order_id(order).build().unwrap()
}

async fn made(client: &Clearent) -> usize {
    client.transactions().search(&TransactionSearch::default()).collect_all().await.unwrap().len()
}

#[tokio::test]
async fn a_token_is_charged_reserved_and_refunded_once() {
    for format in FORMATS {
        let (sandbox, client) = start(format).await;
        let token = exchange(&sandbox).await;
        let sold = client.transactions().sale(&charge(&token, "order-1")).await.unwrap();
        assert!(sold.is_approved());
        assert_eq!((sold.last_four.as_deref(), sold.csc_result_code.as_deref()), (Some("1111"), Some("M")));
        // A second charge is refused, and definitely not executed.
        let again = client.transactions().sale(&charge(&token, "order-1")).await.unwrap_err();
        assert_eq!(again.kind(), ErrorKind::Refused, "{again:?}");
        let shown = format!("{again:?} {again} {sold:?} {token:?} {:?}", charge(&token, "order-1"));
        assert!(!shown.contains("eyJ") && !shown.contains(token.expose()), "{shown}");

        let reserved =
            client.transactions().auth(&charge(&exchange(&sandbox).await, "order-2")).await.unwrap();
        assert_eq!(reserved.transaction_type, Some(TransactionType::AUTH));
        let capture = Capture::builder().id(reserved.id.clone().unwrap()).amount("25.00").build().unwrap();
        assert!(client.transactions().capture(&capture).await.unwrap().is_approved());
        let refund = Refund::builder().amount("5.00").card(exchange(&sandbox).await).build().unwrap();
        assert!(client.transactions().refund(&refund).await.unwrap().is_approved());
        // A charge made with a token is voided in the normal way.
        let void = Void { id: sold.id.clone().unwrap() };
        assert!(client.transactions().void(&void).await.unwrap().is_approved());
        assert_eq!(made(&client).await, 5);
    }
}

#[tokio::test]
async fn a_charge_whose_answer_is_lost_is_not_sent_again_and_is_found() {
    for format in FORMATS {
        let (sandbox, client) = start(format).await;
        sandbox.fault(&Fault::on("transactions.sale", Effect::DropReply).nth(1)).await.unwrap();
        let lost =
            client.transactions().sale(&charge(&exchange(&sandbox).await, "order-7")).await.unwrap_err();
        assert_eq!((lost.kind(), lost.attempts()), (ErrorKind::OutcomeUnknown, 1));
        let Some(Lookup::Transactions(search)) = lost.lookup() else { panic!("{lost:?}") };
        assert_eq!((search.order_id.as_deref(), &search.last_four), (Some("order-7"), &None));
        assert_eq!(client.transactions().search(search).collect_all().await.unwrap().len(), 1);
    }
}

#[test]
fn it_blocks_too() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (sandbox, client) = runtime.block_on(start(Format::Json));
    let token = runtime.block_on(exchange(&sandbox));
    let client = blocking::Clearent::new(client).unwrap();
    assert!(client.transactions().sale(&charge(&token, "order-1")).unwrap().is_approved());
}
