//! Archives: each builds by itself, and equal commits make equal bytes anywhere.

use std::fs;
use std::path::{Path, PathBuf};

use super::workspace::{Package, Workspace};
use crate::failure::Failure;
use crate::step::Step;
use crate::tidy::Finding;

/// Unpacks all archives beside each other and builds each by itself, with archives as dependencies; its examples bring
/// dependencies that only they and tests need. Cargo would build a package as well, but beside earlier unpacked ones.
pub(super) fn build(workspace: &Workspace) -> Result<Vec<Finding>, Failure> {
    workspace.of_all("cargo package --quiet --locked --no-verify").run()?;
    let folder = workspace.target.join("release-check/unpacked");
    // What an earlier run left behind would be built instead; when there is nothing, nothing has to go.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(Failure::of_file(&folder))?;
    for package in &workspace.packages {
        let archive = workspace.target.join("package").join(format!("{}.crate", package.archive()));
        let unpack = Step::new("tar -xzf").arguments(&[archive.display().to_string()]);
        unpack.within(folder.clone()).read()?;
    }
    let (root, lock) = (folder.join("Cargo.toml"), folder.join("Cargo.lock"));
    fs::write(&root, beside(&workspace.packages)).map_err(Failure::of_file(&root))?;
    fs::copy(workspace.root.join("Cargo.lock"), &lock).map_err(Failure::of_file(&lock))?;
    for package in &workspace.packages {
        let line = format!("cargo check --quiet --bins --examples --all-features -p {}", package.name);
        workspace.step(&line).within(folder.clone()).run()?;
    }
    Ok(Vec::new())
}

/// A workspace of unpacked archives, in which each uses the others instead of the registry.
fn beside(packages: &[Package]) -> String {
    let members: Vec<String> = packages.iter().map(Package::archive).collect();
    let patch = |package: &Package| format!("{} = {{ path = {:?} }}\n", package.name, package.archive());
    let patches: String = packages.iter().map(patch).collect();
    format!("[workspace]\nresolver = \"3\"\nmembers = {members:?}\n\n[patch.crates-io]\n{patches}")
}

/// Packs the committed files in two folders: cargo refuses uncommitted ones.
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
