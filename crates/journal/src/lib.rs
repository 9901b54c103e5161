//! Every write to a payment gateway takes effect once.

pub mod machine;
mod moment;

pub use moment::Moment;
