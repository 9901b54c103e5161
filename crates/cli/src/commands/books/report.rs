//! `perennial books report`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use perennial::Month;
use perennial_billing::{Billing, EndingCard, MonthMoney, Recovery, Tally};

use crate::commands::subscriptions::Place;
use crate::context::Global;
use crate::failure::Failure;
use crate::output::{Record, note};
use crate::svg;

/// Reports.
#[derive(Debug, Subcommand)]
pub(crate) enum Report {
    /// Prints what was due in each month, what was paid, and what is open
    #[command(
        after_help = "What was expected is the sum of paid, recovered, part, waived, given-up and open. Refunds and surplus \
        are of the month in which they were made.\n\n\
        Examples:\n  perennial books report money\n  perennial books report money --from 2199-01 --until 2199-06 --output csv\n  \
        perennial books report money --svg money.svg"
    )]
    Money(Money),
    /// Prints the result of declined charges, by the class of the result code
    #[command(after_help = "Example:\n  perennial books report recovery --from 2199-01 --until 2199-12")]
    Recovery(Declines),
    /// Lists members whose card ends before a charge that is due within 60 days
    #[command(after_help = "Reads all tokens of the gateway, in a request for each hundred.\n\n\
        Example:\n  perennial books report cards --output csv")]
    Cards(Cards),
}

#[derive(Debug, Args)]
struct Months {
    /// The first month, yyyy-MM; the default is eleven months before the last
    #[arg(long, value_name = "MONTH", value_parser = |text: &str| Month::try_from(text))]
    from: Option<Month>,
    /// The last month; the default is the month of the gateway's day
    #[arg(long, value_name = "MONTH", value_parser = |text: &str| Month::try_from(text))]
    until: Option<Month>,
}

#[derive(Debug, Args)]
pub(crate) struct Money {
    #[command(flatten)]
    months: Months,
    /// Also draw a chart into this file; - prints the chart instead
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
pub(crate) struct Declines {
    #[command(flatten)]
    months: Months,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
pub(crate) struct Cards {
    #[command(flatten)]
    place: Place,
}

/// Columns of the money of months, the most important first.
const MONEY: &[&str] =
    &["month", "expected", "paid", "recovered", "open", "given-up", "waived", "part", "refunds", "surplus"];
/// Columns of the result of declines.
const RECOVERY: &[&str] = &[
    "class",
    "declined",
    "amount",
    "recovered",
    "recovered-amount",
    "percent",
    "given-up",
    "open",
    "waived",
];
/// Other members of the result of declines.
const MORE: &[&str] = &["recovered-by", "given-up-amount", "open-amount", "waived-amount"];
/// Columns of cards.
const CARDS: &[&str] =
    &["subscription", "ends", "due", "card-type", "last-four-digits", "token-id", "customer-key"];

impl Report {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        let client = global.client().await?;
        match self {
            Self::Money(Money { months, svg, place }) => {
                let billing = place.open(global, &client).await?.billing;
                let (from, until) = months.of(&billing).await?;
                let months = billing.money(from, until).await?;
                let print = || global.output.rows(MONEY, months.iter().map(money).collect());
                svg::print(svg.as_deref(), || svg::money::drawn(&months), print)
            }
            Self::Recovery(Declines { months, place }) => {
                let billing = place.open(global, &client).await?.billing;
                let (from, until) = months.of(&billing).await?;
                let classes = billing.recovery(from, until).await?;
                global.output.rows_with(RECOVERY, MORE, classes.iter().map(recovery).collect())
            }
            Self::Cards(Cards { place }) => {
                let billing = place.open(global, &client).await?.billing;
                let ending = billing.ending_cards().await?;
                if ending.unknown > 0 {
                    note(&format!(
                        "the gateway lists no expiry of the cards of {} subscriptions",
                        ending.unknown
                    ));
                }
                global.output.rows(CARDS, ending.cards.iter().map(card).collect())
            }
        }
    }
}

impl Months {
    async fn of(&self, billing: &Billing) -> Result<(Month, Month), Failure> {
        let until = match self.until {
            Some(until) => until,
            None => Month::of(billing.today().await?),
        };
        let year = until.days().next().and_then(|first| first.checked_sub_months(chrono::Months::new(11)));
        Ok((self.from.or(year.map(Month::of)).unwrap_or(until), until))
    }
}

fn money(month: &MonthMoney) -> Record {
    Record::default()
        .with("month", month.month.to_string())
        .with("expected", month.expected)
        .with("paid", month.paid)
        .with("recovered", month.recovered)
        .with("part", month.part)
        .with("waived", month.waived)
        .with("given-up", month.given_up)
        .with("open", month.open)
        .with("refunds", month.refunds)
        .with("surplus", month.surplus)
}

fn recovery(of: &Recovery) -> Record {
    let recovered = of.recovered();
    let permille = recovered.permille_of(&of.declined);
    let tries = of.recovered_by.iter().map(|(tries, tally)| {
        Record::default()
            .with("tries", u64::from(*tries))
            .with("days", tally.count)
            .with("amount", tally.amount)
    });
    let tally = |record: Record, name: &'static str, amount: &'static str, tally: &Tally| {
        record.with(name, tally.count).with(amount, tally.amount)
    };
    let record = Record::default().with("class", of.class.as_str());
    let record = tally(record, "declined", "amount", &of.declined);
    let record = tally(record, "recovered", "recovered-amount", &recovered)
        .with("percent", format!("{}.{}", permille / 10, permille % 10))
        .with("recovered-by", tries.collect::<Vec<_>>());
    let record = tally(record, "given-up", "given-up-amount", &of.given_up);
    let record = tally(record, "open", "open-amount", &of.open);
    tally(record, "waived", "waived-amount", &of.waived)
}

fn card(card: &EndingCard) -> Record {
    Record::default()
        .with("subscription", card.subscription.as_str())
        .with("customer-key", card.customer.clone())
        .with("token-id", card.token.clone())
        .with("card-type", card.brand.clone())
        .with("last-four-digits", card.last_four.as_deref())
        .with("ends", card.ends.to_string())
        .with("due", card.due.to_string())
}
