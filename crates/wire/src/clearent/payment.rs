//! Payments made by plans. Only the parameters are documented; the shape of the response is **inferred**.

use perennial_domain::Violations;
use perennial_domain::clearent::{self as domain, PaymentSearch};

use super::Operation;
use crate::call::Call;
use crate::member::Listed;
use crate::query::Params;
use crate::text::Text;

message! {
    pub(crate) struct Payment<'a> as "payment" of domain::Payment, keyed by |payment| payment.transaction_id.as_deref(); {
        customer_key: Option<Text<'a>> = "customer-key",
        plan_key: Option<Text<'a>> = "plan-key",
        transaction_id: Option<Text<'a>> = "transaction-id",
        payment_amount: Option<Text<'a>> = "payment-amount",
        status: Option<Text<'a>> = "status",
        created: Option<Text<'a>> = "created",
    }
}

message! {
    pub(crate) struct Payments<'a> as "payments" {
        payment: Listed<Payment<'a>> = "payment",
    }
}

/// `GET /rest/v2/payments`
pub fn list(search: &PaymentSearch) -> Call {
    let PaymentSearch { customer_key, plan_key, paging } = search;
    let target = Operation::ListPayments
        .query()
        .with("customer-key", customer_key.as_ref())
        .with("plan-key", plan_key.as_ref())
        .paged(paging, "isDescending");
    Operation::ListPayments.call_to(target.finish())
}

/// Reads the query of a list.
#[cfg(feature = "gateway")]
pub fn read_search(query: &str) -> Result<PaymentSearch, Violations> {
    let mut params = Params::new(query);
    let search = PaymentSearch {
        customer_key: params.read("customer-key"),
        plan_key: params.read("plan-key"),
        paging: params.paging(),
    };
    params.finish(search)
}
