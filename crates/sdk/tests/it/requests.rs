//! The exact bytes and headers of every operation, in both formats.

use std::fmt::Write;

use bytes::Bytes;
use http::Request;
use perennial::Format;
use perennial::transport::Redactor;

use crate::gateway::{CARD, CSC, Gateway, KEY};
use crate::operations::{OPERATIONS, Operation, right};

#[tokio::test]
async fn requests_in_json() {
    insta::assert_snapshot!(sent(Format::Json).await);
}

#[tokio::test]
async fn requests_in_xml() {
    insta::assert_snapshot!(sent(Format::Xml).await);
}

async fn sent(format: Format) -> String {
    let mut text = String::new();
    for Operation { name, run } in OPERATIONS {
        let gateway = Gateway::new(move |_, request| right(format, request));
        run(gateway.client(format)).await.unwrap();
        write!(text, "# {name}\n\n").unwrap();
        for request in gateway.asked() {
            text += &shown(&request);
        }
    }
    text
}

/// The request as it is sent, with the key and the card masked only in their proper places.
fn shown(request: &Request<Bytes>) -> String {
    let mut text = format!("{} {}\n", request.method(), request.uri());
    assert_eq!(request.headers()["api-key"], KEY);
    assert!(request.headers()["api-key"].is_sensitive());
    for (name, value) in Redactor::new().headers(request.headers()) {
        writeln!(text, "{name}: {value}").unwrap();
    }
    assert!(!text.contains(KEY) && !text.contains(CARD) && !text.contains(CSC));
    let body = std::str::from_utf8(request.body()).unwrap();
    let carries_a_card = body.contains(CARD);
    assert_eq!(carries_a_card, body.contains(CSC));
    assert!(!body.contains(KEY));
    text += "\n";
    if !body.is_empty() {
        writeln!(text, "{}\n", body.replace(CARD, "<card ..1111>").replace(CSC, "<csc>")).unwrap();
    }
    text
}
