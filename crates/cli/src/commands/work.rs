//! `perennial work`: the worker of subscriptions.

use clap::Args;
use perennial::transport::redact;
use perennial_billing::{Error, Worked};

use super::subscriptions::Place;
use crate::context::Global;
use crate::dry_run::DryRun;
use crate::failure::Failure;
use crate::output::{Output, Record, note};

/// The worker.
#[derive(Debug, Args)]
#[command(
    after_help = "Reads the charges of plans, makes and ends plans, and collects what was declined, for all subscriptions of \
    the merchant. Without --until-idle, it looks once a minute, and says what it did: with --output jsonl, in a line for \
    each round. On PostgreSQL, several may run at once; on an SQLite file, a second one is refused (69).\n\n\
    Examples:\n  perennial work --profile north-street\n  perennial work --until-idle"
)]
pub(crate) struct Work {
    /// End when nothing is due any more
    #[arg(long)]
    until_idle: bool,
    #[command(flatten)]
    place: Place,
}

impl Work {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        let is_dry = global.dry_run.is_on();
        let client = if is_dry { global.client().await? } else { global.worker_client().await? };
        let opened = self.place.open(global, &client).await?;
        let record = Record::default().with("tenant", opened.tenant.as_str());
        if is_dry {
            return DryRun::print(global.output, record);
        }
        let _lock = self.place.lock_worker()?;
        if self.until_idle {
            let (mut steps, mut charges) = (0, 0);
            loop {
                let worked = opened.billing.work().await.map_err(of_round)?;
                steps += worked.steps;
                charges += worked.charges;
                if worked.steps == 0 {
                    let record = record.with("steps", steps).with("charges", charges);
                    return global.output.record(&record.with("read-until", worked.read_until.to_string()));
                }
                note(&format!("steps: {steps}, charges: {charges}"));
            }
        }
        global.interrupt.listen().map_err(Failure::System)?;
        note(&format!("working for the tenant {}: SIGINT or SIGTERM stops it", opened.tenant));
        opened.billing.run_with(global.interrupt.stop(), |worked| say(global.output, worked)).await?;
        note("stopped: nothing is in progress");
        global.output.record(&record)
    }
}

/// The failure for a round that is not complete.
fn of_round(error: Error) -> Failure {
    let is_passing = error.is_passing();
    let failure = Failure::from(error);
    if is_passing { Failure::Step(Box::new(failure)) } else { failure }
}

/// Says what a round of the service did. A round without work is silent.
fn say(output: Output, worked: &Result<Worked, Error>) {
    match worked {
        Ok(Worked { steps: 0, charges: 0, .. }) => {}
        Ok(Worked { steps, charges, read_until, .. }) if output == Output::Jsonl => {
            let line = Record::default().with("steps", *steps).with("charges", *charges);
            // A reader that is gone does not stop the work.
            let _ = output.record(&line.with("read-until", read_until.to_string()));
        }
        Ok(Worked { steps, charges, .. }) => note(&format!("steps: {steps}, charges: {charges}")),
        Err(error) if error.is_passing() => {
            let why = error.to_string().replace("; nothing was changed", "");
            let why = redact::text(&why);
            note(&format!(
                "a round failed: {why}. What does not need this is done, and the next round does the rest"
            ));
        }
        Err(error) => note(&format!("a round failed: {}", redact::text(&error.to_string()))),
    }
}
