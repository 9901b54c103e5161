//! The short form of an intent that has its outcome. Most intents of a journal have one, and nothing but a screen reads all
//! of such a row. The columns stay JSON that other programs can read, and any intent comes back as it was.
//!
//! An order id that is the mark is stored once: while the object is `new/=`, an order id `=` is the mark. The attempts are
//! lists in `sent`, with their times as milliseconds: since the intent was stored, and since the decision. `looked` has
//! the number of looks and the last one, in milliseconds since the intent was stored.

use serde::{Deserialize, Serialize};

use crate::Moment;
use crate::machine::{Attempt, History, Intent, Judged};

/// An object that is named by the mark.
const OF_MARK: &str = "new/=";
/// The members of a request and of a reported transaction that may have the mark.
const ORDER_IDS: [&str; 2] = [r#""order-id":"#, r#""order_id":"#];
/// The value that stands for the mark.
const MARK: &str = r#""=""#;

/// The columns of an intent that have a short form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) object: String,
    pub(super) request: String,
    pub(super) history: String,
    pub(super) outcome: Option<String>,
}

/// A history in either form.
#[derive(Serialize, Deserialize)]
struct Packed {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    sent: Vec<(i64, i64, Option<Judged>, Option<String>)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    looked: Option<(u32, i64)>,
    #[serde(flatten)]
    rest: History,
}

/// The columns of an intent as they are stored.
pub(super) fn columns_of(intent: &Intent) -> serde_json::Result<Columns> {
    let outcome = intent.outcome.as_ref().map(serde_json::to_string).transpose()?;
    let columns = Columns {
        object: intent.object.clone(),
        request: intent.request.clone(),
        history: serde_json::to_string(&intent.history)?,
        outcome,
    };
    if !intent.state.is_final() {
        return Ok(columns);
    }
    let short = shorten(&columns, &intent.mark);
    let is_reversible = lengthen(short.clone(), &intent.mark) == columns;
    let history = serde_json::to_string(&pack(&intent.history, intent.created))?;
    Ok(Columns { history, ..if is_reversible { short } else { columns } })
}

/// The columns of an intent that has its outcome and this mark, as they were before they were stored.
pub(super) fn lengthen(columns: Columns, mark: &str) -> Columns {
    if columns.object != OF_MARK {
        return columns;
    }
    let mark_text = quoted(mark);
    let long = |text: &str| replaced(text, MARK, &mark_text);
    Columns {
        object: format!("new/{mark}"),
        request: long(&columns.request),
        outcome: columns.outcome.as_deref().map(long),
        history: columns.history,
    }
}

/// The history in a column of an intent that was stored at this time.
pub(super) fn history_of(text: &str, created: Moment) -> serde_json::Result<History> {
    let Packed { sent, looked, rest } = serde_json::from_str(text)?;
    let mut history = rest;
    history.attempts.extend(sent.into_iter().map(|(at, by, judged, exchange_id)| {
        let committed = later(created, at);
        Attempt { committed, send_by: later(committed, by), judged, exchange_id }
    }));
    if let Some((looks, last)) = looked {
        (history.looks, history.last_look) = (looks, Some(later(created, last)));
    }
    Ok(history)
}

fn shorten(columns: &Columns, mark: &str) -> Columns {
    if columns.object.strip_prefix("new/") != Some(mark) {
        return columns.clone();
    }
    let mark = quoted(mark);
    let short = |text: &str| replaced(text, &mark, MARK);
    Columns {
        object: OF_MARK.to_owned(),
        request: short(&columns.request),
        outcome: columns.outcome.as_deref().map(short),
        history: columns.history.clone(),
    }
}

fn pack(history: &History, created: Moment) -> Packed {
    let mut rest = history.clone();
    let sent = std::mem::take(&mut rest.attempts).into_iter().map(|attempt| {
        let Attempt { committed, send_by, judged, exchange_id } = attempt;
        (millis(created, committed), millis(committed, send_by), judged, exchange_id)
    });
    let sent = sent.collect();
    let looked = rest.last_look.take().map(|last| (std::mem::take(&mut rest.looks), millis(created, last)));
    Packed { sent, looked, rest }
}

/// A text as a JSON string.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn replaced(text: &str, from: &str, to: &str) -> String {
    ORDER_IDS.iter().fold(text.to_owned(), |text, member| {
        text.replace(&format!("{member}{from}"), &format!("{member}{to}"))
    })
}

fn millis(earlier: Moment, later: Moment) -> i64 {
    later.as_millis().wrapping_sub(earlier.as_millis())
}

fn later(than: Moment, millis: i64) -> Moment {
    Moment::from_millis(than.as_millis().wrapping_add(millis))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::{How, Outcome, State};
    use crate::store::tests::intent;

    /// Holds: A settled intent whose texts have the place of the mark themselves is stored as it is, and so is one whose object has another name.
    #[test]
    fn only_a_mark_is_shortened() {
        let cases = [
            // The object, the request, and whether they are shorter.
            ("new/mark 1", r#"{"order-id":"mark 1"}"#, true),
            ("new/mark 1", r#"{"order-id":"mark 12"}"#, true),
            ("new/mark 1", r#"{"name":"mark 1","customer-key":"mark 1"}"#, true),
            ("new/mark 1", r#"{"order-id":"="}"#, false),
            ("new/mark 1", r#"{"name":"=","order-id":"=","a":{"order-id":"mark 1"}}"#, false),
            ("new/mark 12", r#"{"order-id":"mark 1"}"#, false),
            ("transactions/mark 1", r#"{"order-id":"mark 1"}"#, false),
        ];
        for (object, request, is_shorter) in cases {
            let outcome = Outcome::new(How::Adopted, None, Some(request.to_owned()));
            let (object, request) = (object.to_owned(), request.to_owned());
            let open = Intent { object, request, outcome: Some(outcome), ..intent("1") };
            let columns = columns_of(&Intent { state: State::Done, ..open.clone() }).unwrap();
            assert_eq!(columns.object == OF_MARK, is_shorter, "{open:?}");
            assert_eq!(lengthen(columns, &open.mark), columns_of(&open).unwrap(), "{open:?}");
        }
    }
}
