//! Amounts still due of partially approved payments, for tables. A payment has the amount that was taken;
//! its transaction has the requested amount.

use std::collections::BTreeMap;
use std::mem;

use perennial::clearent::{PlanKey, TransactionId};
use perennial::{Amount, Clearent, Total};

use super::{Record, Value};

/// The maximum number of plans, and of transactions, that are looked up for one table.
const MOST: usize = 100;

/// The amounts that were looked up, by their plans' keys, and the number of transactions that were.
#[derive(Default)]
pub(super) struct Amounts {
    of_plans: BTreeMap<String, Option<Total>>,
    searches: usize,
}

impl Amounts {
    /// Adds the amount due to each payment below its plan's amount, from its transaction. The plan's amount may have
    /// changed, so the transaction decides; an unreadable one adds nothing.
    pub(super) async fn add(&mut self, client: &Clearent, rows: &mut [Record]) {
        let Self { of_plans, searches } = self;
        for row in rows {
            let fields = ("plan-key", "transaction-id", "payment-amount");
            let fields = (row.field(fields.0), row.field(fields.1), row.field(fields.2));
            let (Some(Value::Text(plan)), Some(Value::Text(transaction)), Some(Value::Amount(taken))) =
                fields
            else {
                continue;
            };
            if !of_plans.contains_key(plan) && of_plans.len() < MOST {
                of_plans.insert(plan.clone(), of_plan(client, plan).await);
            }
            if of_plans.get(plan).copied().flatten().is_some_and(|amount| *taken < amount) && *searches < MOST
            {
                *searches += 1;
                let due = of_transaction(client, transaction).await;
                *row = mem::take(row).with("due", due);
            }
        }
    }
}

async fn of_plan(client: &Clearent, key: &str) -> Option<Total> {
    let key = PlanKey::try_from(key).ok()?;
    client.plans().get(&key).await.ok()?.payment_amount.map(Total::from)
}

async fn of_transaction(client: &Clearent, id: &str) -> Option<Amount> {
    let id = TransactionId::try_from(id).ok()?;
    client.transactions().get(&id).await.ok()?.due()
}
