//! Bodies are masked as far as they go, whole or cut.

use http::HeaderMap;
use perennial_transport::Redactor;
use perennial_transport::redact::MASK;
use proptest::prelude::*;

include!("../../../domain/tests/masked/messages.rs");

#[test]
fn members_are_masked_as_in_the_request_log_of_the_sandbox() {
    for (given, masked) in MASKED {
        assert_eq!(Redactor::new().body(given.as_bytes()), masked.replace('#', MASK), "{given}");
    }
}

/// A body that is cut, or that is no message, is masked as well.
#[test]
fn whatever_may_be_secret_is_masked() {
    let redactor = Redactor::new().secret("k3y0f7a199c2beef").secret("987");
    for (given, masked) in [
        ("\u{feff}{\"csc\":\"9\"}", "\u{feff}{\"csc\":\"***\"}"),
        (r#"{"csc":["9","8"#, r#"{"csc":["***","***""#),
        (r#"{"csc":{"a":]"9"}}"#, r#"{"csc":{"a":]"***"}}"#),
        (r#"{"csc":"9":"9","a":"9"}"#, r#"{"csc":"***":"***","a":"9"}"#),
        (r#"{"csc":nul"#, r#"{"csc":"***""#),
        ("{'csc':'9',csc:9}", r#"{'csc':"***",csc:"***"}"#),
        (r#"{"c\uzz":"9"}"#, r#"{"c\uzz":"***"}"#),
        (r#"{"a":"9\u00387"}"#, r#"{"a":"***"}"#),
        (r#"{"k3y0f7a199c2beef":1,"987":2}"#, r#"{"***":1,"987":2}"#),
        ("[error] bad key k3y-0f7a-199c-2beef", "[error] bad key \"***\""),
        ("[error] bad key k3y 0f7a 199c 2beef.", "[error] bad key ***."),
        (r#"{"code":"987","id":987}"#, r#"{"code":"***","id":987}"#),
        ("<csc a='1'>9</csc>", "<csc a=\"***\">***</csc>"),
        ("<a csc='9' b='987' c=\"1\"/>", "<a csc=\"***\" b=\"***\" c=\"1\"/>"),
        ("<csc 9>", "<csc ***>"),
        ("<csc=9>", "<csc ***>"),
        ("<a csc='9", "<a csc=\"***\""),
        ("<csc>9</CSC><b>9</b>", "<csc>***</CSC><b>***</b>"),
        ("<csc><!-- 9", "<csc>"),
        ("<csc><![CDATA[9", "<csc>***"),
        ("<csc>&#5", "<csc>***"),
        ("<!DOCTYPE html [csc 9]><p>9&#56;7</p><br>", "<p>***</p><br>"),
    ] {
        assert_eq!(redactor.body(given.as_bytes()), masked, "{given}");
    }
}

/// What a call sends below a secret name is masked in its answer.
#[test]
fn secrets_of_a_call_are_those_below_a_secret_name() {
    for call in [
        r#"{"csc":{"b":["98\u0037"]}}"#,
        "<a><csc><b>9<!-- -->87</b></csc></a>",
        "<a csc='987'/>",
        "<a><x:csc>&#57;87</x:csc></a>",
    ] {
        let redactor = Redactor::new().of_call(&HeaderMap::new(), call.as_bytes());
        assert_eq!(redactor.text("code 987"), "code ***", "{call}");
    }
}

/// A hostile body must not cost more than its length.
#[test]
fn bodies_without_end_take_no_time() {
    let redactor = Redactor::new().secret("k3y0f7a199c2beef");
    for piece in [
        "[",
        "{\"a\":",
        "[\"csc\":",
        "\"a\"      ",
        "\"\\",
        "<a>",
        "<a ",
        "<a b='",
        "</a>",
        "<!--",
        "<![CDATA[",
        "<?",
        "&",
        "<csc>",
    ] {
        for start in ["{", "<a>"] {
            let body = format!("{start}{}", piece.repeat(100_000 / piece.len()));
            assert!(redactor.body(body.as_bytes()).len() >= 3);
        }
    }
}

proptest! {
    /// Holds: No recorded body shows a secret below a secret name, nor a card number, in JSON or XML, wherever it is cut.
    #[test]
    fn no_cut_of_a_message_shows_a_secret((text, cards) in message(), at in any::<usize>()) {
        for text in [&*text, cut(&text, at)] {
            let masked = Redactor::new().body(text.as_bytes());
            prop_assert!(!shows_a_secret(&masked, &cards), "{} becomes {}", text, masked);
        }
    }
}
