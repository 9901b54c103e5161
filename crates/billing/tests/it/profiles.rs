//! Subscriptions over gateways of every documented and undocumented habit.

use perennial::clearent::{PlanSearch, PlanStatus};
use perennial_billing::{CancelAt, DayState, First, NewSubscription};
use perennial_sandbox::{Effect, Fault, GatewayOptions, PlanChargeOrderId};

use crate::books::month;
use crate::habits::habits;
use crate::support::{World, by, days};

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
    for (name, options) in habits() {
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

/// Holds: Whatever the gateway's engine does to the charge of a day, the day ends with its amount once, or with a person, and
/// the books say what is left over.
#[tokio::test]
async fn a_fault_of_the_engine_leaves_its_day_charged_once() {
    let declined = |result_code: &str| Effect::Decline { result_code: result_code.to_owned() };
    for (effect, state, approved, surplus) in [
        (Effect::ChargeLate { delay: "P1D".parse().unwrap() }, DayState::Paid, 1, "0.00"),
        (Effect::ChargeLate { delay: "P9D".parse().unwrap() }, DayState::Recovered, 1, "0.00"),
        (Effect::Duplicate, DayState::Paid, 2, "50.00"),
        (Effect::Skip, DayState::Recovered, 1, "0.00"),
        (declined("012"), DayState::Recovered, 1, "0.00"),
        (declined("005"), DayState::GivenUp, 0, "0.00"),
    ] {
        let world = World::new().await;
        world.billing.start(&world.gold("M-1", 15)).await.unwrap();
        world.until("2027-02-10").await;
        world.sandbox.fault(&Fault::on("engine.charge", effect.clone()).nth(1)).await.unwrap();
        world.until("2027-03-12").await;
        let day = "2027-02-15".parse().unwrap();
        let member = world.member("M-1").await;
        let gateway = world.approved().await.iter().filter(|(made, _)| made.as_str() > "2027-02-01").count();
        assert_eq!((member.days[&day].state, gateway), (state, approved), "{effect:?}: {:#?}", days(&member));
        let left_over = month(&world, "2027-02").await.surplus.to_string();
        assert_eq!(left_over, surplus, "{effect:?}");
    }
}

/// Holds: Where a search by order id finds nothing, a sale whose response was lost is not made a second time.
#[tokio::test]
async fn a_search_that_finds_no_order_id_proves_no_absence() {
    let world = World::with(GatewayOptions { order_id_searchable: false, ..GatewayOptions::default() }).await;
    world.sandbox.fault(&Fault::on("transactions.sale", Effect::DropReply).nth(1)).await.unwrap();
    let today = NewSubscription { first: First::Today, ..world.gold("M-1", 15) };
    world.billing.start(&today).await.unwrap();
    world.until("2027-01-14").await;
    assert_eq!(world.approved().await.len(), 1, "{:?}", days(&world.member("M-1").await));
}

/// Holds: Where charges of plans have order ids of the gateway's own, one of another amount is found by the name of its plan.
#[tokio::test]
async fn a_charge_of_another_amount_is_found_by_the_name_of_its_plan() {
    let own_id = GatewayOptions {
        plan_charge_order_id: PlanChargeOrderId::OwnId,
        partial_amount: "50.00".parse().ok(),
        ..GatewayOptions::default()
    };
    let world = World::with(own_id).await;
    world.billing.start(&world.gold("M-1", 15)).await.unwrap();
    world.until("2027-02-10").await;
    assert_eq!(world.approved().await.len(), 1);
    let due = world.member("M-1").await.days[&"2027-01-15".parse().unwrap()].clone();
    assert_eq!((due.state, due.paid.is_zero()), (DayState::Part, false), "{due:?}");
    assert!(!month(&world, "2027-01").await.are_closed());
}
