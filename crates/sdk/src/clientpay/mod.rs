//! ClientPay: the client, the operations of each resource, and the values they take and give.
//!
//! An operation's future does nothing until it is awaited. The access id that all need is found by itself: see
//! [`AccessIds`]. What changes something is made under a single-use request id, which the operation asks for: a request
//! whose answer was lost is looked for by that id, and sent again under the same one, which the gateway performs once.
//! Where even that does not tell, the error is of kind [`OutcomeUnknown`](crate::ErrorKind::OutcomeUnknown) and has
//! the [`request_id`](crate::Error::request_id): `under` it, the same request can be sent again, also by another
//! process and another day. To drop the future of such an operation is to lose the id.
//!
//! Each exchange with the gateway counts its own deadline, the look-ups too.
//!
//! The vendor documents requests and postbacks, and no answer: what is **inferred** of them is said where it is
//! declared, and what an answer does not say is never taken for granted.

mod access;
mod answer;
mod client;
mod keyed;
mod pages;
mod payers;
mod payments;

pub use access::{Access, AccessIds, InProcess, Issuer};
pub use client::{ClientPay, ClientPayBuilder};
pub use pages::Pages;
pub use payers::Payers;
pub use payments::{Confirmed, Payments, postback};

pub use perennial_domain::clientpay::*;
pub use perennial_wire::clientpay::{Route, UnknownVersion, Version};
