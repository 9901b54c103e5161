//! Stuck intents: one screen explains each, and each command on it does what its word says.

use std::fs;

use perennial_sandbox::{Effect, Fault};
use serde_json::Value;

use crate::desk::{Desk, effects};
use crate::journal::end_claims;
use crate::leaves;
use crate::shell::{CARD_JSON, Ran, Shell, finish, perennial, runtime};
use crate::signals::held;

const SALE: &str = "transactions sale --amount 25 --card-stdin";
const CREATE: &str = "customers create --first-name Ada --last-name Byron";
const PAGE: &str = "clientpay page create line-item --item-name Retainer --payment-amount 500";

fn fault(operation: &str, status: u16) -> Fault {
    Fault::on(operation, Effect::ErrorBefore { status })
}

fn planned_on_hold(desk: &Desk) {
    desk.write("first", CREATE, "");
    desk.run("hold on --reason prices --actor ada", "");
    desk.write("k", CREATE, "");
}

fn planned_behind_another(desk: &Desk) {
    assert_eq!(desk.write("sale", SALE, CARD_JSON).code, 0);
    desk.fault(&Fault::on("batches.settle", Effect::DropReply).nth(1));
    desk.write("other", "batches settle", "");
    desk.write("k", "batches settle", "");
}

fn sending(desk: &Desk) {
    assert_eq!(desk.write("first", CREATE, "").code, 0);
    let leaf = leaves::all().iter().find(|leaf| leaf.path == "transactions sale").unwrap();
    let (command, stdin) = leaf.command(&desk.shell, desk.folder.path());
    let mut started = perennial();
    started.args(command.get_args()).envs(desk.shell.environment());
    started.args(["--operation-key", "k", "--clock", "sandbox", "--db", &desk.db()]);
    let mut child = held(&desk.shell, "transactions.sale", started, &stdin);
    child.kill().unwrap();
    child.wait().unwrap();
    runtime().block_on(desk.shell.world().clear_faults()).unwrap();
}

fn unknown(desk: &Desk) {
    desk.fault(&fault("transactions.sale", 500).nth(1));
    desk.write("k", SALE, CARD_JSON);
}

/// Lets the window pass, and looks.
fn later(desk: &Desk) {
    desk.shell.advance("PT10M");
    let idle = desk.run("journal run --until-idle --clock sandbox", "");
    assert_eq!(idle.code, 0, "{}", idle.err);
}

fn needs_card(desk: &Desk) {
    desk.fault(&fault("tokens.create", 500).nth(1));
    desk.write("k", "tokens create --description card --card-stdin", CARD_JSON);
    later(desk);
}

fn needs_person(desk: &Desk) {
    unknown(desk);
    later(desk);
}

fn several(desk: &Desk) {
    sending(desk);
    // Somebody charges the order a second time, without the journal.
    let intent = shown(desk);
    let sale = format!("{SALE} --order-id {}", intent["mark"].as_str().unwrap());
    let words: Vec<&str> = sale.split(' ').collect();
    assert_eq!(desk.shell.run_with(&words, CARD_JSON).code, 0);
    end_claims(&desk.file());
    later(desk);
}

fn page_lost(desk: &Desk) {
    desk.fault(&fault("pages.create", 500).nth(1));
    desk.write("k", PAGE, "");
}

/// A command on the screen: its word, its exit status, and the state of the intent after it.
type Then = (&'static str, i32, &'static str);

/// A stuck intent: how it comes about, its state, and the commands that move it on.
type Case = (fn(&Desk), &'static str, &'static [Then]);

const CASES: &[Case] = &[
    (planned_on_hold, "planned", &[("move it on", 0, "planned"), ("take it back", 0, "withdrawn")]),
    (
        planned_behind_another,
        "planned",
        &[("waits for", 0, "planned"), ("move it on", 75, "planned"), ("take it back", 0, "withdrawn")],
    ),
    (sending, "sending", &[("move it on", 75, "sending")]),
    (unknown, "unknown", &[("move it on", 75, "unknown")]),
    (needs_card, "needs-card", &[("move it on", -1, ""), ("take it back", 0, "withdrawn")]),
    (
        needs_person,
        "needs-person",
        &[("check", 0, "needs-person"), ("if done", 0, "done"), ("if not", 0, "withdrawn")],
    ),
    (
        several,
        "needs-person",
        &[("check", 0, "needs-person"), ("take back", 0, "needs-person"), ("then keep", 0, "done")],
    ),
    (
        page_lost,
        "needs-person",
        &[
            ("check", -1, ""),
            ("if done", 0, "done"),
            ("if not", 0, "withdrawn"),
            ("or once more", 0, "planned"),
        ],
    ),
];

fn shown(desk: &Desk) -> Value {
    let ran = desk.run("--output json journal show k", "");
    serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}{}", ran.out, ran.err))
}

/// Runs a printed command, with its words in capitals filled in.
fn follow(desk: &Desk, command: &str) -> Ran {
    let command = command.replace("OBJECT", "700001").replace("TEXT", "portal");
    desk.run_printed(&command)
}

/// Replaces ids, times and paths by names.
fn masked(desk: &Desk, screen: &str) -> String {
    let host = desk.shell.url().trim_start_matches("http://");
    let screen = screen.replace(host, "sandbox");
    let screen = screen.replace(&desk.folder.path().display().to_string(), "FOLDER");
    let is_id = |word: &str| word.len() == 26 && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let is_time = |word: &str| word.len() == 24 && word.as_bytes()[10] == b'T' && word.ends_with('Z');
    let is_uuid = |word: &str| word.len() == 36 && word.matches('-').count() == 4;
    let parts = screen.split_inclusive(|c: char| !c.is_ascii_alphanumeric() && !"-:.".contains(c));
    let mask = |part: &str| {
        let word = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let name = match word {
            _ if is_id(word) => "ID",
            _ if is_time(word) => "TIME",
            _ if is_uuid(word) => "UUID",
            _ if word.starts_with("ID-clearent") => "EXCHANGE",
            _ => word,
        };
        format!("{name}{}", &part[word.len()..])
    };
    parts.map(mask).collect::<Vec<_>>().concat() + "\n"
}

/// Holds: A stuck intent is explained on one screen, and each command on it is accepted and does what its word says.
#[test]
fn each_command_on_the_screen_does_what_it_says() {
    let (shell, mut screens) = (Shell::open(), String::new());
    let mut seed = 5_000;
    for (stick, state, thens) in CASES {
        for (at, (what, code, then)) in thens.iter().enumerate() {
            seed += 1;
            let desk = Desk::of(shell.beside(seed));
            stick(&desk);
            let intent = shown(&desk);
            let commands = intent["commands"].as_array().unwrap();
            let words: Vec<&str> = commands.iter().map(|command| command["what"].as_str().unwrap()).collect();
            let expected: Vec<&str> = thens.iter().map(|(what, ..)| *what).collect();
            assert_eq!((intent["state"].as_str(), words), (Some(*state), expected), "{intent}");
            if at == 0 {
                screens += &masked(&desk, &desk.run("journal show k", "").out);
            }
            let command = commands[at]["command"].as_str().unwrap();
            if *code < 0 {
                assert!(!command.starts_with("perennial "), "{command}");
                continue;
            }
            let ran = follow(&desk, command);
            assert_eq!(ran.code, *code, "{state}, {what}: {command}\n{}{}", ran.out, ran.err);
            assert_eq!(shown(&desk)["state"], *then, "{state}, {what}: {command}");
            if *what == "take back" {
                // The spare is voided once, however often the command runs.
                assert_eq!(follow(&desk, command).code, 0);
                assert_eq!(effects(&desk.log(), "transactions.void", ""), 1);
            }
        }
    }
    insta::assert_snapshot!("stuck", screens);
}

/// Holds: The commands that are printed without options of a gateway name it, and work.
#[test]
fn printed_commands_name_the_gateway() {
    let desk = Desk::of(Shell::open());
    unknown(&desk);
    page_lost(&desk);
    let show = |intent: &str| {
        let mut show = perennial();
        show.args(["journal", "show", intent, "--output", "json", "--db", &desk.db()]);
        show.envs(desk.shell.environment());
        finish(show, "")
    };
    // Both gateways have an intent of this key.
    let ran = show("k");
    assert!(ran.code == 2 && ran.err.contains("give the intent's id, or --tenant NAME"), "{}", ran.err);
    let listed = desk.run("--output json journal list", "");
    let listed: Vec<Value> = serde_json::from_str(&listed.out).unwrap();
    let of_key = listed.iter().filter(|intent| intent["operation-key"] == "k");
    let uids: Vec<&str> = of_key.map(|intent| intent["intent"].as_str().unwrap()).collect();
    assert_eq!(uids.len(), 2, "{listed:?}");
    for uid in uids {
        let intent: Value = serde_json::from_str(&show(uid).out).unwrap();
        let at_clientpay = intent["tenant"].as_str().unwrap().ends_with("/clientpay");
        let command = intent["commands"][usize::from(at_clientpay)]["command"].as_str().unwrap();
        let ran = follow(&desk, command);
        assert_eq!(ran.code, if at_clientpay { 0 } else { 75 }, "{command}: {}", ran.err);
        assert_eq!(command.contains("--base-url"), !at_clientpay, "{command}");
    }
}

/// Holds: The doctor reports a copied database with the command that accepts it, and a command is printed with its clock once.
#[test]
fn the_doctor_prints_the_command_that_accepts_a_copy() {
    let desk = Desk::of(Shell::open());
    unknown(&desk);
    let (file, copy) = (desk.file(), desk.file().with_extension("copy"));
    fs::copy(&file, &copy).unwrap();
    fs::rename(&copy, &file).unwrap();
    let command = |line: &str, list: &str| {
        let ran = desk.run(&format!("--output json {line} --clock sandbox"), "");
        let printed: Value = serde_json::from_str(&ran.out).unwrap();
        let first = &printed[list][0];
        let command = first["command"].as_str().unwrap().to_owned();
        assert_eq!(command.matches("--clock sandbox").count(), 1, "{command}");
        (ran.code, first["what"].as_str().unwrap().to_owned(), command)
    };
    let (code, what, adopt) = command("journal doctor", "findings");
    assert!(code == 1 && what.contains("the file is a copy of the one that was used"), "{what}");
    assert_eq!(desk.write("next", CREATE, "").code, 75);
    let ran = follow(&desk, &adopt);
    assert_eq!(ran.code, 0, "{adopt}: {}", ran.err);
    let ran = desk.run("journal doctor --clock sandbox", "");
    assert!(ran.code == 0 && ran.out.contains("nothing is sent until"), "{}{}", ran.out, ran.err);
    let (_, what, look) = command("journal show k", "commands");
    assert_eq!((what.as_str(), follow(&desk, &look).code), ("move it on", 75), "{look}");
}

/// Holds: Intents are listed by state, merchant and age, as a table and as JSON; a decision is for what is open, and has a reason.
#[test]
fn a_list_is_filtered_and_a_decision_has_a_reason() {
    let desk = Desk::of(Shell::open());
    assert_eq!(desk.write("old", CREATE, "").code, 0);
    desk.shell.advance("PT2H");
    needs_person(&desk);
    page_lost(&desk);
    assert_eq!(desk.write("south", CREATE, "").code, 0);
    assert_eq!(desk.write("south", &format!("{CREATE} --tenant south"), "").code, 0);
    for (filter, expected) in [
        ("", "south perennial/control k k south old perennial/control"),
        ("--state needs-person", "k k"),
        ("--state needs-person --state done --key-prefix so", "south south"),
        ("--state needs-person --limit 1", "k"),
        ("--tenant south", "south perennial/control"),
        ("--older-than 3600", "old perennial/control"),
        ("--older-than 999999999999999999", ""),
        ("--key-prefix so", "south south"),
    ] {
        let filter = if filter.is_empty() { String::new() } else { format!(" {filter}") };
        let line = format!("--output json journal list --clock sandbox{filter}");
        let ran = desk.run(&line, "");
        let listed: Vec<Value> = serde_json::from_str(&ran.out).unwrap();
        let mut keys: Vec<&str> = listed.iter().map(|one| one["operation-key"].as_str().unwrap()).collect();
        let mut expected: Vec<&str> = expected.split_whitespace().collect();
        keys.sort_unstable();
        expected.sort_unstable();
        assert_eq!(keys, expected, "{line}");
        let table = desk.run(&format!("journal list --clock sandbox{filter}"), "");
        assert_eq!(table.out.lines().count().saturating_sub(2), expected.len(), "{line}: {}", table.out);
    }
    assert_eq!(desk.run("journal list --tenant nobody", "").code, 5);
    for (line, code, message) in [
        ("journal resolve old --as not-done --reason gone --actor ada", 2, "the intent is done"),
        ("journal resolve south --as not-done --reason gone --actor ada", 2, "--tenant NAME"),
        ("journal resolve old --as not-done --actor ada", 2, "--reason"),
        ("journal resolve old --as done --reason gone --actor ada", 2, "--id"),
        ("journal resolve old --as send-again --reason gone --actor ada", 2, "the intent is done"),
        ("journal resolve old --as send-again --id 7 --reason gone --actor ada", 2, "leave out --id"),
        ("journal resolve old --as done --id OBJECT --reason gone --actor ada", 2, "--id OBJECT is no id"),
        ("journal resolve old --as not-done --reason TEXT --actor ada", 2, "--reason has no reason"),
        ("journal withdraw old --reason late --actor ada", 3, "only what is not sent is withdrawn"),
    ] {
        let ran = desk.run(line, "");
        assert!(ran.code == code && ran.err.contains(message), "{line}: {} {}", ran.code, ran.err);
    }
    // Only a write of ClientPay is sent again by a decision.
    let listed = desk.run("--output json journal list --state needs-person", "");
    let listed: Vec<Value> = serde_json::from_str(&listed.out).unwrap();
    let sale = listed.iter().find(|intent| intent["operation"] == "transactions.sale").unwrap();
    let line = format!(
        "journal resolve {} --as send-again --reason no --actor ada",
        sale["intent"].as_str().unwrap()
    );
    let ran = desk.run(&line, "");
    assert!(ran.code == 2 && ran.err.contains("only a write of ClientPay"), "{}", ran.err);
}
