//! The journal against the sandbox.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test that panics has failed, helpers included")]

mod clientpay;
mod edges;
mod observed;
mod old_backup;
mod once;
#[cfg(all(unix, feature = "postgres"))]
#[path = "../common/postgres.rs"]
mod postgres;
mod restored;
mod runbook;
mod size;
mod support;
mod worlds;
