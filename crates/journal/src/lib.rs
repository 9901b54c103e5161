//! Every write to a payment gateway takes effect once.

pub mod machine;
mod moment;
pub mod store;

pub use moment::Moment;
