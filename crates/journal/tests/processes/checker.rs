//! Joins the intents of the database with the objects of the gateway.

use std::collections::{BTreeMap, BTreeSet};

use perennial_journal::machine::{How, Intent, Judged, State, Write};
use serde_json::Value as Json;

use crate::decisions::{email, payer};

/// Counts of a correct result.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) intents: usize,
    /// The intents whose result was found by a look.
    pub(crate) adopted: usize,
    /// The intents that were sent more than once.
    pub(crate) sent_again: usize,
    /// The intents in each state.
    pub(crate) states: BTreeMap<&'static str, usize>,
    /// The intents that wait for a person and move money, with their effects.
    pub(crate) money_with_a_person: usize,
    pub(crate) money_with_a_person_done: usize,
}

/// Compares the intents with the gateway, and with the outcomes that calls returned.
pub(crate) fn judge(
    intents: &[Intent],
    state: &Json,
    returned: &BTreeMap<String, &'static str>,
) -> Result<Verdict, Vec<String>> {
    let (mut verdict, mut findings) = (Verdict::default(), Vec::new());
    for intent in intents {
        let effects = effects(intent, state);
        findings.extend(finding(intent, &effects));
        verdict.intents += 1;
        *verdict.states.entry(intent.state.name()).or_default() += 1;
        let how = intent.outcome.as_ref().map(|outcome| outcome.how);
        verdict.adopted += usize::from(intent.state == State::Done && how == Some(How::Adopted));
        verdict.sent_again += usize::from(intent.history.attempts.len() > 1);
        if intent.state == State::NeedsPerson && intent.write.moves_money() {
            verdict.money_with_a_person += 1;
            verdict.money_with_a_person_done += effects.len();
        }
    }
    findings.extend(strangers(intents, state));
    let states: BTreeMap<_, _> = intents.iter().map(|intent| (&*intent.key, intent.state)).collect();
    findings.extend(returned.iter().filter_map(|(key, outcome)| {
        // A plan is done when its second write has activated it.
        let activation = states.get(&*format!("{key}/activation"));
        let stored = states.get(&**key).map(|state| match (state, activation) {
            (State::Done, Some(activation)) => activation.name(),
            (state, _) => state.name(),
        });
        (stored != Some(outcome)).then(|| format!("{key} was returned as {outcome}, and is {stored:?}"))
    }));
    if findings.is_empty() { Ok(verdict) } else { Err(findings) }
}

/// What an intent and its effects must not be.
fn finding(intent: &Intent, effects: &[String]) -> Option<String> {
    let about = format!("{} {} is {}", intent.write, intent.key, intent.state);
    let is_absent = |judged: Option<Judged>| judged == Some(Judged::Absent);
    let attempts = &intent.history.attempts;
    let was_absent = !attempts.is_empty() && attempts.iter().all(|attempt| is_absent(attempt.judged));
    let id = intent.outcome.as_ref().and_then(|outcome| outcome.id.as_ref());
    match (intent.state, effects) {
        (_, [_, _, ..]) => Some(format!("{about}, and took effect {} times", effects.len())),
        (State::Done, []) => Some(format!("{about}, and had no effect")),
        // A void has an id of its own.
        (State::Done, [effect]) if intent.write != Write::Void && id.is_some_and(|id| id != effect) => {
            Some(format!("{about}, and its object is another one"))
        }
        (State::Declined | State::Refused | State::Withdrawn | State::NeedsCard, [_]) => {
            Some(format!("{about}, and took effect"))
        }
        (State::NeedsPerson, [_]) if was_absent => {
            Some(format!("{about} because it was absent, and took effect"))
        }
        (State::Planned | State::Sending | State::Unknown, _) => {
            Some(format!("{about} at the end: {:?}", intent.history.reason))
        }
        _ => None,
    }
}

fn rows<'a>(state: &'a Json, table: &str) -> &'a [Json] {
    state[table].as_array().unwrap_or_else(|| panic!("the state has {table}"))
}

fn text<'a>(row: &'a Json, column: &str) -> &'a str {
    row[column].as_str().unwrap_or_default()
}

/// A table, the column in which the mark of a created object stands first, the column of its id, and the rows that
/// count.
type Place = (&'static str, &'static str, &'static str, fn(&Json) -> bool);

/// The place of the objects that a write creates.
fn place(write: Write) -> Option<Place> {
    let is_paid = |row: &Json| !["Declined", "Error"].contains(&text(row, "status"));
    let is_approved = |row: &Json| text(row, "result") == "APPROVED" && text(row, "type") == "SALE";
    Some(match write {
        Write::CreateCustomer => ("customers", "comments", "key", |_| true),
        Write::CreateToken => ("tokens", "description", "id", |_| true),
        Write::CreatePlan => ("plans", "name", "key", |_| true),
        Write::Sale => ("transactions", "order-id", "id", is_approved),
        Write::Pay => ("clientpay-payments", "session-id", "id", is_paid),
        _ => return None,
    })
}

/// The ids of the objects that an intent made or changed.
fn effects(intent: &Intent, state: &Json) -> Vec<String> {
    let number = intent.key.split('/').next().unwrap_or_default().parse().unwrap_or_default();
    let of = intent.object.split('/').nth(1).unwrap_or_default();
    let ids = |table: &str, id: &str, counts: &dyn Fn(&Json) -> bool| -> Vec<String> {
        rows(state, table).iter().filter(|row| counts(row)).map(|row| text(row, id).to_owned()).collect()
    };
    if let Some((table, column, id, counts)) = place(intent.write) {
        return ids(table, id, &|row| text(row, column).starts_with(&intent.mark) && counts(row));
    }
    match intent.write {
        Write::CreatePayer => ids("payers", "id", &|row| text(row, "first-name") == payer(number)),
        Write::UpdateCustomer => {
            ids("customers", "key", &|row| text(row, "key") == of && text(row, "email") == email(number))
        }
        Write::Void => ids("transactions", "id", &|row| text(row, "id") == of && row["voided"] == 1),
        // A plan that was activated may be canceled since.
        Write::UpdatePlan => ids("plans", "key", &|row| {
            let status = text(row, "status");
            text(row, "key") == of && (status == "CANCELED" || status == "ACTIVE" && !intent.is_stop)
        }),
        other => panic!("the decisions have no {other}"),
    }
}

/// Objects that no intent has made, but for the customer and the token that everybody charges.
fn strangers(intents: &[Intent], state: &Json) -> Vec<String> {
    let mut findings = Vec::new();
    for write in [Write::CreateCustomer, Write::CreateToken, Write::CreatePlan, Write::Sale, Write::Pay] {
        let Some((table, column, _, counts)) = place(write) else { continue };
        let marks: BTreeSet<_> =
            intents.iter().filter(|intent| intent.write == write).map(|intent| &*intent.mark).collect();
        let is_of = |row: &&Json| text(row, column).get(..26).is_some_and(|mark| marks.contains(mark));
        let spare = usize::from(matches!(write, Write::CreateCustomer | Write::CreateToken));
        let strangers = rows(state, table).iter().filter(|row| counts(row) && !is_of(row)).count();
        if strangers != spare {
            findings.push(format!("{table} has {strangers} rows of nobody, and {spare} are known"));
        }
    }
    findings
}
