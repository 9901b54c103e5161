//! The key: from the environment or a file, never from an argument, and never printed.

use crate::shell::{
    CARD, CARD_JSON, CSC, KEY, Ran, Shell, answer, finish, gateway, perennial, write_private,
};

fn printed(ran: &Ran) -> String {
    format!("{}{}", ran.out, ran.err)
}

/// Holds: The command refuses a secret in its arguments and does not repeat it.
#[test]
fn a_secret_argument_is_refused_and_not_repeated() {
    for arguments in [
        &["--api-key", KEY, "customers", "search"][..],
        &["customers", "search", &format!("--api-key={KEY}")],
        &["customers", "search", KEY],
        &["customers", "search", &format!("--frob={KEY}")],
        &["tokens", "create", "--card", CARD],
        &["tokens", "create", &format!("--card={CARD}")],
        &["tokens", "create", "--csc", CSC],
        &["tokens", "create", "--cvv=9786"],
        &["tokens", "create", CARD],
        &["tokens", "create", "--description", "4111 1111 1111 1111"],
        &["transactions", "sale", "--amount", CARD],
        &["customers", "create", "--first-name", "22 4111111111111111"],
        &["customers", "create", "--comments=Ada, 4111 1111 1111 1111 exp 12/30"],
        &["transactions", "sale", "--order-id=4111-1111-1111-1111"],
    ] {
        for output in ["table", "json"] {
            let mut command = perennial();
            command.args(["--output", output]).args(arguments).env("PERENNIAL_API_KEY", KEY);
            let ran = finish(command, "");
            assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{arguments:?}");
            for secret in [KEY, CARD, CSC, "1111 1111", "1111-1111"] {
                assert!(!ran.err.contains(secret), "{arguments:?}: {}", ran.err);
            }
        }
    }
}

/// Checks that short ones, such as a PIN, are refused only as separate words, and not if the caller allows them.
#[test]
fn a_credential_of_a_variable_is_refused_as_an_argument() {
    const SHORT: &str = "PERENNIAL_CLIENTPAY_ACCOUNT_PIN";
    const LONG: &str = "PERENNIAL_CLIENTPAY_INTEGRATOR_KEY";
    for (variable, secret, argument, accepts, refused) in [
        (SHORT, "4711", "--order-id=4711", false, true),
        (SHORT, "4711", "--comments=pin: 4711", false, true),
        (SHORT, "4711", "--comments=4 7 1 1", false, true),
        (SHORT, "4711", "--order-id=4711", true, false),
        (SHORT, "4711", "--order-id=A-47110", false, false),
        (SHORT, "4711", "--amount=4711.00", false, false),
        (SHORT, "2027", "--start-date=2027-01-15", false, false),
        (SHORT, "swordfish", "--comments=Swordfish", false, true),
        (SHORT, "swordfish", "--comments=my-swordfish", false, true),
        (SHORT, "swordfish", "--comments=Swordfish", true, false),
        (SHORT, "47", "--order-id=47", false, false),
        (LONG, "int-5f0c7d1a99", "--comments=int-5f0c7d1a99", false, true),
        (LONG, "int-5f0c7d1a99", "--comments=INT 5F0C 7D1A 99", false, true),
        (LONG, "int-5f0c7d1a99", "--comments=xint-5f0c7d1a99x", true, true),
        (LONG, "int-5f0c7d1a99", "--comments=int-5f0c7d1a", false, false),
    ] {
        let mut command = perennial();
        // Nothing is called: the option that would be refused next is missing.
        command.args(["customers", "create", argument, "--frob"]).env(variable, secret);
        command.args(accepts.then_some("--allow-lookalikes"));
        let ran = finish(command, "");
        let message = format!("an argument holds the secret of {variable}");
        assert_eq!(
            (ran.code, ran.err.contains(&message)),
            (2, refused),
            "{secret} in {argument}: {}",
            ran.err
        );
        let (_, value) = argument.split_once('=').unwrap();
        assert!(!refused || !ran.err.contains(value), "{}", ran.err);
        let offers = ran.err.contains("add --allow-lookalikes");
        assert_eq!(offers, refused && variable == SHORT, "{}", ran.err);
    }
}

#[test]
fn what_is_wrong_with_a_key_is_reported_without_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        write_private(&path, text);
        path.to_str().unwrap().to_owned()
    };
    let missing = folder.path().join("missing").to_str().unwrap().to_owned();
    for (environment, argument, expected) in [
        (None, None, "there is no api key: set PERENNIAL_API_KEY or pass --api-key-file FILE"),
        (Some(""), None, "the api key is empty: paste the key from the document that Clearent sent"),
        (
            Some("0123456789abcdef\u{ad}0123456789abcdef"),
            None,
            "the api key has a soft hyphen at character 17: remove it",
        ),
        (
            Some("API Key: 0123456789abcdef"),
            None,
            "the api key begins with a label such as \"API Key:\": paste only what follows it",
        ),
        (Some(KEY), Some(missing), "the file FILE cannot be opened: entity not found"),
        (Some(KEY), Some(file("empty", "")), "the api key file FILE is empty"),
        (Some(KEY), Some(file("long", &"0".repeat(5_000))), "the api key file FILE is too long"),
        (
            Some(KEY),
            Some(file("broken", "0123456789abcdef\n0123456789abcdef")),
            "the api key has a line break at character 17: join its lines",
        ),
    ] {
        let mut command = perennial();
        command.args(["--base-url", "http://127.0.0.1:9", "customers", "search"]);
        if let Some(key) = environment {
            command.env("PERENNIAL_API_KEY", key);
        }
        if let Some(path) = &argument {
            command.args(["--api-key-file", path]);
        }
        let ran = finish(command, "");
        let err = ran.err.replace(&argument.unwrap_or_else(|| "no file".to_owned()), "FILE");
        assert_eq!((ran.code, err), (2, format!("error: {expected}\n")));
    }
}

#[test]
fn a_file_holds_the_key_and_goes_before_the_environment() {
    let shell = Shell::open();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    write_private(&path, format!("  {}\n", shell.key()));
    let mut command = perennial();
    command.args(["--base-url", shell.url(), "--api-key-file"]).arg(&path).args(["customers", "search"]);
    command.env("PERENNIAL_API_KEY", "no key at all");
    let ran = finish(command, "");
    assert_eq!((ran.code, ran.err.as_str()), (0, "nothing found\n"));
}

/// Checks that the most verbose run prints routes and numbers, and no request data.
#[test]
fn verbose_runs_tell_no_secret() {
    let shell = Shell::open();
    let create = ["-vv", "tokens", "create", "--description", "a card", "--card-stdin"];
    let ran = shell.run_with(&create, CARD_JSON);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains(r#"operation="tokens.create""#), "{}", ran.err);
    for secret in [shell.key(), CARD, "4111 1111", CSC] {
        assert!(!printed(&ran).contains(secret), "{}", printed(&ran));
    }
}

#[test]
fn the_key_goes_to_no_plain_host() {
    for (url, expected) in [
        (
            "http://gateway.example",
            "--base-url: a base URL is https, or http to a literal loopback address such as 127.0.0.1 (localhost is a name)",
        ),
        ("gateway.example", "--base-url: a base URL begins with https://"),
    ] {
        let mut command = perennial();
        command.args(["--base-url", url, "customers", "search"]).env("PERENNIAL_API_KEY", KEY);
        let ran = finish(command, "");
        assert_eq!((ran.code, ran.err), (2, format!("error: {expected}\n")));
    }
}

/// Uses a gateway that repeats the request's data in a decline, a refusal and a header.
///
/// Holds: The command masks a secret that the gateway repeats.
#[test]
fn what_the_gateway_repeats_is_masked() {
    let echo = format!("card {CARD}, 4111/1111/1111/1111, code {CSC}, key {}", KEY.to_uppercase());
    let transaction = format!(
        r#"{{"id":"700001","type":"SALE","amount":"12.00","result":"DECLINED","result-code":"012",
            "display-message":"{echo}","comments":"{echo}"}}"#
    );
    let declined = format!(
        r#"{{"code":"402","status":"fail","exchange-id":"{echo}","payload":{{"transaction":{transaction}}}}}"#
    );
    let refused = format!(
        r#"{{"code":"400","status":"fail","exchange-id":"x","payload":{{"error":{{"error-message":"{echo}"}}}}}}"#
    );
    for (status, body) in [("402 Payment Required", declined), ("400 Bad Request", refused)] {
        for output in ["table", "json", "csv"] {
            let url = gateway([answer(status, &body)].into_iter());
            let mut command = perennial();
            command.args([
                "--base-url",
                &url,
                "--output",
                output,
                "-vv",
                "transactions",
                "sale",
                "--amount",
                "12.00",
            ]);
            command.arg("--card-stdin").env("PERENNIAL_API_KEY", KEY);
            let ran = finish(command, CARD_JSON);
            let printed = without_times(&printed(&ran));
            assert!(printed.contains("***"), "{output}: {printed}");
            for secret in [CARD, CSC, KEY, &KEY.to_uppercase(), "4111/1111"] {
                assert!(!printed.contains(secret), "{output}: {printed}");
            }
        }
    }
}

/// The words that are no times or durations: a security code may occur in their digits by chance.
fn without_times(printed: &str) -> String {
    let is_time = |word: &str| {
        word.starts_with("20") && word.ends_with('Z')
            || word.contains("time.")
            || word.contains("duration_ms=")
    };
    printed.split(' ').filter(|word| !is_time(word.trim())).collect::<Vec<_>>().join(" ")
}

/// Checks that an id or a reference that the call did not send is masked as a security code, and that its own is not.
#[test]
fn a_security_code_in_a_reference_is_masked() {
    for (sent, members, is_printed) in [
        (&[][..], r#""invoice":"{csc}""#, false),
        (&[], r#""customer-id":"{csc}""#, false),
        (&[], r#""purchase-order":"PO {csc}""#, false),
        (&[], r#""order-id":{csc}"#, false),
        (&[], r#""email-address":"{csc}""#, false),
        (&["--invoice", CSC], r#""invoice":"{csc}""#, true),
        (&["--order-id", CSC], r#""order-id":"{csc}","comments":"{csc}""#, true),
    ] {
        let members = members.replace("{csc}", CSC);
        let transaction = format!(
            r#"{{"id":"700001","type":"SALE","amount":"12.00","result":"APPROVED","result-code":"000",{members}}}"#
        );
        let body = format!(
            r#"{{"code":"200","status":"success","exchange-id":"x","payload":{{"transaction":{transaction}}}}}"#
        );
        for output in ["table", "json", "csv"] {
            let url = gateway([answer("200 OK", &body)].into_iter());
            let mut command = perennial();
            command.args(["--base-url", &url, "--output", output, "-vv", "transactions", "sale"]);
            command.args(["--amount", "12.00", "--card-stdin"]).args(sent).env("PERENNIAL_API_KEY", KEY);
            let ran = finish(command, CARD_JSON);
            assert_eq!(ran.code, 0, "{members}: {}", printed(&ran));
            assert!(ran.out.contains("***") || is_printed && !members.contains("comments"), "{}", ran.out);
            assert_eq!(ran.out.matches(CSC).count(), usize::from(is_printed), "{members}: {}", ran.out);
        }
    }
}
