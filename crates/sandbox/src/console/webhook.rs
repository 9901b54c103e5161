//! Where a world's alerts go, and what became of each.

use maud::html;

use super::{Found, World};
use crate::gateway::{Gateway, Webhook};
use crate::webhook::Delivery;

/// How many deliveries are shown.
const SHOWN: usize = 100;

pub(super) async fn page(gateway: &Gateway, world: &World) -> Found {
    let Some(Webhook { url, public_key, deliveries }) = gateway.webhook(world.knock, SHOWN).await? else {
        return Ok(None);
    };
    let lines: Vec<_> = deliveries.iter().map(Delivery::shown).collect();
    let columns = ["transaction-id", "event", "outcome", "attempt", "status", "due"];
    let content = html! {
        dl {
            dt { "Endpoint" } dd { (url.as_deref().unwrap_or("none: no transaction is told")) }
            dt { "Public key" } dd { code { (public_key) } }
        }
        h2 { "Deliveries" }
        table {
            caption.quiet { "Alerts, newest first" }
            thead { tr { @for column in columns { th scope="col" { (column) } } } }
            tbody {
                @for line in &lines {
                    tr {
                        @for column in columns {
                            td {
                                @match &line[column] {
                                    serde_json::Value::Null => {},
                                    serde_json::Value::String(text) => (text),
                                    other => (other),
                                }
                            }
                        }
                    }
                }
            }
        }
    };
    Ok(Some(world.page("Webhook", &content)))
}
