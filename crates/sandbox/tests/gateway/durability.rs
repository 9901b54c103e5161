//! What was answered is kept.

use std::process::{Command, Stdio};

use perennial_sandbox::Sandbox;

use crate::client::{Client, http};

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

/// The other process of the test below: it serves a file until it is killed.
#[test]
fn serve_until_killed() {
    let Some(path) = std::env::var_os("PERENNIAL_TEST_SERVE") else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let sandbox = Sandbox::builder().database(path).start().await.unwrap();
        eprintln!("listening {} {}", sandbox.base_url(), sandbox.api_key().expose());
        std::future::pending::<()>().await;
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_process_keeps_what_it_answered() {
    use std::io::{BufRead, BufReader};

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sandbox.db");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "durability::serve_until_killed", "--nocapture"])
        .env("PERENNIAL_TEST_SERVE", &path)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let line = lines.find(|line| line.starts_with("listening ")).unwrap();
    let [_, base, key] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
    let client = || Client { http: http(), base: base.to_owned(), key: key.to_owned() };

    let writers: Vec<_> = (0..8)
        .map(|_| {
            let client = client();
            tokio::spawn(async move {
                let mut keys = Vec::new();
                for _ in 0..25 {
                    keys.push(client.customer().await);
                }
                keys
            })
        })
        .collect();
    let mut answered = Vec::new();
    for writer in writers {
        answered.extend(writer.await.unwrap());
    }
    child.kill().unwrap();
    child.wait().unwrap();

    let sandbox = Sandbox::builder().database(&path).start().await.unwrap();
    let client = Client::of(&sandbox);
    assert_eq!(client.key, key);
    let listed = client.json("GET", "/rest/v2/customers?page-size=1000", "").await;
    assert_eq!(listed.at("/page/total-elements"), "200");
    assert!(answered.iter().all(|key| listed.body.contains(key.as_str())));
}
