//! The claim of a client about a reply, and the faults of a claim.

use crate::case::{Case, Expect};
use crate::clearent::cents;
use crate::records::{objects, read};
use crate::{Conclusion, Format, Mutation, Reply, Tree, golden, judge};

/// An object as a client reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// Each member that the client supports, with its value.
    Object(Vec<(String, Option<String>)>),
    /// The object cannot be read. Contains its key, if the client knows it.
    Unreadable(Option<String>),
}

/// The claim of a client about a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The client's conclusion.
    pub conclusion: Conclusion,
    /// The objects that the client reports.
    pub told: Vec<Told>,
}

impl From<Conclusion> for Claim {
    fn from(conclusion: Conclusion) -> Self {
        Self { conclusion, told: Vec::new() }
    }
}

/// The fault of a claim, if there is one: its conclusion is not allowed by the reply, a reported object differs from
/// the reply, a readable record of a list is missing, or a harmless change makes a difference. `right` is the claim of
/// the same client about the golden reply.
pub fn fault(case: &Case, mutation: &Mutation, right: &Claim, claim: &Claim) -> Option<String> {
    let Claim { conclusion, told } = claim;
    if mutation.harmless {
        return (claim != right).then(|| format!("{conclusion:?} instead of {:?}", right.conclusion));
    }
    if !judge(case, &mutation.reply).allows(*conclusion) {
        return Some(format!("{conclusion:?}"));
    }
    let has_list = matches!(conclusion, Conclusion::Done | Conclusion::Incomplete);
    let document = read(case, &mutation.reply.body);
    if case.expect == Expect::List {
        let (format, tree) = document?;
        let records = objects(case, format, &tree);
        let fits = |record: &&Tree| is_of_search(case, record);
        if mutation.contained && !has_list && records.iter().all(fits) {
            return Some(format!("{conclusion:?}: the readable records are lost"));
        }
        return if has_list { misread(case, format, &records, told) } else { None };
    }
    let (Some((format, tree)), [Told::Object(_)]) = (document, &told[..]) else { return None };
    let object = objects(case, format, &tree).first().copied().cloned();
    object.and_then(|object| otherwise(case, format, &object, &told[0]))
}

/// The first difference between the reported and the actual records of a list. A record may be omitted if its key
/// occurred before.
fn misread(case: &Case, format: Format, records: &[&Tree], told: &[Told]) -> Option<String> {
    let key = case.list.map_or("", |list| list.key);
    let is_regular = |record: &Tree| {
        let golden = read(case, &golden(case, format).body);
        golden.is_some_and(|(_, tree)| objects(case, format, &tree).contains(&record))
    };
    let mut told = told.iter().peekable();
    for (at, record) in records.iter().enumerate() {
        let own = scalar(record, key);
        let is_repeated =
            !key.is_empty() && own.is_some() && records[..at].iter().any(|before| scalar(before, key) == own);
        let wrong = match told.peek() {
            None => Some("nothing is told of it".to_owned()),
            Some(Told::Unreadable(_)) if is_regular(record) => Some("it is regular, and an error".to_owned()),
            Some(one) => otherwise(case, format, record, one),
        };
        match wrong {
            None => drop(told.next()),
            Some(_) if is_repeated => {}
            Some(wrong) => return Some(format!("record {at}: {wrong}")),
        }
    }
    told.next().map(|more| format!("{more:?} is of no record"))
}

/// The first difference between a reported and the actual object.
fn otherwise(case: &Case, format: Format, object: &Tree, told: &Told) -> Option<String> {
    let key = case.list.map_or("", |list| list.key);
    let members = match told {
        Told::Unreadable(known) => {
            let own = scalar(object, key).filter(|_| !key.is_empty());
            let is_known = own.is_none() || known.as_deref() == own;
            return (!is_known).then(|| format!("its key is {own:?}, and the error names {known:?}"));
        }
        Told::Object(members) => members,
    };
    if object.has_doubles(format) {
        return Some("it contradicts itself, and is read".into());
    }
    if case.expect == Expect::List && !is_of_search(case, object) {
        return Some("it is not what was searched for".into());
    }
    members.iter().find_map(|(member, told)| {
        let said = match (member.as_str(), object) {
            ("", Tree::Text(text)) => Some(text.trim()),
            _ => match object.scalar(member) {
                Ok(said) => said,
                Err(_) => return Some(format!("{member} is no text, and told as {told:?}")),
            },
        };
        let is_same = match (said, told.as_deref()) {
            (None, None) => true,
            (Some(said), Some(told)) => is_told(member, said, told),
            _ => false,
        };
        (!is_same).then(|| format!("{member} is {said:?}, and told as {told:?}"))
    })
}

/// Whether a record has no different value for a search criterion.
fn is_of_search(case: &Case, record: &Tree) -> bool {
    case.same
        .iter()
        .all(|(member, asked)| scalar(record, member).is_none_or(|said| is_told(member, asked, said)))
}

fn scalar<'t>(object: &'t Tree, member: &str) -> Option<&'t str> {
    object.scalar(member).ok().flatten()
}

/// Whether a client reports a value of the reply, in any form.
fn is_told(member: &str, said: &str, told: &str) -> bool {
    let is_money = ["mount", "otal", "alance"].iter().any(|end| member.ends_with(end));
    if is_money && cents(said).is_some() {
        return cents(said) == cents(told);
    }
    let digits = |text: &str| text.bytes().all(|digit| digit.is_ascii_digit());
    match member {
        // A number has lost its leading zeros.
        "exp-date" if said.len() < 4 && digits(said) => told == said || told == format!("{said:0>4}"),
        "last-four" | "last-four-digits" if digits(said) => told == format!("{said:0>4}"),
        "result-code" if digits(said) => format!("{told:0>3}") == format!("{said:0>3}"),
        _ if member.contains("date") || member.contains("Date") || member.is_empty() => {
            day(told) == day(said)
        }
        _ => {
            let word = |text: &str| text.to_ascii_uppercase().replace("CANCELLED", "CANCELED");
            word(said) == word(told)
        }
    }
}

/// The last digits of a card, restored to four if a number lost its leading zeros.
fn whole(member: &str, said: &str) -> String {
    let is_number = !said.is_empty() && said.bytes().all(|digit| digit.is_ascii_digit());
    if member.starts_with("last-four") && is_number { format!("{said:0>4}") } else { said.to_owned() }
}

/// A day in one format; any other text unchanged.
fn day(text: &str) -> String {
    match text.split('/').collect::<Vec<_>>()[..] {
        [month, day, year] => format!("{year}-{month}-{day}"),
        _ => text.to_owned(),
    }
}

/// The objects of a reply, as it has them: everything that a client can report.
pub fn reported(case: &Case, reply: &Reply) -> Vec<Told> {
    let Some((format, tree)) = read(case, &reply.body) else { return Vec::new() };
    let key = case.list.map_or("", |list| list.key);
    let tell = |object: &Tree| {
        let unreadable = Told::Unreadable(scalar(object, key).map(str::to_owned));
        let members = match object {
            Tree::Text(text) => vec![(String::new(), Some(text.trim().to_owned()))],
            Tree::Members(members) => {
                let told = |name: &String| {
                    Some((name.clone(), object.scalar(name).ok()?.map(|said| whole(name, said))))
                };
                members.iter().filter_map(|(name, _)| told(name)).collect()
            }
            _ => return unreadable,
        };
        let is_readable = !object.has_doubles(format) && is_of_search(case, object);
        if is_readable { Told::Object(members) } else { unreadable }
    };
    objects(case, format, &tree).into_iter().map(tell).collect()
}
