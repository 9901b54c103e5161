//! Future charges: the days of a plan, and the money of months, drawn and listed.

use std::collections::BTreeMap;

use roxmltree::Document;
use serde_json::{Value, json};

use crate::shell::{CARD_JSON, Ran, Shell, finish, perennial};

const YEAR: &str = "--start-date 2027-01-01 --end-date 2027-12-31 --frequency-day 15 --payment-amount 50.00";

/// Runs a preview without a gateway and without a key.
fn schedule(line: &str) -> Ran {
    let mut command = perennial();
    command.arg("schedule").args(line.split(' '));
    finish(command, "")
}

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}{}", ran.out, ran.err))
}

fn text<'a>(object: &'a Value, member: &str) -> &'a str {
    object[member].as_str().unwrap_or_else(|| panic!("{member} of {object}"))
}

/// A world with a customer and a card, for which it creates plans.
struct Merchant {
    shell: Shell,
    fixed: Vec<String>,
}

impl Merchant {
    fn open() -> Self {
        let shell = Shell::open();
        let json = |arguments: &[&str], stdin: &str| {
            let ran = shell.run_with(&[&["--output", "json"], arguments].concat(), stdin);
            self::json(&ran)
        };
        let ada = json(&["customers", "create", "--first-name", "Ada", "--last-name", "Byron"], "");
        let ada = text(&ada, "customer-key").to_owned();
        let card = ["tokens", "create", "--description", "card", "--customer-key", &ada, "--card-stdin"];
        let card = text(&json(&card, CARD_JSON), "token-id").to_owned();
        let fixed = ["--output=json", "plans", "create", "--customer-key", &ada, "--token-id", &card];
        let fixed = fixed.map(str::to_owned).to_vec();
        Self { shell, fixed }
    }

    /// Creates a plan and returns its key.
    fn plan(&self, name: &str, day: u32, amount: &str, term: (&str, &str), status: &str) -> String {
        let day = day.to_string();
        let mut line: Vec<&str> = self.fixed.iter().map(String::as_str).collect();
        line.extend(["--plan-name", name, "--frequency-day", &day, "--payment-amount", amount]);
        line.extend(["--start-date", term.0, "--end-date", term.1, "--status", status, "--allow-second"]);
        text(&json(&self.shell.run(&line)), "plan-key").to_owned()
    }

    /// Creates plans of all kinds, whose charges begin in a world at the beginning of 2027.
    fn with_plans() -> Self {
        let merchant = Self::open();
        let year = ("2027-01-01", "2027-12-31");
        merchant.plan("Gold", 15, "50.00", year, "ACTIVE");
        merchant.plan("Silver", 1, "19.99", ("2027-03-02", "2027-09-01"), "ACTIVE");
        merchant.plan("Lessons", 28, "120.00", ("2027-02-28", "2028-02-27"), "ACTIVE");
        merchant.plan("Waiting", 5, "75.00", year, "SUSPENDED");
        merchant.plan("Gone", 5, "1000.00", year, "CANCELED");
        merchant
    }

    fn forecast(&self, line: &str) -> Ran {
        let words: Vec<&str> = ["forecast"].into_iter().chain(line.split(' ')).collect();
        self.shell.run(&words)
    }
}

#[test]
fn a_plan_is_previewed_before_it_exists() {
    let mut screens = Vec::new();
    for line in [
        YEAR,
        "--start-date 2027-01-31 --end-date 2027-04-30 --payment-amount 9.99",
        "--start-date 2027-01-16 --end-date 2027-02-14 --frequency-day 15 --payment-amount 5.00",
        "--start-date 2028-02-01 --end-date 2028-02-29 --frequency-day 28 --payment-amount 5.00 --output csv",
    ] {
        let ran = schedule(line);
        assert_eq!(ran.code, 0, "{line}: {}", ran.err);
        assert!(ran.out.lines().all(|line| line.chars().count() <= 80), "{line}");
        screens.push(format!("$ perennial schedule {line}\n{}{}\n", ran.out, ran.err));
    }
    insta::assert_snapshot!("schedules", screens.concat());

    let rows = json(&schedule(&format!("{YEAR} --output json")));
    assert_eq!(rows.as_array().unwrap().len(), 12);
    assert_eq!(rows[11], json!({"charge":12,"date":"2027-12-15","payment-amount":"50.00","total":"600.00"}));
}

#[test]
fn what_no_plan_can_be_is_refused() {
    for (line, message) in [
        (
            "--start-date 2027-01-01 --end-date 2028-01-02 --payment-amount 1",
            "--end-date: must be at most 12",
        ),
        ("--start-date 2027-02-30 --end-date x --payment-amount 0", "3 values break rules"),
        (
            "--start-date 2027-01-31 --end-date 2027-12-31 --frequency-day 31 --payment-amount 1",
            "--frequency-day must be a day from 1 to 28, which every month has: leave it out",
        ),
        ("--start-date 2027-01-31 --end-date 2027-12-31 --frequency-day 0 --payment-amount 1", "1 to 28"),
        ("--start-date 2027-01-31", "required"),
        ("plan_3f0f6d1c5f0e --payment-amount 1", "cannot be used with"),
        (&format!("{YEAR} --svg /nowhere/schedule.svg"), "cannot be written"),
    ] {
        let ran = schedule(line);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{line}: {}", ran.err);
        assert!(ran.err.contains(message), "{line}: {}", ran.err);
    }
    let merchant = Merchant::open();
    for (line, code) in [
        ("--from 2027-13", 2),
        ("--from 2027", 2),
        ("--months 0", 2),
        ("--months 61", 2),
        ("--svg /nowhere/forecast.svg", 2),
    ] {
        let ran = merchant.forecast(line);
        assert_eq!((ran.code, ran.out.as_str()), (code, ""), "{line}: {}", ran.err);
    }
    assert_eq!(merchant.shell.run(&["schedule", "plan_unknown"]).code, 5);
}

#[test]
fn the_schedule_of_a_plan_is_what_the_gateway_expects() {
    let merchant = Merchant::open();
    let term = ("2027-01-20", "2027-12-31");
    for status in ["ACTIVE", "SUSPENDED"] {
        let plan = merchant.plan("Gold", 15, "50.00", term, status);
        let json_of = |words: &[&str]| {
            let ran = merchant.shell.run(&[&["--output", "json"], words].concat());
            assert_eq!(ran.code, 0, "{}", ran.err);
            assert_eq!(ran.err.contains("SUSPENDED"), status == "SUSPENDED" && words[0] == "schedule");
            json(&ran)
        };
        let dates = |rows: Value| {
            let dates = rows.as_array().unwrap().iter().map(|row| text(row, "date").to_owned());
            dates.collect::<Vec<_>>()
        };
        let scheduled = dates(json_of(&["schedule", &plan]));
        assert_eq!(scheduled.len(), 11);
        if status == "ACTIVE" {
            assert_eq!(scheduled, dates(json_of(&["plans", "expected-runs", &plan])));
        }
    }
}

#[test]
fn the_money_of_months() {
    let merchant = Merchant::with_plans();
    let mut screens = Vec::new();
    for line in [
        "--from 2027-01",
        "--from 2027-11 --months 5 --suspended",
        "--from 2029-01 --months 2",
        "--from 2027-02 --months 2 --output json",
        "--from 2027-02 --months 2 --suspended --output csv",
    ] {
        let ran = merchant.forecast(line);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{line}");
        assert!(ran.out.lines().all(|line| line.chars().count() <= 80), "{line}");
        screens.push(format!("$ perennial forecast {line}\n{}\n", ran.out));
    }
    insta::assert_snapshot!("forecasts", screens.concat());
}

/// Checks that the forecast charges are made as the clock is advanced.
///
/// Holds: The sandbox makes the payments of a forecast as its clock advances.
#[test]
fn a_forecast_comes_true() {
    let merchant = Merchant::with_plans();
    let rows = json(&merchant.forecast("--from 2027-01 --months 15 --output json"));
    let forecast: BTreeMap<String, String> = rows
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["charges"] != 0)
        .map(|row| (text(row, "month").to_owned(), text(row, "amount").to_owned()))
        .collect();
    assert_eq!(forecast.len(), 13);

    merchant.shell.advance("P15M");
    let payments = json(&merchant.shell.run(&["--output", "json", "payments", "list", "--all"]));
    let mut paid: BTreeMap<String, u64> = BTreeMap::new();
    for payment in payments.as_array().unwrap() {
        let month = text(payment, "created")[..7].to_owned();
        let amount = text(payment, "payment-amount").replace('.', "");
        *paid.entry(month).or_default() += amount.parse::<u64>().unwrap();
    }
    let paid: BTreeMap<String, String> = paid
        .into_iter()
        .map(|(month, cents)| (month, format!("{}.{:02}", cents / 100, cents % 100)))
        .collect();
    assert_eq!(forecast, paid);
}

/// Creates more plans than a page has.
#[test]
fn every_plan_counts() {
    let merchant = Merchant::open();
    for _ in 0..101 {
        merchant.plan("Gold", 15, "1.01", ("2027-01-01", "2027-12-31"), "ACTIVE");
    }
    let rows = json(&merchant.forecast("--from 2027-01 --months 1 --output json"));
    assert_eq!(rows, json!([{"month":"2027-01","charges":101,"amount":"102.01"}]));
}

/// Checks that a picture is one document of XML, which needs no other file and runs no script.
pub(crate) fn drawn(svg: &str) -> usize {
    let document = Document::parse(svg).unwrap_or_else(|error| panic!("{error}: {svg}"));
    let root = document.root_element();
    assert_eq!((root.tag_name().name(), root.attribute("role")), ("svg", Some("img")));
    for named in root.attribute("aria-labelledby").unwrap().split(' ') {
        let name = root.children().find(|node| node.attribute("id") == Some(named)).unwrap();
        assert!(!name.text().unwrap_or_default().is_empty(), "{named}");
    }
    for node in document.descendants().filter(roxmltree::Node::is_element) {
        assert!(!["script", "image", "foreignObject", "a", "use"].contains(&node.tag_name().name()));
        for attribute in node.attributes() {
            let name = attribute.name();
            assert!(!name.starts_with("on") && !name.contains("href"), "{name}");
            assert!(!attribute.value().contains("://"), "{}", attribute.value());
        }
    }
    assert!(svg.contains("prefers-color-scheme:dark") && !svg.contains("url("));
    let size = |name| root.attribute(name).unwrap().parse::<usize>().unwrap();
    assert!((400..=1400).contains(&size("width")) && (200..=1400).contains(&size("height")), "{svg:.300}");
    document.descendants().filter(|node| node.attribute("class") == Some("solid")).count()
}

/// Holds: A forecast as a picture is a whole SVG document.
#[test]
fn pictures_are_documents_of_their_own() {
    let name = r#"<script>alert(1)</script> & "Gold" ]]> &amp;"#;
    let mut command = perennial();
    command.args(["schedule", "--svg", "-", "--plan-name", name]).args(YEAR.split(' '));
    let ran = finish(command, "");
    assert_eq!((ran.code, ran.err.as_str(), drawn(&ran.out)), (0, "", 12));
    let titled = Document::parse(&ran.out).unwrap();
    assert!(titled.descendants().any(|node| node.tag_name().name() == "title" && node.text() == Some(name)));
    for line in [
        "--start-date 2027-01-16 --end-date 2027-02-14 --frequency-day 15 --payment-amount 5.00 --svg -",
        "--start-date 2027-01-15 --end-date 2028-01-15 --frequency-day 15 --payment-amount 5.00 --svg -",
    ] {
        let ran = schedule(line);
        assert_eq!((ran.code, drawn(&ran.out)), (0, if line.contains("2028") { 13 } else { 0 }), "{line}");
    }
    insta::assert_snapshot!("schedule_svg", schedule(&format!("{YEAR} --svg -")).out);

    let merchant = Merchant::with_plans();
    for months in [1, 2, 12, 13, 36, 60] {
        let ran = merchant.forecast(&format!("--from 2027-01 --months {months} --suspended --svg -"));
        // One bar for each month, and the legend.
        assert_eq!((ran.code, drawn(&ran.out)), (0, months + 1), "{months}: {}", ran.err);
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("forecast.svg");
    let ran = merchant.forecast(&format!("--from 2027-01 --svg {}", file.display()));
    assert!(ran.code == 0 && ran.out.contains("2027-12"), "{}", ran.err);
    let svg = std::fs::read_to_string(file).unwrap();
    assert_eq!(drawn(&svg), 12);
    insta::assert_snapshot!("forecast_svg", svg);
    let nothing = Merchant::open().forecast("--from 2027-01 --svg -");
    assert_eq!((nothing.code, drawn(&nothing.out)), (0, 12));
}
