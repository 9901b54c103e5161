//! `perennial man`

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap_mangen::Man;

use crate::context::Global;
use crate::failure::Failure;

/// Manual pages.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  perennial man | man -l -\n  perennial man --out ~/.local/share/man/man1"
)]
pub(crate) struct Pages {
    /// Write the pages of all commands into this folder, which is created, instead of printing the first
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

impl Pages {
    pub(crate) fn run(self, global: &Global) -> Result<(), Failure> {
        global.refuse_gateway("man calls no gateway")?;
        if let Some(folder) = self.out {
            return write_all(&folder, (global.tree.0)()).map_err(|error| {
                Failure::Usage(format!("no page can be written to {}: {error}", folder.display()))
            });
        }
        let mut page = Vec::new();
        Man::new((global.tree.0)()).render(&mut page)?;
        let mut out = io::stdout().lock();
        out.write_all(&page)?;
        Ok(out.flush()?)
    }
}

fn write_all(folder: &Path, command: clap::Command) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    clap_mangen::generate_to(command, folder)
}
