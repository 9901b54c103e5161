//! Every operation of the tree, in JSON and in XML: status, payload type, and the most important member.

use perennial_sandbox::Sandbox;

use crate::client::Client;

/// Calls in order; `{1}`, `{2}` … are values from earlier rows.
struct Row {
    method: &'static str,
    path: &'static str,
    json: &'static str,
    xml: &'static str,
    status: u16,
    payload_type: &'static str,
    /// A text that the answer contains, as an element of XML or a member of JSON: name and value.
    says: (&'static str, &'static str),
    /// The member of the answer that later rows use.
    keeps: &'static str,
}

#[rustfmt::skip]
const ROWS: &[Row] = &[
    Row { method: "POST", path: "/customers",
        json: r#"{"first-name":"Ada","last-name":"Byron","email":"ada@example.test","billing-address":{"city":"St Louis"}}"#,
        xml: "<customer><first-name>Ada</first-name><last-name>Byron</last-name><email>ada@example.test</email><billing-address><city>St Louis</city></billing-address></customer>",
        status: 201, payload_type: "customer", says: ("city", "St Louis"), keeps: "customer-key" },
    Row { method: "GET", path: "/customers/{1}", json: "", xml: "", status: 200, payload_type: "customer", says: ("first-name", "Ada"), keeps: "" },
    Row { method: "PUT", path: "/customers/{1}", json: r#"{"first-name":"Augusta"}"#, xml: "<customer><first-name>Augusta</first-name></customer>",
        status: 200, payload_type: "customer", says: ("first-name", "Augusta"), keeps: "" },
    Row { method: "GET", path: "/customers?last-name=byron", json: "", xml: "", status: 200, payload_type: "customers", says: ("first-name", "Augusta"), keeps: "" },
    Row { method: "POST", path: "/tokens",
        json: r#"{"card":"4111111111111111","exp-date":"1230","csc":"999","description":"business card","customer-key":"{1}"}"#,
        xml: "<token><card>4111111111111111</card><exp-date>1230</exp-date><csc>999</csc><description>business card</description><customer-key>{1}</customer-key></token>",
        status: 200, payload_type: "token", says: ("card-type", "VISA"), keeps: "token-id" },
    Row { method: "GET", path: "/tokens/{2}", json: "", xml: "", status: 200, payload_type: "token", says: ("status", "Active"), keeps: "" },
    Row { method: "PUT", path: "/tokens/{2}", json: r#"{"description":"old card"}"#, xml: "<token><description>old card</description></token>",
        status: 200, payload_type: "token", says: ("description", "old card"), keeps: "" },
    Row { method: "GET", path: "/tokens?page-size=1", json: "", xml: "", status: 200, payload_type: "tokens", says: ("description", "old card"), keeps: "" },
    Row { method: "POST", path: "/customers/{1}/tokens",
        json: r#"{"customer-key":"{1}","token-id":"{2}","exp-date":"1230","card-type":"VISA","last-four-digits":"1111","description":"hers"}"#,
        xml: "<customer-token><token-id>{2}</token-id><exp-date>1230</exp-date><card-type>VISA</card-type><last-four-digits>1111</last-four-digits><description>hers</description></customer-token>",
        status: 201, payload_type: "customer-token", says: ("description", "hers"), keeps: "" },
    Row { method: "GET", path: "/customers/{1}/tokens", json: "", xml: "", status: 200, payload_type: "customer-tokens", says: ("last-four-digits", "1111"), keeps: "" },
    Row { method: "PUT", path: "/customers/{1}/tokens", json: r#"{"token-id":"{2}","default":true,"description":"first"}"#,
        xml: "<customer-token><token-id>{2}</token-id><default>true</default><description>first</description></customer-token>",
        status: 200, payload_type: "customer-token", says: ("description", "first"), keeps: "" },
    Row { method: "POST", path: "/payment-plans",
        json: r#"{"plan-name":"Gold","type":"SUBSCRIPTION","customer-key":"{1}","token-id":"{2}","frequency":"MONTHLY","frequency-day":"15","start-date":"2027-01-01","end-date":"2027-12-31","status":"ACTIVE","payment-amount":"50.00"}"#,
        xml: "<payment-plan><plan-name>Gold</plan-name><type>SUBSCRIPTION</type><customer-key>{1}</customer-key><token-id>{2}</token-id><frequency>MONTHLY</frequency><frequency-day>15</frequency-day><start-date>2027-01-01</start-date><end-date>2027-12-31</end-date><status>ACTIVE</status><payment-amount>50.00</payment-amount></payment-plan>",
        status: 201, payload_type: "payment-plan", says: ("customer-name", "Augusta Byron"), keeps: "plan-key" },
    Row { method: "GET", path: "/payment-plans/{3}", json: "", xml: "", status: 200, payload_type: "payment-plan", says: ("status-date", "2027-01-01 00:00:00"), keeps: "" },
    Row { method: "PUT", path: "/payment-plans/{3}", json: r#"{"plan-name":"Gold 2"}"#, xml: "<payment-plan><plan-name>Gold 2</plan-name></payment-plan>",
        status: 200, payload_type: "payment-plan", says: ("plan-name", "Gold 2"), keeps: "" },
    Row { method: "GET", path: "/payment-plans?customer-key={1}&status=active", json: "", xml: "", status: 200, payload_type: "payment-plans", says: ("plan-name", "Gold 2"), keeps: "" },
    Row { method: "GET", path: "/payment-plans/{3}/expected-runs", json: "", xml: "", status: 200, payload_type: "expected-runs", says: ("date", "2027-01-15"), keeps: "" },
    Row { method: "GET", path: "/plan-forecast?start-date=2027-01-20&end-date=2027-06-30&frequency=MONTHLY&frequency-day=3", json: "", xml: "", status: 200, payload_type: "plan-forecast", says: ("", "2027-02-03"), keeps: "" },
    Row { method: "GET", path: "/payments?plan-key={3}", json: "", xml: "", status: 200, payload_type: "payments", says: ("", ""), keeps: "" },
    Row { method: "POST", path: "/transactions/sale", json: r#"{"type":"SALE","card":"{2}","amount":"25.00"}"#, xml: "<transaction><card>{2}</card><amount>25.00</amount></transaction>",
        status: 200, payload_type: "transaction", says: ("card", "XXXXXXXXXXXX1111"), keeps: "id" },
    Row { method: "GET", path: "/transactions/{4}", json: "", xml: "", status: 200, payload_type: "transaction", says: ("card", "1111"), keeps: "" },
    Row { method: "GET", path: "/transactions?id={4}", json: "", xml: "", status: 200, payload_type: "transactions", says: ("amount", "25.00"), keeps: "" },
    Row { method: "POST", path: "/transactions/refund", json: r#"{"id":"{4}","amount":"5.00"}"#, xml: "<transaction><id>{4}</id><amount>5.00</amount></transaction>",
        status: 200, payload_type: "transaction", says: ("type", "REFUND"), keeps: "" },
    Row { method: "POST", path: "/transactions/auth", json: r#"{"card":"{2}","amount":"9.00"}"#, xml: "<transaction><card>{2}</card><amount>9.00</amount></transaction>",
        status: 200, payload_type: "transaction", says: ("type", "AUTH"), keeps: "id" },
    Row { method: "POST", path: "/transactions/capture", json: r#"{"id":"{5}","amount":"9.00"}"#, xml: "<transaction><type>Capture</type><amount>9.00</amount><id>{5}</id></transaction>",
        status: 200, payload_type: "transaction", says: ("type", "CAPTURE"), keeps: "id" },
    Row { method: "POST", path: "/transactions/void", json: r#"{"id":"{6}"}"#, xml: "<transaction><id>{6}</id></transaction>",
        status: 200, payload_type: "transaction", says: ("type", "VOID"), keeps: "" },
    Row { method: "POST", path: "/transactions/sale", json: r#"{"card":"{2}","amount":"3.00","csc":"999"}"#, xml: "<transaction><card>{2}</card><amount>3.00</amount><csc>999</csc></transaction>",
        status: 200, payload_type: "transaction", says: ("csc-result-code", "M"), keeps: "id" },
    Row { method: "PUT", path: "/transactions/{7}", json: r#"{"tip-amount":"0.08"}"#, xml: "<transaction><tip-amount>0.08</tip-amount></transaction>",
        status: 200, payload_type: "transaction", says: ("tip-amount", "0.08"), keeps: "" },
    Row { method: "POST", path: "/transactions/void", json: r#"{"id":"{7}"}"#, xml: "<transaction><id>{7}</id></transaction>",
        status: 200, payload_type: "transaction", says: ("type", "VOID"), keeps: "" },
    Row { method: "GET", path: "/batches?status=OPEN", json: "", xml: "", status: 200, payload_type: "batches", says: ("net-amount", "20.00"), keeps: "" },
    Row { method: "GET", path: "/batches/open", json: "", xml: "", status: 200, payload_type: "batch", says: ("total-count", "2"), keeps: "" },
    Row { method: "PUT", path: "/batches/open", json: r#"{"total-count":"2","net-amount":"20.00"}"#, xml: "<batch><total-count>2</total-count><net-amount>20.00</net-amount></batch>",
        status: 200, payload_type: "batch", says: ("status", "CLOSED"), keeps: "" },
    Row { method: "GET", path: "/batches/open", json: "", xml: "", status: 204, payload_type: "", says: ("", ""), keeps: "" },
    Row { method: "GET", path: "/settings/terminal/avs", json: "", xml: "", status: 200, payload_type: "avs-settings", says: ("response-code", "X"), keeps: "" },
    Row { method: "PUT", path: "/settings/terminal/avs",
        json: r#"{"enabled":false,"response-filters":{"response-filter":[{"name":"ADDRESS_AND_ZIP_DO_NOT_MATCH","allowed":false}]}}"#,
        xml: "<avs-settings><enabled>false</enabled><response-filters><response-filter><name>ADDRESS_AND_ZIP_DO_NOT_MATCH</name><allowed>false</allowed></response-filter></response-filters></avs-settings>",
        status: 200, payload_type: "avs-settings", says: ("description", "No: Address and ZIP Do Not Match"), keeps: "" },
    Row { method: "GET", path: "/settings/terminal/csc", json: "", xml: "", status: 200, payload_type: "csc-settings", says: ("name", "CSC_MATCHED"), keeps: "" },
    Row { method: "PUT", path: "/settings/terminal/csc",
        json: r#"{"response-filters":{"response-filter":[{"name":"NOT_PROCESSED","allowed":true}]}}"#,
        xml: "<csc-settings><response-filters><response-filter><name>NOT_PROCESSED</name><allowed>true</allowed></response-filter></response-filters></csc-settings>",
        status: 200, payload_type: "csc-settings", says: ("response-code", "P"), keeps: "" },
    Row { method: "GET", path: "/settings/transaction/duplicates", json: "", xml: "", status: 200, payload_type: "check-duplicate-transaction-settings", says: ("", "time-range-in-minutes"), keeps: "" },
    Row { method: "POST", path: "/settings/transaction/duplicates",
        json: r#"{"enabled":false,"time-range-in-minutes":5}"#,
        xml: "<check-duplicate-transaction-settings><enabled>false</enabled><time-range-in-minutes>5</time-range-in-minutes></check-duplicate-transaction-settings>",
        status: 200, payload_type: "check-duplicate-transaction-settings", says: ("", "if-duplicate-found-respond-with-error"), keeps: "" },
    Row { method: "PUT", path: "/payment-plans/{3}", json: r#"{"status":"Cancelled"}"#, xml: "<payment-plan><status>Cancelled</status></payment-plan>",
        status: 200, payload_type: "payment-plan", says: ("status", "CANCELED"), keeps: "" },
    Row { method: "DELETE", path: "/payment-plans/{3}", json: "", xml: "", status: 200, payload_type: "payment-plan", says: ("plan-name", "Gold 2"), keeps: "" },
    Row { method: "GET", path: "/payment-plans/{3}", json: "", xml: "", status: 404, payload_type: "error", says: ("error-message", "Object not found"), keeps: "" },
    Row { method: "DELETE", path: "/customers/{1}", json: "", xml: "", status: 200, payload_type: "customer", says: ("first-name", "Augusta"), keeps: "" },
    Row { method: "GET", path: "/customers/{1}", json: "", xml: "", status: 404, payload_type: "error", says: ("error-message", "Customer not found: {1}"), keeps: "" },
    Row { method: "DELETE", path: "/tokens/{2}", json: "", xml: "", status: 200, payload_type: "token", says: ("description", "Token deleted"), keeps: "" },
    Row { method: "GET", path: "/tokens/{2}", json: "", xml: "", status: 404, payload_type: "error", says: ("error-message", "Object not found"), keeps: "" },
    Row { method: "GET", path: "/tokens", json: "", xml: "", status: 204, payload_type: "", says: ("", ""), keeps: "" },
];

#[tokio::test]
async fn in_json() {
    each(false).await;
}

#[tokio::test]
async fn in_xml() {
    each(true).await;
}

async fn each(xml: bool) {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let mut ids: Vec<String> = Vec::new();
    for row in ROWS {
        let fill = |text: &str| {
            (1..)
                .zip(&ids)
                .fold(text.to_owned(), |text, (place, key)| text.replace(&format!("{{{place}}}"), key))
        };
        let (path, says) = (fill(row.path), fill(row.says.1));
        let path = format!("/rest/v2{path}");
        let got = if xml {
            client.xml(row.method, &path, &fill(row.xml)).await
        } else {
            client.json(row.method, &path, &fill(row.json)).await
        };
        let context = format!("{} {path}: {} {}", row.method, got.status, got.body);
        assert_eq!((got.status, got.payload_type().as_str()), (row.status, row.payload_type), "{context}");
        let text = match (xml, row.says.0) {
            (_, "") => says,
            (true, name) => format!("<{name}>{says}</{name}>"),
            (false, name) => format!(r#""{name}":"{says}""#),
        };
        assert!(got.body.contains(&text), "{text} in {context}");
        if got.status != 204 {
            let code = if xml { got.element("code") } else { got.at("/code") };
            assert_eq!(code, row.status.to_string(), "{context}");
            let format = if xml { "application/xml" } else { "application/json" };
            assert_eq!(got.headers["content-type"], format);
        }
        if !row.keeps.is_empty() {
            let member = format!(r#""{}":""#, row.keeps);
            ids.push(if xml {
                let (_, payload) = got.body.split_once("<payload").unwrap();
                let (_, rest) = payload.split_once(&format!("<{}>", row.keeps)).unwrap();
                rest.split_once('<').unwrap().0.to_owned()
            } else {
                let (_, payload) = got.body.split_once(r#""payload""#).unwrap();
                payload.split_once(&member).unwrap().1.split_once('"').unwrap().0.to_owned()
            });
        }
    }
}

#[tokio::test]
async fn services_spell_success_in_their_own_ways_and_link_back() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let (customer, token, plan) = client.subscriber().await;
    let base = format!("{}/rest/v2", sandbox.base_url());
    let cases = [
        (format!("customers/{customer}"), "success", "ID-clearent-rps-1-"),
        (format!("tokens/{token}"), "success", "ID-clearent-vault-1-"),
        (format!("payment-plans/{plan}"), "SUCCESS", "ID-clearent-rps-1-"),
        ("payments".to_owned(), "SUCCESS", "ID-clearent-rps-1-"),
        ("settings/terminal/csc".to_owned(), "SUCCESS", "ID-clearent-gss-1-"),
    ];
    for (path, success, exchange) in cases {
        let got = client.json("GET", &format!("/rest/v2/{path}"), "").await;
        assert_eq!(got.at("/status"), success, "{path}");
        assert!(got.at("/exchange-id").starts_with(exchange), "{}", got.body);
    }
    let got = client.json("GET", &format!("/rest/v2/payment-plans/{plan}"), "").await;
    let links = got.json().pointer("/payload/payment-plan/links/link").cloned().unwrap();
    let hrefs: Vec<&str> =
        links.as_array().unwrap().iter().filter_map(|link| link["href"].as_str()).collect();
    assert_eq!(
        hrefs,
        [
            format!("{base}/payment-plans/{plan}"),
            format!("{base}/customers/{customer}"),
            format!("{base}/tokens/{token}")
        ]
    );
    let sale = format!(r#"{{"type":"SALE","card":"{token}","amount":"1.00"}}"#);
    let got = client.json("POST", "/rest/v2/transactions", &sale).await;
    let id = got.at("/payload/transaction/id");
    assert_eq!(got.at("/links/0/href"), format!("/rest/v2/transactions?id={id}"));
    assert_eq!(got.at("/links/0/id"), id);
    assert!(got.at("/exchange-id").starts_with("ID-clearent-cgw-1-1798761600000-0-"), "{}", got.body);
}
