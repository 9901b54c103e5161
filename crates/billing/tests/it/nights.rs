//! Nights: the requests that they send, and a transaction that cannot be read.

use perennial_billing::{DayState, DueDayFilter};
use perennial_sandbox::{Effect, Fault};

use crate::support::World;

/// Holds: The charges of plans are read by the page: with 60 subscriptions, one request when nothing is new, one more when
/// a day is complete, and one a day for the expiry of their cards.
#[tokio::test]
async fn a_night_sends_a_request_for_each_page_and_not_for_each_subscription() {
    let world = World::new().await;
    for number in 0..60 {
        world.billing.start(&world.gold(&format!("M-{number}"), 15)).await.unwrap();
    }
    world.until("2027-01-15").await;
    let mut requests = Vec::new();
    for _ in 0..6 {
        world.half_a_day_without_work().await;
        world.wire.requests();
        world.billing.work().await.unwrap();
        requests.push(world.wire.requests());
    }
    let mut paid = DueDayFilter::default();
    paid.states = vec![DayState::Paid];
    assert_eq!(world.billing.due_days(&paid).await.unwrap().len(), 60);
    // Noon and midnight: a day is complete an hour after its end, and the cards are read in the first round of a day.
    assert_eq!(requests, [2, 2, 2, 2, 2, 2]);
}

/// Holds: While a transaction cannot be read, days whose charge it may be are neither missing nor sold, but for those of a
/// plan whose own list is whole; other days go on; a person is told once; and once it can be read, it is placed.
#[tokio::test]
async fn a_transaction_that_cannot_be_read_holds_only_the_days_whose_charge_it_may_be() {
    let world = World::new().await;
    // The gateway skips one charge: M-2 is missing in January, and M-3 in February, after a first charge.
    for (id, day) in [("M-1", 15), ("M-2", 16), ("M-3", 14), ("M-4", 25)] {
        world.billing.start(&world.gold(id, day)).await.unwrap();
    }
    world.billing.work().await.unwrap();
    world.until("2027-01-15").await;
    let skips = Fault::on("engine.charge", Effect::Skip);
    world.half_a_day_without_work().await;
    let of_plan = world.approved_id("2027-01-15").await;
    world.wire.make_unreadable(Some(of_plan));
    world.sandbox.fault(&skips.clone().nth(1)).await.unwrap();
    let state = async |id: &str, day: &str| world.member(id).await.days[&day.parse().unwrap()].clone();
    world.until("2027-01-21").await;
    for (id, day) in [("M-1", "2027-01-15"), ("M-2", "2027-01-16")] {
        assert_eq!(state(id, day).await.state, DayState::Expected, "{id}");
    }
    world.until("2027-01-27").await;
    for (id, day) in [("M-1", "2027-01-15"), ("M-2", "2027-01-16")] {
        let due = state(id, day).await;
        assert_eq!(due.state, DayState::NeedsPerson, "{id}: {due:?}");
        assert!(due.reason.unwrap().contains("cannot be read"), "{id}");
    }
    assert_eq!(state("M-4", "2027-01-25").await.state, DayState::Paid);
    let told = world.journal.events(0, 1_000).await.unwrap();
    let told: Vec<_> = told.iter().filter(|event| event.about == "transactions").collect();
    assert!(told.len() == 1 && told[0].body.contains("2027-01-15"), "{told:?}");
    world.wire.make_unreadable(None);
    world.until("2027-01-29").await;
    assert_eq!(state("M-1", "2027-01-15").await.state, DayState::Paid);

    // From noon to midnight.
    world.half_a_day().await;
    // The list of M-3's plan has its charge of January, so that the unreadable one is not its.
    world.until("2027-02-13").await;
    world.sandbox.fault(&skips.nth(1)).await.unwrap();
    world.until("2027-02-15").await;
    world.half_a_day_without_work().await;
    let of_plan = world.approved_id("2027-02-15").await;
    world.wire.make_unreadable(Some(of_plan));
    world.until("2027-02-22").await;
    assert_eq!(state("M-3", "2027-02-14").await.state, DayState::Recovered);
    assert_eq!(state("M-1", "2027-02-15").await.state, DayState::Expected);
}
