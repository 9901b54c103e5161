//! The days of a plan as a calendar with a star at each charge: as many months side by side as the screen has room for.

use chrono::Datelike;
use perennial::{Month, NaiveDate};

use super::table;
use crate::output::charges::Charges;

const NAMES: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// Days of a week, Sunday first.
pub(crate) const WEEK: [&str; 7] = ["Su", "Mo", "Tu", "We", "Th", "Fr", "Sa"];

/// The width of a month, and the gap between months.
const WIDE: usize = 3 * WEEK.len();
const APART: usize = 3;

/// Formats a month as `January 2027`.
pub(crate) fn name(month: Month) -> String {
    let name = NAMES.into_iter().nth(month.number() as usize - 1).unwrap_or_default();
    format!("{name} {}", month.year())
}

/// The months of a plan's term, in order.
pub(crate) fn months(charges: &Charges) -> impl Iterator<Item = Month> {
    let first = Month::of(charges.term.start().naive());
    let last = Month::of(charges.term.end().naive());
    (0..).map(move |later| first.plus(later)).take_while(move |month| *month <= last)
}

/// The number of empty cells in a month's first week.
pub(crate) fn before(month: Month) -> usize {
    month.days().next().map_or(0, |first| first.weekday().num_days_from_sunday() as usize)
}

pub(crate) fn drawn(charges: &Charges) -> String {
    of_width(charges, table::width().into())
}

fn of_width(charges: &Charges, width: usize) -> String {
    let beside = ((width + APART) / (WIDE + APART)).max(1);
    let blocks: Vec<Vec<String>> = months(charges).map(|month| block(month, &charges.dates)).collect();
    let mut calendar = String::new();
    for row in blocks.chunks(beside) {
        let high = row.iter().map(Vec::len).max().unwrap_or_default();
        for line in 0..high {
            let cell = |block: &Vec<String>| {
                format!("{:<1$}", block.get(line).map_or("", String::as_str), WIDE + APART)
            };
            let line = row.iter().map(cell).collect::<Vec<_>>().concat();
            calendar.extend([line.trim_end(), "\n"]);
        }
        calendar.push('\n');
    }
    calendar.trim_end().to_owned() + "\n"
}

/// The name of the month, those of the days, and the weeks.
fn block(month: Month, charges: &[NaiveDate]) -> Vec<String> {
    let empty = std::iter::repeat_n(String::new(), before(month));
    let star = |day| if charges.contains(&day) { "*" } else { "" };
    let day = |day: NaiveDate| format!("{}{}", star(day), day.day());
    let cells: Vec<String> = empty.chain(month.days().map(day)).collect();
    let row = |cells: &[String]| cells.iter().map(|cell| format!("{cell:>3}")).collect::<Vec<_>>().concat();
    let names = WEEK.map(str::to_owned);
    let head = [format!("{:^1$}", name(month), WIDE + 1), row(&names)];
    head.into_iter().chain(cells.chunks(WEEK.len()).map(row)).collect()
}
