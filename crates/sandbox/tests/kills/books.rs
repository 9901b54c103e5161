//! A writer's record of its objects, and of the one change that may or may not have been made.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate};
use serde_json::{Map, Value as Json};

/// A text in an unchanging column that identifies an object: `w3-17` is writer 3's.
pub(crate) type Mark = String;

/// The initial date of a new world's clock.
pub(crate) const FIRST_DAY: NaiveDate = NaiveDate::from_ymd_opt(2027, 1, 1).unwrap();

/// The record of one writer, which alone changes its objects and makes one call at a time.
#[derive(Clone, Debug)]
pub(crate) struct Book {
    pub(crate) writer: usize,
    /// The number of marks given so far.
    pub(crate) serial: u64,
    /// Objects as of the last answer.
    pub(crate) objects: BTreeMap<Mark, Object>,
    /// The change of the call without an answer; empty if all calls were answered.
    pub(crate) uncertain: Change,
    /// The terms of each plan with their start, oldest first; moments are milliseconds since 1970.
    pub(crate) plans: BTreeMap<Mark, Vec<Terms>>,
}

/// An expected row: its table, and the known columns. `null` is a column without a value.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) table: &'static str,
    pub(crate) columns: Map<String, Json>,
}

/// The change of one call: its objects with their new state, or `None` for deleted ones.
pub(crate) type Change = Vec<(Mark, Option<Object>)>;

/// The terms of a plan after a change.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub(crate) since: i64,
    pub(crate) is_active: bool,
    pub(crate) amount: u64,
}

/// The rows of one writer in the database, by their marks.
pub(crate) type Found = BTreeMap<Mark, Vec<Object>>;

/// The result of the uncertain change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Resolution {
    None,
    Applied,
    NotApplied,
}

impl Book {
    pub(crate) fn new(writer: usize) -> Self {
        Self { writer, serial: 0, objects: BTreeMap::new(), uncertain: Change::new(), plans: BTreeMap::new() }
    }

    /// The mark of its next object.
    pub(crate) fn next_mark(&mut self) -> Mark {
        self.serial += 1;
        format!("w{}-{}", self.writer, self.serial)
    }

    /// The last day of which it knows, from creating or changing a plan.
    pub(crate) fn today(&self) -> NaiveDate {
        let last = self.plans.values().flatten().map(|terms| terms.since).max();
        last.and_then(DateTime::from_timestamp_millis).map_or(FIRST_DAY, |moment| moment.date_naive())
    }

    /// Enters an answered change.
    pub(crate) fn enter(&mut self, change: Change) {
        for (mark, object) in change {
            let Some(object) = object else {
                self.objects.remove(&mark);
                continue;
            };
            if object.table == "plans" {
                let terms = Terms {
                    since: object.columns["status-date"].as_i64().unwrap(),
                    is_active: object.columns["status"] == "ACTIVE",
                    amount: object.columns["amount"].as_u64().unwrap(),
                };
                self.plans.entry(mark.clone()).or_default().push(terms);
            }
            self.objects.insert(mark, object);
        }
    }

    /// Compares the record with the rows found. The uncertain change may have been made or not, as a whole; afterwards
    /// the record says which. All other differences are findings.
    pub(crate) fn settle(&mut self, found: &Found) -> Result<Resolution, Vec<String>> {
        let findings = differences(&self.objects, found);
        if findings.is_empty() {
            let was = if self.uncertain.is_empty() { Resolution::None } else { Resolution::NotApplied };
            self.uncertain.clear();
            return Ok(was);
        }
        if self.uncertain.is_empty() {
            return Err(findings);
        }
        let mut applied = self.objects.clone();
        for (mark, object) in &mut self.uncertain {
            match object {
                Some(object) => {
                    if let (Some(before), Some([row])) =
                        (applied.get(mark), found.get(mark).map(Vec::as_slice))
                    {
                        object.stop_short(before, row);
                    }
                    applied.insert(mark.clone(), object.clone());
                }
                None => {
                    applied.remove(mark);
                }
            }
        }
        let others = differences(&applied, found);
        if !others.is_empty() {
            let others = others
                .into_iter()
                .map(|finding| format!("or, if the call without an answer was made: {finding}"));
            return Err(findings.into_iter().chain(others).collect());
        }
        let mut change = std::mem::take(&mut self.uncertain);
        for (mark, object) in change.iter_mut().filter_map(|(mark, object)| Some((mark, object.as_mut()?))) {
            object.learn(&found[mark][0]);
        }
        self.enter(change);
        Ok(Resolution::Applied)
    }
}

impl Object {
    /// A column's text.
    pub(crate) fn text(&self, column: &str) -> &str {
        self.columns.get(column).and_then(Json::as_str).unwrap_or_default()
    }

    /// Returns the object with some columns replaced by these members.
    pub(crate) fn with(&self, columns: &Json) -> Self {
        let mut changed = self.clone();
        changed.columns.extend(columns.as_object().unwrap().clone());
        changed
    }

    /// Copies values that only the sandbox determines.
    fn learn(&mut self, row: &Self) {
        for column in ["key", "id", "status-date"] {
            if let Some(value) = row.columns.get(column) {
                self.columns.insert(column.into(), value.clone());
            }
        }
    }

    /// Accepts any time on the way of a clock that was moved far: everything due by then has happened.
    fn stop_short(&mut self, before: &Self, row: &Self) {
        // Moments of this format are in the order of their text.
        let now = row.text("now");
        if self.table == "clock" && before.text("now") < now && now < self.text("now") {
            self.columns.clone_from(&row.columns);
        }
    }

    /// The first column that differs.
    fn difference<'a>(&'a self, row: &Self) -> Option<&'a str> {
        let differs =
            |(name, value): &(&String, &Json)| row.columns.get(*name).unwrap_or(&Json::Null) != *value;
        self.columns.iter().find(differs).map(|(name, _)| name.as_str())
    }
}

fn differences(expected: &BTreeMap<Mark, Object>, found: &Found) -> Vec<String> {
    let lost =
        expected.keys().filter(|mark| !found.contains_key(*mark)).map(|mark| format!("{mark} is lost"));
    let others = found.iter().filter_map(|(mark, rows)| match (expected.get(mark), rows.as_slice()) {
        (_, [_, _, ..]) => Some(format!("{mark} is there {} times", rows.len())),
        (None, _) => Some(format!("{mark} is there, and nobody has it in their books")),
        (Some(object), [row]) if object.table == row.table => {
            let column = object.difference(row)?;
            Some(format!("{mark} has another {column} than was answered"))
        }
        (Some(_), _) => Some(format!("{mark} is in another table")),
    });
    lost.chain(others).collect()
}
