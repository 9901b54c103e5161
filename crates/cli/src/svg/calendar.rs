//! A plan's days as a calendar, with a disc behind each charge.

use chrono::Datelike;
use maud::{Markup, html};
use perennial::{Month, NaiveDate, Total};

use super::Picture;
use crate::output::calendar::{WEEK, before, months, name};
use crate::output::charges::Charges;

/// The sizes of a day and of a month of six weeks, and the position of the first month.
const DAY: usize = 30;
const MONTH: (usize, usize) = (7 * DAY + 24, 8 * DAY + 12);
const FIRST: (usize, usize) = (24, 84);
/// The number of months side by side.
const BESIDE: usize = 4;

pub(crate) fn drawn(charges: &Charges) -> String {
    let months: Vec<Month> = months(charges).collect();
    let content = html! {
        @for (index, month) in months.iter().enumerate() {
            @let (column, row) = (index % BESIDE, index / BESIDE);
            g transform=(format!("translate({} {})", FIRST.0 + column * MONTH.0, FIRST.1 + row * MONTH.1)) {
                (block(*month, &charges.dates))
            }
        }
    };
    let total: Total = charges.dates.iter().map(|_| charges.amount).sum();
    let (count, amount) = (charges.dates.len(), charges.amount);
    let word = if count == 1 { "charge" } else { "charges" };
    let description = match (charges.dates.first(), charges.dates.last()) {
        (Some(first), Some(last)) => {
            format!("{count} {word} of {amount} from {first} to {last}, {total} in all")
        }
        _ => "no charge".to_owned(),
    };
    let (columns, rows) = (months.len().clamp(2, BESIDE), months.len().div_ceil(BESIDE));
    let size = (FIRST.0 + columns * MONTH.0, FIRST.1 + rows * MONTH.1);
    let title = charges.name.as_deref().unwrap_or("Charges of a plan");
    Picture { title, description: &description, size, content }.document()
}

fn block(month: Month, charges: &[NaiveDate]) -> Markup {
    let middle = |column: usize| column * DAY + DAY / 2;
    html! {
        text.name x="8" y="16" { (name(month)) }
        @for (column, day) in WEEK.iter().enumerate() {
            text x=(middle(column)) y="42" text-anchor="middle" { (day) }
        }
        @for (cell, day) in (before(month)..).zip(month.days()) {
            @let (x, y) = (middle(cell % WEEK.len()), 68 + cell / WEEK.len() * DAY);
            @if charges.contains(&day) {
                circle.solid cx=(x) cy=(y - 4) r="13" {}
                text.on x=(x) y=(y) text-anchor="middle" { (day.day()) }
            } @else {
                text.day x=(x) y=(y) text-anchor="middle" { (day.day()) }
            }
        }
    }
}
