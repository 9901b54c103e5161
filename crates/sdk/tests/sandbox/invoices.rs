//! Invoices: each is paid once, even if responses are lost.

use perennial::clearent::{Charge, InvoicePayment, InvoiceStatus, Lookup, Reference, Void};
use perennial::clientpay::{Expected, InvoicePage};
use perennial::{BaseUrl, Builder, ClientPay, ErrorKind, Format, Invoice, InvoiceLine};
use perennial_sandbox::{Effect, Fault};

use crate::{FORMATS, start};

fn invoice(number: &str, amount: &str) -> Invoice {
    let line = InvoiceLine::builder().description("Labor").amount(amount);
    Invoice::builder().number(number).date("2027-01-04").tax("5.00").line(line).build().unwrap()
}

fn card() -> Builder<Charge> {
    Charge::builder().card("4111 1111 1111 1111").exp_date("1230").csc("999")
}

/// Holds: An invoice is charged once under its number.
#[tokio::test]
async fn an_invoice_is_paid_once() {
    for format in FORMATS {
        let (_sandbox, client) = start(format).await;
        let number = Reference::try_from("INV-1").unwrap();
        assert_eq!(client.invoices().status(&number).await.unwrap(), InvoiceStatus::Unpaid(None));

        // The issuer declines the amount 0.21; then nothing is paid, and the decline is known.
        let declined = Invoice::builder().number("INV-1").date("2027-01-04");
        let declined =
            declined.line(InvoiceLine::builder().description("Test").amount("0.21")).build().unwrap();
        let InvoicePayment::Charged(made) = client.invoices().pay(&declined, card()).await.unwrap() else {
            panic!("a first charge")
        };
        assert!(made.decline().is_some());
        let InvoiceStatus::Unpaid(Some(last)) = client.invoices().status(&number).await.unwrap() else {
            panic!("a decline")
        };
        assert_eq!(last.id, made.id);

        let InvoicePayment::Charged(made) =
            client.invoices().pay(&invoice("INV-1", "250.00"), card()).await.unwrap()
        else {
            panic!("a second charge")
        };
        assert_eq!((made.is_approved(), made.amount.unwrap().to_string()), (true, "255.00".to_owned()));
        assert_eq!((made.invoice.as_deref(), made.order_id.as_deref()), (Some("INV-1"), Some("INV-1")));
        for (amount, is_the_same) in [("250.00", true), ("1.00", false)] {
            let again = client.invoices().pay(&invoice("INV-1", amount), card()).await.unwrap();
            let earlier = match again {
                InvoicePayment::AlreadyPaid(before) if is_the_same => before,
                InvoicePayment::Conflicting(earlier) if !is_the_same => earlier,
                other => panic!("{amount}: {other:?}"),
            };
            assert_eq!(earlier.id, made.id);
        }

        // A voided invoice can be paid again; another number is another invoice.
        client.transactions().void(&Void { id: made.id.clone().unwrap() }).await.unwrap();
        assert!(matches!(client.invoices().status(&number).await.unwrap(), InvoiceStatus::Unpaid(_)));
        let again = client.invoices().pay(&invoice("INV-1", "250.00"), card()).await.unwrap();
        assert!(matches!(again, InvoicePayment::Charged(made) if made.is_approved()));
        let other = client.invoices().pay(&invoice("INV-2", "250.00"), card()).await.unwrap();
        assert!(matches!(other, InvoicePayment::Charged(made) if made.is_approved()));
    }
}

/// Holds: After a lost response an invoice is looked up and not charged again.
#[tokio::test]
async fn a_lost_answer_is_looked_for_and_never_charged_again() {
    for (effect, is_made) in [
        (Effect::DropReply, true),
        (Effect::ErrorAfter { status: 500 }, true),
        (Effect::CutReply { at_byte: 40 }, true),
        (Effect::ErrorBefore { status: 500 }, false),
    ] {
        let (sandbox, client) = start(Format::Json).await;
        sandbox.fault(&Fault::on("transactions.sale", effect.clone()).nth(1)).await.unwrap();
        let paid = client.invoices().pay(&invoice("INV-1", "250.00"), card()).await;
        match paid {
            Ok(InvoicePayment::Charged(made)) => assert!(is_made && made.is_approved(), "{effect:?}"),
            Ok(other) => panic!("{effect:?}: {other:?}"),
            Err(error) => {
                assert_eq!((error.kind(), is_made), (ErrorKind::OutcomeUnknown, false), "{effect:?}");
                let number = Reference::try_from("INV-1").unwrap();
                assert_eq!(error.lookup(), Some(&Lookup::Invoice(number)), "{effect:?}");
            }
        }
        let again = client.invoices().pay(&invoice("INV-1", "250.00"), card()).await.unwrap();
        assert_eq!(matches!(again, InvoicePayment::AlreadyPaid(_)), is_made, "{effect:?}");
        let search = perennial::clearent::TransactionSearch::default();
        let all = client.transactions().search(&search).collect_all().await.unwrap();
        assert_eq!(all.len(), 1, "{effect:?}");
    }
}

/// Both look up the invoice before either charges; then the gateway finds the first charge.
#[tokio::test]
async fn two_who_pay_at_one_moment_charge_once() {
    let (_sandbox, client) = start(Format::Json).await;
    let invoice = invoice("INV-1", "250.00");
    let pay = || client.invoices().pay(&invoice, card());
    let paid = tokio::join!(pay(), pay(), pay(), pay());
    let paid = [paid.0, paid.1, paid.2, paid.3].map(Result::unwrap);
    let made = paid.iter().filter(|paid| matches!(paid, InvoicePayment::Charged(_))).count();
    let before = paid.iter().filter(|paid| matches!(paid, InvoicePayment::AlreadyPaid(_))).count();
    assert_eq!((made, before), (1, 3), "{paid:?}");
}

/// The gateway finds the charge by the invoice's number, although its order is another one.
#[tokio::test]
async fn a_charge_for_something_else_pays_no_invoice() {
    let (_sandbox, client) = start(Format::Json).await;
    let order = card().amount("255.00").invoice("INV-1").order_id("order-1").build().unwrap();
    let order = client.transactions().sale(&order).await.unwrap();
    let paid = client.invoices().pay(&invoice("INV-1", "250.00"), card()).await.unwrap();
    assert!(matches!(paid, InvoicePayment::Conflicting(earlier) if earlier.id == order.id));
}

#[tokio::test]
async fn the_same_invoice_is_a_page_of_the_other_gateway() {
    let (sandbox, _) = start(Format::Json).await;
    let client = ClientPay::builder(sandbox.clientpay());
    let client = client.environment(sandbox.base_url().parse::<BaseUrl>().unwrap()).build().unwrap();
    let invoice = invoice("INV-1", "250.00");
    let page = InvoicePage::builder().invoice(invoice.on_page()).session_id("INV-1").build().unwrap();
    let page = client.pages().invoices(&page).await.unwrap();
    assert!(page.url.starts_with(sandbox.base_url()));
    let expected = Expected { request_id: page.request_id.clone(), amount: Some(invoice.amount()) };
    assert!(client.payments().confirm(&expected).await.unwrap().is_none());
}
