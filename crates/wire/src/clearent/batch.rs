//! Batches: the list, the open one, and its settlement. The members are those of the vendor's pages and clients; the
//! payload types, and pages in the list, are **inferred**.

use perennial_domain::Violations;
use perennial_domain::clearent::{self as domain, BatchSearch, Settlement, SettlementFields};

use super::Operation;
use crate::call::{Call, ReadError};
use crate::codec;
use crate::error::EncodeError;
use crate::fields::{set, shown};
use crate::format::Format;
use crate::limits::Limits;
use crate::member::Listed;
use crate::query::Params;
use crate::text::Text;

message! {
    /// A batch in a response, and the expected figures of a settlement.
    pub(crate) struct Batch<'a> as "batch" of domain::Batch, keyed by |batch| batch.id.as_deref(); {
        id: Option<Text<'a>> = "id",
        status: Option<Text<'a>> = "status",
        merchant_id: Option<Text<'a>> = "merchant-id",
        terminal_id: Option<Text<'a>> = "terminal-id",
        terminal_name: Option<Text<'a>> = "terminal-name",
        date_opened: Option<Text<'a>> = "date-opened",
        settled: Option<Text<'a>> = "settled",
        confirmation_code: Option<Text<'a>> = "confirmation-code",
        sales_count: Option<Text<'a>> = "sales-count",
        sales_total: Option<Text<'a>> = "sales-total",
        refund_count: Option<Text<'a>> = "refund-count",
        refund_total: Option<Text<'a>> = "refund-total",
        total_count: Option<Text<'a>> = "total-count",
        net_amount: Option<Text<'a>> = "net-amount",
    }
}

message! {
    pub(crate) struct Batches<'a> as "batches" {
        batch: Listed<Batch<'a>> = "batch",
    }
}

/// `GET /rest/v2/batches`
pub fn list(search: &BatchSearch) -> Call {
    let BatchSearch { status, paging } = search;
    let target = Operation::ListBatches.query().with("status", status.as_ref()).paged(paging, "isDescending");
    Operation::ListBatches.call_to(target.finish())
}

/// `GET /rest/v2/batches/open`
pub fn open() -> Call {
    Operation::OpenBatch.call()
}

/// `PUT /rest/v2/batches/open`
pub fn settle(format: Format, settlement: &Settlement) -> Result<Call, EncodeError> {
    let SettlementFields { total_count, net_amount } = settlement.fields();
    let message = Batch {
        total_count: shown(total_count.map(|count| count.0)),
        net_amount: shown(net_amount),
        ..Batch::default()
    };
    Operation::SettleBatch.call().with_body(format, &message)
}

/// Reads the query of a list.
#[cfg(feature = "gateway")]
pub fn read_search(query: &str) -> Result<BatchSearch, Violations> {
    let mut params = Params::new(query);
    let search = BatchSearch { status: params.read("status"), paging: params.paging() };
    params.finish(search)
}

/// Reads a settlement; returns all violations.
#[cfg(feature = "gateway")]
pub fn read_settle(format: Format, body: &[u8], limits: &Limits) -> Result<Settlement, ReadError> {
    let Batch { total_count, net_amount, .. } = codec::decode(format, body, limits)?;
    let settlement = set!(Settlement::builder(); total_count: total_count, net_amount: net_amount);
    Ok(settlement.accept()?)
}
