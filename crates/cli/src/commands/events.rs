//! `perennial events`: events about subscriptions, for the merchant's software.

use std::time::Duration;

use clap::{Args, Subcommand};
use perennial_billing::Event;

use super::subscriptions::Place;
use crate::context::Global;
use crate::failure::Failure;
use crate::output::{Output, Record};

/// Events.
#[derive(Debug, Subcommand)]
pub(crate) enum Events {
    /// Lists events about subscriptions in their order, for programs
    #[command(
        visible_alias = "search",
        after_help = "A program that keeps the last position and passes it to --after misses no event and gets none twice. \
        With --follow, each event is one line: JSON with --output json and jsonl.\n\n\
        Examples:\n  perennial events list --after 41 --output jsonl\n  \
        perennial events list --follow --limit 1 --after 0"
    )]
    List(List),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Events after this position
    #[arg(long, value_name = "NUMBER", default_value_t = 0, value_parser = clap::value_parser!(i64).range(0..))]
    after: i64,
    /// The number of events; the default is 100, and with --follow no limit
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// Wait for more events, until a signal or the limit
    #[arg(long)]
    follow: bool,
    #[command(flatten)]
    place: Place,
}

/// Columns of a list of events, the most important first.
const EVENTS: &[&str] = &["position", "event", "subscription", "day", "at", "amount", "generation"];
/// Other members of an event, which depend on its kind.
const MORE: &[&str] = &["token-id", "expires", "class", "transaction", "of", "plan", "reason", "erased"];
/// The events that are read at a time.
const PAGE: u32 = 100;

impl Events {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        let Self::List(list) = self;
        let opened = list.place.open(global, &global.client().await?).await?;
        if !list.follow {
            let events = opened.billing.events(list.after, list.limit.unwrap_or(PAGE)).await?;
            return global.output.rows_with(EVENTS, MORE, events.iter().map(record).collect());
        }
        if global.output == Output::Csv {
            let message =
                "--follow prints a line for each event: leave out --output csv, or use --output jsonl";
            return Err(Failure::Usage(message.to_owned()));
        }
        let (mut position, mut left) = (list.after, list.limit.unwrap_or(u32::MAX));
        let mut stop = std::pin::pin!(global.interrupt.stop());
        loop {
            let events = opened.billing.events(position, left.min(PAGE)).await?;
            for event in &events {
                print(global.output, event)?;
                (position, left) = (event.position, left - 1);
            }
            if left == 0 {
                return Ok(());
            }
            let wait = u64::from(events.is_empty());
            tokio::select! {
                biased;
                () = &mut stop => return Ok(()),
                () = tokio::time::sleep(Duration::from_secs(wait)) => {}
            }
        }
    }
}

/// Prints an event as one line.
fn print(output: Output, event: &Event) -> Result<(), Failure> {
    match output {
        Output::Table => {
            let day = body(event)["day"].as_str().unwrap_or_default().to_owned();
            let Event { position, at, kind, subscription, .. } = event;
            Output::text(&format!("{position}  {at}  {kind}  {subscription}  {day}\n"))
        }
        _ => Output::Jsonl.record(&record(event)),
    }
}

fn body(event: &Event) -> serde_json::Value {
    serde_json::from_str(&event.body).unwrap_or_default()
}

fn record(event: &Event) -> Record {
    let mut body = body(event);
    if let Some(members) = body.as_object_mut() {
        members.remove("subscription");
    }
    Record::default()
        .with("position", u64::try_from(event.position).unwrap_or(0))
        .with("at", event.at.to_string())
        .with("event", event.kind.as_str())
        .with("subscription", event.subscription.as_str())
        .and(Record::of_json(body))
}
