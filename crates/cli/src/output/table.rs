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

/// The layout of a list, found from its first records.
pub(super) struct Layout {
    columns: Vec<String>,
    /// The minimum width of each column.
    widths: Vec<u16>,
    /// The width of the last column, if its texts are broken.
    breaks_at: Option<u16>,
}

impl Layout {
    /// Finds a layout with a line for each object, and with as many of the columns as fit, the first ones preferred.
    /// Sentences that do not fit have several lines, in the rest of the width.
    pub(super) fn of(columns: &[&str], records: &[Record]) -> Self {
        let is_used = |column: &&str| records.iter().any(|record| record.field(column).is_some());
        let used: Vec<String> = columns.iter().copied().filter(is_used).map(str::to_owned).collect();
        // Two blanks are between columns, and none behind the last.
        let mut left = width() + 2;
        let mut layout = Self { columns: Vec::new(), widths: Vec::new(), breaks_at: None };
        for (column, wide) in used.iter().zip(listed(&used, records, true).column_max_content_widths()) {
            let breaks = wide + 2 > left;
            if breaks && !(column == SENTENCES && left >= READABLE + 2) {
                continue;
            }
            layout.columns.push(column.clone());
            layout.widths.push(wide);
            if breaks {
                layout.breaks_at = Some(left - 2);
                break;
            }
            left -= wide + 2;
        }
        if layout.columns.is_empty() {
            layout = Self {
                columns: used.into_iter().take(1).collect(),
                widths: vec![0],
                breaks_at: Some(width()),
            };
        }
        layout
    }

    /// Draws records: the first ones of the list with a header. A cell that is wider than those of the first records
    /// makes its column wider.
    pub(super) fn draw(&self, records: &[Record], has_header: bool) -> impl fmt::Display {
        let mut table = listed(&self.columns, records, has_header);
        let last = self.columns.len().saturating_sub(1);
        let own = table.column_max_content_widths();
        for (at, column) in table.column_iter_mut().enumerate() {
            let minimum = self.widths.get(at).copied().unwrap_or_default();
            let wide = minimum.max(own.get(at).copied().unwrap_or_default());
            let wide = if at == last { self.breaks_at.unwrap_or(wide) } else { wide + 1 };
            column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(wide)));
        }
        Screen(table)
    }
}

fn listed(columns: &[String], records: &[Record], has_header: bool) -> Table {
    let mut table = Table::new();
    table.load_style(LIST).set_content_arrangement(ContentArrangement::Disabled);
    if has_header {
        table.set_header(columns.iter().map(Cell::new));
    }
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
            let list = [record()];
            let list = Layout::of(&["name"], &list).draw(&list, true).to_string();
            assert_eq!(list.lines().last(), Some(expected));
        }
    }
}
