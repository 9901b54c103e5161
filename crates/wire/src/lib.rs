//! Codecs of the Clearent recurring payments API, in JSON and in XML, and of the ClientPay API, in JSON; both in both
//! directions.
//!
//! A client turns a request of [`perennial_domain`] into a [`Call`](clearent::Call) and reads the response as a
//! [`Reply`](clearent::Reply); a gateway reads that request and writes that reply. Each message is one table
//! that both formats and both directions share, so that they always agree.
//!
//! ```
//! use perennial_domain::clearent::NewCustomer;
//! use perennial_wire::clearent::{Payload, Reply, customer};
//! use perennial_wire::{Format, Limits};
//!
//! let ada = NewCustomer::builder().first_name("Ada").last_name("Byron").build()?;
//! let call = customer::create(Format::Xml, &ada)?;
//! assert_eq!(call.target, "/rest/v2/customers");
//! assert_eq!(
//!     call.body.unwrap().as_slice(),
//!     b"<customer><first-name>Ada</first-name><last-name>Byron</last-name></customer>"
//! );
//!
//! let answer = br#"{"code":"201","status":"success","exchange-id":"ID-clearent-rps-1-7","payload":{
//!     "customer":{"customer-key":"cust_5a1d7c1e8a0f","first-name":"Ada","links":{}},"payloadType":"customer"}}"#;
//! let reply = Reply::decode(Format::Json, answer, &Limits::default())?;
//! assert_eq!((reply.code, reply.exchange_id.as_deref()), (Some(201), Some("ID-clearent-rps-1-7")));
//! let Payload::Customer(customer) = reply.payload else { panic!("a customer") };
//! assert_eq!(customer.customer_key.as_str(), "cust_5a1d7c1e8a0f");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The dialect
//!
//! | | JSON | XML |
//! | --- | --- | --- |
//! | document | one bare object | one element, named for the message: `customer`, `response` |
//! | scalar | a string; a few are numbers or booleans | text |
//! | kind of payload | the member `payloadType` beside the object | the attribute `type` of `payload`, the only one known |
//! | list | an array, or one bare item | the element, repeated |
//! | links of a response | `"links":[{…}]` | `<links>…</links>`, repeated |
//! | links of an object | `"links":{"link":[{…}]}` | `<links><link>…</link></links>` |
//!
//! * Output is compact and in one order, that of the vendor's samples; absent members are not written.
//! * Input may have any order, unknown members, nulls, and numbers and booleans instead of documented texts. A number
//!   keeps its digits: none ever passes through a float.
//! * An empty or blank text counts as absent. An empty text instead of an object is an object without members.
//! * XML text is trimmed of the blanks of its layout. Blanks written as a reference or in a CDATA section stay, and
//!   blanks at either end are written so.
//! * Money, keys, dates, the counts of a batch and the flags of a transaction are never guessed: an unreadable value is
//!   a [`DecodeError`], or in a list an [`UnreadableRecord`] beside the others. Unknown words are kept, and so are
//!   unreadable details, as [`Reported`](perennial_domain::Reported): days, expiries, counts of a token's use.
//! * Digits of a fixed width get back the leading zeros that a number lost: a result code, a card's last four, `930`
//!   for `0930`.
//! * One byte order mark before a document is skipped.
//! * A repeated member, a second root, anything after the end, a document type, an undefined XML
//!   entity, and text beside elements are refused.
//!
//! A gateway reads requests more leniently than a client may write them, because live programs need it; everything that
//! it cannot accept is reported at once, as the [`Violations`](perennial_domain::Violations) of the domain.
//!
//! # Limits and secrets
//!
//! [`Limits`] bound every document before and while it is read, and define the masking of its texts. No error quotes
//! its document: it names a place, in the crate's own words, and a rule. The body of a call is wiped when dropped, and
//! is written into a buffer that never grows, so that no copy of a card stays behind.
//!
//! # Features
//!
//! * `clientpay` (default): the module [`clientpay`].
//! * `gateway`: the functions that read requests and write replies. Off by default, because a client has no use for
//!   them, and they take a quarter of the time to compile this crate.
//! * `webhook`: the module `clearent::webhook`, which reads and verifies signed alerts. Off by default, because it adds
//!   the arithmetic of a curve, about twenty small crates that nothing else needs.
//!
//! # Inferred shapes
//!
//! The vendor shows most messages in its documents, and its clients show others. No source shows the responses of
//! expected runs, of the plan forecast and of payments, the name of an item in the list of a customer's tokens, the
//! member that makes a customer inactive, the payload types of batches, the response to a read of a terminal's settings,
//! or lists and errors in XML: these shapes are **inferred** from similar ones, and marked so where they are declared.
//! [`clientpay`] documents its inferred shapes itself.

#![cfg_attr(
    not(all(feature = "clientpay", feature = "gateway")),
    allow(
        dead_code,
        unused_imports,
        reason = "only a gateway reads requests, and some members are of ClientPay alone"
    )
)]

#[macro_use]
mod message;

mod call;
mod class;
pub mod clearent;
#[cfg(feature = "clientpay")]
pub mod clientpay;
mod codec;
mod error;
mod failure;
mod fields;
mod format;
mod json;
mod limits;
mod member;
mod operation;
mod query;
mod reader;
mod rule;
pub mod shape;
mod text;
mod write;
mod xml;

pub use class::{Class, OperationInfo};
pub use error::{DecodeError, DecodeErrorKind, EncodeError, UnreadableRecord};
pub use format::{Format, UnknownFormat, is_html};
pub use limits::Limits;
pub use operation::operation;

#[cfg(test)]
mod tests;
