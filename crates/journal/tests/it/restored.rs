//! Restored and copied databases, and requests from a user's own transaction.

use std::fs;
use std::time::Duration;

use perennial::Format;
use perennial::clearent::{NewCustomer, PlanSearch, PlanStatus, TransactionSearch};
use perennial_journal::machine::{Rules, State};
use perennial_journal::{By, Error, Journal, Settled, Told};

use perennial_sandbox::{Effect, Fault};

use crate::support::World;

fn by(reason: &str) -> By {
    By { actor: "ines".to_owned(), reason: reason.to_owned() }
}

pub(crate) async fn sales(world: &World) -> usize {
    world.client.transactions().search(&TransactionSearch::default()).collect_all().await.unwrap().len()
}

/// The runbook of the guide: restore, adopt, wait, go on.
///
/// Holds: After a restore, nothing is sent until the database is adopted and the quiet period has passed, and then an operation key whose attempt the database lost is found at the gateway instead of sent again.
#[tokio::test]
async fn a_restored_database_charges_nothing_twice() {
    let world = World::new(Format::Json).await;
    let backup = world.path().with_extension("backup");
    assert!(world.north.transactions().sale("order-1", &world.charge()).await.unwrap().is_done());
    rusqlite::Connection::open(world.path())
        .and_then(|file| file.execute("VACUUM INTO ?1", [backup.to_str()]))
        .unwrap();
    assert!(world.north.transactions().sale("order-2", &world.charge()).await.unwrap().is_done());
    assert_eq!(sales(&world).await, 2);

    let world = world.closed().await;
    fs::copy(&backup, world.path()).unwrap();
    for log in ["-wal", "-shm"] {
        let _ = fs::remove_file(format!("{}{log}", world.path().display()));
    }
    let reopened = || Journal::open_with(world.url(), world.clock.clone(), Rules::default());
    let journal = reopened().await.unwrap();
    let refused = journal.clearent("north-street", &world.client).await.unwrap();
    let refused = refused.transactions().sale("order-2", &world.charge()).await.unwrap_err().to_string();
    assert!(refused.contains("it was restored from a backup that lacks 1 attempts"), "{refused}");
    assert!(refused.contains("perennial journal adopt"), "{refused}");
    journal.adopt(by("disk failed, backup of today"), Duration::ZERO).await.unwrap();
    drop(journal);

    let journal = reopened().await.unwrap();
    assert_eq!(journal.suspicion().await.unwrap(), None);
    let north = journal.clearent("north-street", &world.client).await.unwrap();
    let quiet = north.transactions().sale("order-2", &world.charge()).await.unwrap();
    assert!(matches!(quiet, Settled::Done { how: Told::Adopted, .. } | Settled::Open(_)), "{quiet:?}");
    let new = north.transactions().sale("order-3", &world.charge()).await.unwrap();
    assert!(matches!(new, Settled::Open(_)), "nothing is sent in the quiet period: {new:?}");
    assert_eq!(sales(&world).await, 2);
    world.pass(10).await;
    let found = north.transactions().sale("order-2", &world.charge()).await.unwrap();
    assert!(found.is_done(), "{found:?}");
    assert!(north.transactions().sale("order-3", &world.charge()).await.unwrap().is_done());
    assert_eq!(sales(&world).await, 3);
}

/// Holds: A plan that was activated after the backup stays active when its key is used again, and no second one is made.
#[tokio::test]
async fn a_restored_database_cancels_no_plan() {
    let world = World::new(Format::Json).await;
    let backup = world.path().with_extension("backup");
    rusqlite::Connection::open(world.path())
        .and_then(|file| file.execute("VACUUM INTO ?1", [backup.to_str()]))
        .unwrap();
    assert!(world.north.plans().create("gold", &world.plan("Gold")).await.unwrap().is_done());
    let world = world.closed().await;
    fs::copy(&backup, world.path()).unwrap();
    for log in ["-wal", "-shm"] {
        let _ = fs::remove_file(format!("{}{log}", world.path().display()));
    }
    let reopened = || Journal::open_with(world.url(), world.clock.clone(), Rules::default());
    reopened().await.unwrap().adopt(by("disk failed"), Duration::ZERO).await.unwrap();
    world.pass(10).await;
    let journal = reopened().await.unwrap();
    let north = journal.clearent("north-street", &world.client).await.unwrap();
    let again = north.plans().create("gold", &world.plan("Gold")).await.unwrap();
    let plan = again.done().unwrap();
    assert_eq!(plan.status, Some(PlanStatus::ACTIVE));
    let plans = world.client.plans().search(&PlanSearch::default()).collect_all().await.unwrap();
    assert_eq!(plans.len(), 1);
    assert!(journal.cases().await.unwrap().is_empty());
}

/// Holds: A file that is replaced under an open journal stops it.
#[tokio::test]
async fn a_file_that_is_replaced_stops_the_journal() {
    let world = World::new(Format::Json).await;
    let (aside, copy) = (world.path().with_extension("aside"), world.path().with_extension("copy"));
    fs::copy(world.path(), &copy).unwrap();
    fs::rename(world.path(), &aside).unwrap();
    fs::rename(&copy, world.path()).unwrap();
    let refused = world.north.transactions().sale("order-1", &world.charge()).await.unwrap_err();
    assert!(refused.to_string().contains("was replaced while it was open"), "{refused}");
    let refused = world.journal.settle(std::slice::from_ref(&world.north)).await.unwrap_err();
    assert!(matches!(refused, Error::Store(_)), "{refused}");
    assert_eq!(sales(&world).await, 0);
}

/// Holds: A process that has an old handle of a database that was adopted sends nothing, and does not stop the journal that adopted it.
#[tokio::test]
async fn an_old_handle_stops_itself_only() {
    let world = World::new(Format::Json).await;
    let reopened = || Journal::open_with(world.url(), world.clock.clone(), Rules::default());
    reopened().await.unwrap().adopt(by("moved"), Duration::ZERO).await.unwrap();
    world.pass(10).await;
    let adopted = reopened().await.unwrap();
    let north = adopted.clearent("north-street", &world.client).await.unwrap();
    assert!(north.transactions().sale("order-1", &world.charge()).await.unwrap().is_done());
    for _ in 0..2 {
        let refused = world.north.transactions().sale("order-2", &world.charge()).await.unwrap_err();
        assert!(refused.to_string().contains("by another process: open it again"), "{refused}");
    }
    assert!(north.transactions().sale("order-3", &world.charge()).await.unwrap().is_done());
    for journal in [adopted, reopened().await.unwrap()] {
        assert_eq!(journal.suspicion().await.unwrap(), None);
    }
    assert_eq!(sales(&world).await, 2);
}

/// Holds: Only the owner can read the files of a new journal, and an existing file keeps its permissions.
#[cfg(unix)]
#[tokio::test]
async fn the_files_are_private() {
    use std::os::unix::fs::PermissionsExt as _;

    let world = World::new(Format::Json).await;
    assert!(world.north.transactions().sale("order-1", &world.charge()).await.unwrap().is_done());
    let mode = |path: &str| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for more in ["", "-wal", "-shm", ".witness"] {
        let path = format!("{}{more}", world.path().display());
        assert_eq!(mode(&path), 0o600, "{path}");
    }
    let shared = world.path().with_file_name("shared.db");
    fs::write(&shared, "").unwrap();
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o640)).unwrap();
    Journal::open(&format!("sqlite:{}", shared.display())).await.unwrap();
    assert_eq!(mode(&shared.display().to_string()), 0o640);
}

/// Holds: A lag that another process measured lengthens the window of this one.
#[tokio::test]
async fn a_lag_of_another_process_counts() {
    let world = World::new(Format::Json).await;
    let own = rusqlite::Connection::open(world.path()).unwrap();
    own.execute("UPDATE perennial_tenant SET worst_lag = 60000", []).unwrap();
    let lost = Fault::on("transactions.sale", Effect::ErrorBefore { status: 502 }).nth(1);
    world.sandbox.fault(&lost).await.unwrap();
    // Ten times the lag, two minutes for a late effect, and ten seconds to send.
    for (minutes, is_open) in [(0, true), (5, true), (7, true), (2, false)] {
        world.pass(minutes).await;
        let settled = world.north.transactions().sale("order-1", &world.charge()).await.unwrap();
        assert_eq!(matches!(settled, Settled::Open(_)), is_open, "{minutes}: {settled:?}");
    }
}

/// Holds: No text with a card number is stored.
#[tokio::test]
async fn a_card_number_in_a_text_is_refused() {
    let world = World::new(Format::Json).await;
    let new =
        NewCustomer::builder().first_name("Ada").last_name("Byron").comments("card 4111 1111 1111 1111");
    let refused = world.north.customers().create("ada", &new.build().unwrap()).await.unwrap_err();
    assert!(refused.to_string().contains("has a card number, which is never stored"), "{refused}");
    assert!(matches!(world.journal.intent(None, "ada").await, Err(Error::NoIntent(_))));
}

#[tokio::test]
async fn a_copy_is_refused_and_a_moved_file_is_not() {
    let world = World::new(Format::Json).await;
    assert!(world.north.transactions().sale("order-1", &world.charge()).await.unwrap().is_done());
    let world = world.closed().await;
    let open = |path: std::path::PathBuf| async move {
        let url = format!("sqlite:{}", path.display());
        Journal::open(&url).await.unwrap().suspicion().await.unwrap()
    };
    let copy = world.path().with_file_name("copy.db");
    fs::copy(world.path(), &copy).unwrap();
    assert!(open(copy.clone()).await.unwrap().contains("is missing"));
    let witness = |path: &std::path::Path| format!("{}.witness", path.display());
    fs::copy(witness(world.path()), witness(&copy)).unwrap();
    assert!(open(copy).await.unwrap().contains("is a copy"));
    let moved = world.path().with_file_name("moved.db");
    fs::rename(world.path(), &moved).unwrap();
    fs::rename(witness(world.path()), witness(&moved)).unwrap();
    assert_eq!(open(moved).await, None);
}

/// Holds: A request that is inserted in the user's own transaction is sent once, exactly if the transaction commits; one with a card number or broken rules is removed with an event.
#[tokio::test]
async fn an_intent_of_the_users_transaction_is_sent_once() {
    let world = World::new(Format::Json).await;
    let insert = "INSERT INTO perennial_inbox (tenant, operation_key, operation, object, request) VALUES (?1, ?2, ?3, ?4, ?5)";
    let mut own = rusqlite::Connection::open(world.path()).unwrap();
    own.execute_batch("CREATE TABLE member (id INTEGER PRIMARY KEY)").unwrap();
    let sale = format!(r#"{{"amount":"25.00","card":"{}","exp-date":"1230"}}"#, world.token);
    let transaction = own.transaction().unwrap();
    transaction.execute("INSERT INTO member VALUES (1)", []).unwrap();
    transaction.execute(insert, ("north-street", "m-1", "transactions.sale", None::<String>, &sale)).unwrap();
    drop(transaction);
    assert_eq!(world.journal.settle(std::slice::from_ref(&world.north)).await.unwrap(), 0);
    assert_eq!(sales(&world).await, 0, "it was rolled back");

    let of_order = sale.replace('}', r#","order-id":"order-6"}"#);
    let with_card = r#"{"amount":"25.00","card":"4111111111111111","exp-date":"1230"}"#;
    let cases = [
        ("m-1", "transactions.sale", None, sale.as_str()),
        ("m-2", "transactions.sale", None, with_card),
        ("m-3", "transactions.sale", None, "{}"),
        ("m-4", "transactions.give", None, sale.as_str()),
        ("m-5", "plans.update", Some("plan_1"), r#"{"status":"CANCELED"}"#),
        ("m-6", "transactions.sale", None, of_order.as_str()),
        ("m-7", "transactions.sale", None, of_order.as_str()),
    ];
    for (key, operation, object, request) in cases {
        own.execute(insert, ("north-street", key, operation, object, request)).unwrap();
    }
    for _ in 0..3 {
        world.journal.settle(std::slice::from_ref(&world.north)).await.unwrap();
    }
    assert_eq!(sales(&world).await, 2);
    assert_eq!(world.journal.intent(None, "m-1").await.unwrap().state, State::Done);
    let events = world.journal.events(0, 100).await.unwrap();
    let refused: Vec<_> = events
        .iter()
        .filter(|event| event.kind == "inbox.refused")
        .map(|event| event.about.as_str())
        .collect();
    assert_eq!(refused, ["m-2", "m-3", "m-4", "m-5", "m-7"]);
    let left: i64 = own.query_row("SELECT count(*) FROM perennial_inbox", [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0);
    assert!(matches!(world.journal.intent(None, "m-2").await, Err(Error::NoIntent(_))));
}
