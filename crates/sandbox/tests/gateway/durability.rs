//! Durability: answers are stored when a sandbox ends normally; for all other ends see the target `kills`.

use perennial_sandbox::Sandbox;

use crate::client::Client;

#[tokio::test]
async fn a_stopped_and_a_dropped_sandbox_leave_their_world() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sandbox.db");
    let start = || Sandbox::builder().database(&path).start();
    let sandbox = start().await.unwrap();
    let client = Client::of(&sandbox);
    client.subscriber().await;
    client.advance("P3M").await;
    let (key, state) = (client.key.clone(), client.state().await);
    drop(sandbox);

    let sandbox = start().await.unwrap();
    let client = Client::of(&sandbox);
    assert_eq!((client.key.as_str(), client.state().await), (key.as_str(), state));
    assert_eq!(client.advance("P1M").await, (1, 1, 0));
    let exchange = client.json("GET", "/rest/v2/customers", "").await.at("/exchange-id");
    let state = client.state().await;
    sandbox.stop().await;

    let sandbox = start().await.unwrap();
    let client = Client::of(&sandbox);
    assert_eq!(client.state().await, state);
    let again = client.json("GET", "/rest/v2/customers", "").await.at("/exchange-id");
    assert_ne!(again, exchange, "exchange ids go on after a restart");
}

/// Holds: The same seed or snapshot gives the same exchange ids in a later process.
#[tokio::test]
async fn a_world_that_begins_again_or_comes_back_says_the_same_exchange_ids_in_a_later_process_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sandbox.db");
    let mut transcripts = Vec::new();
    let mut snapshot = String::new();
    for _ in 0..3 {
        let sandbox = Sandbox::builder().database(&path).start().await.unwrap();
        let exchanges = async |client: &Client| {
            let mut exchange_ids = Vec::new();
            for path in ["customers", "tokens/1", "transactions/1"] {
                exchange_ids
                    .push(client.json("GET", &format!("/rest/v2/{path}"), "").await.at("/exchange-id"));
            }
            exchange_ids
        };
        let own = Client::of(&sandbox);
        if snapshot.is_empty() {
            own.json("GET", "/rest/v2/payments", "").await;
            snapshot = own.control("POST", "snapshot", "").await.at("/id");
        } else {
            own.control("POST", "restore", &format!(r#"{{"id":"{snapshot}"}}"#)).await;
        }
        let world = sandbox.world(7).await.unwrap();
        let seeded = Client::with_key(&sandbox, world.api_key().expose());
        let begun = exchanges(&seeded).await;
        world.reset().await.unwrap();
        transcripts.push([exchanges(&own).await, begun, exchanges(&seeded).await]);
        sandbox.stop().await;
    }
    assert_eq!(transcripts[0][1], transcripts[0][2]);
    assert_ne!(transcripts[0][0], transcripts[0][1]);
    assert!(transcripts[0].iter().flatten().all(|id| id.starts_with("ID-clearent-")), "{transcripts:?}");
    assert_eq!([&transcripts[1], &transcripts[2]], [&transcripts[0]; 2]);
}
