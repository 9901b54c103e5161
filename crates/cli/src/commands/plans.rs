//! `perennial plans`

use clap::{Args, Subcommand};
use perennial::clearent::{
    NewPlan, NewPlanBuilder, PlanForecast, PlanForecastBuilder, PlanKey, PlanSearch, PlanStatus, PlanUpdate,
    PlanUpdateBuilder,
};
use perennial::{Clearent, Violations};

use super::both;
use super::criteria::{Criteria, Pages, key};
use crate::args::Global;
use crate::failure::Failure;
use crate::rehearsal::Rehearsal;

/// Payment plans.
#[derive(Debug, Subcommand)]
pub(crate) enum Plans {
    /// Creates a plan; an active one charges by itself from its first date on
    #[command(after_help = "Example:\n  perennial plans create --plan-name 'Gold membership' \
        --customer-key cust_5a1d7c1e8a0f \\\n    --token-id 1100000000555551111 --frequency-day 15 \
        --payment-amount 50.00 \\\n    --start-date 2027-01-01 --end-date 2027-12-31 --status ACTIVE")]
    Create(NewFields),
    /// Shows a plan
    #[command(after_help = "Example:\n  perennial plans get plan_3f0f6d1c5f0e")]
    Get(Named),
    /// Lists the plans that match
    #[command(
        visible_alias = "list",
        after_help = "Example:\n  perennial plans search --status ACTIVE --all --output json"
    )]
    Search(Search),
    /// Changes a plan; what is not given stays as it is
    #[command(after_help = "Example:\n  perennial plans update plan_3f0f6d1c5f0e --payment-amount 55.00")]
    Update(Update),
    /// Suspends a plan: it does not charge until it is activated again
    #[command(after_help = "Example:\n  perennial plans suspend plan_3f0f6d1c5f0e")]
    Suspend(Named),
    /// Activates a suspended plan
    #[command(after_help = "Example:\n  perennial plans activate plan_3f0f6d1c5f0e")]
    Activate(Named),
    /// Cancels a plan for good
    #[command(after_help = "Example:\n  perennial plans cancel plan_3f0f6d1c5f0e")]
    Cancel(Named),
    /// Deletes a plan that is not active and has no payments
    #[command(after_help = "An active plan, or one with payments, stays: cancel it instead.\n\n\
        Example:\n  perennial plans delete plan_3f0f6d1c5f0e")]
    Delete(Named),
    /// Lists the charges that a plan will make
    #[command(after_help = "Example:\n  perennial plans expected-runs plan_3f0f6d1c5f0e")]
    ExpectedRuns(Named),
    /// Lists the days on which such a plan would charge
    #[command(
        after_help = "Example:\n  perennial plans forecast --start-date 2027-01-01 --end-date 2027-12-31 \
        --frequency-day 15"
    )]
    Forecast(Question),
}

/// A plan by its key.
#[derive(Debug, Args)]
pub(crate) struct Named {
    /// The plan's key
    #[arg(value_name = "PLAN-KEY")]
    plan: String,
}

options! {
    NewFields fills NewPlanBuilder {
        /// The name of the plan; required
        plan_name = "plan-name", "TEXT";
        /// The customer; required
        customer_key = "customer-key", "KEY";
        /// The card token to charge; required
        token_id = "token-id", "ID";
        /// How often: MONTHLY
        #[arg(default_value = "MONTHLY")]
        frequency = "frequency", "WORD";
        /// The day of the month, 1 to 28; required
        frequency_day = "frequency-day", "DAY";
        /// How much each payment is; required
        payment_amount = "payment-amount", "AMOUNT";
        /// The first day, yyyy-MM-dd; required
        start_date = "start-date", "DATE";
        /// The last day, at most 12 months later; required
        end_date = "end-date", "DATE";
        /// ACTIVE, SUSPENDED or CANCELED; required
        status = "status", "STATUS";
        /// The type: SUBSCRIPTION
        plan_type = "type", "WORD";
        /// The customer's name, for people
        customer_name = "customer-name", "TEXT";
        /// Where receipts go
        email_address = "email-address", "TEXT";
        /// Whether receipts are sent
        email_receipt = "email-receipt", "BOOL";
    }
}

#[derive(Debug, Args)]
pub(crate) struct Update {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    changes: Changes,
}

options! {
    Changes fills PlanUpdateBuilder {
        /// The new name
        plan_name = "plan-name", "TEXT";
        /// The new customer
        customer_key = "customer-key", "KEY";
        /// The new card token
        token_id = "token-id", "ID";
        /// MONTHLY
        frequency = "frequency", "WORD";
        /// The new day of the month, 1 to 28
        frequency_day = "frequency-day", "DAY";
        /// The new amount of each payment
        payment_amount = "payment-amount", "AMOUNT";
        /// The new first day
        start_date = "start-date", "DATE";
        /// The new last day
        end_date = "end-date", "DATE";
        /// ACTIVE, SUSPENDED or CANCELED, which is final
        status = "status", "STATUS";
        /// SUBSCRIPTION
        plan_type = "type", "WORD";
        /// The new name of the customer, for people
        customer_name = "customer-name", "TEXT";
        /// Where receipts go
        email_address = "email-address", "TEXT";
        /// Whether receipts are sent
        email_receipt = "email-receipt", "BOOL";
    }
}

options! {
    /// A question.
    Question fills PlanForecastBuilder {
        /// The first day, yyyy-MM-dd; required
        start_date = "start-date", "DATE";
        /// The last day, at most 12 months later; required
        end_date = "end-date", "DATE";
        /// How often: MONTHLY
        #[arg(default_value = "MONTHLY")]
        frequency = "frequency", "WORD";
        /// The day of the month, 1 to 28; required
        frequency_day = "frequency-day", "DAY";
    }
}

#[derive(Debug, Args)]
pub(crate) struct Search {
    /// Plans of this customer
    #[arg(long, value_name = "KEY")]
    customer_key: Option<String>,
    /// Plans of customers of this name
    #[arg(long, value_name = "TEXT")]
    customer_name: Option<String>,
    /// The plan
    #[arg(long, value_name = "KEY")]
    plan_key: Option<String>,
    /// Plans of this name
    #[arg(long, value_name = "TEXT")]
    plan_name: Option<String>,
    /// Plans of this amount
    #[arg(long, value_name = "AMOUNT")]
    payment_amount: Option<String>,
    /// ACTIVE, SUSPENDED or CANCELED
    #[arg(long, value_name = "STATUS")]
    status: Option<String>,
    /// Plans that charge this token
    #[arg(long, value_name = "ID")]
    token_id: Option<String>,
    #[command(flatten)]
    pages: Pages,
}

impl Plans {
    pub(crate) async fn run(self, client: &Clearent, global: &Global) -> Result<(), Failure> {
        let (plans, output) = (client.plans(), global.output);
        match self {
            Self::Create(fields) => {
                let plan = fields.fill(NewPlan::builder()).build()?;
                if global.rehearsal.is_on() && plan.fields().status == Some(&PlanStatus::ACTIVE) {
                    global.rehearsal.foresee(plan.schedule()?, *plan.fields().payment_amount);
                }
                output.written(plans.create(&plan).await?)
            }
            Self::Get(named) => output.one(plans.get(&named.key()?).await?.into_value()),
            Self::Search(search) => {
                output.list_with_names(plans.search(&search.search()?), search.pages.extent(), client).await
            }
            Self::Update(update) => {
                let changes = update.changes.fill(PlanUpdate::builder()).build();
                let (key, changes) = both(update.named.key(), changes)?;
                foresee(&global.rehearsal, plans, &key, &changes).await?;
                output.written(plans.update(&key, &changes).await?)
            }
            Self::Suspend(named) => output.written(plans.suspend(&named.key()?).await?),
            Self::Activate(named) => {
                let key = named.key()?;
                let activation = PlanUpdate::builder().status(PlanStatus::ACTIVE).build()?;
                foresee(&global.rehearsal, plans, &key, &activation).await?;
                output.written(plans.activate(&key).await?)
            }
            Self::Cancel(named) => output.written(plans.cancel(&named.key()?).await?),
            Self::Delete(named) => {
                let key = named.key()?;
                output.deleted(plans.delete(&key).await?, key)
            }
            Self::ExpectedRuns(named) => output.many(plans.expected_runs(&named.key()?).await?.into_value()),
            Self::Forecast(question) => {
                let question = question.fill(PlanForecast::builder()).build()?;
                output.many(plans.forecast(&question).await?.into_value())
            }
        }
    }
}

/// Has a rehearsal show what the plan would charge once it is changed.
async fn foresee(
    rehearsal: &Rehearsal,
    plans: perennial::clearent::Plans<'_>,
    key: &PlanKey,
    changes: &PlanUpdate,
) -> Result<(), Failure> {
    if !rehearsal.is_on() {
        return Ok(());
    }
    let plan = changes.apply(&*plans.get(key).await?)?;
    if let (Some(schedule), Some(amount)) = (plan.schedule(), plan.payment_amount)
        && plan.status == Some(PlanStatus::ACTIVE)
    {
        rehearsal.foresee(schedule, amount);
    }
    Ok(())
}

impl Named {
    fn key(&self) -> Result<PlanKey, Violations> {
        key("<PLAN-KEY>", &self.plan)
    }
}

impl Search {
    fn search(&self) -> Result<PlanSearch, Violations> {
        let mut criteria = Criteria::default();
        let search = PlanSearch {
            customer_key: criteria.read("customer-key", self.customer_key.as_ref()),
            customer_name: self.customer_name.clone(),
            plan_key: criteria.read("plan-key", self.plan_key.as_ref()),
            plan_name: self.plan_name.clone(),
            payment_amount: criteria.read("payment-amount", self.payment_amount.as_ref()),
            status: criteria.read("status", self.status.as_ref()),
            token_id: criteria.read("token-id", self.token_id.as_ref()),
            paging: self.pages.paging(),
        };
        criteria.finish(search)
    }
}
