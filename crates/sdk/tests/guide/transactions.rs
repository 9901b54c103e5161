//! The chapter on transactions and batches.

use perennial::clearent::{
    Capture, Charge, Charged, OneTimeToken, Refund, Settlement, TokenId, Transaction, TransactionId, Void,
};
use perennial::{Clearent, Error, Response};

use crate::steps;
use crate::wire::{Outcome, Wire};

pub(crate) async fn run(Wire { client, world, .. }: Wire) -> Outcome {
    let ada = steps::ada(&client).await?;
    let token = steps::card(&client, &ada).await?;
    let sold = sell(&client, &token).await?;
    let id = sold.id.clone().ok_or("a sale has an id")?;

    assert_eq!(tell(&sold), "approved: 700701");
    let sale = Charge::builder().amount("0.21").card(&token).exp_date("1230").order_id("order-1043");
    let declined = client.transactions().sale(&sale.build()?).await?;
    assert_eq!(tell(&declined), "declined: 012 Not Sufficient Funds");

    take_later(&client, &token).await?;
    let voided = void(&client, &id).await?;
    assert!(voided.is_approved());

    let sold = sell(&client, &token).await?.into_value();
    settle(&client).await?;
    let refunded = refund(&client, &sold.id.clone().ok_or("a sale has an id")?).await?;
    assert_eq!(refunded.ref_id, sold.id);

    let posted = exchanged(&client, &world.webhook_key().await?).await?;
    assert!(sell_once(&client, &posted).await?.is_approved());
    Ok(())
}

/// The work of a payer's page: it exchanges the card for a token, and posts only the token to the merchant.
async fn exchanged(client: &Clearent, public_key: &str) -> Result<String, Box<dyn std::error::Error>> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let answer = reqwest::Client::new()
        .post(format!("{}/rest/v2/mobilejwt/manual", client.environment().base_url()))
        .header("public-key", public_key)
        .body(r#"{"card":"4111111111111111","exp-date":"1230","csc":"999"}"#)
        .send()
        .await?;
    let answer: serde_json::Value = serde_json::from_str(&answer.text().await?)?;
    Ok(answer["payload"]["mobile-jwt"]["jwt"].as_str().ok_or("a token")?.to_owned())
}

async fn sell_once(client: &Clearent, posted: &str) -> Result<Response<Charged>, Error> {
    let token = OneTimeToken::try_from(posted)?;
    let sale = Charge::builder().amount("25.00").card(token).order_id("order-1044");
    client.transactions().sale(&sale.build()?).await
}

async fn sell(client: &Clearent, token: &TokenId) -> Result<Response<Charged>, Error> {
    let sale = Charge::builder().amount("25.00").card(token).exp_date("1230").order_id("order-1042");
    client.transactions().sale(&sale.build()?).await
}

fn tell(sold: &Transaction) -> String {
    match sold.decline() {
        None => format!("approved: {}", sold.id.as_ref().map_or("", TransactionId::as_str)),
        Some(decline) => format!(
            "declined: {} {}",
            decline.code.as_deref().unwrap_or_default(),
            decline.message.as_deref().unwrap_or_default(),
        ),
    }
}

async fn take_later(client: &Clearent, token: &TokenId) -> Outcome {
    let charge = Charge::builder().amount("40.00").card(token).exp_date("1230").build()?;
    let reserved = client.transactions().auth(&charge).await?;
    let id = reserved.id.clone().ok_or("an approved authorization has an id")?;

    let capture = Capture::builder().id(id).amount("35.00").build()?;
    client.transactions().capture(&capture).await?;
    Ok(())
}

async fn void(client: &Clearent, id: &TransactionId) -> Result<Response<Transaction>, Error> {
    client.transactions().void(&Void { id: id.clone() }).await
}

async fn refund(client: &Clearent, id: &TransactionId) -> Result<Response<Transaction>, Error> {
    let refund = Refund::builder().id(id).amount("10.00").build()?;
    client.transactions().refund(&refund).await
}

async fn settle(client: &Clearent) -> Result<(), Error> {
    if let Some(open) = client.batches().open().await?.into_value() {
        client.batches().settle(&Settlement::of(&open)).await?;
    }
    Ok(())
}
