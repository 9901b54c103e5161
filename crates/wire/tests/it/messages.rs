//! The bytes of every call and of every reply, as snapshots: one of the requests and one of the replies of a resource,
//! each in JSON and in XML.

use std::fmt::Write;

use perennial_domain::clearent::{
    Address, BatchSearch, BatchStatus, Charge, CustomerSearch, CustomerStatus, CustomerUpdate, NewCustomer,
    NewCustomerToken, NewPlan, NewToken, Paging, PaymentSearch, PlanForecast, PlanSearch, PlanStatus,
    PlanUpdate, Refund, Settlement, TokenSearch, TokenStatus, TokenUpdate, TransactionLevel,
    TransactionSearch, TransactionType,
};
use perennial_domain::{CardBrand, NaiveDate};
use perennial_wire::clearent::{
    Call, Reply, batch, customer, customer_token, payment, plan, settings, token, transaction,
};
use perennial_wire::{Format, Limits};

use crate::corpus::REPLIES;
use crate::samples::{
    CARD, CSC, CUSTOMER, FORMATS, PLAN, REQUESTS, Request, TOKEN, customer_key, plan_key, token_id,
    transaction_id,
};

#[test]
fn customer_requests() {
    snapshot("customer", |format| {
        let address = || Address::builder().street("1 Loom Street").zip("63101");
        let all = NewCustomer::builder()
            .customer_key(CUSTOMER)
            .first_name("Ada & Co <1>")
            .last_name("O\"Byron\"")
            .comments(" first\r\nsecond\t")
            .billing_address(address())
            .shipping_address(address());
        let update = CustomerUpdate::builder()
            .first_name("Augusta")
            .last_name("King")
            .email("augusta@example.test")
            .phone("3145550102")
            .comments("moved")
            .status(CustomerStatus::INACTIVE)
            .billing_address(address())
            .shipping_address(address());
        let search = CustomerSearch {
            customer_key: Some(customer_key()),
            first_name: some("Ada"),
            last_name: some("O'Byron & Söhne"),
            email: some("ada+pay@example.test"),
            phone_number: some("3145550100"),
            last_four: some("1111"),
            exp_date: some("1230"),
            plan_name: some("Gold/2 100%"),
            paging: paging(),
        };
        vec![
            ("create, with all members", customer::create(format, &all.build().unwrap()).unwrap()),
            ("update, with all members", {
                customer::update(format, &customer_key(), &update.build().unwrap()).unwrap()
            }),
            ("get", customer::get(&customer_key())),
            ("search, for all", customer::search(&CustomerSearch::default())),
            ("search, with all parameters", customer::search(&search)),
            ("delete", customer::delete(&customer_key())),
        ]
    });
}

#[test]
fn token_requests() {
    snapshot("token", |format| {
        let all = NewToken::builder()
            .card("3714 496353 98431")
            .exp_date("01/31")
            .csc("9997")
            .description("business card")
            .customer_key(CUSTOMER)
            .avs_address("1 Loom Street")
            .avs_zip("63101")
            .avs_required(false)
            .card_type(CardBrand::AMERICAN_EXPRESS);
        let update = TokenUpdate::builder()
            .customer_key(CUSTOMER)
            .status(TokenStatus::INACTIVE)
            .description("lost card");
        let search = TokenSearch {
            token_id: Some(token_id()),
            merchant_legacy_token_id: some("legacy 1"),
            updated_start_date: Some("2026-10-01".parse().unwrap()),
            updated_end_date: Some("2026-10-31".parse().unwrap()),
            date_filter: some("custom_range"),
            paging: paging(),
        };
        vec![
            ("create, with all members", token::create(format, &all.build().unwrap()).unwrap()),
            ("update, with all members", {
                token::update(format, &token_id(), &update.build().unwrap()).unwrap()
            }),
            ("get", token::get(&token_id())),
            ("search, for all", token::search(&TokenSearch::default())),
            ("search, with all parameters", token::search(&search)),
            ("delete", token::delete(&token_id())),
        ]
    });
}

#[test]
fn customer_token_requests() {
    snapshot("customer-token", |format| {
        let all = NewCustomerToken::builder()
            .token_id(TOKEN)
            .exp_date("1230")
            .card_type(CardBrand::VISA)
            .last_four_digits("1111")
            .description("travel card")
            .is_default(false)
            .avs_address("1 Loom Street")
            .avs_zip("63101");
        vec![
            ("attach, with all members", {
                customer_token::attach(format, &customer_key(), &all.build().unwrap()).unwrap()
            }),
            ("list", customer_token::list(&customer_key())),
        ]
    });
}

#[test]
fn plan_requests() {
    snapshot("plan", |format| {
        let all = NewPlan::builder()
            .plan_name("Gold membership")
            .customer_key(CUSTOMER)
            .customer_name("Ada Byron")
            .token_id(TOKEN)
            .monthly_on(28)
            .payment_amount("12")
            .start_date("2028-02-29")
            .end_date(NaiveDate::from_ymd_opt(2029, 2, 28).unwrap())
            .status(PlanStatus::SUSPENDED)
            .email_address("ada@example.test")
            .email_receipt(true);
        let update = PlanUpdate::builder()
            .plan_name("Gold 2")
            .plan_type("subscription")
            .customer_key(CUSTOMER)
            .customer_name("Ada King")
            .token_id(TOKEN)
            .frequency("monthly")
            .frequency_day(1)
            .payment_amount("0.01")
            .start_date("2027-01-01")
            .end_date("2027-12-31")
            .status(PlanStatus::ACTIVE)
            .email_address("augusta@example.test")
            .email_receipt(false);
        let search = PlanSearch {
            customer_key: Some(customer_key()),
            customer_name: some("Ada Byron"),
            plan_key: Some(plan_key()),
            plan_name: some("Gold"),
            payment_amount: Some("50".parse().unwrap()),
            status: Some(PlanStatus::CANCELED),
            token_id: Some(token_id()),
            paging: paging(),
        };
        let forecast = PlanForecast::builder().start_date("2027-01-01").monthly_on(15).end_date("2027-12-31");
        vec![
            ("create, with all members", plan::create(format, &all.build().unwrap()).unwrap()),
            ("update, with all members", {
                plan::update(format, &plan_key(), &update.build().unwrap()).unwrap()
            }),
            ("get", plan::get(&plan_key())),
            ("search, for all", plan::search(&PlanSearch::default())),
            ("search, with all parameters", plan::search(&search)),
            ("delete", plan::delete(&plan_key())),
            ("expected runs", plan::expected_runs(&plan_key())),
            ("forecast", plan::forecast(&forecast.build().unwrap())),
        ]
    });
}

#[test]
fn payment_requests() {
    snapshot("payment", |_| {
        let search = PaymentSearch {
            customer_key: Some(customer_key()),
            plan_key: Some(plan_key()),
            paging: paging(),
        };
        vec![
            ("list, of all", payment::list(&PaymentSearch::default())),
            ("list, with all parameters", payment::list(&search)),
        ]
    });
}

#[test]
fn transaction_requests() {
    snapshot("transaction", |format| {
        let address = || Address::builder().street("1 Loom Street").zip("63101");
        let all = Charge::builder()
            .amount("25.00")
            .card(CARD)
            .exp_date("1230")
            .csc(CSC)
            .card_type(CardBrand::VISA)
            .invoice("inv-1")
            .purchase_order("po-1")
            .order_id("order-1")
            .customer_id("customer-1")
            .description("looms")
            .comments("urgent")
            .client_ip("192.0.2.1")
            .email_address("ada@example.test")
            .email_receipt(true)
            .sales_tax_amount("1.50")
            .tip_amount("2.00")
            .check_field("invoice")
            .create_token(true)
            .authorization_code("APPC10")
            .software_type("demo")
            .software_type_version("1.8")
            .billing(address())
            .shipping(address());
        let unmatched = Refund::builder()
            .amount("25.00")
            .card(TOKEN)
            .exp_date("1230")
            .invoice("inv-1")
            .order_id("order-1")
            .comments("returned");
        let search = TransactionSearch {
            id: Some(transaction_id()),
            level: Some(TransactionLevel::MERCHANT),
            amount: Some("25.00".parse().unwrap()),
            transaction_type: Some(TransactionType::FORCED_SALE),
            status: some("Approved"),
            last_four: some("1111"),
            authorization_code: some("TAS123"),
            invoice: some("inv-1"),
            order_id: some(PLAN),
            display_message: some("Transaction approved"),
            start_date: some("2026-10-01 00:00"),
            end_date: some("2026-10-31 23:59"),
            paging: paging(),
        };
        vec![
            ("sale, with all members", transaction::sale(format, &all.build().unwrap()).unwrap()),
            ("refund, unmatched", transaction::refund(format, &unmatched.build().unwrap()).unwrap()),
            ("get", transaction::get(&transaction_id())),
            ("search, for all", transaction::search(&TransactionSearch::default())),
            ("search, with all parameters", transaction::search(&search)),
        ]
    });
}

#[test]
fn batch_requests() {
    snapshot("batch", |format| {
        let search = BatchSearch { status: Some(BatchStatus::OPEN), paging: paging() };
        vec![
            ("list, of all", batch::list(&BatchSearch::default())),
            ("list, with all parameters", batch::list(&search)),
            ("open", batch::open()),
            ("settle, whatever it comes to", {
                batch::settle(format, &Settlement::builder().build().unwrap()).unwrap()
            }),
        ]
    });
}

#[test]
fn settings_requests() {
    snapshot("settings", |_| {
        vec![("avs", settings::avs()), ("csc", settings::csc()), ("duplicates", settings::duplicates())]
    });
}

/// Snapshots each reply of the corpus as our gateway writes it, and as it is read.
#[test]
fn replies() {
    for resource in [
        "customer",
        "token",
        "customer-token",
        "plan",
        "payment",
        "transaction",
        "batch",
        "settings",
        "error",
    ] {
        for format in FORMATS {
            let mut text = String::new();
            for (name, reply) in REPLIES.iter().filter(|(name, _)| resource_of(name) == resource) {
                let written = reply().encode(format).unwrap();
                let read = Reply::decode(format, &written, &Limits::default()).unwrap();
                assert_eq!(read, reply(), "{name}");
                let written = String::from_utf8(written).unwrap();
                write!(text, "# {name}\n\n{written}\n\n{read:#?}\n\n").unwrap();
            }
            insta::assert_snapshot!(format!("{resource}_replies_{format}"), text);
        }
    }
}

fn resource_of(name: &str) -> &str {
    match name {
        "expected-runs" | "plan-forecast" => "plan",
        "mobile-jwt" => "token",
        name if name.starts_with("customer-token") => "customer-token",
        name => {
            let resources =
                ["customer", "token", "plan", "payment", "transaction", "batch", "settings", "error"];
            resources.into_iter().find(|resource| name.starts_with(resource)).unwrap()
        }
    }
}

/// Snapshots the requests of the corpus for this resource, and then these calls.
fn snapshot(resource: &str, calls: fn(Format) -> Vec<(&'static str, Call)>) {
    for format in FORMATS {
        let golden = REQUESTS.iter().filter(|request| resource_of(request.name) == resource);
        let golden = golden.map(|Request { name, write, .. }| (*name, write(format).unwrap()));
        let mut text = String::new();
        for (name, call) in golden.chain(calls(format)) {
            assert!(call.target.starts_with(call.route.split('{').next().unwrap()));
            assert_eq!(format!("{call:?}"), format!("Call({} {})", call.method.as_str(), call.route));
            write!(text, "# {name}\n\n{} {}\n", call.method.as_str(), call.target).unwrap();
            if let Some(body) = &call.body {
                writeln!(text, "{}", masked(std::str::from_utf8(body).unwrap())).unwrap();
            }
            text.push('\n');
        }
        insta::assert_snapshot!(format!("{resource}_requests_{format}"), text);
    }
}

/// Masks the card number and security code in a body, which must have both or neither.
fn masked(body: &str) -> String {
    let secrets = [(CARD, CSC), ("371449635398431", "9997")];
    let Some((card, csc)) = secrets.into_iter().find(|(card, _)| body.contains(card)) else {
        assert!(!body.contains("\"csc\"") && !body.contains("<csc>"));
        return body.to_owned();
    };
    assert_eq!((body.matches(card).count(), body.matches(csc).count()), (1, 1));
    body.replace(card, &format!("<card ..{}>", &card[card.len() - 4..])).replace(csc, "<csc>")
}

fn paging() -> Paging {
    Paging { page: Some(2), page_size: Some(100), order_by: some("last-name"), descending: Some(false) }
}

#[expect(clippy::unnecessary_wraps, reason = "every parameter is optional")]
fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}
