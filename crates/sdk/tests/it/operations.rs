//! Every operation with a request with all fields and a correct response; each succeeds in both formats.

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use http::{Method, Request};
use perennial::clearent::*;
use perennial::{Amount, Builder, CardBrand, Clearent, Date, Error, Format};
use perennial_wire::Limits;
use perennial_wire::clearent::{self as wire, Page, Payload};

use crate::gateway::{Answer, CARD, CSC, Gateway, page, replies};

type Outcome = Pin<Box<dyn Future<Output = Result<String, Error>> + Send>>;

pub(crate) struct Operation {
    pub(crate) name: &'static str,
    /// Runs the operation and prints the value.
    pub(crate) run: fn(Clearent) -> Outcome,
}

impl Operation {
    pub(crate) fn reads(&self) -> bool {
        ["get", "search", "list", "expected-runs", "forecast", "batches.open"]
            .iter()
            .any(|word| self.name.ends_with(word))
    }

    /// Whether a request with this method is the operation itself, and not a read before a write.
    pub(crate) fn is(&self, method: &Method) -> bool {
        self.reads() || method != Method::GET
    }
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
    "customers.create": |c| c.customers().create(&new_customer());
    "customers.get": |c| c.customers().get(&customer_key());
    "customers.search": |c| c.customers().search(&customer_search()).collect_all();
    "customers.update": |c| c.customers().update(&customer_key(), &customer_update());
    "customers.delete": |c| c.customers().delete(&customer_key());
    "customer-tokens.list": |c| c.customers().tokens(&customer_key()).list();
    "customer-tokens.attach": |c| c.customers().tokens(&customer_key()).attach(&new_customer_token());
    "customer-tokens.update": |c| c.customers().tokens(&customer_key()).update(&customer_token_update());
    "tokens.create": |c| c.tokens().create(new_token());
    "tokens.get": |c| c.tokens().get(&token_id());
    "tokens.search": |c| c.tokens().search(&token_search()).collect_all();
    "tokens.update": |c| c.tokens().update(&token_id(), &token_update());
    "tokens.delete": |c| c.tokens().delete(&token_id());
    "plans.create": |c| c.plans().create(&new_plan());
    "plans.get": |c| c.plans().get(&plan_key());
    "plans.search": |c| c.plans().search(&plan_search()).collect_all();
    "plans.update": |c| c.plans().update(&plan_key(), &plan_update());
    "plans.suspend": |c| c.plans().suspend(&plan_key());
    "plans.activate": |c| c.plans().activate(&plan_key());
    "plans.cancel": |c| c.plans().cancel(&plan_key());
    "plans.delete": |c| c.plans().delete(&plan_key());
    "plans.expected-runs": |c| c.plans().expected_runs(&plan_key());
    "plans.forecast": |c| c.plans().forecast(&plan_forecast());
    "payments.list": |c| c.payments().list(&payment_search()).collect_all();
    "transactions.sale": |c| c.transactions().sale(&charge());
    "transactions.auth": |c| c.transactions().auth(&charge());
    "transactions.capture": |c| c.transactions().capture(&capture());
    "transactions.void": |c| c.transactions().void(&Void { id: transaction_id() });
    "transactions.refund": |c| c.transactions().refund(&refund());
    "transactions.update": |c| c.transactions().update(&transaction_id(), &transaction_update());
    "transactions.get": |c| c.transactions().get(&transaction_id());
    "transactions.search": |c| c.transactions().search(&transaction_search()).collect_all();
    "batches.list": |c| c.batches().list(&batch_search()).collect_all();
    "batches.open": |c| c.batches().open();
    "batches.settle": |c| c.batches().settle(&Settlement::of(&batch()));
};

pub(crate) fn operation(name: &str) -> &'static Operation {
    OPERATIONS.iter().find(|operation| operation.name == name).expect("an operation of the table")
}

/// The correct response to each request of the table.
pub(crate) fn right(format: Format, request: &Request<Bytes>) -> Answer {
    let path = request.uri().path().trim_start_matches("/rest/v2/");
    let segments: Vec<&str> = path.split('/').collect();
    let one_of = |total| Page {
        number: Some(1),
        total_elements: Some(total),
        total_pages: Some(1),
        ..Page::default()
    };
    // An object to delete has no plans and no payments, which are counted with pages of one.
    let counted = request
        .uri()
        .query()
        .is_some_and(|query| query.contains("page-size=1&") || query.ends_with("page-size=1"));
    // This also applies to a token, which only its plans are read for.
    let of_token = request
        .uri()
        .query()
        .is_some_and(|query| query.starts_with("token-id=") && !query.contains("customer"));
    let (status, payload) = match (request.method().as_str(), segments.as_slice()) {
        ("POST", ["customers"]) => (201, Payload::Customer(customer().into())),
        ("GET", ["customers"]) => return page(format, one_of(1), Payload::Customers(vec![customer()])),
        ("GET", ["customers", _, "tokens"]) => (200, Payload::CustomerTokens(vec![customer_token()])),
        (_, ["customers", _, "tokens"]) => (200, Payload::CustomerToken(customer_token().into())),
        ("PUT", ["customers", _]) => {
            (202, Payload::Customer(Customer { first_name: Some("Augusta".into()), ..customer() }.into()))
        }
        (_, ["customers", _]) => (200, Payload::Customer(customer().into())),
        ("GET", ["tokens"]) => return page(format, one_of(1), Payload::Tokens(vec![token()])),
        ("PUT", ["tokens", _]) => {
            let update = wire::token::read_update(format, request.body(), &Limits::default()).unwrap();
            let status = update.fields().status.cloned();
            (200, Payload::Token(Token { status, ..token() }.into()))
        }
        (_, ["tokens", ..]) => (200, Payload::Token(token().into())),
        ("POST", ["payment-plans"]) => (201, Payload::Plan(created_plan().into())),
        ("GET", ["payment-plans"]) if counted || of_token => {
            return page(format, one_of(0), Payload::Plans(vec![]));
        }
        ("GET", ["payment-plans"]) => return page(format, one_of(1), Payload::Plans(vec![plan()])),
        ("GET", ["payment-plans", _, "expected-runs"]) => (200, Payload::ExpectedRuns(vec![expected_run()])),
        ("PUT", ["payment-plans", _]) => {
            let update = wire::plan::read_update(format, request.body(), &Limits::default()).unwrap();
            (200, Payload::Plan(update.apply(&plan()).unwrap().into()))
        }
        (_, ["payment-plans", _]) => (200, Payload::Plan(plan().into())),
        ("GET", ["plan-forecast"]) => (200, Payload::Forecast(vec![date()])),
        ("GET", ["payments"]) if counted => return page(format, one_of(0), Payload::Payments(vec![])),
        ("GET", ["payments"]) => return page(format, one_of(1), Payload::Payments(vec![payment()])),
        ("GET", ["transactions"]) => {
            return page(format, one_of(1), Payload::Transactions(vec![found_transaction()]));
        }
        ("GET", ["batches"]) => return page(format, one_of(1), Payload::Batches(vec![batch()])),
        ("PUT", ["batches", "open"]) => (200, Payload::Batch(settled_batch().into())),
        (_, ["batches", "open"]) => (200, Payload::Batch(batch().into())),
        (_, ["transactions", "refund"]) => (200, Payload::Transaction(refunded().into())),
        ("PUT", ["transactions", _]) => (200, Payload::Transaction(tipped().into())),
        (_, ["transactions", ..]) => (200, Payload::Transaction(transaction().into())),
        other => panic!("no such route: {other:?}"),
    };
    replies(format, status, payload)
}

#[tokio::test]
async fn every_operation_succeeds_in_both_formats() {
    for format in [Format::Json, Format::Xml] {
        for Operation { name, run } in OPERATIONS {
            let gateway = Gateway::new(move |_, request| right(format, request));
            let value = run(gateway.client(format)).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
            let key = [
                "cust_5a1d7c1e8a0f",
                "1100000000555551111",
                "plan_3f0f6b1c2d4e",
                "700001",
                "2027-01-15",
                "59",
            ];
            assert!(key.iter().any(|key| value.contains(key)), "{name}: {value}");
        }
    }
}

pub(crate) fn customer_key() -> CustomerKey {
    "cust_5a1d7c1e8a0f".parse().unwrap()
}

pub(crate) fn token_id() -> TokenId {
    "1100000000555551111".parse().unwrap()
}

pub(crate) fn plan_key() -> PlanKey {
    "plan_3f0f6b1c2d4e".parse().unwrap()
}

pub(crate) fn transaction_id() -> TransactionId {
    "700001".parse().unwrap()
}

pub(crate) fn date() -> Date {
    "2027-01-15".parse().unwrap()
}

fn amount() -> Amount {
    "50.00".parse().unwrap()
}

fn paging() -> Paging {
    Paging { page: None, page_size: Some(25), order_by: Some("created".into()), descending: Some(false) }
}

fn address() -> Builder<Address> {
    Address::builder().street("1 Loom Street").city("St Louis").state("MO").zip("63101")
}

pub(crate) fn new_customer() -> NewCustomer {
    NewCustomer::builder()
        .first_name("Ada")
        .last_name("Byron")
        .email("ada@example.test")
        .phone("3145550100")
        .comments("prefers mornings")
        .billing_address(address())
        .shipping_address(address().company("Engine Works"))
        .build()
        .unwrap()
}

fn customer_search() -> CustomerSearch {
    CustomerSearch {
        customer_key: Some(customer_key()),
        first_name: Some("Ada & Co".into()),
        last_name: Some("Byron".into()),
        email: Some("ada@example.test".into()),
        phone_number: Some("3145550100".into()),
        last_four: Some("1111".into()),
        exp_date: Some("1230".into()),
        plan_name: Some("Gold membership".into()),
        paging: paging(),
    }
}

pub(crate) fn customer_update() -> CustomerUpdate {
    CustomerUpdate::builder().first_name("Augusta").status(CustomerStatus::INACTIVE).build().unwrap()
}

fn new_customer_token() -> NewCustomerToken {
    NewCustomerToken::builder()
        .token_id(token_id())
        .exp_date("1230")
        .card_type(CardBrand::VISA)
        .last_four_digits("1111")
        .is_default(true)
        .build()
        .unwrap()
}

fn customer_token_update() -> CustomerTokenUpdate {
    CustomerTokenUpdate::builder().token_id(token_id()).description("travel card").build().unwrap()
}

pub(crate) fn new_token() -> NewToken {
    NewToken::builder()
        .card(CARD)
        .exp_date("1230")
        .csc(CSC)
        .description("business card")
        .customer_key(customer_key())
        .avs_address("1 Loom Street")
        .avs_zip("63101")
        .avs_required(false)
        .build()
        .unwrap()
}

fn token_search() -> TokenSearch {
    TokenSearch {
        token_id: Some(token_id()),
        merchant_legacy_token_id: Some("old-7".into()),
        updated_start_date: Some(date()),
        updated_end_date: Some(date()),
        date_filter: Some("custom_range".into()),
        paging: paging(),
    }
}

fn token_update() -> TokenUpdate {
    TokenUpdate::builder().status(TokenStatus::INACTIVE).description("lost card").build().unwrap()
}

pub(crate) fn new_plan() -> NewPlan {
    NewPlan::builder()
        .plan_name("Gold membership")
        .customer_key(customer_key())
        .token_id(token_id())
        .monthly_on(15)
        .payment_amount(amount())
        .start_date("2027-01-01")
        .end_date("2027-12-31")
        .status(PlanStatus::ACTIVE)
        .customer_name("Ada Byron")
        .email_address("ada@example.test")
        .email_receipt(true)
        .build()
        .unwrap()
}

fn plan_search() -> PlanSearch {
    PlanSearch {
        customer_key: Some(customer_key()),
        customer_name: Some("Ada Byron".into()),
        plan_key: Some(plan_key()),
        plan_name: Some("Gold membership".into()),
        payment_amount: Some(amount()),
        status: Some(PlanStatus::SUSPENDED),
        token_id: Some(token_id()),
        paging: paging(),
    }
}

fn plan_update() -> PlanUpdate {
    PlanUpdate::builder().payment_amount("75.00").end_date("2027-06-30").build().unwrap()
}

fn plan_forecast() -> PlanForecast {
    PlanForecast::builder().start_date("2027-01-01").end_date("2027-12-31").monthly_on(15).build().unwrap()
}

fn payment_search() -> PaymentSearch {
    PaymentSearch { customer_key: Some(customer_key()), plan_key: Some(plan_key()), paging: paging() }
}

pub(crate) fn charge() -> Charge {
    Charge::builder()
        .amount("25.00")
        .card(CARD)
        .exp_date("1230")
        .csc(CSC)
        .invoice("inv-1")
        .order_id("order-1")
        .create_token(true)
        .software_type("Perennial")
        .billing(address())
        .build()
        .unwrap()
}

fn capture() -> Capture {
    Capture::builder().id(transaction_id()).amount("25.00").tip_amount("4.00").build().unwrap()
}

fn refund() -> Refund {
    Refund::builder().id(transaction_id()).amount("10.00").comments("too large").build().unwrap()
}

fn transaction_update() -> TransactionUpdate {
    TransactionUpdate::builder().tip_amount("0.08").build().unwrap()
}

fn batch_search() -> BatchSearch {
    BatchSearch { status: Some(BatchStatus::OPEN), paging: paging() }
}

pub(crate) fn batch() -> Batch {
    Batch {
        id: Some("59".parse().unwrap()),
        status: Some(BatchStatus::OPEN),
        total_count: Some(3),
        net_amount: Some("5.05".parse().unwrap()),
        ..Batch::default()
    }
}

fn transaction_search() -> TransactionSearch {
    TransactionSearch {
        id: Some(transaction_id()),
        level: Some("merchant".try_into().unwrap()),
        amount: Some(amount()),
        transaction_type: Some(TransactionType::FORCED_SALE),
        status: Some("Approved".into()),
        last_four: Some("1111".into()),
        authorization_code: Some("TAS289".into()),
        invoice: Some("inv-1".into()),
        order_id: Some("plan_3f0f6b1c2d4e".into()),
        display_message: Some("Transaction approved".into()),
        start_date: Some("2027-01-01 00:00".into()),
        end_date: Some("2027-12-31 23:59".into()),
        paging: paging(),
    }
}

pub(crate) fn customer() -> Customer {
    Customer {
        customer_key: customer_key(),
        first_name: Some("ADA".into()),
        last_name: Some("Byron".into()),
        email: None,
        phone: None,
        comments: None,
        status: None,
        billing_address: None,
        shipping_address: None,
        links: Vec::new(),
    }
}

pub(crate) fn customer_token() -> CustomerToken {
    CustomerToken {
        token_id: token_id(),
        customer_key: Some(customer_key()),
        exp_date: None,
        card_type: Some(CardBrand::VISA),
        last_four_digits: Some("1111".into()),
        description: None,
        is_default: Some(true.into()),
        avs_address: None,
        avs_zip: None,
    }
}

pub(crate) fn token() -> Token {
    Token {
        token_id: Some(token_id()),
        customer_key: Some(customer_key()),
        last_four_digits: Some("1111".into()),
        ..Token::default()
    }
}

pub(crate) fn plan() -> Plan {
    Plan {
        plan_key: plan_key(),
        plan_name: Some("Gold membership".into()),
        plan_type: None,
        customer_key: Some(customer_key()),
        customer_name: None,
        token_id: Some(token_id()),
        frequency: Some(Frequency::MONTHLY),
        frequency_day: Some(FrequencyDay::new(15).unwrap().into()),
        frequency_month: None,
        frequency_week: None,
        payment_amount: Some(amount()),
        start_date: Some("2027-01-01".parse().unwrap()),
        end_date: Some("2027-12-31".parse().unwrap()),
        status: Some(PlanStatus::SUSPENDED),
        status_date: None,
        email_address: None,
        email_receipt: None,
        links: Vec::new(),
    }
}

pub(crate) fn created_plan() -> Plan {
    Plan { status: Some(PlanStatus::ACTIVE), ..plan() }
}

fn expected_run() -> ExpectedRun {
    ExpectedRun { date: date(), payment_amount: Some(amount()) }
}

fn payment() -> Payment {
    Payment { transaction_id: Some(transaction_id()), plan_key: Some(plan_key()), ..Payment::default() }
}

pub(crate) fn transaction() -> Transaction {
    Transaction {
        id: Some(transaction_id()),
        amount: Some("25.00".parse().unwrap()),
        result: Some(TransactionResult::APPROVED),
        result_code: Some("000".into()),
        card: Some("XXXXXXXXXXXX1111".into()),
        last_four: Some("1111".into()),
        order_id: Some("order-1".into()),
        ..Transaction::default()
    }
}

pub(crate) fn tipped() -> Transaction {
    Transaction { tip_amount: Some("0.08".parse().unwrap()), ..transaction() }
}

fn refunded() -> Transaction {
    Transaction { amount: Some("10.00".parse().unwrap()), ..transaction() }
}

fn found_transaction() -> Transaction {
    Transaction { amount: Some(amount()), order_id: Some("plan_3f0f6b1c2d4e".into()), ..transaction() }
}

fn settled_batch() -> Batch {
    Batch { status: Some(BatchStatus::CLOSED), ..batch() }
}
