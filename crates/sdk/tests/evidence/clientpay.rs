//! ClientPay, whether the search that follows finds nothing or does not answer.

use std::sync::Arc;

use http::Request;
use perennial::clientpay::*;
use perennial::{ClientPay, Environment, Error, Response};
use perennial_oracle::{CASES, Case, Conclusion, Format, Reply, Vendor, golden, judge, mutations};

use crate::{Faults, Gateway, concluded, json};

fn client(gateway: &Arc<Gateway>) -> ClientPay {
    let credentials =
        Credentials::builder().integrator_key("int-5f0c7d1a").account_key("acct-20417").account_pin("7731");
    ClientPay::builder(credentials.build().unwrap())
        .environment(Environment::Sandbox)
        .exchange(gateway.clone())
        .build()
        .unwrap()
}

/// The request id under which a case is sent.
fn request_id(case: &Case) -> &'static str {
    let named = case.same.iter().chain(case.if_present).find(|(member, _)| *member == "requestID");
    named.map_or("5a1b2c3d-0001-4aaa-8bbb-000000000005", |(_, id)| id)
}

fn answering(case: &'static Case, reply: Reply, search: Reply) -> Arc<Gateway> {
    Gateway::new(move |request| match request.uri().path() {
        "/v2/token/accessid" | "/v2/token/accessid/current" => {
            json(200, r#"{"success":true,"accessId":"6b0f0a57-2f6a-4a6e-9a0f-64c1b8b7d210"}"#)
        }
        "/v2/token/accessid/validate" => json(200, r#"{"success":true,"isValid":true}"#),
        "/v2/token/requestid" => {
            json(200, format!(r#"{{"success":true,"requestId":"{}"}}"#, request_id(case)))
        }
        path if path.starts_with("/v2/paymentsearch") => search.clone(),
        _ => reply.clone(),
    })
}

async fn call(case: &Case, client: &ClientPay) -> Conclusion {
    match case.operation {
        "payments.pay" => {
            let card = Card::builder().card_number("4111111111111111").expiration_date("0930");
            let payment = NewPayment::builder().total_amount("540.25").credit_card(card).build().unwrap();
            paid(client.payments().pay(&payment).await)
        }
        "payments.refund" => {
            let refund = Refund::builder().payment_id("20411875").build().unwrap();
            value(client.payments().refund(&refund).await)
        }
        "pages.invoice" => {
            let invoice = PageInvoice::builder()
                .invoice_number("INV-70412")
                .invoice_date("2024-03-11")
                .outstanding_balance("1100.00");
            let page = InvoicePage::builder().invoice(invoice).build().unwrap();
            value(client.pages().invoices(&page).await)
        }
        "payers.create" => value(client.payers().create(&new_payer()).await),
        other => panic!("no call for {other}"),
    }
}

fn new_payer() -> NewPayer {
    NewPayer::builder().first_name("Rosa").last_name("Lind").emails("rosa@example.test").build().unwrap()
}

fn value<T>(answered: Result<T, Error>) -> Conclusion {
    answered.map_or_else(|error| concluded(false, &error), |_| Conclusion::Done)
}

fn paid(answered: Result<Response<Payment>, Error>) -> Conclusion {
    let Ok(payment) = answered else { return value(answered) };
    match (payment.is_approved(), payment.decline()) {
        (true, None) => Conclusion::Done,
        (false, Some(_)) => Conclusion::Declined,
        _ => Conclusion::Unknown,
    }
}

/// Whether the request is the operation itself, and not an id or a search.
fn sends(writes: &[String]) -> usize {
    writes.iter().filter(|call| !call.contains("/v2/token/") && !call.contains("/v2/paymentsearch")).count()
}

/// Holds: The facade concludes yes or no from a ClientPay reply only on whole and consistent evidence.
#[tokio::test(start_paused = true)]
async fn conclusions_need_evidence() {
    let nothing = json(200, r#"{"success":true,"pageNumber":1,"pageSize":100,"payments":[]}"#);
    let fails = json(500, "");
    let mut faults = Faults::default();
    let mut tried = 0;
    for case in CASES.iter().filter(|case| case.vendor == Vendor::ClientPay) {
        let format = Format::Json;
        for search in [&nothing, &fails] {
            let right = golden(case, format);
            let by_the_book = call(case, &client(&answering(case, right, search.clone()))).await;
            let is_a_duplicate = case.reply == "duplicate";
            assert!(is_a_duplicate || by_the_book != Conclusion::Unknown, "{} is not believed", case.name());
            for mutation in mutations(case, format) {
                tried += 1;
                let gateway = answering(case, mutation.reply.clone(), search.clone());
                let concluded = call(case, &client(&gateway)).await;
                faults.check(case, format, &mutation, by_the_book, concluded);
                // A refused access id and a throttled call were not performed; all else is sent once.
                let again = judge(case, &mutation.reply).allows(Conclusion::NotDone)
                    && [401, 429].contains(&mutation.reply.status);
                let sent = sends(&gateway.writes());
                if sent > 1 && !again {
                    faults.add(&case.name(), &format!("{}: sent {sent} times", mutation.name));
                }
            }
        }
    }
    assert!(tried > 5_000, "{tried} replies were tried");
    faults.assert_none();
}

/// A request that the scripted gateway was not made for would be answered by chance.
#[test]
fn the_search_is_known_by_its_path() {
    let request =
        Request::post("https://api.sandbox.clientpay.com/v2/paymentsearch/results").body(()).unwrap();
    assert!(request.uri().path().starts_with("/v2/paymentsearch"));
}
