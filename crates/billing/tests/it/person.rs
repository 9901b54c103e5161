//! The data of a person: all of it is exported, and none of it is left after an erasure; the books stay whole.

use perennial::clearent::{Address, NewCustomer, NewToken};
use perennial_billing::{CancelAt, NewSubscription, SubscriptionChange};
use perennial_journal::By;
use perennial_journal::store::{Row, Statement};
use serde_json::Value;

use crate::support::{World, by};

/// Texts by which the person can be known. None of them is in another row.
const PERSONAL: &[&str] =
    &["Lovelace", "12 Ockham Lane", "ada@example.test", "Gold of Ada", "asked by Ada", "Ines Ortega"];

fn ines() -> By {
    By { actor: "Ines Ortega".to_owned(), reason: "asked by Ada".to_owned() }
}

/// A member who was created under an operation key, declined, changed, and canceled, twice.
async fn left(world: &World) -> NewSubscription {
    let north = &world.north;
    let ada = NewCustomer::builder()
        .first_name("Ada")
        .last_name("Lovelace")
        .email("ada@example.test")
        .billing_address(Address::builder().street("12 Ockham Lane"))
        .build()
        .unwrap();
    let ada = north.customers().create("signup-1/customer", &ada).await.unwrap().done().unwrap();
    let card =
        NewToken::builder().card("4111 1111 1111 1111").exp_date("1239").csc("999").description("a card");
    let card = card.customer_key(&ada.customer_key).build().unwrap();
    let token = north.tokens().create("signup-1/card", card).await.unwrap().done().unwrap();
    let new = NewSubscription {
        customer: ada.customer_key.clone(),
        token: token.token_id.unwrap(),
        name: "Gold of Ada".to_owned(),
        ..world.gold("M-1", 15)
    };
    // Its card ends, which is an event.
    world.wire.set_expiry(&new.token, Some("0127"));
    for month in ["2027-01", "2027-03"] {
        world.billing.start(&new).await.unwrap();
        world.until(&format!("{month}-18")).await;
        let change =
            SubscriptionChange { amount: Some("60.00".parse().unwrap()), ..SubscriptionChange::default() };
        world.billing.change("M-1", &change, ines()).await.unwrap();
        world.pass(2).await;
        world.billing.cancel("M-1", CancelAt::Now, ines()).await.unwrap();
        world.pass(20).await;
    }
    new
}

/// The columns of all tables.
async fn columns(world: &World) -> Vec<(String, String)> {
    let read = |row: &mut Row| Ok((row.text()?, row.text()?));
    let sqlite = "SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c
                  WHERE m.type = 'table' AND m.name LIKE 'perennial%'";
    if let Ok(columns) = world.journal.rows(sqlite, Vec::new(), read).await {
        return columns;
    }
    let postgres = "SELECT CAST('perennial' || '_' || table_name AS TEXT), CAST(column_name AS TEXT)
                    FROM information_schema.columns WHERE table_schema = 'perennial'";
    world.journal.rows(postgres, Vec::new(), read).await.unwrap()
}

/// All texts of the database.
async fn texts(world: &World) -> String {
    let mut texts = Vec::new();
    for (table, column) in columns(world).await {
        let sql = format!("SELECT CAST({column} AS TEXT) FROM {table} WHERE {column} IS NOT NULL");
        texts.extend(world.journal.rows(sql, Vec::new(), Row::text).await.unwrap());
    }
    assert!(texts.len() > 100, "{texts:?}");
    texts.join("\n")
}

async fn exported(world: &World, id: &str) -> Value {
    serde_json::from_str(&world.billing.export(id).await.unwrap()).unwrap()
}

async fn books(world: &World) -> String {
    let window = "2027-01-01".parse().unwrap().."2027-05-01".parse().unwrap();
    format!("{:?}", world.billing.books(window).await.unwrap())
}

/// Holds: All that is stored about a person is exported; after an erasure none of it is in the database, and the books are
/// as before.
#[tokio::test]
async fn a_person_is_exported_and_erased() {
    for world in World::on_each_database().await {
        world.billing.start(&world.gold("other", 15)).await.unwrap();
        let new = left(&world).await;
        let before = (books(&world).await, exported(&world, "other").await);
        let export = exported(&world, "M-1").await;
        let (customer, token) = (new.customer.to_string(), new.token.to_string());
        let personal: Vec<&str> = PERSONAL.iter().copied().chain([&*customer, &*token]).collect();
        for text in &personal {
            assert!(export.to_string().contains(text), "{text} is not exported: {export:#}");
        }
        let subscriptions = export["subscriptions"].as_array().unwrap();
        let charges = |one: &Value| one["charges"].as_array().unwrap().len();
        assert_eq!(subscriptions.iter().map(charges).collect::<Vec<_>>(), [2, 1], "{export:#}");

        let preview = world.billing.preview_erase("M-1").await.unwrap();
        assert_eq!(exported(&world, "M-1").await, export, "a preview changes nothing");
        let dpo = By { actor: "dpo".to_owned(), reason: "request 7".to_owned() };
        let erased = world.billing.erase("M-1", dpo.clone()).await.unwrap();
        assert_eq!((erased, erased.subscriptions), (preview, 2));
        let stored = texts(&world).await;
        for text in &personal {
            assert!(!stored.contains(text), "{text} is still stored");
        }
        assert_eq!((books(&world).await, exported(&world, "other").await), before);
        let export = exported(&world, "M-1").await;
        let who = |decision: &&Value| decision["actor"] == "dpo" && decision["reason"] == "request 7";
        assert_eq!(export["decisions"].as_array().unwrap().iter().filter(who).count(), 2, "{export:#}");

        // The same again changes nothing, and the key of an erased write makes nothing.
        assert_eq!(world.billing.erase("M-1", dpo.clone()).await.unwrap().subscriptions, 0);
        assert_eq!(exported(&world, "M-1").await, export);
        let ada = NewCustomer::builder().first_name("Ada").last_name("Lovelace").build().unwrap();
        let again = world.north.customers().create("signup-1/customer", &ada).await;
        assert!(again.is_err(), "{again:?}");
        // The worker goes on, and whoever comes back is a new one.
        world.pass(2).await;
        assert_eq!(world.billing.start(&world.gold("M-1", 15)).await.unwrap().generation, 3);
        let refused = world.billing.erase("M-1", dpo).await.unwrap_err().to_string();
        assert!(refused.contains("is not over"), "{refused}");
    }
}

/// Holds: Every column of a table with rows of a subscription is exported.
#[tokio::test]
async fn every_column_is_exported() {
    for world in World::on_each_database().await {
        let declined = NewSubscription { amount: "0.21".parse().unwrap(), ..world.gold("M-1", 15) };
        world.wire.set_expiry(&world.token, Some("0127"));
        world.billing.start(&declined).await.unwrap();
        world.until("2027-01-18").await;
        let export = exported(&world, "M-1").await;
        let one = &export["subscriptions"][0];
        let all = columns(&world).await;
        let mut checked = 0;
        for (table, column) in &all {
            let is_of = table == "perennial_subscription"
                || all.iter().any(|(other, column)| other == table && column == "subscription");
            if !is_of || ["tenant", "subscription"].contains(&column.as_str()) {
                continue;
            }
            let rows = match table.strip_prefix("perennial_").unwrap() {
                "subscription" => one,
                "term" => &one["terms"][0],
                "due_day" => &one["due-days"][0],
                "try" => &one["tries"][0],
                name @ "announced" => &one[name][0],
                name => &one[format!("{name}s")][0],
            };
            assert!(
                rows.get(column.replace('_', "-")).is_some(),
                "{table}.{column} is not exported: {one:#}"
            );
            checked += 1;
        }
        assert!(checked > 40, "{checked}");
    }
}

/// Statements that leave something open, and the reason of the refusal.
const OPEN: &[(&str, &str)] = &[
    ("UPDATE perennial_subscription SET status = 'canceling' WHERE id = 'M-1'", "is not over: cancel it"),
    ("UPDATE perennial_subscription SET status = 'active' WHERE id = 'M-1'", "is not over: cancel it"),
    (
        "UPDATE perennial_due_day SET state = 'needs-person' WHERE day = '2027-01-15'",
        "the due day 2027-01-15 is open",
    ),
    (
        "UPDATE perennial_due_day SET was = 'declined' WHERE day = '2027-01-15'",
        "the due day 2027-01-15 is open",
    ),
    (
        "UPDATE perennial_intent SET state = 'unknown' WHERE operation_key LIKE 'subscriptions/%/create'",
        "has no outcome",
    ),
    (
        "UPDATE perennial_intent SET next = 1798848000000 WHERE operation_key LIKE '%/activate'",
        "again at 2027-01-02",
    ),
];

/// Holds: Nothing is erased while a subscription is not over, or anything of it is open.
#[tokio::test]
async fn what_is_open_is_not_erased() {
    let world = World::new().await;
    let missing = world.billing.erase("M-1", by()).await.unwrap_err().to_string();
    assert!(missing.contains("there is no subscription M-1"), "{missing}");
    world.billing.start(&world.gold("M-1", 15)).await.unwrap();
    world.until("2027-01-20").await;
    world.billing.cancel("M-1", CancelAt::Now, by()).await.unwrap();
    world.pass(3).await;
    for (sql, why) in OPEN {
        let table = sql.split(' ').nth(1).unwrap();
        let saved = format!("CREATE TABLE saved AS SELECT * FROM {table}");
        let back = format!("INSERT OR REPLACE INTO {table} SELECT * FROM saved");
        let run = async |sql: &str| {
            world.journal.transact(vec![Statement::new(sql.to_owned(), Vec::new())]).await.unwrap();
        };
        run(&saved).await;
        run(sql).await;
        let before = exported(&world, "M-1").await;
        for refused in [
            world.billing.preview_erase("M-1").await.unwrap_err(),
            world.billing.erase("M-1", by()).await.unwrap_err(),
        ] {
            assert!(refused.to_string().contains(why), "{sql}: {refused}");
        }
        assert_eq!(exported(&world, "M-1").await, before, "{sql}");
        run("PRAGMA defer_foreign_keys = ON").await;
        run(&back).await;
        run("DROP TABLE saved").await;
    }
    world.billing.erase("M-1", by()).await.unwrap();
}

/// Holds: The writes about a customer are erased with the last of the customer's subscriptions.
#[tokio::test]
async fn a_customer_who_stays_a_member_elsewhere_is_kept() {
    let world = World::new().await;
    let gold = left(&world).await;
    let silver = NewSubscription { id: "M-2".to_owned(), ..gold };
    world.billing.start(&silver).await.unwrap();
    world.pass(1).await;
    world.billing.erase("M-1", by()).await.unwrap();
    assert!(texts(&world).await.contains("12 Ockham Lane"));
    world.billing.cancel("M-2", CancelAt::Now, by()).await.unwrap();
    world.pass(3).await;
    world.billing.erase("M-2", by()).await.unwrap();
    let stored = texts(&world).await;
    for text in PERSONAL {
        assert!(!stored.contains(text), "{text} is still stored");
    }
}

/// Holds: The export of a merchant's member has nothing of another merchant's member with the same id.
#[tokio::test]
async fn a_member_is_exported_without_those_of_another_merchant() {
    let world = World::new().await;
    world.billing.start(&world.gold("M-1", 15)).await.unwrap();
    let before = exported(&world, "M-1").await;
    for sql in [
        "INSERT INTO perennial_tenant (uid, name, host, worst_lag, created) VALUES ('other', 'other', 'h', 0, 0)",
        "INSERT INTO perennial_event (id, tenant, kind, about, body, at) VALUES (900, 'other', 'charge.paid', 'M-1', '{}', 0)",
        "INSERT INTO perennial_decision (id, at, actor, reason, about, what) VALUES (900, 0, 'o', 'o', 'M-1', 'kept')",
    ] {
        world.journal.transact(vec![Statement::new(sql, Vec::new())]).await.unwrap();
    }
    assert_eq!(exported(&world, "M-1").await, before);
}
