//! The rows that the books compare with the gateway, a page or a day at a time.

use std::collections::HashMap;

use chrono::NaiveDate;
use perennial::clearent::CustomerKey;
use perennial_journal::store::{Damage, Row, Value};

use super::{CHARGE, Store, TERM, charge_of, date, date_of, of, term_of, word};
use crate::Error;
use crate::model::{Charge, DayState, Status, Term};

/// A stored charge.
pub(crate) struct StoredCharge {
    /// The id of its subscription.
    pub(crate) subscription: String,
    pub(crate) charge: Charge,
    /// The sum that was given back to the due day, in cents.
    pub(crate) undone: i64,
}

/// A term that has a plan.
pub(crate) struct StoredPlan {
    pub(crate) uid: String,
    /// The id of the subscription.
    pub(crate) subscription: String,
    pub(crate) customer: CustomerKey,
    pub(crate) status: Status,
    pub(crate) term: Term,
    /// Whether the subscription has a plan of another term that is not closed.
    pub(crate) has_other: bool,
}

/// A write of the journal, found by its mark.
pub(crate) struct Marked {
    pub(crate) key: String,
    /// Whether it has no outcome yet.
    pub(crate) is_open: bool,
}

/// The sums of the due days of a month that are in one state, in cents.
pub(crate) struct MonthRow {
    pub(crate) month: String,
    pub(crate) word: String,
    pub(crate) amount: i64,
    pub(crate) paid: i64,
}

/// The due days with one result code that are in one state.
pub(crate) struct DeclineRow {
    pub(crate) code: String,
    pub(crate) state: DayState,
    /// The number of sales that were tried.
    pub(crate) tries: i64,
    pub(crate) count: i64,
    pub(crate) amount: i64,
}

/// The rows of one read of a whole table.
const BLOCK: usize = 1_000;

impl Store {
    /// The rows that `select` finds by one of these values.
    async fn one_of<'a, T>(
        &self,
        values: impl IntoIterator<Item = &'a str>,
        select: impl Fn(&str) -> String,
        read: impl Fn(&mut Row) -> Result<T, Damage>,
    ) -> Result<Vec<T>, Error> {
        let mut bound = vec![Value::from(self.tenant.as_str())];
        bound.extend(values.into_iter().map(Value::from));
        if bound.len() == 1 {
            return Ok(Vec::new());
        }
        let places: Vec<_> = (2..=bound.len()).map(|number| format!("?{number}")).collect();
        Ok(self.rows(select(&places.join(",")), bound, read).await?)
    }

    /// The stored charges among these transactions.
    pub(crate) async fn charges_of<'a>(
        &self,
        ids: impl IntoIterator<Item = &'a str>,
    ) -> Result<HashMap<String, StoredCharge>, Error> {
        let select = |places: &str| format!("{} AND c.id IN ({places})", stored_charges());
        let read = |row: &mut Row| {
            let stored = stored_charge_of(row)?;
            Ok((stored.charge.id.to_string(), stored))
        };
        Ok(self.one_of(ids, select, read).await?.into_iter().collect())
    }

    /// The charges that were made on a day.
    pub(crate) async fn charges_made_on(&self, day: NaiveDate) -> Result<Vec<StoredCharge>, Error> {
        let sql = format!("{} AND c.made = ?2", stored_charges());
        let values = vec![self.tenant.as_str().into(), date(day)];
        Ok(self.rows(sql, values, stored_charge_of).await?)
    }

    /// The terms of these plans.
    pub(crate) async fn terms_of_plans<'a>(
        &self,
        plans: impl IntoIterator<Item = &'a str>,
    ) -> Result<HashMap<String, StoredPlan>, Error> {
        let select = |places: &str| format!("{} AND t.plan IN ({places})", stored_plans());
        let found = self.one_of(plans, select, |row| Ok((word(row)?, stored_plan_of(row)?))).await?;
        Ok(found.into_iter().collect())
    }

    /// The terms whose plans exist at the gateway, after this plan.
    pub(crate) async fn live_plans_after(&self, plan: &str) -> Result<Vec<(String, StoredPlan)>, Error> {
        let sql = format!(
            "{} AND t.plan > ?2 AND t.status IN ('suspended','activating','active') ORDER BY t.plan LIMIT {BLOCK}",
            stored_plans()
        );
        let values = vec![self.tenant.as_str().into(), plan.into()];
        Ok(self.rows(sql, values, |row| Ok((word(row)?, stored_plan_of(row)?))).await?)
    }

    /// The live terms of these customers.
    pub(crate) async fn live_terms_of<'a>(
        &self,
        customers: impl IntoIterator<Item = &'a str>,
    ) -> Result<HashMap<String, Vec<(String, Term)>>, Error> {
        let select = |places: &str| {
            format!(
                "SELECT s.customer, s.id, {} FROM perennial_subscription s JOIN perennial_term t ON t.subscription = s.uid
                 WHERE s.tenant = ?1 AND s.customer IN ({places}) AND t.status <> 'closed'",
                of("t", TERM)
            )
        };
        let mut terms: HashMap<String, Vec<(String, Term)>> = HashMap::new();
        let read = |row: &mut Row| Ok((word(row)?, row.text()?, term_of(row)?));
        for (customer, id, term) in self.one_of(customers, select, read).await? {
            terms.entry(customer).or_default().push((id, term));
        }
        Ok(terms)
    }

    /// The writes with these marks.
    pub(crate) async fn marked<'a>(
        &self,
        marks: impl IntoIterator<Item = &'a str> + Clone,
    ) -> Result<HashMap<String, Marked>, Error> {
        let mut found = HashMap::new();
        // Each half has an index of its own.
        for states in ["NOT IN", "IN"] {
            let select = |places: &str| {
                format!(
                    "SELECT mark, operation_key, state FROM perennial_intent
                     WHERE tenant = ?1 AND mark IN ({places}) AND state {states} ('declined','refused','withdrawn')"
                )
            };
            let read = |row: &mut Row| {
                let (mark, key, state) = (row.text()?, row.text()?, row.text()?);
                let is_open = matches!(state.as_str(), "planned" | "sending" | "unknown" | "needs-person");
                Ok((mark, Marked { key, is_open }))
            };
            for (mark, write) in self.one_of(marks.clone(), select, read).await? {
                found.entry(mark).or_insert(write);
            }
        }
        Ok(found)
    }

    /// Whether the journal has a write under this key.
    pub(crate) async fn has_write(&self, key: &str) -> Result<bool, Error> {
        let sql = "SELECT uid FROM perennial_intent WHERE tenant = ?1 AND operation_key = ?2";
        let values = vec![self.tenant.as_str().into(), key.into()];
        Ok(!self.rows(sql, values, word).await?.is_empty())
    }

    /// The id of a subscription.
    pub(crate) async fn id_of(&self, uid: &str) -> Result<Option<String>, Error> {
        let sql = "SELECT id FROM perennial_subscription WHERE tenant = ?1 AND uid = ?2";
        let values = vec![self.tenant.as_str().into(), uid.into()];
        Ok(self.rows(sql, values, word).await?.pop())
    }

    /// The last due day of a term until a day, and its state.
    pub(crate) async fn last_due(
        &self,
        uid: &str,
        until: NaiveDate,
    ) -> Result<Option<(NaiveDate, DayState)>, Error> {
        let sql = "SELECT day, state FROM perennial_due_day WHERE subscription = ?1 AND day <= ?2 ORDER BY day DESC LIMIT 1";
        let read = |row: &mut Row| Ok((date_of(row)?, word(row)?.parse().map_err(super::damaged)?));
        Ok(self.rows(sql, vec![uid.into(), date(until)], read).await?.pop())
    }

    /// Sums of due days by month and state, from a day until before another.
    pub(crate) async fn months(&self, from: NaiveDate, until: NaiveDate) -> Result<Vec<MonthRow>, Error> {
        let due = "SELECT substr(d.day, 1, 7), d.state, CAST(sum(d.amount) AS BIGINT), CAST(sum(CASE WHEN d.state IN ('paid','recovered') THEN 0
                     ELSE d.paid END) AS BIGINT)
                   FROM perennial_due_day d CROSS JOIN perennial_subscription s
                   WHERE d.day >= ?2 AND d.day < ?3 AND s.uid = d.subscription AND s.tenant = ?1
                   GROUP BY substr(d.day, 1, 7), d.state";
        let made = "SELECT substr(made, 1, 7), claim, CAST(sum(amount) AS BIGINT), CAST(0 AS BIGINT) FROM perennial_charge
                    WHERE tenant = ?1 AND made >= ?2 AND made < ?3 AND claim IN ('surplus','undoes')
                    GROUP BY substr(made, 1, 7), claim";
        let mut months = Vec::new();
        for sql in [due, made] {
            let values = vec![self.tenant.as_str().into(), date(from), date(until)];
            let read = |row: &mut Row| {
                Ok(MonthRow { month: row.text()?, word: row.text()?, amount: row.int()?, paid: row.int()? })
            };
            months.extend(self.rows(sql, values, read).await?);
        }
        Ok(months)
    }

    /// The due days of which a charge was declined, by result code, state and number of sales.
    pub(crate) async fn declines(&self, from: NaiveDate, until: NaiveDate) -> Result<Vec<DeclineRow>, Error> {
        let sql = "SELECT coalesce(d.code, ''), d.state, d.tries, count(*), CAST(sum(d.amount) AS BIGINT)
                   FROM perennial_due_day d CROSS JOIN perennial_subscription s
                   WHERE d.day >= ?2 AND d.day < ?3 AND s.uid = d.subscription AND s.tenant = ?1 AND d.code IS NOT NULL
                   GROUP BY coalesce(d.code, ''), d.state, d.tries";
        let values = vec![self.tenant.as_str().into(), date(from), date(until)];
        let read = |row: &mut Row| {
            Ok(DeclineRow {
                code: row.text()?,
                state: word(row)?.parse().map_err(super::damaged)?,
                tries: row.int()?,
                count: row.int()?,
                amount: row.int()?,
            })
        };
        Ok(self.rows(sql, values, read).await?)
    }
}

fn stored_charges() -> String {
    format!(
        "SELECT s.id, (SELECT CAST(coalesce(sum(u.amount), 0) AS BIGINT) FROM perennial_charge u
           WHERE u.subscription = c.subscription AND u.day = c.day AND u.claim = 'undoes'), {}
         FROM perennial_charge c CROSS JOIN perennial_subscription s WHERE s.uid = c.subscription AND c.tenant = ?1",
        of("c", CHARGE)
    )
}

fn stored_charge_of(row: &mut Row) -> Result<StoredCharge, Damage> {
    Ok(StoredCharge { subscription: row.text()?, undone: row.int()?, charge: charge_of(row)? })
}

fn stored_plans() -> String {
    format!(
        "SELECT t.plan, s.uid, s.id, s.customer, s.status, (SELECT count(*) FROM perennial_term o
           WHERE o.subscription = t.subscription AND o.status <> 'closed' AND o.plan IS NOT NULL AND o.number <> t.number), {}
         FROM perennial_term t CROSS JOIN perennial_subscription s WHERE s.uid = t.subscription AND t.tenant = ?1",
        of("t", TERM)
    )
}

fn stored_plan_of(row: &mut Row) -> Result<StoredPlan, Damage> {
    Ok(StoredPlan {
        uid: row.text()?,
        subscription: row.text()?,
        customer: word(row)?.as_str().try_into().map_err(super::damaged)?,
        status: word(row)?.parse().map_err(super::damaged)?,
        has_other: row.int()? > 0,
        term: term_of(row)?,
    })
}
