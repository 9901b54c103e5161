//! Subscriptions over gateways of every documented and undocumented habit.

use perennial::clearent::{PlanSearch, PlanStatus};
use perennial_billing::{CancelAt, DayState};
use perennial_sandbox::{DeclineRetries, Effect, Fault, GatewayOptions, PlanChargeOrderId};

use crate::support::{World, by, days};

/// The habits, each with its name.
pub(crate) fn profiles() -> Vec<(&'static str, GatewayOptions)> {
    let usual = || GatewayOptions { retention: "P100Y".parse().unwrap(), ..GatewayOptions::default() };
    let retries = |after_cancel| DeclineRetries { times: 2, every: "P1D".parse().unwrap(), after_cancel };
    vec![
        ("as documented", usual()),
        ("charges late in the day", GatewayOptions { charge_hour: 23, ..usual() }),
        ("charges at midnight", GatewayOptions { charge_hour: 0, ..usual() }),
        ("a day early", GatewayOptions { date_slip: -1, ..usual() }),
        ("a day late", GatewayOptions { date_slip: 1, ..usual() }),
        ("dates do not count", GatewayOptions { start_inclusive: false, end_inclusive: false, ..usual() }),
        ("tries declines again", GatewayOptions { decline_retries: retries(false), ..usual() }),
        ("catches up", GatewayOptions { catch_up: true, ..usual() }),
        ("searches lag", GatewayOptions { search_lag: "PT20H".parse().unwrap(), ..usual() }),
        (
            "order ids of its own",
            GatewayOptions { plan_charge_order_id: PlanChargeOrderId::OwnId, ..usual() },
        ),
        (
            "tries declines again after a cancellation",
            GatewayOptions { decline_retries: retries(true), ..usual() },
        ),
        ("short names", GatewayOptions { name_limit: 30, ..usual() }),
    ]
}

/// Holds: A plan that comes back ACTIVE although it was created SUSPENDED charges nothing: it is canceled, and the merchant is
/// on hold.
#[tokio::test]
async fn a_plan_that_is_not_suspended_is_canceled() {
    let world = World::with(GatewayOptions { honors_suspended: false, ..GatewayOptions::default() }).await;
    world.billing.start(&world.gold("M-1", 15)).await.unwrap();
    world.until("2027-02-20").await;
    let plans = world.client.plans().search(&PlanSearch::default()).collect_all().await.unwrap();
    assert!(!plans.is_empty());
    for plan in plans {
        assert_eq!(plan.status, Some(PlanStatus::CANCELED));
    }
    assert!(world.approved().await.is_empty());
    let hold = world.journal.tenants().await.unwrap()[0].hold.clone();
    assert_eq!(hold.as_deref(), Some("the created object differs from the request in status"));
    let states = world.member("M-1").await.days.values().map(|day| day.state).collect::<Vec<_>>();
    // The sales wait for the end of the hold.
    assert_eq!(&states[..2], [DayState::Collecting, DayState::Collecting]);
}

/// Holds: Under every habit, a member is charged once for each month over a renewal, a decline is recovered, a pause and a
/// cancellation hold, and the gateway has no other charge.
#[tokio::test]
async fn a_member_is_charged_once_for_each_month_under_every_habit() {
    for (name, options) in profiles() {
        let world = World::with(options).await;
        world.billing.start(&world.gold("M-1", 15)).await.unwrap();
        world.billing.start(&world.gold("M-2", 28)).await.unwrap();
        world.until("2027-03-10").await;
        let decline = Fault::on("engine.charge", Effect::Decline { result_code: "012".to_owned() }).nth(1);
        world.sandbox.fault(&decline).await.unwrap();
        world.until("2027-04-20").await;
        world.billing.pause("M-2", None, "2027-07-01".parse().unwrap(), by()).await.unwrap();
        world.until("2028-02-20").await;
        world.billing.cancel("M-1", CancelAt::Now, by()).await.unwrap();
        world.until("2028-04-02").await;

        let mut paid = 0;
        for (id, expected) in [("M-1", 14), ("M-2", 12)] {
            let member = world.member(id).await;
            let done =
                member.days.values().filter(|day| matches!(day.state, DayState::Paid | DayState::Recovered));
            let done = done.count();
            assert_eq!(done, expected, "{name}: {id} {:#?}", days(&member));
            paid += done;
        }
        let approved = world.approved().await;
        assert_eq!(approved.len(), paid, "{name}: {approved:?}");
    }
}
