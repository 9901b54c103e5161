//! The bytes of the Clearent recurring payments API, in JSON and in XML, and of the ClientPay API, in JSON; both in both
//! directions.
//!
//! A client turns a request of [`perennial_domain`] into a [`Call`](clearent::Call) and opens the answer as a
//! [`Reply`](clearent::Reply); a gateway reads the same request and writes the same reply. Each message is one table
//! that both formats and both directions share, so that they cannot drift apart.
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
//! | links of an answer | `"links":[{…}]` | `<links>…</links>`, repeated |
//! | links of an object | `"links":{"link":[{…}]}` | `<links><link>…</link></links>` |
//!
//! * What is written is compact and in one order, that of the vendor's samples; what is absent is not written.
//! * What is read may come in any order, with members that nobody knows, with nulls, and with numbers and booleans
//!   where texts are documented. A number keeps its digits: none ever passes through a float.
//! * An empty or blank text is the same as none. An empty text in place of an object is an object without members.
//! * XML text is trimmed of the blanks of its layout. What is written as a reference or in a CDATA section stays, and
//!   that is how blanks at either end are written.
//! * Money, keys, dates, the counts of a batch and the flags of a transaction are never guessed: what is not one is a
//!   [`DecodeError`], or in a list an [`UnreadableRecord`] beside the others. Words that are new are kept, and so are
//!   details that make no sense, as [`Reported`](perennial_domain::Reported): days, expiries, how often a token was used.
//! * Digits of a fixed width get back the zeros that a number cannot have: a result code, a card's last four, `930` for
//!   `0930`.
//! * One byte order mark before a document is passed over.
//! * A member that is given twice, a second root, anything after the end, a document type, an entity that XML does not
//!   define, and text beside elements are refused.
//!
//! A gateway reads requests more leniently than a client may write them, because live programs need it; what it cannot
//! take is reported whole, as the [`Violations`](perennial_domain::Violations) of the domain.
//!
//! # Limits and secrets
//!
//! [`Limits`] bound every document before and while it is read, and say what is masked in its texts. No error quotes the
//! document it is about: it names a place, in words of ours, and a rule. The body of a call is wiped when dropped, and is
//! written into a buffer that is never too small, so that no copy of a card stays behind.
//!
//! # Features
//!
//! * `webhook`: the module `clearent::webhook`, which reads and verifies signed alerts. Off, because it adds the
//!   arithmetic of a curve, some twenty small crates that nobody else needs.
//!
//! # What is inferred
//!
//! The vendor shows most messages in its documents, and its clients show others. Nobody shows the answers of expected
//! runs, of the plan forecast and of payments, the name of an item in the list of a customer's tokens, the member that
//! makes a customer inactive, the payload types of batches, what a terminal answers when its settings are read, or lists
//! and errors in XML: those shapes are **inferred** from their neighbours, and said to be so where
//! they are declared. ClientPay has a word of its own on this in [`clientpay`].

#[macro_use]
mod message;

mod call;
mod class;
pub mod clearent;
pub mod clientpay;
mod codec;
mod error;
mod fields;
mod format;
mod json;
mod limits;
mod member;
mod operation;
mod query;
mod reading;
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
