//! `perennial books check`

use std::fmt::Write as _;
use std::ops::Range;

use chrono::Days;
use clap::Args;
use perennial::clearent::TransactionId;
use perennial::transport::redact;
use perennial::{ErrorKind, Month, NaiveDate};
use perennial_billing::{Books, BooksScope, Difference, DifferenceClass, OtherTransaction};

use crate::commands::subscriptions::{Place, date};
use crate::context::Global;
use crate::failure::Failure;
use crate::lookup::Line;
use crate::output::{Output, Record};

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The month, yyyy-MM; the default is the month of the gateway's day
    #[arg(long, value_name = "MONTH", conflicts_with_all = ["from", "until"], value_parser = |text: &str| Month::try_from(text))]
    month: Option<Month>,
    /// The first day, instead of a month
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// The last day; the default is the first
    #[arg(long, value_name = "DATE", requires = "from")]
    until: Option<String>,
    /// List each transaction of your other business
    #[arg(long)]
    all: bool,
    /// Store an event about each difference that has none yet
    #[arg(long)]
    record: bool,
    #[command(flatten)]
    place: Place,
}

/// Columns of the differences, the most important first.
const DIFFERENCES: &[&str] = &["class", "subscription", "day", "amount", "transaction", "plan-key", "detail"];
/// Columns of other business.
const OTHERS: &[&str] = &["day", "amount", "type", "transaction"];

impl Check {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        let Self { month, from, until, all, record: records, place } = self;
        let is_dry = global.dry_run.is_on();
        if is_dry && !records {
            return Err(Failure::Usage(
                "books check changes nothing without --record: leave out --dry-run".to_owned(),
            ));
        }
        let (from, until) = (date("from", from.as_ref())?, date("until", until.as_ref())?);
        let opened = place.open(global, &global.client().await?).await?;
        let (name, window) = if let Some(from) = from {
            let last = until.unwrap_or(from);
            (format!("{from} to {last}"), from..last + Days::new(1))
        } else {
            let month = match month {
                Some(month) => month,
                None => Month::of(opened.billing.today().await?),
            };
            (month.to_string(), days_of(month)?)
        };
        let scope = BooksScope { window, plans: from.is_none(), others: all };
        let books = match opened.billing.compare_books(&scope).await {
            Err(perennial_billing::Error::Gateway(error))
                if matches!(
                    error.kind(),
                    ErrorKind::InvalidResponse | ErrorKind::Mismatch | ErrorKind::PageLoop
                ) =>
            {
                return Err(untold(global, format!("the gateway's lists cannot be read: {error}")));
            }
            books => books?,
        };
        let recorded =
            if records && !is_dry { Some(opened.billing.record_differences(&books).await?) } else { None };
        let sums = Record::default().with("dry-run", is_dry.then_some(true)).and(sums(&name, &books));
        let sums = sums.with("recorded", recorded);
        let command = |difference: &Difference| command(difference, &place).again(&global.again);
        let differences: Vec<_> = books
            .differences
            .iter()
            .map(|difference| record(difference).with("command", command(difference)))
            .collect();
        let others: Vec<_> = books.others.iter().map(other).collect();
        match global.output {
            Output::Table => {
                global.output.record(&sums)?;
                if !differences.is_empty() {
                    global.output.rows(DIFFERENCES, differences)?;
                    let mut commands = String::new();
                    for difference in &books.differences {
                        let about = [difference.subscription.as_deref(), difference.detail.as_deref()];
                        let about: Vec<_> = about.into_iter().flatten().collect();
                        let line = format!("{}: {}", difference.class, about.join(": "));
                        let line = redact::text(line.trim_end_matches(": ")).into_owned();
                        let _ = writeln!(commands, "{line}\n  {}", command(difference));
                    }
                    Output::text(&commands)?;
                }
                if !others.is_empty() {
                    global.output.rows(OTHERS, others)?;
                }
            }
            output => {
                let others = all.then_some(others);
                output.record(&sums.with("differences", differences).with("others", others))?;
            }
        }
        match (books.differences.len(), books.unclear) {
            (0, 0) => Ok(()),
            (0, unclear) => {
                let why = format!(
                    "{unclear} records of the gateway cannot be read, or are neither approved nor declined"
                );
                Err(untold(global, why))
            }
            (count, _) => Err(Failure::Differences(count)),
        }
    }
}

fn untold(global: &Global, why: String) -> Failure {
    let look = ["perennial transactions search", "perennial plans search"];
    Failure::Untold { why, look: look.map(|command| Line::new(command).again(&global.again)) }
}

fn days_of(month: Month) -> Result<Range<NaiveDate>, Failure> {
    let first = |month: Month| month.days().next();
    let days = first(month).zip(first(month.plus(1))).map(|(first, after)| first..after);
    days.ok_or_else(|| {
        Failure::Usage("--month is outside of the calendar: give one such as 2027-03".to_owned())
    })
}

/// The sums of a window. What was expected is the sum of those between it and the surplus.
fn sums(name: &str, books: &Books) -> Record {
    let (other, count) = books.other_business;
    Record::default()
        .with("month", name)
        .with("expected", books.expected)
        .with("paid", books.paid)
        .with("recovered", books.recovered)
        .with("part", books.part)
        .with("waived", books.waived)
        .with("given-up", books.given_up)
        .with("open", books.open)
        .with("surplus", books.surplus)
        .with("refunds", books.refunds)
        .with("settled", books.settled)
        .with("settled-batches", books.batches)
        .with("other-business", other)
        .with("other-transactions", count)
        .with("plans", books.plans)
        .with("not-read-yet", Some(books.unread).filter(|count| *count > 0))
        .with("unclear", Some(books.unclear).filter(|count| *count > 0))
        .with("closed", books.are_closed())
}

fn record(difference: &Difference) -> Record {
    Record::default()
        .with("class", difference.class.as_str())
        .with("subscription", difference.subscription.as_deref())
        .with("day", difference.day.map(|day| day.to_string()))
        .with("amount", difference.amount)
        .with("transaction", difference.transaction.clone())
        .with("plan-key", difference.plan.clone())
        .with("detail", difference.detail.as_deref())
}

fn other(other: &OtherTransaction) -> Record {
    Record::default()
        .with("transaction", other.id.clone())
        .with("day", other.day.map(|day| day.to_string()))
        .with("type", other.kind.clone())
        .with("amount", other.amount)
}

/// The command that repairs a difference, or looks at it.
fn command(difference: &Difference, place: &Place) -> Line {
    use DifferenceClass as Class;
    let Difference { class, subscription, day, transaction, plan, .. } = difference;
    let due = subscription.as_ref().zip(*day).map(|(id, day)| format!("{id}/{day}"));
    let look = || match (subscription, transaction) {
        (Some(id), _) => place.on("perennial subscriptions show").word(id),
        (None, Some(id)) => Line::new("perennial transactions get").word(id.as_str()),
        (None, None) => Line::new("perennial batches list").with("status", Some("CLOSED")),
    };
    // The reason is the person's.
    let by_hand = |line, due: &str, transaction: Option<&TransactionId>| {
        place.on(line).word(due).with("transaction", transaction).with("reason", Some("TEXT"))
    };
    match (class, due, plan, transaction) {
        (Class::Missing | Class::Part, Some(due), ..) => by_hand("perennial due-days collect", &due, None),
        (Class::Doubled, Some(due), _, surplus) => {
            by_hand("perennial due-days refund", &due, surplus.as_ref())
        }
        (Class::Voided, Some(due), ..) => by_hand("perennial due-days dispute", &due, None),
        (Class::Refunded | Class::OrphanCharge, Some(due), _, Some(transaction)) => {
            by_hand("perennial due-days claim", &due, Some(transaction))
        }
        (Class::OtherAmount | Class::OtherDay | Class::Gone, _, None, Some(transaction)) => {
            Line::new("perennial transactions get").word(transaction.as_str())
        }
        (Class::TwinPlan | Class::OrphanPlan | Class::DormantSpare, _, Some(plan), _) => {
            Line::new("perennial plans cancel").word(plan.as_str())
        }
        (Class::PlanChanged | Class::TokenChanged, _, Some(plan), _) => {
            Line::new("perennial plans get").word(plan.as_str())
        }
        _ => look(),
    }
}
