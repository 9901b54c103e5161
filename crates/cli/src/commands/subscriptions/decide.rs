//! Decisions about a subscription: `perennial subscriptions change`, `pause`, `resume`, `cancel` and `keep`.

use std::collections::BTreeMap;

use clap::{Args, ValueEnum};
use perennial::{Amount, Date, NaiveDate};
use perennial_billing::{CancelAt, Decision, Error, PauseEnd, SubscriptionChange};

use super::date;
use super::once::{Decided, Person};
use super::place::Place;
use super::show::Shown;
use super::start::AHEAD;
use crate::commands::both;
use crate::commands::criteria::Criteria;
use crate::context::Global;
use crate::dry_run::DryRun;
use crate::failure::Failure;
use crate::output::{Output, Record, note};

/// A subscription by its id, and the person who decides.
#[derive(Debug, Args)]
pub(crate) struct Named {
    /// The id of the subscription
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    person: Person,
    #[command(flatten)]
    decided: Decided,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
pub(crate) struct Change {
    #[command(flatten)]
    changes: Changes,
    /// The first due day that it changes: a date; next is the next charge that is not near
    #[arg(long, value_name = "next|DATE", default_value = "next")]
    from: String,
    #[command(flatten)]
    named: Named,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
struct Changes {
    /// The new amount of each charge
    #[arg(long, value_name = "AMOUNT")]
    amount: Option<String>,
    /// Another token of the customer
    #[arg(long, value_name = "ID")]
    token_id: Option<String>,
    /// The new day of the month, 1 to 28
    #[arg(long, value_name = "DAY")]
    day: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Pause {
    /// The first day of the pause, yyyy-MM-dd; the default is today
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    #[command(flatten)]
    end: End,
    /// The months that pass: waived, or collected by sales after the pause, one a day
    #[arg(long, value_name = "CHOICE", default_value = "waive")]
    then: Then,
    #[command(flatten)]
    named: Named,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct End {
    /// The first day after the pause, yyyy-MM-dd
    #[arg(long, value_name = "DATE")]
    until: Option<String>,
    /// The number of charges for which it lasts
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    charges: Option<u32>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Then {
    Waive,
    Collect,
}

#[derive(Debug, Args)]
pub(crate) struct Cancel {
    #[command(flatten)]
    when: When,
    /// Still collect charges that were declined; by default planned tries are withdrawn when the end comes
    #[arg(long)]
    collect_open: bool,
    #[command(flatten)]
    named: Named,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct When {
    /// Charge nothing more, but a charge of a plan that is due within two days
    #[arg(long)]
    now: bool,
    /// End with the period that is charged already
    #[arg(long)]
    at_period_end: bool,
    /// The last day on which a charge may be due, yyyy-MM-dd
    #[arg(long, value_name = "DATE")]
    on: Option<String>,
}

impl Change {
    pub(super) async fn run(self, global: &Global) -> Result<(), Failure> {
        let Changes { amount, token_id, day } = &self.changes;
        let from = (self.from != "next").then_some(&self.from);
        let mut criteria = Criteria::default();
        let change = SubscriptionChange {
            from: criteria.read::<Date>("from", from).map(Date::naive),
            amount: criteria.read("amount", amount.as_ref()),
            token: criteria.read("token-id", token_id.as_ref()),
            day: criteria.read("day", day.as_ref()),
        };
        self.named.run(global, &Decision::Change(criteria.finish(change)?)).await
    }
}

impl Pause {
    pub(super) async fn run(self, global: &Global) -> Result<(), Failure> {
        let until = date("until", self.end.until.as_ref());
        let (from, until) = both(date("from", self.from.as_ref()), until)?;
        let end = match (until, self.end.charges) {
            (Some(until), _) => PauseEnd::Until(until),
            (None, charges) => PauseEnd::Charges(charges.unwrap_or(0)),
        };
        let collects = matches!(self.then, Then::Collect);
        self.named.run(global, &Decision::Pause { from, end, collects }).await
    }
}

impl Cancel {
    pub(super) async fn run(self, global: &Global) -> Result<(), Failure> {
        let at = match date("on", self.when.on.as_ref())? {
            Some(day) => CancelAt::Day(day),
            None if self.when.at_period_end => CancelAt::PeriodEnd,
            None => CancelAt::Now,
        };
        let collects_open = self.collect_open;
        self.named.run(global, &Decision::Cancel { at, collects_open }).await
    }
}

impl Named {
    pub(super) async fn run(self, global: &Global, decision: &Decision) -> Result<(), Failure> {
        let Self { id, person, decided, place } = self;
        let by = person.by()?;
        decided.key()?;
        let opened = place.open(global, &global.client().await?).await?;
        if global.dry_run.is_on() {
            let [before, after] = opened.billing.preview_decision(&id, decision, AHEAD).await?;
            return preview(global, &id, &before, &after);
        }
        global.interrupt.under(&format!("subscriptions/{id}"));
        let once = decided.once(&opened.billing, global).await?;
        let worked = match once.taken(once.billing.decide(&id, decision, by).await) {
            // The same command again finds that it is done.
            Err(Error::IsOver(_)) if matches!(decision, Decision::Cancel { .. }) => Ok(0),
            decided => {
                decided?;
                opened.billing.work_on(&id).await
            }
        };
        let shown = Shown::of(&opened, &place, global, &id).await?;
        shown.print_written(global)?;
        shown.settled(worked, &opened, &place, global).await
    }
}

/// Prints the charges before and after a decision.
fn preview(
    global: &Global,
    id: &str,
    before: &[(NaiveDate, Amount)],
    after: &[(NaiveDate, Amount)],
) -> Result<(), Failure> {
    let mut days: BTreeMap<NaiveDate, [Option<Amount>; 2]> = BTreeMap::new();
    for (list, at) in [(before, 0), (after, 1)] {
        for (day, amount) in list {
            days.entry(*day).or_default()[at] = Some(*amount);
        }
    }
    // A full list tells nothing about later days.
    let full = [before, after].into_iter().filter(|list| list.len() == AHEAD);
    let last = full.filter_map(|list| list.last()).map(|(day, _)| *day).min();
    let shown = days.into_iter().filter(|(day, _)| last.is_none_or(|last| *day <= last));
    let charges: Vec<Record> = shown
        .map(|(day, [before, after])| {
            Record::default().with("date", day.to_string()).with("before", before).with("after", after)
        })
        .collect();
    if global.output == Output::Table {
        global.output.rows(&["date", "before", "after"], charges)?;
        note("a dry run: nothing was changed");
        return Ok(());
    }
    DryRun::print(global.output, Record::default().with("id", id).with("charges", charges))
}
