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
        let mut from = format!("FROM {table} WHERE world = ?1{stretches}{conditions}{}", self.always);
        let unfiltered = self.filters.is_empty();
        let mut values = vec![Value::from(session.world)];
        values.extend(self.filters.into_iter().map(|(_, value)| value));
        if self.after > 0 {
            from.push_str(" AND number > ?");
            values.push(Value::from(self.after.cast_signed()));
        }

        let (made, gone) = session.tally(self.kind)?;
        let total: u64 = if unfiltered {
            made.saturating_sub(gone).saturating_sub(self.after)
        } else {
            let mut count = session.connection.prepare_cached(&format!("SELECT count(*) {from}"))?;
            count.query_row(params_from_iter(&values), |row| row.get(0))?
        };
        let size = paging.page_size.unwrap_or(SIZE).min(LARGEST);
        let number = paging.page.unwrap_or(1).max(1);
        let column = paging.order_by.as_deref().and_then(|by| orders.iter().find(|(name, _)| *name == by));
        let is_descending = paging.descending.unwrap_or(true);
        let skipped = (u64::from(number - 1) * u64::from(size)).min(total);
        let most = u64::from(size).min(total - skipped);
        // What is skipped is read, so that the way is from the nearer end. Nothing is, where numbers are places.
        let is_numbered = unfiltered && column.is_none() && gone == 0;
        let left = total - skipped - most;
        let is_backward = left < skipped && !is_numbered;
        let mut offset = if is_backward { left } else { skipped };
        if is_numbered {
            offset = 0;
            let (sign, bound) =
                if is_descending { ("<=", made - skipped) } else { (">", self.after + skipped) };
            from = format!("{from} AND number {sign} ?");
            values.push(Value::from(bound.cast_signed()));
        }
        let direction = if is_descending == is_backward { "ASC" } else { "DESC" };
        let first = column.map(|(_, column)| format!("{column} {direction}, ")).unwrap_or_default();
        let sql = format!("SELECT * {from} ORDER BY {first}number {direction} LIMIT ? OFFSET ?");
        values.extend([most, offset].map(|count| Value::from(count.cast_signed())));
        let mut statement = session.connection.prepare_cached(&sql)?;
        let objects = statement.query_map(params_from_iter(values), read)?;
        let mut objects: Vec<T> = objects.collect::<Result<_>>()?;
        if is_backward {
            objects.reverse();
        }

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
pub(crate) fn stretches(kind: Kind) -> String {
    format!(
        " AND number >> 10 IN (WITH RECURSIVE stretches (stretch) AS (
             SELECT made >> 10 FROM tallies WHERE world = ?1 AND kind = '{}'
             UNION ALL SELECT stretch - 1 FROM stretches WHERE stretch > 0
         ) SELECT stretch FROM stretches)",
        kind.table()
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::clock::Clock;
    use crate::options::GatewayOptions;
    use crate::seed::Seed;
    use crate::store::Store;
    use crate::store::world::{Start, WorldRow};

    const COUNT: u32 = 5_000;

    /// Holds: The last page of a list of thousands costs what the first does.
    #[tokio::test]
    async fn the_last_page_costs_what_the_first_does() {
        let store = Store::open(None).unwrap();
        #[rustfmt::skip]
        let cases = [
            (Kind::Customer, "number, key", "number, number"),
            (Kind::Token, "number, id, status, last_four, exp_date, avs_required, times_used, created, updated", "number, number, 'ACTIVE', '1111', '1240', 0, 0, 0, 0"),
            (Kind::CustomerToken, "number, customer_key, token_id, is_default", "number, number, number, 0"),
            (Kind::Batch, "number, opened, settled", "number, 0, 0"),
        ];
        let steps = store.run(move |connection| {
            let start = Start { clock: Clock::Frozen(Moment::first()), gateway: GatewayOptions::default() };
            let row = WorldRow::create(connection, &[1; 32], None, Seed(7), start, true)?;
            let session = Session::open(connection, &row, Moment::first());
            let mut costs = Vec::new();
            for (kind, columns, values) in cases {
                let table = kind.table();
                let rows = format!(
                    "WITH RECURSIVE numbers (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers LIMIT {COUNT})
                     INSERT INTO {table} (world, {columns}) SELECT {}, {values} FROM numbers",
                    session.world
                );
                connection.execute(&rows, [])?;
                let tally = "INSERT INTO tallies (world, kind, made, gone) VALUES (?, ?, ?, 0)";
                connection.execute(tally, rusqlite::params![session.world, table, COUNT])?;
                for gone in [0, 1] {
                    session.gone(kind, gone)?;
                    for descending in [true, false] {
                        let cost = |page| steps(&session, kind, page, descending);
                        costs.push((format!("{kind:?} {gone} {descending}"), cost(1)?, cost(COUNT / 100)?));
                    }
                }
            }
            Ok(costs)
        });
        for (list, first, last) in steps.await.unwrap() {
            assert!(first > 0 && last < first * 2, "{list}: {first} {last}");
        }
    }

    /// The steps of `SQLite`'s machine for a page of 100 objects.
    fn steps(session: &Session<'_>, kind: Kind, page: u32, descending: bool) -> Result<u32> {
        let paging = Paging {
            page: Some(page),
            page_size: Some(100),
            descending: Some(descending),
            ..Paging::default()
        };
        let steps = Arc::new(AtomicU32::new(0));
        let count = steps.clone();
        let step = move || {
            count.fetch_add(1, Ordering::Relaxed);
            false
        };
        session.connection.progress_handler(1, Some(step))?;
        let (objects, _) = List::of(kind).page(session, &paging, &[], |row| row.get::<_, u64>("number"))?;
        session.connection.progress_handler(0, None::<fn() -> bool>)?;
        assert!(objects.len() >= 99, "{objects:?}");
        Ok(steps.load(Ordering::Relaxed))
    }
}
