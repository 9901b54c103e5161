//! Gateway options and faults of the plan engine: a row for each, beside the documented gateway.

use perennial_sandbox::Sandbox;

use crate::client::{Client, Got};

/// A story in two worlds: one has the default gateway, the other one these options.
struct Row {
    /// The members of `gateway`.
    options: &'static str,
    /// Calls, and moments to which the clock is set, after the sign-up of [`Client::subscriber`].
    steps: &'static [&'static str],
    /// The last call, and the pointer to the value that is compared.
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
}

#[tokio::test]
async fn options_change_what_requests_get() {
    let sandbox = Sandbox::start().await.unwrap();
    for Row { options, steps, look, default, changed } in REQUESTS {
        for (options, expected) in [("", default), (options, changed)] {
            let story = Story::begin(&sandbox, options).await;
            for step in *steps {
                story.step(step).await;
            }
            let (call, pointer) = look.split_once('#').unwrap();
            let got = story.step(call).await;
            let value = if got.body.is_empty() { String::new() } else { got.at(pointer) };
            assert_eq!(value, *expected, "{options} {steps:?} {look}: {}", got.body);
        }
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
    for text in ["search-lag", "P1D", "order-id-searchable", "honors-suspended"] {
        assert!(got.contains(text), "{text}: {got}");
    }
}
