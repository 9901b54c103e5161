//! ClientPay's commands against the sandbox: whole screens, and the reports of lost answers.

use std::iter;
use std::net::TcpListener;

use serde_json::Value;

use crate::operations::{Session, Step, screens};
use crate::shell::{ACCOUNT_JSON, CARD_JSON, Ran, Shell, answer, finish, gateway, perennial};

pub(crate) const INVOICES_JSON: &str = r#"[
    {"invoiceNumber":"INV-1","invoiceDate":"2027-01-04","outstandingBalance":"100.00","clientID":"C-9","editable":false},
    {"invoiceNumber":"INV-2","invoiceDate":"01/05/2027","outstandingBalance":"50.50","dueDate":null}
]"#;

/// A published number that is declined.
const DECLINED_JSON: &str = r#"{"card":"4000300211112228","exp-date":"1230","csc":"9786"}"#;

/// A transcript of every operation. Ids are those of the seeded world.
pub(crate) fn transcript(output: &str) -> Vec<Step> {
    let shell = Shell::open();
    let mut session = Session::of(&shell, "json", output);
    session.run("clientpay access current");
    session.run("clientpay access new");
    session.run("clientpay access current");
    session.run("clientpay access new --customer");

    let page = session.id(
        "requestId",
        "clientpay page create invoice --invoice-number INV-70412 --invoice-date 2027-01-04 \
        --outstanding-balance 2490.50 --header-text 'Pay Marsh & Oak LLP' --duration 86400 --billing-state MO",
    );
    session.run_with("clientpay page create invoice --invoices-file - --session-id S-1", INVOICES_JSON);
    session.run(
        "clientpay page create line-item --item-name Retainer --payment-amount 500 --item-name-label What",
    );
    session.run(
        "clientpay page create connect --connect-option 3E --invoice-number INV-7 --invoice-date 2027-01-04 \
        --outstanding-balance 10.00 --matter-number M-204",
    );
    session.run("clientpay connect-search --connect-option 3E --search-option matter --search-text M-204");
    session.run("clientpay page create payer --accept-multiple-methods false");
    session.run(&format!("clientpay page expire {page}"));

    let id = session.id("requestId", "clientpay request-id");
    let pay = format!(
        "clientpay pay --total-amount 540.25 --tax 40.25 --session-id S-2 --request-id {id} --card-stdin"
    );
    let paid = session.id_with("paymentId", &pay, CARD_JSON);
    // The command with the same id finds the same payment.
    assert_eq!(session.id_with("paymentId", &pay, CARD_JSON), paid);
    session.run_with("clientpay pay --total-amount 10.00 --billing-city Mobile --card-stdin", DECLINED_JSON);
    session.run_with(
        "clientpay pay --total-amount 75 --name-on-account 'Rosa Lind' --account-type checking_personal --account-stdin",
        ACCOUNT_JSON,
    );
    session.run("clientpay search --session-id S-2");
    session.run("clientpay search --from 2027-01-01 --to 2027-02-01 --page-size 1");
    session.run("clientpay search --from 2027-01-01 --all --page-size 1 --order-by paymentId");
    session.run("clientpay search --from 2027-01-01 --count");
    session.run("clientpay search --payment-id 1");
    session.run(&format!("clientpay refund {paid} --refund-note 'sent twice'"));
    session.run(&format!("clientpay refund {paid}"));
    session.run("clientpay refund 1");

    let payer = session.id(
        "payerId",
        "clientpay payers create --first-name Rosa --last-name Lind --email rosa@example.test \
        --email lind@example.test --payer-city Mobile",
    );
    session.run(&format!("clientpay payers update {payer} --business-name 'Harbor Tile LLC'"));
    let method = session.id_with(
        "paymentMethodIds",
        &format!("clientpay payers add-methods {payer} --is-primary true --cardholder-name 'Rosa Lind' --card-stdin"),
        CARD_JSON,
    );
    session.run_with(
        &format!("clientpay payers add-methods {payer} --name-on-account 'Rosa Lind' --account-stdin"),
        ACCOUNT_JSON,
    );
    session.run(&format!("clientpay payers update-methods {method} --exp-date 1231"));
    session.run(&format!("clientpay pay --total-amount 12.00 --payer-or-payment-method-id {payer}"));
    session.run(&format!("clientpay payers page --payer-id {payer}"));
    session.run(&format!("clientpay payers delete {payer}"));
    session.run(&format!("clientpay payers delete {payer}"));
    session.steps
}

#[test]
fn tables() {
    insta::assert_snapshot!("clientpay_tables", screens(&transcript("table")));
}

#[test]
fn documents() {
    insta::assert_snapshot!("clientpay_documents", screens(&transcript("json")));
}

/// Checks that an id is shown only on request, and lives until it is ended or another one is created.
///
/// Holds: The command masks an access id unless the caller asks to reveal it.
#[test]
fn an_access_id_is_masked_unless_it_is_to_be_revealed() {
    let shell = Shell::open();
    let masked = shell.run(&["clientpay", "access", "new"]);
    assert_eq!((masked.code, masked.out.as_str()), (0, "accessId ***\n"));
    let revealed = shell.run(&["--output", "json", "clientpay", "access", "current", "--reveal"]);
    let answer: Value = serde_json::from_str(&revealed.out).unwrap();
    let id = answer["accessId"].as_str().unwrap();

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("id.txt");
    std::fs::write(&file, format!("{id}\n")).unwrap();
    for (operation, from_file, code, output) in [
        ("validate", true, 0, "valid true\n"),
        ("validate", false, 0, "valid true\n"),
        ("expire", false, 0, "expired true\n"),
        ("validate", true, 0, "valid false\n"),
        ("expire", true, 3, ""),
    ] {
        let mut command = perennial();
        command.args(["--base-url", shell.url(), "clientpay", "access", operation]).envs(shell.environment());
        if from_file {
            command.arg("--access-id-file").arg(&file);
        } else {
            command.env("PERENNIAL_CLIENTPAY_ACCESS_ID", id);
        }
        let ran = finish(command, "");
        assert_eq!((ran.code, ran.out.as_str()), (code, output), "{operation}: {}", ran.err);
        assert!(!ran.err.contains(id), "{}", ran.err);
    }
}

/// Holds: The command reads the credentials of ClientPay from the environment or a file.
#[test]
fn credentials_come_from_the_environment_or_a_file() {
    let shell = Shell::open();
    let [_, (_, integrator), (_, account), (_, pin), ..] = shell.environment();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let wire = format!(r#"{{"integratorKey":"{integrator}","accountKey":"{account}","accountPin":"{pin}"}}"#);
    let world = format!(
        r#"{{"integrator-key":"{integrator}","account-key":"{account}","account-pin":"{pin}","api-key":"0"}}"#
    );
    let wrong = wire.replace(&pin, "000000");
    for (text, code, message) in [
        (wire.as_str(), 0, ""),
        (&world, 0, ""),
        (&wrong, 3, ""),
        ("", 2, "the credentials file FILE is empty"),
        ("integratorKey", 2, "the credentials file is not {\"integratorKey\":\"…\""),
        (r#"{"integratorKey":"a"}"#, 2, "the credentials file FILE lacks accountKey and accountPin"),
        (
            r#"{"integratorKey":"a","accountKey":"b c","accountPin":"d"}"#,
            2,
            "  accountKey: must be visible ASCII without blanks and quotation marks (character 2)",
        ),
    ] {
        let file = file("credentials", text);
        let mut command = perennial();
        command.args(["--base-url", shell.url(), "clientpay", "request-id", "--credentials-file", &file]);
        let Ran { code: ended, out, err } = finish(command, "");
        let err = err.replace(&file, "FILE");
        assert_eq!(ended, code, "{err}");
        assert_eq!(out.is_empty(), code != 0, "{out}");
        assert!(err.contains(message), "{err}");
        assert!(!err.contains(&pin) && !err.contains("b c"), "{err}");
    }
    let mut command = perennial();
    command.args(["clientpay", "request-id"]).env("PERENNIAL_CLIENTPAY_ACCOUNT_KEY", &account);
    assert_eq!(
        finish(command, "").err,
        "error: there are no credentials: set PERENNIAL_CLIENTPAY_INTEGRATOR_KEY and PERENNIAL_CLIENTPAY_ACCOUNT_PIN \
         or pass --credentials-file FILE\n",
    );
}

#[test]
fn everything_that_is_wrong_is_reported_at_once() {
    let shell = Shell::open();
    let mut screens = Vec::new();
    for (line, stdin) in [
        (
            "page create invoice --invoice-date 2027-02-30 --outstanding-balance 0 --payment-amount 1 --duration 60",
            "",
        ),
        ("page create invoice --billing-state Alabama --pdf-link ftp://a", ""),
        ("page create invoice --invoices-file - --editable perhaps", "[]"),
        ("page create invoice --invoices-file -", r#"[{"invoiceNumber":"1","frob":"x"}]"#),
        ("page create invoice --invoices-file -", r#"[{"outstandingBalance":1.50}]"#),
        ("page create invoice --invoices-file -", r#"[{"invoiceNumber":"1"},{"invoiceDate":"x"}]"#),
        ("page create invoice --invoices-file - --duration 1", "[]"),
        ("page create invoice --invoices-file -", "{}"),
        ("page create connect --connect-option 4E", ""),
        ("page expire a/b", ""),
        ("pay --total-amount 1,000 --tax x --billing-zip-code= --card-stdin", "4111111111111112\n1330\n9"),
        ("pay --total-amount 40 --tax 50 --request-id a/b --card-stdin", "4111111111111111\n1230"),
        ("pay --total-amount 40 --account-type gold --account-stdin", "12345678\n1"),
        ("pay --total-amount 40 --account-stdin", ""),
        ("pay --total-amount 40", ""),
        ("refund a/b --enable-remaining-amount-refunds perhaps --email-options x", ""),
        ("search", ""),
        ("search --session-id= --request-id a --page-size 101", ""),
        ("search --from 2027-01-01 --page-size 101 --order-by frob", ""),
        ("connect-search --search-option x", ""),
        ("payers create --payer-state x --payer-name 9", ""),
        ("payers update a/b", ""),
        ("payers update pyr-1", ""),
        ("payers update-methods a/b --exp-date 1330", ""),
        ("payers update-methods mth-1", ""),
        ("request-id --format xml", ""),
        ("request-id --api-key-file key", ""),
        ("payers delete pyr-1 --api-version 1.0", ""),
    ] {
        let words: Vec<&str> = iter::once("clientpay").chain(line.split(' ')).collect();
        let ran = shell.run_with(&words, stdin);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{line}: {}", ran.err);
        assert!(!ran.err.contains("411111111111111") && !ran.err.contains("12345678"), "{line}: {}", ran.err);
        screens.push(format!("$ perennial clientpay {line}\n{}\n", ran.err));
    }
    insta::assert_snapshot!("clientpay_violations", screens.concat());
}

/// Holds: The command takes no credential, access id or bank number of ClientPay as an argument.
#[test]
fn secrets_are_never_arguments() {
    for argument in [
        "--integrator-key",
        "--account-key=4711secret",
        "--account-pin=4711secret",
        "--customer-pin",
        "--access-id=4711secret",
        "--account-number=4711secret",
        "--routing-number",
    ] {
        let mut command = perennial();
        command.args(["clientpay", "request-id", argument]);
        let ran = finish(command, "");
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{argument}");
        assert!(ran.err.contains("never") && !ran.err.contains("4711secret"), "{argument}: {}", ran.err);
    }
}

/// A gateway that gives an access id and a request id, and then these answers.
fn gateway_that(answers: &[&str]) -> String {
    let ids = [r#"{"success":true,"accessId":"acc-1"}"#, r#"{"success":true,"requestId":"0d3f4c2e"}"#];
    let begins = ids.map(|body| answer("200 OK", body));
    let rest: Vec<String> = answers.iter().map(|&answer| answer.to_owned()).collect();
    gateway(begins.into_iter().chain(rest).chain(iter::repeat(String::new())))
}

/// Holds: A ClientPay write without a response ends as an unknown outcome, unless nothing was sent.
#[test]
fn what_no_gateway_answers() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nobody = format!("http://{nobody}");
    let lost = gateway_that(&[]);
    let pay = "pay --total-amount 540.25 --card-stdin";
    let mut screens = Vec::new();
    for (url, line, code) in [
        (&nobody, pay, 69),
        (&nobody, "page expire 0d3f4c2e", 69),
        (&lost, pay, 75),
        (&gateway_that(&[]), "refund 20411875", 75),
        (&gateway_that(&[]), "payers delete pyr-1", 75),
    ] {
        let mut command = perennial();
        command.args(["--base-url", url, "--timeout", "1", "clientpay"]).args(line.split(' '));
        for name in ["INTEGRATOR_KEY", "ACCOUNT_KEY", "ACCOUNT_PIN"] {
            command.env(format!("PERENNIAL_CLIENTPAY_{name}"), "4711");
        }
        let ran = finish(command, CARD_JSON);
        assert_eq!((ran.code, ran.out.as_str()), (code, ""), "{line}: {}", ran.err);
        screens.push(format!("$ perennial clientpay {line}\n{}\n", ran.err.replace(url, "http://gateway")));
    }
    insta::assert_snapshot!("clientpay_failures", screens.concat());
}

/// Checks that a retry under the id in the error finds the payment that was made.
///
/// Holds: The command names the request id of a payment with an unknown outcome, and finds the payment under
/// it.
#[test]
fn a_payment_whose_answer_was_lost_is_found_again() {
    let shell = Shell::open();
    let pay = ["--output", "json", "clientpay", "pay", "--total-amount", "540.25", "--card-stdin"];
    // Every response to the payment and to the searches for it is lost.
    for operation in ["clientpay-payments.create", "clientpay-payments.search"] {
        let set = shell.run(&["sandbox", "fault", "set", operation, "drop-reply"]);
        assert_eq!(set.code, 0, "{}", set.err);
    }
    let lost = shell.run_with(&[&["--timeout", "1"], &pay[..]].concat(), CARD_JSON);
    assert_eq!((lost.code, lost.out.as_str()), (75, ""), "{}", lost.err);
    let report: Value = serde_json::from_str(&lost.err).unwrap();
    let id = report["error"]["request-id"].as_str().unwrap();
    let look_up = report["error"]["look-up"].as_str().unwrap();
    let options = "--output json --base-url http://sandbox --timeout 1";
    assert_eq!(look_up, format!("perennial clientpay search {options} --request-id {id}"));

    assert_eq!(shell.run(&["sandbox", "fault", "clear"]).code, 0);
    let again = shell.run_with(&[&pay[..], &["--request-id", id]].concat(), CARD_JSON);
    assert_eq!(again.code, 0, "{}", again.err);
    let paid: Value = serde_json::from_str(&again.out).unwrap();
    assert_eq!((paid["requestId"].as_str(), paid["paymentAmount"].as_str()), (Some(id), Some("540.25")));
    let count = shell.run(&["clientpay", "search", "--from", "2027-01-01", "--count"]);
    assert_eq!(count.out, "count 1\n");
}
