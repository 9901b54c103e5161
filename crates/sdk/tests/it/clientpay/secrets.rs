//! No printed text contains a credential, an id, a card or an account, even if the gateway repeats them.

use std::error::Error as _;
use std::fmt::Debug;

use perennial::clientpay::{AccessId, InProcess, Operation};
use perennial::transport::Kind;
use perennial::{ClientPay, Environment, blocking};

use super::gateway::{ACCOUNT, Does, Gateway, INTEGRATOR, PIN, credentials};
use super::operations::{OPERATIONS, card_payment};
use crate::gateway::CARD;
use crate::secrets::{SPELLINGS, Watch, watched};

const ACCESS: &str = "access-0001-4aaa-8bbb";
const CANARIES: [&str; 8] =
    [INTEGRATOR, ACCOUNT, PIN, ACCESS, CARD, "4111 1111 1111 1111", "9876", "739155501234"];

/// The operations that use credentials instead of an access id.
const GIVEN_FOR: [Operation; 3] =
    [Operation::CurrentAccessId, Operation::NewAccessId, Operation::NewCustomerAccessId];

#[tokio::test(start_paused = true)]
async fn no_canary_is_printed_and_no_field_that_is_not_allowed() {
    let Watch { printed, fields } = watched();
    let show = |value: &dyn Debug| printed.show(value);
    let echo = format!(
        r#"{{"success":false,"message":"{INTEGRATOR} {ACCOUNT} {PIN} {ACCESS} {CARD} (4111 1111 1111 1111)",
            "errors":[{{"field":"{ACCESS}","message":"{CARD}"}}],"accessId":"{ACCESS}","cvv":"9876"}}"#
    );
    let cut = format!(r#"{{"{CARD}":{CARD},"{PIN}":"#);
    for does in [
        Does::Well,
        Does::Say(400, echo.clone()),
        Does::Say(500, echo.clone()),
        Does::Say(200, echo),
        Does::Say(200, cut),
        Does::Fail(Kind::Closed),
    ] {
        for operation in OPERATIONS {
            let does = does.clone();
            let gateway = Gateway::new(move |_, route| match &does {
                _ if route.name() != operation.name => Does::Well,
                // An id is not known before it is issued.
                Does::Say(status, body) if GIVEN_FOR.contains(&route) => {
                    Does::Say(*status, body.replace(ACCESS, ""))
                }
                does => does.clone(),
            });
            match (operation.run)(gateway.client()).await {
                Ok(value) => printed.add(&value),
                Err(error) => {
                    show(&error);
                    let mut cause: Option<&dyn std::error::Error> = Some(&error);
                    while let Some(error) = cause {
                        printed.add(&format!("{error}\n"));
                        cause = error.source();
                    }
                    printed.add(error.gateway_message().unwrap_or_default());
                    show(&error.source().map(ToString::to_string));
                }
            }
        }
    }
    let gateway = Gateway::new(|_, _| Does::Well);
    let client = gateway.client();
    show(&ClientPay::builder(credentials()).environment(Environment::Sandbox));
    show(&client);
    show(&(client.access(), client.pages(), client.payments(), client.payers()));
    show(&client.payments().under("request-1".parse().unwrap()));
    show(&InProcess::default());
    show(&AccessId::try_from(ACCESS).unwrap());
    show(&card_payment());
    let blocking = blocking::ClientPay::new(client).unwrap();
    show(&(&blocking, blocking.access(), blocking.pages(), blocking.payments(), blocking.payers()));

    let text = printed.text();
    assert!(text.contains("operation=\"clientpay-payments.create\""), "spans are captured");
    assert!(text.contains("*** *** *** *** ************1111"), "messages are masked");
    for canary in CANARIES {
        let found = text.find(canary).map(|at| &text[at.saturating_sub(300)..at + canary.len()]);
        assert_eq!(found, None, "{canary} was printed");
    }
    let calls = ["operation", "route", "status", "attempts", "duration_ms"];
    let attempts = ["message", "method", "attempt", "delivery", "wait_ms"];
    let allowed: std::collections::BTreeSet<&str> = calls.into_iter().chain(attempts).collect();
    let seen = fields.seen();
    assert!(seen.is_subset(&allowed), "{seen:?}");
}

#[tokio::test]
async fn what_was_sent_is_masked_however_it_comes_back() {
    // The spellings for the other vendor's key do not apply here.
    for (spelling, trace) in SPELLINGS.iter().filter(|(spelling, _)| !spelling.contains("0123")) {
        let text = format!("not {spelling} again").escape_default().to_string();
        let text = text.replace("\\u{200b}", "\\u200b").replace("\\'", "'");
        let text = if spelling.is_ascii() || spelling.contains('\u{200b}') {
            text
        } else {
            format!("not {spelling} again")
        };
        let refused = format!(
            r#"{{"success":false,"message":"{text}","errors":[{{"field":"{text}","message":"{text}"}}]}}"#
        );
        for status in [200, 400, 402, 500] {
            let refused = refused.clone();
            let gateway = Gateway::new(move |_, route| match route {
                Operation::Pay => Does::Say(status, refused.clone()),
                _ => Does::Well,
            });
            let error = gateway.client().payments().pay(&card_payment()).await.unwrap_err();
            let mut shown = format!("{error:?} {:?}", error.gateway_message());
            let mut cause: Option<&dyn std::error::Error> = Some(&error);
            while let Some(error) = cause {
                shown += &format!("\n{error}");
                cause = error.source();
            }
            assert!(status == 500 || shown.contains("***"), "{status} {spelling}: {shown}");
            assert!(!shown.contains(trace), "{status} {spelling}: {shown}");
        }
    }
}
