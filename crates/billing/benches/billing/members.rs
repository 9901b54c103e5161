//! The subscriptions: plans at the gateway, and rows in billing's database.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use chrono::{Datelike as _, Days, Months};
use perennial::Clearent;
use perennial::clearent::{
    CustomerKey, NewCustomer, NewPlan, NewToken, Paging, PlanKey, TokenId, TransactionSearch, Verdict,
};
use perennial_billing::{Billing, NewSubscription, dates_of_term};
use perennial_domain::NaiveDate;
use perennial_journal::machine::Rules;
use perennial_journal::{Journal, Moment, ShiftedClock};
use rusqlite::{Connection, Transaction, params};

use crate::gateway::Gateway;
use crate::worker::{Figures, Work, two_o_clock};

/// The requests to the gateway at a time.
const IN_FLIGHT: usize = 32;
/// An amount that the issuer declines: not sufficient funds.
const DECLINED: &str = "0.21";

pub(crate) struct Members {
    file: PathBuf,
}

/// A subscription.
#[derive(Debug, Clone)]
struct Member {
    number: usize,
    customer: CustomerKey,
    token: TokenId,
    plan: PlanKey,
}

/// The due days of a term, of which the last is in one of the twelve months from January on.
fn term(number: usize) -> Vec<NaiveDate> {
    let first = NaiveDate::from_ymd_opt(2026, 2, u32::try_from(1 + number % 28).unwrap()).unwrap();
    let first = first + Months::new(u32::try_from(number / 28 % 12).unwrap());
    (0..12).map(|month| first + Months::new(month)).collect()
}

fn is_declined(number: usize) -> bool {
    number.is_multiple_of(33)
}

fn amount(number: usize) -> &'static str {
    if is_declined(number) { DECLINED } else { "50.00" }
}

/// Whether billing writes for it in January, so that it needs a customer of its own.
fn is_written(number: usize) -> bool {
    is_declined(number) || (number / 28).is_multiple_of(12)
}

async fn person(client: &Clearent) -> (CustomerKey, TokenId) {
    let person = NewCustomer::builder().first_name("Ada").last_name("Byron").build().unwrap();
    let customer = client.customers().create(&person).await.unwrap().customer_key.clone();
    let card = NewToken::builder().card("4111111111111111").exp_date("1239").csc("999").description("card");
    let token = client.tokens().create(card.customer_key(&customer).build().unwrap()).await.unwrap();
    (customer, token.token_id.clone().unwrap())
}

async fn plan(client: &Clearent, number: usize, customer: CustomerKey, token: TokenId) -> Member {
    let (today, _) = two_o_clock(0);
    let days = term(number);
    let dates = dates_of_term(&(days[0]..=days[11])).unwrap();
    let plan = NewPlan::builder()
        .plan_name("Gold")
        .customer_key(&customer)
        .token_id(&token)
        .monthly_on(days[0].day())
        .payment_amount(amount(number))
        .start_date(today.max(*dates.start()))
        .end_date(*dates.end())
        .status("ACTIVE")
        .build()
        .unwrap();
    let plan = client.plans().create(&plan).await.unwrap().plan_key.clone();
    Member { number, customer, token, plan }
}

impl Members {
    /// Creates this many plans at the gateway, and their subscriptions.
    pub(crate) async fn create(gateway: &Gateway, folder: &Path, count: usize) -> Self {
        let created = Self { file: folder.join("billing.db") };
        let (shared_customer, shared_token) = person(&gateway.client).await;
        let tasks: Vec<_> = (0..IN_FLIGHT)
            .map(|first| {
                let (client, shared) =
                    (gateway.client.clone(), (shared_customer.clone(), shared_token.clone()));
                tokio::spawn(async move {
                    let mut members = Vec::new();
                    for number in (first..count).step_by(IN_FLIGHT) {
                        let (customer, token) =
                            if is_written(number) { person(&client).await } else { shared.clone() };
                        members.push(plan(&client, number, customer, token).await);
                    }
                    members
                })
            })
            .collect();
        let mut members = Vec::new();
        for task in tasks {
            members.extend(task.await.unwrap());
        }
        // The rows of one subscription that was started are the template of the journal's rows.
        let (customer, token) = person(&gateway.client).await;
        let (today, now) = two_o_clock(0);
        let journal =
            Journal::open_with(&created.url(), ShiftedClock::from(now), Rules::default()).await.unwrap();
        let north = journal.clearent("north-street", &gateway.client).await.unwrap();
        let billing = Billing::open(&journal, &north).await.unwrap();
        let template = NewSubscription::new(
            "T-1",
            customer,
            token,
            "Gold",
            "50.00".parse().unwrap(),
            28.try_into().unwrap(),
        );
        billing.start(&template.from(today + Days::new(40))).await.unwrap();
        while billing.work().await.unwrap().steps > 0 {}
        let template = billing.show("T-1").await.unwrap();
        journal.close();
        let mut file = Connection::open(&created.file).unwrap();
        file.execute_batch("PRAGMA synchronous = OFF").unwrap();
        let transaction = file.transaction().unwrap();
        for member in &members {
            store(&transaction, member, today);
        }
        intents(&transaction, &template.subscription.uid);
        transaction.commit().unwrap();
        file.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
        created
    }

    fn url(&self) -> String {
        format!("sqlite:{}", self.file.display())
    }

    pub(crate) fn mebibytes(&self) -> u64 {
        std::fs::metadata(&self.file).unwrap().len() >> 20
    }

    /// Does work in a process of its own, at two o'clock after this many days.
    pub(crate) fn work(&self, gateway: &Gateway, work: &Work, night: u64) -> Figures {
        Figures::of(gateway.child(&work.name()), &self.url(), night)
    }

    /// Stores the charges of plans that the gateway made in this window and that are not read yet, as a worker would have.
    pub(crate) async fn charged(&self, gateway: &Gateway, window: Range<NaiveDate>) {
        let mut file = Connection::open(&self.file).unwrap();
        let transaction = file.transaction().unwrap();
        let tenant: String =
            transaction.query_row("SELECT uid FROM perennial_tenant", [], |row| row.get(0)).unwrap();
        let search = TransactionSearch {
            start_date: Some(window.start.to_string()),
            end_date: Some((window.end - Days::new(1)).to_string()),
            paging: Paging { page_size: Some(100), ..Paging::default() },
            ..TransactionSearch::default()
        };
        let mut found = gateway.client.transactions().search(&search);
        while let Some(charge) = found.next().await {
            let charge = charge.unwrap();
            let Some(plan) = charge.plan_key() else { continue };
            let made = charge.created.as_ref().unwrap().date().unwrap().naive();
            let is_paid = charge.verdict() == Verdict::Approved;
            let (state, claim) = if is_paid { ("paid", "pays") } else { ("declined", "declined") };
            let of_plan = "SELECT subscription FROM perennial_term WHERE plan = ?1";
            let sql = format!(
                "INSERT OR IGNORE INTO perennial_charge SELECT ?2, ?3, subscription, day, ?4, amount, ?5, NULL FROM perennial_due_day
                 WHERE subscription = ({of_plan}) AND day = ?4"
            );
            let id = charge.id.as_ref().unwrap().as_str();
            let values = params![plan.as_str(), tenant, id, made.to_string(), claim];
            transaction.prepare_cached(&sql).unwrap().execute(values).unwrap();
            let sql = format!(
                "UPDATE perennial_due_day SET state = ?3, code = iif(?3 = 'declined', '012', NULL)
                 WHERE subscription = ({of_plan}) AND day = ?2 AND state = 'expected'"
            );
            let values = params![plan.as_str(), made.to_string(), state];
            transaction.prepare_cached(&sql).unwrap().execute(values).unwrap();
        }
        transaction.commit().unwrap();
    }
}

/// Stores the rows of a subscription whose charges until today are paid.
fn store(file: &Transaction<'_>, member: &Member, today: NaiveDate) {
    let Member { number, customer, token, plan } = member;
    let uid = perennial_journal::new_uid();
    let days = term(*number);
    let cents = if is_declined(*number) { 21 } else { 5_000 };
    let expected = days.iter().find(|day| **day >= today).unwrap();
    let next = Moment::of_utc((*expected + Days::new(4)).and_hms_opt(0, 0, 0).unwrap()).as_millis();
    let (first, last) = (days[0].to_string(), days[11].to_string());
    let sql = "INSERT INTO perennial_subscription (uid, tenant, id, generation, customer, token, name, amount, day, status,
                 starts, guard, version, next)
               SELECT ?1, uid, ?2, 1, ?3, ?4, 'Gold', ?5, ?6, 'active', ?7, 0, 30, ?8 FROM perennial_tenant";
    let id = format!("M-{number}");
    let values = params![uid, id, customer.as_str(), token.as_str(), cents, days[0].day(), first, next];
    file.prepare_cached(sql).unwrap().execute(values).unwrap();
    // The gateway takes no start in the past, so the plan's dates are not those of the term, as with an adopted plan.
    let sql =
        "INSERT INTO perennial_term (subscription, number, tenant, plan, token, amount, first, last, status, adopted)
               SELECT ?1, 1, uid, ?2, ?3, ?4, ?5, ?6, 'active', ?5 FROM perennial_tenant";
    let values = params![uid, plan.as_str(), token.as_str(), cents, first, last];
    file.prepare_cached(sql).unwrap().execute(values).unwrap();
    for (month, day) in days.iter().enumerate() {
        let is_paid = *day < today;
        let state = if is_paid { "paid" } else { "expected" };
        let sql = "INSERT INTO perennial_due_day (subscription, day, amount, state, route, term, tries)
                   VALUES (?1, ?2, ?3, ?4, 'plan', 1, 0)";
        let day = day.to_string();
        file.prepare_cached(sql).unwrap().execute(params![uid, day, cents, state]).unwrap();
        if is_paid {
            let sql = "INSERT INTO perennial_charge SELECT uid, ?2, ?1, ?3, ?3, ?4, 'pays', NULL FROM perennial_tenant";
            let id = format!("h{number}-{month}");
            file.prepare_cached(sql).unwrap().execute(params![uid, id, day, cents]).unwrap();
        }
    }
}

/// Copies the guard and the intents of the template to all other subscriptions.
fn intents(file: &Transaction<'_>, template: &str) {
    let columns: BTreeMap<_, _> = [
        ("uid", "upper(hex(randomblob(13)))"),
        ("operation_key", "replace(i.operation_key, ?1, s.uid)"),
        ("object", "iif(i.object LIKE 'new/%', 'new/' || hex(randomblob(13)), 'plans/' || t.plan)"),
        ("fingerprint", "lower(hex(randomblob(16)))"),
        ("mark", "hex(randomblob(13))"),
        ("guard", "replace(i.guard, ?1, s.uid)"),
    ]
    .into();
    let names = "uid, tenant, operation_key, operation, object, request, fingerprint, mark, is_stop, needs_card, activates, \
        guard, guard_version, send_before, state, fence, lease_until, next, history, outcome, created";
    let values =
        names.split(", ").map(|name| columns.get(name).map_or(format!("i.{name}"), |sql| (*sql).to_owned()));
    let values = values.collect::<Vec<_>>().join(", ");
    let others = "perennial_subscription s JOIN perennial_term t ON t.subscription = s.uid";
    let sql = format!(
        "INSERT INTO perennial_intent ({names}) SELECT {values} FROM perennial_intent i, {others}
         WHERE i.operation_key LIKE 'subscriptions/' || ?1 || '%' AND s.uid <> ?1"
    );
    file.execute(&sql, [template]).unwrap();
    let sql = "INSERT INTO perennial_guard SELECT g.tenant, replace(g.name, ?1, s.uid), g.version
               FROM perennial_guard g, perennial_subscription s WHERE g.name LIKE '%' || ?1 AND s.uid <> ?1";
    file.execute(sql, [template]).unwrap();
}
