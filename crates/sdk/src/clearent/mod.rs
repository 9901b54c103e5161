//! Clearent recurring payments: the client, the operations of each resource, and their parameters and results.
//!
//! An operation starts when its future is first awaited. Creates, updates and card transactions are sent once, and
//! retried only if no byte of them was sent. If the response is lost, incomplete or about something else, the error has
//! the kind [`OutcomeUnknown`](crate::ErrorKind::OutcomeUnknown). Reads and deletes are retried. Dropping the future of
//! a write discards its response: the outcome is then unknown too.

mod answer;
mod batches;
mod client;
mod customer_tokens;
mod customers;
mod evidence;
mod invoices;
mod look_up;
mod lookup;
mod payments;
mod plans;
mod test_sale;
mod tokens;
mod transactions;
#[cfg(feature = "webhook")]
pub mod webhook;

pub use batches::Batches;
pub use client::{Clearent, ClearentBuilder};
pub use customer_tokens::CustomerTokens;
pub use customers::Customers;
pub use invoices::{InvoicePayment, InvoiceStatus, Invoices};
pub use look_up::Found;
pub use lookup::Lookup;
pub use payments::Payments;
pub use plans::Plans;
pub use test_sale::TestSale;
pub use tokens::Tokens;
pub use transactions::{Charged, Transactions};

// The parameters and results of the facade, listed by name. Not included are types for gateways, the builders, which
// `Builder` names, and types that only setters parse from text: they are in `perennial-domain`.
pub use perennial_domain::clearent::{
    Address, ApiKey, Batch, BatchId, BatchSearch, BatchStatus, Capture, Charge, ChargeSource, Customer,
    CustomerKey, CustomerSearch, CustomerStatus, CustomerToken, CustomerTokenUpdate, CustomerUpdate, Decline,
    Expected as ExpectedCharges, ExpectedRun, Forecast, Frequency, FrequencyDay, Link, NewCustomer,
    NewCustomerToken, NewPlan, NewToken, Obstacle, OneTimeToken, Paging, Partial, Payment, PaymentSearch,
    Plan, PlanForecast, PlanKey, PlanNote, PlanSearch, PlanStatus, PlanTerm, PlanUpdate, PostalAddress,
    Reference, Refund, Refusal, Schedule, Settlement, Token, TokenId, TokenSearch, TokenStatus, TokenUpdate,
    Transaction, TransactionId, TransactionResult, TransactionSearch, TransactionType, TransactionUpdate,
    Verdict, Void, check_customer_deletion, check_plan_deletion, check_token_deletion,
};
pub use perennial_wire::clearent::Operation;
