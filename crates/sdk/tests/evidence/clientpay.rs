//! The cases of ClientPay, both with a search that finds nothing and with one that fails.

use std::sync::Arc;

use http::Request;
use perennial::clientpay::*;
use perennial::{ClientPay, Environment, Error, Response};
use perennial_oracle::{
    CASES, Case, Claim, Conclusion, Expect, Format, Reply, Vendor, golden, judge, mutations,
};

use crate::told::{Tell, done, each, listed};
use crate::{Faults, Gateway, concluded, json};

const ACCESS: &str = "6b0f0a57-2f6a-4a6e-9a0f-64c1b8b7d210";

fn client(case: &Case, gateway: &Arc<Gateway>) -> ClientPay {
    let credentials =
        Credentials::builder().integrator_key("int-5f0c7d1a").account_key("acct-20417").account_pin("7731");
    let is_of_version_1 = ["payments.status", "access.validate-credentials"].contains(&case.operation);
    ClientPay::builder(credentials.build().unwrap())
        .environment(Environment::Sandbox)
        .version(if is_of_version_1 { Version::V1 } else { Version::V2 })
        .exchange(gateway.clone())
        .build()
        .unwrap()
}

/// The request id under which a case is sent.
fn request_id(case: &Case) -> &'static str {
    let named = case.same.iter().chain(case.if_present).find(|(member, _)| *member == "requestID");
    named.map_or("5a1b2c3d-0001-4aaa-8bbb-000000000005", |(_, id)| id)
}

/// The path of the call whose response a case judges.
fn path(case: &Case) -> &'static str {
    match case.operation {
        "access.new" => "/v2/token/accessid",
        "access.current" => "/v2/token/accessid/current",
        "access.validate" => "/v2/token/accessid/validate",
        "access.expire" => "/v2/token/accessid/expire",
        "access.new-customer" => "/v2/token/customeraccessid",
        "access.validate-credentials" => "/Token/Credentials/Validate",
        "request-id.new" => "/v2/token/requestid",
        "payments.status" => "/Payment/Status",
        "payments.count" => "/v2/paymentsearch/count",
        "payments.search" | "payments.confirm" => "/v2/paymentsearch/results",
        "payments.pay" if case.expect == Expect::Look => "/v2/paymentsearch/results",
        "payments.pay" => "/v2/payment",
        "payments.refund" => "/v2/payment/refund",
        "pages.invoices" => "/v2/paymentpage/invoice",
        "pages.line-items" => "/v2/paymentpage/lineitem",
        "pages.connect" => "/v2/connect/paymentpage",
        "pages.payer" => "/v2/payer/payerpage",
        "pages.expire" => "/v2/expirepage",
        "connect.search" => "/v2/connect/search",
        "payers.create" => "/v2/payer",
        "payers.update" => "/v2/payer/update",
        "payers.delete" => "/v2/payer/delete",
        "payers.add-methods" => "/v2/payer/paymentmethods",
        "payers.update-methods" => "/v2/payer/paymentmethods/update",
        other => panic!("no path for {other}"),
    }
}

/// A gateway that responds to the call itself with the reply.
fn answering(case: &'static Case, reply: Reply, search: Reply) -> Arc<Gateway> {
    Gateway::new(move |request| {
        let called = request.uri().path();
        let is_of = |family: &str| called.to_ascii_lowercase().contains(family);
        if called == path(case) {
            reply.clone()
        } else if is_of("/token/access") && is_of("validate") {
            json(200, r#"{"success":true,"isValid":true}"#)
        } else if is_of("/token/access") {
            json(200, format!(r#"{{"success":true,"accessId":"{ACCESS}"}}"#))
        } else if is_of("/token/request") {
            json(200, format!(r#"{{"success":true,"requestId":"{}"}}"#, request_id(case)))
        } else if is_of("/paymentsearch") {
            search.clone()
        } else {
            // The response to the payment itself is lost.
            json(500, "")
        }
    })
}

async fn call(case: &Case, client: &ClientPay) -> Claim {
    let access: AccessId = ACCESS.parse().unwrap();
    let payer: PayerId = "9a7b6c5d-1111-4222-8333-444455556666".parse().unwrap();
    match case.operation {
        "access.new" => simply(case, client.access().renew().await),
        "access.current" => maybe(client.access().current().await),
        "access.validate" => is_valid(client.access().validate(&access).await),
        "access.validate-credentials" => is_valid(client.access().validate_credentials().await),
        "access.expire" => simply(case, client.access().expire(&access).await),
        "access.new-customer" => {
            let customer = CustomerCredentials::builder()
                .integrator_key("int-5f0c7d1a")
                .customer_key("cust-311")
                .customer_pin("4409");
            simply(case, client.access().renew_for_customer(&customer.build().unwrap()).await)
        }
        "request-id.new" => simply(case, client.new_request_id().await),
        "payments.pay" => {
            let amount = if case.expect == Expect::Look { "2490.50" } else { "540.25" };
            let card = Card::builder().card_number("4111111111111111").expiration_date("0930");
            let payment = NewPayment::builder().total_amount(amount).credit_card(card).build().unwrap();
            paid(case, client.payments().pay(&payment).await)
        }
        "payments.confirm" | "payments.status" => {
            let amount = case.same.iter().find(|(member, _)| *member == "paymentAmount").unwrap().1;
            let asked = Expected {
                request_id: request_id(case).parse().unwrap(),
                amount: Some(amount.parse().or_else(|_| format!("{amount}0").parse()).unwrap()),
            };
            confirmed(client.payments().confirm(&asked).await)
        }
        "payments.count" => {
            let filter = PaymentFilter::builder().group(Criteria::payment_id(&"7".parse().unwrap()));
            match client.payments().count(&filter.build().unwrap()).await {
                Ok(count) => Claim {
                    conclusion: Conclusion::Done,
                    told: vec![perennial_oracle::Told::Object(vec![(
                        "count".into(),
                        Some(count.to_string()),
                    )])],
                },
                Err(error) => concluded(true, &error).into(),
            }
        }
        "payments.search" => {
            let since = Criteria::new(Field::PaymentDate, Operator::AtLeast, "2024-01-01").unwrap();
            let search = PaymentSearch::builder().group(since).build().unwrap();
            listed(client.payments().search(search)).await
        }
        "payments.refund" => {
            let refund = Refund::builder().payment_id("20411875").build().unwrap();
            value(case, client.payments().refund(&refund).await)
        }
        "pages.invoices" => {
            let invoice = PageInvoice::builder()
                .invoice_number("INV-70412")
                .invoice_date("2024-03-11")
                .outstanding_balance("1100.00");
            let page = InvoicePage::builder().invoice(invoice).build().unwrap();
            simply(case, client.pages().invoices(&page).await)
        }
        "pages.line-items" => {
            let items = LineItemPage::builder().line_item(LineItem::builder().payment_amount("1.00"));
            simply(case, client.pages().line_items(&items.build().unwrap()).await)
        }
        "pages.connect" => {
            let invoice = ConnectInvoice::builder()
                .invoice_number("1")
                .invoice_date("2024-03-04")
                .outstanding_balance("1");
            let page = ConnectPage::builder().connect_option("Aderant").invoice(invoice);
            simply(case, client.pages().connect(&page.build().unwrap()).await)
        }
        "pages.payer" => simply(case, client.pages().payer(&PayerPage::builder().build().unwrap()).await),
        "pages.expire" => simply(case, client.pages().expire(&request_id(case).parse().unwrap()).await),
        "connect.search" => {
            let search = ConnectSearch::builder().connect_option("Aderant");
            let search = search.search_option("client").search_text("8812").build().unwrap();
            each(client.pages().each_invoice(&search).await.map(Response::into_value))
        }
        "payers.create" => simply(case, client.payers().create(&new_payer()).await),
        "payers.update" => {
            let update = PayerUpdate::builder().payer_id(payer).last_name("Lind").build().unwrap();
            value(case, client.payers().update(&update).await)
        }
        "payers.delete" => simply(case, client.payers().delete(&payer).await),
        "payers.add-methods" => {
            let card = Card::builder().card_number("4111111111111111").expiration_date("0930");
            let methods =
                NewMethods::builder().payer_id(payer).method(NewMethod::builder().credit_card(card));
            value(case, client.payers().add_methods(&methods.build().unwrap()).await)
        }
        "payers.update-methods" => {
            let id: PaymentMethodId = "3c1d9c52-6a44-4f50-9a2e-5d0c2f9a7e01".parse().unwrap();
            let update = MethodUpdates::builder().update(MethodUpdate::builder().id(id).is_primary(true));
            value(case, client.payers().update_methods(&update.build().unwrap()).await)
        }
        other => panic!("no call for {other}"),
    }
}

fn new_payer() -> NewPayer {
    NewPayer::builder().first_name("Rosa").last_name("Lind").emails("rosa@example.test").build().unwrap()
}

fn value<T: Tell>(case: &Case, answered: Result<Response<T>, Error>) -> Claim {
    answered
        .map_or_else(|error| concluded(case.expect == Expect::Read, &error).into(), |object| done(&*object))
}

/// The claim about an id, a page, or an empty response: only its existence is reported.
fn simply<T>(case: &Case, answered: Result<T, Error>) -> Claim {
    answered.map_or_else(|error| concluded(case.expect == Expect::Read, &error), |_| Conclusion::Done).into()
}

fn maybe<T>(answered: Result<Response<Option<T>>, Error>) -> Claim {
    let there = answered.map(|there| if there.is_some() { Conclusion::Done } else { Conclusion::Absent });
    there.unwrap_or_else(|error| concluded(true, &error)).into()
}

fn is_valid(answered: Result<Response<bool>, Error>) -> Claim {
    maybe(answered.map(|valid| valid.map(|valid| valid.then_some(()))))
}

fn paid(case: &Case, answered: Result<Response<Payment>, Error>) -> Claim {
    let Ok(payment) = answered else { return value(case, answered) };
    let conclusion = match (payment.is_approved(), payment.decline()) {
        (true, None) => Conclusion::Done,
        (false, Some(_)) => Conclusion::Declined,
        _ => Conclusion::Unknown,
    };
    // For a lookup, the conclusion shows which record was returned.
    let told = if case.expect == Expect::Look { Vec::new() } else { vec![payment.tell()] };
    Claim { conclusion, told }
}

fn confirmed(answered: Result<Response<Option<Confirmed>>, Error>) -> Claim {
    let confirmed = match answered.map(Response::into_value) {
        Ok(None) => Conclusion::Absent,
        Ok(Some(confirmed)) => match confirmed.verdict() {
            Verdict::Approved => Conclusion::Done,
            Verdict::Declined => Conclusion::Declined,
            Verdict::Pending | Verdict::Unknown | Verdict::Reversed => Conclusion::Unknown,
        },
        Err(error) => concluded(true, &error),
    };
    confirmed.into()
}

/// Whether the request is the operation itself, and not a request for an id or a search.
fn sends(writes: &[String]) -> usize {
    let is_it = |call: &&String| {
        !call.to_ascii_lowercase().contains("/token/") && !call.contains("/v2/paymentsearch")
    };
    writes.iter().filter(is_it).count()
}

async fn conclusions_need_evidence(cases: impl Iterator<Item = &'static Case>, least: usize) {
    let nothing = json(200, r#"{"success":true,"pageNumber":1,"pageSize":100,"payments":[]}"#);
    let fails = json(500, "");
    let mut faults = Faults::default();
    let mut tried = 0;
    for case in cases {
        let format = Format::Json;
        // A search can find only charges.
        let looks = case.expect == Expect::Charge;
        for search in [&nothing, &fails].into_iter().take(if looks { 2 } else { 1 }) {
            let right = golden(case, format);
            let is_definite = judge(case, &right).is_definite();
            let by_the_book = call(case, &client(case, &answering(case, right, search.clone()))).await;
            let is_believed = !matches!(by_the_book.conclusion, Conclusion::Unknown | Conclusion::Unusable);
            assert_eq!(is_believed, is_definite, "{}: {by_the_book:?}", case.name());
            for mutation in mutations(case, format) {
                // Without a successful lookup, an HTTP status has the same meaning as with one.
                if search == &fails && mutation.name.starts_with("HTTP ") {
                    continue;
                }
                tried += 1;
                let gateway = answering(case, mutation.reply.clone(), search.clone());
                let claim = call(case, &client(case, &gateway)).await;
                faults.check(case, format, &mutation, &by_the_book, &claim);
                // A call with a refused access id and a throttled call were not executed; all others are sent once.
                let again = judge(case, &mutation.reply).allows(Conclusion::NotDone)
                    && [401, 429].contains(&mutation.reply.status);
                let sent = sends(&gateway.writes());
                let is_read = matches!(case.expect, Expect::Read | Expect::List | Expect::Delete);
                if sent > 1 && !again && !is_read {
                    faults.add(&case.name(), &format!("{}: sent {sent} times", mutation.name));
                }
            }
        }
    }
    assert!(tried > least, "{tried} replies were tried");
    faults.assert_none();
}

fn cases(of: impl Fn(Expect) -> bool) -> impl Iterator<Item = &'static Case> {
    CASES.iter().filter(move |case| case.vendor == Vendor::ClientPay && of(case.expect))
}

/// Holds: The facade calls a ClientPay payment approved or declined only on whole and consistent evidence.
#[tokio::test(start_paused = true)]
async fn conclusions_of_payments_need_evidence() {
    conclusions_need_evidence(cases(|expect| expect == Expect::Charge), 5_000).await;
}

/// Holds: A lookup under a request id settles a payment only on whole and consistent evidence.
#[tokio::test(start_paused = true)]
async fn conclusions_of_looks_need_evidence() {
    conclusions_need_evidence(cases(|expect| expect == Expect::Look), 5_000).await;
}

/// Holds: The facade calls a ClientPay write done or not done only on whole and consistent evidence.
#[tokio::test(start_paused = true)]
async fn conclusions_of_writes_need_evidence() {
    conclusions_need_evidence(cases(|expect| matches!(expect, Expect::Write | Expect::Delete)), 5_000).await;
}

/// Holds: The facade reports a ClientPay object, or its absence, only on whole and consistent evidence.
#[tokio::test(start_paused = true)]
async fn conclusions_of_reads_need_evidence() {
    conclusions_need_evidence(cases(|expect| matches!(expect, Expect::Read | Expect::List)), 3_000).await;
}

/// Checks that the scripted gateway recognizes a search by its path, so that no request gets a wrong response by
/// chance.
#[test]
fn the_search_is_known_by_its_path() {
    let request =
        Request::post("https://api.sandbox.clientpay.com/v2/paymentsearch/results").body(()).unwrap();
    assert!(request.uri().path().starts_with("/v2/paymentsearch"));
}
