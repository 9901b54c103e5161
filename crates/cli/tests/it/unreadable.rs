//! Partly unreadable lists: the readable records are shown, the others are reported, with a status that says so.

use std::iter;

use serde_json::Value;

use crate::shell::{KEY, Ran, answer, finish, gateway, perennial};

/// The lists, the name of a record, and the name of its key.
const LISTS: &[(&str, &str, &str, &str, &str)] = &[
    ("customers search", "customers", "customer", "customer-key", r#""first-name":{}"#),
    ("customers tokens list c", "customer-tokens", "customer-token", "token-id", r#""last-four-digits":"x""#),
    ("tokens search", "tokens", "token", "token-id", r#""last-four-digits":"x""#),
    ("plans search", "payment-plans", "payment-plan", "plan-key", r#""payment-amount":"fifty""#),
    ("payments list", "payments", "payment", "transaction-id", r#""payment-amount":"fifty""#),
    ("transactions search", "transactions", "transaction", "id", r#""voided":"perhaps""#),
    ("batches list", "batches", "batch", "id", r#""net-amount":"fifty""#),
];

fn run(url: &str, arguments: &str, output: &str) -> Ran {
    let mut command = perennial();
    command
        .args(["--base-url", url, "--output", output])
        .args(arguments.split(' '))
        .env("PERENNIAL_API_KEY", KEY);
    finish(command, "")
}

#[test]
fn readable_records_are_printed_and_others_reported() {
    for (arguments, list, record, key, wrong) in LISTS {
        let body = format!(
            r#"{{"page":{{"number":1,"total-pages":1}},"payload":{{"{list}":{{"{record}":[{{"{key}":"k1"}},{{{wrong},"{key}":"k2"}},{{"{key}":"k3"}}]}},"payloadType":"{list}"}}}}"#
        );
        let url = gateway(iter::repeat(answer("200 OK", &body)));
        let ran = run(&url, arguments, "json");
        assert_eq!(ran.code, 70, "{arguments}: {}", ran.err);
        let records: Vec<Value> = serde_json::from_str(&ran.out).unwrap();
        let keys: Vec<&str> = records.iter().map(|object| object[key].as_str().unwrap()).collect();
        assert_eq!(keys, ["k1", "k3"], "{arguments}");
        let report: Value = serde_json::from_str(&ran.err).unwrap();
        assert_eq!(report["error"]["kind"], "invalid-response", "{arguments}");
        let member = wrong.split('"').nth(1).unwrap();
        let message = report["error"]["message"].as_str().unwrap();
        assert!(
            message.starts_with(
                "1 record of the list cannot be read, and only the others are shown: record k2: "
            ) && message.contains(&format!("{record}.{member}: ")),
            "{arguments}: {message}"
        );

        let table = run(&url, arguments, "table");
        assert_eq!(table.code, 70, "{arguments}");
        assert!(
            table.out.contains("k1") && table.out.contains("k3") && !table.out.contains("k2"),
            "{}",
            table.out
        );
        assert!(table.err.contains("record k2"), "{}", table.err);
    }
}

#[test]
fn a_list_of_nothing_else_is_not_nothing() {
    let body = r#"{"payload":{"customers":{"customer":[{"customer-key":"k","email":[]}]},"payloadType":"customers"}}"#;
    let ran = run(&gateway(iter::repeat(answer("200 OK", body))), "customers search", "table");
    assert_eq!((ran.code, ran.out.as_str()), (70, ""));
    assert!(ran.err.contains("record k") && !ran.err.contains("nothing found"), "{}", ran.err);
}
