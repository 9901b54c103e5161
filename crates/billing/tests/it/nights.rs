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
        requests.push(world.wire.requests().len());
    }
    let mut paid = DueDayFilter::default();
    paid.states = vec![DayState::Paid];
    assert_eq!(world.billing.due_days(&paid).await.unwrap().len(), 60);
    // Noon and midnight: a day is complete an hour after its end. The cards were read before, in the first round of the week.
    assert_eq!(requests, [2, 1, 2, 1, 2, 1]);
}

/// Holds: A write sends what it must: one look before it where the look can find something, none whose result changes
/// nothing, and no search for the control customer where no absence is believed.
#[tokio::test]
async fn a_write_sends_no_request_whose_response_changes_nothing() {
    let world = World::new().await;
    world.wire.requests();
    world.billing.start(&world.gold("M-1", 15)).await.unwrap();
    world.billing.work().await.unwrap();
    let of_write =
        |request: &String| !request.starts_with("GET transactions start-date") && request != "GET tokens";
    let of_writes =
        |requests: Vec<String>| requests.into_iter().filter(of_write).collect::<Vec<_>>().join(", ");
    let mut sent = vec![format!("a start: {}", of_writes(world.wire.requests()))];
    world.until("2027-03-14").await;
    let declines = Fault::on("engine.charge", Effect::Decline { result_code: "012".into() });
    world.sandbox.fault(&declines.nth(1)).await.unwrap();
    for _ in 0..10 {
        world.half_a_day_without_work().await;
        world.wire.requests();
        let worked = world.billing.work().await.unwrap();
        if worked.steps > 0 {
            let today = world.billing.today().await.unwrap();
            sent.push(format!("{today}: {}", of_writes(world.wire.requests())));
        }
    }
    assert_eq!(
        sent,
        [
            // The token is the customer's, and no plan like it exists; a look, and the plan; a look at all with its mark, and
            // the activation, which reads the plan first.
            "a start: GET customers/tokens, GET payment-plans customer-key, POST payment-plans, \
             GET payment-plans customer-key, GET payment-plans, PUT payment-plans",
            // A plan whose charge was declined is canceled, which is confirmed, and another one is made.
            "2027-03-15: GET payment-plans, PUT payment-plans, GET payment-plans, GET payment-plans customer-key, \
             POST payment-plans, GET payment-plans customer-key, GET payment-plans, PUT payment-plans",
            // The charges of its plan are read before a day is sold.
            "2027-03-17: GET transactions order-id, GET transactions level order-id, POST transactions/sale",
        ]
    );
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
