//! Runs cargo-deny on all dependencies, by `deny.toml`.

use super::tool::Tool;
use super::workspace::Workspace;
use crate::failure::Failure;
use crate::tidy::Finding;

const DENY: Tool = Tool { name: "cargo-deny", version: "0.20.2" };

pub(super) fn check(workspace: &Workspace) -> Result<Vec<Finding>, Failure> {
    deny(workspace, &["check", "licenses", "bans", "sources"])
}

/// Checks advisories. Their database is a repository, which some networks cannot reach: then the gate is open, not
/// green.
pub(super) fn advisories(workspace: &Workspace) -> Result<Vec<Finding>, Failure> {
    deny(workspace, &["fetch", "db"])
        .map_err(|_| Failure::OutOfReach { what: "the database of advisories (`db-urls` in deny.toml)" })?;
    deny(workspace, &["check", "--disable-fetch", "advisories"])
}

fn deny(workspace: &Workspace, task: &[&str]) -> Result<Vec<Finding>, Failure> {
    let words = [&["--workspace", "--all-features", "--locked"], task].concat();
    let words: Vec<String> = words.into_iter().map(String::from).collect();
    DENY.step(workspace)?.arguments(&words).run()?;
    Ok(Vec::new())
}
