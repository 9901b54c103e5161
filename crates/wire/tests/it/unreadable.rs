//! Unreadable records do not hide the others of their list, nor do they count as absent.

use perennial_wire::clearent::{Payload, Reply};
use perennial_wire::clientpay::{invoice, search};
use perennial_wire::{Format, Limits, UnreadableRecord};

/// Every list of the first vendor: its name, the name of a record, a readable record, its key, and a member that
/// is unreadable in any form that a gateway may choose.
const LISTS: &[(&str, &str, &str, &str, &str)] = &[
    ("customers", "customer", "<customer-key>KEY</customer-key>", "first-name", "{}"),
    ("tokens", "token", "<token-id>KEY</token-id>", "last-four-digits", "\"many\""),
    ("customer-tokens", "customer-token", "<token-id>KEY</token-id>", "last-four-digits", "12345"),
    ("payment-plans", "payment-plan", "<plan-key>KEY</plan-key>", "payment-amount", "\"USD 50\""),
    ("payment-plans", "payment-plan", "<plan-key>KEY</plan-key>", "start-date", "\"01/15/2027\""),
    ("payment-plans", "payment-plan", "<plan-key>KEY</plan-key>", "status", "[\"ACTIVE\"]"),
    ("payments", "payment", "<transaction-id>KEY</transaction-id>", "payment-amount", "-1.00"),
    ("transactions", "transaction", "<id>KEY</id>", "amount", "{\"value\":\"1.00\"}"),
    ("transactions", "transaction", "<id>KEY</id>", "voided", "\"perhaps\""),
    ("transactions", "transaction", "<id>KEY</id>", "billing", "7"),
    ("batches", "batch", "<id>KEY</id>", "net-amount", "\"five\""),
];

/// The number of readable records of a list, and the others.
fn sorted(document: &str) -> (usize, Vec<(usize, Option<String>, String)>) {
    let format = if document.starts_with('<') { Format::Xml } else { Format::Json };
    let reply = Reply::decode(format, document.as_bytes(), &Limits::default())
        .unwrap_or_else(|error| panic!("{document}: {error}"));
    let readable = match &reply.payload {
        Payload::Customers(records) => records.len(),
        Payload::Tokens(records) => records.len(),
        Payload::CustomerTokens(records) => records.len(),
        Payload::Plans(records) => records.len(),
        Payload::Payments(records) => records.len(),
        Payload::Transactions(records) => records.len(),
        Payload::Batches(records) => records.len(),
        Payload::ExpectedRuns(records) => records.len(),
        Payload::Forecast(records) => records.len(),
        other => panic!("{document}: {other:?}"),
    };
    (readable, reply.unreadable.iter().map(told).collect())
}

fn told(record: &UnreadableRecord) -> (usize, Option<String>, String) {
    (record.index(), record.key().map(str::to_owned), record.error().path().to_owned())
}

#[test]
fn a_record_is_named_and_the_others_are_read() {
    for (list, record, key, member, value) in LISTS {
        let name = key.split(['<', '>']).nth(1).unwrap();
        let expected = (2, vec![(1, Some("key_2".to_owned()), format!("payload.{list}.{record}.{member}"))]);

        let read = |key: &str| format!(r#"{{"{name}":"{key}"}}"#);
        // The key may be after the unreadable member.
        let wrong = format!(r#"{{"{member}":{value},"x":[{{}}],"{name}":"key_2"}}"#);
        let json = format!(
            r#"{{"payload":{{"{list}":{{"{record}":[{},{wrong},{}]}},"payloadType":"{list}"}}}}"#,
            read("key_1"),
            read("key_3"),
        );
        assert_eq!(sorted(&json), expected, "{json}");

        let value = match value.trim_matches('"') {
            "{}" | "7" if *member != "billing" => "<x/>".to_owned(),
            "[\"ACTIVE\"]" | "{\"value\":\"1.00\"}" => "<value>1.00</value>".to_owned(),
            text => text.to_owned(),
        };
        let read = |key_: &str| format!("<{record}>{}</{record}>", key.replace("KEY", key_));
        let wrong = format!(
            "<{record}><{member}>{value}</{member}><x><y/></x>{}</{record}>",
            key.replace("KEY", "key_2")
        );
        let xml = format!(
            "<response><payload type=\"{list}\"><{list}>{}{wrong}{}</{list}></payload></response>",
            read("key_1"),
            read("key_3"),
        );
        assert_eq!(sorted(&xml), expected, "{xml}");
    }
}

/// Checks other contents of a list, and their errors.
#[test]
fn oddities_of_lists() {
    type Told = (usize, Option<&'static str>, &'static str);
    let cases: &[(&str, usize, &[Told])] = &[
        // A record without a key, one that is not an object, one of another type.
        (
            r#"{"payload":{"customers":{"customer":[{"customer-key":"a"},{},7,"x",[1],{"customer-key":"b"}]}}}"#,
            2,
            &[
                (1, None, "payload.customers.customer.customer-key"),
                (2, None, "payload.customers.customer"),
                (3, None, "payload.customers.customer"),
                (4, None, "payload.customers.customer"),
            ],
        ),
        // Null within a list is a record, null instead of a list is an empty list.
        (
            r#"{"payload":{"payments":{"payment":[null,{"amount":"1.00"},null]}}}"#,
            1,
            &[(0, None, "payload.payments.payment"), (2, None, "payload.payments.payment")],
        ),
        (r#"{"payload":{"payments":{"payment":null}}}"#, 0, &[]),
        // A repeated member makes its record unreadable, not the list; of two faults, the first is reported.
        (
            r#"{"payload":{"transactions":{"transaction":[{"id":"1","amount":"1.00","amount":"2.00","voided":{}},{"id":"2"}]}}}"#,
            1,
            &[(0, Some("1"), "payload.transactions.transaction.amount")],
        ),
        // Within an object of the record.
        (
            r#"{"payload":{"transactions":{"transaction":[{"billing":{"zip":[1,[2]],"city":"x"},"id":"1"},{"id":"2"}]}}}"#,
            1,
            &[(0, Some("1"), "payload.transactions.transaction.billing.zip")],
        ),
        (
            r#"{"payload":{"customers":{"customer":[{"links":{"link":[{"rel":"a","href":{}},{"rel":"b"}]},"customer-key":"a"},{"customer-key":"b"}]}}}"#,
            1,
            &[(0, Some("a"), "payload.customers.customer.links.link.href")],
        ),
        // A fraction is exact and not a fault, also next to one.
        (
            r#"{"payload":{"payment-plans":{"payment-plan":[{"plan-key":"a","payment-amount":1.10},{"plan-key":"b","payment-amount":1.105}]}}}"#,
            1,
            &[(1, Some("b"), "payload.payment-plans.payment-plan.payment-amount")],
        ),
        // A single record without a list.
        (
            r#"{"payload":{"customers":{"customer":{"customer-key":"a","email":{}}}}}"#,
            0,
            &[(0, Some("a"), "payload.customers.customer.email")],
        ),
        // Tokens by either name, counted through.
        (
            r#"{"payload":{"tokens":{"token":[{"token-id":"1"}],"tokenResponse":[{"token-id":"2","last-four-digits":"x"}]}}}"#,
            1,
            &[(1, Some("2"), "payload.tokens.token.last-four-digits")],
        ),
        // Days have no key.
        (
            r#"{"payload":{"plan-forecast":{"date":["2027-01-15","2027-02-30","2027-03-15"]}}}"#,
            2,
            &[(1, None, "payload.plan-forecast.date")],
        ),
        // The reported key is masked if it may be a card number, and omitted if it is not a key.
        (
            r#"{"payload":{"tokens":{"token":[{"token-id":"4111111111111111","last-four-digits":"x"},{"token-id":{"a":1}}]}}}"#,
            0,
            &[
                (0, Some("************1111"), "payload.tokens.token.last-four-digits"),
                (1, None, "payload.tokens.token.token-id"),
            ],
        ),
    ];
    for (document, readable, unreadable) in cases {
        let unreadable = unreadable
            .iter()
            .map(|(index, key, path)| (*index, key.map(str::to_owned), (*path).to_owned()))
            .collect();
        assert_eq!(sorted(document), (*readable, unreadable), "{document}");
    }
}

/// Checks that a document that is not well-formed, too deep or too large has no readable rest.
#[test]
fn a_document_that_breaks_off_has_no_records() {
    let list = |records: &str| format!(r#"{{"payload":{{"customers":{{"customer":[{records}]}}}}}}"#);
    for document in [
        list(r#"{"customer-key":"a"},{"customer-key":}"#),
        list(r#"{"customer-key":"a"},{"first-name":{},"customer-key":"b""#),
        list(&format!(r#"{{"customer-key":"a"}},{{"first-name":{}1{}}}"#, "[".repeat(40), "]".repeat(40))),
        list(&"{},".repeat(20_001)),
        "<response><payload><customers><customer><first-name><x></first-name></customer></customers></payload></response>".into(),
    ] {
        let format = if document.starts_with('<') { Format::Xml } else { Format::Json };
        let read = Reply::decode(format, document.as_bytes(), &Limits::default());
        assert!(read.is_err(), "{}", &document[..document.len().min(200)]);
    }
}

#[test]
fn lists_of_the_second_vendor() {
    for (member, value) in [
        ("paymentAmount", r#""USD 5""#),
        ("requestID", r#""a b""#),
        ("originalPaymentID", "{}"),
        ("refundAmount", "-1"),
        ("success", r#""perhaps""#),
    ] {
        let document = format!(
            r#"{{"success":true,"payments":[{{"paymentID":"1"}},{{"{member}":{value},"paymentID":"2"}},{{"paymentID":"3"}}]}}"#
        );
        let reply = search::decode_results(document.as_bytes(), &Limits::default()).unwrap();
        let told: Vec<_> = reply.unreadable.iter().map(told).collect();
        assert_eq!(told, [(1, Some("2".into()), format!("payments.{member}"))], "{document}");
        assert_eq!(reply.value.unwrap().payments.len(), 2, "{document}");
    }
    for (member, value) in
        [("outstandingBalance", r#""x""#), ("invoiceDate", r#""soon""#), ("isMultiPay", r#""maybe""#)]
    {
        let document = format!(r#"[{{"invoiceNumber":"1"}},{{"{member}":{value},"invoiceNumber":"2"}}]"#);
        let reply = invoice::decode_found(document.as_bytes(), &Limits::default()).unwrap();
        let told: Vec<_> = reply.unreadable.iter().map(told).collect();
        assert_eq!(told, [(1, Some("2".into()), format!("invoices.{member}"))], "{document}");
        assert_eq!(reply.value.unwrap().len(), 1, "{document}");
    }
}
