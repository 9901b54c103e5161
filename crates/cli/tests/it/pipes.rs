//! What the command does when the one side or the other goes away.

use std::process::Stdio;

use crate::shell::{KEY, finish, gateway, perennial};

/// The script of completions is larger than any pipe's buffer, so it meets the closed end.
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

/// What was printed stays and is one document; the status says that it is not all.
#[test]
fn a_list_that_breaks_off_is_closed() {
    let page = r#"{"code":"200","page":{"number":1,"total-pages":2,"last":false},
        "payload":{"customers":{"customer":[{"customer-key":"cust_ada"}]},"payloadType":"customers"}}"#;
    let page =
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{page}", page.len());
    let gone = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    for (output, printed) in [
        ("json", "[\n{\"customer-key\":\"cust_ada\"}\n]\n"),
        ("table", "customer-key\n────────────\ncust_ada\n"),
    ] {
        let url = gateway([page.clone(), gone.to_owned()].into_iter());
        let mut command = perennial();
        command.args(["--base-url", &url, "--output", output, "customers", "search", "--all"]);
        command.env("PERENNIAL_API_KEY", KEY);
        let ran = finish(command, "");
        assert_eq!((ran.code, ran.out.as_str()), (5, printed), "{}", ran.err);
    }
}
