//! A nightly job that reports a day's payments of plans: the sum, the declines with their reasons, and the next
//! payments.
//!
//! `cargo run -p perennial --example nightly_report`

use perennial::clearent::{
    ApiKey, NewCustomer, NewPlan, NewToken, Paging, Payment, PaymentSearch, PlanKey, PlanStatus,
    TransactionId, Verdict,
};
use perennial::{BaseUrl, Clearent, Date, Error, Total};
use perennial_sandbox::Sandbox;

/// The payments of a day.
#[derive(Default)]
struct Report {
    approved: usize,
    received: Total,
    declined: Vec<Declined>,
    /// Payments without a day, without an amount, or neither approved nor declined: a person must check them.
    undecided: Vec<Option<TransactionId>>,
    /// The number of payments that were read.
    read: usize,
    /// Whether payments were made while the list was read. The payments of a past day are complete anyway.
    changed: bool,
}

struct Declined {
    plan: Option<PlanKey>,
    reason: String,
}

/// Reads the payments of one day, in UTC as the gateway counts.
///
/// The list is read newest first and stops at the previous day, so a nightly run reads only the recent payments and not
/// the whole history. Pages are fetched as they are read, so any number of payments needs the same memory.
async fn report(client: &Clearent, day: Date) -> Result<Report, Error> {
    let newest_first = Paging { page_size: Some(100), descending: Some(true), ..Paging::default() };
    let mut payments =
        client.payments().list(&PaymentSearch { paging: newest_first, ..PaymentSearch::default() });
    let mut report = Report::default();
    while let Some(payment) = payments.next().await.transpose()? {
        report.read += 1;
        match day_of(&payment) {
            Some(made) if made > day => continue,
            Some(made) if made < day => break,
            Some(_) => {}
            // Without a day it belongs to no report, and must not be lost.
            None => {
                report.undecided.push(payment.transaction_id);
                continue;
            }
        }
        match (payment.verdict(), payment.payment_amount) {
            (Verdict::Approved, Some(amount)) => {
                report.approved += 1;
                report.received += amount;
            }
            (Verdict::Declined, _) => {
                let reason = reason(client, &payment).await?;
                report.declined.push(Declined { plan: payment.plan_key, reason });
            }
            (Verdict::Undecided, _) | (_, None) => report.undecided.push(payment.transaction_id),
        }
    }
    report.changed = payments.changed();
    Ok(report)
}

fn day_of(payment: &Payment) -> Option<Date> {
    payment.created.as_ref()?.date()
}

/// The issuer's reason, which is in the card transaction.
async fn reason(client: &Clearent, payment: &Payment) -> Result<String, Error> {
    let Some(id) = &payment.transaction_id else { return Ok("no reason was given".to_owned()) };
    let transaction = client.transactions().get(id).await?;
    let decline = transaction.decline();
    Ok(decline.and_then(|decline| decline.message).unwrap_or_else(|| "no reason was given".to_owned()))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start().await?;
    let client = Clearent::builder(ApiKey::new(sandbox.api_key().expose())?)
        .environment(sandbox.base_url().parse::<BaseUrl>()?)
        .build()?;
    // 0.21 is an amount that the sandbox's issuer declines.
    for amount in ["50.00", "75.50", "0.21"] {
        subscribe(&client, amount).await?;
    }
    sandbox.advance("P15D").await?;

    let Report { approved, received, declined, undecided, .. } =
        report(&client, "2027-01-15".parse()?).await?;
    println!("2027-01-15: {approved} approved, {received} received, {} declined", declined.len());
    for Declined { plan, reason } in &declined {
        println!("  declined: {reason}");
        let Some(plan) = plan else { continue };
        let next = client.plans().expected_runs(plan).await?.into_value();
        println!("  {plan}: {} runs are still to come", next.len());
        assert_eq!(next.len(), 11);
    }
    assert_eq!((approved, received.to_string().as_str(), declined.len()), (2, "125.50", 1));
    assert_eq!((declined[0].reason.as_str(), undecided.len()), ("Not Sufficient Funds", 0));

    // Two months later, a night reads what came since the day before its day, and nothing older.
    sandbox.advance("P2M").await?;
    let march = report(&client, "2027-03-15".parse()?).await?;
    assert_eq!((march.approved, march.declined.len(), march.read, march.changed), (2, 1, 4, false));
    Ok(())
}

async fn subscribe(client: &Clearent, amount: &str) -> Result<(), Error> {
    let customer = NewCustomer::builder().first_name("Ada").last_name("Byron").build()?;
    let customer = client.customers().create(&customer).await?;
    let token = NewToken::builder().card("4111111111111111").exp_date("1230").csc("999").description("card");
    let token = client.tokens().create(token.customer_key(&customer.customer_key).build()?).await?;
    let plan = NewPlan::builder()
        .plan_name("Gold membership")
        .customer_key(&customer.customer_key)
        .token_id(token.token_id.as_ref().expect("a token that was made has an id"))
        .monthly_on(15)
        .payment_amount(amount)
        .start_date("2027-01-01")
        .end_date("2027-12-31")
        .status(PlanStatus::ACTIVE)
        .build()?;
    client.plans().create(&plan).await.map(|_| ())
}

/// Holds: The example of a nightly report runs.
#[test]
fn it_runs() {
    main().unwrap();
}
