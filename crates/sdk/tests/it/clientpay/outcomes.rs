//! The client's result for every kind of response, for a missing response, and for postbacks.

use perennial::ErrorKind;
use perennial::clientpay::*;
use perennial::transport::Kind;

use super::gateway::{Does, Gateway};
use super::operations::{card_payment, invoice_page};

/// The results of a read, of a page and of an expiry that always get the same response.
#[tokio::test(start_paused = true)]
#[rustfmt::skip]
async fn what_each_answer_means() {
    use ErrorKind::{
        Configuration, NotFound, OutcomeUnknown as Unknown, RateLimited, Redirected, Refused, Timeout, Unauthorized,
        Unavailable, Connection, InvalidResponse,
    };
    const VALUE: Option<ErrorKind> = None;
    let all = |kind| [Some(kind); 3];
    let of_a_read = |kind| [Some(kind), Some(Unknown), Some(Unknown)];
    let says = |status, body: &str| Does::Say(status, body.into());
    let no = r#"{"success":false,"message":"no"}"#;
    let table = [
        ("no connection", Does::Fail(Kind::Connect), all(Connection)),
        ("no such URL", Does::Fail(Kind::RefusedUrl), all(Configuration)),
        ("a reset", Does::Fail(Kind::Closed), of_a_read(Connection)),
        ("silence", Does::Fail(Kind::Timeout), of_a_read(Timeout)),
        ("a cut body", Does::Fail(Kind::Truncated), of_a_read(InvalidResponse)),
        ("an endless body", Does::Fail(Kind::TooLarge), of_a_read(InvalidResponse)),
        ("HTML", says(200, "<html>"), of_a_read(InvalidResponse)),
        ("nothing", says(200, ""), of_a_read(InvalidResponse)),
        ("an object of nothing", says(200, "{}"), of_a_read(InvalidResponse)),
        ("an object of something else", says(200, r#"{"ok":true}"#), of_a_read(InvalidResponse)),
        ("an empty 204", says(204, ""), [Some(InvalidResponse), Some(Unknown), VALUE]),
        ("success alone", says(200, r#"{"success":true}"#), [Some(InvalidResponse), Some(Unknown), VALUE]),
        ("another page", says(200, r#"{"success":true,"requestID":"other","paymentPageUrl":"https://a.test/"}"#), [Some(InvalidResponse), Some(Unknown), Some(Unknown)]),
        ("a refusal in a 200", says(200, no), all(Refused)),
        ("a refusal", says(400, no), all(Refused)),
        ("a refusal of a proxy", says(400, "<html>"), of_a_read(InvalidResponse)),
        ("a refusal of another server", says(404, r#"{"message":"Not Found"}"#), of_a_read(InvalidResponse)),
        ("nothing with 401", says(401, ""), of_a_read(InvalidResponse)),
        ("nothing with 403", says(403, ""), of_a_read(InvalidResponse)),
        ("a refusal with a yes", says(400, r#"{"success":true}"#), of_a_read(InvalidResponse)),
        ("a refusal with the value", says(401, r#"{"success":true,"count":7}"#), of_a_read(InvalidResponse)),
        ("a refusal of access with a yes", says(403, r#"{"success":"true","message":"no"}"#), of_a_read(InvalidResponse)),
        ("a yes that is not found", says(404, r#"{"success":true}"#), of_a_read(InvalidResponse)),
        ("a yes that is gone", says(410, r#"{"success":true}"#), of_a_read(InvalidResponse)),
        ("a payment that is not found", says(404, r#"{"success":false,"paymentID":"7"}"#), of_a_read(InvalidResponse)),
        ("a payment that is not found, in a list", says(404, r#"{"success":false,"payments":[{"paymentID":"7"}]}"#), of_a_read(InvalidResponse)),
        ("a payment in a no", says(200, r#"{"success":false,"paymentID":"7"}"#), of_a_read(InvalidResponse)),
        ("a no that cannot be read", says(403, r#"{"success":{},"count":7}"#), of_a_read(InvalidResponse)),
        ("an empty yes", says(200, r#"{"success":"","message":"Welcome"}"#), of_a_read(InvalidResponse)),
        ("an empty yes of blanks", says(200, r#"{"success":" "}"#), of_a_read(InvalidResponse)),
        ("an empty no", says(404, r#"{"success":"","message":"Not Found"}"#), of_a_read(InvalidResponse)),
        ("a yes with an error", says(200, r#"{"success":true,"errors":[{"message":"no"}]}"#), of_a_read(InvalidResponse)),
        ("neither yes nor no", says(200, r#"{"success":"maybe"}"#), of_a_read(InvalidResponse)),
        ("a business refusal", says(402, no), all(Refused)),
        ("not allowed", says(403, no), all(Unauthorized)),
        ("not found", says(404, no), all(NotFound)),
        ("gone", says(410, no), all(NotFound)),
        ("the wrong method", says(405, no), all(Refused)),
        ("the wrong media type", says(415, no), all(Refused)),
        ("nothing with 410", says(410, ""), of_a_read(InvalidResponse)),
        ("nothing with 405", says(405, ""), of_a_read(InvalidResponse)),
        ("slow", says(408, ""), of_a_read(Unavailable)),
        ("too many", says(429, no), all(RateLimited)),
        ("too many, says a proxy", says(429, ""), of_a_read(RateLimited)),
        ("a failure", says(500, no), of_a_read(Unavailable)),
        ("a bad gateway", says(502, "<html>"), of_a_read(Unavailable)),
        ("elsewhere", says(301, ""), of_a_read(Redirected)),
        ("elsewhere with the body", says(307, ""), of_a_read(Redirected)),
    ];
    let filter = PaymentFilter::builder().group(Criteria::payment_id(&"7".parse().unwrap())).build().unwrap();
    for (what, does, expected) in table {
        let gateway = Gateway::new(move |_, route| match route {
            Operation::CountPayments | Operation::InvoicePage | Operation::ExpirePage => does.clone(),
            _ => Does::Well,
        });
        let client = gateway.client();
        let told = [
            client.payments().count(&filter).await.err(),
            client.pages().invoices(&invoice_page()).await.err(),
            client.pages().expire(&"r".parse().unwrap()).await.err(),
        ];
        assert_eq!(told.map(|error| error.map(|error| error.kind())), expected, "{what}");
    }
}

#[tokio::test]
async fn a_refusal_says_why_by_field() {
    let body = r#"{"success":false,"message":"Bad request.","errors":[{"field":"totalAmount","message":"too much"},{"message":"and more"}]}"#;
    let gateway = Gateway::of(Operation::Pay, [Does::Say(400, body.into())]);
    let error = gateway.client().payments().pay(&card_payment()).await.unwrap_err();
    assert_eq!(error.gateway_message(), Some("Bad request. (totalAmount: too much; and more)"));
    assert_eq!((error.status(), error.attempts()), (Some(400), 1));
    assert!(error.request_id().is_none(), "what was refused needs no reconciling");
}

/// Holds: A postback counts as paid only after a search confirms it.
#[tokio::test]
async fn a_postback_is_a_hint_and_a_search_confirms() {
    let gateway = Gateway::new(|_, _| Does::Well);
    let client = gateway.client();
    let paid = client.payments().pay(&card_payment()).await.unwrap().into_value();
    let request_id = paid.request_id.clone().unwrap();

    let forged = format!(
        r#"{{"success":true,"requestID":"{request_id}","paymentID":"1","paymentStatus":"Approved","paymentAmount":0.01}}"#
    );
    let told = postback(forged.as_bytes()).unwrap();
    assert_eq!(told.request_id(), Some(&request_id));
    let confirm = async |request: &UsedRequestId, amount: &str| {
        let asked = Expected { request_id: request.clone(), amount: Some(amount.parse().unwrap()) };
        let confirmed = client.payments().confirm(&asked).await.unwrap().into_value();
        confirmed.map(|confirmed| (confirmed.verdict(), confirmed.payment().payment_id.clone()))
    };
    assert_eq!(
        confirm(told.request_id().unwrap(), "540.25").await,
        Some((Verdict::Approved, paid.payment_id.clone()))
    );
    assert_eq!(confirm(&request_id, "540.24").await, Some((Verdict::Unknown, paid.payment_id.clone())));
    assert_eq!(confirm(&"other".parse().unwrap(), "540.25").await, None);

    let refund = Refund::builder().payment_id(paid.payment_id.clone()).build().unwrap();
    client.payments().refund(&refund).await.unwrap();
    assert_eq!(confirm(&request_id, "540.25").await, Some((Verdict::Reversed, paid.payment_id)));

    for body in ["", "<html>", "[]", r#"{"requestID":{}}"#] {
        assert_eq!(postback(body.as_bytes()).unwrap_err().kind(), ErrorKind::InvalidResponse, "{body}");
    }
    let Postback::Payer(payer) = postback(br#"{"success":true,"requestID":"r","payerID":"p"}"#).unwrap()
    else {
        panic!("a payer's")
    };
    assert_eq!(payer.payer_id, Some("p".parse().unwrap()));
}
