//! Subscriptions that are refused before anything is made, and the commands that are printed for what is open.

use std::fs;

use perennial_sandbox::{Effect, Fault, GatewayOptions};

use crate::shell::{Ran, runtime};
use crate::subscriptions::{Club, START, joined};

fn said(ran: &Ran) -> String {
    format!("{}{}", ran.out, ran.err)
}

/// First commands of a merchant that are refused, each with its status, a part of its error, and a word that is not in it.
const REFUSED: &[(&str, i32, &str, &str)] = &[
    ("{start} --token-id {token} --id M-1 --amount 50 --day 31", 2, "--day: ", "start-date"),
    ("{start} --token-id {token} --id M-1 --amount 0 --day 15", 2, "at least 0.01", "start-date"),
    ("{start} --token-id {token} --id M/1 --amount 50 --day 15", 2, "1 to 60 letters", "start-date"),
    (
        "{start} --token-id {token} --id M-1 --amount 50 --day 15 --from 2026-12-31",
        2,
        "the start is in the past",
        "start-date",
    ),
    (
        "{start} --token-id {token} --id M-1 --amount 50 --day 15 --until 2027-01-14",
        2,
        "ends before it begins",
        "start-date",
    ),
    (
        "{start} --token-id {token} --id M-1 --amount 50 --day 15 --first today --from 2027-02-01",
        2,
        "needs a start today",
        "start-date",
    ),
    ("{start} --token-id {token} --id M-1 --amount 50 --day 28 --from 2199-12-29", 2, "--from: ", "date-"),
    (
        "{start} --token-id {token} --id M-1 --amount 50 --day 28 --from 2199-12-29 --dry-run",
        2,
        "--from: ",
        "start-date",
    ),
    ("{start} --token-id {foreign} --id M-1 --amount 50 --day 15", 2, "is not one of the customer's", "date"),
    (
        "{start} --token-id {token} --id M-1 --amount 50 --day 15 --operation-key perennial/control",
        2,
        "an operation key has",
        "date",
    ),
    ("subscriptions adopt --id M/1 --plan-key {plan} --actor ada", 2, "1 to 60 letters", "date"),
    ("subscriptions adopt --id M/1 --plan-key {plan} --shadow --actor ada", 2, "1 to 60 letters", "date"),
    ("subscriptions adopt --id M-1 --plan-key plan_0 --actor ada", 5, "knows no such object", "date"),
    ("subscriptions adopt --id M-1 --plan-key a/b --actor ada", 2, "--plan-key: ", "date"),
    ("subscriptions adopt --file {file} --actor ada", 1, "plan-key ", "--plan-key"),
    (
        "subscriptions change M-1 --amount 5 --day 31 --from soon --actor ada",
        2,
        "2 values break rules",
        "date-",
    ),
    ("subscriptions pause M-1 --until 2026-01-01 --actor ada", 5, "there is no journal", "date"),
    ("subscriptions cancel M-1 --now --actor ada", 5, "there is no journal", "date"),
];

/// Holds: A first subscription that is refused makes no journal, no merchant in it, and nothing at the gateway; its error names
/// options that exist.
#[test]
fn what_is_refused_makes_nothing() {
    let club = Club::open();
    let plan = format!(
        "--output json plans create --plan-name Old --customer-key {} --token-id {} --frequency-day 15 --payment-amount 20 \
         --start-date 2027-01-15 --end-date 2028-01-14 --status ACTIVE",
        club.customer, club.token
    );
    let ran = club.desk.shell.run(&plan.split_whitespace().collect::<Vec<_>>());
    let plan = crate::subscriptions::json(&ran)["plan-key"].as_str().unwrap().to_owned();
    let file = club.desk.folder.path().join("plans.csv");
    fs::write(&file, format!("id,plan-key\nM/1,{plan}\nM-2,a/b\n")).unwrap();
    let world = || runtime().block_on(club.desk.shell.world().state()).unwrap();
    let before = world();
    for (line, code, part, other) in REFUSED {
        let ran = club.run(&line.replace("{plan}", &plan).replace("{file}", file.to_str().unwrap()));
        let said = said(&ran);
        assert!(
            ran.code == *code && said.contains(part) && !said.contains(other),
            "{line}: {}\n{said}",
            ran.code
        );
        assert!(!club.desk.file().exists(), "{line} makes a journal");
        assert_eq!(world(), before, "{line} changes the gateway");
    }
}

/// A fault of the gateway, the periods after which the worker runs, the state of the due day, and the words of the commands
/// that move it on. A number is a result code with which the plan's charge is declined.
const CASES: &[(&str, &[&str], &str, &[&str])] = &[
    ("012", &["P14DT12H"], "declined", &["collect", "waive", "claim"]),
    ("010", &["P14DT12H"], "declined", &["new card", "collect", "waive", "claim"]),
    ("006", &["P14DT12H"], "needs-person", &["collect", "waive", "claim"]),
    ("skip", &["P14DT12H", "P4D"], "missing", &["collect", "waive", "claim"]),
    ("part", &["P14DT12H"], "part", &["collect", "waive", "claim"]),
    ("lost", &["P14DT12H", "P1D"], "collecting", &["look"]),
    ("lost", &["P14DT12H", "P1D", "P1D", "P1D"], "needs-person", &["look", "if done", "if not"]),
];

/// Holds: A due day that is open is shown with the commands that move it on, in lines that are no longer than a table.
#[test]
fn an_open_day_names_the_commands_that_move_it_on() {
    let mut wrong = Vec::new();
    for (fault, periods, state, words) in CASES {
        let partial_amount = (*fault == "part").then(|| "50.00".parse().unwrap());
        let club = Club::of(GatewayOptions { partial_amount, ..GatewayOptions::default() });
        assert_eq!(club.run(START).code, 0);
        let decline = |code: &str| Effect::Decline { result_code: code.to_owned() };
        match *fault {
            "part" => {}
            "skip" => club.desk.fault(&Fault::on("engine.charge", Effect::Skip)),
            "lost" => {
                club.desk.fault(&Fault::on("engine.charge", decline("012")));
                club.desk.fault(&Fault::on("transactions.sale", Effect::ErrorBefore { status: 500 }));
            }
            code => club.desk.fault(&Fault::on("engine.charge", decline(code))),
        }
        for period in *periods {
            club.desk.shell.advance(period);
            club.work();
        }
        let shown = club.run("subscriptions show M-1").out;
        let long = shown.lines().find(|line| line.chars().count() > 80 && line.trim().contains(' '));
        assert_eq!(long, None, "{fault}");
        let open = club.json("subscriptions show M-1")["open"].clone();
        let commands = open[0]["commands"].as_array().cloned().unwrap_or_default();
        let named: Vec<_> = commands.iter().map(|one| one["what"].as_str().unwrap()).collect();
        if open[0]["state"] != *state || named != *words {
            wrong.push(format!("{fault} {periods:?}: {named:?}\n{shown}"));
        }
        // What is printed is what a shell runs.
        let one = joined(&shown);
        for command in &commands {
            let command = command["command"].as_str().unwrap().replace(" --output json", "");
            assert!(one.contains(&command), "{command}\n{one}");
            if !["TEXT", "ID", "TOKEN"].iter().any(|open| command.ends_with(open)) {
                assert_eq!(club.desk.run_printed(&command).code, 0, "{command}");
            }
        }
        if let Some(waive) = commands.iter().find(|command| command["what"] == "waive") {
            let command = waive["command"].as_str().unwrap().replace("TEXT", "closed --actor ada");
            assert_eq!(club.desk.run_printed(&command).code, 0, "{command}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Checks that each command that is named has the gateway of this run.
fn assert_whole(line: &str, ran: &Ran) {
    let said = joined(&said(ran));
    for (at, _) in said.match_indices("perennial ") {
        let command = said[at..].lines().next().unwrap();
        assert!(command.contains(" --base-url http://sandbox "), "{line}: {command}\n{said}");
    }
}

/// Lines in their order, each with its status and a part of its output or error, and a word that is not in it. Each command
/// that one of them names can be copied.
const ADVICE: &[(&str, i32, &str, &str)] = &[
    (START, 0, "status        active", "perennial "),
    ("hold on --reason prices --actor ada", 0, "hold   true", "perennial "),
    (
        "subscriptions change M-1 --amount 55 --actor ada",
        75,
        "is on hold (prices), and nothing is sent but cancellations of plans; the hold ends with: perennial hold off",
        "look with",
    ),
    ("subscriptions show M-1", 0, "  end it      perennial hold off", "error"),
    ("hold off --reason corrected --actor ada", 0, "hold   false", "perennial "),
    ("subscriptions change M-1 --amount 55 --actor ada", 0, "amount        55.00", "hold"),
    ("hold on --reason prices --actor ada", 0, "hold   true", "perennial "),
    (
        "customers update {customer} --comments late --operation-key c-1",
        75,
        "is on hold (prices), which is ended by: perennial hold off",
        "nothing was changed",
    ),
    ("journal withdraw c-1 --reason late --actor ada", 0, "withdrawn", "perennial "),
];

/// Holds: A decision that waits for a hold names the command that ends it, and each command that is named has the options of
/// this run.
#[test]
fn a_command_that_is_named_can_be_copied() {
    let club = Club::open();
    for (line, code, part, other) in ADVICE {
        // What waited for a hold is due a moment after it.
        club.desk.shell.advance("PT1M");
        let ran = club.run(&line.replace("{customer}", &club.customer));
        let said = said(&ran);
        assert!(
            ran.code == *code && said.contains(part) && !said.contains(other),
            "{line}: {}\n{said}",
            ran.code
        );
        assert_whole(line, &ran);
    }
    let shown = club.json("subscriptions show M-1");
    let command = shown["hold"]["command"].as_str().unwrap().replace("TEXT", "corrected --actor ada");
    assert_eq!(club.desk.run_printed(&command).code, 0, "{command}");
    // A read of the worker fails, and it says that the rest is done.
    club.desk.fault(&Fault::on("transactions.search", Effect::ErrorBefore { status: 500 }));
    club.desk.shell.advance("P1D");
    let ran = club.run("work --until-idle");
    let is_told =
        ran.err.contains("not all of the work is done: ") && !ran.err.contains("nothing was changed");
    assert!(ran.code == 69 && is_told, "{}: {}", ran.code, ran.err);
}

/// Lists with rows, and the same lists without.
const LISTS: &[(&str, &str)] = &[
    ("subscriptions list", "subscriptions list N"),
    ("due-days list --id M-1", "due-days list --state missing"),
    ("events list", "events list --after 99"),
    ("journal list", "journal list --state needs-person"),
    ("books report recovery", ""),
    ("books report money", ""),
    ("", "books report cards"),
];

/// Holds: A list has the same members as a table, as JSON and as CSV, and its CSV has them all without a row, too.
#[test]
fn a_list_has_the_same_members_in_each_form() {
    let club = Club::open();
    assert_eq!(club.run(START).code, 0);
    club.work();
    let header = |line: &str| -> Vec<String> {
        let csv = club.run(&format!("--output csv {line}")).out;
        csv.lines().next().unwrap_or_default().split(',').map(str::to_owned).collect()
    };
    for (filled, empty) in LISTS {
        if !filled.is_empty() {
            let (names, rows) = (header(filled), club.json(filled));
            for row in rows.as_array().unwrap() {
                let unknown = row.as_object().unwrap().keys().find(|name| !names.contains(name));
                assert_eq!(unknown, None, "{filled}: {names:?}");
            }
            let table = club.run(filled).out;
            let columns = table.lines().next().unwrap().split_whitespace();
            let unknown: Vec<_> = columns.filter(|name| rows[0].get(name).is_none()).collect();
            assert!(unknown.is_empty(), "{filled}: {unknown:?}");
            assert!(empty.is_empty() || names == header(empty), "{filled}: {names:?} {:?}", header(empty));
        }
        if !empty.is_empty() {
            let ran = club.run(empty);
            assert_eq!((ran.code, &*ran.out, &*ran.err), (0, "", "nothing found\n"), "{empty}");
            assert_eq!(club.json(empty), serde_json::json!([]), "{empty}");
            assert!(header(empty).len() > 1, "{empty}");
        }
    }
}
