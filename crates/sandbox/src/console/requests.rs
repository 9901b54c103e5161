//! Requests of a world and their answers, with secrets masked.

use maud::{Markup, html};
use serde_json::Value as Json;

use super::{ConsoleResponse, World};
use crate::gateway::Gateway;

/// The number of requests shown.
const LIMIT: usize = 100;

pub(super) fn page(gateway: &Gateway, world: &World) -> ConsoleResponse {
    let entries = gateway.requests.newest(world.number, LIMIT);
    let content = html! {
        @if entries.is_empty() { p.quiet { "Nothing was sent to this world since the sandbox started." } }
        @else {
            table.log {
                caption.quiet { "Requests, newest first; at most " (LIMIT) }
                thead { tr {
                    th scope="col" { "Time" } th.number scope="col" { "Status" } th scope="col" { "Method" } th scope="col" { "Path" }
                    th scope="col" { "Operation" } th.number scope="col" { "ms" } th scope="col" { "Fault" }
                } }
                @for entry in &entries { (row(&entry.to_json())) }
            }
        }
    };
    world.page("Requests", &content)
}

/// A request as a table row, and below it the request and the answer.
fn row(entry: &Json) -> Markup {
    let text = |member: &str| entry[member].as_str().unwrap_or_default().to_owned();
    let status = entry["status"].as_u64();
    html! {
        tbody {
            tr {
                td { (text("time")) }
                th.number.failed[status.is_none_or(|status| status >= 400)] scope="row" {
                    @match status { Some(status) => (status), None => "no response" }
                }
                td { (text("method")) }
                td { code { (text("path")) } }
                td { (text("operation")) }
                td.number { (entry["duration-ms"].as_u64().unwrap_or_default()) }
                td { @if let Some(fault) = entry["fault"].as_str() { span.badge { (fault) } } }
            }
            tr.bodies {
                td colspan="7" {
                    details {
                        summary { "Request and response" }
                        p.quiet { "Exchange " (text("exchange-id")) }
                        h2 { "Request" } pre tabindex="0" { (laid_out(&text("request"))) }
                        h2 { "Answer" } pre tabindex="0" { (laid_out(&text("response"))) }
                    }
                }
            }
        }
    }
}

/// JSON with each member on its own line; any other text unchanged.
fn laid_out(body: &str) -> String {
    let document = serde_json::from_str::<Json>(body).ok();
    document
        .and_then(|document| serde_json::to_string_pretty(&document).ok())
        .unwrap_or_else(|| body.to_owned())
}
