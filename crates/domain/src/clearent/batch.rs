use super::Paging;
use crate::{InvalidValue, Rule, Timestamp, Total, builder::request, key::key, open::open};

key! {
    /// The gateway's id of a batch, a decimal number.
    pub struct BatchId;
}

open! {
    /// Whether a batch still takes transactions.
    pub struct BatchStatus one of "OPEN, PENDING, CLOSED" {
        /// It takes transactions, and those in it can be voided.
        OPEN = "OPEN",
        /// It is being settled.
        PENDING = "PENDING",
        /// It is settled: what is in it can be refunded, and no longer voided.
        CLOSED = "CLOSED",
    }
}

/// The transactions that are settled together: what moved money since the batch before, without what was voided.
/// Members that the gateway left out are `None`; its own spellings of times are kept as text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
pub struct Batch {
    /// The id.
    pub id: Option<BatchId>,
    /// Whether it still takes transactions.
    pub status: Option<BatchStatus>,
    /// The merchant.
    pub merchant_id: Option<String>,
    /// The terminal.
    pub terminal_id: Option<String>,
    /// The terminal's name.
    pub terminal_name: Option<String>,
    /// When its first transaction was made.
    pub date_opened: Option<Timestamp>,
    /// When it was settled (batches page: `2020-05-02T19:48:04.993Z`).
    pub settled: Option<Timestamp>,
    /// The confirmation of the settlement.
    pub confirmation_code: Option<String>,
    /// How many charges are in it.
    pub sales_count: Option<u64>,
    /// What they took, tips included.
    pub sales_total: Option<Total>,
    /// How many refunds are in it.
    pub refund_count: Option<u64>,
    /// What they gave back.
    pub refund_total: Option<Total>,
    /// How many transactions are in it.
    pub total_count: Option<u64>,
    /// What they come to: charges less refunds.
    pub net_amount: Option<Total>,
}

/// Which batches to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BatchSearch {
    /// Batches of this status.
    pub status: Option<BatchStatus>,
    /// Page and order. **Inferred**: the vendor's clients ask for the open batch only.
    pub paging: Paging,
}

/// How many there are, as a request has it.
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
    /// Closes the open batch and settles what is in it, provided that it comes to these figures.
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
            /// How many transactions are in it; not checked if it is not given.
            total_count: Count = "total-count",
            /// What they come to; not checked if it is not given.
            net_amount: Total = "net-amount",
        }
    }
}

impl Settlement {
    /// Settles the batch as it was when it was looked at: should a transaction have been added or voided since, it is
    /// refused.
    pub fn of(batch: &Batch) -> Self {
        Self { total_count: batch.total_count.map(Count), net_amount: batch.net_amount }
    }
}
