//! A request is performed once, whatever becomes of its answers.

use std::sync::Arc;

use perennial::clientpay::{NewPayment, PaymentStatus, Refund, Route, Version};
use perennial::transport::{Delivery, Kind};
use perennial::{ErrorKind, Response};

use super::gateway::{Does, Gateway};
use super::operations::{card_payment, invoice_page};

const PAY: &str = "clientpay-payments.create";
const SEARCH: &str = "clientpay-payments.search";
const STATUS: &str = "clientpay-payments.status";

/// What happens to the payment, what is asked from then on, how it ends, and how many payments there are.
type Case = (&'static str, Vec<Does>, &'static [&'static str], Option<ErrorKind>, usize);

/// The ids under which the operation was sent.
fn ids(gateway: &Gateway, route: Route) -> Vec<String> {
    let requests = gateway.requests();
    let of_route = requests.iter().filter(|request| Route::at(request.uri().path()).unwrap().0 == route);
    let id = |body: &serde_json::Value| match &body["token"]["requestId"] {
        serde_json::Value::Null => body["requestId"].as_str().unwrap().to_owned(),
        id => id.as_str().unwrap().to_owned(),
    };
    of_route.map(|request| id(&serde_json::from_slice(request.body()).unwrap())).collect()
}

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
        ("no connection at all", vec![Does::Fail(Kind::Connect); 3], &[PAY; 3], Some(ErrorKind::Unreachable), 0),
        ("performed, then reset", vec![Does::PerformThen(reset)], &[PAY, SEARCH], None, 1),
        ("performed, then silence", vec![Does::PerformThen(Kind::Timeout)], &[PAY, SEARCH], None, 1),
        ("performed, then cut", vec![Does::PerformThen(Kind::Truncated)], &[PAY, SEARCH], None, 1),
        ("performed, then 502", vec![after(502, "<html>")], &[PAY, SEARCH], None, 1),
        ("performed, then HTML", vec![after(200, "<html>")], &[PAY, SEARCH], None, 1),
        ("performed, then nothing", vec![after(200, "")], &[PAY, SEARCH], None, 1),
        ("performed, then success alone", vec![after(200, r#"{"success":true}"#)], &[PAY, SEARCH], None, 1),
        ("performed, then processing", vec![after(200, processing)], &[PAY, SEARCH], None, 1),
        ("performed, then another's approval", vec![after(200, r#"{"success":true,"requestID":"other","paymentID":"7","paymentStatus":"Approved","paymentAmount":540.25}"#)], &[PAY, SEARCH], None, 1),
        ("reset before it", vec![Does::Fail(reset)], &[PAY, SEARCH, PAY], None, 1),
        ("500 before it", vec![before(500, "")], &[PAY, SEARCH, PAY], None, 1),
        ("reset twice before it", vec![Does::Fail(reset), Does::Fail(reset)], &[PAY, SEARCH, PAY, SEARCH], UNKNOWN, 0),
        ("reset, then performed and reset", vec![Does::Fail(reset), Does::PerformThen(reset)], &[PAY, SEARCH, PAY, SEARCH], None, 1),
        ("throttled", vec![Does::Throttle], &[PAY, PAY], None, 1),
        ("burnt and lost", vec![Does::BurnThen(reset)], &[PAY, SEARCH, PAY, SEARCH], UNKNOWN, 0),
        ("refused", vec![refusal(400)], &[PAY], Some(ErrorKind::Refused), 0),
        ("refused with success", vec![refusal(200)], &[PAY], Some(ErrorKind::Refused), 0),
        ("refused after a lost one", vec![Does::Fail(reset), refusal(400)], &[PAY, SEARCH, PAY, SEARCH], UNKNOWN, 0),
        ("refused after throttling", vec![Does::Throttle, refusal(400)], &[PAY, PAY, SEARCH], UNKNOWN, 0),
        ("evicted", vec![Does::Evict], &[PAY, "access.current", "access.new", PAY], None, 1),
        ("throttled, then evicted, then not reached", vec![Does::Throttle, Does::Evict, Does::Fail(Kind::Connect), Does::Fail(Kind::Connect), Does::Fail(Kind::Connect)], &[PAY, PAY, "access.current", "access.new", PAY, PAY, PAY, SEARCH, PAY], None, 1),
        ("redirected", vec![before(302, "")], &[PAY, SEARCH, PAY], None, 1),
        ("redirected with the body", vec![before(307, "")], &[PAY], Some(ErrorKind::Redirected), 0),
    ];
    for (what, fates, asked, ended, made) in table {
        let gateway = Gateway::of(Route::Pay, fates);
        let outcome = gateway.client().payments().pay(&card_payment()).await;
        let asks: Vec<_> = gateway.asked().into_iter().skip(3).collect();
        assert_eq!(asks, asked, "{what}");
        assert_eq!(gateway.payments().len(), made, "{what}");
        let ids = ids(&gateway, Route::Pay);
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

/// What the gateway says is under way is waited for, and both of its words are one outcome.
#[tokio::test(start_paused = true)]
async fn processing_and_then_approved_is_one_outcome() {
    let pending =
        |id: &str| format!(r#"{{"payments":[{{"requestID":"{id}","paymentStatus":"Processing"}}]}}"#);
    let searches = Arc::new(std::sync::atomic::AtomicU32::new(0));
    for (pendings, ends_well) in [(0, true), (1, true), (2, true), (3, false)] {
        searches.store(0, std::sync::atomic::Ordering::SeqCst);
        let seen = searches.clone();
        let gateway = Gateway::new(move |_, route| match route {
            Route::Pay => Does::PerformThen(Kind::Closed),
            Route::SearchPayments if seen.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < pendings => {
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

#[tokio::test(start_paused = true)]
async fn under_its_id_a_request_is_found_or_made() {
    let gateway = Gateway::of(
        Route::Pay,
        [Does::PerformThen(Kind::Closed), Does::Fail(Kind::Closed), Does::Fail(Kind::Closed)],
    );
    let (client, payment) = (gateway.client(), card_payment());
    // Paid, found, and found again.
    let id = client.new_request_id().await.unwrap().into_value();
    let name = id.used();
    let first = client.payments().under(id).pay(&payment).await.unwrap();
    let again = client.payments().under(name.as_str().parse().unwrap()).pay(&payment).await.unwrap();
    assert_eq!(first.payment_id, again.payment_id);
    assert_eq!(gateway.payments().len(), 1);

    // Lost twice, so that nobody knows; and then, under the id of the error, made.
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

/// A request that cannot even be looked for is not sent again.
#[tokio::test(start_paused = true)]
async fn without_a_look_there_is_no_repeat() {
    let gateway = Gateway::new(|_, route| match route {
        Route::Pay => Does::Fail(Kind::Closed),
        Route::SearchPayments => Does::Say(500, String::new()),
        _ => Does::Well,
    });
    let error = gateway.client().payments().pay(&card_payment()).await.unwrap_err();
    assert!(error.is_outcome_unknown() && error.request_id().is_some());
    assert_eq!(gateway.count(PAY), 1);

    // Nor is it sent under an id of which nothing can be found out.
    let id = error.into_request_id().unwrap();
    let error = gateway.client().payments().under(id).pay(&card_payment()).await.unwrap_err();
    assert!(error.is_outcome_unknown() && error.request_id().is_some());
    assert_eq!(gateway.count(PAY), 1);
    // A list under another name is no empty list.
    let gateway = Gateway::new(|_, route| match route {
        Route::Pay => Does::Fail(Kind::Closed),
        Route::SearchPayments => Does::Say(200, r#"{"success":true,"results":[]}"#.into()),
        _ => Does::Well,
    });
    assert!(gateway.client().payments().pay(&card_payment()).await.unwrap_err().is_outcome_unknown());
    assert_eq!(gateway.count(PAY), 1);
}

#[tokio::test(start_paused = true)]
async fn a_decline_is_a_value_and_is_found_as_one() {
    for lost in [false, true] {
        let gateway = Gateway::that(PaymentStatus::DECLINED, move |_, route| match route {
            Route::Pay if lost => Does::PerformThen(Kind::Closed),
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
    for (fate, asked, made) in [
        (Does::PerformThen(Kind::Closed), &[PAY, STATUS][..], 1),
        (Does::Fail(Kind::Closed), &[PAY, STATUS, PAY], 1),
    ] {
        let gateway = Gateway::of(Route::Pay, [fate]);
        let client = gateway.builder().version(Version::V1).build().unwrap();
        let payment = NewPayment::builder().total_amount("97.20").credit_card(super::operations::card());
        let paid = client.payments().pay(&payment.build().unwrap()).await.unwrap();
        assert!(paid.is_approved());
        assert_eq!(gateway.asked().into_iter().skip(3).collect::<Vec<_>>(), asked);
        assert_eq!(gateway.payments().len(), made);
        for request in gateway.requests() {
            assert!(!request.uri().to_string().contains("access-"), "{}", request.uri());
        }
    }
}

#[tokio::test(start_paused = true)]
#[rustfmt::skip]
async fn a_refund_is_found_by_its_request_or_in_its_payment() {
    const REFUND: &str = "clientpay-payments.refund";
    let table: Vec<(&str, Vec<Does>, &[&str], bool)> = vec![
        ("well", vec![], &[REFUND], true),
        ("lost after it", vec![Does::PerformThen(Kind::Closed)], &[REFUND, SEARCH, SEARCH], true),
        ("lost before it", vec![Does::Fail(Kind::Closed)], &[REFUND, SEARCH, SEARCH, REFUND], true),
        ("success alone", vec![Does::PerformAnd(200, r#"{"success":true}"#.into())], &[REFUND, SEARCH, SEARCH], true),
        ("another payment's void", vec![Does::PerformAnd(200, r#"{"success":true,"requestID":"request-0004-4aaa-8bbb","paymentID":"1","paymentStatus":"Voided"}"#.into())], &[REFUND, SEARCH, SEARCH], true),
        ("burnt and lost", vec![Does::BurnThen(Kind::Closed)], &[REFUND, SEARCH, SEARCH, REFUND, SEARCH, SEARCH], false),
    ];
    for (what, fates, asked, ends_well) in table {
        let gateway = Gateway::of(Route::Refund, fates);
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

/// Pages and payers cannot be looked for: their request is sent again under its id, and refused if it was performed.
#[tokio::test(start_paused = true)]
async fn what_cannot_be_looked_for_is_sent_again_under_its_id() {
    for (fate, ends_well) in [(Does::Fail(Kind::Closed), true), (Does::PerformThen(Kind::Closed), false)] {
        let gateway = Gateway::of(Route::InvoicePage, [fate]);
        let page = gateway.client().pages().invoices(&invoice_page()).await;
        let ids = ids(&gateway, Route::InvoicePage);
        assert_eq!(ids.len(), 2);
        assert_eq!(ids[0], ids[1]);
        match page {
            Ok(page) => assert!(ends_well && page.request_id.as_str() == ids[0]),
            Err(error) => {
                assert!(!ends_well && error.is_outcome_unknown());
                assert_eq!(error.gateway_message(), Some("requestId has already been used."));
                // The id names the page, which can be expired by it.
                let id = error.into_request_id().unwrap();
                gateway.client().pages().expire(&id.used()).await.unwrap();
            }
        }
    }
}
