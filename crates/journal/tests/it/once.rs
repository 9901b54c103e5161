//! Writes under faults: the same call again and again, until it is settled, makes one effect.

use perennial::Format;
use perennial::clearent::{
    Capture, CustomerSearch, CustomerUpdate, NewCustomer, PlanSearch, PlanStatus, PlanUpdate, Refund,
    TransactionSearch, Void,
};
use perennial_journal::{Error, Settled};
use perennial_sandbox::{Effect, Fault};

use crate::support::{World, card};

/// The faults that leave the outcome of a write open, and some that do not.
pub(crate) fn faults(operation: &str) -> Vec<(&'static str, Fault)> {
    let on = |effect| Fault::on(operation, effect).nth(1);
    vec![
        ("no fault", on(Effect::Delay { delay: std::time::Duration::ZERO })),
        ("the answer is lost", on(Effect::DropReply)),
        ("an error after the effect", on(Effect::ErrorAfter { status: 500 })),
        ("an error before the effect", on(Effect::ErrorBefore { status: 500 })),
        ("a refusal before the effect", on(Effect::ErrorBefore { status: 429 })),
        ("the answer is cut", on(Effect::CutReply { at_byte: 20 })),
        ("a proxy's page", on(Effect::ErrorBefore { status: 502 })),
    ]
}

/// What became of a call, as one word.
pub(crate) fn word<T: std::fmt::Debug>(settled: &Result<Settled<T>, Error>) -> &'static str {
    match settled {
        Ok(Settled::Done { .. }) => "done",
        Ok(Settled::Open(_)) => "open",
        Ok(Settled::NeedsCard(_)) => "needs-card",
        Ok(Settled::NeedsPerson(_)) => "needs-person",
        Ok(Settled::Declined { .. }) => "declined",
        Ok(Settled::Refused { .. }) => "refused",
        Ok(Settled::Withdrawn { .. }) => "withdrawn",
        Ok(_) => "other",
        Err(error) => unreachable!("{error}"),
    }
}

/// Makes the same call until it is settled, with ten minutes between.
macro_rules! until_settled {
    ($world:expr, $name:expr, $call:expr) => {{
        let mut said = Vec::new();
        let mut last = $call.await;
        for _ in 0..20 {
            said.push(word(&last));
            if !matches!(last, Ok(Settled::Open(_) | Settled::NeedsCard(_))) {
                break;
            }
            $world.pass(10).await;
            last = $call.await;
        }
        (last.unwrap_or_else(|error| unreachable!("{}: {error}", $name)), said)
    }};
}
pub(crate) use until_settled;

/// Holds: Creates, updates and sales under an operation key take effect once under seven faults of the sandbox, in JSON and XML, when the same call is made until it is settled.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_takes_effect_once_under_faults() {
    for format in [Format::Json, Format::Xml] {
        for (name, fault) in faults("customers.create") {
            let world = World::new(format).await;
            world.sandbox.fault(&fault).await.unwrap();
            let new = NewCustomer::builder()
                .first_name("Grace")
                .last_name("Hopper")
                .comments("vip")
                .build()
                .unwrap();
            let (settled, said) = until_settled!(world, name, world.north.customers().create("grace", &new));
            assert!(settled.is_done(), "customer, {name}: {said:?} {settled:?}");
            let all =
                world.client.customers().search(&CustomerSearch::default()).collect_all().await.unwrap();
            let made = all.iter().filter(|customer| customer.first_name.as_deref() == Some("Grace")).count();
            assert_eq!(made, 1, "customer, {name}: {said:?}");
        }
        for (name, fault) in faults("tokens.create") {
            let world = World::new(format).await;
            world.sandbox.fault(&fault).await.unwrap();
            let (settled, said) =
                until_settled!(world, name, world.north.tokens().create("card", card(&world.customer)));
            assert!(settled.is_done(), "token, {name}: {said:?} {settled:?}");
            let made = world.tokens("a card").await.len() - 1;
            assert_eq!(made, 1, "token, {name}: {said:?}");
        }
        for (name, fault) in faults("plans.create") {
            let world = World::new(format).await;
            world.sandbox.fault(&fault).await.unwrap();
            let plan = world.plan("Gold");
            let (settled, said) = until_settled!(world, name, world.north.plans().create("gold", &plan));
            let made = settled.done().unwrap_or_else(|| unreachable!("plan, {name}: {said:?}"));
            assert_eq!(made.status, Some(PlanStatus::ACTIVE), "{name}");
            let plans = world.client.plans().search(&PlanSearch::default()).collect_all().await.unwrap();
            let active = plans.iter().filter(|plan| plan.status == Some(PlanStatus::ACTIVE)).count();
            assert_eq!((plans.len(), active), (1, 1), "plan, {name}: {said:?}");
        }
        for (name, fault) in faults("plans.update") {
            let world = World::new(format).await;
            world.sandbox.fault(&fault).await.unwrap();
            let plan = world.plan("Gold");
            let (settled, said) = until_settled!(world, name, world.north.plans().create("gold", &plan));
            let made = settled.done().unwrap_or_else(|| unreachable!("activation, {name}: {said:?}"));
            assert_eq!(made.status, Some(PlanStatus::ACTIVE), "{name}");
            let update = PlanUpdate::builder().payment_amount("60.00").build().unwrap();
            let (settled, _) =
                until_settled!(world, name, world.north.plans().update("price", &made.plan_key, &update));
            assert_eq!(settled.done().and_then(|plan| plan.payment_amount), "60.00".parse().ok());
        }
        for (name, fault) in faults("transactions.sale") {
            let world = World::new(format).await;
            world.sandbox.fault(&fault).await.unwrap();
            let charge = world.charge();
            let (settled, said) =
                until_settled!(world, name, world.north.transactions().sale("order-7", &charge));
            let sales = world
                .client
                .transactions()
                .search(&TransactionSearch::default())
                .collect_all()
                .await
                .unwrap();
            match settled {
                Settled::Done { .. } => assert_eq!(sales.len(), 1, "sale, {name}: {said:?}"),
                // An absence of money is a person's.
                Settled::NeedsPerson(_) => assert_eq!(
                    (name.starts_with("an error before") || name.starts_with("a proxy"), sales.len()),
                    (true, 0),
                    "sale, {name}: {said:?}"
                ),
                other => unreachable!("sale, {name}: {said:?} {other:?}"),
            }
        }
    }
}

/// Holds: The same operation key returns the recorded outcome and sends nothing; other content under it is refused.
#[tokio::test]
async fn the_same_key_is_replayed_and_other_content_is_refused() {
    let world = World::new(Format::Json).await;
    let charge = world.charge();
    let first = world.north.transactions().sale("order-7", &charge).await.unwrap();
    let second = world.north.transactions().sale("order-7", &charge).await.unwrap();
    let (Settled::Done { value: first, .. }, Settled::Done { value: second, how }) = (first, second) else {
        unreachable!("both are done")
    };
    assert_eq!((how, first), (perennial_journal::Told::Replayed, second));
    let other =
        perennial::clearent::Charge::builder().amount("26.00").card(&world.token).exp_date("1230").build();
    let refused = world.north.transactions().sale("order-7", &other.unwrap()).await.unwrap_err();
    assert!(matches!(refused, Error::KeyUsed { .. }), "{refused}");
    let sales =
        world.client.transactions().search(&TransactionSearch::default()).collect_all().await.unwrap();
    assert_eq!(sales.len(), 1);
}

#[tokio::test]
async fn every_write_is_done() {
    let world = World::new(Format::Json).await;
    let (north, charge) = (&world.north, world.charge());
    let done = |name: &str, word: &str| assert_eq!(word, "done", "{name}");
    let update = CustomerUpdate::builder().email("ada@example.test").build().unwrap();
    done("update", word(&north.customers().update("k1", &world.customer, &update).await));
    let auth = north.transactions().auth("k2", &charge).await.unwrap().done().unwrap();
    let capture = Capture::builder().id(auth.id.clone().unwrap()).amount("25.00").build().unwrap();
    done("capture", word(&north.transactions().capture("k3", &capture).await));
    let sale = north.transactions().sale("k4", &charge).await.unwrap().done().unwrap();
    let void = Void { id: sale.id.clone().unwrap() };
    done("void", word(&north.transactions().void("k5", &void).await));
    let sale = north.transactions().sale("k6", &charge).await.unwrap().done().unwrap();
    let refund = Refund::builder().id(sale.id.clone().unwrap()).amount("5.00").build().unwrap();
    done("refund", word(&north.transactions().refund("k7", &refund).await));
    let plan = north.plans().create("k8", &world.plan("Gold")).await.unwrap().done().unwrap();
    done("suspend", word(&north.plans().suspend("k9", &plan.plan_key).await));
    done("activate", word(&north.plans().activate("k10", &plan.plan_key).await));
    done("cancel", word(&north.plans().cancel("k11", &plan.plan_key).await));
    done("delete", word(&north.plans().delete("k12", &plan.plan_key).await));
    let token = north.tokens().create("k13", card(&world.customer)).await.unwrap().done().unwrap();
    done("delete a token", word(&north.tokens().delete("k14", token.token_id.as_ref().unwrap()).await));
    let new = NewCustomer::builder().first_name("Grace").last_name("Hopper").build().unwrap();
    let grace = north.customers().create("k15", &new).await.unwrap().done().unwrap();
    done("delete a customer", word(&north.customers().delete("k16", &grace.customer_key).await));
}

/// Holds: A lost sale is looked for at all terminals of the merchant, and at its own terminal if the gateway refuses that.
#[tokio::test]
async fn a_key_that_may_not_search_all_terminals_searches_its_own() {
    for status in [400, 403] {
        let world = World::new(Format::Json).await;
        let refused = Fault::on("transactions.search", Effect::ErrorBefore { status }).nth(1);
        world.sandbox.fault(&refused).await.unwrap();
        let lost = Fault::on("transactions.sale", Effect::DropReply).nth(1);
        world.sandbox.fault(&lost).await.unwrap();
        let sold = world.north.transactions().sale("order-7", &world.charge()).await.unwrap();
        assert!(
            matches!(sold, Settled::Done { how: perennial_journal::Told::Adopted, .. }),
            "{status}: {sold:?}"
        );
    }
}
