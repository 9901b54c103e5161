//! Defects that are planted in the data and in a worker: the checker finds each.

use std::collections::BTreeMap;

use perennial_journal::machine::{Attempt, Intent, Judged, State, Write};
use perennial_sandbox::Sandbox;
use serde_json::Value as Json;

use crate::campaign::{Campaign, run};
use crate::checker::judge;
use crate::decisions::{KINDS, final_outcome, make};
use crate::setup::{Setup, SharedTime, all_intents};

type Returned = BTreeMap<String, &'static str>;

/// Makes each decision once, in a journal of this process; returns the intents, the gateway and the outcomes.
async fn made() -> (Vec<Intent>, Json, Returned) {
    let folder = tempfile::tempdir().unwrap();
    let time = SharedTime::new(folder.path().join("time"));
    let sandbox = Sandbox::start().await.unwrap();
    let world = sandbox.world(7).await.unwrap();
    let setup = Setup::new(&sandbox, &world, "sqlite::memory:".into(), time).await;
    let clients = setup.open(None).await.unwrap();
    let mut returned = Returned::new();
    for number in 0..KINDS {
        for (key, word) in make(&clients, number).await.unwrap() {
            returned.insert(key, final_outcome(word).unwrap());
        }
    }
    let intents = all_intents(&clients.journal).await;
    (intents, serde_json::from_str(&world.state().await.unwrap()).unwrap(), returned)
}

fn rows<'a>(state: &'a mut Json, table: &str) -> &'a mut Vec<Json> {
    state[table].as_array_mut().unwrap()
}

/// Doubles the last object of a table that is no void, under another id.
fn double(state: &mut Json, table: &str, id: &str) {
    let mut row = rows(state, table).iter().rfind(|row| row["type"] != "VOID").unwrap().clone();
    row[id] = "another".into();
    rows(state, table).push(row);
}

fn of(intents: &mut [Intent], write: Write) -> &mut Intent {
    intents.iter_mut().find(|intent| intent.write == write).unwrap()
}

type Plant = fn(&mut Vec<Intent>, &mut Json, &mut Returned);

#[rustfmt::skip]
const PLANTS: &[(&str, Plant, &str)] = &[
    ("a customer that is there twice", |_, state, _| double(state, "customers", "key"), "took effect 2 times"),
    ("a token that is there twice", |_, state, _| double(state, "tokens", "id"), "took effect 2 times"),
    ("a plan that is there twice", |_, state, _| double(state, "plans", "key"), "took effect 2 times"),
    ("a charge that is there twice", |_, state, _| double(state, "transactions", "id"), "took effect 2 times"),
    ("a payment that is there twice", |_, state, _| double(state, "clientpay-payments", "id"), "took effect 2 times"),
    ("a payer that is there twice", |_, state, _| double(state, "payers", "id"), "took effect 2 times"),
    ("a charge that is lost", |_, state, _| rows(state, "transactions").clear(), "is done, and had no effect"),
    ("a plan that is lost", |_, state, _| { rows(state, "plans").pop(); }, "is done, and had no effect"),
    ("a plan that is not active", |_, state, _| rows(state, "plans")[0]["status"] = "SUSPENDED".into(),
        "plans.update 2/plan/activation is done, and had no effect"),
    ("a plan that is not canceled", |_, state, _| rows(state, "plans")[1]["status"] = "ACTIVE".into(),
        "plans.update 3/cancel is done, and had no effect"),
    ("an address that was not changed", |_, state, _| {
        for row in rows(state, "customers") { row["email"] = Json::Null; }
    }, "customers.update 0/email is done, and had no effect"),
    ("a void that is not there", |_, state, _| for row in rows(state, "transactions") { row["voided"] = 0.into(); },
        "6/void is done, and had no effect"),
    ("a charge of nobody", |_, state, _| {
        double(state, "transactions", "id");
        rows(state, "transactions").last_mut().unwrap()["order-id"] = "somebody else's".into();
    }, "transactions has 1 rows of nobody"),
    ("an object that is another one", |intents, _, _| {
        of(intents, Write::Sale).outcome.as_mut().unwrap().id = Some("another".into());
    }, "its object is another one"),
    ("a refused charge that is there", |intents, _, _| of(intents, Write::Sale).state = State::Refused,
        "is refused, and took effect"),
    ("a withdrawn payment that is there", |intents, _, _| of(intents, Write::Pay).state = State::Withdrawn,
        "is withdrawn, and took effect"),
    ("a declined charge that is there", |intents, _, _| of(intents, Write::Sale).state = State::Declined,
        "is declined, and took effect"),
    ("a token that needs its card and is there", |intents, _, _| {
        of(intents, Write::CreateToken).state = State::NeedsCard;
    }, "is needs-card, and took effect"),
    ("a charge that was absent and is there", |intents, _, _| {
        let sale = of(intents, Write::Sale);
        sale.state = State::NeedsPerson;
        for Attempt { judged, .. } in &mut sale.history.attempts { *judged = Some(Judged::Absent); }
    }, "because it was absent, and took effect"),
    ("an intent that is open", |intents, _, _| of(intents, Write::CreatePlan).state = State::Unknown,
        "is unknown at the end"),
    ("an outcome that changed", |_, _, returned| { returned.insert("5/sale".into(), "refused"); },
        "5/sale was returned as refused"),
    ("an outcome without an intent", |_, _, returned| { returned.insert("99/sale".into(), "done"); },
        "99/sale was returned as done"),
];

#[tokio::test]
async fn what_is_planted_is_found() {
    let (intents, state, returned) = made().await;
    let verdict =
        judge(&intents, &state, &returned).unwrap_or_else(|findings| panic!("{}", findings.join("\n")));
    // The control customer, one write of each kind, three that need a second one, and the activations of two plans.
    assert_eq!(verdict.states, BTreeMap::from([("done", 15)]));
    for (name, plant, expected) in PLANTS {
        let (mut intents, mut state, mut returned) = (intents.clone(), state.clone(), returned.clone());
        plant(&mut intents, &mut state, &mut returned);
        let findings = judge(&intents, &state, &returned).expect_err(name);
        assert!(findings.iter().any(|finding| finding.contains(expected)), "{name}: {findings:?}");
    }
}

/// Holds: A worker whose request leaves after its last moment, when it was stopped in between, is found by the checker of the campaign of processes.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_worker_that_sends_late_is_found() {
    let late = Campaign { kills: 0, stops: 2, crashes: 0, seed: 1, has_faults: false, sends_late: true };
    let (tally, verdict) = run(&late, None).await;
    let findings = verdict.expect_err("the requests left late");
    let is_late = |finding: &String| {
        finding.contains("took effect 2 times") || finding.contains("was absent, and took effect")
    };
    assert!(findings.iter().any(is_late), "{findings:?} {tally}");
}
