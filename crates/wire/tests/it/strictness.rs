//! Refused documents, with the words of the refusal.

use perennial_domain::clearent::TransactionType;
use perennial_wire::clearent::{ReadError, Reply, customer, customer_token, plan, token, transaction};
use perennial_wire::{Format, Limits};

use crate::samples::reread;

/// Checks that money, keys and dates are never guessed, and that an object without a key is refused.
#[test]
fn answers() {
    for (document, expected) in [
        (
            r#"{"payload":{"customer":{"first-name":"Ada"}}}"#,
            "JSON at payload.customer.customer-key: a required member is missing",
        ),
        (
            r#"{"payload":{"customer":""}}"#,
            "JSON at payload.customer.customer-key: a required member is missing",
        ),
        (
            r#"{"payload":{"customer":{"customer-key":"a/../b"}}}"#,
            "JSON at payload.customer.customer-key: the value is not valid",
        ),
        (
            r#"{"payload":{"customers":{"customer":[{"customer-key":"a"},{"customer-key":"a b"}]}}}"#,
            "JSON at payload.customers.customer.customer-key: the value is not valid",
        ),
        (
            r#"{"payload":{"customers":[{"customer-key":"a"}]}}"#,
            "JSON at payload.customers: the value has another type",
        ),
        (
            r#"{"payload":{"token":{"token-id":"1 1"}}}"#,
            "JSON at payload.token.token-id: the value is not valid",
        ),
        (
            r#"{"payload":{"tokenResponse":{"customer-key":"é"}}}"#,
            "JSON at payload.tokenResponse.customer-key: the value is not valid",
        ),
        (
            r#"{"payload":{"customer-token":{"default":true}}}"#,
            "JSON at payload.customer-token.token-id: a required member is missing",
        ),
        (
            r#"{"payload":{"payment-plan":{"plan-key":"p","payment-amount":"50,00"}}}"#,
            "JSON at payload.payment-plan.payment-amount: the value is not valid",
        ),
        (
            r#"{"payload":{"payment-plan":{"plan-key":"p","payment-amount":5e1}}}"#,
            "JSON at payload.payment-plan.payment-amount: the value is not valid",
        ),
        (
            r#"{"payload":{"payment-plan":{"plan-key":"p","start-date":"01/15/2027"}}}"#,
            "JSON at payload.payment-plan.start-date: the value is not valid",
        ),
        (
            r#"{"payload":{"plan-forecast":{"date":["2027-02-30"]}}}"#,
            "JSON at payload.plan-forecast.date: the value is not valid",
        ),
        (
            r#"{"payload":{"expected-runs":{"expected-run":[{"payment-amount":"1.00"}]}}}"#,
            "JSON at payload.expected-runs.expected-run.date: a required member is missing",
        ),
        (
            r#"{"payload":{"payments":{"payment":[{"payment-amount":"1.005"}]}}}"#,
            "JSON at payload.payments.payment.payment-amount: the value is not valid",
        ),
        (
            r#"{"payload":{"transaction":{"amount":"-1.00"}}}"#,
            "JSON at payload.transaction.amount: the value is not valid",
        ),
        (
            r#"{"payload":{"tokenResponse":{"last-four-digits":"4111111111111111"}}}"#,
            "JSON at payload.tokenResponse.last-four-digits: the value is not valid",
        ),
        (
            r#"{"payload":{"tokenResponse":{"last-four-digits":12.5}}}"#,
            "JSON at payload.tokenResponse.last-four-digits: the value is not valid",
        ),
        (
            r#"{"payload":{"transaction":{"last-four":"none"}}}"#,
            "JSON at payload.transaction.last-four: the value is not valid",
        ),
        (
            r#"{"payload":{"transaction":{"voided":"maybe"}}}"#,
            "JSON at payload.transaction.voided: the value is not valid",
        ),
        (
            r#"{"payload":{"transaction":{"check-field-duplicate":2}}}"#,
            "JSON at payload.transaction.check-field-duplicate: the value is not valid",
        ),
        (
            r#"{"payload":{"batch":{"total-count":"2 or 3"}}}"#,
            "JSON at payload.batch.total-count: the value is not valid",
        ),
        (
            r#"{"payload":{"transaction":{"amount":{"value":"1.00"}}}}"#,
            "JSON at payload.transaction.amount: the value has another type",
        ),
        (
            r#"{"payload":{"transaction":{"id":"1","id":"2"}}}"#,
            "JSON at payload.transaction.id: the member is given twice",
        ),
        (
            r#"{"payload":{"customer":{"customer-key":"a"}},"customer":{"customer-key":"b"}}"#,
            "JSON at customer: the member is given twice",
        ),
        (r#"{"payload":"declined"}"#, "JSON at payload: the value has another type"),
        ("<html><body>502 Bad Gateway</body></html>", "XML: the root element is another one"),
        (
            "<response><payload><transaction><amount>1,000.00</amount></transaction></payload></response>",
            "XML at payload.transaction.amount: the value is not valid",
        ),
        ("502 Bad Gateway", "JSON: malformed at line 1, column 5"),
    ] {
        let format = if document.starts_with('<') { Format::Xml } else { Format::Json };
        // In a list, only the record is refused.
        let error = match Reply::decode(format, document.as_bytes(), &Limits::default()) {
            Ok(reply) => reply.unreadable.first().expect(document).error().clone(),
            Err(error) => error,
        };
        assert_eq!(error.to_string(), expected, "{document}");
    }
}

/// Checks that all violations of a request are reported at once, by the documented names of its members.
#[test]
fn requests() {
    for (request, document, expected) in [
        ("customer-create", "", "JSON: the document is empty"),
        ("customer-create", "[]", "JSON: the value has another type"),
        ("customer-create", r#"{"first-name":["Ada"]}"#, "JSON at first-name: the value has another type"),
        ("customer-create", "{}", "first-name: is required; last-name: is required"),
        (
            "customer-create",
            r#"{"first-name":" ","customer-key":"a b","billing-address":{"zip":"\u0001"}}"#,
            "customer-key: must be 1 to 100 characters of A-Z, a-z, 0-9, '_', '-', '.' and ':'; \
             billing-address.zip: must not contain control characters (character 1); \
             first-name: is required; last-name: is required",
        ),
        ("customer-update", r#"{"customer-key":"c","email":""}"#, "customer: must change at least one field"),
        ("customer-update", r#"{"status":"gone"}"#, "status: must be one of ACTIVE, INACTIVE"),
        ("token-create", "{}", "card: is required; exp-date: is required"),
        (
            "token-create",
            r#"{"card":"4111111111111112","exp-date":"1330","csc":"12","avs-required":"yes"}"#,
            "card: must be a card number whose check digit is right (Luhn); \
             csc: must be the 3 or 4 digits of the card's security code; avs-required: must be true or false; \
             exp-date: must be an expiry written MMYY with a month from 01 to 12",
        ),
        ("token-update", r#"{"token-id":"11"}"#, "token: must change at least one field"),
        (
            "customer-token-attach",
            r#"{"default":"maybe"}"#,
            "default: must be true or false; token-id: is required",
        ),
        (
            "customer-token-update",
            r#"{"token-id":"11","exp-date":"1230"}"#,
            "customer-token: must change at least one field",
        ),
        (
            "plan-create",
            r#"{"type":"LOAN","frequency":"WEEKLY","frequency-day":29,"payment-amount":100.0,"start-date":"2027-1-1","end-date":"2027-12-01","status":"x"}"#,
            "type: must be SUBSCRIPTION; frequency: must be one of MONTHLY; frequency-day: must be a day from 1 to 28; \
             start-date: must be a date of the calendar written yyyy-MM-dd, from 1970 to 2199; \
             status: must be one of ACTIVE, SUSPENDED, CANCELED; \
             payment-amount: must be digits with exactly two decimals, such as 50.00; \
             customer-key: is required; token-id: is required",
        ),
        (
            "plan-update",
            r#"{"payment-amount":"0.00","start-date":"2027-01-01","end-date":"2026-01-01"}"#,
            "payment-amount: must be at least 0.01; end-date: must be on or after start-date",
        ),
        ("transaction-sale", "{}", "type: is required"),
        (
            "transaction-sale",
            r#"{"type":"BUY"}"#,
            "type: must be one of SALE, AUTH, CAPTURE, FORCED SALE, REFUND, VOID",
        ),
        ("transaction-sale", r#"{"type":"VOID"}"#, "id: is required"),
        (
            "transaction-sale",
            r#"{"type":"CAPTURE","amount":"0.00"}"#,
            "id: is required; amount: must be at least 0.01",
        ),
        ("transaction-sale", r#"{"type":"REFUND"}"#, "amount: is required; id: is required"),
        (
            "transaction-sale",
            r#"{"type":"SALE","amount":"0.00"}"#,
            "amount: must be at least 0.01; card: is required",
        ),
        (
            "transaction-sale",
            r#"{"type":"SALE","amount":"100.0","card":"4111111111111111"}"#,
            "amount: must be digits with exactly two decimals, such as 50.00; exp-date: is required",
        ),
        (
            "transaction-sale",
            r#"{"type":"FORCED SALE","amount":"0.00","authorization-code":" "}"#,
            "amount: must be at least 0.01; authorization-code: is required; card: is required",
        ),
    ] {
        refuses(request, document, expected);
    }
}

#[test]
fn requests_of_a_terminal() {
    for (request, document, expected) in [
        ("transaction-update", "{}", "tip-amount: is required"),
        (
            "batch-settle",
            r#"{"total-count":"-1","net-amount":"5,05"}"#,
            "total-count: must be a whole number from 0; \
             net-amount: must be digits with at most two decimals, such as 50.00",
        ),
        ("settings-avs-update", r#"{"enabled":true}"#, "response-filters: is required"),
        (
            "settings-avs-update",
            r#"{"enabled":1,"response-filters":{"response-filter":[{"name":" "},{"allowed":"yes"}]}}"#,
            "enabled: must be true or false; name: is required; allowed: is required",
        ),
        (
            "settings-csc-update",
            r#"{"response-filters":{"response-filter":{"name":"ADDRESS_MATCH_ZIP_DOES_NOT","allowed":true}}}"#,
            "name: must be one of the documented responses to this check",
        ),
        (
            "settings-duplicates-update",
            "{}",
            "check-duplicate-transaction-settings: must change at least one field",
        ),
        (
            "settings-duplicates-update",
            r#"{"enabled":"on","time-range-in-minutes":0}"#,
            "enabled: must be true or false; time-range-in-minutes: must be a number of minutes from 1 to 60",
        ),
    ] {
        refuses(request, document, expected);
    }
}

fn refuses(request: &str, document: &str, expected: &str) {
    let read = reread(request, Format::Json, document.as_bytes(), Format::Json);
    assert_eq!(words(read.expect_err(document)), expected, "{document}");
}

/// Checks that a contradiction of the path is a violation, and that the rest is checked by the path.
#[test]
fn sales_by_their_path() {
    for (document, expected) in [
        (
            r#"{"type":"VOID","id":"1"}"#,
            "type: must not be given together with another kind of transaction in the path; \
             amount: is required; card: is required",
        ),
        (
            r#"{"type":"BUY","amount":"1.00"}"#,
            "type: must be one of SALE, AUTH, CAPTURE, FORCED SALE, REFUND, VOID; card: is required",
        ),
    ] {
        let path = Some(TransactionType::SALE);
        let read = transaction::read(Format::Json, document.as_bytes(), &Limits::default(), path);
        assert_eq!(words(read.expect_err(document)), expected, "{document}");
    }
}

fn words(error: ReadError) -> String {
    match error {
        ReadError::Decode(error) => error.to_string(),
        ReadError::InvalidRequest(violations) => violations.to_string(),
    }
}

/// Checks that each fixed member of a token is reported by its own name.
#[test]
fn what_a_token_cannot_change() {
    for member in
        ["card", "card-type", "exp-date", "csc", "avs-address", "avs-zip", "avs-required", "require-avs"]
    {
        let body = format!(r#"{{"{member}":"1","description":"d","token-id":"11","customer-key":"c"}}"#);
        let error = token::read_update(Format::Json, body.as_bytes(), &Limits::default()).unwrap_err();
        let ReadError::InvalidRequest(violations) = error else { panic!("{member}: {error}") };
        let fields: Vec<_> = violations.iter().map(|violation| &*violation.field).collect();
        assert_eq!(fields, [member]);
    }
}

/// Checks that a request in XML has the documented root.
#[test]
fn roots() {
    let limits = Limits::default();
    let read = |root: &str| {
        let body = format!("<{root}/>");
        [
            matches!(
                customer::read_create(Format::Xml, body.as_bytes(), &limits),
                Err(ReadError::InvalidRequest(_))
            ),
            matches!(
                token::read_create(Format::Xml, body.as_bytes(), &limits),
                Err(ReadError::InvalidRequest(_))
            ),
            matches!(
                customer_token::read_attach(Format::Xml, body.as_bytes(), &limits),
                Err(ReadError::InvalidRequest(_))
            ),
            matches!(
                plan::read_create(Format::Xml, body.as_bytes(), &limits),
                Err(ReadError::InvalidRequest(_))
            ),
            matches!(
                transaction::read(Format::Xml, body.as_bytes(), &limits, None),
                Err(ReadError::InvalidRequest(_))
            ),
        ]
        .map(usize::from)
    };
    assert_eq!(read("customer"), [1, 0, 0, 0, 0]);
    assert_eq!(read("token"), [0, 1, 0, 0, 0]);
    assert_eq!(read("customer-token"), [0, 0, 1, 0, 0]);
    assert_eq!(read("payment-plan"), [0, 0, 0, 1, 0]);
    assert_eq!(read("transaction"), [0, 0, 0, 0, 1]);
    assert_eq!(read("request"), [0; 5]);
}
