//! Tests of the transport against gateways that misbehave.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that panics has failed, helpers included")]

mod graph;
mod masking;
mod proxy;
mod secrets;
mod sending;
mod socket;
mod testing;
mod wire;
