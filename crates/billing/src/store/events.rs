//! The charges that are announced, and events that are reported once.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use perennial::Amount;
use perennial_journal::store::{NewEvent, Row, Statement, Transacted};
use perennial_journal::{Moment, mark_of};
use serde_json::Value as Json;

use super::{Store, amount_of, date, date_of, word};
use crate::Error;

/// An event that is reported once.
pub(crate) struct EventOnce {
    /// The words that make it another one: an array. Their digest is stored.
    pub(crate) key: Json,
    /// The id of the subscription, or the subject.
    pub(crate) about: String,
    pub(crate) event: NewEvent,
}

/// The events that are stored in one transaction.
const BATCH: usize = 100;

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
               AND d.day >= s.starts AND (s.until IS NULL OR d.day <= s.until)
               AND (s.canceled_on IS NULL OR d.day <= s.canceled_on)
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
        Ok(self.rows(sql, values, read).await?)
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

    /// Stores the events that are not reported yet; returns their number. A unique key of the database decides, so that two
    /// processes do not report one twice.
    pub(crate) async fn report_once(&self, events: Vec<EventOnce>, now: Moment) -> Result<u64, Error> {
        let digest = |event: &EventOnce| mark_of(&self.tenant, &event.key.to_string());
        let mut open: BTreeMap<String, EventOnce> =
            events.into_iter().map(|event| (digest(&event), event)).collect();
        let digests: Vec<_> = open.keys().cloned().collect();
        let mut count = 0;
        for digests in digests.chunks(BATCH) {
            let digests: Vec<_> = digests.iter().map(String::as_str).collect();
            loop {
                let select = |digests: &str| {
                    format!(
                        "SELECT digest FROM perennial_reported WHERE tenant = ?1 AND digest IN ({digests})"
                    )
                };
                for known in self.by_keys(Some(&self.tenant), &digests, select, word).await? {
                    open.remove(&known);
                }
                let new: Vec<_> =
                    digests.iter().filter_map(|digest| Some((*digest, open.get(*digest)?))).collect();
                let sql = "INSERT INTO perennial_reported (tenant, digest) VALUES (?1, ?2) ON CONFLICT DO NOTHING RETURNING digest";
                let mut statements = Vec::new();
                for (digest, event) in &new {
                    let values = vec![self.tenant.as_str().into(), (*digest).into()];
                    statements.push(Statement::new(sql, values).must());
                    statements.push(Statement::event(&self.tenant, &event.about, &event.event, now));
                }
                // If another process reported one of them meanwhile, the rest is stored now.
                if new.is_empty() || matches!(self.journal.transact(statements).await?, Transacted::Rows(_)) {
                    count += u64::try_from(new.len()).unwrap_or(0);
                    break;
                }
            }
        }
        Ok(count)
    }
}
