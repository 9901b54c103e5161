//! The statements of the journal read a few rows of an index, however many intents a tenant has.

use std::sync::Mutex;

use async_trait::async_trait;

use super::{Both as _, at, change, claim, event, intent, many_on_hold, store_intent, store_tenant};
use crate::machine::{Intent, Precondition, State};
use crate::store::row::Value;
use crate::store::statements::{Sql, Statement, Transacted};
use crate::store::{Filter, Sqlite, Statements, Store as _, StoreError};

/// A database, and the statements that it ran.
struct Recorded(Sqlite, Mutex<Vec<(String, Vec<Value>)>>);

#[async_trait]
impl Sql for Recorded {
    async fn transact(&self, statements: Vec<Statement>) -> Result<Transacted, StoreError> {
        let ran = statements.iter().map(|statement| (statement.sql.to_string(), statement.values.clone()));
        self.1.lock().unwrap().extend(ran);
        self.0.transact(statements).await
    }

    fn skip_locked(&self) -> &'static str {
        self.0.skip_locked()
    }

    fn unchanged(&self) -> &'static str {
        self.0.unchanged()
    }

    fn one_at_a_time(&self) -> Option<&'static str> {
        self.0.one_at_a_time()
    }

    fn count_send(&self) -> Option<&'static str> {
        self.0.count_send()
    }

    fn sent(&self, witness: String, counted: &str) -> Option<String> {
        self.0.sent(witness, counted)
    }

    fn place(&self) -> &str {
        self.0.place()
    }
}

/// Holds: No statement of a call or of the worker reads all intents of a tenant.
#[tokio::test]
async fn no_statement_reads_all_intents() {
    let store = Statements(Recorded(Sqlite::open(None).unwrap(), Mutex::default()));
    store_tenant(&store).await;
    let guarded = Precondition { guard: "g".to_owned(), version: 0 };
    let first = Intent { object: "one".to_owned(), precondition: Some(guarded), ..intent("1") };
    let second = Intent { object: "one".to_owned(), created: at(2), ..intent("2") };
    let void = Intent { object: "one".to_owned(), is_stop: true, ..intent("3") };
    for intent in [&first, &second, &void] {
        store_intent(&store, intent).await;
    }
    store.intend(&first).await.unwrap();
    store.intend(&Intent { mark: first.mark.clone(), ..intent("4") }).await.unwrap();
    for uid in ["1", "2", "3"] {
        let claimed = claim(&store, uid, 5).await;
        let sending = Intent { state: State::Sending, next: None, ..claimed };
        store.commit(&change(sending, 5)).await.unwrap();
        store.waits_for(&second).await.unwrap();
    }
    let claimed = store.claim("t", None, at(500), at(500), at(600)).await.unwrap().unwrap();
    let done = Intent { state: State::Done, lease_until: None, ..claimed };
    store.commit(&crate::store::Change { events: vec![event("done")], ..change(done, 500) }).await.unwrap();
    store.intent_of_key("t", "key 1").await.unwrap();
    store.open_work().await.unwrap();
    let open = Filter { tenant: Some("t".to_owned()), states: vec![State::Unknown], ..Filter::default() };
    store.list(&open).await.unwrap();
    store.list(&Filter::default()).await.unwrap();
    store.events(0, 10).await.unwrap();
    store.now(at(9)).await.unwrap();

    let ran = std::mem::take(&mut *store.0.1.lock().unwrap());
    assert!(ran.len() > 20, "{}", ran.len());
    let mut planned = 0;
    for (sql, values) in ran {
        let Transacted::Rows(rows) = store.sql(&format!("EXPLAIN QUERY PLAN {sql}"), values).await.unwrap()
        else {
            panic!("{sql} has no plan")
        };
        for mut row in rows.into_iter().flatten() {
            for _ in 0..3 {
                row.int().unwrap();
            }
            let step = row.text().unwrap();
            let scans =
                |table: &str| step == format!("SCAN {table}") || step.starts_with(&format!("SCAN {table} "));
            let reads_all = ["perennial_intent", "i", "o"].into_iter().any(scans)
                && !["perennial_open", "perennial_created"].into_iter().any(|index| step.contains(index));
            let of_tenant = step.contains("autoindex") && step.contains("(tenant=?)");
            assert!(!reads_all && !of_tenant, "{step}: {sql}");
            planned += usize::from(step.contains("perennial_"));
        }
    }
    assert!(planned > 20, "{planned}");
}

/// Holds: A claim for a tenant on hold reads as few rows as another one, however many writes are planned.
#[tokio::test]
async fn a_claim_on_hold_reads_no_planned_intent() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let store = Statements(Sqlite::open(Some(&path)).unwrap());
    let claim = many_on_hold(&store).await;
    let file = rusqlite::Connection::open(&path).unwrap();
    let mut statement = file.prepare(&claim).unwrap();
    assert!(!statement.exists(("t", 9, 9, 9)).unwrap());
    let steps = statement.get_status(rusqlite::StatementStatus::VmStep);
    assert!(steps < 200, "{steps} steps");
}
