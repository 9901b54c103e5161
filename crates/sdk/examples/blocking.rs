//! Without async: a sale and its refund in a program without a runtime.
//!
//! `cargo run -p perennial --features blocking --example blocking`

use perennial::clearent::{ApiKey, Charge, Refund};
use perennial::{BaseUrl, Clearent, blocking};
use perennial_sandbox::Sandbox;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The sandbox needs a runtime; the client brings its own.
    let runtime = tokio::runtime::Runtime::new()?;
    let sandbox = runtime.block_on(Sandbox::start())?;
    let client = Clearent::builder(ApiKey::new(sandbox.api_key().expose())?)
        .environment(sandbox.base_url().parse::<BaseUrl>()?)
        .build()?;
    let client = blocking::Clearent::new(client)?;

    // Your own order number finds the charge again if its response is lost.
    let charge = Charge::builder().amount("25.00").order_id("order-17");
    let charge = charge.card("4111111111111111").exp_date("1230").build()?;
    let sold = client.transactions().sale(&charge)?;
    println!("{:?}", sold.status);
    if let Some(decline) = sold.decline() {
        println!("declined: {:?}", decline.message);
        return Ok(());
    }
    let id = sold.id.clone().expect("an approved sale has an id");
    let refund = client.transactions().refund(&Refund::builder().id(&id).amount("10.00").build()?)?;
    println!("refunded {:?} of {id}", refund.amount.map(|amount| amount.to_string()));
    assert!(refund.is_approved());
    Ok(())
}

/// Holds: The example without async runs.
#[test]
fn it_runs() {
    main().unwrap();
}
