//! Faults of a world, and a form that sets one.

use std::fmt::Write;
use std::sync::{Arc, LazyLock};

use maud::{Markup, html};
use serde_json::{Map, Value as Json};

use super::{ConsoleResponse, Found, World, problem_alert, token};
use crate::fault::{Effect, EffectKind, EffectMember, Fault, NO_CALLS, StandingFault, operations};
use crate::form::Form;
use crate::gateway::Gateway;

/// Members of all effects, each once.
fn members() -> Vec<EffectMember> {
    let mut members: Vec<EffectMember> = Vec::new();
    for member in Effect::KINDS.iter().flat_map(|kind| kind.members) {
        if members.iter().all(|known| known.name != member.name) {
            members.push(*member);
        }
    }
    members
}

fn class_of(member: &str) -> String {
    format!("of-{member}")
}

/// Shows only the members of the chosen effect, in browsers that support `:has`.
pub(super) static STYLE: LazyLock<String> = LazyLock::new(|| {
    let mut style =
        String::from("@supports selector(:has(*)) {\n  .set label[class^=of-] { display: none; }\n");
    for kind in Effect::KINDS {
        let chosen = format!(".set:has(option[value={}]:checked)", kind.name);
        let members = kind.members.iter().map(|member| format!("{chosen} label.{}", class_of(member.name)));
        let members = members.collect::<Vec<_>>().join(", ");
        // Writing to a text cannot fail.
        let _ = if members.is_empty() {
            writeln!(style, "  {chosen} .none {{ display: block; }}")
        } else {
            writeln!(style, "  {members} {{ display: inline-flex; }}")
        };
    }
    style + "}\n"
});

/// An effect with its required members: `delay (delay-ms)`.
fn named(kind: &EffectKind) -> String {
    let members: Vec<&str> = kind.members.iter().map(|member| member.name).collect();
    if members.is_empty() { kind.name.into() } else { format!("{} ({})", kind.name, members.join(", ")) }
}

pub(super) async fn page(gateway: &Gateway, world: &World, form: &Form, problem: Option<&str>) -> Found {
    let Some(faults) = gateway.faults(world.key).await? else { return Ok(None) };
    let content = html! {
        (problem_alert(problem))
        h2 { "Set a fault" }
        (setter(world, form))
        h2 { "Active faults" }
        (active_faults(world, &faults))
    };
    Ok(Some(if problem.is_some() {
        world.refused("Faults", &content)
    } else {
        world.page("Faults", &content)
    }))
}

fn setter(world: &World, form: &Form) -> Markup {
    let mut names: Vec<&str> = operations().chain(NO_CALLS).collect();
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
                    @for kind in Effect::KINDS {
                        option value=(kind.name) title=(kind.what) selected[form.text("kind") == kind.name] { (named(kind)) }
                    }
                }
            }
            fieldset {
                legend { "The effect's members" }
                @for EffectMember { name, rule, .. } in members() {
                    label.(class_of(name)) { (name) " " input name=(name) title=(rule) value=(form.text(name)); span.rule { (rule) } }
                }
                p.none { "This effect has none." }
            }
            fieldset {
                legend { "Which calls" }
                @for member in ["nth", "times", "probability", "seed", "key"] { label { (member) " " input name=(member) value=(form.text(member)); } }
            }
            button { "Set" }
        }
        details {
            summary { "What each effect does" }
            dl {
                @for kind in Effect::KINDS {
                    dt { code { (kind.name) } }
                    dd {
                        (kind.what)
                        @for EffectMember { name, rule, .. } in kind.members { " " code { (name) } ": " (rule) "." }
                    }
                }
            }
        }
    }
}

fn active_faults(world: &World, faults: &[StandingFault]) -> Markup {
    if faults.is_empty() {
        return html! { p.quiet { "None: no fault is set." } };
    }
    html! {
        table {
            caption.quiet { "Faults, oldest first" }
            thead { tr { th scope="col" { "Fault" } th scope="col" { "Definition" } th.number scope="col" { "Matched" } th.number scope="col" { "Applied" } } }
            tbody {
                @for StandingFault { id, fault, matched, applied } in faults {
                    tr { th scope="row" { (id) } td { code { (fault.to_json()) } } td.number { (matched) } td.number { (applied) } }
                }
            }
        }
        form method="post" action=(world.path("faults/clear")) { (token()) button { "Clear all" } }
    }
}

/// Sets the fault of the form, with the rules and messages of the control interface.
pub(super) async fn set(gateway: &Arc<Gateway>, world: &World, form: &Form) -> Found {
    match Fault::read(document(form).to_string().as_bytes()) {
        Err(problem) => page(gateway, world, form, Some(&problem)).await,
        Ok(fault) => {
            let set = gateway.set_fault(world.key, fault).await?;
            Ok(set.map(|_| ConsoleResponse::See(world.path("faults"))))
        }
    }
}

/// Filled-in members of the chosen effect; members of other effects are hidden and ignored. Text that is
/// not a number stays text, and the control interface refuses it.
fn document(form: &Form) -> Json {
    let kind = Effect::KINDS.iter().find(|kind| kind.name == form.text("kind"));
    let members = kind.map_or(&[][..], |kind| kind.members);
    let value = |member: &str, is_number: bool| {
        let text = form.given(member)?;
        let number = text.parse::<serde_json::Number>().ok().filter(|_| is_number);
        Some((member.to_owned(), number.map_or(Json::String(text), Json::Number)))
    };
    let mut effect: Map<String, Json> =
        members.iter().filter_map(|member| value(member.name, member.is_number)).collect();
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
    Ok(gateway.clear_faults(world.key, None).await?.map(|_| ConsoleResponse::See(world.path("faults"))))
}
