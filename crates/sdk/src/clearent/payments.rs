//! Payments that plans made.

use perennial_domain::clearent::{Payment, PaymentSearch, TransactionId};
use perennial_wire::clearent::{Payload, payment as wire};

use super::Clearent;
use crate::List;

/// The payments that plans made.
#[derive(Debug, Clone, Copy)]
#[must_use = "it does nothing by itself"]
pub struct Payments<'a>(pub(super) &'a Clearent);

impl Payments<'_> {
    /// The payments that match. The shape of the gateway's answer is inferred.
    pub fn list(self, search: &PaymentSearch) -> List<Payment> {
        self.0.list(
            "payments.list",
            search,
            |search| &mut search.paging,
            wire::list,
            all,
            |payment| payment.transaction_id.as_ref().map(TransactionId::as_str),
        )
    }
}

pub(super) fn all(payload: Payload) -> Option<Vec<Payment>> {
    match payload {
        Payload::Payments(payments) => Some(payments),
        _ => None,
    }
}
