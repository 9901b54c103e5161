//! This crate alone: the bytes of a request in both formats, and the content of a response. Bring your own HTTP client.
//!
//! `cargo run -p perennial-wire --example messages`

use perennial_domain::clearent::NewCustomer;
use perennial_wire::clearent::{Payload, Reply, customer};
use perennial_wire::{Format, Limits};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let new = NewCustomer::builder().first_name("Ada").last_name("Byron").build()?;
    for format in [Format::Json, Format::Xml] {
        let call = customer::create(format, &new)?;
        let body = call.body.ok_or("a create has a body")?;
        println!("{} {}\n{}\n", call.method.as_str(), call.target, std::str::from_utf8(&body)?);
        assert_eq!(call.target, "/rest/v2/customers");
    }

    let answer = br#"{"code":"402","status":"fail","exchange-id":"ID-clearent-rps-1-0",
        "payload":{"error":{"error-message":"Customer has payment plans","result-code":"041"},"payloadType":"error"}}"#;
    let reply = Reply::decode(Format::Json, answer, &Limits::default())?;
    let Payload::Error(error) = reply.payload else { return Err("an error".into()) };
    println!("{:?}", error.message);
    assert_eq!(error.message.as_deref(), Some("Customer has payment plans"));
    Ok(())
}

/// Holds: The example of messages runs.
#[test]
fn it_runs() {
    main().unwrap();
}
