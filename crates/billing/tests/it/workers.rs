//! Two workers of one database, with faults at the gateway, that die at any await.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::task::Poll;

use perennial::clearent::{PlanSearch, PlanStatus};
use perennial_billing::{Billing, CancelAt, DayState, Error, Status, Worked};
use perennial_sandbox::{Effect, Fault};

use crate::support::{World, by, days};

const FAULTS: &[(&str, Effect)] = &[
    ("plans.create", Effect::DropReply),
    ("plans.create", Effect::ErrorBefore { status: 502 }),
    ("plans.create", Effect::ErrorAfter { status: 502 }),
    ("plans.update", Effect::DropReply),
    ("plans.update", Effect::ErrorBefore { status: 502 }),
    ("plans.get", Effect::ErrorBefore { status: 502 }),
    ("plans.search", Effect::StaleRead),
    ("transactions.sale", Effect::DropReply),
    ("transactions.sale", Effect::ErrorAfter { status: 502 }),
    ("transactions.search", Effect::StaleRead),
    ("transactions.search", Effect::ErrorBefore { status: 502 }),
];

/// Polls a future this often, and drops it: the process dies. Returns whether it was done before.
async fn polled<F: Future>(future: F, times: u64) -> bool {
    let mut future = pin!(future);
    let mut left = times;
    std::future::poll_fn(|context| {
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(_) => Poll::Ready(true),
            Poll::Pending if left == 0 => Poll::Ready(false),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Holds: With two workers that die at any await, and a gateway that loses requests, replies and reads, each due day is
/// charged once at the gateway, no canceled subscription has an active plan, and every day is settled once the faults end.
#[tokio::test]
async fn workers_that_die_charge_each_day_once() {
    for seed in 0..2 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("billing.db").display());
        let world = World::on(&url).await;
        let other = world.other(&url).await;
        for (operation, effect) in FAULTS {
            let fault = Fault::on(*operation, effect.clone()).probability(0.15).seed(rng.u64(..1_000_000));
            world.sandbox.fault(&fault).await.unwrap();
        }
        let gold = world.gold("M-1", rng.u32(1..=28));
        let silver = world.gold("M-2", rng.u32(1..=28));
        for new in [&gold, &silver] {
            while world.billing.start(new).await.is_err() {}
        }
        let cancels_on = rng.u32(60..150);
        for day in 0..150 {
            if day == cancels_on {
                world.billing.cancel("M-2", CancelAt::Now, by()).await.unwrap();
            }
            for _ in 0..2 {
                let worker: &Billing = if rng.bool() { &world.billing } else { &other };
                let times = rng.u64(1..400);
                polled(worker.work(), times).await;
                world.half_a_day_without_work().await;
            }
        }
        world.sandbox.clear_faults().await.unwrap();
        world.pass(12).await;

        let today = world.billing.today().await.unwrap();
        let mut paid = 0;
        for id in ["M-1", "M-2"] {
            let member = world.member(id).await;
            for day in member.days.values().filter(|day| day.day < today - chrono::Days::new(8)) {
                let is_settled = day.state.is_settled() || day.state == DayState::NeedsPerson;
                assert!(is_settled, "seed {seed}: {id} {day:?}");
            }
            paid += member
                .days
                .values()
                .filter(|day| matches!(day.state, DayState::Paid | DayState::Recovered))
                .count();
            let charges = world.billing.charges(&member.subscription).await.unwrap();
            assert!(
                charges.iter().all(|charge| charge.claim.as_str() == "pays"),
                "seed {seed}: {charges:?} {:?}",
                days(&member)
            );
        }
        let approved = world.approved().await;
        assert_eq!(approved.len(), paid, "seed {seed}: {approved:?}");
        assert!(paid >= 5, "seed {seed}: {paid}");
        let search = PlanSearch { status: Some(PlanStatus::ACTIVE), ..PlanSearch::default() };
        let active = world.client.plans().search(&search).collect_all().await.unwrap();
        assert_eq!(active.len(), 1, "seed {seed}: {:?}", world.member("M-2").await.terms);
    }
}

/// Holds: A search that fails does not keep the worker from ending a subscription; a key that is refused ends the worker.
#[tokio::test]
async fn the_worker_goes_on_unless_the_key_is_refused() {
    let page = Effect::Garbage { body: "<h1>Sign in</h1>".to_owned(), content_type: "text/html".to_owned() };
    for (effect, goes_on) in [
        (Effect::ErrorBefore { status: 502 }, true),
        (page, true),
        (Effect::ErrorBefore { status: 401 }, false),
    ] {
        let world = World::new().await;
        world.billing.start(&world.gold("M-1", 15)).await.unwrap();
        world.billing.work().await.unwrap();
        world.billing.cancel("M-1", CancelAt::Now, by()).await.unwrap();
        world.sandbox.fault(&Fault::on("transactions.search", effect.clone())).await.unwrap();
        let worked = tokio::sync::Notify::new();
        let mut failed = 0;
        let report = |result: &Result<Worked, Error>| {
            failed += u32::from(result.is_err());
            worked.notify_one();
        };
        let ended = world.billing.run_with(worked.notified(), report).await;
        assert_eq!((failed, ended.is_ok()), (1, goes_on), "{effect:?}: {ended:?}");
        let is_over = world.member("M-1").await.subscription.status == Status::Ended;
        assert_eq!(is_over, goes_on, "{effect:?}");
    }
}

/// Holds: A worker that is stopped during a long round finishes the subscriptions that are in progress, and leaves the others
/// to the next one.
#[tokio::test]
async fn a_stop_during_a_round_leaves_the_rest() {
    let world = World::new().await;
    for number in 0..=200 {
        let id = format!("M-{number}");
        world.billing.start(&world.gold(&id, 15)).await.unwrap();
        // All but the first end without a request.
        if number > 0 {
            world.billing.cancel(&id, CancelAt::Now, by()).await.unwrap();
        }
        world.clock.0.fetch_add(1, Ordering::SeqCst);
    }
    world.wire.requests();
    let stop = std::future::poll_fn(|context| {
        context.waker().wake_by_ref();
        let has_begun = world.wire.requests().iter().any(|request| request.starts_with("POST"));
        if has_begun { Poll::Ready(()) } else { Poll::Pending }
    });
    world.billing.run_with(stop, |_| {}).await.unwrap();
    let is_over = async |id: &str| world.member(id).await.subscription.status == Status::Ended;
    assert_eq!((is_over("M-199").await, is_over("M-200").await), (true, false));
    world.billing.work().await.unwrap();
    assert!(is_over("M-200").await);
}
