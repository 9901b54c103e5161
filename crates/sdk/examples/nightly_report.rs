//! A nightly job: what the plans charged on a day, what was declined, and what comes next.
//!
//! `cargo run -p perennial --example nightly_report`

use perennial::clearent::{
    ApiKey, NewCustomer, NewPlan, NewToken, PaymentSearch, PlanKey, PlanStatus, Verdict,
};
use perennial::{BaseUrl, Clearent, Error, Total};
use perennial_sandbox::Sandbox;

/// What a day came to.
struct Report {
    approved: usize,
    received: Total,
    declined: Vec<PlanKey>,
}

async fn report(client: &Clearent, day: &str) -> Result<Report, Error> {
    let mut report = Report { approved: 0, received: Total::default(), declined: Vec::new() };
    // Pages are fetched as they are read, so that a day of any size needs the same memory.
    let mut payments = client.payments().list(&PaymentSearch::default());
    while let Some(payment) = payments.next().await.transpose()? {
        if !payment.created.as_deref().is_some_and(|created| created.starts_with(day)) {
            continue;
        }
        if payment.verdict() == Verdict::Approved {
            report.approved += 1;
            report.received += payment.payment_amount.unwrap_or_default();
        } else {
            report.declined.extend(payment.plan_key);
        }
    }
    Ok(report)
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

    let Report { approved, received, declined } = report(&client, "2027-01-15").await?;
    println!("2027-01-15: {approved} approved, {received} received, {} declined", declined.len());
    for plan in &declined {
        let next = client.plans().expected_runs(plan).await?.into_value();
        println!("  {plan} was declined; {} runs are still to come", next.len());
        assert_eq!(next.len(), 11);
    }
    assert_eq!((approved, received.to_string().as_str(), declined.len()), (2, "125.50", 1));
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

#[test]
fn it_runs() {
    main().unwrap();
}
