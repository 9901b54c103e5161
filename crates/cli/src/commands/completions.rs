//! `perennial completions`

use std::io::{self, Write};

use clap_complete::{Shell, generate};

use crate::context::Global;
use crate::failure::Failure;

/// Shell completions.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  perennial completions bash > ~/.local/share/bash-completion/completions/perennial"
)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_name = "SHELL", value_parser = clap::builder::EnumValueParser::<Shell>::new())]
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self, global: &Global) -> Result<(), Failure> {
        global.refuse_gateway("completions calls no gateway")?;
        let mut script = Vec::new();
        let mut command = (global.tree.0)();
        generate(self.shell, &mut command, "perennial", &mut script);
        let mut out = io::stdout().lock();
        out.write_all(&script)?;
        Ok(out.flush()?)
    }
}
