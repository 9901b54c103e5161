//! The command line: what stands in front of every subcommand, and what must never stand on it.

use std::ffi::OsString;
use std::io;
use std::iter;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, ValueEnum};
use perennial::clearent::ApiKey;
use perennial::keys::{MerchantKey, Profile};
use perennial::transport::{Exchange, ReqwestBuilder, ReqwestExchange, redact};
use perennial::{BaseUrl, CardNumber, Clearent, Environment, Format};

use crate::commands::{Command, KeyOptions};
use crate::exit;
use crate::failure::Failure;
use crate::input;
use crate::interrupt::{Interrupt, Waits};
use crate::lookup::Again;
use crate::output::Output;
use crate::rehearsal::Rehearsal;

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

/// What holds for every subcommand.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// How results are printed
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORM")]
    pub(crate) output: Output,
    /// The format of requests and answers on the wire
    #[arg(long, global = true, default_value = "json", value_name = "FORMAT",
        value_parser = PossibleValuesParser::new(["json", "xml"]).try_map(|name| name.parse::<Format>()))]
    pub(crate) format: Format,
    /// The vendor's gateway to call: sandbox unless said otherwise
    #[arg(long, global = true, value_enum, value_name = "NAME", conflicts_with = "base_url")]
    environment: Option<Gateway>,
    /// Another gateway to call: https, or http to a literal loopback address such as 127.0.0.1
    #[arg(long, global = true, value_name = "URL")]
    base_url: Option<String>,
    /// A file that holds the api key, instead of PERENNIAL_API_KEY
    #[arg(long, global = true, value_name = "FILE")]
    api_key_file: Option<PathBuf>,
    /// The merchant whose key is used, at the gateway that it belongs to: see perennial connect
    #[arg(long, global = true, value_name = "NAME",
        conflicts_with_all = ["api_key_file", "environment", "base_url"])]
    profile: Option<Profile>,
    #[command(flatten)]
    pub(crate) keys: KeyOptions,
    #[command(flatten)]
    pub(crate) rehearsal: Rehearsal,
    /// Show no table in a pager, however long it is
    #[arg(long, global = true)]
    pub(crate) no_pager: bool,
    /// How long a call may take, repeats included
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 30,
        value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,
    /// Tell each call on standard error; twice for more
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    #[arg(skip)]
    pub(crate) interrupt: Interrupt,
    #[arg(skip)]
    pub(crate) again: Again,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Gateway {
    Sandbox,
    Production,
}

impl Arguments {
    /// Reads the command line. Help and version are printed; then there is nothing to run.
    pub(crate) fn read(line: &[OsString]) -> Result<Option<Self>, Failure> {
        refuse_secrets(line.iter().skip(1).filter_map(|argument| argument.to_str()))?;
        let mut command = Self::command();
        let matches = command.try_get_matches_from_mut(line);
        let read = matches.and_then(|matches| {
            let mut arguments = Self::from_arg_matches(&matches)?;
            arguments.global.again = Again::of(&command, &matches);
            Ok((arguments, path(&matches)))
        });
        match read.map_err(|error| error.format(&mut command)) {
            Ok((arguments, path)) => {
                let Global { interrupt, output, verbose, .. } = &arguments.global;
                interrupt.speak(*output, *verbose > 0);
                arguments.global.rehearsal.refuse_read(&path)?;
                Ok(Some(arguments))
            }
            Err(told) if matches!(told.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
                told.print()?;
                Ok(None)
            }
            Err(help) if help.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                let help = help.to_string();
                let usage = help.find("Usage:").map_or("", |begin| help[begin..].trim_end());
                Err(Failure::Usage(format!("a subcommand is missing\n\n{usage}")))
            }
            Err(error) => Err(Failure::Usage(masked(&error.to_string()))),
        }
    }
}

impl Global {
    /// How long a call may take.
    pub(crate) fn deadline(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }

    /// Refuses the options that say which gateway is called and with which key, for a command that calls none: `why`.
    pub(crate) fn refuse_gateway(&self, why: &str) -> Result<(), Failure> {
        let options = [
            ("--environment", self.environment.is_some()),
            ("--base-url", self.base_url.is_some()),
            ("--api-key-file", self.api_key_file.is_some()),
            ("--profile", self.profile.is_some()),
        ];
        let given: Vec<&str> =
            options.into_iter().filter_map(|(option, given)| given.then_some(option)).collect();
        if given.is_empty() {
            return Ok(());
        }
        let given = given.join(" and ");
        Err(Failure::Usage(format!("{why}: leave out {given}")))
    }

    /// The key of a merchant to be connected, and the gateway that it is said to belong to. `read` is told the file of
    /// `--api-key-file`.
    pub(crate) fn new_key(
        &self,
        read: impl FnOnce(Option<&Path>) -> Result<ApiKey, Failure>,
    ) -> Result<MerchantKey, Failure> {
        self.refuse_profile("the profile is named without it")?;
        Ok(MerchantKey { environment: self.environment()?, key: read(self.api_key_file.as_deref())? })
    }

    /// Refuses a profile where it would be ignored: `why`.
    pub(crate) fn refuse_profile(&self, why: &str) -> Result<(), Failure> {
        match self.profile {
            Some(_) => Err(Failure::Usage(format!("{why}: leave out --profile"))),
            None => Ok(()),
        }
    }

    /// The api key of the file, or else of the environment.
    pub(crate) fn api_key(&self) -> Result<ApiKey, Failure> {
        self.refuse_profile("this command takes the key alone")?;
        input::api_key(self.api_key_file.as_deref())
    }

    /// Where the sandbox is that is served on this machine.
    pub(crate) fn sandbox(&self) -> Result<BaseUrl, Failure> {
        if self.environment.is_some() {
            let told = "the vendor's gateways have no such command: leave out --environment";
            return Err(Failure::Usage(told.to_owned()));
        }
        Ok(self.base_url.as_deref().unwrap_or("http://127.0.0.1:8480").parse()?)
    }

    /// Which gateway is called.
    pub(crate) fn environment(&self) -> Result<Environment, Failure> {
        Ok(match (&self.base_url, self.environment) {
            (Some(url), _) => Environment::Custom(url.parse::<BaseUrl>()?),
            (None, Some(Gateway::Production)) => Environment::Production,
            (None, _) => Environment::Sandbox,
        })
    }

    /// Refuses the options that are of Clearent alone.
    pub(crate) fn refuse_clearent(&self) -> Result<(), Failure> {
        if self.api_key_file.is_some() {
            return Err(Failure::Usage("ClientPay has no api key: leave out --api-key-file".to_owned()));
        }
        self.refuse_profile("a profile has a key of Clearent")?;
        if self.format != Format::Json {
            return Err(Failure::Usage("ClientPay speaks JSON only: leave out --format".to_owned()));
        }
        Ok(())
    }

    /// The client of these options.
    pub(crate) async fn client(&self) -> Result<Clearent, Failure> {
        let key = match &self.profile {
            Some(profile) => self.keys.store()?.get(profile).await?,
            None => MerchantKey { environment: self.environment()?, key: self.api_key()? },
        };
        self.client_of(key)
    }

    /// The client of this merchant.
    pub(crate) fn client_of(&self, key: MerchantKey) -> Result<Clearent, Failure> {
        let exchange = self.exchange(|reqwest| reqwest)?;
        let client = key.client().format(self.format).deadline(self.deadline());
        Ok(client.exchange(exchange).time(self.waits()).build()?)
    }

    /// What carries the requests of this run: reqwest with these settings, which a signal interrupts, and from which a
    /// dry run withholds what would change something.
    pub(crate) fn exchange(
        &self,
        set: impl FnOnce(ReqwestBuilder) -> ReqwestBuilder,
    ) -> Result<Arc<dyn Exchange>, Failure> {
        let reqwest = set(ReqwestExchange::builder()).build();
        let reqwest = reqwest.map_err(|error| Failure::System(io::Error::other(error)))?;
        Ok(self.rehearsal.around(self.interrupt.around(reqwest)))
    }

    /// The clock of a client, whose waits a signal ends.
    pub(crate) fn waits(&self) -> Waits {
        Waits(self.interrupt.clone())
    }
}

/// The names of the subcommand that was given: `customers tokens list`.
fn path(matches: &ArgMatches) -> String {
    let subcommands = iter::successors(matches.subcommand(), |(_, matches)| matches.subcommand());
    subcommands.map(|(name, _)| name).collect::<Vec<_>>().join(" ")
}

/// How an error is to be told when the command line cannot be read.
pub(crate) fn output_of(line: &[OsString]) -> Output {
    let mut words = line.iter().filter_map(|word| word.to_str());
    let mut output = Output::default();
    while let Some(word) = words.next() {
        let form = if word == "--output" { words.next() } else { word.strip_prefix("--output=") };
        output = form.and_then(|form| Output::from_str(form, false).ok()).unwrap_or(output);
    }
    output
}

/// Arguments are seen by every process of the machine and kept in the shell's history.
fn refuse_secrets<'a>(line: impl Iterator<Item = &'a str>) -> Result<(), Failure> {
    for argument in line {
        let (name, value) = argument.split_once('=').unwrap_or((argument, argument));
        let told = match name {
            "--api-key" | "--apikey" => {
                "the api key is never an argument, because other processes and the shell's history see it: \
                 set PERENNIAL_API_KEY or pass --api-key-file FILE"
            }
            "--card" | "--card-number" | "--pan" | "--csc" | "--cvc" | "--cvv" => {
                "card data is never an argument, because other processes and the shell's history see it: \
                 pass --card-stdin, or wait to be asked"
            }
            "--integrator-key" | "--account-key" | "--account-pin" | "--customer-pin" | "--access-id" => {
                "ClientPay's credentials are never arguments, because other processes and the shell's history see them: \
                 set PERENNIAL_CLIENTPAY_INTEGRATOR_KEY and its like or pass --credentials-file FILE"
            }
            "--routing-number" | "--account-number" => {
                "a bank account is never an argument, because other processes and the shell's history see it: pass \
                 --account-stdin"
            }
            _ if holds_card(value) => {
                "an argument seems to hold a card number, and card data is never an argument: pass --card-stdin, or \
                 wait to be asked"
            }
            _ => continue,
        };
        return Err(Failure::Usage(told.to_owned()));
    }
    Ok(())
}

/// How many digits a card number has at most, and so groups of them.
const LONGEST: usize = 19;

/// Whether a card number stands anywhere in the text, be it in groups of digits. A group belongs to it whole, so that
/// no part of a longer number is taken for a card.
fn holds_card(text: &str) -> bool {
    let joins = |c: char| " -._".contains(c) || c.is_control() || !c.is_ascii() && !c.is_alphanumeric();
    text.split(|c: char| !c.is_ascii_digit() && !joins(c)).any(|part| {
        let groups: Vec<&str> = part.split(joins).filter(|group| !group.is_empty()).collect();
        (0..groups.len()).any(|first| {
            let mut number = String::new();
            groups[first..].iter().take(LONGEST).any(|group| {
                number.push_str(group);
                is_card(&number)
            })
        })
    })
}

/// Ids of transactions are shorter, those of tokens of no brand.
fn is_card(digits: &str) -> bool {
    digits.len() >= 13 && CardNumber::try_from(digits).is_ok_and(|card| card.brand().is_some())
}

/// What clap says of a command line it cannot read repeats some of it.
fn masked(error: &str) -> String {
    let could_be_a_key = |word: &str| word.len() >= 32 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let masked = |line: &str| {
        let line = redact::text(line);
        line.split_inclusive(|c: char| !c.is_ascii_alphanumeric())
            .map(|word| {
                let end = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
                if could_be_a_key(end) { word.replace(end, redact::MASK) } else { word.to_owned() }
            })
            .collect::<String>()
    };
    let lines: Vec<String> = error.trim_start_matches("error: ").trim_end().lines().map(masked).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn secrets_are_refused_and_not_repeated() {
        for (argument, refused) in [
            ("--api-key", true),
            ("--api-key=0123456789abcdef0123456789abcdef", true),
            ("--api-key-file", false),
            ("--card=4111111111111111", true),
            ("--csc", true),
            ("--card-stdin", false),
            ("--card-type", false),
            ("--account-pin=4711abcdef", true),
            ("--integrator-key", true),
            ("--access-id=abcdef", true),
            ("--access-id-file", false),
            ("--account-number=11110000", true),
            ("--account-stdin", false),
            ("--account-type", false),
            ("4111111111111111", true),
            ("4111 1111 1111 1111", true),
            ("--order-id=4111-1111-1111-1111", true),
            ("22 4111111111111111", true),
            ("Ada 4111 1111 1111 1111 exp 12/30", true),
            ("card:4111111111111111,1230", true),
            ("4111.1111\u{a0}1111_1111", true),
            ("4111111111111112", false),
            ("24111111111111111", false),
            ("a\u{1b}b\u{202e}c", false),
            ("20270101102030", false),
            ("2027-01-01 10:20", false),
            ("plan_411111111111", false),
            ("plan_3f0f6d1c5f0e", false),
            ("cust_411111111111111a", false),
            ("1100000000555551111", false),
            ("700001", false),
        ] {
            let told = refuse_secrets([argument].into_iter());
            assert_eq!(told.is_err(), refused, "{argument}");
            if let Err(failure) = told {
                assert!(!failure.to_string().contains("1111"), "{failure}");
                assert!(!failure.to_string().contains("abcdef"), "{failure}");
            }
        }
    }

    #[test]
    fn what_could_be_a_secret_is_masked() {
        for (told, expected) in [
            (
                "error: unexpected argument '0123456789abcdef0123456789abcdef' found",
                "unexpected argument '***' found",
            ),
            ("error: unexpected argument '--frob' found\n\ntip", "unexpected argument '--frob' found\n\ntip"),
        ] {
            assert_eq!(masked(told), expected);
        }
    }
}
