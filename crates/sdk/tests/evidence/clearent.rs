//! The cases of Clearent, in both formats.

use std::sync::Arc;

use perennial::clearent::*;
use perennial::{CardBrand, Clearent, Environment, Error, Response};
use perennial_oracle::{
    CASES, Case, Claim, Conclusion, Expect, Format, Reply, Vendor, golden, judge, mutations,
};

use crate::told::{Tell, done, each, listed};
use crate::{Faults, Gateway, concluded, json};

const KEY: &str = "0123456789abcdef0123456789abcdef";
const CUSTOMER: &str = "cust_5a1d7c1e-8a0f-4c55-9f43-0b2f3f1f2a10";
const PLAN: &str = "plan_3f0f6d1c-5f0e-4f39-9f7e-6a3d1c2b4e5f";
const TOKEN: &str = "1100000000555551111";

/// The cases of this vendor with their formats.
pub(crate) fn cases() -> impl Iterator<Item = (&'static Case, Format)> {
    let ours = CASES.iter().filter(|case| case.vendor == Vendor::Clearent);
    ours.flat_map(|case| case.formats().iter().map(move |&format| (case, format)))
}

pub(crate) fn client(gateway: &Arc<Gateway>, format: Format) -> Clearent {
    let format = match format {
        Format::Json => perennial::Format::Json,
        Format::Xml => perennial::Format::Xml,
    };
    Clearent::builder(ApiKey::new(KEY).unwrap())
        .environment(Environment::Sandbox)
        .format(format)
        .exchange(gateway.clone())
        .build()
        .unwrap()
}

/// A gateway that responds to the call itself with the reply, to preceding reads correctly, and to further pages of a
/// list with no records.
pub(crate) fn answering(case: &'static Case, reply: Reply) -> Arc<Gateway> {
    Gateway::new(move |request| {
        let (path, query) = (request.uri().path(), request.uri().query());
        let is_the_call = match case.expect {
            Expect::Read => true,
            Expect::List => !query.is_some_and(is_of_another_page),
            _ => request.method() != http::Method::GET,
        };
        if is_the_call { reply.clone() } else { before_a_write(path, query) }
    })
}

fn is_of_another_page(query: &str) -> bool {
    query.split('&').any(|part| part.starts_with("page=") && part != "page=1")
}

/// A suspended plan, and empty lists.
fn before_a_write(path: &str, query: Option<&str>) -> Reply {
    let (list, item) = match path.rsplit('/').next() {
        Some("payments") => ("payments", "payment"),
        Some("customers") => ("customers", "customer"),
        Some("tokens") => ("tokens", "token"),
        Some("transactions") => ("transactions", "transaction"),
        Some("batches") => ("batches", "batch"),
        _ => ("payment-plans", "payment-plan"),
    };
    let page =
        query.and_then(|query| query.split('&').find_map(|part| part.strip_prefix("page="))).unwrap_or("1");
    let body = match query {
        None => format!(
            r#"{{"code":"200","status":"success","exchange-id":"ID-1","payload":{{"payloadType":"payment-plan",
            "payment-plan":{{"plan-key":"{PLAN}","customer-key":"{CUSTOMER}","token-id":"{TOKEN}","frequency":"MONTHLY",
            "frequency-day":"15","payment-amount":"50.00","start-date":"2027-01-01","end-date":"2027-12-01",
            "status":"SUSPENDED"}}}}}}"#
        ),
        Some(_) => format!(
            r#"{{"code":"200","status":"success","exchange-id":"ID-1","page":{{"first":true,"last":true,"number":{page},
            "number-of-elements":0,"size":1,"total-elements":0,"total-pages":0}},
            "payload":{{"{list}":{{"{item}":[]}},"payloadType":"{list}"}}}}"#
        ),
    };
    json(200, body)
}

/// Makes the call of a case; returns the facade's claim about the response.
async fn call(case: &Case, client: &Clearent) -> Claim {
    let customer: CustomerKey = CUSTOMER.parse().unwrap();
    let plan: PlanKey = PLAN.parse().unwrap();
    let token: TokenId = TOKEN.parse().unwrap();
    let first: TransactionId = "700001".parse().unwrap();
    match case.operation {
        "plans.create" => value(case, client.plans().create(&new_plan()).await),
        "plans.get" => value(case, client.plans().get(&plan).await),
        "plans.update" => {
            let update = PlanUpdate::builder().payment_amount("60.00").frequency_day(20).build().unwrap();
            value(case, client.plans().update(&plan, &update).await)
        }
        "plans.cancel" => value(case, client.plans().cancel(&plan).await),
        "plans.delete" => maybe(case, client.plans().delete(&plan).await),
        "plans.search" => {
            let search = PlanSearch { customer_key: Some(customer), ..PlanSearch::default() };
            listed(client.plans().search(&search)).await
        }
        "plans.expected-runs" => whole(client.plans().expected_runs(&plan).await),
        "plans.forecast" => {
            let forecast =
                PlanForecast::builder().start_date("2027-01-01").end_date("2027-12-31").monthly_on(15);
            whole(client.plans().forecast(&forecast.build().unwrap()).await)
        }
        "payments.list" => {
            let search = PaymentSearch { customer_key: Some(customer), ..PaymentSearch::default() };
            listed(client.payments().list(&search)).await
        }
        "customers.create" => {
            let ada = NewCustomer::builder().first_name("Ada").last_name("Byron").build().unwrap();
            value(case, client.customers().create(&ada).await)
        }
        "customers.get" => value(case, client.customers().get(&customer).await),
        "customers.update" => {
            let update = CustomerUpdate::builder().first_name("Augusta").build().unwrap();
            value(case, client.customers().update(&customer, &update).await)
        }
        "customers.delete" => maybe(case, client.customers().delete(&customer).await),
        "customers.search" => listed(client.customers().search(&CustomerSearch::default())).await,
        "customer-tokens.list" => {
            each(client.customers().tokens(&customer).each().await.map(Response::into_value))
        }
        "customer-tokens.attach" => {
            let attached = NewCustomerToken::builder()
                .token_id(token)
                .exp_date("1230")
                .card_type(CardBrand::VISA)
                .last_four_digits("1111")
                .build()
                .unwrap();
            value(case, client.customers().tokens(&customer).attach(&attached).await)
        }
        "customer-tokens.update" => {
            let update = CustomerTokenUpdate::builder().token_id(token).is_default(true).build().unwrap();
            value(case, client.customers().tokens(&customer).update(&update).await)
        }
        "tokens.create" => value(case, client.tokens().create(new_token()).await),
        "tokens.get" => value(case, client.tokens().get(&token).await),
        "tokens.update" => {
            let update =
                TokenUpdate::builder().description("old card").customer_key(&customer).build().unwrap();
            value(case, client.tokens().update(&token, &update).await)
        }
        "tokens.delete" => maybe(case, client.tokens().delete(&token).await),
        "tokens.search" => listed(client.tokens().search(&TokenSearch::default())).await,
        "transactions.sale" => charged(case, client.transactions().sale(&charge(case)).await),
        "transactions.auth" if case.reply == "token-created" => {
            let check = Charge::builder()
                .amount(perennial::Amount::ZERO)
                .card("4111111111111111")
                .exp_date("1230")
                .create_token(true);
            checked(client.transactions().auth(&check.build().unwrap()).await)
        }
        "transactions.auth" => charged(case, client.transactions().auth(&charge(case)).await),
        "transactions.void" => moved(case, client.transactions().void(&Void { id: first }).await),
        "transactions.refund" => {
            let refund = Refund::builder().id(first).amount("25.00").build().unwrap();
            moved(case, client.transactions().refund(&refund).await)
        }
        "transactions.capture" => {
            let capture = Capture::builder().id(first).amount("25.00").build().unwrap();
            moved(case, client.transactions().capture(&capture).await)
        }
        "transactions.update" => {
            let tip = TransactionUpdate::builder().tip_amount("4.00").build().unwrap();
            moved(case, client.transactions().update(&first, &tip).await)
        }
        "transactions.get" => value(case, client.transactions().get(&first).await),
        "transactions.search" => {
            let search = TransactionSearch {
                transaction_type: Some(TransactionType::SALE),
                ..TransactionSearch::default()
            };
            listed(client.transactions().search(&search)).await
        }
        "batches.list" => listed(client.batches().list(&BatchSearch::default())).await,
        "batches.open" => match client.batches().open().await.map(Response::into_value) {
            Ok(Some(open)) => done(&open),
            Ok(None) => Conclusion::Absent.into(),
            Err(error) => concluded(true, &error).into(),
        },
        "batches.settle" => {
            let open = Batch {
                total_count: Some(5),
                net_amount: Some("-119.99".parse().unwrap()),
                ..Batch::default()
            };
            value(case, client.batches().settle(&Settlement::of(&open)).await)
        }
        other => panic!("no call for {other}"),
    }
}

fn new_plan() -> NewPlan {
    NewPlan::builder()
        .plan_name("Gold membership")
        .customer_key(CUSTOMER)
        .token_id(TOKEN)
        .monthly_on(15)
        .payment_amount("50.00")
        .start_date("2027-01-01")
        .end_date("2027-12-01")
        .status(PlanStatus::ACTIVE)
        .build()
        .unwrap()
}

fn new_token() -> NewToken {
    NewToken::builder()
        .card("4111111111111111")
        .exp_date("1230")
        .csc("999")
        .description("business card")
        .customer_key(CUSTOMER)
        .build()
        .unwrap()
}

/// The requested charge of a case.
fn charge(case: &Case) -> Charge {
    let asked = |member: &str| case.same.iter().chain(case.if_present).find(|(name, _)| *name == member);
    let amount = asked("amount").map_or("25.00", |(_, amount)| *amount);
    let charge = Charge::builder().amount(amount).card("4111111111111111").exp_date("1230").csc("999");
    let charge = match asked("order-id") {
        Some((_, order)) => charge.order_id(*order).create_token(true),
        None => charge,
    };
    charge.build().unwrap()
}

fn value<T: Tell>(case: &Case, answered: Result<Response<T>, Error>) -> Claim {
    answered
        .map_or_else(|error| concluded(case.expect == Expect::Read, &error).into(), |object| done(&*object))
}

/// The claim about a deleted object, which the response may omit.
fn maybe<T: Tell>(case: &Case, answered: Result<Response<Option<T>>, Error>) -> Claim {
    match answered.map(Response::into_value) {
        Ok(None) => Conclusion::Done.into(),
        Ok(Some(deleted)) => done(&deleted),
        Err(error) => concluded(case.expect == Expect::Read, &error).into(),
    }
}

/// The claim about a list that is read all or not at all.
fn whole<T: Tell>(answered: Result<Response<Vec<T>>, Error>) -> Claim {
    each(answered.map(|records| records.into_value().into_iter().map(Ok).collect()))
}

/// The claim about a card check and the token that it created.
fn checked(answered: Result<Response<Charged>, Error>) -> Claim {
    let Ok(checked) = answered else { return concluded(false, &answered.unwrap_err()).into() };
    match (checked.is_approved(), &checked.token) {
        (true, Some(token)) => done(token),
        (true, None) => Conclusion::Done.into(),
        (false, _) if checked.decline().is_some() => Conclusion::Declined.into(),
        _ => Conclusion::Unknown.into(),
    }
}

fn charged(case: &Case, answered: Result<Response<Charged>, Error>) -> Claim {
    moved(case, answered.map(|charged| charged.map(|charged| charged.transaction)))
}

fn moved(case: &Case, answered: Result<Response<Transaction>, Error>) -> Claim {
    match answered {
        Ok(transaction) => Claim { conclusion: of(case, &transaction), told: vec![transaction.tell()] },
        Err(error) => concluded(false, &error).into(),
    }
}

/// The conclusion that a caller draws from a transaction.
pub(crate) fn of(case: &Case, transaction: &Transaction) -> Conclusion {
    let asked =
        case.same.iter().find(|(member, _)| *member == "amount").map(|(_, amount)| amount.parse().unwrap());
    match (transaction.is_approved(), transaction.decline()) {
        (true, None) if asked.is_none_or(|asked| transaction.amount == Some(asked)) => Conclusion::Done,
        // An earlier charge that the gateway considers equal is marked as a duplicate.
        (true, None) if transaction.is_duplicate() => Conclusion::Unknown,
        (true, None) => Conclusion::Partial,
        (false, Some(_)) => Conclusion::Declined,
        _ => Conclusion::Unknown,
    }
}

async fn conclusions_need_evidence(cases: impl Iterator<Item = (&'static Case, Format)>, least: usize) {
    let mut faults = Faults::default();
    let mut tried = 0;
    for (case, format) in cases {
        let right = golden(case, format);
        let is_definite = judge(case, &right).is_definite();
        let by_the_book = call(case, &client(&answering(case, right), format)).await;
        let is_believed = !matches!(by_the_book.conclusion, Conclusion::Unknown | Conclusion::Unusable);
        assert_eq!(is_believed, is_definite, "{} {format:?}: {by_the_book:?}", case.name());
        for mutation in mutations(case, format) {
            tried += 1;
            let gateway = answering(case, mutation.reply.clone());
            let claim = call(case, &client(&gateway, format)).await;
            faults.check(case, format, &mutation, &by_the_book, &claim);
            // A throttled call was not executed, and a deletion can be retried; all others are sent once.
            let again =
                judge(case, &mutation.reply).allows(Conclusion::NotDone) && mutation.reply.status == 429;
            let sent = gateway.writes().len();
            if sent > 1 && !again && case.expect != Expect::Delete {
                faults.add(&case.name(), &format!("{}: sent {sent} times", mutation.name));
            }
        }
    }
    assert!(tried > least, "{tried} replies were tried");
    faults.assert_none();
}

/// Holds: The facade calls a Clearent charge approved or declined only on whole and consistent evidence.
#[tokio::test(start_paused = true)]
async fn conclusions_of_charges_need_evidence() {
    conclusions_need_evidence(cases().filter(|(case, _)| case.expect == Expect::Charge), 10_000).await;
}

/// Holds: The facade calls a Clearent write done or not done only on whole and consistent evidence.
#[tokio::test(start_paused = true)]
async fn conclusions_of_writes_need_evidence() {
    let writes = cases().filter(|(case, _)| matches!(case.expect, Expect::Write | Expect::Delete));
    conclusions_need_evidence(writes, 10_000).await;
}

/// Holds: The facade reports an object of Clearent, or its absence, only on whole and consistent evidence.
#[tokio::test(start_paused = true)]
async fn conclusions_of_reads_need_evidence() {
    conclusions_need_evidence(cases().filter(|(case, _)| case.expect == Expect::Read), 2_000).await;
}

/// Holds: One unreadable record of a list takes no other with it, and no list ends early in silence.
#[tokio::test(start_paused = true)]
async fn conclusions_of_lists_need_evidence() {
    conclusions_need_evidence(cases().filter(|(case, _)| case.expect == Expect::List), 5_000).await;
}
