//! Subscriptions by the command alone: started, changed, paused, canceled, and charged for months.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use perennial_sandbox::{Effect, Fault, GatewayOptions};
use serde_json::Value;

use crate::desk::Desk;
use crate::habits::habits;
use crate::shell::{CARD_JSON, Ran, Shell, perennial, runtime};

/// A desk whose lines are about subscriptions, with a customer and two cards.
pub(crate) struct Club {
    pub(crate) desk: Desk,
    pub(crate) customer: String,
    pub(crate) token: String,
    other_token: String,
    /// A token of nobody.
    foreign: String,
}

pub(crate) fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}{}", ran.out, ran.err))
}

impl Club {
    pub(crate) fn open() -> Self {
        Self::of(GatewayOptions::default())
    }

    /// A club whose gateway has these habits.
    pub(crate) fn of(gateway: GatewayOptions) -> Self {
        let desk = Desk::of(Shell::of(gateway));
        let made = |line: &str, stdin: &str, member: &str| {
            let words: Vec<&str> = ["--output", "json"].into_iter().chain(line.split(' ')).collect();
            let ran = desk.shell.run_with(&words, stdin);
            json(&ran)[member].as_str().unwrap_or_else(|| panic!("{line}: {}", ran.err)).to_owned()
        };
        let customer = made("customers create --first-name Ada --last-name Byron", "", "customer-key");
        let card = "tokens create --description card --card-stdin";
        let of_customer = format!("{card} --customer-key {customer}");
        let token = made(&of_customer, CARD_JSON, "token-id");
        let other_token =
            made(&of_customer, &CARD_JSON.replace("4111 1111 1111 1111", "5454545454545454"), "token-id");
        let foreign = made(card, &CARD_JSON.replace("4111 1111 1111 1111", "4012000098765439"), "token-id");
        Self { desk, customer, token, other_token, foreign }
    }

    /// Runs a line, in which names in braces stand for objects, by the world's clock.
    pub(crate) fn run(&self, line: &str) -> Ran {
        let start = format!("subscriptions start --customer-key {} --name Gold", self.customer);
        let line = line.replace("{start}", &start).replace("{token}", &self.token);
        let line = line.replace("{other}", &self.other_token).replace("{foreign}", &self.foreign);
        self.desk.run(&format!("{line} --clock sandbox"), "")
    }

    pub(crate) fn json(&self, line: &str) -> Value {
        json(&self.run(&format!("--output json {line}")))
    }

    /// All that is stored: at the gateway, and about subscriptions.
    fn state(&self) -> (String, String, String) {
        let world = runtime().block_on(self.desk.shell.world().state()).unwrap();
        let out = |line: &str| self.run(line).out;
        (world, out("--output json subscriptions show M-1"), out("--output json subscriptions list"))
    }

    pub(crate) fn work(&self) {
        let ran = self.run("work --until-idle");
        assert_eq!(ran.code, 0, "{}", ran.err);
    }
}

/// The lines of a screen, with those that are broken in one, and one blank between words.
pub(crate) fn joined(screen: &str) -> String {
    let screen = screen.replace(" \\\n", "\n").replace("\n              ", " ");
    let one = |line: &str| {
        let words = line.split_whitespace().collect::<Vec<_>>().join(" ");
        if line.starts_with("  ") { format!("  {words}\n") } else { format!("{words}\n") }
    };
    screen.lines().map(one).collect()
}

pub(crate) const START: &str = "{start} --token-id {token} --id M-1 --amount 50.00 --day 15";

/// Lines in their order, each with its status and a part of its output or error; and whether it changes nothing. The
/// world begins on 2027-01-01.
const LINES: &[(&str, i32, &str, bool)] = &[
    ("subscriptions list", 5, "there is no journal", true),
    ("{start} --token-id {token} --id M-1 --amount 50 --day 15 --dry-run", 0, "2027-12-15", true),
    (
        "{start} --token-id {foreign} --id M-1 --amount 50 --day 15 --dry-run",
        2,
        "is not one of the customer's",
        true,
    ),
    ("{start} --token-id {token} --id A-1 --amount 10 --day 1 --charges 1", 0, "status        active", false),
    ("{start} --token-id {token} --id M-1 --amount 0 --day 15", 2, "at least 0.01", true),
    ("{start} --token-id {token} --id M-1 --amount 50 --day 29", 2, "--day: ", true),
    ("{start} --token-id {token} --id M-1 --amount five --day 29", 2, "--amount: ", true),
    ("{start} --token-id {foreign} --id M-1 --amount 50 --day 15", 2, "is not one of the customer's", true),
    ("{start} --token-id {token} --id M/1 --amount 50 --day 15", 2, "1 to 60 letters", true),
    (
        "{start} --token-id {token} --id M-1 --amount 50 --day 15 --from 2026-12-31",
        2,
        "is in the past: today is 2027-01-01, in UTC",
        true,
    ),
    ("{start} --token-id {token} --id M-1 --amount 50 --day 15 --from yesterday", 2, "--from: ", true),
    (
        "{start} --token-id {token} --id M-1 --amount 50 --day 15 --until 2027-01-14",
        2,
        "ends before it begins",
        true,
    ),
    ("{start} --token-id {token} --id M-1 --amount 50 --day 15 --charges 0", 2, "--charges", true),
    (
        "{start} --token-id {token} --id M-1 --amount 50 --day 15 --first today --from 2027-02-01",
        2,
        "needs a start today",
        true,
    ),
    (
        "{start} --token-id {token} --id M-1 --amount 50 --day 15 --first today --dry-run",
        0,
        "1  2027-01-01",
        true,
    ),
    (
        "{start} --token-id {token} --id M-1 --amount 50 --day 2 --first next --dry-run",
        0,
        "1  2027-02-02",
        true,
    ),
    (
        "{start} --token-id {token} --id M-1 --amount 50 --day 15 --charges 2 --until 2028-01-01",
        2,
        "cannot be used with",
        true,
    ),
    (START, 0, "next          50.00 on 2027-01-15", false),
    (START, 0, "status        active", true),
    ("{start} --token-id {token} --id M-1 --amount 51.00 --day 15", 2, "exists with other values", true),
    (
        "{start} --token-id {token} --id M-1 --amount 51.00 --day 15 --dry-run",
        2,
        "exists with other values",
        true,
    ),
    (
        "{start} --token-id {token} --id M-2 --amount 20 --day 5 --from 2027-02-01 --charges 2",
        0,
        "until         2027-03-05",
        false,
    ),
    (
        "{start} --token-id {token} --id M-2 --amount 20 --day 5 --charges 2",
        0,
        "until         2027-03-05",
        true,
    ),
    ("subscriptions show M-1", 0, "next          50.00 on 2027-03-15", true),
    ("subscriptions show M-9", 5, "there is no subscription M-9", true),
    ("subscriptions list", 0, "M-2  active           20.00    5  2027-02-05", true),
    (
        "{start} --token-id {token} --id M-3 --amount 21 --day 5 --dry-run --charges 2",
        0,
        "2  2027-02-05           21.00  42.00",
        true,
    ),
    ("subscriptions list N", 0, "nothing found", true),
    ("subscriptions list --tenant nobody", 5, "nobody", true),
    ("subscriptions change M-1 --actor ada", 2, "--amount <AMOUNT>", true),
    ("subscriptions change M-1 --amount 0 --actor ada", 2, "at least 0.01", true),
    ("subscriptions change M-1 --day 29 --actor ada", 2, "--day: ", true),
    ("subscriptions change M-1 --token-id {foreign} --actor ada", 2, "is not one of the customer's", true),
    ("subscriptions change M-9 --amount 5 --actor ada", 5, "there is no subscription M-9", true),
    ("subscriptions change M-1 --amount 55", 2, "pass --actor NAME", true),
    (
        "subscriptions change M-1 --amount 55 --day 20 --actor ada --dry-run",
        0,
        "2027-01-20          55.00",
        true,
    ),
    (
        "subscriptions change M-1 --amount 55 --token-id {other} --actor ada",
        0,
        "next          55.00 on 2027-01-15",
        false,
    ),
    ("subscriptions change M-1 --amount 55 --token-id {other} --actor ada", 0, "55.00 on day 15", true),
    ("subscriptions change M-1 --amount 57 --from soon --actor ada", 2, "--from: ", true),
    (
        "subscriptions change M-1 --amount 57 --from 2026-12-31 --actor ada",
        2,
        "start of the change is in the past",
        true,
    ),
    (
        "subscriptions change M-1 --amount 57 --from 2027-02-16 --actor ada --dry-run",
        0,
        "2027-03-15   55.00  57.00",
        true,
    ),
    (
        "subscriptions change M-1 --amount 55 --day 15 --from 2027-06-01 --actor ada",
        0,
        "change        55.00 on day 15 from 2027-06-01",
        false,
    ),
    ("subscriptions pause M-1 --until 2027-01-01 --actor ada", 2, "the pause ends before it begins", true),
    (
        "subscriptions pause M-1 --from 2026-12-01 --until 2027-03-01 --actor ada",
        2,
        "the start of the pause is in the past",
        true,
    ),
    ("subscriptions pause M-1 --actor ada", 2, "--until <DATE>|--charges <NUMBER>", true),
    ("subscriptions pause M-1 --charges 0 --actor ada", 2, "--charges", true),
    ("subscriptions pause M-1 --charges 2 --actor ada --dry-run", 0, "2027-03-15   55.00  55.00", true),
    (
        "subscriptions pause M-1 --charges 1 --then collect --actor ada --dry-run",
        0,
        "2027-01-16          55.00",
        true,
    ),
    ("subscriptions pause M-1 --until 2027-03-01 --actor ada --dry-run", 0, "2027-01-15   55.00\n", true),
    ("subscriptions pause M-1 --until 2027-03-01 --actor ada", 0, "next          55.00 on 2027-03-15", false),
    ("subscriptions resume M-1 --actor ada", 0, "next          55.00 on 2027-01-15", false),
    ("subscriptions resume M-1 --actor ada", 0, "next          55.00 on 2027-01-15", true),
    ("subscriptions keep M-1 --actor ada", 2, "has no cancellation that can be taken back", true),
    ("subscriptions cancel M-1 --actor ada", 2, "--now", true),
    ("subscriptions cancel M-1 --now --at-period-end --actor ada", 2, "cannot be used with", true),
    ("subscriptions cancel M-1 --on 2026-12-31 --actor ada", 2, "the end is in the past", true),
    (
        "subscriptions cancel M-1 --on 2027-02-20 --actor ada --dry-run",
        0,
        "2027-02-15   55.00  55.00\n2027-03-15   55.00\n",
        true,
    ),
    ("subscriptions cancel M-1 --on 2027-02-20 --reason TEXT --actor ada", 2, "--reason has no reason", true),
    ("subscriptions cancel M-1 --on 2027-02-20 --actor ada", 0, "until         2027-02-20", false),
    ("subscriptions keep M-1 --actor ada", 0, "next          55.00 on 2027-03-15", false),
    ("subscriptions cancel M-1 --at-period-end --actor ada", 0, "until         2027-01-01", false),
    ("subscriptions keep M-1 --actor ada", 0, "status        active", false),
    ("due-days list", 0, "nothing found", true),
    ("due-days list --id M-9", 5, "there is no subscription M-9", true),
    ("due-days list --id M-2", 0, "M-2           2027-03-05  expected           20.00", true),
    ("due-days waive M-2 --reason closed --actor ada", 2, "give the id and the day: M-1/2199-03-15", true),
    ("due-days waive M-2/2027-02-05 --actor ada", 2, "--reason", true),
    ("due-days waive M-9/2027-02-05 --reason closed --actor ada", 5, "there is no subscription M-9", true),
    ("due-days waive M-2/2027-02-06 --reason closed --actor ada", 5, "has no due day 2027-02-06", true),
    ("due-days waive M-2/2027-02-05 --reason closed --actor ada", 2, "pause the subscription", true),
    ("due-days collect M-2/2027-02-05 --reason closed --actor ada", 2, "cannot be collected", true),
    ("due-days claim M-2/2027-02-05 --transaction 1 --reason paid --actor ada", 5, "", true),
    ("due-days refund M-2/2027-02-05 --reason closed --actor ada", 2, "has no charge", true),
    ("due-days refund M-2/2027-02-05 --amount x --reason closed --actor ada", 2, "--amount", true),
    ("due-days dispute M-2/2027-02-05 --reason closed --actor ada", 2, "has no charge", true),
    ("recovery show", 0, "tries-a-day 1000", true),
    ("recovery set --reason fewer --actor ada", 2, "--tries-a-day", true),
    ("recovery set --tries-a-day 5 --at-end never --reason fewer --actor ada", 2, "leave, cancel, ask", true),
    ("recovery set --tries-a-day 5 --reason fewer --actor ada --dry-run", 0, "tries-a-day 5", true),
    (
        "recovery set --tries-a-day 5 --at-end ask --reason fewer --actor ada --operation-key r-1",
        0,
        "tries-a-day 5",
        true,
    ),
    ("recovery set --tries-a-day 6 --reason more --actor ada", 0, "tries-a-day 6", true),
    (
        "recovery set --tries-a-day 5 --at-end ask --reason fewer --actor ada --operation-key r-1",
        0,
        "tries-a-day 6",
        true,
    ),
    (
        "recovery set --tries-a-day 7 --reason more --actor ada --operation-key r-1",
        2,
        "was used for something else",
        true,
    ),
    ("due-days list --state due", 2, "it is not one of: expected", true),
    ("due-days list --state expected --limit 1", 0, "2027-01-15  expected", true),
    ("books check", 0, "closed             true", true),
    ("books check --month 2027-03", 0, "expected           ", true),
    ("books check --month 2027-13", 2, "--month", true),
    ("books check --from 2027-01-01", 0, "2027-01-01 to 2027-01-01", true),
    ("books check --from 2027-01-01 --until 2027-01-07 --all", 0, "2027-01-01 to 2027-01-07", true),
    ("books check --from 2027-01-07 --until 2027-01-01", 2, "ends before it begins", true),
    ("books check --until 2027-01-07", 2, "--from", true),
    ("books check --record", 0, "recorded           0", true),
    ("books check --dry-run", 2, "nothing without --record", true),
    ("books check --month 2027-01 --from 2027-01-01", 2, "cannot be used with", true),
    ("books report money", 0, "2026-02", true),
    ("books report money --from 2027-01 --until 2027-03", 0, "2027-03", true),
    ("books report money --from 2027-03 --until 2027-01", 2, "ends before it begins", true),
    ("books report money --svg /nowhere/money.svg", 2, "cannot be written", true),
    ("books report recovery", 0, "percent", true),
    ("books report cards", 0, "nothing found", true),
    ("work --until-idle --dry-run", 0, "dry-run true", true),
    ("work --until-idle", 0, "steps      0", true),
    ("work --until-idle --timeout 61", 2, "--timeout 60", true),
    ("subscriptions cancel M-1 --now --actor ada --dry-run", 0, "2027-01-15   55.00\n", true),
    ("subscriptions cancel M-1 --now --actor ada", 0, "status        ended", false),
    ("subscriptions cancel M-1 --now --actor ada", 0, "status        ended", true),
    ("subscriptions resume M-1 --actor ada", 2, "is over", true),
    ("subscriptions list M-1", 0, "M-1  ended            55.00   15", true),
    (START, 0, "next          50.00 on 2027-01-15", false),
];

/// Holds: Each command about subscriptions has its exit status and says what it did, and one that is refused changes nothing.
#[test]
fn each_command_does_what_it_says() {
    let club = Club::open();
    for (line, code, part, is_same) in LINES {
        let before = club.state();
        let ran = club.run(line);
        let said = format!("{}{}", ran.out, ran.err);
        assert!(ran.code == *code && said.contains(part), "{line}: {}\n{said}", ran.code);
        let after = club.state();
        assert_eq!(before == after, *is_same, "{line}: {before:#?}\n{after:#?}");
    }
}

#[test]
fn a_subscription_is_a_document() {
    let club = Club::open();
    let shown = club.json(START);
    assert_eq!(shown, club.json("subscriptions show M-1"));
    let expected = serde_json::json!({
        "id": "M-1", "status": "active", "payment-amount": "50.00", "day": 15, "generation": 1,
        "customer-key": club.customer, "token-id": club.token, "name": "Gold", "from": "2027-01-15",
        "next": [
            { "date": "2027-01-15", "payment-amount": "50.00" },
            { "date": "2027-02-15", "payment-amount": "50.00" },
            { "date": "2027-03-15", "payment-amount": "50.00" },
        ],
        "open": [],
        "plans": [{
            "plan-key": shown["plans"][0]["plan-key"], "status": "active", "first": "2027-01-15", "last": "2027-12-15",
            "payment-amount": "50.00", "token-id": club.token,
        }],
    });
    assert_eq!(shown, expected);
    // The decision is kept with its person and its reason.
    club.run("subscriptions change M-1 --amount 60 --actor ines --reason prices");
    let database = rusqlite::Connection::open(club.desk.file()).unwrap();
    let kept = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let sql = "SELECT actor, what, reason FROM perennial_decision";
    let decision: (String, String, String) = database.query_row(sql, [], kept).unwrap();
    assert_eq!(decision, ("ines".to_owned(), "changed".to_owned(), "prices".to_owned()));
}

/// Holds: A member who stays is charged on each due day once, beyond the twelve months of a plan.
#[test]
fn a_member_is_charged_for_fourteen_months() {
    let club = Club::open();
    assert_eq!(club.run(START).code, 0);
    for _ in 0..85 {
        club.desk.shell.advance("P5D");
        club.work();
    }
    let paid = club.json("due-days list --id M-1 --state paid");
    let mut days: Vec<_> =
        paid.as_array().unwrap().iter().map(|due| due["day"].as_str().unwrap().to_owned()).collect();
    let found = club.desk.shell.run(&["--output", "json", "transactions", "search", "--all"]);
    let found = json(&found);
    let charged = found.as_array().unwrap().iter().filter(|charge| charge["verdict"] == "approved");
    let mut charged: Vec<_> =
        charged.map(|charge| charge["created"].as_str().unwrap()[..10].to_owned()).collect();
    days.sort();
    charged.sort();
    // The gateway forgets what is older than 90 days.
    assert!(!charged.is_empty() && days.ends_with(&charged), "{days:?}\n{charged:?}");
    assert_eq!((days.len(), days[0].as_str(), days[13].as_str()), (14, "2027-01-15", "2028-02-15"));
    assert_eq!(club.run("due-days list").err, "nothing found\n");
}

/// Holds: Under every habit of the gateway, the commands lead a member through a decline that is recovered, another amount, a
/// pause and a cancellation, and the books close.
#[test]
fn the_commands_hold_under_every_habit() {
    for (habit, gateway) in habits() {
        let has_own_keys = gateway.own_customer_keys;
        let club = Club::of(gateway);
        let done = |line: &str| {
            let ran = club.run(line);
            // While a search lacks what is new, the plan is open.
            let is_open = ran.code == 75 && ran.err.contains("The same command again is safe");
            assert!(ran.code == 0 || is_open, "{habit}: {line}: {}{}", ran.out, ran.err);
        };
        let wait = |days: u32| {
            for _ in 0..days / 5 {
                club.desk.shell.advance("P5D");
                club.work();
            }
        };
        if !has_own_keys {
            let refused = club.run(START);
            assert!(
                refused.code == 69 && refused.err.contains("journal rebind --customer-key"),
                "{}",
                refused.err
            );
            let reason = "--reason keys --actor ines";
            done(&format!("journal rebind --customer-key {} {reason}", club.customer));
            done(&format!("hold off {reason}"));
        }
        done(START);
        wait(30);
        club.desk
            .fault(&Fault::on("engine.charge", Effect::Decline { result_code: "012".to_owned() }).nth(1));
        wait(35);
        done("subscriptions change M-1 --amount 60 --actor ines");
        wait(20);
        done("subscriptions pause M-1 --until 2027-05-01 --actor ines");
        club.desk.shell.advance("P30D");
        wait(35);
        done("subscriptions cancel M-1 --now --actor ines");
        wait(5);
        assert!(club.run("subscriptions show M-1").out.contains("status        ended"), "{habit}");
        let due = club.json("due-days list --id M-1");
        let words = |due: &Value| {
            ["day", "payment-amount", "state"].map(|name| due[name].as_str().unwrap().to_owned())
        };
        let due: Vec<_> = due.as_array().unwrap().iter().map(|due| words(due).join(" ")).collect();
        let expected = [
            "2027-01-15 50.00 paid",
            // A gateway that tries again is first.
            if habit.starts_with("tries") { "2027-02-15 50.00 paid" } else { "2027-02-15 50.00 recovered" },
            "2027-03-15 60.00 paid",
            "2027-04-15 60.00 waived",
            "2027-05-15 60.00 paid",
        ];
        assert_eq!(due, expected, "{habit}");
        for month in ["02", "05"] {
            done(&format!("books check --month 2027-{month}"));
        }
    }
}

/// Holds: Each difference of the books names a command that looks at it or ends it, and the books close when it is ended.
#[test]
fn a_difference_names_the_command_that_ends_it() {
    let club = Club::open();
    assert_eq!(club.run(START).code, 0);
    let shown = club.json("subscriptions show M-1");
    let plan = shown["plans"][0]["plan-key"].as_str().unwrap();
    assert_eq!(club.run("books check").code, 0);
    // Somebody makes an equal plan by hand.
    let twin = format!(
        "--output json plans create --plan-name Gold --customer-key {} --token-id {} --frequency-day 15 --start-date \
         2027-01-10 --end-date 2027-12-31 --payment-amount 50.00 --status ACTIVE --allow-second",
        club.customer, club.token
    );
    let made = club.desk.shell.run(&twin.split_whitespace().collect::<Vec<_>>());
    assert_eq!(made.code, 0, "{}", made.err);
    let recorded = |option: &str| {
        json(&club.run(format!("--output json books check {option}").trim_end()))["recorded"].clone()
    };
    assert_eq!(recorded("--record --dry-run"), Value::Null);
    assert_eq!(
        [recorded("--record"), recorded("--record"), recorded("")],
        [Value::from(1), Value::from(0), Value::Null]
    );
    let ran = club.run("--output json books check");
    let differences = json(&ran)["differences"].clone();
    assert_eq!((ran.code, &differences[0]["class"]), (1, &"twin-plan".into()), "{}", ran.out);
    let command = differences[0]["command"].as_str().unwrap();
    assert!(command.starts_with("perennial plans cancel ") && !command.contains(plan), "{command}");
    assert_eq!(club.desk.run_printed(command).code, 0);
    assert_eq!(club.run("books check").code, 0);
    // Somebody suspends the plan.
    assert_eq!(club.desk.shell.run(&["plans", "suspend", plan]).code, 0);
    let ran = club.run("books check");
    assert!(
        ran.code == 1 && ran.out.contains("plan-changed: M-1: it is SUSPENDED\n  perennial"),
        "{}",
        ran.out
    );
    let command = ran.out.lines().find_map(|line| line.strip_prefix("  perennial")).unwrap();
    let command = &format!("perennial{command}");
    assert!(command.starts_with("perennial plans get"), "{command}");
    assert_eq!(club.desk.run_printed(command).code, 0);
}

/// Holds: The money of months is printed as a table, as CSV, as JSON and as a picture with its words.
#[test]
fn the_money_of_months_is_drawn() {
    let club = Club::open();
    assert_eq!(club.run(START).code, 0);
    for _ in 0..15 {
        club.desk.shell.advance("P5D");
        club.work();
    }
    let line = "books report money --from 2027-01 --until 2027-06";
    let ran = club.run(&format!("{line} --svg -"));
    // One bar for each month, and the legend.
    assert_eq!((ran.code, crate::ahead::drawn(&ran.out)), (0, 7), "{}", ran.err);
    insta::assert_snapshot!("money_svg", ran.out);
    let months = club.json(line);
    assert_eq!((&months[0]["paid"], &months[5]["expected"]), (&"50.00".into(), &"50.00".into()), "{months}");
    let csv = club.run(&format!("--output csv {line}")).out;
    assert!(csv.starts_with("month,expected,paid,") && csv.contains("2027-02,50.00,50.00,"), "{csv}");
    let table = club.run(line).out;
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
}

/// Holds: A cancellation is reported done only when nothing of the subscription is open at the gateway, and the same command goes on.
#[test]
fn a_cancellation_is_over_when_its_plan_is() {
    let club = Club::open();
    assert_eq!(club.run(START).code, 0);
    club.desk.fault(&Fault::on("plans.update", Effect::ErrorBefore { status: 500 }));
    let cancel = "subscriptions cancel M-1 --now --actor ada";
    let ran = club.run(cancel);
    assert!(ran.code == 75 && ran.out.contains("status        canceling"), "{}{}", ran.out, ran.err);
    assert!(
        ran.err.contains("The same command again is safe")
            && ran.err.contains("repeat with: the same command")
    );
    let shown = club.json("subscriptions show M-1");
    let command = shown["plans"][0]["command"].as_str().unwrap();
    assert!(
        command.starts_with("perennial journal show") && club.desk.run_printed(command).code == 0,
        "{command}"
    );
    runtime().block_on(club.desk.shell.world().clear_faults()).unwrap();
    club.desk.shell.advance("PT1H");
    let ran = club.run(cancel);
    assert!(ran.code == 0 && ran.out.contains("status        ended"), "{}{}", ran.out, ran.err);
    assert_eq!(club.desk.count("plans search --all", |plan| plan["status"] == "ACTIVE"), 0);
}

/// Holds: A plan that is not made in time is shown with its reason and the command that explains it.
#[test]
fn a_plan_that_is_not_made_is_shown() {
    let club = Club::open();
    assert_eq!(club.run(START).code, 0);
    assert_eq!(club.json("subscriptions show M-1")["stalled"], Value::Null);
    club.desk.shell.advance("P20D");
    club.work();
    club.desk.fault(&Fault::on("plans.create", Effect::ErrorBefore { status: 502 }));
    assert_eq!(club.run("subscriptions change M-1 --amount 55 --actor ada").code, 75);
    for _ in 0..6 {
        club.run("work --until-idle");
        club.desk.shell.advance("P1D");
    }
    club.run("work --until-idle");
    let stalled = club.json("subscriptions show M-1")["stalled"].clone();
    assert_eq!(stalled["day"], "2027-02-15");
    let (reason, command) = (stalled["reason"].as_str().unwrap(), stalled["command"].as_str().unwrap());
    assert!(
        reason.starts_with("the plan from 2027-02-15 to 2028-01-15 is planned since 2027-01-2"),
        "{reason}"
    );
    assert_eq!(club.desk.run_printed(command).code, 0, "{command}");
    let shown = club.run("subscriptions show M-1").out;
    let shown = joined(&shown);
    assert!(shown.contains(&format!("\nstalled {reason}\n")), "{shown}");
    assert_eq!(shown.matches("  look perennial journal show ").count(), 1, "{shown}");
    let events = club.run("--output jsonl events list").out;
    assert_eq!(events.matches(reason).count(), 1, "{events}");
}

/// Holds: What is due within two days stays as it is, in the preview and at the gateway.
#[test]
fn a_near_charge_is_left_alone() {
    let club = Club::open();
    assert_eq!(club.run(START).code, 0);
    club.desk.shell.advance("P13D");
    club.work();
    let change = "subscriptions change M-1 --amount 55 --day 20 --actor ada";
    let charges = club.json(&format!("{change} --dry-run"))["charges"].clone();
    let after: Vec<_> =
        charges.as_array().unwrap().iter().filter(|charge| charge["after"].is_string()).collect();
    assert_eq!((&after[0]["date"], &after[0]["after"]), (&"2027-01-15".into(), &"50.00".into()), "{charges}");
    assert_eq!((&after[1]["date"], &after[1]["after"]), (&"2027-02-20".into(), &"55.00".into()), "{charges}");
    assert_eq!(club.run(change).code, 0);
    for _ in 0..10 {
        club.desk.shell.advance("P5D");
        club.work();
    }
    let paid = club.json("due-days list --id M-1 --state paid");
    let paid: Vec<_> =
        paid.as_array().unwrap().iter().map(|due| (&due["day"], &due["payment-amount"])).collect();
    assert_eq!(paid, [(&"2027-01-15".into(), &"50.00".into()), (&"2027-02-20".into(), &"55.00".into())]);
}

/// Holds: The worker of subscriptions ends well on a signal.
#[test]
fn the_worker_ends_on_a_signal() {
    let club = Club::open();
    assert_eq!(club.run(START).code, 0);
    let mut command = perennial();
    command.args(["--base-url", club.desk.shell.url(), "--output", "json", "work", "--clock", "sandbox"]);
    command.args(["--db", &club.desk.db()]).envs(club.desk.shell.environment());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut line, mut out) = (String::new(), String::new());
    let mut err = BufReader::new(child.stderr.take().unwrap());
    err.read_line(&mut line).unwrap();
    assert!(line.starts_with("working for the tenant "), "{line}");
    let kill = format!("kill -s TERM {}", child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{out}");
    assert!(serde_json::from_str::<Value>(&out).unwrap()["tenant"].is_string(), "{out}");
}
