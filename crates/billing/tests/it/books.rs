//! Books: the sum holds, and each difference has its class.

use perennial::clearent::{Charge, Refund, Void};
use perennial_billing::{Books, Claim, DifferenceClass, Event, NewSubscription};
use perennial_journal::store::Statement;
use perennial_sandbox::{Effect, Fault};

use crate::support::World;

fn classes(books: &Books) -> Vec<(DifferenceClass, String)> {
    let id = |id: &Option<String>| id.clone().unwrap_or_default();
    books.differences.iter().map(|one| (one.class, id(&one.subscription))).collect()
}

pub(crate) async fn month(world: &World, month: &str) -> Books {
    let start: perennial_domain::NaiveDate = format!("{month}-01").parse().unwrap();
    let books = world.billing.books(start..start + chrono::Months::new(1)).await.unwrap();
    let sum = books.paid.cents()
        + books.recovered.cents()
        + books.part.cents()
        + books.waived.cents()
        + books.given_up.cents()
        + books.open.cents();
    assert_eq!(books.expected.cents(), sum);
    books
}

/// Holds: The books of a quiet month close; a refund, a void, another amount, a doubled, missing, forgotten and orphaned
/// charge are each found, in their class, and nothing else is.
#[tokio::test]
async fn each_difference_is_found_in_its_class() {
    let world = World::new().await;
    let ids = ["refunded", "voided", "other", "gone", "orphan", "open", "fine"];
    for id in ids {
        world.billing.start(&world.gold(id, 15)).await.unwrap();
    }
    // The batch of the charges is open at noon.
    world.until("2027-01-15").await;
    world.half_a_day().await;
    let own = Charge::builder().amount("12.00").card(&world.token).build().unwrap();
    world.client.transactions().sale(&own).await.unwrap();
    let books = month(&world, "2027-01").await;
    assert_eq!(classes(&books), []);
    assert!(books.are_closed());
    assert_eq!(
        (books.expected.to_string(), books.paid.to_string()),
        ("350.00".to_owned(), "350.00".to_owned())
    );
    assert_eq!((books.other_business.0.to_string(), books.other_business.1), ("12.00".to_owned(), 1));

    let charge = async |id: &str| {
        let member = world.member(id).await;
        world.billing.charges(&member.subscription).await.unwrap().remove(0)
    };
    let sql = async |sql: String| {
        world.journal.transact(vec![Statement::new(sql, Vec::new())]).await.unwrap();
    };
    let refund = Refund::builder().id(charge("refunded").await.id).amount("50.00").build().unwrap();
    world.client.transactions().refund(&refund).await.unwrap();
    world.client.transactions().void(&Void { id: charge("voided").await.id }).await.unwrap();
    sql(format!("UPDATE perennial_charge SET amount = 4900 WHERE id = '{}'", charge("other").await.id)).await;
    sql(format!("UPDATE perennial_charge SET id = '999999999' WHERE id = '{}'", charge("gone").await.id))
        .await;
    sql(format!("DELETE FROM perennial_charge WHERE id = '{}'", charge("orphan").await.id)).await;
    let open = world.member("open").await.subscription.uid;
    sql(format!(
        "UPDATE perennial_due_day SET state = 'missing', paid = 0 WHERE subscription = '{open}' AND day = '2027-01-15'"
    ))
    .await;
    let books = month(&world, "2027-01").await;
    let expected = [
        (DifferenceClass::Missing, "open"),
        (DifferenceClass::OtherAmount, "other"),
        (DifferenceClass::Voided, "voided"),
        (DifferenceClass::Refunded, "refunded"),
        // The charge of the row that was changed, and the one that was deleted.
        (DifferenceClass::OrphanCharge, "gone"),
        (DifferenceClass::OrphanCharge, "orphan"),
        (DifferenceClass::Gone, "gone"),
    ];
    let expected: Vec<_> = expected.iter().map(|(class, id)| (*class, (*id).to_owned())).collect();
    assert_eq!(classes(&books), expected);
    assert_eq!(books.open.to_string(), "50.00");
}

/// Holds: A decline is a difference until it is given up.
#[tokio::test]
async fn a_decline_is_open_until_it_is_given_up() {
    let world = World::new().await;
    let declined = NewSubscription { amount: "0.21".parse().unwrap(), ..world.gold("M-1", 15) };
    world.billing.start(&declined).await.unwrap();
    world.until("2027-01-17").await;
    assert_eq!(classes(&month(&world, "2027-01").await), [(DifferenceClass::Declined, "M-1".to_owned())]);
    world.until("2027-01-25").await;
    let books = month(&world, "2027-01").await;
    assert!(books.are_closed() && books.given_up.to_string() == "0.21", "{books:?}");
}

/// Holds: A charge that the gateway makes twice is kept as a surplus, and a refund in a later month is found there.
#[tokio::test]
async fn a_doubled_charge_and_a_late_refund_are_found() {
    let world = World::new().await;
    world.billing.start(&world.gold("M-1", 15)).await.unwrap();
    world.sandbox.fault(&Fault::on("engine.charge", Effect::Duplicate).nth(1)).await.unwrap();
    world.until("2027-01-20").await;
    let books = month(&world, "2027-01").await;
    assert_eq!(classes(&books), [(DifferenceClass::Doubled, "M-1".to_owned())]);
    assert_eq!((books.paid.to_string(), books.surplus.to_string()), ("50.00".to_owned(), "50.00".to_owned()));
    world.until("2027-02-03").await;
    let charges = world.billing.charges(&world.member("M-1").await.subscription).await.unwrap();
    let surplus = charges.iter().find(|charge| charge.claim == Claim::Surplus).unwrap();
    let refund = Refund::builder().id(surplus.id.clone()).amount("50.00").build().unwrap();
    world.client.transactions().refund(&refund).await.unwrap();
    world.until("2027-02-05").await;
    assert_eq!(classes(&month(&world, "2027-02").await), [(DifferenceClass::Refunded, "M-1".to_owned())]);
}

/// What a person or a program changes, the month whose books are recorded then, and the events that are new.
const RECORDED: &[(&str, &str, &[&str])] = &[
    ("", "2027-01", &[]),
    (
        "UPDATE perennial_due_day SET state = 'missing', paid = 0 WHERE subscription = '{M-1}' AND day = '2027-01-15'",
        "2027-01",
        &["missing M-1 2027-01-15 50.00"],
    ),
    ("", "2027-01", &[]),
    // The same charge has another amount in the rows, which is another difference of the same day.
    (
        "UPDATE perennial_charge SET amount = 4900 WHERE day = '2027-01-15'",
        "2027-01",
        &["other-amount M-1 2027-01-15 49.00", "other-amount M-2 2027-01-15 49.00"],
    ),
    ("UPDATE perennial_charge SET amount = 4800 WHERE day = '2027-01-15'", "2027-01", &[]),
    ("", "2027-02", &[]),
];

/// Holds: A difference of the books is one event, however often it is found, and the books alone store none.
#[tokio::test]
async fn a_difference_is_one_event() {
    for world in World::on_each_database().await {
        for id in ["M-1", "M-2"] {
            world.billing.start(&world.gold(id, 15)).await.unwrap();
        }
        world.until("2027-01-25").await;
        let uid = world.member("M-1").await.subscription.uid;
        let mut last = 0;
        for (sql, of, expected) in RECORDED {
            if !sql.is_empty() {
                let sql = sql.replace("{M-1}", &uid);
                world.journal.transact(vec![Statement::new(sql, Vec::new())]).await.unwrap();
            }
            let books = month(&world, of).await;
            let is_difference = |event: &Event| event.kind == "books.difference";
            let events = async || world.billing.events(last, 1_000).await.unwrap();
            assert!(!events().await.iter().any(is_difference), "{sql}");
            assert_eq!(
                world.billing.record_differences(&books).await.unwrap(),
                expected.len() as u64,
                "{sql}"
            );
            let mut new = Vec::new();
            for event in events().await.iter().filter(|event| is_difference(event)) {
                let body: serde_json::Value = serde_json::from_str(&event.body).unwrap();
                let text = |name: &str| body[name].as_str().unwrap().to_owned();
                assert_eq!(event.subscription, text("subscription"));
                new.push(["class", "subscription", "day", "amount"].map(text).join(" "));
                last = event.position;
            }
            new.sort();
            assert_eq!(new, *expected, "{sql}");
        }
    }
}
