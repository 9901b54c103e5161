//! `perennial schedule`: the days on which a plan charges, for a new plan or one of the gateway.

use std::path::PathBuf;

use chrono::Utc;
use clap::Args;
use perennial::clearent::{FrequencyDay, PlanKey, PlanNote, PlanStatus, PlanTerm, Schedule};
use perennial::{Rule, Violations};

use super::both;
use super::criteria::key;
use crate::context::Global;
use crate::failure::Failure;
use crate::output::charges::{Charges, records};
use crate::output::{self, Output, calendar, note};
use crate::svg;

/// The options of a schedule.
#[derive(Debug, Args)]
#[command(after_help = "Without PLAN-KEY the command calls no gateway and needs no key.\n\n\
    Examples:\n  perennial schedule --start-date 2027-01-01 --end-date 2027-12-31 --frequency-day 15 \\\n    \
    --payment-amount 50.00\n  perennial schedule plan_3f0f6d1c5f0e --svg schedule.svg")]
pub(crate) struct Preview {
    /// A plan of the gateway, instead of the options
    #[arg(value_name = "PLAN-KEY", conflicts_with_all =
        ["plan_name", "start_date", "end_date", "frequency_day", "payment_amount"])]
    plan: Option<String>,
    /// The name of the plan, for display
    #[arg(long, value_name = "TEXT")]
    plan_name: Option<String>,
    /// The first day, yyyy-MM-dd
    #[arg(long, value_name = "DATE", required_unless_present = "plan")]
    start_date: Option<String>,
    /// The last day, at most 12 months later
    #[arg(long, value_name = "DATE", required_unless_present = "plan")]
    end_date: Option<String>,
    /// The day of the month, 1 to 28; the default is the day of the first date, at most 28
    #[arg(long, value_name = "DAY")]
    frequency_day: Option<String>,
    /// The amount of each payment
    #[arg(long, value_name = "AMOUNT", required_unless_present = "plan")]
    payment_amount: Option<String>,
    /// Also draw a calendar into this file; - prints the calendar instead
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

impl Preview {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        let charges = match &self.plan {
            Some(plan) => of_gateway(&key("<PLAN-KEY>", plan)?, global).await?,
            None => self.of_options()?,
        };
        let records = || records(charges.dates.iter().copied(), charges.amount);
        svg::print(
            self.svg.as_deref(),
            || svg::calendar::drawn(&charges),
            || {
                if global.output == Output::Table {
                    output::screen(&format!("{}\n", calendar::drawn(&charges)))?;
                }
                global.output.rows(&["charge", "date", "payment-amount", "total"], records())
            },
        )
    }

    fn of_options(&self) -> Result<Charges, Failure> {
        let text = |option: &Option<String>| option.clone().unwrap_or_default();
        let term = PlanTerm::parse(&text(&self.start_date), &text(&self.end_date));
        let amount = key("payment-amount", &text(&self.payment_amount));
        let day =
            self.frequency_day.as_deref().map(|day| key::<FrequencyDay>("frequency-day", day)).transpose();
        let ((term, amount), day) =
            both(both(term, amount), day).map_err(|violations| self.failure(violations))?;
        let start = term.start().naive();
        let day = day.unwrap_or_else(|| FrequencyDay::at_or_before(start));
        let schedule = Schedule::new(term, day);
        noted(&schedule.notes_at(Utc::now().naive_utc()));
        let dates = schedule.collect();
        Ok(Charges { name: self.plan_name.clone(), term, dates, amount })
    }

    /// A failure that explains the days that some months lack.
    fn failure(&self, violations: Violations) -> Failure {
        let late = |day: &String| matches!(day.as_str(), "29" | "30" | "31");
        if violations.iter().len() == 1 && self.frequency_day.as_ref().is_some_and(late) {
            return Failure::Usage(format!(
                "--frequency-day {}, which every month has: leave it out, and a plan that starts later in its month \
                 charges on day 28",
                Rule::FrequencyDay
            ));
        }
        violations.into()
    }
}

/// Prints notes on surprising results to standard error.
fn noted(notes: &[PlanNote]) {
    for plan_note in notes {
        note(&format!("note: {plan_note}"));
    }
}

async fn of_gateway(key: &PlanKey, global: &Global) -> Result<Charges, Failure> {
    let plan = global.client().await?.plans().get(key).await?;
    let now = plan.date().unwrap_or_else(|| Utc::now().naive_utc());
    let plan = plan.into_value();
    if let Some(status) = plan.status.as_ref().filter(|status| **status != PlanStatus::ACTIVE) {
        note(&format!("the plan is {status}: it charges nothing while it is"));
    }
    let term = || PlanTerm::new(plan.start_date?, plan.end_date?).ok();
    match (plan.schedule(), term(), plan.payment_amount) {
        (Some(schedule), Some(term), Some(amount)) => {
            let (all, to_come) = (schedule.clone().count(), schedule.clone().to_come(now).count());
            if to_come < all {
                note(&format!(
                    "{} of these {all} days are past at the gateway, {to_come} are to come",
                    all - to_come
                ));
            }
            Ok(Charges { name: plan.plan_name, term, dates: schedule.collect(), amount })
        }
        _ => Err(Failure::Nothing(
            "the plan's days are not known: it is not monthly, or lacks its day, term or amount",
        )),
    }
}
