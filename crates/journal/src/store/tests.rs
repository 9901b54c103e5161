//! The conformance suite of every database: a test is a function of a [`Place`], and runs in memory, in a file and on `PostgreSQL`.

mod any;
mod indexes;
mod measurement;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use proptest::test_runner::{Config, TestRunner};

#[cfg(feature = "postgres")]
use super::Postgres;
use super::row::Value;
use super::statements::{Sql, Statement, Transacted};
use super::{
    Change, Committed, Event, Filter, InboxRow, Intended, NewDecision, NewEvent, SharedAccess, Sqlite,
    Statements, Store, StoreError, Tenant,
};
use crate::Moment;
use crate::machine::{Attempt, History, How, Intent, Judged, Outcome, Precondition, State, Write};

#[cfg(all(feature = "postgres", unix))]
#[path = "../../tests/common/postgres.rs"]
pub(super) mod testing_postgres;

/// A store, and its database below it.
#[async_trait]
pub(super) trait Both: Store {
    /// Runs one statement that is not the store's.
    async fn sql(&self, sql: &str, values: Vec<Value>) -> Result<Transacted, StoreError>;
}

#[async_trait]
impl<S: Sql> Both for Statements<S> {
    async fn sql(&self, sql: &str, values: Vec<Value>) -> Result<Transacted, StoreError> {
        self.0.transact(vec![Statement { sql: sql.to_owned().into(), values, must: false }]).await
    }
}

/// An empty database.
pub(super) enum Place {
    Memory(Arc<dyn Both>),
    File(PathBuf, #[expect(dead_code, reason = "the folder lives as long")] tempfile::TempDir),
    #[cfg(feature = "postgres")]
    Postgres(String),
}

impl Place {
    fn memory() -> Self {
        Self::Memory(Arc::new(Statements(Sqlite::open(None).unwrap())))
    }

    fn file() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::File(folder.path().join("journal.db"), folder)
    }

    #[cfg(all(feature = "postgres", unix))]
    pub(super) fn postgres() -> Self {
        Self::Postgres(testing_postgres::database())
    }

    /// Opens it, as one more process does. A database in memory has only one process.
    #[cfg_attr(not(feature = "postgres"), expect(clippy::unused_async))]
    pub(super) async fn open(&self) -> Arc<dyn Both> {
        match self {
            Self::Memory(store) => store.clone(),
            Self::File(path, _) => Arc::new(Statements(Sqlite::open(Some(path)).unwrap())),
            #[cfg(feature = "postgres")]
            Self::Postgres(url) => Arc::new(Statements(Postgres::open(url).await.unwrap())),
        }
    }

    /// Opens it, and stores the tenants `t` and `other`.
    pub(super) async fn with_tenants(&self) -> Arc<dyn Both> {
        let store = self.open().await;
        for name in ["t", "other"] {
            store.add_tenant(&tenant(name)).await.unwrap();
        }
        store
    }
}

macro_rules! on_every_database {
    ($($test:ident)*) => {
        mod in_memory {
            $( #[tokio::test] async fn $test() { super::$test(super::Place::memory()).await; } )*

            #[test]
            fn every_intent_comes_back() {
                super::every_intent_comes_back(super::Place::memory);
            }
        }

        mod in_a_file {
            $( #[tokio::test(flavor = "multi_thread")]
            async fn $test() { super::$test(super::Place::file()).await; } )*

            #[test]
            fn every_intent_comes_back() {
                super::every_intent_comes_back(super::Place::file);
            }
        }

        #[cfg(all(feature = "postgres", unix))]
        mod on_postgres {
            $( #[tokio::test(flavor = "multi_thread")]
            async fn $test() { super::$test(super::Place::postgres()).await; } )*

            #[test]
            fn every_intent_comes_back() {
                super::every_intent_comes_back(super::Place::postgres);
            }
        }
    };
}

on_every_database! {
    tenants_are_kept_and_changed
    a_key_is_used_once
    a_mark_is_of_one_intent
    lists_are_filtered_and_begin_with_the_newest
    a_change_by_an_earlier_claim_is_refused
    an_attempt_is_refused_for_a_reason
    a_stop_passes_an_open_write_and_a_hold
    what_is_planned_on_hold_is_passed_over
    the_worst_lag_is_that_of_all_processes
    changes_are_stored_together_or_not_at_all
    claims_come_in_order_and_stops_first
    a_claim_by_name_waits_for_nothing_but_another_claim
    no_intent_is_claimed_twice
    one_write_of_an_object_is_sent_at_a_time
    events_have_positions_without_gaps
    readers_of_events_miss_nothing
    a_guard_counts
    the_inbox_is_emptied_once
    an_access_id_is_replaced_by_its_generation
    the_stored_time_never_goes_back
    settings_are_kept
    a_restored_journal_doubts_what_is_open
    texts_come_back_as_they_are
    a_nul_character_is_refused_or_replaced
    unique_indexes_refuse_what_they_must
    rows_that_name_no_tenant_are_refused
    what_was_answered_is_there_after_the_next_start
    an_intent_of_the_first_schema_is_used_on
}

const fn at(millis: i64) -> Moment {
    Moment::from_millis(millis)
}

fn tenant(name: &str) -> Tenant {
    Tenant {
        uid: name.to_owned(),
        name: name.to_owned(),
        host: "https://gateway.example".to_owned(),
        sentinel: None,
        hold: None,
        quiet_until: None,
        worst_lag: 0,
        created: at(1),
    }
}

/// A planned sale of the tenant `t`, due at 0, with everything named by `uid`.
pub(super) fn intent(uid: &str) -> Intent {
    Intent {
        uid: uid.to_owned(),
        tenant: "t".to_owned(),
        key: format!("key {uid}"),
        write: Write::Sale,
        object: format!("object {uid}"),
        request: "{}".to_owned(),
        fingerprint: "f".to_owned(),
        mark: format!("mark {uid}"),
        is_stop: false,
        needs_card: false,
        activates: false,
        precondition: None,
        send_before: at(1_000_000),
        state: State::Planned,
        fence: 0,
        lease_until: None,
        next: Some(at(0)),
        history: History::default(),
        outcome: None,
        created: at(1),
    }
}

/// Stores the tenant `t`.
pub(super) async fn store_tenant(store: &dyn Store) {
    store.add_tenant(&tenant("t")).await.unwrap();
}

async fn store_intent(store: &dyn Store, intent: &Intent) {
    assert_eq!(store.intend(intent).await.unwrap(), Intended::New, "{}", intent.uid);
}

/// Puts the tenant on hold with many planned intents, and returns the choice of a claim with its values as `?1` to `?4`.
pub(super) async fn many_on_hold<S: Sql>(store: &Statements<S>) -> String {
    let held = Tenant { hold: Some("stop".to_owned()), ..tenant("t") };
    store.add_tenant(&held).await.unwrap();
    store_intent(store, &intent("1")).await;
    let sql = "WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
       INSERT INTO perennial_intent (uid, tenant, operation_key, operation, object, request, fingerprint, mark, is_stop,
         needs_card, activates, send_before, state, fence, next, history, created)
       SELECT CAST(i AS TEXT), tenant, CAST(i AS TEXT), operation, CAST(i AS TEXT), request, fingerprint, CAST(i AS TEXT), is_stop,
         needs_card, activates, send_before, state, fence, next, history, created FROM n, perennial_intent";
    store.sql(sql, Vec::new()).await.unwrap();
    assert!(store.claim("t", None, at(9), at(9), at(9)).await.unwrap().is_none());
    format!(
        "SELECT uid FROM perennial_intent WHERE {}",
        store.first_due("(lease_until IS NULL OR lease_until < ?2)")
    )
}

fn change(intent: Intent, now: i64) -> Change {
    Change {
        intent,
        follow: Vec::new(),
        events: Vec::new(),
        decision: None,
        hold: None,
        lag: None,
        now: at(now),
    }
}

async fn claim(store: &dyn Store, uid: &str, now: i64) -> Intent {
    store.claim("t", Some(uid), at(now), at(now), at(now + 100)).await.unwrap().expect(uid)
}

/// Claims the intent and commits an attempt.
pub(super) async fn send(store: &dyn Store, uid: &str, now: i64) -> Committed {
    let claimed = claim(store, uid, now).await;
    store.commit(&change(Intent { state: State::Sending, next: None, ..claimed }, now)).await.unwrap()
}

fn decision(what: &str) -> NewDecision {
    NewDecision { actor: "Ann".to_owned(), reason: "it's so".to_owned(), what: what.to_owned() }
}

fn event(kind: &str) -> NewEvent {
    NewEvent { kind: kind.to_owned(), body: "{}".to_owned() }
}

async fn insert_inbox(store: &dyn Both, key: &str, object: Option<&str>) {
    let sql = "INSERT INTO perennial_inbox (tenant, operation_key, operation, object, request)
               VALUES ('t', ?1, 'transactions.sale', ?2, '{}')";
    assert!(matches!(store.sql(sql, vec![key.into(), object.into()]).await, Ok(Transacted::Rows(_))));
}

async fn tenants_are_kept_and_changed(place: Place) {
    let store = place.with_tenants().await;
    let names = store.tenants().await.unwrap().into_iter().map(|tenant| tenant.name);
    assert_eq!(names.collect::<Vec<_>>(), ["other", "t"]);
    assert_eq!(store.tenant("nobody").await.unwrap(), None);

    let again = Tenant { host: "https://elsewhere.example".to_owned(), uid: "u".to_owned(), ..tenant("t") };
    store.add_tenant(&again).await.unwrap();
    assert_eq!(store.tenant("t").await.unwrap(), Some(tenant("t")));

    let changed = Tenant {
        sentinel: Some("cust_1".to_owned()),
        hold: Some("the key is wrong".to_owned()),
        quiet_until: Some(at(7)),
        worst_lag: 500,
        ..tenant("t")
    };
    store.change_tenant(&changed, Some(decision("hold")), at(5)).await.unwrap();
    assert_eq!(store.tenant("t").await.unwrap(), Some(changed.clone()));
    assert_eq!(store.tenant("other").await.unwrap(), Some(tenant("other")));
    let decisions = store.decisions("t").await.unwrap();
    let [decided] = &decisions[..] else { panic!("{decisions:?}") };
    assert_eq!((decided.at, &decided.actor[..], &decided.reason[..]), (at(5), "Ann", "it's so"));
    assert_eq!((&decided.about[..], &decided.what[..]), ("t", "hold"));

    store.change_tenant(&tenant("t"), None, at(6)).await.unwrap();
    let kept = Tenant { worst_lag: 500, ..tenant("t") };
    assert_eq!(store.tenant("t").await.unwrap(), Some(kept), "the lag never falls");
}

async fn a_key_is_used_once(place: Place) {
    let store = place.with_tenants().await;
    let first = intent("1");
    store_intent(&*store, &first).await;
    let second = Intent { key: first.key.clone(), ..intent("2") };
    assert_eq!(store.intend(&second).await.unwrap(), Intended::Existing(Box::new(first.clone())));
    // The key is the answer even if the mark is the same too.
    let repeated = Intent { uid: "3".to_owned(), ..first.clone() };
    assert_eq!(store.intend(&repeated).await.unwrap(), Intended::Existing(Box::new(first.clone())));
    let elsewhere = Intent { tenant: "other".to_owned(), ..second.clone() };
    store_intent(&*store, &elsewhere).await;

    assert_eq!(store.intent("1").await.unwrap(), Some(first.clone()));
    assert_eq!(store.intent("3").await.unwrap(), None);
    assert_eq!(store.intent_of_key("t", &first.key).await.unwrap(), Some(first.clone()));
    assert_eq!(store.intent_of_key("other", &first.key).await.unwrap(), Some(elsewhere));
    assert_eq!(store.intent_of_key("other", "no").await.unwrap(), None);

    // Many callers with one key, of two processes: one stores, and the others find it.
    let other = place.open().await;
    let callers = (0..20).map(|number| {
        let store = if number % 2 == 0 { store.clone() } else { other.clone() };
        let own = Intent { key: "race".to_owned(), ..intent(&format!("race {number}")) };
        tokio::spawn(async move { store.intend(&own).await.unwrap() })
    });
    let (mut stored, mut found) = (0, BTreeSet::new());
    for caller in callers.collect::<Vec<_>>() {
        match caller.await.unwrap() {
            Intended::New => stored += 1,
            Intended::Existing(existing) => drop(found.insert(existing.uid)),
            taken @ Intended::MarkTaken { .. } => panic!("{taken:?}"),
        }
    }
    assert_eq!((stored, found.len()), (1, 1));
}

async fn a_mark_is_of_one_intent(place: Place) {
    let store = place.with_tenants().await;
    store_intent(&*store, &intent("1")).await;
    let same = Intent { mark: "mark 1".to_owned(), ..intent("2") };
    let taken = Intended::MarkTaken { by: "key 1".to_owned() };
    assert_eq!(store.intend(&same).await.unwrap(), taken);
    assert_eq!(store.intent("2").await.unwrap(), None);
    let elsewhere = Intent { tenant: "other".to_owned(), ..same.clone() };
    store_intent(&*store, &Intent { uid: "3".to_owned(), ..elsewhere }).await;

    for state in State::ALL {
        let row = claim(&*store, "1", 1000 * (state as i64 + 1)).await;
        let stored =
            store.commit(&change(Intent { state, next: Some(at(0)), lease_until: None, ..row }, 10)).await;
        assert_eq!(stored.unwrap(), Committed::Yes, "{state}");
        let is_free = matches!(state, State::Declined | State::Refused | State::Withdrawn);
        let other = Intent { uid: format!("{state}"), key: format!("{state}"), ..same.clone() };
        let expected = if is_free { Intended::New } else { taken.clone() };
        assert_eq!(store.intend(&other).await.unwrap(), expected, "{state}");
        let remove = "DELETE FROM perennial_intent WHERE uid = ?1";
        assert!(matches!(store.sql(remove, vec![other.uid.into()]).await, Ok(Transacted::Rows(_))));
    }
}

async fn lists_are_filtered_and_begin_with_the_newest(place: Place) {
    let store = place.with_tenants().await;
    let states = [State::Planned, State::Done, State::NeedsPerson, State::NeedsCard];
    for (number, state) in (1..).zip(states) {
        let uid = format!("i{number}");
        store_intent(&*store, &Intent { state, created: at(number), ..intent(&uid) }).await;
    }
    let elsewhere =
        Intent { tenant: "other".to_owned(), created: at(9), key: "100%_done".to_owned(), ..intent("o1") };
    store_intent(&*store, &elsewhere).await;
    let same_time = Intent { created: at(9), key: "100 done".to_owned(), ..intent("o0") };
    store_intent(&*store, &same_time).await;

    let of = |tenant: Option<&str>, states: &[State], prefix: Option<&str>, limit| Filter {
        tenant: tenant.map(str::to_owned),
        states: states.to_vec(),
        key_prefix: prefix.map(str::to_owned),
        created_before: None,
        limit,
    };
    let before = |second| Filter { created_before: Some(at(second)), ..Filter::default() };
    let cases = [
        (Filter::default(), "o1 o0 i4 i3 i2 i1"),
        (of(None, &[], None, 2), "o1 o0"),
        (of(Some("t"), &[], None, 0), "o0 i4 i3 i2 i1"),
        (of(Some("other"), &[], None, 0), "o1"),
        (of(Some("nobody"), &[], None, 0), ""),
        (of(None, &[State::Done, State::NeedsCard], None, 0), "i4 i2"),
        (of(Some("t"), &State::ALL, Some("key i"), 3), "i4 i3 i2"),
        (of(None, &[], Some("100%"), 0), "o1"),
        (of(None, &[], Some("100"), 0), "o1 o0"),
        (of(None, &[], Some("KEY"), 0), ""),
        (of(None, &[], Some(""), 1), "o1"),
        (before(3), "i2 i1"),
        (Filter { tenant: Some("other".to_owned()), ..before(10) }, "o1"),
    ];
    for (filter, expected) in cases {
        let listed = store.list(&filter).await.unwrap();
        let uids: Vec<_> = listed.iter().map(|intent| intent.uid.as_str()).collect();
        assert_eq!(uids.join(" "), expected, "{filter:?}");
    }
}

async fn a_change_by_an_earlier_claim_is_refused(place: Place) {
    let store = place.with_tenants().await;
    store_intent(&*store, &intent("1")).await;
    let first = claim(&*store, "1", 0).await;
    assert_eq!((first.fence, first.lease_until), (1, Some(at(100))));
    assert_eq!(
        store.claim("t", Some("1"), at(100), at(100), at(200)).await.unwrap(),
        None,
        "the lease is inclusive"
    );
    let second = claim(&*store, "1", 101).await;
    assert_eq!((second.fence, second.lease_until), (2, Some(at(201))));

    for state in [State::Sending, State::Unknown, State::Done, State::Withdrawn] {
        let late = change(Intent { state, ..first.clone() }, 150);
        let late = Change { events: vec![event("late")], hold: Some("late".to_owned()), ..late };
        assert_eq!(store.commit(&late).await.unwrap(), Committed::Fenced, "{state}");
    }
    assert_eq!(store.intent("1").await.unwrap(), Some(second.clone()), "nothing of it is stored");
    assert_eq!(store.events(0, 10).await.unwrap(), []);
    assert_eq!(store.tenant("t").await.unwrap().unwrap().hold, None);

    let sending = Intent { state: State::Sending, next: None, ..second };
    assert_eq!(store.commit(&change(sending.clone(), 150)).await.unwrap(), Committed::Yes);
    // The same claim changes it again.
    let outcome = Some(Outcome::new(How::Sent, Some("7".to_owned()), None));
    let done = Intent { state: State::Done, lease_until: None, outcome, ..sending };
    assert_eq!(store.commit(&change(done.clone(), 160)).await.unwrap(), Committed::Yes);
    assert_eq!(store.intent("1").await.unwrap(), Some(done));
    let unknown = Intent { fence: 0, ..intent("nobody's") };
    assert_eq!(store.commit(&change(unknown, 1)).await.unwrap(), Committed::Fenced);
}

async fn an_attempt_is_refused_for_a_reason(place: Place) {
    let store = place.with_tenants().await;
    let quiet = |until| Tenant { quiet_until: Some(at(until)), ..tenant("t") };
    let held = Tenant { hold: Some("stop".to_owned()), ..tenant("t") };
    let guarded = |version| Some(Precondition { guard: "g".to_owned(), version });
    store.raise_guard("t", "g").await.unwrap();
    store.raise_guard("other", "g").await.unwrap();
    store.raise_guard("other", "g").await.unwrap();
    let open = |state| Intent { object: "the object".to_owned(), state, ..intent(&format!("open {state}")) };
    let open_elsewhere = Intent { tenant: "other".to_owned(), ..open(State::Sending) };

    let plain = intent("1");
    let of_the_object = Intent { object: "the object".to_owned(), ..intent("1") };
    let guarded = |version| Intent { precondition: guarded(version), ..intent("1") };
    let until = |moment| Intent { send_before: at(moment), ..intent("1") };
    let cases = vec![
        ("plain", plain.clone(), tenant("t"), None, Committed::Yes),
        ("held", plain.clone(), held.clone(), None, Committed::Held),
        ("quiet", plain.clone(), quiet(11), None, Committed::Held),
        ("quiet no more", plain, quiet(10), None, Committed::Yes),
        ("sending", of_the_object.clone(), tenant("t"), Some(open(State::Sending)), Committed::Busy),
        ("unknown", of_the_object.clone(), tenant("t"), Some(open(State::Unknown)), Committed::Busy),
        ("person", of_the_object.clone(), tenant("t"), Some(open(State::NeedsPerson)), Committed::Busy),
        ("held and busy", of_the_object.clone(), held.clone(), Some(open(State::Unknown)), Committed::Held),
        ("card", of_the_object.clone(), tenant("t"), Some(open(State::NeedsCard)), Committed::Yes),
        ("planned", of_the_object.clone(), tenant("t"), Some(open(State::Planned)), Committed::Yes),
        ("done", of_the_object.clone(), tenant("t"), Some(open(State::Done)), Committed::Yes),
        (
            "stop",
            of_the_object.clone(),
            tenant("t"),
            Some(Intent { is_stop: true, ..open(State::Unknown) }),
            Committed::Yes,
        ),
        (
            "void",
            of_the_object.clone(),
            tenant("t"),
            Some(Intent { is_stop: true, write: Write::Void, ..open(State::Unknown) }),
            Committed::Busy,
        ),
        (
            "earlier void",
            Intent { created: at(2), ..of_the_object.clone() },
            tenant("t"),
            Some(Intent { is_stop: true, write: Write::Void, ..open(State::Planned) }),
            Committed::Busy,
        ),
        ("elsewhere", of_the_object, tenant("t"), Some(open_elsewhere), Committed::Yes),
        ("guard before", guarded(0), tenant("t"), None, Committed::Unwanted),
        ("guard", guarded(1), tenant("t"), None, Committed::Yes),
        ("guard after", guarded(2), tenant("t"), None, Committed::Unwanted),
        ("unwanted and held", guarded(0), held, None, Committed::Unwanted),
        ("in time", until(11), tenant("t"), None, Committed::Yes),
        ("too late", until(10), tenant("t"), None, Committed::Unwanted),
    ];
    for (name, intent, tenant, other, expected) in cases {
        store.change_tenant(&tenant, None, at(1)).await.unwrap();
        store_intent(&*store, &intent).await;
        if let Some(other) = &other {
            store_intent(&*store, other).await;
        }
        let waits_for = store.waits_for(&intent).await.unwrap();
        assert_eq!(
            waits_for,
            other.filter(|_| expected == Committed::Busy || name == "held and busy"),
            "{name}"
        );
        let before = claim(&*store, "1", 10).await;
        let sending = Intent { state: State::Sending, next: None, ..before.clone() };
        assert_eq!(store.commit(&change(sending.clone(), 10)).await.unwrap(), expected, "{name}");
        let after = if expected == Committed::Yes { sending } else { before };
        assert_eq!(store.intent("1").await.unwrap(), Some(after), "{name}");
        // The same change that sends nothing is stored.
        if expected != Committed::Yes {
            let withdrawn = Intent { state: State::Withdrawn, fence: 1, ..intent };
            assert_eq!(store.commit(&change(withdrawn, 10)).await.unwrap(), Committed::Yes, "{name}");
        }
        assert!(matches!(
            store.sql("DELETE FROM perennial_intent", Vec::new()).await,
            Ok(Transacted::Rows(_))
        ));
    }
}

async fn a_stop_passes_an_open_write_and_a_hold(place: Place) {
    let store = place.with_tenants().await;
    let held = Tenant { hold: Some("no".to_owned()), quiet_until: Some(at(1_000)), ..tenant("t") };
    store.change_tenant(&held, None, at(1)).await.unwrap();
    let plan = |uid: &str| Intent { object: "plans/1".to_owned(), ..intent(uid) };
    store_intent(&*store, &Intent { state: State::Unknown, ..plan("open") }).await;
    for uid in ["stop 1", "stop 2"] {
        store_intent(&*store, &Intent { is_stop: true, ..plan(uid) }).await;
        assert_eq!(send(&*store, uid, 10).await, Committed::Yes, "{uid}");
    }
    let late = Intent { is_stop: true, send_before: at(10), ..plan("late stop") };
    store_intent(&*store, &late).await;
    assert_eq!(send(&*store, "late stop", 10).await, Committed::Unwanted);
    store_intent(&*store, &plan("other")).await;
    assert_eq!(send(&*store, "other", 10).await, Committed::Held);
    store.change_tenant(&tenant("t"), None, at(1)).await.unwrap();
    assert_eq!(send(&*store, "other", 200).await, Committed::Busy);
}

async fn changes_are_stored_together_or_not_at_all(place: Place) {
    let store = place.with_tenants().await;
    store_intent(&*store, &intent("1")).await;
    let row = claim(&*store, "1", 0).await;
    let follow = Intent {
        is_stop: true,
        precondition: Some(Precondition { guard: "g".to_owned(), version: 0 }),
        ..intent("spare")
    };
    let whole = Change {
        follow: vec![follow.clone(), Intent { uid: "again".to_owned(), ..follow.clone() }],
        events: vec![event("one"), event("two")],
        decision: Some(decision("done")),
        hold: Some("several".to_owned()),
        ..change(Intent { state: State::Done, lease_until: None, next: None, ..row }, 7)
    };
    assert_eq!(store.commit(&whole).await.unwrap(), Committed::Yes);
    assert_eq!(store.intent("spare").await.unwrap(), Some(follow));
    assert_eq!(store.intent("again").await.unwrap(), None, "its key is used");
    let kinds: Vec<_> =
        store.events(0, 10).await.unwrap().into_iter().map(|event| (event.kind, event.about)).collect();
    assert_eq!(kinds, [("one".to_owned(), "1".to_owned()), ("two".to_owned(), "1".to_owned())]);
    assert_eq!(store.decisions("1").await.unwrap().len(), 1);
    assert_eq!(store.tenant("t").await.unwrap().unwrap().hold.as_deref(), Some("several"));
    // Every reason for a hold is kept.
    let again = Change { hold: Some("another".to_owned()), ..change(whole.intent.clone(), 8) };
    assert_eq!(store.commit(&again).await.unwrap(), Committed::Yes);
    assert_eq!(store.tenant("t").await.unwrap().unwrap().hold.as_deref(), Some("several; another"));
    // A reason is a text and no pattern.
    for hold in ["s%l", "several", "an_ther"] {
        let again = Change { hold: Some(hold.to_owned()), ..change(whole.intent.clone(), 8) };
        assert_eq!(store.commit(&again).await.unwrap(), Committed::Yes);
    }
    let hold = store.tenant("t").await.unwrap().unwrap().hold;
    assert_eq!(hold.as_deref(), Some("several; another; s%l; an_ther"));

    // A unique index refuses the change of state; so nothing else of the change is stored.
    let of_one = |uid: &str, state| Intent { object: "one".to_owned(), state, ..intent(uid) };
    store_intent(&*store, &of_one("a", State::Unknown)).await;
    store_intent(&*store, &of_one("b", State::Planned)).await;
    let row = claim(&*store, "b", 0).await;
    let refused =
        Change { events: vec![event("no")], ..change(Intent { state: State::Unknown, ..row.clone() }, 9) };
    assert_eq!(store.commit(&refused).await.unwrap(), Committed::Busy);
    assert_eq!(store.intent("b").await.unwrap(), Some(row));
    assert_eq!(store.events(2, 10).await.unwrap(), []);
}

async fn claims_come_in_order_and_stops_first(place: Place) {
    let store = place.with_tenants().await;
    let rows = [
        // In the order in which they are claimed at 50: stops, then by `next`, then by `created`.
        Intent { is_stop: true, next: Some(at(40)), ..intent("stop, due last") },
        Intent { state: State::Sending, next: None, lease_until: Some(at(49)), ..intent("ran out") },
        Intent { next: Some(at(10)), created: at(5), ..intent("early") },
        Intent { state: State::Unknown, next: Some(at(10)), created: at(6), ..intent("early, newer") },
        Intent { state: State::Done, next: Some(at(50)), ..intent("looked at again") },
        // And these are not.
        Intent { next: Some(at(51)), ..intent("not due") },
        Intent { is_stop: true, next: Some(at(51)), ..intent("stop, not due") },
        Intent { lease_until: Some(at(50)), ..intent("claimed") },
        Intent { state: State::Sending, next: None, lease_until: Some(at(60)), ..intent("on its way") },
        Intent { state: State::NeedsPerson, next: None, ..intent("person") },
        Intent { state: State::Done, next: None, ..intent("done") },
        Intent { tenant: "other".to_owned(), ..intent("elsewhere") },
    ];
    for row in rows.iter().rev() {
        store_intent(&*store, row).await;
    }
    let mut claimed = Vec::new();
    while let Some(intent) = store.claim("t", None, at(50), at(50), at(150)).await.unwrap() {
        assert_eq!((intent.fence, intent.lease_until), (1, Some(at(150))), "{}", intent.uid);
        claimed.push(intent.uid);
    }
    assert_eq!(claimed, ["stop, due last", "ran out", "early", "early, newer", "looked at again"]);
    assert_eq!(store.claim("nobody", None, at(50), at(50), at(150)).await.unwrap(), None);
    let next = store.claim("t", None, at(51), at(51), at(150)).await.unwrap().map(|intent| intent.uid);
    assert_eq!(next.as_deref(), Some("stop, not due"));
}

async fn what_is_planned_on_hold_is_passed_over(place: Place) {
    let store = place.with_tenants().await;
    store_intent(&*store, &intent("1")).await;
    store_intent(&*store, &Intent { is_stop: true, ..intent("2") }).await;
    let held = Tenant { hold: Some("no".to_owned()), ..tenant("t") };
    store.change_tenant(&held, None, at(1)).await.unwrap();
    let claim = async || store.claim("t", None, at(1_000), at(1_000), at(2_000)).await.unwrap();
    assert_eq!(claim().await.map(|intent| intent.uid).as_deref(), Some("2"), "a stop goes on");
    assert_eq!(claim().await, None);
    store.change_tenant(&tenant("t"), None, at(2)).await.unwrap();
    assert_eq!(claim().await.map(|intent| intent.uid).as_deref(), Some("1"));
}

async fn the_worst_lag_is_that_of_all_processes(place: Place) {
    let store = place.with_tenants().await;
    store_intent(&*store, &intent("1")).await;
    let claimed = claim(&*store, "1", 5).await;
    for (lag, worst) in [(40, 40), (20, 40), (90, 90)] {
        let measured = Change { lag: Some(Duration::from_millis(lag)), ..change(claimed.clone(), 6) };
        assert_eq!(store.commit(&measured).await.unwrap(), Committed::Yes);
        assert_eq!(store.worst_lag("t").await.unwrap(), Duration::from_millis(worst));
    }
    assert_eq!(store.worst_lag("nobody").await.unwrap(), Duration::ZERO);
}

async fn a_claim_by_name_waits_for_nothing_but_another_claim(place: Place) {
    let store = place.with_tenants().await;
    let cases = [
        (State::Planned, Some(99), None, true),
        (State::Planned, None, None, true),
        (State::Sending, None, None, true),
        (State::Sending, None, Some(10), false),
        (State::Unknown, Some(99), Some(9), true),
        (State::Done, None, None, false),
        (State::Done, Some(99), None, true),
        (State::NeedsCard, Some(99), None, true),
        (State::NeedsPerson, None, None, true),
        (State::Withdrawn, None, None, false),
    ];
    for (number, (state, next, lease, expected)) in cases.into_iter().enumerate() {
        let row =
            Intent { state, next: next.map(at), lease_until: lease.map(at), ..intent(&number.to_string()) };
        store_intent(&*store, &row).await;
        let claimed = store.claim("t", Some(&row.uid), at(10), at(10), at(20)).await.unwrap();
        assert_eq!(claimed.is_some(), expected, "{row:?}");
    }
    assert_eq!(
        store.claim("other", Some("0"), at(1_000), at(1_000), at(2_000)).await.unwrap(),
        None,
        "another tenant's"
    );
    assert_eq!(store.claim("t", Some("nobody"), at(1_000), at(1_000), at(2_000)).await.unwrap(), None);
}

async fn no_intent_is_claimed_twice(place: Place) {
    const INTENTS: usize = 150;
    let store = place.with_tenants().await;
    for number in 0..INTENTS {
        store_intent(&*store, &intent(&format!("{number:03}"))).await;
    }
    let stores = [store, place.open().await];
    let workers: Vec<_> = (0..12)
        .map(|number| {
            let store = stores[number % 2].clone();
            tokio::spawn(async move {
                let mut claimed = Vec::new();
                while let Some(intent) = store.claim("t", None, at(10), at(10), at(1_000)).await.unwrap() {
                    claimed.push((intent.uid, intent.fence));
                }
                claimed
            })
        })
        .collect();
    let mut all = Vec::new();
    for worker in workers {
        all.extend(worker.await.unwrap());
    }
    assert!(all.iter().all(|(_, fence)| *fence == 1));
    let different: BTreeSet<_> = all.iter().collect();
    assert_eq!((all.len(), different.len()), (INTENTS, INTENTS));

    // The same intent, by name.
    let workers: Vec<_> = (0..12)
        .map(|number| {
            let store = stores[number % 2].clone();
            tokio::spawn(async move {
                store.claim("t", Some("000"), at(1_001), at(1_001), at(2_000)).await.unwrap()
            })
        })
        .collect();
    let mut claims = 0;
    for worker in workers {
        claims += usize::from(worker.await.unwrap().is_some());
    }
    assert_eq!(claims, 1);
}

async fn one_write_of_an_object_is_sent_at_a_time(place: Place) {
    let store = place.with_tenants().await;
    let other = place.open().await;
    for round in 0..10 {
        let uids: Vec<_> = (0..6).map(|number| format!("{round}/{number}")).collect();
        for uid in &uids {
            store_intent(&*store, &Intent { object: format!("object {round}"), ..intent(uid) }).await;
        }
        let workers: Vec<_> = uids
            .into_iter()
            .zip([&store, &other].into_iter().cycle().cloned())
            .map(|(uid, store)| tokio::spawn(async move { send(&*store, &uid, 10).await }))
            .collect();
        let mut sent = 0;
        for worker in workers {
            match worker.await.unwrap() {
                Committed::Yes => sent += 1,
                Committed::Busy => {}
                refused => panic!("{refused:?}"),
            }
        }
        assert_eq!(sent, 1, "round {round}");
    }
}

async fn append_events(store: &dyn Store, uid: &str, now: i64, kinds: &[String]) {
    let row = claim(store, uid, now).await;
    let events = kinds.iter().map(|kind| event(kind)).collect();
    let change = Change { events, ..change(Intent { lease_until: None, ..row }, now) };
    assert_eq!(store.commit(&change).await.unwrap(), Committed::Yes);
}

async fn events_have_positions_without_gaps(place: Place) {
    let store = place.with_tenants().await;
    store_intent(&*store, &intent("1")).await;
    assert_eq!(store.events(0, 10).await.unwrap(), []);
    append_events(&*store, "1", 5, &["a".to_owned(), "b".to_owned(), "c".to_owned()]).await;
    let about = |position, kind: &str, at| Event {
        position,
        tenant: "t".to_owned(),
        kind: kind.to_owned(),
        about: "1".to_owned(),
        body: "{}".to_owned(),
        at,
    };
    let first = [about(1, "a", at(5)), about(2, "b", at(5))];
    assert_eq!(store.events(0, 2).await.unwrap(), first);
    append_events(&*store, "1", 6, &["d".to_owned()]).await;
    let rest = [about(3, "c", at(5)), about(4, "d", at(6))];
    assert_eq!(store.events(2, 10).await.unwrap(), rest);
    assert_eq!(store.events(0, 10).await.unwrap(), [&first[..], &rest[..]].concat());
    assert_eq!(store.events(4, 10).await.unwrap(), []);
    assert_eq!(store.events(0, 0).await.unwrap(), []);
}

async fn readers_of_events_miss_nothing(place: Place) {
    const WRITERS: usize = 4;
    const EACH: usize = 15;
    let store = place.with_tenants().await;
    let other = place.open().await;
    for writer in 0..WRITERS {
        store_intent(&*store, &intent(&writer.to_string())).await;
    }
    let mut tasks: Vec<tokio::task::JoinHandle<BTreeSet<String>>> = Vec::new();
    for writer in 0..WRITERS {
        let store = if writer % 2 == 0 { store.clone() } else { other.clone() };
        tasks.push(tokio::spawn(async move {
            for number in 0..EACH {
                append_events(&*store, &writer.to_string(), 10, &[format!("{writer}/{number}")]).await;
            }
            BTreeSet::new()
        }));
    }
    for reader in 0..3 {
        let store = if reader % 2 == 0 { store.clone() } else { other.clone() };
        tasks.push(tokio::spawn(async move {
            let (mut last, mut seen) = (0, BTreeSet::new());
            while seen.len() < WRITERS * EACH {
                for event in store.events(last, 7).await.unwrap() {
                    assert_eq!(event.position, last + 1, "no gap, whoever commits late");
                    last = event.position;
                    assert!(seen.insert(event.kind), "no event twice");
                }
                tokio::task::yield_now().await;
            }
            seen
        }));
    }
    let all = async {
        for task in tasks {
            task.await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(60), all).await.expect("readers see every event");
}

async fn a_guard_counts(place: Place) {
    let store = place.with_tenants().await;
    assert_eq!(store.guard("t", "g").await.unwrap(), 0);
    // An intent that depends on a guard does not raise it.
    let guarded =
        Intent { precondition: Some(Precondition { guard: "g".to_owned(), version: 0 }), ..intent("1") };
    store_intent(&*store, &guarded).await;
    assert_eq!(store.guard("t", "g").await.unwrap(), 0);
    assert_eq!(store.raise_guard("t", "g").await.unwrap(), 1);
    assert_eq!(store.raise_guard("t", "g").await.unwrap(), 2);
    assert_eq!(store.raise_guard("t", "h").await.unwrap(), 1);
    assert_eq!(store.guard("t", "g").await.unwrap(), 2);
    assert_eq!(store.guard("other", "g").await.unwrap(), 0);
    assert_eq!(send(&*store, "1", 10).await, Committed::Unwanted);
    let now =
        Intent { precondition: Some(Precondition { guard: "g".to_owned(), version: 2 }), ..intent("2") };
    store_intent(&*store, &now).await;
    assert_eq!(send(&*store, "2", 10).await, Committed::Yes);
}

async fn the_inbox_is_emptied_once(place: Place) {
    let store = place.with_tenants().await;
    for (key, object) in [("a", None), ("b", Some("plans/1")), ("c", None), ("d", None)] {
        insert_inbox(&*store, key, object).await;
    }
    let rows = store.inbox(3).await.unwrap();
    let keys: Vec<_> = rows.iter().map(|row| row.key.as_str()).collect();
    assert_eq!(keys, ["a", "b", "c"]);
    let InboxRow { tenant, operation, object, request, .. } = &rows[1];
    assert_eq!((&tenant[..], &operation[..], &request[..]), ("t", "transactions.sale", "{}"));
    assert_eq!((object.as_deref(), rows[0].object.as_deref()), (Some("plans/1"), None));

    // Two workers take the same row: one of them stores it.
    store.take(&rows[0], Some(&intent("1")), None, at(5)).await.unwrap();
    let other = Intent { key: "other key".to_owned(), ..intent("2") };
    store.take(&rows[0], Some(&other), Some(("t", &event("taken"))), at(5)).await.unwrap();
    assert_eq!(store.intent("1").await.unwrap(), Some(intent("1")));
    assert_eq!(store.intent("2").await.unwrap(), None);
    store.take(&rows[1], None, Some(("t", &event("refused"))), at(6)).await.unwrap();
    let events = store.events(0, 10).await.unwrap();
    let [refused] = &events[..] else { panic!("{events:?}") };
    assert_eq!((&refused.kind[..], &refused.about[..], refused.at), ("refused", "b", at(6)));
    // A row stays if its intent cannot be stored: its key was used before, or its mark is taken.
    for cannot in [
        Intent { request: "other".to_owned(), ..intent("1") },
        Intent { mark: intent("1").mark, ..intent("3") },
    ] {
        assert!(!store.take(&rows[2], Some(&cannot), None, at(7)).await.unwrap());
    }
    assert_eq!(store.intent("1").await.unwrap(), Some(intent("1")));
    let keys: Vec<_> = store.inbox(10).await.unwrap().into_iter().map(|row| row.key).collect();
    assert_eq!(keys, ["c", "d"]);
    assert!(store.take(&rows[2], None, None, at(7)).await.unwrap());
    assert!(!store.take(&rows[2], None, None, at(7)).await.unwrap(), "it is gone");
    // Rows of tenants that are not bound stay, and do not hold up the others.
    let unbound = "UPDATE perennial_inbox SET tenant = 'nobody' WHERE operation_key = 'd'";
    assert!(store.sql(unbound, Vec::new()).await.is_ok());
    assert!(store.inbox(1).await.unwrap().is_empty());
    let bound = "UPDATE perennial_inbox SET tenant = 't' WHERE operation_key = 'd'";
    assert!(store.sql(bound, Vec::new()).await.is_ok());
    // Numbers are not used again, so that a row that was taken is never taken for another one.
    let highest = rows[2].id + 1;
    store.take(&store.inbox(1).await.unwrap()[0], None, None, at(8)).await.unwrap();
    insert_inbox(&*store, "e", None).await;
    assert!(store.inbox(1).await.unwrap()[0].id > highest);
}

async fn an_access_id_is_replaced_by_its_generation(place: Place) {
    let store = place.with_tenants().await;
    let shared = |id: Option<&str>, generation| SharedAccess { id: id.map(str::to_owned), generation };
    assert!(store.access("t").await.unwrap() == shared(None, 0));
    assert!(!store.replace_access("t", 0, "without a claim").await.unwrap(), "there is no row yet");
    assert!(store.claim_access("t", 0, at(10), at(20)).await.unwrap());
    assert!(!store.claim_access("t", 0, at(20), at(30)).await.unwrap(), "the lease is inclusive");
    assert!(store.claim_access("t", 0, at(21), at(30)).await.unwrap());
    assert!(store.access("t").await.unwrap() == shared(None, 0));
    assert!(store.replace_access("t", 0, "first").await.unwrap());
    assert!(!store.replace_access("t", 0, "late").await.unwrap());
    assert!(store.access("t").await.unwrap() == shared(Some("first"), 1));
    assert!(!store.claim_access("t", 0, at(99), at(100)).await.unwrap(), "the generation has passed");
    assert!(store.claim_access("t", 1, at(22), at(30)).await.unwrap(), "a replacement ends the claim");
    assert!(store.replace_access("t", 1, "second").await.unwrap());
    assert!(store.access("t").await.unwrap() == shared(Some("second"), 2));
    assert!(store.access("other").await.unwrap() == shared(None, 0));

    let other = place.open().await;
    for (tenant, generation) in [("t", 2), ("other", 0)] {
        let workers: Vec<_> = (0..12)
            .map(|number| {
                let store = if number % 2 == 0 { store.clone() } else { other.clone() };
                tokio::spawn(
                    async move { store.claim_access(tenant, generation, at(40), at(50)).await.unwrap() },
                )
            })
            .collect();
        let mut claims = 0;
        for worker in workers {
            claims += usize::from(worker.await.unwrap());
        }
        assert_eq!(claims, 1, "{tenant}");
    }
}

async fn the_stored_time_never_goes_back(place: Place) {
    let store = place.open().await;
    let cases = [
        (1_000, 1_000),
        (900, 1_000),
        (1_500, 1_500),
        (5_000, 5_000),
        (4_000, 5_000),
        (5_001, 5_001),
        (-1, 5_000),
    ];
    for (clock, expected) in cases {
        assert_eq!(store.now(at(clock)).await.unwrap(), at(expected), "{clock}");
    }
    let other = place.open().await;
    assert_eq!(other.now(at(1)).await.unwrap(), at(5_000));
    assert_eq!(other.now(at(100_000)).await.unwrap(), at(100_000));
    assert_eq!(store.now(at(6_000)).await.unwrap(), at(100_000));
}

async fn settings_are_kept(place: Place) {
    let store = place.open().await;
    assert_eq!(store.setting("witness").await.unwrap(), None);
    for value in ["one", "", "it's \u{1f4b3}"] {
        store.set("witness", value).await.unwrap();
        assert_eq!(store.setting("witness").await.unwrap().as_deref(), Some(value));
    }
    assert_eq!(store.setting("other").await.unwrap(), None);
}

async fn a_restored_journal_doubts_what_is_open(place: Place) {
    let store = place.with_tenants().await;
    for state in State::ALL {
        let mut row = Intent { state, lease_until: Some(at(5)), ..intent(state.name()) };
        row.history.looked_first = true;
        row.history.looks = 3;
        store_intent(&*store, &row).await;
    }
    let marked = store.mark_restored(at(900), decision("adopt"), at(100)).await.unwrap();
    assert_eq!(marked, 4);
    for state in State::ALL {
        let after = store.intent(state.name()).await.unwrap().unwrap();
        let is_doubted = matches!(state, State::Planned | State::Sending | State::Unknown | State::NeedsCard);
        let history = (after.history.restored, after.history.looked_first, after.history.looks);
        assert_eq!(history, (is_doubted.then(|| at(900)), !is_doubted, 3), "{state}");
        let (fence, lease) = if is_doubted { (1, None) } else { (0, Some(at(5))) };
        assert_eq!((after.fence, after.lease_until), (fence, lease), "{state}");
    }
    for tenant in store.tenants().await.unwrap() {
        assert_eq!(tenant.quiet_until, Some(at(900)), "{}", tenant.name);
    }
    let decisions = store.decisions("journal").await.unwrap();
    assert_eq!((decisions.len(), &decisions[0].what[..], decisions[0].at), (1, "adopt", at(100)));
    assert_eq!(send(&*store, "planned", 200).await, Committed::Held);
}

async fn texts_come_back_as_they_are(place: Place) {
    let store = place.open().await;
    let texts = [
        "it's \"quoted\"; DROP TABLE perennial_intent; --",
        "\u{1f4b3} \u{1f469}\u{200d}\u{1f4bb} \u{e9} e\u{301}",
        "?1 $1 :name @name perennial_intent perennial.intent",
        "\\ \\u0000 \r\n\t\u{1}\u{7f}\u{feff}\u{10ffff}",
        " ",
        "",
        &"long ".repeat(50_000),
    ];
    for (number, text) in texts.into_iter().enumerate() {
        // PostgreSQL's indexes take no name of any length.
        let name = if text.len() > 1_000 { "long" } else { text };
        let tenant = Tenant { hold: Some(text.to_owned()), sentinel: Some(text.to_owned()), ..tenant(name) };
        store.add_tenant(&tenant).await.unwrap();
        assert_eq!(store.tenant(name).await.unwrap(), Some(tenant), "{name}");
        let row = Intent {
            tenant: name.to_owned(),
            key: name.to_owned(),
            request: text.to_owned(),
            mark: number.to_string(),
            object: number.to_string(),
            ..intent(name)
        };
        store_intent(&*store, &row).await;
        assert_eq!(store.intent(name).await.unwrap(), Some(row.clone()), "{name}");
        assert_eq!(store.intent_of_key(name, name).await.unwrap(), Some(row.clone()), "{name}");
        let prefix =
            Filter { tenant: Some(name.to_owned()), key_prefix: Some(name.to_owned()), ..Filter::default() };
        assert_eq!(store.list(&prefix).await.unwrap(), [row], "{name}");
    }
}

async fn a_nul_character_is_refused_or_replaced(place: Place) {
    let store = place.with_tenants().await;
    let refused = |error: StoreError| error.to_string().contains("NUL");
    assert!(store.intend(&Intent { key: "a\0b".to_owned(), ..intent("1") }).await.is_err_and(refused));
    assert!(store.set("a", "\0").await.is_err_and(refused));
    assert!(store.intent_of_key("t", "\0").await.is_err_and(refused));
    // A gateway may say anything, and the hold is stored all the same.
    store_intent(&*store, &intent("1")).await;
    let mut row = claim(&*store, "1", 0).await;
    row.history.reason = Some("a\0b".to_owned());
    row.outcome = Some(Outcome::new(How::Sent, Some("\0".to_owned()), None));
    let held = Change { hold: Some("no\0".to_owned()), ..change(row.clone(), 5) };
    assert_eq!(store.commit(&held).await.unwrap(), Committed::Yes);
    assert_eq!(store.intent("1").await.unwrap(), Some(row));
    assert_eq!(store.tenant("t").await.unwrap().unwrap().hold.as_deref(), Some("no\u{fffd}"));
}

async fn unique_indexes_refuse_what_they_must(place: Place) {
    let store = place.with_tenants().await;
    let rows = [
        Intent { object: "o".to_owned(), state: State::Unknown, ..intent("open") },
        Intent { object: "o".to_owned(), ..intent("planned") },
        Intent { object: "o".to_owned(), is_stop: true, ..intent("stop") },
        Intent { mark: "m".to_owned(), ..intent("marked") },
        Intent { mark: "m".to_owned(), state: State::Declined, ..intent("declined") },
    ];
    for row in &rows {
        store_intent(&*store, row).await;
    }
    append_events(&*store, "planned", 5, &["a".to_owned(), "b".to_owned()]).await;
    assert_eq!(store.events(0, 10).await.unwrap().len(), 2);
    insert_inbox(&*store, "a", None).await;
    store.raise_guard("t", "g").await.unwrap();
    assert!(store.claim_access("t", 0, at(1), at(2)).await.unwrap());

    let set = |uid: &str, what: &str| format!("UPDATE perennial_intent SET {what} WHERE uid = '{uid}'");
    let cases = [
        ("a second open write", set("planned", "state = 'sending'"), true),
        ("a second unknown write", set("planned", "state = 'unknown'"), true),
        ("a second write with a person", set("planned", "state = 'needs-person'"), true),
        ("a planned write beside an open one", set("planned", "state = 'needs-card'"), false),
        ("a stop beside an open write", set("stop", "state = 'sending'"), false),
        ("a stop that becomes a write", set("stop", "is_stop = 0"), true),
        ("a mark twice", set("declined", "state = 'done'"), true),
        ("a mark of what was refused", set("declined", "state = 'refused'"), false),
        ("a key twice", set("stop", "operation_key = 'key planned'"), true),
        ("a uid twice", set("stop", "uid = 'planned'"), true),
        ("a name twice", "UPDATE perennial_tenant SET name = 'other' WHERE uid = 't'".to_owned(), true),
        ("a position twice", "UPDATE perennial_event SET position = 1 WHERE position = 2".to_owned(), true),
        (
            "an inbox row twice",
            "INSERT INTO perennial_inbox (tenant, operation_key, operation, request) VALUES ('t', 'a', 'x', 'y')".to_owned(),
            true,
        ),
        ("a guard twice", "INSERT INTO perennial_guard VALUES ('t', 'g', 7)".to_owned(), true),
        ("an access id twice", "INSERT INTO perennial_access VALUES ('t', NULL, 0, NULL)".to_owned(), true),
    ];
    for (name, sql, is_refused) in cases {
        let result = store.sql(&sql, Vec::new()).await.unwrap();
        assert_eq!(matches!(result, Transacted::Conflict), is_refused, "{name}");
    }
}

async fn rows_that_name_no_tenant_are_refused(place: Place) {
    let store = place.open().await;
    let statement = |error: StoreError| matches!(error, StoreError::Statement(_));
    assert!(store.intend(&intent("1")).await.is_err_and(statement));
    assert!(store.raise_guard("t", "g").await.is_err_and(statement));
    assert!(store.claim_access("t", 0, at(1), at(2)).await.is_err_and(statement));
    let store = place.with_tenants().await;
    let wrong = "UPDATE perennial_intent SET state = 'lost'";
    store_intent(&*store, &intent("1")).await;
    assert!(store.sql(wrong, Vec::new()).await.is_err_and(statement), "a state that is none");
    let half = "UPDATE perennial_intent SET guard = 'g'";
    assert!(store.sql(half, Vec::new()).await.is_err_and(statement), "a guard without a version");
}

async fn what_was_answered_is_there_after_the_next_start(place: Place) {
    let store = place.with_tenants().await;
    store_intent(&*store, &intent("1")).await;
    assert_eq!(send(&*store, "1", 10).await, Committed::Yes);
    let before = store.intent("1").await.unwrap();
    drop(store);
    let store = place.open().await;
    assert_eq!(store.intent("1").await.unwrap(), before);
    assert_eq!(store.tenants().await.unwrap().len(), 2);
}

/// An intent as it is stored in a database of the first schema is read, worked on and then stored in the short form.
async fn an_intent_of_the_first_schema_is_used_on(place: Place) {
    let store = place.with_tenants().await;
    let text = |text: &str| Some(text.to_owned());
    let attempt = |judged| Attempt { committed: at(2), send_by: at(9), judged, exchange_id: text("E-1") };
    let named = |uid: &str| Intent {
        object: format!("new/mark {uid}"),
        request: format!(r#"{{"order-id":"mark {uid}"}}"#),
        ..intent(uid)
    };
    let (mut sent, mut done) = (named("sent"), named("done"));
    sent.state = State::Unknown;
    sent.history = History { attempts: vec![attempt(None)], ..History::default() };
    done.state = State::Done;
    done.history = History {
        attempts: vec![attempt(Some(Judged::Done))],
        looks: 1,
        last_look: Some(at(3)),
        is_probed: true,
        ..History::default()
    };
    done.outcome = Some(Outcome::new(How::Sent, text("7"), text(r#"{"order_id":"mark done"}"#)));
    let first = [
        (&sent, r#"{"attempts":[{"at":2,"by":9,"id":"E-1"}]}"#, None),
        (
            &done,
            r#"{"attempts":[{"at":2,"by":9,"is":"done","id":"E-1"}],"looks":1,"last-look":3,"is-probed":true}"#,
            Some(r#"{"how":"sent","id":"7","value":{"order_id":"mark done"}}"#),
        ),
    ];
    for (intent, history, outcome) in first {
        store_intent(&*store, intent).await;
        let sql = "UPDATE perennial_intent SET object = ?2, request = ?3, history = ?4, outcome = ?5 WHERE uid = ?1";
        let values = [&intent.uid, &intent.object, &intent.request, history].map(Value::from);
        store.sql(sql, [&values[..], &[outcome.into()]].concat()).await.unwrap();
    }
    store.sql("DELETE FROM perennial_schema WHERE version > 1", Vec::new()).await.unwrap();
    drop(store);
    let store = place.open().await;
    for intent in [sent, done] {
        assert_eq!(store.intent(&intent.uid).await.unwrap().as_ref(), Some(&intent));
        let claimed = claim(&*store, &intent.uid, 10).await;
        let settled = Intent { state: State::Done, next: None, lease_until: None, ..claimed };
        assert_eq!(store.commit(&change(settled.clone(), 20)).await.unwrap(), Committed::Yes);
        assert_eq!(store.intent(&intent.uid).await.unwrap(), Some(settled));
    }
    let sql = "SELECT object || ' ' || request || ' ' || history || ' ' || coalesce(outcome, 'none') FROM perennial_intent ORDER BY uid";
    let Ok(Transacted::Rows(mut rows)) = store.sql(sql, Vec::new()).await else { panic!("no rows") };
    let stored: Vec<_> = rows.remove(0).into_iter().map(|mut row| row.text().unwrap()).collect();
    assert_eq!(
        stored,
        [
            r#"new/= {"order-id":"="} {"sent":[[1,7,"done","E-1"]],"looked":[1,2],"is-probed":true} {"id":"7","value":{"order_id":"="}}"#,
            r#"new/= {"order-id":"="} {"sent":[[1,7,null,"E-1"]]} none"#,
        ]
    );
}

fn every_intent_comes_back(place: impl Fn() -> Place) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let place = place();
    let store = runtime.block_on(place.with_tenants());
    let mut runner = TestRunner::new(Config { cases: 200, failure_persistence: None, ..Config::default() });
    let number = std::cell::Cell::new(0);
    let checked = runner.run(&any::intent("t"), |intent| {
        // Names are unique, and begin with any text.
        number.set(number.get() + 1);
        let own = |text: String| format!("{text:.200}/{}", number.get());
        let Intent { uid, key, object, mark, .. } = intent.clone();
        let mut intent =
            Intent { uid: own(uid), key: own(key), object: own(object), mark: own(mark), ..intent };
        if intent.is_stop {
            let mark = serde_json::Value::from(intent.mark.as_str());
            intent.object = format!("new/{}", intent.mark);
            intent.request = format!(r#"{{"order-id":{mark}}}"#);
            let value = format!(r#"{{"a":{},"order_id":{mark}}}"#, intent.request);
            intent.outcome = intent.outcome.map(|outcome| Outcome { value: Some(value), ..outcome });
        }
        runtime.block_on(async {
            assert_eq!(store.intend(&intent).await.unwrap(), Intended::New);
            assert_eq!(store.intent(&intent.uid).await.unwrap().as_ref(), Some(&intent));
            let existing = store.intend(&intent).await.unwrap();
            assert_eq!(existing, Intended::Existing(Box::new(intent)));
        });
        Ok(())
    });
    checked.unwrap();
}
