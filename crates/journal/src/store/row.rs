//! Values, rows, and how intents are written into them.

use std::fmt;

use super::packed::{Columns, columns_of, history_of, lengthen};
use super::{Decision, Event, InboxRow, StoreError, Tenant};
use crate::Moment;
use crate::machine::{History, Intent, Precondition, State};

/// A value of a statement.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// No value.
    Null,
    /// A number.
    Int(i64),
    /// A text.
    Text(String),
}

/// A text is not shown: tokio-postgres logs the values of each statement, and they are requests, keys and access ids.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "NULL",
            Self::Int(_) => "a number",
            Self::Text(_) => "a text",
        })
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Int(flag.into())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Moment> for Value {
    fn from(moment: Moment) -> Self {
        Self::Int(moment.as_millis())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A row of a result, read from its first column to its last.
#[derive(Debug)]
pub struct Row {
    values: std::vec::IntoIter<Value>,
}

/// The reason why a row cannot be read.
pub type Damage = String;

impl Row {
    pub(crate) fn new(values: Vec<Value>) -> Self {
        Self { values: values.into_iter() }
    }

    fn next(&mut self) -> Result<Value, Damage> {
        self.values.next().ok_or_else(|| "a row is too short".to_owned())
    }

    /// The number in the next column.
    pub fn int(&mut self) -> Result<i64, Damage> {
        self.maybe_int()?.ok_or_else(|| "a number is missing".to_owned())
    }

    /// The number in the next column, or NULL.
    pub fn maybe_int(&mut self) -> Result<Option<i64>, Damage> {
        match self.next()? {
            Value::Int(number) => Ok(Some(number)),
            Value::Null => Ok(None),
            Value::Text(_) => Err("a text stands where a number belongs".to_owned()),
        }
    }

    /// The text in the next column.
    pub fn text(&mut self) -> Result<String, Damage> {
        self.maybe_text()?.ok_or_else(|| "a text is missing".to_owned())
    }

    /// The text in the next column, or NULL.
    pub fn maybe_text(&mut self) -> Result<Option<String>, Damage> {
        match self.next()? {
            Value::Text(text) => Ok(Some(text)),
            Value::Null => Ok(None),
            Value::Int(_) => Err("a number stands where a text belongs".to_owned()),
        }
    }

    /// The moment in the next column.
    pub fn moment(&mut self) -> Result<Moment, Damage> {
        self.int().map(Moment::from_millis)
    }

    /// The moment in the next column, or NULL.
    pub fn maybe_moment(&mut self) -> Result<Option<Moment>, Damage> {
        Ok(self.maybe_int()?.map(Moment::from_millis))
    }

    /// The flag in the next column.
    pub fn flag(&mut self) -> Result<bool, Damage> {
        match self.int()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err("a flag is neither 0 nor 1".to_owned()),
        }
    }
}

/// The columns of an intent, in the order in which [`intent_of`] and [`values_of`] have them.
pub(crate) const INTENT: &str = "uid, tenant, operation_key, operation, object, request, fingerprint, mark, is_stop, \
    needs_card, activates, guard, guard_version, send_before, state, fence, lease_until, next, history, outcome, created";

pub(crate) fn intent_of(mut row: Row) -> Result<Intent, Damage> {
    let row = &mut row;
    let mut intent = Intent {
        uid: row.text()?,
        tenant: row.text()?,
        key: row.text()?,
        write: row.text()?.parse().map_err(|_| "an operation is not known".to_owned())?,
        object: row.text()?,
        request: row.text()?,
        fingerprint: row.text()?,
        mark: row.text()?,
        is_stop: row.flag()?,
        needs_card: row.flag()?,
        activates: row.flag()?,
        precondition: match (row.maybe_text()?, row.maybe_int()?) {
            (Some(guard), Some(version)) => Some(Precondition { guard, version }),
            _ => None,
        },
        send_before: row.moment()?,
        state: row.text()?.parse::<State>().map_err(|_| "a state is not known".to_owned())?,
        fence: row.int()?,
        lease_until: row.maybe_moment()?,
        next: row.maybe_moment()?,
        history: History::default(),
        outcome: None,
        created: Moment::from_millis(0),
    };
    let (history, outcome) = (row.text()?, row.maybe_text()?);
    intent.created = row.moment()?;
    let (object, request) = (std::mem::take(&mut intent.object), std::mem::take(&mut intent.request));
    let mut columns = Columns { object, request, history, outcome };
    if intent.state.is_final() {
        columns = lengthen(columns, &intent.mark);
    }
    (intent.object, intent.request) = (columns.object, columns.request);
    let damage = |what: &'static str| move |_| format!("{what} cannot be read");
    intent.history = history_of(&columns.history, intent.created).map_err(damage("a history"))?;
    let outcome = columns.outcome.map(|outcome| serde_json::from_str(&outcome)).transpose();
    intent.outcome = outcome.map_err(damage("an outcome"))?;
    Ok(intent)
}

pub(crate) fn values_of(intent: &Intent) -> Result<Vec<Value>, StoreError> {
    let columns = columns_of(intent).map_err(|error| StoreError::Statement(error.to_string().into()))?;
    Ok(vec![
        intent.uid.as_str().into(),
        intent.tenant.as_str().into(),
        intent.key.as_str().into(),
        intent.write.name().into(),
        columns.object.into(),
        columns.request.into(),
        intent.fingerprint.as_str().into(),
        intent.mark.as_str().into(),
        intent.is_stop.into(),
        intent.needs_card.into(),
        intent.activates.into(),
        intent.precondition.as_ref().map(|precondition| precondition.guard.clone()).into(),
        intent.precondition.as_ref().map(|precondition| precondition.version).into(),
        intent.send_before.into(),
        intent.state.name().into(),
        intent.fence.into(),
        intent.lease_until.into(),
        intent.next.into(),
        columns.history.into(),
        columns.outcome.into(),
        intent.created.into(),
    ])
}

pub(crate) const TENANT: &str = "uid, name, host, sentinel, hold, quiet_until, worst_lag, created";

pub(crate) fn tenant_of(mut row: Row) -> Result<Tenant, Damage> {
    Ok(Tenant {
        uid: row.text()?,
        name: row.text()?,
        host: row.text()?,
        sentinel: row.maybe_text()?,
        hold: row.maybe_text()?,
        quiet_until: row.maybe_moment()?,
        worst_lag: row.int()?,
        created: row.moment()?,
    })
}

pub(crate) fn event_of(mut row: Row) -> Result<Event, Damage> {
    Ok(Event {
        position: row.int()?,
        tenant: row.text()?,
        kind: row.text()?,
        about: row.text()?,
        body: row.text()?,
        at: row.moment()?,
    })
}

pub(crate) fn decision_of(mut row: Row) -> Result<Decision, Damage> {
    Ok(Decision {
        at: row.moment()?,
        actor: row.text()?,
        reason: row.text()?,
        about: row.text()?,
        what: row.text()?,
    })
}

pub(crate) fn inbox_of(mut row: Row) -> Result<InboxRow, Damage> {
    Ok(InboxRow {
        id: row.int()?,
        tenant: row.text()?,
        key: row.text()?,
        operation: row.text()?,
        object: row.maybe_text()?,
        request: row.text()?,
    })
}
