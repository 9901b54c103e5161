//! The program crashes at every statement, and its row and the intent are stored together or not at all.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test that panics has failed, helpers included")]

mod chapter;
mod crashes;
#[path = "../../../common/postgres.rs"]
mod postgres;
mod shop;
