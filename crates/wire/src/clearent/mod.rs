//! Clearent: the calls of a client ([`Call`]), the [`Reply`] of a gateway, and, with the feature `gateway`, the readers
//! of the calls (`read_…`).
//!
//! Each resource has a module with one function per operation. Expected runs, the plan forecast and payments are
//! documented by their parameters only: the shapes of those responses are **inferred** and named in their modules.

mod api_key;
pub mod batch;
pub mod customer;
pub mod customer_token;
mod effect;
mod envelope;
mod link;
mod one_time_token;
mod operation;
mod payload;
pub mod payment;
pub mod plan;
pub mod settings;
pub mod token;
pub mod transaction;
#[cfg(feature = "webhook")]
pub mod webhook;

pub use crate::call::{Call, Method, ReadError};
#[cfg(feature = "gateway")]
pub use api_key::read_api_key;
pub use effect::names_an_effect;
pub use envelope::{Page, Reply};
pub use operation::{Operation, ROOT, Resource};
pub use payload::{GatewayError, Payload};
