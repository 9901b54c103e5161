//! A request is performed once, even if responses are lost.

use std::sync::Arc;
use std::time::Duration;

use perennial::clientpay::{
    Expected, NewPayment, Operation, Payment, PaymentId, PaymentStatus, Refund, Verdict, Version,
};
use perennial::transport::{Delivery, Kind};
use perennial::{Error, ErrorKind, Response};

use super::gateway::{Does, Gateway};
use super::operations::{card_payment, invoice_page, new_methods, new_payer};

const PAY: &str = "clientpay-payments.create";
const SEARCH: &str = "clientpay-payments.search";
const STATUS: &str = "clientpay-payments.status";

/// The name, the fates of the payment, the following requests, the result, and the number of payments.
type Case = (&'static str, Vec<Does>, &'static [&'static str], Option<ErrorKind>, usize);

/// The ids under which the operation was sent.
fn ids(gateway: &Gateway, route: Operation) -> Vec<String> {
    let requests = gateway.requests();
    let of_route = requests.iter().filter(|request| Operation::at(request.uri().path()).unwrap().0 == route);
    let id = |body: &serde_json::Value| match &body["token"]["requestId"] {
        serde_json::Value::Null => body["requestId"].as_str().unwrap().to_owned(),
        id => id.as_str().unwrap().to_owned(),
    };
    of_route.map(|request| id(&serde_json::from_slice(request.body()).unwrap())).collect()
}

/// Holds: After a lost response the facade finds the payment under its request id.
#[tokio::test(start_paused = true)]
#[rustfmt::skip]
async fn a_lost_answer_leads_to_the_first_outcome() {
    const UNKNOWN: Option<ErrorKind> = Some(ErrorKind::OutcomeUnknown);
    let reset = Kind::Closed;
    let refusal = |status| Does::Say(status, r#"{"success":false,"message":"Invalid amount."}"#.into());
    let after = |status, body: &str| Does::PerformAnd(status, body.into());
    let before = |status, body: &str| Does::Say(status, body.into());
    let processing = r#"{"success":true,"status":"Processing","paymentID":""}"#;
    let table: Vec<Case> = vec![
        ("well", vec![], &[PAY], None, 1),
        ("no connection", vec![Does::Fail(Kind::Connect)], &[PAY, PAY], None, 1),
        ("no connection at all", vec![Does::Fail(Kind::Connect); 3], &[PAY; 3], Some(ErrorKind::Connection), 0),
        ("performed, then reset", vec![Does::PerformThen(reset)], &[PAY, SEARCH], None, 1),
        ("performed, then silence", vec![Does::PerformThen(Kind::Timeout)], &[PAY, SEARCH], None, 1),
        ("performed, then cut", vec![Does::PerformThen(Kind::Truncated)], &[PAY, SEARCH], None, 1),
        ("performed, then 502", vec![after(502, "<html>")], &[PAY, SEARCH], None, 1),
        ("performed, then HTML", vec![after(200, "<html>")], &[PAY, SEARCH], None, 1),
        ("performed, then nothing", vec![after(200, "")], &[PAY, SEARCH], None, 1),
        ("performed, then success alone", vec![after(200, r#"{"success":true}"#)], &[PAY, SEARCH], None, 1),
        ("performed, then processing", vec![after(200, processing)], &[PAY, SEARCH], None, 1),
        ("performed, then another's approval", vec![after(200, r#"{"success":true,"requestID":"other","paymentID":"7","paymentStatus":"Approved","paymentAmount":540.25}"#)], &[PAY, SEARCH], None, 1),
        ("reset before it", vec![Does::Fail(reset)], &[PAY, SEARCH], UNKNOWN, 0),
        ("500 before it", vec![before(500, "")], &[PAY, SEARCH], UNKNOWN, 0),
        ("throttled", vec![Does::Throttle], &[PAY, PAY], None, 1),
        ("burnt and lost", vec![Does::BurnThen(reset)], &[PAY, SEARCH], UNKNOWN, 0),
        ("refused", vec![refusal(400)], &[PAY], Some(ErrorKind::Refused), 0),
        ("refused with success", vec![refusal(200)], &[PAY], Some(ErrorKind::Refused), 0),
        ("refused by a proxy", vec![before(403, "<html>")], &[PAY, SEARCH], UNKNOWN, 0),
        ("refused without a word", vec![before(404, "")], &[PAY, SEARCH], UNKNOWN, 0),
        ("refused with a yes", vec![before(400, r#"{"success":true}"#)], &[PAY, SEARCH], UNKNOWN, 0),
        ("an error beside a yes", vec![after(200, r#"{"success":true,"errors":[{"message":"no"}]}"#)], &[PAY, SEARCH], None, 1),
        ("a used id", vec![before(400, r#"{"success":false,"message":"requestId has already been used."}"#)], &[PAY, SEARCH], UNKNOWN, 0),
        ("a used id, and a dead access id", vec![before(400, r#"{"success":false,"message":"requestId was used by another accessId."}"#)], &[PAY, SEARCH], UNKNOWN, 0),
        ("evicted", vec![Does::Evict], &[PAY, "access.current", "access.new", PAY], None, 1),
        ("evicted, then lost", vec![Does::Evict, Does::Fail(reset)], &[PAY, "access.current", "access.new", PAY, SEARCH], UNKNOWN, 0),
        ("evicted, says a proxy", vec![before(401, "<html>")], &[PAY, SEARCH], UNKNOWN, 0),
        ("redirected", vec![before(302, "")], &[PAY, SEARCH], UNKNOWN, 0),
        ("refused after throttling", vec![Does::Throttle, refusal(400)], &[PAY, PAY], Some(ErrorKind::Refused), 0),
        ("throttled throughout", vec![Does::Throttle; 3], &[PAY; 3], Some(ErrorKind::RateLimited), 0),
        ("throttled, and a payment is named", vec![before(429, r#"{"success":false,"paymentID":"7"}"#)], &[PAY, SEARCH], UNKNOWN, 0),
        ("throttled by a proxy", vec![before(429, "")], &[PAY, SEARCH], UNKNOWN, 0),
        ("throttled, and the id was used", vec![before(429, r#"{"success":false,"message":"requestId has already been used."}"#)], &[PAY, SEARCH], UNKNOWN, 0),
        ("throttled, and the id was used, by field", vec![before(429, r#"{"success":false,"message":"no","errors":[{"field":"token.requestId","message":"used"}]}"#)], &[PAY, SEARCH], UNKNOWN, 0),
        ("performed, and the id was used in a 429", vec![after(429, r#"{"success":false,"message":"Request ID used."}"#)], &[PAY, SEARCH], None, 1),
        ("redirected with the body", vec![before(307, "")], &[PAY, SEARCH], UNKNOWN, 0),
    ];
    for (what, fates, asked, ended, made) in table {
        let gateway = Gateway::of(Operation::Pay, fates);
        let outcome = gateway.client().payments().pay(&card_payment()).await;
        let asks: Vec<_> = gateway.asked().into_iter().skip(3).collect();
        assert_eq!(asks, asked, "{what}");
        assert_eq!(gateway.payments().len(), made, "{what}");
        let ids = ids(&gateway, Operation::Pay);
        assert!(ids.iter().all(|id| *id == ids[0]), "{what}: one id, whatever happens");
        match outcome {
            Ok(paid) => {
                assert_eq!(ended, None, "{what}");
                assert!(paid.is_approved() && paid.request_id.as_ref().unwrap().as_str() == ids[0], "{what}");
            }
            Err(error) => {
                assert_eq!(Some(error.kind()), ended, "{what}");
                let kept = error.request_id().map(|id| id.expose().to_owned());
                assert_eq!(kept, error.is_outcome_unknown().then(|| ids[0].clone()), "{what}");
            }
        }
    }
}

/// A caller that allows it gets one more send, under the same id: after the window, and only if two lookups found
/// nothing.
///
/// Holds: A second send under a request id happens only if the caller asks for it, after the window.
#[tokio::test(start_paused = true)]
#[rustfmt::skip]
async fn a_second_send_is_asked_for_and_comes_after_the_window() {
    const UNKNOWN: Option<ErrorKind> = Some(ErrorKind::OutcomeUnknown);
    let window = Duration::from_secs(10 * 60);
    let reset = Kind::Closed;
    let before = |status, body: &str| Does::Say(status, body.into());
    let named = r#"{"success":false,"paymentID":"7"}"#;
    let twice: &[&str] = &[PAY, SEARCH, SEARCH, PAY];
    let in_vain: &[&str] = &[PAY, SEARCH, SEARCH, PAY, SEARCH];
    let table: Vec<Case> = vec![
        ("well", vec![], &[PAY], None, 1),
        ("performed, then reset", vec![Does::PerformThen(reset)], &[PAY, SEARCH], None, 1),
        ("reset before it", vec![Does::Fail(reset)], twice, None, 1),
        ("silence", vec![Does::Fail(Kind::Timeout)], twice, None, 1),
        ("500 before it", vec![before(500, "")], twice, None, 1),
        ("502 of a proxy", vec![before(502, "<html>")], twice, None, 1),
        ("throttled", vec![Does::Throttle], &[PAY, PAY], None, 1),
        ("throttled throughout", vec![Does::Throttle; 3], &[PAY; 3], Some(ErrorKind::RateLimited), 0),
        ("throttled by a proxy", vec![before(429, "")], twice, None, 1),
        ("reset twice", vec![Does::Fail(reset), Does::Fail(reset)], in_vain, UNKNOWN, 0),
        ("reset, then performed and reset", vec![Does::Fail(reset), Does::PerformThen(reset)], in_vain, None, 1),
        ("burnt and lost", vec![Does::BurnThen(reset)], in_vain, UNKNOWN, 0),
        ("reset, then no connection", vec![Does::Fail(reset), Does::Fail(Kind::Connect), Does::Fail(Kind::Connect), Does::Fail(Kind::Connect)], &[PAY, SEARCH, SEARCH, PAY, PAY, PAY, SEARCH], UNKNOWN, 0),
        ("reset, then refused", vec![Does::Fail(reset), before(400, r#"{"success":false,"message":"no"}"#)], in_vain, UNKNOWN, 0),
        ("an answer that names a payment", vec![before(500, named)], &[PAY, SEARCH], UNKNOWN, 0),
        ("an answer that names a payment, and is cut", vec![before(200, &named[..20])], &[PAY, SEARCH], UNKNOWN, 0),
        ("a used id", vec![before(400, r#"{"success":false,"message":"requestId has already been used."}"#)], &[PAY, SEARCH], UNKNOWN, 0),
    ];
    for (what, fates, asked, ended, made) in table {
        let gateway = Gateway::of(Operation::Pay, fates);
        let started = tokio::time::Instant::now();
        let outcome = gateway.client().payments().resend_after(window).pay(&card_payment()).await;
        let asks: Vec<_> = gateway.asked().into_iter().skip(3).collect();
        assert_eq!(asks, asked, "{what}");
        assert_eq!((outcome.err().map(|error| error.kind()), gateway.payments().len()), (ended, made), "{what}");
        let ids = ids(&gateway, Operation::Pay);
        assert!(ids.iter().all(|id| *id == ids[0]), "{what}: one id, whatever happens");
        // The window is between two lookups. A request that the gateway throttled was not executed, and needs no
        // window.
        let waited = asked.iter().filter(|ask| **ask == SEARCH).count() > 1;
        assert_eq!(started.elapsed() >= window, waited, "{what}");
    }
}

/// Only a list that says that it is empty proves that there is no payment.
#[tokio::test(start_paused = true)]
async fn a_look_that_does_not_say_that_there_is_none_leads_to_no_second_send() {
    for (body, sends) in [
        (r#"{"success":true,"payments":[]}"#, 2),
        ("[]", 2),
        (r#"{"success":true,"payments":null}"#, 1),
        (r#"{"success":true,"payments":[null]}"#, 1),
        (r#"{"success":true,"payments":[7]}"#, 1),
        (r#"{"success":true,"payments":""}"#, 1),
        (r#"{"success":true}"#, 1),
        (r#"{"payments":[{}]}"#, 1),
        ("[null]", 1),
        ("null", 1),
        ("{}", 1),
        ("", 1),
    ] {
        let gateway = Gateway::new(move |_, route| match route {
            Operation::Pay => Does::Fail(Kind::Closed),
            Operation::SearchPayments => Does::Say(200, body.into()),
            _ => Does::Well,
        });
        let window = Duration::from_secs(60);
        let error = gateway.client().payments().resend_after(window).pay(&card_payment()).await.unwrap_err();
        assert!(error.is_outcome_unknown() && error.request_id().is_some(), "{body}: {error:?}");
        assert_eq!(gateway.count(PAY), sends, "{body}");
    }
}

/// A payment that appears during the window is found, and nothing is sent.
#[tokio::test(start_paused = true)]
async fn a_payment_that_comes_late_is_found_after_the_window() {
    let first = std::sync::atomic::AtomicBool::new(true);
    let gateway = Gateway::new(move |_, route| match route {
        Operation::Pay => Does::PerformThen(Kind::Closed),
        Operation::SearchPayments if first.swap(false, std::sync::atomic::Ordering::SeqCst) => {
            Does::Say(200, r#"{"success":true,"payments":[]}"#.into())
        }
        _ => Does::Well,
    });
    let window = Duration::from_secs(60);
    let paid = gateway.client().payments().resend_after(window).pay(&card_payment()).await.unwrap();
    assert!(paid.is_approved());
    assert_eq!((gateway.count(PAY), gateway.count(SEARCH)), (1, 2));
}

/// A response that names a payment of ours in any way is never a definite no, and a definite yes or a decline only with
/// complete evidence. The request is never sent again, and the gateway's records decide.
///
/// Holds: A response that names a payment is not a definite refusal.
#[tokio::test(start_paused = true)]
async fn an_answer_that_names_a_payment_is_never_a_definite_no() {
    const OURS: &str = r#""requestID":"request-0002-4aaa-8bbb""#;
    const NAMES: [(&str, &str); 5] = [
        ("both", r#""requestID":"request-0002-4aaa-8bbb","paymentID":"20411000","paymentAmount":540.25"#),
        ("the request", OURS),
        ("the payment and the amount", r#""paymentID":"20411000","paymentAmount":"540.25""#),
        ("the payment", r#""PaymentId":20411000"#),
        (
            "another amount",
            r#""requestID":"request-0002-4aaa-8bbb","paymentID":"20411000","paymentAmount":540.24"#,
        ),
    ];
    const SUCCESS: [&str; 5] =
        [r#""success":false,"#, r#""success":"false","#, "", r#""success":true,"#, r#""success":"perhaps","#];
    const WORDS: [&str; 6] = ["Approved", "Processing", "Held", "", "Declined", "Voided"];
    let mut found = [0; 4];
    for version in [Version::V2, Version::V1] {
        for status in [200, 400, 401, 402, 403, 404, 409, 422, 500] {
            for (at, (name, ids)) in NAMES.iter().enumerate() {
                for success in SUCCESS {
                    for word in WORDS {
                        let told = if word.is_empty() {
                            String::new()
                        } else {
                            format!(r#","paymentStatus":"{word}""#)
                        };
                        let body = format!(r#"{{{success}"message":"Invalid amount.",{ids}{told}}}"#);
                        let what = format!("{version:?} {status} {name} {body}");
                        let yes = status == 200
                            && at == 0
                            && word == "Approved"
                            && ["", r#""success":true,"#].contains(&success);
                        let declined = [200, 402].contains(&status)
                            && at < 2
                            && word == "Declined"
                            && !success.contains("true")
                            && !success.contains("perhaps");
                        for does in [Does::Say(status, body.clone()), Does::PerformAnd(status, body.clone())]
                        {
                            let made = matches!(does, Does::PerformAnd(..));
                            let gateway = Gateway::of(Operation::Pay, [does]);
                            let client = gateway.builder().version(version).build().unwrap();
                            let window = Duration::from_secs(60);
                            let outcome = client.payments().resend_after(window).pay(&card_payment()).await;
                            assert_eq!(gateway.count(PAY), 1, "{what}");
                            let looked = gateway.count(SEARCH) + gateway.count(STATUS);
                            match outcome {
                                Ok(paid) if declined => {
                                    assert!(paid.decline().is_some(), "{what}");
                                    found[0] += 1;
                                }
                                Ok(paid) => {
                                    assert!(paid.is_approved() && (yes || made && looked > 0), "{what}");
                                    found[1] += 1;
                                }
                                Err(error) => {
                                    assert!(!made && !yes && !declined, "{what}: {error:?}");
                                    assert!(error.is_outcome_unknown() && looked > 0, "{what}: {error:?}");
                                    assert!(error.request_id().is_some(), "{what}");
                                    let ids: Vec<_> =
                                        error.payment_ids().iter().map(PaymentId::as_str).collect();
                                    // A response that cannot be read names no payment.
                                    let named = at != 1 && !success.contains("perhaps");
                                    assert_eq!(ids, if named { vec!["20411000"] } else { vec![] }, "{what}");
                                    found[2 + usize::from(named)] += 1;
                                }
                            }
                        }
                    }
                }
            }
        }
    }
    assert!(found.iter().all(|count| *count > 20), "{found:?}");
}

/// The contents of a refusal of a refund, and their results.
#[tokio::test(start_paused = true)]
async fn an_answer_that_names_a_refund_is_never_a_definite_no() {
    const REFUND: &str = "clientpay-payments.refund";
    let bodies = [
        r#"{"success":false,"requestID":"request-0003-4aaa-8bbb"}"#,
        r#"{"success":false,"paymentID":"20411990","originalPaymentID":"20411000","paymentStatus":"Approved"}"#,
        r#"{"success":"false","requestID":"request-0003-4aaa-8bbb","paymentID":"20411000","paymentStatus":"Voided"}"#,
        r#"{"success":false,"refundAmount":540.25}"#,
        r#"{"requestID":"request-0003-4aaa-8bbb","paymentID":"20411000","paymentStatus":"Refunding"}"#,
    ];
    for body in bodies {
        for status in [200, 400, 401, 402, 404, 409, 422] {
            for made in [false, true] {
                let does = if made { Does::PerformAnd } else { Does::Say };
                let gateway = Gateway::of(Operation::Refund, [does(status, body.into())]);
                let client = gateway.client();
                let paid = client.payments().pay(&card_payment()).await.unwrap().into_value();
                let refund = Refund::builder().payment_id(paid.payment_id).build().unwrap();
                let outcome = client.payments().resend_after(Duration::from_secs(60)).refund(&refund).await;
                assert_eq!(gateway.count(REFUND), 1, "{status} {body}");
                match outcome {
                    Ok(told) => {
                        assert!(
                            made && told.payment_status == Some(PaymentStatus::VOIDED),
                            "{status} {body}"
                        );
                    }
                    Err(error) => {
                        assert!(!made && error.is_outcome_unknown(), "{status} {body}: {error:?}");
                        assert!(error.request_id().is_some(), "{status} {body}");
                    }
                }
            }
        }
    }
}

/// Pages and payers, which cannot be looked up.
#[tokio::test(start_paused = true)]
async fn an_answer_that_names_a_page_or_a_payer_is_never_a_definite_no() {
    let pages = [
        r#""requestID":"request-0002-4aaa-8bbb""#,
        r#""paymentPageUrl":"https://app.clientpay.com/app/api/#/invoicePaymentPage/request-0002-4aaa-8bbb""#,
        r#""requestID":"another","paymentPageUrl":"https://app.clientpay.com/app/api/#/invoicePaymentPage/another""#,
    ];
    let payers = [r#""payerId":"payer-1""#, r#""paymentMethodIds":["method-1"]"#, r#""requestID":"another""#];
    for version in [Version::V2, Version::V1] {
        for status in [200, 400, 401, 402, 403, 404, 409, 422, 500] {
            for success in [r#""success":false,"#, r#""success":"false","#, "", r#""success":true,"#] {
                for (is_page, named) in
                    pages.iter().map(|named| (true, named)).chain(payers.iter().map(|named| (false, named)))
                {
                    let refuses = status != 200 || success.contains("false");
                    // Payers exist only in version 2, and this is about refusals.
                    if !refuses || !is_page && version == Version::V1 {
                        continue;
                    }
                    let body = format!("{{{success}{named}}}");
                    let routes = [
                        Operation::InvoicePage,
                        Operation::NewPayer,
                        Operation::NewMethods,
                        Operation::DeletePayer,
                    ];
                    for route in if is_page { &routes[..1] } else { &routes[1..] } {
                        let gateway = Gateway::of(*route, [Does::Say(status, body.clone())]);
                        let client = gateway.builder().version(version).build().unwrap();
                        let error = match route {
                            Operation::InvoicePage => client.pages().invoices(&invoice_page()).await.err(),
                            Operation::NewPayer => client.payers().create(&new_payer()).await.err(),
                            Operation::NewMethods => client.payers().add_methods(&new_methods()).await.err(),
                            _ => client.payers().delete(&"payer-1".parse().unwrap()).await.err(),
                        };
                        let error = error.unwrap_or_else(|| panic!("{status} {body}"));
                        assert!(error.is_outcome_unknown(), "{status} {body}: {error:?}");
                        assert!(error.request_id().is_some(), "{status} {body}");
                        assert_eq!(gateway.count(route.name()), 1, "{status} {body}");
                    }
                }
            }
        }
    }
}

/// Several payments under one request are an error that names them, both for the payment and for later lookups.
///
/// Holds: Several payments under one request id are an error that names them.
#[tokio::test(start_paused = true)]
async fn several_payments_of_one_request_are_an_error_that_names_them() {
    let record = |id: &str, status: &str, amount: &str, surcharge: &str| {
        format!(
            r#"{{"requestID":"request-0002-4aaa-8bbb","paymentID":"{id}","paymentStatus":"{status}","paymentAmount":{amount},"surchargeAmount":{surcharge}}}"#
        )
    };
    let paid = |id: &str| record(id, "Approved", "540.25", "0");
    let declined = |id: &str| record(id, "Declined", "540.25", "0");
    let table: Vec<(&str, Vec<String>, Result<&str, &[&str]>)> = vec![
        ("three", vec![paid("1"), paid("2"), paid("3")], Err(&["1", "2", "3"])),
        ("a decline and two", vec![declined("1"), paid("2"), paid("3")], Err(&["2", "3"])),
        ("declines and one", vec![declined("1"), declined("2"), paid("3")], Ok("3")),
        (
            "one with its surcharge",
            vec![record("1", "Approved", "540.25", "16.20"), record("2", "Approved", "16.20", "0")],
            Ok("1"),
        ),
        ("one given back and one", vec![record("1", "Voided", "540.25", "0"), paid("2")], Err(&["1", "2"])),
    ];
    for (what, records, expected) in table {
        let found = format!(r#"{{"success":true,"payments":[{}]}}"#, records.join(","));
        let gateway = Gateway::new(move |_, route| match route {
            Operation::Pay => Does::Fail(Kind::Closed),
            Operation::SearchPayments => Does::Say(200, found.clone()),
            _ => Does::Well,
        });
        let client = gateway.client();
        let outcome = client.payments().resend_after(Duration::from_secs(60)).pay(&card_payment()).await;
        let asked =
            Expected { request_id: "request-0002-4aaa-8bbb".parse().unwrap(), amount: "540.25".parse().ok() };
        let confirmed = client.payments().confirm(&asked).await;
        assert_eq!(gateway.count(PAY), 1, "{what}");
        let id = |payment: &Payment| payment.payment_id.as_ref().unwrap().as_str().to_owned();
        let ids = |error: &Error| error.payment_ids().iter().map(ToString::to_string).collect::<Vec<_>>();
        match expected {
            Ok(one) => {
                assert_eq!(id(&outcome.unwrap()), one, "{what}");
                let confirmed = confirmed.unwrap().into_value().unwrap();
                assert_eq!((confirmed.verdict(), id(confirmed.payment()).as_str()), (Verdict::Approved, one));
            }
            Err(several) => {
                let (paid, confirmed) = (outcome.unwrap_err(), confirmed.unwrap_err());
                assert!(paid.request_id().is_some(), "{what}");
                for error in [&paid, &confirmed] {
                    assert_eq!(
                        (error.kind(), ids(error)),
                        (ErrorKind::OutcomeUnknown, several.iter().map(ToString::to_string).collect()),
                        "{what}"
                    );
                    let why = std::error::Error::source(error).unwrap().to_string();
                    assert_eq!(
                        why,
                        format!("one request has {} payments: {}", several.len(), several.join(", "))
                    );
                }
            }
        }
    }
}

/// A refusal that contains a new access id may mean that it was issued and invalidated the previous one.
#[tokio::test]
async fn an_access_id_beside_a_refusal_may_have_been_made() {
    let body = r#"{"success":false,"accessId":"access-0009-4aaa-8bbb"}"#;
    for status in [200, 400] {
        let gateway = Gateway::of(Operation::NewAccessId, [Does::Say(status, body.into())]);
        assert!(gateway.client().access().renew().await.unwrap_err().is_outcome_unknown(), "{status}");
    }
}

/// A payment in progress is waited for, and its two reports are one outcome.
#[tokio::test(start_paused = true)]
async fn processing_and_then_approved_is_one_outcome() {
    let pending =
        |id: &str| format!(r#"{{"payments":[{{"requestID":"{id}","paymentStatus":"Processing"}}]}}"#);
    let searches = Arc::new(std::sync::atomic::AtomicU32::new(0));
    for (pendings, ends_well) in [(0, true), (1, true), (2, true), (3, false)] {
        searches.store(0, std::sync::atomic::Ordering::SeqCst);
        let seen = searches.clone();
        let gateway = Gateway::new(move |_, route| match route {
            Operation::Pay => Does::PerformThen(Kind::Closed),
            Operation::SearchPayments
                if seen.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < pendings =>
            {
                Does::PerformAnd(200, pending("request-0002-4aaa-8bbb"))
            }
            _ => Does::Well,
        });
        let started = tokio::time::Instant::now();
        let outcome = gateway.client().payments().pay(&card_payment()).await;
        assert_eq!(outcome.is_ok(), ends_well, "{pendings}");
        assert_eq!(gateway.count(PAY), 1, "what is under way is not sent again");
        let waited = [0, 250, 750, 750][pendings as usize];
        assert_eq!(started.elapsed().as_millis(), waited, "{pendings}");
    }
}

/// Holds: A payment under a request id is found or made, and not made twice.
#[tokio::test(start_paused = true)]
async fn under_its_id_a_request_is_found_or_made() {
    let gateway = Gateway::of(Operation::Pay, [Does::PerformThen(Kind::Closed), Does::Fail(Kind::Closed)]);
    let (client, payment) = (gateway.client(), card_payment());
    // Paid, found, and found again.
    let id = client.new_request_id().await.unwrap().into_value();
    let name = id.used();
    let first = client.payments().under(id).pay(&payment).await.unwrap();
    let again = client.payments().under(name.as_str().parse().unwrap()).pay(&payment).await.unwrap();
    assert_eq!(first.payment_id, again.payment_id);
    assert_eq!(gateway.payments().len(), 1);

    // Lost, so that the outcome is unknown; then made under the id of the error.
    let error = client.payments().pay(&payment).await.unwrap_err();
    assert!(error.is_outcome_unknown());
    assert_eq!((error.delivery(), error.operation()), (Delivery::MaybeSent, Some(PAY)));
    assert!(format!("{error:?}").contains("OutcomeUnknown") && !format!("{error:?}").contains("request-"));
    let id = error.into_request_id().unwrap();
    let name = id.used();
    let paid = client.payments().under(id).pay(&payment).await.unwrap();
    assert_eq!(paid.request_id, Some(name));
    assert_eq!(gateway.payments().len(), 2);
}

/// A request whose lookup fails is not sent again.
///
/// Holds: A request that cannot be looked up is not sent again.
#[tokio::test(start_paused = true)]
async fn without_a_look_there_is_no_repeat() {
    let gateway = Gateway::new(|_, route| match route {
        Operation::Pay => Does::Fail(Kind::Closed),
        Operation::SearchPayments => Does::Say(500, String::new()),
        _ => Does::Well,
    });
    let error = gateway.client().payments().pay(&card_payment()).await.unwrap_err();
    assert!(error.is_outcome_unknown() && error.request_id().is_some());
    assert_eq!(gateway.count(PAY), 1);

    // It is not sent under an id that cannot be looked up either.
    let id = error.into_request_id().unwrap();
    let error = gateway.client().payments().under(id).pay(&card_payment()).await.unwrap_err();
    assert!(error.is_outcome_unknown() && error.request_id().is_some());
    assert_eq!(gateway.count(PAY), 1);
    // A list under another name is not an empty list.
    let gateway = Gateway::new(|_, route| match route {
        Operation::Pay => Does::Fail(Kind::Closed),
        Operation::SearchPayments => Does::Say(200, r#"{"success":true,"results":[]}"#.into()),
        _ => Does::Well,
    });
    assert!(gateway.client().payments().pay(&card_payment()).await.unwrap_err().is_outcome_unknown());
    assert_eq!(gateway.count(PAY), 1);
}

#[tokio::test(start_paused = true)]
async fn a_decline_is_a_value_and_is_found_as_one() {
    for lost in [false, true] {
        let gateway = Gateway::that(PaymentStatus::DECLINED, move |_, route| match route {
            Operation::Pay if lost => Does::PerformThen(Kind::Closed),
            _ => Does::Well,
        });
        let declined: Response<_> = gateway.client().payments().pay(&card_payment()).await.unwrap();
        let decline = declined.decline().unwrap();
        assert_eq!(
            (decline.status, decline.message.as_deref()),
            (PaymentStatus::DECLINED, Some("Do not Honor"))
        );
        assert!(!declined.is_approved());
        assert_eq!(gateway.payments().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn version_1_looks_by_status() {
    for (fate, made) in [(Does::PerformThen(Kind::Closed), 1), (Does::Fail(Kind::Closed), 0)] {
        let gateway = Gateway::of(Operation::Pay, [fate]);
        let client = gateway.builder().version(Version::V1).build().unwrap();
        let payment = NewPayment::builder().total_amount("97.20").credit_card(super::operations::card());
        match client.payments().pay(&payment.build().unwrap()).await {
            Ok(paid) => assert!(paid.is_approved() && made == 1),
            Err(error) => assert!(error.is_outcome_unknown() && error.request_id().is_some() && made == 0),
        }
        assert_eq!(gateway.asked().into_iter().skip(3).collect::<Vec<_>>(), [PAY, STATUS]);
        assert_eq!(gateway.payments().len(), made);
        for request in gateway.requests() {
            assert!(!request.uri().to_string().contains("access-"), "{}", request.uri());
        }
    }
}

/// Holds: A refund is found under its request id or in its payment.
#[tokio::test(start_paused = true)]
#[rustfmt::skip]
async fn a_refund_is_found_by_its_request_or_in_its_payment() {
    const REFUND: &str = "clientpay-payments.refund";
    let table: Vec<(&str, Vec<Does>, &[&str], bool)> = vec![
        ("well", vec![], &[REFUND], true),
        ("lost after it", vec![Does::PerformThen(Kind::Closed)], &[REFUND, SEARCH, SEARCH], true),
        ("lost before it", vec![Does::Fail(Kind::Closed)], &[REFUND, SEARCH, SEARCH], false),
        ("success alone", vec![Does::PerformAnd(200, r#"{"success":true}"#.into())], &[REFUND, SEARCH, SEARCH], true),
        ("another payment's void", vec![Does::PerformAnd(200, r#"{"success":true,"requestID":"request-0004-4aaa-8bbb","paymentID":"1","paymentStatus":"Voided"}"#.into())], &[REFUND, SEARCH, SEARCH], true),
        ("burnt and lost", vec![Does::BurnThen(Kind::Closed)], &[REFUND, SEARCH, SEARCH], false),
    ];
    for (what, fates, asked, ends_well) in table {
        let gateway = Gateway::of(Operation::Refund, fates);
        let client = gateway.client();
        let paid = client.payments().pay(&card_payment()).await.unwrap().into_value();
        let before = gateway.asked().len();
        let refund = Refund::builder().payment_id(paid.payment_id).build().unwrap();
        let refunded = client.payments().refund(&refund).await;
        assert_eq!(gateway.asked()[before + 1..], *asked, "{what}");
        assert_eq!(refunded.is_ok(), ends_well, "{what}");
        match refunded {
            Ok(told) => assert_eq!(told.payment_status, Some(PaymentStatus::VOIDED), "{what}"),
            Err(error) => assert!(error.is_outcome_unknown() && error.request_id().is_some(), "{what}"),
        }
    }
}

/// Pages and payers cannot be looked up: their request is sent once. The caller can continue under its id: the gateway
/// refuses the request if it was performed.
#[tokio::test(start_paused = true)]
async fn what_cannot_be_looked_for_is_sent_once() {
    for (fate, is_made) in [(Does::Fail(Kind::Closed), false), (Does::PerformThen(Kind::Closed), true)] {
        let gateway = Gateway::of(Operation::InvoicePage, [fate]);
        let client = gateway.client();
        let error = client.pages().invoices(&invoice_page()).await.unwrap_err();
        assert!(error.is_outcome_unknown());
        let ids = ids(&gateway, Operation::InvoicePage);
        assert_eq!(ids.len(), 1);

        let id = error.into_request_id().unwrap();
        match client.pages().under(id).invoices(&invoice_page()).await {
            Ok(page) => assert!(!is_made && page.request_id.as_str() == ids[0]),
            Err(error) => {
                assert!(is_made && error.is_outcome_unknown());
                assert_eq!(error.gateway_message(), Some("requestId has already been used."));
                // The id names the page, and can be used to expire it.
                let id = error.into_request_id().unwrap();
                client.pages().expire(&id.used()).await.unwrap();
            }
        }
    }
}
