//! The constraints of the tables: a second charge of a due day is impossible, whatever a program does.

use perennial_journal::Journal;
use perennial_journal::store::{Statement, Transacted};

use crate::support::World;

/// Each statement runs after the ones before it. `Ok` is stored; `Err` is refused by the database.
const STATEMENTS: &[(&str, &str, bool)] = &[
    ("a member", "INSERT INTO perennial_subscription (uid, tenant, id, generation, customer, token, name, amount, day, status,
        starts, guard, version) VALUES ('s1', 'T', 'M-1', 1, 'c', 't', 'Gold', 5000, 15, 'active', '2027-01-15', 0, 1)", true),
    ("the same id while it is open", "INSERT INTO perennial_subscription (uid, tenant, id, generation, customer, token, name,
        amount, day, status, starts, guard, version)
        VALUES ('s2', 'T', 'M-1', 2, 'c', 't', 'Gold', 5000, 15, 'active', '2027-01-15', 0, 1)", false),
    ("an amount of nothing", "UPDATE perennial_subscription SET amount = 0 WHERE uid = 's1'", false),
    ("a day past 28", "UPDATE perennial_subscription SET day = 29 WHERE uid = 's1'", false),
    ("its term", "INSERT INTO perennial_term (subscription, number, tenant, plan, token, amount, first, last, status)
        VALUES ('s1', 1, 'T', 'plan_1', 't', 5000, '2027-01-15', '2027-12-15', 'active')", true),
    ("a second live term", "INSERT INTO perennial_term (subscription, number, tenant, plan, token, amount, first, last, status)
        VALUES ('s1', 2, 'T', 'plan_2', 't', 5000, '2028-01-15', '2028-12-15', 'planned')", false),
    ("its day", "INSERT INTO perennial_due_day (subscription, day, amount, state, route, term, tries)
        VALUES ('s1', '2027-01-15', 5000, 'declined', 'plan', 1, 0)", true),
    ("the same day twice", "INSERT INTO perennial_due_day (subscription, day, amount, state, route, term, tries)
        VALUES ('s1', '2027-01-15', 5000, 'expected', 'none', NULL, 0)", false),
    ("a route by plan without a term", "UPDATE perennial_due_day SET term = NULL WHERE subscription = 's1'", false),
    ("an intent", "INSERT INTO perennial_intent (uid, tenant, operation_key, operation, object, request, fingerprint, mark,
        is_stop, needs_card, activates, send_before, state, fence, history, created)
        VALUES ('i1', 'T', 'k1', 'transactions.sale', 'new/m', '{}', 'f', 'm1', 0, 0, 0, 0, 'planned', 0, '{}', 0)", true),
    ("another", "INSERT INTO perennial_intent (uid, tenant, operation_key, operation, object, request, fingerprint, mark,
        is_stop, needs_card, activates, send_before, state, fence, history, created)
        VALUES ('i2', 'T', 'k2', 'transactions.sale', 'new/n', '{}', 'g', 'm2', 0, 0, 0, 0, 'planned', 0, '{}', 0)", true),
    ("a sale while the plan may still charge", "INSERT INTO perennial_try VALUES ('s1', '2027-01-15', 1, 'sale', 'T', 'k1', 1)", false),
    ("the day goes to a sale", "UPDATE perennial_due_day SET route = 'sale', term = NULL WHERE subscription = 's1'", true),
    ("a sale without an intent", "INSERT INTO perennial_try VALUES ('s1', '2027-01-15', 1, 'sale', 'T', 'k9', 1)", false),
    ("its sale", "INSERT INTO perennial_try VALUES ('s1', '2027-01-15', 1, 'sale', 'T', 'k1', 1)", true),
    ("back to the plan under an open sale", "UPDATE perennial_due_day SET route = 'plan', term = 1 WHERE subscription = 's1'", false),
    ("a second open sale", "INSERT INTO perennial_try VALUES ('s1', '2027-01-15', 2, 'sale', 'T', 'k2', 1)", false),
    ("the first ends", "UPDATE perennial_try SET is_open = 0 WHERE number = 1", true),
    ("the next", "INSERT INTO perennial_try VALUES ('s1', '2027-01-15', 2, 'sale', 'T', 'k2', 1)", true),
    ("its payment", "INSERT INTO perennial_charge VALUES ('T', '700001', 's1', '2027-01-15', '2027-01-15', 5000, 'pays', NULL)", true),
    ("the same transaction for another day", "INSERT INTO perennial_charge VALUES ('T', '700001', 's1', '2027-01-15', '2027-01-15', 5000, 'surplus', NULL)", false),
    ("a second payment", "INSERT INTO perennial_charge VALUES ('T', '700002', 's1', '2027-01-15', '2027-01-15', 5000, 'part', NULL)", false),
    ("a surplus is kept", "INSERT INTO perennial_charge VALUES ('T', '700002', 's1', '2027-01-15', '2027-01-15', 5000, 'surplus', NULL)", true),
    ("a charge of no day", "INSERT INTO perennial_charge VALUES ('T', '700003', 's1', '2027-02-15', '2027-02-15', 5000, 'pays', NULL)", false),
    ("a refund of nothing", "INSERT INTO perennial_charge VALUES ('T', '700004', 's1', '2027-01-15', '2027-01-15', 5000, 'undoes', NULL)", false),
    ("a refund", "INSERT INTO perennial_charge VALUES ('T', '700004', 's1', '2027-01-15', '2027-01-15', 5000, 'undoes', '700001')", true),
    ("an alert", "INSERT INTO perennial_alert VALUES ('T', '700001', 'SALE', 0, 1)", true),
    ("the same alert", "INSERT INTO perennial_alert VALUES ('T', '700001', 'SALE', 1, 1)", false),
    ("an alert of another type", "INSERT INTO perennial_alert VALUES ('T', '700001', 'VOID', 1, 1)", true),
    ("an announcement", "INSERT INTO perennial_announced VALUES ('s1', '2027-01-15')", true),
    ("the same announcement", "INSERT INTO perennial_announced VALUES ('s1', '2027-01-15')", false),
    ("an event reported once", "INSERT INTO perennial_reported VALUES ('T', 'd1')", true),
    ("the same event", "INSERT INTO perennial_reported VALUES ('T', 'd1')", false),
    ("a term closed on no day", "UPDATE perennial_term SET status = 'closed' WHERE subscription = 's1'", false),
];

/// Holds: The tables refuse a second charge of a due day in every way, on both databases.
#[tokio::test]
async fn the_tables_refuse_a_second_charge() {
    for world in World::on_each_database().await {
        let journal: &Journal = &world.journal;
        let tenant = world.north.tenant_uid().to_owned();
        for (name, sql, is_stored) in STATEMENTS {
            let sql = sql.replace("'T'", &format!("'{tenant}'"));
            let ran = journal.transact(vec![Statement::new(sql, Vec::new())]).await;
            assert_eq!(matches!(ran, Ok(Transacted::Rows(_))), *is_stored, "{name}: {ran:?}");
        }
    }
}

/// Holds: A database of a newer program is refused, and named.
#[tokio::test]
async fn a_newer_schema_is_refused() {
    let world = World::new().await;
    let newer = Statement::new("INSERT INTO perennial_extension VALUES ('billing', 99)", Vec::new());
    world.journal.transact(vec![newer]).await.unwrap();
    let error = perennial_billing::Billing::open(&world.journal, &world.north).await.unwrap_err();
    assert!(error.to_string().contains("newer"), "{error}");
}
