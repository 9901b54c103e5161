//! Recurring payments as pure values and rules.
//!
//! Every value of this crate is valid: constructors are strict, and a request object reports all its violations at
//! once. Each violation names its field and its rule, and never the value. The crate has no I/O and no clock;
//! [`perennial-wire`](https://docs.rs/perennial-wire) encodes these values for a gateway.
//!
//! ```
//! use perennial_domain::clearent::NewCustomer;
//!
//! let violations = NewCustomer::builder().first_name("Ada").email("").build().unwrap_err();
//! assert_eq!(violations.to_string(), "email: must not be empty; last-name: is required");
//! ```
//!
//! # Feature `serde`
//!
//! The feature is off by default; it adds the crate `serde`. With it, keys, ids, amounts, dates and the words of a
//! gateway, such as statuses, are strings: the text of their `Display`. They are parsed by the rules of their
//! `TryFrom<&str>`, except that an amount may be `0.00` and a word may be unknown to this crate, because a gateway
//! reports both. The objects that a gateway reports are maps of their fields in `snake_case`, as Rust names them.
//! Missing members are read as `None`, and unknown members are skipped. Requests, cards, accounts, credentials and
//! one-time tokens have no serialized form.
//!
//! ```
//! # #[cfg(feature = "serde")]
//! # {
//! use perennial_domain::clearent::{Plan, PlanKey, PlanStatus};
//!
//! let key = PlanKey::try_from("plan_0a1b2c3d4e5f").unwrap();
//! let stored = serde_json::to_string(&key).unwrap();
//! assert_eq!(stored, "\"plan_0a1b2c3d4e5f\"");
//! assert_eq!(serde_json::from_str::<PlanKey>(&stored).unwrap(), key);
//! assert!(serde_json::from_str::<PlanKey>("\"no/key\"").is_err());
//!
//! let json = r#"{"plan_key":"plan_0a1b2c3d4e5f","payment_amount":"50.00","status":"ACTIVE","start_date":"2027-01-15"}"#;
//! let plan: Plan = serde_json::from_str(json).unwrap();
//! assert_eq!(plan.status, Some(PlanStatus::ACTIVE));
//! let written = serde_json::to_value(&plan).unwrap();
//! assert_eq!(written["payment_amount"], "50.00");
//! assert_eq!(serde_json::from_value::<Plan>(written).unwrap(), plan);
//! # }
//! ```
//!
//! Vendor facts come from the Clearent "Recurring Payments" page and, in [`clientpay`], from the ClientPay API pages.
//! Other sources are named where they are used.

mod builder;
mod card;
pub mod clearent;
pub mod clientpay;
mod date;
pub mod encoding;
mod error;
pub mod field;
mod flag;
mod invoice;
mod key;
pub mod mask;
mod money;
mod month;
mod open;
mod reported;
#[cfg(doctest)]
mod secrecy;
mod secret;
#[cfg(feature = "serde")]
mod serial;
mod text;
mod timestamp;

pub use builder::{Builder, Request};
pub use card::{CardBrand, CardNumber, Expiry, SecurityCode};
pub use date::{Date, add_months, http_date};
pub use error::{InvalidValue, Rule, Violation, Violations};
pub use flag::Flag;
pub use invoice::{
    Invoice, InvoiceBuilder, InvoiceFields, InvoiceLine, InvoiceLineBuilder, InvoiceLineFields,
};
pub use money::{Amount, Total};
pub use month::Month;
pub use reported::Reported;
pub use secret::Secret;
pub use text::{AsGateway, Text};
pub use timestamp::Timestamp;

pub use chrono::{NaiveDate, NaiveDateTime};

/// Runs the example of the package's README as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
