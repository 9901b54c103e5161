//! A page of a world's objects, found by an index and counted without looking at each.

use perennial_domain::clearent::Paging;
use perennial_wire::clearent::Page;
use rusqlite::types::Value;
use rusqlite::{Result, Row, params_from_iter};

use crate::clock::Moment;
use crate::store::session::Session;
use crate::store::world::Kind;

/// The default size of a page, as the vendor's example answers show it.
const SIZE: u32 = 25;
/// The maximum size of a page; our choice.
const LARGEST: u32 = 1_000;

/// A selection of objects, as SQL.
pub(crate) struct List {
    kind: Kind,
    filters: Vec<(&'static str, Value)>,
    /// Whether an index by stretches finds them.
    by_stretches: bool,
    always: &'static str,
    /// The number of the last object to skip at the start.
    after: u64,
}

impl List {
    pub(crate) fn of(kind: Kind) -> Self {
        let always = match kind {
            Kind::Token => " AND status <> 'DELETED'",
            Kind::Plan => " AND archived IS NULL",
            _ => "",
        };
        Self { kind, filters: Vec::new(), by_stretches: false, always, after: 0 }
    }

    /// Adds a condition, which has one `?` for its value and `?1` for the world; no condition if there is no
    /// value.
    pub(crate) fn with(mut self, condition: &'static str, value: Option<impl Into<Value>>) -> Self {
        self.filters.extend(value.map(|value| (condition, value.into())));
        self
    }

    /// Adds a condition on a column whose index goes by stretches.
    pub(crate) fn with_typed(self, condition: &'static str, value: Option<impl Into<Value>>) -> Self {
        let by_stretches = self.by_stretches || value.is_some();
        Self { by_stretches, ..self.with(condition, value) }
    }

    /// Selects objects that a search at this time finds; without a time, all.
    pub(crate) fn found_at(self, time: Option<Moment>) -> Self {
        self.with("coalesce(found_from, 0) <= ?", time.map(Moment::millis))
    }

    /// Selects objects with a number above this.
    pub(crate) fn after(self, number: u64) -> Self {
        Self { after: number, ..self }
    }

    /// One page, newest first by default. An order field that is not in `orders` is ignored.
    pub(crate) fn page<T>(
        self,
        session: &Session<'_>,
        paging: &Paging,
        orders: &[(&str, &str)],
        read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<(Vec<T>, Page)> {
        let table = self.kind.table();
        let conditions: String =
            self.filters.iter().flat_map(|(condition, _)| [" AND ", condition]).collect();
        let stretches = if self.by_stretches { stretches(self.kind) } else { String::new() };
        let from = format!("FROM {table} WHERE world = ?1{stretches}{conditions}{}", self.always);
        let unfiltered = self.filters.is_empty();
        let mut values = vec![Value::from(session.world)];
        values.extend(self.filters.into_iter().map(|(_, value)| value));
        let from = if self.after == 0 {
            from
        } else {
            values.push(Value::from(self.after.cast_signed()));
            format!("{from} AND number > ?")
        };

        let total: u64 = if unfiltered {
            session.count_of(self.kind)?.saturating_sub(self.after)
        } else {
            let mut count = session.connection.prepare_cached(&format!("SELECT count(*) {from}"))?;
            count.query_row(params_from_iter(&values), |row| row.get(0))?
        };
        let size = paging.page_size.unwrap_or(SIZE).min(LARGEST);
        let number = paging.page.unwrap_or(1).max(1);
        let direction = if paging.descending.unwrap_or(true) { "DESC" } else { "ASC" };
        let column = paging.order_by.as_deref().and_then(|by| orders.iter().find(|(name, _)| *name == by));
        let first = column.map(|(_, column)| format!("{column} {direction}, ")).unwrap_or_default();
        let sql = format!("SELECT * {from} ORDER BY {first}number {direction} LIMIT ? OFFSET ?");
        values.extend([Value::from(size), Value::from(i64::from(number - 1) * i64::from(size))]);
        let objects: Vec<T> = session
            .connection
            .prepare_cached(&sql)?
            .query_map(params_from_iter(values), read)?
            .collect::<Result<_>>()?;

        let pages = total.div_ceil(u64::from(size));
        let page = Page {
            number: Some(number.into()),
            size: Some(size.into()),
            number_of_elements: u64::try_from(objects.len()).ok(),
            total_elements: Some(total),
            total_pages: Some(pages),
            first: Some(number == 1),
            last: Some(u64::from(number) >= pages),
        };
        Ok((objects, page))
    }
}

/// The condition that indexes by stretches need; it is true for every object.
pub(super) fn stretches(kind: Kind) -> String {
    format!(
        " AND number >> 10 IN (WITH RECURSIVE stretches (stretch) AS (
             SELECT made >> 10 FROM tallies WHERE world = ?1 AND kind = '{}'
             UNION ALL SELECT stretch - 1 FROM stretches WHERE stretch > 0
         ) SELECT stretch FROM stretches)",
        kind.table()
    )
}
