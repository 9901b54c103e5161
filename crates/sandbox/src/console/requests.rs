//! What programs sent to a world and were answered, with secrets masked.

use maud::html;
use serde_json::Value as Json;

use super::{Answered, World};
use crate::gateway::Gateway;

/// How many requests are shown.
const SHOWN: usize = 100;

pub(super) fn page(gateway: &Gateway, world: &World) -> Answered {
    let log = gateway.requests.newest(world.number, SHOWN);
    let entries = log.as_array().map(Vec::as_slice).unwrap_or_default();
    let content = html! {
        @if entries.is_empty() { p.quiet { "Nothing was sent to this world since the sandbox started." } }
        ol.log {
            @for entry in entries {
                @let text = |member: &str| entry[member].as_str().unwrap_or_default().to_owned();
                li {
                    details {
                        summary {
                            span.status { @match entry["status"].as_u64() { Some(status) => (status), None => "no answer" } }
                            " " strong { (text("method")) } " " code { (text("path")) }
                            span.quiet { " " (text("operation")) ", " (text("time")) ", " (entry["duration-ms"].as_u64().unwrap_or_default()) " ms" }
                            @if let Some(fault) = entry["fault"].as_str() { " " span.badge { (fault) } }
                        }
                        p.quiet { "Exchange " (text("exchange-id")) }
                        h2 { "Request" } pre tabindex="0" { (laid_out(&text("request"))) }
                        h2 { "Answer" } pre tabindex="0" { (laid_out(&text("response"))) }
                    }
                }
            }
        }
    };
    world.page("Requests", &content)
}

/// JSON with its members on lines of their own; anything else as it stands.
fn laid_out(body: &str) -> String {
    let document = serde_json::from_str::<Json>(body).ok();
    document
        .and_then(|document| serde_json::to_string_pretty(&document).ok())
        .unwrap_or_else(|| body.to_owned())
}
