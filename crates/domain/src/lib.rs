//! Recurring payments as pure values and rules.
//!
//! A value of this crate that exists is valid: constructors are strict, and a request object reports all that is
//! wrong with it at once, each violation naming its field and its rule and never the value. There is no I/O, no
//! clock and no serialisation here; [`perennial-wire`](https://docs.rs/perennial-wire) turns these values into bytes.
//!
//! ```
//! use perennial_domain::clearent::NewCustomer;
//!
//! let violations = NewCustomer::builder().first_name("Ada").email("").build().unwrap_err();
//! assert_eq!(violations.to_string(), "email: must not be empty; last-name: is required");
//! ```
//!
//! Vendor facts come from the Clearent "Recurring Payments" page and, in [`clientpay`], from the ClientPay API pages,
//! unless a page here says otherwise.

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
mod text;

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

pub use chrono::{NaiveDate, NaiveDateTime};

/// The example of the package's own page is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
