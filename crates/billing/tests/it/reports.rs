//! Reports: the money of months is that of the books, and declines have their result.

use perennial::{Month, Total};
use perennial_billing::{DeclineClass, NewSubscription};

use crate::support::World;

/// Holds: The money of each month is that of its books, and each declined day has one result.
#[tokio::test]
async fn the_money_of_months_is_that_of_the_books() {
    for world in World::on_each_database().await {
        compared(&world).await;
    }
}

async fn compared(world: &World) {
    world.billing.start(&world.gold("M-1", 15)).await.unwrap();
    // The sandbox declines these amounts: for lack of money, and for good.
    for (id, amount) in [("soft", "0.21"), ("hard", "0.16")] {
        let declined = NewSubscription { amount: amount.parse().unwrap(), ..world.gold(id, 10) };
        world.billing.start(&declined).await.unwrap();
    }
    world.until("2027-02-26").await;
    let month = |text: &str| Month::try_from(text).unwrap();
    let money = world.billing.money(month("2026-12"), month("2027-02")).await.unwrap();
    assert_eq!(money.len(), 3);
    assert_eq!(money[0].expected, Total::ZERO);
    for of in &money[1..] {
        let first = of.month.days().next().unwrap();
        let books = world.billing.books(first..first + chrono::Months::new(1)).await.unwrap();
        let of_books = [
            books.expected,
            books.paid,
            books.recovered,
            books.part,
            books.waived,
            books.given_up,
            books.open,
        ];
        let of_report = [of.expected, of.paid, of.recovered, of.part, of.waived, of.given_up, of.open];
        assert_eq!(of_report, of_books, "{}", of.month);
        assert_eq!((of.surplus, of.refunds), (books.surplus, books.refunds));
    }
    assert_eq!(money[1].paid.to_string(), "50.00");
    let recovery = world.billing.recovery(month("2027-01"), month("2027-02")).await.unwrap();
    for of in &recovery {
        let ends = [of.recovered(), of.given_up, of.waived, of.open];
        let count: u64 = ends.iter().map(|end| end.count).sum();
        let amount = ends.iter().fold(Total::ZERO, |sum, end| sum + end.amount);
        assert_eq!((count, amount), (of.declined.count, of.declined.amount), "{of:?}");
    }
    let declined: u64 = recovery.iter().map(|of| of.declined.count).sum();
    assert_eq!(declined, 4, "{recovery:?}");
    let soft = recovery.iter().find(|of| of.class == DeclineClass::Soft).unwrap();
    assert_eq!((soft.given_up.count, soft.given_up.amount.to_string()), (2, "0.42".to_owned()));
    assert!(world.billing.money(month("2027-02"), month("2027-01")).await.is_err());
}
