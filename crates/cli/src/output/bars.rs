//! Money by month as a table whose last column is a bar, as wide as the screen allows.

use std::fmt::Write;

use perennial::Total;
use perennial::clearent::ExpectedCharges;

use super::table;
use crate::output::outlook::Outlook;

/// Blocks from one eighth to seven eighths.
const PARTS: [char; 7] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/// Draws the chart; amounts of suspended plans are dotted.
pub(crate) fn drawn(months: &[Outlook]) -> String {
    of_width(months, table::width().into())
}

fn of_width(months: &[Outlook], width: usize) -> String {
    let active = months.iter().fold(ExpectedCharges::default(), |sum, month| sum.and(month.active));
    let suspended = months.iter().filter_map(|month| month.suspended).reduce(ExpectedCharges::and);
    let mut lines = vec![cells("month", "charges", "amount", suspended.map(|_| "suspended"))];
    for Outlook { month, active, suspended } in months {
        lines.push(line(&month.to_string(), *active, *suspended));
    }
    lines.push(line("total", active, suspended));
    let columns: [usize; 4] = std::array::from_fn(|column| {
        lines.iter().map(|line| line[column].chars().count()).max().unwrap_or_default()
    });
    // Two blanks stand before each column but the first, and before the bars.
    let used: usize = columns.iter().filter(|column| **column > 0).map(|column| column + 2).sum();
    let room = width.saturating_sub(used);
    let sum = |month: &Outlook| cents(month.active.amount) + cents(total_of(month.suspended));
    let highest = months.iter().map(sum).max().unwrap_or_default().max(1);
    let eighths = |cents: u128| usize::try_from(cents * 8 * room as u128 / highest).unwrap_or_default();

    let mut chart = String::new();
    for (at, line) in lines.iter().enumerate() {
        let mut row = format!("{:<1$}", line[0], columns[0]);
        for (cell, width) in line.iter().zip(columns).skip(1).filter(|(_, width)| *width > 0) {
            let _ = write!(row, "  {cell:>width$}");
        }
        if let Some(month) = at.checked_sub(1).and_then(|at| months.get(at)) {
            let (full, all) = (eighths(cents(month.active.amount)), eighths(sum(month)));
            let _ = write!(row, "  {}", bar(full, all));
        }
        chart.extend([row.trim_end(), "\n"]);
    }
    chart
}

fn line(name: &str, active: ExpectedCharges, suspended: Option<ExpectedCharges>) -> [String; 4] {
    let suspended = suspended.map(|expected| expected.amount.to_string());
    cells(name, &active.charges.to_string(), &active.amount.to_string(), suspended.as_deref())
}

fn cells(month: &str, charges: &str, amount: &str, suspended: Option<&str>) -> [String; 4] {
    [month, charges, amount, suspended.unwrap_or_default()].map(str::to_owned)
}

/// Draws blocks of `full` eighths, then dots up to `all` eighths.
fn bar(full: usize, all: usize) -> String {
    let part = (full % 8).checked_sub(1).and_then(|part| PARTS.get(part));
    let solid: String = std::iter::repeat_n('█', full / 8).chain(part.copied()).collect();
    let dotted = all.div_ceil(8).saturating_sub(full.div_ceil(8));
    solid + &"░".repeat(dotted)
}

fn total_of(expected: Option<ExpectedCharges>) -> Total {
    expected.unwrap_or_default().amount
}

fn cents(amount: Total) -> u128 {
    u128::try_from(amount.cents()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_drawn_to_the_eighth() {
        for (full, all, drawn) in [
            (0, 0, ""),
            (1, 1, "▏"),
            (7, 7, "▉"),
            (8, 8, "█"),
            (20, 20, "██▌"),
            (20, 40, "██▌░░"),
            (0, 16, "░░"),
            (16, 17, "██░"),
        ] {
            assert_eq!(bar(full, all), drawn, "{full} {all}");
        }
    }
}
