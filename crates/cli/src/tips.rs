//! Suggestions for wrong words, where clap finds no similar spelling.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, Error};

/// Verbs, and the subcommands that they may mean.
const MEANT: &[(&str, &[&str])] = &[
    ("show", &["get", "current", "status"]),
    ("view", &["get"]),
    ("read", &["get"]),
    ("fetch", &["get"]),
    ("find", &["search", "list"]),
    ("ls", &["list", "search", "profiles"]),
    ("all", &["list", "search"]),
    ("add", &["create", "attach", "set", "connect"]),
    ("new", &["create", "new"]),
    ("make", &["create"]),
    ("insert", &["create"]),
    ("remove", &["delete", "disconnect", "clear"]),
    ("rm", &["delete", "disconnect", "clear"]),
    ("del", &["delete"]),
    ("destroy", &["delete"]),
    ("edit", &["update"]),
    ("change", &["update"]),
    ("modify", &["update"]),
    ("patch", &["update"]),
    ("pause", &["suspend"]),
    ("resume", &["activate"]),
    ("stop", &["cancel", "suspend"]),
    ("terminate", &["cancel"]),
    ("charge", &["sale", "pay"]),
    ("buy", &["sale", "pay"]),
    ("authorize", &["auth"]),
    ("hold", &["auth"]),
    ("reverse", &["void", "refund"]),
    ("return", &["refund"]),
    ("close", &["settle"]),
    ("login", &["connect"]),
    ("logout", &["disconnect"]),
    ("start", &["serve"]),
    ("run", &["serve"]),
    ("demo", &["quickstart"]),
    ("calendar", &["schedule"]),
];

/// The maximum number of words in a tip.
const MOST: usize = 4;

/// Formats an error of the command line with a tip before the usage. clap's tip is about spelling; a tip
/// about the meaning replaces it.
pub(crate) fn with_tip(error: &Error, command: &Command, line: &[OsString]) -> String {
    let message = error.to_string();
    let Some(tip) = tip(error, command, line) else { return message };
    let usage = message.find("\n\nUsage:").unwrap_or(message.trim_end().len());
    let (what, usage) = message.split_at(usage);
    let what = what.split("\n\n  tip:").next().unwrap_or_default();
    format!("{what}\n\n  tip: {tip}{usage}")
}

fn tip(error: &Error, command: &Command, line: &[OsString]) -> Option<String> {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let here = command_of(command, line);
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let word = text(ContextKind::InvalidSubcommand)?.to_ascii_lowercase();
            let is_close = error.get(ContextKind::SuggestedSubcommand).is_some();
            meant(here, &word).or_else(|| (!is_close).then(|| known(command, here, &word)))
        }
        ErrorKind::UnknownArgument => option(here, text(ContextKind::InvalidArg)?),
        _ => None,
    }
}

/// The subcommand that the line names, as far as its words are known.
fn command_of<'a>(command: &'a Command, line: &[OsString]) -> &'a Command {
    let words = line.iter().skip(1).filter_map(|word| word.to_str());
    words.fold(command, |command, word| command.find_subcommand(word).unwrap_or(command))
}

/// The subcommand of this command that the word means.
fn meant(here: &Command, word: &str) -> Option<String> {
    if word == "help" {
        return Some("perennial --help, or --help behind a command".to_owned());
    }
    let (_, meant) = MEANT.iter().find(|(wrong, _)| *wrong == word)?;
    let meant = meant.iter().find(|meant| here.find_subcommand(meant).is_some())?;
    Some(format!("a command for it is '{meant}'"))
}

/// Other commands with this word, or all commands at this place.
fn known(root: &Command, here: &Command, word: &str) -> String {
    let mut elsewhere = Vec::new();
    collect(root, "perennial", word, &mut elsewhere);
    if elsewhere.is_empty() {
        let names: Vec<&str> = here.get_subcommands().map(Command::get_name).collect();
        return format!("the commands here are {}", names.join(", "));
    }
    elsewhere.truncate(MOST);
    format!("such commands are '{}'", elsewhere.join("', '"))
}

/// Collects the commands of this name in the whole tree.
fn collect(command: &Command, path: &str, name: &str, found: &mut Vec<String>) {
    for subcommand in command.get_subcommands() {
        let path = format!("{path} {}", subcommand.get_name());
        if subcommand.get_name() == name {
            found.push(path.clone());
        }
        collect(subcommand, &path, name, found);
    }
}

/// Options whose names contain a word of the wrong one.
fn option(here: &Command, wrong: &str) -> Option<String> {
    let wrong = wrong.strip_prefix("--")?.split('=').next()?.to_ascii_lowercase();
    let shares = |long: &&str| long.split('-').any(|part| wrong.split(['-', '_']).any(|word| word == part));
    let own = here.get_arguments().filter(|argument| !argument.is_hide_set());
    let longs = own.filter_map(clap::Arg::get_long).filter(shares);
    let longs: Vec<String> = longs.take(MOST).map(|long| format!("'--{long}'")).collect();
    (!longs.is_empty()).then(|| format!("similar options are {}", longs.join(", ")))
}
