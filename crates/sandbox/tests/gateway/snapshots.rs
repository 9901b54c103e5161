//! Snapshots of a world, and later events after a restore.

use perennial_sandbox::Sandbox;

use crate::client::Client;

/// Uses a world that has a subscriber, and returns all answers.
async fn next(client: &Client, token: &str) -> Vec<String> {
    client.subscriber().await;
    client.advance("P2M").await;
    let sale = format!(r#"{{"type":"SALE","card":"{token}","amount":"5.00"}}"#);
    let mut answers = vec![client.json("POST", "/rest/v2/transactions", &sale).await.body];
    for path in ["customers", "tokens", "payment-plans", "payments", "transactions", "batches"] {
        answers.push(client.json("GET", &format!("/rest/v2/{path}"), "").await.body);
    }
    answers.push(client.state().await);
    answers
}

async fn snapshot(client: &Client) -> String {
    let got = client.control("POST", "snapshot", "").await;
    assert_eq!(got.status, 200, "{}", got.body);
    got.at("/id")
}

async fn restore(client: &Client, id: &str) -> (u16, String) {
    let got = client.control("POST", "restore", &format!(r#"{{"id":"{id}"}}"#)).await;
    (got.status, got.body)
}

/// Holds: A restored world is byte for byte the world of the snapshot and goes on in the same way.
#[tokio::test]
async fn what_happens_after_a_restore_is_what_happened_after_the_snapshot() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let (_, token, _) = client.subscriber().await;
    client.advance("P1M").await;
    let before = client.state().await;
    let id = snapshot(&client).await;
    assert_eq!(client.state().await, before);
    let first = next(&client, &token).await;
    for _ in 0..2 {
        let clock = r#"{"mode":"frozen","now":"2027-02-01T00:00:00Z"}"#;
        assert_eq!(restore(&client, &id).await, (200, clock.into()));
        assert_eq!(client.state().await, before);
        assert_eq!(next(&client, &token).await, first);
    }
}

/// Holds: A snapshot belongs to its world and outlives resets and restarts.
#[tokio::test]
async fn each_is_of_its_world_and_outlives_resets_and_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sandbox.db");
    let start = || Sandbox::builder().database(&path).start();
    let sandbox = start().await.unwrap();
    let (client, world) = (Client::of(&sandbox), sandbox.world(7).await.unwrap());
    let other = Client::with_key(&sandbox, world.api_key().expose());
    let empty = snapshot(&client).await;
    client.subscriber().await;
    client.advance("P3M").await;
    let (full, state) = (snapshot(&client).await, client.state().await);
    let theirs = snapshot(&other).await;

    assert!(empty != full && full != theirs && theirs != empty);
    for id in [theirs.as_str(), "", "1", "snap_none"] {
        let (status, body) = restore(&client, id).await;
        assert_eq!((status, body.contains(id) && !id.is_empty()), (404, false), "{body}");
        assert_eq!(client.state().await, state);
    }
    assert_eq!(restore(&client, &empty).await.0, 200);
    assert_ne!(client.state().await, state);
    client.control("POST", "reset", "").await;
    assert_eq!(restore(&client, &full).await.0, 200);
    assert_eq!(client.state().await, state);
    drop((sandbox, world));

    let sandbox = start().await.unwrap();
    let client = Client::of(&sandbox);
    assert_eq!(client.state().await, state);
    restore(&client, &empty).await;
    assert_eq!(restore(&client, &full).await.0, 200);
    assert_eq!(client.state().await, state);

    // A newly created world has none.
    let world = sandbox.world(7).await.unwrap();
    assert!(world.restore(&theirs).await.is_err());
    assert_eq!(world.snapshot().await.unwrap(), theirs, "it counts them from the first again");
}

#[tokio::test]
async fn a_clock_is_restored_as_it_was() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let frozen = snapshot(&client).await;
    client.control("POST", "clock", r#"{"mode":"running"}"#).await;
    let (running, state) = (snapshot(&client).await, client.state().await);
    client.advance("P1Y").await;
    restore(&client, &frozen).await;
    assert_eq!(client.control("GET", "clock", "").await.at("/mode"), "frozen");
    assert_eq!(restore(&client, &running).await.0, 200);
    assert_eq!(client.state().await, state);
}

/// Holds: A snapshot request with a duplicate, unknown or wrong member is refused and changes nothing.
#[tokio::test]
async fn bodies_that_are_refused() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let cases = [
        ("restore", "", "id: is required"),
        ("restore", "{}", "id: is required"),
        ("restore", r#"{"id":1}"#, "id: must be text"),
        ("restore", r#"{"name":"a"}"#, "the body: has the member name, which is not known here; there is id"),
        ("restore", "[]", "the body: must be a JSON object"),
        (
            "snapshot",
            r#"{"id":"mine"}"#,
            "the body: has the member id, which is not known here; there is none",
        ),
        ("reset", r#"{"seed":7}"#, "the body: has the member seed, which is not known here; there is none"),
        ("reset", "everything", "the body: must be a JSON object"),
    ];
    client.customer().await;
    let state = client.state().await;
    for (call, body, problem) in cases {
        let got = client.control("POST", call, body).await;
        assert_eq!((got.status, got.at("/error").as_str()), (400, problem), "{call} {body}");
    }
    assert_eq!(client.state().await, state);
    for call in ["snapshot", "restore"] {
        assert_eq!(client.control("GET", call, "").await.status, 405);
    }
}
