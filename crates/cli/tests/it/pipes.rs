//! Closed pipes: the command's reaction when either side goes away.

use std::process::{Command, Stdio};

use crate::shell::{KEY, answer, finish, finish_to, finish_unread, gateway, gone, perennial};

/// Prints the script of completions, which is larger than any pipe's buffer, to a closed pipe.
#[test]
fn a_closed_pipe_ends_it_quietly() {
    let mut command = perennial();
    command.args(["completions", "zsh"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn without_standard_error_the_status_still_tells() {
    let mut command = perennial();
    command.args(["customers", "search"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stderr.take());
    assert_eq!(child.wait().unwrap().code(), Some(2));
}

const SALE: &[&str] =
    &["transactions", "sale", "--amount", "8", "--token-id", "1100000000555551111", "--exp-date", "1230"];

/// Creates a command for a gateway that gives these answers.
fn called(output: &str, arguments: &[&str], answers: impl IntoIterator<Item = String>) -> Command {
    let answers: Vec<String> = answers.into_iter().collect();
    let url = gateway(answers.into_iter());
    let mut command = perennial();
    command.args(["--base-url", &url, "--output", output]).args(arguments).env("PERENNIAL_API_KEY", KEY);
    command
}

fn sold(status: &str, outcome: &str, result: &str, result_code: &str) -> String {
    let body = format!(
        r#"{{"code":"{}","status":"{outcome}","exchange-id":"ID-clearent-cgw-1-0b7c","payload":{{"transaction":
        {{"amount":"8.00","type":"SALE","id":"700001","result":"{result}","result-code":"{result_code}",
        "display-message":"told"}},"payloadType":"transaction"}}}}"#,
        &status[..3]
    );
    answer(status, &body)
}

fn declined() -> String {
    sold("402 Payment Required", "fail", "DECLINED", "012")
}

fn approved() -> String {
    sold("200 OK", "success", "APPROVED", "000")
}

fn page() -> String {
    let page = r#"{"code":"200","page":{"number":1,"total-pages":2,"last":false},
        "payload":{"customers":{"customer":[{"customer-key":"cust_ada"}]},"payloadType":"customers"}}"#;
    answer("200 OK", page)
}

const LIST: &[&str] = &["customers", "search", "--all"];

/// Checks that the outcome is reported even if the reader of the result is gone.
#[test]
fn a_closed_pipe_hides_no_outcome() {
    for (arguments, answers, code, message) in [
        (SALE, vec![declined()], 4, "declined"),
        (SALE, vec![approved()], 0, ""),
        (SALE, vec![gone()], 5, "no such object"),
        (&LIST[..2], vec![page()], 0, ""),
        (LIST, vec![page(), gone()], 5, "no such object"),
    ] {
        let ran = finish_unread(called("table", arguments, answers));
        assert_eq!(ran.code, code, "{arguments:?}: {}", ran.err);
        assert!(
            ran.err.contains(message) && ran.err.is_empty() == message.is_empty(),
            "{arguments:?}: {}",
            ran.err
        );
    }
    let ran = finish_unread(called("json", SALE, [declined()]));
    assert!(ran.code == 4 && ran.err.contains(r#""kind":"declined""#), "{}", ran.err);
}

/// Checks that a successful write is not reported as a failure: a script would charge twice.
#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_printed_was_done_all_the_same() {
    let full = || std::fs::File::options().write(true).open("/dev/full").unwrap();
    let done = |object: &str| {
        format!("error: done, but the result could not be printed: {object}; do not send it again\n")
    };
    let because = "  because: No space left on device (os error 28)\n";
    let exchange = "  exchange id: ID-clearent-cgw-1-0b7c\n";
    let customer = || {
        let body = r#"{"code":"200","payload":{"customer":{"customer-key":"cust_ada","first-name":"Ada","last-name":"Byron"},"payloadType":"customer"}}"#;
        answer("200 OK", body)
    };
    let create = &["customers", "create", "--first-name", "Ada", "--last-name", "Byron"][..];
    let unprinted = "error: standard output cannot be written to\n";
    for (arguments, answers, code, message) in [
        (SALE, vec![approved()], 74, done("transaction 700001") + because + exchange),
        (create, vec![customer()], 74, done("customer cust_ada") + because),
        (&["customers", "get", "cust_ada"], vec![customer()], 74, unprinted.to_owned() + because),
        (&LIST[..2], vec![page()], 74, unprinted.to_owned() + because),
        (SALE, vec![declined()], 4, "error: declined: told\n  result code: 012\n".to_owned() + exchange),
    ] {
        let ran = finish_to(called("table", arguments, answers), full());
        assert_eq!((ran.code, ran.err), (code, message), "{arguments:?}");
    }
    let ran = finish_to(called("json", SALE, [approved()]), full());
    assert!(ran.code == 74 && ran.err.contains(r#""kind":"unprinted""#), "{}", ran.err);
    for arguments in [
        &["quickstart"][..],
        &["sandbox", "serve", "--listen", "127.0.0.1:0"],
        &["completions", "zsh"],
        &["plans", "--help"],
        &["--version"],
    ] {
        let mut command = perennial();
        command.args(arguments);
        let ran = finish_to(command, full());
        assert_eq!(ran.code, 74, "{arguments:?}: {}", ran.err);
        assert!(ran.err.ends_with(&format!("{unprinted}{because}")), "{arguments:?}: {}", ran.err);
    }
}

/// Checks that the printed part stays and is one document; the status says that it is incomplete.
#[test]
fn a_list_that_breaks_off_is_closed() {
    for (output, answers, printed) in [
        ("json", vec![page(), gone()], "[\n{\"customer-key\":\"cust_ada\"}\n]\n"),
        ("table", vec![page(), gone()], "customer-key\n────────────\ncust_ada\n"),
        // An output that never began is not a document.
        ("json", vec![gone()], ""),
        ("table", vec![gone()], ""),
    ] {
        let ran = finish(called(output, LIST, answers), "");
        assert_eq!((ran.code, ran.out.as_str()), (5, printed), "{}", ran.err);
    }
}
