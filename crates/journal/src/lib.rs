//! Every write takes effect once.

pub mod clearent;
mod clock;
mod driver;
mod error;
mod gateway;
mod inbox;
mod journal;
pub mod machine;
mod moment;
mod settled;
#[cfg(test)]
mod simulation;
pub mod store;

pub use clearent::Clearent;
pub use clock::{Clock, ShiftedClock, SystemClock};
pub use error::Error;
pub use journal::{By, Journal};
pub use moment::Moment;
pub use settled::{Settled, Told, Waits};
