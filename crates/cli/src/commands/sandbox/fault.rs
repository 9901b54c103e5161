//! `perennial sandbox fault`: what goes wrong on purpose, where and how often.

use std::fmt::Write;

use clap::{Args, Subcommand};
use perennial_sandbox::{Effect, EffectKind, EffectMember};
use serde_json::{Map, Value as Json};

use super::control::Control;
use crate::failure::Failure;
use crate::output::{Output, Record};

/// Faults of the world. The sandbox judges them; what it refuses changes nothing.
#[derive(Debug, Subcommand)]
pub(crate) enum Faults {
    /// Sets a fault
    #[command(after_help = effects())]
    Set(Box<Fault>),
    /// Lists the faults of the world
    #[command(visible_alias = "search", after_help = "Example:\n  perennial sandbox fault list")]
    List,
    /// Clears all faults of the world, or one
    #[command(
        after_help = "Examples:\n  perennial sandbox fault clear\n  perennial sandbox fault clear fault-1"
    )]
    Clear(Clear),
}

#[derive(Debug, Args)]
pub(crate) struct Fault {
    /// The operation to hit, such as customers.create, or '*' for all
    operation: String,
    /// What goes wrong
    effect: String,
    #[command(flatten)]
    aim: Aim,
    #[command(flatten)]
    parameters: Parameters,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Which calls")]
struct Aim {
    /// The first call to hit, counted per operation from now
    #[arg(long, value_name = "NUMBER")]
    nth: Option<u64>,
    /// How many calls to hit
    #[arg(long, value_name = "NUMBER")]
    times: Option<u64>,
    /// How likely a call is hit, 0 to 1
    #[arg(long, value_name = "SHARE")]
    probability: Option<serde_json::Number>,
    /// The number that the chances are derived from
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// Only calls about this customer, token or plan
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "The effect's options")]
struct Parameters {
    /// The HTTP status of the error
    #[arg(long, value_name = "NUMBER")]
    status: Option<u64>,
    /// How long to wait, in milliseconds of real time
    #[arg(long, value_name = "NUMBER")]
    delay_ms: Option<u64>,
    /// How long to hold an alert, as in PT1H or P2D of the world's clock
    #[arg(long, value_name = "PERIOD")]
    delay: Option<String>,
    /// How fast the body comes
    #[arg(long, value_name = "NUMBER")]
    bytes_per_second: Option<u64>,
    /// How many bytes of the body come
    #[arg(long, value_name = "NUMBER")]
    at_byte: Option<u64>,
    /// How many bytes the body has
    #[arg(long, value_name = "NUMBER")]
    bytes: Option<u64>,
    /// What comes instead of the answer
    #[arg(long, value_name = "TEXT")]
    body: Option<String>,
    /// What the body claims to be
    #[arg(long, value_name = "TYPE")]
    content_type: Option<String>,
    /// When to try again
    #[arg(long, value_name = "SECONDS|DATE")]
    retry_after: Option<String>,
    /// The vendor's code of the decline
    #[arg(long, value_name = "CODE")]
    result_code: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Clear {
    /// The fault's id; all if none is given
    #[arg(value_name = "ID")]
    id: Option<String>,
}

/// What follows the options in the help of `set`: the sandbox's own table of effects, and examples.
fn effects() -> String {
    let mut help = "Without --nth and --times it hits every matching call until it is cleared; with --nth alone, that call \
                    once.\n\nEffects and their options:\n"
        .to_owned();
    for EffectKind { name, members, what, .. } in Effect::KINDS {
        // Formatting into a string cannot fail.
        let _ = writeln!(help, "  {name:17}  {what}");
        for EffectMember { name, rule, .. } in *members {
            let _ = writeln!(help, "{:21}--{name}: {rule}", "");
        }
    }
    help.push_str(
        "\nExamples:\n  perennial sandbox fault set plans.create drop-reply --nth 1\n  \
        perennial sandbox fault set '*' error-before --status 503 --probability 0.2 --seed 7\n  \
        perennial sandbox fault set transactions.sale decline --result-code 012 --key plan_3f0f6d1c5f0e",
    );
    help
}

impl Faults {
    pub(super) async fn run(self, control: &Control, output: Output) -> Result<(), Failure> {
        match self {
            Self::Set(fault) => {
                let set = control.post("faults", &fault.document()).await?;
                output.record(&Record::of_json(set))
            }
            Self::List => {
                let mut listed = control.get("faults").await?;
                let mut faults = listed["faults"].take();
                if !output.is_json() {
                    faults.as_array_mut().into_iter().flatten().for_each(in_a_cell);
                }
                output.rows(FAULTS, Record::list_of_json(faults))
            }
            Self::Clear(Clear { id }) => {
                let call = id.map_or_else(|| "faults".to_owned(), |id| format!("faults/{id}"));
                control.delete(&call).await.map(|_| ())
            }
        }
    }
}

const FAULTS: &[&str] =
    &["id", "operation", "effect", "nth", "times", "probability", "key", "matched", "applied"];

/// An effect and its parameters as a table has room for them: `error-before, status 503`.
fn in_a_cell(fault: &mut Json) {
    let Some(effect) = fault["effect"].as_object() else { return };
    let kind = effect.get("kind").and_then(Json::as_str).unwrap_or_default().to_owned();
    let parameters = effect.iter().filter(|(name, _)| *name != "kind");
    let told = parameters.fold(kind, |told, (name, value)| format!("{told}, {name} {value}"));
    fault["effect"] = told.into();
}

impl Fault {
    /// The fault as the sandbox takes it, with the members that were given.
    fn document(self) -> Json {
        let Self { operation, effect, aim, parameters } = self;
        let Aim { nth, times, probability, seed, key } = aim;
        let Parameters {
            status,
            delay_ms,
            delay,
            bytes_per_second,
            at_byte,
            bytes,
            body,
            content_type,
            retry_after,
            result_code,
        } = parameters;
        // Seconds are a number on the wire, a date is text.
        let retry_after = retry_after.map(|text| text.parse().map_or(Json::String(text), Json::Number));
        let effect = given([
            ("kind", Some(effect.into())),
            ("status", status.map(Json::from)),
            ("delay-ms", delay_ms.map(Json::from)),
            ("delay", delay.map(Json::from)),
            ("bytes-per-second", bytes_per_second.map(Json::from)),
            ("at-byte", at_byte.map(Json::from)),
            ("bytes", bytes.map(Json::from)),
            ("body", body.map(Json::from)),
            ("content-type", content_type.map(Json::from)),
            ("retry-after", retry_after),
            ("result-code", result_code.map(Json::from)),
        ]);
        given([
            ("operation", Some(operation.into())),
            ("nth", nth.map(Json::from)),
            ("times", times.map(Json::from)),
            ("probability", probability.map(Json::Number)),
            ("seed", seed.map(Json::from)),
            ("key", key.map(Json::from)),
            ("effect", Some(effect)),
        ])
    }
}

/// An object of the members that have a value.
fn given<const N: usize>(members: [(&str, Option<Json>); N]) -> Json {
    let members = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    members.collect::<Map<_, _>>().into()
}
