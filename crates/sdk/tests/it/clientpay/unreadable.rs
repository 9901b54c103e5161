//! A payment that cannot be read does not hide others, and never counts as absent.

use perennial::clientpay::{Criteria, Expected, Operation, PaymentSearch};
use perennial::transport::Kind;
use perennial::{ErrorKind, UnreadableRecord};

use super::gateway::{Does, Gateway};
use super::operations::{card_payment, connect_search};

/// It may be the requested payment: it is not made again, and nothing is confirmed.
#[tokio::test(start_paused = true)]
async fn it_may_be_the_one_that_is_looked_for() {
    let found = r#"{"success":true,"payments":[{"paymentID":"7","requestID":"x","paymentAmount":"540,25"}]}"#;
    let gateway = Gateway::new(move |_, route| match route {
        Operation::Pay => Does::PerformThen(Kind::Closed),
        Operation::SearchPayments => Does::Say(200, found.into()),
        _ => Does::Well,
    });
    let client = gateway.client();
    let error = client.payments().pay(&card_payment()).await.unwrap_err();
    assert!(error.is_outcome_unknown());
    assert_eq!(gateway.count("clientpay-payments.create"), 1);

    let asked = Expected { request_id: "x".parse().unwrap(), amount: None };
    let error = client.payments().confirm(&asked).await.unwrap_err();
    assert_eq!(error.unreadable_record().and_then(UnreadableRecord::key), Some("7"));

    let search = PaymentSearch::builder().group(Criteria::request_id(&asked.request_id)).build().unwrap();
    let mut list = client.payments().search(search);
    assert!(list.next().await.unwrap().unwrap_err().unreadable_record().is_some());
    assert!(list.next().await.is_none());
}

/// Only an existing empty list means that no invoice is open.
#[tokio::test]
async fn an_answer_without_a_list_of_invoices_is_unreadable() {
    for (body, is_empty) in [
        (r#"{"success":true,"invoices":[]}"#, true),
        (r#"{"invoices":[]}"#, true),
        ("[]", true),
        (r#"{"success":true}"#, false),
        (r#"{"success":true,"invoices":null}"#, false),
        (r#"{"success":true,"payments":[]}"#, false),
        (r#"{"message":"Welcome"}"#, false),
        ("{}", false),
        ("", false),
    ] {
        let gateway = Gateway::of(Operation::ConnectSearch, [Does::Say(200, body.into())]);
        let found = gateway.client().pages().search_invoices(&connect_search()).await;
        match found {
            Ok(found) => assert!(is_empty && found.is_empty(), "{body}"),
            Err(error) => assert_eq!((error.kind(), is_empty), (ErrorKind::InvalidResponse, false), "{body}"),
        }
    }
}
