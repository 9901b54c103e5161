//! Effects in detail, beyond the matrix: their time, their duration, and their calls.

use std::time::{Duration, Instant};

use perennial_sandbox::{Effect, Fault, RetryAfter, Sandbox, World};
use serde_json::Value as Json;

use super::{Saw, call};
use crate::client::Client;

const ADA: &str = r#"{"first-name":"Ada","last-name":"Byron"}"#;

/// Sends a JSON call to the world that comes with the sandbox.
async fn json(sandbox: &Sandbox, method: &str, path: &str, body: &str) -> Saw {
    call(sandbox, sandbox.api_key().expose(), "json", method, path, body).await
}

async fn fault(sandbox: &Sandbox, operation: &str, effect: Effect) {
    sandbox.fault(&Fault::on(operation, effect)).await.unwrap();
}

async fn customers(world: &World) -> usize {
    let state: Json = serde_json::from_str(&world.state().await.unwrap()).unwrap();
    state["customers"].as_array().unwrap().len()
}

/// Holds: A late commit happens at its time, also after its connection has closed.
#[tokio::test]
async fn a_late_commit_outlives_its_connection_and_comes_when_it_is_due() {
    let sandbox = Sandbox::start().await.unwrap();
    let world = sandbox.world(7).await.unwrap();
    let key = world.api_key().expose();
    let late = |millis| Effect::LateCommit { delay: Duration::from_millis(millis) };
    world.fault(&Fault::on("customers.create", late(60_000)).nth(1)).await.unwrap();
    world.fault(&Fault::on("customers.create", late(50)).nth(2)).await.unwrap();
    let started = Instant::now();
    for _ in 0..2 {
        assert_eq!(call(&sandbox, key, "json", "POST", "customers", ADA).await, Saw::Nothing);
    }
    while customers(&world).await == 0 {
        tokio::task::yield_now().await;
    }
    assert!(started.elapsed() >= Duration::from_millis(50));
    assert_eq!(customers(&world).await, 1);
}

/// Holds: A late commit does not change a world that was emptied since.
#[tokio::test]
async fn a_late_commit_does_not_reach_a_world_that_was_emptied() {
    let sandbox = Sandbox::start().await.unwrap();
    let world = sandbox.world(7).await.unwrap();
    let key = world.api_key().expose();
    for (name, millis) in [("Ada", 30), ("Eve", 60)] {
        world.reset().await.unwrap();
        let effect = Effect::LateCommit { delay: Duration::from_millis(millis) };
        world.fault(&Fault::on("customers.create", effect)).await.unwrap();
        let body = ADA.replace("Ada", name);
        assert_eq!(call(&sandbox, key, "json", "POST", "customers", &body).await, Saw::Nothing);
    }
    while !world.state().await.unwrap().contains("Eve") {
        tokio::task::yield_now().await;
    }
    assert_eq!(customers(&world).await, 1);
}

/// Holds: A stop commits all late calls and sends all delayed responses.
#[tokio::test]
async fn a_stop_commits_what_is_late_and_sends_what_is_delayed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sandbox.db");
    let start = || Sandbox::builder().database(&path).start();
    let sandbox = start().await.unwrap();
    let minute = Duration::from_secs(60);
    sandbox
        .fault(&Fault::on("customers.create", Effect::LateCommit { delay: minute }).times(3))
        .await
        .unwrap();
    sandbox.fault(&Fault::on("customers.create", Effect::Delay { delay: minute })).await.unwrap();
    for _ in 0..3 {
        assert_eq!(json(&sandbox, "POST", "customers", ADA).await, Saw::Nothing);
    }
    let list = async |sandbox: &Sandbox| {
        let listed = json(sandbox, "GET", "customers", "").await;
        let listed: Json = serde_json::from_str(listed.body()).unwrap();
        listed["page"]["total-elements"].to_string()
    };
    assert_eq!(list(&sandbox).await, "0");
    let client = Client::of(&sandbox);
    let delayed = tokio::spawn(async move { client.json("POST", "/rest/v2/customers", ADA).await });
    while list(&sandbox).await == "0" {
        tokio::task::yield_now().await;
    }
    sandbox.stop().await;
    assert_eq!(delayed.await.unwrap().status, 201);
    let sandbox = start().await.unwrap();
    assert_eq!(list(&sandbox).await, "4");
}

#[tokio::test]
async fn a_stale_read_shows_the_world_of_when_it_was_set() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let (customer, _, plan) = client.subscriber().await;
    let id = sandbox.fault(&Fault::on("*", Effect::StaleRead)).await.unwrap();
    let update = format!("/rest/v2/customers/{customer}");
    assert_eq!(client.json("PUT", &update, r#"{"first-name":"Augusta"}"#).await.status, 200);
    let other = client.customer().await;
    client.advance("P2M").await;
    let state = client.state().await;
    let reads = async || {
        let get = async |path: String| client.json("GET", &path, "").await;
        let runs = get(format!("/rest/v2/payment-plans/{plan}/expected-runs")).await;
        (
            get(update.clone()).await.at("/payload/customer/first-name"),
            get(format!("/rest/v2/customers/{other}")).await.status,
            get("/rest/v2/customers".into()).await.at("/page/total-elements"),
            get("/rest/v2/payments".into()).await.at("/page/total-elements"),
            runs.at("/payload/expected-runs/expected-run/0/date"),
        )
    };
    assert_eq!(reads().await, ("Ada".into(), 404, "1".into(), "0".into(), "2027-01-15".into()));
    assert_eq!(client.state().await, state);
    assert_eq!(sandbox.faults().await.unwrap()[0].applied, 5);
    let cleared = client.control("DELETE", &format!("faults/{id}"), "").await;
    assert_eq!(cleared.status, 204);
    assert_eq!(reads().await, ("Augusta".into(), 200, "2".into(), "2".into(), "2027-03-15".into()));
    assert_eq!(client.state().await, state);
}

#[tokio::test]
async fn several_stale_reads_each_have_their_copy() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sandbox.db");
    for opened in 0..2_usize {
        let sandbox = Sandbox::builder().database(&path).start().await.unwrap();
        let client = Client::of(&sandbox);
        for nth in 1..=3 {
            sandbox.fault(&Fault::on("customers.search", Effect::StaleRead).nth(nth)).await.unwrap();
            client.customer().await;
        }
        for seen in 0..4 {
            let listed = client.json("GET", "/rest/v2/customers", "").await;
            assert_eq!(listed.at("/page/total-elements"), (3 * opened + seen).to_string());
        }
        sandbox.stop().await;
    }
}

#[tokio::test]
async fn waits_are_real_and_bodies_come_as_slowly_as_they_should() {
    let sandbox = Sandbox::start().await.unwrap();
    let whole = json(&sandbox, "GET", "customers", "").await;
    let length = u64::try_from(whole.body().len()).unwrap();
    let delay = Duration::from_millis(120);
    for effect in [Effect::Delay { delay }, Effect::SlowBody { bytes_per_second: length * 8 }] {
        fault(&sandbox, "customers.search", effect.clone()).await;
        let started = Instant::now();
        let saw = json(&sandbox, "GET", "customers", "").await;
        assert!(started.elapsed() >= Duration::from_millis(95), "{effect:?}: {:?}", started.elapsed());
        assert_eq!((saw.status(), saw.announced()), (Some(200), whole.body().len()));
        sandbox.clear_faults().await.unwrap();
    }
}

#[tokio::test]
async fn rate_limits_say_when_to_come_back() {
    let sandbox = Sandbox::start().await.unwrap();
    let date = "Fri, 01 Jan 2027 00:00:00 GMT";
    let cases = [
        (None, None),
        (Some(RetryAfter::Seconds(0)), Some("0")),
        (Some(RetryAfter::Seconds(86_400)), Some("86400")),
        (Some(RetryAfter::Date(date.into())), Some("fri, 01 jan 2027 00:00:00 gmt")),
    ];
    for (retry_after, header) in cases {
        fault(&sandbox, "*", Effect::RateLimit { retry_after }).await;
        let saw = json(&sandbox, "GET", "customers", "").await;
        assert_eq!((saw.status(), saw.header("retry-after")), (Some(429), header));
        assert!(saw.body().contains(r#""error-message":"Too Many Requests","result-code":"041""#), "{saw:?}");
        sandbox.clear_faults().await.unwrap();
    }
}

#[tokio::test]
async fn errors_have_the_envelope_of_their_status() {
    let sandbox = Sandbox::start().await.unwrap();
    let cases = [(400, "Bad Request", "041"), (503, "Service Unavailable", "050"), (599, "Error", "050")];
    for (status, message, code) in cases {
        fault(&sandbox, "*", Effect::ErrorBefore { status }).await;
        let saw = json(&sandbox, "POST", "customers", ADA).await;
        let says = format!(r#""error-message":"{message}","result-code":"{code}""#);
        assert!(saw.status() == Some(status) && saw.body().contains(&says), "{saw:?}");
        sandbox.clear_faults().await.unwrap();
    }
    assert_eq!(json(&sandbox, "GET", "customers", "").await.body().matches("Ada").count(), 0);
}

#[tokio::test]
async fn a_reply_is_cut_where_it_should_be() {
    let sandbox = Sandbox::start().await.unwrap();
    let whole = json(&sandbox, "GET", "plan-forecast", "").await;
    let length = whole.body().len();
    for at_byte in [0, 1, length / 2, length - 1, length, length + 1] {
        fault(&sandbox, "*", Effect::CutReply { at_byte: u64::try_from(at_byte).unwrap() }).await;
        let saw = json(&sandbox, "GET", "plan-forecast", "").await;
        assert_eq!((saw.status(), saw.announced()), (whole.status(), length));
        assert_eq!(saw.body().len(), at_byte.min(length));
        sandbox.clear_faults().await.unwrap();
    }
}

#[tokio::test]
async fn a_huge_body_is_streamed_and_still_reads() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    client.customer().await;
    fault(&sandbox, "*", Effect::HugeBody { bytes: 48 * 1024 * 1024 }).await;
    for headers in [("application/json", r#"":"Ada""#), ("application/xml", ">Ada<")] {
        let all = [("api-key", client.key.as_str()), ("accept", headers.0)];
        let got = client.send("GET", "/rest/v2/customers", &all, "").await;
        assert_eq!((got.status, got.body.len()), (200, 48 * 1024 * 1024));
        assert!(got.body.contains(headers.1) && got.body.ends_with("    "));
    }
    // A longer response is not changed.
    sandbox.clear_faults().await.unwrap();
    fault(&sandbox, "*", Effect::HugeBody { bytes: 1 }).await;
    assert!(client.json("GET", "/rest/v2/customers", "").await.body.ends_with('}'));
}

#[tokio::test]
async fn a_fault_hits_only_calls_about_its_key() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let (customer, token, plan) = client.subscriber().await;
    let other = client.customer().await;
    let sale = format!(r#"{{"card":"{token}","amount":"5.00"}}"#);
    let attach = |customer: &str| format!("customers/{customer}/tokens");
    let hits: &[(&str, &str, String, &str)] = &[
        (&customer, "GET", format!("customers/{customer}"), ""),
        (&customer, "GET", attach(&customer), ""),
        (&customer, "GET", format!("payment-plans?page-size=5&customer-key={customer}"), ""),
        (&customer, "GET", format!("payment-plans?customer-key={}", customer.replace('_', "%5F")), ""),
        (&plan, "GET", format!("payment-plans/{plan}/expected-runs"), ""),
        (&plan, "GET", format!("transactions?order-id={plan}"), ""),
        (&token, "POST", "transactions/sale".into(), &sale),
    ];
    let passes: &[(&str, &str, String, &str)] = &[
        (&customer, "GET", format!("customers/{other}"), ""),
        (&customer, "GET", "customers".into(), ""),
        (&customer, "GET", format!("payments?customer-key={customer}x"), ""),
        (&token[..10], "POST", "transactions/sale".into(), &sale),
        (&plan, "POST", "transactions/sale".into(), &sale),
    ];
    for (calls, status) in [(hits, 503), (passes, 200)] {
        for (key, method, path, body) in calls {
            let effect = Effect::ErrorBefore { status: 503 };
            sandbox.fault(&Fault::on("*", effect).key(*key)).await.unwrap();
            let saw = json(&sandbox, method, path, body).await;
            assert_eq!(saw.status(), Some(status), "{key}: {method} {path}");
            let counted = sandbox.faults().await.unwrap()[0].matched;
            assert_eq!(counted, u64::from(status == 503), "{key}: {method} {path}");
            sandbox.clear_faults().await.unwrap();
        }
    }
}

#[tokio::test]
async fn the_request_log_names_the_fault_and_shows_what_its_client_saw() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let card = "4111111111111111";
    let effects = [
        Effect::DropReply,
        Effect::LateCommit { delay: Duration::ZERO },
        Effect::ErrorAfter { status: 502 },
        Effect::Garbage { body: format!("<p>{card}</p>"), content_type: "text/html".into() },
        Effect::CutReply { at_byte: 9 },
    ];
    for effect in effects {
        sandbox.fault(&Fault::on("customers.create", effect)).await.unwrap();
        json(&sandbox, "POST", "customers", ADA).await;
        let set = client.control("GET", "faults", "").await;
        assert!(!set.body.contains(card), "{}", set.body);
        client.control("DELETE", "faults", "").await;
    }
    json(&sandbox, "POST", "customers", ADA).await;
    let log = client.control("GET", "requests", "").await.json();
    let log: Vec<_> = log
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .map(|entry| (entry["fault"].as_str(), entry["status"].as_u64(), entry["response"].as_str().unwrap()))
        .collect();
    let rows: Vec<_> = log.iter().map(|(fault, status, _)| (*fault, *status)).collect();
    let expected = [
        (Some("fault-1"), None),
        (Some("fault-2"), None),
        (Some("fault-3"), Some(502)),
        (Some("fault-4"), Some(200)),
        (Some("fault-5"), Some(201)),
        (None, Some(201)),
    ];
    assert_eq!(rows, expected);
    assert_eq!((log[0].2, log[1].2, log[4].2), ("", "", "(9 bytes that cannot be read)"));
    assert!(log[2].2.contains("Bad Gateway") && log[5].2.contains("Ada"));
    assert!(!log[3].2.contains(card));
}

#[tokio::test]
async fn calls_at_once_are_counted_one_by_one() {
    let sandbox = Sandbox::start().await.unwrap();
    sandbox.fault(&Fault::on("customers.create", Effect::DropReply).nth(9).times(5)).await.unwrap();
    sandbox
        .fault(&Fault::on("customers.create", Effect::ErrorBefore { status: 503 }).nth(20).times(3))
        .await
        .unwrap();
    let sandbox = &sandbox;
    let calls = (0..40).map(|_| async move { json(sandbox, "POST", "customers", ADA).await.status() });
    let statuses = futures_util::future::join_all(calls).await;
    let count = |status| statuses.iter().filter(|answered| **answered == status).count();
    assert_eq!([count(None), count(Some(503)), count(Some(201))], [5, 3, 32]);
    let counted: Vec<_> =
        sandbox.faults().await.unwrap().iter().map(|fault| (fault.matched, fault.applied)).collect();
    assert_eq!(counted, [(40, 5), (40, 3)]);
    sandbox.clear_faults().await.unwrap();
    let listed = json(sandbox, "GET", "customers?page-size=1", "").await;
    assert!(listed.body().contains(r#""total-elements":37"#), "{listed:?}");
}

#[tokio::test]
async fn an_answer_without_a_body_stays_without_one() {
    let sandbox = Sandbox::start().await.unwrap();
    let page = Effect::Garbage { body: "<html>".into(), content_type: "text/html".into() };
    let effects = [
        (Effect::SlowBody { bytes_per_second: 1 }, Some(200), Some(204)),
        (Effect::CutReply { at_byte: 1 }, Some(200), Some(204)),
        (Effect::HugeBody { bytes: 1_000 }, Some(200), Some(204)),
        (Effect::ErrorAfter { status: 500 }, Some(500), Some(500)),
        (page, Some(200), Some(200)),
        (Effect::DropReply, None, None),
    ];
    for (effect, head, empty) in effects {
        fault(&sandbox, "*", effect.clone()).await;
        let saw = json(&sandbox, "HEAD", "customers", "").await;
        assert_eq!((saw.status(), saw.body()), (head, ""), "{effect:?}");
        assert_eq!(json(&sandbox, "GET", "tokens", "").await.status(), empty, "{effect:?}");
        sandbox.clear_faults().await.unwrap();
    }
}
