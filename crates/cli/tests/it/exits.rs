//! Exit statuses, one test for each, and what is told with them.

use std::iter;
use std::net::TcpListener;

use crate::shell::{CARD_JSON, KEY, Ran, Shell, finish, gateway, perennial};

#[test]
fn what_the_sandbox_answers() {
    let shell = Shell::open();
    let created = shell.run(&[
        "customers",
        "create",
        "--first-name",
        "Ada",
        "--last-name",
        "Byron",
        "--customer-key",
        "cust_ada",
    ]);
    assert_eq!(created.code, 0, "{}", created.err);
    for (arguments, stdin, code, kind) in [
        (&["customers", "get", "cust_ada"][..], "", 0, ""),
        (&["customers", "get", "a/b"], "", 2, "rules"),
        (&["customers", "frob"], "", 2, "usage"),
        (&["customers"], "", 2, "usage"),
        (&["--environment", "sandbox", "customers", "search"], "", 2, "usage"),
        (&["transactions", "void", "123"], "", 3, "refused"),
        (&["customers", "get", "cust_nobody"], "", 5, "not-found"),
        (&["transactions", "sale", "--amount", "0.21", "--card-stdin"], CARD_JSON, 4, "declined"),
    ] {
        let ran = shell.run_with(&[&["--output", "json"], arguments].concat(), stdin);
        assert_eq!(ran.code, code, "{arguments:?}: {}", ran.err);
        let told: serde_json::Value =
            if ran.err.is_empty() { "".into() } else { serde_json::from_str(&ran.err).unwrap() };
        assert_eq!(told["error"]["kind"].as_str().unwrap_or_default(), kind, "{arguments:?}");
    }
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let shell = Shell::open();
    let mut screens = Vec::new();
    for arguments in [
        &[
            "plans",
            "create",
            "--payment-amount",
            "1,000",
            "--frequency-day",
            "31",
            "--frequency",
            "WEEKLY",
            "--start-date",
            "2027-01-01",
            "--end-date",
            "2028-01-02",
            "--status",
            "paused",
            "--customer-key",
            "a b",
        ][..],
        &["customers", "update", "a/b", "--email", "", "--billing-zip", "\u{7}", "--shipping-city", " "],
        &["customers", "update", "cust_ada"],
        &["customers", "tokens", "attach", "a/b", "--card-type", "PAPER", "--default", "perhaps"],
        &["transactions", "capture", "a/b", "--amount", "0"],
        &["transactions", "sale", "--token-id", "a/b", "--amount", "x", "--exp-date", "9"],
        &["--output", "json", "plans", "search", "--payment-amount", "1.001", "--status", "x"],
    ] {
        let ran = shell.run(arguments);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{arguments:?}");
        screens.push(format!("{arguments:?}\n{}\n", ran.err));
    }
    insta::assert_snapshot!("violations", screens.concat());
}

fn run(url: &str, arguments: &[&str]) -> Ran {
    let mut command = perennial();
    command.args(["--base-url", url]).args(arguments).env("PERENNIAL_API_KEY", KEY);
    finish(command, "")
}

const SEARCH: &[&str] = &["customers", "search"];
const CREATE: &[&str] = &["customers", "create", "--first-name", "Ada", "--last-name", "O'Byron"];

#[test]
fn what_no_sandbox_answers() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nobody = format!("http://{nobody}");
    let silent = gateway(iter::repeat(""));
    let garbage =
        gateway(iter::repeat("HTTP/1.1 200 OK\r\ncontent-length: 7\r\nconnection: close\r\n\r\n<html/>"));
    let unauthorized =
        gateway(iter::repeat("HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"));
    let refused =
        gateway(iter::repeat("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"));
    let mut screens = Vec::new();
    for (url, arguments, code) in [
        (&nobody, SEARCH, 69),
        (&nobody, CREATE, 69),
        (&silent, SEARCH, 69),
        (&silent, CREATE, 75),
        (&garbage, SEARCH, 70),
        (&garbage, CREATE, 75),
        (&unauthorized, SEARCH, 3),
        (&refused, CREATE, 3),
    ] {
        let ran = run(url, arguments);
        assert_eq!((ran.code, ran.out.as_str()), (code, ""), "{arguments:?}: {}", ran.err);
        screens.push(format!("{arguments:?}\n{}\n", ran.err));
    }
    insta::assert_snapshot!("failures", screens.concat());
}
