//! ClientPay with the sandbox, over HTTP on loopback, in both versions of its API.

use std::collections::BTreeSet;
use std::time::Duration;

use perennial::clientpay::*;
use perennial::{BaseUrl, Builder, ClientPay, ClientPayBuilder};
use perennial_domain::clientpay::{ConnectOption, SearchOption};
use perennial_sandbox::{Effect, Fault, PagePayment, Sandbox, World};

fn builder(sandbox: &Sandbox, world: &World) -> ClientPayBuilder {
    ClientPay::builder(world.clientpay()).environment(sandbox.base_url().parse::<BaseUrl>().unwrap())
}

fn card(number: &str) -> Builder<Card> {
    Card::builder().cardholder_name("Rosa Lind").card_number(number).expiration_date("0930").cvv("999")
}

fn payment(number: &str, amount: &str) -> NewPayment {
    NewPayment::builder().total_amount(amount).session_id("S-1").credit_card(card(number)).build().unwrap()
}

async fn state(world: &World) -> serde_json::Value {
    serde_json::from_str(&world.state().await.unwrap()).unwrap()
}

#[tokio::test]
async fn payments_go_as_their_test_cards_say() {
    let sandbox = Sandbox::start().await.unwrap();
    let world = sandbox.world(7).await.unwrap();
    for (version, session) in [(Version::V2, "S-1"), (Version::V1, "S-1")] {
        let client = builder(&sandbox, &world).version(version).build().unwrap();
        let cases = [
            ("4000100011112224", "540.25", "Approved", None),
            ("4111111111111111", "0.01", "Approved", None),
            ("4000300211112228", "540.25", "Declined", Some("Do not Honor")),
            ("4000300611112224", "1.00", "Declined", Some("Insufficient funds")),
        ];
        for (number, amount, status, message) in cases {
            let paid = client.payments().pay(&payment(number, amount)).await.unwrap();
            assert_eq!(paid.payment_status.as_ref().map(PaymentStatus::as_str), Some(status), "{number}");
            assert_eq!(paid.message.as_deref(), message, "{number}");
            assert_eq!(paid.payment_amount.unwrap().to_string(), amount);
            assert_eq!(paid.session_id.as_deref(), Some(session));
        }
    }
    let stored = state(&world).await;
    assert_eq!(stored["clientpay-payments"].as_array().unwrap().len(), 8);
    assert!(!stored.to_string().contains("4000100011112224"));
}

/// Holds: Each eviction of an access id causes one new id, and each payment happens once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_eviction_is_followed_by_one_new_access_id_and_every_payment_lands_once() {
    const TASKS: usize = 64;
    let sandbox = Sandbox::start().await.unwrap();
    let world = sandbox.world(7).await.unwrap();
    let client = builder(&sandbox, &world).build().unwrap();
    client.new_request_id().await.unwrap();
    for round in 1..=3 {
        world.fault(&Fault::on("clientpay-payments.create", Effect::EvictAccessId).times(1)).await.unwrap();
        let tasks: Vec<_> = (0..TASKS)
            .map(|_| {
                let client = client.clone();
                tokio::spawn(async move {
                    client.payments().pay(&payment("4000100011112224", "12.50")).await.unwrap().into_value()
                })
            })
            .collect();
        for task in tasks {
            assert!(task.await.unwrap().is_approved());
        }
        let stored = state(&world).await;
        assert_eq!(stored["access-ids"].as_array().unwrap().len(), 1 + round);
        assert_eq!(stored["clientpay-payments"].as_array().unwrap().len(), TASKS * round);
        world.clear_faults().await.unwrap();
    }
}

#[tokio::test]
async fn every_operation_of_version_2() {
    let sandbox = Sandbox::start().await.unwrap();
    let world = sandbox.world(7).await.unwrap();
    let client = builder(&sandbox, &world).build().unwrap();

    assert!(client.access().current().await.unwrap().is_none());
    let first = client.access().renew().await.unwrap().into_value();
    let current = client.access().current().await.unwrap().into_value();
    assert_eq!(current.as_ref().map(AccessId::expose), Some(first.expose()));
    let id = client.access().renew().await.unwrap().into_value();
    assert!(!client.access().validate(&first).await.unwrap().into_value());
    assert!(client.access().validate(&id).await.unwrap().into_value());

    let rosa = NewPayer::builder().first_name("Rosa").emails("rosa@example.test").build().unwrap();
    let rosa = client.payers().create(&rosa).await.unwrap().into_value();
    let update = PayerUpdate::builder().payer_id(rosa.clone()).last_name("Lind").build().unwrap();
    client.payers().update(&update).await.unwrap();
    let account = ECheck::builder()
        .name_on_account("Rosa Lind")
        .routing_number("021000021")
        .account_number("5550001234");
    let methods = NewMethods::builder()
        .payer_id(rosa.clone())
        .method(NewMethod::builder().credit_card(card("4000300211112228")))
        .method(NewMethod::builder().e_check(account));
    let saved = client.payers().add_methods(&methods.build().unwrap()).await.unwrap();
    let update = MethodUpdate::builder().id(saved.payment_method_ids[1].clone()).is_primary(true);
    let update = MethodUpdates::builder().update(update).build().unwrap();
    client.payers().update_methods(&update).await.unwrap();
    let stored = NewPayment::builder().total_amount("5.00").payer_or_payment_method_id(rosa.as_str());
    let paid = client.payments().pay(&stored.build().unwrap()).await.unwrap();
    assert_eq!(
        (paid.is_approved(), paid.payment_method_type.clone()),
        (true, Some(PaymentKind::E_CHECK.into()))
    );

    let invoice =
        PageInvoice::builder().invoice_number("1").invoice_date("2027-01-01").outstanding_balance("100.00");
    let invoices = InvoicePage::builder().invoice(invoice).build().unwrap();
    let items =
        LineItemPage::builder().line_item(LineItem::builder().payment_amount("1.00")).build().unwrap();
    let invoice =
        ConnectInvoice::builder().invoice_number("1").invoice_date("2027-01-01").outstanding_balance("1");
    let connect =
        ConnectPage::builder().connect_option(ConnectOption::Aderant).invoice(invoice.client_id("8812"));
    let connect = connect.build().unwrap();
    let payer = PayerPage::builder().payer_id(rosa.clone()).build().unwrap();
    let pages = client.pages();
    let search = ConnectSearch::builder().connect_option(ConnectOption::Aderant);
    let search = search.search_option(SearchOption::Client).search_text("8812").build().unwrap();
    for (page, open) in [
        (pages.invoices(&invoices).await.unwrap(), 0),
        (client.pages().line_items(&items).await.unwrap(), 0),
        (client.pages().payer(&payer).await.unwrap(), 0),
        (client.pages().connect(&connect).await.unwrap(), 1),
    ] {
        assert!(page.url.starts_with(sandbox.base_url()), "{}", page.url);
        let found = client.pages().search_invoices(&search).await.unwrap();
        assert!(found.len() >= open);
        client.pages().expire(&page.request_id).await.unwrap();
    }
    assert!(client.pages().search_invoices(&search).await.unwrap().is_empty());

    let refund = Refund::builder().payment_id(paid.payment_id.clone()).build().unwrap();
    let voided = client.payments().refund(&refund).await.unwrap();
    assert_eq!(voided.payment_status, Some(PaymentStatus::VOIDED));
    let later = client.payments().pay(&payment("4000100011112224", "7.00")).await.unwrap();
    world.advance("P1D").await.unwrap();
    let refund = Refund::builder().payment_id(later.payment_id.clone()).build().unwrap();
    let refunded = client.payments().refund(&refund).await.unwrap();
    assert_eq!(
        (&refunded.original_payment_id, refunded.refund_amount),
        (&later.payment_id, later.payment_amount)
    );
    let error = client.payments().refund(&refund).await.unwrap_err();
    assert_eq!(error.gateway_message(), Some("The payment is Refunded and cannot be refunded."));

    let since = || Criteria::new(Field::PaymentDate, Operator::AtLeast, "2027-01-01").unwrap();
    let filter = PaymentFilter::builder().group(since()).build().unwrap();
    assert_eq!(client.payments().count(&filter).await.unwrap().into_value(), 3);
    let search = PaymentSearch::builder().group(since()).page_size(2).build().unwrap();
    assert_eq!(client.payments().search(search).collect_all().await.unwrap().len(), 3);

    let someday = Criteria::new(Field::PaymentDate, Operator::Is, "someday").unwrap();
    let filter = PaymentFilter::builder().group(someday).build().unwrap();
    let error = client.payments().count(&filter).await.unwrap_err();
    assert_eq!(
        error.gateway_message(),
        Some("criteria.value: must be one of a day or a moment in RFC 3339"),
        "told once"
    );

    client.payers().delete(&rosa).await.unwrap();
    client.access().expire(&id).await.unwrap();
    assert!(client.access().current().await.unwrap().is_none());
}

#[tokio::test]
async fn every_operation_of_version_1_and_what_it_lacks() {
    let sandbox = Sandbox::start().await.unwrap();
    let world = sandbox.world(7).await.unwrap();
    let client = builder(&sandbox, &world).version(Version::V1).build().unwrap();

    assert!(client.access().validate_credentials().await.unwrap().into_value());
    assert!(client.access().current().await.unwrap().is_none());
    let first = client.access().renew().await.unwrap().into_value();
    let current = client.access().current().await.unwrap().into_value();
    assert_eq!(current.as_ref().map(AccessId::expose), Some(first.expose()));
    let id = client.access().renew().await.unwrap().into_value();
    assert!(!client.access().validate(&first).await.unwrap().into_value());
    assert!(client.access().validate(&id).await.unwrap().into_value());

    let invoice = || PageInvoice::builder().invoice_number("1").outstanding_balance("100.00").tax("8.00");
    let invoices = InvoicePage::builder()
        .session_id("S-1")
        .customer_id("C-1")
        .name_on_account("Rosa Lind")
        .billing_address(Address::builder().address_line1("12 Quay Rd").state("AL"))
        .page_options(PageOptions::builder().duration(7_200))
        .invoice(invoice().invoice_date("2027-01-01").due_date("2027-02-01"))
        .invoice(invoice().invoice_date("2027-01-31"));
    let invoices = invoices.build().unwrap();
    let items =
        LineItemPage::builder().line_item(LineItem::builder().payment_amount("1.00")).build().unwrap();
    let connect = ConnectPage::builder().connect_option(ConnectOption::Aderant).invoice(
        ConnectInvoice::builder()
            .invoice_number("1")
            .invoice_date("2027-01-01")
            .outstanding_balance("1")
            .client_id("8812"),
    );
    let connect = connect.build().unwrap();
    let search = ConnectSearch::builder().connect_option(ConnectOption::Aderant);
    let search = search.search_option(SearchOption::Client).search_text("8812").build().unwrap();
    for page in [
        client.pages().invoices(&invoices).await.unwrap(),
        client.pages().line_items(&items).await.unwrap(),
        client.pages().connect(&connect).await.unwrap(),
    ] {
        assert!(page.url.starts_with(sandbox.base_url()), "{}", page.url);
        let found = client.pages().search_invoices(&search).await.unwrap();
        assert_eq!(found.len(), 1, "the last page is open");
        // Nobody has paid yet, so there is no payment.
        let asked = Expected { request_id: page.request_id.clone(), amount: None };
        assert_eq!(client.payments().confirm(&asked).await.unwrap().into_value(), None);
        client.pages().expire(&page.request_id).await.unwrap();
    }
    assert!(client.pages().search_invoices(&search).await.unwrap().is_empty());
    let made = state(&world).await["pages"][0]["document"].clone();
    assert_eq!(made["invoices"][0]["dueDate"], "2027-02-01");
    assert_eq!(made["invoices"][1]["invoiceDate"], "2027-01-31");
    assert_eq!(
        (&made["billingAddress"]["state"], &made["pageOptions"]["duration"]),
        (&"AL".into(), &7_200.into())
    );
    assert_eq!((&made["nameOnAccount"], &made["token"]["customerId"]), (&"Rosa Lind".into(), &"C-1".into()));

    let paid = client.payments().pay(&payment("4000100011112224", "7.00")).await.unwrap();
    let asked = Expected { request_id: paid.request_id.clone().unwrap(), amount: paid.payment_amount };
    let confirmed = client.payments().confirm(&asked).await.unwrap().into_value().unwrap();
    assert_eq!((confirmed.verdict(), confirmed.payment()), (Verdict::Approved, &*paid));

    let before = state(&world).await;
    let rosa = NewPayer::builder().first_name("Rosa").emails("rosa@example.test").build().unwrap();
    let refund = Refund::builder().payment_id(paid.payment_id.clone()).build().unwrap();
    let since = Criteria::new(Field::PaymentDate, Operator::AtLeast, "2027-01-01").unwrap();
    let filter = PaymentFilter::builder().group(since).build().unwrap();
    let stored = NewPayment::builder().total_amount("5.00").payer_or_payment_method_id("p-1");
    for error in [
        client.payers().create(&rosa).await.unwrap_err(),
        client.payments().refund(&refund).await.unwrap_err(),
        client.payments().count(&filter).await.unwrap_err(),
    ] {
        let why = std::error::Error::source(&error).unwrap().to_string();
        assert!(error.attempts() == 0 && why.contains("1.0"), "{error}: {why}");
    }
    // A payment that version 1.0 cannot express only uses up a request id.
    assert!(client.payments().pay(&stored.build().unwrap()).await.is_err());
    let after = state(&world).await;
    assert_eq!(after["clientpay-payments"], before["clientpay-payments"]);
    assert_eq!(after["payers"], before["payers"]);

    client.access().expire(&id).await.unwrap();
    assert!(client.access().current().await.unwrap().is_none());
}

/// If the response to a call is lost, its outcome is either found, or is unknown and can be continued under its id; the
/// payment is made once.
///
/// Holds: After a lost response of the sandbox the facade finds the one payment of a request id.
#[tokio::test]
async fn a_lost_answer_leads_to_the_first_outcome_and_one_payment() {
    // Whether a lookup finds it immediately; after a late commit, both are possible.
    let effects = [
        (Effect::DropReply, Some(true)),
        (Effect::Duplicate, Some(true)),
        (Effect::ErrorAfter { status: 500 }, Some(true)),
        (Effect::ErrorBefore { status: 500 }, Some(false)),
        (Effect::CutReply { at_byte: 20 }, Some(true)),
        (Effect::LateCommit { delay: Duration::from_millis(1) }, None),
        (Effect::Garbage { body: "<html>".into(), content_type: "text/html".into() }, Some(true)),
    ];
    let sandbox = Sandbox::start().await.unwrap();
    let world = sandbox.world(7).await.unwrap();
    for version in [Version::V2, Version::V1] {
        let client = builder(&sandbox, &world).version(version).build().unwrap();
        for (effect, is_found) in &effects {
            let before = state(&world).await["clientpay-payments"].as_array().unwrap().len();
            world.fault(&Fault::on("clientpay-payments.create", effect.clone()).nth(1)).await.unwrap();
            let order = payment("4000100011112224", "12.50");
            let paid = match client.payments().pay(&order).await {
                Ok(paid) => {
                    assert_ne!(*is_found, Some(false), "{version:?} {effect:?}: nothing is sent twice");
                    paid
                }
                Err(error) => {
                    assert!(error.is_outcome_unknown() && *is_found != Some(true), "{effect:?}: {error:?}");
                    let id = error.into_request_id().unwrap();
                    client.payments().under(id).pay(&order).await.unwrap()
                }
            };
            world.clear_faults().await.unwrap();
            let stored = state(&world).await["clientpay-payments"].clone();
            let made = &stored.as_array().unwrap()[before..];
            assert_eq!(made.len(), 1, "{version:?} {effect:?}: {made:?}");
            assert!(paid.is_approved());
            assert_eq!(made[0]["id"], paid.payment_id.as_ref().unwrap().as_str(), "{version:?} {effect:?}");
            if version == Version::V1 {
                continue;
            }
            world.fault(&Fault::on("clientpay-payments.refund", effect.clone()).nth(1)).await.unwrap();
            let refund = Refund::builder().payment_id(paid.payment_id.clone()).build().unwrap();
            let voided = match client.payments().refund(&refund).await {
                Ok(voided) => voided,
                Err(error) => {
                    assert!(error.is_outcome_unknown() && *is_found != Some(true), "{effect:?}: {error:?}");
                    let id = error.into_request_id().unwrap();
                    client.payments().under(id).refund(&refund).await.unwrap()
                }
            };
            world.clear_faults().await.unwrap();
            assert_eq!(voided.payment_status, Some(PaymentStatus::VOIDED), "{effect:?}");
            let stored = state(&world).await["clientpay-payments"].clone();
            assert_eq!(stored.as_array().unwrap().len(), before + 1, "a void is no payment: {effect:?}");
        }
    }
}

/// On a page, declined attempts and a payment have one request id.
#[tokio::test]
async fn an_attempt_that_was_declined_is_no_second_payment() {
    let sandbox = Sandbox::start().await.unwrap();
    let world = sandbox.world(7).await.unwrap();
    for version in [Version::V2, Version::V1] {
        let client = builder(&sandbox, &world).version(version).build().unwrap();
        let invoice = PageInvoice::builder()
            .invoice_number("1")
            .invoice_date("2027-01-01")
            .outstanding_balance("100.00")
            .editable(false);
        let page =
            client.pages().invoices(&InvoicePage::builder().invoice(invoice).build().unwrap()).await.unwrap();
        let asked = Expected { request_id: page.request_id.clone(), amount: "100.00".parse().ok() };
        world
            .fault(&Fault::on("clientpay-payments.create", Effect::ErrorBefore { status: 503 }).times(1))
            .await
            .unwrap();
        let failed =
            sandbox.pay_page(&page.request_id, &card("4000100011112224").build().unwrap()).await.unwrap();
        assert_eq!(failed, PagePayment::Refused(503), "{version:?}");
        for (number, result, verdict) in [
            ("4000300211112228", PagePayment::Declined, Verdict::Declined),
            ("4000300611112224", PagePayment::Declined, Verdict::Declined),
            ("4000100011112224", PagePayment::Approved, Verdict::Approved),
            ("4000100011112224", PagePayment::Closed, Verdict::Approved),
        ] {
            let result_of_page =
                sandbox.pay_page(&page.request_id, &card(number).build().unwrap()).await.unwrap();
            let confirmed = client.payments().confirm(&asked).await.unwrap().into_value().unwrap();
            assert_eq!((result_of_page, confirmed.verdict()), (result, verdict), "{version:?} {number}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn payments_at_once_under_faults_are_made_once_each_or_told_to_be_unknown() {
    const TASKS: usize = 48;
    let sandbox = Sandbox::start().await.unwrap();
    let world = sandbox.world(7).await.unwrap();
    let client = builder(&sandbox, &world).build().unwrap();
    for (seed, effect) in (7..).zip([
        Effect::DropReply,
        Effect::ErrorAfter { status: 502 },
        Effect::ErrorBefore { status: 503 },
    ]) {
        let fault = Fault::on("clientpay-payments.create", effect).probability(0.15).seed(seed);
        world.fault(&fault).await.unwrap();
    }
    // With more evictions than renewals per call, the call would be refused.
    world.fault(&Fault::on("clientpay-payments.create", Effect::EvictAccessId).nth(20)).await.unwrap();
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.payments().pay(&payment("4000100011112224", "12.50")).await })
        })
        .collect();
    let mut known = Vec::new();
    for task in tasks {
        match task.await.unwrap() {
            Ok(paid) => known.push(paid.into_value().payment_id.unwrap().as_str().to_owned()),
            Err(error) => assert!(error.is_outcome_unknown(), "{error:?}"),
        }
    }
    let stored = state(&world).await["clientpay-payments"].clone();
    let column = |name: &str| -> BTreeSet<String> {
        let stored = stored.as_array().unwrap().iter();
        stored.map(|payment| payment[name].as_str().unwrap().to_owned()).collect()
    };
    let (ids, requests) = (column("id"), column("request-id"));
    assert!(ids.len() == requests.len() && ids.len() <= TASKS, "one payment for each request");
    let told: BTreeSet<String> = known.iter().cloned().collect();
    assert!(told.len() == known.len() && told.is_subset(&ids), "each outcome is its own");
    assert!(told.len() > TASKS / 2, "{}", told.len());
}
