//! `perennial work`: the worker of subscriptions.

use clap::Args;

use super::subscriptions::Place;
use crate::context::Global;
use crate::dry_run::DryRun;
use crate::failure::Failure;
use crate::output::{Record, note};

/// The worker.
#[derive(Debug, Args)]
#[command(
    after_help = "Reads the charges of plans, makes and ends plans, and collects what was declined, for all subscriptions of \
    the merchant. Without --until-idle, it looks once a minute. Several may run at once.\n\n\
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
        if self.until_idle {
            let (mut steps, mut charges) = (0, 0);
            loop {
                let worked = opened.billing.work().await?;
                steps += worked.steps;
                charges += worked.charges;
                if worked.steps == 0 {
                    let record = record.with("steps", steps).with("charges", charges);
                    return global.output.record(&record.with("read-until", worked.read_until.to_string()));
                }
            }
        }
        global.interrupt.listen().map_err(Failure::System)?;
        note(&format!("working for the tenant {}: SIGINT or SIGTERM stops it", opened.tenant));
        opened.billing.run(global.interrupt.stop()).await?;
        global.output.record(&record)
    }
}
