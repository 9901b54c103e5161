//! `perennial subscriptions start`

use clap::{Args, ValueEnum};
use perennial::{Amount, Clearent, NaiveDate};
use perennial_billing::{Error, First, NewSubscription};

use super::date;
use super::once::Decided;
use super::place::Place;
use super::show::Shown;
use crate::commands::criteria::key;
use crate::commands::{both, renamed};
use crate::context::Global;
use crate::dry_run::DryRun;
use crate::failure::Failure;
use crate::output::charges::records;
use crate::output::{Output, Record, note};

/// The charges that a dry run shows.
pub(super) const AHEAD: usize = 12;

#[derive(Debug, Args)]
pub(crate) struct Start {
    /// Your id of the subscription: 1 to 60 letters, digits, '-', '_' or '.'
    #[arg(long, value_name = "ID")]
    id: String,
    /// The customer
    #[arg(long, value_name = "KEY")]
    customer_key: String,
    /// The token of the customer's card
    #[arg(long, value_name = "ID")]
    token_id: String,
    /// The name of its plans
    #[arg(long, value_name = "TEXT")]
    name: String,
    /// The amount of each charge
    #[arg(long, value_name = "AMOUNT")]
    amount: String,
    /// The day of the month, 1 to 28
    #[arg(long, value_name = "DAY")]
    day: String,
    /// The first charge is on or after this day, yyyy-MM-dd; the default is today
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// The last day on which a charge may be due, yyyy-MM-dd; the default is without end
    #[arg(long, value_name = "DATE", conflicts_with = "charges")]
    until: Option<String>,
    /// The number of charges, waived ones aside; the default is without end
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    charges: Option<u32>,
    /// The first charge: today, by a sale, in place of the day of this month; or on the next such day that is three days
    /// ahead. By default a day that is nearer is charged by a sale
    #[arg(long, value_name = "CHOICE")]
    first: Option<FirstCharge>,
    /// Start it even if another subscription, or an active plan of none, charges this customer, token and amount on this day
    #[arg(long)]
    allow_second: bool,
    #[command(flatten)]
    decided: Decided,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FirstCharge {
    Today,
    Next,
}

impl Start {
    pub(super) async fn run(self, global: &Global) -> Result<(), Failure> {
        let new = self.subscription()?;
        self.decided.key()?;
        let client = global.client().await?;
        if global.dry_run.is_on() {
            return self.preview(new, global, &client).await;
        }
        let opened = match self.place.open(global, &client).await {
            // What would be refused makes neither a journal nor a merchant in it.
            Err(failure) if failure.is_first_use() => {
                let today = self.place.database.today(global).await?;
                new.preview(today, 1).map_err(named)?;
                new.check_at(&client, today).await.map_err(named)?;
                self.place.open_or_create(global, &client).await?
            }
            opened => opened?,
        };
        let once = self.decided.once(&opened.billing, global).await?;
        global.interrupt.under(&format!("subscriptions/{}", self.id));
        once.taken(once.billing.start(&new).await).map_err(named)?;
        let worked = opened.billing.work_on(&self.id).await;
        let shown = Shown::of(&opened, &self.place, global, &self.id).await?;
        shown.print_written(global)?;
        shown.settled(worked, &opened, &self.place, global).await
    }

    fn subscription(&self) -> Result<NewSubscription, Failure> {
        let card = both(key("customer-key", &self.customer_key), key("token-id", &self.token_id));
        let charge = both(key("amount", &self.amount), key("day", &self.day));
        let period = both(date("from", self.from.as_ref()), date("until", self.until.as_ref()));
        let (((customer, token), (amount, day)), (from, until)) = both(both(card, charge), period)?;
        let mut new = NewSubscription::new(&self.id, customer, token, &self.name, amount, day);
        (new.from, new.until, new.charges) = (from, until, self.charges);
        new.allows_second = self.allow_second;
        new.first = match self.first {
            Some(FirstCharge::Today) => First::Today,
            Some(FirstCharge::Next) => First::Next,
            None => First::Due,
        };
        Ok(new)
    }

    async fn preview(self, new: NewSubscription, global: &Global, client: &Clearent) -> Result<(), Failure> {
        let charges = match self.place.open(global, client).await {
            Ok(opened) => opened.billing.preview_start(&new, AHEAD).await.map_err(named)?,
            // It would be the first one.
            Err(failure) if failure.is_first_use() => {
                let today = self.place.database.today(global).await?;
                let charges = new.preview(today, AHEAD).map_err(named)?;
                new.check_at(client, today).await.map_err(named)?;
                charges
            }
            Err(failure) => return Err(failure),
        };
        print_preview(global, &self.id, &charges)
    }
}

/// Prints the first charges of a subscription that would be started or adopted.
pub(super) fn print_preview(
    global: &Global,
    id: &str,
    charges: &[(NaiveDate, Amount)],
) -> Result<(), Failure> {
    // All have one amount.
    let amount = charges.first().map_or(Amount::ZERO, |(_, amount)| *amount);
    let charges = records(charges.iter().map(|(day, _)| *day), amount);
    if global.output == Output::Table {
        global.output.rows(&["charge", "date", "payment-amount", "total"], charges)?;
        note("a dry run: nothing was changed");
        return Ok(());
    }
    DryRun::print(global.output, Record::default().with("id", id).with("charges", charges))
}

/// Fields of a plan, and the options that fill them.
const FIELDS: &[(&str, &str)] = &[
    ("plan-name", "name"),
    ("payment-amount", "amount"),
    ("frequency-day", "day"),
    ("start-date", "from"),
    ("end-date", "from"),
];

/// Names the fields of a plan as the options that fill them.
fn named(error: Error) -> Failure {
    if let Error::Gateway(gateway) = &error
        && let Some(violations) = gateway.violations()
    {
        let options = FIELDS
            .iter()
            .fold(violations.clone(), |violations, (field, option)| renamed(&violations, field, option));
        return options.into();
    }
    error.into()
}
