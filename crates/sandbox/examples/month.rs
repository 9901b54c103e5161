//! Uses this crate alone, with any HTTP client: a world keeps its data, and its clock moves only on request.
//!
//! `cargo run -p perennial-sandbox --example month`

use perennial_sandbox::Sandbox;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The program that uses rustls chooses its crypto provider.
    let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
    let sandbox = Sandbox::start().await?;
    let customers = format!("{}/rest/v2/customers", sandbox.base_url());
    let gateway = reqwest::Client::new();
    let created = gateway
        .post(&customers)
        .header("api-key", sandbox.api_key().expose())
        .header("content-type", "application/json")
        .body(r#"{"first-name":"Ada","last-name":"Byron"}"#)
        .send()
        .await?;
    assert_eq!(created.status(), 201);

    let month = sandbox.advance("P1M").await?;
    println!("It is {}, and {} payments were made.", month.now, month.fired);
    assert_eq!((month.now.to_string().as_str(), month.fired), ("2027-02-01T00:00:00Z", 0));

    let listed = gateway.get(&customers).header("api-key", sandbox.api_key().expose()).send().await?;
    let listed = String::from_utf8(listed.bytes().await?.into())?;
    assert!(listed.contains("Byron"), "{listed}");
    Ok(())
}

#[test]
fn it_runs() {
    main().unwrap();
}
