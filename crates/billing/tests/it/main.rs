//! Billing over the sandbox.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test that panics has failed, helpers included")]

mod books;
mod life;
mod nights;
#[cfg(all(unix, feature = "postgres"))]
#[path = "../../../journal/tests/common/postgres.rs"]
mod postgres;
mod profiles;
mod rows;
mod support;
mod workers;
