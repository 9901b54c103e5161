//! The chapter on payments.

use perennial::clearent::{Payment, PaymentSearch, PlanKey, TransactionSearch, Verdict};
use perennial::{Clearent, Error};

use crate::steps;
use crate::wire::{Outcome, Wire};

pub(crate) async fn run(Wire { client, world, .. }: Wire) -> Outcome {
    let plan = steps::plan(&client).await?;
    world.advance("P1M").await?;
    assert_eq!(unpaid(&client, &plan).await?, []);
    let transactions = transactions(&client, &plan).await?;
    assert_eq!(transactions, 1);
    Ok(())
}

async fn unpaid(client: &Clearent, plan: &PlanKey) -> Result<Vec<Payment>, Error> {
    let search = PaymentSearch { plan_key: Some(plan.clone()), ..PaymentSearch::default() };
    let mut payments = client.payments().list(&search);
    let mut unpaid = Vec::new();
    while let Some(payment) = payments.next().await.transpose()? {
        if payment.verdict() != Verdict::Approved {
            unpaid.push(payment);
        }
    }
    Ok(unpaid)
}

async fn transactions(client: &Clearent, plan: &PlanKey) -> Result<usize, Error> {
    let search = TransactionSearch { order_id: Some(plan.to_string()), ..TransactionSearch::default() };
    let transactions = client.transactions().search(&search).collect_all().await?;
    assert!(transactions.iter().all(|transaction| transaction.plan_key().as_ref() == Some(plan)));
    Ok(transactions.len())
}
