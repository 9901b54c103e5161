//! Third-party programs that gates run, each in one version, in a separate folder under the target folder.

use super::workspace::Workspace;
use crate::failure::Failure;
use crate::step::Step;

pub(super) struct Tool {
    pub(super) name: &'static str,
    pub(super) version: &'static str,
}

impl Tool {
    /// A step that runs the program in the workspace. A missing program is installed; if that fails, the failure says
    /// how to.
    pub(super) fn step(&self, workspace: &Workspace) -> Result<Step, Failure> {
        let Self { name, version } = *self;
        let folder = workspace.tools.join(format!("{name}-{version}"));
        let program = folder.join("bin").join(name);
        if !program.exists() {
            // It runs once for a release, so a linker that optimizes for minutes does not pay off.
            let quick = "--config profile.release.lto=false --config profile.release.codegen-units=16";
            let line = format!("cargo install --locked {quick} {name}@{version} --root");
            let install = Step::new(&line).arguments(&[folder.display().to_string()]);
            install.run().map_err(|_| Failure::NoTool { name, by_hand: install.by_hand() })?;
        }
        Ok(workspace.under(Step::of(&program).within(workspace.root.clone())))
    }
}
