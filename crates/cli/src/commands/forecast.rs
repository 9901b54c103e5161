//! `perennial forecast`: the future charges of the gateway's plans, month by month.

use std::path::PathBuf;

use chrono::Utc;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use perennial::clearent::{Forecast, Paging, PlanSearch, PlanStatus};
use perennial::{Clearent, Month};

use super::criteria::key;
use crate::failure::Failure;
use crate::output::outlook::Outlook;
use crate::output::{self, Output, Record, bars, note};
use crate::svg;

/// The number of plans in one request.
const PAGE: u32 = 100;

/// The options of a forecast.
#[derive(Debug, Args)]
#[command(after_help = "Counts only future charges, by the gateway's clock. Does not predict declines.\n\n\
    Examples:\n  perennial forecast\n  perennial forecast --from 2027-01 --months 24 --suspended --svg forecast.svg")]
pub(crate) struct Ahead {
    /// The first month, yyyy-MM; the default is the current month of the machine's clock
    #[arg(long, value_name = "MONTH")]
    from: Option<String>,
    /// The number of months
    #[arg(long, value_name = "NUMBER", default_value_t = 12, value_parser = clap::value_parser!(u16).range(1..=60))]
    months: u16,
    /// Also show the charges of suspended plans as if they were active
    #[arg(long)]
    suspended: bool,
    /// Also draw a chart into this file; - prints the chart instead
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

impl Ahead {
    pub(crate) async fn run(self, client: &Clearent, output: Output) -> Result<(), Failure> {
        let from = match &self.from {
            Some(month) => key("from", month)?,
            None => Month::of(Utc::now().date_naive()),
        };
        let empty = Forecast::new(from, self.months);
        let active = read(client, PlanStatus::ACTIVE, empty.clone()).await?;
        let suspended =
            if self.suspended { Some(read(client, PlanStatus::SUSPENDED, empty).await?) } else { None };
        let unknown = active.unknown() + suspended.as_ref().map_or(0, Forecast::unknown);
        if unknown > 0 {
            note(&format!("left out because their charges are not known: {unknown} plans"));
        }
        let mut suspended = suspended.iter().flat_map(Forecast::months).map(|(_, expected)| expected);
        let months: Vec<Outlook> = active
            .months()
            .map(|(month, active)| Outlook { month, active, suspended: suspended.next() })
            .collect();
        svg::print(
            self.svg.as_deref(),
            || svg::bars::drawn(&months),
            || match output {
                Output::Table => output::screen(&bars::drawn(&months)),
                output => output.rows(&["month", "charges", "amount"], months.iter().map(record).collect()),
            },
        )
    }
}

/// Adds all plans of this status, page by page.
async fn read(client: &Clearent, status: PlanStatus, mut forecast: Forecast) -> Result<Forecast, Failure> {
    let style = ProgressStyle::with_template("{spinner} {pos} plans");
    let bar =
        style.map_or_else(|_| ProgressBar::hidden(), |style| ProgressBar::no_length().with_style(style));
    let paging = Paging { page_size: Some(PAGE), ..Paging::default() };
    let search = PlanSearch { status: Some(status), paging, ..PlanSearch::default() };
    let mut pages = client.plans().search(&search).pages();
    while let Some(page) = pages.next_page().await {
        let page = page?;
        forecast.at(page.date().unwrap_or_else(|| Utc::now().naive_utc()));
        for plan in page.each().into_value() {
            forecast.add_plan(&plan?);
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    Ok(forecast)
}

fn record(Outlook { month, active, suspended }: &Outlook) -> Record {
    Record::default()
        .with("month", month.to_string())
        .with("charges", active.charges)
        .with("amount", active.amount)
        .with("suspended-charges", suspended.map(|expected| expected.charges))
        .with("suspended-amount", suspended.map(|expected| expected.amount))
}
