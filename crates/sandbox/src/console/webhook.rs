//! The webhook of a world, a form to set it, and the result of each delivery.

use maud::html;

use super::{ConsoleResponse, Found, World, problem_alert, token};
use crate::delivery::{Delivery, Endpoint};
use crate::form::Form;
use crate::gateway::{Gateway, Webhook};

/// The number of deliveries shown.
const LIMIT: usize = 100;

pub(super) async fn page(gateway: &Gateway, world: &World, form: &Form, problem: Option<&str>) -> Found {
    let Some(Webhook { url, public_key, deliveries }) = gateway.webhook(world.key, LIMIT).await? else {
        return Ok(None);
    };
    let lines: Vec<_> = deliveries.iter().map(Delivery::to_json).collect();
    let columns = ["transaction-id", "event", "outcome", "attempt", "status", "due"];
    let content = html! {
        (problem_alert(problem))
        dl {
            dt { "Endpoint" } dd { (url.as_deref().unwrap_or("none: no transaction is reported")) }
            dt { "Public key" } dd { code { (public_key) } }
        }
        form method="post" action=(world.path("webhook")) {
            (token())
            label { "URL, with an address of the loopback "
                input type="url" name="url" placeholder="http://127.0.0.1:9000/hook" value=(form.text("url")) required;
            }
            button { "Set the endpoint" }
        }
        @if url.is_some() {
            form method="post" action=(world.path("webhook/remove")) { (token()) button { "Remove the endpoint" } }
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
    Ok(Some(if problem.is_some() {
        world.refused("Webhook", &content)
    } else {
        world.page("Webhook", &content)
    }))
}

pub(super) async fn set(gateway: &Gateway, world: &World, form: &Form) -> Found {
    let url = form.text("url");
    if let Err(error) = url.parse::<Endpoint>() {
        return page(gateway, world, form, Some(&format!("url: {error}"))).await;
    }
    let set = gateway.set_webhook(world.key, url.to_owned()).await?;
    Ok(set.map(|_| ConsoleResponse::See(world.path("webhook"))))
}

pub(super) async fn remove(gateway: &Gateway, world: &World) -> Found {
    Ok(gateway.remove_webhook(world.key).await?.map(|()| ConsoleResponse::See(world.path("webhook"))))
}
