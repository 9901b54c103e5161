//! Changes each member of a golden reply and each record of a list separately: removed, repeated, emptied, of another
//! type, or with another value.

use crate::mutation::{Mutation, mutation, with_body};
use crate::{Case, Format, Reply, Tree, tree::TYPE};

/// Other values of members, by the whole name or by its end.
const OTHERS: &[(&str, &[&str])] = &[
    ("amount", &["20.00", "0.00", "2500", "25.001", "1e3", "-25.00"]),
    ("Amount", &["20.00", "0", "54025"]),
    ("date", &["2027-02-01", "2028-01-15", "01/15/2027", "soon"]),
    ("frequency-day", &["16", "31", "LAST", "1"]),
    ("frequency", &["WEEKLY", "YEARLY", "monthly"]),
    ("result", &["DECLINED", "APPROVED", "ERROR", "REVIEW", "PENDING", "HELD", "approved", ""]),
    ("result-code", &["000", "012", "200", "36", "PEND", "000x"]),
    ("type", &["REFUND", "VOID", "SALE", "AUTH", "sale"]),
    ("code", &["200", "201", "400", "402", "404", "500", "429", "999", "OK"]),
    ("status", &["SUSPENDED", "CANCELED", "ACTIVE", "PENDING", "success", "fail", "pending", "Declined"]),
    ("paymentStatus", &["Processing", "Approved", "Declined", "Voided", "Held", "Error", ""]),
    ("last-four", &["4242", "11", "0011"]),
    ("last-four-digits", &["4242", "12"]),
    ("exp-date", &["0131", "932", "never"]),
    ("default", &["false", "true", "maybe"]),
    ("voided", &["true", "false", "maybe"]),
    ("pending", &["true", "maybe"]),
    ("partial-approved", &["true", "false", "maybe"]),
    ("isValid", &["false", "true", "maybe"]),
    ("count", &["0", "7", "many"]),
    ("total", &["20.00", "-1.00", "1e3"]),
    ("Balance", &["20.00", "25.001", "1e3"]),
    ("Date", &["2027-02-01", "01/15/2027", "soon"]),
    ("total-elements", &["0", "1", "26", "many"]),
    ("number", &["2", "0"]),
    ("last", &["false", "maybe"]),
];

/// The place of a value in a document.
struct Place {
    /// The index among the members or records at each level.
    steps: Vec<usize>,
    /// The names on the path to it, without the payload around them.
    names: Vec<String>,
    /// Whether it is a record of a list, or within one.
    contained: bool,
    /// Whether it is an item of a list rather than a member.
    is_item: bool,
}

/// The mutations of each single member: removed, repeated, emptied, of another type, with another value. In a list, of
/// the second record.
pub(crate) fn of_members(case: &Case, base: &Reply, document: &Tree, format: Format) -> Vec<Mutation> {
    let mut mutations = Vec::new();
    let mut places = Vec::new();
    let path = case.list.map_or(&[][..], |list| list.path);
    let start = Place { steps: Vec::new(), names: Vec::new(), contained: false, is_item: false };
    collect(document, &start, path, &mut places);
    let is_keyed = case.list.is_some_and(|list| !list.key.is_empty());
    for place in &places {
        let (name, label) = (place.names.last().map_or("", String::as_str), place.label());
        let contained = place.contained && is_keyed;
        let mut push = |what: &str, edit: &dyn Fn(&mut Tree, usize)| {
            let mut changed = document.clone();
            let Some((last, parents)) = place.steps.split_last() else { return };
            if let Some(parent) = changed.inside(parents) {
                edit(parent, *last);
                let reply = with_body(base, changed.write(format));
                mutations.push(Mutation { contained, ..mutation(format!("{label}: {what}"), reply) });
            }
        };
        push("dropped", &|parent, at| parent.remove(at));
        push("doubled", &|parent, at| parent.double(at));
        for (what, other) in others(name, format) {
            push(&what, &|parent, at| {
                if let Some(value) = parent.at(at) {
                    *value = other(value);
                }
            });
        }
    }
    mutations
}

type Other = Box<dyn Fn(&Tree) -> Tree>;

/// The values that can replace a value.
fn others(name: &str, format: Format) -> Vec<(String, Other)> {
    let mut others: Vec<(String, Other)> = vec![
        ("emptied".into(), Box::new(|_| Tree::Text(String::new()))),
        ("blank".into(), Box::new(|_| Tree::Text("  ".into()))),
        ("a list of itself".into(), Box::new(|own| Tree::List(vec![own.clone(), own.clone()]))),
        ("an object".into(), Box::new(|own| Tree::Members(vec![("value".into(), own.clone())]))),
        ("of another object".into(), Box::new(of_another)),
    ];
    if format == Format::Json {
        for (what, bare) in [
            ("null", "null"),
            ("true", "true"),
            ("false", "false"),
            ("the number 7", "7"),
            ("the number 1.5", "1.5"),
            ("an empty list", "[]"),
            ("an empty object", "{}"),
        ] {
            others.push((what.into(), Box::new(|_| Tree::Bare(bare.into()))));
        }
        others.push(("as a number".into(), Box::new(as_a_number)));
    }
    let listed = OTHERS.iter().rev().find(|(end, _)| name == *end);
    let listed = listed.or_else(|| OTHERS.iter().find(|(end, _)| name.ends_with(end)));
    for (index, other) in listed.map_or(&["another"][..], |(_, others)| others).iter().enumerate() {
        let what = if index == 0 { "another value".to_owned() } else { format!("{other:?}") };
        others.push((what, Box::new(|own| of_value(own, other))));
    }
    others
}

/// A number with the digits of the text, without leading zeros.
fn as_a_number(own: &Tree) -> Tree {
    let Tree::Text(text) = own else { return own.clone() };
    let digits = text.trim_start_matches('0');
    let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    if is_number { Tree::Bare(digits.into()) } else { own.clone() }
}

fn of_value(own: &Tree, other: &str) -> Tree {
    let is_number = !other.is_empty() && other.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    match own {
        Tree::Bare(_) if is_number => Tree::Bare(other.into()),
        Tree::Text(_) | Tree::Bare(_) => Tree::Text(other.into()),
        _ => own.clone(),
    }
}

/// A value of the same shape with a different end: the key, number or word of another object.
fn of_another(own: &Tree) -> Tree {
    let Tree::Text(text) = own else { return own.clone() };
    let mut text = text.clone();
    let end = text.pop().map_or('0', |last| match last {
        '7' => '8',
        last if last.is_ascii_digit() => '7',
        _ => 'z',
    });
    text.push(end);
    Tree::Text(text)
}

impl Place {
    fn label(&self) -> String {
        let label = self.names[self.names.len().saturating_sub(2)..].join(".");
        let label =
            if self.names.len() <= 2 { self.names.last().cloned().unwrap_or_default() } else { label };
        if self.is_item { format!("a record of {label}") } else { label }
    }

    fn below(&self, step: usize, name: Option<&str>) -> Self {
        let mut names = self.names.clone();
        names.extend(name.filter(|name| *name != "payload").map(str::to_owned));
        Self {
            steps: [&self.steps[..], &[step]].concat(),
            names,
            contained: self.contained,
            is_item: name.is_none(),
        }
    }
}

/// The places of all members, and of the records of the list at `path`. Links are navigation and not results, so only
/// one of them is changed.
fn collect(tree: &Tree, at: &Place, path: &[&str], places: &mut Vec<Place>) {
    match tree {
        Tree::Members(members) => {
            for (index, (name, value)) in members.iter().enumerate().filter(|(_, (name, _))| name != TYPE) {
                let place = at.below(index, Some(name));
                if name != "links" {
                    collect(value, &place, path, places);
                }
                places.push(place);
            }
        }
        Tree::List(items) => {
            let index = usize::from(items.len() > 1);
            let Some(item) = items.get(index) else { return };
            let mut place = at.below(index, None);
            place.contained |= place.names == path;
            collect(item, &place, path, places);
            places.push(place);
        }
        _ => {}
    }
}

impl Tree {
    /// The value at a place.
    fn inside(&mut self, steps: &[usize]) -> Option<&mut Self> {
        match steps {
            [] => Some(self),
            [step, rest @ ..] => self.at(*step)?.inside(rest),
        }
    }

    fn at(&mut self, index: usize) -> Option<&mut Self> {
        match self {
            Self::Members(members) => members.get_mut(index).map(|(_, value)| value),
            Self::List(items) => items.get_mut(index),
            _ => None,
        }
    }

    fn remove(&mut self, index: usize) {
        match self {
            Self::Members(members) => drop(members.remove(index)),
            Self::List(items) => drop(items.remove(index)),
            _ => {}
        }
    }

    fn double(&mut self, index: usize) {
        match self {
            Self::Members(members) => members.insert(index, members[index].clone()),
            Self::List(items) => items.insert(index, items[index].clone()),
            _ => {}
        }
    }
}
