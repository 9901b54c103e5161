//! The alerts of the gateway: kept once, and open until the worker has looked.

use perennial::clearent::TransactionId;
use perennial_journal::Moment;
use perennial_journal::store::{Row, Statement, Value};

use super::{Store, damaged, word};
use crate::Error;

/// An alert that is stored: the transaction and its type.
pub(crate) type StoredAlert = (TransactionId, String);

impl Store {
    /// Stores an alert; returns whether it is new.
    pub(crate) async fn keep_alert(
        &self,
        id: &TransactionId,
        kind: &str,
        now: Moment,
    ) -> Result<bool, Error> {
        let sql =
            "INSERT INTO perennial_alert (tenant, id, kind, received, is_open) VALUES (?1, ?2, ?3, ?4, 1)
                   ON CONFLICT DO NOTHING RETURNING id";
        let values = vec![self.tenant.as_str().into(), id.as_str().into(), kind.into(), now.into()];
        Ok(!self.rows(sql, values, Row::text).await?.is_empty())
    }

    /// The alerts that nobody has looked at, the oldest first.
    pub(crate) async fn open_alerts(&self, limit: u32) -> Result<Vec<StoredAlert>, Error> {
        let sql = format!(
            "SELECT id, kind FROM perennial_alert WHERE tenant = ?1 AND is_open = 1 ORDER BY received, id LIMIT {limit}"
        );
        let read = |row: &mut Row| Ok((word(row)?.as_str().try_into().map_err(damaged)?, row.text()?));
        Ok(self.rows(sql, vec![self.tenant.as_str().into()], read).await?)
    }

    /// These alerts are not open any more.
    pub(crate) async fn close_alerts(&self, alerts: &[StoredAlert]) -> Result<(), Error> {
        let sql = "UPDATE perennial_alert SET is_open = 0 WHERE tenant = ?1 AND id = ?2 AND kind = ?3";
        let close = |(id, kind): &StoredAlert| {
            let values: Vec<Value> =
                vec![self.tenant.as_str().into(), id.as_str().into(), kind.as_str().into()];
            Statement::new(sql, values)
        };
        self.journal.transact(alerts.iter().map(close).collect()).await?;
        Ok(())
    }
}
