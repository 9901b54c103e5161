//! The size of a done intent in the file.

use perennial::Format;
use rusqlite::Connection;

use crate::support::World;

/// The copies among which the pages that any journal has do not count.
const COPIES: u64 = 4_000;

/// Holds: A charge that is done takes at most 1 KiB of an `SQLite` journal, indexes included.
#[tokio::test]
async fn a_done_charge_is_at_most_one_kibibyte() {
    let world = World::new(Format::Json).await;
    assert!(world.north.transactions().sale("template", &world.charge()).await.unwrap().is_done());
    // The search that measures the lag of searches is over, as it is for all charges but the last ones.
    world.pass(10).await;
    assert_eq!(world.journal.settle(std::slice::from_ref(&world.north)).await.unwrap(), 1);
    let path = world.path().to_owned();
    let world = world.closed().await;
    let file = Connection::open(&path).unwrap();
    let bytes = || file.query_row("SELECT sum(pgsize) FROM dbstat", [], |row| row.get::<_, u64>(0)).unwrap();
    let before = bytes();
    let sql = format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {COPIES})
         INSERT INTO perennial_intent (uid, tenant, operation_key, operation, object, request, fingerprint, mark, is_stop,
           needs_card, activates, send_before, state, fence, history, outcome, created)
         SELECT upper(hex(randomblob(13))), tenant, 'invoice-' || (100000 + i), operation, object, request, fingerprint,
           hex(randomblob(13)), is_stop, needs_card, activates, send_before, state, fence, history, outcome, created + i
         FROM n, perennial_intent WHERE operation_key = 'template' AND state = 'done' AND next IS NULL"
    );
    assert_eq!(file.execute(&sql, []).unwrap(), usize::try_from(COPIES).unwrap());
    let of_one = (bytes() - before) / COPIES;
    assert!(of_one <= 1_024, "{of_one} bytes");
    println!("bytes of a done charge, indexes included: {of_one}");
    drop(world);
}
