//! Answers and postbacks of a gateway, which a client reads.

use std::fmt::{Debug, Write};

use perennial_domain::clientpay::*;
use perennial_wire::clientpay::{FieldError, Reply, access, invoice, page, payer, payment, search};
use perennial_wire::{DecodeError, Limits};

use super::{access_id, corpus, request_id};

/// A kind of answer: its reader, its text form, and its encoder.
pub(crate) struct Kind {
    pub(crate) names: &'static [&'static str],
    pub(crate) read: fn(&[u8]) -> Result<Told, DecodeError>,
    pub(crate) read_within: fn(&[u8], &Limits) -> Result<String, DecodeError>,
}

/// The meaning of a document, and its canonical bytes.
type Told = (String, Vec<u8>);

macro_rules! kinds {
    ($( $decode:path, $encode:path: $($name:literal)*; )*) => {
        &[$( Kind {
            names: &[$($name),*],
            read: |body| {
                let reply = $decode(body, &Limits::default())?;
                Ok((format!("{reply:#?}"), $encode(&reply)))
            },
            read_within: |body, limits| Ok(format!("{:#?}", $decode(body, limits)?)),
        }, )*]
    };
}

pub(crate) const KINDS: &[Kind] = kinds! {
    access::decode_access_id, access::encode_access_id: "replies/access-id" "replies/no-access-id";
    access::decode_access_id, access::encode_customer_access_id: "replies/customer-access-id";
    access::decode_validity, access::encode_validity: "replies/valid" "replies/not-valid";
    access::decode_request_id, access::encode_request_id: "replies/request-id";
    access::decode_done, access::encode_done: "replies/done" "replies/duplicate";
    page::decode, page::encode: "replies/page";
    page::decode, page::encode_payer: "replies/payer-page";
    payment::decode, payment::encode: "replies/payment-approved" "replies/payment-declined" "replies/payment-voided"
        "replies/payment-refunded" "replies/refund-refused" "replies/v1-status-unpaid";
    search::decode_count, search::encode_count: "replies/count";
    search::decode_results, search::encode_results: "replies/results";
    invoice::decode_found, invoice::encode_found: "replies/connect-found";
    payer::decode, payer::encode: "replies/payer" "replies/methods";
    payment::decode_postback, payment::encode_postback: "postbacks/processing" "postbacks/approved"
        "postbacks/declined" "postbacks/payer";
};

/// Checks each document, its meaning, and its canonical bytes, which have an equal meaning.
#[test]
fn documents_of_the_corpus() {
    let mut text = String::new();
    for Kind { names, read, .. } in KINDS {
        for name in *names {
            let document = corpus(name).expect("the corpus has it");
            let (meaning, written) =
                read(document.as_bytes()).unwrap_or_else(|error| panic!("{name}: {error}"));
            let (again, rewritten) = read(&written).unwrap();
            assert_eq!((&again, &rewritten), (&meaning, &written), "{name}");
            writeln!(text, "# {name}\n\n{}\n\n{meaning}\n", String::from_utf8(written).unwrap()).unwrap();
            for end in 1..document.len() {
                assert!(read(&document.as_bytes()[..end]).is_err(), "{name} up to byte {end}");
            }
        }
    }
    insta::assert_snapshot!("clientpay_replies", text);
}

fn decoded<T: Debug>(read: fn(&[u8], &Limits) -> Result<Reply<T>, DecodeError>, body: &str) -> Reply<T> {
    read(body.as_bytes(), &Limits::default()).unwrap_or_else(|error| panic!("{body}: {error}"))
}

#[test]
fn ids_and_flags_come_in_many_shapes() {
    let id = |body: &str| decoded(access::decode_access_id, body).value.map(|id| id.expose().to_owned());
    let access = access_id();
    for (body, found) in [
        (r#"{"accessId":"ID"}"#, true),
        (r#"{"AccessID":"ID","expires":null}"#, true),
        (r#""ID""#, true),
        (r#"  "ID" "#, true),
        (r#"{"accessId":"","customerAccessId":"ID"}"#, true),
        (r#"{"accessId":null}"#, false),
        ("{}", false),
        ("", false),
        ("  \r\n", false),
    ] {
        let expected = found.then(|| access.expose().to_owned());
        assert_eq!(
            id(&body
                .replace("ID\"", &format!("{}\"", access.expose()))
                .replace(&format!("Access{}", access.expose()), "AccessID")),
            expected,
            "{body}"
        );
    }
    let valid = |body: &str| decoded(access::decode_validity, body).value;
    for (body, expected) in [
        (r#"{"isValid":true}"#, Some(true)),
        (r#"{"IsValid":"False"}"#, Some(false)),
        (r#"{"isValid":0}"#, Some(false)),
        ("{}", None),
    ] {
        assert_eq!(valid(body), expected, "{body}");
    }
    let count = |body: &str| decoded(search::decode_count, body).value;
    for (body, expected) in [(r#"{"count":"12"}"#, Some(12)), (r#"{"Count":0}"#, Some(0)), ("{}", None)] {
        assert_eq!(count(body), expected, "{body}");
    }
}

#[test]
fn a_page_is_named_by_its_url_at_least() {
    let page = |body: &str| decoded(page::decode, body).value.map(|page| page.request_id.to_string());
    for (body, expected) in [
        (r#"{"requestID":"r-1","paymentPageUrl":"https://app.test/#/invoicePaymentPage/r-2"}"#, Some("r-1")),
        (r#"{"PaymentPageURL":"https://app.test/#/invoicePaymentPage/r-2"}"#, Some("r-2")),
        (r#"{"payerPageUrl":"https://app.test/#/payerPage/r-2"}"#, Some("r-2")),
        (r#""https://app.test/#/invoicePaymentPage/r-2""#, Some("r-2")),
        (r#"{"paymentPageUrl":"https://app.test/#/invoicePaymentPage/"}"#, None),
        (r#"{"requestID":"r-1"}"#, None),
        ("", None),
    ] {
        assert_eq!(page(body).as_deref(), expected, "{body}");
    }
}

#[test]
fn a_list_is_told_from_none_and_may_be_bare() {
    let payments = |body: &str| {
        decoded(search::decode_results, body)
            .value
            .map(|found| found.payments.into_iter().map(|p| p.payment_id).collect::<Vec<_>>())
    };
    let one = || vec![Some("7".parse::<PaymentId>().unwrap())];
    for (body, expected) in [
        (r#"{"payments":[{"paymentID":"7"}]}"#, Some(one())),
        (r#"{"Payments":[{"paymentId":7}]}"#, Some(one())),
        (r#"[{"PaymentId":"7"}]"#, Some(one())),
        (r#"{"payments":{"paymentID":"7"}}"#, Some(one())),
        (r#"{"payments":[]}"#, Some(vec![])),
        ("[]", Some(vec![])),
        (r#"{"results":[{"paymentID":"7"}]}"#, None),
        ("{}", None),
    ] {
        assert_eq!(payments(body), expected, "{body}");
    }
    let invoices = decoded(
        invoice::decode_found,
        r#"[{"InvoiceNumber":"1","invoiceDate":"2024-03-11T00:00:00-06:00"}]"#,
    );
    assert_eq!(invoices.value.unwrap()[0].invoice_date, Some("2024-03-11".try_into().unwrap()));
}

/// Checks that success, money and ids are never guessed.
#[test]
fn what_is_never_guessed() {
    fn error<T: Debug>(read: fn(&[u8], &Limits) -> Result<Reply<T>, DecodeError>, body: &str) -> String {
        read(body.as_bytes(), &Limits::default()).expect_err(body).to_string()
    }
    for (error, member) in [
        (error(access::decode_access_id, r#"{"accessId":"not one"}"#), "accessId"),
        (error(access::decode_request_id, r#"{"requestId":"a b"}"#), "requestId"),
        (error(access::decode_validity, r#"{"isValid":"maybe"}"#), "isValid"),
        (error(access::decode_done, r#"{"success":"perhaps"}"#), "success"),
        (error(search::decode_count, r#"{"count":-1}"#), "count"),
        (
            error(page::decode, r#"{"requestId":"a b","paymentPageUrl":"https://app.test/#/p/r-2"}"#),
            "requestId",
        ),
        (error(payer::decode, r#"{"payerId":"a b"}"#), "payerId"),
        (error(payer::decode, r#"{"payerId":"a","paymentMethodIds":["b","c d"]}"#), "paymentMethodIds"),
        (error(payment::decode, r#"{"success":"perhaps","paymentID":"7"}"#), "success"),
        (error(payment::decode, r#"{"requestID":"a b"}"#), "requestID"),
        (error(payment::decode, r#"{"paymentID":"a b"}"#), "paymentID"),
        (error(payment::decode, r#"{"originalPaymentID":"a b"}"#), "originalPaymentID"),
        (error(payment::decode, r#"{"paymentAmount":540.251}"#), "paymentAmount"),
        (error(payment::decode, r#"{"paymentAmount":5.4025e2}"#), "paymentAmount"),
        (error(payment::decode, r#"{"paymentAmount":-540.25}"#), "paymentAmount"),
        (error(payment::decode, r#"{"paymentTaxAmount":"x"}"#), "paymentTaxAmount"),
        (error(payment::decode, r#"{"surchargeAmount":"x"}"#), "surchargeAmount"),
        (error(payment::decode, r#"{"refundAmount":"x"}"#), "refundAmount"),
    ] {
        assert_eq!(error, format!("JSON at {member}: the value is not valid"));
    }
    // Members that move no money are kept unchanged.
    let body = r#"{"paymentMethodType":"Visa","statusByType":1.5}"#;
    let payment = decoded(payment::decode, body).value;
    assert_eq!(
        String::from_utf8(payment::encode(&Reply::success(payment))).unwrap(),
        r#"{"success":true,"paymentID":null,"sessionID":null,"customerRefNumber":null,"paymentStatus":null,"paymentMethodType":"Visa","statusByType":1.5}"#
    );
}

#[test]
fn a_payment_is_paid_by_whole_evidence() {
    let asked = Expected { request_id: request_id("").used(), amount: Some("540.25".parse().unwrap()) };
    let judge = |body: &str| {
        let body = body.replace("ID1", request_id("").expose());
        asked.judge(&decoded(payment::decode, &body).value)
    };
    for (body, verdict) in [
        (
            r#"{"success":true,"requestID":"ID1","paymentID":"7","paymentStatus":"Approved","paymentAmount":540.25}"#,
            Verdict::Approved,
        ),
        (
            r#"{"Success":"true","RequestId":"ID1","PaymentId":7,"PaymentStatus":"APPROVED","PaymentAmount":"540.2500"}"#,
            Verdict::Approved,
        ),
        (
            r#"{"requestID":"ID1","paymentID":"7","status":"Approved","paymentAmount":540.25}"#,
            Verdict::Approved,
        ),
        (
            r#"{"success":true,"requestID":"ID1","paymentID":"7","paymentStatus":"Approved"}"#,
            Verdict::Unknown,
        ),
        (
            r#"{"success":true,"requestID":"ID1","paymentID":"","paymentStatus":"Approved","paymentAmount":540.25}"#,
            Verdict::Unknown,
        ),
        (
            r#"{"success":true,"requestID":"other","paymentID":"7","paymentStatus":"Approved","paymentAmount":540.25}"#,
            Verdict::Unknown,
        ),
        (r#"{"requestID":"ID1","status":"Processing","paymentID":"","success":true}"#, Verdict::Pending),
        (r#"{"success":true}"#, Verdict::Unknown),
        ("", Verdict::Unknown),
        (r#"{"success":"False","requestID":"ID1","paymentStatus":"Declined"}"#, Verdict::Declined),
        (
            r#"{"success":false,"requestID":"ID1","paymentStatus":"Declined","status":"400"}"#,
            Verdict::Declined,
        ),
        (
            r#"{"success":false,"requestID":"ID1","paymentStatus":"Declined","status":"Approved"}"#,
            Verdict::Unknown,
        ),
    ] {
        assert_eq!(judge(body), verdict, "{body}");
    }
}

#[test]
fn a_refusal_says_why() {
    let reply = decoded(
        payment::decode,
        r#"{"Success":false,"Message":"no","Errors":[{"Field":"totalAmount"},{"message":"x"}]}"#,
    );
    let error = |field: Option<&str>, message: Option<&str>| FieldError {
        field: field.map(str::to_owned),
        message: message.map(str::to_owned),
    };
    assert_eq!((reply.success, reply.message.as_deref()), (Some(false), Some("no")));
    assert_eq!(reply.errors, [error(Some("totalAmount"), None), error(None, Some("x"))]);

    let violations = NewPayment::builder().build().unwrap_err();
    let written = access::encode_done(&Reply::violations(&violations));
    assert_eq!(
        String::from_utf8(written).unwrap(),
        r#"{"success":false,"message":"totalAmount: is required; payerOrPaymentMethodId: is required unless creditCard or eCheck is given","errors":[{"field":"totalAmount","message":"is required"},{"field":"payerOrPaymentMethodId","message":"is required unless creditCard or eCheck is given"}]}"#
    );
}

#[test]
fn what_is_no_answer() {
    for (body, expected) in [
        ("<html>", "JSON: malformed at line 1, column 1"),
        ("OK", "JSON: malformed at line 1, column 1"),
        ("7", "JSON: the value has another type"),
        (r#"{"success":true}{}"#, "JSON: something follows the end of the document"),
        (r#"{"requestID":"a","requestId":"b"}"#, "JSON at requestID: the member is given twice"),
        (r#"{"paymentAmount":{}}"#, "JSON at paymentAmount: the value has another type"),
    ] {
        let error = payment::decode(body.as_bytes(), &Limits::default()).unwrap_err();
        assert_eq!(error.to_string(), expected, "{body}");
    }
}
