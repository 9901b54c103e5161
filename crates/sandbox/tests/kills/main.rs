//! A sandbox that is killed at any moment keeps what it answered, and holds nothing by halves.
//!
//! Writers keep their own books of what was answered; after each kill the world is judged by them. A handful of kills
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
