//! ClientPay: what a client sends (a [`Call`]), what a gateway reads from it (`read_…`), and the [`Reply`] that both
//! share. JSON only.
//!
//! Each resource has a module with one function per operation, and one table for what is answered. No page of the
//! vendor that is known shows an answer: but for the postbacks their members are **inferred**, stand in one table each,
//! and are read leniently: in any letter case, with members that nobody knows, without members that are not there, and
//! as a bare text or list where only one member counts. Names of requests are read in any letter case too, as the
//! vendor's stack does.
//!
//! [`Operation`] has the paths of both versions of the API.

pub mod access;
mod fields;
pub mod invoice;
mod operation;
pub mod page;
pub mod payer;
pub mod payment;
mod reply;
pub mod search;
mod session;

pub use operation::Operation;
pub use reply::{FieldError, Reply, is_envelope, names_an_effect};
pub use session::{Received, Session, UnknownVersion, Version};

pub use crate::call::{Call, Method, ReadError};
