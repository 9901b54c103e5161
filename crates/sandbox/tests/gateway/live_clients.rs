//! Requests of real programs, as the reference describes them: each of these works against the live gateway.

use perennial_sandbox::Sandbox;

use crate::client::Client;

/// A case: its name, method, path, headers, body, and the status and a text of the answer.
type Case<'a> = (&'a str, &'a str, &'a str, &'a [(&'a str, &'a str)], &'a str, u16, &'a str);

/// Holds: The sandbox serves the requests that published programs send.
#[tokio::test]
async fn requests_of_real_programs() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let customer = client.customer().await;
    let token = client.token(&customer).await;
    let plan = client.plan(&customer, &token, crate::client::YEAR).await;
    let key = client.key.clone();
    let (json, xml) = (("content-type", "application/json"), ("content-type", "application/xml"));
    let auth = ("api-key", key.as_str());
    let fill = |text: &str| {
        text.replace("{customer}", &customer)
            .replace("{token}", &token)
            .replace("{plan}", &plan)
            .replace("{key}", &key)
    };
    #[rustfmt::skip]
    let cases: &[Case<'_>] = &[
        ("numbers and a bool", "POST", "/rest/v2/payment-plans", &[auth, json],
            r#"{"customer-key":"{customer}","customer-name":"Ada Byron","plan-name":"Ada's","start-date":"2027-01-21","end-date":"2027-12-21","frequency":"MONTHLY","payment-amount":"12.22","token-id":"{token}","frequency-day":6,"frequency-month":1,"email-receipt":false}"#, 201, r#""frequency-day":"6""#),
        ("no name, mixed case", "POST", "/rest/v2/payment-plans", &[auth, json],
            r#"{"customer-key":"{customer}","token-id":"{token}","frequency":"monthly","status":"Active","start-date":"2027-01-21","end-date":"2027-12-21","payment-amount":"12.22"}"#, 201, r#""frequency-day":"21""#),
        ("nulls, empty strings, a number for the version", "POST", "/rest/v2/transactions/sale", &[auth, json],
            r#"{"type":"SALE","card":"4111111111111111","exp-date":"1230","amount":"25.00","csc":"999","shipping-address":null,"shipping":{"first-name":"","zip":null},"billing":{"zip":63101},"invoice":"","software-type":"shop","software-type-version":1.8}"#, 200, r#""software-type-version":"1.8""#),
        ("the key in the body", "POST", "/rest/v2/transactions", &[json],
            r#"{"api-key":"{key}","type":"SALE","card":"4111111111111111","exp-date":"1230","amount":"25.00"}"#, 200, r#""result":"APPROVED""#),
        ("the key in the body of a token", "POST", "/rest/v2/tokens", &[json],
            r#"{"api-key":"{key}","card":"4111111111111111","exp-date":"1230"}"#, 200, r#""last-four-digits":"1111""#),
        ("blanks in the card", "POST", "/rest/v2/tokens", &[auth, json],
            r#"{"card":"4111 1111 1111 1111","card-type":"VISA","exp-date":"1230"}"#, 200, r#""last-four-digits":"1111""#),
        ("an expiry without its zero", "POST", "/rest/v2/transactions/sale", &[auth, json],
            r#"{"card":"4111111111111111","exp-date":"930","amount":"25.00"}"#, 200, r#""exp-date":"0930""#),
        ("both names of the address check", "POST", "/rest/v2/tokens", &[auth, json],
            r#"{"card":"4111111111111111","exp-date":"1230","require-avs":"false","avs-zip":"63101"}"#, 200, r#""avs-zip":"63101""#),
        ("a refund to a card without its expiry", "POST", "/rest/v2/transactions/refund", &[auth, json],
            r#"{"card":"4111111111111111","amount":"3.00"}"#, 200, r#""type":"UNMATCHED REFUND""#),
        ("a type in lower case", "POST", "/rest/v2/transactions/sale", &[auth, json],
            r#"{"type":"sale","amount":"25.00","card":"{token}","exp-date":"1230"}"#, 200, r#""type":"SALE""#),
        ("billing and client-ip on a customer", "POST", "/rest/v2/customers", &[auth, json],
            r#"{"first-name":"Ada","last-name":"Byron","billing":{"zip":"1"},"client-ip":"10.0.0.1","software-type":"shop"}"#, 201, r#""payloadType":"customer""#),
        ("create-token as a string", "POST", "/rest/v2/transactions/sale", &[auth, json],
            r#"{"card":"4111111111111111","exp-date":"1230","amount":"25.00","create-token":"true"}"#, 200, r#""payloadType":"transactionToken""#),
        ("Api-Key and text/html", "GET", "/rest/v2/transactions?type=SALE", &[("Api-Key", &key), ("content-type", "text/html"), ("accept", "text/html")], "", 200, r#""payloadType":"transactions""#),
        ("a double slash", "GET", "//rest/v2/customers", &[auth], "", 200, r#""payloadType":"customers""#),
        ("form encoding on a JSON body", "POST", "/rest/v2/customers", &[auth, ("content-type", "application/x-www-form-urlencoded")],
            r#"{"first-name":"Ada","last-name":"Byron"}"#, 201, r#""payloadType":"customer""#),
        ("XML with blanks, in mixed case", "POST", "/rest/v2/transactions", &[auth, xml],
            "<transaction><type>Sale</type> <amount>200.00</amount>\n <card>4111111111111111</card> <exp-date>1230</exp-date> </transaction>", 200, "<result>APPROVED</result>"),
        ("XML in, JSON out", "POST", "/rest/v2/customers", &[auth, xml, ("accept", "application/json")],
            "<customer><first-name>Ada</first-name><last-name>Byron</last-name></customer>", 201, r#""first-name":"Ada""#),
        ("JSON in, XML out", "POST", "/rest/v2/customers", &[auth, json, ("accept", "application/xml")],
            r#"{"first-name":"Ada","last-name":"Byron"}"#, 201, "<first-name>Ada</first-name>"),
        ("XML without a content type", "POST", "/rest/v2/customers", &[auth],
            "<customer><first-name>Ada</first-name><last-name>Byron</last-name></customer>", 201, "<first-name>Ada</first-name>"),
        ("a status in another spelling", "PUT", "/rest/v2/payment-plans/{plan}", &[auth, json], r#"{"status":"Canceled"}"#, 200, r#""status":"CANCELED""#),
        ("a DELETE with a body", "DELETE", "/rest/v2/payment-plans/{plan}", &[auth, json], r#"{"plan-key":"{plan}"}"#, 200, r#""payloadType":"payment-plan""#),
        ("an underscore in the header", "GET", "/rest/v2/customers", &[("api_key", &key)], "", 401, r#""result-code":"042""#),
        ("a body that is a form under JSON", "POST", "/rest/v2/transactions", &[auth, json], "type=SALE&amount=25.00", 400, r#""result-code":"041""#),
    ];
    for (what, method, path, headers, body, status, says) in cases {
        let got = client.send(method, &fill(path), headers, fill(body)).await;
        assert!(got.status == *status && got.body.contains(says), "{what}: {} {}", got.status, got.body);
    }
}
