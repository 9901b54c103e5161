//! The chapter on invoices.

use perennial::clearent::{Charge, InvoicePayment, InvoiceStatus, TokenId};
use perennial::{Clearent, Error, Invoice, InvoiceLine, Violations};

use crate::steps;
use crate::wire::{Outcome, Wire};

pub(crate) async fn run(Wire { client, .. }: Wire) -> Outcome {
    let ada = steps::ada(&client).await?;
    let token = steps::card(&client, &ada).await?;
    let invoice = invoice()?;
    assert_eq!(pay(&client, &invoice, &token).await?, "paid now");
    assert_eq!(pay(&client, &invoice, &token).await?, "paid before");
    assert!(is_paid(&client, &invoice).await?);
    Ok(())
}

fn invoice() -> Result<Invoice, Violations> {
    let invoice = Invoice::builder()
        .number("INV-70412")
        .date("2027-01-04")
        .line(InvoiceLine::builder().description("Decking, 20 boards").amount("400.00"))
        .line(InvoiceLine::builder().description("Labor").amount("250.00"))
        .tax("52.00")
        .build()?;
    assert_eq!(invoice.amount().to_string(), "702.00");
    Ok(invoice)
}

async fn pay(client: &Clearent, invoice: &Invoice, token: &TokenId) -> Result<&'static str, Error> {
    let with = Charge::builder().card(token).exp_date("1230");
    Ok(match client.invoices().pay(invoice, with).await? {
        InvoicePayment::Charged(charged) if charged.is_approved() => "paid now",
        InvoicePayment::Charged(_) => "declined",
        InvoicePayment::AlreadyPaid(_) => "paid before",
        InvoicePayment::Partial(_) => "a part of it was paid",
        InvoicePayment::Several(_) => "it was charged more than once",
        InvoicePayment::Conflicting(_) => "another amount was paid",
    })
}

async fn is_paid(client: &Clearent, invoice: &Invoice) -> Result<bool, Error> {
    let status = client.invoices().status(invoice.number()).await?;
    Ok(matches!(status, InvoiceStatus::Paid(charge) if charge.amount == Some(invoice.amount())))
}
