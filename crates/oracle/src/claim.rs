//! What a client makes of a reply, and what is wrong with that.

use crate::case::{Case, Expect};
use crate::clearent::cents;
use crate::records::{objects, read};
use crate::{Conclusion, Format, Mutation, Reply, Tree, golden, judge};

/// An object as a client tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// Each member that the client has a place for, and what stands there.
    Object(Vec<(String, Option<String>)>),
    /// It cannot be read. Holds its key, if the client knows it.
    Unreadable(Option<String>),
}

/// What a client makes of a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// What it concludes.
    pub conclusion: Conclusion,
    /// The objects that it tells of.
    pub told: Vec<Told>,
}

impl From<Conclusion> for Claim {
    fn from(conclusion: Conclusion) -> Self {
        Self { conclusion, told: Vec::new() }
    }
}

/// What is wrong with a claim, if anything: it concludes what the reply does not allow, tells of an object what the reply
/// does not say, loses the readable records of a list, or lets a harmless change decide. `right` is what the same client
/// makes of the golden reply.
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

/// What is told of the records of a list otherwise than it says. A record may be left out where its key came before.
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

/// What is told of an object otherwise than it says.
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

/// Whether a record has nothing else in the place of what was searched by.
fn is_of_search(case: &Case, record: &Tree) -> bool {
    case.same
        .iter()
        .all(|(member, asked)| scalar(record, member).is_none_or(|said| is_told(member, asked, said)))
}

fn scalar<'t>(object: &'t Tree, member: &str) -> Option<&'t str> {
    object.scalar(member).ok().flatten()
}

/// Whether a client tells a value as the reply says it, in whatever form.
fn is_told(member: &str, said: &str, told: &str) -> bool {
    let is_money = ["mount", "otal", "alance"].iter().any(|end| member.ends_with(end));
    if is_money && cents(said).is_some() {
        return cents(said) == cents(told);
    }
    let digits = |text: &str| text.bytes().all(|digit| digit.is_ascii_digit());
    match member {
        // A number has lost the zeros at its start.
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

/// The last digits of a card, of which a number has lost the zeros at its start.
fn whole(member: &str, said: &str) -> String {
    let is_number = !said.is_empty() && said.bytes().all(|digit| digit.is_ascii_digit());
    if member.starts_with("last-four") && is_number { format!("{said:0>4}") } else { said.to_owned() }
}

/// A day in one form, or the text.
fn day(text: &str) -> String {
    match text.split('/').collect::<Vec<_>>()[..] {
        [month, day, year] => format!("{year}-{month}-{day}"),
        _ => text.to_owned(),
    }
}

/// What a reply says of its objects, as it says it: all of what a client can tell.
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
