//! Refusals, with the vendor's codes and all violations at once; a refusal changes nothing.

use perennial_sandbox::Sandbox;

use crate::client::{Client, YEAR};

#[rustfmt::skip]
const CASES: &[(&str, &str, &str, u16, &str, &str)] = &[
    // customers
    ("POST", "/customers", "{}", 400, "041", "first-name: is required; last-name: is required"),
    ("POST", "/customers", r#"{"first-name":"","last-name":null}"#, 400, "041", "first-name: is required; last-name: is required"),
    ("POST", "/customers", r#"{"first-name":"Ada","last-name":"Byron","customer-key":"{customer}"}"#, 402, "041", "customer-key: another customer has this key"),
    ("PUT", "/customers/{customer}", "{}", 400, "041", "customer: must change at least one field"),
    ("PUT", "/customers/{customer}", r#"{"status":"GONE"}"#, 400, "041", "status: must be one of ACTIVE, INACTIVE"),
    ("PUT", "/customers/cust_none", r#"{"email":"a@b"}"#, 404, "041", "Customer not found: cust_none"),
    ("DELETE", "/customers/cust_none", "", 404, "041", "Customer not found: cust_none"),
    ("DELETE", "/customers/{customer}", "", 402, "041", "the customer cannot be deleted: it has 1 payment plan; update the customer's status to inactive instead; it is archived after 24 months"),
    ("GET", "/customers/a%20b", "", 404, "041", "Object not found"),
    ("GET", "/customers?page=0", "", 400, "041", "page: must be one of 1, 2, 3 and so on"),
    // tokens
    ("POST", "/tokens", "{}", 400, "041", "card: is required; exp-date: is required"),
    ("POST", "/tokens", r#"{"card":"4111111111111112","exp-date":"1330"}"#, 400, "041", "card: must be a card number whose check digit is right (Luhn); exp-date: must be an expiry written MMYY with a month from 01 to 12"),
    ("POST", "/tokens", r#"{"card":"9999999999999995","exp-date":"1230"}"#, 400, "041", "card: must be one of the published test card numbers, such as 4111111111111111"),
    ("POST", "/tokens", r#"{"card":"4111111111111111","exp-date":"1226","customer-key":"cust_none"}"#, 400, "041", "exp-date: must not be in the past: the card has expired; customer-key: must name an existing customer"),
    ("PUT", "/tokens/{token}", r#"{"exp-date":"1231","card":"4111111111111111"}"#, 400, "041", "card: cannot be updated: only customer-key, status and description of a token can; delete it and create it again; exp-date: cannot be updated: only customer-key, status and description of a token can; delete it and create it again"),
    ("PUT", "/tokens/{token}", r#"{"customer-key":"cust_none"}"#, 400, "041", "customer-key: must name an existing customer"),
    ("PUT", "/tokens/1100", r#"{"description":"x"}"#, 404, "041", "Object not found"),
    ("DELETE", "/tokens/1100", "", 404, "041", "Object not found"),
    // customer tokens
    ("POST", "/customers/{customer}/tokens", "{}", 400, "041", "token-id: is required"),
    ("POST", "/customers/{customer}/tokens", r#"{"token-id":"1100"}"#, 400, "041", "token-id: must name an existing token"),
    ("POST", "/customers/cust_none/tokens", r#"{"token-id":"{token}"}"#, 404, "041", "Customer not found: cust_none"),
    ("GET", "/customers/cust_none/tokens", "", 404, "041", "Customer not found: cust_none"),
    ("PUT", "/customers/{customer}/tokens", r#"{"token-id":"1100","default":true}"#, 404, "041", "Object not found"),
    // plans
    ("POST", "/payment-plans", "{}", 400, "041", "customer-key: is required; token-id: is required; frequency: is required; payment-amount: is required; start-date: is required; end-date: is required"),
    ("POST", "/payment-plans", r#"{"customer-key":"{customer}","token-id":"{token}","type":"LOAN","frequency":"DAILY","frequency-day":29,"payment-amount":"50.0","start-date":"2027-02-30","end-date":"2027-12-01","status":"PAUSED"}"#, 400, "041", "frequency: must be one of MONTHLY"),
    ("POST", "/payment-plans", r#"{"customer-key":"{customer}","token-id":"{token}","frequency":"MONTHLY","frequency-day":"15","payment-amount":"0.00","start-date":"2027-01-01","end-date":"2028-01-02"}"#, 400, "041", "payment-amount: must be at least 0.01; end-date: must be at most 12 calendar months after start-date"),
    ("POST", "/payment-plans", r#"{"customer-key":"cust_none","token-id":"1100","frequency":"MONTHLY","payment-amount":"1.00","start-date":"2027-01-01","end-date":"2027-02-02"}"#, 400, "041", "customer-key: must name an existing customer; token-id: must name an existing token"),
    ("POST", "/payment-plans", r#"{"customer-key":"{stranger}","token-id":"{token}","frequency":"MONTHLY","payment-amount":"1.00","start-date":"2027-01-01","end-date":"2027-02-02"}"#, 400, "041", "token-id: must name an existing token of this customer"),
    ("POST", "/payment-plans", r#"{"customer-key":"{customer}","token-id":"{token}","frequency":"MONTHLY","frequency-month":13,"frequency-week":"soon","payment-amount":"1.00","start-date":"2027-01-01","end-date":"2027-02-02"}"#, 400, "041", "frequency-month: must be a whole number from 1 to 12; frequency-week: must be a whole number from 1 to 12"),
    ("POST", "/payment-plans", r#"{"frequency-month":"0"}"#, 400, "041", "end-date: is required; frequency-month: must be a whole number from 1 to 12"),
    ("PUT", "/payment-plans/{plan}", r#"{"frequency-month":1.5,"frequency-week":-1}"#, 400, "041", "frequency-month: must be a whole number from 1 to 12; frequency-week: must be a whole number from 1 to 12"),
    ("PUT", "/payment-plans/{plan}", r#"{"end-date":"2028-06-01"}"#, 400, "041", "end-date: must be at most 12 calendar months after start-date"),
    ("PUT", "/payment-plans/{plan}", r#"{"token-id":"1100"}"#, 400, "041", "token-id: must name an existing token"),
    ("PUT", "/payment-plans/{canceled}", r#"{"status":"ACTIVE"}"#, 402, "041", "status: must not change: a canceled plan cannot be restarted"),
    ("DELETE", "/payment-plans/{plan}", "", 402, "041", "the plan cannot be deleted: it is active; cancel the plan first"),
    ("GET", "/payment-plans/plan_none", "", 404, "041", "Object not found"),
    ("GET", "/payment-plans/plan_none/expected-runs", "", 404, "041", "Object not found"),
    ("GET", "/plan-forecast", "", 400, "041", "start-date: is required; frequency: is required; frequency-day: is required"),
    ("GET", "/plan-forecast?start-date=2027-01-01&end-date=2029-01-01&frequency=MONTHLY&frequency-day=1", "", 400, "041", "end-date: must be at most 12 calendar months after start-date"),
    // transactions
    ("POST", "/transactions", "{}", 400, "041", "type: is required"),
    ("POST", "/transactions/sale", r#"{"card":"{token}","amount":"100.0"}"#, 400, "041", "amount: must be digits with exactly two decimals, such as 50.00"),
    ("POST", "/transactions/sale", r#"{"card":"{token}","amount":"five"}"#, 400, "041", "amount: must be digits with exactly two decimals, such as 50.00"),
    ("POST", "/transactions/sale", r#"{"type":"VOID","id":"1"}"#, 400, "041", "type: must not be given together with another kind of transaction in the path"),
    ("POST", "/transactions/sale", r#"{"card":"1100","amount":"1.00"}"#, 400, "041", "card: must name an existing token"),
    ("POST", "/transactions/sale", r#"{"card":"9999999999999995","exp-date":"1230","amount":"1.00"}"#, 400, "041", "card: must be one of the published test card numbers, such as 4111111111111111"),
    ("POST", "/transactions", r#"{"type":"FORCED SALE","card":"{token}","amount":"1.00"}"#, 400, "041", "authorization-code: is required"),
    ("POST", "/transactions/capture", r#"{"id":"1","amount":"1.00"}"#, 402, "027", "Original Not Found"),
    ("POST", "/transactions/void", r#"{"id":"1"}"#, 402, "027", "Original Not Found"),
    ("GET", "/transactions/1", "", 404, "041", "Object not found"),
    ("GET", "/transactions?start-date=yesterday", "", 400, "041", "start-date: must be one of MM-dd-yyyy hh:mm a, MM-dd-yy HH:mm, yyyy-MM-dd HH:mm"),
    // bodies
    ("POST", "/customers", "", 400, "041", "JSON: the document is empty"),
    ("POST", "/customers", "{\"first-name\":", 400, "041", "malformed at line 1, column"),
    ("POST", "/customers", "<customer/>", 400, "041", "JSON: malformed at line 1, column 1"),
    // paths
    ("GET", "/nothing", "", 404, "041", "not emulated by the sandbox: GET /rest/v2/nothing"),
    ("GET", "", "", 404, "041", "not emulated by the sandbox: GET /rest/v2"),
];

/// Holds: The sandbox refuses by the rules of `domain`, in the gateway's envelope.
#[tokio::test]
async fn refusals() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let (customer, token, plan) = client.subscriber().await;
    let stranger = client.customer().await;
    let canceled = client
        .plan(&stranger, &client.token(&stranger).await, &format!(r#"{YEAR},"status":"CANCELED""#))
        .await;
    let fill = |text: &str| {
        text.replace("{customer}", &customer)
            .replace("{token}", &token)
            .replace("{plan}", &plan)
            .replace("{stranger}", &stranger)
            .replace("{canceled}", &canceled)
    };
    let before = client.state().await;
    let mut failures = Vec::new();
    for (method, path, body, status, code, message) in CASES {
        let got = client.json(method, &format!("/rest/v2{}", fill(path)), &fill(body)).await;
        let error = |member: &str| got.at(&format!("/payload/error/{member}"));
        let seen = (got.status, got.at("/status"), got.payload_type(), error("result-code"));
        let text = error("error-message");
        if seen != (*status, "fail".into(), "error".into(), (*code).into()) || !text.contains(&fill(message))
        {
            failures.push(format!("{method} {path} {body}\n  {seen:?} {text}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert_eq!(client.state().await, before, "a refusal changes nothing");
}

#[tokio::test]
async fn all_violations_of_a_plan_are_named() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let body = r#"{"customer-key":"a b","type":"LOAN","frequency":"DAILY","frequency-day":29,"payment-amount":"50.0",
        "start-date":"2027-02-30","end-date":"soon","status":"PAUSED","email-receipt":"maybe"}"#;
    let got = client.json("POST", "/rest/v2/payment-plans", body).await;
    let text = got.at("/payload/error/error-message");
    for field in [
        "customer-key",
        "token-id",
        "type",
        "frequency",
        "frequency-day",
        "payment-amount",
        "start-date",
        "end-date",
        "status",
        "email-receipt",
    ] {
        assert!(text.contains(&format!("{field}: ")), "{field} in {text}");
    }
    for value in ["LOAN", "DAILY", "PAUSED", "soon", "maybe"] {
        assert!(!text.contains(value), "{value} in {text}");
    }
}

#[tokio::test]
async fn errors_in_xml() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let cases = [
        ("POST", "/customers", "<customer/>", 400, "first-name: is required; last-name: is required"),
        ("POST", "/customers", "<token/>", 400, "XML: the root element is another one"),
        ("POST", "/customers", "no xml", 400, "XML: malformed at line 1"),
        (
            "POST",
            "/customers",
            "<!DOCTYPE a><customer/>",
            400,
            "XML: a document type declaration is not allowed",
        ),
        ("GET", "/customers/cust_none", "", 404, "Customer not found: cust_none"),
    ];
    for (method, path, body, status, message) in cases {
        let got = client.xml(method, &format!("/rest/v2{path}"), body).await;
        assert_eq!((got.status, got.payload_type().as_str()), (status, "error"), "{body}: {}", got.body);
        assert!(got.element("error-message").starts_with(message), "{body}: {}", got.body);
        assert_eq!(got.element("status"), "fail");
    }
}

#[tokio::test]
async fn a_customer_is_deleted_once_its_plans_are() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let (customer, token, plan) = client.subscriber().await;
    let (customer_path, plan_path) =
        (format!("/rest/v2/customers/{customer}"), format!("/rest/v2/payment-plans/{plan}"));
    assert_eq!(client.json("DELETE", &customer_path, "").await.status, 402);
    assert_eq!(
        client.json("PUT", &customer_path, r#"{"status":"inactive"}"#).await.at("/payload/customer/status"),
        "INACTIVE"
    );
    assert_eq!(client.json("PUT", &plan_path, r#"{"status":"SUSPENDED"}"#).await.status, 200);
    assert_eq!(client.json("DELETE", &plan_path, "").await.status, 200);
    let got = client.json("DELETE", &customer_path, "").await;
    assert_eq!(
        (got.status, got.json().pointer("/payload/customer/links").unwrap().to_string()),
        (200, "{}".into())
    );
    let token = client.json("GET", &format!("/rest/v2/tokens/{token}"), "").await;
    assert_eq!((token.status, token.at("/payload/tokenResponse/customer-key")), (200, String::new()));
}

#[tokio::test]
async fn a_plan_with_payments_stays() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let (customer, _, plan) = client.subscriber().await;
    client.advance("P2M").await;
    let path = format!("/rest/v2/payment-plans/{plan}");
    let cases = [
        ("SUSPENDED", "update the plan's status to canceled instead; it is archived after 24 months"),
        ("CANCELED", "it stays canceled, and is archived after 24 months"),
    ];
    for (status, instead) in cases {
        client.json("PUT", &path, &format!(r#"{{"status":"{status}"}}"#)).await;
        let got = client.json("DELETE", &path, "").await;
        let message = format!("the plan cannot be deleted: it has 2 payments; {instead}");
        assert_eq!((got.status, got.at("/payload/error/error-message")), (402, message));
    }
    let got = client.json("DELETE", &format!("/rest/v2/customers/{customer}"), "").await;
    assert!(
        got.at("/payload/error/error-message").contains("has 1 payment plan and has 2 payments"),
        "{}",
        got.body
    );
}
