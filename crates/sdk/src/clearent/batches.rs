//! Batches of card transactions.

use perennial_domain::clearent::{Batch, BatchId, BatchSearch, BatchStatus, Settlement, SettlementFields};
use perennial_wire::clearent::{Operation, Payload, batch as wire};

use super::answer::{Mismatch, not_another};
use super::{Clearent, Lookup};
use crate::{Error, List, Response};

/// The batches of a terminal: transactions that are settled together, either on request or at the terminal's time.
///
/// ```
/// # #[cfg(feature = "reqwest")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use perennial::clearent::{ApiKey, BatchStatus, Charge, Settlement};
/// use perennial::{BaseUrl, Clearent};
///
/// let sandbox = perennial_sandbox::Sandbox::start().await?;
/// let client = Clearent::builder(ApiKey::new(sandbox.api_key().expose())?)
///     .environment(sandbox.base_url().parse::<BaseUrl>()?)
///     .build()?;
/// assert!(client.batches().open().await?.is_none());
///
/// let charge = Charge::builder().amount("25.00").card("4111111111111111").exp_date("1230").build()?;
/// client.transactions().sale(&charge).await?;
/// let open = client.batches().open().await?.into_value().expect("a sale opens one");
/// let settled = client.batches().settle(&Settlement::of(&open)).await?;
/// assert_eq!(settled.status, Some(BatchStatus::CLOSED));
/// assert_eq!(settled.net_amount, "25.00".parse().ok());
/// # Ok(()) }
/// # #[cfg(not(feature = "reqwest"))]
/// # fn main() {}
/// ```
#[derive(Debug, Clone, Copy)]
#[must_use = "it does nothing by itself"]
pub struct Batches<'a>(pub(super) &'a Clearent);

impl Batches<'_> {
    /// Lists the batches that match.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let charge = Charge::builder().amount("25.00").card(&token).exp_date("1230").build()?;
    /// client.transactions().sale(&charge).await?;
    /// let search = BatchSearch { status: Some(BatchStatus::OPEN), ..BatchSearch::default() };
    /// assert_eq!(client.batches().list(&search).collect_all().await?.len(), 1);
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub fn list(self, search: &BatchSearch) -> List<Batch> {
        self.0.list(
            Operation::ListBatches,
            search,
            |search| &mut search.paging,
            wire::list,
            all,
            |batch| batch.id.as_ref().map(BatchId::as_str),
            fits,
        )
    }

    /// Returns the open batch; `None` if no money has moved since the last batch was settled.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// assert!(client.batches().open().await?.is_none());
    /// let charge = Charge::builder().amount("25.00").card(&token).exp_date("1230").build()?;
    /// client.transactions().sale(&charge).await?;
    /// let open = client.batches().open().await?.into_value().ok_or("a sale opens a batch")?;
    /// assert_eq!(open.net_amount, "25.00".parse().ok());
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub async fn open(self) -> Result<Response<Option<Batch>>, Error> {
        self.0.maybe(wire::open(), one, says_something).await
    }

    /// Closes the open batch and settles its transactions, if it matches the figures of the settlement:
    /// [`Settlement::of`] a batch settles only what was in it when it was read. Settled transactions can no longer be
    /// voided.
    ///
    /// If the figures differ, or no batch is open, nothing is settled, and the error has the kind
    /// [`Refused`](crate::ErrorKind::Refused).
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let charge = Charge::builder().amount("25.00").card(&token).exp_date("1230").build()?;
    /// client.transactions().sale(&charge).await?;
    /// let open = client.batches().open().await?.into_value().ok_or("a sale opens a batch")?;
    /// let settled = client.batches().settle(&Settlement::of(&open)).await?;
    /// assert_eq!(settled.status, Some(BatchStatus::CLOSED));
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub async fn settle(self, settlement: &Settlement) -> Result<Response<Batch>, Error> {
        let call = wire::settle(self.0.format(), settlement)?;
        let check = |settled: &Batch| comes_to(settlement, settled);
        let settled = self.0.one(call, one, check).await;
        settled.map_err(|error| error.look_up(|| Lookup::Batches(BatchSearch::default())))
    }
}

/// Refuses a batch without any data.
fn says_something(open: &Batch) -> Result<(), Mismatch> {
    if *open == Batch::default() { Err(Mismatch("batch")) } else { Ok(()) }
}

fn fits(search: &BatchSearch, found: &Batch) -> Result<(), Mismatch> {
    not_another("status", search.status.as_ref(), found.status.as_ref())
}

/// Checks the response to a settlement, of which there is no sample. The batch may omit its figures, but figures in it
/// must be the requested ones. It must not be open, and must have its id or the status that it is closed.
fn comes_to(settlement: &Settlement, settled: &Batch) -> Result<(), Mismatch> {
    let SettlementFields { total_count, net_amount } = settlement.fields();
    if settled.id.is_none() && settled.status.is_none() {
        return Err(Mismatch("id"));
    }
    if settled.status == Some(BatchStatus::OPEN) {
        return Err(Mismatch("status"));
    }
    not_another("total-count", total_count.map(|count| &count.0), settled.total_count.as_ref())?;
    not_another("net-amount", net_amount, settled.net_amount.as_ref())
}

fn one(payload: Payload) -> Option<Batch> {
    match payload {
        Payload::Batch(batch) => Some(*batch),
        _ => None,
    }
}

fn all(payload: Payload) -> Option<Vec<Batch>> {
    match payload {
        Payload::Batches(batches) => Some(batches),
        payload => one(payload).map(|batch| vec![batch]),
    }
}
