//! The first plan: a customer, her card, a year of monthly payments, and the first three months of it.
//!
//! `cargo run -p perennial --example first_plan`

use perennial::clearent::{ApiKey, NewCustomer, NewPlan, NewToken, PaymentSearch, PlanStatus};
use perennial::{BaseUrl, Clearent};
use perennial_sandbox::Sandbox;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A gateway on this machine, with its own key, and a clock that is frozen at 2027-01-01.
    let sandbox = Sandbox::start().await?;
    let client = Clearent::builder(ApiKey::new(sandbox.api_key().expose())?)
        .environment(sandbox.base_url().parse::<BaseUrl>()?)
        .build()?;

    // Your own customer number becomes the key. On a gateway that keeps its data, a second create is then refused
    // instead of making a second customer.
    let ada = NewCustomer::builder().customer_key("member-7").first_name("Ada").last_name("Byron").build()?;
    let ada = client.customers().create(&ada).await?;

    let card = NewToken::builder()
        .card("4111 1111 1111 1111")
        .exp_date("1230")
        .csc("999")
        .description("business card")
        .customer_key(&ada.customer_key)
        .build()?;
    let token = client.tokens().create(card).await?;

    let plan = NewPlan::builder()
        .plan_name("Gold membership")
        .customer_key(&ada.customer_key)
        .token_id(token.token_id.clone())
        .monthly_on(15)
        .payment_amount("50.00")
        .start_date("2027-01-01")
        .end_date("2027-12-31")
        .status(PlanStatus::ACTIVE)
        .build()?;
    println!("{} payments, {} in all", plan.schedule()?.count(), plan.total());
    let plan = client.plans().create(&plan).await?;

    // Three months pass, and what became due in them has been charged.
    sandbox.advance("P3M").await?;
    let search = PaymentSearch { plan_key: Some(plan.plan_key.clone()), ..PaymentSearch::default() };
    let mut payments = client.payments().list(&search);
    while let Some(payment) = payments.next().await.transpose()? {
        println!("{:?} {:?}", payment.created, payment.status);
    }
    Ok(())
}

#[test]
fn it_runs() {
    main().unwrap();
}
