//! `perennial subscriptions`: monthly charges without end, and the decisions about them.

mod adopt;
mod decide;
mod once;
mod place;
mod show;
mod start;

use clap::Subcommand;
use perennial::{Date, NaiveDate, Violations};
use perennial_billing::Decision;

use super::criteria::key;
use crate::context::Global;
use crate::failure::Failure;

use adopt::Adopt;
use decide::{Cancel, Change, Named, Pause};
use show::{List, Show};
use start::Start;

pub(super) use once::{Decided, TAKEN};
pub(super) use place::Place;
pub(super) use show::due_record;

/// Subscriptions.
#[derive(Debug, Subcommand)]
pub(crate) enum Subscriptions {
    /// Starts a subscription, and prints its first charges
    #[command(
        after_help = "The same command again starts no second one. The first charge is on the first such day on or after \
        --from, which is today if it is not given. --dry-run prints the charges, and changes nothing.\n\n\
        Example:\n  perennial subscriptions start --id M-1 --customer-key cust_5a1d7c1e8a0f \\\n    \
        --token-id 1100000000555551111 --name 'Gold membership' --amount 50.00 --day 15"
    )]
    Start(Start),
    /// Makes plans that exist at the gateway the first terms of subscriptions
    #[command(
        after_help = "The plan is not changed. It must be active, monthly and of the customer's card. When it ends, \
        perennial work makes the next one. With --shadow, charges are read and nothing is written; the same command \
        without --shadow ends the shadow.\n\n\
        Examples:\n  perennial subscriptions adopt --id M-1 --plan-key plan_3f0f6d1c5f0e --shadow\n  \
        perennial subscriptions adopt --file plans.csv\n  perennial subscriptions adopt --id M-1 --plan-key plan_3f0f6d1c5f0e"
    )]
    Adopt(Adopt),
    /// Shows a subscription: its status, its next three charges, and what is open
    #[command(after_help = "Example:\n  perennial subscriptions show M-1")]
    Show(Show),
    /// Lists subscriptions, by id
    #[command(visible_alias = "search", after_help = "Example:\n  perennial subscriptions list M-")]
    List(List),
    /// Changes the amount, the card or the day, from the next charge that is not near
    #[command(
        after_help = "A charge that is due within two days keeps its amount, its card and its day. --dry-run prints the \
        charges before and after.\n\n\
        Example:\n  perennial subscriptions change M-1 --amount 55.00"
    )]
    Change(Change),
    /// Lets nothing be due for some time
    #[command(
        after_help = "Nothing is due from --from on and before --until. A pause replaces an earlier one.\n\n\
        Example:\n  perennial subscriptions pause M-1 --until 2199-09-01"
    )]
    Pause(Pause),
    /// Ends a pause
    #[command(after_help = "Example:\n  perennial subscriptions resume M-1")]
    Resume(Named),
    /// Cancels a subscription
    #[command(
        after_help = "With --now, the command also cancels at the gateway. It exits with 75 while anything of the \
        subscription is still open there: the same command again is safe, and goes on.\n\n\
        Examples:\n  perennial subscriptions cancel M-1 --now --reason 'moved away'\n  \
        perennial subscriptions cancel M-1 --at-period-end"
    )]
    Cancel(Cancel),
    /// Takes back a cancellation that has not come yet
    #[command(after_help = "Example:\n  perennial subscriptions keep M-1")]
    Keep(Named),
}

impl Subscriptions {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        match self {
            Self::Start(start) => start.run(global).await,
            Self::Adopt(adopt) => Box::pin(adopt.run(global)).await,
            Self::Show(show) => show.run(global).await,
            Self::List(list) => list.run(global).await,
            Self::Change(change) => change.run(global).await,
            Self::Pause(pause) => pause.run(global).await,
            Self::Resume(named) => named.run(global, &Decision::Resume).await,
            Self::Cancel(cancel) => cancel.run(global).await,
            Self::Keep(named) => named.run(global, &Decision::Keep).await,
        }
    }
}

/// Parses the date of an option, if it is given.
pub(super) fn date(option: &'static str, text: Option<&String>) -> Result<Option<NaiveDate>, Violations> {
    text.map(|text| key::<Date>(option, text).map(Date::naive)).transpose()
}
