use super::{CustomerKey, Paging, PlanKey, TransactionId, TransactionResult};
use crate::{Amount, Date, Timestamp};

/// A payment made by a plan.
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
    /// The charged amount.
    pub payment_amount: Option<Amount>,
    /// The outcome.
    pub status: Option<TransactionResult>,
    /// The time of the payment, in the gateway's own format (transactions: `yyyy-MM-dd HH:mm:ss.SSS`, UTC).
    pub created: Option<Timestamp>,
}

/// Criteria for listing payments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PaymentSearch {
    /// Payments of this customer.
    pub customer_key: Option<CustomerKey>,
    /// Payments of this plan.
    pub plan_key: Option<PlanKey>,
    /// Page and order.
    pub paging: Paging,
}

/// A future charge of a plan. The shape of the response is **inferred**.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ExpectedRun {
    /// The day of the charge.
    pub date: Date,
    /// The amount to be charged, if the gateway reports it.
    pub payment_amount: Option<Amount>,
}
