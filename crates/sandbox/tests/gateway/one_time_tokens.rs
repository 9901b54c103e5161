//! A card that is exchanged for a one-time token, as the vendor's mobile libraries do, and charged with it.

use perennial_sandbox::Sandbox;
use serde_json::{Value as Json, json};

use crate::client::{Client, Got};

const MANUAL: &str = "/rest/v2/mobilejwt/manual";
const CARD: &str = r#"{"card":"4111111111111111","exp-date":"1230","csc":"999","software-type":"app"}"#;

/// Exchanges a card with the public key alone.
async fn exchange(client: &Client, public_key: &str, body: &str) -> Got {
    let headers =
        [("public-key", public_key), ("content-type", "application/json"), ("accept", "application/json")];
    client.send("POST", MANUAL, &headers, body).await
}

async fn jwt(client: &Client, public_key: &str) -> String {
    let got = exchange(client, public_key, CARD).await;
    assert_eq!(got.status, 200, "{}", got.body);
    got.at("/payload/mobile-jwt/jwt")
}

async fn charge(client: &Client, kind: &str, jwt: &str, body: &str) -> Got {
    let headers =
        [("api-key", client.key.as_str()), ("mobilejwt", jwt), ("content-type", "application/json")];
    client.send("POST", &format!("/rest/v2/mobile/transactions{kind}"), &headers, body).await
}

async fn public_key(client: &Client) -> String {
    client.control("GET", "webhook", "").await.at("/public-key")
}

/// The claims of a token, without its signature.
fn claims(jwt: &str) -> Json {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let payload = jwt.split('.').nth(1).unwrap();
    let (mut bits, mut count, mut bytes) = (0_u32, 0, Vec::new());
    for letter in payload.bytes() {
        let value = ALPHABET.iter().position(|known| *known == letter).unwrap();
        bits = bits << 6 | u32::try_from(value).unwrap();
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap());
        }
    }
    serde_json::from_slice(&bytes).unwrap()
}

#[tokio::test]
async fn a_card_is_charged_by_a_token_that_is_good_once() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let key = public_key(&client).await;
    let token = exchange(&client, &key, CARD).await;
    let members = ["last-four", "card-type"].map(|member| token.at(&format!("/payload/mobile-jwt/{member}")));
    assert_eq!((token.payload_type().as_str(), members), ("mobile-jwt", ["1111", "VISA"].map(str::to_owned)));
    assert!(token.at("/exchange-id").starts_with("ID-clearent-mobile-jwt-1-"), "{}", token.body);
    let jwt = token.at("/payload/mobile-jwt/jwt");
    let claims = claims(&jwt);
    // 2027-01-01T01:00:00Z.
    let expected =
        json!({ "last-four": "1111", "type": "MANUAL", "exp": 1_798_765_200, "token": claims["token"] });
    assert_eq!((claims, jwt.contains("4111")), (expected, false));

    let sale = r#"{"type":"SALE","amount":"25.00","order-id":"order-7","billing":{"street":"8320 Mill Avenue","zip":"85284"}}"#;
    // A refused request does not use it up.
    let refused = charge(&client, "/sale", &jwt, r#"{"amount":"25"}"#).await;
    assert_eq!(refused.status, 400, "{}", refused.body);
    let sold = charge(&client, "/sale", &jwt, sale).await;
    let at = |member: &str| sold.at(&format!("/payload/transaction/{member}"));
    assert_eq!(
        [
            at("result"),
            at("card"),
            at("card-type"),
            at("exp-date"),
            at("order-id"),
            at("avs-result-code"),
            at("csc-result-code")
        ],
        ["APPROVED", "XXXXXXXXXXXX1111", "VISA", "1230", "order-7", "Y", "M"]
    );
    let again = charge(&client, "/sale", &jwt, sale).await;
    assert_eq!(
        (again.status, again.at("/payload/error/error-message"), again.at("/payload/error/result-code")),
        (400, "mobilejwt: has been used already: a one-time token charges a card once".into(), "041".into())
    );
    let all = client.json("GET", "/rest/v2/transactions?order-id=order-7", "").await;
    assert_eq!(all.at("/page/total-elements"), "1");
    // Its transaction has follow-ups like any other.
    let void = format!(r#"{{"id":"{}"}}"#, at("id"));
    assert_eq!(client.json("POST", "/rest/v2/transactions/void", &void).await.status, 200);
}

#[tokio::test]
async fn every_route_takes_a_token() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let key = public_key(&client).await;
    let cases = [
        ("/sale", r#"{"amount":"5.00"}"#, 200, "SALE"),
        ("/auth", r#"{"amount":"5.00"}"#, 200, "AUTH"),
        ("/refund", r#"{"amount":"5.00"}"#, 200, "UNMATCHED REFUND"),
        ("", r#"{"type":"sale","amount":"5.00"}"#, 200, "SALE"),
        ("", r#"{"type":"AUTH","amount":"5.00"}"#, 200, "AUTH"),
        ("/sale", r#"{"amount":"0.21"}"#, 402, "SALE"),
        ("/sale", r#"{"amount":"5.00","create-token":true}"#, 200, "SALE"),
    ];
    for (kind, body, status, expected) in cases {
        let jwt = jwt(&client, &key).await;
        let got = charge(&client, kind, &jwt, body).await;
        assert_eq!(
            (got.status, got.at("/payload/transaction/type").as_str()),
            (status, expected),
            "{kind} {body}"
        );
        // A decline uses it up, too.
        let again = charge(&client, kind, &jwt, body).await;
        assert_eq!(again.status, 400, "{kind} {body}: {}", again.body);
        if body.contains("create-token") {
            assert_eq!(got.at("/payload/tokenResponse/last-four-digits"), "1111", "{}", got.body);
        }
    }
}

#[tokio::test]
async fn a_token_that_is_not_good_is_refused() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let key = public_key(&client).await;
    let sale = r#"{"amount":"5.00"}"#;
    let (good, late) = (jwt(&client, &key).await, jwt(&client, &key).await);
    let (head, signature) = good.rsplit_once('.').unwrap();
    let another = if signature.starts_with('A') { 'B' } else { 'A' };
    let forged = format!("{head}.{another}{}", &signature[1..]);
    let other = sandbox.world(7).await.unwrap();
    let other = Client::with_key(&sandbox, other.api_key().expose());
    let of_other = jwt(&other, &public_key(&other).await).await;
    let malformed = "mobilejwt: must be a one-time token: a JWT, whose three parts have dots between them";
    let cases = [
        (&*forged, "mobilejwt: must be a one-time token of this merchant"),
        (&*of_other, "mobilejwt: must be a one-time token of this merchant"),
        ("a.b.c", "mobilejwt: must be a one-time token of this merchant"),
        ("4111111111111111", malformed),
        ("", malformed),
    ];
    for (jwt, message) in cases {
        let got = charge(&client, "/sale", jwt, sale).await;
        assert_eq!((got.status, got.at("/payload/error/error-message").as_str()), (400, message), "{jwt}");
    }
    let missing = client.json("POST", "/rest/v2/mobile/transactions/sale", sale).await;
    assert_eq!(
        (missing.status, missing.at("/payload/error/error-message").as_str()),
        (400, "mobilejwt: is required")
    );
    let twice = r#"{"amount":"5.00","card":"4111111111111111","exp-date":"1230"}"#;
    let got = charge(&client, "/sale", &good, twice).await;
    let message = got.at("/payload/error/error-message");
    assert_eq!(
        (got.status, message.as_str()),
        (400, "card: must not be given together with a one-time token")
    );

    client.advance("PT59M59S").await;
    assert_eq!(charge(&client, "/sale", &good, sale).await.status, 200);
    client.advance("PT1S").await;
    let expired = charge(&client, "/sale", &late, sale).await;
    let message = expired.at("/payload/error/error-message");
    assert_eq!(
        (expired.status, message.as_str()),
        (400, "mobilejwt: has expired: exchange the card for another")
    );
}

#[tokio::test]
async fn only_a_public_key_opens_the_exchange_and_it_opens_nothing_else() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let key = public_key(&client).await;
    let unknown = key.replace(&key[200..], &"0".repeat(48));
    for wrong in ["", "abc", &unknown, &client.key] {
        let got = exchange(&client, wrong, CARD).await;
        assert_eq!((got.status, got.at("/payload/error/result-code").as_str()), (401, "042"), "{wrong}");
    }
    assert_eq!(client.json("POST", MANUAL, CARD).await.status, 401);
    let listed = client.send("GET", "/rest/v2/customers", &[("public-key", &key)], "").await;
    assert_eq!(listed.status, 401);
    assert_eq!(exchange(&client, &key.to_ascii_uppercase(), CARD).await.status, 200);
    let cases = [
        (r#"{"exp-date":"1230"}"#, "card: is required"),
        (r#"{"card":"4111111111111111"}"#, "exp-date: is required"),
        (
            r#"{"card":"4111111111111112","exp-date":"1230"}"#,
            "card: must be a card number whose check digit is right (Luhn)",
        ),
        (
            r#"{"card":"4111111111111111","exp-date":"1226"}"#,
            "exp-date: must not be in the past: the card has expired",
        ),
    ];
    for (body, message) in cases {
        let got = exchange(&client, &key, body).await;
        assert_eq!((got.status, got.at("/payload/error/error-message").as_str()), (400, message), "{body}");
    }
}

/// Holds: A one-time token is stored without its card and works once, also after a restart.
#[tokio::test]
async fn tokens_are_kept_without_the_card_and_used_once_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let sandbox = Sandbox::builder().database(&path).start().await.unwrap();
    let client = Client::of(&sandbox);
    let key = public_key(&client).await;
    let card = CARD.replace("4111111111111111", "5454545454545454");
    let token = exchange(&client, &key, &card).await.at("/payload/mobile-jwt/jwt");
    let other = exchange(&client, &key, &card).await.at("/payload/mobile-jwt/jwt");
    assert_eq!(charge(&client, "/sale", &token, r#"{"amount":"5.00"}"#).await.status, 200);
    let texts = [client.state().await, client.control("GET", "requests", "").await.body];
    for text in &texts {
        for secret in ["5454545454545454", &token, &other, &token[60..]] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
    assert!(texts[1].contains("one-time-tokens.create"), "{}", texts[1]);
    sandbox.stop().await;
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for secret in ["5454545454545454", &token, &other] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret}");
        }
    }
    let sandbox = Sandbox::builder().database(&path).start().await.unwrap();
    let client = Client::of(&sandbox);
    let statuses = async |jwt: &str| charge(&client, "/sale", jwt, r#"{"amount":"5.00"}"#).await.status;
    assert_eq!([statuses(&token).await, statuses(&other).await, statuses(&other).await], [400, 200, 400]);
    // The public key is derived from the seed, and valid without an earlier request in this run.
    assert_eq!(exchange(&client, &key, CARD).await.status, 200);
}
