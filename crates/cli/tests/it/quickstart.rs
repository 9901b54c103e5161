//! The quickstart as a whole: its output is always equal, and it takes two seconds.

use std::time::{Duration, Instant};

use crate::shell::{Ran, finish, perennial};

fn quickstart(arguments: &[&str]) -> Ran {
    let mut command = perennial();
    command.arg("quickstart").args(arguments);
    let begun = Instant::now();
    let ran = finish(command, "");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    ran
}

#[test]
fn tables_are_the_same_in_both_formats() {
    let output = |format| {
        let Ran { out, err, .. } = quickstart(&["--format", format]);
        format!("standard error:\n{err}\nstandard output:\n{out}")
    };
    let json = output("json");
    insta::assert_snapshot!("quickstart", json);
    assert_eq!(json, output("xml"));
}

/// Holds: With `--output json` the quickstart prints one JSON document and nothing else on standard output.
#[test]
fn the_document_is_the_same_in_both_formats_and_nothing_else_is_printed() {
    let output = |format| {
        let Ran { out, err, .. } = quickstart(&["--output", "json", "--format", format]);
        assert_eq!(err, "");
        serde_json::from_str::<serde_json::Value>(&out).unwrap();
        out
    };
    let json = output("json");
    insta::assert_snapshot!("quickstart_document", json);
    assert_eq!(json, output("xml"));
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
