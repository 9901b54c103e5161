//! The sandbox over real HTTP, as independent programs use it: raw requests and answers.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that panics has failed, helpers included")]
#![allow(
    clippy::too_many_lines,
    clippy::type_complexity,
    clippy::similar_names,
    clippy::format_push_string,
    reason = "tests are tables, and say at length what was wrong"
)]

mod attested;
mod batches;
mod canary;
mod checks;
mod client;
mod clientpay;
mod clock;
mod console;
mod duplicates;
mod durability;
mod engine;
mod faults;
mod http;
mod lists;
mod live_clients;
mod not_emulated;
mod one_time_tokens;
mod openapi;
mod operations;
mod options;
mod payment_page;
mod profiles;
mod rules;
mod same_day;
mod secrets;
mod snapshots;
mod strictness;
mod transactions;
mod webhooks;
mod worlds;
