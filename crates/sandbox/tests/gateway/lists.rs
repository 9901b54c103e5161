//! Searches and pages.

use perennial_sandbox::Sandbox;

use crate::client::Client;

#[tokio::test]
async fn pages_are_exact() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    for number in 1..=27 {
        let body = format!(r#"{{"first-name":"C{number:02}","last-name":"L"}}"#);
        assert_eq!(client.json("POST", "/rest/v2/customers", &body).await.status, 201);
    }
    #[rustfmt::skip]
    let cases = [
        ("", "C27", "1 25 25 27 2 true false"),
        ("?page=2", "C02", "2 25 2 27 2 false true"),
        ("?page=3", "", "3 25 0 27 2 false true"),
        ("?page-size=10&page=2&descending=false", "C11", "2 10 10 27 3 false false"),
        ("?pageSize=9&page=3", "C09", "3 9 9 27 3 false true"),
        ("?page-size=5000", "C27", "1 1000 27 27 1 true true"),
        ("?order-by=first-name&descending=false", "C01", "1 25 25 27 2 true false"),
        ("?order-by=shoe-size", "C27", "1 25 25 27 2 true false"),
        ("?first-name=c05", "C05", "1 25 1 1 1 true true"),
        ("?first-name=nobody", "", "1 25 0 0 0 true true"),
        ("?shoe-size=44&page=&last-name=L", "C27", "1 25 25 27 2 true false"),
    ];
    for (query, first, page) in cases {
        let got = client.json("GET", &format!("/rest/v2/customers{query}"), "").await;
        assert_eq!(got.status, 200, "{query}: {}", got.body);
        let member = |name: &str| got.at(&format!("/page/{name}"));
        let listed =
            ["number", "size", "number-of-elements", "total-elements", "total-pages", "first", "last"]
                .map(member);
        assert_eq!(listed.join(" "), page, "{query}");
        assert_eq!(got.at("/payload/customers/customer/0/first-name"), first, "{query}");
    }
}

/// Holds: A search by text finds the oldest and the newest object of a large world.
#[tokio::test]
async fn searches_find_the_oldest_and_the_newest_of_many() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    for number in 1..=1_030 {
        let body = format!(r#"{{"first-name":"C{number}","last-name":"L"}}"#);
        assert_eq!(client.json("POST", "/rest/v2/customers", &body).await.status, 201);
    }
    #[rustfmt::skip]
    let cases = [
        ("first-name=C1", "C1", 1),
        ("first-name=C1023", "C1023", 1),
        ("first-name=C1024", "C1024", 1),
        ("first-name=C1030", "C1030", 1),
        ("first-name=C1031", "", 0),
        ("last-name=l", "C1030", 1_030),
        ("last-name=l&page-size=4&page=2", "C1026", 1_030),
        ("last-name=l&page-size=4&page=3", "C1022", 1_030),
        ("last-name=l&page-size=2&page=2&descending=false", "C3", 1_030),
        ("last-name=l&order-by=first-name", "C999", 1_030),
    ];
    for (query, first, total) in cases {
        let got = client.json("GET", &format!("/rest/v2/customers?{query}"), "").await;
        assert_eq!(got.at("/payload/customers/customer/0/first-name"), first, "{query}");
        assert_eq!(got.at("/page/total-elements"), total.to_string(), "{query}");
    }
}

#[tokio::test]
async fn searches_find_by_every_criterion() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    client.subscriber().await;
    let body =
        r#"{"first-name":"Grace","last-name":"Hopper","email":"grace@example.test","phone":"2025550100"}"#;
    let customer = client.json("POST", "/rest/v2/customers", body).await.at("/payload/customer/customer-key");
    let body = format!(r#"{{"card":"5555555555554444","exp-date":"0131","customer-key":"{customer}"}}"#);
    let token = client.json("POST", "/rest/v2/tokens", &body).await.at("/payload/tokenResponse/token-id");
    let members = r#""customer-name":"G. Hopper","plan-name":"Silver","start-date":"2027-01-10","end-date":"2027-06-30","payment-amount":"75.00","status":"SUSPENDED""#;
    let body = crate::client::plan(&customer, &token, members).replacen(r#""plan-name":"Gold","#, "", 1);
    let plan =
        client.json("POST", "/rest/v2/payment-plans", &body).await.at("/payload/payment-plan/plan-key");
    let sale = format!(r#"{{"card":"{token}","amount":"3.33","invoice":"inv 1","order-id":"o-1"}}"#);
    let sold = client.json("POST", "/rest/v2/transactions/sale", &sale).await;
    let (sale, approval) =
        (sold.at("/payload/transaction/id"), sold.at("/payload/transaction/authorization-code"));

    let customers = |query: &str| {
        (format!("customers?{query}"), "/payload/customers/customer/0/customer-key", customer.clone())
    };
    let plans = |query: &str| {
        (format!("payment-plans?{query}"), "/payload/payment-plans/payment-plan/0/plan-key", plan.clone())
    };
    let tokens = |query: &str| (format!("tokens?{query}"), "/payload/tokens/token/0/token-id", token.clone());
    let sales = |query: &str| {
        (format!("transactions?{query}"), "/payload/transactions/transaction/0/id", sale.clone())
    };
    let cases = [
        customers(&format!("customer-key={customer}")),
        customers("first-name=grace"),
        customers("last-name=HOPPER"),
        customers("email=Grace%40example.test"),
        customers("phone-number=2025550100"),
        customers("last-four=4444"),
        customers("exp-date=0131"),
        customers("plan-name=silver"),
        customers("last-name=++hopper+"),
        customers("plan-name=SILVER+"),
        plans("customer-name=+G.+HOPPER"),
        plans("plan-name=+silver"),
        plans(&format!("customer-key={customer}")),
        plans("customer-name=g.+hopper"),
        plans(&format!("plan-key={plan}")),
        plans("plan-name=Silver"),
        plans("payment-amount=75.00"),
        plans("status=Suspended"),
        plans(&format!("token-id={token}")),
        tokens(&format!("token-id={token}")),
        sales(&format!("id={sale}")),
        sales("amount=3.33"),
        sales("type=sale"),
        sales("status=approved"),
        sales("last-four=4444"),
        sales(&format!("authorization-code={approval}")),
        sales("invoice=inv%201"),
        sales("order-id=o-1"),
        sales("start-date=2027-01-01"),
        sales("start-date=01-01-2027+12:00+am&end-date=01-01-27+23:59"),
        sales("start-date=2026-12-31+23:59+UTC&end-date=2027-01-01"),
        // The last minute of a period is included.
        sales("start-date=2027-01-01+00:00&end-date=2027-01-01+00:00"),
    ];
    for (path, pointer, expected) in cases {
        let got = client.json("GET", &format!("/rest/v2/{path}"), "").await;
        assert_eq!(
            (got.at("/page/total-elements").as_str(), got.at(pointer)),
            ("1", expected),
            "{path}: {}",
            got.body
        );
    }
    let spans = [
        "updated-start-date=2027-01-01&updated-end-date=2027-01-01",
        "date-filter=last_24_hours",
        "date-filter=last_week",
    ];
    for span in spans {
        let got = client.json("GET", &format!("/rest/v2/tokens?{span}"), "").await;
        assert_eq!(got.at("/page/total-elements"), "2", "{span}");
    }
    let nothing = [
        "tokens?token-id=1100",
        "tokens?date-filter=yesterday",
        "tokens?updated-start-date=2027-01-02",
        "tokens?merchant-legacy-token-id=1",
        "transactions?type=VOID",
        "transactions?display-message=Not%20Sufficient%20Funds",
        "transactions?start-date=2027-01-02",
        "transactions?end-date=12-31-2026+11:59+pm",
    ];
    for path in nothing {
        let got = client.json("GET", &format!("/rest/v2/{path}"), "").await;
        assert_eq!((got.status, got.body.as_str()), (204, ""), "{path}");
    }
    let lone = client.customer().await;
    let lists = [
        ("payment-plans?plan-name=none", "/payload/payment-plans", r#"{"payment-plan":[]}"#, "0"),
        ("payments?plan-key=none", "/payload/payments", r#"{"payment":[]}"#, "0"),
        ("customers?last-four=0000", "/payload/customers", r#"{"customer":[]}"#, "0"),
        (&format!("customers/{lone}/tokens"), "/payload/customer-tokens", r#"{"customer-token":[]}"#, ""),
    ];
    for (path, pointer, empty, total) in lists {
        let got = client.json("GET", &format!("/rest/v2/{path}"), "").await;
        let seen = (got.status, got.at(pointer), got.at("/page/total-elements"));
        assert_eq!(seen, (200, empty.into(), total.into()), "{path}: {}", got.body);
    }
}

#[tokio::test]
async fn names_are_found_in_any_case_and_without_the_blanks_around_them() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let stored =
        [("\u{c9}mile ", "Stra\u{df}e"), (" zo\u{eb}", "\u{3a3}\u{3af}\u{3c3}\u{3c5}\u{3c6}\u{3bf}\u{3c2}")];
    for (first, last) in stored {
        let body = serde_json::json!({ "first-name": first, "last-name": last }).to_string();
        assert_eq!(client.json("POST", "/rest/v2/customers", &body).await.status, 201, "{body}");
    }
    let cases = [
        ("first-name=%C3%A9MILE", "1"),
        ("first-name=Emile", "0"),
        ("last-name=STRASSE", "1"),
        ("first-name=+ZO%C3%8B", "1"),
        ("last-name=%CE%A3%CE%8A%CE%A3%CE%A5%CE%A6%CE%9F%CE%A3", "1"),
        ("first-name=zo%C3%AB&last-name=strasse", "0"),
    ];
    for (query, total) in cases {
        let got = client.json("GET", &format!("/rest/v2/customers?{query}"), "").await;
        assert_eq!(got.at("/page/total-elements"), total, "{query}: {}", got.body);
    }
    let ordered = client.json("GET", "/rest/v2/customers?order-by=first-name&descending=true", "").await;
    assert_eq!(ordered.at("/payload/customers/customer/0/last-name"), stored[0].1, "{}", ordered.body);
}

#[tokio::test]
async fn a_search_covers_the_last_minute_of_its_span() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    client.control("POST", "clock", r#"{"set":"2027-01-31T23:59:59.999Z"}"#).await;
    let sale = r#"{"card":"4111111111111111","exp-date":"1230","amount":"25.00"}"#;
    client.json("POST", "/rest/v2/transactions/sale", sale).await;
    let cases = [
        ("start-date=2027-01-31&end-date=2027-01-31", 200),
        ("start-date=2027-01-31+00:00&end-date=2027-01-31+23:59", 200),
        ("start-date=01-31-2027+11:59+pm&end-date=01-31-27+23:59", 200),
        ("end-date=2027-01-31+18:59+EST", 200),
        ("end-date=2027-01-31+18:58+EST", 204),
        ("end-date=2027-01-31+23:58", 204),
        ("start-date=2027-02-01+00:00", 204),
    ];
    for (query, status) in cases {
        let got = client.json("GET", &format!("/rest/v2/transactions?{query}"), "").await;
        assert_eq!(got.status, status, "{query}");
    }
}

#[tokio::test]
async fn a_list_counts_what_is_left() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let customer = client.customer().await;
    let (first, second) = (client.token(&customer).await, client.token(&customer).await);
    client.customer().await;
    let total = async |path: &str| {
        client.json("GET", &format!("/rest/v2/{path}"), "").await.at("/page/total-elements")
    };
    assert_eq!((total("tokens").await, total("customers").await), ("2".into(), "2".into()));
    client.json("DELETE", &format!("/rest/v2/tokens/{first}"), "").await;
    client.json("DELETE", &format!("/rest/v2/customers/{customer}"), "").await;
    assert_eq!((total("tokens").await, total("customers").await), ("1".into(), "1".into()));
    client.json("PUT", &format!("/rest/v2/tokens/{second}"), r#"{"status":"DELETED"}"#).await;
    assert_eq!(client.json("GET", "/rest/v2/tokens", "").await.status, 204);
}

/// Holds: The pages of a list, of any size and in any order, are the list, whether objects are gone or not.
#[tokio::test]
async fn pages_together_are_the_list() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let mut keys = Vec::new();
    for number in 0..11 {
        let body = format!(r#"{{"first-name":"C{number}","last-name":"L{}"}}"#, number % 3);
        let made = client.json("POST", "/rest/v2/customers", &body).await;
        keys.push(made.at("/payload/customer/customer-key"));
    }
    let page = async |query: &str| -> Vec<String> {
        let got = client.json("GET", &format!("/rest/v2/customers?{query}"), "").await;
        let count: usize = got.at("/page/number-of-elements").parse().unwrap();
        (0..count).map(|at| got.at(&format!("/payload/customers/customer/{at}/customer-key"))).collect()
    };
    for gone in [None, Some(10), Some(0), Some(4)] {
        if let Some(gone) = gone {
            let deleted = client.json("DELETE", &format!("/rest/v2/customers/{}", keys[gone]), "").await;
            assert_eq!(deleted.status, 200, "{}", deleted.body);
        }
        for order in ["", "&order-by=last-name", "&last-name=l1"] {
            for direction in ["", "&descending=false"] {
                let whole = page(&format!("page-size=1000{order}{direction}")).await;
                assert!(!whole.is_empty());
                for size in 1..=12 {
                    let mut all = Vec::new();
                    for number in 1..=13 {
                        all.extend(page(&format!("page-size={size}&page={number}{order}{direction}")).await);
                    }
                    assert_eq!(all, whole, "{size} {order} {direction} without {gone:?}");
                }
            }
        }
    }
}
