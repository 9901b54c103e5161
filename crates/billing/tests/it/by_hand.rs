//! Due days by hand, over the sandbox.

use chrono::NaiveDate;
use perennial::clearent::{Charge as Sale, Refund, TransactionId, TransactionSearch, TransactionType};
use perennial_billing::{
    AtEnd, CancelAt, Claim, DayDecision, DayRefund, DayState, Decision, Error, First, Member,
    NewSubscription, PauseEnd, RecoveryChange, RecoveryRules, Route, Status, SubscriptionChange,
};
use perennial_journal::Settled;
use perennial_sandbox::{Effect, Fault, GatewayOptions};

use crate::support::{World, by};

/// The due days of a member that are not to come, each with its state.
fn past(member: &Member) -> String {
    let days = member.days.values().filter(|day| day.state != DayState::Expected);
    days.map(|day| format!("{} {}", day.day, day.state)).collect::<Vec<_>>().join(", ")
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

impl World {
    /// Lets the gateway's engine decline the next charges of plans.
    async fn decline(&self, result_code: &str, times: u64) {
        let decline = Fault::on("engine.charge", Effect::Decline { result_code: result_code.to_owned() });
        self.sandbox.fault(&decline.times(times)).await.unwrap();
    }

    async fn state(&self, id: &str, due: &str) -> DayState {
        self.member(id).await.days[&day(due)].state
    }

    async fn start(&self, id: &str, due: u32) {
        self.billing.start(&self.gold(id, due)).await.unwrap();
        self.billing.work().await.unwrap();
    }

    /// A sale of the merchant's own.
    async fn sale(&self, amount: &str) -> TransactionId {
        let sale = Sale::builder().amount(amount).card(&self.token).build().unwrap();
        self.client.transactions().sale(&sale).await.unwrap().id.clone().unwrap()
    }

    async fn kinds(&self) -> Vec<String> {
        self.journal.events(0, 1_000).await.unwrap().into_iter().map(|event| event.kind).collect()
    }
}

/// Holds: A due day that was given up is collected, waived, claimed or left by a person, each once, and the subscription and
/// the gateway agree.
#[tokio::test]
async fn a_day_is_settled_by_a_person() {
    for world in World::on_each_database().await {
        let billing = &world.billing;
        for id in ["collected", "waived", "claimed", "left"] {
            world.start(id, 15).await;
        }
        world.decline("005", 4).await;
        world.until("2027-01-18").await;
        let due = "2027-01-15";
        for id in ["collected", "waived", "claimed", "left"] {
            assert_eq!(world.state(id, due).await, DayState::GivenUp, "{id}");
        }
        // The plan goes on, so that it must be closed before a sale.
        let decided = billing.decide_day("collected", day(due), &DayDecision::Collect, by()).await.unwrap();
        assert_eq!(decided.days[&day(due)].route, Route::Plan);
        billing.decide_day("waived", day(due), &DayDecision::Waive, by()).await.unwrap();
        let paid = world.sale("50.00").await;
        for _ in 0..2 {
            let claim = DayDecision::Claim(paid.clone());
            billing.decide_day("claimed", day(due), &claim, by()).await.unwrap();
        }
        world.until("2027-03-20").await;
        for (id, state, paid) in [
            ("collected", DayState::Recovered, 3),
            ("waived", DayState::Waived, 2),
            ("claimed", DayState::Recovered, 3),
            ("left", DayState::GivenUp, 2),
        ] {
            let member = world.member(id).await;
            assert_eq!(member.days[&day(due)].state, state, "{id}");
            assert_eq!(member.days.values().filter(|day| !day.paid.is_zero()).count(), paid, "{id}");
        }
        assert_eq!(world.approved().await.len(), 3 + 2 + 3 + 2);
        let claimed = world.member("claimed").await.subscription;
        let claims = billing.charges(&claimed).await.unwrap();
        assert!(claims.iter().any(|charge| charge.id == paid && charge.claim == Claim::Pays));
        let decisions = world.journal.decisions(&claimed.uid).await.unwrap();
        let kept: Vec<_> = decisions.iter().map(|one| (one.what.as_str(), one.reason.as_str())).collect();
        assert_eq!(kept, [("claimed 2027-01-15", "asked at the desk")]);
        let reason = world.member("waived").await.days[&day(due)].reason.clone();
        assert_eq!(reason.as_deref(), Some("asked at the desk"));
    }
}

/// Holds: A decision that a due day cannot have is a specific error, and nothing changes.
#[tokio::test]
async fn a_decision_that_cannot_be_is_refused() {
    let world = World::new().await;
    world.start("M-1", 15).await;
    world.start("M-2", 15).await;
    world.decline("005", 1).await;
    world.until("2027-01-18").await;
    let (given_up, paid) = match world.state("M-1", "2027-01-15").await {
        DayState::GivenUp => ("M-1", "M-2"),
        _ => ("M-2", "M-1"),
    };
    let of_other = world.billing.charges(&world.member(paid).await.subscription).await.unwrap().remove(0).id;
    let voided = world.sale("50.00").await;
    world.client.transactions().void(&perennial::clearent::Void { id: voided.clone() }).await.unwrap();
    let declined = world.sale("0.21").await;
    let before = (world.member(given_up).await, world.member(paid).await);
    for (id, on, decision, expected) in [
        ("M-9", "2027-01-15", DayDecision::Waive, "there is no subscription M-9"),
        (paid, "2027-01-16", DayDecision::Waive, "has no due day 2027-01-16"),
        (paid, "2027-01-15", DayDecision::Collect, "is paid, and cannot be collected: it can be refunded"),
        (paid, "2027-01-15", DayDecision::Waive, "is paid, and cannot be waived"),
        (paid, "2027-02-15", DayDecision::Waive, "is expected, and cannot be waived: pause the subscription"),
        (paid, "2027-02-15", DayDecision::Collect, "is expected, and cannot be collected"),
        (paid, "2027-02-15", DayDecision::Claim(voided.clone()), "it is voided"),
        (given_up, "2027-01-15", DayDecision::Claim(of_other), "another due day has it already"),
        (given_up, "2027-01-15", DayDecision::Claim(voided), "it is voided"),
        (given_up, "2027-01-15", DayDecision::Claim(declined), "it is no approved sale, and no refund"),
        (given_up, "2027-01-15", DayDecision::Dispute, "has no charge"),
    ] {
        let error = world.billing.decide_day(id, day(on), &decision, by()).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    for (id, refund, expected) in [
        (given_up, DayRefund::default(), "has no charge"),
        (paid, DayRefund { amount: "50.01".parse().ok(), ..DayRefund::default() }, "above what is left"),
        (paid, DayRefund { transaction: "1".parse().ok(), ..DayRefund::default() }, "has no charge"),
    ] {
        let error = world.billing.refund(id, day("2027-01-15"), &refund, by()).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    assert_eq!((world.member(given_up).await, world.member(paid).await), before);
}

/// Holds: A charge is refunded in parts and disputed for the rest, never above its amount; a refund whose response is lost
/// is made once.
#[tokio::test]
async fn a_charge_is_given_back_once() {
    let world = World::new().await;
    world.start("M-1", 15).await;
    world.until("2027-01-18").await;
    let due = day("2027-01-15");
    let refund = async |amount: Option<&str>| {
        let amount = amount.map(|amount| amount.parse().unwrap());
        world.billing.refund("M-1", due, &DayRefund { amount, transaction: None }, by()).await.unwrap()
    };
    // It is not sent while the gateway's list cannot be read, and withdrawn after some time.
    let blind = Fault::on("transactions.search", Effect::ErrorBefore { status: 500 });
    world.sandbox.fault(&blind).await.unwrap();
    let open = refund(Some("10.00")).await;
    assert!(matches!(open, Settled::Open(_)), "{open:?}");
    world.sandbox.clear_faults().await.unwrap();
    world.until("2027-01-20").await;
    for _ in 0..2 {
        let lost = Fault::on("transactions.refund", Effect::DropReply).times(1);
        world.sandbox.fault(&lost).await.unwrap();
        let made = refund(Some("10.00")).await;
        assert!(matches!(made, Settled::Done { .. }), "{made:?}");
    }
    // Another refund was made elsewhere.
    let sold = world.billing.due_day("M-1", due).await.unwrap().1.remove(0).id;
    let elsewhere = Refund::builder().id(&sold).amount("5.00").build().unwrap();
    let elsewhere = world.client.transactions().refund(&elsewhere).await.unwrap().id.clone().unwrap();
    for _ in 0..2 {
        let claim = DayDecision::Claim(elsewhere.clone());
        world.billing.decide_day("M-1", due, &claim, by()).await.unwrap();
    }
    world.billing.decide_day("M-1", due, &DayDecision::Dispute, by()).await.unwrap();
    let error = world.billing.refund("M-1", due, &DayRefund::default(), by()).await.unwrap_err();
    assert!(error.to_string().contains("has no charge of which anything is left"), "{error}");
    let (day, charges) = world.billing.due_day("M-1", due).await.unwrap();
    assert_eq!(day.state, DayState::Paid);
    let undone: Vec<_> =
        charges.iter().filter(|one| one.claim == Claim::Undoes).map(|one| one.amount.to_string()).collect();
    assert_eq!(undone, ["10.00", "10.00", "5.00", "25.00"]);
    let search = TransactionSearch { transaction_type: Some(TransactionType::REFUND), ..Default::default() };
    let refunds = world.client.transactions().search(&search).collect_all().await.unwrap();
    assert_eq!(refunds.len(), 3);
}

/// Holds: The rest of a day that was paid in part is collected by hand, and the sums of the day are right.
#[tokio::test]
async fn the_rest_of_a_part_is_collected() {
    let partial = GatewayOptions { partial_amount: "50.00".parse().ok(), ..GatewayOptions::default() };
    let world = World::with(partial).await;
    world.start("M-1", 15).await;
    world.until("2027-01-18").await;
    assert_eq!(world.state("M-1", "2027-01-15").await, DayState::Part);
    let due = day("2027-01-15");
    world.billing.decide_day("M-1", due, &DayDecision::Collect, by()).await.unwrap();
    world.until("2027-01-22").await;
    let (day, charges) = world.billing.due_day("M-1", due).await.unwrap();
    assert_eq!((day.state, day.paid.to_string()), (DayState::Recovered, "50.00".to_owned()));
    let claims: Vec<_> = charges.iter().map(|one| (one.claim, one.amount.to_string())).collect();
    assert_eq!(claims, [(Claim::Part, "40.00".to_owned()), (Claim::Rest, "10.00".to_owned())]);
}

/// Holds: A day whose card is not accepted any more waits for another card, and is collected with it.
#[tokio::test]
async fn another_card_collects_what_waits_for_it() {
    let world = World::new().await;
    world.start("M-1", 15).await;
    world.start("M-2", 15).await;
    world.decline("010", 2).await;
    world.until("2027-01-25").await;
    assert_eq!(world.state("M-1", "2027-01-15").await, DayState::Declined);
    let token = Some(world.card("5454 5454 5454 5454").await);
    let change = SubscriptionChange { token, ..SubscriptionChange::default() };
    world.billing.change("M-1", &change, by()).await.unwrap();
    world.until("2027-02-20").await;
    for (id, state) in [("M-1", DayState::Recovered), ("M-2", DayState::GivenUp)] {
        assert_eq!(world.state(id, "2027-01-15").await, state, "{id}");
        assert_eq!(world.state(id, "2027-02-15").await, DayState::Paid, "{id}");
    }
}

/// Holds: A pause for a number of charges waives them, or collects them by sales after it, one a day; a subscription that
/// charges a number of times does not count what is waived.
#[tokio::test]
async fn a_pause_is_counted_in_charges() {
    let world = World::new().await;
    let billing = &world.billing;
    for id in ["waives", "collects"] {
        billing.start(&world.gold(id, 15).charges(4)).await.unwrap();
    }
    billing.work().await.unwrap();
    world.until("2027-01-20").await;
    for (id, collects) in [("waives", false), ("collects", true)] {
        let pause = Decision::Pause { from: None, end: PauseEnd::Charges(2), collects };
        let [_, after] = billing.preview_decision(id, &pause, 10).await.unwrap();
        let after: Vec<_> = after.iter().map(|(day, _)| day.to_string()).collect();
        let expected = if collects {
            ["2027-03-16", "2027-03-17", "2027-04-15"]
        } else {
            ["2027-04-15", "2027-05-15", "2027-06-15"]
        };
        assert_eq!(after, expected, "{id}");
        billing.decide(id, &pause, by()).await.unwrap();
    }
    world.until("2027-08-01").await;
    for (id, expected) in [
        ("waives", "01-15 paid, 02-15 waived, 03-15 waived, 04-15 paid, 05-15 paid, 06-15 paid"),
        ("collects", "01-15 paid, 02-15 paid, 03-15 paid, 04-15 paid"),
    ] {
        let member = world.member(id).await;
        let rows = past(&member).replace("2027-", "");
        assert_eq!((rows.as_str(), member.subscription.status), (expected, Status::Ended), "{id}");
    }
    let made: Vec<_> = world.approved().await.into_iter().map(|(day, _)| day).collect();
    assert!(made.contains(&"2027-03-16".to_owned()) && made.contains(&"2027-03-17".to_owned()), "{made:?}");
}

/// Holds: The first charge is today, on the next day that a plan can make, or on the first such day; no month has two.
#[tokio::test]
async fn the_first_charge_is_chosen() {
    let world = World::new().await;
    let start = async |id: &str, first: First| {
        world.billing.start(&world.gold(id, 2).first(first)).await.unwrap();
    };
    start("due", First::Due).await;
    start("today", First::Today).await;
    start("next", First::Next).await;
    world.until("2027-03-10").await;
    for (id, expected) in [
        ("due", "2027-01-02 paid, 2027-02-02 paid, 2027-03-02 paid"),
        ("today", "2027-01-01 paid, 2027-02-02 paid, 2027-03-02 paid"),
        ("next", "2027-02-02 paid, 2027-03-02 paid"),
    ] {
        let member = world.member(id).await;
        assert_eq!(past(&member), expected, "{id}");
    }
    let later = world.gold("later", 2).first(First::Today).from(day("2027-04-01"));
    let error = world.billing.start(&later).await.unwrap_err().to_string();
    assert!(error.contains("a first charge today needs a start today"), "{error}");
}

/// Holds: A stop withdraws the tries of declined days, unless they are to be collected.
#[tokio::test]
async fn a_stop_withdraws_tries() {
    let world = World::new().await;
    let ends = [
        ("now", CancelAt::Now, false, DayState::GivenUp),
        ("now-open", CancelAt::Now, true, DayState::Recovered),
        ("end", CancelAt::PeriodEnd, false, DayState::GivenUp),
        ("end-open", CancelAt::PeriodEnd, true, DayState::Recovered),
    ];
    for (id, ..) in ends {
        world.start(id, 15).await;
    }
    world.decline("012", 4).await;
    world.until("2027-01-15").await;
    // The charge is declined at ten o'clock, and a try follows on the next day.
    world.half_a_day().await;
    for (id, at, collects_open, _) in ends {
        world.billing.decide(id, &Decision::Cancel { at, collects_open }, by()).await.unwrap();
    }
    world.until("2027-02-20").await;
    for (id, _, _, state) in ends {
        let member = world.member(id).await;
        assert_eq!(member.days[&day("2027-01-15")].state, state, "{id} {}", past(&member));
        assert_eq!((member.subscription.status, member.days.len()), (Status::Ended, 1), "{id}");
    }
    assert_eq!(world.approved().await.len(), 2);
}

/// Holds: Over the limit of a day, no more tries are made, one event says so, and they follow on the next days; at the end of
/// the tries, the merchant's rule holds.
#[tokio::test]
async fn tries_have_a_limit() {
    let none = RecoveryChange::default();
    for (change, expected) in [
        (RecoveryChange { tries_a_day: Some(1), ..none }, 3),
        (RecoveryChange { sum_a_day: Some("99.99".parse().unwrap()), ..none }, 3),
        (RecoveryChange { tries_a_day: Some(1_000), ..none }, 1),
    ] {
        let world = World::new().await;
        let rules = world.billing.change_recovery_rules(&change, by()).await.unwrap();
        assert_eq!(rules, change.applied(RecoveryRules::default()));
        for id in ["M-1", "M-2", "M-3"] {
            world.start(id, 15).await;
        }
        world.decline("012", 3).await;
        world.until("2027-01-22").await;
        let mut made: Vec<_> = world.approved().await.into_iter().map(|(day, _)| day).collect();
        made.dedup();
        assert_eq!(made.len(), expected, "{made:?}");
        assert_eq!(world.approved().await.len(), 3);
        let asked = world.kinds().await.iter().filter(|kind| *kind == "needs-person").count();
        assert_eq!(asked, expected - 1);
    }
    for (at_end, state, status) in [
        (AtEnd::Leave, DayState::GivenUp, Status::Active),
        (AtEnd::Cancel, DayState::GivenUp, Status::Ended),
        (AtEnd::Ask, DayState::NeedsPerson, Status::Active),
    ] {
        let world = World::new().await;
        let change = RecoveryChange { at_end: Some(at_end), ..none };
        world.billing.change_recovery_rules(&change, by()).await.unwrap();
        let declined = NewSubscription { amount: "0.21".parse().unwrap(), ..world.gold("M-1", 15) };
        world.billing.start(&declined).await.unwrap();
        world.until("2027-01-28").await;
        let member = world.member("M-1").await;
        let found = (member.days[&day("2027-01-15")].state, member.subscription.status);
        assert_eq!(found, (state, status), "{at_end}");
    }
}

/// Holds: A card that was declined 15 times in 30 days is not tried again before that is past.
#[tokio::test]
async fn a_card_is_declined_at_most_fifteen_times() {
    let world = World::new().await;
    for number in 0..20 {
        let id = format!("M-{number}");
        let declined = NewSubscription { amount: "0.21".parse().unwrap(), ..world.gold(&id, 15) };
        world.billing.start(&declined).await.unwrap();
    }
    world.until("2027-01-25").await;
    let mut tries = 0;
    for number in 0..20 {
        let member = world.member(&format!("M-{number}")).await;
        tries += member.days.values().map(|day| day.tries).sum::<i64>();
    }
    // The plans' own charges are 20 declines, and no try follows.
    assert_eq!(tries, 0);
}

/// Holds: The same command to collect a day whose sale is open changes nothing, and is no error.
#[tokio::test]
async fn a_day_that_is_being_collected_is_collected_once() {
    let world = World::new().await;
    world.start("M-1", 15).await;
    world.decline("005", 1).await;
    world.until("2027-01-18").await;
    let due = day("2027-01-15");
    let collect = async || {
        world.billing.decide_day("M-1", due, &DayDecision::Collect, by()).await.unwrap();
    };
    collect().await;
    world.until("2027-01-19").await;
    world.journal.hold("north-street", by()).await.unwrap();
    world.until("2027-01-21").await;
    assert_eq!(world.state("M-1", "2027-01-15").await, DayState::Collecting);
    collect().await;
    world.journal.release("north-street", by()).await.unwrap();
    world.until("2027-02-10").await;
    assert_eq!(world.state("M-1", "2027-01-15").await, DayState::Recovered);
    assert_eq!(world.approved().await.len(), 1);
}

/// Holds: A change of the rules under an operation key takes effect once, also after later changes, and another one under the
/// key is refused.
#[tokio::test]
async fn the_rules_are_changed_once_under_a_key() {
    for world in World::on_each_database().await {
        let tries = |number| RecoveryChange { tries_a_day: Some(number), ..RecoveryChange::default() };
        let ask = RecoveryChange { at_end: Some(AtEnd::Ask), ..RecoveryChange::default() };
        let sum = RecoveryChange { sum_a_day: Some("9.50".parse().unwrap()), ..RecoveryChange::default() };
        // The key, the change, and the rules after it; nothing if it is refused.
        for (key, change, after) in [
            (Some("k-1"), tries(5), Some("5 100000.00 leave")),
            (None, ask, Some("5 100000.00 ask")),
            (Some("k-1"), tries(5), Some("5 100000.00 ask")),
            (Some("k-2"), tries(7), Some("7 100000.00 ask")),
            (Some("k-1"), tries(5), Some("7 100000.00 ask")),
            (Some("k-1"), tries(6), None),
            (Some("k-1"), ask, None),
            (None, sum, Some("7 9.50 ask")),
        ] {
            let billing = key.map_or_else(|| world.billing.clone(), |key| world.billing.once(key));
            let changed = billing.change_recovery_rules(&change, by()).await;
            let rules = changed.as_ref().ok();
            let rules =
                rules.map(|rules| format!("{} {} {}", rules.tries_a_day, rules.sum_a_day, rules.at_end));
            assert_eq!(rules.as_deref(), after, "{key:?} {change:?}: {changed:?}");
            assert!(rules.is_some() || matches!(changed, Err(Error::KeyUsed(_))), "{changed:?}");
        }
    }
}

/// Holds: A second sale of a paid day that a person finds is claimed as a surplus, and is refunded then.
#[tokio::test]
async fn a_second_sale_of_a_paid_day_is_claimed_and_refunded() {
    let world = World::new().await;
    world.billing.start(&world.gold("M-1", 15)).await.unwrap();
    world.until("2027-01-17").await;
    let sale = Sale::builder().amount("50.00").card(&world.token).build().unwrap();
    let second = world.client.transactions().sale(&sale).await.unwrap().id.clone().unwrap();
    let (day, claim) = ("2027-01-15".parse().unwrap(), DayDecision::Claim(second.clone()));
    for _ in 0..2 {
        let member = world.billing.decide_day("M-1", day, &claim, by()).await.unwrap();
        assert_eq!(
            (member.days[&day].state, member.days[&day].paid.to_string()),
            (DayState::Paid, "50.00".to_owned())
        );
    }
    let charges = world.billing.charges(&world.member("M-1").await.subscription).await.unwrap();
    let surplus: Vec<_> = charges.iter().filter(|charge| charge.claim == Claim::Surplus).collect();
    assert_eq!(surplus.iter().map(|charge| &charge.id).collect::<Vec<_>>(), [&second]);
    let refund = DayRefund { transaction: Some(second), amount: None };
    assert!(world.billing.refund("M-1", day, &refund, by()).await.unwrap().is_done());
    assert_eq!(world.member("M-1").await.days[&day].state, DayState::Paid);
}
