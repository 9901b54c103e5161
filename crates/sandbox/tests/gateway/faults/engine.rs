//! Declines of plans' payments.

use perennial_sandbox::{Effect, Fault, Sandbox, World};
use serde_json::Value as Json;

use crate::client::{Client, YEAR};

fn decline(code: &str) -> Fault {
    Fault::on("transactions.sale", Effect::Decline { result_code: code.into() })
}

/// The code of each payment of the world, in order.
async fn codes(world: &World) -> Vec<String> {
    let state: Json = serde_json::from_str(&world.state().await.unwrap()).unwrap();
    let transactions = state["transactions"].as_array().unwrap();
    transactions.iter().map(|transaction| transaction["result-code"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn one_jump_and_many_steps_are_declined_alike() {
    let sandbox = Sandbox::start().await.unwrap();
    let worlds = [sandbox.world(1).await.unwrap(), sandbox.world(1).await.unwrap()];
    let mut ends = Vec::new();
    for (world, steps) in worlds.iter().zip([["P1Y"; 1].as_slice(), &["P10D"; 37]]) {
        world.reset().await.unwrap();
        let client = Client::with_key(&sandbox, world.api_key().expose());
        let (customer, token, _) = client.subscriber().await;
        client.plan(&customer, &token, &YEAR.replace("15", "20")).await;
        world.fault(&decline("012").nth(3).times(2)).await.unwrap();
        world.fault(&decline("005").probability(0.3).seed(7)).await.unwrap();
        for step in steps {
            world.advance(step).await.unwrap();
        }
        world.advance_to("2028-01-15").await.unwrap();
        let counted = world.faults().await.unwrap();
        let counted: Vec<_> = counted.iter().map(|fault| (fault.matched, fault.applied)).collect();
        ends.push((world.state().await.unwrap(), counted, codes(world).await));
    }
    assert_eq!(ends[0].1, [(24, 2), (24, 7)]);
    let codes: Vec<&str> = ends[0].2.iter().map(String::as_str).collect();
    assert_eq!(codes[..6], ["000", "005", "012", "012", "005", "005"]);
    assert_eq!(codes.iter().filter(|code| **code == "005").count(), 7);
    assert_eq!(ends[0], ends[1]);
}

#[tokio::test]
async fn declines_are_aimed_at_the_plan_its_customer_or_its_token() {
    let sandbox = Sandbox::start().await.unwrap();
    for which in 0..4 {
        let world = sandbox.world(which).await.unwrap();
        let client = Client::with_key(&sandbox, world.api_key().expose());
        let (customer, token, plan) = client.subscriber().await;
        client.subscriber().await;
        let key = [customer, token, plan, "plan_of_nobody".to_owned()]
            .into_iter()
            .nth(usize::try_from(which).unwrap());
        world.fault(&decline("058").key(key.unwrap())).await.unwrap();
        let fired = world.advance("P1M").await.unwrap();
        assert_eq!((fired.approved, fired.declined), if which < 3 { (1, 1) } else { (2, 0) }, "{which}");
    }
}

#[tokio::test]
async fn only_declines_reach_the_engine_and_sales_count_with_its_payments() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let (_, token, plan) = client.subscriber().await;
    sandbox.fault(&Fault::on("*", Effect::ErrorBefore { status: 503 }).nth(4)).await.unwrap();
    sandbox.fault(&decline("012").nth(2)).await.unwrap();
    assert_eq!(client.advance("P1M").await, (1, 1, 0));
    let sale = format!(r#"{{"card":"{token}","amount":"5.00"}}"#);
    // An unreadable charge charges nothing, so there is nothing to decline.
    let wrong = client.json("POST", "/rest/v2/transactions/sale", &sale.replace("5.00", "five")).await;
    assert_eq!(wrong.status, 400);
    let declined = client.json("POST", "/rest/v2/transactions/sale", &sale).await;
    assert_eq!((declined.status, declined.payload_type().as_str()), (402, "errorTransaction"));
    let path = "/payload/transaction";
    assert_eq!(declined.at(&format!("{path}/display-message")), "Not Sufficient Funds");
    assert_eq!(client.json("POST", "/rest/v2/transactions/sale", &sale).await.status, 200);
    assert_eq!(client.advance("P1M").await, (1, 1, 0));
    let matched: Vec<_> = sandbox.faults().await.unwrap().iter().map(|fault| fault.matched).collect();
    assert_eq!(matched, [3, 4]);
    // A declined payment was made: it is reported with its code and not made again.
    sandbox.clear_faults().await.unwrap();
    sandbox.fault(&decline("049").times(1)).await.unwrap();
    assert_eq!(client.advance("P1M").await, (1, 0, 1));
    let path = format!("/rest/v2/transactions?order-id={plan}&status=Error");
    let found = client.json("GET", &path, "").await;
    let members = ["result", "result-code", "display-message"]
        .map(|member| found.at(&format!("/payload/transactions/transaction/0/{member}")));
    assert_eq!(members, ["ERROR", "049", "No Response From Server"]);
    assert_eq!(client.advance("P1M").await, (1, 1, 0));
}

#[tokio::test]
async fn a_decline_is_what_comes_whatever_else_would() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let (_, token, _) = client.subscriber().await;
    let settings = r#"{"enabled":true,"time-range-in-minutes":60}"#;
    assert_eq!(client.json("POST", "/rest/v2/settings/transaction/duplicates", settings).await.status, 200);
    let expired = r#"{"card":"4111111111111111","exp-date":"1226","amount":"6.00"}"#.to_owned();
    let of_token = |amount: &str| format!(r#"{{"card":"{token}","amount":"{amount}"}}"#);
    // The first is charged, the response to its repetition is the first charge, and the others are declined separately.
    let sales =
        [(of_token("5.00"), "000"), (of_token("5.00"), "000"), (of_token("0.21"), "012"), (expired, "003")];
    for (sale, code) in &sales {
        let saw = client.json("POST", "/rest/v2/transactions/sale", sale).await;
        assert_eq!(saw.at("/payload/transaction/result-code"), *code, "{sale}");
    }
    sandbox.fault(&decline("005")).await.unwrap();
    for (sale, _) in &sales {
        let saw = client.json("POST", "/rest/v2/transactions/sale", sale).await;
        assert_eq!(saw.at("/payload/transaction/result-code"), "005", "{sale}");
    }
}
