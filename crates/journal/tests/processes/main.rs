//! Worker processes that are killed and stopped, over a database that crashes, against a gateway with faults.
//!
//! Several processes make the same decisions, and a checker joins the intents of the database with the objects of the
//! gateway. A short campaign is a test; `cargo xtask soak journal-processes` runs a long one.

#![cfg(all(unix, feature = "postgres"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that panics has failed, helpers included")]

mod audit;
mod campaign;
mod checker;
mod decisions;
mod faults;
mod planted;
#[path = "../common/postgres.rs"]
mod postgres;
mod process;
mod run;
mod setup;
mod tally;
mod worker;
