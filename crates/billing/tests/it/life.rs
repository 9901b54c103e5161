//! Lives of subscriptions over the sandbox, held against its own records.

use chrono::NaiveDate;
use perennial::Amount;
use perennial_billing::{
    CancelAt, Claim, DayState, Decision, NewSubscription, PauseEnd, RecoveryChange, Route, Status,
    SubscriptionChange, TermStatus,
};
use perennial_journal::By;
use perennial_sandbox::{Effect, Fault};

use crate::support::{World, by, days};

/// Holds: A subscription charges each month beyond the twelve months of a plan, each due day once.
#[tokio::test]
async fn a_subscription_is_renewed_before_a_day_is_missed() {
    for world in World::on_each_database().await {
        is_renewed(&world).await;
    }
}

async fn is_renewed(world: &World) {
    world.billing.start(&world.gold("M-1", 15)).await.unwrap();
    world.billing.work().await.unwrap();
    world.until("2028-03-20").await;
    let member = world.member("M-1").await;
    let paid: Vec<_> = member.days.values().filter(|day| day.state == DayState::Paid).collect();
    assert_eq!(paid.len(), 15, "{:#?}", days(&member));
    assert_eq!(member.terms.len(), 2);
    assert_eq!(member.terms[0].status, TermStatus::Closed);
    assert_eq!(member.terms[1].status, TermStatus::Active);
    let charges = world.billing.charges(&member.subscription).await.unwrap();
    assert_eq!(charges.len(), 15);
}

/// Holds: A subscription that is canceled, paused, changed or kept charges what the command promised, and nothing else.
#[tokio::test]
async fn commands_hold_from_the_next_due_day() {
    let world = World::new().await;
    let billing = &world.billing;
    let start = async |id: &str| {
        billing.start(&world.gold(id, 15)).await.unwrap();
        billing.work().await.unwrap();
    };
    for id in ["canceled", "ending", "kept", "paused", "changed", "moved", "moved-late"] {
        start(id).await;
    }
    world.until("2027-02-08").await;
    let to_day =
        |day: u32| SubscriptionChange { day: Some(day.try_into().unwrap()), ..SubscriptionChange::default() };
    billing.change("moved-late", &to_day(5), by()).await.unwrap();
    world.until("2027-02-20").await;
    billing.change("moved", &to_day(2), by()).await.unwrap();
    let at = |day: &str| CancelAt::Day(day.parse().unwrap());
    let canceled = billing.cancel("canceled", CancelAt::Now, by()).await.unwrap();
    assert_eq!(canceled.subscription.status, Status::Canceling);
    billing.work().await.unwrap();
    assert_eq!(world.member("canceled").await.subscription.status, Status::Ended);
    billing.cancel("ending", at("2027-04-15"), by()).await.unwrap();
    billing.cancel("kept", CancelAt::PeriodEnd, by()).await.unwrap();
    billing.keep("kept", by()).await.unwrap();
    billing.pause("paused", None, "2027-05-01".parse().unwrap(), by()).await.unwrap();
    let change =
        SubscriptionChange { amount: Some("60.00".parse().unwrap()), ..SubscriptionChange::default() };
    billing.change("changed", &change, by()).await.unwrap();
    world.until("2027-06-20").await;

    for (id, status, expected) in [
        ("canceled", Status::Ended, "2027-01-15 2027-02-15"),
        ("ending", Status::Ended, "2027-01-15 2027-02-15 2027-03-15 2027-04-15"),
        ("kept", Status::Active, "2027-01-15 2027-02-15 2027-03-15 2027-04-15 2027-05-15 2027-06-15"),
        ("paused", Status::Active, "2027-01-15 2027-02-15 2027-05-15 2027-06-15"),
        ("changed", Status::Active, "2027-01-15 2027-02-15 2027-03-15 2027-04-15 2027-05-15 2027-06-15"),
        ("moved", Status::Active, "2027-01-15 2027-02-15 2027-03-02 2027-04-02 2027-05-02 2027-06-02"),
        // The 5th of February had passed, so that the 15th was due.
        ("moved-late", Status::Active, "2027-01-15 2027-02-15 2027-03-05 2027-04-05 2027-05-05 2027-06-05"),
    ] {
        let member = world.member(id).await;
        let paid =
            member.days.values().filter(|day| day.state == DayState::Paid).map(|day| day.day.to_string());
        assert_eq!(paid.collect::<Vec<_>>().join(" "), expected, "{id}: {:#?}", days(&member));
        assert_eq!(member.subscription.status, status, "{id}");
    }
    // The gateway has the same, and nothing else.
    let approved = world.approved().await;
    let sum = |amount: &str| approved.iter().filter(|(_, made)| made == amount).count();
    assert_eq!((sum("50.00"), sum("60.00"), approved.len()), (2 + 4 + 6 + 4 + 2 + 6 + 6, 4, 34));
}

/// Holds: A change from a later day leaves what is due before it, charges from then on what its preview says, and never
/// charges a month twice or not at all.
#[tokio::test]
async fn a_change_holds_from_its_day() {
    let world = World::new().await;
    let rows = [
        ("2027-04-01", "60", 0, ["02-15 50.00", "03-15 50.00", "04-15 60.00", "05-15 60.00"]),
        ("2027-03-15", "60", 0, ["02-15 50.00", "03-15 60.00", "04-15 60.00", "05-15 60.00"]),
        ("2027-03-16", "60", 0, ["02-15 50.00", "03-15 50.00", "04-15 60.00", "05-15 60.00"]),
        ("2027-01-20", "60", 0, ["02-15 60.00", "03-15 60.00", "04-15 60.00", "05-15 60.00"]),
        ("2027-01-21", "60", 0, ["02-15 60.00", "03-15 60.00", "04-15 60.00", "05-15 60.00"]),
        ("2027-04-10", "60", 5, ["02-15 50.00", "03-15 50.00", "04-15 60.00", "05-05 60.00"]),
        ("2027-04-10", "60", 20, ["02-15 50.00", "03-15 50.00", "04-20 60.00", "05-20 60.00"]),
        ("2027-02-16", "50", 20, ["02-15 50.00", "03-20 50.00", "04-20 50.00", "05-20 50.00"]),
        ("2028-12-01", "60", 5, ["02-15 50.00", "03-15 50.00", "04-15 50.00", "05-15 50.00"]),
    ];
    let id = |row: usize| format!("M-{row}");
    for row in 0..rows.len() {
        world.billing.start(&world.gold(&id(row), 15)).await.unwrap();
    }
    world.until("2027-01-20").await;
    for (row, (from, amount, day, expected)) in rows.iter().enumerate() {
        let mut change = SubscriptionChange::default();
        (change.from, change.amount, change.day) =
            (from.parse().ok(), amount.parse().ok(), (*day).try_into().ok());
        let change = Decision::Change(change);
        let [_, after] = world.billing.preview_decision(&id(row), &change, 4).await.unwrap();
        let after: Vec<_> =
            after.iter().map(|(day, amount)| format!("{} {amount}", day.format("%m-%d"))).collect();
        assert_eq!(after, expected, "the preview from {from}");
        world.billing.decide(&id(row), &change, by()).await.unwrap();
    }
    world.until("2027-05-22").await;
    for (row, (from, _, _, expected)) in rows.iter().enumerate() {
        let member = world.member(&id(row)).await;
        let paid = member.days.values().skip(1).filter(|due| due.state == DayState::Paid);
        let paid: Vec<_> = paid.map(|due| format!("{} {}", due.day.format("%m-%d"), due.paid)).collect();
        assert_eq!(paid, expected, "from {from}: {:#?}", days(&member));
    }
    let past = SubscriptionChange {
        from: "2027-05-21".parse().ok(),
        amount: "60.00".parse().ok(),
        ..SubscriptionChange::default()
    };
    let error = world.billing.change("M-0", &past, by()).await.unwrap_err();
    assert!(error.to_string().contains("the start of the change is in the past"), "{error}");
}

/// Holds: Until the day from which another card is charged, a declined day is tried with the card that it had.
#[tokio::test]
async fn a_card_is_charged_from_its_day() {
    let world = World::new().await;
    let other = world.card("5454 5454 5454 5454").await;
    world.billing.start(&world.gold("M-1", 15)).await.unwrap();
    world.until("2027-01-10").await;
    let mut change = SubscriptionChange::default();
    (change.from, change.token) = ("2027-02-01".parse().ok(), Some(other));
    world.billing.change("M-1", &change, by()).await.unwrap();
    let decline = Fault::on("engine.charge", Effect::Decline { result_code: "012".to_owned() });
    world.sandbox.fault(&decline.nth(1)).await.unwrap();
    world.until("2027-02-17").await;
    let days = days(&world.member("M-1").await);
    assert_eq!(days[..2], ["2027-01-15 recovered ", "2027-02-15 paid "]);
    assert_eq!(world.cards_charged().await, ["1111", "5454"]);
}

/// Holds: A cancellation whose end has come is not taken back, and the same pause on a later day is no longer one.
#[tokio::test]
async fn a_decision_that_is_late_or_repeated_changes_nothing() {
    let world = World::new().await;
    for id in ["ended", "paused"] {
        world.billing.start(&world.gold(id, 15)).await.unwrap();
    }
    world.until("2027-01-13").await;
    world.sandbox.fault(&Fault::on("plans.update", Effect::ErrorBefore { status: 500 })).await.unwrap();
    world.billing.cancel("ended", CancelAt::PeriodEnd, by()).await.unwrap();
    let pause = Decision::Pause { from: None, end: PauseEnd::Charges(1), collects: false };
    let paused = world.billing.decide("paused", &pause, by()).await.unwrap().subscription.pause.unwrap();
    assert_eq!(
        (paused.from.to_string(), paused.until.to_string()),
        ("2027-01-16".to_owned(), "2027-02-16".to_owned())
    );
    world.half_a_day_without_work().await;
    world.half_a_day_without_work().await;
    let error = world.billing.keep("ended", by()).await.unwrap_err();
    assert!(error.to_string().contains("has no cancellation that can be taken back"), "{error}");
    let again = world.billing.decide("paused", &pause, by()).await.unwrap().subscription.pause.unwrap();
    assert_eq!(again, paused);
}

/// Holds: A sale that is planned and not sent is withdrawn by a pause.
#[tokio::test]
async fn a_pause_withdraws_a_sale_that_is_not_sent() {
    let world = World::new().await;
    world.until("2027-01-15").await;
    world.sandbox.fault(&Fault::on("transactions.sale", Effect::ErrorBefore { status: 429 })).await.unwrap();
    world.billing.start(&world.gold("M-1", 15)).await.unwrap();
    world.billing.work().await.unwrap();
    assert_eq!(days(&world.member("M-1").await)[0], "2027-01-15 collecting ");
    world.sandbox.clear_faults().await.unwrap();
    world.billing.pause("M-1", None, "2027-03-01".parse().unwrap(), by()).await.unwrap();
    world.until("2027-02-20").await;
    assert!(world.approved().await.is_empty());
    assert_eq!(days(&world.member("M-1").await)[0], "2027-01-15 waived it is not due any more");
}

/// Holds: A declined charge is tried again on later days, by a sale, only after its plan is closed, and is given up at last;
/// the next month goes by a new plan.
#[tokio::test]
async fn a_declined_day_goes_to_a_sale_after_its_plan_is_closed() {
    let world = World::new().await;
    // The issuer declines this amount: not sufficient funds.
    let declined = NewSubscription { amount: "0.21".parse().unwrap(), ..world.gold("M-1", 15) };
    world.billing.start(&declined).await.unwrap();
    world.billing.work().await.unwrap();
    world.until("2027-01-17").await;
    let member = world.member("M-1").await;
    let day = &member.days[&"2027-01-15".parse().unwrap()];
    assert_eq!((day.route, day.tries, day.code.as_deref()), (Route::Sale, 1, Some("012")), "{day:?}");
    assert_eq!(member.terms[0].status, TermStatus::Closed);
    world.until("2027-01-25").await;
    let member = world.member("M-1").await;
    let day = &member.days[&"2027-01-15".parse().unwrap()];
    assert_eq!((day.state, day.tries), (DayState::GivenUp, 4), "{day:?}");
    assert_eq!(member.live().unwrap().first.to_string(), "2027-02-15");
    let charges = world.billing.charges(&member.subscription).await.unwrap();
    assert_eq!(charges.len(), 5);
    assert!(charges.iter().all(|charge| charge.claim == Claim::Declined));
    assert!(world.approved().await.is_empty());
}

/// Holds: A cancellation stays where it is when a waived day moves the agreed last day past it.
#[tokio::test]
async fn a_cancellation_holds_over_a_number_of_charges() {
    let world = World::new().await;
    let day = |text: &str| text.parse::<NaiveDate>().unwrap();
    world.billing.start(&world.gold("M-1", 15).charges(2)).await.unwrap();
    world.until("2027-01-20").await;
    world.billing.cancel("M-1", CancelAt::Day(day("2027-02-15")), by()).await.unwrap();
    let pause = Decision::Pause { from: None, end: PauseEnd::Charges(1), collects: false };
    world.billing.decide("M-1", &pause, by()).await.unwrap();
    world.until("2027-05-20").await;
    let member = world.member("M-1").await;
    assert_eq!((world.approved().await.len(), member.subscription.status), (1, Status::Ended));
    assert_eq!(member.subscription.ends_on(), Some(day("2027-02-15")));
}

/// Holds: Bad input is a specific error, and nothing is stored or sent.
#[tokio::test]
async fn bad_input_changes_nothing() {
    let world = World::new().await;
    let billing = &world.billing;
    let gold = || world.gold("M-1", 15);
    let day = |text: &str| text.parse().unwrap();
    let amount = |text: &str| text.parse().unwrap();
    for (new, expected) in [
        (NewSubscription { id: String::new(), ..gold() }, "the id of a subscription has 1 to 60"),
        (NewSubscription { id: "a b".to_owned(), ..gold() }, "the id of a subscription has 1 to 60"),
        (NewSubscription { amount: Amount::ZERO, ..gold() }, "the amount is nothing"),
        (
            NewSubscription { token: "999".parse().unwrap(), ..gold() },
            "the token is not one of the customer's",
        ),
        (gold().from(day("2026-12-31")), "the start is in the past: today is 2027-01-01, in UTC"),
        (gold().until(day("2027-01-10")), "the subscription ends before it begins"),
        (NewSubscription { name: String::new(), ..gold() }, "plan-name"),
    ] {
        let error = billing.start(&new).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    assert!(billing.list("", 10).await.unwrap().is_empty());
    billing.start(&gold()).await.unwrap();
    assert_eq!(billing.start(&gold()).await.unwrap().generation, 1, "the same call again");
    let error = billing.start(&NewSubscription { amount: amount("60.00"), ..gold() }).await.unwrap_err();
    assert!(error.to_string().contains("exists with other values"), "{error}");
    for (error, expected) in [
        (billing.show("M-2").await.unwrap_err(), "there is no subscription M-2"),
        (billing.keep("M-1", by()).await.unwrap_err(), "has no cancellation that can be taken back"),
        (
            billing.pause("M-1", None, day("2027-01-01"), by()).await.unwrap_err(),
            "the pause ends before it begins",
        ),
        (
            billing.pause("M-1", Some(day("2026-01-01")), day("2027-02-01"), by()).await.unwrap_err(),
            "is in the past",
        ),
        (
            billing.cancel("M-1", CancelAt::Day(day("2026-12-31")), by()).await.unwrap_err(),
            "the end is in the past",
        ),
        (
            billing.change("M-1", &SubscriptionChange::default(), by()).await.unwrap_err(),
            "the change has no value",
        ),
        (
            billing.change_recovery_rules(&RecoveryChange::default(), by()).await.unwrap_err(),
            "the change has no value",
        ),
        (billing.cancel("M-1", CancelAt::Now, By::new(" ", "asked")).await.unwrap_err(), "give both"),
        (billing.cancel("M-1", CancelAt::Now, By::new("ines", "")).await.unwrap_err(), "give both"),
    ] {
        assert!(error.to_string().contains(expected), "{error}");
    }
    let kept = billing.show("M-1").await.unwrap().subscription;
    assert_eq!(
        (kept.amount, kept.ends_on(), kept.pause, kept.status),
        (gold().amount, None, None, Status::Active)
    );
}
