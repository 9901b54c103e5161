//! The options of `perennial sandbox world` for behavior that the vendor leaves open, one for each in the sandbox's table.

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use perennial_sandbox::{GatewayMember, GatewayOptions};
use serde_json::{Map, Value as Json};

/// The member `gateway` of a new world.
#[derive(Debug, Default)]
pub(super) struct Options(pub(super) Map<String, Json>);

fn augment(command: Command, members: &'static [GatewayMember]) -> Command {
    members.iter().fold(command, |command, member| {
        if !member.members.is_empty() {
            return augment(command, member.members);
        }
        let arg = Arg::new(member.option).long(member.option).help(member.about).value_name(member.value);
        command.arg(arg.help_heading("The gateway's options").allow_negative_numbers(!member.is_text))
    })
}

/// The given members. The sandbox checks their values: what is not JSON stays text, which it refuses.
fn read(matches: &ArgMatches, members: &[GatewayMember]) -> Map<String, Json> {
    let value = |member: &GatewayMember| {
        if !member.members.is_empty() {
            let inner = read(matches, member.members);
            return (!inner.is_empty()).then_some(inner.into());
        }
        let text = matches.get_one::<String>(member.option)?;
        let json = serde_json::from_str(text).ok().filter(|_| !member.is_text);
        Some(json.unwrap_or_else(|| text.as_str().into()))
    };
    members.iter().filter_map(|member| Some((member.name.to_owned(), value(member)?))).collect()
}

impl Args for Options {
    fn augment_args(command: Command) -> Command {
        augment(command, GatewayOptions::MEMBERS)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Options {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut options = Self::default();
        options.update_from_arg_matches(matches)?;
        Ok(options)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.0.extend(read(matches, GatewayOptions::MEMBERS));
        Ok(())
    }
}
