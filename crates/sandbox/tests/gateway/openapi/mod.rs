//! The `OpenAPI` document: its content, and that the sandbox conforms to it.

mod cards;
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

/// Checks the chapter, which lists the operations as `family.name|name`.
#[tokio::test]
async fn the_chapter_names_every_operation() {
    let chapter = include_str!("../../../../../docs/SANDBOX.md");
    let listed = chapter.split("### Operations").nth(1).unwrap().split("\n## ").next().unwrap();
    let mut documented: Vec<String> = listed
        .split('`')
        .skip(1)
        .step_by(2)
        .flat_map(|family| {
            let (family, names) = family.split_once('.').unwrap();
            names.split('|').map(move |name| format!("{family}.{name}"))
        })
        .collect();
    let sandbox = Sandbox::start().await.unwrap();
    let document = document(&Client::of(&sandbox)).await.0;
    let paths = document["paths"].as_object().unwrap().values();
    let operations = paths.flat_map(|path| path.as_object().unwrap().values());
    let named = operations.filter_map(|operation| operation["operationId"].as_str());
    // Ids are unique in a document: these two are other paths of sales.
    let sales = ["transactions.create", "transactions.forced-sale"];
    let mut served: Vec<&str> = named.filter(|id| !sales.contains(id)).collect();
    // It is served, and the document leaves it out.
    served.push("one-time-tokens.create");
    documented.sort();
    served.sort_unstable();
    assert_eq!(documented, served);
}

async fn document(client: &Client) -> Document {
    Document(client.send("GET", "/_sandbox/openapi.json", &[], "").await.json())
}

/// JSON with as much on a line as is readable.
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
