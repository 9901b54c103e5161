//! Requests at the edges of HTTP, keys and queries: the sandbox accepts and refuses them as the vendor does, with
//! its envelope, in the requested format, and a refusal changes nothing.

use perennial_sandbox::Sandbox;

use crate::client::{Client, Got};

const JSON: (&str, &str) = ("content-type", "application/json");
const XML: (&str, &str) = ("content-type", "application/xml");
const ADA: &str = r#"{"first-name":"Ada","last-name":"Byron"}"#;
const ADA_XML: &str = "<customer><first-name>Ada</first-name><last-name>Byron</last-name></customer>";

/// A case: its name, its headers besides the key, the body of a `POST` of a customer, the status, and a text of the
/// answer.
type Case = (&'static str, &'static [(&'static str, &'static str)], &'static [u8], u16, &'static str);

#[rustfmt::skip]
const BODIES: &[Case] = &[
    // content types
    ("a charset", &[("content-type", "application/json; charset=utf-8")], ADA.as_bytes(), 201, "Ada"),
    ("a charset in capitals", &[("content-type", "Application/JSON;Charset=UTF-8")], ADA.as_bytes(), 201, "Ada"),
    ("a charset that ASCII is good for", &[("content-type", "application/json; charset=iso-8859-1")], ADA.as_bytes(), 201, "Ada"),
    ("a type of JSON's family", &[("content-type", "application/vnd.api+json")], ADA.as_bytes(), 201, "Ada"),
    ("a type that says nothing, on JSON", &[("content-type", "application/octet-stream")], ADA.as_bytes(), 201, "Ada"),
    ("a type that says nothing, on XML", &[("content-type", "text/plain")], ADA_XML.as_bytes(), 201, "<first-name>Ada</first-name>"),
    ("a type that is none", &[("content-type", ";")], ADA.as_bytes(), 201, "Ada"),
    ("JSON's type on XML", &[JSON], ADA_XML.as_bytes(), 400, "JSON: malformed at line 1, column 1"),
    ("XML's type on JSON", &[XML], ADA.as_bytes(), 400, "XML: malformed at line 1"),
    ("a form", &[("content-type", "application/x-www-form-urlencoded")], b"first-name=Ada&last-name=Byron", 400, "JSON: malformed"),
    ("parts", &[("content-type", "multipart/form-data; boundary=x")], b"--x\r\n\r\nAda\r\n--x--", 400, "JSON: malformed"),
    // encodings
    ("Latin-1", &[JSON], b"{\"first-name\":\"\xe9\",\"last-name\":\"B\"}", 400, "JSON: the document is not UTF-8"),
    ("UTF-16", &[("content-type", "application/json; charset=utf-16")], b"\xff\xfe{\x00}\x00", 400, "JSON: the document is UTF-16, and must be UTF-8"),
    ("UTF-16 without its mark", &[JSON], b"{\x00}\x00", 400, "JSON: malformed"),
    ("UTF-16 in XML", &[XML], b"\xff\xfe<\x00a\x00/\x00>\x00", 400, "XML: the document is UTF-16, and must be UTF-8"),
    ("an XML declaration", &[XML], b"<?xml version='1.0' encoding='UTF-8'?><customer><first-name>A</first-name><last-name>B</last-name></customer>", 201, "<last-name>B</last-name>"),
    ("an XML declaration of another encoding", &[XML], b"<?xml version='1.0' encoding='ISO-8859-1'?><customer/>", 400, "XML: the document is not UTF-8"),
    ("a byte order mark in XML", &[XML], b"\xef\xbb\xbf<customer><first-name>A</first-name><last-name>B</last-name></customer>", 201, "<last-name>B</last-name>"),
    ("a byte order mark in JSON", &[JSON], b"\xef\xbb\xbf{\"first-name\":\"A\",\"last-name\":\"B\"}", 201, "\"last-name\":\"B\""),
    ("two byte order marks in JSON", &[JSON], b"\xef\xbb\xbf\xef\xbb\xbf{}", 400, "JSON: malformed at line 1, column 1"),
    ("two byte order marks in XML", &[XML], b"\xef\xbb\xbf\xef\xbb\xbf<customer/>", 400, "XML: malformed at line 1"),
    ("compressed", &[JSON, ("content-encoding", "gzip")], b"\x1f\x8b\x08\x00", 415, "The request body must not be compressed"),
    ("said to be compressed", &[XML, ("content-encoding", "br")], ADA_XML.as_bytes(), 415, "<error-message>The request body must not be compressed</error-message>"),
    ("twice nothing", &[JSON, ("content-encoding", "identity"), ("content-encoding", "Identity")], ADA.as_bytes(), 201, "Ada"),
    ("nothing and something", &[JSON, ("content-encoding", "identity"), ("content-encoding", "deflate")], ADA.as_bytes(), 415, "compressed"),
    // what is accepted
    ("weights", &[JSON, ("accept", "application/json;q=0.1, application/xml;q=0.2")], ADA.as_bytes(), 201, "<first-name>Ada</first-name>"),
    ("a browser", &[JSON, ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")], ADA.as_bytes(), 201, "<first-name>Ada</first-name>"),
    ("curl", &[XML, ("accept", "*/*")], ADA_XML.as_bytes(), 201, "<first-name>Ada</first-name>"),
    ("axios", &[JSON, ("accept", "application/json, text/plain, */*")], ADA.as_bytes(), 201, r#""first-name":"Ada""#),
    ("Java", &[JSON, ("accept", "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2")], ADA.as_bytes(), 201, r#""first-name":"Ada""#),
    ("two lines", &[JSON, ("accept", "text/html"), ("accept", "application/xml")], ADA.as_bytes(), 201, "<first-name>Ada</first-name>"),
    ("neither format", &[XML, ("accept", "text/csv")], ADA_XML.as_bytes(), 201, r#""first-name":"Ada""#),
    ("a refusal in the other format", &[JSON, ("accept", "application/xml")], b"{}", 400, "<payload type=\"error\"><error><error-message>"),
    ("a refusal in JSON of XML", &[XML, ("accept", "application/json")], b"<customer/>", 400, r#""payload":{"error":{"error-message":"first-name: is required"#),
    // bodies
    ("nothing", &[JSON], b"", 400, "JSON: the document is empty"),
    ("blanks", &[XML], b" \n\t", 400, "XML: the document is empty"),
    ("blanks around JSON", &[JSON], b"\n {\"first-name\":\"A\",\"last-name\":\"B\"} \r\n", 201, "A"),
    ("names in capitals", &[JSON], br#"{"First-Name":"Ada","Last-Name":"Byron"}"#, 400, "first-name: is required"),
    ("names with underscores", &[JSON], br#"{"first_name":"Ada","last_name":"Byron"}"#, 400, "first-name: is required"),
    ("an object for a text", &[JSON], br#"{"first-name":{"a":1},"last-name":"B"}"#, 400, "JSON at first-name: the value has another type"),
    ("a list for a text", &[JSON], br#"{"first-name":["Ada"],"last-name":"B"}"#, 400, "JSON at first-name: the value has another type"),
    ("a text for an object", &[JSON], br#"{"first-name":"A","last-name":"B","billing-address":"1 Loom Street"}"#, 400, "JSON at billing-address: the value has another type"),
    ("elements for a text", &[XML], b"<customer><first-name><a/></first-name><last-name>B</last-name></customer>", 400, "XML at first-name: the value has another type"),
    ("an element twice", &[XML], b"<customer><first-name>A</first-name><first-name>B</first-name><last-name>C</last-name></customer>", 400, "XML at first-name: the member is given twice"),
    ("a name space", &[XML], b"<c:customer xmlns:c='x'><first-name>A</first-name></c:customer>", 400, "XML"),
    ("a comment and CDATA", &[XML], b"<customer><!-- x --><first-name><![CDATA[A & B]]></first-name><last-name>&#x42;</last-name></customer>", 201, "<first-name>A &amp; B</first-name>"),
    ("a control character", &[JSON], br#"{"first-name":"A\u0007","last-name":"B"}"#, 400, "first-name: must not contain control characters (character 2)"),
    ("half a surrogate", &[JSON], br#"{"first-name":"\ud800","last-name":"B"}"#, 400, "JSON at first-name: malformed"),
    ("beyond the basic plane", &[JSON], "{\"first-name\":\"\u{1f600}\",\"last-name\":\"\u{5d0}\"}".as_bytes(), 201, "\u{1f600}"),
    ("a blank name", &[JSON], b"{\"first-name\":\"\xc2\xa0\",\"last-name\":\"B\"}", 400, "first-name: must not be empty"),
    ("huge numbers", &[JSON], br#"{"first-name":123456789012345678901234567890,"last-name":1e400}"#, 201, "1e400"),
];

#[tokio::test]
async fn bodies_and_their_headers() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let mut failures = Vec::new();
    for (what, headers, body, status, says) in BODIES {
        let before = client.state().await;
        let headers: Vec<_> =
            [("api-key", client.key.as_str())].into_iter().chain(headers.iter().copied()).collect();
        let got = client.send("POST", "/rest/v2/customers", &headers, *body).await;
        if got.status != *status || !got.body.contains(says) || !is_an_envelope(&got) {
            failures.push(format!("{what}: {} {}", got.status, got.body));
        }
        if got.status > 299 && client.state().await != before {
            failures.push(format!("{what}: a refusal changed something"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Whether the answer repeats its status in the format that its header names.
fn is_an_envelope(got: &Got) -> bool {
    let kind = got.headers.get("content-type").map(|kind| kind.to_str().unwrap());
    let code = match kind {
        Some("application/json") => got.at("/code"),
        Some("application/xml") => got.element("code"),
        _ => return false,
    };
    code == got.status.to_string()
}

/// A case: its name, headers, body, and the status.
type Attempt<'a> = (&'a str, &'a [(&'a str, &'a str)], String, u16);

#[tokio::test]
async fn keys() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let (key, other) = (client.key.as_str(), "0123456789abcdef0123456789abcdef");
    let in_capitals = key.to_ascii_uppercase();
    let with = |extra: &str| format!(r#"{{"api-key":"{extra}","first-name":"Ada","last-name":"Byron"}}"#);
    #[rustfmt::skip]
    let cases: &[Attempt<'_>] = &[
        ("a header", &[("api-key", key)], ADA.into(), 201),
        ("a header in capitals", &[("API-KEY", key)], ADA.into(), 201),
        ("blanks around it", &[("api-key", &format!("  {key} "))], ADA.into(), 201),
        ("none", &[], ADA.into(), 401),
        ("an underscore", &[("api_key", key)], ADA.into(), 401),
        ("the key of other products", &[("AccessKey", key)], ADA.into(), 401),
        ("a bearer", &[("authorization", &format!("Bearer {key}"))], ADA.into(), 401),
        ("an empty one", &[("api-key", "")], ADA.into(), 401),
        ("a short one", &[("api-key", &key[1..])], ADA.into(), 401),
        ("quotes", &[("api-key", &format!("\"{key}\""))], ADA.into(), 401),
        ("two in one", &[("api-key", &format!("{key},{key}"))], ADA.into(), 401),
        ("two headers", &[("api-key", key), ("api-key", other)], ADA.into(), 401),
        ("the same twice", &[("api-key", key), ("api-key", key)], ADA.into(), 401),
        ("in the query", &[], ADA.into(), 401),
        ("in the body", &[], with(key), 201),
        ("an empty header and one in the body", &[("api-key", "")], with(key), 401),
        ("a bad one in the body", &[], with("x"), 401),
        ("the header before the body", &[("api-key", key)], with("x"), 201),
        ("in capitals: another world", &[("api-key", &in_capitals)], ADA.into(), 201),
    ];
    let mut failures = Vec::new();
    for (what, headers, body, status) in cases {
        let path = if *what == "in the query" {
            format!("/rest/v2/customers?api-key={key}")
        } else {
            "/rest/v2/customers".into()
        };
        let got = client.send("POST", &path, headers, body.as_str()).await;
        let code = got.at("/payload/error/result-code");
        if got.status != *status || (code == "042") != (*status == 401) {
            failures.push(format!("{what}: {} {}", got.status, got.body));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    let twice = [("api-key", key), ("api-key", key)];
    assert_eq!(client.send("GET", "/_sandbox/state", &twice, "").await.status, 401);
}

#[tokio::test]
async fn paths_and_queries() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let (customer, token, plan) = client.subscriber().await;
    let long = "x".repeat(5_000);
    #[rustfmt::skip]
    let cases: &[(&str, u16, &str)] = &[
        // paths
        ("/rest/v2/customers/", 200, "customers"),
        ("/rest/v2//customers", 200, "customers"),
        ("/rest/v2/Customers", 404, "not emulated by the sandbox: GET /rest/v2/Customers"),
        ("/REST/v2/customers", 404, "not emulated by the sandbox: GET /REST/v2/customers"),
        ("/rest/v2/customers.json", 404, "not emulated by the sandbox: GET /rest/v2/customers.json"),
        ("/rest/v2/customers/{customer}/", 200, r#""customer""#),
        ("/rest/v2/customers/{customer}/plans", 404, "not emulated by the sandbox: GET /rest/v2/customers/"),
        ("/rest/v2/customers/{customer}/tokens/{token}", 404, "not emulated by the sandbox: GET /rest/v2/customers/"),
        ("/rest/v2/%63ustomers", 200, "customers"),
        ("/rest/v2/customers/..%2Ftokens", 404, "Object not found"),
        ("/rest/v2/customers/%00", 404, "Object not found"),
        ("/rest/v2/customers/%ff", 404, "Object not found"),
        ("/rest/v2/customers/%F0%9F%98%80", 404, "Object not found"),
        ("/rest/v2/customers/'%20OR%201=1%20--", 404, "Object not found"),
        ("/rest/v2/tokens/{customer}", 404, "Object not found"),
        ("/rest/v2/payment-plans/{plan}/expected-runs/", 200, "expected-runs"),
        // pages
        ("/rest/v2/customers?page=0", 400, "page: must be one of 1, 2, 3 and so on"),
        ("/rest/v2/customers?page=-1", 400, "page: must be"),
        ("/rest/v2/customers?page=%2B1", 400, "page: must be"),
        ("/rest/v2/customers?page=1.5", 400, "page: must be"),
        ("/rest/v2/customers?page=4294967296", 400, "page: must be"),
        ("/rest/v2/customers?page=4294967295&page-size=4294967295", 200, r#""number":4294967295"#),
        ("/rest/v2/customers?page-size=0", 400, "page-size: must be"),
        ("/rest/v2/customers?pageSize=0", 400, "page-size: must be"),
        ("/rest/v2/customers?pageSize=1", 200, r#""size":1"#),
        ("/rest/v2/customers?page-size=2&pageSize=1", 200, r#""size":2"#),
        ("/rest/v2/customers?page=&page-size=", 200, r#""size":25"#),
        ("/rest/v2/customers?isDescending=false", 200, "customers"),
        ("/rest/v2/payment-plans?descending=FALSE", 200, "payment-plans"),
        ("/rest/v2/customers?descending=maybe", 400, "descending: must be true or false"),
        ("/rest/v2/payments?isDescending=0", 400, "isDescending: must be true or false"),
        ("/rest/v2/customers?order-by=;drop%20table", 200, "customers"),
        // parameters
        ("/rest/v2/customers?&&=&a&b=%", 200, r#""total-elements":1"#),
        ("/rest/v2/customers?first-name=%00", 200, r#""total-elements":0"#),
        ("/rest/v2/customers?first-name=%ff%fe", 200, r#""total-elements":0"#),
        ("/rest/v2/customers?first-name=Ada&first-name=Eve", 200, r#""total-elements":1"#),
        ("/rest/v2/customers?FIRST-NAME=Eve", 200, r#""total-elements":1"#),
        ("/rest/v2/customers?customer-key=a%20b", 400, "customer-key: must be 1 to 100 characters"),
        ("/rest/v2/payment-plans?status=PAUSED", 400, "status: must be one of"),
        ("/rest/v2/payment-plans?payment-amount=1e2", 400, "payment-amount: must be digits"),
        ("/rest/v2/tokens?updated-start-date=2027-1-1", 400, "updated-start-date: must be a date"),
        ("/rest/v2/tokens?updated-start-date=2027-01-01&date-format=yyyy-MM-dd", 200, "tokens"),
        ("/rest/v2/tokens?date-filter=custom_range&date-format=", 200, "tokens"),
        ("/rest/v2/transactions?level=merchant&type=sale", 204, ""),
        ("/rest/v2/transactions?level=terminal", 204, ""),
        ("/rest/v2/transactions?start-date=01-01-27%2023:59%20CST", 204, ""),
        ("/rest/v2/transactions?type=LOAN", 400, "type: must be one of"),
        ("/rest/v2/transactions?start-date=2027-02-30", 400, "start-date: must be"),
        ("/rest/v2/plan-forecast?start-date=2027-01-01&frequency=MONTHLY&frequency-day=29", 400, "frequency-day: must be a day from 1 to 28"),
        ("/rest/v2/plan-forecast?start-date=2027-01-01&frequency=WEEKLY&frequency-day=1", 400, "frequency: must be one of MONTHLY"),
        ("/rest/v2/plan-forecast?start-date=2027-01-01&frequency=monthly&frequency-day=1&frequency-month=1&frequency-week=1", 200, "plan-forecast"),
        ("/rest/v2/plan-forecast?start-date=2027-06-01&end-date=2027-05-31&frequency=MONTHLY&frequency-day=1", 400, "end-date: must be on or after start-date"),
        ("/rest/v2/plan-forecast?start-date=2199-12-31&frequency=MONTHLY&frequency-day=1", 200, "plan-forecast"),
    ];
    let fill = |path: &str| {
        path.replace("{customer}", &customer).replace("{token}", &token).replace("{plan}", &plan)
    };
    let mut failures = Vec::new();
    for (path, status, says) in cases {
        let path = fill(path);
        let answers = [client.json("GET", &path, "").await, client.xml("GET", &path, "").await];
        let [json, _] = &answers;
        let whole =
            answers.iter().all(|got| got.status == *status && (got.status == 204 || is_an_envelope(got)));
        if !whole || !json.body.contains(says) {
            failures.push(format!("{path}: {} {}", json.status, json.body));
        }
        let head = client.json("HEAD", &path, "").await;
        if (head.status, head.body.as_str()) != (*status, "") {
            failures.push(format!("HEAD {path}: {} {}", head.status, head.body));
        }
    }
    let got = client.json("GET", &format!("/rest/v2/customers?first-name={long}"), "").await;
    assert_eq!((got.status, got.at("/page/total-elements").as_str()), (200, "0"));
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[tokio::test]
async fn members_of_other_versions_are_taken() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let (customer, token, _) = client.subscriber().await;
    #[rustfmt::skip]
    let cases = [
        ("tokens", r#"{"card":"4111111111111111","exp-date":"1230","default":true,"require-card-inquiry":"false","status":"Active","last-four-digits":"1111"}"#, 200),
        ("tokens", r#"{"card":"4111111111111111","exp-date":"12/30","merchant-legacy-token-id":"7","customer-first-name":"Ada","customer-last-name":"Byron","software-vendor-name":"shop"}"#, 200),
        ("tokens", r#"{"card":"4111111111111111","exp-date":"1230","avs-required":true,"require-avs":"false"}"#, 200),
        ("customers", r#"{"first-name":"Ada","last-name":"Byron","billing-is-shipping":"true","links":{"link":[]},"status":"ACTIVE"}"#, 201),
        ("payment-plans", r#"{"customer-key":"{customer}","token-id":"{token}","frequency":"MONTHLY","payment-amount":"1.00","start-date":"2027-01-01","end-date":"2027-02-02","plan-key":"plan_mine","ach-payment-type":"x","metadata":{},"frequency-month":"1","frequency-week":2,"status-date":""}"#, 201),
        ("customers/{customer}/tokens", r#"{"customer-key":"{customer}","token-id":"{token}","exp-date":"1230","card-type":"visa","last-four-digits":1111,"default":"false","avs-address":"","avs-zip":null}"#, 201),
        ("transactions/sale", r#"{"card":"{token}","amount":"9.01","card-inquiry":"false","billing-is-shipping":true,"service-fee":"0.10","secure3d-data":{"a":1},"partial-authorization":"true","add-tax-to-amount":"false","sales-tax-type":"LOCAL_SALES_TAX","merchant-legacy-token":false,"from-zip":"1"}"#, 200),
        ("transactions", r#"{"type":"Sale","card":"{token}","amount":9.02,"exp-date":1230,"check-field":"invoice","check-field-mid":"true","invoice":12,"token-description":"x"}"#, 200),
        ("transactions/auth", r#"{"type":"auth","card":"4111-1111-1111-1111","exp-date":"1230","amount":"0.00","create-token":"TRUE"}"#, 200),
    ];
    for (path, body, status) in cases {
        let fill = |text: &str| text.replace("{customer}", &customer).replace("{token}", &token);
        let got = client.json("POST", &format!("/rest/v2/{}", fill(path)), &fill(body)).await;
        assert_eq!(got.status, status, "{body}: {}", got.body);
    }
}
