//! Billing over the sandbox.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test that panics has failed, helpers included")]

mod adopt;
mod alerts;
mod books;
mod by_hand;
mod cards;
mod events;
#[path = "../common/habits.rs"]
mod habits;
mod life;
mod nights;
mod person;
mod planted;
#[cfg(all(unix, feature = "postgres"))]
#[path = "../../../journal/tests/common/postgres.rs"]
mod postgres;
mod profiles;
mod reports;
mod rows;
mod stalled;
mod support;
mod workers;
