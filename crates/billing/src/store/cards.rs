//! The cards of subscriptions.

use chrono::NaiveDate;
use perennial_journal::store::Row;

use super::{SUBSCRIPTION, Store, date, subscription_of};
use crate::Error;
use crate::model::Subscription;

impl Store {
    /// The number of active subscriptions.
    pub(crate) async fn count_active(&self) -> Result<u64, Error> {
        let sql = "SELECT count(*) FROM perennial_subscription WHERE tenant = ?1 AND status = 'active'";
        let counts = self.journal.rows(sql, vec![self.tenant.as_str().into()], Row::int).await?;
        Ok(counts.into_iter().map(i64::unsigned_abs).sum())
    }

    /// The active subscriptions that charge one of these tokens.
    pub(crate) async fn active_of_tokens(&self, tokens: &[&str]) -> Result<Vec<Subscription>, Error> {
        let select = |tokens: &str| {
            format!(
                "SELECT {SUBSCRIPTION} FROM perennial_subscription
                 WHERE tenant = ?1 AND token IN ({tokens}) AND status = 'active'"
            )
        };
        self.by_keys(Some(&self.tenant), tokens, select, subscription_of).await
    }

    /// Whether the cards are not read on this day or a later one. Then this process reads them, and no other one.
    pub(crate) async fn reads_cards_on(&self, today: NaiveDate) -> Result<bool, Error> {
        let sql = "UPDATE perennial_billing SET cards_read = ?2
                   WHERE tenant = ?1 AND (cards_read IS NULL OR cards_read < ?2) RETURNING tenant";
        let values = vec![self.tenant.as_str().into(), date(today)];
        Ok(!self.journal.rows(sql, values, Row::text).await?.is_empty())
    }
}
