//! The journal against the sandbox.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod once;
mod restored;
mod support;
