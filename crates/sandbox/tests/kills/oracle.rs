//! Compares a world with the writers' records: every answered change is there once, the uncertain one is there once or
//! not at all, nothing else is there, and the engine made exactly the payments that follow.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Months, NaiveDate};
use serde_json::{Value as Json, json};

use crate::books::{Book, Found, Mark, Object, Resolution};

/// Counts of correct results.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Uncertain changes that were made.
    pub(crate) applied: u64,
    /// Uncertain changes that were not made.
    pub(crate) not_applied: u64,
    pub(crate) payments: usize,
}

/// Compares the world with the records, which have no uncertain change afterwards; or returns all differences.
pub(crate) fn judge(state: &Json, books: &mut [Book]) -> Result<Verdict, Vec<String>> {
    let (mut found, mut findings) = read(state);
    let mut verdict = Verdict { payments: rows(state, "payments").len(), ..Verdict::default() };
    for book in books.iter_mut() {
        match book.settle(&found.remove(&book.writer).unwrap_or_default()) {
            Ok(Resolution::Applied) => verdict.applied += 1,
            Ok(Resolution::NotApplied) => verdict.not_applied += 1,
            Ok(Resolution::None) => {}
            Err(differences) => findings.extend(differences),
        }
    }
    findings.extend(found.into_values().flat_map(Found::into_keys).map(|mark| format!("{mark} is nobody's")));
    if findings.is_empty() {
        findings = [charges(state, books), transactions(state), uses(state, books), tallies(state)].concat();
    }
    if findings.is_empty() { Ok(verdict) } else { Err(findings) }
}

/// The tables that writers write to, and the column that holds the mark.
const MARKED: [(&str, &str); 4] =
    [("customers", "last-name"), ("tokens", "description"), ("plans", "name"), ("transactions", "invoice")];

fn rows<'a>(state: &'a Json, table: &str) -> &'a [Json] {
    state[table].as_array().map_or(&[], Vec::as_slice)
}

fn text<'a>(row: &'a Json, column: &str) -> &'a str {
    row[column].as_str().unwrap_or_default()
}

fn is_engines(transaction: &Json) -> bool {
    !transaction["plan-name"].is_null()
}

/// The rows of each writer, and the differences for rows without a mark.
fn read(state: &Json) -> (BTreeMap<usize, Found>, Vec<String>) {
    let mut ties: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for tie in rows(state, "customer-tokens") {
        ties.entry(text(tie, "token-id")).or_default().push(text(tie, "customer-key"));
    }
    let clock = json!({ "now": state["clock"]["now"] });
    let mut marked = vec![("clock", "w0-clock", &clock)];
    for (table, column) in MARKED {
        let rows = rows(state, table).iter().filter(|row| table != "transactions" || !is_engines(row));
        marked.extend(rows.map(|row| (table, text(row, column), row)));
    }
    let (mut found, mut findings) = (BTreeMap::<usize, Found>::new(), Vec::new());
    for (table, mark, row) in marked {
        let writer = mark.strip_prefix('w').and_then(|rest| rest.split_once('-')?.0.parse().ok());
        let Some(writer) = writer else {
            findings.push(format!("a row of {table} has no mark"));
            continue;
        };
        let mut columns = row.as_object().unwrap().clone();
        if table == "tokens" {
            let customers = ties.remove(text(row, "id")).unwrap_or_default();
            columns.insert("tied".into(), json!(customers));
        }
        found.entry(writer).or_default().entry(mark.to_owned()).or_default().push(Object { table, columns });
    }
    findings.extend(ties.keys().map(|token| format!("a customer has the token {token}, which is not there")));
    (found, findings)
}

fn plans(books: &[Book]) -> impl Iterator<Item = (&Book, &Mark, &Object)> {
    let objects =
        books.iter().flat_map(|book| book.objects.iter().map(move |(mark, object)| (book, mark, object)));
    objects.filter(|(_, _, object)| object.table == "plans")
}

/// Checks that each plan has one payment for each of its days on which it was active, of an amount that it had.
fn charges(state: &Json, books: &[Book]) -> Vec<String> {
    let now = DateTime::parse_from_rfc3339(text(&state["clock"], "now")).unwrap().timestamp_millis();
    let mut charged: BTreeMap<&str, Vec<(&str, u64)>> = BTreeMap::new();
    for payment in rows(state, "payments") {
        let charge = (text(payment, "frequency-date"), payment["amount"].as_u64().unwrap());
        charged.entry(text(payment, "plan-key")).or_default().push(charge);
    }
    let mut findings = Vec::new();
    for (book, mark, plan) in plans(books) {
        let terms = &book.plans[mark];
        let due: Vec<String> = days(plan)
            .filter(|(run, _)| {
                *run <= now
                    && terms
                        .iter()
                        .rev()
                        .find(|terms| terms.since < *run)
                        .is_some_and(|terms| terms.is_active)
            })
            .map(|(_, day)| day)
            .collect();
        let mut charged = charged.remove(plan.text("key")).unwrap_or_default();
        charged.sort_unstable();
        if !charged.iter().map(|(day, _)| *day).eq(due.iter().map(String::as_str)) {
            let days: Vec<_> = charged.iter().map(|(day, _)| day).collect();
            findings.push(format!("{mark} was due on {due:?} and charged on {days:?}"));
        }
        // The amounts of a plan only grow.
        let amounts: Vec<u64> = charged.iter().map(|(_, amount)| *amount).collect();
        let known = amounts.iter().all(|amount| terms.iter().any(|terms| terms.amount == *amount));
        if !known || !amounts.is_sorted() {
            findings.push(format!("{mark} was charged {amounts:?}"));
        }
    }
    findings.extend(charged.keys().map(|key| format!("a plan that is not there was charged: {key}")));
    findings
}

/// The days of a plan and the times of its payments, computed independently.
fn days(plan: &Object) -> impl Iterator<Item = (i64, String)> {
    let day = |column| plan.text(column).parse::<NaiveDate>().unwrap();
    let (start, end) = (day("start-date"), day("end-date"));
    let on = u32::try_from(plan.columns["frequency-day"].as_u64().unwrap()).unwrap();
    let months = (0..=12).map(move |months| start.with_day(1).unwrap() + Months::new(months));
    let days =
        months.map(move |month| month.with_day(on).unwrap()).filter(move |day| (start..=end).contains(day));
    days.map(|day| (day.and_hms_opt(10, 0, 0).unwrap().and_utc().timestamp_millis(), day.to_string()))
}

/// Checks that the engine has one equal transaction for each payment.
fn transactions(state: &Json) -> Vec<String> {
    /// The id, the plan, the amount and the result.
    type Row<'a> = (&'a str, &'a str, Option<u64>, &'a str);
    fn row_of<'a>(row: &'a Json, [id, plan, result]: [&str; 3]) -> Row<'a> {
        (text(row, id), text(row, plan), row["amount"].as_u64(), text(row, result))
    }
    let payments = rows(state, "payments").iter();
    let mut payments: Vec<Row<'_>> =
        payments.map(|row| row_of(row, ["transaction-id", "plan-key", "status"])).collect();
    let engines = rows(state, "transactions").iter().filter(|row| is_engines(row));
    let mut engines: Vec<Row<'_>> = engines.map(|row| row_of(row, ["id", "order-id", "result"])).collect();
    payments.sort_unstable();
    engines.sort_unstable();
    if payments == engines {
        return Vec::new();
    }
    let only = |of: &[Row<'_>], other: &[Row<'_>]| {
        let only: Vec<_> = of.iter().filter(|row| !other.contains(row)).map(|row| row.0).collect();
        format!("{only:?} of {}", of.len())
    };
    let (only_payments, only_engine) = (only(&payments, &engines), only(&engines, &payments));
    vec![format!(
        "payments without a transaction of the engine: {only_payments}; the other way round: {only_engine}"
    )]
}

/// Checks that a token that is not deleted was used once for each of its sales and for each payment of its plans.
fn uses(state: &Json, books: &[Book]) -> Vec<String> {
    let mut charges: BTreeMap<&str, u64> = BTreeMap::new();
    for row in rows(state, "transactions").iter().filter(|row| !is_engines(row)) {
        *charges.entry(text(row, "order-id")).or_default() += 1;
    }
    let tokens: BTreeMap<&str, &str> =
        plans(books).map(|(_, _, plan)| (plan.text("key"), plan.text("token-id"))).collect();
    for payment in rows(state, "payments") {
        if let Some(token) = tokens.get(text(payment, "plan-key")) {
            *charges.entry(token).or_default() += 1;
        }
    }
    let standing = rows(state, "tokens").iter().filter(|row| text(row, "status") != "DELETED");
    let wrong = standing.filter_map(|row| {
        let expected: u64 =
            ["id", "description"].iter().filter_map(|name| charges.get(text(row, name))).sum();
        let used = row["times-used"].as_u64()?;
        let mark = text(row, "description");
        (used != expected).then(|| format!("{mark} was used {expected} times, and its row says {used}"))
    });
    wrong.collect()
}

/// Checks that tallies equal the count of objects that are neither deleted nor archived.
fn tallies(state: &Json) -> Vec<String> {
    let wrong = rows(state, "tallies").iter().filter_map(|row| {
        let table = text(row, "kind").replace('_', "-");
        let tally = row["made"].as_u64()? - row["gone"].as_u64()?;
        let standing = |row: &&Json| text(row, "status") != "DELETED" && row["archived"].is_null();
        let count = u64::try_from(rows(state, &table).iter().filter(standing).count()).unwrap();
        (tally != count).then(|| format!("there are {count} {table}, and their tally says {tally}"))
    });
    wrong.collect()
}
