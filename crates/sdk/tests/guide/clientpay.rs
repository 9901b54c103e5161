//! The chapter on ClientPay.

use perennial::clientpay::{
    Card, Expected, InvoicePage, NewPayment, PageInvoice, PageOptions, Payment, PaymentId, Refund,
    ResponseOptions, UsedRequestId, Verdict,
};
use perennial::{Amount, ClientPay, Error, Response};

use crate::wire::{Outcome, Wire};

pub(crate) async fn run(Wire { clientpay: client, .. }: Wire) -> Outcome {
    let (_, page) = send(&client).await?;
    assert!(!is_paid(&client, page, "2490.50".parse()?).await?);

    let paid = pay(&client).await?;
    assert!(paid.is_approved());
    let request = paid.request_id.clone().ok_or("a payment has its request id")?;
    assert!(is_paid(&client, request, "540.25".parse()?).await?);
    refund(&client, &paid.payment_id.clone().ok_or("an approved payment has an id")?).await?;
    Ok(())
}

async fn send(client: &ClientPay) -> Result<(String, UsedRequestId), Error> {
    let invoice = PageInvoice::builder()
        .invoice_number("INV-70412")
        .invoice_date("2027-01-04")
        .outstanding_balance("2490.50")
        .editable(false);
    let response_options =
        ResponseOptions::builder().server_side_return_address("https://portal.example.test/hook");
    let page = InvoicePage::builder()
        .invoice(invoice)
        .page_options(PageOptions::builder().header_text("Pay Marsh & Oak LLP").duration(86_400))
        .response_options(response_options)
        .build()?;
    let page = client.pages().invoices(&page).await?.into_value();
    Ok((page.url, page.request_id))
}

async fn is_paid(client: &ClientPay, request_id: UsedRequestId, amount: Amount) -> Result<bool, Error> {
    let expected = Expected { request_id, amount: Some(amount) };
    let confirmed = client.payments().confirm(&expected).await?;
    Ok(confirmed.as_ref().is_some_and(|confirmed| confirmed.verdict() == Verdict::Approved))
}

async fn pay(client: &ClientPay) -> Result<Response<Payment>, Error> {
    let card = Card::builder()
        .cardholder_name("Rosa Lind")
        .card_number("4000100011112224")
        .expiration_date("0930")
        .cvv("123");
    let payment = NewPayment::builder().total_amount("540.25").tax("40.25").credit_card(card).build()?;
    client.payments().pay(&payment).await
}

async fn refund(client: &ClientPay, id: &PaymentId) -> Result<Response<Payment>, Error> {
    let refund = Refund::builder().payment_id(id).build()?;
    client.payments().refund(&refund).await
}
