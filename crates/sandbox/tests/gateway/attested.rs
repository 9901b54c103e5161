//! Members that the vendor's documents and captures show, and that have no effect here: they are stored and answered.

use perennial_sandbox::Sandbox;

use crate::client::{Client, YEAR, plan};

/// Sends members of a monthly plan, and checks the answers from then on.
#[tokio::test]
async fn the_cycle_of_a_plan_is_echoed_and_changes_nothing() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let customer = client.customer().await;
    let token = client.token(&customer).await;
    for (sent, expected) in [
        ("", [None, None]),
        (r#""frequency-month":"10","#, [Some("10"), None]),
        (r#""frequency-month":1,"frequency-week":"12","#, [Some("1"), Some("12")]),
        (r#""frequency-month":"","frequency-week":2,"#, [None, Some("2")]),
        (r#""frequency-month":null,"frequency-week":" 3 ","#, [None, Some("3")]),
    ] {
        let key = client.plan(&customer, &token, &format!("{sent}{YEAR}")).await;
        let found = client.json("GET", &format!("/rest/v2/payment-plans/{key}"), "").await.json();
        let plan = &found["payload"]["payment-plan"];
        let cycle = ["frequency-month", "frequency-week"].map(|name| plan[name].as_str());
        assert_eq!(cycle, expected, "{sent}");
        let xml = client.xml("GET", &format!("/rest/v2/payment-plans/{key}"), "").await.body;
        for (name, value) in ["frequency-month", "frequency-week"].into_iter().zip(expected) {
            let element = value.map(|value| format!("<{name}>{value}</{name}>"));
            assert_eq!(xml.contains(&format!("<{name}>")), element.is_some(), "{sent}");
            assert!(element.is_none_or(|element| xml.contains(&element)), "{sent}: {xml}");
        }
    }
    // All five are charged on the 15th, regardless of their cycle.
    assert_eq!(client.advance("P1M").await, (5, 5, 0));

    let key = client.plan(&customer, &token, YEAR).await;
    let path = format!("/rest/v2/payment-plans/{key}");
    let changed = client.json("PUT", &path, r#"{"frequency-month":4}"#).await;
    assert_eq!((changed.status, changed.at("/payload/payment-plan/frequency-month").as_str()), (200, "4"));
    let changed = client.xml("PUT", &path, "<payment-plan><plan-name>G</plan-name></payment-plan>").await;
    assert!(changed.body.contains("<frequency-month>4</frequency-month>"), "{}", changed.body);

    let body = plan(&customer, &token, &format!(r#""frequency-month":"eleven",{YEAR}"#));
    assert_eq!(client.json("POST", "/rest/v2/payment-plans", &body).await.status, 400);
}

#[tokio::test]
async fn a_token_has_the_published_name_in_each_format() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let xml = "<token><card>4111111111111111</card><exp-date>1230</exp-date></token>";
    let created = client.xml("POST", "/rest/v2/tokens", xml).await.body;
    assert!(created.contains("<payload type=\"token\"><token><token-id>"), "{created}");
    let customer = client.customer().await;
    let id = client.token(&customer).await;
    let path = format!("/rest/v2/tokens/{id}");
    assert!(client.xml("GET", &path, "").await.body.contains(&format!("<token><token-id>{id}</token-id>")));
    let json = client.json("GET", &path, "").await;
    assert_eq!(json.at("/payload/tokenResponse/token-id"), id);
    let sale = "<transaction><card>4111111111111111</card><exp-date>1230</exp-date><amount>7.00</amount>\
        <create-token>true</create-token><token-description>travel card</token-description></transaction>";
    let sold = client.xml("POST", "/rest/v2/transactions/sale", sale).await.body;
    assert!(sold.contains("<payload type=\"transactionToken\"><transaction>"), "{sold}");
    assert!(sold.contains("</transaction><token><token-id>"), "{sold}");
    assert!(sold.contains("<description>travel card</description>"), "{sold}");
}

#[tokio::test]
async fn a_stored_transaction_says_where_and_how_it_was_made() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let sale = r#"{"card":"4111111111111111","exp-date":"1230","amount":"8.00","billing-is-shipping":true,"token-description":"travel card"}"#;
    let sold = client.json("POST", "/rest/v2/transactions/sale", sale).await;
    assert_eq!(sold.at("/payload/transaction/billing-is-shipping"), "true");
    assert_eq!(sold.at("/payload/transaction/token-description"), "travel card");
    let id = sold.at("/payload/transaction/id");
    for (path, record) in [
        (format!("/rest/v2/transactions/{id}"), "/payload/transaction"),
        (format!("/rest/v2/transactions?id={id}"), "/payload/transactions/transaction/0"),
    ] {
        let found = client.json("GET", &path, "").await;
        let at = |member: &str| found.at(&format!("{record}/{member}"));
        assert_eq!((at("merchant-id").len(), at("terminal-id").len()), (12, 8), "{path}");
        assert_eq!((at("entry-method"), at("billing-is-shipping")), ("0".into(), "true".into()), "{path}");
        assert_eq!(at("token-description"), "travel card", "{path}");
    }
    let plain = r#"{"card":"4111111111111111","exp-date":"1230","amount":"9.00"}"#;
    let sold = client.json("POST", "/rest/v2/transactions/sale", plain).await;
    let id = sold.at("/payload/transaction/id");
    let found = client.json("GET", &format!("/rest/v2/transactions/{id}"), "").await;
    assert_eq!(found.at("/payload/transaction/billing-is-shipping"), "false");
}

/// Refuses by name, in JSON, a character that XML cannot hold, or that no text has, so that every stored text can be
/// answered in either format.
#[tokio::test]
async fn what_xml_cannot_hold_is_refused_in_json_too() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let (customer, token, plan_key) = client.subscriber().await;
    let address = [
        "first-name",
        "last-name",
        "company",
        "street",
        "street2",
        "city",
        "state",
        "zip",
        "country",
        "phone",
    ];
    let names = |prefix: &str| address.map(|name| format!("{prefix}.{name}"));
    let mut cases: Vec<(&str, String, String, String)> = Vec::new();
    let mut add = |method: &'static str, path: &str, rest: &str, members: &[&str]| {
        for member in members {
            cases.push((method, path.to_owned(), rest.to_owned(), (*member).to_owned()));
        }
    };
    let customer_members: Vec<String> =
        ["first-name", "last-name", "email", "phone", "comments", "customer-key"]
            .map(str::to_owned)
            .into_iter()
            .chain(names("billing-address"))
            .chain(names("shipping-address"))
            .collect();
    let customer_members: Vec<&str> = customer_members.iter().map(String::as_str).collect();
    add("POST", "/rest/v2/customers", "", &customer_members);
    add("PUT", &format!("/rest/v2/customers/{customer}"), "", &customer_members[..5]);
    let card = r#""card":"4111111111111111","exp-date":"1230""#;
    add(
        "POST",
        "/rest/v2/tokens",
        card,
        &["description", "avs-address", "avs-zip", "card-type", "customer-key"],
    );
    add("PUT", &format!("/rest/v2/tokens/{token}"), "", &["description", "status"]);
    let attached = format!(r#""token-id":"{token}""#);
    let tie = ["description", "avs-address", "avs-zip"];
    add(
        "POST",
        &format!("/rest/v2/customers/{customer}/tokens"),
        &attached,
        &[&tie[..], &["card-type"]].concat(),
    );
    add("PUT", &format!("/rest/v2/customers/{customer}/tokens"), &attached, &tie);
    let of_plan = plan(&customer, &token, YEAR);
    let of_plan = of_plan.trim_start_matches('{').trim_end_matches('}');
    add("POST", "/rest/v2/payment-plans", of_plan, &["plan-name", "customer-name", "email-address"]);
    add(
        "PUT",
        &format!("/rest/v2/payment-plans/{plan_key}"),
        "",
        &["plan-name", "customer-name", "email-address"],
    );
    let sale = format!(r#"{card},"amount":"5.00""#);
    let sold = [
        "card-type",
        "invoice",
        "purchase-order",
        "order-id",
        "customer-id",
        "description",
        "comments",
        "client-ip",
        "email-address",
        "authorization-code",
        "software-type",
        "software-type-version",
        "token-description",
        "billing.street",
        "shipping.zip",
    ];
    add("POST", "/rest/v2/transactions/sale", &sale, &sold);
    add("POST", "/rest/v2/transactions/auth", &sale, &sold);
    add("POST", "/rest/v2/transactions/refund", &sale, &["invoice", "order-id", "comments"]);
    for (method, path, rest, member) in &cases {
        // Members that the body already has are not added.
        if rest.contains(&format!("\"{member}\"")) {
            continue;
        }
        for escape in ["\\u0000", "\\u0001", "\\u000b", "\\u001f", "\\u007f", "\\u0085", "\\ufffe", "\\uffff"]
        {
            let value = format!("\"a{escape}b\"");
            let given = match member.split_once('.') {
                Some((object, inner)) => format!(r#""{object}":{{"{inner}":{value}}}"#),
                None => format!(r#""{member}":{value}"#),
            };
            let rest = if rest.is_empty() { String::new() } else { format!("{rest},") };
            let got = client.json(method, path, &format!("{{{rest}{given}}}")).await;
            let what = format!("{method} {path} {member} {escape}");
            assert_eq!(got.status, 400, "{what}: {}", got.body);
            assert_eq!(got.at("/payload/error/result-code"), "041", "{what}");
            assert!(
                got.at("/payload/error/error-message").contains(&format!("{member}: must ")),
                "{what}: {}",
                got.body
            );
        }
    }
    // A text that XML can hold is accepted in both formats.
    let taken = client
        .json("POST", "/rest/v2/customers", r#"{"first-name":"A\tda","last-name":"B\nyron\u00e9\ufffd"}"#)
        .await;
    assert_eq!(taken.status, 201, "{}", taken.body);
    let key = taken.at("/payload/customer/customer-key");
    assert_eq!(client.xml("GET", &format!("/rest/v2/customers/{key}"), "").await.status, 200);
}
