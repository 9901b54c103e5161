//! `perennial sandbox`: serves the gateway on this machine, and controls worlds of a running sandbox.

mod control;
mod fault;
mod gateway;
mod serve;

use clap::{Args, Subcommand};
use serde_json::json;

use crate::context::Global;
use crate::failure::Failure;
use crate::output::Record;

use control::Control;
pub(super) use control::{is_loopback, world_time};
use fault::Faults;
use gateway::Options;
use serve::Serve;

/// The gateway on this machine. All subcommands except `serve` and `world` act on the world of PERENNIAL_API_KEY, at
/// the sandbox of --base-url, by default http://127.0.0.1:8480.
#[derive(Debug, Subcommand)]
pub(crate) enum Local {
    /// Serves the gateway on loopback until a signal stops it (SIGINT, SIGTERM)
    #[command(
        after_help = "When it is ready it prints one line: sandbox listening on http://127.0.0.1:8480\n\
        With --db FILE all acknowledged changes are stored, even if it is killed at any moment.\n\n\
        Examples:\n  perennial sandbox serve\n  perennial sandbox serve --listen 127.0.0.1:0 --db sandbox.db \
        --frozen-at 2027-01-01T00:00:00Z"
    )]
    Serve(Serve),
    /// Creates a world and prints its credentials
    #[command(
        after_help = "A seed always gives the same credentials, ids and times; a seed that was used before restarts its \
        world.\n\nExamples:\n  perennial sandbox world --seed 42 --now 2027-01-01T00:00:00Z\n  \
        perennial sandbox world --charge-hour 22 --decline-retries-times 3 --search-lag PT1H"
    )]
    World(World),
    /// Shows the world's clock
    #[command(after_help = "Example:\n  perennial sandbox clock")]
    Clock,
    /// Moves the world's clock forward; returns after everything due by then has happened
    #[command(
        after_help = "Examples:\n  perennial sandbox advance P1M\n  perennial sandbox advance 2027-03-15\n  \
        perennial sandbox advance 2027-03-15T12:00:00Z"
    )]
    Advance(Advance),
    /// Faults: calls that fail on purpose
    #[command(subcommand)]
    Fault(Faults),
    /// Shows the world's last requests, newest first, with secrets masked
    #[command(after_help = "With --output json, also shows the bodies of requests and responses.\n\n\
        Example:\n  perennial sandbox log --limit 10")]
    Log(Log),
    /// Takes a snapshot of the world, and prints the snapshot's id
    #[command(after_help = "Example:\n  perennial sandbox snapshot")]
    Snapshot,
    /// Restores the world from a snapshot
    #[command(after_help = "Example:\n  perennial sandbox restore snap_5a1d7c1e8a0f")]
    Restore(Restore),
    /// Empties the world and restarts it
    #[command(after_help = "Example:\n  perennial sandbox reset")]
    Reset,
    /// Deletes the world with its snapshots, faults and request log
    #[command(
        after_help = "After that, the key opens nothing, or an empty world in a sandbox where any key opens one.\n\n\
        Example:\n  perennial sandbox delete"
    )]
    Delete,
}

#[derive(Debug, Args)]
pub(crate) struct World {
    /// The seed of all keys, ids and codes of the world
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// The initial time of its clock
    #[arg(long, value_name = "RFC3339")]
    now: Option<String>,
    #[command(flatten)]
    gateway: Options,
}

#[derive(Debug, Args)]
pub(crate) struct Advance {
    /// A period (P1M, P1Y2M10D, P1DT12H), a day whose payments are included (2027-03-01), or a moment in RFC 3339
    #[arg(value_name = "PERIOD|DAY|MOMENT")]
    to: String,
}

#[derive(Debug, Args)]
pub(crate) struct Log {
    /// The number of requests
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
    limit: u16,
}

#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The snapshot's id
    #[arg(value_name = "ID")]
    id: String,
}

impl Local {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        let output = global.output;
        match self {
            Self::Serve(serve) => {
                global.refuse_gateway("sandbox serve is a gateway and calls none")?;
                serve.run().await
            }
            Self::World(World { seed, now, gateway: Options(gateway) }) => {
                let mut world = serde_json::Map::new();
                world.extend(seed.map(|seed| ("seed".into(), seed.into())));
                world.extend(now.map(|now| ("now".into(), now.into())));
                world.insert("gateway".into(), gateway.into());
                let created = Control::of_anyone(global)?.post("worlds", &world.into()).await?;
                output.record(&Record::of_json(created))
            }
            Self::Clock => output.record(&Record::of_json(Control::of(global)?.get("clock").await?)),
            Self::Advance(Advance { to }) => {
                let member = if to.starts_with(['P', 'p']) { "advance" } else { "advance-to" };
                let fired = Control::of(global)?.post("clock", &json!({ member: to })).await;
                let fired = fired.map_err(|failure| match failure {
                    // The sandbox names the forms of one member, and here one argument has them all.
                    Failure::Sandbox { status, message } if message.contains("such as") => {
                        Failure::Sandbox { status, message: FORMS.to_owned() }
                    }
                    failure => failure,
                })?;
                output.record(&Record::of_json(fired))
            }
            Self::Fault(faults) => faults.run(&Control::of(global)?, output).await,
            Self::Log(Log { limit }) => {
                let log = Control::of(global)?.get(&format!("requests?limit={limit}")).await?;
                output.rows(LOG, Record::list_of_json(log))
            }
            Self::Snapshot => {
                let snapshot = Control::of(global)?.post("snapshot", &json!({})).await?;
                output.record(&Record::of_json(snapshot))
            }
            Self::Restore(Restore { id }) => {
                let control = Control::of(global)?;
                control.post("restore", &json!({ "id": id })).await?;
                output.record(&Record::of_json(control.get("clock").await?))
            }
            Self::Reset => {
                let control = Control::of(global)?;
                control.post("reset", &json!({})).await?;
                output.record(&Record::of_json(control.get("clock").await?))
            }
            Self::Delete => Control::of(global)?.delete("worlds").await.map(drop),
        }
    }
}

/// Accepted forms of a clock's target.
const FORMS: &str = "<PERIOD|DAY|MOMENT>: must be a period such as P1M, P1Y2M10D or P1DT12H, a day such as 2027-03-01, or \
    a moment such as 2027-03-01T12:00:00Z";

/// Columns of the request log, the most important first.
const LOG: &[&str] =
    &["time", "method", "status", "operation", "fault", "path", "duration-ms", "exchange-id"];
