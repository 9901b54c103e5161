//! Subscriptions that do not move on.

use perennial_billing::{CancelAt, SubscriptionChange};
use perennial_sandbox::{Effect, Fault};

use crate::support::{World, by};

/// The events for a person about the subscription, as `day reason`.
async fn reasons(world: &World) -> Vec<String> {
    let events = world.billing.events(0, 1_000).await.unwrap();
    let of = |event: &&perennial_billing::Event| event.kind == "needs-person" && event.subscription == "M-1";
    let line = |event: &perennial_billing::Event| {
        let body: serde_json::Value = serde_json::from_str(&event.body).unwrap();
        format!("{} {}", body["day"].as_str().unwrap(), body["reason"].as_str().unwrap_or("-"))
    };
    events.iter().filter(of).map(line).collect()
}

/// The operation that fails from a day on, the decision of that day, the day until which the merchant waits, and the events.
struct Case {
    fails: &'static str,
    from: &'static str,
    decides: Decides,
    until: &'static str,
    told: &'static [&'static str],
}

enum Decides {
    Nothing,
    Amount,
    Cancel,
}

const CASES: &[Case] = &[
    // In time: a list of cards that fails stops nothing.
    Case {
        fails: "tokens.search",
        from: "2027-01-20",
        decides: Decides::Amount,
        until: "2027-02-14",
        told: &[],
    },
    // Far from the next day, after three days.
    Case {
        fails: "plans.create",
        from: "2027-01-20",
        decides: Decides::Amount,
        until: "2027-01-23",
        told: &[],
    },
    Case {
        fails: "plans.create",
        from: "2027-01-20",
        decides: Decides::Amount,
        until: "2027-01-30",
        // A create that is not sent within a day is decided anew.
        told: &["2027-02-15 the plan from 2027-02-15 to 2028-01-15 is planned since 2027-01-21"],
    },
    Case {
        fails: "plans.update",
        from: "2027-01-20",
        decides: Decides::Cancel,
        until: "2027-01-30",
        told: &["2027-01-15 the plan from 2027-01-15 to 2027-12-15 is closing since 2027-01-20"],
    },
    // Near to the next day, on the day after.
    Case {
        fails: "plans.create",
        from: "2027-02-10",
        decides: Decides::Amount,
        until: "2027-02-10",
        told: &[],
    },
    Case {
        fails: "plans.create",
        from: "2027-02-10",
        decides: Decides::Amount,
        until: "2027-02-12",
        told: &["2027-02-15 the plan from 2027-02-15 to 2028-01-15 is planned since 2027-02-11"],
    },
    Case {
        fails: "plans.update",
        from: "2027-02-09",
        decides: Decides::Amount,
        until: "2027-02-11",
        told: &["2027-02-15 the plan from 2027-01-15 to 2027-12-15 is closing since 2027-02-09"],
    },
    // A gateway that fails while nothing is to be changed.
    Case {
        fails: "plans.update",
        from: "2027-01-20",
        decides: Decides::Nothing,
        until: "2027-02-20",
        told: &[],
    },
];

/// Holds: A plan that is not made or canceled for three days, or on the day before its week, is one event that names it.
#[tokio::test]
async fn a_plan_that_does_not_move_on_is_one_event() {
    for (number, case) in CASES.iter().enumerate() {
        let Case { fails, from, decides, until, told } = case;
        let world = World::new().await;
        world.billing.start(&world.gold("M-1", 15)).await.unwrap();
        world.until(from).await;
        world.sandbox.fault(&Fault::on(*fails, Effect::ErrorBefore { status: 502 })).await.unwrap();
        let amount =
            SubscriptionChange { amount: Some("60.00".parse().unwrap()), ..SubscriptionChange::default() };
        match decides {
            Decides::Nothing => {}
            Decides::Amount => drop(world.billing.change("M-1", &amount, by()).await.unwrap()),
            Decides::Cancel => drop(world.billing.cancel("M-1", CancelAt::Now, by()).await.unwrap()),
        }
        while world.billing.today().await.unwrap().to_string().as_str() < *until {
            // The worker may fail, and goes on.
            let _ = world.billing.work().await;
            world.half_a_day_without_work().await;
        }
        let _ = world.billing.work().await;
        let member = world.member("M-1").await;
        assert_eq!(
            reasons(&world).await,
            *told,
            "case {number}: {:?} {:?}",
            member.terms,
            member.subscription
        );
        let today = world.billing.today().await.unwrap();
        let stalled = world.member("M-1").await.stalled(today);
        assert_eq!(stalled.is_some(), !told.is_empty(), "case {number}: {stalled:?}");
        // A plan is made when the gateway is back; a cancellation that failed three times waits for a person.
        world.sandbox.clear_faults().await.unwrap();
        world.pass(3).await;
        let stalled = world.member("M-1").await.stalled(today + chrono::Days::new(3));
        assert_eq!(
            stalled.is_some(),
            *fails == "plans.update" && !told.is_empty(),
            "case {number}: {stalled:?}"
        );
        assert_eq!(reasons(&world).await, *told, "case {number}");
    }
}
