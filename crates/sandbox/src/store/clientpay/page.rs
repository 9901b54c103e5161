//! Pages on which payers pay, or enter their methods.

use perennial_domain::clientpay::PageStatus;
use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use crate::clock::Moment;
use crate::store::row::NamedRow;
use crate::store::session::Session;
use crate::store::world::{Kind, WorldKey};

/// A stored page.
pub(crate) struct StoredPage {
    pub(crate) request_id: String,
    /// Its name in URLs, such as `invoicePaymentPage`.
    pub(crate) kind: String,
    /// The request that made it, as version 2 has it.
    pub(crate) document: String,
    expires: Moment,
    /// The status with which it ended early.
    ended: Option<PageStatus>,
    /// The payer that was created on it.
    pub(crate) payer: Option<String>,
}

impl StoredPage {
    /// The status of the page at this time.
    pub(crate) fn status(&self, now: Moment) -> PageStatus {
        match &self.ended {
            Some(ended) => ended.clone(),
            None if self.expires <= now => PageStatus::EXPIRED,
            None => PageStatus::ACTIVE,
        }
    }
}

impl Session<'_> {
    /// Stores a page for this many seconds.
    pub(crate) fn store_page(
        &self,
        request_id: &str,
        kind: &str,
        document: &str,
        seconds: u32,
    ) -> Result<()> {
        let number = self.next(Kind::Page)?;
        let sql = "INSERT INTO pages (world, number, request_id, kind, document, created, expires)
                   VALUES (?, ?, ?, ?, ?, ?, ?)";
        let expires = self.now.seconds_after(seconds).millis();
        let page = params![self.world, number, request_id, kind, document, self.now.millis(), expires];
        self.connection.prepare_cached(sql)?.execute(page).map(|_| ())
    }

    pub(crate) fn page(&self, request_id: &str) -> Result<Option<StoredPage>> {
        let sql = "SELECT * FROM pages WHERE world = ? AND request_id = ?";
        self.connection.prepare_cached(sql)?.query_row(params![self.world, request_id], page).optional()
    }

    /// The pages of a kind, oldest first.
    pub(crate) fn pages(&self, kind: &str) -> Result<Vec<StoredPage>> {
        let sql = "SELECT * FROM pages WHERE world = ? AND kind = ? ORDER BY number";
        self.connection.prepare_cached(sql)?.query_map(params![self.world, kind], page)?.collect()
    }

    /// The last pages of all kinds, newest first.
    pub(crate) fn last_pages(&self, limit: u32) -> Result<Vec<StoredPage>> {
        let sql = "SELECT * FROM pages WHERE world = ? ORDER BY number DESC LIMIT ?";
        self.connection.prepare_cached(sql)?.query_map(params![self.world, limit], page)?.collect()
    }

    /// Records the payer that was created on a page.
    pub(crate) fn note_payer(&self, request_id: &str, payer: &str) -> Result<()> {
        let sql = "UPDATE pages SET payer = ? WHERE world = ? AND request_id = ?";
        self.connection.prepare_cached(sql)?.execute(params![payer, self.world, request_id]).map(|_| ())
    }

    /// Ends a page: it is used, or must not be used.
    pub(crate) fn end_page(&self, request_id: &str, how: &PageStatus) -> Result<()> {
        let sql = "UPDATE pages SET ended = ? WHERE world = ? AND request_id = ?";
        let ended = params![how.as_str(), self.world, request_id];
        self.connection.prepare_cached(sql)?.execute(ended).map(|_| ())
    }
}

/// The world key and the kind of a page.
pub(crate) fn world_key_of_page(
    connection: &Connection,
    request_id: &str,
) -> Result<Option<(WorldKey, String)>> {
    let sql = "SELECT w.key_hash, p.kind FROM pages p JOIN worlds w ON w.id = p.world
               WHERE p.request_id = ? AND p.world > 0";
    connection
        .prepare_cached(sql)?
        .query_row([request_id], |row| Ok((WorldKey::of(row.get(0)?), row.get(1)?)))
        .optional()
}

fn page(row: &Row<'_>) -> Result<StoredPage> {
    let row = &NamedRow::of(row);
    let ended = row.get::<Option<String>>("ended")?;
    Ok(StoredPage {
        request_id: row.get("request_id")?,
        kind: row.get("kind")?,
        document: row.get("document")?,
        expires: Moment::from_millis(row.get("expires")?),
        ended: ended.map(|ended| PageStatus::reported(&ended)),
        payer: row.get("payer")?,
    })
}
