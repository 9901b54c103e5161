//! Billing over the sandbox.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test that panics has failed, helpers included")]

mod life;
mod support;
