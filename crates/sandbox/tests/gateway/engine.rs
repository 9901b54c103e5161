//! The engine against random lives of plans: the payments are those of a calendar that is walked day by day, and the
//! number of steps of the clock does not matter.

use chrono::{Datelike, Months, NaiveDate, NaiveDateTime, TimeDelta};
use perennial_sandbox::Sandbox;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value as Json;

use crate::client::{Client, YEAR, for_ever, runtime};

/// Amounts, with the result code that a good card gets for them.
const AMOUNTS: &[(&str, &str)] = &[("50.00", "000"), ("0.21", "012"), ("0.14", "009"), ("0.49", "000")];
/// Expiries, with the last day of each; the first two are within a story.
const EXPIRIES: &[(&str, &str)] = &[("0327", "2027-03-31"), ("1127", "2027-11-30"), ("1240", "2040-12-31")];
/// Minutes of a day around those of automatic events.
const MINUTES: &[i64] = &[0, 599, 600, 601, 1_319, 1_320, 1_439];

/// A new plan, by days since 1 January 2027.
#[derive(Debug, Clone)]
struct Start {
    first: i64,
    length: i64,
    day: u32,
    amount: usize,
    expiry: usize,
}

#[derive(Debug, Clone, Copy)]
enum Change {
    Status(&'static str),
    Amount(usize),
    Day(u32),
    Token(&'static str),
    DeleteToken,
}

/// A change of one of the plans, this many days after the previous one and at this minute of the day.
#[derive(Debug, Clone)]
struct Step {
    days: i64,
    minute: i64,
    plan: usize,
    change: Change,
}

#[derive(Debug, Clone)]
struct Story {
    plans: Vec<Start>,
    steps: Vec<Step>,
}

fn stories() -> impl Strategy<Value = Story> {
    let start = (-60..120i64, 0..=364i64, 1..=28u32, 0..AMOUNTS.len(), 0..EXPIRIES.len())
        .prop_map(|(first, length, day, amount, expiry)| Start { first, length, day, amount, expiry });
    let change = prop_oneof![
        4 => select(&["SUSPENDED", "ACTIVE"][..]).prop_map(Change::Status),
        1 => Just(Change::Status("CANCELED")),
        1 => (0..AMOUNTS.len()).prop_map(Change::Amount),
        1 => (1..=28u32).prop_map(Change::Day),
        1 => select(&["Inactive", "Active"][..]).prop_map(Change::Token),
        1 => Just(Change::DeleteToken),
    ];
    let step = (0..40i64, select(MINUTES), 0..4usize, change).prop_map(|(days, minute, plan, change)| Step {
        days,
        minute,
        plan,
        change,
    });
    (vec(start, 1..=4), vec(step, 0..12)).prop_map(|(plans, steps)| Story { plans, steps })
}

fn day(days: i64) -> NaiveDate {
    NaiveDate::from_ymd_opt(2027, 1, 1).unwrap() + TimeDelta::days(days)
}

fn at(day: NaiveDate, minute: i64) -> NaiveDateTime {
    day.and_hms_opt(0, 0, 0).unwrap() + TimeDelta::minutes(minute)
}

/// A payment in the calendar: its plan, its day, and its result.
type Paid = (String, String, String);

/// A plan in the calendar.
struct Known {
    key: String,
    token: String,
    start: Start,
    status: &'static str,
    canceled: Option<NaiveDateTime>,
    /// The status; `None` after the deletion.
    token_status: Option<&'static str>,
}

impl Known {
    /// The payment of the plan on this day, if there is one.
    fn pays(&self, on: NaiveDate) -> Option<Paid> {
        let Start { first, length, amount, expiry, .. } = self.start;
        let due = self.status == "ACTIVE" && on.day() == self.start.day;
        let code = match self.token_status {
            _ if !due || on < day(first) || on > day(first + length) => return None,
            None => "010",
            Some("Inactive") => "017",
            Some(_) if on.to_string().as_str() > EXPIRIES[expiry].1 => "003",
            Some(_) => AMOUNTS[amount].1,
        };
        Some((self.key.clone(), on.to_string(), code.to_owned()))
    }
}

/// A world in which a story happens, and the calendar beside it.
struct Life<'c> {
    client: &'c Client,
    now: NaiveDateTime,
    plans: Vec<Known>,
    paid: Vec<Paid>,
}

impl<'c> Life<'c> {
    async fn begin(client: &'c Client, starts: &[Start]) -> Self {
        let customer = client.customer().await;
        let mut plans = Vec::new();
        for start in starts {
            let Start { first, length, amount, expiry, day: frequency_day } = *start;
            let body = format!(
                r#"{{"card":"4111111111111111","exp-date":"{}","customer-key":"{customer}"}}"#,
                EXPIRIES[expiry].0
            );
            let token =
                client.json("POST", "/rest/v2/tokens", &body).await.at("/payload/tokenResponse/token-id");
            let (from, to) = (day(first), day(first + length));
            let members = format!(
                r#""frequency-day":{frequency_day},"start-date":"{from}","end-date":"{to}","payment-amount":"{}""#,
                AMOUNTS[amount].0
            );
            let key = client.plan(&customer, &token, &members).await;
            let start = start.clone();
            plans.push(Known {
                key,
                token,
                start,
                status: "ACTIVE",
                canceled: None,
                token_status: Some("Active"),
            });
        }
        Self { client, now: at(day(0), 0), plans, paid: Vec::new() }
    }

    /// Advances to this moment, in steps of this many days.
    async fn go(&mut self, goal: NaiveDateTime, stride: i64) {
        while self.now < goal {
            let next = goal.min(self.now + TimeDelta::days(stride));
            let set = format!(r#"{{"set":"{}Z"}}"#, next.format("%Y-%m-%dT%H:%M:%S"));
            let got = self.client.control("POST", "clock", &set).await;
            assert_eq!((got.status, got.at("/settled").as_str()), (200, "true"), "{}", got.body);
            let before = self.paid.len();
            self.pay_through(next);
            assert_eq!(got.at("/fired"), (self.paid.len() - before).to_string());
        }
    }

    /// Walks the calendar to this moment.
    fn pay_through(&mut self, next: NaiveDateTime) {
        for on in self.now.date().iter_days().take_while(|on| at(*on, 600) <= next) {
            if at(on, 600) > self.now {
                let mut paid: Vec<Paid> = self.plans.iter().filter_map(|plan| plan.pays(on)).collect();
                paid.sort();
                self.paid.extend(paid);
            }
        }
        self.now = next;
    }

    async fn change(&mut self, plan: usize, change: Change) {
        let count = self.plans.len();
        let plan = &mut self.plans[plan % count];
        let (path, token) =
            (format!("/rest/v2/payment-plans/{}", plan.key), format!("/rest/v2/tokens/{}", plan.token));
        let put = async |path: &str, body: String| self.client.json("PUT", path, &body).await.status;
        match change {
            Change::Status(status) => {
                let code = put(&path, format!(r#"{{"status":"{status}"}}"#)).await;
                let stays = plan.canceled.is_some() && status != "CANCELED";
                assert_eq!(code, if stays { 402 } else { 200 });
                if !stays {
                    plan.status = status;
                }
                if status == "CANCELED" {
                    plan.canceled.get_or_insert(self.now);
                }
            }
            Change::Amount(amount) => {
                let code = put(&path, format!(r#"{{"payment-amount":"{}"}}"#, AMOUNTS[amount].0)).await;
                assert_eq!(code, 200);
                plan.start.amount = amount;
            }
            Change::Day(day) => {
                assert_eq!(put(&path, format!(r#"{{"frequency-day":{day}}}"#)).await, 200);
                plan.start.day = day;
            }
            Change::Token(status) => {
                let code = put(&token, format!(r#"{{"status":"{status}"}}"#)).await;
                assert_eq!(code, if plan.token_status.is_some() { 200 } else { 404 });
                plan.token_status = plan.token_status.map(|_| status);
            }
            Change::DeleteToken => {
                self.client.json("DELETE", &token, "").await;
                plan.token_status = None;
            }
        }
    }

    /// The payments that the plans announce, by plan.
    async fn announced(&self) -> Vec<(String, Vec<String>)> {
        let mut announced = Vec::new();
        for plan in &self.plans {
            let path = format!("/rest/v2/payment-plans/{}/expected-runs", plan.key);
            announced.push((plan.key.clone(), dates(&self.client.json("GET", &path, "").await.json())));
        }
        announced
    }
}

/// All dates in a document, in order.
fn dates(document: &Json) -> Vec<String> {
    match document {
        Json::String(text) if text.parse::<NaiveDate>().is_ok() => vec![text.clone()],
        Json::Array(items) => items.iter().flat_map(dates).collect(),
        Json::Object(members) => members.values().flat_map(dates).collect(),
        _ => Vec::new(),
    }
}

/// The payments of a state, in the order in which they were made.
fn payments(state: &Json) -> Vec<Paid> {
    let text = |object: &Json, member: &str| object[member].as_str().unwrap().to_owned();
    let transactions = state["transactions"].as_array().unwrap();
    let code = |id: &str| {
        let found = transactions.iter().find(|transaction| transaction["id"] == id);
        text(found.unwrap(), "result-code")
    };
    let payments = state["payments"].as_array().unwrap().iter();
    payments
        .map(|paid| {
            (text(paid, "plan-key"), text(paid, "frequency-date"), code(&text(paid, "transaction-id")))
        })
        .collect()
}

/// A day long after a story: every canceled plan is archived.
const END: i64 = 4 * 365;
/// Longer than any story.
const ONE_JUMP: i64 = 9_999;

async fn live(client: &Client, story: &Story, stride: i64) -> String {
    let mut life = Life::begin(client, &story.plans).await;
    for Step { days, minute, plan, change } in &story.steps {
        let goal = at(life.now.date() + TimeDelta::days(*days), *minute);
        life.go(goal, stride).await;
        life.change(*plan, *change).await;
    }
    life.go(at(day(END), 0), stride * 10).await;
    let state = client.state().await;
    let document: Json = serde_json::from_str(&state).unwrap();
    assert_eq!(payments(&document), life.paid);
    for plan in &life.plans {
        let got = client.json("GET", &format!("/rest/v2/payment-plans/{}", plan.key), "").await;
        assert_eq!(got.status, if plan.canceled.is_some() { 404 } else { 200 });
    }
    state
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Holds: The engine makes the payments of the calendar, in any number of steps of the clock.
    #[test]
    fn payments_are_those_of_the_calendar_in_any_number_of_steps(story in stories(), stride in 1..50i64) {
        runtime().block_on(async {
            let sandbox = Sandbox::start().await.unwrap();
            let mut states = Vec::new();
            for stride in [ONE_JUMP, stride] {
                let world = sandbox.world(7).await.unwrap();
                states.push(live(&Client::with_key(&sandbox, world.api_key().expose()), &story, stride).await);
            }
            assert_eq!(states[0], states[1]);
        });
    }

    /// Holds: The expected runs of a plan are the payments that happen.
    #[test]
    fn what_is_announced_is_what_happens(story in stories()) {
        runtime().block_on(async {
            let sandbox = Sandbox::start().await.unwrap();
            let client = Client::of(&sandbox);
            let mut life = Life::begin(&client, &story.plans).await;
            for (plan, (_, runs)) in life.plans.iter().zip(life.announced().await) {
                let (from, to) = (day(plan.start.first), day(plan.start.first + plan.start.length));
                let path = format!(
                    "/rest/v2/plan-forecast?start-date={from}&end-date={to}&frequency=MONTHLY&frequency-day={}",
                    plan.start.day
                );
                let mut forecast = dates(&client.json("GET", &path, "").await.json()["payload"]);
                forecast.retain(|date| *date >= day(0).to_string());
                assert_eq!(forecast, runs);
            }
            for Step { days, minute, plan, change } in &story.steps {
                let (announced, before) = (life.announced().await, life.paid.len());
                let goal = at(life.now.date() + TimeDelta::days(*days), *minute);
                life.go(goal, ONE_JUMP).await;
                for (key, runs) in announced {
                    let runs = runs.into_iter().filter(|run| at(run.parse().unwrap(), 600) <= life.now);
                    let charged = life.paid[before..].iter().filter(|paid| paid.0 == key).map(|paid| paid.1.clone());
                    assert_eq!(charged.collect::<Vec<_>>(), runs.collect::<Vec<_>>());
                }
                life.change(*plan, *change).await;
            }
            let state: Json = serde_json::from_str(&client.state().await).unwrap();
            assert_eq!(payments(&state), life.paid);
        });
    }
}

/// Makes more payments than one slice has.
#[tokio::test]
async fn a_jump_in_slices_is_one_jump() {
    let sandbox = Sandbox::start().await.unwrap();
    let mut states = Vec::new();
    for steps in [vec!["P2Y"], vec!["P6M", "P6M", "P1Y"]] {
        let world = sandbox.world(7).await.unwrap();
        let client = Client::with_key(&sandbox, world.api_key().expose());
        let customer = client.customer().await;
        let token = client.token(&customer).await;
        for _ in 0..200 {
            client.plan(&customer, &token, YEAR).await;
        }
        let mut fired = 0;
        for step in steps {
            fired += client.advance(step).await.0;
        }
        assert_eq!(fired, 200 * 12);
        states.push(client.state().await);
    }
    assert_eq!(states[0], states[1]);
}

#[tokio::test]
async fn a_canceled_plan_is_archived_after_24_months() {
    let sandbox = Sandbox::builder().gateway(for_ever()).start().await.unwrap();
    let client = Client::of(&sandbox);
    let (customer, _, plan) = client.subscriber().await;
    client.advance("P2M").await;
    let path = format!("/rest/v2/payment-plans/{plan}");
    assert_eq!(client.json("PUT", &path, r#"{"status":"CANCELED"}"#).await.status, 200);
    let canceled = at(NaiveDate::from_ymd_opt(2027, 3, 1).unwrap(), 0);
    // A change of another member does not make it younger.
    client.advance("P1M").await;
    client.json("PUT", &path, r#"{"plan-name":"Silver"}"#).await;
    client.control("POST", "clock", r#"{"set":"2029-02-28T23:59:59.999Z"}"#).await;
    assert_eq!(client.json("GET", &path, "").await.status, 200);
    let listed = async |what: &str| {
        client.json("GET", &format!("/rest/v2/{what}"), "").await.at("/page/total-elements")
    };
    assert_eq!(listed("payment-plans").await, "1");

    client.advance("PT1S").await;
    for (method, path, body) in [
        ("GET", path.clone(), ""),
        ("PUT", path.clone(), r#"{"plan-name":"Gold"}"#),
        ("DELETE", path.clone(), ""),
        ("GET", format!("{path}/expected-runs"), ""),
    ] {
        assert_eq!(client.json(method, &path, body).await.status, 404, "{method} {path}");
    }
    for (list, total) in [
        ("payment-plans".into(), "0"),
        (format!("payment-plans?customer-key={customer}"), "0"),
        ("customers?plan-name=Silver".into(), "0"),
        (format!("payments?plan-key={plan}"), "2"),
        (format!("transactions?order-id={plan}"), "2"),
    ] {
        assert_eq!(listed(&list).await, total, "{list}");
    }
    let state: Json = serde_json::from_str(&client.state().await).unwrap();
    let archived = (canceled + Months::new(24)).and_utc().timestamp_millis();
    assert_eq!(state["plans"][0]["archived"], archived);
    // A payment of it keeps its customer.
    let got = client.json("DELETE", &format!("/rest/v2/customers/{customer}"), "").await;
    assert_eq!(
        (got.status, got.at("/payload/error/error-message").contains("it has 2 payments;")),
        (402, true),
        "{}",
        got.body
    );
}
