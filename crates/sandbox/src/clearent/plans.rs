//! Payment plans, their future charges, and forecasts for plans that do not exist yet.

use perennial_domain::clearent::{
    ExpectedRun, NewPlan, NewPlanFields, Plan, PlanForecastFields, PlanKey, PlanStatus, PlanTerm,
    check_plan_deletion,
};
use perennial_domain::{Date, Reported, Rule, Text, Violations, add_months};
use perennial_wire::clearent::plan::Cycle;
use perennial_wire::clearent::{Payload, plan};

use super::answer::{Answer, CallError, Refused, Site};
use super::{Call, Handled, LIMITS, act};
use crate::store::plan::{days, remaining, to_come};
use crate::store::session::Session;

pub(super) fn create(call: &mut Call<'_>) -> Handled {
    let new = plan::read_create(call.format, call.body, &LIMITS)?;
    let cycle = plan::read_cycle(call.format, call.body, &LIMITS)?;
    act(move |session, site| {
        let (number, key) = session.next_plan_key()?;
        let mut plan = named(session, created(key.clone(), &new, cycle))?;
        if plan.status == Some(PlanStatus::SUSPENDED) && !session.gateway.honors_suspended {
            plan.status = Some(PlanStatus::ACTIVE);
        }
        check_payer(session, &plan)?;
        session.create_plan(number, &plan)?;
        Ok(Answer::created(payload(find(session, &key)?, site)).with_link(site.plan("self", &key)))
    })
}

/// A new plan: active unless the request sets a status. It charges every month, whatever its cycle.
fn created(plan_key: PlanKey, new: &NewPlan, cycle: Cycle) -> Plan {
    let NewPlanFields {
        customer_key,
        token_id,
        frequency,
        payment_amount,
        start_date,
        end_date,
        plan_name,
        frequency_day: _,
        status,
        plan_type: _,
        customer_name,
        email_address,
        email_receipt,
    } = new.fields();
    let owned = |text: Option<&Text>| text.map(|text| text.as_str().to_owned());
    Plan {
        plan_key,
        plan_name: owned(plan_name),
        plan_type: None,
        customer_key: Some(customer_key.clone()),
        customer_name: owned(customer_name),
        token_id: Some(token_id.clone()),
        frequency: Some(frequency.clone()),
        frequency_day: Some(new.day().into()),
        frequency_month: cycle.frequency_month.map(Reported::Value),
        frequency_week: cycle.frequency_week.map(Reported::Value),
        payment_amount: Some(*payment_amount),
        start_date: Some(*start_date),
        end_date: Some(*end_date),
        status: Some(status.cloned().unwrap_or(PlanStatus::ACTIVE)),
        status_date: None,
        email_address: owned(email_address),
        email_receipt: email_receipt.map(|flag| flag.0.into()),
        links: Vec::new(),
    }
}

/// The plan with its customer's name, which live clients expect, unless it has a name of its own.
fn named(session: &Session<'_>, mut plan: Plan) -> Result<Plan, CallError> {
    if let (None, Some(key)) = (&plan.customer_name, &plan.customer_key)
        && let Some(customer) = session.customer(key)?
    {
        let names: Vec<String> = customer.first_name.into_iter().chain(customer.last_name).collect();
        plan.customer_name = Some(names.join(" "));
    }
    Ok(plan)
}

/// Checks that the plan's token belongs to its customer.
fn check_payer(session: &Session<'_>, plan: &Plan) -> Result<(), CallError> {
    let (Some(customer), Some(token)) = (&plan.customer_key, &plan.token_id) else { return Ok(()) };
    let mut violations = Violations::default();
    let known = session.customer(customer)?.is_some();
    if !known {
        violations.add("customer-key", Rule::Unknown("customer"));
    }
    if session.token(token)?.is_none() {
        violations.add("token-id", Rule::Unknown("token"));
    } else if known && !session.owns(customer, token)? {
        violations.add("token-id", Rule::Unknown("token of this customer"));
    }
    if violations.is_empty() { Ok(()) } else { Err(violations.into()) }
}

pub(super) fn get(call: &mut Call<'_>) -> Handled {
    let key = call.plan_key()?;
    act(move |session, site| Ok(Answer::ok(payload(find(session, &key)?, site))))
}

pub(super) fn list(call: &mut Call<'_>) -> Handled {
    let search = plan::read_search(call.query)?;
    act(move |session, _| {
        let (plans, page) = session.plans(search, session.search_time())?;
        Ok(Answer::page(Payload::Plans(plans), page))
    })
}

pub(super) fn update(call: &mut Call<'_>) -> Handled {
    let key = call.plan_key()?;
    let update = plan::read_update(call.format, call.body, &LIMITS)?;
    let cycle = plan::read_cycle(call.format, call.body, &LIMITS)?;
    act(move |session, site| {
        let old = find(session, &key)?;
        let new = update.apply(&old).map_err(|violations| {
            let restarted = violations.iter().all(|violation| violation.rule == Rule::PlanCancelled);
            if restarted { Refused::business("041", violations.to_string()) } else { violations.into() }
        })?;
        let new = Plan {
            frequency_month: cycle.frequency_month.map(Reported::Value).or(new.frequency_month),
            frequency_week: cycle.frequency_week.map(Reported::Value).or(new.frequency_week),
            ..new
        };
        if (&old.customer_key, &old.token_id) != (&new.customer_key, &new.token_id) {
            check_payer(session, &new)?;
        }
        let renamed = update.fields().customer_name.is_some();
        let new = if old.customer_key == new.customer_key || renamed {
            new
        } else {
            named(session, Plan { customer_name: None, ..new })?
        };
        session.update_plan(&old, &new)?;
        Ok(Answer::ok(payload(find(session, &key)?, site)).with_link(site.plan("self", &key)))
    })
}

pub(super) fn delete(call: &mut Call<'_>) -> Handled {
    let key = call.plan_key()?;
    act(move |session, _| {
        let plan = find(session, &key)?;
        let status = plan.status.as_ref().unwrap_or(&PlanStatus::ACTIVE);
        check_plan_deletion(status, session.count_payments_of_plan(&key)?)
            .map_err(|refusal| Refused::business("041", refusal.to_string()))?;
        session.delete_plan(&key)?;
        Ok(Answer::ok(Payload::Plan(Box::new(plan))))
    })
}

/// The future charges of an active plan; an empty list for any other plan.
pub(super) fn expected_runs(call: &mut Call<'_>) -> Handled {
    let key = call.plan_key()?;
    act(move |session, _| {
        let plan = find(session, &key)?;
        let runs = remaining(&plan, session.now, &session.gateway).filter_map(|day| Date::try_from(day).ok());
        let runs = runs.map(|date| ExpectedRun { date, payment_amount: plan.payment_amount }).collect();
        Ok(Answer::ok(Payload::ExpectedRuns(runs)))
    })
}

/// The days on which a plan created now would charge. Without an end date, the forecast covers the longest plan that
/// is allowed.
pub(super) fn forecast(call: &mut Call<'_>) -> Handled {
    let forecast = plan::read_forecast(call.query)?;
    let PlanForecastFields { start_date, frequency: _, frequency_day, end_date } = forecast.fields();
    let longest = add_months(start_date.naive(), PlanTerm::MONTHS).and_then(|end| Date::try_from(end).ok());
    let end = end_date.copied().or(longest).unwrap_or(*start_date);
    let term = PlanTerm::new(*start_date, end).map_err(|error| Violations::one("end-date", error.0))?;
    let day = *frequency_day;
    act(move |session, _| {
        let days = to_come(days(term, day, &session.gateway), session.now, &session.gateway);
        let dates = days.filter_map(|day| Date::try_from(day).ok());
        Ok(Answer::ok(Payload::Forecast(dates.collect())))
    })
}

fn find(session: &Session<'_>, key: &PlanKey) -> Result<Plan, CallError> {
    Ok(session.plan(key)?.ok_or_else(Refused::unknown_object)?)
}

fn payload(plan: Plan, site: &Site<'_>) -> Payload {
    let mut links = vec![site.plan("self", &plan.plan_key)];
    links.extend(plan.customer_key.as_ref().map(|key| site.customer("customers", key)));
    links.extend(plan.token_id.as_ref().map(|id| site.token("tokens", id)));
    Payload::Plan(Box::new(Plan { links, ..plan }))
}
