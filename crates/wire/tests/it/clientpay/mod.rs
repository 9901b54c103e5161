//! The messages of ClientPay.

mod properties;
pub(crate) mod replies;
mod requests;

use std::fs;
use std::path::PathBuf;

use perennial_domain::clientpay::*;
use perennial_wire::clientpay::{
    Call, ReadError, Received, Session, Version, access, invoice, page, payer, payment, search,
};
use perennial_wire::{EncodeError, Limits};

pub(crate) const CARD: &str = "4111111111111111";

pub(crate) fn access_id() -> AccessId {
    "6b0f0a57-2f6a-4a6e-9a0f-64c1b8b7d210".parse().unwrap()
}

pub(crate) fn request_id(tail: &str) -> RequestId {
    match tail {
        "" => "0d3f4c2e-7f55-4d0e-9a6a-3f2f8f6f1b11".parse().unwrap(),
        tail => format!("5a1b2c3d-0001-4aaa-8bbb-{tail:0>12}").parse().unwrap(),
    }
}

/// A document of the corpus, without the line end that closes its file.
pub(crate) fn corpus(path: &str) -> Option<String> {
    let path: PathBuf =
        [env!("CARGO_MANIFEST_DIR"), "tests/corpus/clientpay", &format!("{path}.json")].iter().collect();
    fs::read_to_string(path).ok().map(|text| text.trim_end().to_owned())
}

pub(crate) fn body(call: &Call) -> &str {
    std::str::from_utf8(call.body.as_ref().expect("the call has a body")).unwrap()
}

/// A request: its golden document, a client's encoder, and a gateway's reader, whose result is encoded again.
pub(crate) struct Request {
    pub(crate) name: &'static str,
    pub(crate) version: Version,
    pub(crate) write: fn(Session<'_>) -> Result<Call, EncodeError>,
    pub(crate) reread: fn(Session<'_>, &[u8]) -> Result<Call, ReadError>,
}

/// Encodes with `$write` the value read by `$read`, under the ids that came with it.
macro_rules! keyed {
    ($read:path, $write:path) => {
        |session, body| {
            let Received { request_id, request, .. } = $read(body, &Limits::default())?;
            Ok($write(session, &request_id, &request).unwrap())
        }
    };
    ($read:path as $version:path, $write:path) => {
        |session, body| {
            let Received { request_id, request, .. } = $read($version, body, &Limits::default())?;
            Ok($write(session, &request_id, &request).unwrap())
        }
    };
}

pub(crate) const REQUESTS: &[Request] = &[
    Request {
        name: "access-new",
        version: Version::V2,
        write: |session| access::new(session.version, &credentials()),
        reread: |session, body| {
            Ok(access::new(session.version, &access::read_credentials(body, &Limits::default())?).unwrap())
        },
    },
    Request {
        name: "access-new-for-customer",
        version: Version::V2,
        write: |session| {
            let credentials = CustomerCredentials::builder()
                .integrator_key("int-5f0c7d1a")
                .customer_key("cust-311")
                .customer_pin("4409");
            access::new_for_customer(session.version, &credentials.build().unwrap())
        },
        reread: |session, body| {
            let read = access::read_customer_credentials(body, &Limits::default())?;
            Ok(access::new_for_customer(session.version, &read).unwrap())
        },
    },
    Request {
        name: "page-invoices",
        version: Version::V2,
        write: |session| page::invoices(session, &request_id(""), &invoice_page()),
        reread: keyed!(page::read_invoices as Version::V2, page::invoices),
    },
    Request {
        name: "page-line-items",
        version: Version::V2,
        write: |session| page::line_items(session, &request_id("2"), &line_item_page()),
        reread: keyed!(page::read_line_items as Version::V2, page::line_items),
    },
    Request {
        name: "page-connect",
        version: Version::V2,
        write: |session| page::connect(session, &request_id("3"), &connect_page()),
        reread: keyed!(page::read_connect as Version::V2, page::connect),
    },
    Request {
        name: "page-payer",
        version: Version::V2,
        write: |session| page::payer(session, &request_id("4"), &payer_page()),
        reread: keyed!(page::read_payer, page::payer),
    },
    Request {
        name: "page-expire",
        version: Version::V2,
        write: |session| page::expire(session, &request_id("").used()),
        reread: |session, body| {
            let Received { request_id, request: (), .. } = page::read_expire(body, &Limits::default())?;
            Ok(page::expire(session, &request_id.used()).unwrap())
        },
    },
    Request {
        name: "connect-search",
        version: Version::V2,
        write: |session| invoice::search(session, &connect_search()),
        reread: |session, body| {
            Ok(invoice::search(session, &invoice::read_search(body, &Limits::default())?).unwrap())
        },
    },
    Request {
        name: "payment-card",
        version: Version::V2,
        write: |session| payment::pay(session, &request_id("5"), &card_payment()),
        reread: keyed!(payment::read_pay as Version::V2, payment::pay),
    },
    Request {
        name: "payment-kept-method",
        version: Version::V2,
        write: |session| {
            let payment = NewPayment::builder()
                .total_amount("540.25")
                .payer_or_payment_method_id("9a7b6c5d-1111-4222-8333-444455556666")
                .order_id("PO-2211");
            payment::pay(session, &request_id("6"), &payment.build().unwrap())
        },
        reread: keyed!(payment::read_pay as Version::V2, payment::pay),
    },
    Request {
        name: "payment-e-check",
        version: Version::V2,
        write: |session| {
            let payment = NewPayment::builder().total_amount("540.25").e_check(e_check());
            payment::pay(session, &request_id("16"), &payment.build().unwrap())
        },
        reread: keyed!(payment::read_pay as Version::V2, payment::pay),
    },
    Request {
        name: "payment-refund",
        version: Version::V2,
        write: |session| payment::refund(session, &request_id("7"), &refund()),
        reread: keyed!(payment::read_refund, payment::refund),
    },
    Request {
        name: "search-results",
        version: Version::V2,
        write: |session| search::results(session, &payment_search(), PageNumber::MIN),
        reread: |session, body| {
            let search = search::read_results(body, &Limits::default())?;
            let page = *search.fields().page_number.unwrap_or(&PageNumber::MIN);
            Ok(search::results(session, &search, page).unwrap())
        },
    },
    Request {
        name: "search-count",
        version: Version::V2,
        write: |session| {
            let filter = PaymentFilter::builder().group(Criteria::request_id(&request_id("").used()));
            search::count(session, &filter.build().unwrap())
        },
        reread: |session, body| {
            Ok(search::count(session, &search::read_count(body, &Limits::default())?).unwrap())
        },
    },
    Request {
        name: "payer-create",
        version: Version::V2,
        write: |session| payer::create(session, &request_id("8"), &new_payer()),
        reread: keyed!(payer::read_create, payer::create),
    },
    Request {
        name: "payer-update",
        version: Version::V2,
        write: |session| {
            let update = PayerUpdate::builder()
                .payer_id("9a7b6c5d-1111-4222-8333-444455556666")
                .emails("accounts@example.test");
            payer::update(session, &request_id("9"), &update.build().unwrap())
        },
        reread: keyed!(payer::read_update, payer::update),
    },
    Request {
        name: "payer-delete",
        version: Version::V2,
        write: |session| payer::delete(session, &request_id("a"), &payer_id()),
        reread: keyed!(payer::read_delete, payer::delete),
    },
    Request {
        name: "payer-add-methods",
        version: Version::V2,
        write: |session| {
            let address = || address().phone_number("555-0101");
            let card = NewMethod::builder().is_primary(true).credit_card(card()).billing_address(address());
            let account =
                NewMethod::builder().is_primary(false).e_check(e_check()).billing_address(address());
            let methods = NewMethods::builder().payer_id(payer_id()).method(card).method(account);
            payer::add_methods(session, &request_id("b"), &methods.build().unwrap())
        },
        reread: keyed!(payer::read_add_methods, payer::add_methods),
    },
    Request {
        name: "payer-update-methods",
        version: Version::V2,
        write: |session| {
            let update = MethodUpdate::builder()
                .id("3c1d9c52-6a44-4f50-9a2e-5d0c2f9a7e01")
                .is_primary(true)
                .cardholder_name("Rosa M. Lind")
                .expiration_date("1031");
            let updates = MethodUpdates::builder().update(update);
            payer::update_methods(session, &request_id("c"), &updates.build().unwrap())
        },
        reread: keyed!(payer::read_update_methods, payer::update_methods),
    },
    Request {
        name: "v1-access-id",
        version: Version::V1,
        write: access::new_request_id,
        reread: |session, body| {
            let access_id = access::read_access_id(body, &Limits::default())?;
            Ok(access::new_request_id(Session { access_id: &access_id, ..session }).unwrap())
        },
    },
    Request {
        name: "v1-page-invoices",
        version: Version::V1,
        write: |session| page::invoices(session, &request_id("101"), &v1_invoice_page()),
        reread: keyed!(page::read_invoices as Version::V1, page::invoices),
    },
    Request {
        name: "v1-payment",
        version: Version::V1,
        write: |session| {
            let payment = NewPayment::builder()
                .total_amount("97.20")
                .tax("7.20")
                .session_id("S-70002")
                .customer_id("C-410")
                .description("INV-9002")
                .credit_card(card())
                .billing_information(address().country("USA"));
            payment::pay(session, &request_id("103"), &payment.build().unwrap())
        },
        reread: keyed!(payment::read_pay as Version::V1, payment::pay),
    },
    Request {
        name: "v1-page-expire",
        version: Version::V1,
        write: |session| page::expire(session, &request_id("101").used()),
        reread: |session, body| {
            let Received { request_id, request: (), .. } = page::read_expire(body, &Limits::default())?;
            Ok(page::expire(session, &request_id.used()).unwrap())
        },
    },
];

impl Request {
    pub(crate) fn golden(&self) -> String {
        corpus(&format!("requests/{}", self.name)).expect("every request has a golden document")
    }

    pub(crate) fn written(&self) -> Result<Call, EncodeError> {
        (self.write)(Session { version: self.version, access_id: &access_id() })
    }

    pub(crate) fn reread(&self, body: &[u8]) -> Result<Call, ReadError> {
        (self.reread)(Session { version: self.version, access_id: &access_id() }, body)
    }
}

pub(crate) fn credentials() -> Credentials {
    Credentials::builder()
        .integrator_key("int-5f0c7d1a")
        .account_key("acct-20417")
        .account_pin("7731")
        .build()
        .unwrap()
}

pub(crate) fn payer_id() -> PayerId {
    "9a7b6c5d-1111-4222-8333-444455556666".parse().unwrap()
}

fn card() -> CardBuilder {
    Card::builder().cardholder_name("Rosa Lind").card_number(CARD).expiration_date("0930").cvv("123")
}

fn e_check() -> ECheckBuilder {
    ECheck::builder()
        .name_on_account("Harbor Tile LLC")
        .routing_number("021000021")
        .account_number("5550001234")
        .account_type("checking_business")
}

fn address() -> AddressBuilder {
    Address::builder().address_line1("12 Quay Rd").city("Mobile").state("AL").zip_code("36602")
}

fn told() -> ResponseOptionsBuilder {
    ResponseOptions::builder().server_side_return_address("https://portal.example.test/hooks/clientpay")
}

pub(crate) fn invoice_page() -> InvoicePage {
    let invoice = Invoice::builder()
        .editable(true)
        .invoice_number("INV-70412")
        .invoice_date("2024-03-04")
        .due_date("04/03/2024")
        .subtotal_amount("2400")
        .discount_amount("100")
        .tax("190.5")
        .outstanding_balance("2490.50")
        .payment_amount("2490.50")
        .client_id("8812")
        .client_name("Harbor Tile LLC")
        .pdf_link("https://files.example.test/inv/70412.pdf");
    let options = PageOptions::builder()
        .header_text("Pay Marsh & Oak LLP")
        .subheader_text("Thank you")
        .footer_text("Questions? 555-0100")
        .hide_customer_header_logo(true)
        .duration(86_400)
        .styling("1")
        .disable_recaptcha(true)
        .enable_payer_saving(true)
        .is_payer_facing(true);
    let told =
        told().enable_client_side_post_back(true).client_side_return_address("https://portal.example.test");
    InvoicePage::builder()
        .session_id("S-88213")
        .customer_id("C-410")
        .invoice(invoice)
        .payer_or_payment_method_id(&payer_id())
        .name_on_account("Rosa Lind")
        .billing_address(address())
        .page_options(options)
        .email_options("{}")
        .response_options(told)
        .build()
        .unwrap()
}

fn line_item_page() -> LineItemPage {
    let item = LineItem::builder()
        .payment_amount("750")
        .editable(false)
        .item_id("R-19")
        .item_name("Retainer")
        .item_description("Initial retainer deposit");
    let labels = LineItemLabels::builder()
        .item_id_label("Ref")
        .item_name_label("Service")
        .item_description_label("Details");
    LineItemPage::builder()
        .session_id("S-88214")
        .customer_id("C-410")
        .line_item(item)
        .line_item_table_labels(labels)
        .name_on_account("Rosa Lind")
        .billing_address(address())
        .page_options(PageOptions::builder().duration(3_600))
        .email_options("{}")
        .response_options(told())
        .build()
        .unwrap()
}

fn connect_page() -> ConnectPage {
    let invoice = ConnectInvoice::builder()
        .invoice_number("INV-70413")
        .invoice_date("03/11/2024")
        .outstanding_balance("880")
        .payment_amount("880")
        .matter_number("0421.0007")
        .matter_description("Lease review")
        .client_id("8812")
        .client_name("Harbor Tile LLC")
        .pdf_link("https://files.example.test/inv/70413.pdf")
        .is_multi_pay(false)
        .matter_pk("M-55120");
    ConnectPage::builder()
        .session_id("S-88215")
        .customer_id("C-410")
        .connect_option(ConnectOption::Aderant)
        .invoice(invoice)
        .name_on_account("Rosa Lind")
        .billing_address(address())
        .page_options(PageOptions::builder().duration(3_600))
        .email_options("{}")
        .response_options(told())
        .build()
        .unwrap()
}

fn payer_page() -> PayerPage {
    PayerPage::builder()
        .session_id("S-88216")
        .customer_id("C-410")
        .payer_id(payer_id())
        .accept_multiple_methods(true)
        .hide_payer_name_panel(false)
        .allow_edits_to_existing_methods(false)
        .page_options(PageOptions::builder().header_text("Your saved methods").duration(3_600))
        .response_options(told())
        .build()
        .unwrap()
}

fn connect_search() -> ConnectSearch {
    ConnectSearch::builder()
        .connect_option(ConnectOption::Aderant)
        .search_option(SearchOption::Client)
        .search_text("8812")
        .filter_option(SearchOption::Matter)
        .filter_text("0421.0007")
        .build()
        .unwrap()
}

pub(crate) fn card_payment() -> NewPayment {
    NewPayment::builder()
        .session_id("S-88217")
        .customer_id("C-410")
        .total_amount("540.25")
        .tax("40.25")
        .description("March services")
        .order_id("PO-2210")
        .credit_card(card())
        .billing_information(address())
        .build()
        .unwrap()
}

fn refund() -> Refund {
    Refund::builder()
        .session_id("S-88218")
        .customer_id("C-410")
        .payment_id("20411875")
        .enable_remaining_amount_refunds(false)
        .refund_note("Billed twice")
        .order_id("PO-2210")
        .email_options("{}")
        .build()
        .unwrap()
}

fn payment_search() -> PaymentSearch {
    let is = |field, operator, value: &str| Criteria::new(field, operator, value).unwrap();
    let either = Group::from(is(Field::SessionId, Operator::Is, "S-88213")).or(is(
        Field::PaymentId,
        Operator::Is,
        "20411875",
    ));
    let group = Group::from(is(Field::PaymentDate, Operator::AtLeast, "2024-03-01"))
        .and(is(Field::PaymentDate, Operator::Below, "2024-04-01"))
        .and(either);
    PaymentSearch::builder().group(group).order_by(OrderBy::PAYMENT_DATE).page_size(100).build().unwrap()
}

fn new_payer() -> NewPayer {
    NewPayer::builder()
        .session_id("S-88219")
        .customer_id("C-410")
        .first_name("Rosa")
        .last_name("Lind")
        .business_name("Harbor Tile LLC")
        .payer_name(PayerName::FirstLast)
        .emails("rosa@example.test")
        .payer_address(address().phone_number("555-0101").country("USA"))
        .build()
        .unwrap()
}

fn v1_invoice_page() -> InvoicePage {
    let invoice = |number: &str, date: &str, due: &str, subtotal: &str, tax: &str, balance: &str| {
        Invoice::builder()
            .invoice_number(number)
            .invoice_date(date)
            .due_date(due)
            .subtotal_amount(subtotal)
            .tax(tax)
            .outstanding_balance(balance)
            .payment_amount(balance)
            .client_id("8812")
            .client_name("Harbor Tile LLC")
    };
    InvoicePage::builder()
        .session_id("S-70001")
        .customer_id("C-410")
        .invoice(
            invoice("INV-9001", "2018-02-01", "2018-03-01", "300", "24", "324")
                .discount_amount("0")
                .pdf_link("https://files.example.test/9001.pdf"),
        )
        .invoice(
            invoice("INV-9002", "2018-02-05", "2018-03-05", "100", "7.20", "97.20")
                .discount_amount("10")
                .pdf_link("https://files.example.test/9002.pdf"),
        )
        .name_on_account("Rosa Lind")
        .billing_address(address().country("USA"))
        .page_options(PageOptions::builder().duration(900).hide_customer_header_logo(true))
        .response_options(
            ResponseOptions::builder()
                .enable_client_side_post_back(true)
                .client_side_return_address("https://portal.example.test"),
        )
        .build()
        .unwrap()
}
