//! `perennial plans`

use chrono::Utc;
use clap::{Args, Subcommand};
use perennial::clearent::{NewPlan, PlanForecast, PlanKey, PlanSearch, PlanStatus, PlanUpdate, TokenId};
use perennial::{Builder, Clearent, Expiry, NaiveDateTime, Reported, Violations};

use super::criteria::{Criteria, Pages, key};
use super::once::Keyed;
use super::{both, second};
use crate::context::Global;
use crate::failure::Failure;

/// Payment plans.
#[derive(Debug, Subcommand)]
pub(crate) enum Plans {
    /// Creates a plan; an active plan charges automatically from its first date on
    #[command(
        after_help = "Notes on standard error name surprising results: 13 charges, none, past days, a first day that is \
        today, a card that expires before the end. If another plan charges this customer, token and amount on these \
        days, the command asks on a terminal; without one, it sends nothing and exits with 7, unless --allow-second is \
        given.\n\n\
        Example:\n  perennial plans create --plan-name 'Gold membership' \
        --customer-key cust_5a1d7c1e8a0f \\\n    --token-id 1100000000555551111 --frequency-day 15 \
        --payment-amount 50.00 \\\n    --start-date 2027-01-01 --end-date 2027-12-31 --status ACTIVE"
    )]
    Create(Keyed<Create>),
    /// Shows a plan
    #[command(after_help = "Example:\n  perennial plans get plan_3f0f6d1c5f0e")]
    Get(Named),
    /// Lists matching plans
    #[command(
        visible_alias = "list",
        after_help = "Example:\n  perennial plans search --status ACTIVE --all --output json"
    )]
    Search(Search),
    /// Changes a plan; omitted fields stay unchanged
    #[command(
        after_help = "A new --frequency-day can charge twice in a month, or not at all: a note on standard error says so, \
        and --dry-run shows the charges to come.\n\nExample:\n  perennial plans update plan_3f0f6d1c5f0e --payment-amount 55.00"
    )]
    Update(Keyed<Update>),
    /// Suspends a plan: it does not charge until it is activated again
    #[command(after_help = "Example:\n  perennial plans suspend plan_3f0f6d1c5f0e")]
    Suspend(Keyed<Named>),
    /// Activates a suspended plan
    #[command(after_help = "Example:\n  perennial plans activate plan_3f0f6d1c5f0e")]
    Activate(Keyed<Named>),
    /// Cancels a plan permanently
    #[command(after_help = "Example:\n  perennial plans cancel plan_3f0f6d1c5f0e")]
    Cancel(Keyed<Named>),
    /// Deletes a plan that is not active and has no payments
    #[command(after_help = "An active plan, or one with payments, stays: cancel it instead.\n\n\
        Example:\n  perennial plans delete plan_3f0f6d1c5f0e")]
    Delete(Keyed<Named>),
    /// Lists the future charges of a plan
    #[command(after_help = "Example:\n  perennial plans expected-runs plan_3f0f6d1c5f0e")]
    ExpectedRuns(Named),
    /// Lists the days on which a new plan would charge
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

#[derive(Debug, Args)]
pub(crate) struct Create {
    #[command(flatten)]
    fields: NewFields,
    /// Create the plan even if another one charges this customer, token and amount on these days
    #[arg(long)]
    allow_second: bool,
}

options! {
    NewFields fills Builder<NewPlan> {
        /// The name of the plan; required
        plan_name = "plan-name", "TEXT";
        /// The customer; required
        customer_key = "customer-key", "KEY";
        /// The card token to charge; required
        token_id = "token-id", "ID";
        /// The frequency: MONTHLY
        #[arg(default_value = "MONTHLY")]
        frequency = "frequency", "WORD";
        /// The day of the month, 1 to 28; required
        frequency_day = "frequency-day", "DAY";
        /// The amount of each payment; required
        payment_amount = "payment-amount", "AMOUNT";
        /// The first day, yyyy-MM-dd; required
        start_date = "start-date", "DATE";
        /// The last day, at most 12 months later; required
        end_date = "end-date", "DATE";
        /// The status: ACTIVE, SUSPENDED or CANCELED; required
        status = "status", "STATUS";
        /// The type: SUBSCRIPTION
        plan_type = "type", "WORD";
        /// A name of the customer, for display
        customer_name = "customer-name", "TEXT";
        /// The email address for receipts
        email_address = "email-address", "TEXT";
        /// Whether to send receipts
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
    Changes fills Builder<PlanUpdate> {
        /// The new name
        plan_name = "plan-name", "TEXT";
        /// The new customer
        customer_key = "customer-key", "KEY";
        /// The new card token
        token_id = "token-id", "ID";
        /// The frequency: MONTHLY
        frequency = "frequency", "WORD";
        /// The new day of the month, 1 to 28
        frequency_day = "frequency-day", "DAY";
        /// The new amount of each payment
        payment_amount = "payment-amount", "AMOUNT";
        /// The new first day
        start_date = "start-date", "DATE";
        /// The new last day
        end_date = "end-date", "DATE";
        /// The status: ACTIVE, SUSPENDED or CANCELED, which is final
        status = "status", "STATUS";
        /// The type: SUBSCRIPTION
        plan_type = "type", "WORD";
        /// The new display name of the customer
        customer_name = "customer-name", "TEXT";
        /// The email address for receipts
        email_address = "email-address", "TEXT";
        /// Whether to send receipts
        email_receipt = "email-receipt", "BOOL";
    }
}

options! {
    /// The options of a forecast of plans.
    Question fills Builder<PlanForecast> {
        /// The first day, yyyy-MM-dd; required
        start_date = "start-date", "DATE";
        /// The last day, at most 12 months later; required
        end_date = "end-date", "DATE";
        /// The frequency: MONTHLY
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
    /// Plans of customers with this name
    #[arg(long, value_name = "TEXT")]
    customer_name: Option<String>,
    /// The plan
    #[arg(long, value_name = "KEY")]
    plan_key: Option<String>,
    /// Plans with this name
    #[arg(long, value_name = "TEXT")]
    plan_name: Option<String>,
    /// Plans with this amount
    #[arg(long, value_name = "AMOUNT")]
    payment_amount: Option<String>,
    /// The status: ACTIVE, SUSPENDED or CANCELED
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
            Self::Create(Keyed { command, once }) => {
                let plan = command.fields.fill(NewPlan::builder()).build()?;
                let writer = once.open(global, client).await?;
                // The plan of an earlier run under this key is no second one.
                let is_known = match &writer {
                    Some(writer) => writer.is_known().await?,
                    None => false,
                };
                if !command.allow_second && !is_known {
                    second::refuse(&plan, &plans.find_equal(&plan).await?)?;
                }
                let (now, card) = card(client, plan.fields().token_id).await?;
                global.dry_run.notes(plan.notes_at(now, card));
                if global.dry_run.is_on() && plan.fields().status == Some(&PlanStatus::ACTIVE) {
                    global.dry_run.preview(plan.schedule()?.to_come(now), *plan.fields().payment_amount);
                }
                match writer {
                    None => output.written(plans.create(&plan).await?),
                    Some(writer) => {
                        let created = writer.writes().plans().create(writer.key(), &plan).await;
                        writer.written(created).await
                    }
                }
            }
            Self::Get(named) => output.one(plans.get(&named.key()?).await?.into_value()),
            Self::Search(search) => {
                output.list_with_names(plans.search(&search.search()?), search.pages.extent(), client).await
            }
            Self::Update(Keyed { command, once }) => {
                let changes = command.changes.fill(PlanUpdate::builder()).build();
                let (key, changes) = both(command.named.key(), changes)?;
                preview(global, client, &key, &changes).await?;
                match once.open(global, client).await? {
                    None => output.written(plans.update(&key, &changes).await?),
                    Some(writer) => {
                        let updated = writer.writes().plans().update(writer.key(), &key, &changes).await;
                        writer.written(updated).await
                    }
                }
            }
            Self::Suspend(Keyed { command, once }) => {
                let key = command.key()?;
                match once.open(global, client).await? {
                    None => output.written(plans.suspend(&key).await?),
                    Some(writer) => {
                        let suspended = writer.writes().plans().suspend(writer.key(), &key).await;
                        writer.written(suspended).await
                    }
                }
            }
            Self::Activate(Keyed { command, once }) => {
                let key = command.key()?;
                let activation = PlanUpdate::builder().status(PlanStatus::ACTIVE).build()?;
                preview(global, client, &key, &activation).await?;
                match once.open(global, client).await? {
                    None => output.written(plans.activate(&key).await?),
                    Some(writer) => {
                        let activated = writer.writes().plans().activate(writer.key(), &key).await;
                        writer.written(activated).await
                    }
                }
            }
            Self::Cancel(Keyed { command, once }) => {
                let key = command.key()?;
                match once.open(global, client).await? {
                    None => output.written(plans.cancel(&key).await?),
                    Some(writer) => {
                        let canceled = writer.writes().plans().cancel(writer.key(), &key).await;
                        writer.written(canceled).await
                    }
                }
            }
            Self::Delete(Keyed { command, once }) => {
                let key = command.key()?;
                match once.open(global, client).await? {
                    None => output.deleted(plans.delete(&key).await?, key),
                    Some(writer) => {
                        let deleted = writer.writes().plans().delete(writer.key(), &key).await;
                        writer.written(deleted).await
                    }
                }
            }
            Self::ExpectedRuns(named) => output.many(plans.expected_runs(&named.key()?).await?.into_value()),
            Self::Forecast(question) => {
                let question = question.fill(PlanForecast::builder()).build()?;
                output.many(plans.forecast(&question).await?.into_value())
            }
        }
    }
}

/// Notes surprising results of the changes; a dry run also shows the charges after them.
async fn preview(
    global: &Global,
    client: &Clearent,
    key: &PlanKey,
    changes: &PlanUpdate,
) -> Result<(), Failure> {
    let fields = changes.fields();
    let token_id = fields.token_id;
    let moves = fields.frequency_day.is_some() || fields.start_date.or(fields.end_date).is_some();
    let resumes = fields.status.is_some_and(|status| *status == PlanStatus::ACTIVE);
    if !global.dry_run.is_on() && !moves && !resumes && token_id.is_none() {
        return Ok(());
    }
    let plan = client.plans().get(key).await?;
    let next = changes.apply(&plan)?;
    let now = plan.date().unwrap_or_else(|| Utc::now().naive_utc());
    let card = match &next.token_id {
        Some(token) if moves || resumes || token_id.is_some() => card(client, token).await?.1,
        _ => None,
    };
    global.dry_run.notes(changes.notes(&plan, now, card));
    let is_active = next.status == Some(PlanStatus::ACTIVE) && next.schedule().is_some();
    if let Some(amount) = next.payment_amount.filter(|_| global.dry_run.is_on() && is_active) {
        global.dry_run.preview(next.to_come(now), amount);
    }
    Ok(())
}

/// The gateway's time, and the expiry of a card. An unknown token has no expiry; the gateway refuses
/// the plan.
async fn card(client: &Clearent, token: &TokenId) -> Result<(NaiveDateTime, Option<Expiry>), Failure> {
    let here = || Utc::now().naive_utc();
    match client.tokens().get(token).await {
        Ok(token) => {
            Ok((token.date().unwrap_or_else(here), token.exp_date.as_ref().and_then(Reported::value)))
        }
        Err(error) if error.is_not_found() => Ok((here(), None)),
        Err(error) => Err(error.into()),
    }
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
