//! A backup from a time that the gateway may have forgotten.

use std::fs;
use std::time::Duration;

use perennial::Format;
use perennial_journal::machine::Rules;
use perennial_journal::{By, Journal};

use crate::support::World;

/// Holds: A program that binds its client to an old backup does not hide the age of the backup: after the adoption, the tenant is on hold.
#[tokio::test]
async fn an_old_backup_stays_old_until_it_is_adopted() {
    let world = World::new(Format::Json).await;
    let backup = world.path().with_extension("backup");
    rusqlite::Connection::open(world.path())
        .and_then(|file| file.execute("VACUUM INTO ?1", [backup.to_str()]))
        .unwrap();
    assert!(world.north.transactions().sale("order-1", &world.charge()).await.unwrap().is_done());
    let world = world.closed().await;
    fs::copy(&backup, world.path()).unwrap();
    for log in ["-wal", "-shm"] {
        let _ = fs::remove_file(format!("{}{log}", world.path().display()));
    }
    world.pass(100 * 24 * 60).await;
    let journal = Journal::open_with(world.url(), world.clock.clone(), Rules::default()).await.unwrap();
    let north = journal.clearent("north-street", &world.client).await.unwrap();
    assert!(north.transactions().sale("order-1", &world.charge()).await.is_err());
    let by = By { actor: "ines".to_owned(), reason: "disk failed, old backup".to_owned() };
    journal.adopt(by, Duration::ZERO).await.unwrap();
    let hold = journal.tenants().await.unwrap().remove(0).hold;
    assert!(hold.as_deref().is_some_and(|why| why.contains("may have forgotten")), "{hold:?}");
}
