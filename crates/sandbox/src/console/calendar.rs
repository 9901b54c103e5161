//! A plan's page: its facts, a calendar of its charges, and their totals.

use std::collections::BTreeMap;

use maud::{Markup, html};
use perennial_domain::clearent::{Plan, PlanKey, PlanStatus};
use perennial_domain::{Amount, NaiveDate};
use rusqlite::{Result, params};

use super::names::Names;
use super::{Found, World};
use crate::gateway::Gateway;
use crate::store::list::stretches;
use crate::store::plan::{remaining, schedule};
use crate::store::session::Session;
use crate::store::world::Kind;

/// The outcome of a plan's day, past or future.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum DayOutcome {
    Approved,
    Declined,
    Expected,
    /// A day without a payment, past or future.
    Without,
}

impl DayOutcome {
    pub(super) fn of(status: &str) -> Self {
        if status == "APPROVED" { Self::Approved } else { Self::Declined }
    }

    /// Text, class and symbol of an outcome, so that color alone does not distinguish outcomes.
    fn label(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Approved => ("approved", "✓", "received"),
            Self::Declined => ("declined", "✗", "declined"),
            Self::Expected => ("expected", "○", "expected"),
            Self::Without => ("without", "–", "no payment"),
        }
    }
}

/// Formats cents as an amount.
pub(super) fn amount(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

struct Day {
    cents: u64,
    outcome: DayOutcome,
    transaction: Option<String>,
}

/// Days on which a plan has a payment, will have one, or could have had one.
fn days(session: &Session<'_>, plan: &Plan) -> Result<BTreeMap<NaiveDate, Day>> {
    let cents = plan.payment_amount.unwrap_or(Amount::ZERO).cents();
    let mut days = BTreeMap::new();
    for day in schedule(plan, &session.gateway) {
        days.insert(day, Day { cents, outcome: DayOutcome::Without, transaction: None });
    }
    for day in remaining(plan, session.now, &session.gateway) {
        days.insert(day, Day { cents, outcome: DayOutcome::Expected, transaction: None });
    }
    let sql = format!(
        "SELECT frequency_date, amount, status, transaction_id FROM payments
         WHERE world = ?1{} AND plan_key = ?2 ORDER BY number",
        stretches(Kind::Payment)
    );
    let mut statement = session.connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![session.world, plan.plan_key.as_str()])?;
    while let Some(row) = rows.next()? {
        let Ok(day) = row.get::<_, String>("frequency_date")?.parse() else { continue };
        let outcome = DayOutcome::of(&row.get::<_, String>("status")?);
        let transaction = row.get("transaction_id")?;
        let cents: u64 = row.get("amount")?;
        match (days.get_mut(&day), outcome) {
            // Another payment for a day that was paid adds to it.
            (Some(Day { outcome: DayOutcome::Approved, cents: paid, .. }), DayOutcome::Approved) => {
                *paid += cents;
            }
            (Some(Day { outcome: DayOutcome::Approved, .. }), _) => {}
            _ => drop(days.insert(day, Day { cents, outcome, transaction })),
        }
    }
    Ok(days)
}

pub(super) async fn page(gateway: &Gateway, world: &World, key: &str) -> Found {
    let Ok(key) = PlanKey::try_from(key) else { return Ok(None) };
    let found = gateway.with_world(world.key, move |session| {
        let Some(plan) = session.plan(&key)? else { return Ok(None) };
        let days = days(&session, &plan)?;
        let names = Names::of(&session, [plan.customer_key.as_ref()])?;
        Ok(Some((plan, days, names)))
    });
    let Some(Some((plan, days, names))) = found.await? else { return Ok(None) };
    let content = html! {
        (facts(world, &plan, &names))
        section aria-labelledby="calendar" {
            h2 #calendar { "Calendar" }
            @if plan.status == Some(PlanStatus::SUSPENDED) { p { "The plan is suspended: its days pass without a payment." } }
            (calendar(world, &days))
        }
        section aria-labelledby="totals" { h2 #totals { "Totals" } (totals(&days)) }
    };
    Ok(Some(world.page("Plan", &content)))
}

fn facts(world: &World, plan: &Plan, names: &Names) -> Markup {
    let or_empty = |value: Option<String>| value.unwrap_or_default();
    html! {
        dl {
            dt { "Plan" } dd { code { (plan.plan_key) } }
            dt { "Name" } dd { (or_empty(plan.plan_name.clone())) }
            dt { "Status" } dd { (or_empty(plan.status.as_ref().map(ToString::to_string))) ", since " (or_empty(plan.status_date.as_ref().map(ToString::to_string))) }
            dt { "Amount" } dd { (or_empty(plan.payment_amount.map(|amount| amount.to_string()))) ", monthly on day " (or_empty(plan.frequency_day.as_ref().map(ToString::to_string))) }
            dt { "Term" } dd { (or_empty(plan.start_date.map(|day| day.to_string()))) " to " (or_empty(plan.end_date.map(|day| day.to_string()))) }
            @if let Some(customer) = &plan.customer_key {
                dt { "Customer" } dd { (names.link(world, Some(customer))) " " code { (customer) } }
            }
            @if let Some(token) = &plan.token_id { dt { "Token" } dd { code { (token) } } }
        }
    }
}

fn calendar(world: &World, days: &BTreeMap<NaiveDate, Day>) -> Markup {
    html! {
        ol.calendar {
            @for (day, Day { cents, outcome, transaction }) in days {
                @let (class, sign, text) = outcome.label();
                li class=(class) {
                    time datetime=(day.to_string()) { (day.format("%b %Y")) strong { (day.format("%-d")) } }
                    span { (amount(*cents)) }
                    span { span aria-hidden="true" { (sign) " " } (text) }
                    @if let Some(id) = transaction {
                        a href=(world.path(&format!("transactions?id={id}"))) { "transaction " (id) }
                    }
                }
            }
        }
    }
}

fn totals(days: &BTreeMap<NaiveDate, Day>) -> Markup {
    let sum = |wanted: DayOutcome| {
        days.values().filter(|day| day.outcome == wanted).map(|day| day.cents).sum::<u64>()
    };
    let lines = [DayOutcome::Approved, DayOutcome::Declined, DayOutcome::Expected]
        .map(|outcome| (outcome.label().2, sum(outcome)));
    html! {
        table {
            caption.quiet { "Totals of the plan" }
            tbody {
                @for (label, cents) in lines { tr { th scope="row" { (label) } td.number { (amount(cents)) } } }
                tr { th scope="row" { "received and expected" } td.number { (amount(lines[0].1 + lines[2].1)) } }
            }
        }
    }
}
