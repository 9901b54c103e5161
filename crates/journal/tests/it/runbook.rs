//! The runbook of docs/JOURNAL.md, "Backups and restores": each way of it, as an operator goes it.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use perennial::clearent::ApiKey;
use perennial::transport::{Deadline, Exchange, ReqwestExchange, TransportError};
use perennial::{BaseUrl, Clearent as Client, Format};
use perennial_journal::machine::{Rules, State};
use perennial_journal::{By, Clearent, Error, Journal, Settled, Told};

use crate::restored::sales;
use crate::support::World;

fn by(reason: &str) -> By {
    By { actor: "ines".to_owned(), reason: reason.to_owned() }
}

async fn opened(world: &World, url: &str) -> Journal {
    Journal::open_with(url, world.clock.clone(), Rules::default()).await.unwrap()
}

async fn bound(world: &World, journal: &Journal) -> Clearent {
    journal.clearent("north-street", &world.client).await.unwrap()
}

async fn sale(north: &Clearent, world: &World, key: &str) -> Settled<perennial::clearent::Transaction> {
    north.transactions().sale(key, &world.charge()).await.unwrap()
}

/// Makes the same sale until it is done: a worker may have it at first.
async fn settled(world: &World, key: &str) {
    while !sale(&world.north, world, key).await.is_done() {
        tokio::task::yield_now().await;
    }
}

/// Writes a backup while the journal is open.
fn backup(path: &Path) -> std::path::PathBuf {
    let backup = path.with_extension("backup");
    let into =
        rusqlite::Connection::open(path).and_then(|file| file.execute("VACUUM INTO ?1", [backup.to_str()]));
    into.unwrap();
    backup
}

fn beside(path: &Path, more: &str) -> std::path::PathBuf {
    format!("{}{more}", path.display()).into()
}

/// Steps 2 and 3 of the runbook, for a database that has `order-1` and has lost `order-2`, which the gateway has.
async fn adopted(world: &World, url: &str) {
    let journal = opened(world, url).await;
    journal.adopt(by("the disk failed"), Duration::ZERO).await.unwrap();
    journal.close();
    let journal = opened(world, url).await;
    assert_eq!(journal.suspicion().await.unwrap(), None);
    let north = bound(world, &journal).await;
    assert!(matches!(sale(&north, world, "order-1").await, Settled::Done { how: Told::Replayed, .. }));
    let lost = sale(&north, world, "order-2").await;
    assert!(matches!(lost, Settled::Done { how: Told::Adopted, .. } | Settled::Open(_)), "{lost:?}");
    let new = sale(&north, world, "order-3").await;
    assert!(matches!(new, Settled::Open(_)), "nothing is sent in the quiet period: {new:?}");
    assert_eq!(sales(world).await, 2);
    world.pass(10).await;
    for key in ["order-2", "order-3"] {
        let settled = sale(&north, world, key).await;
        assert!(settled.is_done(), "{key}: {settled:?}");
    }
    assert_eq!(sales(world).await, 3);
}

/// Holds: A backup that is made while a worker runs, and put in its place while it still runs, stops the worker; after
/// `adopt` and the quiet period, nothing is charged twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_stops_a_running_worker() {
    let world = World::new(Format::Json).await;
    let worker = {
        let (journal, north) = (world.journal.clone(), world.north.clone());
        tokio::spawn(async move { journal.run(&[north], std::future::pending()).await })
    };
    settled(&world, "order-1").await;
    let backup = backup(world.path());
    settled(&world, "order-2").await;
    for log in ["-wal", "-shm"] {
        fs::remove_file(beside(world.path(), log)).unwrap();
    }
    fs::rename(&backup, world.path()).unwrap();
    let stopped = worker.await.unwrap().unwrap_err().to_string();
    assert!(stopped.contains("was replaced while it was open"), "{stopped}");
    let world = world.closed().await;

    let journal = opened(&world, world.url()).await;
    let north = bound(&world, &journal).await;
    let refused = north.transactions().sale("order-2", &world.charge()).await.unwrap_err().to_string();
    assert!(refused.contains("is a copy") && refused.contains("perennial journal adopt"), "{refused}");
    journal.close();
    adopted(&world, world.url()).await;
}

/// Holds: A database that is restored together with its witness looks like the one that was used last; if it is adopted
/// by hand, nothing is charged twice.
#[tokio::test]
async fn a_restored_witness_testifies_nothing() {
    let world = World::new(Format::Json).await;
    assert!(sale(&world.north, &world, "order-1").await.is_done());
    let (backup, witness) = (backup(world.path()), fs::read(beside(world.path(), ".witness")).unwrap());
    assert!(sale(&world.north, &world, "order-2").await.is_done());
    let world = world.closed().await;
    // The same file with its content of before, as in a snapshot of the disk.
    fs::copy(&backup, world.path()).unwrap();
    fs::write(beside(world.path(), ".witness"), witness).unwrap();
    let journal = opened(&world, world.url()).await;
    assert_eq!(journal.suspicion().await.unwrap(), None);
    journal.close();
    adopted(&world, world.url()).await;
}

/// The files of a journal whose process was killed: the log has what was committed last.
struct Killed {
    world: World,
    log: Vec<u8>,
}

impl Killed {
    async fn new() -> Self {
        let world = World::new(Format::Json).await;
        assert!(sale(&world.north, &world, "order-1").await.is_done());
        let (file, log) = (fs::read(world.path()).unwrap(), fs::read(beside(world.path(), "-wal")).unwrap());
        assert!(!log.is_empty());
        let world = world.closed().await;
        // Closing has moved the log into the file: put both back.
        fs::write(world.path(), file).unwrap();
        Self { world, log }
    }

    /// Moves the files into another folder, and opens the journal there.
    async fn moved(&self, name: &str, files: &[&str]) -> Result<Journal, Error> {
        let path = self.world.path();
        fs::write(beside(path, "-wal"), &self.log).unwrap();
        let folder = path.with_file_name(name);
        fs::create_dir(&folder).unwrap();
        let moved = folder.join("moved.db");
        for more in files {
            fs::rename(beside(path, more), beside(&moved, more)).unwrap();
        }
        let url = format!("sqlite:{}", moved.display());
        Journal::open_with(&url, self.world.clock.clone(), Rules::default()).await
    }
}

/// Holds: A journal whose process was killed goes on in another folder if all its files are moved, and is refused there
/// if its log or its witness was left behind.
#[tokio::test]
async fn all_files_of_a_journal_are_moved() {
    let cases: [(&str, &[&str], Option<&str>); 3] = [
        ("all", &["", "-wal", ".witness"], None),
        ("without-witness", &["", "-wal"], Some("is missing")),
        // The log had everything, so the file has no journal yet.
        ("without-log", &["", ".witness"], Some("is of another journal")),
    ];
    for (name, files, expected) in cases {
        let killed = Killed::new().await;
        let journal = killed.moved(name, files).await;
        match expected {
            None => {
                let journal = journal.unwrap();
                assert_eq!(journal.suspicion().await.unwrap(), None, "{name}");
                let north = bound(&killed.world, &journal).await;
                let again = sale(&north, &killed.world, "order-1").await;
                assert!(matches!(again, Settled::Done { how: Told::Replayed, .. }), "{name}: {again:?}");
                assert!(sale(&north, &killed.world, "order-2").await.is_done(), "{name}");
                assert_eq!(sales(&killed.world).await, 2, "{name}");
            }
            Some(expected) => {
                let suspicion = journal.unwrap().suspicion().await.unwrap().unwrap_or_default();
                assert!(suspicion.contains(expected), "{name}: {suspicion}");
            }
        }
    }
}

/// A gateway at which a merchant makes and revokes API keys. The sandbox has one key for each merchant.
#[derive(Clone)]
struct Keys {
    /// The key of the sandbox for each key that is valid.
    valid: Arc<Mutex<HashMap<String, String>>>,
    inner: Arc<ReqwestExchange>,
}

impl Keys {
    fn new() -> Self {
        Self { valid: Arc::default(), inner: Arc::new(ReqwestExchange::builder().build().unwrap()) }
    }

    /// Makes a key of the merchant with this key of the sandbox, and a client with it.
    fn make(&self, key: &str, of: &str, world: &World) -> Client {
        self.valid.lock().unwrap().insert(key.to_owned(), of.to_owned());
        Client::builder(ApiKey::new(key).unwrap())
            .environment(world.sandbox.base_url().parse::<BaseUrl>().unwrap())
            .exchange(self.clone())
            .build()
            .unwrap()
    }

    fn revoke(&self, key: &str) {
        self.valid.lock().unwrap().remove(key).unwrap();
    }
}

#[async_trait]
impl Exchange for Keys {
    async fn exchange(
        &self,
        mut request: Request<Bytes>,
        deadline: Deadline,
    ) -> Result<Response<Bytes>, TransportError> {
        let key = request.headers().get("api-key").and_then(|key| key.to_str().ok()).unwrap().to_owned();
        let of = self.valid.lock().unwrap().get(&key).cloned();
        match of {
            Some(of) => request.headers_mut().insert("api-key", HeaderValue::from_str(&of).unwrap()),
            // Any key opens a world of the sandbox, so one that is not valid is none.
            None => request.headers_mut().remove("api-key"),
        };
        self.inner.exchange(request, deadline).await
    }
}

/// Holds: A revoked API key puts the tenant on hold and loses nothing; the merchant's new key is known by the control
/// customer and goes on, and a key of another merchant is refused.
#[tokio::test]
async fn an_api_key_is_rotated() {
    let world = World::new(Format::Json).await;
    let keys = Keys::new();
    let [old, new, foreign] = ["1", "2", "3"].map(|digit| digit.repeat(32));
    let own = world.sandbox.api_key().expose();
    let client = keys.make(&old, own, &world);
    let north = world.journal.clearent("north-street", &client).await.unwrap();
    assert!(sale(&north, &world, "order-1").await.is_done());

    keys.revoke(&old);
    let open = sale(&north, &world, "order-2").await;
    assert!(matches!(open, Settled::Open(_)), "{open:?}");
    let hold = world.journal.tenants().await.unwrap().pop().unwrap().hold;
    assert!(hold.is_some(), "the tenant is on hold");
    assert_eq!(world.journal.intent(None, "order-2").await.unwrap().state, State::Planned);

    let other = world.sandbox.world(9).await.unwrap();
    let client = keys.make(&foreign, other.api_key().expose(), &world);
    let refused = world.journal.clearent("north-street", &client).await.unwrap_err();
    assert!(matches!(refused, Error::OtherMerchant { what: "merchant", .. }), "{refused}");

    let client = keys.make(&new, own, &world);
    let north = world.journal.clearent("north-street", &client).await.unwrap();
    assert!(
        matches!(sale(&north, &world, "order-2").await, Settled::Open(_)),
        "the hold is ended by a person"
    );
    world.journal.release("north-street", by("a new key is in place")).await.unwrap();
    world.pass(1).await;
    world.journal.settle(std::slice::from_ref(&north)).await.unwrap();
    for key in ["order-1", "order-2"] {
        let again = sale(&north, &world, key).await;
        assert!(matches!(again, Settled::Done { how: Told::Replayed, .. }), "{key}: {again:?}");
    }
    assert_eq!(sales(&world).await, 2);
}

#[cfg(all(unix, feature = "postgres"))]
mod on_postgres {
    use std::fs::File;
    use std::process::Command;

    use super::*;
    use crate::postgres::{database, programs, sql};

    /// Copies a database with `PostgreSQL`'s own programs.
    fn dump(url: &str, file: &Path) {
        let status =
            Command::new(programs().join("pg_dump")).args(["-d", url, "-f"]).arg(file).status().unwrap();
        assert!(status.success());
    }

    fn load(url: &str, file: &Path) {
        let mut command = Command::new(programs().join("psql"));
        command.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url]).stdin(File::open(file).unwrap());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Holds: A dump that is loaded into another `PostgreSQL` database is refused until it is adopted, and then charges
    /// nothing twice; nor does one that is loaded into the same database and adopted by hand.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_dump_charges_nothing_twice() {
        for is_same in [false, true] {
            let world = World::new(Format::Json).await;
            let url = database();
            let journal = opened(&world, &url).await;
            let north = bound(&world, &journal).await;
            // The merchant has the control customer of another journal, so that nothing is sent at first.
            world.pass(10).await;
            assert!(sale(&north, &world, "order-1").await.is_done());
            let file = world.path().with_extension("sql");
            dump(&url, &file);
            assert!(sale(&north, &world, "order-2").await.is_done());
            journal.close();
            drop((journal, north));

            let url = if is_same {
                sql(&url, "DROP SCHEMA perennial CASCADE");
                url
            } else {
                database()
            };
            load(&url, &file);
            let journal = opened(&world, &url).await;
            let north = bound(&world, &journal).await;
            let refused =
                north.transactions().sale("order-2", &world.charge()).await.unwrap_err().to_string();
            let expected = "its server, timeline or tables are others";
            assert!(refused.contains(expected) && refused.contains("perennial journal adopt"), "{refused}");
            journal.close();
            adopted(&world, &url).await;
        }
    }
}
