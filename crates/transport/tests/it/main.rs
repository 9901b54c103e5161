//! Tests of the transport against gateways that misbehave.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that panics has failed, helpers included")]
#![allow(clippy::duplicate_mod, reason = "every exchange runs the same suite")]

mod graph;
mod masking;
mod over_hyper;
mod over_reqwest;
mod secrets;
mod sending;
mod socket;
mod testing;
