//! What goes wrong on purpose: the faults of a world, and a form to set one.

use std::sync::Arc;

use maud::{Markup, html};
use serde_json::{Map, Value as Json};

use super::{Answered, Found, World, token, told};
use crate::call;
use crate::fault::{DELIVER, Fault, StandingFault};
use crate::form::Form;
use crate::gateway::Gateway;

/// The kinds of effect, each with the members it needs.
const EFFECTS: [(&str, &str); 16] = [
    ("error-before", "status"),
    ("error-after", "status"),
    ("drop-reply", ""),
    ("late-commit", "delay-ms"),
    ("duplicate", ""),
    ("delay", "delay-ms"),
    ("slow-body", "bytes-per-second"),
    ("cut-reply", "at-byte"),
    ("garbage", "body and content-type"),
    ("stale-read", ""),
    ("evict-access-id", ""),
    ("rate-limit", "retry-after, if it is told"),
    ("decline", "result-code"),
    ("huge-body", "bytes"),
    ("reorder", ""),
    ("late", "delay"),
];

/// The numbers and texts of an effect, by whether they are numbers on the wire.
const MEMBERS: [(&str, bool); 10] = [
    ("status", true),
    ("delay-ms", true),
    ("bytes-per-second", true),
    ("at-byte", true),
    ("bytes", true),
    ("retry-after", true),
    ("result-code", false),
    ("body", false),
    ("content-type", false),
    ("delay", false),
];

pub(super) async fn page(gateway: &Gateway, world: &World, form: &Form, problem: Option<&str>) -> Found {
    let Some(faults) = gateway.faults(world.knock).await? else { return Ok(None) };
    let content = html! {
        (told(problem))
        h2 { "Set one" }
        (setter(world, form))
        h2 { "Standing" }
        (standing(world, &faults))
    };
    Ok(Some(if problem.is_some() {
        world.refused("Faults", &content)
    } else {
        world.page("Faults", &content)
    }))
}

fn setter(world: &World, form: &Form) -> Markup {
    let mut names: Vec<&str> = call::operations().collect();
    names.push(DELIVER);
    names.sort_unstable();
    names.dedup();
    html! {
        form.set method="post" action=(world.path("faults")) {
            (token())
            label { "Operation "
                select name="operation" {
                    option value="*" { "* (all)" }
                    @for name in names { option value=(name) selected[form.text("operation") == name] { (name) } }
                }
            }
            label { "Effect "
                select name="kind" {
                    @for (kind, needs) in EFFECTS {
                        option value=(kind) selected[form.text("kind") == kind] { (kind) @if !needs.is_empty() { " (" (needs) ")" } }
                    }
                }
            }
            fieldset {
                legend { "The effect's members" }
                @for (member, _) in MEMBERS { label { (member) " " input name=(member) value=(form.text(member)); } }
            }
            fieldset {
                legend { "Which calls" }
                @for member in ["nth", "times", "probability", "seed", "key"] { label { (member) " " input name=(member) value=(form.text(member)); } }
            }
            button { "Set" }
        }
    }
}

fn standing(world: &World, faults: &[StandingFault]) -> Markup {
    if faults.is_empty() {
        return html! { p.quiet { "None: every call goes right." } };
    }
    html! {
        table {
            caption.quiet { "Faults, oldest first" }
            thead { tr { th scope="col" { "Fault" } th scope="col" { "What" } th.number scope="col" { "Matched" } th.number scope="col" { "Hit" } } }
            tbody {
                @for StandingFault { id, fault, matched, applied } in faults {
                    tr { th scope="row" { (id) } td { code { (fault.shown()) } } td.number { (matched) } td.number { (applied) } }
                }
            }
        }
        form method="post" action=(world.path("faults/clear")) { (token()) button { "Clear all" } }
    }
}

/// Sets what the form says, in the words and by the rules of the control interface.
pub(super) async fn set(gateway: &Arc<Gateway>, world: &World, form: &Form) -> Found {
    match Fault::read(document(form).to_string().as_bytes()) {
        Err(problem) => page(gateway, world, form, Some(&problem)).await,
        Ok(fault) => {
            let set = gateway.set_fault(world.knock, fault).await?;
            Ok(set.map(|_| Answered::See(world.path("faults"))))
        }
    }
}

/// The members that were filled in. A number that is none stays text, and is refused as what it is.
fn document(form: &Form) -> Json {
    let value = |member: &str, is_number: bool| {
        let text = form.given(member)?;
        let number = text.parse::<serde_json::Number>().ok().filter(|_| is_number);
        Some((member.to_owned(), number.map_or(Json::String(text), Json::Number)))
    };
    let mut effect: Map<String, Json> =
        MEMBERS.iter().filter_map(|(member, is_number)| value(member, *is_number)).collect();
    effect.insert("kind".into(), form.text("kind").into());
    let aim = [
        ("operation", false),
        ("nth", true),
        ("times", true),
        ("probability", true),
        ("seed", true),
        ("key", false),
    ];
    let mut fault: Map<String, Json> =
        aim.iter().filter_map(|(member, is_number)| value(member, *is_number)).collect();
    fault.insert("effect".into(), effect.into());
    fault.into()
}

pub(super) async fn clear(gateway: &Gateway, world: &World, _: &Form) -> Found {
    Ok(gateway.clear_faults(world.knock, None).await?.map(|_| Answered::See(world.path("faults"))))
}
