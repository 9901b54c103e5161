//! Crashes, and runs of the program for an invoice that it has stored before.

use std::os::unix::process::ExitStatusExt as _;

use crate::shop::{Shop, Stored};

const LIBRARIES: [&str; 4] = ["rusqlite", "sqlx-sqlite", "sqlx-postgres", "tokio-postgres"];

/// The points of the program: after it has connected, and after each of `BEGIN`, two statements and `COMMIT`.
const POINTS: u32 = 5;

/// The signal of `abort`.
const ABORTED: i32 = 6;

/// Lets the program crash at each of its points, and returns the points after which only the invoice or only its intent
/// was stored. Each invoice is charged once if it was stored, and once after the program has run again.
async fn split_at(library: &'static str) -> Vec<u32> {
    let shop = Shop::new(library).await;
    let mut split = Vec::new();
    for point in 0..=POINTS {
        let (number, amount) = (format!("2027-{point}"), format!("{}.00", 10 + point));
        let output = shop.bill(&number, &amount, Some(point));
        // Beyond its last point the program ends well: no point is forgotten.
        let is_beyond = point == POINTS;
        let crashed = (output.status.success(), output.status.signal() == Some(ABORTED));
        assert_eq!(crashed, (is_beyond, !is_beyond), "{library} at {point}: {output:?}");

        let Stored { row, intent } = shop.stored(&number);
        if row != intent {
            split.push(point);
            continue;
        }
        assert_eq!(row, point >= POINTS - 1, "{library} at {point}: it is stored by the commit");
        assert_eq!(shop.settle().await, Vec::<String>::new());
        assert_eq!(shop.charges(&amount).await, usize::from(row), "{library} at {point}");
        let output = shop.bill(&number, &amount, None);
        assert!(output.status.success(), "{library} at {point}: {output:?}");
        assert_eq!(shop.settle().await, Vec::<String>::new());
        assert_eq!(shop.stored(&number), Stored { row: true, intent: true });
        assert_eq!(shop.charges(&amount).await, 1, "{library} at {point}");
    }
    split
}

/// Runs the program again for an invoice that waits, and for one that is charged.
async fn repeat(library: &'static str) {
    let shop = Shop::new(library).await;
    let none = Vec::<String>::new();
    let bill = |amount: &str, succeeds: bool, why: &str| {
        let output = shop.bill("2027-1", amount, None);
        assert_eq!(output.status.success(), succeeds, "{library}, {why}: {output:?}");
    };
    for _ in 0..2 {
        bill("25.00", true, "the same again changes nothing");
    }
    bill("26.00", false, "the key waits with another request");
    assert_eq!(shop.settle().await, none);
    assert_eq!((shop.charges("25.00").await, shop.charges("26.00").await), (1, 0), "{library}");

    bill("25.00", true, "the same after the charge");
    assert_eq!(shop.settle().await, none, "{library}: the same after the charge changes nothing");
    bill("26.00", true, "another request is refused by the worker");
    assert_eq!(shop.settle().await, ["invoice/2027-1"], "{library}: the event tells of the other request");
    assert_eq!((shop.charges("25.00").await, shop.charges("26.00").await), (1, 0), "{library}");
}

/// Holds: A program that crashes at any statement of its own transaction leaves its row and the journal's intent both or
/// neither, and each stored invoice is charged once: rusqlite, sqlx on both databases, tokio-postgres.
#[tokio::test(flavor = "multi_thread")]
async fn a_crash_never_splits_the_row_from_the_intent() {
    for library in LIBRARIES {
        assert_eq!(split_at(library).await, Vec::<u32>::new(), "{library}");
    }
}

/// Holds: The same request under the same key in a later transaction changes nothing, and another request under it is
/// refused: at once while the first one waits, and by an event afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_again_charges_nothing() {
    for library in LIBRARIES {
        repeat(library).await;
    }
}

/// Holds: The check of crashes is able to fail: an intent outside of the transaction is found without its invoice.
#[tokio::test(flavor = "multi_thread")]
async fn an_intent_outside_of_the_transaction_is_found() {
    assert_eq!(split_at("split").await, [1, 2, 3]);
}
