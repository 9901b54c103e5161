//! `perennial recovery`: the merchant's rules for charges that were declined or are missing.

use clap::{Args, Subcommand};
use perennial::Amount;
use perennial_billing::{AtEnd, RecoveryChange, RecoveryRules as Rules};

use super::journal::Decider;
use super::subscriptions::{Decided, Place};
use crate::context::Global;
use crate::dry_run::DryRun;
use crate::failure::Failure;
use crate::output::Record;

/// Rules for declined charges.
#[derive(Debug, Subcommand)]
pub(crate) enum Recovery {
    /// Shows the rules
    #[command(after_help = "Example:\n  perennial recovery show")]
    Show(Show),
    /// Changes rules
    #[command(
        after_help = "When a limit of a day is reached, an event says so, and the other tries wait for the next day.\n\n\
        Example:\n  perennial recovery set --tries-a-day 200 --at-end ask --reason 'new price list'"
    )]
    Set(Set),
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
pub(crate) struct Set {
    #[command(flatten)]
    rules: Changed,
    #[command(flatten)]
    decider: Decider,
    #[command(flatten)]
    decided: Decided,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
struct Changed {
    /// The most tries on one day, for all subscriptions
    #[arg(long, value_name = "NUMBER")]
    tries_a_day: Option<u32>,
    /// The most money of the tries of one day
    #[arg(long, value_name = "AMOUNT")]
    sum_a_day: Option<Amount>,
    /// The end of a day of which no try is left: leave (give it up, and go on), cancel (give it up, and cancel the
    /// subscription) or ask (a person decides)
    #[arg(long, value_name = "RULE")]
    at_end: Option<AtEnd>,
}

fn record(rules: &Rules) -> Record {
    Record::default()
        .with("tries-a-day", u64::from(rules.tries_a_day))
        .with("sum-a-day", rules.sum_a_day)
        .with("at-end", rules.at_end.as_str())
}

impl Recovery {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        let Set { rules: changed, decider, decided, place } = match self {
            Self::Show(Show { place }) => {
                let opened = place.open(global, &global.client().await?).await?;
                return global.output.record(&record(&opened.billing.recovery_rules().await?));
            }
            Self::Set(set) => set,
        };
        let by = decider.by()?;
        let opened = place.open(global, &global.client().await?).await?;
        let Changed { tries_a_day, sum_a_day, at_end } = changed;
        let change = RecoveryChange { tries_a_day, sum_a_day, at_end };
        if global.dry_run.is_on() {
            let rules = change.applied(opened.billing.recovery_rules().await?);
            return DryRun::print(global.output, record(&rules));
        }
        let once = decided.once(&opened.billing, global).await?;
        let rules = once.taken(once.billing.change_recovery_rules(&change, by).await)?;
        global.output.record(&record(&rules))
    }
}
