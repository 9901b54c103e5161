//! Money by month, as a chart and as a table with equal content.

use std::collections::BTreeMap;

use maud::{Markup, html};
use perennial_domain::clearent::PlanSearch;
use perennial_domain::{Amount, clearent::Paging};
use rusqlite::Result;

use super::calendar::{DayOutcome, amount};
use crate::store::plan::remaining;
use crate::store::session::Session;

/// The maximum number of plans whose future charges are added up.
const PLANS: u32 = 1_000;
/// The number of months drawn: half are past ones, unless the other half has too few.
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
    /// Whether some plans are missing from the sum.
    partly: bool,
}

/// Received and expected amounts, by the day of each payment.
pub(super) fn months(session: &Session<'_>) -> Result<Months> {
    let mut months: BTreeMap<String, Month> = BTreeMap::new();
    let sql = "SELECT substr(frequency_date, 1, 7) AS month, status, sum(amount) AS cents FROM payments
               WHERE world = ? GROUP BY month, status";
    let mut statement = session.connection.prepare_cached(sql)?;
    let mut rows = statement.query([session.world])?;
    while let Some(row) = rows.next()? {
        let cents: u64 = row.get("cents")?;
        let month = months.entry(row.get("month")?).or_default();
        match DayOutcome::of(&row.get::<_, String>("status")?) {
            DayOutcome::Approved => month.received += cents,
            _ => month.declined += cents,
        }
    }
    let paging = Paging { page_size: Some(PLANS), ..Paging::default() };
    let status = Some(perennial_domain::clearent::PlanStatus::ACTIVE);
    let (plans, page) = session.plans(PlanSearch { status, paging, ..PlanSearch::default() }, None)?;
    for plan in &plans {
        let cents = plan.payment_amount.unwrap_or(Amount::ZERO).cents();
        for day in remaining(plan, session.now, &session.gateway) {
            months.entry(day.to_string()[..7].to_owned()).or_default().expected += cents;
        }
    }
    let partly = page.total_elements.is_some_and(|total| total > u64::from(PLANS));
    let this = session.now.to_string()[..7].to_owned();
    let before = months.range(..this.clone()).count();
    let skipped = before.saturating_sub(DRAWN / 2).min(months.len().saturating_sub(DRAWN));
    Ok(Months { months: months.into_iter().skip(skipped).take(DRAWN).collect(), partly })
}

/// The chart's dimensions, in units of its view box.
const AXIS: usize = 72;
const WIDE: usize = 30;
const HEIGHT: u64 = 150;
const TOP: u64 = 12;

pub(super) fn drawn(Months { months, partly }: &Months) -> Markup {
    let total = |month: &Month| month.received + month.declined + month.expected;
    let ticks = ticks(months.values().map(total).max().unwrap_or_default());
    let highest = ticks.last().copied().unwrap_or_default().max(1);
    let scaled = |cents: u64| cents * (HEIGHT - TOP) / highest;
    if months.is_empty() {
        return html! { p.quiet { "No plan has charged or will." } };
    }
    let width = AXIS + months.len() * WIDE;
    html! {
        svg.chart viewBox=(format!("0 0 {width} {}", HEIGHT + 34)) preserveAspectRatio="xMinYMid" role="img" aria-labelledby="chart-title chart-text" {
            title id="chart-title" { "Money by month" }
            desc id="chart-text" { "Received, declined and expected in each month, in US dollars; the table below has the amounts." }
            @for cents in &ticks {
                @let at = HEIGHT - scaled(*cents);
                line.grid x1=(AXIS - 4) x2=(width) y1=(at) y2=(at) {}
                text x=(AXIS - 8) y=(at + 3) text-anchor="end" { (amount(*cents)) }
            }
            @for (index, (name, month)) in months.iter().enumerate() {
                @let left = AXIS + index * WIDE + 4;
                @let (received, declined, expected) = (scaled(month.received), scaled(month.declined), scaled(month.expected));
                g {
                    title { (name) ": " (amount(month.received)) " received, " (amount(month.declined)) " declined, " (amount(month.expected)) " expected" }
                    rect.received x=(left) y=(HEIGHT - received) width="22" height=(received) {}
                    rect.declined x=(left) y=(HEIGHT - received - declined) width="22" height=(declined) {}
                    rect.expected x=(left) y=(HEIGHT - received - declined - expected) width="22" height=(expected) {}
                    @if month.declined > 0 {
                        // A shape as well as a color, and never too small to see.
                        text.mark x=(left + 11) y=(HEIGHT - received - declined - expected - 3) text-anchor="middle" { "✗" }
                    }
                }
                text x=(left + 11) y=(HEIGHT + 14) text-anchor="middle" { (name[5..]) }
                @if index == 0 || &name[5..] == "01" {
                    text.year x=(left + 11) y=(HEIGHT + 28) text-anchor="middle" { (name[..4]) }
                }
            }
        }
        ul.legend { li.received { "received" } li.declined { "✗ declined" } li.expected { "expected" } }
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

/// The amounts at the axis: from zero, in steps of 1, 2 or 5 times a power of ten, up to at least the highest.
fn ticks(highest: u64) -> Vec<u64> {
    let steps = (0..17).flat_map(|zeros| [1, 2, 5].map(|digit| digit * 10_u64.pow(zeros)));
    // Whole dollars, and at most five steps.
    let step =
        steps.filter(|step| *step >= 100).find(|step| highest.div_ceil(*step) <= 5).unwrap_or(highest.max(1));
    (0..=highest.div_ceil(step).max(1)).map(|count| count * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_goes_in_round_steps_beyond_the_highest_month() {
        for (highest, expected) in [
            (0, &[0, 100][..]),
            (99, &[0, 100]),
            (5_000, &[0, 1_000, 2_000, 3_000, 4_000, 5_000]),
            (5_001, &[0, 2_000, 4_000, 6_000]),
            (123_456, &[0, 50_000, 100_000, 150_000]),
            (
                499_999_999_900,
                &[0, 100_000_000_000, 200_000_000_000, 300_000_000_000, 400_000_000_000, 500_000_000_000],
            ),
        ] {
            assert_eq!(ticks(highest), expected, "{highest}");
        }
    }
}
