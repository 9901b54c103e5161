//! Payment plans.

use perennial_domain::Date;
use perennial_domain::clearent::{
    ExpectedRun, NewPlan, NewPlanFields, PaymentSearch, Plan, PlanForecast, PlanKey, PlanSearch, PlanStatus,
    PlanUpdate, PlanUpdateFields, check_plan_deletion,
};
use perennial_wire::clearent::{Operation, Payload, payment, plan as wire};

use super::answer::{Mismatch, as_requested, not_another, reported, same};
use super::client::one_of_all;
use super::{Clearent, Lookup, payments};
use crate::page::Moved;
use crate::{Error, ErrorKind, List, Response};

/// The payment plans of a merchant.
#[derive(Debug, Clone, Copy)]
#[must_use = "it does nothing by itself"]
pub struct Plans<'a>(pub(super) &'a Clearent);

impl Plans<'_> {
    /// Creates a plan. An active plan charges automatically from its first date on. [`NewPlan::notes_at`] returns
    /// possible mistakes in the plan, and [`find_equal`](Self::find_equal) finds existing equal plans.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let new = NewPlan::builder()
    ///     .plan_name("Silver membership")
    ///     .customer_key(&ada.customer_key)
    ///     .token_id(&token)
    ///     .monthly_on(1)
    ///     .starting("2027-02-01")
    ///     .charges(6)
    ///     .payment_amount("20.00")
    ///     .status(PlanStatus::ACTIVE)
    ///     .build()?;
    /// assert_eq!(new.total().to_string(), "120.00");
    /// let silver = client.plans().create(&new).await?;
    /// assert_eq!(silver.end_date, "2027-07-31".parse().ok());
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub async fn create(self, plan: &NewPlan) -> Result<Response<Plan>, Error> {
        let call = wire::create(self.0.format(), plan)?;
        let created = self.0.one(call, one, |created| echoes(plan, created)).await;
        created.map_err(|error| error.or_look_up(|| Lookup::Plans(search_for(plan))))
    }

    /// Returns the plan with this key.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let found = client.plans().get(&plan.plan_key).await?;
    /// assert_eq!(found.payment_amount, "50.00".parse().ok());
    /// match &found.status {
    ///     Some(PlanStatus::ACTIVE) => assert_eq!(found.schedule().ok_or("a monthly plan")?.count(), 12),
    ///     other => panic!("made active, and now {other:?}"),
    /// }
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub async fn get(self, key: &PlanKey) -> Result<Response<Plan>, Error> {
        self.0.one(wire::get(key), one, |found| names(key, found)).await
    }

    /// Searches for plans.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let search = PlanSearch { customer_key: Some(ada.customer_key.clone()), ..PlanSearch::default() };
    /// let found = client.plans().search(&search).collect_all().await?;
    /// assert_eq!(found[0].plan_key, plan.plan_key);
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub fn search(self, search: &PlanSearch) -> List<Plan> {
        self.0.list(
            Operation::SearchPlans,
            search,
            |search| &mut search.paging,
            wire::search,
            all,
            |plan| Some(plan.plan_key.as_str()),
            fits,
        )
    }

    /// Finds the plans that charge the same amount to the customer's token on a day of this plan: with one of them, the
    /// customer is charged twice ([`NewPlan::repeats`]). [`create`](Self::create) does not check this: call
    /// `find_equal` first if a retry, or a second click, may create the plan again.
    ///
    /// The result is complete or an error: a list of plans that cannot be read is never returned as an empty list.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// // The plan was created before, and is not created again.
    /// let key = match client.plans().find_equal(&gold).await?.first() {
    ///     Some(equal) => equal.plan_key.clone(),
    ///     None => client.plans().create(&gold).await?.plan_key.clone(),
    /// };
    /// assert_eq!(key, plan.plan_key);
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub async fn find_equal(self, plan: &NewPlan) -> Result<Vec<Plan>, Error> {
        let customer_key = Some(plan.fields().customer_key.clone());
        let mut list = self.search(&PlanSearch { customer_key, ..PlanSearch::default() });
        let mut plans = list.collect_all().await?;
        if list.changed() {
            return Err(
                Error::because(ErrorKind::InvalidResponse, Moved).of_operation(Operation::SearchPlans.name())
            );
        }
        plans.retain(|found| plan.repeats(found));
        Ok(plans)
    }

    /// Changes a plan. Updates to one plan are sent in the order in which they are first awaited. [`PlanUpdate::notes`]
    /// returns possible mistakes: a new day can cause two charges in a month.
    ///
    /// If the update changes the status or the first or last day, the plan is read first. A change that
    /// [`PlanUpdate::apply`] refuses is an error of kind [`InvalidRequest`](crate::ErrorKind::InvalidRequest), and nothing is changed.
    /// Any plan can be canceled, so that needs no read.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let update = PlanUpdate::builder().payment_amount("60.00").build()?;
    /// let updated = client.plans().update(&plan.plan_key, &update).await?;
    /// assert_eq!(updated.payment_amount, "60.00".parse().ok());
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub async fn update(self, key: &PlanKey, update: &PlanUpdate) -> Result<Response<Plan>, Error> {
        let call = wire::update(self.0.format(), key, update)?;
        let _guard = self.0.guard(&call).await;
        if depends_on_the_plan(update) {
            update.apply(&*self.get(key).await?)?;
        }
        let updated = self.0.one(call, one, |updated| obeys(key, update, updated)).await;
        updated.map_err(|error| error.look_up(|| Lookup::Plan(key.clone())))
    }

    /// Suspends a plan: it does not charge until it is activated again.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let suspended = client.plans().suspend(&plan.plan_key).await?;
    /// assert_eq!(suspended.status, Some(PlanStatus::SUSPENDED));
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub async fn suspend(self, key: &PlanKey) -> Result<Response<Plan>, Error> {
        self.become_status(key, PlanStatus::SUSPENDED).await
    }

    /// Activates a suspended plan. The plan is read first, because a canceled one cannot be activated.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// client.plans().suspend(&plan.plan_key).await?;
    /// let active = client.plans().activate(&plan.plan_key).await?;
    /// assert_eq!(active.status, Some(PlanStatus::ACTIVE));
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub async fn activate(self, key: &PlanKey) -> Result<Response<Plan>, Error> {
        self.become_status(key, PlanStatus::ACTIVE).await
    }

    /// Cancels a plan permanently.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let canceled = client.plans().cancel(&plan.plan_key).await?;
    /// assert_eq!(canceled.status, Some(PlanStatus::CANCELED));
    /// assert!(client.plans().activate(&plan.plan_key).await.unwrap_err().is_invalid_request());
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub async fn cancel(self, key: &PlanKey) -> Result<Response<Plan>, Error> {
        self.become_status(key, PlanStatus::CANCELED).await
    }

    async fn become_status(self, key: &PlanKey, status: PlanStatus) -> Result<Response<Plan>, Error> {
        let update = PlanUpdate::builder().status(status).build()?;
        self.update(key, &update).await
    }

    /// Deletes a plan that is not active and has no payments. Both are checked first.
    ///
    /// The value is the plan's last state. It is `None` if the gateway does not return it, and if the response to an
    /// attempt of this call was lost and a retry found that the plan does not exist.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// // An active plan is kept.
    /// let refused = client.plans().delete(&plan.plan_key).await.unwrap_err();
    /// assert_eq!(refused.refusal().map(|refusal| refusal.obstacles()), Some([Obstacle::ActivePlan].as_slice()));
    ///
    /// client.plans().cancel(&plan.plan_key).await?;
    /// client.plans().delete(&plan.plan_key).await?;
    /// assert!(client.plans().get(&plan.plan_key).await.unwrap_err().is_not_found());
    #[doc = include_str!("../example_end.md")]
    /// ```
    ///
    /// # Errors
    ///
    /// [`DeletionRefused`](crate::ErrorKind::DeletionRefused), before anything is sent that deletes, if the plan is
    /// active or has payments.
    pub async fn delete(self, key: &PlanKey) -> Result<Response<Option<Plan>>, Error> {
        let call = wire::delete(key);
        let _guard = self.0.guard(&call).await;
        let plan = self.get(key).await?;
        let search =
            PaymentSearch { plan_key: Some(key.clone()), paging: one_of_all(), ..PaymentSearch::default() };
        let payments = self
            .0
            .count(payment::list(&search), payments::all, |found| payments::fits(&search, found))
            .await?;
        // A plan without a reported status may be active.
        check_plan_deletion(plan.status.as_ref().unwrap_or(&PlanStatus::ACTIVE), payments)?;
        let deleted = self.0.maybe(call, one, |deleted| is_deleted(key, deleted)).await;
        deleted.map_err(|error| error.look_up(|| Lookup::Plan(key.clone())))
    }

    /// Lists the future charges of a plan. The shape of the gateway's response is **inferred**.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let runs = client.plans().expected_runs(&plan.plan_key).await?;
    /// assert_eq!(runs.len(), 12);
    /// assert_eq!(runs[0].date, "2027-01-15".parse()?);
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub async fn expected_runs(self, key: &PlanKey) -> Result<Response<Vec<ExpectedRun>>, Error> {
        let take = |payload| if let Payload::ExpectedRuns(runs) = payload { Some(runs) } else { None };
        self.0.whole(wire::expected_runs(key), take, |_| Ok(())).await
    }

    /// Returns the days on which a plan with these dates would charge, computed by the gateway. The shape of its
    /// response is **inferred**; [`NewPlan::schedule`] returns the same days without a call.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let question = PlanForecast::builder().monthly_on(15).start_date("2027-01-01").end_date("2027-03-31").build()?;
    /// let days = client.plans().forecast(&question).await?;
    /// assert_eq!(days.first(), "2027-01-15".parse().ok().as_ref());
    /// assert_eq!(days.len(), 3);
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub async fn forecast(self, forecast: &PlanForecast) -> Result<Response<Vec<Date>>, Error> {
        let take = |payload| if let Payload::Forecast(dates) = payload { Some(dates) } else { None };
        self.0.whole(wire::forecast(forecast), take, |_| Ok(())).await
    }
}

fn one(payload: Payload) -> Option<Plan> {
    match payload {
        Payload::Plan(plan) => Some(*plan),
        Payload::Plans(mut plans) if plans.len() == 1 => plans.pop(),
        _ => None,
    }
}

pub(super) fn all(payload: Payload) -> Option<Vec<Plan>> {
    match payload {
        Payload::Plans(plans) => Some(plans),
        Payload::Plan(plan) => Some(vec![*plan]),
        _ => None,
    }
}

fn names(key: &PlanKey, plan: &Plan) -> Result<(), Mismatch> {
    same("plan-key", key, Some(&plan.plan_key))
}

/// An active plan cannot be deleted, so a response with an active plan contradicts itself.
fn is_deleted(key: &PlanKey, plan: &Plan) -> Result<(), Mismatch> {
    names(key, plan)?;
    if plan.status == Some(PlanStatus::ACTIVE) { Err(Mismatch("status")) } else { Ok(()) }
}

fn depends_on_the_plan(update: &PlanUpdate) -> bool {
    let PlanUpdateFields { start_date, end_date, status, .. } = update.fields();
    start_date.or(end_date).is_some() || status.is_some_and(|status| *status != PlanStatus::CANCELED)
}

fn obeys(key: &PlanKey, update: &PlanUpdate, updated: &Plan) -> Result<(), Mismatch> {
    names(key, updated)?;
    charges_as(&update.fields(), updated)
}

fn echoes(requested: &NewPlan, created: &Plan) -> Result<(), Mismatch> {
    let NewPlanFields {
        plan_name,
        plan_type,
        customer_key,
        customer_name,
        token_id,
        frequency,
        frequency_day,
        payment_amount,
        start_date,
        end_date,
        status,
        email_address,
        email_receipt,
    } = requested.fields();
    let requested = PlanUpdateFields {
        plan_name,
        plan_type,
        customer_key: Some(customer_key),
        customer_name,
        token_id: Some(token_id),
        frequency: Some(frequency),
        frequency_day,
        payment_amount: Some(payment_amount),
        start_date: Some(start_date),
        end_date: Some(end_date),
        status,
        email_address,
        email_receipt,
    };
    charges_as(&requested, created)
}

/// Checks that the plan charges as requested: the customer, the card, the amount and the time. The response to a create
/// or an update is the whole plan (sections 2.5 and 4.3 of the reference), so none of these may be missing. Names and
/// receipts move no money. Members that were not requested are not compared, because the gateway has its own defaults.
fn charges_as(requested: &PlanUpdateFields<'_>, plan: &Plan) -> Result<(), Mismatch> {
    as_requested("customer-key", requested.customer_key, plan.customer_key.as_ref())?;
    as_requested("token-id", requested.token_id, plan.token_id.as_ref())?;
    as_requested("payment-amount", requested.payment_amount, plan.payment_amount.as_ref())?;
    as_requested("frequency", requested.frequency, plan.frequency.as_ref())?;
    as_requested("frequency-day", reported(requested.frequency_day).as_ref(), plan.frequency_day.as_ref())?;
    as_requested("start-date", requested.start_date, plan.start_date.as_ref())?;
    as_requested("end-date", requested.end_date, plan.end_date.as_ref())?;
    as_requested("status", requested.status, plan.status.as_ref())
}

/// Keys, the amount and the status must match exactly; the gateway matches names in its own way.
pub(super) fn fits(search: &PlanSearch, found: &Plan) -> Result<(), Mismatch> {
    let PlanSearch {
        customer_key,
        customer_name: _,
        plan_key,
        plan_name: _,
        payment_amount,
        status,
        token_id,
        paging: _,
    } = search;
    not_another("customer-key", customer_key.as_ref(), found.customer_key.as_ref())?;
    not_another("plan-key", plan_key.as_ref(), Some(&found.plan_key))?;
    not_another("payment-amount", payment_amount.as_ref(), found.payment_amount.as_ref())?;
    not_another("status", status.as_ref(), found.status.as_ref())?;
    not_another("token-id", token_id.as_ref(), found.token_id.as_ref())
}

fn search_for(plan: &NewPlan) -> PlanSearch {
    let NewPlanFields { customer_key, token_id, payment_amount, plan_name, .. } = plan.fields();
    PlanSearch {
        customer_key: Some(customer_key.clone()),
        token_id: Some(token_id.clone()),
        payment_amount: Some(*payment_amount),
        plan_name: plan_name.map(|name| name.as_str().to_owned()),
        ..PlanSearch::default()
    }
}
