//! The messages of both vendors: golden documents, the bytes of every call, and common properties.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that panics has failed, helpers included")]
#![allow(
    clippy::too_many_lines,
    clippy::type_complexity,
    clippy::similar_names,
    clippy::format_push_string,
    reason = "tests are tables, and say at length what was wrong"
)]

mod clientpay;
mod corpus;
mod leniency;
mod live_clients;
mod masking;
mod messages;
mod properties;
mod queries;
mod samples;
mod strictness;
mod unreadable;
mod webhook;
