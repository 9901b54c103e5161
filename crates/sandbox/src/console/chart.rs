//! Money by month, as a chart and as the table that says the same.

use std::collections::BTreeMap;

use maud::{Markup, html};
use perennial_domain::clearent::PlanSearch;
use perennial_domain::{Amount, clearent::Paging};
use rusqlite::Result;

use super::calendar::Outcome;
use crate::store::plan::remaining;
use crate::world::Ledger;

/// The most plans whose future is added up.
const PLANS: u32 = 1_000;
/// How many months are drawn: as many of the past as of the future fit.
const DRAWN: usize = 24;

/// Cents of a month.
#[derive(Clone, Copy, Default)]
pub(super) struct Month {
    received: u64,
    declined: u64,
    expected: u64,
}

/// Months by their names, `2027-01`, in order.
pub(super) struct Months {
    months: BTreeMap<String, Month>,
    /// Whether there are more plans than were added up.
    partly: bool,
}

/// What came in and what is expected, by the day of each payment.
pub(super) fn months(ledger: &Ledger<'_>) -> Result<Months> {
    let mut months: BTreeMap<String, Month> = BTreeMap::new();
    let sql = "SELECT substr(frequency_date, 1, 7) AS month, status, sum(amount) AS cents FROM payments
               WHERE world = ? GROUP BY month, status";
    let mut statement = ledger.connection.prepare_cached(sql)?;
    let mut rows = statement.query([ledger.world])?;
    while let Some(row) = rows.next()? {
        let cents: u64 = row.get("cents")?;
        let month = months.entry(row.get("month")?).or_default();
        match Outcome::of(&row.get::<_, String>("status")?) {
            Outcome::Approved => month.received += cents,
            _ => month.declined += cents,
        }
    }
    let paging = Paging { page_size: Some(PLANS), ..Paging::default() };
    let status = Some(perennial_domain::clearent::PlanStatus::ACTIVE);
    let (plans, page) = ledger.plans(PlanSearch { status, paging, ..PlanSearch::default() })?;
    for plan in &plans {
        let cents = plan.payment_amount.unwrap_or(Amount::ZERO).cents();
        for day in remaining(plan, ledger.now) {
            months.entry(day.to_string()[..7].to_owned()).or_default().expected += cents;
        }
    }
    let partly = page.total_elements.is_some_and(|total| total > u64::from(PLANS));
    let this = ledger.now.to_string()[..7].to_owned();
    let before = months.range(..this.clone()).count();
    let skipped = before.saturating_sub(DRAWN / 2).min(months.len().saturating_sub(DRAWN));
    Ok(Months { months: months.into_iter().skip(skipped).take(DRAWN).collect(), partly })
}

pub(super) fn drawn(Months { months, partly }: &Months) -> Markup {
    const HEIGHT: u64 = 120;
    const WIDE: usize = 28;
    let total = |month: &Month| month.received + month.declined + month.expected;
    let highest = months.values().map(total).max().unwrap_or_default().max(1);
    let scaled = |cents: u64| cents * (HEIGHT - 8) / highest;
    if months.is_empty() {
        return html! { p.quiet { "No plan has charged or will." } };
    }
    html! {
        svg.chart viewBox=(format!("0 0 {} {}", months.len() * WIDE, HEIGHT + 20)) preserveAspectRatio="xMinYMid" role="img" aria-labelledby="chart-title chart-text" {
            title id="chart-title" { "Money by month" }
            desc id="chart-text" { "Received, declined and expected in each month; the table below has the amounts." }
            @for (index, (name, month)) in months.iter().enumerate() {
                @let left = index * WIDE + 4;
                @let (received, declined, expected) = (scaled(month.received), scaled(month.declined), scaled(month.expected));
                rect.received x=(left) y=(HEIGHT - received) width="20" height=(received) {}
                rect.declined x=(left) y=(HEIGHT - received - declined) width="20" height=(declined) {}
                rect.expected x=(left) y=(HEIGHT - received - declined - expected) width="20" height=(expected) {}
                text x=(left + 10) y=(HEIGHT + 14) text-anchor="middle" { (name[5..]) }
            }
        }
        ul.legend { li.received { "received" } li.declined { "declined" } li.expected { "expected" } }
        details {
            summary { "As a table" }
            table {
                caption.quiet { "Money by month" }
                thead { tr { th scope="col" { "Month" } th.number scope="col" { "Received" } th.number scope="col" { "Declined" } th.number scope="col" { "Expected" } } }
                tbody {
                    @for (name, month) in months {
                        tr {
                            th scope="row" { (name) }
                            @for cents in [month.received, month.declined, month.expected] { td.number { (amount(cents)) } }
                        }
                    }
                }
            }
        }
        @if *partly { p.quiet { "Expected: of the newest " (PLANS) " active plans only." } }
    }
}

/// Cents as an amount.
pub(super) fn amount(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}
