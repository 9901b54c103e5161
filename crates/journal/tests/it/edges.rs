//! Rare situations in which money could move twice, or a secret be stored.

use std::sync::atomic::Ordering;
use std::time::Duration;

use perennial::Format;
use perennial::clearent::{
    Charge, ChargeSource, CustomerSearch, OneTimeToken, PlanSearch, PlanStatus, PlanUpdate, Refund,
    TransactionSearch, Void,
};
use perennial_journal::machine::{Rules, State};
use perennial_journal::store::{Filter, StoreError};
use perennial_journal::{By, Clearent, Error, Journal, Later, Settled};
use perennial_sandbox::{Effect, Fault};

use crate::support::World;

fn sql(world: &World, statements: &str) {
    rusqlite::Connection::open(world.path()).and_then(|file| file.execute_batch(statements)).unwrap();
}

async fn reopened(world: &World) -> (Journal, Clearent) {
    let journal = Journal::open_with(world.url(), world.clock.clone(), Rules::default()).await.unwrap();
    let north = journal.clearent("north-street", &world.client).await.unwrap();
    (journal, north)
}

/// The next call of this operation certainly has no effect.
async fn limited(world: &World, operation: &str) {
    let fault = Fault::on(operation, Effect::RateLimit { retry_after: None }).nth(1);
    world.sandbox.fault(&fault).await.unwrap();
}

/// The response to the next call of this operation is lost.
async fn lost(world: &World, operation: &str) {
    world.sandbox.fault(&Fault::on(operation, Effect::DropReply).nth(1)).await.unwrap();
}

async fn charges(world: &World) -> usize {
    let search = TransactionSearch::default();
    world.client.transactions().search(&search).collect_all().await.unwrap().len()
}

fn by() -> By {
    By { actor: "ada".to_owned(), reason: "a test".to_owned() }
}

fn charge(world: &World, order: &str) -> Charge {
    let charge = Charge::builder().amount("25.00").card(&world.token).exp_date("1230").order_id(order);
    charge.build().unwrap()
}

/// Holds: The security code of a charge with a token is not stored, and the charge waits for the same call with it.
#[tokio::test]
async fn a_security_code_beside_a_token_is_not_stored() {
    let world = World::new(Format::Json).await;
    let charge =
        || Charge::builder().amount("25.00").card(&world.token).exp_date("1230").csc("999").build().unwrap();
    limited(&world, "transactions.sale").await;
    let first = world.north.transactions().sale("fee", &charge()).await.unwrap();
    assert!(matches!(first, Settled::NeedsCard(_)), "{first:?}");
    let intent = world.journal.intent(None, "fee").await.unwrap();
    assert!(
        intent.needs_card && !intent.request.contains("csc") && !intent.request.contains("999"),
        "{}",
        intent.request
    );
    world.pass(1).await;
    assert!(world.north.transactions().sale("fee", &charge()).await.unwrap().is_done());
    assert_eq!(charges(&world).await, 1);
}

/// Holds: A look in a database that is a copy sends nothing.
#[tokio::test]
async fn a_look_in_a_copy_sends_nothing() {
    let world = World::new(Format::Json).await;
    limited(&world, "transactions.sale").await;
    let open = world.north.transactions().sale("fee", &charge(&world, "order-1")).await.unwrap();
    assert!(matches!(open, Settled::Open(_)), "{open:?}");
    let uid = world.journal.intent(None, "fee").await.unwrap().uid;
    let copy = world.path().with_extension("copy");
    let vacuum = format!("VACUUM INTO '{}'", copy.display());
    sql(&world, &vacuum);
    let url = format!("sqlite:{}", copy.display());
    let bound = Journal::open_with(&url, world.clock.clone(), Rules::default()).await.unwrap();
    let north = bound.clearent("north-street", &world.client).await.unwrap();
    world.pass(1).await;
    let error = north.look(&uid).await.unwrap_err();
    assert!(matches!(error, Error::Store(StoreError::NotTheSame { .. })), "{error}");
    assert_eq!(charges(&world).await, 0);
}

/// Holds: A charge of the same order id that was voided before the first attempt is not taken for this one.
#[tokio::test]
async fn a_charge_that_was_voided_before_is_not_adopted() {
    let world = World::new(Format::Json).await;
    let earlier = world.client.transactions().sale(&charge(&world, "order-7")).await.unwrap();
    let void = Void { id: earlier.id.clone().unwrap() };
    world.client.transactions().void(&void).await.unwrap();
    world.pass(10).await;
    let before = charges(&world).await;
    for _ in 0..2 {
        let settled = world.north.transactions().sale("pay-7", &charge(&world, "order-7")).await.unwrap();
        assert!(settled.is_done(), "{settled:?}");
    }
    assert_eq!(charges(&world).await, before + 1);
}

/// Holds: A later write to an object is not sent before an earlier one that is still planned.
#[tokio::test]
async fn writes_to_an_object_keep_their_order() {
    let world = World::new(Format::Json).await;
    let plan = world.plan("Gold");
    let plan = world.client.plans().create(&plan).await.unwrap().plan_key.clone();
    let amount = |amount: &str| PlanUpdate::builder().payment_amount(amount).build().unwrap();
    limited(&world, "plans.update").await;
    let first = world.north.plans().update("first", &plan, &amount("60.00")).await.unwrap();
    assert!(matches!(first, Settled::Open(_)), "{first:?}");
    world.clock.0.fetch_add(10, std::sync::atomic::Ordering::SeqCst);
    let second = world.north.plans().update("second", &plan, &amount("70.00")).await.unwrap();
    assert!(matches!(second, Settled::Open(_)), "{second:?}");
    for _ in 0..8 {
        world.pass(1).await;
        world.journal.settle(std::slice::from_ref(&world.north)).await.unwrap();
    }
    for key in ["first", "second"] {
        assert_eq!(world.journal.intent(None, key).await.unwrap().state, State::Done, "{key}");
    }
    let plan = world.client.plans().get(&plan).await.unwrap();
    assert_eq!(plan.payment_amount.unwrap().to_string(), "70.00");
}

/// Holds: A plan keeps the mark of its creation when it is renamed.
#[tokio::test]
async fn a_renamed_plan_keeps_its_mark() {
    let world = World::new(Format::Json).await;
    let new = world.plan("Gold");
    let made = world.north.plans().create("plan", &new).await.unwrap().done().unwrap();
    let mark = world.journal.intent(None, "plan").await.unwrap().mark;
    let rename = PlanUpdate::builder().plan_name("Silver").build().unwrap();
    assert!(world.north.plans().update("rename", &made.plan_key, &rename).await.unwrap().is_done());
    let plan = world.client.plans().get(&made.plan_key).await.unwrap();
    assert_eq!(plan.plan_name.as_deref(), Some(format!("{mark} Silver").as_str()));
    // A lost response is found, although the name has the mark in front.
    lost(&world, "plans.update").await;
    let rename = PlanUpdate::builder().plan_name("Bronze").build().unwrap();
    let again = async || world.north.plans().update("again", &made.plan_key, &rename).await.unwrap();
    assert!(matches!(again().await, Settled::Open(_)), "it may still arrive");
    world.pass(10).await;
    assert!(again().await.is_done());
}

/// Holds: After a restore, a plan that somebody suspended is not activated again without a person.
#[tokio::test]
async fn a_suspended_plan_is_not_activated_after_a_restore() {
    let world = World::new(Format::Json).await;
    let backup = world.path().with_extension("backup");
    sql(&world, &format!("VACUUM INTO '{}'", backup.display()));
    let new = || world.plan("Gold");
    let made = world.north.plans().create("plan", &new()).await.unwrap().done().unwrap();
    assert!(world.north.plans().suspend("pause", &made.plan_key).await.unwrap().is_done());
    let plan_key = made.plan_key;
    let world = world.closed().await;
    for log in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{log}", world.path().display()));
    }
    std::fs::copy(&backup, world.path()).unwrap();
    let new = || world.plan("Gold");
    let journal = Journal::open_with(world.url(), world.clock.clone(), Rules::default()).await.unwrap();
    journal.adopt(by(), Duration::ZERO).await.unwrap();
    drop(journal);
    world.pass(10).await;
    let (journal, north) = reopened(&world).await;
    let again = north.plans().create("plan", &new()).await.unwrap();
    assert!(matches!(again, Settled::NeedsPerson(_)), "{again:?}");
    let plan = world.client.plans().get(&plan_key).await.unwrap();
    assert_eq!(plan.status, Some(PlanStatus::SUSPENDED));
    assert_eq!(world.client.plans().search(&PlanSearch::default()).collect_all().await.unwrap().len(), 1);
    assert!(journal.tenants().await.unwrap().iter().all(|tenant| tenant.hold.is_none()));
}

/// Holds: A backup that is restored into the open file stops every process before it sends.
#[tokio::test]
async fn a_restore_into_the_open_file_is_noticed_before_the_next_attempt() {
    let world = World::new(Format::Json).await;
    let sale = async |key: &str| world.north.transactions().sale(key, &world.charge()).await;
    assert!(sale("one").await.unwrap().is_done());
    sql(&world, "CREATE TABLE kept AS SELECT * FROM perennial_setting");
    assert!(sale("two").await.unwrap().is_done());
    assert!(sale("three").await.unwrap().is_done());
    sql(
        &world,
        "DELETE FROM perennial_intent WHERE operation_key IN ('two', 'three'); DELETE FROM perennial_setting; \
        INSERT INTO perennial_setting SELECT * FROM kept",
    );
    for number in 0..4 {
        let error = sale(&format!("new-{number}")).await.unwrap_err();
        assert!(matches!(error, Error::Store(StoreError::NotTheSame { .. })), "{error}");
        let (_journal, other) = reopened(&world).await;
        let error = other.transactions().sale("another", &world.charge()).await.unwrap_err();
        assert!(matches!(error, Error::Store(StoreError::NotTheSame { .. })), "{error}");
    }
    assert_eq!(charges(&world).await, 3);
}

/// Holds: A decision of a person waits for a caller that is about to send.
#[tokio::test]
async fn a_decision_is_refused_while_another_process_has_the_intent() {
    let world = World::new(Format::Json).await;
    limited(&world, "transactions.sale").await;
    let charge =
        Charge::builder().amount("25.00").card("4111 1111 1111 1111").exp_date("1230").build().unwrap();
    let waits = world.north.transactions().sale("fee", &charge).await.unwrap();
    assert!(matches!(waits, Settled::NeedsCard(_)), "{waits:?}");
    let uid = world.journal.intent(None, "fee").await.unwrap().uid;
    sql(&world, "UPDATE perennial_intent SET lease_until = 9000000000000 WHERE operation_key = 'fee'");
    let error = world.journal.resolve(&uid, None, by()).await.unwrap_err();
    assert!(matches!(error, Error::InUse), "{error}");
    sql(&world, "UPDATE perennial_intent SET lease_until = NULL WHERE operation_key = 'fee'");
    assert_eq!(world.journal.resolve(&uid, None, by()).await.unwrap().state, State::Withdrawn);
    let error = world.journal.resolve(&uid, Some("1".to_owned()), by()).await.unwrap_err();
    assert!(matches!(error, Error::NotToDecide { .. }), "{error}");
}

/// Holds: A call whose write another process may be sending, or has left when it was killed, says until when.
#[tokio::test]
async fn a_write_of_another_process_says_until_when_it_may_be_sent() {
    let world = World::new(Format::Json).await;
    limited(&world, "transactions.sale").await;
    let sale = async || world.north.transactions().sale("fee", &world.charge()).await.unwrap();
    let limited = sale().await;
    assert!(matches!(&limited, Settled::Open(waits) if !waits.reason.is_empty()), "{limited:?}");
    sql(
        &world,
        "UPDATE perennial_intent SET state = 'sending', lease_until = 9000000000000, next = NULL,
           history = '{\"attempts\":[{\"at\":1,\"by\":2}],\"reason\":\"limited\"}' WHERE operation_key = 'fee'",
    );
    let Settled::Open(waits) = sale().await else { panic!("it is open") };
    let expected = "another process may be sending it until 2255-03-14T16:00:00.000Z; a look after that tells the result";
    assert_eq!(waits.reason, expected);
}

/// Holds: A journal whose time is far ahead of the clock says so, sends nothing, and is set right by an adoption.
#[tokio::test]
async fn a_clock_that_was_ahead_is_an_error_until_the_journal_is_adopted() {
    let world = World::new(Format::Json).await;
    let now = world.journal.now().await.unwrap();
    sql(
        &world,
        &format!(
            "UPDATE perennial_setting SET value = '{}' WHERE name = 'now'",
            now.as_millis() + 86_400_000
        ),
    );
    let error = world.north.transactions().sale("fee", &charge(&world, "o")).await.unwrap_err();
    assert!(matches!(error, Error::Store(StoreError::ClockBehind { .. })), "{error}");
    world.journal.adopt(by(), Duration::ZERO).await.unwrap();
    let (journal, north) = reopened(&world).await;
    for _ in 0..40 {
        world.pass(1).await;
        if north.transactions().sale("fee", &charge(&world, "o")).await.unwrap().is_done() {
            break;
        }
    }
    assert_eq!(charges(&world).await, 1);
    assert!(
        journal.intents(&Filter::default()).await.unwrap().iter().all(|intent| intent.state == State::Done)
    );
}

/// Holds: The answer to what was sent is stored although the clock has gone back by then, and the next call is refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_is_stored_although_the_clock_went_back() {
    let world = World::new(Format::Json).await;
    let slow = Fault::on("transactions.sale", Effect::Delay { delay: Duration::from_millis(200) }).nth(1);
    world.sandbox.fault(&slow).await.unwrap();
    let mut sending = Filter::default();
    sending.states = vec![State::Sending];
    let go_back = async {
        while world.journal.intents(&sending).await.unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        world.clock.0.fetch_sub(600_000, Ordering::SeqCst);
    };
    let sales = world.north.transactions();
    let charge = charge(&world, "o");
    let (sale, ()) = tokio::join!(sales.sale("fee", &charge), go_back);
    assert!(sale.unwrap().is_done());
    let error = world.north.transactions().sale("next", &world.charge()).await.unwrap_err();
    assert!(matches!(error, Error::Store(StoreError::ClockBehind { .. })), "{error}");
}

/// Holds: What is sent to a transaction waits for a void whose response is lost.
#[tokio::test]
async fn a_refund_waits_for_an_open_void() {
    let world = World::new(Format::Json).await;
    let sale = world.north.transactions().sale("fee", &charge(&world, "o")).await.unwrap().done().unwrap();
    let id = sale.id.clone().unwrap();
    let fails = Fault::on("transactions.void", Effect::ErrorBefore { status: 500 }).nth(1);
    world.sandbox.fault(&fails).await.unwrap();
    let void = world.north.transactions().void("void", &Void { id: id.clone() }).await.unwrap();
    assert!(matches!(void, Settled::Open(_)), "{void:?}");
    let refund = Refund::builder().id(id).amount("25.00").build().unwrap();
    let waits = world.north.transactions().refund("refund", &refund).await.unwrap();
    assert!(matches!(waits, Settled::Open(_)), "{waits:?}");
    let refund = world.journal.intent(None, "refund").await.unwrap();
    assert_eq!((refund.state, refund.history.attempts.len()), (State::Planned, 0));
    assert_eq!(world.journal.waits_for(&refund).await.unwrap().unwrap().key, "void");
}

/// Holds: A void is sent while its tenant is on hold.
#[tokio::test]
async fn a_void_passes_a_hold() {
    let world = World::new(Format::Json).await;
    let sale = world.north.transactions().sale("fee", &charge(&world, "o")).await.unwrap().done().unwrap();
    world.journal.hold("north-street", by()).await.unwrap();
    let void = Void { id: sale.id.clone().unwrap() };
    assert!(world.north.transactions().void("void", &void).await.unwrap().is_done());
}

/// Holds: A journal that lost a tenant finds its charges again, because the control customer gives the keys their marks.
#[tokio::test]
async fn a_lost_tenant_gets_its_marks_back() {
    let world = World::new(Format::Json).await;
    assert!(world.north.transactions().sale("fee", &world.charge()).await.unwrap().is_done());
    let url = format!("sqlite:{}", world.path().with_extension("new").display());
    let journal = Journal::open_with(&url, world.clock.clone(), Rules::default()).await.unwrap();
    let north = journal.clearent("north-street", &world.client).await.unwrap();
    world.pass(10).await;
    assert!(north.transactions().sale("fee", &world.charge()).await.unwrap().is_done());
    assert_eq!(charges(&world).await, 1);
    let of = journal.tenants_of(&world.client).await.unwrap();
    assert_eq!(of.iter().map(|tenant| tenant.name.as_str()).collect::<Vec<_>>(), ["north-street"]);
    // Another name is another tenant.
    journal.clearent("south-street", &world.client).await.unwrap();
    assert_eq!(journal.tenants_of(&world.client).await.unwrap().len(), 2);
}

/// Holds: A tenant whose control customer was deleted is refused until a person binds it anew, and keeps its keys.
#[tokio::test]
async fn a_tenant_without_its_control_customer_is_bound_anew() {
    let world = World::new(Format::Json).await;
    assert!(world.north.transactions().sale("fee", &world.charge()).await.unwrap().is_done());
    let control = world.journal.tenants().await.unwrap()[0].sentinel.clone().unwrap();
    world.client.customers().delete(&control.as_str().try_into().unwrap()).await.unwrap();
    let error = world.journal.clearent("north-street", &world.client).await.unwrap_err();
    assert!(matches!(error, Error::OtherMerchant { what: "merchant", .. }), "{error}");
    assert!(error.to_string().contains("perennial journal rebind"), "{error}");
    let nobody = "cust_nobody".parse().unwrap();
    let error = world.journal.rebind("north-street", &world.client, Some(&nobody), by()).await.unwrap_err();
    assert!(error.to_string().contains("cust_nobody"), "{error}");
    for control in [None, Some(&world.customer)] {
        let north = world.journal.rebind("north-street", &world.client, control, by()).await.unwrap();
        assert!(north.transactions().sale("fee", &world.charge()).await.unwrap().is_done());
        world.journal.clearent("north-street", &world.client).await.unwrap();
    }
    assert_eq!(charges(&world).await, 1);
    let uid = &world.journal.tenants().await.unwrap()[0].uid;
    assert_eq!(world.journal.decisions(uid).await.unwrap().len(), 2);
}

/// Holds: A tenant whose control customer could not be created at first is bound by a later call.
#[tokio::test]
async fn a_control_customer_that_was_not_created_is_created_later() {
    for status in [500, 503] {
        let world = World::new(Format::Json).await;
        let fails = Fault::on("customers.create", Effect::ErrorBefore { status }).nth(1);
        world.sandbox.fault(&fails).await.unwrap();
        let bind = async || world.journal.clearent("south-street", &world.client).await;
        assert!(matches!(bind().await, Err(Error::NotBound { .. })), "{status}");
        world.pass(10).await;
        assert!(bind().await.is_ok(), "{status}");
    }
}

/// Holds: A tenant that is bound by an existing customer writes nothing until its first write, and then takes effect once.
#[tokio::test]
async fn a_tenant_is_bound_by_an_existing_customer() {
    let world = World::new(Format::Json).await;
    let customers = async || world.client.customers().search(&CustomerSearch::default()).collect_all().await;
    let before = customers().await.unwrap();
    let bound = world.journal.clearent_by("south-street", &world.client, &world.customer).await.unwrap();
    // Later, it is bound as any other.
    let again = world.journal.clearent("south-street", &world.client).await.unwrap();
    assert_eq!(again.tenant_uid(), bound.tenant_uid());
    assert_eq!(customers().await.unwrap(), before);
    lost(&world, "transactions.sale").await;
    for north in [&bound, &again] {
        assert!(north.transactions().sale("fee", &world.charge()).await.unwrap().is_done());
    }
    assert_eq!(charges(&world).await, 1);
    let nobody = "cust_nobody".parse().unwrap();
    let error = world.journal.clearent_by("east-street", &world.client, &nobody).await.unwrap_err();
    assert!(matches!(error, Error::OtherMerchant { what: "merchant", .. }), "{error}");
}

/// Holds: A void from the inbox is about the transaction that its request names, and no row has a security code.
#[tokio::test]
async fn a_row_of_the_inbox_voids_the_transaction_that_its_request_names() {
    let world = World::new(Format::Json).await;
    let sale = world.north.transactions().sale("fee", &world.charge()).await.unwrap().done().unwrap();
    let (id, token) = (sale.id.clone().unwrap(), &world.token);
    let row = |key: &str, operation: &str, object: &str, request: &str| {
        sql(
            &world,
            &format!(
                "INSERT INTO perennial_inbox (tenant, operation_key, operation, object, request)
                 VALUES ('north-street', '{key}', '{operation}', {object}, '{request}')"
            ),
        );
    };
    row("wrong", "transactions.void", "'transactions/1'", &format!(r#"{{"id":"{id}"}}"#));
    row(
        "code",
        "transactions.sale",
        "NULL",
        &format!(r#"{{"amount":"1.00","card":"{token}","exp-date":"1230","csc":"999"}}"#),
    );
    row("void", "transactions.void", "NULL", &format!(r#"{{"id":"{id}"}}"#));
    world.journal.settle(std::slice::from_ref(&world.north)).await.unwrap();
    let void = world.journal.intent(None, "void").await.unwrap();
    assert_eq!((void.state, void.object), (State::Done, format!("transactions/{id}")));
    assert!(world.client.transactions().get(&id).await.unwrap().is_voided());
    let events = world.journal.events(0, 100).await.unwrap();
    let refused: Vec<_> = events
        .iter()
        .filter(|event| event.kind == "inbox.refused")
        .map(|event| event.about.as_str())
        .collect();
    assert_eq!(refused, ["wrong", "code"]);
    assert!(events.iter().all(|event| !event.body.contains("999")));
}

/// Holds: A plan that is made and whose activation is taken back is reported as suspended, not as refused.
#[tokio::test]
async fn a_plan_that_is_not_activated_is_reported_with_its_key() {
    let world = World::new(Format::Json).await;
    limited(&world, "plans.update").await;
    let made = world.north.plans().create("gold", &world.plan("Gold")).await.unwrap();
    assert!(matches!(made, Settled::Open(_)), "{made:?}");
    let activation = world.journal.intent(None, "gold/activation").await.unwrap();
    world.journal.withdraw(&activation.uid, by()).await.unwrap();
    let again = world.north.plans().create("gold", &world.plan("Gold")).await.unwrap();
    let Settled::NotActivated { plan, .. } = again else { panic!("{again:?}") };
    let plan = world.client.plans().get(&plan.as_str().try_into().unwrap()).await.unwrap();
    assert_eq!(plan.status, Some(PlanStatus::SUSPENDED));
    for key in ["gold/activation", "gold/spare/1", "perennial/control", "perennial/control/1"] {
        let error = world.north.transactions().sale(key, &world.charge()).await.unwrap_err();
        assert!(matches!(error, Error::InvalidKey), "{key}: {error}");
    }
}

/// Holds: What no look can tell for a day is decided by a person.
#[tokio::test]
async fn an_update_of_an_object_that_is_gone_is_decided_by_a_person() {
    let world = World::new(Format::Json).await;
    let plan = world.client.plans().create(&world.plan("Gold")).await.unwrap().plan_key.clone();
    lost(&world, "plans.update").await;
    let amount = PlanUpdate::builder().payment_amount("60.00").build().unwrap();
    world.sandbox.fault(&Fault::on("plans.get", Effect::ErrorBefore { status: 404 })).await.unwrap();
    let open = world.north.plans().update("amount", &plan, &amount).await.unwrap();
    assert!(matches!(open, Settled::Open(_)), "{open:?}");
    let uid = world.journal.intent(None, "amount").await.unwrap().uid;
    let error = world.journal.resolve(&uid, None, by()).await.unwrap_err();
    assert!(matches!(error, Error::NotToDecide { .. }), "{error}");
    world.pass(25 * 60).await;
    assert_eq!(world.journal.resolve(&uid, None, by()).await.unwrap().state, State::Withdrawn);
}

/// Holds: An answer of the gateway that an attempt had no effect is checked by a look before the next attempt, and before the write ends.
#[tokio::test]
async fn an_answer_that_denies_an_effect_is_checked() {
    for status in [429, 401] {
        let world = World::new(Format::Json).await;
        world
            .sandbox
            .fault(&Fault::on("transactions.sale", Effect::ErrorAfter { status }).nth(1))
            .await
            .unwrap();
        let open = world.north.transactions().sale("fee", &charge(&world, "own-order")).await.unwrap();
        assert!(!open.is_done(), "{open:?}");
        if status == 401 {
            world.journal.release("north-street", by()).await.unwrap();
        }
        world.pass(1).await;
        assert!(
            world.north.transactions().sale("fee", &charge(&world, "own-order")).await.unwrap().is_done()
        );
        assert_eq!(charges(&world).await, 1, "{status}");

        lost_after(&world, "plans.update", status).await;
        let made = world.north.plans().create("gold", &world.plan("Gold")).await.unwrap();
        assert!(matches!(made, Settled::Open(_)), "{made:?}");
        if status == 401 {
            world.journal.release("north-street", by()).await.unwrap();
        }
        world.pass(25 * 60).await;
        let made = world.north.plans().create("gold", &world.plan("Gold")).await.unwrap();
        assert!(made.is_done(), "it is active, although its time has passed: {made:?}");
    }
}

async fn lost_after(world: &World, operation: &str, status: u16) {
    world.sandbox.fault(&Fault::on(operation, Effect::ErrorAfter { status }).nth(1)).await.unwrap();
}

/// Holds: A request that an intermediary repeats is done once, although the gateway refuses the second one.
#[tokio::test]
async fn a_refusal_of_a_repeated_request_is_no_refusal() {
    let world = World::new(Format::Json).await;
    let twice = async |operation: &str| {
        world.sandbox.fault(&Fault::on(operation, Effect::Duplicate).nth(1)).await.unwrap();
    };
    twice("customers.create").await;
    let eve =
        perennial::clearent::NewCustomer::builder().first_name("Eve").last_name("Moss").build().unwrap();
    assert!(world.north.customers().create("eve", &eve).await.unwrap().is_done());
    let sale = world.north.transactions().sale("fee", &world.charge()).await.unwrap().done().unwrap();
    twice("transactions.void").await;
    let void = Void { id: sale.id.clone().unwrap() };
    assert!(world.north.transactions().void("void", &void).await.unwrap().is_done());
    let auth = world.north.transactions().auth("auth", &world.charge()).await.unwrap().done().unwrap();
    let capture =
        perennial::clearent::Capture::builder().id(auth.id.unwrap()).amount("25.00").build().unwrap();
    twice("transactions.capture").await;
    assert!(world.north.transactions().capture("capture", &capture).await.unwrap().is_done());
    // A refusal without an effect stays one, and another capture holds nothing up.
    let other = world.north.transactions().capture("capture-2", &capture).await.unwrap();
    assert!(matches!(other, Settled::Refused { .. } | Settled::Done { .. }), "{other:?}");
    assert!(world.journal.tenants().await.unwrap().iter().all(|tenant| tenant.hold.is_none()));
}

/// Holds: A backup that is put back together with its witness charges nothing twice.
#[tokio::test]
async fn a_restore_that_leaves_no_trace_charges_nothing_twice() {
    let world = World::new(Format::Json).await;
    assert!(world.north.transactions().sale("one", &world.charge()).await.unwrap().is_done());
    sql(&world, "CREATE TABLE kept AS SELECT * FROM perennial_setting");
    let witness = world.path().with_extension("db.witness");
    let kept = std::fs::read(&witness).unwrap();
    assert!(world.north.transactions().sale("two", &world.charge()).await.unwrap().is_done());
    let made = world.north.plans().create("gold", &world.plan("Gold")).await.unwrap();
    assert!(made.is_done());
    sql(
        &world,
        "DELETE FROM perennial_intent WHERE operation_key <> 'one' AND operation_key <> 'perennial/control';
         DELETE FROM perennial_setting; INSERT INTO perennial_setting SELECT * FROM kept",
    );
    std::fs::write(&witness, kept).unwrap();
    assert!(world.north.transactions().sale("two", &world.charge()).await.unwrap().is_done());
    assert!(world.north.plans().create("gold", &world.plan("Gold")).await.unwrap().is_done());
    assert_eq!(charges(&world).await, 2);
    let plans = world.client.plans().search(&PlanSearch::default()).collect_all().await.unwrap();
    assert_eq!(plans.len(), 1);
}

/// Holds: An update whose effect the gateway does not report is not taken for done.
#[tokio::test]
async fn an_update_that_no_read_shows_is_not_taken_for_done() {
    let world = World::new(Format::Json).await;
    let fault = Fault::on("customer-tokens.update", Effect::ErrorBefore { status: 500 }).nth(1);
    world.sandbox.fault(&fault).await.unwrap();
    let update =
        perennial::clearent::CustomerTokenUpdate::builder().token_id(&world.token).description("new");
    let update = update.build().unwrap();
    let open = world.north.customers().tokens(&world.customer).update("text", &update).await.unwrap();
    assert!(matches!(open, Settled::Open(_)), "{open:?}");
}

/// Holds: A write that is stored for later has no card, no security code and no one-time token.
#[tokio::test]
async fn a_later_write_has_no_card() {
    let world = World::new(Format::Json).await;
    let now = world.journal.now().await.unwrap();
    let charge = || Charge::builder().amount("25.00");
    let card = charge().card(ChargeSource::Card("4111111111111111".parse().unwrap())).exp_date("1230");
    let cases = [
        ("a token", charge().card(&world.token).build(), true),
        ("a card", card.build(), false),
        ("a security code", charge().card(&world.token).csc("999").build(), false),
        (
            "a one-time token",
            charge().card(OneTimeToken::try_from("header.payload.signature").unwrap()).build(),
            false,
        ),
    ];
    for (name, charge, is_stored) in cases {
        let intent = world.north.intent(name, Later::Sale(&charge.unwrap()), now);
        match intent {
            Ok(intent) => assert!(is_stored && !intent.needs_card, "{name}"),
            Err(error) => assert!(!is_stored && matches!(error, Error::CardLater), "{name}: {error}"),
        }
    }
}
