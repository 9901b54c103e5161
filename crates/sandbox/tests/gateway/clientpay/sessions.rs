//! Access ids and request ids: one live for an account, one use each.

use perennial_sandbox::Sandbox;
use serde_json::{Value as Json, json};

use super::{JSON, Merchant, UNDER_ACCESS_ID};
use crate::client::Got;

/// Paths of a version's session calls.
struct Paths {
    new: &'static str,
    current: &'static str,
    validate: &'static str,
    expire: &'static str,
    request_id: &'static str,
    in_body: bool,
}

const V2: Paths = Paths {
    new: "/v2/token/accessid",
    current: "/v2/token/accessid/current",
    validate: "/v2/token/accessid/validate",
    expire: "/v2/token/accessid/expire",
    request_id: "/v2/token/requestid",
    in_body: false,
};

const V1: Paths = Paths {
    new: "/Token/Access/New",
    current: "/Token/Access/Current",
    validate: "/Token/Access/Validate",
    expire: "/Token/Access/Expire",
    request_id: "/Token/Request/New",
    in_body: true,
};

impl Paths {
    async fn call(&self, merchant: &Merchant, path: &str, id: &str) -> Got {
        if self.in_body {
            let body = json!({ "accessId": id }).to_string();
            merchant.client.send("POST", path, &[JSON], body).await
        } else {
            merchant.client.send("POST", path, &[("accessId", id)], "").await
        }
    }
}

/// Holds: An account has one live access id until it requests another or the id expires.
#[tokio::test]
async fn one_access_id_is_live_until_another_is_requested_or_it_is_expired() {
    const UNKNOWN: &str = "6b0f0a57-2f6a-4a6e-9a0f-64c1b8b7d210";
    for version in [V2, V1] {
        let sandbox = Sandbox::start().await.unwrap();
        let merchant = Merchant::of(&sandbox).await;
        let with_credentials = async |path| merchant.send(path, &merchant.credentials).await;
        let is_valid = async |id: &str| {
            let got = version.call(&merchant, version.validate, id).await;
            assert_eq!((got.status, got.at("/success").as_str()), (200, "true"), "{}", got.body);
            got.at("/isValid") == "true"
        };

        let first = merchant.access_id.clone();
        let before = merchant.state().await;
        for _ in 0..2 {
            let got = with_credentials(version.current).await;
            assert_eq!(got.json(), json!({ "success": true, "accessId": first }));
        }
        assert_eq!(merchant.state().await, before, "Current changes nothing");
        assert!(is_valid(&first).await && !is_valid(UNKNOWN).await);

        let second = with_credentials(version.new).await.at("/accessId");
        assert!(is_valid(&second).await && !is_valid(&first).await && second != first);
        assert_eq!(version.call(&merchant, version.request_id, &first).await.status, 401);
        assert_eq!(version.call(&merchant, version.request_id, &second).await.status, 200);
        assert_eq!(version.call(&merchant, version.expire, &first).await.status, 401);

        let done = version.call(&merchant, version.expire, &second).await;
        assert_eq!(done.json(), json!({ "success": true }));
        assert!(!is_valid(&second).await);
        assert_eq!(version.call(&merchant, version.request_id, &second).await.status, 401);
        let none = with_credentials(version.current).await;
        assert_eq!(none.status, 404);
        assert_eq!(
            none.json(),
            json!({ "success": false, "message": "No current access ID exists for these credentials." })
        );
    }
}

#[tokio::test]
async fn an_account_keeps_the_pin_that_it_first_showed() {
    let sandbox = Sandbox::start().await.unwrap();
    let merchant = Merchant::of(&sandbox).await;
    let before = merchant.state().await;
    let mut wrong = merchant.credentials.clone();
    wrong["accountPin"] = "0000".into();
    for path in [V2.new, V2.current, V1.new, V1.current] {
        let got = merchant.send(path, &wrong).await;
        assert_eq!(got.status, 401, "{path}: {}", got.body);
        assert_eq!(
            got.json(),
            json!({ "success": false, "message": "The access ID or the credentials are not valid." })
        );
    }
    let validity = async |body: &Json| merchant.send("/Token/Credentials/Validate", body).await.json();
    assert_eq!(validity(&wrong).await, json!({ "success": true, "isValid": false }));
    assert_eq!(validity(&merchant.credentials).await, json!({ "success": true, "isValid": true }));
    assert_eq!(merchant.state().await, before);

    // Another account is another world, bound by its first call.
    let other = json!({ "integratorKey": "int-5f0c7d1a", "accountKey": "acct-20417", "accountPin": "7731" });
    let opened = merchant.send(V2.new, &other).await;
    let opened = opened.at("/accessId");
    let state = merchant.client.send("GET", "/_sandbox/state", &[("accessId", &opened)], "").await.json();
    assert_eq!(state["access-ids"].as_array().unwrap().len(), 1);
    let mut wrong = other;
    wrong["accountPin"] = "7732".into();
    assert_eq!(merchant.send(V2.new, &wrong).await.status, 401);
    assert_eq!(merchant.state().await, before, "worlds are apart");
}

/// A path, headers, a body, and the resulting status.
type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str, u16);

#[tokio::test]
async fn an_access_id_comes_by_either_header_and_in_version_1_in_the_body() {
    let sandbox = Sandbox::start().await.unwrap();
    let merchant = Merchant::of(&sandbox).await;
    let id = merchant.access_id.as_str();
    let (bearer, lower, basic) = (format!("Bearer {id}"), format!("bearer {id}"), format!("Basic {id}"));
    let (member, pascal) = (json!({ "accessId": id }).to_string(), json!({ "AccessId": id }).to_string());
    let cases: &[Case<'_>] = &[
        (V2.request_id, &[("accessId", id)], "", 200),
        (V2.request_id, &[("ACCESSID", id)], "", 200),
        (V2.request_id, &[("Authorization", id)], "", 200),
        (V2.request_id, &[("Authorization", &bearer)], "", 200),
        (V2.request_id, &[("authorization", &lower)], "", 200),
        (V2.request_id, &[("accessId", id), ("Authorization", id)], "", 200),
        (V2.request_id, &[("Authorization", &basic)], "", 401),
        (V2.request_id, &[("accessId", "nothing"), ("Authorization", id)], "", 401),
        (V2.request_id, &[], "", 401),
        (V2.request_id, &[("accessId", "")], "", 401),
        (V2.request_id, &[("accessId", "\u{e9}")], "", 401),
        (V2.request_id, &[], &member, 401),
        (V1.request_id, &[], &member, 200),
        (V1.request_id, &[], &pascal, 200),
        (V1.request_id, &[("accessId", "dead")], &member, 200),
        (V1.request_id, &[("accessId", id)], "", 401),
        (V1.request_id, &[("accessId", id)], "{}", 401),
        (V1.request_id, &[("accessId", id)], "{", 400),
        (V1.request_id, &[], "{}", 401),
        (V1.request_id, &[], "", 401),
        ("/v2/token/accessid/validate", &[], "", 401),
        ("/V2/TOKEN/requestID", &[("accessId", id)], "", 200),
        ("/token/request/NEW", &[], &member, 200),
        ("/v2/token/requestid/", &[("accessId", id)], "", 200),
    ];
    for (path, headers, body, status) in cases {
        let got = merchant.client.send("POST", path, headers, *body).await;
        assert_eq!(got.status, *status, "{path} {headers:?} {body}: {}", got.body);
        assert_eq!(got.at("/success"), if *status == 200 { "true" } else { "false" });
    }
}

#[tokio::test]
async fn a_customers_access_id_opens_what_is_about_payers_and_no_more() {
    #[rustfmt::skip]
    const REFUSED: &[&str] = &[
        "/v2/paymentpage/invoice", "/v2/paymentpage/lineitem", "/v2/connect/paymentpage", "/v2/expirepage",
        "/v2/payment", "/v2/payment/refund", "/v2/paymentsearch/count", "/v2/paymentsearch/results",
    ];
    let sandbox = Sandbox::start().await.unwrap();
    let mut merchant = Merchant::of(&sandbox).await;
    let customer = json!({
        "integratorKey": merchant.credentials["integratorKey"],
        "customerKey": merchant.credentials["accountKey"],
        "customerPin": merchant.credentials["accountPin"],
    });
    let first = merchant.send("/v2/token/customeraccessid", &customer).await.at("/customerAccessId");
    let second = merchant.send("/v2/token/customeraccessid", &customer).await.at("/customerAccessId");
    assert_eq!(merchant.send("/v2/token/requestid", &json!({})).await.status, 200, "the account's lives on");
    merchant.access_id = first;
    assert_eq!(merchant.send("/v2/token/requestid", &json!({})).await.status, 401, "a new one ends the last");
    merchant.access_id = second;
    let before = merchant.state().await;
    for path in UNDER_ACCESS_ID.iter().filter(|path| !path.contains("/token/")) {
        let got = merchant.send(path, &json!({})).await;
        assert_eq!(got.status, if REFUSED.contains(path) { 403 } else { 400 }, "{path}: {}", got.body);
        assert_eq!(got.at("/success"), "false");
    }
    assert_eq!(merchant.state().await, before);
    let payer = json!({ "payer": { "businessName": "Harbor Tile LLC", "emails": ["rosa@example.test"] } });
    let created = merchant.keyed("/v2/payer", &payer).await;
    assert_eq!(created.status, 200, "{}", created.body);
    let mut wrong = customer;
    wrong["customerPin"] = "0000".into();
    assert_eq!(merchant.send("/v2/token/customeraccessid", &wrong).await.status, 401);
}

/// Holds: A request id works once, and only for the account that generated it.
#[tokio::test]
async fn a_request_id_is_used_once_by_the_account_that_it_was_generated_for() {
    let sandbox = Sandbox::start().await.unwrap();
    let merchant = Merchant::of(&sandbox).await;
    let world = sandbox.world(7).await.unwrap();
    let foreign = Merchant::of_world(&sandbox, &world).await.request_id().await;
    let payment = |id: &str, amount: &str| {
        json!({ "token": { "requestId": id }, "totalAmount": serde_json::from_str::<Json>(amount).unwrap(),
            "creditCard": { "cardNumber": "4000100011112224", "expirationDateMonth": 9, "expirationDateYear": 2030 } })
    };
    let id = merchant.request_id().await;
    let before = merchant.state().await;
    let unknown = "0d3f4c2e-7f55-4d0e-9a6a-3f2f8f6f1b11";
    for (id, amount, message) in [
        (unknown, "5", "requestId is not known."),
        (foreign.as_str(), "5", "requestId is not known."),
        (id.as_str(), "0", "totalAmount: "),
        ("", "5", "token.requestId: "),
        (&"x".repeat(5_000), "5", "token.requestId: "),
    ] {
        let got = merchant.send("/v2/payment", &payment(id, amount)).await;
        assert_eq!(got.status, 400, "{}", got.body);
        let answered = got.at("/message");
        assert!(answered.starts_with(message), "{answered}");
        assert!(
            !got.at("/errors/0/field").is_empty() && !got.at("/errors/0/message").is_empty(),
            "{}",
            got.body
        );
    }
    assert_eq!(merchant.state().await, before, "a refused request leaves its id as it was");

    assert_eq!(merchant.send("/v2/payment", &payment(&id, "5")).await.status, 200);
    let before = merchant.state().await;
    let page = json!({ "token": { "requestId": id }, "lineItems": [{ "paymentAmount": 5 }], "lineItemTableLabels": {} });
    let payer = json!({ "token": { "requestId": id }, "payer": { "firstName": "Rosa", "emails": ["rosa@example.test"] } });
    for (path, body) in [
        ("/v2/payment", &payment(&id, "5")),
        ("/v2/payment", &payment(&id, "6")),
        ("/v2/paymentpage/lineitem", &page),
        ("/v2/payer", &payer),
    ] {
        let got = merchant.send(path, body).await;
        assert_eq!(got.status, 400);
        assert_eq!(
            got.json(),
            json!({ "success": false, "message": "requestId has already been used.",
                "errors": [{ "field": "token.requestId", "message": "Duplicate request." }] }),
            "{path}"
        );
    }
    assert_eq!(merchant.state().await, before);

    // The ids outlive the access id under which they were generated.
    let id = merchant.request_id().await;
    let renewed = merchant.send(V2.new, &merchant.credentials).await.at("/accessId");
    let merchant = Merchant { access_id: renewed, ..merchant };
    assert_eq!(merchant.send("/v2/payment", &payment(&id, "5")).await.status, 200);
}
