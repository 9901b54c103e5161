//! The command line: global options of every subcommand, and the arguments that are refused.

use std::ffi::OsString;
use std::iter;

use clap::error::ErrorKind;
use clap::{ArgMatches, CommandFactory, FromArgMatches, Id, Parser, ValueEnum};

use crate::commands::Command;
use crate::context::{Global, Tree};
use crate::exit;
use crate::failure::Failure;
use crate::lookup::Again;
use crate::output::{Output, csv};
use crate::{secrets, tips};

/// Recurring payments on the Clearent gateway: customers, card tokens, monthly plans and their payments; and, on
/// ClientPay, invoices paid on pages.
///
/// Keys are read from the environment or from a file, card data from standard input or a prompt; neither is ever an
/// argument. Standard output holds data and nothing else.
#[derive(Debug, Parser)]
#[command(
    name = "perennial",
    version,
    max_term_width = 100,
    disable_help_subcommand = true,
    after_help = "Try it without an account: perennial quickstart",
    after_long_help = exit::TABLE,
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Arguments {
    /// Reads the command line. Prints help and version itself, and then returns `None`.
    pub(crate) fn read(line: &[OsString]) -> Result<Option<Self>, Failure> {
        secrets::refuse(line).map_err(Failure::Usage)?;
        let mut command = short(Self::command());
        if line.len() < 2 {
            command.print_help()?;
            return Ok(None);
        }
        let matches = command.try_get_matches_from_mut(line);
        let read = matches.and_then(|matches| {
            let mut arguments = Self::from_arg_matches(&matches)?;
            arguments.global.again = Again::of(&command, &matches);
            arguments.global.tree = Tree(Self::command);
            Ok((arguments, path(&matches)))
        });
        match read.map_err(|error| error.format(&mut command)) {
            Ok((arguments, path)) => {
                let Global { interrupt, output, verbose, again, .. } = &arguments.global;
                interrupt.speak(*output, *verbose > 0, again);
                if arguments.global.csv_bom {
                    if *output != Output::Csv {
                        let message = "--csv-bom is for CSV: add --output csv, or leave it out";
                        return Err(Failure::Usage(message.to_owned()));
                    }
                    csv::mark();
                }
                arguments.global.dry_run.refuse_read(&path)?;
                Ok(Some(arguments))
            }
            Err(help) if matches!(help.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
                help.print()?;
                Ok(None)
            }
            Err(help) if help.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                let help = help.to_string();
                let usage = help.find("Usage:").map_or("", |begin| help[begin..].trim_end());
                Err(Failure::Usage(format!("a subcommand is missing\n\n{usage}")))
            }
            Err(error) => {
                let message = tips::with_tip(&error, &command, line);
                Err(Failure::Usage(secrets::masked(&message)))
            }
        }
    }
}

/// The names of the given subcommand: `customers tokens list`.
fn path(matches: &ArgMatches) -> String {
    let subcommands = iter::successors(matches.subcommand(), |(_, matches)| matches.subcommand());
    subcommands.map(|(name, _)| name).collect::<Vec<_>>().join(" ")
}

/// The output format for an error of a command line that cannot be read.
pub(crate) fn output_of(line: &[OsString]) -> Output {
    let mut words = line.iter().filter_map(|word| word.to_str());
    let mut output = Output::default();
    while let Some(word) = words.next() {
        let form = if word == "--output" { words.next() } else { word.strip_prefix("--output=") };
        output = form.and_then(|form| Output::from_str(form, false).ok()).unwrap_or(output);
    }
    output
}

/// The command, whose subcommands point to the global options instead of listing them.
fn short(mut command: clap::Command) -> clap::Command {
    fn within(command: clap::Command, global: &[Id]) -> clap::Command {
        let command = command.mut_args(|argument| {
            let is_global = global.contains(argument.get_id());
            if is_global { argument.hide(true) } else { argument }
        });
        let command = command.help_template(
            "{before-help}{about-with-newline}\n{usage-heading} {usage}\n\n{all-args}\n\n\
             Global options: see perennial --help{after-help}",
        );
        command.mut_subcommands(|subcommand| within(subcommand, global))
    }
    command.build();
    let global: Vec<Id> =
        command.get_arguments().filter(|arg| arg.is_global_set()).map(|arg| arg.get_id().clone()).collect();
    command.mut_subcommands(|subcommand| within(subcommand, &global))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_sound() {
        Arguments::command().debug_assert();
    }
}
