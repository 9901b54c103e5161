//! The conformance suite over hyper.

use perennial_transport::HyperExchange as Http;

#[path = "conformance/proxy.rs"]
mod proxy;
#[path = "conformance/wire.rs"]
mod wire;

/// The name of a test of this suite.
fn test(name: &str) -> String {
    format!("over_hyper::{name}")
}
