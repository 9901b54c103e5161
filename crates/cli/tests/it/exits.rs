//! Exit statuses, one test for each, and their messages.

use std::iter;
use std::net::TcpListener;

use crate::shell::{CARD_JSON, KEY, Ran, Shell, answer, finish, gateway, perennial};

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
        (&["customers", "get", "a/b"], "", 2, "invalid-request"),
        (&["customers", "frob"], "", 2, "usage"),
        (&["customers"], "", 2, "usage"),
        (&["--environment", "sandbox", "customers", "search"], "", 2, "usage"),
        (&["transactions", "void", "123"], "", 3, "refused"),
        (&["customers", "get", "cust_nobody"], "", 5, "not-found"),
        (&["transactions", "sale", "--amount", "0.21", "--card-stdin"], CARD_JSON, 4, "declined"),
    ] {
        let ran = shell.run_with(&[&["--output", "json"], arguments].concat(), stdin);
        assert_eq!(ran.code, code, "{arguments:?}: {}", ran.err);
        let report: serde_json::Value =
            if ran.err.is_empty() { "".into() } else { serde_json::from_str(&ran.err).unwrap() };
        assert_eq!(report["error"]["kind"].as_str().unwrap_or_default(), kind, "{arguments:?}");
    }
}

#[test]
fn everything_that_is_wrong_is_reported_at_once() {
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

/// Checks for the exchange id, for which the gateway's support asks.
#[test]
fn a_decline_tells_its_exchange() {
    let body = r#"{"code":"402","status":"fail","exchange-id":"ID-clearent-cgw-1-0b7c","payload":{"transaction":
        {"amount":"8.00","type":"SALE","id":"700001","result":"DECLINED","result-code":"012",
        "display-message":"Expired \u001b[2Jcard"},"payloadType":"transaction"}}"#;
    let answer = answer("402 Payment Required", body);
    for (output, expected) in [
        (
            "table",
            "error: declined: Expired \u{fffd}[2Jcard\n  result code: 012\n  exchange id: ID-clearent-cgw-1-0b7c\n",
        ),
        (
            "json",
            "{\"error\":{\"kind\":\"declined\",\"message\":\"declined: Expired \u{fffd}[2Jcard\",\
            \"result-code\":\"012\",\"exchange-id\":\"ID-clearent-cgw-1-0b7c\"}}\n",
        ),
    ] {
        let url = gateway(iter::repeat(answer.clone()));
        let sale = ["transactions", "sale", "--amount", "8", "--token-id", "1100000000555551111"];
        let ran = run(&url, &[&["--output", output], &sale[..], &["--exp-date", "1230"]].concat());
        assert_eq!((ran.code, ran.err.as_str()), (4, expected));
        assert!(ran.out.contains("700001") && !ran.out.contains('\u{1b}'), "{}", ran.out);
    }
}

#[test]
fn a_command_without_a_gateway_refuses_one() {
    let quickstart = "quickstart starts its own sandbox, with its own key";
    let serve = "sandbox serve is a gateway and calls none";
    let completions = "completions calls no gateway";
    for (arguments, why, given) in [
        (&["quickstart", "--environment", "production"][..], quickstart, "--environment"),
        (&["quickstart", "--base-url", "https://gateway.example"], quickstart, "--base-url"),
        (&["sandbox", "serve", "--base-url", "http://127.0.0.1:1"], serve, "--base-url"),
        (&["--environment", "sandbox", "sandbox", "serve"], serve, "--environment"),
        (
            &["--api-key-file", "key", "completions", "bash", "--environment", "sandbox"],
            completions,
            "--environment and --api-key-file",
        ),
    ] {
        let mut command = perennial();
        command.args(arguments);
        let Ran { code, out, err } = finish(command, "");
        assert_eq!((code, out.as_str(), err), (2, "", format!("error: {why}: leave out {given}\n")));
    }
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
    // A response without the gateway's envelope is from somebody else, and decides nothing.
    let bare = |status: &str| gateway(iter::repeat(answer(status, "")));
    let (bare_unauthorized, bare_refused) = (bare("401 Unauthorized"), bare("400 Bad Request"));
    let refusal = |status: &str, message: &str| {
        let error = format!(
            r#"{{"code":"{}","status":"fail","payload":{{"error":{{"error-message":"{message}"}},"payloadType":"error"}}}}"#,
            &status[..3]
        );
        gateway(iter::repeat(answer(status, &error)))
    };
    let unauthorized = refusal("401 Unauthorized", "Unauthorized");
    let refused = refusal("400 Bad Request", "Invalid request");
    let mut screens = Vec::new();
    for (url, arguments, code) in [
        (&nobody, SEARCH, 69),
        (&nobody, CREATE, 69),
        (&silent, SEARCH, 69),
        (&silent, CREATE, 75),
        (&garbage, SEARCH, 70),
        (&garbage, CREATE, 75),
        (&bare_unauthorized, SEARCH, 70),
        (&bare_refused, CREATE, 75),
        (&unauthorized, SEARCH, 3),
        (&refused, CREATE, 3),
    ] {
        let ran = run(url, arguments);
        for ran in [&ran, &run(url, &[&["--output", "json"], arguments].concat())] {
            assert_eq!((ran.code, ran.out.as_str()), (code, ""), "{arguments:?}: {}", ran.err);
        }
        screens.push(format!("{arguments:?}\n{}\n", ran.err.replace(url.as_str(), "http://gateway")));
    }
    insta::assert_snapshot!("failures", screens.concat());
}

/// Checks that the status follows only the verdict of the answer.
#[test]
fn the_status_of_a_charge_is_that_of_its_verdict() {
    let sale = |members: &str| {
        format!(
            r#"{{"id":"700001","type":"SALE","amount":"25.00","last-four":"1111","order-id":"INV-1","invoice":"INV-1",{members}}}"#
        )
    };
    let one = |status: &str, transaction: &str, beside: &str| {
        let body =
            format!(r#"{{"code":"{}","payload":{{"transaction":{transaction}{beside}}}}}"#, &status[..3]);
        answer(status, &body)
    };
    let list = |transaction: &str| {
        let body = format!(
            r#"{{"code":"200","page":{{"last":true}},"payload":{{"transactions":{{"transaction":[{transaction}]}},"payloadType":"transactions"}}}}"#
        );
        answer("200 OK", &body)
    };
    let part =
        sale(r#""result":"APPROVED","result-code":"000","original-amount":"25.00","partial-approved":true"#)
            .replace(r#""amount":"25.00","last"#, r#""amount":"20.00","last"#);
    let approved = sale(r#""result":"APPROVED","result-code":"000""#);
    let declined = sale(r#""result":"DECLINED","result-code":"012""#);
    let review = sale(r#""result":"REVIEW""#);
    let contradiction = sale(r#""result":"APPROVED","result-code":"012""#);
    let error = r#","error":{"error-message":"no","result-code":"041"}"#;
    for (what, answered, stored, sold, paid, status) in [
        ("approved", one("200 OK", &approved, ""), &approved, 0, 0, ("paid", 0)),
        ("declined", one("402 Payment Required", &declined, ""), &declined, 4, 4, ("unpaid", 0)),
        ("a part", one("200 OK", &part, ""), &part, 6, 6, ("partially-paid", 6)),
        ("a review", one("200 OK", &review, ""), &review, 75, 75, ("undecided", 75)),
        (
            "a code against a word",
            one("200 OK", &contradiction, ""),
            &contradiction,
            75,
            75,
            ("undecided", 75),
        ),
        ("an error beside it", one("200 OK", &approved, error), &approved, 75, 0, ("paid", 0)),
        ("an id alone", one("200 OK", r#"{"id":"1"}"#, ""), &review, 75, 75, ("undecided", 75)),
        ("a decline in a 200", one("200 OK", &declined, ""), &declined, 75, 75, ("unpaid", 0)),
    ] {
        let run = |answers: Vec<String>, line: &str| {
            let mut command = perennial();
            command.args(["--base-url", &gateway(answers.into_iter()), "--output", "json"]);
            command.args(line.split_whitespace()).env("PERENNIAL_API_KEY", KEY);
            finish(command, CARD_JSON)
        };
        let sale = "transactions sale --amount 25.00 --order-id INV-1 --invoice INV-1 --card-stdin";
        let ran = run(vec![answered.clone()], sale);
        assert_eq!(ran.code, sold, "{what}: {}", ran.err);
        let ran = run(vec![answered.clone()], "test-sale 25.00 --card-stdin");
        assert_eq!(ran.code, sold, "{what}: {}", ran.err);

        let pay = "invoice pay --number INV-1 --date 2027-01-04 --line Labor=25.00 --card-stdin";
        let nothing = answer("204 No Content", "");
        let ran = run(vec![nothing, answered.clone(), list(stored)], pay);
        assert_eq!(ran.code, paid, "{what}: {}", ran.err);
        let (word, code) = status;
        let ran = run(vec![list(stored)], "invoice status INV-1");
        let printed: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!((ran.code, printed["status"].as_str()), (code, Some(word)), "{what}: {}", ran.err);
        let ran = run(vec![list(stored)], "transactions search");
        let verdict = if code == 75 {
            "undecided"
        } else if word == "unpaid" {
            "declined"
        } else {
            "approved"
        };
        let printed: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(printed[0]["verdict"].as_str(), Some(verdict), "{what}");
    }
}
