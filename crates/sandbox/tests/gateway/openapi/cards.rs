//! Card numbers in any member of any request are refused or masked, and stored nowhere.

use perennial_sandbox::Sandbox;
use serde_json::Value as Json;

use super::document;
use super::requests::{Subscriber, message, root};
use crate::canary::{SPELLINGS, assert_free, assert_nowhere};
use crate::client::Client;

/// Holds: A card number in any member of any Clearent request is stored and shown nowhere.
#[tokio::test]
async fn a_card_in_any_member_of_any_request_is_nowhere_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::builder().database(folder.path().join("sandbox.db")).start().await.unwrap();
    let document = document(&Client::of(&sandbox)).await;
    let (mut taken, mut refused) = (0, 0);
    let mut spellings = SPELLINGS.into_iter().cycle();
    for call in document.calls() {
        let subscriber = Subscriber::new(&sandbox).await;
        // Alerts are written, but not accepted by anyone.
        let url = r#"{"url":"http://127.0.0.1:1/hook"}"#;
        assert_eq!(subscriber.client.control("PUT", "webhook", url).await.status, 200);
        for schema in document.bodies(&call) {
            let path = subscriber.path(&call).await;
            for (name, _, _) in document.members(schema) {
                for format in ["JSON", "XML"] {
                    let mut body = subscriber.example(schema).await;
                    let place = name.split('.').fold(&mut body, |place, part| match place {
                        Json::Array(items) => &mut items[0][part],
                        place => &mut place[part],
                    });
                    *place = spellings.next().unwrap().into();
                    let got = subscriber.send(format, &call, &path, &body, root(schema)).await;
                    let what = format!("{} {name} in {format}", call.name);
                    assert_free(&what, &got.body);
                    let leaf = name.rsplit('.').next().unwrap();
                    match got.status {
                        200 | 201 | 402 => taken += 1,
                        400 if message(&got) == format!("{leaf}: must not hold a card number") => {
                            refused += 1;
                        }
                        400 | 404 => {}
                        status => panic!("{what}: {status} {}", got.body),
                    }
                }
            }
        }
        assert_nowhere(call.name, &subscriber.client, folder.path()).await;
    }
    assert!(taken > 100 && refused > 60, "{taken} taken, {refused} refused");
    sandbox.stop().await;
    crate::canary::assert_not_in_files("when it stopped", folder.path());
}
