//! The quickstart as a whole: its output is always equal.

use serde_json::{Value, json};

use crate::shell::{Ran, finish, perennial};

fn quickstart(arguments: &[&str]) -> Ran {
    let mut command = perennial();
    command.arg("quickstart").args(arguments);
    let ran = finish(command, "");
    assert_eq!(ran.code, 0, "{}", ran.err);
    ran
}

/// The output, which is the same in both formats.
fn in_both_formats(arguments: &[&str], print: impl Fn(Ran) -> String) -> String {
    let [json, xml] =
        ["json", "xml"].map(|format| print(quickstart(&[&["--format", format], arguments].concat())));
    assert_eq!(json, xml);
    json
}

#[test]
fn tables_are_the_same_in_both_formats() {
    let print = |Ran { out, err, .. }| format!("standard error:\n{err}\nstandard output:\n{out}");
    insta::assert_snapshot!("quickstart", in_both_formats(&[], print));
}

/// Holds: With `--output json` the quickstart prints one JSON document and nothing else on standard output.
#[test]
fn the_document_is_the_same_in_both_formats_and_nothing_else_is_printed() {
    let print = |Ran { out, err, .. }| {
        assert_eq!(err, "");
        serde_json::from_str::<Value>(&out).unwrap();
        out
    };
    insta::assert_snapshot!("quickstart_document", in_both_formats(&["--output", "json"], print));
}

/// Holds: The member of the quickstart is charged once for each of 26 months but two of a pause, over a renewal, a decline,
/// another card and a cancellation, and the sums of the books are those of its calendar.
#[test]
fn the_member_is_charged_once_for_each_month() {
    let ran = quickstart(&["--output", "json"]);
    let document: Value = serde_json::from_str(&ran.out).unwrap();
    let member = &document["subscription"];
    let months = (0..26).map(|count| (2028 + count / 12, count % 12 + 1));
    let expected: Vec<Value> = months
        .map(|(year, month)| {
            let due = format!("{year}-{month:02}-15");
            let state = match (year, month) {
                (2029, 4) => "recovered",
                (2029, 9 | 10) => "waived",
                _ => "paid",
            };
            let charged = match state {
                "recovered" => Some("2029-04-17"),
                "waived" => None,
                _ => Some(due.as_str()),
            };
            json!([due, "50.00", state, charged, "closed"])
        })
        .collect();
    let calendar = member["calendar"].as_array().unwrap().iter();
    let calendar: Vec<Value> = calendar
        .map(|row| json!([row["due"], row["payment-amount"], row["state"], row["charged"], row["books"]]))
        .collect();
    assert_eq!(calendar, expected);
    let sums = json!({
        "expected": "1300.00", "paid": "1150.00", "recovered": "50.00", "waived": "100.00", "open": "0.00",
    });
    assert_eq!((&member["books"], &member["status"]), (&sums, &json!("ended")));
    let plans = member["plans"].as_array().unwrap();
    assert!(plans.len() > 2 && plans.iter().all(|plan| plan["status"] == "closed"), "{plans:#?}");
}

/// The output, without the port of the sandbox.
fn without_port(output: &str) -> String {
    let mut parts = output.split("127.0.0.1:");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |all, part| all + "127.0.0.1" + part.trim_start_matches(|c: char| c.is_ascii_digit()))
}

#[test]
fn an_invoice_goes_the_whole_way() {
    let Ran { out, err, .. } = quickstart(&["--vendor", "clientpay"]);
    insta::assert_snapshot!(
        "quickstart_clientpay",
        without_port(&format!("standard error:\n{err}\nstandard output:\n{out}"))
    );
    let Ran { out, err, .. } = quickstart(&["--vendor", "clientpay", "--output", "json"]);
    assert_eq!(err, "");
    serde_json::from_str::<serde_json::Value>(&out).unwrap();
    insta::assert_snapshot!("quickstart_clientpay_document", without_port(&out));
}
