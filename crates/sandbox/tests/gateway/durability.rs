//! What was answered is kept when a sandbox ends as it should; for all other ends see the target `kills`.

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
