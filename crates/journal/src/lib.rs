//! Every write takes effect once.

mod access;
pub mod clearent;
pub mod clientpay;
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

pub use access::SharedAccessIds;
pub use clearent::Clearent;
pub use clientpay::ClientPay;
pub use clock::{Clock, ShiftedClock, SystemClock};
pub use error::Error;
pub use journal::{Bound, By, Journal};
pub use moment::Moment;
pub use settled::{Settled, Told, Waits};
