//! One change at a time to a golden reply.

use crate::{Case, Format, Reply, Tree, golden, tree::TYPE};

/// A golden reply with one thing changed.
#[derive(Debug, Clone)]
pub struct Mutation {
    /// What was changed, such as `result: dropped`.
    pub name: String,
    /// Whether the change says nothing new, so that the conclusion must be that of the golden reply.
    pub harmless: bool,
    /// The reply.
    pub reply: Reply,
}

/// Every HTTP status of which a client could think something.
const STATUSES: [u16; 36] = [
    200, 201, 202, 203, 204, 205, 206, 299, 300, 301, 302, 303, 304, 307, 308, 400, 401, 402, 403, 404, 405,
    408, 409, 410, 415, 418, 422, 425, 429, 451, 499, 500, 501, 502, 503, 504,
];

/// A page of a proxy.
const PAGE: &str = "<html><head><title>Blocked</title></head><body>The request was blocked.</body></html>";

/// Other values by the last word of a member's name, or of any other member.
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
];

/// Every mutation of a case in a format.
pub fn mutations(case: &Case, format: Format) -> impl Iterator<Item = Mutation> + use<> {
    let base = golden(case, format);
    let document = case.document(format);
    let mut mutations = around(&base, format);
    mutations.extend(of_members(&base, &document, format));
    if document.scalar("success").is_ok_and(|success| success.is_none()) {
        mutations.extend(beside(&base, &document, format));
    } else {
        mutations.extend(of_success(&base, &document));
    }
    mutations.into_iter()
}

fn mutation(name: impl Into<String>, reply: Reply) -> Mutation {
    Mutation { name: name.into(), harmless: false, reply }
}

fn with_body(base: &Reply, body: impl Into<Vec<u8>>) -> Reply {
    Reply { body: body.into(), ..base.clone() }
}

/// The status, the content type, and the bytes around and in place of the document.
fn around(base: &Reply, format: Format) -> Vec<Mutation> {
    let mut mutations = Vec::new();
    for status in STATUSES {
        let bodies: [(&str, &[u8], &str); 4] = [
            ("the body", &base.body, &base.content_type),
            ("no body", b"", &base.content_type),
            ("a page", PAGE.as_bytes(), "text/html"),
            ("a page as the format", PAGE.as_bytes(), &base.content_type),
        ];
        for (name, body, content_type) in bodies {
            let reply = Reply { status, content_type: content_type.to_owned(), body: body.to_vec() };
            mutations.push(mutation(format!("HTTP {status} with {name}"), reply));
        }
        for (name, body) in [
            ("an empty object", "{}"),
            ("a foreign object", r#"{"message":"Forbidden"}"#),
            ("a word", "\"OK\""),
        ] {
            let reply = Reply { status, content_type: "application/json".into(), body: body.into() };
            mutations.push(mutation(format!("HTTP {status} with {name}"), reply));
        }
    }
    let other = if format == Format::Json { "application/xml" } else { "application/json" };
    let own = base.content_type.clone();
    for (content_type, harmless) in [
        (own.to_ascii_uppercase(), true),
        (format!("{own}; charset=utf-8"), true),
        (format!("{own};charset=UTF-8"), true),
        (String::new(), false),
        (other.to_owned(), false),
        ("text/html".to_owned(), false),
        ("text/plain".to_owned(), false),
        ("application/octet-stream".to_owned(), false),
    ] {
        let name = format!("content type {content_type:?}");
        mutations.push(Mutation { name, harmless, reply: Reply { content_type, ..base.clone() } });
    }
    let body = &base.body;
    for (name, harmless, bytes) in [
        ("a byte order mark", true, [b"\xef\xbb\xbf", &body[..]].concat()),
        ("white space around", true, [b"\r\n ", &body[..], b" \r\n"].concat()),
        ("a UTF-16 mark", false, [b"\xff\xfe", &body[..]].concat()),
        ("a trailing byte", false, [&body[..], b"x"].concat()),
        ("a trailing zero byte", false, [&body[..], b"\0"].concat()),
        ("the document twice", false, [&body[..], body].concat()),
        ("another document behind", false, [&body[..], b"{}"].concat()),
        ("all but the last byte", false, body[..body.len() - 1].to_vec()),
        ("the first half", false, body[..body.len() / 2].to_vec()),
        ("a list of it", false, [b"[", &body[..], b"]"].concat()),
    ] {
        // White space before an XML declaration would matter; the golden replies have none.
        mutations.push(Mutation { name: name.into(), harmless, reply: with_body(base, bytes) });
    }
    mutations
}

/// Each member by itself: dropped, doubled, emptied, of another type, of another value.
fn of_members(base: &Reply, document: &Tree, format: Format) -> Vec<Mutation> {
    let mut mutations = Vec::new();
    let mut paths = Vec::new();
    collect(document, &mut Vec::new(), &mut paths);
    for path in paths {
        let Some(name) = path.last().map(|(name, _)| name.clone()).filter(|name| name != TYPE) else {
            continue;
        };
        // Links say where to go, not what was done: that they are changed is tried, and once is enough.
        let label = path
            .iter()
            .map(|(name, _)| name.as_str())
            .filter(|name| !["payload"].contains(name))
            .collect::<Vec<_>>();
        let label = if label.len() > 1 && label[0].contains("link") {
            continue;
        } else {
            label[label.len().saturating_sub(2)..].join(".")
        };
        let label = if path.len() <= 3 { name.clone() } else { label };
        let mut push = |what: &str, edit: Edit<'_>| {
            let mut changed = document.clone();
            changed.edit(&path, edit);
            mutations.push(mutation(format!("{label}: {what}"), with_body(base, changed.write(format))));
        };
        push("dropped", &|members, at| drop(members.remove(at)));
        push("doubled", &|members, at| members.insert(at, members[at].clone()));
        push("emptied", &|members, at| members[at].1 = Tree::Text(String::new()));
        push("blank", &|members, at| members[at].1 = Tree::Text("  ".into()));
        push("a list of itself", &|members, at| {
            let own = members[at].1.clone();
            members[at].1 = Tree::List(vec![own.clone(), own]);
        });
        push("an object", &|members, at| {
            members[at].1 = Tree::Members(vec![("value".into(), members[at].1.clone())]);
        });
        if format == Format::Json {
            for (what, bare) in [
                ("null", "null"),
                ("true", "true"),
                ("false", "false"),
                ("the number 7", "7"),
                ("the number 1.5", "1.5"),
            ] {
                push(what, &|members, at| members[at].1 = Tree::Bare(bare.into()));
            }
            push("as a number", &|members, at| {
                if let Tree::Text(text) = &members[at].1 {
                    let digits = text.trim_start_matches('0');
                    if !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit()) {
                        members[at].1 = Tree::Bare(digits.into());
                    }
                }
            });
        }
        let others = OTHERS.iter().rev().find(|(end, _)| name == *end);
        let others = others
            .or_else(|| OTHERS.iter().find(|(end, _)| name.ends_with(end)))
            .map_or(&["another"][..], |(_, others)| others);
        for (index, other) in others.iter().enumerate() {
            let what = if index == 0 { "another value".to_owned() } else { format!("{other:?}") };
            push(&what, &|members, at| {
                let is_number =
                    !other.is_empty() && other.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
                match &members[at].1 {
                    Tree::Bare(_) if is_number => members[at].1 = Tree::Bare((*other).into()),
                    Tree::Text(_) | Tree::Bare(_) => members[at].1 = Tree::Text((*other).into()),
                    _ => {}
                }
            });
        }
        push("of another object", &|members, at| {
            if let Tree::Text(text) = &mut members[at].1 {
                // The same shape with another end: a key, a number or a word of somebody else.
                let end = text.pop().map_or('0', |last| {
                    if last == '7' {
                        '8'
                    } else if last.is_ascii_digit() {
                        '7'
                    } else {
                        'z'
                    }
                });
                text.push(end);
            }
        });
    }
    mutations
}

/// An error, or another object, beside what is there.
fn beside(base: &Reply, document: &Tree, format: Format) -> Vec<Mutation> {
    let text = |text: &str| Tree::Text(text.into());
    let error = Tree::Members(vec![
        ("error-message".into(), text("Could not complete the request")),
        ("result-code".into(), text("050")),
        ("time-stamp".into(), text("2026-05-01 14:31:12.464")),
    ]);
    let customer = Tree::Members(vec![("customer-key".into(), text("cust_0000000000aa"))]);
    let plan = Tree::Members(vec![
        ("plan-key".into(), text("plan_0000000000aa")),
        ("status".into(), text("ACTIVE")),
    ]);
    let sale = Tree::Members(vec![
        ("id".into(), text("799999")),
        ("type".into(), text("SALE")),
        ("result".into(), text("APPROVED")),
        ("amount".into(), text("25.00")),
    ]);
    let objects = [
        ("an error", "error", error.clone()),
        ("an error of blanks", "error", Tree::Members(vec![("error-message".into(), text(" "))])),
        ("an error that is a word", "error", text("failed")),
        ("another customer", "customer", customer),
        ("another plan", "payment-plan", plan),
        ("another sale", "transaction", sale),
    ];
    let mut mutations = Vec::new();
    for (what, name, object) in objects {
        for first in [true, false] {
            let mut changed = document.clone();
            changed.put_in_payload(name, object.clone(), first);
            let place = if first { "before" } else { "behind" };
            for status in [base.status, 200, 201, 400, 402, 404, 409, 422, 500] {
                let reply = Reply { status, ..with_body(base, changed.write(format)) };
                mutations.push(mutation(format!("{what} {place} it, HTTP {status}"), reply));
            }
        }
    }
    // The envelope and the HTTP status against each other.
    for (code, word) in
        [("200", "success"), ("201", "SUCCESS"), ("402", "fail"), ("404", "fail"), ("500", "fail")]
    {
        for status in [200, 201, 400, 402, 404, 409, 429, 500] {
            let mut changed = document.clone();
            changed.set("code", code);
            changed.set("status", word);
            let reply = Reply { status, ..with_body(base, changed.write(format)) };
            mutations.push(mutation(format!("code {code} {word}, HTTP {status}"), reply));
        }
    }
    mutations
}

/// ClientPay says by one member whether a request came through.
fn of_success(base: &Reply, document: &Tree) -> Vec<Mutation> {
    let values = [
        ("true", Some(Tree::Bare("true".into()))),
        ("false", Some(Tree::Bare("false".into()))),
        ("the text true", Some(Tree::Text("true".into()))),
        ("the text false", Some(Tree::Text("false".into()))),
        ("the text False", Some(Tree::Text("False".into()))),
        ("null", Some(Tree::Bare("null".into()))),
        ("nothing", None),
    ];
    let words = ["Approved", "Processing", "Declined", "Error", "Voided", "Refunded", "Held", ""];
    let mut mutations = Vec::new();
    for (what, value) in values {
        for status in [200, 400, 402, 403, 404, 409, 422, 500] {
            for word in words {
                let mut changed = document.clone();
                let Tree::Members(members) = &mut changed else { continue };
                members.retain(|(name, _)| name != "success");
                members.extend(value.clone().map(|value| ("success".to_owned(), value)));
                let has_word = members.iter().any(|(name, _)| name == "paymentStatus");
                if has_word {
                    changed.set("paymentStatus", word);
                }
                let reply = Reply { status, ..with_body(base, changed.write(Format::Json)) };
                mutations.push(mutation(format!("success {what}, {word:?}, HTTP {status}"), reply));
                if !has_word {
                    break;
                }
            }
        }
    }
    mutations
}

type Path = Vec<(String, usize)>;

/// A change to the member at a place.
type Edit<'e> = &'e dyn Fn(&mut Vec<(String, Tree)>, usize);

/// The places of all members, those of list items included.
fn collect(tree: &Tree, at: &mut Path, paths: &mut Vec<Path>) {
    for (index, (name, value)) in tree.members().iter().enumerate() {
        at.push((name.clone(), index));
        paths.push(at.clone());
        collect(value, at, paths);
        at.pop();
    }
}

impl Tree {
    /// Edits the members that hold the last of the path, at its place.
    fn edit(&mut self, path: &[(String, usize)], edit: Edit<'_>) {
        let Self::Members(members) = self else { return };
        match path {
            [(_, last)] => edit(members, *last),
            [(_, at), rest @ ..] => {
                if let Some((_, child)) = members.get_mut(*at) {
                    child.edit(rest, edit);
                }
            }
            [] => {}
        }
    }

    /// Sets a member to a text.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        let Self::Members(members) = self else { return };
        match members.iter_mut().find(|(member, _)| member == name) {
            Some((_, held)) => *held = Self::Text(value.into()),
            None => members.push((name.into(), Self::Text(value.into()))),
        }
    }

    /// Sets a member of the object that stands under one of these names.
    pub(crate) fn edit_object(&mut self, objects: &[&str], name: &str, value: &str) {
        let Self::Members(members) = self else { return };
        for (member, child) in members {
            if objects.contains(&member.as_str()) {
                child.set(name, value);
            } else {
                child.edit_object(objects, name, value);
            }
        }
    }

    fn put_in_payload(&mut self, name: &str, object: Self, first: bool) {
        let Self::Members(members) = self else { return };
        let payload = members.iter_mut().find(|(member, _)| member == "payload");
        let place = match payload {
            Some((_, Self::Members(inside))) => inside,
            _ => members,
        };
        // An attribute comes before all elements.
        let start = usize::from(place.first().is_some_and(|(name, _)| name == TYPE));
        let at = if first { start } else { place.len() };
        place.insert(at, (name.into(), object));
    }
}
