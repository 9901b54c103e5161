//! Batches in the database: a batch's figures are computed from its transactions, so that they always agree.

use perennial_domain::clearent::{Batch, BatchId, BatchSearch, BatchStatus};
use perennial_domain::{Timestamp, Total};
use perennial_wire::clearent::Page;
use rusqlite::{OptionalExtension, Result, Row, params};

use super::list::List;
use super::slice::OpenBatch;
use crate::clock::Moment;
use crate::store::session::Session;
use crate::store::world::Kind;

impl Session<'_> {
    /// The number of the open batch, and the time at which it was opened.
    pub(crate) fn open_batch(&self) -> Result<Option<(u64, Moment)>> {
        if let Some(OpenBatch::Is(open)) = self.slice.as_ref().map(|slice| slice.open_batch.get()) {
            return Ok(open);
        }
        let sql = "SELECT number, opened FROM batches WHERE world = ? AND settled IS NULL";
        let read = |row: &Row<'_>| Ok((row.get("number")?, Moment::from_millis(row.get("opened")?)));
        let open = self.connection.prepare_cached(sql)?.query_row([self.world], read).optional()?;
        self.set_open_batch(open);
        Ok(open)
    }

    fn set_open_batch(&self, open: Option<(u64, Moment)>) {
        if let Some(slice) = &self.slice {
            slice.open_batch.set(OpenBatch::Is(open));
        }
    }

    /// The number of the batch for a new transaction: the open one, or a newly opened one.
    pub(crate) fn taking_batch(&self, at: Moment) -> Result<u64> {
        if let Some((number, _)) = self.open_batch()? {
            return Ok(number);
        }
        let number = self.next(Kind::Batch)?;
        let sql = "INSERT INTO batches (world, number, opened) VALUES (?, ?, ?)";
        self.connection.prepare_cached(sql)?.execute(params![self.world, number, at.millis()])?;
        self.set_open_batch(Some((number, at)));
        Ok(number)
    }

    pub(crate) fn settle_batch(&self, number: u64, at: Moment) -> Result<()> {
        let sql = "UPDATE batches SET settled = ? WHERE world = ? AND number = ?";
        self.connection.prepare_cached(sql)?.execute(params![at.millis(), self.world, number])?;
        // Only the open batch is settled.
        self.set_open_batch(None);
        Ok(())
    }

    /// Settles the open batch if its time has come by this moment.
    pub(crate) fn settle_due(&self, by: Moment) -> Result<()> {
        match self.open_batch()? {
            Some((number, opened)) if opened.batch_end() <= by => {
                self.settle_batch(number, opened.batch_end())
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn batch(&self, number: u64) -> Result<Batch> {
        let sql = "SELECT * FROM batches WHERE world = ? AND number = ?";
        let batch = |row: &Row<'_>| self.read_batch(row);
        self.connection.prepare_cached(sql)?.query_row(params![self.world, number], batch)
    }

    pub(crate) fn batches(&self, search: BatchSearch) -> Result<(Vec<Batch>, Page)> {
        const STATUS: &str = "CASE WHEN settled IS NULL THEN 'OPEN' ELSE 'CLOSED' END = ?";
        let BatchSearch { status, paging } = search;
        List::of(Kind::Batch).with(STATUS, status.map(|status| status.to_string())).page(
            self,
            &paging,
            ORDERS,
            |row| self.read_batch(row),
        )
    }

    fn read_batch(&self, row: &Row<'_>) -> Result<Batch> {
        let number: u64 = row.get("number")?;
        let settled = row.get::<_, Option<i64>>("settled")?.map(Moment::from_millis);
        let (sales_count, sales) = self.figures(number, "type NOT LIKE '%REFUND'")?;
        let (refund_count, refunds) = self.figures(number, "type LIKE '%REFUND'")?;
        Ok(Batch {
            id: BatchId::try_from(number.to_string()).ok(),
            status: Some(if settled.is_some() { BatchStatus::CLOSED } else { BatchStatus::OPEN }),
            merchant_id: Some(self.merchant_id()),
            terminal_id: Some(self.terminal_id()),
            terminal_name: Some("Terminal 1".into()),
            date_opened: Some(Timestamp::reported(&Moment::from_millis(row.get("opened")?).iso_millis())),
            settled: settled.map(|moment| Timestamp::reported(&moment.iso_millis())),
            confirmation_code: settled.map(|_| self.seed.digits("settlement", number, 8)),
            sales_count: Some(sales_count),
            sales_total: Some(Total::from_cents(sales)),
            refund_count: Some(refund_count),
            refund_total: Some(Total::from_cents(refunds)),
            total_count: Some(sales_count + refund_count),
            net_amount: Some(Total::from_cents(sales - refunds)),
        })
    }

    /// The number of transactions of this kind in the batch, and their total in cents.
    fn figures(&self, number: u64, kind: &str) -> Result<(u64, i64)> {
        let sql = format!(
            "SELECT count(*), coalesce(sum(amount + coalesce(tip, 0)), 0) FROM transactions
             WHERE world = ? AND batch = ? AND voided = 0 AND {kind}"
        );
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        self.connection.prepare_cached(&sql)?.query_row(params![self.world, number], read)
    }
}

const ORDERS: &[(&str, &str)] = &[("id", "number"), ("date-opened", "opened"), ("settled", "settled")];
