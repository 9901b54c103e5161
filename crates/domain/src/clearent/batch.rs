use super::Paging;
use crate::{InvalidValue, Rule, Timestamp, Total, builder::request, key::key, open::open};

key! {
    /// The gateway's id of a batch, a decimal number.
    pub struct BatchId;
}

open! {
    /// The settlement status of a batch.
    pub struct BatchStatus one of "OPEN, PENDING, CLOSED" {
        /// The batch accepts transactions, and its transactions can be voided.
        OPEN = "OPEN",
        /// The batch is being settled.
        PENDING = "PENDING",
        /// The batch is settled: its transactions can be refunded but no longer voided.
        CLOSED = "CLOSED",
    }
}

/// A batch of transactions that are settled together: all transactions that moved money since the previous batch,
/// except voided ones. Members that the gateway omits are `None`. Times are text in the gateway's own format.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
pub struct Batch {
    /// The id of the batch.
    pub id: Option<BatchId>,
    /// The settlement status.
    pub status: Option<BatchStatus>,
    /// The id of the merchant.
    pub merchant_id: Option<String>,
    /// The id of the terminal.
    pub terminal_id: Option<String>,
    /// The name of the terminal.
    pub terminal_name: Option<String>,
    /// The time of the first transaction.
    pub date_opened: Option<Timestamp>,
    /// The time of the settlement (batches page: `2020-05-02T19:48:04.993Z`).
    pub settled: Option<Timestamp>,
    /// The confirmation code of the settlement.
    pub confirmation_code: Option<String>,
    /// The number of charges.
    pub sales_count: Option<u64>,
    /// The sum of the charges, tips included.
    pub sales_total: Option<Total>,
    /// The number of refunds.
    pub refund_count: Option<u64>,
    /// The sum of the refunds.
    pub refund_total: Option<Total>,
    /// The number of transactions.
    pub total_count: Option<u64>,
    /// The sum of the charges, less the refunds.
    pub net_amount: Option<Total>,
}

/// Criteria for listing batches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BatchSearch {
    /// Batches of this status.
    pub status: Option<BatchStatus>,
    /// Page and order. **Inferred**: the vendor's clients only request the open batch.
    pub paging: Paging,
}

/// A count in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count(pub u64);

impl From<u64> for Count {
    fn from(count: u64) -> Self {
        Self(count)
    }
}

impl TryFrom<&str> for Count {
    type Error = InvalidValue;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        let digits = text.bytes().all(|b| b.is_ascii_digit());
        text.parse().ok().filter(|_| digits).map(Self).ok_or(Rule::Count.into())
    }
}

request! {
    /// A request to close the open batch and settle its transactions, if the batch matches these figures.
    ///
    /// ```
    /// use perennial_domain::clearent::{Batch, Settlement};
    ///
    /// let open = Batch { total_count: Some(2), net_amount: "5.05".parse().ok(), ..Batch::default() };
    /// let settlement = Settlement::of(&open);
    /// assert_eq!(settlement.fields().net_amount.unwrap().to_string(), "5.05");
    /// ```
    #[derive(Clone, PartialEq, Eq)]
    pub struct Settlement, SettlementFields, SettlementBuilder {
        optional {
            /// The expected number of transactions; not checked if omitted.
            total_count: Count = "total-count",
            /// The expected net amount; not checked if omitted.
            net_amount: Total = "net-amount",
        }
    }
}

impl Settlement {
    /// Settles the batch as it was when it was read. The gateway refuses the request if a transaction was added or
    /// voided since.
    pub fn of(batch: &Batch) -> Self {
        Self { total_count: batch.total_count.map(Count), net_amount: batch.net_amount }
    }
}
