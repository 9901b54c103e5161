//! Operation keys of decisions, plans that were adopted, and subscriptions that charge the same.

use chrono::NaiveDate;
use perennial::clearent::PlanKey;
use perennial_journal::store::{Row, Statement};

use super::{Store, cents, date};
use crate::Error;
use crate::model::Subscription;

impl Store {
    /// The digest of the decision under this operation key, if it was used; empty for a write of the journal.
    pub(crate) async fn decision_of_key(&self, key: &str) -> Result<Option<String>, Error> {
        let sql = "SELECT decision FROM perennial_billing_key WHERE tenant = ?1 AND operation_key = ?2
                   UNION ALL SELECT '' FROM perennial_intent WHERE tenant = ?1 AND operation_key = ?2";
        let values = vec![self.tenant.as_str().into(), key.into()];
        Ok(self.rows(sql, values, Row::text).await?.into_iter().next())
    }

    /// Stores an operation key with its decision, and fails the transaction if it is taken.
    pub(crate) fn put_key(&self, key: &str, decision: &str) -> Statement {
        let sql = "INSERT INTO perennial_billing_key (tenant, operation_key, decision) VALUES (?1, ?2, ?3)
                   ON CONFLICT DO NOTHING RETURNING operation_key";
        Statement::new(sql, vec![self.tenant.as_str().into(), key.into(), decision.into()]).must()
    }

    /// The id of a subscription that charges the same customer, token and amount on the same day as this one.
    pub(crate) async fn equal_to(&self, new: &Subscription) -> Result<Option<String>, Error> {
        let sql = "SELECT id FROM perennial_subscription WHERE tenant = ?1 AND customer = ?2 AND token = ?3
                     AND amount = ?4 AND day = ?5 AND status = 'active'
                     AND (until IS NULL OR until >= ?6) AND (canceled_on IS NULL OR canceled_on >= ?6)
                   ORDER BY id LIMIT 1";
        let values = vec![
            self.tenant.as_str().into(),
            new.customer.as_str().into(),
            new.token.as_str().into(),
            cents(new.amount),
            i64::from(new.day.get()).into(),
            date(new.from),
        ];
        Ok(self.rows(sql, values, Row::text).await?.into_iter().next())
    }

    /// Whether a charge that was made on this day is from before the first due day of an adopted plan.
    pub(crate) async fn is_before_adoption(&self, plan: &PlanKey, made: NaiveDate) -> Result<bool, Error> {
        let sql = "SELECT number FROM perennial_term
                   WHERE tenant = ?1 AND plan = ?2 AND adopted IS NOT NULL AND first > ?3";
        let tomorrow = made.succ_opt().unwrap_or(made);
        let values = vec![self.tenant.as_str().into(), plan.as_str().into(), date(tomorrow)];
        Ok(!self.rows(sql, values, Row::int).await?.is_empty())
    }
}
