//! `perennial sandbox` on a running gateway: worlds, clock, log, and refusals.

use std::iter;

use serde_json::{Value as Json, json};

use crate::shell::{CARD_JSON, CSC, KEY, Ran, Shell, answer, finish, gateway, perennial};

/// The output of a command with `--output json`.
fn json_of(shell: &Shell, line: &str) -> Json {
    let ran = run(shell, line);
    assert_eq!(ran.code, 0, "{line}: {}", ran.err);
    serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{line}: {}", ran.out))
}

fn run(shell: &Shell, line: &str) -> Ran {
    let words: Vec<&str> = ["--output", "json"].into_iter().chain(line.split_whitespace()).collect();
    shell.run(&words)
}

#[test]
fn a_world_and_its_clock() {
    let shell = Shell::open();
    let fired = |now: &str| json!({ "now": now, "fired": 0, "approved": 0, "declined": 0, "settled": true });
    for (line, printed) in [
        ("sandbox clock", json!({ "now": "2027-01-01T00:00:00Z", "mode": "frozen" })),
        ("sandbox advance P1M", fired("2027-02-01T00:00:00Z")),
        ("sandbox advance 2027-02-03", fired("2027-02-03T10:00:00Z")),
        ("sandbox advance 2027-02-03T12:30:00+01:00", fired("2027-02-03T11:30:00Z")),
        ("sandbox reset", json!({ "now": "2027-01-01T00:00:00Z", "mode": "frozen" })),
        ("customers search", json!([])),
    ] {
        assert_eq!(json_of(&shell, line), printed, "{line}");
    }
}

#[test]
fn a_world_comes_back_to_its_snapshot() {
    let shell = Shell::open();
    let id = json_of(&shell, "sandbox snapshot")["id"].as_str().unwrap().to_owned();
    json_of(&shell, "sandbox advance P1Y");
    let restored = json_of(&shell, &format!("sandbox restore {id}"));
    assert_eq!(restored, json!({ "now": "2027-01-01T00:00:00Z", "mode": "frozen" }));
    assert_eq!(run(&shell, "sandbox restore snap_none").code, 5);
}

#[test]
fn a_deleted_world_is_gone_with_its_snapshots() {
    let shell = Shell::open();
    json_of(&shell, "customers create --first-name Ada --last-name Byron");
    let id = json_of(&shell, "sandbox snapshot")["id"].as_str().unwrap().to_owned();
    let ran = run(&shell, "sandbox delete");
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "", ""));
    // Any key opens a world of this sandbox.
    for line in ["sandbox log", "customers search"] {
        assert_eq!(json_of(&shell, line), json!([]), "{line}");
    }
    assert_eq!(run(&shell, &format!("sandbox restore {id}")).code, 5);
}

#[test]
fn a_seed_names_a_world() {
    let shell = Shell::open();
    let world = json_of(&shell, "sandbox world --seed 42 --now 2030-06-01T00:00:00Z");
    assert_eq!(world, json_of(&shell, "sandbox world --seed 42"));
    assert_ne!(world, json_of(&shell, "sandbox world"));
    // Creating a world needs no key.
    let mut command = perennial();
    command.args(["--base-url", shell.url(), "--output", "json", "sandbox", "world", "--seed", "42"]);
    let ran = finish(command, "");
    assert_eq!(serde_json::from_str::<Json>(&ran.out).unwrap(), world, "{}", ran.err);
}

#[test]
fn the_log_has_what_was_sent_with_secrets_masked() {
    let shell = Shell::open();
    shell.run(&["customers", "create", "--first-name", "Ada", "--last-name", "Byron"]);
    shell.run_with(&["tokens", "create", "--description", "business card", "--card-stdin"], CARD_JSON);
    let log = json_of(&shell, "sandbox log");
    let entries: Vec<_> =
        log.as_array().unwrap().iter().map(|entry| (&entry["operation"], &entry["status"])).collect();
    assert_eq!(entries, [(&json!("tokens.create"), &json!(200)), (&json!("customers.create"), &json!(201))]);
    let text = log.to_string();
    assert!(text.contains("business card") && !text.contains("41111111") && !text.contains(CSC), "{text}");
    assert_eq!(json_of(&shell, "sandbox log --limit 1").as_array().unwrap().len(), 1);
}

#[test]
fn what_is_refused() {
    let shell = Shell::open();
    for (line, code, message) in [
        ("sandbox advance 2026-12-31", 2, "advance-to: must not be before the world's clock"),
        ("sandbox advance P1X", 2, "<PERIOD|DAY|MOMENT>: must be a period such as P1M"),
        ("sandbox advance tomorrow", 2, "<PERIOD|DAY|MOMENT>: must be a period such as P1M"),
        ("sandbox world --now yesterday", 2, "now: must be a moment"),
        ("sandbox log --limit 0", 2, "1..=500"),
        ("--environment sandbox sandbox clock", 2, "--base-url"),
    ] {
        let ran = run(&shell, line);
        assert_eq!(ran.code, code, "{line}: {}", ran.err);
        assert!(ran.err.contains(message) && ran.out.is_empty(), "{line}: {}{}", ran.err, ran.out);
    }
}

#[test]
fn where_no_sandbox_is() {
    let nowhere = "http://127.0.0.1:1";
    let vendor = gateway(iter::once(answer("404 Not Found", "<html>")));
    for (url, key, code, message) in [
        (nowhere, KEY, 69, "perennial sandbox serve"),
        (vendor.as_str(), KEY, 70, "check --base-url"),
        (nowhere, "short key", 2, "key"),
        ("http://gateway.example", KEY, 2, "loopback"),
    ] {
        let mut command = perennial();
        command.args(["--base-url", url, "sandbox", "clock"]).env("PERENNIAL_API_KEY", key);
        let ran = finish(command, "");
        assert_eq!(ran.code, code, "{url}: {}", ran.err);
        assert!(
            ran.err.contains(message) && ran.out.is_empty() && !ran.err.contains(KEY),
            "{url}: {}",
            ran.err
        );
    }
}

/// Every option of a gateway has an option of the command, and the sandbox checks its value.
#[test]
fn a_world_with_the_options_of_its_gateway() {
    let shell = Shell::open();
    let options = "--retention P1Y --partial-amount 25.00 --charge-hour 22 --date-slip -1 --start-inclusive false \
                   --end-inclusive false --decline-retries-times 3 --decline-retries-every PT6H \
                   --decline-retries-after-cancel true --catch-up true --plan-charge-order-id own-id --search-lag PT1H \
                   --order-id-searchable false --duplicate-answers-old true --name-limit 6 --own-customer-keys false \
                   --honors-suspended false";
    json_of(&shell, &format!("sandbox world --seed 9 {options}"));
    for (option, problem) in [
        ("--charge-hour 24", "gateway.charge-hour: must be from 0 to 23"),
        ("--charge-hour ten", "gateway.charge-hour: must be a whole number from 0"),
        ("--date-slip 2", "gateway.date-slip: must be -1, 0 or 1"),
        ("--catch-up yes", "gateway.catch-up: must be true or false"),
        (
            "--decline-retries-every PT0S",
            "gateway.decline-retries.every: must be longer than nothing, as in P1D",
        ),
        ("--plan-charge-order-id plan", "gateway.plan-charge-order-id: must be plan-key or own-id"),
        ("--search-lag 1", "gateway.search-lag: must be an ISO 8601 period such as P1M, P1Y2M10D or P1DT12H"),
    ] {
        let ran = run(&shell, &format!("sandbox world --seed 9 {option}"));
        assert!(ran.code != 0 && ran.err.contains(problem), "{option}: {}", ran.err);
    }
}
