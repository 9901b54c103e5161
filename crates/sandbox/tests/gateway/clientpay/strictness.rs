//! Errors are reported by field, in the vendor's envelope, and change nothing.

use perennial_sandbox::Sandbox;
use serde_json::json;

use super::{JSON, Merchant, UNDER_ACCESS_ID};

const V1: &[(&str, &str)] = &[
    ("POST", "/Invoice/Forms/Add"),
    ("POST", "/Invoice/Forms/Expire"),
    ("POST", "/Payment/Add"),
    ("GET", "/Payment/Status"),
    ("POST", "/Token/Access/New"),
    ("POST", "/Token/Access/Current"),
    ("POST", "/Token/Access/Validate"),
    ("POST", "/Token/Access/Expire"),
    ("POST", "/Token/Request/New"),
    ("POST", "/Token/Credentials/Validate"),
    ("POST", "/Invoice/Connect/Search"),
    ("POST", "/Invoice/Connect/Add"),
    ("POST", "/PaymentPage/Forms/Add"),
    ("POST", "/PaymentPage/Forms/Expire"),
];

#[tokio::test]
async fn each_path_has_one_method_and_says_which() {
    let sandbox = Sandbox::start().await.unwrap();
    let merchant = Merchant::of(&sandbox).await;
    let before = merchant.state().await;
    let v2 = UNDER_ACCESS_ID.iter().map(|path| ("POST", *path));
    for (only, path) in v2.chain(V1.iter().copied()) {
        for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE", "POST", "OPTIONS"] {
            if method == only {
                continue;
            }
            let headers = [("accessId", merchant.access_id.as_str())];
            let got = merchant.client.send(method, path, &headers, "").await;
            assert_eq!(got.status, if method == "OPTIONS" { 204 } else { 405 }, "{method} {path}");
            assert_eq!(got.headers["allow"], format!("{only}, OPTIONS"), "{method} {path}");
            if !["HEAD", "OPTIONS"].contains(&method) {
                let message = format!("This path has {only} only.");
                assert_eq!(got.json(), json!({ "success": false, "message": message }));
            }
        }
    }
    for path in
        ["/v2", "/v2/", "/v2/nothing", "/v2/payment/nothing", "/v2/v2/payment", "/Token", "/Payment/New"]
    {
        let got = merchant.send(path, &json!({})).await;
        assert_eq!(got.status, 404, "{path}");
        let message = format!("not emulated by the sandbox: POST {path}");
        assert_eq!(got.json(), json!({ "success": false, "message": message }));
    }
    assert_eq!(merchant.state().await, before);
}

/// Holds: A malformed ClientPay body is refused, changes nothing and leaves its request id unused.
#[tokio::test]
async fn a_body_is_json_of_the_right_shape() {
    let sandbox = Sandbox::start().await.unwrap();
    let merchant = Merchant::of(&sandbox).await;
    let before = merchant.state().await;
    let deep = format!("{}{}", r#"{"group":"#.repeat(200), "}".repeat(200));
    let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let bodies: &[&[u8]] = &[
        b"",
        b" ",
        b"{",
        b"{}",
        b"[]",
        b"null",
        b"7",
        b"\"text\"",
        b"{}{}",
        b"{\"token\":{\"requestId\":}}",
        b"{\"token\":{\"requestId\":\"\xff\xfe\"}}",
        b"\xff\xfe{\x00}\x00",
        b"{\"token\":\"text\",\"payer\":7,\"invoices\":true,\"group\":\"and\",\"requestId\":[],\"searchText\":{}}",
        b"{\"token\":[],\"payer\":[],\"invoices\":{},\"group\":[],\"requestId\":{}}",
        b"{\"token\":{\"requestId\":{}},\"totalAmount\":[],\"payerId\":7}",
        b"{\"token\":{\"requestId\":\"a\"},\"totalAmount\":1e400,\"pageNumber\":1e400,\"connectOption\":1e400}",
        b"{\"token\":{\"requestId\":\"a\"},\"totalAmount\":-99999999999999999999999999999999999999}",
        b"{\"token\":{\"requestId\":\"a\\u0000\"},\"requestId\":\"\\u0000\"}",
        deep.as_bytes(),
        nested.as_bytes(),
    ];
    for path in UNDER_ACCESS_ID.iter().filter(|path| !path.contains("/token/")) {
        for body in bodies {
            let headers = [JSON, ("accessId", merchant.access_id.as_str())];
            let got = merchant.client.send("POST", path, &headers, *body).await;
            let excerpt = String::from_utf8_lossy(&body[..body.len().min(80)]);
            assert_eq!(got.status, 400, "{path} {excerpt}: {}", got.body);
            assert_eq!(got.at("/success"), "false", "{path} {excerpt}: {}", got.body);
            assert!(got.at("/message").len() > 8, "{path} {excerpt}: {}", got.body);
        }
        let kinds = [("text/plain", 415), ("application/xml", 415), ("application/json; charset=utf-8", 400)];
        for (kind, status) in kinds {
            let headers = [("content-type", kind), ("accessId", merchant.access_id.as_str())];
            assert_eq!(
                merchant.client.send("POST", path, &headers, "{}").await.status,
                status,
                "{path} {kind}"
            );
        }
    }
    assert_eq!(merchant.state().await, before);
}

#[tokio::test]
async fn credentials_that_are_no_credentials_are_reported_by_member() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Merchant::of(&sandbox).await.client;
    let long = format!(r#"{{"integratorKey":"{}","accountKey":"a","accountPin":"1"}}"#, "x".repeat(70_000));
    for path in [
        "/v2/token/accessid",
        "/v2/token/accessid/current",
        "/Token/Access/New",
        "/Token/Credentials/Validate",
    ] {
        #[rustfmt::skip]
        let cases = [
            ("{}", "integratorKey accountKey accountPin"),
            (r#"{"integratorKey":"i","accountKey":"a"}"#, "accountPin"),
            (r#"{"integratorKey":"i","accountKey":"","accountPin":"1"}"#, "accountKey"),
            (r#"{"integratorKey":"i\n","accountKey":"a b","accountPin":"1"}"#, "accountKey"),
            (r#"{"integratorKey":["i"],"accountKey":"a","accountPin":"1"}"#, ""),
            (long.as_str(), ""),
            ("", ""),
            ("[]", ""),
        ];
        for (body, fields) in cases {
            let got = client.send("POST", path, &[JSON], body).await;
            assert_eq!(got.status, 400, "{path} {}: {}", &body[..body.len().min(60)], got.body);
            let errors = got.json()["errors"].as_array().cloned().unwrap_or_default();
            let named: Vec<&str> = errors.iter().filter_map(|error| error["field"].as_str()).collect();
            assert_eq!(named.join(" "), fields, "{path} {}: {}", &body[..body.len().min(60)], got.body);
        }
    }
}
