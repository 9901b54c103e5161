use super::{CustomerKey, Paging, PlanKey, TransactionId, TransactionResult};
use crate::{Amount, Date, Timestamp};

/// A payment that a plan made.
///
/// Only the parameters of `GET /payments` are documented; the members of this record are **inferred**.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
pub struct Payment {
    /// The customer who was charged.
    pub customer_key: Option<CustomerKey>,
    /// The plan that charged.
    pub plan_key: Option<PlanKey>,
    /// The card transaction of the payment.
    pub transaction_id: Option<TransactionId>,
    /// How much was charged.
    pub payment_amount: Option<Amount>,
    /// The outcome.
    pub status: Option<TransactionResult>,
    /// When it was made, in the gateway's own format (transactions: `yyyy-MM-dd HH:mm:ss.SSS`, UTC).
    pub created: Option<Timestamp>,
}

/// Which payments to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PaymentSearch {
    /// Payments of this customer.
    pub customer_key: Option<CustomerKey>,
    /// Payments of this plan.
    pub plan_key: Option<PlanKey>,
    /// Page and order.
    pub paging: Paging,
}

/// A charge that a plan will make. The shape of the answer is **inferred**.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ExpectedRun {
    /// The day.
    pub date: Date,
    /// How much will be charged, if the gateway says so.
    pub payment_amount: Option<Amount>,
}
