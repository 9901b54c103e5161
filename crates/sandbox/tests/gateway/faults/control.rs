//! Faults over HTTP: setting, showing and clearing.

use perennial_sandbox::{Effect, Fault, Sandbox};
use perennial_wire::clearent::Operation;
use serde_json::json;

use crate::client::Client;

const STATUS: &str = "effect.status: must be from 400 to 599";
const DELAY: &str = "effect.delay-ms: must be from 0 to 60000";
const CODE: &str = "effect.result-code: must be a code of the vendor's with which a charge is not approved";
const RETRY: &str =
    "effect.retry-after: must be whole seconds or an HTTP date such as Fri, 01 Jan 2027 00:00:00 GMT";
const GOES: &str = "effect.kind: must be one that goes with the operation";
macro_rules! kinds {
    ($meant:literal) => {
        concat!(
            "effect.kind: must be error-before, error-after, drop-reply, late-commit, duplicate, delay, slow-body, cut-reply, ",
            "garbage, stale-read, rate-limit, evict-access-id, decline, huge-body, reorder, late, skip or charge-late",
            $meant
        )
    };
}
macro_rules! operations {
    ($meant:literal) => {
        concat!("operation: must be one that this sandbox serves, or * (did you mean ", $meant, "?)")
    };
}
const KEY: &str = "key: must have 1 to 100 characters, all of them letters, digits, - or _";

/// Members of an invalid fault on `customers.create`, and the error text.
#[rustfmt::skip]
const WRONG: &[(&str, &str)] = &[
    (r#""effect":"drop-reply""#, "effect: must be an object"),
    (r#""effect":{}"#, "effect.kind: is required"),
    (r#""effect":{"kind":7}"#, "effect.kind: must be text"),
    (r#""effect":{"kind":"evict-access-id"}"#, GOES),
    (r#""effect":{"kind":"Drop-Reply"}"#, kinds!(" (did you mean drop-reply?)")),
    (r#""effect":{"kind":"slowbody"}"#, kinds!(" (did you mean slow-body?)")),
    (r#""effect":{"kind":"explode"}"#, kinds!("")),
    (r#""effect":{"kind":"drop-reply"},"nth":0"#, "nth: must be from 1"),
    (r#""effect":{"kind":"drop-reply"},"nth":1.5"#, "nth: must be a whole number from 0"),
    (r#""effect":{"kind":"drop-reply"},"nth":"1""#, "nth: must be a whole number from 0"),
    (r#""effect":{"kind":"drop-reply"},"times":0"#, "times: must be from 1"),
    (r#""effect":{"kind":"drop-reply"},"times":-1"#, "times: must be a whole number from 0"),
    (r#""effect":{"kind":"drop-reply"},"probability":1.01"#, "probability: must be from 0 to 1"),
    (r#""effect":{"kind":"drop-reply"},"probability":-0.1"#, "probability: must be from 0 to 1"),
    (r#""effect":{"kind":"drop-reply"},"probability":"1""#, "probability: must be a number"),
    (r#""effect":{"kind":"drop-reply"},"probability":1,"nth":1"#, "probability: must not be given together with nth"),
    (r#""effect":{"kind":"drop-reply"},"seed":7"#, "seed: must not be given without probability"),
    (r#""effect":{"kind":"drop-reply"},"key":"""#, KEY),
    (r#""effect":{"kind":"drop-reply"},"key":"a b""#, KEY),
    (r#""effect":{"kind":"drop-reply"},"key":7"#, "key: must be text"),
    (r#""effect":{"kind":"drop-reply"},"every":2"#, "the body: has the member every, which is not known here; there is operation, nth, times, probability, seed, key and effect"),
    (r#""effect":{"kind":"drop-reply","status":500}"#, "effect: has the member status, which is not known here; there is kind"),
    (r#""effect":{"kind":"delay","delay-ms":1,"status":500}"#, "effect: has the member status, which is not known here; there is kind and delay-ms"),
    (r#""effect":{"kind":"error-before"}"#, "effect.status: is required"),
    (r#""effect":{"kind":"error-before","status":"500"}"#, "effect.status: must be a whole number from 0"),
    (r#""effect":{"kind":"error-before","status":399}"#, STATUS),
    (r#""effect":{"kind":"error-after","status":600}"#, STATUS),
    (r#""effect":{"kind":"error-after","status":66036}"#, STATUS),
    (r#""effect":{"kind":"late-commit"}"#, "effect.delay-ms: is required"),
    (r#""effect":{"kind":"late-commit","delay-ms":60001}"#, DELAY),
    (r#""effect":{"kind":"delay","delay-ms":18446744073709551615}"#, DELAY),
    (r#""effect":{"kind":"slow-body"}"#, "effect.bytes-per-second: is required"),
    (r#""effect":{"kind":"slow-body","bytes-per-second":0}"#, "effect.bytes-per-second: must be from 1"),
    (r#""effect":{"kind":"cut-reply"}"#, "effect.at-byte: is required"),
    (r#""effect":{"kind":"cut-reply","at-byte":-1}"#, "effect.at-byte: must be a whole number from 0"),
    (r#""effect":{"kind":"garbage","content-type":"text/html"}"#, "effect.body: is required"),
    (r#""effect":{"kind":"garbage","body":"x"}"#, "effect.content-type: is required"),
    (r#""effect":{"kind":"garbage","body":"x","content-type":"a\nb"}"#, "effect.content-type: must be text that a header can hold"),
    (r#""effect":{"kind":"garbage","body":"x","content-type":""}"#, "effect.content-type: must be text that a header can hold"),
    (r#""effect":{"kind":"rate-limit","retry-after":1.5}"#, RETRY),
    (r#""effect":{"kind":"rate-limit","retry-after":-1}"#, RETRY),
    (r#""effect":{"kind":"rate-limit","retry-after":"soon"}"#, RETRY),
    (r#""effect":{"kind":"rate-limit","retry-after":"2027-01-01T00:00:00Z"}"#, RETRY),
    (r#""effect":{"kind":"decline"}"#, "effect.result-code: is required"),
    (r#""effect":{"kind":"decline","result-code":12}"#, "effect.result-code: must be text"),
    (r#""effect":{"kind":"decline","result-code":"000"}"#, CODE),
    (r#""effect":{"kind":"decline","result-code":"036"}"#, CODE),
    (r#""effect":{"kind":"decline","result-code":"12"}"#, CODE),
    (r#""effect":{"kind":"huge-body"}"#, "effect.bytes: is required"),
    (r#""effect":{"kind":"huge-body","bytes":0}"#, "effect.bytes: must be from 1 to 1073741824"),
    (r#""effect":{"kind":"huge-body","bytes":1073741825}"#, "effect.bytes: must be from 1 to 1073741824"),
    (r#""effect":{"kind":"decline","result-code":"012"}"#, GOES),
    (r#""effect":{"kind":"stale-read"}"#, GOES),
    (r#""effect":{"kind":"reorder"}"#, GOES),
    (r#""effect":{"kind":"late","delay":"PT1H"}"#, GOES),
    (r#""effect":{"kind":"skip"}"#, GOES),
    (r#""effect":{"kind":"charge-late","delay":"P2D"}"#, GOES),
    (r#""effect":{"kind":"charge-late"}"#, "effect.delay: is required"),
    (r#""effect":{"kind":"charge-late","delay":"2 days"}"#, "effect.delay: must be an ISO 8601 period such as PT1H or P2D"),
    (r#""effect":{"kind":"skip","delay":"P2D"}"#, "effect: has the member delay, which is not known here; there is kind"),
    (r#""effect":{"kind":"late"}"#, "effect.delay: is required"),
    (r#""effect":{"kind":"late","delay":60}"#, "effect.delay: must be text"),
    (r#""effect":{"kind":"late","delay":"1 hour"}"#, "effect.delay: must be an ISO 8601 period such as PT1H or P2D"),
    (r#""effect":{"kind":"late","delay-ms":60,"delay":"PT1H"}"#, "effect: has the member delay-ms, which is not known here; there is kind and delay"),
];

/// Invalid bodies.
const BODIES: &[(&str, &str)] = &[
    (r#"{"effect":{"kind":"drop-reply"}}"#, "operation: is required"),
    (r#"{"operation":7,"effect":{"kind":"drop-reply"}}"#, "operation: must be text"),
    (
        r#"{"operation":"","effect":{"kind":"drop-reply"}}"#,
        operations!("plans.get, access.new or tokens.get"),
    ),
    (
        r#"{"operation":"customers.*","effect":{"kind":"drop-reply"}}"#,
        operations!("customers.get, customers.create or customers.delete"),
    ),
    (
        r#"{"operation":"Customers.create","effect":{"kind":"drop-reply"}}"#,
        operations!("customers.create, customers.update or customers.delete"),
    ),
    (
        r#"{"operation":"access.old","effect":{"kind":"drop-reply"}}"#,
        operations!("access.new, access.expire or access.validate"),
    ),
    (
        r#"{"operation":"plan.create","effect":{"kind":"drop-reply"}}"#,
        operations!("plans.create, pages.create or payers.create"),
    ),
    (r#"{"operation":"webhooks.deliver","effect":{"kind":"drop-reply"}}"#, GOES),
    (r#"{"operation":"webhooks.deliver","effect":{"kind":"skip"}}"#, GOES),
    (r#"{"operation":"engine.charge","effect":{"kind":"drop-reply"}}"#, GOES),
    (r#"{"operation":"engine.charge","effect":{"kind":"late","delay":"PT1H"}}"#, GOES),
    (r#"{"operation":"*","effect":{"kind":"skip"}}"#, GOES),
    (r#"{"operation":"webhooks.deliver","effect":{"kind":"decline","result-code":"012"}}"#, GOES),
    (r#"{"operation":"*","effect":{"kind":"late","delay":"PT1H"}}"#, GOES),
    (r#"{"operation":"*","effect":{"kind":"reorder"}}"#, GOES),
    (r#"{"operation":"customers.create"}"#, "effect: is required"),
    (
        r#"{"operation":"*","effect":{"kind":"drop-reply","kind":"duplicate"}}"#,
        "effect: must not have a member twice",
    ),
    ("", "operation: is required"),
    ("[]", "the body: must be a JSON object"),
    ("drop", "the body: must be a JSON object"),
];

/// Holds: A wrong fault request is refused by member and changes nothing.
#[tokio::test]
async fn what_is_wrong_is_named_and_changes_nothing() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let wrong = WRONG
        .iter()
        .map(|(members, says)| (format!(r#"{{"operation":"customers.create",{members}}}"#), says));
    let bodies = BODIES.iter().map(|(body, says)| ((*body).to_owned(), says));
    for (body, says) in wrong.chain(bodies) {
        let got = client.control("POST", "faults", &body).await;
        assert_eq!((got.status, got.at("/error").as_str()), (400, *says), "{body}");
    }
    assert_eq!(client.control("GET", "faults", "").await.body, r#"{"faults":[]}"#);
    assert_eq!(client.control("DELETE", "faults/fault-1", "").await.status, 404);
    assert_eq!(client.control("PUT", "faults", "").await.status, 405);
    assert_eq!(client.control("GET", "faults/fault-1", "").await.status, 405);
    for method in ["GET", "POST", "DELETE"] {
        assert_eq!(client.send(method, "/_sandbox/faults", &[], "").await.status, 401, "{method}");
    }
}

#[tokio::test]
async fn what_is_set_is_shown_counted_and_cleared() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let all = [
        json!({"operation":"*","effect":{"kind":"error-before","status":400}}),
        json!({"operation":"plans.get","nth":2,"times":3,"effect":{"kind":"error-after","status":599}}),
        json!({"operation":"plans.get","key":"plan_1-2","effect":{"kind":"drop-reply"}}),
        json!({"operation":"plans.get","probability":0.25,"seed":7,"effect":{"kind":"late-commit","delay-ms":60000}}),
        json!({"operation":"plans.get","probability":1,"times":1,"effect":{"kind":"duplicate"}}),
        json!({"operation":"plans.get","effect":{"kind":"delay","delay-ms":0}}),
        json!({"operation":"plans.get","effect":{"kind":"slow-body","bytes-per-second":1}}),
        json!({"operation":"plans.get","effect":{"kind":"cut-reply","at-byte":0}}),
        json!({"operation":"plans.get","effect":{"kind":"garbage","body":"<html>","content-type":"text/html"}}),
        json!({"operation":"*","effect":{"kind":"stale-read"}}),
        json!({"operation":"plans.get","effect":{"kind":"rate-limit"}}),
        json!({"operation":"plans.get","effect":{"kind":"rate-limit","retry-after":2}}),
        json!({"operation":"plans.get","effect":{"kind":"rate-limit","retry-after":"Fri, 01 Jan 2027 00:00:00 GMT"}}),
        json!({"operation":"transactions.sale","effect":{"kind":"decline","result-code":"012"}}),
        json!({"operation":"plans.get","effect":{"kind":"huge-body","bytes":1_073_741_824}}),
        json!({"operation":"webhooks.deliver","nth":7,"effect":{"kind":"duplicate"}}),
        json!({"operation":"webhooks.deliver","key":"700701","effect":{"kind":"reorder"}}),
        json!({"operation":"webhooks.deliver","effect":{"kind":"late","delay":"P1DT1H"}}),
    ];
    for (number, fault) in (1..).zip(&all) {
        let got = client.control("POST", "faults", &fault.to_string()).await;
        assert_eq!((got.status, got.body), (200, format!(r#"{{"id":"fault-{number}"}}"#)), "{fault}");
    }
    client.json("GET", "/rest/v2/payment-plans/plan_1-2", "").await;
    let listed = client.control("GET", "faults", "").await.json();
    for (number, (fault, listed)) in (1..).zip(all.iter().zip(listed["faults"].as_array().unwrap())) {
        let mut expected = fault.clone();
        expected["id"] = format!("fault-{number}").into();
        let matches = [json!("*"), json!("plans.get")].contains(&fault["operation"]);
        expected["matched"] = u64::from(matches).into();
        expected["applied"] = u64::from(number == 1).into();
        if fault["probability"] == 1 {
            expected["probability"] = 1.0.into();
        }
        assert_eq!(*listed, expected);
    }
    let ids = async || {
        let listed = client.control("GET", "faults", "").await.json();
        listed["faults"].as_array().unwrap().iter().map(|fault| fault["id"].to_string()).collect::<Vec<_>>()
    };
    assert_eq!(client.control("DELETE", "faults/fault-10", "").await.status, 204);
    assert_eq!(client.control("DELETE", "faults/fault-10", "").await.status, 404);
    assert_eq!((ids().await.len(), ids().await.contains(&r#""fault-10""#.into())), (17, false));
    assert_eq!(client.control("DELETE", "faults", "").await.status, 204);
    assert!(ids().await.is_empty());
    // Ids are not used again until the world is emptied.
    client.control("POST", "faults", &all[0].to_string()).await;
    assert_eq!(ids().await, [r#""fault-19""#]);
    client.control("POST", "reset", "").await;
    assert!(ids().await.is_empty());
    client.control("POST", "faults", &all[0].to_string()).await;
    assert_eq!(ids().await, [r#""fault-1""#]);
}

#[tokio::test]
async fn faults_are_of_their_world_and_no_part_of_its_state() {
    let sandbox = Sandbox::start().await.unwrap();
    let [one, other] = [sandbox.world(1).await.unwrap(), sandbox.world(2).await.unwrap()];
    let [one_client, other_client] =
        [&one, &other].map(|world| Client::with_key(&sandbox, world.api_key().expose()));
    let (state, snapshot) = (one.state().await.unwrap(), one.snapshot().await.unwrap());
    let fault = r#"{"operation":"*","effect":{"kind":"error-before","status":503}}"#;
    one_client.control("POST", "faults", fault).await;
    let list = async |client: &Client| client.json("GET", "/rest/v2/customers", "").await.status;
    assert_eq!((list(&one_client).await, list(&other_client).await), (503, 200));
    assert_eq!(one.state().await.unwrap(), state);
    one.restore(&snapshot).await.unwrap();
    assert_eq!(list(&one_client).await, 503);
    // Neither control calls nor calls without a key are hit or counted.
    assert_eq!(one_client.control("GET", "clock", "").await.status, 200);
    assert_eq!(one_client.send("GET", "/rest/v2/customers", &[], "").await.status, 401);
    assert_eq!(one_client.json("GET", "/rest/v2/receipts", "").await.status, 404);
    assert_eq!(one_client.json("PATCH", "/rest/v2/customers", "").await.status, 405);
    assert_eq!(one.faults().await.unwrap()[0].matched, 2);
    sandbox.world(1).await.unwrap();
    assert_eq!(list(&one_client).await, 200);
    assert!(one.faults().await.unwrap().is_empty());
}

/// Sets a fault by an earlier name of an operation, as a script for an earlier version does.
#[tokio::test]
async fn an_operation_has_its_earlier_names_too() {
    let sandbox = Sandbox::start().await.unwrap();
    let mut taken = 0;
    for operation in Operation::ALL {
        for alias in operation.aliases() {
            sandbox.clear_faults().await.unwrap();
            sandbox.fault(&Fault::on(*alias, Effect::DropReply)).await.unwrap();
            let client = Client::of(&sandbox);
            let body = format!(r#"{{"operation":"{alias}","effect":{{"kind":"drop-reply"}}}}"#);
            let set = client.control("POST", "faults", &body).await;
            assert_eq!(set.status, 200, "{alias}");
            let standing = client.control("GET", "faults", "").await.body;
            assert_eq!(
                standing.matches(&format!("\"{}\"", operation.name())).count(),
                2,
                "{alias}: {standing}"
            );
            taken += 1;
        }
    }
    assert!(taken > 8);
}
