//! Charges and their follow-ups.

use perennial_sandbox::Sandbox;

use crate::client::{Client, Got};

async fn post(client: &Client, kind: &str, body: &str) -> Got {
    client.json("POST", &format!("/rest/v2/transactions/{kind}"), body).await
}

fn outcome(got: &Got) -> (u16, String, String, String) {
    let at = |member: &str| got.at(&format!("/payload/transaction/{member}"));
    (got.status, got.payload_type(), at("result"), at("result-code"))
}

#[tokio::test]
async fn amounts_that_force_an_outcome() {
    #[rustfmt::skip]
    let cases = [
        ("0.49", 200, "APPROVED", "000"), ("0.80", 200, "APPROVED", "000"), ("0.81", 200, "APPROVED", "000"), ("0.82", 200, "APPROVED", "000"),
        ("0.29", 402, "DECLINED", "003"), ("0.04", 402, "DECLINED", "004"), ("0.05", 402, "DECLINED", "004"), ("0.40", 402, "DECLINED", "006"),
        ("0.01", 402, "DECLINED", "007"), ("0.02", 402, "DECLINED", "007"), ("0.11", 402, "DECLINED", "008"), ("0.32", 402, "DECLINED", "008"),
        ("0.14", 400, "ERROR", "009"), ("0.36", 402, "DECLINED", "010"), ("0.37", 402, "DECLINED", "010"), ("0.38", 402, "DECLINED", "010"),
        ("0.31", 400, "ERROR", "011"), ("0.35", 400, "ERROR", "011"), ("0.39", 400, "ERROR", "011"), ("0.21", 402, "DECLINED", "012"),
        ("0.23", 402, "DECLINED", "014"), ("0.43", 402, "DECLINED", "015"), ("0.44", 402, "DECLINED", "015"), ("0.22", 402, "DECLINED", "016"),
        ("0.25", 402, "DECLINED", "016"), ("0.71", 402, "DECLINED", "016"), ("0.12", 400, "ERROR", "018"), ("0.13", 400, "ERROR", "018"),
        ("0.47", 400, "ERROR", "018"), ("0.48", 402, "DECLINED", "021"), ("0.16", 400, "ERROR", "022"), ("0.09", 402, "DECLINED", "023"),
        ("0.15", 402, "DECLINED", "023"), ("0.17", 402, "DECLINED", "023"), ("0.10", 402, "DECLINED", "024"), ("0.34", 402, "DECLINED", "027"),
        ("0.46", 402, "DECLINED", "030"), ("0.03", 402, "DECLINED", "031"), ("0.54", 402, "DECLINED", "032"),
        ("0.50", 200, "APPROVED", "000"), ("1.21", 200, "APPROVED", "000"), ("25.00", 200, "APPROVED", "000"),
    ];
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    for (amount, status, result, code) in cases {
        let body = format!(r#"{{"card":"4111111111111111","exp-date":"1230","amount":"{amount}"}}"#);
        let payload = if status == 200 { "transaction" } else { "errorTransaction" };
        let expected = (status, payload.to_owned(), result.to_owned(), code.to_owned());
        assert_eq!(outcome(&post(&client, "sale", &body).await), expected, "{amount}");
    }
}

#[tokio::test]
async fn cards_and_tokens_that_cannot_be_charged() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let token = client.token(&client.customer().await).await;
    let by_token = format!(r#"{{"card":"{token}","amount":"5.00"}}"#);
    let decline = |code: &str| (402, "errorTransaction".to_owned(), "DECLINED".to_owned(), code.to_owned());

    let expired = r#"{"card":"4111111111111111","exp-date":"1226","amount":"5.00"}"#;
    assert_eq!(outcome(&post(&client, "sale", expired).await), decline("003"));
    assert_eq!(post(&client, "sale", &by_token).await.status, 200);
    client.json("PUT", &format!("/rest/v2/tokens/{token}"), r#"{"status":"INACTIVE"}"#).await;
    assert_eq!(outcome(&post(&client, "sale", &by_token).await), decline("017"));
    client.json("PUT", &format!("/rest/v2/tokens/{token}"), r#"{"status":"ACTIVE"}"#).await;
    client.advance("P4Y").await;
    assert_eq!(outcome(&post(&client, "sale", &by_token).await), decline("003"));
    let used = client.json("GET", &format!("/rest/v2/tokens/{token}"), "").await;
    assert_eq!(used.at("/payload/tokenResponse/times-used"), "3");
    client.json("DELETE", &format!("/rest/v2/tokens/{token}"), "").await;
    assert_eq!(post(&client, "sale", &by_token).await.status, 400);
}

#[tokio::test]
async fn a_sale_can_make_a_token() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let sale = r#"{"card":"5555555555554444","exp-date":"1230","amount":"5.00","create-token":true}"#;
    let got = post(&client, "sale", sale).await;
    let token = got.at("/payload/tokenResponse/token-id");
    assert_eq!(
        (got.payload_type().as_str(), got.at("/payload/tokenResponse/card-type").as_str()),
        ("transactionToken", "MASTERCARD")
    );
    assert!(token.starts_with("1100") && token.ends_with("4444") && token.len() == 19, "{token}");
    let links: Vec<String> =
        ["/links/0/rel", "/links/1/rel", "/links/1/id"].iter().map(|link| got.at(link)).collect();
    assert_eq!(links, ["transaction", "token", token.as_str()]);

    let vaulted = r#"{"type":"AUTH","card":"5555555555554444","exp-date":"1230","amount":"0.00","create-token":"true"}"#;
    let got = client.json("POST", "/rest/v2/transactions", vaulted).await;
    assert_eq!((got.status, got.payload_type().as_str()), (200, "token"));

    let declined = r#"{"card":"5555555555554444","exp-date":"1230","amount":"0.21","create-token":true}"#;
    let got = post(&client, "sale", declined).await;
    assert_eq!((got.status, got.payload_type().as_str()), (402, "errorTransaction"));
    let tokens = client.json("GET", "/rest/v2/tokens", "").await;
    assert_eq!(tokens.at("/page/total-elements"), "2");
}

#[tokio::test]
async fn follow_ups() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let card = r#""card":"4111111111111111","exp-date":"1230""#;
    let charge = async |kind: &str, amount: &str| {
        let got = post(&client, kind, &format!(r#"{{{card},"amount":"{amount}"}}"#)).await;
        assert_eq!(got.status, 200, "{}", got.body);
        got.at("/payload/transaction/id")
    };
    let (auth, sale, voided, declined) = (
        charge("auth", "25.00").await,
        charge("sale", "25.00").await,
        charge("sale", r#"7.00","tip-amount":"1.00"#).await,
        post(&client, "sale", &format!(r#"{{{card},"amount":"0.21"}}"#)).await.at("/payload/transaction/id"),
    );
    // Each row sees the effects of the previous ones.
    #[rustfmt::skip]
    let rows = [
        ("capture", &auth, r#","amount":"25.01""#, 402, "014"),
        ("capture", &sale, r#","amount":"1.00""#, 402, "027"),
        ("capture", &auth, r#","amount":"20.00","tip-amount":"4.00""#, 200, ""),
        ("capture", &auth, r#","amount":"5.00""#, 402, "041"),
        ("void", &auth, "", 402, "041"),
        ("refund", &auth, r#","amount":"1.00""#, 402, "027"),
        ("refund", &sale, r#","amount":"25.01""#, 402, "025"),
        ("refund", &sale, r#","amount":"20.00""#, 200, ""),
        ("refund", &sale, r#","amount":"5.01""#, 402, "025"),
        ("refund", &sale, r#","amount":"5.00""#, 200, ""),
        ("void", &sale, "", 402, "041"),
        ("void", &voided, r#","amount":"6.99""#, 402, "041"),
        ("void", &voided, r#","amount":"7.01""#, 402, "041"),
        ("void", &voided, r#","amount":"7""#, 400, "041"),
        ("void", &voided, r#","amount":"8.00""#, 200, ""),
        ("void", &voided, "", 402, "024"),
        ("refund", &voided, r#","amount":"1.00""#, 402, "024"),
        ("void", &declined, "", 402, "027"),
        ("refund", &declined, r#","amount":"0.01""#, 402, "027"),
    ];
    for (kind, id, members, status, code) in rows {
        let got = post(&client, kind, &format!(r#"{{"id":"{id}"{members}}}"#)).await;
        assert_eq!(
            (got.status, got.at("/payload/error/result-code").as_str()),
            (status, code),
            "{kind} {members}: {}",
            got.body
        );
        if status == 200 {
            assert_eq!(got.at("/payload/transaction/ref-id"), *id);
        }
    }
    let unmatched = post(&client, "refund", &format!(r#"{{{card},"amount":"3.00"}}"#)).await;
    assert_eq!(unmatched.at("/payload/transaction/type"), "UNMATCHED REFUND");
    let forced = format!(r#"{{"type":"FORCED SALE",{card},"amount":"3.00","authorization-code":"APPC10"}}"#);
    let forced = client.json("POST", "/rest/v2/transactions", &forced).await;
    assert_eq!(forced.at("/payload/transaction/authorization-code"), "APPC10");
    let stored = client.json("GET", &format!("/rest/v2/transactions/{voided}"), "").await;
    assert_eq!(
        (stored.at("/payload/transaction/voided").as_str(), stored.at("/payload/transaction/card").as_str()),
        ("true", "1111")
    );
}
