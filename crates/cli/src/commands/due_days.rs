//! `perennial due-days`: the days on which a charge of a subscription is due, and the result of each.

use clap::{Args, Subcommand};
use perennial_billing::{DayState, DueDayFilter};

use super::subscriptions::{Place, due_record};
use crate::context::Global;
use crate::failure::Failure;

/// Due days.
#[derive(Debug, Subcommand)]
pub(crate) enum DueDays {
    /// Lists due days by date; by default those that are open
    #[command(
        visible_alias = "search",
        after_help = "Without --id and --state, lists the days that are declined, collecting, missing, part or \
        needs-person. With --id, lists all days of the subscription.\n\n\
        Examples:\n  perennial due-days list\n  perennial due-days list --id M-1 --state paid"
    )]
    List(List),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Due days of this subscription
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// Due days in this state: expected, paid, declined, collecting, recovered, part, missing, waived, given-up,
    /// needs-person; may be repeated
    #[arg(long, value_name = "STATE")]
    state: Vec<DayState>,
    /// The number of due days
    #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    place: Place,
}

/// Columns of a list of due days, the most important first.
const DUE_DAYS: &[&str] =
    &["subscription", "day", "state", "payment-amount", "next-try", "result-code", "reason", "route"];

impl DueDays {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        let Self::List(List { id, state, limit, place }) = self;
        let opened = place.open(global, &global.client().await?).await?;
        if let Some(id) = &id {
            opened.billing.show(id).await?;
        }
        let mut filter = DueDayFilter::default();
        (filter.states, filter.limit) = (state, limit);
        if filter.states.is_empty() && id.is_none() {
            filter.states = DayState::CASES.to_vec();
        }
        filter.id = id;
        let days = opened.billing.due_days(&filter).await?;
        let rows = days.iter().map(|(id, due)| due_record(Some(id), due)).collect();
        global.output.rows(DUE_DAYS, rows)
    }
}
