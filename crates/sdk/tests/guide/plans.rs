//! The chapter on plans.

use perennial::clearent::{
    CustomerKey, NewPlan, Plan, PlanForecast, PlanKey, PlanStatus, PlanUpdate, TokenId,
};
use perennial::{Clearent, Error, Response};

use crate::steps;
use crate::wire::{Outcome, Wire};

pub(crate) async fn run(Wire { client, world, .. }: Wire) -> Outcome {
    let ada = steps::ada(&client).await?;
    let token = steps::card(&client, &ada).await?;
    let plan = create(&client, &ada, &token).await?.into_value();
    assert_eq!(plan.schedule().ok_or("a monthly plan")?.count(), 12);
    assert_eq!(client.plans().get(&plan.plan_key).await?.status, Some(PlanStatus::ACTIVE));

    assert_eq!(world.advance("P10M").await?.approved, 10);
    assert_eq!(client.plans().expected_runs(&plan.plan_key).await?.len(), 2);
    let forecast = PlanForecast::builder().start_date("2028-01-01").end_date("2028-12-31").monthly_on(15);
    assert_eq!(client.plans().forecast(&forecast.build()?).await?.len(), 12);

    change(&client, &plan.plan_key).await?;
    let refused = client.plans().delete(&plan.plan_key).await.unwrap_err();
    assert!(refused.refusal().is_some());
    Ok(())
}

async fn create(client: &Clearent, ada: &CustomerKey, token: &TokenId) -> Result<Response<Plan>, Error> {
    let plan = NewPlan::builder()
        .plan_name("Gold membership")
        .customer_key(ada)
        .token_id(token)
        .monthly_on(15)
        .payment_amount("50.00")
        .starting("2027-01-01")
        .charges(12)
        .status(PlanStatus::ACTIVE)
        .build()?;
    assert_eq!(plan.schedule()?.next().map(|day| day.to_string()).as_deref(), Some("2027-01-15"));
    assert_eq!(plan.total().to_string(), "600.00");
    client.plans().create(&plan).await
}

async fn change(client: &Clearent, key: &PlanKey) -> Result<(), Error> {
    let update = PlanUpdate::builder().payment_amount("75.00").build()?;
    client.plans().update(key, &update).await?;

    client.plans().suspend(key).await?;
    client.plans().activate(key).await?;
    client.plans().cancel(key).await?;
    assert!(client.plans().activate(key).await.unwrap_err().is_invalid_request());
    Ok(())
}
