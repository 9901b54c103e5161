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
//! The gateway of this example is a recording, as a test would use it; leave `exchange` out and it is the real one:
//!
//! ```
//! use perennial::clearent::{ApiKey, CustomerKey, NewCustomer};
//! use perennial::{Clearent, Environment};
//! # #[cfg(feature = "testing")]
//! use perennial::transport::testing::{Cassette, Replaying};
//!
//! # #[cfg(feature = "testing")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), perennial::Error> {
//! # let cassette = Cassette::from_json(r#"{"exchanges":[{
//! #     "asked":{"call":"POST /rest/v2/customers","headers":[],"body":""},
//! #     "answered":{"status":201,"headers":[],"body":"{\"code\":\"201\",\"exchange-id\":\"ID-clearent-rps-1-0b7c\",\"payload\":{\"customer\":{\"customer-key\":\"member-7\",\"first-name\":\"Ada\",\"last-name\":\"Byron\"},\"payloadType\":\"customer\"}}"}
//! # }]}"#).unwrap();
//! let client = Clearent::builder(ApiKey::new("0123456789abcdef0123456789abcdef")?)
//!     .environment(Environment::Sandbox)
//!     .exchange(Replaying::new(cassette))
//!     .build()?;
//!
//! let ada = NewCustomer::builder().customer_key("member-7").first_name("Ada").last_name("Byron").build()?;
//! let created = client.customers().create(&ada).await?;
//! assert_eq!(created.customer_key, CustomerKey::try_from("member-7")?);
//! assert_eq!(created.exchange_id(), Some("ID-clearent-rps-1-0b7c"));
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "testing"))]
//! # fn main() {}
//! ```
//!
//! The repository has a guide, `docs/guide`: getting started, the concepts, and each resource with what goes over the
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
//!
//! None excludes another.

#[cfg(feature = "blocking")]
pub mod blocking;
pub mod clearent;
pub mod clientpay;
mod environment;
mod error;
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
    NaiveDateTime, Reported, Rule, Total, Violation, Violations,
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
