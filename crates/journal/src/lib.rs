//! Every write to a payment gateway takes effect once.
//!
//! A [`Journal`] stores a decision before its request leaves, and looks at the gateway if the response is lost. The
//! caller gives each decision a name, the operation key; the same key again returns the recorded outcome, or finds it
//! out. The page `docs/JOURNAL.md` of the repository says what is promised, and against which failure each mechanism
//! stands.
//!
//! ```
//! use perennial::clearent::{ApiKey, NewCustomer};
//! use perennial::{BaseUrl, Clearent};
//! use perennial_journal::{Journal, Settled, Told};
//! use perennial_sandbox::{Effect, Fault, Sandbox};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sandbox = Sandbox::start().await?;
//! let client = Clearent::builder(ApiKey::new(sandbox.api_key().expose())?)
//!     .environment(sandbox.base_url().parse::<BaseUrl>()?)
//!     .build()?;
//! let journal = Journal::open("sqlite::memory:").await?;
//! let north = journal.clearent("north-street", &client).await?;
//!
//! // The response is lost, and the journal finds the customer.
//! sandbox.fault(&Fault::on("customers.create", Effect::DropReply).nth(1)).await?;
//! let ada = NewCustomer::builder().first_name("Ada").last_name("Byron").build()?;
//! let first = north.customers().create("signup-1042", &ada).await?;
//! assert!(matches!(first, Settled::Done { how: Told::Adopted, .. }));
//!
//! // The same key again sends nothing.
//! let second = north.customers().create("signup-1042", &ada).await?;
//! assert!(matches!(second, Settled::Done { how: Told::Replayed, .. }));
//! # Ok(()) }
//! ```
//!
//! # Features
//!
//! * `metrics`: counters and gauges through the facade of the crate `metrics`. Off by default.
//! * `postgres`: journals on `PostgreSQL`, for many machines. Off by default.

mod access;
mod binding;
pub mod clearent;
pub mod clientpay;
mod clock;
mod driver;
mod error;
mod extension;
mod gateway;
mod inbox;
mod journal;
pub mod machine;
mod moment;
mod observe;
mod settled;
#[cfg(test)]
mod simulation;
pub mod store;

pub use access::SharedAccessIds;
pub use binding::Bound;
pub use clearent::{Clearent, Later};
pub use clientpay::ClientPay;
pub use clock::{Clock, ManualClock, ShiftedClock, SystemClock};
pub use driver::{check_key, mark_of, new_uid};
pub use error::Error;
pub use gateway::request::unmarked;
pub use journal::{Adopted, By, Journal};
pub use moment::Moment;
pub use settled::{Settled, Told, Waits};

/// Runs the example of the repository's README as a test.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

/// Runs the example of this package's README as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Package;

/// Runs the example of the page on the journal.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/JOURNAL.md")]
struct ExactlyOnce;
