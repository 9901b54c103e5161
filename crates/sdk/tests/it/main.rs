//! Tests of the facade with gateways in memory: its requests, its results for each response, and the absence of
//! secrets.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that panics has failed, helpers included")]
#![allow(
    clippy::too_many_lines,
    clippy::type_complexity,
    clippy::similar_names,
    clippy::format_push_string,
    reason = "tests are tables, and say at length what was wrong"
)]

mod clientpay;
mod face;
mod gateway;
mod invoices;
#[cfg(unix)]
mod keys;
mod lists;
mod looks;
mod operations;
mod order;
mod outcomes;
mod recordings;
mod repeats;
mod requests;
#[cfg(target_os = "linux")]
mod secret_service;
mod secrets;
mod unreadable;
mod without_async;
