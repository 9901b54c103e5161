//! Payment plans.

use perennial_domain::Date;
use perennial_domain::clearent::{
    ExpectedRun, NewPlan, NewPlanFields, PaymentSearch, Plan, PlanForecast, PlanKey, PlanSearch, PlanStatus,
    PlanUpdate, PlanUpdateFields, check_plan_deletion,
};
use perennial_wire::clearent::{Payload, payment, plan as wire};

use super::answer::{Mismatch, not_another, same};
use super::customers::one_of_all;
use super::{Clearent, Lookup, payments};
use crate::{Error, List, Response};

/// The payment plans of a merchant.
#[derive(Debug, Clone, Copy)]
#[must_use = "it does nothing by itself"]
pub struct Plans<'a>(pub(super) &'a Clearent);

impl Plans<'_> {
    /// Creates a plan. An active one charges by itself from its first date on.
    pub async fn create(self, plan: &NewPlan) -> Result<Response<Plan>, Error> {
        let call = wire::create(self.0.format(), plan)?;
        let created = self.0.one("plans.create", call, one, |created| echoes(plan, created)).await;
        created.map_err(|error| error.or_look_up(|| Lookup::Plans(search_for(plan))))
    }

    /// The plan of this key.
    pub async fn get(self, key: &PlanKey) -> Result<Response<Plan>, Error> {
        self.0.one("plans.get", wire::get(key), one, |found| names(key, found)).await
    }

    /// The plans that match.
    pub fn search(self, search: &PlanSearch) -> List<Plan> {
        self.0.list(
            "plans.search",
            search,
            |search| &mut search.paging,
            wire::search,
            all,
            |plan| Some(plan.plan_key.as_str()),
        )
    }

    /// Changes a plan. Updates to one plan leave in the order in which they are first awaited.
    ///
    /// What has to fit the plan as it is, its status or its first or last day, is held against it first: the plan is
    /// read, and what [`PlanUpdate::apply`] refuses is an error of kind [`Rules`](crate::ErrorKind::Rules) before
    /// anything is changed. Any plan can be canceled, so that takes no read.
    pub async fn update(self, key: &PlanKey, update: &PlanUpdate) -> Result<Response<Plan>, Error> {
        let call = wire::update(self.0.format(), key, update)?;
        let _turn = self.0.turn(&call).await;
        if depends_on_the_plan(update) {
            update.apply(&*self.get(key).await?)?;
        }
        let updated = self.0.one("plans.update", call, one, |updated| obeys(key, update, updated)).await;
        updated.map_err(|error| error.or_look_up(|| Lookup::Plan(key.clone())))
    }

    /// Suspends a plan: it does not charge until it is activated again.
    pub async fn suspend(self, key: &PlanKey) -> Result<Response<Plan>, Error> {
        self.become_status(key, PlanStatus::SUSPENDED).await
    }

    /// Activates a suspended plan. A canceled one cannot be activated, which the client finds out by a read.
    pub async fn activate(self, key: &PlanKey) -> Result<Response<Plan>, Error> {
        self.become_status(key, PlanStatus::ACTIVE).await
    }

    /// Cancels a plan for good.
    pub async fn cancel(self, key: &PlanKey) -> Result<Response<Plan>, Error> {
        self.become_status(key, PlanStatus::CANCELED).await
    }

    async fn become_status(self, key: &PlanKey, status: PlanStatus) -> Result<Response<Plan>, Error> {
        let update = PlanUpdate::builder().status(status).build()?;
        self.update(key, &update).await
    }

    /// Deletes a plan that is not active and has no payments; both are looked up first.
    ///
    /// The value is the plan's last state. It is `None` where the gateway does not tell it: also when an attempt of
    /// this call was lost and the next one found the plan gone.
    ///
    /// # Errors
    ///
    /// [`DeletionRefused`](crate::ErrorKind::DeletionRefused), before anything is sent that deletes, if the plan is
    /// active or has payments.
    pub async fn delete(self, key: &PlanKey) -> Result<Response<Option<Plan>>, Error> {
        let call = wire::delete(key);
        let _turn = self.0.turn(&call).await;
        let plan = self.get(key).await?;
        let search =
            PaymentSearch { plan_key: Some(key.clone()), paging: one_of_all(), ..PaymentSearch::default() };
        let payments = self.0.count("payments.list", payment::list(&search), payments::all).await?;
        // A plan whose status the gateway leaves out may be active.
        check_plan_deletion(plan.status.as_ref().unwrap_or(&PlanStatus::ACTIVE), payments)?;
        let deleted = self.0.maybe("plans.delete", call, one, |deleted| names(key, deleted)).await;
        deleted.map_err(|error| error.or_look_up(|| Lookup::Plan(key.clone())))
    }

    /// The charges that a plan will make. The shape of the gateway's answer is inferred.
    pub async fn expected_runs(self, key: &PlanKey) -> Result<Response<Vec<ExpectedRun>>, Error> {
        let take = |payload| if let Payload::ExpectedRuns(runs) = payload { Some(runs) } else { None };
        self.0.whole("plans.expected_runs", wire::expected_runs(key), take).await
    }

    /// The days on which such a plan would charge, as the gateway sees it. The shape of its answer is inferred;
    /// [`NewPlan::schedule`] gives the same days without a call.
    pub async fn forecast(self, forecast: &PlanForecast) -> Result<Response<Vec<Date>>, Error> {
        let take = |payload| if let Payload::Forecast(dates) = payload { Some(dates) } else { None };
        self.0.whole("plans.forecast", wire::forecast(forecast), take).await
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

fn depends_on_the_plan(update: &PlanUpdate) -> bool {
    let PlanUpdateFields { start_date, end_date, status, .. } = update.fields();
    start_date.or(end_date).is_some() || status.is_some_and(|status| *status != PlanStatus::CANCELED)
}

/// It is the plan, and charges as it was told to.
fn obeys(key: &PlanKey, update: &PlanUpdate, updated: &Plan) -> Result<(), Mismatch> {
    let PlanUpdateFields { payment_amount, status, .. } = update.fields();
    names(key, updated)?;
    not_another("payment-amount", payment_amount, updated.payment_amount.as_ref())?;
    not_another("status", status, updated.status.as_ref())
}

/// Whom it charges, on which card, and how much.
fn echoes(asked: &NewPlan, created: &Plan) -> Result<(), Mismatch> {
    let NewPlanFields { customer_key, token_id, payment_amount, .. } = asked.fields();
    same("customer-key", customer_key, created.customer_key.as_ref())?;
    same("token-id", token_id, created.token_id.as_ref())?;
    same("payment-amount", payment_amount, created.payment_amount.as_ref())
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
