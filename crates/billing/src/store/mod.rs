//! The rows of billing in the journal's database, and the transactions that change them.

mod alerts;
pub(crate) mod books;
mod cards;
mod events;
mod once;
mod person;
mod schema;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use chrono::{Days, NaiveDate};
use perennial::clearent::{PlanKey, TokenId, TransactionId};
use perennial::{Amount, Date, Timestamp};
use perennial_domain::clearent::FrequencyDay;
use perennial_journal::machine::Intent;
use perennial_journal::store::{Damage, NewDecision, NewEvent, Row, Statement, Transacted, Value};
use perennial_journal::{Journal, Moment};

pub(crate) use cards::StoredCard;
pub(crate) use events::EventOnce;
pub(crate) use person::PersonalRows;

use crate::Error;
use crate::life::{Outcome, Write};
use crate::model::{
    Charge, DayState, DueDay, DueDayFilter, Member, Pause, Route, Subscription, SubscriptionChange, Term,
};
use crate::recovery::{AtEnd, RecoveryChange, RecoveryRules, Withheld};

/// The billing tables of one tenant.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    journal: Journal,
    tenant: String,
    /// The number of statements that read.
    #[cfg(test)]
    pub(crate) statements: std::sync::Arc<std::sync::atomic::AtomicU64>,
}

/// The keys of one statement.
const KEYS: usize = 100;

/// The days by which a plan's charge comes after its due day at most, tries of declines included.
pub(crate) const LATE: Days = Days::new(8);

/// The condition of the subscriptions that are listed.
pub(crate) enum Which<'a> {
    /// The subscriptions with this id, the newest generation first.
    Id(&'a str),
    /// The one with this uid.
    Uid(&'a str),
    /// Subscriptions whose next step is due at a moment, after the one with this step and uid.
    Due(Moment, Option<(Moment, &'a str)>),
    /// Subscriptions whose id begins with this.
    Prefix(&'a str),
}

/// The row of a tenant, as of a day.
pub(crate) struct Merchant {
    /// Charges of plans are known until the end of this day.
    pub(crate) read_until: NaiveDate,
    pub(crate) rules: RecoveryRules,
    /// The number and the sum of the day's tries of declined and missing days.
    tries: i64,
    cents: i64,
}

impl Merchant {
    /// Whether another try of this amount is over the limit.
    pub(crate) fn is_at_limit(&self, amount: Amount) -> bool {
        let sum = u64::try_from(self.cents).unwrap_or(u64::MAX).saturating_add(amount.cents());
        self.tries >= i64::from(self.rules.tries_a_day) || sum > self.rules.sum_a_day.cents()
    }
}

/// A due day of a subscription.
pub(crate) struct Due {
    pub(crate) id: String,
    /// The amount of the charge that pays it, or a part of it.
    pub(crate) paid: Option<Amount>,
    pub(crate) day: DueDay,
}

/// A change of a subscription that is stored in one transaction.
#[derive(Default)]
pub(crate) struct Change {
    pub(crate) intents: Vec<(Write, Intent)>,
    pub(crate) charges: Vec<Charge>,
    pub(crate) events: Vec<NewEvent>,
    pub(crate) decision: Option<NewDecision>,
    /// The card, if its token was read.
    pub(crate) card: Option<StoredCard>,
    pub(crate) raises_guard: bool,
    /// The operation key of the caller, and the digest of the decision that it names.
    pub(crate) key: Option<(String, String)>,
}

/// A term that may have made a charge.
pub(crate) struct TermOfCustomer {
    pub(crate) subscription: String,
    pub(crate) number: i64,
    pub(crate) first: NaiveDate,
    pub(crate) amount: Amount,
    /// The mark in the name of its plan, if it was made here.
    pub(crate) mark: Option<String>,
}

const SUBSCRIPTION: &str = "uid, id, generation, customer, token, name, amount, day, status, starts, until, charges, \
    canceled_on, paused_from, paused_until, pause_collects, change_from, change_amount, change_token, change_day, \
    collects_open, guard, version, next, shadow";
const TERM: &str = "number, plan, token, amount, first, last, status, since, asked, closed, adopted";
const CHARGE: &str = "id, day, made, amount, claim, undone";
const DAY: &str = "day, amount, state, paid, route, term, tries, was, sold, next_try, code, reason";

/// The reason why the charges of a day are not known.
const UNREAD: &str = "the gateway has a transaction of this day that cannot be read or placed";

impl Store {
    /// Makes the tables, and the row of the tenant.
    pub(crate) async fn open(journal: &Journal, tenant: &str, today: NaiveDate) -> Result<Self, Error> {
        let store = Self::of(journal, tenant).await?;
        let sql = "INSERT INTO perennial_billing (tenant, read_until, tries_a_day, sum_a_day, at_end, night, tries, sum)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?2, 0, 0) ON CONFLICT DO NOTHING";
        let RecoveryRules { tries_a_day, sum_a_day, at_end } = RecoveryRules::default();
        let rules = [i64::from(tries_a_day).into(), cents(sum_a_day), at_end.as_str().into()];
        let row = Statement::new(sql, [tenant.into(), date(today)].into_iter().chain(rules).collect());
        store.journal.transact(vec![row]).await?;
        Ok(store)
    }

    /// Makes the tables.
    pub(crate) async fn of(journal: &Journal, tenant: &str) -> Result<Self, Error> {
        journal.migrate("billing", schema::MIGRATIONS).await?;
        Ok(Self {
            journal: journal.clone(),
            tenant: tenant.to_owned(),
            #[cfg(test)]
            statements: std::sync::Arc::default(),
        })
    }

    /// The tenant's uid.
    pub(crate) fn tenant(&self) -> &str {
        &self.tenant
    }

    /// Charges of plans are known until the end of this day, which never goes back, but for those of the unread days among
    /// those that were read. Each is one event for a person.
    pub(crate) async fn has_read_until(
        &self,
        day: NaiveDate,
        read: &BTreeSet<NaiveDate>,
        unread: &BTreeSet<NaiveDate>,
        now: Moment,
    ) -> Result<(), Error> {
        let tenant = || Value::from(self.tenant.as_str());
        for unread in unread {
            let sql = "INSERT INTO perennial_unread (tenant, day) VALUES (?1, ?2) ON CONFLICT DO NOTHING RETURNING day";
            let is_new = Statement::new(sql, vec![tenant(), date(*unread)]).must();
            let body = format!(r#"{{"day":"{unread}","reason":"{UNREAD}"}}"#);
            let event = NewEvent { kind: "needs-person".to_owned(), body };
            let event = Statement::event(&self.tenant, "transactions", &event, now);
            self.journal.transact(vec![is_new, event]).await?;
        }
        let mut statements = Vec::new();
        for read in read.difference(unread) {
            let sql = "DELETE FROM perennial_unread WHERE tenant = ?1 AND day = ?2";
            statements.push(Statement::new(sql, vec![tenant(), date(*read)]));
        }
        let sql = "UPDATE perennial_billing SET read_until = ?2 WHERE tenant = ?1 AND read_until < ?2";
        statements.push(Statement::new(sql, vec![tenant(), date(day)]));
        self.journal.transact(statements).await?;
        Ok(())
    }

    /// The tenant's row, as of a day.
    pub(crate) async fn merchant(&self, today: NaiveDate) -> Result<Merchant, Error> {
        let sql =
            "SELECT read_until, tries_a_day, sum_a_day, at_end, night, tries, sum FROM perennial_billing
                   WHERE tenant = ?1";
        let read = |row: &mut Row| {
            let read_until = date_of(row)?;
            let rules = RecoveryRules {
                tries_a_day: u32::try_from(row.int()?).map_err(damaged)?,
                sum_a_day: amount_of(row)?,
                at_end: word(row)?.parse().map_err(damaged)?,
            };
            let (day, tries, cents) = (date_of(row)?, row.int()?, row.int()?);
            let (tries, cents) = if day == today { (tries, cents) } else { (0, 0) };
            Ok(Merchant { read_until, rules, tries, cents })
        };
        let rows = self.rows(sql, vec![self.tenant.as_str().into()], read).await?;
        rows.into_iter().next().ok_or_else(|| perennial_journal::Error::NoTenant(self.tenant.clone()).into())
    }

    /// Changes the rules for tries, and stores who decided it, and the operation key.
    pub(crate) async fn change_recovery(
        &self,
        change: &RecoveryChange,
        decision: &NewDecision,
        key: Option<(String, String)>,
        now: Moment,
    ) -> Result<(), Error> {
        let sql = "UPDATE perennial_billing SET tries_a_day = coalesce(?2, tries_a_day),
                     sum_a_day = coalesce(?3, sum_a_day), at_end = coalesce(?4, at_end) WHERE tenant = ?1";
        let values = vec![
            self.tenant.as_str().into(),
            change.tries_a_day.map(i64::from).into(),
            change.sum_a_day.map(|sum| i64::try_from(sum.cents()).unwrap_or(i64::MAX)).into(),
            change.at_end.map(AtEnd::as_str).into(),
        ];
        let about = format!("recovery/{}", self.tenant);
        let mut statements = vec![Statement::new(sql, values), Statement::decision(&about, decision, now)];
        statements.extend(key.iter().map(|(key, digest)| self.put_key(key, digest)));
        match (self.journal.transact(statements).await?, key) {
            (Transacted::Rows(_), _) | (_, None) => Ok(()),
            // Another process used the key meanwhile.
            (_, Some((key, _))) => Err(Error::KeyUsed(key)),
        }
    }

    /// Counts a try of a day. It fails over the limit, also beside other processes.
    fn count_try(&self, today: NaiveDate, amount: Amount) -> Statement {
        let sql = "UPDATE perennial_billing SET night = ?2,
                     tries = CASE WHEN night = ?2 THEN tries + 1 ELSE 1 END,
                     sum = CASE WHEN night = ?2 THEN sum + ?3 ELSE ?3 END
                   WHERE tenant = ?1 AND tries_a_day > CASE WHEN night = ?2 THEN tries ELSE 0 END
                     AND sum_a_day >= ?3 + CASE WHEN night = ?2 THEN sum ELSE 0 END RETURNING tenant";
        Statement::new(sql, vec![self.tenant.as_str().into(), date(today), cents(amount)]).must()
    }

    /// Tells once a day that the limit of tries is reached.
    pub(crate) async fn limit_is_reached(&self, today: NaiveDate, now: Moment) -> Result<(), Error> {
        let sql =
            "UPDATE perennial_billing SET asked = ?2 WHERE tenant = ?1 AND (asked IS NULL OR asked < ?2)
                   RETURNING tenant";
        let asked = Statement::new(sql, vec![self.tenant.as_str().into(), date(today)]).must();
        let body = format!(r#"{{"reason":"{}","day":"{today}"}}"#, Withheld::Limit);
        let event = NewEvent { kind: "needs-person".to_owned(), body };
        self.journal.transact(vec![asked, Statement::event(&self.tenant, "recovery", &event, now)]).await?;
        Ok(())
    }

    /// The number of declines of a token since a day.
    pub(crate) async fn declines_of_card(&self, token: &TokenId, since: NaiveDate) -> Result<i64, Error> {
        let sql =
            "SELECT count(*) FROM perennial_subscription s JOIN perennial_charge c ON c.subscription = s.uid
                   WHERE s.tenant = ?1 AND s.token = ?2 AND c.claim = 'declined' AND c.made >= ?3";
        let values = vec![self.tenant.as_str().into(), token.as_str().into(), date(since)];
        Ok(self.rows(sql, values, Row::int).await?.into_iter().sum())
    }

    /// The days on which the gateway has a transaction that cannot be read, or that may be a charge of several due days.
    pub(crate) async fn unread(&self) -> Result<BTreeSet<NaiveDate>, Error> {
        let sql = "SELECT day FROM perennial_unread WHERE tenant = ?1";
        Ok(self.rows(sql, vec![self.tenant.as_str().into()], date_of).await?.into_iter().collect())
    }

    pub(crate) async fn subscriptions(
        &self,
        which: Which<'_>,
        limit: u32,
    ) -> Result<Vec<Subscription>, Error> {
        let (condition, values) = match which {
            Which::Id(id) => ("id = ?2 ORDER BY generation DESC", vec![id.into()]),
            Which::Uid(uid) => ("uid = ?2 ORDER BY uid", vec![uid.into()]),
            Which::Due(now, after) => {
                let (next, uid) = after.unwrap_or((Moment::from_millis(i64::MIN), ""));
                (
                    "next <= ?2 AND (next, uid) > (?3, ?4) ORDER BY next, uid",
                    vec![now.into(), next.into(), uid.into()],
                )
            }
            // Every character of an id comes before DEL.
            Which::Prefix(prefix) => (
                "id >= ?2 AND id < ?3 ORDER BY id, generation",
                vec![prefix.into(), format!("{prefix}\u{7f}").into()],
            ),
        };
        let sql = format!(
            "SELECT {SUBSCRIPTION} FROM perennial_subscription WHERE tenant = ?1 AND {condition} LIMIT {limit}"
        );
        let values = [vec![self.tenant.as_str().into()], values].concat();
        Ok(self.rows(sql, values, subscription_of).await?)
    }

    /// The subscriptions with these uids.
    pub(crate) async fn subscriptions_of(&self, uids: &[&str]) -> Result<Vec<Subscription>, Error> {
        let select = |uids: &str| {
            format!("SELECT {SUBSCRIPTION} FROM perennial_subscription WHERE tenant = ?1 AND uid IN ({uids})")
        };
        self.by_keys(Some(&self.tenant), uids, select, subscription_of).await
    }

    /// The subscription with its terms and due days.
    pub(crate) async fn member(&self, subscription: Subscription) -> Result<Member, Error> {
        let uid = subscription.uid.clone();
        let members = self.members(vec![subscription]).await?;
        members.into_iter().next().ok_or(Error::NoSubscription(uid))
    }

    /// The subscriptions with their terms and due days.
    pub(crate) async fn members(&self, subscriptions: Vec<Subscription>) -> Result<Vec<Member>, Error> {
        let uids: Vec<_> = subscriptions.iter().map(|subscription| subscription.uid.as_str()).collect();
        let (mut terms, mut days) = (BTreeMap::<_, Vec<_>>::new(), BTreeMap::<_, BTreeMap<_, _>>::new());
        let select = |uids: &str| {
            format!(
                "SELECT subscription, {TERM} FROM perennial_term WHERE subscription IN ({uids}) ORDER BY number"
            )
        };
        for (uid, term) in self.by_keys(None, &uids, select, |row| Ok((row.text()?, term_of(row)?))).await? {
            terms.entry(uid).or_default().push(term);
        }
        let select = |uids: &str| {
            format!("SELECT subscription, {DAY} FROM perennial_due_day WHERE subscription IN ({uids})")
        };
        for (uid, day) in self.by_keys(None, &uids, select, |row| Ok((row.text()?, day_of(row)?))).await? {
            days.entry(uid).or_default().insert(day.day, day);
        }
        let member = |subscription: Subscription| Member {
            terms: terms.remove(&subscription.uid).unwrap_or_default(),
            days: days.remove(&subscription.uid).unwrap_or_default(),
            subscription,
        };
        Ok(subscriptions.into_iter().map(member).collect())
    }

    /// The rows that `select` finds by keys: a statement for each hundred of them.
    async fn by_keys<T>(
        &self,
        tenant: Option<&str>,
        keys: &[&str],
        select: impl Fn(&str) -> String,
        read: impl Fn(&mut Row) -> Result<T, Damage>,
    ) -> Result<Vec<T>, Error> {
        let first = 1 + usize::from(tenant.is_some());
        let places: Vec<_> = (first..first + KEYS).map(|number| format!("?{number}")).collect();
        let sql = select(&places.join(","));
        let mut found = Vec::new();
        for keys in keys.chunks(KEYS) {
            // The last key fills the places that are left, so that there is one statement for any number of keys.
            let keys = keys.iter().chain(std::iter::repeat(keys.last().unwrap_or(&""))).take(KEYS);
            let values = tenant.iter().chain(keys).map(|value| Value::from(*value)).collect();
            found.extend(self.rows(sql.clone(), values, &read).await?);
        }
        Ok(found)
    }

    /// Reads the rows of a statement. All reads of the store are here, so that a test counts them.
    async fn rows<T>(
        &self,
        sql: impl Into<Cow<'static, str>>,
        values: Vec<Value>,
        read: impl Fn(&mut Row) -> Result<T, Damage>,
    ) -> Result<Vec<T>, perennial_journal::Error> {
        #[cfg(test)]
        self.statements.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.journal.rows(sql, values, read).await
    }

    /// The due days of a list, with the ids of their subscriptions.
    pub(crate) async fn due_days(&self, filter: &DueDayFilter) -> Result<Vec<(String, DueDay)>, Error> {
        let DueDayFilter { id, states, limit } = filter;
        let one_of = |states: &[DayState]| {
            let words: Vec<_> = states.iter().map(|state| format!("'{state}'")).collect();
            format!("d.state IN ({})", words.join(","))
        };
        let mut conditions = vec!["s.uid = d.subscription AND s.tenant = ?1".to_owned()];
        let mut values = vec![Value::from(self.tenant.as_str())];
        if let Some(id) = id {
            conditions.push("s.id = ?2".to_owned());
            values.push(id.as_str().into());
        }
        let are_cases = !states.is_empty() && states.iter().all(|state| DayState::CASES.contains(state));
        if are_cases {
            // The condition of the index, word by word, so that it is used.
            conditions.push(one_of(&DayState::CASES));
        }
        if !states.is_empty() {
            conditions.push(one_of(states));
        }
        // SQLite reads the tables of a cross join in this order.
        let tables = if are_cases && id.is_none() {
            "perennial_due_day d CROSS JOIN perennial_subscription s"
        } else {
            "perennial_subscription s CROSS JOIN perennial_due_day d"
        };
        let sql = format!(
            "SELECT s.id, {} FROM {tables} WHERE {} ORDER BY d.day, s.id LIMIT {limit}",
            of("d", DAY),
            conditions.join(" AND ")
        );
        Ok(self.rows(sql, values, |row| Ok((row.text()?, day_of(row)?))).await?)
    }

    /// The subscription and the number of the term of a plan.
    pub(crate) async fn term_of_plan(&self, plan: &PlanKey) -> Result<Option<(String, i64)>, Error> {
        let sql = "SELECT subscription, number FROM perennial_term WHERE tenant = ?1 AND plan = ?2";
        let values = vec![self.tenant.as_str().into(), plan.as_str().into()];
        let rows = self.rows(sql, values, |row| Ok((row.text()?, row.int()?))).await?;
        Ok(rows.into_iter().next())
    }

    /// The subscriptions and the numbers of the terms of these plans, by plan.
    pub(crate) async fn places_of(&self, plans: &[&str]) -> Result<BTreeMap<String, (String, i64)>, Error> {
        let select = |plans: &str| {
            format!(
                "SELECT plan, subscription, number FROM perennial_term WHERE tenant = ?1 AND plan IN ({plans})"
            )
        };
        let read = |row: &mut Row| Ok((row.text()?, (row.text()?, row.int()?)));
        Ok(self.by_keys(Some(&self.tenant), plans, select, read).await?.into_iter().collect())
    }

    /// The terms of a customer that could have charged on this day.
    pub(crate) async fn terms_of_customer(
        &self,
        customer: &str,
        made: NaiveDate,
    ) -> Result<Vec<TermOfCustomer>, Error> {
        let sql = "SELECT t.subscription, t.number, t.first, t.amount, i.mark FROM perennial_term t
                   JOIN perennial_subscription s ON s.uid = t.subscription
                   LEFT JOIN perennial_intent i ON i.tenant = s.tenant
                     AND i.operation_key = 'subscriptions/' || t.subscription || '/terms/' || t.number || '/create'
                   WHERE s.tenant = ?1 AND s.customer = ?2 AND t.plan IS NOT NULL
                     AND t.first <= ?3 AND t.last >= ?4 AND (t.closed IS NULL OR t.closed >= ?4)";
        let (latest, earliest) = (made + Days::new(1), made - LATE);
        let values = vec![self.tenant.as_str().into(), customer.into(), date(latest), date(earliest)];
        let read = |row: &mut Row| {
            Ok(TermOfCustomer {
                subscription: row.text()?,
                number: row.int()?,
                first: date_of(row)?,
                amount: amount_of(row)?,
                mark: row.maybe_text()?,
            })
        };
        Ok(self.rows(sql, values, read).await?)
    }

    /// The charge of this transaction, with the id of its subscription.
    pub(crate) async fn charge(&self, id: &str) -> Result<Option<(String, Charge)>, Error> {
        let sql = format!(
            "SELECT s.id, {} FROM perennial_charge c JOIN perennial_subscription s ON s.uid = c.subscription
             WHERE c.tenant = ?1 AND c.id = ?2",
            of("c", CHARGE)
        );
        let values = vec![self.tenant.as_str().into(), id.into()];
        let rows = self.rows(sql, values, |row| Ok((row.text()?, charge_of(row)?))).await?;
        Ok(rows.into_iter().next())
    }

    /// Whether the charge is stored.
    pub(crate) async fn knows_charge(&self, id: &str) -> Result<bool, Error> {
        Ok(self.charge(id).await?.is_some())
    }

    /// The transactions among these that are stored as charges.
    pub(crate) async fn known_charges(&self, ids: &[&str]) -> Result<BTreeSet<String>, Error> {
        let select =
            |ids: &str| format!("SELECT id FROM perennial_charge WHERE tenant = ?1 AND id IN ({ids})");
        Ok(self.by_keys(Some(&self.tenant), ids, select, word).await?.into_iter().collect())
    }

    /// The charges of a subscription, by day.
    pub(crate) async fn charges(&self, uid: &str) -> Result<Vec<Charge>, Error> {
        let sql = format!("SELECT {CHARGE} FROM perennial_charge WHERE subscription = ?1 ORDER BY day, id");
        Ok(self.rows(sql, vec![uid.into()], charge_of).await?)
    }

    /// The due days from a day until before another, with the ids of their subscriptions and the amounts that paid them.
    pub(crate) async fn days_due(&self, window: &Range<NaiveDate>) -> Result<Vec<Due>, Error> {
        let sql = format!(
            "SELECT s.id, c.amount, {} FROM perennial_due_day d CROSS JOIN perennial_subscription s
             LEFT JOIN perennial_charge c ON c.subscription = d.subscription AND c.day = d.day AND c.claim IN ('pays','part')
             WHERE s.uid = d.subscription AND s.tenant = ?1 AND d.day >= ?2 AND d.day < ?3 ORDER BY d.day, s.id",
            of("d", DAY)
        );
        let values = vec![self.tenant.as_str().into(), date(window.start), date(window.end)];
        let read = |row: &mut Row| {
            let (id, paid) = (row.text()?, row.maybe_int()?);
            let paid = paid.map(u64::try_from).transpose().map_err(damaged)?;
            let paid = paid.map(Amount::from_cents).transpose().map_err(damaged)?;
            Ok(Due { id, paid, day: day_of(row)? })
        };
        Ok(self.rows(sql, values, read).await?)
    }

    /// The outcomes of these writes, by operation key, as far as they are stored.
    pub(crate) async fn outcomes(
        &self,
        writes: &BTreeMap<String, Write>,
    ) -> Result<BTreeMap<String, Outcome>, Error> {
        let keys: Vec<_> = writes.keys().map(String::as_str).collect();
        let select = |keys: &str| {
            format!(
                "SELECT operation_key, state, outcome, history FROM perennial_intent
                 WHERE tenant = ?1 AND operation_key IN ({keys})"
            )
        };
        let read =
            |row: &mut Row| Ok((row.text()?, word(row)?, row.maybe_text()?.unwrap_or_default(), row.text()?));
        let rows = self.by_keys(Some(&self.tenant), &keys, select, read).await?;
        let outcome = |(key, state, outcome, history): (String, String, String, String)| {
            let outcome = outcome_of(writes.get(&key)?, &state, &outcome, &history);
            Some((key, outcome))
        };
        Ok(rows.into_iter().filter_map(outcome).collect())
    }

    /// Stores a new subscription.
    pub(crate) async fn add(&self, member: &Member, change: Change, now: Moment) -> Result<bool, Error> {
        let subscription = &member.subscription;
        let mut values = vec![Value::from(self.tenant.as_str())];
        values.extend(values_of(subscription));
        let places: Vec<_> = (1..=values.len()).map(|number| format!("?{number}")).collect();
        let sql = format!(
            "INSERT INTO perennial_subscription (tenant, {SUBSCRIPTION}) VALUES ({}) ON CONFLICT DO NOTHING RETURNING uid",
            places.join(", ")
        );
        let mut statements = vec![Statement::new(sql, values).must()];
        self.rows_of(None, member, &change, &mut statements);
        self.commit(statements, subscription, change, now).await
    }

    /// Stores a change. `false`, and nothing is changed, if another process changed the subscription meanwhile.
    pub(crate) async fn save(
        &self,
        before: &Member,
        after: &Member,
        change: Change,
        now: Moment,
    ) -> Result<bool, Error> {
        let subscription = &after.subscription;
        let sql =
            "UPDATE perennial_subscription SET token = ?3, amount = ?4, day = ?5, status = ?6, canceled_on = ?7,
                     paused_from = ?8, paused_until = ?9, pause_collects = ?10, collects_open = ?11, until = ?12, guard = ?13,
                     next = ?14, shadow = ?15, change_from = ?16, change_amount = ?17, change_token = ?18, change_day = ?19,
                     version = version + 1
                   WHERE uid = ?1 AND version = ?2 RETURNING uid";
        let pause = subscription.pause;
        let values = vec![
            subscription.uid.as_str().into(),
            before.subscription.version.into(),
            subscription.token.as_str().into(),
            cents(subscription.amount),
            i64::from(subscription.day.get()).into(),
            subscription.status.as_str().into(),
            subscription.canceled_on.map(text).into(),
            pause.map(|pause| text(pause.from)).into(),
            pause.map(|pause| text(pause.until)).into(),
            i64::from(pause.is_some_and(|pause| pause.collects)).into(),
            i64::from(subscription.collects_open).into(),
            subscription.until.map(text).into(),
            subscription.guard.into(),
            subscription.next.into(),
            i64::from(subscription.is_shadow).into(),
        ];
        let values = values.into_iter().chain(values_of_change(subscription.change.as_ref())).collect();
        let mut statements = vec![Statement::new(sql, values).must()];
        self.rows_of(Some(before), after, &change, &mut statements);
        self.commit(statements, subscription, change, now).await
    }

    /// The statements that store terms, due days and tries.
    fn rows_of(
        &self,
        before: Option<&Member>,
        after: &Member,
        change: &Change,
        statements: &mut Vec<Statement>,
    ) {
        let uid = after.subscription.uid.as_str();
        let old_terms = before.map(|member| member.terms.as_slice()).unwrap_or_default();
        for term in after.terms.iter().filter(|term| !old_terms.contains(term)) {
            statements.push(self.put_term(uid, term));
        }
        let empty = BTreeMap::new();
        let old_days = before.map_or(&empty, |member| &member.days);
        for day in old_days.keys().filter(|day| !after.days.contains_key(day)) {
            let sql =
                "DELETE FROM perennial_due_day WHERE subscription = ?1 AND day = ?2 AND state = 'expected'
                       RETURNING day";
            statements.push(Statement::new(sql, vec![uid.into(), date(*day)]).must());
        }
        for (key, day) in after.days.iter().filter(|(key, day)| old_days.get(*key) != Some(*day)) {
            let was_open = old_days.get(key).filter(|old| old.was.is_some());
            if let Some(old) = was_open.filter(|old| day.was.is_none() || day.tries != old.tries) {
                let sql = "UPDATE perennial_try SET is_open = 0 WHERE subscription = ?1 AND day = ?2 AND number = ?3";
                statements.push(Statement::new(sql, vec![uid.into(), date(*key), old.tries.into()]));
            }
            statements.push(put_day(uid, day));
        }
        for (write, intent) in &change.intents {
            if let Write::Sale(day, number) = write {
                let sql = "INSERT INTO perennial_try (subscription, day, number, route, tenant, operation_key, is_open)
                           VALUES (?1, ?2, ?3, 'sale', ?4, ?5, 1)";
                let values = vec![
                    uid.into(),
                    date(*day),
                    (*number).into(),
                    self.tenant.as_str().into(),
                    intent.key.as_str().into(),
                ];
                statements.push(Statement::new(sql, values));
                let due = after.days.get(day).filter(|due| due.was != Some(DayState::Expected));
                statements.extend(due.and_then(|due| Some(self.count_try(due.sold?, due.rest()))));
            }
        }
        for charge in &change.charges {
            let sql = "INSERT INTO perennial_charge (tenant, id, subscription, day, made, amount, claim, undone)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                       ON CONFLICT (tenant, id) DO UPDATE SET subscription = excluded.subscription, day = excluded.day,
                         claim = excluded.claim
                       WHERE perennial_charge.claim = 'surplus' RETURNING id";
            let values = vec![
                self.tenant.as_str().into(),
                charge.id.as_str().into(),
                uid.into(),
                date(charge.day),
                date(charge.made),
                cents(charge.amount),
                charge.claim.as_str().into(),
                charge.of.as_ref().map(TransactionId::as_str).into(),
            ];
            statements.push(Statement::new(sql, values).must());
        }
    }

    async fn commit(
        &self,
        statements: Vec<Statement>,
        subscription: &Subscription,
        change: Change,
        now: Moment,
    ) -> Result<bool, Error> {
        let Change { intents, events, decision, card, raises_guard, key, .. } = change;
        let mut all = Vec::new();
        if raises_guard {
            all.push(Statement::raise_guard(&self.tenant, &guard(&subscription.uid)));
        }
        // The row of a try names its intent, and the row of the subscription comes before both.
        let mut statements = statements.into_iter();
        all.extend(statements.next());
        for (_, intent) in &intents {
            all.extend(Statement::intend(intent).map_err(perennial_journal::Error::from)?);
        }
        all.extend(statements);
        all.extend(card.map(|card| cards::put_card(subscription, &card)));
        all.extend(events.iter().map(|event| Statement::event(&self.tenant, &subscription.id, event, now)));
        all.extend(decision.map(|decision| Statement::decision(&subscription.uid, &decision, now)));
        all.extend(key.map(|(key, digest)| self.put_key(&key, &digest)));
        Ok(matches!(self.journal.transact(all).await?, Transacted::Rows(_)))
    }

    fn put_term(&self, uid: &str, term: &Term) -> Statement {
        let sql = "INSERT INTO perennial_term (subscription, number, tenant, plan, token, amount, first, last, status, since, asked, closed, adopted)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
                   ON CONFLICT (subscription, number) DO UPDATE SET plan = excluded.plan, status = excluded.status,
                     since = excluded.since, asked = excluded.asked, closed = excluded.closed
                   WHERE perennial_term.status <> 'closed' RETURNING number";
        let values = vec![
            uid.into(),
            term.number.into(),
            self.tenant.as_str().into(),
            term.plan.as_ref().map(PlanKey::as_str).into(),
            term.token.as_str().into(),
            cents(term.amount),
            date(term.first),
            date(term.last),
            term.status.as_str().into(),
            term.since.map(text).into(),
            term.asked.map(text).into(),
            term.closed.map(text).into(),
            term.adopted.map(text).into(),
        ];
        Statement::new(sql, values).must()
    }
}

/// The name of the guard of a subscription.
pub(crate) fn guard(uid: &str) -> String {
    format!("subscriptions/{uid}")
}

/// A day goes to the route `sale` only when no term that could charge it is open, and never back.
fn put_day(uid: &str, day: &DueDay) -> Statement {
    let sql = "INSERT INTO perennial_due_day (subscription, day, amount, state, paid, route, term, tries, was, sold, next_try, code, reason)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
               ON CONFLICT (subscription, day) DO UPDATE SET amount = excluded.amount, state = excluded.state,
                 paid = excluded.paid, sold = excluded.sold, route = excluded.route, term = excluded.term, tries = excluded.tries, was = excluded.was, next_try = excluded.next_try,
                 code = excluded.code, reason = excluded.reason
               WHERE (excluded.route = 'sale' OR perennial_due_day.route <> 'sale')
                 AND (excluded.route <> 'sale' OR NOT EXISTS (SELECT 1 FROM perennial_term t
                   WHERE t.subscription = excluded.subscription AND t.status <> 'closed'
                     AND t.first <= excluded.day AND t.last >= excluded.day))
               RETURNING day";
    let values = vec![
        uid.into(),
        date(day.day),
        cents(day.amount),
        day.state.as_str().into(),
        cents(day.paid),
        day.route.as_str().into(),
        day.term.filter(|_| day.route == Route::Plan).into(),
        day.tries.into(),
        day.was.map(DayState::as_str).into(),
        day.sold.map(text).into(),
        day.next_try.map(text).into(),
        day.code.clone().into(),
        day.reason.clone().into(),
    ];
    Statement::new(sql, values).must()
}

fn values_of(subscription: &Subscription) -> Vec<Value> {
    let pause = subscription.pause;
    let mut values = vec![
        subscription.uid.as_str().into(),
        subscription.id.as_str().into(),
        subscription.generation.into(),
        subscription.customer.as_str().into(),
        subscription.token.as_str().into(),
        subscription.name.as_str().into(),
        cents(subscription.amount),
        i64::from(subscription.day.get()).into(),
        subscription.status.as_str().into(),
        date(subscription.from),
        subscription.until.map(text).into(),
        subscription.charges.map(i64::from).into(),
        subscription.canceled_on.map(text).into(),
        pause.map(|pause| text(pause.from)).into(),
        pause.map(|pause| text(pause.until)).into(),
        i64::from(pause.is_some_and(|pause| pause.collects)).into(),
    ];
    values.extend(values_of_change(subscription.change.as_ref()));
    values.extend([
        i64::from(subscription.collects_open).into(),
        subscription.guard.into(),
        subscription.version.into(),
        subscription.next.into(),
        i64::from(subscription.is_shadow).into(),
    ]);
    values
}

fn values_of_change(change: Option<&SubscriptionChange>) -> [Value; 4] {
    let SubscriptionChange { from, amount, token, day } = change.cloned().unwrap_or_default();
    [
        from.map(text).into(),
        amount.map_or(Value::Null, cents),
        token.map(|token| token.to_string()).into(),
        day.map(|day| i64::from(day.get())).into(),
    ]
}

fn subscription_of(row: &mut Row) -> Result<Subscription, Damage> {
    Ok(Subscription {
        uid: row.text()?,
        id: row.text()?,
        generation: row.int()?,
        customer: word(row)?.as_str().try_into().map_err(damaged)?,
        token: word(row)?.as_str().try_into().map_err(damaged)?,
        name: row.text()?,
        amount: amount_of(row)?,
        day: frequency_day(row.int()?)?,
        status: word(row)?.parse().map_err(damaged)?,
        from: date_of(row)?,
        until: maybe_date_of(row)?,
        charges: row.maybe_int()?.map(u32::try_from).transpose().map_err(damaged)?,
        canceled_on: maybe_date_of(row)?,
        pause: pause_of(row)?,
        change: change_of(row)?,
        collects_open: row.int()? != 0,
        guard: row.int()?,
        version: row.int()?,
        next: row.maybe_moment()?,
        is_shadow: row.int()? != 0,
    })
}

fn pause_of(row: &mut Row) -> Result<Option<Pause>, Damage> {
    let (from, until, collects) = (maybe_date_of(row)?, maybe_date_of(row)?, row.int()? != 0);
    Ok(from.zip(until).map(|(from, until)| Pause { from, until, collects }))
}

fn change_of(row: &mut Row) -> Result<Option<SubscriptionChange>, Damage> {
    let change = SubscriptionChange {
        from: maybe_date_of(row)?,
        amount: row.maybe_int()?.map(amount_of_cents).transpose()?,
        token: row.maybe_text()?.map(|token| token.as_str().try_into()).transpose().map_err(damaged)?,
        day: row.maybe_int()?.map(frequency_day).transpose()?,
    };
    Ok(change.from.is_some().then_some(change))
}

fn frequency_day(day: i64) -> Result<FrequencyDay, Damage> {
    u32::try_from(day).map_err(damaged).and_then(|day| FrequencyDay::new(day).map_err(damaged))
}

fn term_of(row: &mut Row) -> Result<Term, Damage> {
    Ok(Term {
        number: row.int()?,
        plan: row.maybe_text()?.map(|plan| plan.as_str().try_into()).transpose().map_err(damaged)?,
        token: word(row)?.as_str().try_into().map_err(damaged)?,
        amount: amount_of(row)?,
        first: date_of(row)?,
        last: date_of(row)?,
        status: word(row)?.parse().map_err(damaged)?,
        since: maybe_date_of(row)?,
        asked: maybe_date_of(row)?,
        closed: maybe_date_of(row)?,
        adopted: maybe_date_of(row)?,
    })
}

fn day_of(row: &mut Row) -> Result<DueDay, Damage> {
    Ok(DueDay {
        day: date_of(row)?,
        amount: amount_of(row)?,
        state: word(row)?.parse().map_err(damaged)?,
        paid: paid_of(row)?,
        route: word(row)?.parse().map_err(damaged)?,
        term: row.maybe_int()?,
        tries: row.int()?,
        was: row.maybe_text()?.map(|was| was.parse()).transpose().map_err(damaged)?,
        sold: maybe_date_of(row)?,
        next_try: maybe_date_of(row)?,
        code: row.maybe_text()?,
        reason: row.maybe_text()?,
    })
}

fn charge_of(row: &mut Row) -> Result<Charge, Damage> {
    Ok(Charge {
        id: word(row)?.as_str().try_into().map_err(damaged)?,
        day: date_of(row)?,
        made: date_of(row)?,
        amount: amount_of(row)?,
        claim: word(row)?.parse().map_err(damaged)?,
        of: row.maybe_text()?.map(|of| of.as_str().try_into()).transpose().map_err(damaged)?,
    })
}

/// The columns of the table with this short name.
fn of(table: &str, columns: &str) -> String {
    columns.split(", ").map(|column| format!("{table}.{column}")).collect::<Vec<_>>().join(", ")
}

/// The outcome of a stored intent.
fn outcome_of(write: &Write, state: &str, outcome: &str, history: &str) -> Outcome {
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap_or_default();
    let outcome = json(outcome);
    let id = outcome["id"].as_str();
    let value = &outcome["value"];
    let created = value["created"].as_str().map(Timestamp::reported);
    let made = created.and_then(|created| created.date()).map(Date::naive);
    let reason = || json(history)["reason"].as_str().unwrap_or("no reason is known").to_owned();
    match (state, write) {
        ("done", Write::Sale(..)) => match id.and_then(|id| id.try_into().ok()) {
            Some(id) => {
                let amount = value["amount"].as_str().and_then(|amount| amount.try_into().ok());
                Outcome::Approved(id, amount, made)
            }
            None => Outcome::NeedsPerson("the sale is done, and its transaction is not known".to_owned()),
        },
        ("done", _) => Outcome::Done(id.and_then(|id| id.try_into().ok())),
        ("declined", _) => {
            let code = value["result_code"].as_str().map(str::to_owned);
            Outcome::Declined(id.and_then(|id| id.try_into().ok()), code, made)
        }
        ("refused", _) => Outcome::Refused(reason()),
        ("withdrawn", _) => Outcome::Withdrawn,
        ("needs-person" | "needs-card", _) => Outcome::NeedsPerson(reason()),
        _ => Outcome::Open,
    }
}

fn text(day: NaiveDate) -> String {
    day.to_string()
}

fn date(day: NaiveDate) -> Value {
    text(day).into()
}

fn cents(amount: Amount) -> Value {
    i64::try_from(amount.cents()).unwrap_or(i64::MAX).into()
}

fn damaged(error: impl std::fmt::Display) -> Damage {
    error.to_string()
}

fn word(row: &mut Row) -> Result<String, Damage> {
    row.text()
}

fn date_of(row: &mut Row) -> Result<NaiveDate, Damage> {
    row.text()?.parse().map_err(|_| "a day cannot be read".to_owned())
}

fn maybe_date_of(row: &mut Row) -> Result<Option<NaiveDate>, Damage> {
    row.maybe_text()?.map(|day| day.parse().map_err(|_| "a day cannot be read".to_owned())).transpose()
}

fn paid_of(row: &mut Row) -> Result<Amount, Damage> {
    amount_of_cents(row.int()?)
}

fn amount_of_cents(cents: i64) -> Result<Amount, Damage> {
    match u64::try_from(cents).map_err(damaged)? {
        0 => Ok(Amount::ZERO),
        cents => Amount::from_cents(cents).map_err(damaged),
    }
}

fn amount_of(row: &mut Row) -> Result<Amount, Damage> {
    match paid_of(row)? {
        Amount::ZERO => Err("an amount is nothing".to_owned()),
        amount => Ok(amount),
    }
}
