//! Every operation with a request of each kind: its message, and its success.

use std::future::Future;
use std::pin::Pin;

use http::header;
use perennial::clientpay::*;
use perennial::{Builder, ClientPay, Error, ErrorKind, blocking};
use perennial_domain::clientpay::{ConnectOption, SearchOption};

use super::gateway::{Does, Gateway};
use crate::gateway::CARD;

type Outcome = Pin<Box<dyn Future<Output = Result<String, Error>> + Send>>;

pub(crate) struct Operation {
    pub(crate) name: &'static str,
    /// Runs the operation and prints the value.
    pub(crate) run: fn(ClientPay) -> Outcome,
}

macro_rules! operations {
    ($( $name:literal: |$client:ident| $call:expr; )*) => {
        &[$( Operation {
            name: $name,
            run: |$client| Box::pin(async move { $call.await.map(|value| format!("{value:#?}")) }),
        }, )*]
    };
}

#[rustfmt::skip]
pub(crate) const OPERATIONS: &[Operation] = operations! {
    "access.current": |c| c.access().current();
    "access.new": |c| c.access().renew();
    "access.validate": |c| c.access().validate(&access_id());
    "access.new-customer": |c| c.access().renew_for_customer(&customer_credentials());
    "request-id.new": |c| c.new_request_id();
    "pages.create": |c| c.pages().invoices(&invoice_page());
    "pages.create": |c| c.pages().line_items(&line_item_page());
    "pages.create": |c| c.pages().connect(&connect_page());
    "pages.create": |c| c.pages().payer(&PayerPage::builder().build().unwrap());
    "pages.expire": |c| c.pages().expire(&"request-1".parse().unwrap());
    "connect.search": |c| c.pages().search_invoices(&connect_search());
    "clientpay-payments.create": |c| c.payments().pay(&card_payment());
    "clientpay-payments.count": |c| c.payments().count(&payment_filter());
    "clientpay-payments.search": |c| c.payments().search(payment_search()).collect_all();
    "clientpay-payments.search": |c| c.payments().confirm(&expected());
    "payers.create": |c| c.payers().create(&new_payer());
    "payers.update": |c| c.payers().update(&payer_update());
    "payers.delete": |c| c.payers().delete(&"payer-1".parse().unwrap());
    "payers.add-methods": |c| c.payers().add_methods(&new_methods());
    "payers.update-methods": |c| c.payers().update_methods(&method_updates());
};

#[tokio::test]
async fn every_operation_succeeds() {
    for Operation { name, run } in OPERATIONS {
        let gateway = Gateway::new(|_, _| Does::Well);
        run(gateway.client()).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert_eq!(gateway.asked().last().unwrap(), name);
    }
}

#[tokio::test]
async fn a_payment_is_refunded() {
    let gateway = Gateway::new(|_, _| Does::Well);
    let client = gateway.client();
    let paid = client.payments().pay(&card_payment()).await.unwrap().into_value();
    let refund = || Refund::builder().payment_id(paid.payment_id.clone()).build().unwrap();
    let voided = client.payments().refund(&refund()).await.unwrap();
    assert_eq!(
        (&voided.payment_status, voided.refund_amount),
        (&Some(PaymentStatus::VOIDED), paid.payment_amount)
    );
    let unknown = Refund::builder().payment_id("7").build().unwrap();
    let error = client.payments().refund(&unknown).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.gateway_message()),
        (ErrorKind::NotFound, Some("The payment is not known."))
    );
}

/// The access id is in a header in version 2 (in two where the vendor's pages differ), and in the body in version 1.0.
#[tokio::test]
async fn where_the_access_id_goes() {
    for version in [Version::V2, Version::V1] {
        let gateway = Gateway::new(|_, _| Does::Well);
        let client = gateway.builder().version(version).build().unwrap();
        let payment = NewPayment::builder().total_amount("1.00").credit_card(card()).build().unwrap();
        client.payments().pay(&payment).await.unwrap();
        let headers: Vec<_> = gateway
            .requests()
            .iter()
            .map(|request| {
                let names = ["accessid", "authorization", "content-type"];
                let held = names.map(|name| request.headers().get(name).is_some());
                assert_eq!(request.headers()[header::ACCEPT], "application/json");
                assert!(names[..2].iter().all(|name| {
                    request.headers().get(*name).is_none_or(http::HeaderValue::is_sensitive)
                }));
                (request.uri().to_string(), held)
            })
            .collect();
        let v2 = version == Version::V2;
        let base = "https://api.sandbox.clientpay.com";
        let paths = match version {
            Version::V2 => {
                ["/v2/token/accessid/current", "/v2/token/accessid", "/v2/token/requestid", "/v2/payment"]
            }
            Version::V1 => {
                ["/Token/Access/Current", "/Token/Access/New", "/Token/Request/New", "/Payment/Add"]
            }
        };
        let held = [[false, false, true], [false, false, true], [v2, v2, !v2], [v2, false, true]];
        let expected: Vec<_> =
            paths.iter().zip(held).map(|(path, held)| (format!("{base}{path}"), held)).collect();
        assert_eq!(headers, expected);
    }
}

#[tokio::test]
async fn an_inferred_path_can_be_corrected() {
    let gateway = Gateway::new(|_, _| Does::Well);
    let client =
        gateway.builder().path(perennial::clientpay::Operation::Refund, "/v2/refund").build().unwrap();
    let paid = client.payments().pay(&card_payment()).await.unwrap().into_value();
    client.payments().refund(&Refund::builder().payment_id(paid.payment_id).build().unwrap()).await.unwrap();
    assert_eq!(gateway.requests().last().unwrap().uri().path(), "/v2/refund");
    for path in ["v2/refund", "/v2/refund?x=1", "/v2/../x", "//host@evil", ""] {
        let built = gateway.builder().path(perennial::clientpay::Operation::Refund, path).build();
        assert_eq!(built.unwrap_err().kind(), ErrorKind::Configuration, "{path:?}");
    }
}

#[tokio::test]
async fn what_a_version_lacks_is_refused_before_it_is_sent() {
    let gateway = Gateway::new(|_, _| Does::Well);
    let client = gateway.builder().version(Version::V1).build().unwrap();
    let error = client.payments().count(&payment_filter()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(source, "version 1.0 has no clientpay-payments.count");
    assert_eq!(gateway.count("clientpay-payments.count"), 0);
    let before = gateway.asked();
    let error = client.payers().create(&new_payer()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert_eq!(gateway.asked(), before, "not even a request id is asked for");
    assert!(client.access().validate_credentials().await.unwrap().into_value());
}

#[tokio::test]
async fn lists_end_where_a_page_is_not_full() {
    for (payments, sizes) in [(0, vec![]), (1, vec![1]), (2, vec![2]), (5, vec![2, 2, 1])] {
        let gateway = Gateway::new(|_, _| Does::Well);
        let client = gateway.client();
        for _ in 0..payments {
            client.payments().pay(&card_payment()).await.unwrap();
        }
        let search = || PaymentSearch::builder().group(session()).page_size(2).build().unwrap();
        let mut pages = client.payments().search(search()).pages();
        let mut read = Vec::new();
        while let Some(page) = pages.next_page().await {
            read.push(page.unwrap().len());
        }
        assert_eq!(read, sizes, "{payments}");
        let all = client.payments().search(search()).collect_all().await.unwrap();
        assert_eq!(all, gateway.payments());
    }
}

#[test]
fn the_same_without_async() {
    let gateway = Gateway::new(|_, _| Does::Well);
    let client = blocking::ClientPay::new(gateway.client()).unwrap();
    let id = client.new_request_id().unwrap().into_value();
    let name = id.used();
    let paid = client.payments().under(id).pay(&card_payment()).unwrap();
    assert_eq!(paid.request_id.as_ref(), Some(&name));
    let asked = Expected { request_id: name, amount: paid.payment_amount };
    let confirmed = client.payments().confirm(&asked).unwrap().into_value().unwrap();
    assert_eq!((confirmed.verdict(), &confirmed.payment().payment_id), (Verdict::Approved, &paid.payment_id));
    let all: Vec<_> = client.payments().search(payment_search()).collect::<Result<_, _>>().unwrap();
    assert_eq!(all.len(), 1);
    assert!(client.access().current().unwrap().is_some());
    assert!(client.pages().invoices(&invoice_page()).unwrap().url.contains("/#/invoicePaymentPage/"));
    assert!(client.payers().create(&new_payer()).is_ok());
}

pub(crate) fn card() -> Builder<Card> {
    Card::builder().cardholder_name("Rosa Lind").card_number(CARD).expiration_date("0930").cvv("9876")
}

pub(crate) fn card_payment() -> NewPayment {
    let payment =
        NewPayment::builder().total_amount("540.25").tax("40.25").session_id("S-1").credit_card(card());
    payment.build().unwrap()
}

pub(crate) fn invoice_page() -> InvoicePage {
    let invoice = PageInvoice::builder()
        .invoice_number("INV-1")
        .invoice_date("2024-03-04")
        .outstanding_balance("100.00");
    InvoicePage::builder().invoice(invoice).build().unwrap()
}

fn line_item_page() -> LineItemPage {
    LineItemPage::builder().line_item(LineItem::builder().payment_amount("1.00")).build().unwrap()
}

fn connect_page() -> ConnectPage {
    let invoice =
        ConnectInvoice::builder().invoice_number("1").invoice_date("2024-03-04").outstanding_balance("1");
    ConnectPage::builder().connect_option(ConnectOption::Aderant).invoice(invoice).build().unwrap()
}

pub(crate) fn connect_search() -> ConnectSearch {
    let search = ConnectSearch::builder().connect_option(ConnectOption::Aderant);
    search.search_option(SearchOption::Client).search_text("8812").build().unwrap()
}

fn session() -> Criteria {
    Criteria::new(Field::SessionId, Operator::Is, "S-1").unwrap()
}

fn payment_filter() -> PaymentFilter {
    PaymentFilter::builder().group(session()).build().unwrap()
}

fn payment_search() -> PaymentSearch {
    PaymentSearch::builder().group(session()).build().unwrap()
}

fn expected() -> Expected {
    Expected { request_id: "request-1".parse().unwrap(), amount: None }
}

pub(crate) fn new_payer() -> NewPayer {
    NewPayer::builder().first_name("Rosa").emails("rosa@example.test").build().unwrap()
}

fn payer_update() -> PayerUpdate {
    PayerUpdate::builder().payer_id("payer-1").last_name("Lind").build().unwrap()
}

pub(crate) fn new_methods() -> NewMethods {
    let account = ECheck::builder()
        .name_on_account("Rosa Lind")
        .routing_number("021000021")
        .account_number("739155501234");
    NewMethods::builder().payer_id("payer-1").method(NewMethod::builder().e_check(account)).build().unwrap()
}

fn method_updates() -> MethodUpdates {
    let update = MethodUpdate::builder().id("method-1").is_primary(true);
    MethodUpdates::builder().update(update).build().unwrap()
}

fn access_id() -> AccessId {
    "access-0001-4aaa-8bbb".parse().unwrap()
}

fn customer_credentials() -> CustomerCredentials {
    let credentials = CustomerCredentials::builder()
        .integrator_key("int-5f0c7d1a")
        .customer_key("cust-311")
        .customer_pin("pin-4409");
    credentials.build().unwrap()
}
