//! `perennial invoice`: one charge for a number, whatever happens on the way.

use std::thread;

use serde_json::{Value, json};

use crate::shell::{CARD, CARD_JSON, CSC, Ran, Shell};

pub(crate) const INVOICE_JSON: &str = r#"{"number":"INV-1","date":"2027-01-04","customerId":"C-9","customerName":"Rosa Lind",
    "lines":[{"description":"Decking, 20 boards","amount":"400.00"},{"description":"Labour","amount":"250"}],"tax":"52"}"#;

/// Runs a command on the invoice of the file, or on what the words say of another.
fn invoice(shell: &Shell, words: &[&str], stdin: &str) -> Ran {
    let ran = shell.run_with(&[&["--output", "json", "invoice"], words].concat(), stdin);
    for secret in [CARD, CSC, shell.key()] {
        assert!(!ran.out.contains(secret) && !ran.err.contains(secret), "{words:?} tells a secret");
    }
    ran
}

/// Pays the number with so much, by the card of standard input.
fn pay(shell: &Shell, number: &str, amount: &str) -> Ran {
    let line = format!("Labour={amount}");
    invoice(
        shell,
        &["pay", "--number", number, "--date", "2027-01-04", "--line", &line, "--card-stdin"],
        CARD_JSON,
    )
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// All transactions of the world: type and amount, the newest first.
fn charges(shell: &Shell) -> Vec<(String, String)> {
    let listed = json(&shell.run(&["--output", "json", "transactions", "search", "--all"]).out);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    listed.as_array().unwrap().iter().map(|made| (text(&made["type"]), text(&made["amount"]))).collect()
}

fn charge(amount: &str) -> (String, String) {
    ("SALE".to_owned(), amount.to_owned())
}

#[test]
fn a_number_is_charged_once() {
    let shell = Shell::open();
    // The number, the amount; the exit status, what is said of the invoice, and how many transactions there are then.
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
        let told = json(&ran.out);
        assert_eq!(
            (&told["number"], &told["status"], &told["charged"]),
            (&json!(number), &json!(status), &charged)
        );
        assert_eq!(
            (&told["transaction"]["order-id"], &told["transaction"]["invoice"]),
            (&json!(number), &json!(number))
        );
    }
    let told = pay(&shell, "INV-1", "9.00").err;
    assert!(told.contains("was paid with 250.00 by transaction "), "{told}");
    assert!(told.contains("now comes to 9.00: nothing was charged"), "{told}");
}

/// All look before one of them charges; then the gateway finds the charge that was first.
#[test]
fn processes_that_pay_at_one_moment_charge_once() {
    let shell = Shell::open();
    let told: Vec<Value> = thread::scope(|scope| {
        let running: Vec<_> =
            (0..4).map(|_| scope.spawn(|| json(&pay(&shell, "INV-1", "250.00").out))).collect();
        running.into_iter().map(|run| run.join().unwrap()).collect()
    });
    assert_eq!(charges(&shell), [charge("250.00")]);
    assert_eq!(told.iter().filter(|told| told["charged"] == true).count(), 1, "{told:?}");
    let id = &told[0]["transaction"]["id"];
    assert!(told.iter().all(|told| told["status"] == "paid" && told["transaction"]["id"] == *id), "{told:?}");
}

#[test]
fn a_charge_of_another_order_pays_no_invoice() {
    let shell = Shell::open();
    let sale = ["transactions", "sale", "--invoice", "INV-1", "--amount", "250.00", "--card-stdin"];
    assert_eq!(shell.run_with(&sale, CARD_JSON).code, 0);
    let paid = pay(&shell, "INV-1", "250.00");
    assert_eq!((paid.code, paid.out.as_str()), (3, ""), "{}", paid.err);
    assert!(paid.err.contains("which is of another order: nothing was charged"), "{}", paid.err);
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
    for (fault, code, made) in [
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
        assert_eq!((ran.code, charges(&shell).len()), (code, made), "{fault:?}: {}", ran.err);
        if code == 75 {
            let look = "perennial invoice status --output json --base-url http://sandbox INV-1";
            assert_eq!(json(&ran.err)["error"]["look-up"], look);
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
    // By standard input it is the same invoice, which is paid.
    let piped = ["pay", "--invoice-file", "-", "--token-id", "1100000000555551111", "--exp-date", "1230"];
    assert_eq!(json(&invoice(&shell, &piped, INVOICE_JSON).out)["charged"], false);
}

#[test]
fn what_is_wrong_is_named_and_nothing_is_sent() {
    let shell = Shell::open();
    let by_options = |words: &[&'static str]| [&["pay", "--card-stdin"], words].concat();
    let right = &["--number", "INV-1", "--date", "2027-01-04", "--line", "Labour=1.00"][..];
    for (words, stdin, told) in [
        (by_options(&[]), CARD_JSON, vec!["--date", "--line", "--number"]),
        (by_options(&[right, &["--line", "Tip=0"]].concat()), CARD_JSON, vec!["lines[1].amount"]),
        (by_options(&[right, &["--line", "=1.00"]].concat()), CARD_JSON, vec!["lines[1].description"]),
        (by_options(&[right, &["--line", "Labour"]].concat()), CARD_JSON, vec!["TEXT=AMOUNT"]),
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
        for told in told {
            assert!(ran.err.contains(told), "{words:?}: {told} is not in {}", ran.err);
        }
    }
    let log = shell.run(&["--output", "json", "sandbox", "log"]).out;
    assert!(!log.contains("INV-1"), "{log}");
}
