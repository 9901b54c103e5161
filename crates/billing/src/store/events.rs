//! The charges that are announced.

use chrono::NaiveDate;
use perennial::Amount;
use perennial_journal::Moment;
use perennial_journal::store::{NewEvent, Row, Statement};

use super::{Store, amount_of, date, date_of};
use crate::Error;

/// A charge that is due soon.
pub(crate) struct Upcoming {
    uid: String,
    pub(crate) id: String,
    pub(crate) generation: i64,
    pub(crate) day: NaiveDate,
    pub(crate) amount: Amount,
}

impl Store {
    /// The wanted charges after a day and until another that are not announced.
    pub(crate) async fn unannounced(
        &self,
        after: NaiveDate,
        until: NaiveDate,
        limit: u32,
    ) -> Result<Vec<Upcoming>, Error> {
        let sql = format!(
            "SELECT s.uid, s.id, s.generation, d.day, d.amount
             FROM perennial_due_day d JOIN perennial_subscription s ON s.uid = d.subscription
             WHERE s.tenant = ?1 AND d.day > ?2 AND d.day <= ?3 AND d.state = 'expected' AND s.status = 'active'
               AND d.day >= s.starts AND (s.ends_on IS NULL OR d.day <= s.ends_on)
               AND (s.paused_from IS NULL OR d.day < s.paused_from OR d.day >= s.paused_until)
               AND NOT EXISTS (SELECT 1 FROM perennial_announced a WHERE a.subscription = d.subscription AND a.day = d.day)
             ORDER BY d.day, s.id LIMIT {limit}"
        );
        let values = vec![self.tenant.as_str().into(), date(after), date(until)];
        let read = |row: &mut Row| {
            Ok(Upcoming {
                uid: row.text()?,
                id: row.text()?,
                generation: row.int()?,
                day: date_of(row)?,
                amount: amount_of(row)?,
            })
        };
        Ok(self.journal.rows(sql, values, read).await?)
    }

    /// Stores that these charges are announced, with an event for each. Nothing is stored if one of them is announced.
    pub(crate) async fn announce(
        &self,
        upcoming: &[Upcoming],
        events: Vec<NewEvent>,
        now: Moment,
    ) -> Result<(), Error> {
        let sql = "INSERT INTO perennial_announced (subscription, day) VALUES (?1, ?2) ON CONFLICT DO NOTHING
                   RETURNING day";
        let announced = upcoming
            .iter()
            .map(|due| Statement::new(sql, vec![due.uid.as_str().into(), date(due.day)]).must());
        let mut statements: Vec<_> = announced.collect();
        let stored = upcoming.iter().zip(&events);
        statements.extend(stored.map(|(due, event)| Statement::event(&self.tenant, &due.id, event, now)));
        self.journal.transact(statements).await?;
        Ok(())
    }
}
