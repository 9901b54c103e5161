//! Licences, bans and sources of all that is built in, by cargo-deny and `deny.toml`.
//! Its advisories come from a repository that a closed network does not reach: they are not asked here.

use super::workspace::Workspace;
use crate::failure::Failure;
use crate::step::Step;
use crate::tidy::Finding;

const NAME: &str = "cargo-deny";
const VERSION: &str = "0.20.2";

pub(super) fn check(workspace: &Workspace) -> Result<Vec<Finding>, Failure> {
    let tools = workspace.target.join("tools");
    let programme = tools.join("bin").join(NAME);
    let is_there = || {
        Step::of(&programme).arguments(&["--version".into()]).read().is_ok_and(|said| said.contains(VERSION))
    };
    if !is_there() {
        let install = format!("cargo install --locked {NAME}@{VERSION} --root");
        let installed = Step::new(&install).arguments(&[tools.display().to_string()]).run();
        installed.map_err(|_| Failure::NoTool { name: NAME, version: VERSION })?;
    }
    let words = ["--workspace", "--all-features", "--locked", "check", "licenses", "bans", "sources"];
    Step::of(&programme).within(workspace.root.clone()).arguments(&words.map(String::from)).run()?;
    Ok(Vec::new())
}
