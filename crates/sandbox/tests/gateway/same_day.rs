//! Plans created on their first day, before and after the hour of that day's charges: the computed,
//! announced, forecast and actual charges are equal.

use perennial_domain::clearent::{FrequencyDay, PlanTerm, Schedule};
use perennial_domain::{Date, NaiveDate, NaiveDateTime};
use perennial_sandbox::{Sandbox, WorldOptions};
use serde_json::Value as Json;

use crate::client::{Client, for_ever};

/// Days on which people sign up: some days of a month, ends of months, and a leap day.
fn starts() -> impl Iterator<Item = NaiveDate> {
    let others = [
        "2027-01-28",
        "2027-01-30",
        "2027-01-31",
        "2027-02-01",
        "2027-02-28",
        "2027-04-30",
        "2027-12-28",
        "2027-12-31",
        "2028-02-28",
        "2028-02-29",
    ];
    let day = |text: &str| text.parse::<NaiveDate>().unwrap();
    day("2027-01-01").iter_days().step_by(4).take(8).chain(others.map(day))
}

/// Times of that day around the charges of 10:00.
const TIMES: [&str; 5] = ["00:00:00", "09:59:59.999", "10:00:00", "10:00:00.001", "23:59:59.999"];

fn dates(payload: &Json) -> Vec<String> {
    let mut found = Vec::new();
    let mut pending = vec![payload];
    while let Some(value) = pending.pop() {
        match value {
            Json::String(text) if text.parse::<NaiveDate>().is_ok() => found.push(text.clone()),
            Json::Array(items) => pending.extend(items),
            Json::Object(members) => {
                pending.extend(members.iter().filter(|(name, _)| *name != "links").map(|(_, value)| value));
            }
            _ => {}
        }
    }
    found.sort();
    found
}

/// Holds: The schedule, the expected runs, the forecast and the payments of a plan name the same days.
#[tokio::test]
async fn what_is_computed_announced_forecast_and_charged_is_the_same() {
    let sandbox = Sandbox::start().await.unwrap();
    let (mut first_day_charged, mut first_day_past) = (0, 0);
    for start in starts() {
        let term = PlanTerm::months(Date::try_from(start).unwrap(), 12).unwrap();
        // The day of the start, or the last day that all months have.
        let day = start.format("%d").to_string().parse::<u32>().unwrap().min(28);
        for time in TIMES {
            let now = format!("{start}T{time}Z");
            let what = format!("{now}, day {day}");
            let options = WorldOptions {
                now: Some(now.parse().unwrap()),
                gateway: for_ever(),
                ..WorldOptions::default()
            };
            let world = sandbox.new_world(options).await.unwrap();
            let client = Client::with_key(&sandbox, world.api_key().expose());
            let customer = client.customer().await;
            let token = client.token(&customer).await;
            let (from, to) = (term.start(), term.end());
            let members = format!(
                r#""frequency-day":"{day}","start-date":"{from}","end-date":"{to}","status":"ACTIVE","payment-amount":"50.00""#
            );
            let plan = client.plan(&customer, &token, &members).await;

            // The numbers of the command's `schedule` and `--dry-run`.
            let schedule = Schedule::new(term, FrequencyDay::new(day).unwrap());
            let moment: NaiveDateTime = now.trim_end_matches('Z').parse().unwrap();
            let computed: Vec<String> = schedule.to_come(moment).map(|date| date.to_string()).collect();
            let runs = client.json("GET", &format!("/rest/v2/payment-plans/{plan}/expected-runs"), "").await;
            let announced = if runs.status == 204 { Vec::new() } else { dates(&runs.json()["payload"]) };
            let path = format!(
                "/rest/v2/plan-forecast?start-date={from}&end-date={to}&frequency=MONTHLY&frequency-day={day}"
            );
            let forecast = dates(&client.json("GET", &path, "").await.json()["payload"]);
            client.advance("P13M").await;
            let state: Json = serde_json::from_str(&client.state().await).unwrap();
            let payments = state["payments"].as_array().unwrap().iter();
            let charged: Vec<String> =
                payments.map(|payment| payment["frequency-date"].as_str().unwrap().to_owned()).collect();
            assert_eq!(announced, computed, "announced: {what}");
            assert_eq!(forecast, computed, "forecast: {what}");
            assert_eq!(charged, computed, "charged: {what}");
            if start.to_string().ends_with(&format!("{day:02}")) {
                first_day_charged += usize::from(charged.len() == 12);
                first_day_past += usize::from(charged.len() == 11);
            }
            world.delete().await.unwrap();
        }
    }
    // Every month has twelve of the days, and two of the five times are before the hour.
    assert_eq!((first_day_charged, first_day_past), (24, 36));
}
