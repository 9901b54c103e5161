//! Planted differences: rows of many subscriptions are written directly into the two databases, some of them wrong.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Instant;

use chrono::NaiveDate;
use perennial::clearent::ApiKey;
use perennial::{BaseUrl, Clearent as Client};
use perennial_billing::{Billing, Books, BooksScope, DifferenceClass as Class};
use perennial_journal::machine::Rules;
use perennial_journal::store::{Statement, Transacted};
use perennial_journal::{Clearent, Journal};
use perennial_sandbox::{GatewayOptions, Sandbox};

use crate::support::WorldClock;

/// A difference, and the statements that make it in the journal's database and in the gateway's. In them, `{id}` is the
/// subscription, `{uid}` its uid, `{day}` its due day of January, `{plan}` its plan and `{charge}` the transaction that pays
/// the day. `copy transactions` and `copy plans` add a copy of the own row with some columns changed.
struct Plant {
    class: Class,
    rows: &'static [&'static str],
    gateway: &'static [&'static str],
}

const fn plant(class: Class, rows: &'static [&'static str], gateway: &'static [&'static str]) -> Plant {
    Plant { class, rows, gateway }
}

const NO_CHARGE: &str = "DELETE FROM perennial_charge WHERE id = '{charge}'";
const NO_TRANSACTION: &str = "DELETE FROM transactions WHERE id = '{charge}'";
const CLOSED: &str =
    "UPDATE perennial_term SET status = 'closed', closed = '2027-01-30' WHERE plan = '{plan}'";
const ENDED: &str =
    "UPDATE perennial_subscription SET status = 'ended', canceled_on = '2027-01-30' WHERE uid = '{uid}'";
/// A sale of billing, with this state, that the gateway has under the mark `{mark}`.
const SALE: &str = "INSERT INTO perennial_intent (uid, tenant, operation_key, operation, object, request, fingerprint, mark,
    is_stop, needs_card, activates, send_before, state, fence, history, created)
    VALUES ('I{uid}', '{tenant}', 'subscriptions/{uid}/days/{day}/tries/1', 'transactions.sale', 'new/{mark}', '{}', 'f',
    '{mark}', 0, 0, 0, 0, 'refused', 0, '{}', 0)";

const PLANTS: &[Plant] = &[
    plant(
        Class::Missing,
        &[NO_CHARGE, "UPDATE perennial_due_day SET state = 'missing' WHERE subscription = '{uid}' AND day = '{day}'"],
        &[NO_TRANSACTION],
    ),
    plant(
        Class::Doubled,
        &["INSERT INTO perennial_charge (tenant, id, subscription, day, made, amount, claim)
           VALUES ('{tenant}', '{charge}9', '{uid}', '{day}', '{day}', 5000, 'surplus')"],
        &["copy transactions id = '{charge}9'"],
    ),
    plant(
        Class::Part,
        &[
            "UPDATE perennial_charge SET amount = 2500, claim = 'part' WHERE id = '{charge}'",
            "UPDATE perennial_due_day SET state = 'part' WHERE subscription = '{uid}' AND day = '{day}'",
        ],
        &["UPDATE transactions SET amount = 2500 WHERE id = '{charge}'"],
    ),
    plant(
        Class::Declined,
        &[
            "UPDATE perennial_charge SET claim = 'declined' WHERE id = '{charge}'",
            "UPDATE perennial_due_day SET state = 'declined', code = '016' WHERE subscription = '{uid}' AND day = '{day}'",
        ],
        &["UPDATE transactions SET result = 'DECLINED', result_code = '016', status = 'Declined', batch = NULL
           WHERE id = '{charge}'"],
    ),
    plant(
        Class::NeedsPerson,
        &[NO_CHARGE, "UPDATE perennial_due_day SET state = 'needs-person' WHERE subscription = '{uid}' AND day = '{day}'"],
        &[NO_TRANSACTION],
    ),
    plant(Class::OtherAmount, &[], &["UPDATE transactions SET amount = 5100 WHERE id = '{charge}'"]),
    plant(Class::OtherAmount, &["UPDATE perennial_charge SET amount = 4900 WHERE id = '{charge}'"], &[]),
    plant(
        Class::OtherDay,
        &["UPDATE perennial_charge SET made = date('{day}', '+10 days') WHERE id = '{charge}'"],
        &["UPDATE transactions SET created = created + 864000000 WHERE id = '{charge}'"],
    ),
    plant(Class::Voided, &[], &["UPDATE transactions SET voided = 1 WHERE id = '{charge}'"]),
    plant(
        Class::Refunded,
        &[],
        &["copy transactions id = '{charge}9', type = 'REFUND', ref_id = '{charge}', order_id = NULL, software_type = NULL"],
    ),
    plant(Class::OrphanCharge, &[], &["copy transactions id = '{charge}9'"]),
    // A sale that was withdrawn, and yet moved money.
    plant(
        Class::OrphanCharge,
        &[SALE],
        &["copy transactions id = '{charge}9', order_id = '{mark}', software_type = NULL"],
    ),
    plant(Class::Gone, &[], &[NO_TRANSACTION]),
    plant(Class::Gone, &[], &["DELETE FROM plans WHERE key = '{plan}'"]),
    plant(Class::TwinPlan, &[], &["copy plans key = '{plan}x'"]),
    // The plan of an earlier term.
    plant(
        Class::TwinPlan,
        &["INSERT INTO perennial_term (subscription, number, tenant, plan, token, amount, first, last, status, closed)
           VALUES ('{uid}', 9, '{tenant}', '{plan}x', '1', 4000, '{day}', '{day}', 'closed', '{day}')"],
        &["copy plans key = '{plan}x', amount = 4000"],
    ),
    plant(Class::OrphanPlan, &[CLOSED, ENDED], &[]),
    plant(Class::DormantSpare, &[CLOSED, ENDED], &["UPDATE plans SET status = 'SUSPENDED' WHERE key = '{plan}'"]),
    plant(Class::PlanChanged, &[], &["UPDATE plans SET amount = 6000 WHERE key = '{plan}'"]),
    plant(Class::PlanChanged, &[], &["UPDATE plans SET frequency_day = 1 + frequency_day % 28 WHERE key = '{plan}'"]),
    plant(Class::PlanChanged, &[], &["UPDATE plans SET end_date = '2028-03-30' WHERE key = '{plan}'"]),
    plant(Class::PlanChanged, &[], &["UPDATE plans SET end_date = '2027-09-30' WHERE key = '{plan}'"]),
    plant(Class::PlanChanged, &[], &["UPDATE plans SET status = 'SUSPENDED' WHERE key = '{plan}'"]),
    plant(Class::PlanChanged, &[], &["UPDATE plans SET status = 'CANCELED' WHERE key = '{plan}'"]),
    plant(Class::PlanChanged, &[], &["UPDATE plans SET customer_key = 'cust_of_another' WHERE key = '{plan}'"]),
    plant(Class::TokenChanged, &[], &["UPDATE plans SET token_id = '9' WHERE key = '{plan}'"]),
    // A transaction of the batch that no search of its days finds.
    plant(
        Class::Batch,
        &[],
        &["copy transactions id = '{charge}9', created = created - 8640000000, order_id = NULL, software_type = NULL"],
    ),
];

/// The rows of a subscription `n` that pays on the day `1 + n % 28`; every hundredth by a sale after a decline. `{n}` is its
/// number, `{count}` how many there are.
const ROWS: &[&str] = &[
    "INSERT INTO perennial_subscription (uid, tenant, id, generation, customer, token, name, amount, day, status, starts,
       guard, version) SELECT printf('S%025d', n), '{tenant}', 'M-' || n, 1, 'cust_' || n, n, 'Gold', 5000, 1 + n % 28,
       'active', printf('2027-01-%02d', 1 + n % 28), 0, 1 FROM numbers",
    "INSERT INTO perennial_term (subscription, number, tenant, plan, token, amount, first, last, status)
     SELECT printf('S%025d', n), 1, '{tenant}', 'plan_' || n, n, 5000, printf('2027-01-%02d', 1 + n % 28),
       printf('2027-12-%02d', 1 + n % 28), 'active' FROM numbers",
    "INSERT INTO perennial_due_day (subscription, day, amount, state, route, term, tries)
     SELECT printf('S%025d', n), printf('2027-01-%02d', 1 + n % 28), 5000,
       CASE WHEN n % 100 = 7 THEN 'recovered' ELSE 'paid' END, 'plan', 1, 0 FROM numbers",
    "INSERT INTO perennial_due_day (subscription, day, amount, state, route, term, tries)
     SELECT printf('S%025d', n), printf('2027-02-%02d', 1 + n % 28), 5000, 'expected', 'plan', 1, 0 FROM numbers
     WHERE 1 + n % 28 > 1",
    "INSERT INTO perennial_charge (tenant, id, subscription, day, made, amount, claim)
     SELECT '{tenant}', 1000000 + n, printf('S%025d', n), printf('2027-01-%02d', 1 + n % 28),
       printf('2027-01-%02d', 1 + n % 28), 5000, 'pays' FROM numbers",
    "INSERT INTO perennial_charge (tenant, id, subscription, day, made, amount, claim)
     SELECT '{tenant}', (1000000 + n) || '8', printf('S%025d', n), printf('2027-01-%02d', 1 + n % 28),
       printf('2027-01-%02d', 1 + n % 28), 5000, 'declined' FROM numbers WHERE n % 100 = 7",
    "INSERT INTO perennial_term (subscription, number, tenant, plan, token, amount, first, last, status, closed)
     SELECT printf('S%025d', n), 0, '{tenant}', 'plan_' || n || '_old', n, 4000, '2026-01-01', '2026-12-01', 'closed',
       '2026-12-09' FROM numbers WHERE n % 10 = 3",
    "UPDATE perennial_billing SET read_until = '2027-02-01'",
];

/// The objects of the gateway for them, and a sale of the merchant's own for each fiftieth.
const GATEWAY: &[&str] = &[
    "INSERT INTO customers (world, number, key, status) SELECT {world}, 1000 + n, 'cust_' || n, 'Active' FROM numbers",
    "INSERT INTO tokens (world, number, id, customer_key, status, last_four, exp_date, avs_required, times_used, created, updated)
     SELECT {world}, 1000 + n, n, 'cust_' || n, 'ACTIVE', '1111', CASE WHEN n % 40 = 5 THEN '0227' ELSE '1239' END, 0, 0, 0, 0
     FROM numbers",
    "INSERT INTO plans (world, number, key, name, customer_key, token_id, frequency, frequency_day, amount, start_date, end_date,
       status, status_date, email_receipt)
     SELECT {world}, 1000 + n, 'plan_' || n, 'Gold', 'cust_' || n, n, 'MONTHLY', 1 + n % 28, 5000,
       date(printf('2027-01-%02d', 1 + n % 28), '-2 days'), date(printf('2027-12-%02d', 1 + n % 28), '+2 days'), 'ACTIVE', 0, 0
     FROM numbers",
    "INSERT INTO plans (world, number, key, name, customer_key, token_id, frequency, frequency_day, amount, start_date, end_date,
       status, status_date, email_receipt)
     SELECT {world}, 4000000 + n, 'plan_' || n || '_old', 'Gold', 'cust_' || n, n, 'MONTHLY', 1, 4000, '2025-12-30',
       '2026-12-03', 'CANCELED', 0, 0 FROM numbers WHERE n % 10 = 3",
    // Three months, of which the gateway has the last two from before the subscriptions.
    "INSERT INTO transactions (world, number, id, type, amount, result, result_code, display_message, status, last_four,
       created, batch, order_id, customer_id, billing_is_shipping, software_type, pending, voided)
     SELECT {world}, 1000 + row_number() OVER (ORDER BY month, n % 28, n), 1000000 * (4 - month) + n, 'SALE', 5000, 'APPROVED', '000',
       'Transaction approved', 'Approved', '1111',
       unixepoch(printf('2027-01-%02d 10:00', 1 + n % 28), (month - 3) || ' months') * 1000,
       CASE WHEN month = 3 THEN 1 + n % 28 END,
       CASE WHEN month = 3 AND n % 100 = 7 THEN NULL ELSE 'plan_' || n END, 'cust_' || n, 0,
       CASE WHEN month = 3 AND n % 100 = 7 THEN NULL ELSE 'Clearent Recurring Engine' END, 0, 0
     FROM numbers, (SELECT 1 AS month UNION ALL SELECT 2 UNION ALL SELECT 3)",
    "INSERT INTO transactions (world, number, id, type, amount, result, result_code, display_message, status, last_four,
       created, batch, order_id, billing_is_shipping, software_type, pending, voided)
     SELECT {world}, 4000000 + n, (1000000 + n) || '8', 'SALE', 5000, 'DECLINED', '016', 'Declined', 'Declined', '1111',
       unixepoch(printf('2027-01-%02d 10:00', 1 + n % 28)) * 1000, NULL, 'plan_' || n, 0, 'Clearent Recurring Engine', 0, 0
     FROM numbers WHERE n % 100 = 7",
    "INSERT INTO transactions (world, number, id, type, amount, result, result_code, display_message, status, last_four,
       created, batch, order_id, billing_is_shipping, pending, voided)
     SELECT {world}, 5000000 + n, (1000000 + n) || '7', 'SALE', 1200, 'APPROVED', '000', 'Transaction approved', 'Approved', '1111',
       unixepoch(printf('2027-01-%02d 12:00', 1 + n % 28)) * 1000, 1 + n % 28, 'desk-' || n, 0, 0, 0
     FROM numbers WHERE n % 50 = 0",
    "INSERT INTO batches (world, number, opened, settled) SELECT {world}, n, unixepoch(printf('2027-01-%02d 10:00', n)) * 1000,
       unixepoch(printf('2027-01-%02d 22:00', n)) * 1000 FROM numbers WHERE n <= 28",
    "INSERT INTO tallies (world, kind, made, gone) VALUES ({world}, 'tokens', {count}, 0), ({world}, 'plans', {count}, 0),
       ({world}, 'batches', 28, 0), ({world}, 'transactions', 3 * {count}, 0), ({world}, 'customers', {count}, 0)
     ON CONFLICT DO UPDATE SET made = made + excluded.made",
];

/// 2027-02-02T00:00:00Z.
const NOW: i64 = 1_798_761_600_000 + 32 * 86_400_000;

fn numbers(count: usize, sql: &str) -> String {
    let numbers = format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count}) "
    );
    let sql = sql.replace("{count}", &count.to_string());
    match sql.find("SELECT").filter(|_| sql.contains("FROM numbers")) {
        Some(at) => format!("{}{numbers}{}", &sql[..at], &sql[at..]),
        None => sql,
    }
}

struct Planted {
    _sandbox: Sandbox,
    billing: Billing,
    /// The class of each planted difference, and its subscription.
    expected: Vec<(Class, String)>,
    _folder: tempfile::TempDir,
}

impl Planted {
    async fn of(count: usize, plants: usize) -> Self {
        Self::with(count, plants, &[]).await
    }

    /// Subscriptions with planted differences, and a gateway with these changes.
    async fn with(count: usize, plants: usize, changes: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("gateway.db");
        let forever = GatewayOptions { retention: "P100Y".parse().unwrap(), ..GatewayOptions::default() };
        let sandbox = Sandbox::builder().database(&file).gateway(forever).start().await.unwrap();
        sandbox.advance("P32D").await.unwrap();
        let url = format!("sqlite:{}", folder.path().join("journal.db").display());
        let (journal, north, billing) = open(&url, &sandbox).await;
        let tenant = north.tenant_uid().to_owned();
        let address = sandbox.address();
        let key = perennial_domain::clearent::ApiKey::new(sandbox.api_key().expose()).unwrap();
        sandbox.stop().await;

        let transact = async |sql: String| {
            let done = journal.transact(vec![Statement::new(sql.clone(), Vec::new())]).await;
            assert!(matches!(done, Ok(Transacted::Rows(_))), "{sql}: {done:?}");
        };
        for sql in ROWS {
            transact(numbers(count, &sql.replace("{tenant}", &tenant))).await;
        }
        let gateway = Gateway::open(&file);
        for sql in GATEWAY {
            gateway.run(&numbers(count, sql));
        }
        let (mut expected, mut days) = (Vec::new(), BTreeSet::new());
        for index in 0..plants {
            let plant = &PLANTS[index % PLANTS.len()];
            // Neither one that pays by a sale, nor one that is charged so late that ten days later is another month.
            let mut number = 1 + index * (count / plants);
            while number % 100 == 7 || number % 28 > 16 {
                number += 1;
            }
            let day = format!("2027-01-{:02}", 1 + number % 28);
            let filled = |sql: &str| {
                sql.replace("{id}", &format!("M-{number}"))
                    .replace("{uid}", &format!("S{number:025}"))
                    .replace("{day}", &day)
                    .replace("{plan}", &format!("plan_{number}"))
                    .replace("{charge}", &(1_000_000 + number).to_string())
                    .replace("{mark}", &format!("{number:026}"))
                    .replace("{tenant}", &tenant)
            };
            for sql in plant.rows {
                transact(filled(sql)).await;
            }
            for sql in plant.gateway {
                gateway.plant(&filled(sql), number);
            }
            let is_batch = plant.class == Class::Batch;
            if !is_batch || days.insert(day.clone()) {
                expected.push((plant.class, if is_batch { day } else { format!("M-{number}") }));
            }
        }
        for sql in changes {
            gateway.run(sql);
        }
        gateway.close();
        let sandbox = Sandbox::builder().database(&file).keys([key]).listen(address).gateway(forever);
        Self { _sandbox: sandbox.start().await.unwrap(), billing, expected, _folder: folder }
    }

    async fn books(&self, window: std::ops::Range<&str>, plans: bool) -> Books {
        let day = |day: &str| day.parse::<NaiveDate>().unwrap();
        let window = day(window.start)..day(window.end);
        self.billing.compare_books(&BooksScope { window, plans, others: false }).await.unwrap()
    }
}

async fn open(url: &str, sandbox: &Sandbox) -> (Journal, Clearent, Billing) {
    let client = Client::builder(ApiKey::new(sandbox.api_key().expose()).unwrap())
        .environment(sandbox.base_url().parse::<BaseUrl>().unwrap())
        .build()
        .unwrap();
    let clock = WorldClock(Arc::new(AtomicI64::new(NOW)));
    let journal = Journal::open_with(url, clock, Rules::default()).await.unwrap();
    let north = journal.clearent("north-street", &client).await.unwrap();
    let billing = Billing::open(&journal, &north).await.unwrap();
    (journal, north, billing)
}

/// The database of a sandbox that does not run.
struct Gateway(rusqlite::Connection, i64);

impl Gateway {
    fn open(file: &Path) -> Self {
        let connection = rusqlite::Connection::open(file).unwrap();
        // All names are equal.
        connection.create_collation("names", Ord::cmp).unwrap();
        let world = connection.query_row("SELECT id FROM worlds", [], |row| row.get(0)).unwrap();
        connection.execute_batch("BEGIN").unwrap();
        Self(connection, world)
    }

    fn run(&self, sql: &str) {
        let sql = sql.replace("{world}", &self.1.to_string());
        self.0.execute_batch(&sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    fn plant(&self, sql: &str, number: usize) {
        let Some((table, columns)) = sql.strip_prefix("copy ").and_then(|copy| copy.split_once(' ')) else {
            return self.run(sql);
        };
        let own = if table == "plans" {
            format!("key = 'plan_{number}'")
        } else {
            format!("id = '{}'", 1_000_000 + number)
        };
        self.run(&format!(
            "CREATE TEMP TABLE made AS SELECT * FROM {table} WHERE {own}; UPDATE made SET number = number + 6000000, {columns};
             INSERT INTO {table} SELECT * FROM made; DROP TABLE made"
        ));
    }

    fn close(self) {
        // Without a checksum, the sandbox checks the file in another way.
        self.0.execute_batch("UPDATE seal SET closed = 1, checksum = NULL; COMMIT").unwrap();
    }
}

fn found(books: &Books) -> Vec<(Class, String)> {
    let mut found: Vec<_> = books
        .differences
        .iter()
        .map(|one| {
            let day = one.day.filter(|_| one.class == Class::Batch).map(|day| day.to_string());
            (one.class, one.subscription.clone().or(day).unwrap_or_default())
        })
        .collect();
    found.sort();
    found
}

/// The most memory that the process used, in MiB.
fn most_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? / 1024)
}

/// Holds: All planted differences of every class are found, none is invented, and the books of a night read at most 2 % of the
/// gateway's rows. `cargo xtask soak billing` plants 1,000 in 100,000 subscriptions.
#[tokio::test]
async fn planted_differences_are_found_and_none_is_invented() {
    let number = |name, default| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let (count, plants): (usize, usize) = (number("PERENNIAL_BOOKS", 2_000), number("PERENNIAL_PLANTS", 54));
    let mut world = Planted::of(count, plants).await;
    world.expected.sort();
    let before = most_memory();
    let start = Instant::now();
    let books = world.books("2027-01-01".."2027-02-01", true).await;
    let (month, memory) = (start.elapsed(), most_memory());
    let (found, expected) = (found(&books), &world.expected);
    let missed: Vec<_> = expected.iter().filter(|one| !found.contains(one)).collect();
    let invented: Vec<_> = found.iter().filter(|one| !expected.contains(one)).collect();
    assert!(missed.is_empty() && invented.is_empty(), "missed {missed:?}\ninvented {invented:?}");
    assert_eq!(found, *expected);
    let sum = [books.paid, books.recovered, books.part, books.waived, books.given_up, books.open];
    assert_eq!(books.expected, sum.into_iter().fold(perennial::Total::ZERO, |sum, more| sum + more));
    assert_eq!((books.unclear, books.unread), (0, 0));
    // The batches of the first to the 28th day.
    assert_eq!(books.batches, 28);

    let start = Instant::now();
    let night = world.books("2027-01-14".."2027-01-15", false).await;
    let share = night.read * 10_000 / u64::try_from(6 * count).unwrap();
    assert!(share <= 200, "{} of {} rows", night.read, 6 * count);
    eprintln!(
        "books of {count} subscriptions with {plants} planted differences: {month:?} for a month and its plans, {} + {:?} rows; \
         {:?} for a night, {} rows, {share} of 10,000; {before:?} MiB before, {memory:?} MiB at most",
        books.read,
        books.plans,
        start.elapsed(),
        night.read,
    );
}

/// Holds: Books with a record that is neither approved nor declined are not closed, and no difference is invented.
#[tokio::test]
async fn books_with_an_unclear_record_are_not_closed() {
    let pending = "UPDATE transactions SET result = 'PENDING', result_code = '999', status = 'Pending' WHERE id = '1000030'";
    let world = Planted::with(100, 0, &[pending]).await;
    let books = world.books("2027-01-01".."2027-02-01", true).await;
    assert_eq!((found(&books), books.unclear, books.are_closed()), (Vec::new(), 1, false));
    // The charge is of the second of January.
    let books = world.books("2027-01-04".."2027-02-01", true).await;
    assert_eq!((found(&books), books.unclear, books.are_closed()), (Vec::new(), 0, true));
}

/// Holds: Windows that meet have each transaction once, although their searches overlap.
#[tokio::test]
async fn windows_that_meet_have_each_transaction_once() {
    let world = Planted::of(600, 0).await;
    let whole = world.books("2027-01-01".."2027-02-01", false).await;
    let (mut sums, mut read) = ((perennial::Total::ZERO, perennial::Total::ZERO, 0), 0);
    for (from, until) in
        [("2027-01-01", "2027-01-08"), ("2027-01-08", "2027-01-09"), ("2027-01-09", "2027-02-01")]
    {
        let part = world.books(from..until, false).await;
        assert!(part.are_closed(), "{part:?}");
        sums = (sums.0 + part.paid, sums.1 + part.other_business.0, sums.2 + part.other_business.1);
        read += part.read;
    }
    assert_eq!(sums, (whole.paid, whole.other_business.0, whole.other_business.1));
    assert!(read > whole.read && whole.other_business.1 == 12, "{read} {}", whole.read);
}

/// Holds: The cards that end before a day that is due within 60 days are listed, and no others.
#[tokio::test]
async fn cards_that_end_are_listed() {
    let deleted =
        ["DELETE FROM tokens WHERE id = '6'", "UPDATE tallies SET gone = gone + 1 WHERE kind = 'tokens'"];
    let world = Planted::with(400, 0, &deleted).await;
    let ending = world.billing.ending_cards().await.unwrap();
    // They end on the last of February, and have a due day in March, as far as 60 days reach.
    let expected: Vec<_> = (0..400).filter(|n| n % 40 == 5).map(|n| format!("M-{n}")).collect();
    let mut listed: Vec<_> = ending.cards.iter().map(|card| card.subscription.clone()).collect();
    listed.sort_by_key(|id| id[2..].parse::<usize>().unwrap());
    assert_eq!((listed, ending.subscriptions, ending.unknown), (expected, 400, 1));
    for card in &ending.cards {
        let number: u32 = card.subscription[2..].parse().unwrap();
        assert_eq!(
            (card.ends.to_string(), card.due.to_string()),
            ("2027-02-28".to_owned(), format!("2027-03-{:02}", 1 + number % 28))
        );
    }
}
