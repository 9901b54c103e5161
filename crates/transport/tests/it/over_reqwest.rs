//! The conformance suite over reqwest.

use perennial_transport::ReqwestExchange as Http;

#[path = "conformance/proxy.rs"]
mod proxy;
#[path = "conformance/wire.rs"]
mod wire;

/// The name of a test of this suite.
fn test(name: &str) -> String {
    format!("over_reqwest::{name}")
}
