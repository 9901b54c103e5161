//! The webhook of a world, its alerts, and the attempts to deliver them, in the database.

use std::time::Duration;

use perennial_domain::clearent::{TransactionId, TransactionType};
use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use crate::clock::{Clock, Moment};
use crate::delivery::{Delivery, DeliveryOutcome, Endpoint, PostResult, next_attempt};
use crate::store::session::Session;
use crate::store::world::Kind;

/// A delivery to make now.
pub(crate) struct Due {
    alert: u64,
    attempt: u8,
    pub(crate) at: Moment,
    /// The fault that hit it.
    pub(crate) fault: Option<String>,
    pub(crate) url: String,
    /// Whether it is signed: alerts are, postbacks are not.
    pub(crate) is_signed: bool,
    /// The alert without its signature.
    pub(crate) body: String,
}

impl Session<'_> {
    pub(crate) fn webhook(&self) -> Result<Option<String>> {
        let sql = "SELECT url FROM webhooks WHERE world = ?";
        let read =
            || self.connection.prepare_cached(sql)?.query_row([self.world], |row| row.get(0)).optional();
        self.once(|slice| &slice.webhook, read)
    }

    /// Sends alerts, including pending ones, to this URL from now on.
    pub(crate) fn set_webhook(&self, url: &str) -> Result<()> {
        let sql = "INSERT OR REPLACE INTO webhooks (world, url) VALUES (?, ?)";
        self.connection.prepare_cached(sql)?.execute(params![self.world, url]).map(|_| ())
    }

    /// Creates no more alerts, and drops pending ones.
    pub(crate) fn remove_webhook(&self) -> Result<()> {
        self.connection.execute("DELETE FROM webhooks WHERE world = ?", [self.world])?;
        let sql = "UPDATE deliveries SET outcome = ?1 WHERE world = ?2 AND outcome = 'waiting'
                   AND alert IN (SELECT number FROM alerts WHERE world = ?2 AND url IS NULL)";
        let abandoned = DeliveryOutcome::Abandoned.as_str();
        self.connection.execute(sql, params![abandoned, self.world]).map(|_| ())
    }

    /// Writes an alert about a transaction, due at once; or updates the alert, if it exists already.
    pub(crate) fn write_alert(
        &self,
        id: &TransactionId,
        kind: &TransactionType,
        body: &str,
        at: Moment,
    ) -> Result<()> {
        let sql = "UPDATE alerts SET body = ? WHERE world = ? AND transaction_id = ?";
        let again = self.connection.prepare_cached(sql)?.execute(params![body, self.world, id.as_str()])?;
        if again > 0 {
            return Ok(());
        }
        let number = self.next(Kind::Alert)?;
        let sql = "INSERT INTO alerts (world, number, transaction_id, event, body) VALUES (?, ?, ?, ?, ?)";
        let alert = params![self.world, number, id.as_str(), event(kind), body];
        self.connection.prepare_cached(sql)?.execute(alert)?;
        self.schedule_delivery(number, 1, at)
    }

    /// Writes a postback about a payment or a payer, due at once, to its own address. If the address
    /// is on another machine, it is dropped at once, because the sandbox connects to no other machine.
    pub(crate) fn write_postback(&self, about: &str, event: &str, body: &str, url: &str) -> Result<()> {
        let number = self.next(Kind::Alert)?;
        let sql =
            "INSERT INTO alerts (world, number, transaction_id, event, body, url) VALUES (?, ?, ?, ?, ?, ?)";
        let postback = params![self.world, number, about, event, body, url];
        self.connection.prepare_cached(sql)?.execute(postback)?;
        self.schedule_delivery(number, 1, self.now)?;
        if url.parse::<Endpoint>().is_err() {
            let sql = "UPDATE deliveries SET outcome = ? WHERE world = ? AND alert = ?";
            let abandoned = params![DeliveryOutcome::Abandoned.as_str(), self.world, number];
            self.connection.prepare_cached(sql)?.execute(abandoned)?;
        }
        Ok(())
    }

    fn schedule_delivery(&self, alert: u64, attempt: u8, due: Moment) -> Result<()> {
        let sql = "INSERT INTO deliveries (world, alert, attempt, due, outcome, held)
                   VALUES (?, ?, ?, ?, 'waiting', 0)";
        let delivery = params![self.world, alert, attempt, due.millis()];
        self.connection.prepare_cached(sql)?.execute(delivery).map(|_| ())
    }

    /// The first due delivery, if the world has a webhook.
    pub(crate) fn due_delivery(&self) -> Result<Option<Due>> {
        let sql = "SELECT d.alert, d.attempt, d.due, d.fault, coalesce(a.url, w.url) AS url, a.url IS NULL AS is_signed,
                   a.body FROM deliveries d
                   JOIN alerts a ON a.world = d.world AND a.number = d.alert
                   LEFT JOIN webhooks w ON w.world = d.world
                   WHERE coalesce(a.url, w.url) IS NOT NULL AND d.world = ? AND d.outcome = 'waiting' AND d.due <= ?
                   ORDER BY d.due, d.alert LIMIT 1";
        let first = params![self.world, self.now.millis()];
        let due = |row: &Row<'_>| {
            Ok(Due {
                alert: row.get("alert")?,
                attempt: row.get("attempt")?,
                at: Moment::from_millis(row.get("due")?),
                fault: row.get("fault")?,
                url: row.get("url")?,
                is_signed: row.get("is_signed")?,
                body: row.get("body")?,
            })
        };
        self.connection.prepare_cached(sql)?.query_row(first, due).optional()
    }

    /// Records the fault that hits a delivery, whether it is held for another one, and its new due time.
    pub(crate) fn put_off(&self, due: &Due, fault: &str, held: bool, until: Moment) -> Result<()> {
        let sql = "UPDATE deliveries SET fault = ?, held = ?, due = ? WHERE world = ? AND alert = ? AND attempt = ?";
        let met = params![fault, held, until.millis(), self.world, due.alert, due.attempt];
        self.connection.prepare_cached(sql)?.execute(met).map(|_| ())
    }

    /// Whether a delivery is held for another one. While one is, no other is held: it is the one that the first waits for.
    pub(crate) fn holds_a_delivery(&self) -> Result<bool> {
        let sql =
            "SELECT EXISTS (SELECT 1 FROM deliveries WHERE world = ? AND outcome = 'waiting' AND held = 1)";
        self.connection.prepare_cached(sql)?.query_row([self.world], |row| row.get(0))
    }

    /// Writes the result of a delivery, and the time of the next attempt if it failed. It has no effect if the world
    /// has been replaced in the meantime.
    pub(crate) fn record_delivery(&self, due: &Due, result: PostResult) -> Result<()> {
        let Due { alert, attempt, at, fault: _, url: _, is_signed: _, body } = due;
        let sql = "UPDATE deliveries SET outcome = ?, status = ?
                   WHERE world = ? AND alert = ? AND attempt = ? AND outcome = 'waiting'
                   AND EXISTS (SELECT 1 FROM alerts WHERE world = ?3 AND number = ?4 AND body = ?6)";
        let PostResult { outcome, status } = result;
        let written = params![outcome.as_str(), status, self.world, alert, attempt, body];
        let known = self.connection.prepare_cached(sql)?.execute(written)?;
        let sql = "UPDATE deliveries SET due = ?, held = 0
                   WHERE world = ? AND outcome = 'waiting' AND held = 1 AND alert < ? AND due > ?1";
        self.connection.prepare_cached(sql)?.execute(params![at.millis(), self.world, alert])?;
        match next_attempt(*at, *attempt) {
            Some(next) if known > 0 && outcome != DeliveryOutcome::Delivered => {
                self.schedule_delivery(*alert, attempt + 1, next)
            }
            _ => Ok(()),
        }
    }

    /// The due time of the next delivery, if one is pending.
    pub(crate) fn next_delivery(&self) -> Result<Option<Moment>> {
        next_delivery(self.connection, self.world)
    }

    /// The time until a delivery or a payment is due, by a running clock, if the world has a webhook.
    pub(crate) fn until_next_alert(&self) -> Result<Option<Duration>> {
        if matches!(self.clock, Clock::Frozen(_)) {
            return Ok(None);
        }
        let runs = match self.webhook()? {
            Some(_) => [Some(self.now.next_run(self.gateway.charge_hour)), self.next_waiting_charge()?],
            None => [None, None],
        };
        let Some(next) = runs.into_iter().chain([self.next_delivery()?]).flatten().min() else {
            return Ok(None);
        };
        Ok(Some(Duration::from_millis((next.millis() - self.now.millis()).max(0).unsigned_abs())))
    }

    /// The last attempts, newest first.
    pub(crate) fn deliveries(&self, limit: usize) -> Result<Vec<Delivery>> {
        let sql = "SELECT a.transaction_id, a.event, d.attempt, d.due, d.status, d.outcome, d.fault FROM deliveries d
                   JOIN alerts a ON a.world = d.world AND a.number = d.alert
                   WHERE d.world = ? ORDER BY d.due DESC, d.alert DESC LIMIT ?";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut statement = self.connection.prepare_cached(sql)?;
        statement.query_map(params![self.world, limit], delivery)?.collect()
    }
}

/// The due time of the next delivery of a world, if one is pending.
pub(crate) fn next_delivery(connection: &Connection, world: i64) -> Result<Option<Moment>> {
    let sql = "SELECT min(due) FROM deliveries WHERE world = ? AND outcome = 'waiting'";
    let next = connection.prepare_cached(sql)?.query_row([world], |row| row.get(0))?;
    Ok(Option::map(next, Moment::from_millis))
}

fn delivery(row: &Row<'_>) -> Result<Delivery> {
    let (transaction_id, attempt): (String, u8) = (row.get("transaction_id")?, row.get("attempt")?);
    let outcome = DeliveryOutcome::of(&row.get::<_, String>("outcome")?);
    Ok(Delivery {
        id: format!("{transaction_id}-{attempt}"),
        transaction_id,
        event: row.get("event")?,
        attempt,
        due: Moment::from_millis(row.get("due")?),
        status: row.get("status")?,
        fault: row.get("fault")?,
        outcome: outcome.ok_or(rusqlite::Error::InvalidQuery)?,
    })
}

/// The vendor's names of alert events.
fn event(kind: &TransactionType) -> String {
    match kind.as_str() {
        "AUTH" => "authorization".into(),
        other => other.to_ascii_lowercase(),
    }
}
