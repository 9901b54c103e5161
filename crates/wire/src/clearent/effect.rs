//! Detects refusals that name an object which the call may have created.

use perennial_domain::encoding;
use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::Value;

use crate::format::Format;

/// Members that name an object, or that only an approved charge has.
const NAMES: [&str; 8] = [
    "id",
    "transaction-id",
    "customer-key",
    "plan-key",
    "token-id",
    "authorization-code",
    "batch-id",
    "ref-id",
];

/// Relations of links to single objects.
const RELATIONS: [&str; 4] = ["transaction", "token", "customer", "payment-plan"];

/// Whether a body names an object anywhere: by an id, or by a link to one. A refusal with a name is no definite no; no
/// documented refusal of a card or a plan does.
///
/// ```
/// use perennial_wire::{Format, clearent::names_an_effect};
///
/// let plain = br#"{"code":"400","payload":{"error":{"error-message":"amount"},"payloadType":"error"}}"#;
/// assert!(!names_an_effect(Format::Json, plain));
/// let with_id = br#"{"code":"400","payload":{"error":{"error-message":"amount","id":"700001"}}}"#;
/// assert!(names_an_effect(Format::Json, with_id));
/// assert!(names_an_effect(Format::Xml, b"<response><links><rel>payment-plan</rel></links></response>"));
/// ```
pub fn names_an_effect(format: Format, body: &[u8]) -> bool {
    match format {
        Format::Json => {
            let body = body.strip_prefix(encoding::MARK).unwrap_or(body);
            serde_json::from_slice(body).is_ok_and(|document| in_json(&document))
        }
        Format::Xml => in_xml(body),
    }
}

fn names(member: &str, text: &str) -> bool {
    let (member, text) = (member.to_ascii_lowercase(), text.trim());
    (NAMES.contains(&&*member) && !text.is_empty()) || (member == "rel" && RELATIONS.contains(&text))
}

fn in_json(document: &Value) -> bool {
    match document {
        Value::Array(items) => items.iter().any(in_json),
        Value::Object(members) => members.iter().any(|(member, value)| match value {
            Value::String(text) => names(member, text),
            Value::Number(number) => names(member, &number.to_string()),
            value => in_json(value),
        }),
        _ => false,
    }
}

fn in_xml(body: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(body) else { return false };
    let mut reader = Reader::from_str(text);
    let mut member = String::new();
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) => start.name().as_ref().clone_into(&mut member),
            Ok(Event::End(_)) => member.clear(),
            Ok(Event::Text(text)) if names(&member, &text) => return true,
            Ok(Event::CData(text)) if names(&member, &text) => return true,
            Ok(Event::Eof) | Err(_) => return false,
            Ok(_) => {}
        }
    }
}
