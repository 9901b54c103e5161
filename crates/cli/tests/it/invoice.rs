//! `perennial invoice`: one charge per number, even after failures.

use std::thread;

use serde_json::{Value, json};

use crate::shell::{CARD, CARD_JSON, CSC, KEY, Ran, Shell, answer, finish, gateway, perennial};

pub(crate) const INVOICE_JSON: &str = r#"{"number":"INV-1","date":"2027-01-04","customerId":"C-9","customerName":"Rosa Lind",
    "lines":[{"description":"Decking, 20 boards","amount":"400.00"},{"description":"Labor","amount":"250"}],"tax":"52"}"#;

/// Runs a command on the invoice of the file, or on another one given by the words.
fn invoice(shell: &Shell, words: &[&str], stdin: &str) -> Ran {
    let ran = shell.run_with(&[&["--output", "json", "invoice"], words].concat(), stdin);
    for secret in [CARD, CSC, shell.key()] {
        assert!(!ran.out.contains(secret) && !ran.err.contains(secret), "{words:?} tells a secret");
    }
    ran
}

/// Pays this amount of the number, by the card of standard input.
fn pay(shell: &Shell, number: &str, amount: &str) -> Ran {
    let line = format!("Labor={amount}");
    invoice(
        shell,
        &["pay", "--number", number, "--date", "2027-01-04", "--line", &line, "--card-stdin"],
        CARD_JSON,
    )
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// All transactions of the world: type and amount, newest first.
fn charges(shell: &Shell) -> Vec<(String, String)> {
    let listed = json(&shell.run(&["--output", "json", "transactions", "search", "--all"]).out);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    listed.as_array().unwrap().iter().map(|charge| (text(&charge["type"]), text(&charge["amount"]))).collect()
}

fn charge(amount: &str) -> (String, String) {
    ("SALE".to_owned(), amount.to_owned())
}

#[test]
fn a_number_is_charged_once() {
    let shell = Shell::open();
    // The number, the amount; then the exit status, the message about the invoice, and the number of transactions.
    for (number, amount, code, status, charged, transactions) in [
        ("INV-1", "0.21", 4, "unpaid", json!(false), 1),
        ("INV-1", "250.00", 0, "paid", json!(true), 2),
        ("INV-1", "250.00", 0, "paid", json!(false), 2),
        ("INV-1", "250", 0, "paid", json!(false), 2),
        ("INV-1", "251.00", 3, "", json!(null), 2),
        ("INV-2", "250.00", 0, "paid", json!(true), 3),
    ] {
        let ran = pay(&shell, number, amount);
        assert_eq!((ran.code, charges(&shell).len()), (code, transactions), "{number} {amount}: {}", ran.err);
        if status.is_empty() {
            assert_eq!(ran.out, "");
            continue;
        }
        let output = json(&ran.out);
        assert_eq!(
            (&output["number"], &output["status"], &output["charged"]),
            (&json!(number), &json!(status), &charged)
        );
        assert_eq!(
            (&output["transaction"]["order-id"], &output["transaction"]["invoice"]),
            (&json!(number), &json!(number))
        );
    }
    let message = pay(&shell, "INV-1", "9.00").err;
    assert!(message.contains("was paid with 250.00 by transaction "), "{message}");
    assert!(message.contains("its total is now 9.00: nothing was charged"), "{message}");
}

/// Runs processes that all look before one of them charges; then the gateway finds the first charge.
///
/// Holds: Processes that pay an invoice at the same moment charge it once, if the gateway checks for
/// duplicates.
#[test]
fn processes_that_pay_at_one_moment_charge_once() {
    let shell = Shell::open();
    let outputs: Vec<Value> = thread::scope(|scope| {
        let running: Vec<_> =
            (0..4).map(|_| scope.spawn(|| json(&pay(&shell, "INV-1", "250.00").out))).collect();
        running.into_iter().map(|run| run.join().unwrap()).collect()
    });
    assert_eq!(charges(&shell), [charge("250.00")]);
    assert_eq!(outputs.iter().filter(|output| output["charged"] == true).count(), 1, "{outputs:?}");
    let id = &outputs[0]["transaction"]["id"];
    assert!(
        outputs.iter().all(|output| output["status"] == "paid" && output["transaction"]["id"] == *id),
        "{outputs:?}"
    );
}

/// Holds: A charge of another order does not pay an invoice.
#[test]
fn a_charge_of_another_order_pays_no_invoice() {
    let shell = Shell::open();
    let sale = ["transactions", "sale", "--invoice", "INV-1", "--amount", "250.00", "--card-stdin"];
    assert_eq!(shell.run_with(&sale, CARD_JSON).code, 0);
    let paid = pay(&shell, "INV-1", "250.00");
    assert_eq!((paid.code, paid.out.as_str()), (3, ""), "{}", paid.err);
    assert!(paid.err.contains("but belongs to another order: nothing was charged"), "{}", paid.err);
    assert_eq!(charges(&shell), [charge("250.00")]);
}

#[test]
fn what_was_taken_back_at_once_can_be_paid_again_and_what_was_refunded_cannot() {
    let shell = Shell::open();
    let standing = || {
        let ran = invoice(&shell, &["status", "INV-1"], "");
        assert_eq!(ran.code, 0, "{}", ran.err);
        json(&ran.out)
    };
    assert_eq!(standing(), json!({"number":"INV-1","status":"unpaid"}));
    let sold = json(&pay(&shell, "INV-1", "250.00").out)["transaction"]["id"].as_str().unwrap().to_owned();
    assert_eq!((&standing()["status"], &standing()["transaction"]["id"]), (&json!("paid"), &json!(sold)));
    assert_eq!(shell.run(&["transactions", "void", &sold]).code, 0);
    assert_eq!(standing()["status"], "unpaid");

    let again = json(&pay(&shell, "INV-1", "250.00").out);
    assert_eq!(again["charged"], true);
    let again = again["transaction"]["id"].as_str().unwrap();
    assert_eq!(shell.run(&["transactions", "refund", "--id", again, "--amount", "250.00"]).code, 0);
    assert_eq!(json(&pay(&shell, "INV-1", "250.00").out)["charged"], false);
}

#[test]
fn a_lost_answer_is_looked_for_and_the_next_command_charges_at_most_what_is_missing() {
    for (fault, code, count) in [
        (&["drop-reply"][..], 0, 1),
        (&["error-after", "--status", "500"], 0, 1),
        (&["cut-reply", "--at-byte", "40"], 0, 1),
        (&["error-before", "--status", "500"], 75, 0),
    ] {
        let shell = Shell::open();
        let set = [&["sandbox", "fault", "set", "transactions.sale"], fault, &["--nth", "1"]].concat();
        let set = shell.run(&set);
        assert_eq!(set.code, 0, "{}", set.err);
        let ran = pay(&shell, "INV-1", "250.00");
        assert_eq!((ran.code, charges(&shell).len()), (code, count), "{fault:?}: {}", ran.err);
        if code == 75 {
            let look_up = "perennial invoice status --output json --base-url http://sandbox INV-1";
            assert_eq!(json(&ran.err)["error"]["look-up"], look_up);
        }
        let again = pay(&shell, "INV-1", "250.00");
        assert_eq!((again.code, charges(&shell)), (0, vec![charge("250.00")]), "{fault:?}: {}", again.err);
        assert_eq!(json(&again.out)["charged"], code == 75);
    }
}

#[test]
fn a_file_is_charged_or_put_on_a_page_as_the_same_invoice() {
    let shell = Shell::open();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("invoice.json");
    std::fs::write(&file, INVOICE_JSON).unwrap();
    let file = file.to_str().unwrap();

    let page = invoice(&shell, &["page", "--invoice-file", file, "--header-text", "Pay Marsh & Oak LLP"], "");
    assert_eq!(page.code, 0, "{}", page.err);
    assert!(json(&page.out)["url"].as_str().unwrap().starts_with("http://sandbox/app/api/"), "{}", page.out);
    let log = shell.run(&["--output", "json", "sandbox", "log", "--limit", "1"]).out;
    assert!(log.contains("702.00") && log.contains("INV-1") && log.contains("Pay Marsh"), "{log}");

    let paid = invoice(&shell, &["pay", "--invoice-file", file, "--card-stdin"], CARD_JSON);
    assert_eq!(paid.code, 0, "{}", paid.err);
    let paid = &json(&paid.out)["transaction"];
    assert_eq!((&paid["amount"], &paid["order-id"]), (&json!("702.00"), &json!("INV-1")));
    // From standard input, it is the same invoice, which is paid.
    let piped = ["pay", "--invoice-file", "-", "--token-id", "1100000000555551111", "--exp-date", "1230"];
    assert_eq!(json(&invoice(&shell, &piped, INVOICE_JSON).out)["charged"], false);
}

#[test]
fn what_is_wrong_is_named_and_nothing_is_sent() {
    let shell = Shell::open();
    let by_options = |words: &[&'static str]| [&["pay", "--card-stdin"], words].concat();
    let right = &["--number", "INV-1", "--date", "2027-01-04", "--line", "Labor=1.00"][..];
    for (words, stdin, messages) in [
        (by_options(&[]), CARD_JSON, vec!["--date", "--line", "--number"]),
        (by_options(&[right, &["--line", "Tip=0"]].concat()), CARD_JSON, vec!["lines[1].amount"]),
        (by_options(&[right, &["--line", "=1.00"]].concat()), CARD_JSON, vec!["lines[1].description"]),
        (by_options(&[right, &["--line", "Labor"]].concat()), CARD_JSON, vec!["TEXT=AMOUNT"]),
        (by_options(&[right, &["--tax", "1.001"]].concat()), CARD_JSON, vec!["--tax"]),
        (by_options(&[right, &["--due-date", "2027-02-30"]].concat()), CARD_JSON, vec!["--due-date"]),
        (by_options(right), r#"{"card":"4111111111111112","exp-date":"1230"}"#, vec!["card"]),
        (by_options(&["--invoice-file", "-"]), CARD_JSON, vec!["not both"]),
        (vec!["pay", "--invoice-file", "-", "--token-id", "1"], "{}", vec!["--date", "--line", "--number"]),
        (vec!["pay", "--invoice-file", "-", "--token-id", "1"], "[]", vec!["is not an invoice"]),
        (
            vec!["pay", "--invoice-file", "-", "--token-id", "1"],
            r#"{"nummer":"INV-1"}"#,
            vec!["is not an invoice"],
        ),
        (vec!["pay", "--invoice-file", "/nowhere/invoice.json"], "", vec!["cannot be opened"]),
        (vec!["page", "--invoice-file", "-"], r#"{"number":"INV-1"}"#, vec!["--date", "--line"]),
        (vec!["status", ""], "", vec!["<NUMBER>"]),
    ] {
        let ran = invoice(&shell, &words, stdin);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{words:?}: {}", ran.err);
        for message in messages {
            assert!(ran.err.contains(message), "{words:?}: {message} is not in {}", ran.err);
        }
    }
    let log = shell.run(&["--output", "json", "sandbox", "log"]).out;
    assert!(!log.contains("INV-1"), "{log}");
}

/// Runs a command against a gateway that lists these transactions of the invoice.
fn listing(words: &[&str], output: &str, transactions: &[String]) -> Ran {
    let count = transactions.len();
    let list = format!(
        r#"{{"code":"200","status":"success","exchange-id":"ID-1","page":{{"first":true,"last":true,"number":1,
        "number-of-elements":{count},"size":25,"total-elements":{count},"total-pages":1}},
        "payload":{{"transactions":{{"transaction":[{}]}},"payloadType":"transactions"}}}}"#,
        transactions.join(",")
    );
    let url = gateway(std::iter::repeat(answer("200 OK", &list)));
    let mut command = perennial();
    command.args(["--base-url", &url, "--output", output, "invoice"]).args(words);
    command.env("PERENNIAL_API_KEY", KEY);
    let ran = finish(command, CARD_JSON);
    Ran { err: ran.err.replace(&url, "http://gateway"), ..ran }
}

/// A charge of invoice INV-1 with these members.
fn charge_of(id: &str, amount: &str, members: &str) -> String {
    let id = if id.is_empty() { String::new() } else { format!(r#""id":"{id}","#) };
    format!(
        r#"{{{id}"type":"SALE","amount":"{amount}","order-id":"INV-1","invoice":"INV-1"{}{members}}}"#,
        if members.contains("result") { "," } else { r#","result":"APPROVED","result-code":"000""# },
    )
}

#[test]
fn the_status_says_what_was_taken_and_what_is_due() {
    let one = |amount, members| vec![charge_of("700001", amount, members)];
    let two = |amount| [one("25.00", ""), vec![charge_of("700002", amount, "")]].concat();
    let part = r#","partial-approved":"true""#;
    let part_of = r#","partial-approved":"true","original-amount":"25.00""#;
    let review = r#""result":"REVIEW""#;
    let (get, status) = ("perennial transactions get", "perennial invoice status");
    // The charges and --amount; then the exit status, the status, the amounts taken and due, and the error's text.
    for (charges, amount, code, word, taken, due, messages) in [
        (vec![], "25.00", 0, "unpaid", "", "", &[][..]),
        (one("25.00", ""), "", 0, "paid", "25.00", "", &[]),
        (one("24.00", ""), "", 0, "paid", "24.00", "", &[]),
        (one("25.00", ""), "25.00", 0, "paid", "25.00", "", &[]),
        (one("30.00", r#","tip-amount":"5.00""#), "25.00", 0, "paid", "30.00", "", &[]),
        (
            one("24.00", ""),
            "25.00",
            6,
            "partially-paid",
            "24.00",
            "1.00",
            &["700001", "only 24.00", "1.00 is still due"],
        ),
        (one("20.00", part_of), "", 6, "partially-paid", "20.00", "5.00", &["5.00 is still due"]),
        (one("20.00", part), "", 6, "partially-paid", "20.00", "", &["only 20.00"]),
        (one("20.00", part), "25.00", 6, "partially-paid", "20.00", "5.00", &["5.00 is still due"]),
        (one("20.00", part_of), "30.00", 6, "partially-paid", "20.00", "10.00", &["10.00 is still due"]),
        (one("30.00", ""), "25.00", 8, "overpaid", "30.00", "", &["INV-1 is 25.00", "700001 took 30.00"]),
        (
            two("25.00"),
            "",
            8,
            "charged-more-than-once",
            "50.00",
            "",
            &["700001 took 25.00", "700002 took 25.00"],
        ),
        (two("25.00"), "50.00", 8, "charged-more-than-once", "50.00", "", &["700001", "700002"]),
        (one("25.00", r#","status":"Voided""#), "25.00", 0, "unpaid", "", "", &[]),
        (
            one("25.00", r#","status":"Voided","voided":"false""#),
            "",
            75,
            "undecided",
            "",
            "",
            &[get, "700001"],
        ),
        (one("25.00", review), "", 75, "undecided", "", "", &[get, "700001"]),
        (vec![charge_of("", "25.00", review)], "", 75, "undecided", "", "", &[status, "INV-1"]),
    ] {
        let amount = if amount.is_empty() { vec![] } else { vec!["--amount", amount] };
        let words = [&["status", "INV-1"], &amount[..]].concat();
        let ran = listing(&words, "json", &charges);
        assert_eq!(ran.code, code, "{words:?} {charges:?}: {}", ran.err);
        let output = json(&ran.out);
        let member = |name: &str| output[name].as_str().unwrap_or_default().to_owned();
        assert_eq!(
            (member("status"), member("taken"), member("due")),
            (word.into(), taken.into(), due.into())
        );
        assert_eq!(output["transactions"].as_array().map(Vec::len), (charges.len() > 1).then_some(2));
        let text = listing(&words, "table", &charges);
        assert_eq!((text.code, ran.err.is_empty()), (code, messages.is_empty()));
        for message in messages {
            assert!(ran.err.contains(message), "{message} is not in {}", ran.err);
            assert!(text.err.contains(message), "{message} is not in {}", text.err);
        }
        if code == 75 {
            let command = "--base-url http://gateway";
            let look_up = text.err.lines().find_map(|line| line.trim().strip_prefix("look with: ")).unwrap();
            assert!(look_up.contains(command), "{look_up}");
            let look_up = json(&ran.err)["error"]["look-up"].as_str().unwrap().to_owned();
            assert!(look_up.contains(command) && look_up.contains("--output json"), "{look_up}");
        }
        if word == "charged-more-than-once" {
            let pay =
                ["pay", "--number", "INV-1", "--date", "2027-01-04", "--line", "Labor=25.00", "--card-stdin"];
            let paid = listing(&pay, "json", &charges);
            assert_eq!((paid.code, &json(&paid.out)["status"]), (8, &json!(word)), "{}", paid.err);
        }
    }
}

/// Checks every output form, and each way in which the gateway reports it.
#[test]
fn an_answer_with_an_earlier_charge_is_noted() {
    for members in
        [r#""check-field-duplicate":"true""#, r#""display-message":"Transaction previously approved""#]
    {
        let body = format!(
            r#"{{"code":"200","status":"success","exchange-id":"ID-1","payload":{{"transaction":{{"id":"700001",
            "type":"SALE","amount":"12.00","result":"APPROVED","result-code":"000",{members}}},"payloadType":"transaction"}}}}"#
        );
        for output in ["table", "json", "jsonl", "csv"] {
            let url = gateway([answer("200 OK", &body)].into_iter());
            let mut command = perennial();
            command.args(["--base-url", &url, "--output", output, "transactions", "sale"]);
            command.args(["--amount", "12.00", "--card-stdin"]).env("PERENNIAL_API_KEY", KEY);
            let ran = finish(command, CARD_JSON);
            let noted = "this is an earlier transaction: nothing was charged now\n";
            let noted = if output == "table" { noted } else { "" };
            assert_eq!((ran.code, ran.err.as_str()), (0, noted), "{output}");
            let has_member = ran.out.contains("charged") && ran.out.contains("false");
            assert!(has_member, "{output}: {}", ran.out);
        }
    }
}

/// Checks that a partially approved payment of a plan shows the amounts taken and due.
#[test]
fn a_part_of_a_payment_of_a_plan_is_shown() {
    let shell = Shell::open();
    let world =
        shell.run(&["sandbox", "world", "--seed", "9", "--partial-amount", "50.00", "--output", "json"]);
    let key = json(&world.out)["api-key"].as_str().unwrap().to_owned();
    let run = |line: &str, stdin: &str| {
        let mut command = perennial();
        command.args(["--base-url", shell.url()]).args(line.split(' ')).env("PERENNIAL_API_KEY", &key);
        let ran = finish(command, stdin);
        assert_eq!(ran.code, 0, "{line}: {}", ran.err);
        ran.out
    };
    run("customers create --customer-key member-7 --first-name Ada --last-name Byron", "");
    let token =
        run("tokens create --customer-key member-7 --description card --card-stdin --output json", CARD_JSON);
    let token = json(&token)["token-id"].as_str().unwrap().to_owned();
    for amount in ["50.00", "60.00"] {
        run(
            &format!(
                "plans create --plan-name {amount} --customer-key member-7 --token-id {token} --frequency-day 15 \
                 --payment-amount {amount} --start-date 2027-01-01 --end-date 2027-12-31 --status ACTIVE"
            ),
            "",
        );
    }
    run("sandbox advance P1M", "");
    let columns = |line: &str| {
        let table = run(line, "");
        let rows = table.lines().filter(|row| row.contains("approved"));
        rows.map(|row| row.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect::<Vec<_>>()
    };
    let payments = columns("payments list");
    let has = |rows: &[Vec<String>], taken: &str, due: bool| {
        rows.iter()
            .any(|row| row.iter().any(|cell| cell == taken) && row.iter().any(|cell| cell == "10.00") == due)
    };
    assert!(has(&payments, "40.00", true) && has(&payments, "60.00", false), "{payments:?}");
    let transactions = columns("transactions search");
    assert!(has(&transactions, "40.00", true) && has(&transactions, "60.00", false), "{transactions:?}");
}
