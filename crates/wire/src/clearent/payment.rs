//! Payments that plans made. Only the parameters are documented; the shape of the answer is **inferred**.

use perennial_domain::Violations;
use perennial_domain::clearent::{self as domain, PaymentSearch, TransactionResult};

use super::Operation;
use crate::call::Call;
use crate::fields::{Fault, amount, given, key, owned, shown, some_text, text};
use crate::member::Listed;
use crate::query::Params;
use crate::text::Text;

message! {
    pub(crate) struct Payment<'a> as "payment" keyed by |payment| payment.transaction_id.as_deref(); {
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
pub fn read_search(query: &str) -> Result<PaymentSearch, Violations> {
    let mut params = Params::new(query);
    let search = PaymentSearch {
        customer_key: params.read("customer-key"),
        plan_key: params.read("plan-key"),
        paging: params.paging(),
    };
    params.finish(search)
}

impl<'a> From<&'a domain::Payment> for Payment<'a> {
    fn from(payment: &'a domain::Payment) -> Self {
        let domain::Payment { customer_key, plan_key, transaction_id, payment_amount, status, created } =
            payment;
        Self {
            customer_key: some_text(customer_key.as_ref()),
            plan_key: some_text(plan_key.as_ref()),
            transaction_id: some_text(transaction_id.as_ref()),
            payment_amount: shown(*payment_amount),
            status: status.as_ref().map(|status| text(status.as_str())),
            created: some_text(created.as_ref()),
        }
    }
}

impl Payment<'_> {
    pub(crate) fn record(self) -> Result<domain::Payment, Fault> {
        let Self { customer_key, plan_key, transaction_id, payment_amount, status, created } = self;
        Ok(domain::Payment {
            customer_key: key("customer-key", customer_key)?,
            plan_key: key("plan-key", plan_key)?,
            transaction_id: key("transaction-id", transaction_id)?,
            payment_amount: amount("payment-amount", payment_amount)?,
            status: given(status).map(|status| TransactionResult::reported(&status)),
            created: owned(created),
        })
    }
}
