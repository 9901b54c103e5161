//! Conversion between columns and values of the domain.

use std::cell::{Cell, RefCell};

use perennial_domain::clearent::PostalAddress;
use perennial_domain::{Amount, CardBrand, Expiry};
use rusqlite::types::{FromSql, Type, Value};
use rusqlite::{Connection, Result, Row, Statement, params_from_iter};
use serde_json::{Map, Value as Json};

use crate::mask;

/// Columns to write, with their values.
pub(crate) type Columns = Vec<(&'static str, Value)>;

/// A statement that writes a row.
struct Insert {
    table: &'static str,
    names: Vec<&'static str>,
    sql: String,
}

thread_local! {
    /// The statements of the thread of the database: building the text of one costs as much as running it.
    static INSERTS: RefCell<Vec<Insert>> = const { RefCell::new(Vec::new()) };
}

pub(crate) fn insert(connection: &Connection, table: &'static str, columns: Columns) -> Result<()> {
    let (names, values): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
    INSERTS.with_borrow_mut(|inserts| {
        let known = inserts.iter().position(|insert| insert.table == table && insert.names == names);
        let at = known.unwrap_or_else(|| {
            let places = vec!["?"; names.len()].join(", ");
            let sql = format!("INSERT INTO {table} ({}) VALUES ({places})", names.join(", "));
            inserts.push(Insert { table, names, sql });
            inserts.len() - 1
        });
        connection.prepare_cached(&inserts[at].sql)?.execute(params_from_iter(values)).map(|_| ())
    })
}

/// Writes columns of the one row whose `key` column has this value.
pub(crate) fn update(
    connection: &Connection,
    table: &str,
    (world, key, value): (i64, &str, &str),
    columns: Columns,
) -> Result<()> {
    let (names, mut values): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
    let sql = format!("UPDATE {table} SET {} = ? WHERE world = ? AND {key} = ?", names.join(" = ?, "));
    values.extend([Value::from(world), Value::from(value.to_owned())]);
    connection.prepare_cached(&sql)?.execute(params_from_iter(values)).map(|_| ())
}

/// A column value from a text, if there is one.
pub(crate) fn text<T: AsRef<str>>(value: Option<T>) -> Value {
    value.map_or(Value::Null, |value| Value::from(value.as_ref().to_owned()))
}

/// A column value from text that people write, with misplaced card numbers masked.
pub(crate) fn prose<T: AsRef<str>>(value: Option<T>) -> Value {
    value.map_or(Value::Null, |value| Value::from(mask::text(value.as_ref())))
}

pub(crate) fn cents(amount: Option<Amount>) -> Value {
    // Amounts end far below the largest integer.
    amount.map_or(Value::Null, |amount| Value::from(i64::try_from(amount.cents()).unwrap_or(i64::MAX)))
}

pub(crate) fn to_text<T: ToString>(value: Option<T>) -> Value {
    value.map_or(Value::Null, |value| Value::from(value.to_string()))
}

pub(crate) fn address(address: Option<&PostalAddress>) -> Value {
    let Some(PostalAddress {
        first_name,
        last_name,
        company,
        street,
        street2,
        city,
        state,
        zip,
        country,
        phone,
    }) = address
    else {
        return Value::Null;
    };
    let members = [
        ("first-name", first_name),
        ("last-name", last_name),
        ("company", company),
        ("street", street),
        ("street2", street2),
        ("city", city),
        ("state", state),
        ("zip", zip),
        ("country", country),
        ("phone", phone),
    ];
    let members =
        members.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text.clone()?.into())));
    Value::from(Json::Object(members.collect::<Map<_, _>>()).to_string())
}

/// A row whose columns are read by name. A column is found at once if it follows the one that was read before it, as in a
/// reader that goes in the order of the table.
pub(crate) struct NamedRow<'r, 's> {
    row: &'r Row<'s>,
    next: Cell<usize>,
}

impl<'r, 's> NamedRow<'r, 's> {
    pub(crate) fn of(row: &'r Row<'s>) -> Self {
        Self { row, next: Cell::new(0) }
    }

    pub(crate) fn get<T: FromSql>(&self, name: &str) -> Result<T> {
        let statement: &Statement<'_> = self.row.as_ref();
        let next = self.next.get();
        let is_next = statement.column_name(next).is_ok_and(|column| column == name);
        let at = if is_next { next } else { statement.column_index(name)? };
        self.next.set(at + 1);
        self.row.get(at)
    }
}

pub(crate) fn read_address(row: &NamedRow<'_, '_>, column: &'static str) -> Result<Option<PostalAddress>> {
    let Some(text) = row.get::<Option<String>>(column)? else { return Ok(None) };
    let Ok(Json::Object(mut members)) = serde_json::from_str(&text) else { return Err(damaged(column)) };
    let mut member = |name| match members.remove(name) {
        Some(Json::String(text)) => Some(text),
        _ => None,
    };
    Ok(Some(PostalAddress {
        first_name: member("first-name"),
        last_name: member("last-name"),
        company: member("company"),
        street: member("street"),
        street2: member("street2"),
        city: member("city"),
        state: member("state"),
        zip: member("zip"),
        country: member("country"),
        phone: member("phone"),
    }))
}

/// Reads a column whose text is a value of the domain.
pub(crate) fn read<T: TryFrom<String>>(row: &NamedRow<'_, '_>, column: &'static str) -> Result<T> {
    T::try_from(row.get(column)?).map_err(|_| damaged(column))
}

/// Reads an optional column whose text is a value of the domain.
pub(crate) fn read_some<T: TryFrom<String>>(
    row: &NamedRow<'_, '_>,
    column: &'static str,
) -> Result<Option<T>> {
    let text = row.get::<Option<String>>(column)?;
    text.map(|text| T::try_from(text).map_err(|_| damaged(column))).transpose()
}

pub(crate) fn read_amount(row: &NamedRow<'_, '_>, column: &'static str) -> Result<Option<Amount>> {
    let cents = row.get::<Option<u64>>(column)?;
    Ok(cents.map(|cents| Amount::from_cents(cents).unwrap_or(Amount::ZERO)))
}

pub(crate) fn read_brand(row: &NamedRow<'_, '_>) -> Result<Option<CardBrand>> {
    Ok(row.get::<Option<String>>("card_type")?.map(|brand| CardBrand::reported(&brand)))
}

pub(crate) fn read_expiry(row: &NamedRow<'_, '_>) -> Result<Option<Expiry>> {
    read_some(row, "exp_date")
}

fn damaged(column: &'static str) -> rusqlite::Error {
    let why = format!("the column {column} holds something else");
    rusqlite::Error::FromSqlConversionFailure(0, Type::Text, why.into())
}
