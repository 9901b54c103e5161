//! Clearent, in both formats.

use std::sync::Arc;

use perennial::clearent::*;
use perennial::{CardBrand, Clearent, Environment, Error, Response};
use perennial_oracle::{CASES, Case, Conclusion, Expect, Format, Reply, Vendor, golden, judge, mutations};

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

/// A gateway that answers the call itself with the reply, and what is read before it as it should be.
pub(crate) fn answering(case: &'static Case, reply: Reply) -> Arc<Gateway> {
    Gateway::new(move |request| {
        let is_the_call = case.expect == Expect::Read || request.method() != http::Method::GET;
        if is_the_call { reply.clone() } else { before_a_write(request.uri().path(), request.uri().query()) }
    })
}

/// A suspended plan, and lists without anything in them.
fn before_a_write(path: &str, query: Option<&str>) -> Reply {
    let (list, item) =
        if path.ends_with("/payments") { ("payments", "payment") } else { ("payment-plans", "payment-plan") };
    let body = match query {
        None => format!(
            r#"{{"code":"200","status":"success","exchange-id":"ID-1","payload":{{"payloadType":"payment-plan",
            "payment-plan":{{"plan-key":"{PLAN}","customer-key":"{CUSTOMER}","token-id":"{TOKEN}","frequency":"MONTHLY",
            "frequency-day":"15","payment-amount":"50.00","start-date":"2027-01-01","end-date":"2027-12-01",
            "status":"SUSPENDED"}}}}}}"#
        ),
        Some(_) => format!(
            r#"{{"code":"200","status":"success","exchange-id":"ID-1","page":{{"first":true,"last":true,"number":1,
            "number-of-elements":0,"size":1,"total-elements":0,"total-pages":0}},
            "payload":{{"{list}":{{"{item}":[]}},"payloadType":"{list}"}}}}"#
        ),
    };
    json(200, body)
}

/// The call of a case, and what the facade concludes from its answer.
async fn call(case: &Case, client: &Clearent) -> Conclusion {
    let customer: CustomerKey = CUSTOMER.parse().unwrap();
    let plan: PlanKey = PLAN.parse().unwrap();
    let token: TokenId = TOKEN.parse().unwrap();
    let first: TransactionId = "700001".parse().unwrap();
    match case.operation {
        "plans.create" => value(case, client.plans().create(&new_plan()).await),
        "plans.get" => value(case, client.plans().get(&plan).await),
        "plans.cancel" => value(case, client.plans().cancel(&plan).await),
        "plans.delete" => value(case, client.plans().delete(&plan).await),
        "customers.create" => {
            let ada = NewCustomer::builder().first_name("Ada").last_name("Byron").build().unwrap();
            value(case, client.customers().create(&ada).await)
        }
        "customers.get" => value(case, client.customers().get(&customer).await),
        "customers.delete" => value(case, client.customers().delete(&customer).await),
        "tokens.create" => value(case, client.tokens().create(new_token()).await),
        "tokens.get" => value(case, client.tokens().get(&token).await),
        "tokens.update" => {
            let update =
                TokenUpdate::builder().description("old card").customer_key(&customer).build().unwrap();
            value(case, client.tokens().update(&token, &update).await)
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
        "transactions.sale" => charged(case, client.transactions().sale(&charge(case)).await),
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
        "transactions.get" => value(case, client.transactions().get(&first).await),
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

/// The charge that a case asked for.
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

fn value<T>(case: &Case, answered: Result<T, Error>) -> Conclusion {
    answered.map_or_else(|error| concluded(case.expect == Expect::Read, &error), |_| Conclusion::Done)
}

fn charged(case: &Case, answered: Result<Response<Charged>, Error>) -> Conclusion {
    answered.map_or_else(|error| concluded(false, &error), |charged| of(case, &charged.transaction))
}

fn moved(case: &Case, answered: Result<Response<Transaction>, Error>) -> Conclusion {
    answered.map_or_else(|error| concluded(false, &error), |transaction| of(case, &transaction))
}

/// What a caller reads off a transaction.
pub(crate) fn of(case: &Case, transaction: &Transaction) -> Conclusion {
    let asked =
        case.same.iter().find(|(member, _)| *member == "amount").map(|(_, amount)| amount.parse().unwrap());
    match (transaction.is_approved(), transaction.decline()) {
        (true, None) if asked.is_none_or(|asked| transaction.amount == Some(asked)) => Conclusion::Done,
        (true, None) => Conclusion::Partial,
        (false, Some(_)) => Conclusion::Declined,
        _ => Conclusion::Unknown,
    }
}

/// Holds: The facade concludes yes or no from a Clearent reply only on whole and consistent evidence.
#[tokio::test(start_paused = true)]
async fn conclusions_need_evidence() {
    let mut faults = Faults::default();
    let mut tried = 0;
    for (case, format) in cases() {
        let right = golden(case, format);
        let by_the_book = call(case, &client(&answering(case, right), format)).await;
        assert!(
            !matches!(by_the_book, Conclusion::Unknown | Conclusion::Unusable),
            "{} {format:?} is not believed: {by_the_book:?}",
            case.name(),
        );
        for mutation in mutations(case, format) {
            tried += 1;
            let gateway = answering(case, mutation.reply.clone());
            let concluded = call(case, &client(&gateway, format)).await;
            faults.check(case, format, &mutation, by_the_book, concluded);
            // A throttled call was not performed, and a deletion can be repeated; all else is sent once.
            let again =
                judge(case, &mutation.reply).allows(Conclusion::NotDone) && mutation.reply.status == 429;
            let sent = gateway.writes().len();
            if sent > 1 && !again && case.expect != Expect::Delete {
                faults.add(&case.name(), &format!("{}: sent {sent} times", mutation.name));
            }
        }
    }
    assert!(tried > 10_000, "{tried} replies were tried");
    faults.assert_none();
}
