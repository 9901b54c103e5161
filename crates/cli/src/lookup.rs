//! Commands that look up whether a write of unknown outcome was performed.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fmt::{self, Display};
use std::path::{self, PathBuf};

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches};
use perennial::clearent::{CustomerSearch, Lookup, PlanSearch, TokenSearch, TransactionSearch};
use perennial::clientpay::{Operation, PaymentId};

use crate::secrets;

/// Global options of this run, which a lookup command must repeat: ` --profile north`.
#[derive(Debug, Default, Clone)]
pub(crate) struct Again(Vec<(String, String)>);

impl Again {
    /// Collects the given options, from the command line or from variables. Files are named by absolute paths. Options
    /// that only change what this run prints are left out, and so is a proxy whose URL holds a user or a password: the
    /// variable that named it names it again.
    pub(crate) fn of(command: &clap::Command, matches: &ArgMatches) -> Self {
        let (mut command, mut matches) = (command, matches);
        while let Some((name, inner)) = matches.subcommand()
            && let Some(subcommand) = command.find_subcommand(name)
        {
            (command, matches) = (subcommand, inner);
        }
        let given = |argument: &&Arg| {
            let source = matches.value_source(argument.get_id().as_str());
            argument.is_global_set()
                && !["dry-run", "no-pager", "verbose"].contains(&argument.get_long().unwrap_or_default())
                && matches!(source, Some(ValueSource::CommandLine | ValueSource::EnvVariable))
        };
        let again = command.get_arguments().filter(given).map(|argument| {
            let (option, line) = (argument.get_long().unwrap_or_default(), Line::new(""));
            if !argument.get_action().takes_values() {
                return (option.to_owned(), line.flag(option).arguments);
            }
            let is_file =
                argument.get_value_names().is_some_and(|names| names.iter().any(|name| name == "FILE"));
            let values = matches.get_raw(argument.get_id().as_str()).into_iter().flatten();
            let tellable = |value: &&OsStr| secrets::user_info(&value.to_string_lossy()).is_none();
            let line = values.map(AsRef::as_ref).filter(tellable).fold(line, |line, value| {
                let value = if is_file { absolute(value) } else { value.to_string_lossy().into_owned() };
                line.with(option, Some(value))
            });
            (option.to_owned(), line.arguments)
        });
        Self(again.collect())
    }

    /// The options without this one.
    pub(crate) fn without(&self, option: &str) -> Self {
        Self(self.0.iter().filter(|(name, _)| name != option).cloned().collect())
    }
}

impl fmt::Display for Again {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(_, text)| f.write_str(text))
    }
}

/// Builds, for example, `perennial plans search --customer-key cust_5a1d --payment-amount 50.00`.
pub(crate) fn command(lookup: &Lookup) -> Line {
    match lookup {
        Lookup::Customer(key) => Line::new("perennial customers get").word(key.as_str()),
        Lookup::Customers(search) => customers(search),
        Lookup::Token(id) => Line::new("perennial tokens get").word(id.as_str()),
        Lookup::Tokens(search) => tokens(search),
        Lookup::CustomerTokens(key) => Line::new("perennial customers tokens list").word(key.as_str()),
        Lookup::Plan(key) => Line::new("perennial plans get").word(key.as_str()),
        Lookup::Plans(search) => plans(search),
        Lookup::Transaction(id) => Line::new("perennial transactions get").word(id.as_str()),
        Lookup::Transactions(search) => transactions(search),
        Lookup::FollowUps { of, search } => transactions(search).with("ref-id", Some(of)),
        Lookup::Invoice(number) => Line::new("perennial invoice status").word(number.as_str()),
        Lookup::Batches(_) => Line::new("perennial batches list"),
        _ => Line::new("perennial --help"),
    }
}

/// The lookup command for a request id; for pages and payers the gateway has none.
pub(crate) fn of_request(operation: &str, id: &str) -> Option<Line> {
    let is_payment = [Operation::Pay, Operation::Refund].iter().any(|payment| payment.name() == operation);
    is_payment.then(|| Line::new("perennial clientpay search").with("request-id", Some(id)))
}

/// The lookup command for a ClientPay refund, which shows in the refunded payment, even if it is a void.
pub(crate) fn of_refund(payment: &PaymentId) -> Line {
    Line::new("perennial clientpay search").with("payment-id", Some(payment))
}

fn customers(search: &CustomerSearch) -> Line {
    Line::new("perennial customers search")
        .with("customer-key", search.customer_key.as_ref())
        .with("first-name", search.first_name.as_ref())
        .with("last-name", search.last_name.as_ref())
        .with("email", search.email.as_ref())
        .with("phone-number", search.phone_number.as_ref())
}

fn tokens(search: &TokenSearch) -> Line {
    Line::new("perennial tokens search").with("token-id", search.token_id.as_ref())
}

fn plans(search: &PlanSearch) -> Line {
    Line::new("perennial plans search")
        .with("customer-key", search.customer_key.as_ref())
        .with("token-id", search.token_id.as_ref())
        .with("payment-amount", search.payment_amount)
        .with("plan-name", search.plan_name.as_ref())
}

fn transactions(search: &TransactionSearch) -> Line {
    Line::new("perennial transactions search")
        .with("level", search.level.as_ref())
        .with("type", search.transaction_type.as_ref())
        .with("amount", search.amount)
        .with("last-four", search.last_four.as_ref())
        .with("invoice", search.invoice.as_ref())
        .with("order-id", search.order_id.as_ref())
}

/// The absolute path of a file.
pub(crate) fn absolute(file: &OsStr) -> String {
    path::absolute(file).map_or_else(|_| file.into(), PathBuf::into_os_string).to_string_lossy().into_owned()
}

/// A command for a POSIX shell.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    command: &'static str,
    arguments: String,
}

impl Line {
    /// A command without its arguments.
    pub(crate) fn new(command: &'static str) -> Self {
        Self { command, arguments: String::new() }
    }

    /// Another command with the same arguments.
    pub(crate) fn of(&self, command: &'static str) -> Self {
        Self { command, ..self.clone() }
    }

    /// The command with the global options of this run, then its own arguments.
    pub(crate) fn again(&self, again: &Again) -> String {
        let Self { command, arguments } = self;
        let accepts = again.0.iter().any(|(name, _)| secrets::OVERRIDE.strip_prefix("--") == Some(name));
        let accept = if !accepts && secrets::resembles_secret(arguments) { secrets::OVERRIDE } else { "" };
        let apart = if accept.is_empty() { "" } else { " " };
        format!("{command}{again}{apart}{accept}{arguments}")
    }

    /// Adds an option, if it has a value. A value that looks like an option is joined to it.
    pub(crate) fn with(mut self, option: &str, value: Option<impl Display>) -> Self {
        if let Some(value) = value.map(|value| value.to_string()) {
            let joint = if value.starts_with('-') { "=" } else { " " };
            self.arguments.extend([" --", option, joint, &quoted(&value)]);
        }
        self
    }

    /// Adds an option without a value.
    pub(crate) fn flag(mut self, option: &str) -> Self {
        self.arguments.extend([" --", option]);
        self
    }

    /// Adds a positional argument.
    pub(crate) fn word(mut self, word: &str) -> Self {
        let apart = if word.starts_with('-') { " -- " } else { " " };
        self.arguments.extend([apart, &quoted(word)]);
        self
    }
}

/// Quotes a word as every POSIX shell, bash and zsh read it.
fn quoted(word: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.:@/,+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.into()
    } else {
        format!("'{}'", word.replace('\'', r"'\''")).into()
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::args::Arguments;

    #[test]
    fn the_options_of_this_run_are_repeated_and_its_secrets_are_not() {
        for (options, repeated) in [
            ("--proxy http://proxy.example:3128", " --proxy http://proxy.example:3128"),
            ("--proxy http://ada:secret@proxy.example:3128 --timeout 5", " --timeout 5"),
            ("--proxy=http://token@proxy.example:3128/ --format xml", " --format xml"),
            ("--verbose --no-pager --output json", " --output json"),
        ] {
            let mut command = Arguments::command();
            let line = ["perennial"].into_iter().chain(options.split(' ')).chain(["customers", "search"]);
            let matches = command.try_get_matches_from_mut(line).unwrap();
            assert_eq!(Again::of(&command, &matches).to_string(), repeated, "{options}");
        }
    }

    #[test]
    fn what_a_shell_would_read_otherwise_is_quoted() {
        let search = |name: &str| {
            Lookup::Customers(CustomerSearch {
                first_name: Some(name.to_owned()),
                ..CustomerSearch::default()
            })
        };
        for (name, expected) in [
            ("Ada", "perennial customers search --first-name Ada"),
            ("Ada Maria", "perennial customers search --first-name 'Ada Maria'"),
            ("O'Neil; $(x)", r"perennial customers search --first-name 'O'\''Neil; $(x)'"),
            ("-v", "perennial customers search --first-name=-v"),
            ("=ls !!", "perennial customers search --first-name '=ls !!'"),
            ("", "perennial customers search --first-name ''"),
            (
                "4111111111111111",
                "perennial customers search --allow-lookalikes --first-name 4111111111111111",
            ),
        ] {
            assert_eq!(command(&search(name)).again(&Again::default()), expected);
        }
    }
}
