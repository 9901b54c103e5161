//! Clearent recurring payments: customers, card tokens, payment plans, payments, card transactions and their batches.

mod address;
mod batch;
mod check;
mod credential;
mod customer;
mod deletion;
mod duplicate;
mod equal;
mod forecast;
mod link;
mod note;
mod one_time_token;
mod paging;
mod payment;
mod plan;
mod schedule;
mod token;
mod transaction;
mod verdict;

pub use address::{Address, AddressBuilder, AddressFields};
pub use batch::{
    Batch, BatchId, BatchSearch, BatchStatus, Count, Settlement, SettlementBuilder, SettlementFields,
};
pub use check::{CheckAnswer, CheckSettings, CheckUpdate, ResponseFilter};
pub use credential::{ApiKey, InvalidApiKey};
pub use customer::{
    Customer, CustomerKey, CustomerSearch, CustomerStatus, CustomerUpdate, CustomerUpdateBuilder,
    CustomerUpdateFields, NewCustomer, NewCustomerBuilder, NewCustomerFields, PostalAddress,
};
pub use deletion::{Obstacle, Refusal, check_customer_deletion, check_plan_deletion, check_token_deletion};
pub use duplicate::{
    CheckField, DuplicateSettings, DuplicateUpdate, DuplicateUpdateBuilder, DuplicateUpdateFields, Minutes,
};
pub use forecast::{Expected, Forecast};
pub use link::Link;
pub use note::PlanNote;
pub use one_time_token::{MobileJwt, OneTimeToken};
pub use paging::Paging;
pub use payment::{ExpectedRun, Payment, PaymentSearch};
pub use plan::{
    Frequency, FrequencyDay, NewPlan, NewPlanBuilder, NewPlanFields, NewPlanStart, Plan, PlanForecast,
    PlanForecastBuilder, PlanForecastFields, PlanKey, PlanSearch, PlanStatus, PlanTerm, PlanType, PlanUpdate,
    PlanUpdateBuilder, PlanUpdateFields,
};
pub use schedule::Schedule;
pub use token::{
    CustomerToken, CustomerTokenUpdate, CustomerTokenUpdateBuilder, CustomerTokenUpdateFields, LastFour,
    NewCustomerToken, NewCustomerTokenBuilder, NewCustomerTokenFields, NewToken, NewTokenBuilder,
    NewTokenFields, Token, TokenId, TokenSearch, TokenStatus, TokenUpdate, TokenUpdateBuilder,
    TokenUpdateFields,
};
pub use transaction::{
    Capture, CaptureBuilder, CaptureFields, Charge, ChargeBuilder, ChargeFields, ChargeSource, Refund,
    RefundBuilder, RefundFields, Transaction, TransactionId, TransactionLevel, TransactionRequest,
    TransactionResult, TransactionSearch, TransactionType, TransactionUpdate, TransactionUpdateBuilder,
    TransactionUpdateFields, Void,
};
pub use verdict::{Decline, Partial, Verdict};

pub use crate::{flag::Flag, text::Reference};
