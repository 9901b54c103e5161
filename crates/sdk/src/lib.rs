//! Recurring payments for Rust: customers, card tokens, monthly plans and their payments on the Clearent gateway, and
//! payment pages, payments and payers of ClientPay.
//!
//! [`Clearent`] and [`ClientPay`] are the clients. Each has a module for its types, [`clearent`] and [`clientpay`]; all
//! other types are shared. The parameters of operations are always valid by the vendor's rules, and the result is a
//! [`Response`] or an [`Error`]:
//!
//! * an invalid request is refused before it is sent, with all its invalid fields;
//! * a decline is a value;
//! * a lost or inconclusive response is an error of its own kind, [`ErrorKind::OutcomeUnknown`], and the request is
//!   never silently sent again.
//!
//! This program is complete; it needs the crates `perennial`, `perennial-sandbox` and `tokio`. The sandbox is a gateway
//! on your machine. With [`Environment::Sandbox`] or [`Environment::Production`] and your own key, the program calls
//! the vendor's gateway.
//!
//! ```
//! use perennial::clearent::{ApiKey, CustomerStatus, NewCustomer};
//! use perennial::{BaseUrl, Clearent};
//! use perennial_sandbox::Sandbox;
//!
//! # #[cfg(feature = "reqwest")]
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let sandbox = Sandbox::start().await?;
//!     let client = Clearent::builder(ApiKey::new(sandbox.api_key().expose())?)
//!         .environment(sandbox.base_url().parse::<BaseUrl>()?)
//!         .build()?;
//!
//!     let ada = NewCustomer::builder().customer_key("member-7").first_name("Ada").last_name("Byron").build()?;
//!     let created = client.customers().create(&ada).await?;
//!     assert_eq!(created.customer_key.as_str(), "member-7");
//!     match &client.customers().get(&created.customer_key).await?.status {
//!         Some(CustomerStatus::ACTIVE) => println!("a plan can charge {}", created.customer_key),
//!         other => println!("no plan can charge {}: {other:?}", created.customer_key),
//!     }
//!     Ok(())
//! }
//! # #[cfg(not(feature = "reqwest"))]
//! # fn main() {}
//! ```
//!
//! The module [`guide`] is the guide: getting started, the concepts, and each resource with its messages on the wire.
//! The documentation has this module; the compiled crate does not.
//!
//! # Features
//!
//! * `reqwest` (default): an HTTPS client on reqwest, rustls with ring and compiled-in roots. It takes most of the
//!   build time; without it and `hyper`, bring your own [`Exchange`](transport::Exchange).
//! * `hyper`: the same client over hyper alone: the same guarantees and errors with about forty crates fewer, and
//!   HTTP/1.1 only. It is used if `reqwest` is off (`default-features = false`).
//! * `clientpay` (default): the module `clientpay`. A program for Clearent alone compiles faster without it.
//! * `http2`: HTTP/2 in addition to HTTP/1.1. It is off because a few calls per second gain nothing from it, and it
//!   adds a parser to trust.
//! * `blocking`: the module `blocking`, with the same operations for programs without async. It adds Tokio's runtime
//!   and one thread.
//! * `testing`: the module `transport::testing`, with exchanges that record and replay, for your tests. It adds
//!   `serde_json`.
//! * `key-file`: `keys::KeyFile`, the merchants' keys in one encrypted file. It adds the crate `age`, with about a
//!   hundred dependencies, and Tokio's `rt`, on whose threads the file is read.
//! * `keychain`: `keys::Keychain`, the merchants' keys in the keychain of the system. It adds the crate `keyring-core`
//!   with the store of the platform, on Linux a D-Bus client in pure Rust, and Tokio's `rt`.
//! * `webhook`: the module `clearent::webhook`, which verifies the gateway's alerts. It adds the curve brainpoolP384t1
//!   in pure Rust, about twenty small crates.
//! * `serde`: keys, ids, amounts, dates and statuses serialize as their text, and the objects that a gateway reports as
//!   maps of their fields in `snake_case`; see [`perennial_domain`]. Secrets, cards and requests do not serialize. It
//!   adds the crate `serde`.
//!
//! All features are additive.
//!
//! # Types
//!
//! The parameters and results of operations are listed here and in the two modules. [`Builder`] names the builder of a
//! request. Types that only setters parse from text, such as a card number or a bank's routing number, are in
//! [`perennial_domain`].

#![cfg_attr(
    not(feature = "clientpay"),
    allow(dead_code, unused_imports, reason = "some details of errors are of ClientPay alone")
)]

#[cfg(feature = "blocking")]
pub mod blocking;
pub mod clearent;
#[cfg(feature = "clientpay")]
pub mod clientpay;
mod environment;
mod error;
#[cfg(all(doc, not(doctest)))]
pub mod guide;
pub mod keys;
mod object_locks;
mod page;
mod response;
mod sent;
mod setup;

pub use clearent::{Clearent, ClearentBuilder};
#[cfg(feature = "clientpay")]
pub use clientpay::{ClientPay, ClientPayBuilder};
pub use environment::{BaseUrl, Environment, InvalidBaseUrl};
pub use error::{Error, ErrorKind};
pub use page::{List, ListPages};
pub use response::Response;

pub use perennial_domain::encoding;
pub use perennial_domain::{
    Amount, Builder, CardBrand, Date, Expiry, InvalidValue, Invoice, InvoiceLine, Month, NaiveDate,
    NaiveDateTime, Reported, Rule, Timestamp, Total, Violation, Violations,
};
pub use perennial_transport as transport;
pub use perennial_wire::clearent::Page as PageInfo;
pub use perennial_wire::{Format, UnreadableRecord};

/// Runs the example of this package's README as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Package;

/// Runs the examples of the chapter on testing.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/SANDBOX.md")]
struct Testing;

/// Runs the examples of the chapter on ClientPay.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/CLIENTPAY.md")]
struct OnClientPay;
