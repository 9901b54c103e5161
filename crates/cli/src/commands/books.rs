//! `perennial books`: what was due, its result, and every difference from the gateway.

use clap::{Args, Subcommand};
use perennial::Month;
use perennial_billing::{Books as Compared, Difference};

use super::subscriptions::Place;
use crate::context::Global;
use crate::failure::Failure;
use crate::output::{Output, Record};

/// Books.
#[derive(Debug, Subcommand)]
pub(crate) enum Books {
    /// Compares a month with the gateway; exits with 1 if anything differs
    #[command(after_help = "Changes nothing. It compares what perennial work has read: run that first.\n\n\
        Examples:\n  perennial books check\n  perennial books check --month 2199-03 --output json")]
    Check(Check),
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The month, yyyy-MM; the default is the month of the gateway's day
    #[arg(long, value_name = "MONTH", value_parser = |text: &str| Month::try_from(text))]
    month: Option<Month>,
    #[command(flatten)]
    place: Place,
}

/// Columns of the differences, the most important first.
const DIFFERENCES: &[&str] = &["class", "subscription", "day", "amount", "transaction"];

impl Books {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        let Self::Check(Check { month, place }) = self;
        let opened = place.open(global, &global.client().await?).await?;
        let month = match month {
            Some(month) => month,
            None => Month::of(opened.billing.today().await?),
        };
        let first = month.days().next().ok_or_else(outside)?;
        let after = month.plus(1).days().next().ok_or_else(outside)?;
        let books = opened.billing.books(first..after).await?;
        let differences: Vec<_> = books.differences.iter().map(difference).collect();
        match global.output {
            Output::Table => {
                global.output.record(&sums(month, &books))?;
                if !differences.is_empty() {
                    global.output.rows(DIFFERENCES, differences)?;
                }
            }
            output => output.record(&sums(month, &books).with("differences", differences))?,
        }
        match books.differences.len() {
            0 => Ok(()),
            count => Err(Failure::Differences(count)),
        }
    }
}

fn outside() -> Failure {
    Failure::Usage("--month is outside of the calendar: give one such as 2027-03".to_owned())
}

/// The sums of a month. What was expected is the sum of those between it and the surplus.
fn sums(month: Month, books: &Compared) -> Record {
    let (other, count) = books.other_business;
    Record::default()
        .with("month", month.to_string())
        .with("expected", books.expected)
        .with("paid", books.paid)
        .with("recovered", books.recovered)
        .with("part", books.part)
        .with("waived", books.waived)
        .with("given-up", books.given_up)
        .with("open", books.open)
        .with("surplus", books.surplus)
        .with("other-business", other)
        .with("other-transactions", count)
        .with("closed", books.are_closed())
}

fn difference(difference: &Difference) -> Record {
    Record::default()
        .with("class", difference.class.as_str())
        .with("subscription", difference.subscription.as_deref())
        .with("day", difference.day.map(|day| day.to_string()))
        .with("amount", difference.amount)
        .with("transaction", difference.transaction.as_ref().map(ToString::to_string))
}
