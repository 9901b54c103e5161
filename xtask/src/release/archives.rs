//! The archives themselves: each builds by itself, and the same commit makes the same bytes anywhere.

use std::fs;
use std::path::{Path, PathBuf};

use super::workspace::{Package, Workspace};
use crate::failure::Failure;
use crate::step::Step;
use crate::tidy::Finding;

/// Packs every crate and builds each from its own archive, those it needs being archives too; then its examples, with
/// what only they and tests need.
pub(super) fn build(workspace: &Workspace) -> Result<Vec<Finding>, Failure> {
    workspace.of_all("cargo package --locked").run()?;
    let unpacked = |package: &Package| workspace.target.join("package").join(package.archive());
    for package in &workspace.packages {
        let others = workspace.packages.iter().filter(|other| other.name != package.name);
        let instead = others.flat_map(|other| {
            let path = unpacked(other).display().to_string();
            ["--config".into(), format!("patch.crates-io.{}.path={path:?}", other.name)]
        });
        let step = Step::new("cargo check --quiet --examples --all-features").within(unpacked(package));
        workspace.under(step).arguments(&instead.collect::<Vec<_>>()).run()?;
    }
    Ok(Vec::new())
}

/// What is committed, packed in two folders: cargo refuses what is not.
pub(super) fn same(workspace: &Workspace) -> Result<Vec<Finding>, Failure> {
    let (left, right) = (packed(workspace, "left")?, packed(workspace, "right")?);
    let differs = |package: &&Package| {
        let archive = format!("{}.crate", package.archive());
        let read = |folder: &Path| fs::read(folder.join(&archive)).ok();
        read(&left).is_none() || read(&left) != read(&right)
    };
    let found = workspace.packages.iter().filter(differs);
    Ok(found.map(|package| Finding::new(&package.name, "two runs made two archives")).collect())
}

fn packed(workspace: &Workspace, name: &str) -> Result<PathBuf, Failure> {
    let folder = workspace.target.join("release-check").join(name);
    let place = folder.display().to_string();
    // What an earlier run left behind would be packed instead; when there is nothing, nothing has to go.
    let _ = fs::remove_dir_all(&folder);
    workspace.step("git clone --quiet .").arguments(&[place]).run()?;
    let picks = workspace.of_all("cargo package --quiet --locked --no-verify --target-dir target");
    picks.within(folder.clone()).run()?;
    Ok(folder.join("target/package"))
}
