//! The chapter on money safety.

use perennial::clearent::{Charge, Found, TokenId, Transaction};
use perennial::clientpay::{Card, NewPayment, Payment};
use perennial::{Clearent, ClientPay, Error, Response};
use perennial_sandbox::{Effect, Fault};

use crate::steps;
use crate::wire::{Outcome, Wire};

pub(crate) async fn run(Wire { client, clientpay, world }: Wire) -> Outcome {
    let ada = steps::ada(&client).await?;
    let token = steps::card(&client, &ada).await?;
    world.fault(&Fault::on("transactions.sale", Effect::DropReply).nth(1)).await?;
    let found = sell(&client, &token).await?;
    assert_eq!(found.and_then(|sold| sold.order_id).as_deref(), Some("order-1042"));

    let payment = payment()?;
    assert!(pay(&clientpay, &payment).await?.is_approved());
    Ok(())
}

async fn sell(client: &Clearent, token: &TokenId) -> Result<Option<Transaction>, Error> {
    let sale = Charge::builder().amount("25.00").card(token).exp_date("1230").order_id("order-1042");
    let error = match client.transactions().sale(&sale.build()?).await {
        Ok(sold) => return Ok(Some(sold.into_value().transaction)),
        Err(error) => error,
    };
    let Some(lookup) = error.lookup() else { return Err(error) };
    match client.look_up(lookup).await? {
        Found::Transactions(found) => Ok(found.into_iter().next()),
        _ => Err(error),
    }
}

fn payment() -> Result<NewPayment, Error> {
    let card = Card::builder().card_number("4000100011112224").expiration_date("0930").cvv("123");
    Ok(NewPayment::builder().total_amount("540.25").credit_card(card).build()?)
}

async fn pay(client: &ClientPay, payment: &NewPayment) -> Result<Response<Payment>, Error> {
    let error = match client.payments().pay(payment).await {
        Err(error) if error.is_outcome_unknown() => error,
        known => return known,
    };
    let id = error.into_request_id().expect("an unknown payment has its request id");
    client.payments().under(id).pay(payment).await
}
