//! Mutations: golden replies with one change each.

use crate::members::of_members;
use crate::mutation::{Mutation, mutation, with_body};
use crate::{Case, Format, Reply, Tree, Vendor, golden, tree::TYPE};

/// Every HTTP status that a client could interpret.
const STATUSES: [u16; 36] = [
    200, 201, 202, 203, 204, 205, 206, 299, 300, 301, 302, 303, 304, 307, 308, 400, 401, 402, 403, 404, 405,
    408, 409, 410, 415, 418, 422, 425, 429, 451, 499, 500, 501, 502, 503, 504,
];

/// The statuses for which a body in neither format is tried in XML as well.
const TOLD_APART: [u16; 8] = [200, 204, 307, 400, 401, 404, 429, 500];

/// An HTML page of a proxy.
const PAGE: &str = "<html><head><title>Blocked</title></head><body>The request was blocked.</body></html>";

/// All mutations of a case in a format.
pub fn mutations(case: &Case, format: Format) -> impl Iterator<Item = Mutation> + use<> {
    let base = golden(case, format);
    let document = case.document(format);
    let mut mutations = around(&base, format);
    mutations.extend(of_members(case, &base, &document, format));
    match case.vendor {
        Vendor::Clearent => mutations.extend(beside(&base, &document, format)),
        Vendor::ClientPay => {
            mutations.extend(beside_success(&base, &document));
            mutations.extend(of_success(&base, &document));
        }
    }
    mutations.into_iter()
}

/// The mutations of the status, of the content type, and of the bytes around and instead of the document.
fn around(base: &Reply, format: Format) -> Vec<Mutation> {
    let mut mutations = Vec::new();
    for status in STATUSES {
        let bodies: [(&str, &[u8], &str); 4] = [
            ("the body", &base.body, &base.content_type),
            ("no body", b"", &base.content_type),
            ("a page", PAGE.as_bytes(), "text/html"),
            ("a page as the format", PAGE.as_bytes(), &base.content_type),
        ];
        let is_told = format == Format::Json || TOLD_APART.contains(&status);
        for (name, body, content_type) in bodies.into_iter().take(if is_told { 4 } else { 2 }) {
            let reply = Reply { status, content_type: content_type.to_owned(), body: body.to_vec() };
            mutations.push(mutation(format!("HTTP {status} with {name}"), reply));
        }
        let foreign = [
            ("an empty object", "{}"),
            ("a foreign object", r#"{"message":"Forbidden"}"#),
            ("a word", "\"OK\""),
        ];
        for (name, body) in foreign.into_iter().filter(|_| is_told) {
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
        mutations.push(Mutation { harmless, ..mutation(name, Reply { content_type, ..base.clone() }) });
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
        // Whitespace before an XML declaration would be an error; the golden replies have no declaration.
        mutations.push(Mutation { harmless, ..mutation(name, with_body(base, bytes)) });
    }
    mutations
}

/// The mutations that add an error or another object.
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
    // The names in an error or a link.
    let link = Tree::Members(vec![
        ("rel".into(), text("transaction")),
        ("href".into(), text("/rest/v2/transactions?id=799999")),
        ("id".into(), text("799999")),
    ]);
    for status in [base.status, 400, 402, 409] {
        let mut changed = document.clone();
        if let Tree::Members(members) = &mut changed {
            members.retain(|(name, _)| name != "links");
            members.push(("links".into(), Tree::List(vec![link.clone()])));
        }
        let reply = Reply { status, ..with_body(base, changed.write(format)) };
        mutations.push(mutation(format!("a link to another transaction, HTTP {status}"), reply));
    }
    for (member, value) in [
        ("id", "799999"),
        ("transaction-id", "799999"),
        ("plan-key", "plan_0000000000aa"),
        ("customer-key", "cust_0000000000aa"),
        ("token-id", "1100000000666660004"),
        ("result-code", "000"),
    ] {
        let mut changed = document.clone();
        changed.edit_object(&["error"], member, value);
        if changed != *document {
            let reply = with_body(base, changed.write(format));
            mutations.push(mutation(format!("an error with {member} {value}"), reply));
        }
    }
    // Contradictions between the envelope and the HTTP status.
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

/// The mutations of a ClientPay reply that add errors, and members that name an effect.
fn beside_success(base: &Reply, document: &Tree) -> Vec<Mutation> {
    let text = |text: &str| Tree::Text(text.into());
    let object = |name: &str, value: &str| Tree::Members(vec![(name.into(), text(value))]);
    let error = Tree::Members(vec![("field".into(), text("amount")), ("message".into(), text("Wrong."))]);
    let beside = [
        ("errors", Tree::List(vec![error])),
        ("errors", text("failed")),
        ("message", text("Something else happened.")),
        ("message", object("text", "failed")),
        ("paymentID", text("20419999")),
        ("paymentStatus", text("Approved")),
        ("transactionId", text("20419999")),
        ("payment", object("id", "20419999")),
        ("payments", Tree::List(vec![object("paymentID", "20419999")])),
        ("requestID", text("5a1b2c3d-0001-4aaa-8bbb-00000000ffff")),
    ];
    let mut mutations = Vec::new();
    for (name, value) in beside {
        for status in [base.status, 200, 400, 402, 404] {
            let mut changed = document.clone();
            let Tree::Members(members) = &mut changed else { continue };
            if members.iter().any(|(member, _)| member == name) {
                continue;
            }
            members.push((name.into(), value.clone()));
            let reply = Reply { status, ..with_body(base, changed.write(Format::Json)) };
            let what = value.write(Format::Json);
            mutations.push(mutation(format!("{name} {what} beside it, HTTP {status}"), reply));
        }
    }
    mutations
}

/// The mutations of the member by which ClientPay reports whether a request was accepted.
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

impl Tree {
    /// Sets a member to a text.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        let Self::Members(members) = self else { return };
        match members.iter_mut().find(|(member, _)| member == name) {
            Some((_, held)) => *held = Self::Text(value.into()),
            None => members.push((name.into(), Self::Text(value.into()))),
        }
    }

    /// Sets a member of the object that has one of these names.
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
