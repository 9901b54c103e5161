//! `perennial sandbox fault`: faults of the sandbox.

use std::fmt::Write;

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, Subcommand, value_parser};
use perennial_sandbox::{Effect, EffectKind, EffectMember};
use serde_json::{Map, Value as Json};

use super::control::Control;
use crate::failure::Failure;
use crate::output::{Output, Record};

/// Faults of the world. The sandbox checks them; a refused fault changes nothing.
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
    /// The effect on a call
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
    /// The number of calls to hit
    #[arg(long, value_name = "NUMBER")]
    times: Option<u64>,
    /// The probability of a hit, 0 to 1
    #[arg(long, value_name = "SHARE")]
    probability: Option<serde_json::Number>,
    /// The seed of the random draws
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// Hit only calls about this customer, token or plan
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

/// The options of effects, one for each member in the sandbox's table.
#[derive(Debug, Default)]
struct Parameters(Map<String, Json>);

/// Members of all effects, each once.
fn members() -> impl Iterator<Item = &'static EffectMember> {
    let all: Vec<&EffectMember> = Effect::KINDS.iter().flat_map(|kind| kind.members).collect();
    let is_first = |at: usize| all[..at].iter().all(|earlier| earlier.name != all[at].name);
    let first: Vec<&EffectMember> = (0..all.len()).filter(|at| is_first(*at)).map(|at| all[at]).collect();
    first.into_iter()
}

impl Args for Parameters {
    fn augment_args(command: Command) -> Command {
        members().fold(command, |command, EffectMember { name, about, value, is_required, is_number, .. }| {
            let option = Arg::new(*name).long(*name).help(*about).value_name(*value);
            let option = option.help_heading("The effect's options");
            // What may be left out may also be text.
            command.arg(if *is_number && *is_required {
                option.value_parser(value_parser!(u64))
            } else {
                option
            })
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Parameters {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut parameters = Self::default();
        parameters.update_from_arg_matches(matches)?;
        Ok(parameters)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for EffectMember { name, is_required, is_number, .. } in members() {
            let value = if *is_number && *is_required {
                matches.get_one::<u64>(name).map(|number| Json::from(*number))
            } else {
                let text = matches.get_one::<String>(name).cloned();
                // Seconds are a number on the wire, a date is text.
                let number = |text: String| text.parse().map_or(Json::String(text), Json::Number);
                text.map(|text| if *is_number { number(text) } else { text.into() })
            };
            self.0.extend(value.map(|value| ((*name).to_owned(), value)));
        }
        Ok(())
    }
}

#[derive(Debug, Args)]
pub(crate) struct Clear {
    /// The id of the fault; the default is all faults
    #[arg(value_name = "ID")]
    id: Option<String>,
}

/// The text after the options in the help of `set`: the sandbox's table of effects, and examples.
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

/// An effect and its parameters, short enough for a table cell: `error-before, status 503`.
fn in_a_cell(fault: &mut Json) {
    let Some(effect) = fault["effect"].as_object() else { return };
    let kind = effect.get("kind").and_then(Json::as_str).unwrap_or_default().to_owned();
    let parameters = effect.iter().filter(|(name, _)| *name != "kind");
    let text = parameters.fold(kind, |text, (name, value)| format!("{text}, {name} {value}"));
    fault["effect"] = text.into();
}

impl Fault {
    /// The fault as JSON for the sandbox, with the given members.
    fn document(self) -> Json {
        let Self { operation, effect, aim, parameters } = self;
        let Aim { nth, times, probability, seed, key } = aim;
        let Parameters(mut members) = parameters;
        members.insert("kind".to_owned(), effect.into());
        given([
            ("operation", Some(operation.into())),
            ("nth", nth.map(Json::from)),
            ("times", times.map(Json::from)),
            ("probability", probability.map(Json::Number)),
            ("seed", seed.map(Json::from)),
            ("key", key.map(Json::from)),
            ("effect", Some(members.into())),
        ])
    }
}

/// A JSON object of the members that have a value.
fn given<const N: usize>(members: [(&str, Option<Json>); N]) -> Json {
    let members = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    members.collect::<Map<_, _>>().into()
}
