//! The chapter on testing.

use perennial::clearent::{ApiKey, Charge};
use perennial::{BaseUrl, Clearent, Error};
use perennial_sandbox::{Effect, Fault, Sandbox};

async fn charge(client: &Clearent, amount: &str) -> Result<String, Error> {
    let charge = Charge::builder().amount(amount).card("4111111111111111").exp_date("1230").build()?;
    let sold = client.transactions().sale(&charge).await?;
    Ok(sold.decline().and_then(|decline| decline.message).unwrap_or_else(|| "thank you".into()))
}

#[tokio::test]
async fn a_customer_is_told_what_happened() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Clearent::builder(ApiKey::new(sandbox.api_key().expose()).unwrap())
        .environment(sandbox.base_url().parse::<BaseUrl>().unwrap())
        .build()
        .unwrap();
    assert_eq!(charge(&client, "25.00").await.unwrap(), "thank you");
    assert_eq!(charge(&client, "0.21").await.unwrap(), "Not Sufficient Funds");

    sandbox.fault(&Fault::on("transactions.sale", Effect::DropReply)).await.unwrap();
    assert!(charge(&client, "25.00").await.unwrap_err().is_outcome_unknown());
}
