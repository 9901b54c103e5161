//! The first steps of chapters.

use perennial::clearent::{CustomerKey, NewCustomer, NewPlan, NewToken, PlanKey, PlanStatus, TokenId};
use perennial::{Clearent, Error};

pub(crate) async fn ada(client: &Clearent) -> Result<CustomerKey, Error> {
    let ada = NewCustomer::builder().first_name("Ada").last_name("Byron").build()?;
    Ok(client.customers().create(&ada).await?.into_value().customer_key)
}

pub(crate) async fn card(client: &Clearent, ada: &CustomerKey) -> Result<TokenId, Error> {
    let card = NewToken::builder().card("4111 1111 1111 1111").exp_date("1230").csc("999");
    let card = card.description("business card").customer_key(ada).build()?;
    Ok(client.tokens().create(card).await?.into_value().token_id.expect("a new token has an id"))
}

pub(crate) async fn plan(client: &Clearent) -> Result<PlanKey, Error> {
    let ada = ada(client).await?;
    let card = card(client, &ada).await?;
    let plan = NewPlan::builder().plan_name("Gold membership").customer_key(&ada).token_id(&card);
    let plan = plan.monthly_on(15).payment_amount("50.00").start_date("2027-01-01").end_date("2027-12-31");
    Ok(client.plans().create(&plan.status(PlanStatus::ACTIVE).build()?).await?.into_value().plan_key)
}
