//! The journal against the sandbox.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, helpers included")]

mod clientpay;
mod old_backup;
mod once;
mod restored;
mod support;
mod worlds;
