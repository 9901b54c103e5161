//! Recurring payments for Rust: customers, card tokens, monthly plans and their payments on the Clearent gateway, and
//! payment pages, payments and payers of ClientPay.
//!
//! [`Clearent`] and [`ClientPay`] are the clients; each has a module of its values, [`clearent`] and [`clientpay`], and
//! they share all else. The operations take values that obey the vendor's rules because they exist, and answer with a
//! [`Response`] or an [`Error`]:
//!
//! * what breaks a rule is refused before it is sent, with every field named;
//! * what was declined is a value;
//! * what may or may not have happened is an error of its own kind, [`ErrorKind::OutcomeUnknown`], and is never sent
//!   twice behind the caller's back.
//!
//! This program runs as it is, with the crates `perennial`, `perennial-sandbox` and `tokio`: the sandbox is the gateway on
//! your machine. With [`Environment::Sandbox`] or [`Environment::Production`] and a key of your own it calls the vendor's.
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
//! The [`guide`] has a chapter for each task: getting started, the concepts, and each resource with what goes over the
//! wire.
//!
//! # Features
//!
//! * `reqwest` (default): an HTTPS client on reqwest, rustls with ring and compiled-in roots. It is most of the build
//!   time; without it, bring an [`Exchange`](transport::Exchange) of your own.
//! * `http2`: HTTP/2 beside HTTP/1.1. Off, because a few calls a second gain nothing from it and its parser is one
//!   more to trust.
//! * `blocking`: the module `blocking`, the same operations for programmes without async. It adds Tokio's runtime and
//!   one thread.
//! * `testing`: the module `transport::testing`, with exchanges that record and replay, for your tests. It adds
//!   `serde_json`.
//! * `key-file`: `keys::KeyFile`, the merchants' keys in one encrypted file. It adds the crate `age`, which is about a
//!   hundred crates, and Tokio's `rt`, whose threads the file is read on.
//! * `keychain`: `keys::Keychain`, the merchants' keys in the keychain of the system. It adds the crate `keyring-core`
//!   with the store of the platform, on Linux a D-Bus client in pure Rust, and Tokio's `rt`.
//! * `webhook`: the module `clearent::webhook`, which tells the gateway's alerts from anybody's. It adds the curve
//!   brainpoolP384t1 in pure Rust, some twenty small crates.
//! * `serde`: keys, ids, amounts, dates and statuses serialize as their text, and the objects that a gateway reports as
//!   maps of their fields in `snake_case`; see [`perennial_domain`]. Secrets, cards and requests do not. It adds the crate
//!   `serde`.
//!
//! All features are additive.
//!
//! # Types
//!
//! What operations take and return is listed here and in the two modules. [`Builder`] names the builder of a request. The
//! types that only setters read from text, such as a card number or a bank's routing number, are in [`perennial_domain`].

#[cfg(feature = "blocking")]
pub mod blocking;
pub mod clearent;
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
pub use clientpay::{ClientPay, ClientPayBuilder};
pub use environment::{BaseUrl, Environment, InvalidBaseUrl};
pub use error::{Error, ErrorKind};
pub use page::{List, Pages};
pub use response::Response;

pub use perennial_domain::encoding;
pub use perennial_domain::{
    Amount, Builder, CardBrand, Date, Expiry, InvalidValue, Invoice, InvoiceLine, Month, NaiveDate,
    NaiveDateTime, Reported, Rule, Timestamp, Total, Violation, Violations,
};
pub use perennial_transport as transport;
pub use perennial_wire::clearent::Page as PageInfo;
pub use perennial_wire::{Format, UnreadableRecord};

/// The example of the README is a test.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

/// So is that of the package's own page.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Package;

/// So are those of the chapter on testing.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/SANDBOX.md")]
struct Testing;

/// And those of the chapter on ClientPay.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/CLIENTPAY.md")]
struct OnClientPay;
