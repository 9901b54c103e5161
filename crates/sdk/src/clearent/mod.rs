//! Clearent recurring payments: the client, the operations of each resource, and the values they take and give.
//!
//! An operation's future does nothing until it is awaited. Creates, updates and card transactions are sent once and
//! never repeated unless no byte of them left; an answer to them that is lost, cut off or about something else is an
//! error of kind [`OutcomeUnknown`](crate::ErrorKind::OutcomeUnknown). Reads and deletes are repeated. To drop the
//! future of a write is to lose its answer: it too leaves open what became of it.

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

// What the facade takes and returns, by name. What only the gateway's side needs is not here, and neither are the builders,
// which `Builder` names, and the types that only setters read from text: they are in `perennial-domain`.
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
