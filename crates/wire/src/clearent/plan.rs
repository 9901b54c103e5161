//! Payment plans, their expected runs and the forecast of a plan that does not exist yet.
//!
//! The shapes of the last two responses are **inferred**: only their parameters are documented.

use perennial_domain::clearent::{
    self as domain, ExpectedRun, NewPlan, NewPlanBuilder, NewPlanFields, PlanForecast, PlanForecastFields,
    PlanKey, PlanSearch, PlanType, PlanUpdate, PlanUpdateBuilder, PlanUpdateFields,
};
use perennial_domain::{Date, Rule, Violations};

use super::Operation;
use super::link::Links;
use crate::call::{Call, ReadError};
use crate::codec;
use crate::error::EncodeError;
use crate::failure::Failure;
use crate::fields::{count, date, set, text};
use crate::format::Format;
use crate::limits::Limits;
use crate::member::Listed;
use crate::query::Params;
use crate::rule::{Asks, request};
use crate::text::Text;

message! {
    /// A plan: request and record. `frequency-month` and `frequency-week` are never sent, because their meaning for a
    /// monthly plan is unknown; a gateway stores them, and they are read in responses.
    pub(crate) struct Plan<'a> as "payment-plan" of domain::Plan, keyed by |plan| plan.plan_key.as_deref(); {
        plan_key: Option<Text<'a>> = "plan-key",
        plan_name: Option<Text<'a>> = "plan-name",
        plan_type: Option<Text<'a>> = "type",
        customer_key: Option<Text<'a>> = "customer-key",
        customer_name: Option<Text<'a>> = "customer-name",
        email_address: Option<Text<'a>> = "email-address",
        email_receipt: Option<Text<'a>> = "email-receipt",
        token_id: Option<Text<'a>> = "token-id",
        frequency: Option<Text<'a>> = "frequency",
        frequency_day: Option<Text<'a>> = "frequency-day",
        frequency_month: Option<Text<'a>> = "frequency-month",
        frequency_week: Option<Text<'a>> = "frequency-week",
        start_date: Option<Text<'a>> = "start-date",
        end_date: Option<Text<'a>> = "end-date",
        status: Option<Text<'a>> = "status",
        payment_amount: Option<Text<'a>> = "payment-amount",
        status_date: Option<Text<'a>> = "status-date",
        links: Option<Links<'a>> = "links",
    }
}

message! {
    pub(crate) struct Plans<'a> as "payment-plans" {
        payment_plan: Listed<Plan<'a>> = "payment-plan",
    }
}

message! {
    pub(crate) struct Run<'a> as "expected-run" of ExpectedRun; {
        date: Option<Text<'a>> = "date",
        payment_amount: Option<Text<'a>> = "payment-amount",
    }
}

message! {
    pub(crate) struct Runs<'a> as "expected-runs" {
        expected_run: Listed<Run<'a>> = "expected-run",
    }
}

message! {
    pub(crate) struct Forecast<'a> as "plan-forecast" {
        date: Listed<Text<'a>> = "date",
    }
}

request! {
    Plan asks NewPlan, by NewPlanFields, NewPlanBuilder {
        plan_name, plan_type, customer_key, customer_name, token_id, frequency, frequency_day, start_date, end_date,
        status, email_address, email_receipt;
        gateway payment_amount
    }
}

request! {
    Plan asks PlanUpdate, by PlanUpdateFields, PlanUpdateBuilder {
        plan_name, plan_type, customer_key, customer_name, token_id, frequency, frequency_day, start_date, end_date,
        status, email_address, email_receipt;
        gateway payment_amount
    }
}

/// `POST /rest/v2/payment-plans`
pub fn create(format: Format, plan: &NewPlan) -> Result<Call, EncodeError> {
    let mut message = Plan::from(plan);
    message.plan_type = message.plan_type.or_else(|| Some(text(PlanType.as_str())));
    Operation::CreatePlan.call().with_body(format, &message)
}

/// `GET /rest/v2/payment-plans/{plan-key}`
pub fn get(key: &PlanKey) -> Call {
    Operation::GetPlan.call_of(key.as_str())
}

/// `GET /rest/v2/payment-plans`
pub fn search(search: &PlanSearch) -> Call {
    let PlanSearch {
        customer_key,
        customer_name,
        plan_key,
        plan_name,
        payment_amount,
        status,
        token_id,
        paging,
    } = search;
    let target = Operation::SearchPlans
        .query()
        .with("customer-key", customer_key.as_ref())
        .with("customer-name", customer_name.as_ref())
        .with("plan-key", plan_key.as_ref())
        .with("plan-name", plan_name.as_ref())
        .with("payment-amount", *payment_amount)
        .with("status", status.as_ref())
        .with("token-id", token_id.as_ref())
        .paged(paging, "isDescending");
    Operation::SearchPlans.call_to(target.finish())
}

/// `PUT /rest/v2/payment-plans/{plan-key}`
pub fn update(format: Format, key: &PlanKey, update: &PlanUpdate) -> Result<Call, EncodeError> {
    Operation::UpdatePlan.call_of(key.as_str()).with_body(format, &Plan::from(update))
}

/// `DELETE /rest/v2/payment-plans/{plan-key}`
pub fn delete(key: &PlanKey) -> Call {
    Operation::DeletePlan.call_of(key.as_str())
}

/// `GET /rest/v2/payment-plans/{plan-key}/expected-runs`
pub fn expected_runs(key: &PlanKey) -> Call {
    Operation::ExpectedRuns.call_of(key.as_str())
}

/// `GET /rest/v2/plan-forecast`
pub fn forecast(forecast: &PlanForecast) -> Call {
    let PlanForecastFields { start_date, frequency, frequency_day, end_date } = forecast.fields();
    let target = Operation::Forecast
        .query()
        .with("start-date", Some(start_date))
        .with("frequency", Some(frequency))
        .with("frequency-day", Some(frequency_day))
        .with("end-date", end_date);
    Operation::Forecast.call_to(target.finish())
}

/// Members of a request for a monthly plan that our client does not send. Their meaning is unknown: in 2016 the
/// month was the month of the first charge, in newer documentation it is the number of months between charges.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cycle {
    /// `frequency-month`, from 1 to 12.
    pub frequency_month: Option<u64>,
    /// `frequency-week`; **inferred**: a monthly plan can have one, from 1 to 12.
    pub frequency_week: Option<u64>,
}

impl Cycle {
    fn read(month: Option<Text<'_>>, week: Option<Text<'_>>, wrong: &mut Violations) -> Self {
        let mut number = |name: &'static str, member: Option<Text<'_>>| {
            let number = count(name, member);
            match number.map(|number| number.map(|number| (1..=12).contains(&number).then_some(number))) {
                Ok(None) => None,
                Ok(Some(Some(number))) => Some(number),
                Ok(Some(None)) | Err(_) => {
                    wrong.add(name, Rule::Range { min: 1, max: 12 });
                    None
                }
            }
        };
        Self {
            frequency_month: number("frequency-month", month),
            frequency_week: number("frequency-week", week),
        }
    }
}

/// Reads the cycle of a create or an update whose other members were read before.
#[cfg(feature = "gateway")]
pub fn read_cycle(format: Format, body: &[u8], limits: &Limits) -> Result<Cycle, ReadError> {
    let Plan { frequency_month, frequency_week, .. } = codec::decode(format, body, limits)?;
    let mut wrong = Violations::default();
    let cycle = Cycle::read(frequency_month, frequency_week, &mut wrong);
    if wrong.is_empty() { Ok(cycle) } else { Err(wrong.into()) }
}

/// Combines a request with its cycle; returns the violations of both.
fn with_cycle<T>(
    read: Result<T, Violations>,
    month: Option<Text<'_>>,
    week: Option<Text<'_>>,
) -> Result<T, ReadError> {
    let mut wrong = read.as_ref().err().cloned().unwrap_or_default();
    Cycle::read(month, week, &mut wrong);
    match read {
        Ok(request) if wrong.is_empty() => Ok(request),
        _ => Err(wrong.into()),
    }
}

/// Reads the body of a create.
#[cfg(feature = "gateway")]
pub fn read_create(format: Format, body: &[u8], limits: &Limits) -> Result<NewPlan, ReadError> {
    let mut message: Plan<'_> = codec::decode(format, body, limits)?;
    let (month, week) = (message.frequency_month.take(), message.frequency_week.take());
    let builder: NewPlanBuilder = message.builder();
    with_cycle(builder.accept(), month, week)
}

/// Reads the body of an update.
#[cfg(feature = "gateway")]
pub fn read_update(format: Format, body: &[u8], limits: &Limits) -> Result<PlanUpdate, ReadError> {
    let mut message: Plan<'_> = codec::decode(format, body, limits)?;
    let (month, week) = (message.frequency_month.take(), message.frequency_week.take());
    let builder: PlanUpdateBuilder = message.builder();
    let read = builder.accept().or_else(|wrong| {
        // A change of the cycle alone changes something, too.
        let says_nothing = wrong.names("payment-plan") && month.as_ref().or(week.as_ref()).is_some();
        if says_nothing { PlanUpdate::builder().plan_type(PlanType.as_str()).accept() } else { Err(wrong) }
    });
    with_cycle(read, month, week)
}

/// Reads the query of a search.
#[cfg(feature = "gateway")]
pub fn read_search(query: &str) -> Result<PlanSearch, Violations> {
    let mut params = Params::new(query);
    let search = PlanSearch {
        customer_key: params.read("customer-key"),
        customer_name: params.text("customer-name"),
        plan_key: params.read("plan-key"),
        plan_name: params.text("plan-name"),
        payment_amount: params.read("payment-amount"),
        status: params.read("status"),
        token_id: params.read("token-id"),
        paging: params.paging(),
    };
    params.finish(search)
}

/// Reads the query of a forecast.
#[cfg(feature = "gateway")]
pub fn read_forecast(query: &str) -> Result<PlanForecast, Violations> {
    let params = Params::new(query);
    let parameter = |name: &str| params.text(name).map(Text::Owned);
    set!(PlanForecast::builder();
        start_date: parameter("start-date"),
        frequency: parameter("frequency"),
        frequency_day: parameter("frequency-day"),
        end_date: parameter("end-date"),
    )
    .accept()
}

/// A day of a forecast.
pub(crate) fn forecast_day(day: Text<'_>) -> Result<Date, Failure> {
    date("", Some(day))?.ok_or_else(|| Failure::missing(""))
}
