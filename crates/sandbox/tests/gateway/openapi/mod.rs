//! The `OpenAPI` document: what it says, and that the sandbox does what it says.

mod generated;
mod requests;
mod schema;

use perennial_sandbox::Sandbox;
use serde_json::Value as Json;

use self::schema::Document;
use crate::client::Client;

#[tokio::test]
async fn the_document() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let got = client.send("GET", "/_sandbox/openapi.json", &[], "").await;
    assert_eq!((got.status, got.headers["content-type"].to_str().unwrap()), (200, "application/json"));
    insta::assert_snapshot!(laid_out(&got.json(), 0));
}

async fn document(client: &Client) -> Document {
    Document(client.send("GET", "/_sandbox/openapi.json", &[], "").await.json())
}

/// JSON with as much on a line as can be read.
fn laid_out(json: &Json, depth: usize) -> String {
    let line = json.to_string();
    let members: Vec<String> = match json {
        _ if line.len() + depth <= 120 => return line,
        Json::Object(members) => members
            .iter()
            .map(|(name, value)| format!("\"{name}\": {}", laid_out(value, depth + 2)))
            .collect(),
        Json::Array(items) => items.iter().map(|item| laid_out(item, depth + 2)).collect(),
        _ => return line,
    };
    let (open, close) = if json.is_object() { ('{', '}') } else { ('[', ']') };
    let between = format!(",\n{:1$}", "", depth + 2);
    format!("{open}\n{0:1$}{2}\n{0:3$}{close}", "", depth + 2, members.join(&between), depth)
}
