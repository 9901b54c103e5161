//! Test sales: their results, and their voids.

use perennial::blocking;
use perennial::clearent::{
    Charge, InvoicePayment, InvoiceStatus, Reference, TransactionSearch, TransactionType,
};
use perennial::{Builder, ErrorKind, Format, Invoice, InvoiceLine};
use perennial_sandbox::{Effect, Fault};

use crate::{FORMATS, start};

fn charge(amount: &str) -> Builder<Charge> {
    Charge::builder().amount(amount).card("4111 1111 1111 1111").exp_date("1230").csc("999")
}

/// Holds: A test sale voids what it charged and nothing else.
#[tokio::test]
async fn only_what_was_approved_now_is_taken_back() {
    for format in FORMATS {
        for (amount, before, approved, voids) in
            [("1.00", false, true, 1), ("0.21", false, false, 0), ("1.00", true, true, 0)]
        {
            let (_sandbox, client) = start(format).await;
            let charge = charge(amount).invoice("inv-1").check_field("invoice").build().unwrap();
            if before {
                client.transactions().sale(&charge).await.unwrap();
            }
            let sale = client.test_sale(&charge).await.unwrap();
            assert_eq!((sale.is_approved(), sale.is_duplicate()), (approved, before), "{amount}");
            let voided = sale.void().await.unwrap();
            assert_eq!(voided.is_some_and(|voided| voided.is_approved()), voids == 1, "{amount}");
            let search = TransactionSearch {
                transaction_type: Some(TransactionType::VOID),
                ..TransactionSearch::default()
            };
            let made = client.transactions().search(&search).collect_all().await.unwrap();
            assert_eq!(made.len(), voids, "{amount}");
        }
    }
}

/// Holds: A test sale with a lost response says how to look it up.
#[tokio::test]
async fn what_was_lost_on_the_way_is_to_be_looked_up() {
    let (sandbox, client) = start(Format::Json).await;
    let charge = charge("1.00").build().unwrap();
    sandbox.fault(&Fault::on("transactions.sale", Effect::DropReply).nth(1)).await.unwrap();
    let lost = client.test_sale(&charge).await.unwrap_err();
    assert_eq!((lost.kind(), lost.lookup().is_some()), (ErrorKind::OutcomeUnknown, true));

    let sale = client.test_sale(&charge).await.unwrap();
    sandbox.fault(&Fault::on("transactions.void", Effect::DropReply).nth(1)).await.unwrap();
    let lost = sale.void().await.unwrap_err();
    assert_eq!((lost.kind(), lost.lookup().is_some()), (ErrorKind::OutcomeUnknown, true));
}

#[test]
fn it_blocks_and_so_do_invoices() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (_sandbox, client) = runtime.block_on(start(Format::Json));
    let client = blocking::Clearent::new(client).unwrap();
    let sale = client.test_sale(&charge("1.00").build().unwrap()).unwrap();
    assert!(sale.is_approved() && sale.void().unwrap().is_some_and(|voided| voided.is_approved()));

    let line = InvoiceLine::builder().description("Labor").amount("250.00");
    let invoice = Invoice::builder().number("INV-1").date("2027-01-04").line(line).build().unwrap();
    let number = Reference::try_from("INV-1").unwrap();
    assert_eq!(client.invoices().status(&number).unwrap(), InvoiceStatus::Unpaid(None));
    let card = || Charge::builder().card("4111111111111111").exp_date("1230");
    assert!(matches!(client.invoices().pay(&invoice, card()).unwrap(), InvoicePayment::Charged(_)));
    assert!(matches!(client.invoices().pay(&invoice, card()).unwrap(), InvoicePayment::AlreadyPaid(_)));
    assert!(matches!(client.invoices().status(&number).unwrap(), InvoiceStatus::Paid(_)));
}
