//! Tables for people: amounts to the right, keys never broken, no terminal control characters in cells.

use std::fmt;

use comfy_table::presets::NOTHING;
use comfy_table::{
    Cell, CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle, Width,
};
use perennial::transport::redact;

use super::{Record, Value};

/// A table style with a line under the header, and no other.
const LIST: TableStyle = NOTHING.header_separator(LineStyle::none().fill('─').junction('─'));

/// The width of a table if the width of the screen is unknown.
const WIDTH: u16 = 80;
/// The minimum width: some terminals report none.
const NARROWEST: u16 = 40;

/// Draws one object: a line for each field.
pub(super) fn of_one(record: &Record) -> impl fmt::Display {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(width());
    let mut longest = 0;
    let fields = record.flat();
    for (name, value) in fields.into_iter().filter(|(_, value)| !matches!(value, Value::Records(_))) {
        let text = text(value);
        longest = text.split(' ').map(|word| word.chars().count()).fold(longest, usize::max);
        table.add_row([Cell::new(name), Cell::new(text)]);
    }
    set_apart(&mut table);
    // A URL that is broken cannot be copied, and names are not to give way to it.
    let longest = Width::Fixed(u16::try_from(longest).unwrap_or(u16::MAX));
    let widths = [ColumnConstraint::ContentWidth, ColumnConstraint::LowerBoundary(longest)];
    for (column, width) in table.column_iter_mut().zip(widths) {
        column.set_constraint(width);
    }
    Screen(table)
}

/// A column of sentences, which may be broken.
const SENTENCES: &str = "reason";
/// The least width of such a column.
const READABLE: u16 = 24;

/// Draws several objects: a line for each, with as many of the columns as fit, the first ones preferred. Sentences that do
/// not fit have several lines, in the rest of the width.
pub(super) fn of_many(columns: &[&str], records: &[Record]) -> impl fmt::Display {
    let used: Vec<&str> = columns
        .iter()
        .copied()
        .filter(|column| records.iter().any(|record| record.field(column).is_some()))
        .collect();
    // Two blanks are between columns, and none behind the last.
    let mut left = width() + 2;
    let (mut fitting, mut broken) = (Vec::new(), None);
    for (column, wide) in used.iter().zip(listed(&used, records).column_max_content_widths()) {
        if wide + 2 <= left {
            left -= wide + 2;
            fitting.push(*column);
        } else if *column == SENTENCES && left >= READABLE + 2 {
            broken = Some((fitting.len(), left));
            fitting.push(*column);
            break;
        }
    }
    if !fitting.is_empty() {
        let mut table = listed(&fitting, records);
        if let Some((index, left)) = broken {
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width());
            for (at, column) in table.column_iter_mut().enumerate() {
                column.set_constraint(if at == index {
                    ColumnConstraint::Absolute(Width::Fixed(left - 2))
                } else {
                    ColumnConstraint::ContentWidth
                });
            }
        }
        return Screen(table);
    }
    let mut table = listed(&used[..used.len().min(1)], records);
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width());
    Screen(table)
}

fn listed(columns: &[&str], records: &[Record]) -> Table {
    let mut table = Table::new();
    table.load_style(LIST).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(columns.iter().map(Cell::new));
    for record in records {
        table.add_row(columns.iter().map(|column| record.field(column).map_or_else(|| Cell::new(""), cell)));
    }
    set_apart(&mut table);
    table
}

/// Sets two blanks between columns, one of which is their border, and none around them.
fn set_apart(table: &mut Table) {
    let last = table.column_count().saturating_sub(1);
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, u16::from(index < last)));
    }
}

fn cell(value: &Value) -> Cell {
    let cell = Cell::new(text(value));
    match value {
        Value::Amount(_) | Value::Number(_) => cell.set_alignment(CellAlignment::Right),
        _ => cell,
    }
}

/// The text of a value without escape sequences, which a gateway's text could hold.
fn text(value: &Value) -> String {
    match value {
        Value::Text(text) => redact::text(text).into_owned(),
        Value::Amount(amount) => amount.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Flag(flag) => flag.to_string(),
        Value::Texts(texts) => redact::text(&texts.join(" ")).into_owned(),
        Value::Record(_) | Value::Records(_) => String::new(),
    }
}

/// The width of the terminal, if standard output is one and reports a width.
pub(super) fn width() -> u16 {
    Table::new().width().filter(|width| *width >= NARROWEST).unwrap_or(WIDTH)
}

/// A table without trailing blanks.
struct Screen(Table);

impl fmt::Display for Screen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.lines().try_for_each(|line| writeln!(f, "{}", line.trim_end()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_steers_the_terminal() {
        for (text, expected) in [
            ("Ada\u{1b}[2J\u{1b}]0;title\u{7}", "Ada\u{fffd}[2J\u{fffd}]0;title\u{fffd}"),
            ("Ada\u{9b}31m", "Ada\u{fffd}31m"),
            ("Ada\rPaid\nTwice\tover", "Ada Paid Twice over"),
            ("Ada\u{8}\u{7f}\u{0}.", "Ada\u{fffd}\u{fffd}\u{fffd}."),
            ("\u{202e}adA\u{200b}", "\u{fffd}adA\u{fffd}"),
        ] {
            let record = || Record::default().with("name", text);
            let inner = Record::default().with("name", record());
            assert_eq!(of_one(&inner).to_string(), format!("name.name {expected}\n"));
            let list = of_many(&["name"], &[record()]).to_string();
            assert_eq!(list.lines().last(), Some(expected));
        }
    }
}
