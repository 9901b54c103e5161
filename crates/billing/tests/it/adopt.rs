//! Plans that a merchant's older software made, as first terms of subscriptions, and in shadow.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, Request, Response};
use perennial::clearent::{
    ApiKey, Charge as Sale, NewPlan, PlanKey, PlanSearch, PlanStatus, PlanUpdate, TransactionSearch, Verdict,
};
use perennial::transport::{Deadline, Exchange, ReqwestExchange, TransportError};
use perennial::{BaseUrl, Clearent};
use perennial_billing::{
    Adoption, Billing, CancelAt, DayDecision, DayRefund, DayState, NewSubscription, Route, Status,
    SubscriptionChange, TermStatus,
};
use perennial_sandbox::{Effect, Fault, GatewayOptions};

use crate::habits::habits;
use crate::support::{World, by, days};

impl World {
    /// A plan that other software makes.
    async fn old_plan(&self, [start, end]: [&str; 2], day: u32, amount: &str) -> PlanKey {
        let plan = NewPlan::builder()
            .plan_name("Old")
            .customer_key(&self.customer)
            .token_id(&self.token)
            .monthly_on(day)
            .payment_amount(amount)
            .start_date(start)
            .end_date(end)
            .status(PlanStatus::ACTIVE);
        self.client.plans().create(&plan.build().unwrap()).await.unwrap().plan_key.clone()
    }

    /// Lets days pass without any work.
    async fn away(&self, days: usize) {
        for _ in 0..2 * days {
            self.half_a_day_without_work().await;
        }
    }

    async fn approved_of(&self, amount: &str) -> Vec<String> {
        let of_amount = self.approved().await.into_iter().filter(|(_, made)| made == amount);
        of_amount.map(|(day, _)| day).collect()
    }
}

const YEAR: [&str; 2] = ["2027-01-15", "2028-01-14"];

/// Plans by their dates and their day, and whether they are in shadow until May. They are adopted on the 10th of March.
const PLANS: &[(&str, [&str; 2], u32, bool)] = &[
    ("a year from its first charge", ["2026-07-15", "2027-07-14"], 15, false),
    ("the same in shadow", ["2026-07-15", "2027-07-14"], 15, true),
    ("its end is days after its last charge", ["2026-08-01", "2027-07-31"], 20, true),
    ("its end is a due day", ["2027-01-01", "2027-06-15"], 15, false),
    ("its end is a due day, in shadow", ["2027-01-01", "2027-06-15"], 15, true),
    ("its end is before a due day", ["2027-01-16", "2027-06-14"], 15, true),
    ("its end is after a due day", ["2027-01-14", "2027-06-16"], 15, false),
    ("no day is left", ["2027-01-01", "2027-03-20"], 28, false),
    ("its end is near, before a due day", ["2027-01-01", "2027-03-12"], 13, false),
    ("its end is today", ["2027-01-01", "2027-03-10"], 11, false),
    ("its start is to come", ["2027-04-20", "2027-07-27"], 28, true),
];

/// Holds: Under every habit of the gateway and with any dates of an adopted plan, each month from the adoption on is charged
/// once, over its end, a shadow and a renewal, and the gateway has no other charge.
#[tokio::test]
async fn an_adopted_plan_leaves_no_gap_and_charges_nothing_twice() {
    for (habit, options) in habits() {
        let world = World::with(options).await;
        let mut plans = Vec::new();
        for (number, (_, dates, day, _)) in PLANS.iter().enumerate() {
            let amount = format!("{}.00", 20 + number);
            plans.push((world.old_plan(*dates, *day, &amount).await, amount));
        }
        world.away(68).await;
        world.half_a_day_without_work().await;
        let adopted_on = world.billing.today().await.unwrap();
        assert_eq!(adopted_on.to_string(), "2027-03-10");
        let mut earlier = Vec::new();
        for (number, ((name, _, day, in_shadow), (plan, amount))) in PLANS.iter().zip(&plans).enumerate() {
            let mut adoption = Adoption::new(format!("M-{number}"), plan.clone());
            adoption.in_shadow = *in_shadow;
            let adopted = world.billing.adopt(&adoption, by()).await.unwrap();
            assert_eq!(adopted.day.get(), *day, "{name}");
            earlier.push(world.approved_of(amount).await.len());
        }
        let work_daily = async |until: &str| {
            while world.billing.today().await.unwrap() < until.parse().unwrap() {
                world.half_a_day_without_work().await;
                world.half_a_day().await;
            }
        };
        work_daily("2027-05-01").await;
        for (number, _) in PLANS.iter().enumerate().filter(|(_, (_, _, _, in_shadow))| *in_shadow) {
            world.billing.end_shadow(&format!("M-{number}"), by()).await.unwrap();
        }
        let decline = Fault::on("engine.charge", Effect::Decline { result_code: "012".to_owned() }).nth(3);
        world.sandbox.fault(&decline).await.unwrap();
        work_daily("2027-09-10").await;
        for (number, ((name, _, _, _), (_, amount))) in PLANS.iter().zip(&plans).enumerate() {
            let member = world.member(&format!("M-{number}")).await;
            let past = member.days.values().filter(|due| due.day < "2027-09-01".parse().unwrap());
            let paid = past.clone().filter(|due| matches!(due.state, DayState::Paid | DayState::Recovered));
            let (past, paid) = (past.count(), paid.count());
            let months = if name.ends_with("to come") { 5 } else { 6 };
            assert_eq!((past, paid), (months, months), "{habit}, {name}: {:#?}", days(&member));
            let approved = world.approved_of(amount).await;
            assert_eq!(approved.len() - earlier[number], months, "{habit}, {name}: {approved:?}");
            assert_eq!(member.terms[0].status, TermStatus::Closed, "{habit}, {name}");
        }
    }
}

/// Holds: A charge of an adopted plan a day after its end, while no worker runs, pays the due day of which it is.
#[tokio::test]
async fn a_charge_on_the_end_of_an_adopted_plan_is_found() {
    let early =
        GatewayOptions { date_slip: -1, retention: "P100Y".parse().unwrap(), ..GatewayOptions::default() };
    let world = World::with(early).await;
    let plan = world.old_plan(["2027-01-01", "2027-06-14"], 15, "20.00").await;
    world.billing.adopt(&Adoption::new("M-1", plan), by()).await.unwrap();
    world.until("2027-05-12").await;
    // It charges for May and for the 15th of June, which is after its end.
    world.away(50).await;
    world.until("2027-07-20").await;
    let member = world.member("M-1").await;
    assert!(member.days.values().take(7).all(|day| day.state == DayState::Paid), "{:#?}", days(&member));
    assert_eq!(world.approved_of("20.00").await.len(), 7);
}

/// Holds: A plan that cannot be adopted is a specific error, and nothing is stored.
#[tokio::test]
async fn a_plan_that_cannot_be_adopted_changes_nothing() {
    let world = World::new().await;
    let year = ["2027-01-01", "2027-12-31"];
    let become_status = async |plan: &PlanKey, status: PlanStatus| {
        let update = PlanUpdate::builder().status(status).build().unwrap();
        world.client.plans().update(plan, &update).await.unwrap();
    };
    let [suspended, canceled, changed, moved, fine] = [(); 5].map(|()| world.old_plan(year, 3, "20.00"));
    let (suspended, canceled, fine) = (suspended.await, canceled.await, fine.await);
    let (changed, moved) = (changed.await, moved.await);
    let ended = world.old_plan(["2027-01-01", "2027-01-04"], 3, "20.00").await;
    become_status(&suspended, PlanStatus::SUSPENDED).await;
    become_status(&canceled, PlanStatus::CANCELED).await;
    world.away(5).await;
    let update = PlanUpdate::builder().payment_amount("25.00").build().unwrap();
    world.client.plans().update(&changed, &update).await.unwrap();
    let update = PlanUpdate::builder().frequency_day("20").build().unwrap();
    world.client.plans().update(&moved, &update).await.unwrap();
    let adopt = async |id: &str, plan: &PlanKey, in_shadow: bool| {
        let adoption = Adoption { in_shadow, ..Adoption::new(id, plan.clone()) };
        let preview = world.billing.preview_adoption(&adoption, 3).await.map(drop);
        let adopted = world.billing.adopt(&adoption, by()).await.map(drop);
        let [preview, adopted] = [preview, adopted].map(|done| done.map_err(|error| error.to_string()));
        assert_eq!(preview, adopted);
        adopted
    };
    for (plan, expected) in [
        (&suspended, "it is SUSPENDED, and makes no charge"),
        (&canceled, "it is CANCELED: start a subscription"),
        (&changed, "it charged 20.00 on 2027-01-03, and says 25.00 on day 3"),
        (&moved, "it charged 20.00 on 2027-01-03, and says 20.00 on day 20"),
        (&ended, "it ended on 2027-01-04: start a subscription"),
        (&"plan_0".parse().unwrap(), "not"),
    ] {
        let error = adopt("M-1", plan, false).await.unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    assert!(adopt("M 1", &fine, false).await.unwrap_err().contains("1 to 60"));
    assert!(world.billing.list("", 10).await.unwrap().is_empty());
    adopt("M-1", &fine, true).await.unwrap();
    let before = world.member("M-1").await;
    adopt("M-1", &fine, true).await.unwrap();
    assert_eq!(world.member("M-1").await, before, "the same again changes nothing");
    for (id, plan, expected) in [
        ("M-2", &fine, "is of another subscription"),
        ("M-1", &world.old_plan(year, 9, "20.00").await, "exists with other values"),
    ] {
        let error = adopt(id, plan, true).await.unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    // The same without shadow ends it, and it does not begin again.
    adopt("M-1", &fine, false).await.unwrap();
    assert!(!world.member("M-1").await.subscription.is_shadow);
    assert!(adopt("M-1", &fine, true).await.unwrap_err().contains("is not in shadow"));
    assert!(
        world.billing.end_shadow("M-1", by()).await.unwrap_err().to_string().contains("is not in shadow")
    );
}

/// Counts the requests that are no reads.
#[derive(Clone)]
struct Counting {
    inner: Arc<ReqwestExchange>,
    writes: Arc<AtomicUsize>,
}

#[async_trait]
impl Exchange for Counting {
    async fn exchange(
        &self,
        request: Request<Bytes>,
        deadline: Deadline,
    ) -> Result<Response<Bytes>, TransportError> {
        if request.method() != Method::GET {
            self.writes.fetch_add(1, Ordering::SeqCst);
        }
        self.inner.exchange(request, deadline).await
    }
}

/// Holds: In shadow, no request but reads leaves in 15 months, the binding of the merchant, a decline and the end of a plan
/// included; the subscriptions say that their plans have ended, and each goes on, or ends, by a decision.
#[tokio::test]
async fn nothing_is_written_in_shadow() {
    let world = World::new().await;
    let writes = Arc::new(AtomicUsize::new(0));
    let inner = Arc::new(ReqwestExchange::builder().build().unwrap());
    let client = Clearent::builder(ApiKey::new(world.sandbox.api_key().expose()).unwrap())
        .environment(world.sandbox.base_url().parse::<BaseUrl>().unwrap())
        .exchange(Counting { inner, writes: Arc::clone(&writes) })
        .build()
        .unwrap();
    let [year, kept, canceled] = ["20.00", "21.00", "22.00"].map(|amount| world.old_plan(YEAR, 15, amount));
    let (year, kept, canceled) = (year.await, kept.await, canceled.await);
    let watched = world.journal.clearent_by("watched", &client, &world.customer).await.unwrap();
    let billing = Billing::open(&world.journal, &watched).await.unwrap();
    for (id, plan) in [("M-1", &year), ("M-2", &kept), ("M-3", &canceled)] {
        billing.adopt(&Adoption::new(id, plan.clone()).in_shadow(), by()).await.unwrap();
    }
    let decline = Fault::on("engine.charge", Effect::Decline { result_code: "012".to_owned() }).nth(1);
    for day in 0..455 {
        if day == 40 {
            world.sandbox.fault(&decline).await.unwrap();
        }
        if day == 100 {
            // The older software goes on with its own business.
            let update = PlanUpdate::builder().status(PlanStatus::CANCELED).build().unwrap();
            world.client.plans().update(&canceled, &update).await.unwrap();
        }
        world.away(1).await;
        billing.work().await.unwrap();
        billing.work_on("M-1").await.unwrap();
    }
    assert_eq!(billing.today().await.unwrap().to_string(), "2028-03-31");
    assert_eq!(writes.load(Ordering::SeqCst), 0);
    let states = async |id: &str| billing.show(id).await.unwrap();
    let needs = |member: &perennial_billing::Member| {
        let needs = member.days.values().filter(|day| day.state == DayState::NeedsPerson);
        needs.map(|day| day.day.to_string()).collect::<Vec<_>>()
    };
    let (one, three) = (states("M-1").await, states("M-3").await);
    assert_eq!(needs(&one), ["2028-01-15", "2028-02-15", "2028-03-15", "2028-04-15"], "{:#?}", days(&one));
    assert!(one.days[&"2028-01-15".parse().unwrap()].reason.as_ref().unwrap().contains("its plan has ended"));
    // The plan was canceled in April; that is known when a charge is missing.
    assert_eq!(needs(&three).first().map(String::as_str), Some("2027-05-15"), "{:#?}", days(&three));
    assert_eq!(three.terms[0].status, TermStatus::Closed);
    assert!(billing.preview("M-1", 3).await.unwrap().is_empty());
    // A decline is not collected in shadow.
    let february = billing.books("2027-02-01".parse().unwrap().."2027-03-01".parse().unwrap()).await.unwrap();
    assert_eq!(february.differences.len(), 1, "{february:?}");
    assert_eq!(february.differences[0].class.as_str(), "declined");

    // Nothing but an end is decided in shadow.
    let change =
        SubscriptionChange { amount: Some("30.00".parse().unwrap()), ..SubscriptionChange::default() };
    let error = billing.change("M-1", &change, by()).await.unwrap_err().to_string();
    assert!(error.contains("is in shadow"), "{error}");
    let (declined, paid) = ("2027-02-15".parse().unwrap(), "2027-03-15".parse().unwrap());
    let error =
        billing.decide_day("M-1", declined, &DayDecision::Collect, by()).await.unwrap_err().to_string();
    assert!(error.contains("is in shadow"), "{error}");
    let error = billing.refund("M-1", paid, &DayRefund::default(), by()).await.unwrap_err().to_string();
    assert!(error.contains("is in shadow"), "{error}");
    assert_eq!(writes.load(Ordering::SeqCst), 0);
    billing.cancel("M-3", CancelAt::Now, by()).await.unwrap();
    let goes_on = billing.adopt(&Adoption::new("M-1", year.clone()), by()).await.unwrap();
    assert!(!goes_on.is_shadow);
    billing.work().await.unwrap();
    assert_eq!(states("M-3").await.subscription.status, Status::Ended);
    let one = states("M-1").await;
    let next = one.live().unwrap();
    assert_eq!((next.first.to_string().as_str(), next.status), ("2028-04-15", TermStatus::Active));
    let search = PlanSearch { status: Some(PlanStatus::ACTIVE), ..PlanSearch::default() };
    let active = world.client.plans().search(&search).collect_all().await.unwrap();
    assert_eq!(active.len(), 2, "the next plan, and the one that is still in shadow");
    for _ in 0..20 {
        world.away(1).await;
        billing.work().await.unwrap();
    }
    let one = states("M-1").await;
    assert_eq!(one.days[&"2028-04-15".parse().unwrap()].state, DayState::Paid, "{:#?}", days(&one));
    // What was not paid in shadow is for a person.
    let unpaid =
        one.days.values().filter(|day| day.day < "2028-04-01".parse().unwrap() && !day.state.is_paid());
    assert!(unpaid.clone().all(|day| day.state == DayState::NeedsPerson && day.route != Route::Sale));
}

/// Holds: A cancellation in shadow is reported done only when the plan cannot charge any more, and writes nothing.
#[tokio::test]
async fn a_cancellation_in_shadow_waits_for_its_plan() {
    let world = World::new().await;
    let plan = world.old_plan(YEAR, 15, "20.00").await;
    world.billing.adopt(&Adoption::new("M-1", plan.clone()).in_shadow(), by()).await.unwrap();
    world.billing.cancel("M-1", CancelAt::Now, by()).await.unwrap();
    world.until("2027-01-20").await;
    assert_eq!(world.member("M-1").await.subscription.status, Status::Canceling);
    let status = async || world.client.plans().get(&plan).await.unwrap().status.clone();
    assert_eq!(status().await, Some(PlanStatus::ACTIVE));
    let update = PlanUpdate::builder().status(PlanStatus::CANCELED).build().unwrap();
    world.client.plans().update(&plan, &update).await.unwrap();
    world.until("2027-01-22").await;
    assert_eq!(world.member("M-1").await.subscription.status, Status::Ended);
}

/// Holds: Charges from before an adoption are the merchant's other business in the books, and later ones are of the
/// subscription.
#[tokio::test]
async fn books_begin_with_the_adoption() {
    let world = World::new().await;
    let plan = world.old_plan(YEAR, 15, "20.00").await;
    world.away(20).await;
    world.billing.adopt(&Adoption::new("M-1", plan).in_shadow(), by()).await.unwrap();
    world.until("2027-02-20").await;
    for (start, end, paid, other) in
        [("2027-01-01", "2027-02-01", "0.00", "20.00"), ("2027-02-01", "2027-03-01", "20.00", "0.00")]
    {
        let books = world.billing.books(start.parse().unwrap()..end.parse().unwrap()).await.unwrap();
        assert!(books.are_closed(), "{books:?}");
        assert_eq!((books.paid.to_string(), books.other_business.0.to_string()), (paid.into(), other.into()));
    }
}

/// Holds: A subscription that charges what another one, or an active plan of none, charges already is refused by name, unless
/// it allows a second one.
#[tokio::test]
async fn a_second_subscription_is_told_before_it_is_made() {
    let world = World::new().await;
    let gold = |id: &str| NewSubscription { allows_second: false, ..world.gold(id, 15) };
    let orphan = world.old_plan(YEAR, 15, "50.00").await;
    let error = world.billing.start(&gold("M-1")).await.unwrap_err().to_string();
    let adopt = format!("perennial subscriptions adopt --id M-1 --plan-key {orphan}");
    assert!(error.contains(&adopt), "{error}");
    world.billing.adopt(&Adoption::new("M-1", orphan), by()).await.unwrap();
    let other_token = world.card("5454545454545454").await;
    let end = "2027-06-15";
    let quiet =
        async || world.client.transactions().search(&TransactionSearch::default()).collect_all().await;
    for (new, other) in [
        (gold("M-2"), Some("M-1")),
        (NewSubscription { amount: "51.00".parse().unwrap(), ..gold("M-3") }, None),
        (NewSubscription { day: 16.try_into().unwrap(), ..gold("M-4") }, None),
        (NewSubscription { token: other_token, ..gold("M-5") }, None),
        (gold("M-6").allowing_second(), None),
        (
            NewSubscription { amount: "52.00".parse().unwrap(), ..gold("M-7").until(end.parse().unwrap()) },
            None,
        ),
        // The other one ends before.
        (
            NewSubscription {
                amount: "52.00".parse().unwrap(),
                ..gold("M-8").from("2027-07-01".parse().unwrap())
            },
            None,
        ),
        (NewSubscription { amount: "52.00".parse().unwrap(), ..gold("M-9") }, Some("M-7")),
    ] {
        let preview = world.billing.preview_start(&new, 1).await.map(drop).map_err(|error| error.to_string());
        let started = world.billing.start(&new).await.map(drop).map_err(|error| error.to_string());
        assert_eq!(preview, started, "{}", new.id);
        match other {
            None => started.unwrap(),
            Some(other) => {
                let error = started.unwrap_err();
                assert!(error.contains(&format!("the subscription {other} charges")), "{error}");
            }
        }
    }
    assert!(quiet().await.unwrap().iter().all(|made| made.verdict() != Verdict::Approved));
}

/// Holds: A decision under an operation key takes effect once, also after later decisions; the key is refused for another
/// decision, and for one of the journal.
#[tokio::test]
async fn a_key_names_one_decision() {
    for world in World::on_each_database().await {
        let plan = world.old_plan(YEAR, 20, "20.00").await;
        let billing = &world.billing;
        let start = || world.gold("M-1", 15);
        let adoption = Adoption::new("M-2", plan);
        let to = |amount: &str| SubscriptionChange {
            amount: Some(amount.parse().unwrap()),
            ..SubscriptionChange::default()
        };
        let until = || "2027-06-01".parse().unwrap();
        let sale = Sale::builder().amount("5.00").card(&world.token).exp_date("1239").build().unwrap();
        assert!(world.north.transactions().sale("journal", &sale).await.unwrap().is_done());
        // In their order: a key, its decision, and whether it is taken; the state after it is told by the amount.
        for round in 0..2 {
            billing.once("start").start(&start()).await.unwrap();
            billing.once("adopt").adopt(&adoption, by()).await.unwrap();
            billing.once("change").change("M-1", &to("60.00"), by()).await.unwrap();
            billing.once("pause").pause("M-1", None, until(), by()).await.unwrap();
            billing.once("resume").resume("M-1", by()).await.unwrap();
            billing.once("period").cancel("M-1", CancelAt::PeriodEnd, by()).await.unwrap();
            billing.once("keep").keep("M-1", by()).await.unwrap();
            billing.once("again").change("M-1", &to("70.00"), by()).await.unwrap();
            let subscription = world.member("M-1").await.subscription;
            assert_eq!(
                (subscription.amount.to_string().as_str(), subscription.ends_on(), subscription.pause),
                ("70.00", None, None),
                "round {round}"
            );
            // A decision that changes nothing keeps its key, too.
            billing.once("nothing").change("M-1", &to("70.00"), by()).await.unwrap();
        }
        billing.change("M-1", &to("80.00"), by()).await.unwrap();
        billing.once("nothing").change("M-1", &to("70.00"), by()).await.unwrap();
        assert_eq!(world.member("M-1").await.subscription.amount.to_string(), "80.00");
        assert!(billing.once("nothing").is_decided().await.unwrap());
        assert!(!billing.once("other").is_decided().await.unwrap());
        for key in ["start", "change", "journal"] {
            let error = billing.once(key).change("M-1", &to("90.00"), by()).await.unwrap_err().to_string();
            assert!(
                error.contains(&format!("the operation key {key} was used for something else")),
                "{error}"
            );
        }
        let error = billing.once("4111 1111 1111 1111").resume("M-1", by()).await.unwrap_err().to_string();
        assert!(error.contains("must not have a card number"), "{error}");
        // After its end, the same key starts no second one.
        billing.once("end").cancel("M-1", CancelAt::Now, by()).await.unwrap();
        billing.work().await.unwrap();
        assert_eq!(world.member("M-1").await.subscription.status, Status::Ended);
        billing.once("start").start(&start()).await.unwrap();
        billing.once("end").cancel("M-1", CancelAt::Now, by()).await.unwrap();
        assert_eq!(world.member("M-1").await.subscription.status, Status::Ended);
    }
}
