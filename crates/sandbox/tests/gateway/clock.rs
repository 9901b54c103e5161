//! The clock of a world, and the payments that it triggers.

use perennial_sandbox::{Moment, Sandbox, WorldOptions};

use crate::client::{Client, YEAR, for_ever};

async fn dates(client: &Client, plan: &str) -> Vec<String> {
    let got = client
        .json("GET", &format!("/rest/v2/payments?plan-key={plan}&isDescending=false&page-size=100"), "")
        .await;
    let payments = got.json().pointer("/payload/payments/payment").cloned().unwrap_or_default();
    payments
        .as_array()
        .into_iter()
        .flatten()
        .map(|payment| payment["created"].as_str().unwrap()[..10].to_owned())
        .collect()
}

#[tokio::test]
async fn a_plan_of_twelve_months_charges_twelve_times() {
    let sandbox = Sandbox::builder().gateway(for_ever()).start().await.unwrap();
    let client = Client::of(&sandbox);
    let (customer, token, plan) = client.subscriber().await;
    let runs = client.json("GET", &format!("/rest/v2/payment-plans/{plan}/expected-runs"), "").await;
    let count = |runs: &crate::client::Got| {
        runs.json().pointer("/payload/expected-runs/expected-run").unwrap().as_array().unwrap().len()
    };
    assert_eq!(count(&runs), 12);
    for month in 1..=12 {
        assert_eq!(client.advance("P1M").await, (1, 1, 0), "month {month}");
    }
    assert_eq!(client.advance("P1Y").await, (0, 0, 0));
    let charged = dates(&client, &plan).await;
    assert_eq!((charged.len(), charged[0].as_str(), charged[11].as_str()), (12, "2027-01-15", "2027-12-15"));

    let found = client
        .json("GET", &format!("/rest/v2/transactions?order-id={plan}&page-size=1&isDescending=false"), "")
        .await;
    let at = |member: &str| found.at(&format!("/payload/transactions/transaction/0/{member}"));
    assert_eq!(found.at("/page/total-elements"), "12");
    assert_eq!(
        [
            at("order-id"),
            at("customer-id"),
            at("software-type"),
            at("plan-name"),
            at("created"),
            at("amount"),
            at("card")
        ],
        [&plan, &customer, "Clearent Recurring Engine", "Gold", "2027-01-15 10:00:00.000", "50.00", "1111"]
    );
    let used = client.json("GET", &format!("/rest/v2/tokens/{token}"), "").await;
    assert_eq!(used.at("/payload/tokenResponse/times-used"), "12");
    let payments = client
        .json("GET", &format!("/rest/v2/payments?customer-key={customer}&page=2&page-size=5"), "")
        .await;
    assert_eq!(
        (payments.at("/page/number-of-elements"), payments.at("/page/total-pages")),
        ("5".into(), "3".into())
    );
    assert_eq!(payments.at("/payload/payments/payment/0/created"), "2027-07-15 10:00:00.000");
}

/// Holds: One jump of the clock leaves the same world as many steps.
#[tokio::test]
async fn one_jump_equals_many_steps() {
    let sandbox = Sandbox::start().await.unwrap();
    let mut states = Vec::new();
    for steps in
        [vec!["P14M"; 1], vec!["P1M"; 14], vec!["P61D", "P1M", "P10M"], vec!["PT9H59M59S", "PT1S", "P14M"]]
    {
        let world = sandbox.world(7).await.unwrap();
        let client = Client::with_key(&sandbox, world.api_key().expose());
        let customer = client.customer().await;
        let token = client.token(&customer).await;
        // Colliding days, an amount that declines, and an end in the middle.
        for members in [
            YEAR,
            r#""frequency-day":"15","start-date":"2027-01-01","end-date":"2027-06-15","payment-amount":"0.21""#,
            r#""frequency-day":"1","start-date":"2027-01-01","end-date":"2027-12-31","payment-amount":"9.99""#,
            r#""start-date":"2027-01-31","end-date":"2028-01-31","payment-amount":"7.00""#,
        ] {
            client.plan(&customer, &token, members).await;
        }
        for step in steps {
            client.advance(step).await;
        }
        client.control("POST", "clock", r#"{"set":"2028-03-10T00:00:00Z"}"#).await;
        let state = client.state().await;
        assert_eq!(state, world.state().await.unwrap());
        states.push(state);
    }
    assert!(states.iter().all(|state| *state == states[0]));
    let state: serde_json::Value = serde_json::from_str(&states[0]).unwrap();
    let count = |table: &str| state[table].as_array().unwrap().len();
    assert_eq!(
        (count("payments"), count("transactions"), count("plans")),
        (12 + 6 + 12 + 12, 12 + 6 + 12 + 12, 4)
    );
}

/// Checks that twelve months from the 31st are a year, whatever their lengths, and that reading, keeping or
/// restarting the clock in between does not lose the day.
#[tokio::test]
async fn months_one_by_one_are_a_year() {
    let folder = tempfile::tempdir().unwrap();
    let start = || Sandbox::builder().database(folder.path().join("s.db")).start();
    let mut sandbox = start().await.unwrap();
    let now = Some("2027-01-31T00:00:00Z".parse().unwrap());
    let options = WorldOptions { seed: Some(7), now, ..WorldOptions::default() };
    let key = sandbox.new_world(options).await.unwrap().api_key().expose().to_owned();
    let client = Client::with_key(&sandbox, &key);
    let customer = client.customer().await;
    let token = client.token(&customer).await;
    let members =
        r#""frequency-day":"28","start-date":"2027-02-01","end-date":"2028-01-31","payment-amount":"1.00""#;
    client.plan(&customer, &token, members).await;
    let begin = client.control("POST", "snapshot", "").await.at("/id");
    assert_eq!(client.advance("P12M").await, (12, 12, 0));
    let year = client.state().await;
    client.control("POST", "restore", &format!(r#"{{"id":"{begin}"}}"#)).await;
    // At the end of February, its 28th is not charged yet.
    for (month, fired) in (1..).zip([0, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]) {
        let client = Client::with_key(&sandbox, &key);
        assert_eq!(client.advance("P1M").await, (fired, fired, 0), "{month}");
        let snapshot = client.control("POST", "snapshot", "").await.at("/id");
        client.advance("P1D").await;
        client.control("POST", "restore", &format!(r#"{{"id":"{snapshot}"}}"#)).await;
        sandbox.stop().await;
        sandbox = start().await.unwrap();
    }
    assert_eq!(Client::with_key(&sandbox, &key).state().await, year);
}

#[tokio::test]
async fn days_on_which_plans_charge() {
    #[rustfmt::skip]
    let cases: &[(&str, &str, &str, &str, &[&str])] = &[
        // clock at creation, start, end, day, the charges
        ("2027-01-01T00:00:00Z", "2027-09-17", "2027-12-31", "3", &["2027-10-03", "2027-11-03", "2027-12-03"]),
        ("2027-01-01T00:00:00Z", "2027-01-01", "2027-03-01", "1", &["2027-01-01", "2027-02-01", "2027-03-01"]),
        ("2028-01-31T00:00:00Z", "2028-01-31", "2028-04-28", "28", &["2028-02-28", "2028-03-28", "2028-04-28"]),
        ("2028-02-29T00:00:00Z", "2028-02-29", "2029-02-28", "28", &["2028-03-28", "2028-04-28", "2028-05-28", "2028-06-28", "2028-07-28", "2028-08-28", "2028-09-28", "2028-10-28", "2028-11-28", "2028-12-28", "2029-01-28", "2029-02-28"]),
        // what passed before the plan was there is not caught up
        ("2027-03-16T00:00:00Z", "2027-01-01", "2027-05-31", "15", &["2027-04-15", "2027-05-15"]),
        ("2027-03-15T09:59:59Z", "2027-01-01", "2027-04-15", "15", &["2027-03-15", "2027-04-15"]),
        ("2027-03-15T10:00:00Z", "2027-01-01", "2027-04-15", "15", &["2027-04-15"]),
        ("2027-06-01T00:00:00Z", "2027-01-01", "2027-05-31", "15", &[]),
    ];
    let sandbox = Sandbox::start().await.unwrap();
    for (now, start, end, day, expected) in cases {
        let now = Some(now.parse::<Moment>().unwrap());
        let world = sandbox.new_world(WorldOptions { now, ..WorldOptions::default() }).await.unwrap();
        let client = Client::with_key(&sandbox, world.api_key().expose());
        let customer = client.customer().await;
        let token = client.token(&customer).await;
        let members = format!(
            r#""frequency-day":"{day}","start-date":"{start}","end-date":"{end}","payment-amount":"1.00""#
        );
        let plan = client.plan(&customer, &token, &members).await;
        client.advance("P2Y").await;
        assert_eq!(dates(&client, &plan).await, *expected, "{start} to {end} on {day}");
    }
}

#[tokio::test]
async fn changes_to_a_plan_count_from_now_on() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let (customer, token, plan) = client.subscriber().await;
    let change = async |members: &str| {
        let got = client.json("PUT", &format!("/rest/v2/payment-plans/{plan}"), members).await;
        assert_eq!(got.status, 200, "{}", got.body);
    };
    let expected = async || {
        let runs = client.json("GET", &format!("/rest/v2/payment-plans/{plan}/expected-runs"), "").await;
        runs.json()
            .pointer("/payload/expected-runs/expected-run")
            .and_then(|runs| runs.as_array())
            .map_or(0, Vec::len)
    };
    assert_eq!(client.advance("P1M").await, (1, 1, 0));
    change(r#"{"status":"SUSPENDED"}"#).await;
    assert_eq!((expected().await, client.advance("P2M").await), (0, (0, 0, 0)));
    change(r#"{"status":"ACTIVE"}"#).await;
    assert_eq!((expected().await, client.advance("P1M").await), (9, (1, 1, 0)));
    // From the 15th to the 20th, with twice the amount and an earlier end.
    change(r#"{"frequency-day":20,"payment-amount":"100.00","end-date":"2027-07-31"}"#).await;
    assert_eq!(client.advance("P1M").await, (1, 1, 0));
    change(r#"{"payment-amount":"0.23"}"#).await;
    assert_eq!(client.advance("P1M").await, (1, 0, 1));
    let other = client.token(&customer).await;
    change(&format!(r#"{{"payment-amount":"100.00","token-id":"{other}"}}"#)).await;
    client.json("DELETE", &format!("/rest/v2/tokens/{token}"), "").await;
    assert_eq!(client.advance("P9M").await, (1, 1, 0));
    assert_eq!(
        dates(&client, &plan).await,
        ["2027-01-15", "2027-04-15", "2027-05-20", "2027-06-20", "2027-07-20"]
    );
    change(r#"{"start-date":"2028-05-01","end-date":"2028-06-30"}"#).await;
    assert_eq!(client.advance("P2M").await, (1, 1, 0));
    change(r#"{"status":"CANCELED"}"#).await;
    assert_eq!((expected().await, client.advance("P6M").await), (0, (0, 0, 0)));
}

#[tokio::test]
async fn a_token_that_is_gone_or_expired_declines() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let customer = client.customer().await;
    let mut codes = Vec::new();
    for change in ["delete", "inactive", "expire"] {
        let expiry = if change == "expire" { "0127" } else { "1230" };
        let body =
            format!(r#"{{"card":"4111111111111111","exp-date":"{expiry}","customer-key":"{customer}"}}"#);
        let token = client.json("POST", "/rest/v2/tokens", &body).await.at("/payload/tokenResponse/token-id");
        let members = r#""frequency-day":"1","start-date":"2027-02-01","end-date":"2027-02-28","payment-amount":"5.00""#;
        let plan = client.plan(&customer, &token, members).await;
        let path = format!("/rest/v2/tokens/{token}");
        match change {
            "delete" => client.json("DELETE", &path, "").await.status,
            "inactive" => client.json("PUT", &path, r#"{"status":"Inactive"}"#).await.status,
            _ => 200,
        };
        codes.push((plan, change));
    }
    assert_eq!(client.advance("P2M").await, (3, 0, 3));
    for (plan, change) in codes {
        let found = client.json("GET", &format!("/rest/v2/transactions?order-id={plan}"), "").await;
        let code = found.at("/payload/transactions/transaction/0/result-code");
        let expected = match change {
            "delete" => "010",
            "inactive" => "017",
            _ => "003",
        };
        assert_eq!(code, expected, "{change}");
    }
}

/// Holds: A clock request with a duplicate, unknown or wrong member is refused and does not move the clock.
#[tokio::test]
async fn the_clock_is_reported() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let (_, _, _) = client.subscriber().await;
    #[rustfmt::skip]
    let rows = [
        (r#"{"advance":"P1D"}"#, 200, r#"{"approved":0,"declined":0,"fired":0,"now":"2027-01-02T00:00:00Z","settled":true}"#),
        (r#"{"advance-to":"2027-01-15"}"#, 200, r#"{"approved":1,"declined":0,"fired":1,"now":"2027-01-15T10:00:00Z","settled":true}"#),
        (r#"{"advance-to":"2027-01-16T12:00:00+02:00"}"#, 200, r#"{"approved":0,"declined":0,"fired":0,"now":"2027-01-16T10:00:00Z","settled":true}"#),
        (r#"{"set":"2027-03-15T10:00:00Z"}"#, 200, r#"{"approved":2,"declined":0,"fired":2,"now":"2027-03-15T10:00:00Z","settled":true}"#),
        (r#"{"set":"2027-03-15T09:00:00Z"}"#, 400, r#"{"error":"set: must not be before the world's clock, which shows 2027-03-15T10:00:00Z"}"#),
        (r#"{"advance":"1 month"}"#, 400, r#"{"error":"advance: must be an ISO 8601 period such as P1M, P1Y2M10D or P1DT12H"}"#),
        (r#"{"advance":"P500Y"}"#, 400, r#"{"error":"advance: must be within the years 1970 to 2199"}"#),
        (r#"{"set":"2027-04-01"}"#, 400, r#"{"error":"set: must be a moment in RFC 3339 such as 2027-01-01T00:00:00Z"}"#),
        (r#"{"advance-to":"April"}"#, 400, r#"{"error":"advance-to: must be a day such as 2027-03-01 or a moment in RFC 3339 such as 2027-03-01T12:00:00Z"}"#),
        ("{}", 400, r#"{"error":"the body: must have exactly one of set, advance, advance-to and mode"}"#),
        (r#"{"set":"2028-01-01T00:00:00Z","advance":"P1D"}"#, 400, r#"{"error":"the body: must have exactly one of set, advance, advance-to and mode"}"#),
        (r#"{"advance-to":"2027-03-14"}"#, 400, r#"{"error":"advance-to: must not be before the world's clock, which shows 2027-03-15T10:00:00Z"}"#),
        (r#"{"advance":"P1D","advance":"P2D"}"#, 400, r#"{"error":"the body: must not have a member twice"}"#),
        (r#"{"advance":1}"#, 400, r#"{"error":"advance: must be text"}"#),
        (r#"{"mode":"fast"}"#, 400, r#"{"error":"mode: must be frozen or running"}"#),
        (r#"{"by":"P1D"}"#, 400, r#"{"error":"the body: has the member by, which is not known here; there is set, advance, advance-to and mode"}"#),
        (r#"{"mode":"frozen"}"#, 200, r#"{"approved":0,"declined":0,"fired":0,"now":"2027-03-15T10:00:00Z","settled":true}"#),
    ];
    for (body, status, answer) in rows {
        let got = client.control("POST", "clock", body).await;
        assert_eq!((got.status, got.body.as_str()), (status, answer), "{body}");
    }
    assert_eq!(client.control("POST", "clock", r#"{"mode":"running"}"#).await.status, 200);
    let clock = client.control("GET", "clock", "").await;
    assert_eq!(clock.at("/mode"), "running");
    assert!(clock.at("/now").starts_with("2027-03-15T10:0"), "{}", clock.body);
    assert_eq!(client.advance("P1M").await, (1, 1, 0));
}
