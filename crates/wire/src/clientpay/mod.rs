//! ClientPay: the calls of a client ([`Call`]), their readers for a gateway (`read_…`), and the [`Reply`] that both
//! share. JSON only.
//!
//! Each resource has a module with one function per operation, and one table for its response. No known page of the
//! vendor shows a response: except for the postbacks, their members are **inferred**, declared in one table each, and
//! read leniently: in any letter case, with unknown members, without absent members, and as a bare text or list where
//! only one member counts. Names in requests are read in any letter case too, as the vendor's stack does.
//!
//! [`Operation`] has the paths of both versions of the API.

pub mod access;
mod fields;
pub mod invoice;
mod method;
mod operation;
pub mod page;
mod page_request;
pub mod payer;
pub mod payment;
mod reply;
mod rule;
pub mod search;
mod session;

pub use operation::Operation;
pub use reply::{FieldError, Reply, is_envelope, names_an_effect};
pub use session::{Received, Session, UnknownVersion, Version};

pub use crate::call::{Call, Method, ReadError};
