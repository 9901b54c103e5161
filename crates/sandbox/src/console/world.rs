//! The summary page of a world: its clock, its counts, its money by month, and its snapshots.

use std::sync::Arc;

use maud::{Markup, html};

use super::chart::{self, Months};
use super::{ConsoleResponse, Found, World, problem_alert, token};
use crate::clock::{ClockChange, Mode};
use crate::form::Form;
use crate::gateway::{Fired, Gateway};
use crate::options::{GatewayOptions, OptionRow};
use crate::store::StoreError;
use crate::store::world::Kind;

struct Summary {
    counts: Vec<(&'static str, &'static str, u64)>,
    months: Months,
    snapshots: Vec<String>,
    options: GatewayOptions,
}

pub(super) async fn page(gateway: &Arc<Gateway>, world: &World, problem: Option<&str>) -> Found {
    let summary = gateway.with_world(world.key, |session| {
        let mut counts = Vec::new();
        for (page, name, kind) in [
            ("customers", "Customers", Kind::Customer),
            ("plans", "Plans", Kind::Plan),
            ("payments", "Payments", Kind::Payment),
            ("transactions", "Transactions", Kind::Transaction),
        ] {
            counts.push((page, name, session.count_of(kind)?));
        }
        Ok(Summary {
            counts,
            months: chart::months(&session)?,
            snapshots: session.snapshots()?,
            options: session.gateway,
        })
    });
    let Some(summary) = summary.await? else { return Ok(None) };
    let content = html! {
        (problem_alert(problem))
        ul.counts {
            @for (page, name, count) in &summary.counts {
                li { a href=(world.path(page)) { strong { (count) } " " (name) } }
            }
        }
        section aria-labelledby="clock" { h2 #clock { "Clock" } (clock(world)) }
        section aria-labelledby="money" { h2 #money { "Money by month" } (chart::drawn(&summary.months)) }
        section aria-labelledby="gateway" { h2 #gateway { "Gateway" } (options(&summary.options)) }
        section aria-labelledby="snapshots" { h2 #snapshots { "Snapshots" } (snapshots(world, &summary.snapshots)) }
    };
    Ok(Some(if problem.is_some() {
        world.refused("Overview", &content)
    } else {
        world.page("Overview", &content)
    }))
}

fn clock(world: &World) -> Markup {
    let action = world.path("clock");
    html! {
        p { "It shows " strong { (world.now) } " and is " (world.mode.as_str()) ". Time only goes forward." }
        form method="post" action=(action) {
            (token())
            @for (period, name) in [("P1D", "+1 day"), ("P1W", "+1 week"), ("P1M", "+1 month"), ("P1Y", "+1 year")] {
                button name="advance" value=(period) { (name) }
            }
        }
        form method="post" action=(action) {
            (token())
            label { "Through the payments of " input type="date" name="to" required; }
            button { "Go" }
        }
        form method="post" action=(action) {
            (token())
            @if world.mode.as_str() == "frozen" { button name="mode" value="running" { "Let it run" } }
            @else { button name="mode" value="frozen" { "Freeze it" } }
        }
    }
}

/// The world's gateway options.
fn options(options: &GatewayOptions) -> Markup {
    let GatewayOptions { retention, partial_amount, .. } = options;
    html! {
        dl {
            dt { code { "retention" } }
            dd { "A transaction is found for " (retention) " after it was made." }
            dt { code { "partial-amount" } }
            dd {
                @match partial_amount {
                    Some(amount) => { "A charge of " (amount) " is approved for " (options.approves_of(*amount).unwrap_or(*amount)) "." }
                    None => { "None: every charge is approved whole or not at all." }
                }
            }
            // The first two are described above.
            @for OptionRow { name, value, about } in options.rows().iter().skip(2) {
                dt { code { (name) } }
                dd { strong { (value) } " – " (about) "." }
            }
        }
    }
}

fn snapshots(world: &World, ids: &[String]) -> Markup {
    html! {
        form method="post" action=(world.path("snapshot")) { (token()) button { "Take a snapshot" } }
        @if ids.is_empty() { p.quiet { "None yet." } }
        @else {
            form method="post" action=(world.path("restore")) {
                (token())
                label { "Snapshot " select name="id" { @for id in ids.iter().rev() { option { (id) } } } }
                button { "Restore" }
            }
        }
    }
}

/// Moves the clock, and shows the world afterwards.
pub(super) async fn change_clock(gateway: &Arc<Gateway>, world: &World, form: &Form) -> Found {
    let change = match (form.text("advance"), form.text("to"), Mode::of(form.text("mode"))) {
        ("", "", Some(mode)) => Ok(ClockChange::Become(mode)),
        ("", moment_or_day, _) => ClockChange::to(moment_or_day),
        (period, ..) => period.parse().map(ClockChange::Advance),
    };
    let outcome = match change {
        Ok(change) => gateway.change_clock(world.key, change).await?,
        Err(error) => Some(Err(error)),
    };
    match outcome {
        None => Ok(None),
        Some(Ok(Fired { .. })) => Ok(Some(ConsoleResponse::See(world.path("")))),
        Some(Err(error)) => page(gateway, world, Some(&format!("The moment {error}."))).await,
    }
}

pub(super) async fn snapshot(
    gateway: &Gateway,
    world: &World,
) -> Result<Option<ConsoleResponse>, StoreError> {
    Ok(gateway.snapshot(world.key).await?.map(|_| ConsoleResponse::See(world.path(""))))
}

pub(super) async fn restore(gateway: &Arc<Gateway>, world: &World, form: &Form) -> Found {
    match gateway.restore(world.key, form.text("id").to_owned()).await? {
        None => Ok(None),
        Some(Ok(_)) => Ok(Some(ConsoleResponse::See(world.path("")))),
        Some(Err(_)) => page(gateway, world, Some("There is no such snapshot of this world.")).await,
    }
}
