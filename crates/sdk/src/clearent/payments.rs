//! Payments made by plans.

use perennial_domain::clearent::{Payment, PaymentSearch, TransactionId};
use perennial_wire::clearent::{Operation, Payload, payment as wire};

use super::Clearent;
use super::answer::{Mismatch, not_another};
use crate::List;

/// The payments made by plans.
#[derive(Debug, Clone, Copy)]
#[must_use = "it does nothing by itself"]
pub struct Payments<'a>(pub(super) &'a Clearent);

impl Payments<'_> {
    /// Lists the payments that match. The shape of the gateway's response is **inferred**.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// sandbox.advance("P3M").await?;
    /// let search = PaymentSearch { plan_key: Some(plan.plan_key.clone()), ..PaymentSearch::default() };
    /// let payments = client.payments().list(&search).collect_all().await?;
    /// assert_eq!(payments.len(), 3);
    /// assert!(payments.iter().all(|payment| payment.verdict() == Verdict::Approved));
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub fn list(self, search: &PaymentSearch) -> List<Payment> {
        self.0.list(
            Operation::ListPayments,
            search,
            |search| &mut search.paging,
            wire::list,
            all,
            |payment| payment.transaction_id.as_ref().map(TransactionId::as_str),
            fits,
        )
    }
}

pub(super) fn fits(search: &PaymentSearch, found: &Payment) -> Result<(), Mismatch> {
    not_another("customer-key", search.customer_key.as_ref(), found.customer_key.as_ref())?;
    not_another("plan-key", search.plan_key.as_ref(), found.plan_key.as_ref())
}

pub(super) fn all(payload: Payload) -> Option<Vec<Payment>> {
    match payload {
        Payload::Payments(payments) => Some(payments),
        _ => None,
    }
}
