//! Subscriptions that would charge what something else charges already.

use chrono::NaiveDate;
use perennial::Clearent as Client;
use perennial::clearent::{PlanKey, PlanSearch, PlanStatus};

use crate::Error;
use crate::billing::{Billing, NewSubscription, check_token, plan};
use crate::calendar::{DAYS_OF_A_TERM, due_days};
use crate::model::Subscription;

impl NewSubscription {
    /// Checks what the gateway knows of a subscription that would be the first of its merchant: the token, and the plans that
    /// charge the same.
    ///
    /// # Errors
    ///
    /// Those of [`Billing::start`] that need no database.
    pub async fn check_at(&self, client: &Client, today: NaiveDate) -> Result<(), Error> {
        let subscription = self.row(self.check(today)?, 1);
        check_token(client, &self.customer, &self.token).await?;
        match equal_plans(client, &subscription).await?.into_iter().next() {
            Some(plan) if !self.allows_second => Err(Error::SecondPlan { id: self.id.clone(), plan }),
            _ => Ok(()),
        }
    }
}

impl Billing {
    /// Checks that nothing else charges what a new subscription will charge.
    pub(crate) async fn check_second(
        &self,
        new: &NewSubscription,
        subscription: &Subscription,
    ) -> Result<(), Error> {
        if let Some(other) = self.store.equal_to(subscription).await? {
            return Err(Error::Second { other });
        }
        for plan in equal_plans(self.north.client(), subscription).await? {
            if self.store.term_of_plan(&plan).await?.is_none() {
                return Err(Error::SecondPlan { id: new.id.clone(), plan });
            }
        }
        Ok(())
    }
}

/// The active plans that charge the same as the first term of a subscription.
async fn equal_plans(client: &Client, subscription: &Subscription) -> Result<Vec<PlanKey>, Error> {
    let last = due_days(subscription.day, subscription.from)
        .take(DAYS_OF_A_TERM)
        .take_while(|day| subscription.ends_on().is_none_or(|last| *day <= last))
        .last();
    let wanted = plan(subscription, subscription.from, last.unwrap_or(subscription.from))?;
    let search = PlanSearch {
        customer_key: Some(subscription.customer.clone()),
        status: Some(PlanStatus::ACTIVE),
        ..PlanSearch::default()
    };
    let mut found = client.plans().search(&search);
    let plans = found.collect_all().await?;
    if found.changed() {
        return Err(Error::ListChanged);
    }
    Ok(plans.into_iter().filter(|plan| wanted.repeats(plan)).map(|plan| plan.plan_key).collect())
}
