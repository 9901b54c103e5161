//! Gateway options and faults of the plan engine: a row for each, beside the documented gateway.

use chrono::{DateTime, TimeDelta, Utc};
use perennial_sandbox::{DeclineRetries, GatewayOptions, Sandbox, StartError};
use serde_json::Value as Json;

use crate::client::{Client, Got};

/// A story in two worlds: one has the default gateway, the other one these options.
struct Row {
    /// The members of `gateway`.
    options: &'static str,
    /// Calls, and moments to which the clock is set, after the sign-up of [`Client::subscriber`].
    steps: &'static [&'static str],
    /// The last call and the pointer to the value that is compared, or `charges`.
    look: &'static str,
    default: &'static str,
    changed: &'static str,
}

/// Calls by their names in the rows.
#[rustfmt::skip]
const CALLS: &[(&str, &str)] = &[
    ("SALE", r#"POST transactions/sale {"card":"{token}","amount":"5.00","order-id":"order-1"}"#),
    ("EVE", r#"POST customers {"first-name":"Eve","last-name":"Moore","customer-key":"member-7"}"#),
    ("PLAN", r#"POST payment-plans {"plan-name":"Gold membership","status":"SUSPENDED","customer-key":"{customer}","token-id":"{token}","frequency":"MONTHLY","frequency-day":"20","start-date":"2027-01-01","end-date":"2027-12-31","payment-amount":"5.00"}"#),
    ("TERM", r#"POST payment-plans {"plan-name":"Silver","customer-key":"{customer}","token-id":"{token}","frequency":"MONTHLY","frequency-day":"15","start-date":"2027-01-15","end-date":"2027-02-15","payment-amount":"5.00"}"#),
    ("LATER", r#"POST payment-plans {"plan-name":"Silver","customer-key":"{customer}","token-id":"{token}","frequency":"MONTHLY","frequency-day":"15","start-date":"2027-01-16","end-date":"2027-02-15","payment-amount":"5.00"}"#),
    ("POOR", r#"PUT payment-plans/{plan} {"payment-amount":"0.21"}"#),
    ("RICH", r#"PUT payment-plans/{plan} {"payment-amount":"50.00"}"#),
    ("SUSPEND", r#"PUT payment-plans/{plan} {"status":"SUSPENDED"}"#),
    ("ACTIVATE", r#"PUT payment-plans/{plan} {"status":"ACTIVE"}"#),
    ("CANCEL", r#"PUT payment-plans/{plan} {"status":"CANCELED"}"#),
    ("REFUSE", r#"POST settings/transaction/duplicates {"enabled":true,"if-duplicate-found-respond-with-error":true}"#),
];

/// Options that change the answers to requests.
#[rustfmt::skip]
const REQUESTS: &[Row] = &[
    Row { options: r#""search-lag":"PT1H""#, steps: &["SALE"], look: "GET transactions#/page/total-elements", default: "1", changed: "" },
    Row { options: r#""search-lag":"PT1H""#, steps: &["SALE", "2027-01-01T00:59:59.999Z"], look: "GET transactions?order-id=order-1#/page/total-elements", default: "1", changed: "" },
    Row { options: r#""search-lag":"PT1H""#, steps: &["SALE", "2027-01-01T01:00:00Z"], look: "GET transactions?order-id=order-1#/page/total-elements", default: "1", changed: "1" },
    Row { options: r#""search-lag":"PT1H""#, steps: &[], look: "GET customers#/page/total-elements", default: "1", changed: "0" },
    Row { options: r#""search-lag":"PT1H""#, steps: &["2027-01-01T01:00:00Z"], look: "GET customers#/page/total-elements", default: "1", changed: "1" },
    Row { options: r#""search-lag":"PT1H""#, steps: &[], look: "GET payment-plans?customer-key={customer}#/page/total-elements", default: "1", changed: "0" },
    Row { options: r#""search-lag":"PT1H""#, steps: &["2027-01-01T01:00:00Z"], look: "GET payment-plans?customer-key={customer}#/page/total-elements", default: "1", changed: "1" },
    Row { options: r#""search-lag":"PT1H""#, steps: &[], look: "GET customers/{customer}#/payload/customer/first-name", default: "Ada", changed: "Ada" },
    Row { options: r#""search-lag":"PT1H""#, steps: &[], look: "GET payment-plans/{plan}#/payload/payment-plan/plan-name", default: "Gold", changed: "Gold" },
    Row { options: r#""search-lag":"P1D""#, steps: &["2027-01-15T10:00:00Z"], look: "GET payments#/page/total-elements", default: "1", changed: "1" },
    Row { options: r#""search-lag":"P300Y""#, steps: &["SALE", "2150-01-01T00:00:00Z"], look: "GET customers#/page/total-elements", default: "1", changed: "0" },
    Row { options: r#""order-id-searchable":false"#, steps: &["SALE"], look: "GET transactions?order-id=order-1#/page/total-elements", default: "1", changed: "" },
    Row { options: r#""order-id-searchable":false"#, steps: &["SALE"], look: "GET transactions?amount=5.00#/page/total-elements", default: "1", changed: "1" },
    Row { options: r#""duplicate-answers-old":true"#, steps: &["REFUSE", "SALE"], look: "SALE#/payload/transaction/display-message", default: "", changed: "Transaction previously approved" },
    Row { options: r#""duplicate-answers-old":true"#, steps: &["REFUSE", "SALE"], look: "SALE#/payload/error/result-code", default: "045", changed: "" },
    Row { options: r#""duplicate-answers-old":true"#, steps: &["SALE", "SALE"], look: "GET transactions#/page/total-elements", default: "2", changed: "2" },
    Row { options: r#""name-limit":6"#, steps: &[], look: "PLAN#/payload/payment-plan/plan-name", default: "Gold membership", changed: "Gold m" },
    Row { options: r#""name-limit":6"#, steps: &[], look: "PUT payment-plans/{plan} {\"plan-name\":\"Žlutý kůň\"}#/payload/payment-plan/plan-name", default: "Žlutý kůň", changed: "Žlutý " },
    Row { options: r#""own-customer-keys":false"#, steps: &["EVE"], look: "GET customers/member-7#/payload/customer/first-name", default: "Eve", changed: "" },
    Row { options: r#""own-customer-keys":false"#, steps: &["EVE", "EVE"], look: "GET customers#/page/total-elements", default: "2", changed: "3" },
    Row { options: r#""honors-suspended":false"#, steps: &[], look: "PLAN#/payload/payment-plan/status", default: "SUSPENDED", changed: "ACTIVE" },
    Row { options: r#""honors-suspended":false"#, steps: &["PUT payment-plans/{plan} {\"status\":\"SUSPENDED\"}"], look: "GET payment-plans/{plan}#/payload/payment-plan/status", default: "SUSPENDED", changed: "SUSPENDED" },
];

/// Options that change the charges of plans.
#[rustfmt::skip]
const CHARGES: &[Row] = &[
    Row { options: r#""charge-hour":22"#, steps: &["2027-01-15T21:59:59.999Z"], look: "charges", default: "01-15T10 000", changed: "" },
    Row { options: r#""charge-hour":22"#, steps: &["2027-01-15T22:00:00Z"], look: "charges", default: "01-15T10 000", changed: "01-15T22 000" },
    Row { options: r#""charge-hour":0"#, steps: &["2027-01-15T00:00:00Z"], look: "charges", default: "", changed: "01-15T00 000" },
    Row { options: r#""charge-hour":23"#, steps: &["2027-12-15T12:00:00Z"], look: "GET payment-plans/{plan}/expected-runs#/payload/expected-runs/expected-run/0/date", default: "", changed: "2027-12-15" },
    Row { options: r#""date-slip":1"#, steps: &["2027-02-20T00:00:00Z"], look: "charges", default: "01-15T10 000, 02-15T10 000", changed: "01-16T10 000, 02-16T10 000" },
    Row { options: r#""date-slip":-1"#, steps: &["2027-02-20T00:00:00Z"], look: "charges", default: "01-15T10 000, 02-15T10 000", changed: "01-14T10 000, 02-14T10 000" },
    Row { options: r#""date-slip":1"#, steps: &["CANCEL", "TERM", "2027-03-01T00:00:00Z"], look: "charges", default: "01-15T10 000, 02-15T10 000", changed: "01-16T10 000" },
    Row { options: r#""date-slip":-1"#, steps: &["CANCEL", "TERM", "2027-03-01T00:00:00Z"], look: "charges", default: "01-15T10 000, 02-15T10 000", changed: "02-14T10 000" },
    Row { options: r#""date-slip":1"#, steps: &["CANCEL", "LATER", "2027-03-01T00:00:00Z"], look: "charges", default: "02-15T10 000", changed: "01-16T10 000" },
    Row { options: r#""date-slip":-1"#, steps: &[], look: "GET plan-forecast?start-date=2027-01-15&end-date=2027-02-15&frequency=MONTHLY&frequency-day=15#/payload/plan-forecast/date/0", default: "2027-01-15", changed: "2027-02-14" },
    Row { options: r#""start-inclusive":false"#, steps: &["CANCEL", "TERM", "2027-03-01T00:00:00Z"], look: "charges", default: "01-15T10 000, 02-15T10 000", changed: "02-15T10 000" },
    Row { options: r#""end-inclusive":false"#, steps: &["CANCEL", "TERM", "2027-03-01T00:00:00Z"], look: "charges", default: "01-15T10 000, 02-15T10 000", changed: "01-15T10 000" },
    Row { options: r#""decline-retries":{"times":2}"#, steps: &["POOR", "2027-02-01T00:00:00Z"], look: "charges", default: "01-15T10 012", changed: "01-15T10 012, 01-15@01-16T10 012, 01-15@01-17T10 012" },
    Row { options: r#""decline-retries":{"times":1,"every":"PT6H"}"#, steps: &["POOR", "2027-02-15T16:00:00Z"], look: "charges", default: "01-15T10 012, 02-15T10 012", changed: "01-15T10 012, 01-15T16 012, 02-15T10 012, 02-15T16 012" },
    Row { options: r#""decline-retries":{"times":1,"every":"P1M2D"}"#, steps: &["POOR", "2027-03-01T00:00:00Z"], look: "charges", default: "01-15T10 012, 02-15T10 012", changed: "01-15T10 012, 02-15T10 012, 01-15@02-17T10 012" },
    Row { options: r#""decline-retries":{"times":9}"#, steps: &["POOR", "2027-01-15T12:00:00Z", "RICH", "2027-02-01T00:00:00Z"], look: "charges", default: "01-15T10 012", changed: "01-15T10 012, 01-15@01-16T10 000" },
    Row { options: r#""decline-retries":{"times":2}"#, steps: &["POOR", "2027-01-15T12:00:00Z", "CANCEL", "2027-02-01T00:00:00Z"], look: "charges", default: "01-15T10 012", changed: "01-15T10 012" },
    Row { options: r#""decline-retries":{"times":2,"after-cancel":true}"#, steps: &["POOR", "2027-01-15T12:00:00Z", "CANCEL", "2027-02-01T00:00:00Z"], look: "charges", default: "01-15T10 012", changed: "01-15T10 012, 01-15@01-16T10 012, 01-15@01-17T10 012" },
    Row { options: r#""decline-retries":{"times":2,"after-cancel":true}"#, steps: &["POOR", "2027-01-15T12:00:00Z", "SUSPEND", "2027-02-01T00:00:00Z"], look: "charges", default: "01-15T10 012", changed: "01-15T10 012" },
    Row { options: r#""decline-retries":{"times":2,"after-cancel":true,"every":"P30M"}"#, steps: &["POOR", "2027-01-15T12:00:00Z", "CANCEL", "2030-01-01T00:00:00Z"], look: "charges", default: "01-15T10 012", changed: "01-15T10 012" },
    Row { options: r#""catch-up":true"#, steps: &["SUSPEND", "2027-02-20T05:00:00Z", "ACTIVATE", "2027-03-01T00:00:00Z"], look: "charges", default: "", changed: "01-15@02-20T05 000, 02-15@02-20T05 000" },
    Row { options: r#""catch-up":true"#, steps: &["2027-01-15T10:00:00Z", "SUSPEND", "2027-02-14T00:00:00Z", "ACTIVATE", "2027-03-01T00:00:00Z"], look: "charges", default: "01-15T10 000, 02-15T10 000", changed: "01-15T10 000, 02-15T10 000" },
    Row { options: r#""catch-up":true"#, steps: &["SUSPEND", "2027-02-14T00:00:00Z", "ACTIVATE", "SUSPEND", "ACTIVATE", "2027-02-14T00:00:01Z"], look: "charges", default: "", changed: "01-15@02-14T00 000" },
    Row { options: r#""plan-charge-order-id":"own-id""#, steps: &["2027-01-16T00:00:00Z"], look: "GET transactions?order-id={plan}#/page/total-elements", default: "1", changed: "" },
    Row { options: r#""plan-charge-order-id":"own-id""#, steps: &["2027-01-16T00:00:00Z"], look: "GET transactions#/payload/transactions/transaction/0/plan-name", default: "Gold", changed: "Gold" },
];

/// Faults of the plan engine: the options, the fault, the steps, and the charges.
#[rustfmt::skip]
const FAULTS: &[(&str, &str, &[&str], &str)] = &[
    ("", r#""nth":1,"effect":{"kind":"skip"}"#, &["2027-02-16T00:00:00Z"], "02-15T10 000"),
    (r#""catch-up":true"#, r#""nth":1,"effect":{"kind":"skip"}"#, &["2027-01-20T00:00:00Z", "SUSPEND", "ACTIVATE", "2027-02-01T00:00:00Z"], ""),
    ("", r#""nth":2,"effect":{"kind":"duplicate"}"#, &["2027-02-16T00:00:00Z"], "01-15T10 000, 02-15T10 000, 02-15T10 000"),
    (r#""decline-retries":{"times":1}"#, r#""nth":1,"effect":{"kind":"duplicate"}"#, &["POOR", "2027-02-01T00:00:00Z"], "01-15T10 012, 01-15T10 012, 01-15@01-16T10 012"),
    ("", r#""nth":1,"effect":{"kind":"charge-late","delay":"P2D"}"#, &["2027-01-17T09:59:59Z"], ""),
    ("", r#""nth":1,"effect":{"kind":"charge-late","delay":"P2D"}"#, &["2027-02-16T00:00:00Z"], "01-15@01-17T10 000, 02-15T10 000"),
    ("", r#""effect":{"kind":"charge-late","delay":"PT14H"}"#, &["2027-02-20T00:00:00Z"], "01-15@01-16T00 000, 02-15@02-16T00 000"),
    ("", r#""nth":1,"effect":{"kind":"charge-late","delay":"P40D"}"#, &["2027-03-01T00:00:00Z"], "02-15T10 000, 01-15@02-24T10 000"),
    ("", r#""effect":{"kind":"charge-late","delay":"P300Y"}"#, &["2027-03-01T00:00:00Z"], ""),
    ("", r#""nth":1,"effect":{"kind":"charge-late","delay":"P2D"}"#, &["2027-01-16T00:00:00Z", "CANCEL", "2027-02-01T00:00:00Z"], ""),
    (r#""decline-retries":{"after-cancel":true}"#, r#""nth":1,"effect":{"kind":"charge-late","delay":"P2D"}"#, &["2027-01-16T00:00:00Z", "CANCEL", "2027-02-01T00:00:00Z"], "01-15@01-17T10 000"),
    ("", r#""nth":1,"effect":{"kind":"decline","result-code":"012"}"#, &["2027-02-16T00:00:00Z"], "01-15T10 012, 02-15T10 000"),
    (r#""decline-retries":{"times":3}"#, r#""times":2,"effect":{"kind":"decline","result-code":"005"}"#, &["2027-02-01T00:00:00Z"], "01-15T10 005, 01-15@01-16T10 005, 01-15@01-17T10 000"),
    ("", r#""key":"{plan}","effect":{"kind":"skip"}"#, &["2027-02-16T00:00:00Z"], ""),
    ("", r#""key":"{token}","effect":{"kind":"skip"}"#, &["2027-02-16T00:00:00Z"], ""),
    ("", r#""key":"plan_of_nobody","effect":{"kind":"skip"}"#, &["2027-02-01T00:00:00Z"], "01-15T10 000"),
];

/// A world in which a story happens.
struct Story {
    client: Client,
    /// Placeholders with their values.
    names: [(&'static str, String); 3],
}

impl Story {
    async fn begin(sandbox: &Sandbox, options: &str) -> Self {
        let body = format!(r#"{{"seed":7,"gateway":{{{options}}}}}"#);
        let world = Client::of(sandbox).control("POST", "worlds", &body).await;
        assert_eq!(world.status, 200, "{}", world.body);
        let client = Client::with_key(sandbox, &world.at("/api-key"));
        let (customer, token, plan) = client.subscriber().await;
        Self { client, names: [("{customer}", customer), ("{token}", token), ("{plan}", plan)] }
    }

    async fn step(&self, step: &str) -> Got {
        let named = CALLS.iter().find(|(name, _)| *name == step);
        let mut call = named.map_or(step, |(_, call)| call).to_owned();
        for (name, value) in &self.names {
            call = call.replace(name, value);
        }
        match call.splitn(3, ' ').collect::<Vec<_>>()[..] {
            [moment] => {
                let got = self.client.control("POST", "clock", &format!(r#"{{"set":"{moment}"}}"#)).await;
                assert_eq!(got.status, 200, "{}", got.body);
                got
            }
            [method, path] => self.client.json(method, &format!("/rest/v2/{path}"), "").await,
            [method, path, body] => self.client.json(method, &format!("/rest/v2/{path}"), body).await,
            _ => panic!("{call}"),
        }
    }

    async fn fault(&self, operation: &str, members: &str) {
        let mut fault = format!(r#"{{"operation":"{operation}",{members}}}"#);
        for (name, value) in &self.names {
            fault = fault.replace(name, value);
        }
        let got = self.client.control("POST", "faults", &fault).await;
        assert_eq!(got.status, 200, "{}", got.body);
    }

    async fn look(&self, look: &str) -> String {
        let Some((call, pointer)) = look.split_once('#') else { return self.charges().await };
        let got = self.step(call).await;
        if got.body.is_empty() { String::new() } else { got.at(pointer) }
    }

    /// The charges of plans in their order: the plan's day if it is another one, the day and hour, and the code.
    async fn charges(&self) -> String {
        let state: Json = serde_json::from_str(&self.client.state().await).unwrap();
        let list = |name: &str| state[name].as_array().unwrap().clone();
        let transactions = list("transactions");
        let charge = |payment: Json| {
            let made = transactions.iter().find(|made| made["id"] == payment["transaction-id"]).unwrap();
            let at = DateTime::from_timestamp_millis(payment["created"].as_i64().unwrap()).unwrap();
            let (day, code) =
                (&payment["frequency-date"].as_str().unwrap()[5..], made["result-code"].as_str());
            let at = at.format("%m-%dT%H").to_string();
            let at = if at.starts_with(day) { at } else { format!("{day}@{at}") };
            format!("{at} {}", code.unwrap())
        };
        list("payments").into_iter().map(charge).collect::<Vec<_>>().join(", ")
    }
}

#[tokio::test]
async fn options_change_what_requests_get() {
    compare(REQUESTS).await;
}

#[tokio::test]
async fn options_change_what_plans_charge() {
    compare(CHARGES).await;
}

async fn compare(rows: &[Row]) {
    let sandbox = Sandbox::start().await.unwrap();
    for Row { options, steps, look, default, changed } in rows {
        for (options, expected) in [("", default), (options, changed)] {
            let story = Story::begin(&sandbox, options).await;
            for step in *steps {
                story.step(step).await;
            }
            assert_eq!(story.look(look).await, *expected, "{options} {steps:?} {look}");
        }
    }
}

#[tokio::test]
async fn faults_change_what_plans_charge() {
    let sandbox = Sandbox::start().await.unwrap();
    for (options, fault, steps, expected) in FAULTS {
        let story = Story::begin(&sandbox, options).await;
        story.fault("engine.charge", fault).await;
        for step in *steps {
            story.step(step).await;
        }
        assert_eq!(story.charges().await, *expected, "{options} {fault} {steps:?}");
    }
}

/// A fault of every call hits no charge of a plan, and both charges of a day are in the plan's calendar.
#[tokio::test]
async fn only_faults_of_the_engine_charge_twice() {
    let sandbox = Sandbox::start().await.unwrap();
    for (operation, charges, received) in
        [("*", "01-15T10 000", "50.00"), ("engine.charge", "01-15T10 000, 01-15T10 000", "100.00")]
    {
        let story = Story::begin(&sandbox, "").await;
        story.fault(operation, r#""effect":{"kind":"duplicate"}"#).await;
        story.step("2027-01-15T10:00:00Z").await;
        assert_eq!(story.charges().await, charges);
        let path = format!("/console/worlds/2/plans/{}", story.names[2].1);
        let page = story.client.send("GET", &path, &[], "").await.body;
        let row = format!(r#"<th scope="row">received</th><td class="number">{received}</td>"#);
        assert!(page.contains(&row), "{operation}: {page}");
    }
}

#[tokio::test]
async fn reads_by_id_and_the_console_do_not_lag() {
    let sandbox = Sandbox::start().await.unwrap();
    let story = Story::begin(&sandbox, r#""search-lag":"P1D""#).await;
    let id = story.step("SALE").await.at("/payload/transaction/id");
    assert_eq!(story.step(&format!("GET transactions/{id}")).await.status, 200);
    for (page, text) in [("customers", "Ada Byron"), ("plans", "Gold"), ("transactions", id.as_str())] {
        let got = story.client.send("GET", &format!("/console/worlds/2/{page}"), &[], "").await;
        assert!(got.status == 200 && got.body.contains(text), "{page}: {}", got.body);
    }
    let got = story.client.send("GET", "/console/worlds/2", &[], "").await.body;
    for text in ["search-lag", "P1D", "order-id-searchable", "decline-retries.every", "honors-suspended"] {
        assert!(got.contains(text), "{text}: {got}");
    }
}

#[tokio::test]
async fn one_jump_and_many_steps_charge_alike() {
    const OPTIONS: &str = r#""decline-retries":{"times":3,"every":"P9DT1H"},"catch-up":true,"date-slip":1,"charge-hour":23,"plan-charge-order-id":"own-id""#;
    let sandbox = Sandbox::start().await.unwrap();
    let mut ends = Vec::new();
    for days in [365, 5] {
        let story = Story::begin(&sandbox, OPTIONS).await;
        for step in ["TERM", "SUSPEND", "2027-02-20T05:00:00Z", "POOR", "ACTIVATE"] {
            story.step(step).await;
        }
        let mut now: DateTime<Utc> = "2027-02-20T05:00:00Z".parse().unwrap();
        let end = now + TimeDelta::days(365);
        while now < end {
            now += TimeDelta::days(days);
            story.step(&now.format("%Y-%m-%dT%H:%M:%SZ").to_string()).await;
        }
        ends.push((story.charges().await, story.client.state().await));
    }
    // Two charges of the other plan; 12 days of this one, each with three further tries.
    assert_eq!(ends[0].0.matches(" 012").count(), 12 * 4, "{}", ends[0].0);
    assert_eq!(ends[0], ends[1]);
}

#[tokio::test]
async fn options_that_are_wrong_are_refused_from_rust() {
    let retries = DeclineRetries { every: "PT0S".parse().unwrap(), ..DeclineRetries::default() };
    let default = GatewayOptions::default();
    let cases = [
        (GatewayOptions { charge_hour: 24, ..default }, "the gateway's charge-hour: must be from 0 to 23"),
        (GatewayOptions { date_slip: -2, ..default }, "the gateway's date-slip: must be -1, 0 or 1"),
        (
            GatewayOptions { decline_retries: retries, ..default },
            "the gateway's decline-retries.every: must be longer than nothing, as in P1D",
        ),
    ];
    for (options, message) in cases {
        let refused = Sandbox::builder().gateway(options).start().await.map(|_| ()).unwrap_err();
        assert!(matches!(refused, StartError::Options(_)));
        assert_eq!(refused.to_string(), message);
    }
}
