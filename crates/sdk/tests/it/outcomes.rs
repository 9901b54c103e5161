//! The client's result for every kind of response, and for a missing one.

use std::error::Error as _;
use std::fmt::{Debug, Write};
use std::str::FromStr;

use http::Method;
use perennial::clearent::{
    ApiKey, Batch, BatchStatus, Customer, CustomerKey, CustomerStatus, CustomerToken, Frequency,
    FrequencyDay, Link, Lookup, NewToken, Obstacle, Payment, Plan, PlanKey, PlanStatus, PlanUpdate, Token,
    TokenStatus, Transaction, TransactionResult, TransactionType,
};
use perennial::transport::{Delivery, Kind, TransportError};
use perennial::{Clearent, Error, ErrorKind, Expiry, Format};
use perennial_wire::clearent::{GatewayError, Page, Payload, Reply};

use crate::gateway::{Answer, Gateway, envelope, page, replies, says};
use crate::operations::{
    OPERATIONS, Operation, batch, charge, created_plan, customer, customer_key, customer_token, operation,
    plan, plan_key, right, tipped, token, transaction,
};

type Told = fn(Format) -> Answer;

fn fails(kind: Kind) -> Answer {
    Err(TransportError::new(kind))
}

pub(crate) fn refuses(format: Format, status: u16, code: u16) -> Answer {
    let error = GatewayError {
        message: Some("Object not found".into()),
        result_code: Some("041".into()),
        time_stamp: None,
    };
    let mut answer = replies(format, code, Payload::Error(error))?;
    *answer.status_mut() = status.try_into().unwrap();
    Ok(answer)
}

fn declined() -> Transaction {
    Transaction {
        id: Some("700002".parse().unwrap()),
        result: Some(TransactionResult::DECLINED),
        result_code: Some("012".into()),
        display_message: Some("Not Sufficient Funds".into()),
        ..Transaction::default()
    }
}

/// Objects that were not requested, one for each kind of response.
fn of_another(format: Format, taken: &str) -> Answer {
    let payload = match taken {
        "token" => Payload::Token(
            Token {
                token_id: Some("1100000000000004242".parse().unwrap()),
                last_four_digits: Some("4242".into()),
                ..token()
            }
            .into(),
        ),
        "plan" => Payload::Plan(
            Plan {
                plan_key: "plan_other".parse().unwrap(),
                payment_amount: Some("5000.00".parse().unwrap()),
                ..plan()
            }
            .into(),
        ),
        _ => Payload::Transaction(Transaction { order_id: Some("order-2".into()), ..transaction() }.into()),
    };
    replies(format, 200, payload)
}

/// A transaction in an envelope that contradicts its HTTP status.
fn contradicts(format: Format, status: u16, code: u16, word: &str, payload: Payload) -> Answer {
    let mut answer =
        envelope(format, code, Reply { status: Some(word.into()), payload, ..Reply::default() })?;
    *answer.status_mut() = status.try_into().unwrap();
    Ok(answer)
}

fn approved() -> Payload {
    Payload::Transaction(transaction().into())
}

fn error() -> Payload {
    Payload::Error(GatewayError { message: Some("Object not found".into()), ..GatewayError::default() })
}

fn beside_an_error(format: Format, status: u16, payload: Payload) -> Answer {
    replies(format, status, Payload::Several(vec![payload, error()]))
}

/// An error whose envelope links to a transaction.
fn linked_error(format: Format, rel: &str, id: Option<&str>) -> Answer {
    linked(format, 402, rel, id, error())
}

/// A refusal without a payload, whose envelope links to an object.
fn linked_nothing(format: Format, status: u16, rel: &str) -> Answer {
    linked(format, status, rel, Some("700001"), Payload::Empty)
}

fn linked(format: Format, status: u16, rel: &str, id: Option<&str>, payload: Payload) -> Answer {
    let href = "/rest/v2/transactions".into();
    let link = Link { rel: rel.into(), href, id: id.map(str::to_owned) };
    envelope(
        format,
        status,
        Reply { status: Some("fail".into()), links: vec![link], payload, ..Reply::default() },
    )
}

/// A refusal whose error has one additional member.
fn error_with(format: Format, member: &str, value: &str) -> Answer {
    let body = match format {
        Format::Json => format!(
            r#"{{"code":"402","status":"fail","exchange-id":"ID-1","payload":{{"error":{{"error-message":"no","{member}":"{value}"}},"payloadType":"error"}}}}"#
        ),
        Format::Xml => format!(
            r#"<response><code>402</code><status>fail</status><exchange-id>ID-1</exchange-id><payload type="error"><error><error-message>no</error-message><{member}>{value}</{member}></error></payload></response>"#
        ),
    };
    says(402, body)
}

fn of_type(format: Format, status: u16, kind: &str, payload: Payload) -> Answer {
    envelope(format, status, Reply { payload_type: Some(kind.into()), payload, ..Reply::default() })
}

const HTML: &str = "<html><body>Bad Gateway</body></html>";

/// Holds: Each response of the table to a call is a value, a definite refusal or an unknown outcome.
#[tokio::test(start_paused = true)]
#[rustfmt::skip]
async fn what_each_answer_means() {
    use ErrorKind::{
        Configuration, Mismatch, NotFound, OutcomeUnknown as Unknown, RateLimited, Redirected, Refused, Timeout,
        Unauthorized, Unavailable, Connection, InvalidResponse,
    };
    const VALUE: Option<ErrorKind> = None;
    let all = |kind| [Some(kind); 4];
    let of_a_read = |kind| [Some(kind), Some(Unknown), Some(Unknown), Some(Unknown)];
    let operations = ["tokens.get", "plans.create", "tokens.delete", "transactions.sale"].map(operation);

    let table: &[(&str, Told, [Option<ErrorKind>; 4])] = &[
        ("no connection", |_| fails(Kind::Connect), all(Connection)),
        ("no certificate", |_| fails(Kind::Tls), all(Connection)),
        ("no such URL", |_| fails(Kind::RefusedUrl), all(Configuration)),
        ("a reset", |_| fails(Kind::Closed), of_a_read(Connection)),
        ("silence", |_| fails(Kind::Timeout), of_a_read(Timeout)),
        ("a cut body", |_| fails(Kind::Truncated), of_a_read(InvalidResponse)),
        ("an endless body", |_| fails(Kind::TooLarge), of_a_read(InvalidResponse)),
        ("no HTTP", |_| fails(Kind::Protocol), of_a_read(InvalidResponse)),
        ("an empty 200", |_| says(200, ""), of_a_read(InvalidResponse)),
        ("an object of nothing", |_| says(200, "{}"), of_a_read(InvalidResponse)),
        ("an object of something else", |_| says(200, r#"{"ok":true}"#), of_a_read(InvalidResponse)),
        ("an empty 204", |_| says(204, ""), [Some(NotFound), Some(Unknown), VALUE, Some(Unknown)]),
        ("a page of HTML", |_| says(200, HTML), of_a_read(InvalidResponse)),
        ("neither JSON nor XML", |_| says(200, "OK"), of_a_read(InvalidResponse)),
        ("XML with a DOCTYPE", |_| says(200, "<!DOCTYPE a><response/>"), of_a_read(InvalidResponse)),
        ("another payload", |f| replies(f, 200, Payload::Payments(vec![])), of_a_read(InvalidResponse)),
        ("another token", |f| of_another(f, "token"), [Some(Mismatch), Some(Unknown), Some(Unknown), Some(Unknown)]),
        ("another plan", |f| of_another(f, "plan"), of_a_read(InvalidResponse)),
        ("another transaction", |f| of_another(f, "transaction"), of_a_read(InvalidResponse)),
        ("an error in a 200", |f| refuses(f, 200, 200), of_a_read(InvalidResponse)),
        ("an error in a 201", |f| refuses(f, 201, 201), of_a_read(InvalidResponse)),
        ("an error of code 402 in a 200", |f| refuses(f, 200, 402), of_a_read(Refused)),
        ("an error of code 404 in a 200", |f| refuses(f, 200, 404), of_a_read(NotFound)),
        ("an error of code 200 in a 402", |f| refuses(f, 402, 200), of_a_read(InvalidResponse)),
        ("an error of code 200 in a 404", |f| refuses(f, 404, 200), of_a_read(InvalidResponse)),
        ("an error that succeeded in a 402", |f| contradicts(f, 402, 402, "Success", error()), of_a_read(InvalidResponse)),
        ("nothing of code 200 in a 404", |f| contradicts(f, 404, 200, "fail", Payload::Empty), of_a_read(InvalidResponse)),
        ("a sale and an error", |f| beside_an_error(f, 200, approved()), of_a_read(InvalidResponse)),
        ("a sale and an error in a 402", |f| beside_an_error(f, 402, approved()), of_a_read(InvalidResponse)),
        ("a decline and an error in a 402", |f| beside_an_error(f, 402, Payload::Transaction(declined().into())), of_a_read(InvalidResponse)),
        ("a plan and an error in a 201", |f| beside_an_error(f, 201, Payload::Plan(created_plan().into())), of_a_read(InvalidResponse)),
        ("a plan and an error in a 400", |f| beside_an_error(f, 400, Payload::Plan(created_plan().into())), of_a_read(InvalidResponse)),
        ("a token and an error", |f| beside_an_error(f, 200, Payload::Token(token().into())), of_a_read(InvalidResponse)),
        ("a token and an error in a 404", |f| beside_an_error(f, 404, Payload::Token(token().into())), of_a_read(InvalidResponse)),
        ("three objects", |f| replies(f, 200, Payload::Several(vec![approved(), Payload::Customer(customer().into()), Payload::Plan(created_plan().into())])), of_a_read(InvalidResponse)),
        ("a token, a plan and no error", |f| replies(f, 201, Payload::Several(vec![Payload::Token(token().into()), Payload::Plan(created_plan().into())])), of_a_read(InvalidResponse)),
        ("an empty error beside nothing", |f| replies(f, 402, Payload::Error(GatewayError::default())), all(Refused)),
        ("an error that links to a transaction", |f| linked_error(f, "transaction", Some("700001")), of_a_read(Refused)),
        ("an error that links to a plan", |f| linked_error(f, "payment-plan", None), of_a_read(Refused)),
        ("an error that links to something by its id", |f| linked_error(f, "self", Some("plan_3f0f")), of_a_read(Refused)),
        ("an error that links to itself", |f| linked_error(f, "self", None), all(Refused)),
        ("nothing that links to a transaction, in a 402", |f| linked_nothing(f, 402, "transaction"), of_a_read(Refused)),
        ("nothing that links to a transaction, in a 404", |f| linked_nothing(f, 404, "transaction"), of_a_read(NotFound)),
        ("nothing that links to a transaction, in a 429", |f| linked_nothing(f, 429, "transaction"), of_a_read(RateLimited)),
        ("nothing that links to something by its id", |f| linked_nothing(f, 402, "self"), of_a_read(Refused)),
        ("nothing that links to itself", |f| linked(f, 402, "self", None, Payload::Empty), all(Refused)),
        ("an error with the id of a transaction", |f| error_with(f, "id", "700001"), of_a_read(Refused)),
        ("an error with the key of a plan", |f| error_with(f, "plan-key", "plan_3f0f"), of_a_read(Refused)),
        ("an error with an authorization code", |f| error_with(f, "authorization-code", "TAS289"), of_a_read(Refused)),
        ("an error with a blank id", |f| error_with(f, "id", " "), all(Refused)),
        ("an error of code 500 in a 201", |f| refuses(f, 201, 500), of_a_read(Unavailable)),
        ("a sale of code 500 in a 200", |f| contradicts(f, 200, 500, "success", approved()), of_a_read(InvalidResponse)),
        ("a sale that failed in a 200", |f| contradicts(f, 200, 200, "FAIL", approved()), of_a_read(InvalidResponse)),
        ("a decline that failed in a 200", |f| contradicts(f, 200, 200, "fail", Payload::Transaction(declined().into())), of_a_read(InvalidResponse)),
        ("a decline in a 200", |f| replies(f, 200, Payload::Transaction(declined().into())), of_a_read(InvalidResponse)),
        ("a decline of code 200 in a 402", |f| contradicts(f, 402, 200, "fail", Payload::Transaction(declined().into())), of_a_read(Refused)),
        ("a decline that succeeded in a 402", |f| contradicts(f, 402, 402, "success", Payload::Transaction(declined().into())), of_a_read(Refused)),
        ("nothing, of code 500, in a 200", |f| contradicts(f, 200, 500, "fail", Payload::Empty), of_a_read(InvalidResponse)),
        ("a plan that failed in a 201", |f| contradicts(f, 201, 201, "fail", Payload::Plan(plan().into())), of_a_read(InvalidResponse)),
        ("a sale that was refused", |f| contradicts(f, 402, 402, "fail", approved()), of_a_read(InvalidResponse)),
        ("a token that was refused", |f| contradicts(f, 404, 404, "fail", Payload::Token(token().into())), of_a_read(InvalidResponse)),
        ("a token that failed in a 200", |f| contradicts(f, 200, 200, "fail", Payload::Token(token().into())), of_a_read(InvalidResponse)),
        ("a token of code 404 in a 200", |f| contradicts(f, 200, 404, "success", Payload::Token(token().into())), of_a_read(InvalidResponse)),
        ("a sale by the type of an error", |f| of_type(f, 200, "error", approved()), of_a_read(InvalidResponse)),
        ("a sale by the type of a decline", |f| of_type(f, 200, "errorTransaction", approved()), of_a_read(InvalidResponse)),
        ("a redirect to elsewhere", |_| says(301, ""), of_a_read(Redirected)),
        ("a redirect with the body", |_| says(307, ""), of_a_read(Redirected)),
        ("a validation error", |f| refuses(f, 400, 400), all(Refused)),
        ("a 400 of a proxy", |_| says(400, HTML), of_a_read(InvalidResponse)),
        ("no valid key", |f| refuses(f, 401, 401), all(Unauthorized)),
        ("a key that may not", |f| refuses(f, 403, 403), all(Unauthorized)),
        ("a business refusal", |f| refuses(f, 402, 402), all(Refused)),
        ("a decline", |f| replies(f, 402, Payload::Transaction(declined().into())), [Some(Refused), Some(Refused), Some(Refused), VALUE]),
        ("a decline for form", |f| replies(f, 400, Payload::Transaction(declined().into())), [Some(Refused), Some(Refused), Some(Refused), VALUE]),
        ("a failed sale", |f| replies(f, 500, Payload::Transaction(declined().into())), of_a_read(Unavailable)),
        ("no such object", |f| refuses(f, 404, 404), all(NotFound)),
        ("no longer such an object", |f| refuses(f, 410, 410), all(NotFound)),
        ("no such page", |_| says(404, HTML), of_a_read(InvalidResponse)),
        ("a slow request", |_| says(408, ""), of_a_read(Unavailable)),
        ("too many requests", |f| refuses(f, 429, 429), all(RateLimited)),
        ("too many requests, says a proxy", |_| says(429, ""), of_a_read(RateLimited)),
        ("a failure", |f| refuses(f, 500, 500), of_a_read(Unavailable)),
        ("a bad gateway", |_| says(502, HTML), of_a_read(Unavailable)),
        ("a status of no class", |_| says(999, ""), of_a_read(InvalidResponse)),
    ];
    for format in [Format::Json, Format::Xml] {
        for (what, told, expected) in table {
            for (&operation, expected) in operations.iter().zip(expected) {
                let told = *told;
                let gateway = Gateway::new(move |_, request| {
                    // The object that a deletion reads first exists.
                    if operation.is(request.method()) { told(format) } else { right(format, request) }
                });
                let outcome = (operation.run)(gateway.client(format)).await;
                let kind = outcome.as_ref().err().map(Error::kind);
                assert_eq!(kind, *expected, "{what} to {} in {format}: {outcome:?}", operation.name);
                if let Err(error) = outcome {
                    assert_eq!(error.operation(), Some(operation.name));
                    assert_eq!(error.lookup().is_some(), error.is_outcome_unknown(), "{what}");
                }
            }
        }
    }
}

/// A response with this body and this media type.
fn typed(status: u16, media_type: &str, body: impl Into<bytes::Bytes>) -> Answer {
    let mut answer = says(status, body)?;
    answer.headers_mut().insert(http::header::CONTENT_TYPE, media_type.parse().unwrap());
    Ok(answer)
}

/// Responses of proxies, firewalls or portals, and contradictory responses in the gateway's format.
///
/// Holds: Only the gateway's own envelope is a definite refusal of a write.
#[tokio::test(start_paused = true)]
#[rustfmt::skip]
async fn only_the_gateways_own_envelope_is_a_definite_no() {
    type Page = fn(Format, u16) -> Answer;
    let pages: &[(&str, Page)] = &[
        ("nothing", |_, s| says(s, "")),
        ("blanks", |_, s| says(s, " \r\n")),
        ("a page", |_, s| typed(s, "text/html", HTML)),
        ("a page without a type", |_, s| says(s, HTML)),
        ("a page that says JSON", |_, s| typed(s, "application/json", HTML)),
        ("a page in well-formed XML", |_, s| typed(s, "application/xhtml+xml", "<html><body>no</body></html>")),
        ("a word", |_, s| typed(s, "text/plain", "Forbidden")),
        ("no members", |_, s| says(s, "{}")),
        ("a list", |_, s| says(s, "[]")),
        ("a text", |_, s| says(s, "\"no\"")),
        ("a message", |_, s| says(s, r#"{"message":"Forbidden"}"#)),
        ("another's error", |_, s| says(s, r#"{"error":{"code":"403","message":"Forbidden"}}"#)),
        ("another's word", |_, s| says(s, r#"{"error":"invalid_request"}"#)),
        ("problem details", |_, s| typed(s, "application/problem+json", format!(r#"{{"type":"about:blank","title":"no","status":{s}}}"#))),
        ("another's XML", |_, s| typed(s, "text/xml", "<Error><Code>AccessDenied</Code></Error>")),
        ("an empty response", |_, s| typed(s, "application/xml", "<response/>")),
        ("code and word alone", |_, s| says(s, format!(r#"{{"code":"{s}","status":"fail"}}"#))),
        ("the envelope of another status", |f, s| refuses(f, s, 500)),
        ("an envelope that is a page", |f, s| { let mut answer = refuses(f, s, s)?; answer.headers_mut().insert("content-type", "Text/HTML;charset=utf-8".parse().unwrap()); Ok(answer) }),
        ("half an envelope", |f, s| refuses(f, s, s).map(|answer| answer.map(|body| body.slice(..body.len() / 2)))),
    ];
    for (page, says) in pages {
        for status in [300, 304, 307, 308, 400, 401, 402, 403, 404, 405, 407, 409, 410, 413, 415, 422, 429, 431, 451, 499] {
            for format in [Format::Json, Format::Xml] {
                for operation in OPERATIONS {
                    let says = *says;
                    let gateway = Gateway::new(move |_, request| {
                        if operation.is(request.method()) { says(format, status) } else { right(format, request) }
                    });
                    let what = format!("{page} with {status} to {} in {format}", operation.name);
                    let error = (operation.run)(gateway.client(format)).await.expect_err(&what);
                    if operation.reads() {
                        let kind = match status {
                            300..=399 => ErrorKind::Redirected,
                            429 => ErrorKind::RateLimited,
                            _ => ErrorKind::InvalidResponse,
                        };
                        // A contradictory response counts as no response.
                        assert!([kind, ErrorKind::InvalidResponse].contains(&error.kind()), "{what}: {error:?}");
                    } else {
                        assert_eq!(error.kind(), ErrorKind::OutcomeUnknown, "{what}");
                        assert!(error.lookup().is_some(), "{what}");
                    }
                    assert_eq!(error.status(), Some(status), "{what}");
                }
            }
        }
    }
}

/// A media type is recognized in any letter case, with parameters, and from any family; without one, the response is
/// read in the requested format.
#[tokio::test]
async fn media_types_have_no_case() {
    for (format, media_types) in [
        (
            Format::Json,
            [
                "application/json",
                "Application/JSON; Charset=UTF-8",
                "text/json",
                "APPLICATION/HAL+JSON",
                "",
                "text/plain",
            ],
        ),
        (
            Format::Xml,
            [
                "application/xml",
                "APPLICATION/XML;charset=utf-8",
                "Text/Xml",
                "application/atom+XML",
                "",
                "text/plain",
            ],
        ),
    ] {
        for media_type in media_types {
            let gateway = Gateway::new(move |_, request| {
                let body = right(format, request)?.into_body();
                if media_type.is_empty() { says(200, body) } else { typed(200, media_type, body) }
            });
            let asked = match (media_type, format) {
                ("" | "text/plain", format) => format,
                (_, Format::Json) => Format::Xml,
                (_, Format::Xml) => Format::Json,
            };
            let read = gateway.client(asked).tokens().get(&crate::operations::token_id()).await;
            assert!(read.is_ok(), "{media_type}: {read:?}");
        }
    }
}

fn other<T: FromStr<Err: Debug>>(id: &str) -> T {
    id.parse().unwrap()
}

/// Objects with one wrong value.
///
/// Holds: A response about another object is not a success.
#[tokio::test]
#[rustfmt::skip]
async fn an_answer_about_another_object_is_never_a_success() {
    const UNDECIDED: &str = "the transaction is neither approved nor declined";
    let customer_of = |first: &str| Payload::Customer(Customer { first_name: Some(first.into()), ..customer() }.into());
    let key: CustomerKey = "cust_other".parse().unwrap();
    let customer_keyed = Payload::Customer(Customer { customer_key: key.clone(), ..customer() }.into());
    let token_of = |key: Option<CustomerKey>| Payload::Token(Token { customer_key: key, ..token() }.into());
    let plan_of = |plan: Plan| Payload::Plan(plan.into());
    let made = |made: Transaction| Payload::Transaction(made.into());
    let found = |found: Transaction| Payload::Transactions(vec![found]);
    let attached = |token: CustomerToken| Payload::CustomerToken(token.into());
    let of_amount = |amount: &str, original: Option<&str>, partial_approved| Transaction {
        amount: Some(perennial::Amount::reported(amount).unwrap()),
        original_amount: original.map(other),
        partial_approved,
        ..transaction()
    };
    let of_type = |kind| Transaction { transaction_type: Some(kind), ..transaction() };
    for (name, payload, source) in [
        ("customers.create", customer_of("Charles"), "first-name differs from the request"),
        ("customers.create", customer_of(" ada "), ""),
        ("customers.get", customer_keyed.clone(), "customer-key differs from the request"),
        ("customers.update", customer_of("Ada"), "first-name differs from the request"),
        ("customers.update", Payload::Customer(Customer { status: Some(CustomerStatus::ACTIVE), first_name: Some("AUGUSTA".into()), ..customer() }.into()), "status differs from the request"),
        ("customers.update", customer_of("augusta"), ""),
        ("customers.update", customer_keyed, "customer-key differs from the request"),
        ("tokens.create", token_of(Some(key.clone())), "customer-key differs from the request"),
        ("tokens.create", token_of(None), "customer-key differs from the request"),
        ("tokens.create", Payload::Token(Token { token_id: None, ..token() }.into()), "token-id differs from the request"),
        ("tokens.create", Payload::Token(Token { exp_date: Some(other::<Expiry>("0131").into()), ..token() }.into()), "exp-date differs from the request"),
        ("tokens.create", Payload::Token(Token { last_four_digits: Some("4242".into()), ..token() }.into()), "last-four-digits differs from the request"),
        ("tokens.update", Payload::Token(Token { status: Some(TokenStatus::ACTIVE), ..token() }.into()), "status differs from the request"),
        ("tokens.update", Payload::Token(Token { token_id: None, status: Some(TokenStatus::INACTIVE), ..Token::default() }.into()), ""),
        ("tokens.update", Payload::Token(token().into()), "status differs from the request"),
        ("customer-tokens.attach", attached(CustomerToken { is_default: Some(false.into()), ..customer_token() }), "default differs from the request"),
        ("customer-tokens.attach", attached(CustomerToken { exp_date: Some(other::<Expiry>("0131").into()), ..customer_token() }), "exp-date differs from the request"),
        ("customer-tokens.attach", attached(CustomerToken { last_four_digits: Some("4242".into()), ..customer_token() }), "last-four-digits differs from the request"),
        ("customer-tokens.attach", attached(CustomerToken { customer_key: None, ..customer_token() }), "customer-key differs from the request"),
        ("customer-tokens.attach", attached(CustomerToken { exp_date: None, ..customer_token() }), ""),
        ("customer-tokens.attach", attached(CustomerToken { is_default: None, ..customer_token() }), "default differs from the request"),
        ("plans.delete", plan_of(plan()), ""),
        ("plans.delete", plan_of(Plan { status: None, ..plan() }), ""),
        ("plans.delete", plan_of(Plan { status: Some(PlanStatus::ACTIVE), ..plan() }), "status differs from the request"),
        ("customer-tokens.update", attached(CustomerToken { customer_key: Some(key.clone()), ..customer_token() }), "customer-key differs from the request"),
        ("tokens.update", Payload::Token(Token { token_id: Some(other("11007")), ..token() }.into()), "token-id differs from the request"),
        ("plans.create", plan_of(created_plan()), ""),
        ("plans.create", plan_of(plan()), "status differs from the request"),
        ("plans.create", plan_of(Plan { status: None, ..plan() }), "status differs from the request"),
        ("plans.create", plan_of(Plan { start_date: Some(other("2027-01-02")), ..created_plan() }), "start-date differs from the request"),
        ("plans.create", plan_of(Plan { start_date: None, ..created_plan() }), "start-date differs from the request"),
        ("plans.create", plan_of(Plan { end_date: Some(other("2028-01-01")), ..created_plan() }), "end-date differs from the request"),
        ("plans.create", plan_of(Plan { end_date: None, ..created_plan() }), "end-date differs from the request"),
        ("plans.create", plan_of(Plan { frequency: Some(Frequency::reported("WEEKLY")), ..created_plan() }), "frequency differs from the request"),
        ("plans.create", plan_of(Plan { frequency: None, ..created_plan() }), "frequency differs from the request"),
        ("plans.create", plan_of(Plan { frequency_day: Some(FrequencyDay::new(16).unwrap().into()), ..created_plan() }), "frequency-day differs from the request"),
        ("plans.create", plan_of(Plan { frequency_day: None, ..created_plan() }), "frequency-day differs from the request"),
        ("plans.create", plan_of(Plan { plan_name: Some("Silver".into()), email_receipt: None, ..created_plan() }), ""),
        ("plans.create", plan_of(Plan { customer_key: Some(key), ..plan() }), "customer-key differs from the request"),
        ("plans.create", plan_of(Plan { token_id: Some(other("11007")), ..plan() }), "token-id differs from the request"),
        ("plans.create", plan_of(Plan { payment_amount: Some("500.00".parse().unwrap()), ..plan() }), "payment-amount differs from the request"),
        ("plans.create", plan_of(Plan { payment_amount: None, ..plan() }), "payment-amount differs from the request"),
        ("plans.update", plan_of(Plan { plan_key: "plan_other".parse().unwrap(), ..plan() }), "plan-key differs from the request"),
        ("plans.update", plan_of(plan()), "payment-amount differs from the request"),
        ("plans.update", plan_of(Plan { payment_amount: None, ..plan() }), "payment-amount differs from the request"),
        ("plans.update", plan_of(Plan { payment_amount: Some("75.00".parse().unwrap()), ..plan() }), "end-date differs from the request"),
        ("plans.update", plan_of(Plan { payment_amount: Some("75.00".parse().unwrap()), end_date: Some(other("2027-06-30")), ..plan() }), ""),
        ("plans.activate", plan_of(plan()), "status differs from the request"),
        ("plans.cancel", plan_of(plan()), "status differs from the request"),
        ("plans.cancel", plan_of(Plan { status: None, ..plan() }), "status differs from the request"),
        ("plans.cancel", plan_of(Plan { status: Some(PlanStatus::reported("Canceled")), ..plan() }), ""),
        ("transactions.update", made(Transaction { tip_amount: Some("0.09".parse().unwrap()), ..transaction() }), "tip-amount differs from the request"),
        ("transactions.update", made(transaction()), "tip-amount differs from the request"),
        ("transactions.update", made(tipped()), ""),
        ("transactions.update", made(Transaction { id: Some(other("700002")), ..transaction() }), "id differs from the request"),
        ("transactions.sale", made(Transaction { order_id: Some("order-0".into()), ..transaction() }), "order-id differs from the request"),
        ("transactions.sale", made(Transaction { order_id: Some("order-0".into()), display_message: Some("Transaction Previously Approved".into()), ..transaction() }), ""),
        ("transactions.sale", made(Transaction { invoice: Some("inv-0".into()), check_field_duplicate: Some(true), ..transaction() }), ""),
        ("transactions.sale", made(Transaction { last_four: Some("4444".into()), check_field_duplicate: Some(true), ..transaction() }), "last-four differs from the request"),
        ("batches.settle", Payload::Batch(Batch { total_count: Some(4), status: Some(BatchStatus::CLOSED), ..batch() }.into()), "total-count differs from the request"),
        ("batches.settle", Payload::Batch(Batch { net_amount: Some("5.04".parse().unwrap()), status: Some(BatchStatus::CLOSED), ..batch() }.into()), "net-amount differs from the request"),
        ("batches.settle", Payload::Batch(batch().into()), "status differs from the request"),
        ("batches.settle", Payload::Batch(Batch { status: Some(BatchStatus::CLOSED), ..Batch::default() }.into()), ""),
        ("batches.settle", Payload::Batch(Batch { status: None, ..batch() }.into()), ""),
        ("batches.settle", Payload::Batch(Batch::default().into()), "id differs from the request"),
        ("transactions.sale", made(Transaction::default()), UNDECIDED),
        ("transactions.sale", made(Transaction { result_code: Some("000".into()), ..Transaction::default() }), UNDECIDED),
        ("transactions.sale", made(Transaction { id: Some(other("1")), ..Transaction::default() }), UNDECIDED),
        ("transactions.sale", made(Transaction { result: Some(TransactionResult::reported("REVIEW")), ..transaction() }), UNDECIDED),
        ("transactions.sale", made(Transaction { result_code: Some("012".into()), ..transaction() }), UNDECIDED),
        ("transactions.auth", made(Transaction { result: None, ..transaction() }), UNDECIDED),
        ("transactions.capture", made(Transaction { result: Some(TransactionResult::reported("PENDING")), ..transaction() }), UNDECIDED),
        ("transactions.void", made(Transaction { result: None, ..transaction() }), UNDECIDED),
        ("transactions.refund", made(Transaction { status: Some("Declined".into()), ..transaction() }), UNDECIDED),
        ("transactions.update", made(Transaction { result: None, ..transaction() }), UNDECIDED),
        ("transactions.get", made(Transaction { result: None, ..transaction() }), ""),
        ("transactions.sale", made(Transaction { id: None, ..transaction() }), "id differs from the request"),
        ("transactions.sale", made(Transaction { amount: None, ..transaction() }), "amount differs from the request"),
        ("transactions.refund", made(transaction()), "amount differs from the request"),
        ("transactions.capture", made(of_amount("24.99", None, None)), "amount differs from the request"),
        ("transactions.capture", made(of_amount("29.00", None, None)), ""),
        ("transactions.sale", made(of_amount("20.00", None, None)), "amount differs from the request"),
        ("transactions.sale", made(of_amount("250.00", None, None)), "amount differs from the request"),
        ("transactions.sale", made(of_amount("20.00", Some("25.00"), Some(true))), ""),
        ("transactions.sale", made(of_amount("20.00", None, Some(true))), ""),
        ("transactions.sale", made(of_amount("20.00", Some("25.00"), None)), ""),
        ("transactions.auth", made(of_amount("20.00", Some("25.00"), Some(true))), ""),
        ("transactions.sale", made(of_amount("20.00", Some("25.00"), Some(false))), "amount differs from the request"),
        ("transactions.sale", made(of_amount("20.00", Some("30.00"), Some(true))), "amount differs from the request"),
        ("transactions.sale", made(of_amount("25.00", Some("25.00"), Some(true))), "amount differs from the request"),
        ("transactions.sale", made(of_amount("25.00", Some("30.00"), None)), "amount differs from the request"),
        ("transactions.sale", made(of_amount("30.00", Some("25.00"), Some(true))), "amount differs from the request"),
        ("transactions.sale", made(of_amount("0.00", Some("25.00"), Some(true))), "amount differs from the request"),
        ("transactions.sale", made(Transaction { tip_amount: Some(other("4.00")), ..of_amount("29.00", None, None) }), ""),
        ("transactions.sale", made(Transaction { service_fee: Some(other("0.60")), ..of_amount("25.60", None, None) }), ""),
        ("transactions.sale", made(Transaction { surcharge_applied: Some(true), ..of_amount("25.75", None, None) }), ""),
        ("transactions.sale", made(Transaction { surcharge_applied: Some(true), ..of_amount("24.00", None, None) }), "amount differs from the request"),
        ("transactions.sale", made(Transaction { surcharge_applied: Some(false), ..of_amount("25.75", None, None) }), "amount differs from the request"),
        ("transactions.sale", made(of_type(TransactionType::REFUND)), "type differs from the request"),
        ("transactions.sale", made(of_type(TransactionType::FORCED_SALE)), ""),
        ("transactions.auth", made(of_type(TransactionType::SALE)), "type differs from the request"),
        ("transactions.capture", made(of_type(TransactionType::AUTH)), "type differs from the request"),
        ("transactions.void", made(of_type(TransactionType::SALE)), "type differs from the request"),
        ("transactions.void", made(Transaction::default()), UNDECIDED),
        ("transactions.refund", made(of_type(TransactionType::SALE)), "type differs from the request"),
        ("transactions.refund", made(Transaction { amount: Some(other("10.00")), ..of_type(TransactionType::UNMATCHED_REFUND) }), ""),
        ("transactions.sale", made(Transaction { last_four: Some("4242".into()), ..transaction() }), "last-four differs from the request"),
        ("transactions.sale", made(declined()), "the parts of the response contradict each other: one says that it was done, another that it failed"),
        ("transactions.auth", made(Transaction { order_id: Some("order-2".into()), ..transaction() }), "order-id differs from the request"),
        ("transactions.void", made(Transaction { ref_id: Some(other("700009")), id: Some(other("700002")), ..transaction() }), "ref-id differs from the request"),
        ("transactions.void", made(Transaction { ref_id: Some(other("700001")), id: Some(other("700002")), ..transaction() }), ""),
        ("transactions.capture", made(Transaction { id: Some(other("700002")), ..transaction() }), ""),
        ("customers.search", Payload::Customers(vec![customer(), Customer { customer_key: "cust_other".parse().unwrap(), ..customer() }]), "customer-key differs from the request"),
        ("tokens.search", Payload::Tokens(vec![Token { token_id: Some(other("11007")), ..token() }]), "token-id differs from the request"),
        ("customer-tokens.list", Payload::CustomerTokens(vec![CustomerToken { customer_key: Some(other("cust_other")), ..customer_token() }]), "customer-key differs from the request"),
        ("plans.search", Payload::Plans(vec![plan(), Plan { customer_key: Some(other("cust_other")), ..plan() }]), "customer-key differs from the request"),
        ("plans.search", Payload::Plans(vec![Plan { plan_key: other("plan_other"), ..plan() }]), "plan-key differs from the request"),
        ("plans.search", Payload::Plans(vec![Plan { token_id: Some(other("11007")), ..plan() }]), "token-id differs from the request"),
        ("plans.search", Payload::Plans(vec![Plan { payment_amount: Some(other("5.00")), ..plan() }]), "payment-amount differs from the request"),
        ("plans.search", Payload::Plans(vec![created_plan()]), "status differs from the request"),
        ("payments.list", Payload::Payments(vec![Payment { plan_key: Some(other("plan_other")), ..Payment::default() }]), "plan-key differs from the request"),
        ("payments.list", Payload::Payments(vec![Payment { customer_key: Some(other("cust_other")), ..Payment::default() }]), "customer-key differs from the request"),
        ("transactions.search", found(Transaction { id: Some(other("700002")), ..Transaction::default() }), "id differs from the request"),
        ("transactions.search", found(Transaction { amount: Some(other("5.00")), ..Transaction::default() }), "amount differs from the request"),
        ("transactions.search", found(of_type(TransactionType::REFUND)), "amount differs from the request"),
        ("transactions.search", found(Transaction { transaction_type: Some(TransactionType::REFUND), ..Transaction::default() }), "type differs from the request"),
        ("transactions.search", found(Transaction { last_four: Some("4242".into()), ..Transaction::default() }), "last-four differs from the request"),
        ("transactions.search", found(Transaction { authorization_code: Some("TAS000".into()), ..Transaction::default() }), "authorization-code differs from the request"),
        ("transactions.search", found(Transaction { invoice: Some("inv-2".into()), ..Transaction::default() }), "invoice differs from the request"),
        ("transactions.search", found(Transaction { order_id: Some("order-2".into()), ..Transaction::default() }), "order-id differs from the request"),
        ("batches.list", Payload::Batches(vec![Batch { status: Some(BatchStatus::CLOSED), ..batch() }]), "status differs from the request"),
        ("transactions.get", made(Transaction { id: Some(other("700002")), ..transaction() }), "id differs from the request"),
        ("transactions.get", made(declined()), "id differs from the request"),
    ] {
        let what = format!("{name} {payload:?}");
        let gateway = Gateway::new(move |_, request| {
            if operation(name).is(request.method()) {
                replies(Format::Json, 200, payload.clone())
            } else {
                right(Format::Json, request)
            }
        });
        match (operation(name).run)(gateway.client(Format::Json)).await {
            Ok(_) => assert_eq!(source, "", "{what}"),
            Err(error) => {
                let kind = if operation(name).reads() { ErrorKind::Mismatch } else { ErrorKind::OutcomeUnknown };
                assert_eq!((error.kind(), error.source().unwrap().to_string().as_str()), (kind, source), "{what}");
            }
        }
    }
}

/// After an inconclusive response, the lookup is for the object that it names, and not for another one.
///
/// Holds: The lookup of an unknown outcome names the object that the response names.
#[tokio::test]
async fn an_unknown_outcome_names_the_object_that_the_answer_names() {
    let sale = Lookup::Transaction(other("700001"));
    let created = Lookup::Plan(plan_key());
    let undecided = Transaction { result: None, ..transaction() };
    let of_another_amount = Transaction { amount: Some(other("20.00")), ..transaction() };
    let of_another_order = Transaction { order_id: Some("order-2".into()), ..transaction() };
    let both = |payload| Payload::Several(vec![payload, error()]);
    let (sold, suspended) = (Payload::Transaction(undecided.into()), Payload::Plan(plan().into()));
    for (name, payload, named) in [
        ("transactions.sale", sold.clone(), Some(&sale)),
        ("transactions.capture", sold.clone(), Some(&sale)),
        ("transactions.refund", both(sold), Some(&sale)),
        ("transactions.auth", both(approved()), Some(&sale)),
        ("transactions.sale", Payload::Transaction(of_another_amount.into()), Some(&sale)),
        ("transactions.sale", Payload::Transaction(of_another_order.into()), None),
        ("transactions.sale", suspended.clone(), None),
        ("plans.create", suspended.clone(), Some(&created)),
        ("plans.create", both(suspended), Some(&created)),
        ("plans.create", both(approved()), None),
    ] {
        let what = format!("{name} {payload:?}");
        let gateway = Gateway::new(move |_, _| replies(Format::Json, 200, payload.clone()));
        let error = (operation(name).run)(gateway.client(Format::Json)).await.unwrap_err();
        assert!(error.is_outcome_unknown(), "{what}");
        match named {
            Some(named) => assert_eq!(error.lookup(), Some(named), "{what}"),
            None => assert!(
                matches!(error.lookup(), Some(Lookup::Transactions(_) | Lookup::Plans(_))),
                "{what}: {error:?}"
            ),
        }
    }
}

/// A count of something else does not allow a deletion.
///
/// Holds: A search that returns other objects allows no deletion.
#[tokio::test]
async fn a_count_of_other_objects_guards_no_deletion() {
    let of_another = Payload::Payments(vec![Payment {
        customer_key: Some(other("cust_other")),
        plan_key: Some(other("plan_other")),
        ..Payment::default()
    }]);
    for name in ["customers.delete", "plans.delete"] {
        let payments = of_another.clone();
        let gateway = Gateway::new(move |_, request| match request.uri().path() {
            "/rest/v2/payments" => replies(Format::Json, 200, payments.clone()),
            _ => right(Format::Json, request),
        });
        let error = (operation(name).run)(gateway.client(Format::Json)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Mismatch, "{name}");
        assert!(!gateway.calls().iter().any(|call| call.starts_with("DELETE")), "{name}");
    }
}

/// Holds: A reply that is cut at any byte is not a success.
#[tokio::test]
async fn a_reply_cut_anywhere_is_never_a_success() {
    for format in [Format::Json, Format::Xml] {
        for operation in OPERATIONS {
            for cut in 1.. {
                let gateway = Gateway::new(move |_, request| {
                    let answer = right(format, request)?;
                    // The reads before a write are complete.
                    if !operation.is(request.method()) {
                        return Ok(answer);
                    }
                    Ok(answer.map(|body| body.slice(..cut.min(body.len()))))
                });
                let outcome = (operation.run)(gateway.client(format)).await;
                let whole =
                    gateway.asked().last().map(|request| right(format, request).unwrap().body().len());
                if whole == Some(cut) {
                    assert!(outcome.is_ok(), "{} in {format} is whole at {cut}", operation.name);
                    break;
                }
                let expected =
                    if operation.reads() { ErrorKind::InvalidResponse } else { ErrorKind::OutcomeUnknown };
                let error = outcome.expect_err(operation.name);
                assert_eq!(error.kind(), expected, "{} in {format}, cut at {cut}", operation.name);
            }
        }
    }
}

#[tokio::test]
async fn a_definite_error_tells_what_the_gateway_said() {
    for format in [Format::Json, Format::Xml] {
        let gateway = Gateway::new(move |_, _| refuses(format, 404, 404));
        let error = gateway.client(format).plans().get(&plan_key()).await.unwrap_err();
        assert!(error.is_not_found());
        assert_eq!(error.gateway_message(), Some("Object not found"));
        assert_eq!(error.result_code(), Some("041"));
        assert_eq!(error.status(), Some(404));
        assert_eq!(error.exchange_id(), Some("ID-clearent-rps-1-0b7c9d52"));
        assert_eq!((error.attempts(), error.delivery()), (1, Delivery::Answered));
        assert_eq!(error.source().unwrap().to_string(), "Object not found (result code 041)");
    }
}

/// Holds: A decline is a value and not an error.
#[tokio::test]
async fn a_decline_is_a_value() {
    for format in [Format::Json, Format::Xml] {
        let gateway = Gateway::new(move |_, _| replies(format, 402, Payload::Transaction(declined().into())));
        let sold = gateway.client(format).transactions().sale(&charge()).await.unwrap();
        assert_eq!(sold.decline().unwrap().message.as_deref(), Some("Not Sufficient Funds"));
        assert_eq!((sold.status(), sold.attempts(), sold.token.is_none()), (402, 1, true));
    }
}

#[tokio::test]
async fn a_charge_by_token_may_be_of_a_card_that_an_account_updater_gave_it() {
    use perennial::clearent::{Charge, TokenId};
    let made = Transaction { last_four: Some("4242".into()), ..transaction() };
    let gateway =
        Gateway::new(move |_, _| replies(Format::Json, 200, Payload::Transaction(made.clone().into())));
    let token = other::<TokenId>("1100000000555551111");
    let charge = Charge::builder().amount("25.00").card(token).build().unwrap();
    assert!(gateway.client(Format::Json).transactions().sale(&charge).await.is_ok());
}

#[tokio::test]
async fn an_update_that_does_not_fit_the_plan_is_not_sent() {
    let change = PlanUpdate::builder;
    let (active, canceled) = (PlanStatus::ACTIVE, PlanStatus::CANCELED);
    for (status, update, read, broken) in [
        (&active, change().status(PlanStatus::SUSPENDED), true, None),
        (&active, change().end_date("2027-12-31"), true, None),
        (&active, change().end_date("2028-12-31"), true, Some("end-date")),
        (&active, change().start_date("2025-12-31"), true, Some("end-date")),
        (&active, change().payment_amount("75.00"), false, None),
        (&active, change().status(canceled.clone()), false, None),
        (&canceled, change().status(active.clone()), true, Some("status")),
        (&canceled, change().status(canceled.clone()), false, None),
    ] {
        let update = update.build().unwrap();
        let (start_date, end_date) = (Some(other("2027-01-01")), Some(other("2027-06-30")));
        let plan = Plan { start_date, end_date, status: Some(status.clone()), ..plan() };
        let gateway = Gateway::new(move |_, request| match *request.method() {
            Method::GET => replies(Format::Json, 200, Payload::Plan(plan.clone().into())),
            _ => right(Format::Json, request),
        });
        let outcome = gateway.client(Format::Json).plans().update(&plan_key(), &update).await;
        let calls: Vec<String> = gateway.asked().iter().map(|request| request.method().to_string()).collect();
        let expected: &[&str] = match (read, broken) {
            (true, None) => &["GET", "PUT"],
            (true, Some(_)) => &["GET"],
            (false, _) => &["PUT"],
        };
        assert_eq!(calls, expected, "{update:?}");
        match (outcome, broken) {
            (Err(error), Some(field)) => assert!(error.violations().unwrap().names(field), "{error:?}"),
            (outcome, _) => assert_eq!(outcome.is_err(), broken.is_some(), "{update:?}"),
        }
    }
}

/// If the response has no tip, the record of the transaction is read; if that has none either, the outcome is unknown.
#[tokio::test]
#[expect(clippy::useless_vec, reason = "an array of whole transactions is large for the stack")]
async fn a_tip_is_changed_where_the_answer_or_the_record_has_it() {
    let with = |tip: Option<&str>| Transaction { tip_amount: tip.map(other), ..transaction() };
    for (answered, recorded, calls, is_done) in vec![
        (with(Some("0.08")), None, 1, true),
        (with(Some("0.09")), Some(with(Some("0.08"))), 1, false),
        (with(None), Some(with(Some("0.08"))), 2, true),
        (with(None), Some(with(Some("0.09"))), 2, false),
        (with(None), Some(with(None)), 2, false),
        (with(None), Some(Transaction { id: Some(other("700002")), ..tipped() }), 2, false),
        (with(None), None, 2, false),
        // A declined update changed nothing.
        (
            Transaction { result: Some(TransactionResult::DECLINED), result_code: None, ..with(None) },
            None,
            1,
            false,
        ),
    ] {
        for format in [Format::Json, Format::Xml] {
            let what = format!("{answered:?} {recorded:?}");
            let (answered, recorded) = (answered.clone(), recorded.clone());
            let gateway = Gateway::new(move |_, request| match (request.method(), &recorded) {
                (&Method::PUT, _) => {
                    let status = if answered.is_approved() { 200 } else { 402 };
                    replies(format, status, Payload::Transaction(answered.clone().into()))
                }
                (_, Some(recorded)) => replies(format, 200, Payload::Transaction(recorded.clone().into())),
                (_, None) => refuses(format, 404, 404),
            });
            let outcome = (operation("transactions.update").run)(gateway.client(format)).await;
            assert_eq!(gateway.asked().len(), calls, "{what}");
            match outcome {
                Ok(value) => assert!(is_done || value.contains("DECLINED"), "{what}"),
                Err(error) => {
                    assert!(!is_done && error.is_outcome_unknown(), "{what}: {error:?}");
                    assert_eq!(error.operation(), Some("transactions.update"));
                    assert_eq!(error.lookup(), Some(&Lookup::Transaction(other("700001"))), "{what}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_charge_that_asks_for_a_token_has_it() {
    use perennial::clearent::Charge;
    let check = |amount: u64| {
        let builder = Charge::builder().card("4111111111111111").exp_date("1230").create_token(true);
        match amount {
            0 => builder.amount(perennial::Amount::ZERO).build().unwrap(),
            cents => builder.amount(perennial::Amount::from_cents(cents).unwrap()).build().unwrap(),
        }
    };
    let both = |_: usize, _: &http::Request<bytes::Bytes>| {
        replies(Format::Json, 200, Payload::TransactionToken(transaction().into(), token().into()))
    };
    let alone = |_: usize, _: &http::Request<bytes::Bytes>| {
        replies(Format::Json, 200, Payload::Token(token().into()))
    };

    let sold = Gateway::new(both).client(Format::Json).transactions().sale(&charge()).await.unwrap();
    assert_eq!((sold.token.clone(), sold.is_approved()), (Some(token()), true));
    let checked = Gateway::new(alone).client(Format::Json).transactions().auth(&check(0)).await.unwrap();
    assert_eq!((checked.token.clone(), checked.is_approved()), (Some(token()), true));
    // A created token has an id.
    let nameless = |_: usize, _: &http::Request<bytes::Bytes>| {
        replies(Format::Json, 200, Payload::Token(Token { token_id: None, ..token() }.into()))
    };
    let client = Gateway::new(nameless).client(Format::Json);
    assert!(client.transactions().auth(&check(0)).await.unwrap_err().is_outcome_unknown());
    // A token alone does not show that money was moved or authorized.
    let client = Gateway::new(alone).client(Format::Json);
    assert!(client.transactions().sale(&check(100)).await.unwrap_err().is_outcome_unknown());
    assert!(client.transactions().auth(&check(100)).await.unwrap_err().is_outcome_unknown());
}

#[tokio::test]
async fn what_stands_in_the_way_of_a_deletion_is_found_before_anything_is_deleted() {
    let counted = |plans: u64, payments: u64, status: Option<PlanStatus>| {
        Gateway::new(move |_, request| {
            let (total, payload) = match request.uri().path() {
                "/rest/v2/payment-plans" => (plans, Payload::Plans(vec![])),
                "/rest/v2/payments" => (payments, Payload::Payments(vec![])),
                _ if request.method() == Method::GET => {
                    return replies(
                        Format::Json,
                        200,
                        Payload::Plan(Plan { status: status.clone(), ..plan() }.into()),
                    );
                }
                _ => return right(Format::Json, request),
            };
            page(Format::Json, Page { total_elements: Some(total), ..Page::default() }, payload)
        })
    };
    let (active, suspended) = (Some(PlanStatus::ACTIVE), Some(PlanStatus::SUSPENDED));
    for (name, plans, payments, status, expected) in [
        ("customers.delete", 0, 0, None, vec![]),
        ("customers.delete", 1, 3, None, vec![Obstacle::Plans(1), Obstacle::Payments(3)]),
        ("customers.delete", 0, 3, None, vec![Obstacle::Payments(3)]),
        ("plans.delete", 0, 0, suspended.clone(), vec![]),
        ("plans.delete", 0, 2, suspended, vec![Obstacle::Payments(2)]),
        ("plans.delete", 0, 2, active, vec![Obstacle::ActivePlan, Obstacle::Payments(2)]),
        ("plans.delete", 0, 0, None, vec![Obstacle::ActivePlan]),
    ] {
        let gateway = counted(plans, payments, status);
        let outcome = (operation(name).run)(gateway.client(Format::Json)).await;
        let deleted = gateway.calls().iter().any(|call| call.starts_with("DELETE"));
        assert_eq!(deleted, expected.is_empty(), "{name} {expected:?}");
        if let Err(error) = outcome {
            assert_eq!(error.kind(), ErrorKind::DeletionRefused);
            assert_eq!(error.refusal().unwrap().obstacles(), expected);
        }
    }
}

#[tokio::test]
async fn bad_input_is_named_and_nothing_is_sent() {
    let gateway = Gateway::script([]);
    let client = gateway.client(Format::Json);
    let luhn = NewToken::builder().card("4111111111111112").exp_date("1330").build();
    let error = Error::from(luhn.unwrap_err());
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert_eq!(
        error.violations().unwrap().to_string(),
        "card: must be a card number whose check digit is right (Luhn); \
         exp-date: must be an expiry written MMYY with a month from 01 to 12; csc: is required; \
         description: is required"
    );

    let error = Error::from(ApiKey::new("0123 4567").unwrap_err());
    assert_eq!(error.kind(), ErrorKind::Configuration);
    let error = Error::from("a/../b".parse::<PlanKey>().unwrap_err());
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    let error = Clearent::builder(ApiKey::new("0123456789abcdef").unwrap()).build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);

    let long =
        perennial::clearent::CustomerSearch { first_name: Some("a".repeat(70_000)), ..Default::default() };
    let error = client.customers().search(&long).next().await.unwrap().unwrap_err();
    assert_eq!(
        (error.kind(), error.attempts(), error.delivery()),
        (ErrorKind::InvalidRequest, 0, Delivery::NotSent)
    );
    assert_eq!(gateway.asked().len(), 0);
}

#[tokio::test]
async fn an_unknown_outcome_says_where_to_look() {
    let mut text = String::new();
    for Operation { name, run } in OPERATIONS.iter().filter(|operation| !operation.reads()) {
        let gateway = Gateway::new(move |_, request| match *request.method() {
            Method::GET => right(Format::Json, request),
            _ => fails(Kind::Closed),
        });
        let policy = perennial::transport::Policy { attempts: 1.try_into().unwrap(), ..Default::default() };
        let error = run(gateway.builder().retry(policy).build().unwrap()).await.unwrap_err();
        assert_eq!((error.kind(), error.delivery()), (ErrorKind::OutcomeUnknown, Delivery::MaybeSent));
        writeln!(text, "{name}: {:?}", error.lookup().unwrap()).unwrap();
    }
    insta::assert_snapshot!(text);
}

#[tokio::test]
async fn what_the_gateway_said_around_a_value_is_there() {
    let gateway = Gateway::new(|_, _| {
        let body = r#"{"code":"201","status":"success","exchange-id":"ID-7","links":[{"rel":"self","href":"/here"}],
            "payload":{"payloadType":"customer","customer":{"customer-key":"cust_5a1d7c1e8a0f","first-name":"Ada",
            "last-name":"Byron"}}}"#;
        let mut answer = says(201, body)?;
        answer.headers_mut().insert("x-gateway", "7".parse().unwrap());
        Ok(answer)
    });
    let created = gateway.client(Format::Xml).customers().create(&crate::operations::new_customer()).await;
    // The gateway responds with JSON to XML, without a content type.
    assert!(created.unwrap_err().is_outcome_unknown());

    let found = gateway.client(Format::Json).customers().get(&customer_key()).await.unwrap();
    assert_eq!(
        (found.status(), found.exchange_id(), found.payload_type()),
        (201, Some("ID-7"), Some("customer"))
    );
    assert_eq!(
        (found.links()[0].href.as_str(), &found.headers()["x-gateway"]),
        ("/here", &"7".parse().unwrap())
    );
    assert_eq!(found.map(|customer| customer.customer_key).into_value(), customer_key());
}
