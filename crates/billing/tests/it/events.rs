//! Events: each kind, in order, by a cursor that misses nothing.

use std::collections::BTreeSet;
use std::time::Duration;

use perennial_billing::{Billing, CancelAt, NewSubscription, SubscriptionChange};
use perennial_journal::store::Statement;
use perennial_sandbox::{Effect, Fault};
use serde_json::Value;

use crate::support::{World, by};

/// All events as `kind subscription day amount`, read by pages of this size.
async fn told(billing: &Billing, page: u32) -> Vec<String> {
    let (mut told, mut last) = (Vec::new(), 0);
    loop {
        let events = billing.events(last, page).await.unwrap();
        assert!(events.len() <= page as usize);
        let Some(newest) = events.last() else { return told };
        assert!(events[0].position > last && events.is_sorted_by(|one, other| one.position < other.position));
        last = newest.position;
        told.extend(events.iter().map(|event| {
            let body: Value = serde_json::from_str(&event.body).unwrap();
            assert_eq!(body["subscription"], event.subscription.as_str());
            let is_of_charge =
                matches!(event.kind.as_str(), "charge.paid" | "charge.declined" | "charge.surplus");
            assert_eq!(body["transaction"].is_string(), is_of_charge, "{}: {body}", event.kind);
            let text = |name: &str| body[name].as_str().map_or(String::new(), |text| format!(" {text}"));
            format!("{} {}{}{}", event.kind, event.subscription, text("day"), text("amount"))
        }));
    }
}

/// Holds: Each change of a life is one event, and a charge is announced once.
#[tokio::test]
async fn each_change_is_one_event() {
    for world in World::on_each_database().await {
        is_told(&world).await;
    }
}

async fn is_told(world: &World) {
    let billing = &world.billing;
    let declined = NewSubscription { amount: "0.21".parse().unwrap(), ..world.gold("declined", 20) };
    for new in [world.gold("M-1", 15), declined] {
        billing.start(&new).await.unwrap();
    }
    world.sandbox.fault(&Fault::on("engine.charge", Effect::Duplicate).nth(1)).await.unwrap();
    world.until("2027-01-18").await;
    let silver =
        SubscriptionChange { amount: Some("60.00".parse().unwrap()), ..SubscriptionChange::default() };
    billing.change("M-1", &silver, by()).await.unwrap();
    world.pass(1).await;
    billing.pause("M-1", None, "2027-02-20".parse().unwrap(), by()).await.unwrap();
    billing.resume("M-1", by()).await.unwrap();
    world.until("2027-01-29").await;
    for id in ["declined", "M-1"] {
        billing.cancel(id, CancelAt::Now, by()).await.unwrap();
    }
    world.pass(1).await;

    let all = told(billing, 100).await;
    let of = |id: &str| -> Vec<&str> {
        let of = |event: &&String| event.split(' ').nth(1) == Some(id);
        all.iter().filter(of).map(String::as_str).collect()
    };
    assert_eq!(
        of("M-1"),
        [
            "subscription.started M-1 2027-01-15 50.00",
            "charge.upcoming M-1 2027-01-15 50.00",
            "charge.paid M-1 2027-01-15 50.00",
            "charge.surplus M-1 2027-01-15 50.00",
            "subscription.changed M-1",
            "subscription.renewed M-1 2027-02-15 60.00",
            "subscription.paused M-1",
            "subscription.resumed M-1",
            "subscription.canceled M-1",
            "subscription.ended M-1",
        ]
    );
    assert_eq!(
        of("declined"),
        [
            "subscription.started declined 2027-01-20 0.21",
            "charge.upcoming declined 2027-01-20 0.21",
            "charge.declined declined 2027-01-20 0.21",
            // Its plan is closed, so that a sale may follow.
            "subscription.renewed declined 2027-02-20 0.21",
            "charge.declined declined 2027-01-20 0.21",
            "charge.declined declined 2027-01-20 0.21",
            "charge.declined declined 2027-01-20 0.21",
            "charge.declined declined 2027-01-20 0.21",
            "charge.given-up declined 2027-01-20 0.21",
            "subscription.canceled declined",
            "subscription.ended declined",
        ]
    );
    for page in [1, 2, 7] {
        assert_eq!(told(billing, page).await, all, "by pages of {page}");
    }
    assert_eq!(billing.events(0, 0).await.unwrap(), []);
    assert_eq!(billing.events(i64::MAX, 5).await.unwrap(), []);
}

/// Holds: A reader with a cursor gets an event whose number is lower and that is committed later, and no event of another
/// merchant.
#[tokio::test]
async fn an_event_that_is_committed_late_is_not_missed() {
    for world in World::on_each_database().await {
        let tenant = world.north.tenant_uid().to_owned();
        let store = async |id: i64, tenant: &str, kind: &str| {
            // PostgreSQL gives the numbers itself, unless it is told otherwise.
            for overriding in ["OVERRIDING SYSTEM VALUE", ""] {
                let sql = format!(
                    "INSERT INTO perennial_event (id, tenant, kind, about, body, at) {overriding}
                     VALUES ({id}, '{tenant}', '{kind}', 'M-1', '{{\"subscription\":\"M-1\"}}', 0)"
                );
                if world.journal.transact(vec![Statement::new(sql, Vec::new())]).await.is_ok() {
                    return;
                }
            }
            panic!("the event {id} is not stored");
        };
        let other = "INSERT INTO perennial_tenant (uid, name, host, worst_lag, created) VALUES ('other', 'other', 'h', 0, 0)";
        world.journal.transact(vec![Statement::new(other, Vec::new())]).await.unwrap();
        let mut last = world.billing.events(0, 100).await.unwrap().last().map_or(0, |event| event.position);
        for (id, tenant, kind, is_told) in [
            (900, tenant.as_str(), "charge.paid", true),
            (800, tenant.as_str(), "charge.declined", true),
            (850, "other", "charge.paid", false),
            (700, tenant.as_str(), "intent.done", false),
            (950, tenant.as_str(), "needs-person", true),
            (600, tenant.as_str(), "subscription.ended", true),
        ] {
            store(id, tenant, kind).await;
            let events = world.billing.events(last, 100).await.unwrap();
            let kinds: Vec<_> = events.iter().map(|event| event.kind.as_str()).collect();
            assert_eq!(kinds, if is_told { vec![kind] } else { vec![] }, "{id} {tenant}");
            last = events.last().map_or(last, |event| event.position);
        }
    }
}

/// Holds: Readers that follow while several processes write get every event once, in one order.
#[tokio::test(flavor = "multi_thread")]
async fn readers_that_follow_miss_nothing() {
    const EACH: usize = 20;
    let folder = tempfile::tempdir().unwrap();
    #[cfg_attr(not(all(unix, feature = "postgres")), expect(unused_mut))]
    let mut urls = vec![format!("sqlite:{}", folder.path().join("billing.db").display())];
    #[cfg(all(unix, feature = "postgres"))]
    urls.push(crate::postgres::database());
    for url in urls {
        let world = World::on(&url).await;
        for id in ["M-1", "M-2"] {
            world.billing.start(&world.gold(id, 15)).await.unwrap();
        }
        let (one, other) = (world.billing.clone(), world.other(&url).await);
        let write = async |billing: Billing, id: &str| {
            for number in 0..EACH {
                let amount = Some(format!("{}.00", number + 60).parse().unwrap());
                let change = SubscriptionChange { amount, ..SubscriptionChange::default() };
                billing.change(id, &change, by()).await.unwrap();
            }
        };
        let follow = async |billing: Billing| {
            let (mut last, mut positions) = (0, Vec::new());
            while positions.len() < 2 * EACH {
                for event in billing.events(last, 3).await.unwrap() {
                    last = event.position;
                    positions.push(event.position);
                }
                tokio::task::yield_now().await;
            }
            positions
        };
        let all = async {
            tokio::join!(
                write(one.clone(), "M-1"),
                write(other.clone(), "M-2"),
                follow(one.clone()),
                follow(other.clone())
            )
        };
        let ((), (), mine, theirs) = tokio::time::timeout(Duration::from_secs(60), all).await.unwrap();
        assert_eq!(mine, theirs);
        assert_eq!(mine.iter().collect::<BTreeSet<_>>().len(), 2 * EACH);
    }
}
