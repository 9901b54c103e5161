//! Tests of the oracle: it must find each planted error, in the world or in the records.

use std::cell::Cell;

use fastrand::Rng;
use perennial_sandbox::Sandbox;
use serde_json::{Value as Json, json};

use crate::books::{Book, Mark, Object};
use crate::oracle::judge;
use crate::traffic::{Gateway, books, write};

/// A world in memory and the records of its writers, one after another.
async fn written() -> (Json, Vec<Book>) {
    let sandbox = Sandbox::start().await.unwrap();
    let gateway = Gateway::new(sandbox.base_url(), sandbox.api_key().expose());
    let (mut books, mut rng) = (books(), Rng::with_seed(3));
    for _ in 0..3 {
        let mut written = Vec::new();
        for book in books {
            let left = Cell::new(40);
            let go_on = || left.replace(left.get() - 1) > 1;
            written.push(write(gateway.clone(), book, rng.fork(), go_on).await.unwrap());
        }
        books = written;
    }
    (gateway.state().await, books)
}

fn rows<'a>(state: &'a mut Json, table: &str) -> &'a mut Vec<Json> {
    state[table].as_array_mut().unwrap()
}

/// The last row of a table for which this holds.
fn last<'a>(state: &'a mut Json, table: &str, is: impl Fn(&Json) -> bool) -> &'a mut Json {
    rows(state, table).iter_mut().rfind(|row| is(row)).unwrap()
}

fn is_engines(row: &Json) -> bool {
    !row["plan-name"].is_null()
}

fn doubled(state: &mut Json, table: &str, is: impl Fn(&Json) -> bool) {
    let row = last(state, table, is).clone();
    rows(state, table).push(row);
}

fn removed(state: &mut Json, table: &str, is: impl Fn(&Json) -> bool) {
    let at = rows(state, table).iter().rposition(is).unwrap();
    rows(state, table).remove(at);
}

/// The record of the first writer with a matching object, and its mark.
fn owner(books: &mut [Book], is: impl Fn(&Object) -> bool) -> (&mut Book, Mark) {
    let found = books.iter_mut().find_map(|book| {
        let mark = book.objects.iter().find(|(_, object)| is(object))?.0.clone();
        Some((book, mark))
    });
    found.unwrap()
}

/// A planted error: its name, the change, and the finding.
type Plant = (&'static str, fn(&mut Json, &mut [Book]), &'static str);

#[rustfmt::skip]
const PLANTS: &[Plant] = &[
    ("a write that the sandbox never got", |_, books| {
        let (book, mark) = owner(books, |object| object.table == "customers");
        book.objects.insert("w1-9999".into(), book.objects[&mark].clone());
    }, "w1-9999 is lost"),
    ("a change that the sandbox never got", |_, books| {
        let (book, mark) = owner(books, |object| object.table == "customers");
        book.objects.insert(mark.clone(), book.objects[&mark].with(&json!({ "comments": "lost" })));
    }, "has another comments than was answered"),
    ("a deletion that was undone", |_, books| {
        let (book, mark) = owner(books, |object| object.table == "transactions");
        book.objects.remove(&mark);
    }, "is there, and nobody has it in their books"),
    ("a customer who is gone", |state, _| removed(state, "customers", |_| true), "is lost"),
    ("a customer who is there twice", |state, _| doubled(state, "customers", |_| true), "is there 2 times"),
    ("a sale that was made twice", |state, _| doubled(state, "transactions", |row| !is_engines(row)), "is there 2 times"),
    ("a plan with an older amount", |state, _| last(state, "plans", |_| true)["amount"] = 999.into(), "has another amount than"),
    ("a token that is no customer's any more", |state, _| removed(state, "customer-tokens", |_| true), "has another tied than"),
    ("a customer's token that is not there", |state, _| {
        last(state, "customer-tokens", |_| true)["token-id"] = "1100".into();
    }, "a customer has the token 1100, which is not there"),
    ("an object of nobody", |state, _| last(state, "customers", |_| true)["last-name"] = "w77-1".into(), "w77-1 is nobody's"),
    ("an object without a mark", |state, _| last(state, "customers", |_| true)["last-name"] = Json::Null, "a row of customers has no mark"),
    ("a clock that went back", |state, _| state["clock"]["now"] = "2027-01-01T00:00:00Z".into(), "w0-clock has another now than"),
    ("a payment that is gone", |state, _| removed(state, "payments", |_| true), "was due on"),
    ("a payment that was made twice", |state, _| doubled(state, "payments", |_| true), "was due on"),
    ("a payment of another day", |state, _| {
        last(state, "payments", |_| true)["frequency-date"] = "2026-12-31".into();
    }, "was due on"),
    ("a payment of no plan", |state, _| {
        last(state, "payments", |_| true)["plan-key"] = "plan_1".into();
    }, "a plan that is not there was charged: plan_1"),
    ("a payment of an amount that its plan never had", |state, _| {
        last(state, "payments", |_| true)["amount"] = 999.into();
    }, "was charged ["),
    ("a payment without its transaction", |state, _| removed(state, "transactions", is_engines), "payments without a transaction"),
    ("a transaction of the engine without its payment", |state, _| doubled(state, "transactions", is_engines), "payments without a transaction"),
    ("a payment that says another outcome", |state, _| {
        last(state, "payments", |_| true)["status"] = "ERROR".into();
    }, "payments without a transaction"),
    ("a token that was used once more", |state, _| {
        let token = last(state, "tokens", |row| row["status"] != "DELETED");
        token["times-used"] = (token["times-used"].as_u64().unwrap() + 1).into();
    }, "and its row says"),
    ("a tally that is off by one", |state, _| {
        let tally = last(state, "tallies", |row| row["kind"] == "payments");
        tally["made"] = (tally["made"].as_u64().unwrap() + 1).into();
    }, "payments, and their tally says"),
];

#[tokio::test]
async fn what_is_planted_is_seen() {
    let (state, books) = written().await;
    let verdict = judge(&state, &mut books.clone()).unwrap();
    assert!(verdict.payments > 20, "{verdict:?}");
    for (name, plant, expected) in PLANTS {
        let (mut state, mut books) = (state.clone(), books.clone());
        plant(&mut state, &mut books);
        let findings = judge(&state, &mut books).expect_err(name);
        assert!(findings.iter().any(|finding| finding.contains(expected)), "{name}: {findings:?}");
    }
}

#[tokio::test]
async fn an_uncertain_change_was_made_or_not_but_never_by_halves() {
    let (state, mut books) = written().await;
    // A customer and its token are removed, as if no response had reported them.
    let (book, token) =
        owner(&mut books, |object| object.table == "tokens" && !object.text("customer-key").is_empty());
    let key = book.objects[&token].text("customer-key").to_owned();
    let customer = book.objects.iter().find(|(_, object)| object.text("key") == key).unwrap().0.clone();
    let uncertain = [token, customer].map(|mark| {
        let object = book.objects.remove(&mark);
        (mark, object)
    });
    let (writer, marks) = (book.writer, uncertain.clone().map(|(mark, _)| mark));
    book.uncertain = uncertain.to_vec();
    let without = |marks: &[Mark]| {
        let mut state = state.clone();
        for mark in marks {
            let is = |row: &Json| row["last-name"] == **mark || row["description"] == **mark;
            let token = rows(&mut state, "tokens").iter().find(|row| is(row)).map(|row| row["id"].clone());
            rows(&mut state, "customer-tokens").retain(|row| Some(&row["token-id"]) != token.as_ref());
            for table in ["tokens", "customers"] {
                rows(&mut state, table).retain(|row| !is(row));
            }
        }
        state
    };
    let mut applied = books.clone();
    assert_eq!(judge(&state, &mut applied).unwrap().applied, 1);
    assert!(marks.iter().all(|mark| applied[writer].objects.contains_key(mark)), "the books know it now");
    for half in &marks {
        let findings = judge(&without(std::slice::from_ref(half)), &mut books.clone()).unwrap_err();
        assert!(findings[0].contains("nobody has it in their books"), "{findings:?}");
    }
    let mut not_applied = books.clone();
    // Only the difference of the tallies, which still count them, remains to be found.
    let findings = judge(&without(&marks), &mut not_applied).unwrap_err();
    assert!(findings.iter().all(|finding| finding.contains("tally")), "{findings:?}");
    assert!(not_applied[writer].uncertain.is_empty());
}

#[tokio::test]
async fn a_change_of_the_clock_that_was_cut_short_stands_on_its_way() {
    let (state, mut books) = written().await;
    let stands = state["clock"]["now"].as_str().unwrap();
    let clock =
        |now: &str| Object { table: "clock", columns: json!({ "now": now }).as_object().unwrap().clone() };
    #[rustfmt::skip]
    let cases = [
        ("2026-12-31T00:00:00Z", "2099-01-01T00:00:00Z", Some((1, 0))),
        ("2026-12-31T00:00:00Z", stands, Some((1, 0))),
        (stands, "2099-01-01T00:00:00Z", Some((0, 1))),
        ("2026-12-30T00:00:00Z", "2026-12-31T00:00:00Z", None),
        ("2098-12-31T00:00:00Z", "2099-01-01T00:00:00Z", None),
    ];
    for (before, then, expected) in cases {
        books[0].objects.insert("w0-clock".into(), clock(before));
        books[0].uncertain = vec![("w0-clock".into(), Some(clock(then)))];
        let judged = judge(&state, &mut books.clone());
        assert_eq!(
            judged.ok().map(|verdict| (verdict.applied, verdict.not_applied)),
            expected,
            "{before} to {then}"
        );
    }
}
