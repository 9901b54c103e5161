//! `perennial books`: what was due, its result, and every difference from the gateway.

mod check;
mod report;

use clap::Subcommand;

use crate::context::Global;
use crate::failure::Failure;

use check::Check;
use report::Report;

/// Books.
#[derive(Debug, Subcommand)]
pub(crate) enum Books {
    /// Compares a month with the gateway; exits with 1 if anything differs
    #[command(
        after_help = "Repairs nothing, and stores nothing without --record. It compares what perennial work has read: run that \
        first. Each difference has the command that repairs it or looks at it. Exits with 69 if records cannot be read, so that nobody can tell.\n\n\
        A month also compares all plans, in a request for each hundred. With --from, only the transactions of the days are \
        read. With --record, each new difference is stored as an event, once: books.difference.\n\n\
        Examples:\n  perennial books check\n  perennial books check --month 2199-03 --all --output json\n  \
        perennial books check --from 2199-03-14 --record"
    )]
    Check(Check),
    /// Prints the money of months, the result of declines, or the cards that end soon
    #[command(subcommand)]
    Report(Report),
}

impl Books {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        match self {
            Self::Check(check) => check.run(global).await,
            Self::Report(report) => report.run(global).await,
        }
    }
}
