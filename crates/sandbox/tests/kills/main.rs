//! A sandbox that is killed at any moment keeps all answered changes, and has no partial ones.
//!
//! Writers keep their own record of answered changes; after each kill the world is compared with it. A few kills
//! is a test; `cargo xtask soak kills` runs hundreds.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that panics has failed, helpers included")]

mod books;
mod campaign;
#[cfg(target_os = "linux")]
mod memory;
mod oracle;
mod planted;
mod served;
#[cfg(target_os = "linux")]
mod slow_readers;
mod traffic;
