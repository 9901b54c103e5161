//! Clearent: what a client sends ([`Call`]), what a gateway reads from it (`read_…`), and the [`Reply`] that both share.
//!
//! Each resource has a module with one function per operation. Expected runs, the plan forecast and payments are
//! documented by their parameters only: the shapes of those answers are **inferred** and named in their modules.

pub mod batch;
mod call;
pub mod customer;
pub mod customer_token;
mod envelope;
mod fields;
pub mod payment;
pub mod plan;
mod query;
pub mod settings;
pub mod token;
pub mod transaction;
#[cfg(feature = "webhook")]
pub mod webhook;

pub use call::{Call, Method, ReadError, read_api_key};
pub use envelope::{GatewayError, Page, Payload, Reply};
