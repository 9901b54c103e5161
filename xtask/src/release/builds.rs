//! Builds that must succeed: the documentation, with the oldest promised Rust, and with every set of features.

use std::collections::BTreeSet;

use super::workspace::Workspace;
use crate::failure::Failure;
use crate::tidy::Finding;

pub(super) fn docs(workspace: &Workspace) -> Result<Vec<Finding>, Failure> {
    workspace
        .of_all("cargo doc --locked --no-deps --all-features")
        .variable("RUSTDOCFLAGS", "--cfg docsrs -D warnings")
        .run()?;
    Ok(Vec::new())
}

/// Builds each crate, with its default features, with the oldest Rust that it promises. A missing toolchain is installed; if
/// that fails, the gate is red.
pub(super) fn oldest(workspace: &Workspace) -> Result<Vec<Finding>, Failure> {
    let here = workspace.step("rustc --version").read()?;
    let mut installed = BTreeSet::new();
    for package in &workspace.packages {
        let Some(version) = package.facts["rust_version"].as_str() else {
            return Ok(vec![Finding::new(&package.name, "promises no oldest Rust: say `rust-version`")]);
        };
        let toolchain = if here.starts_with(&format!("rustc {version}")) {
            String::new()
        } else {
            if installed.insert(version) {
                workspace.step(&format!("rustup toolchain install {version} --profile minimal")).run()?;
            }
            format!("+{version}")
        };
        workspace.step(&format!("cargo {toolchain} check --locked --package {}", package.name)).run()?;
    }
    Ok(Vec::new())
}

/// Builds each set by itself, because cargo would unite the sets of several crates.
pub(super) fn features(workspace: &Workspace) -> Result<Vec<Finding>, Failure> {
    for package in &workspace.packages {
        let features = package.facts["features"].as_object().into_iter().flat_map(|features| features.keys());
        let named: Vec<&str> = features.map(String::as_str).filter(|name| *name != "default").collect();
        for set in sets(&named) {
            let line = format!("cargo check --quiet --locked --no-default-features -p {}", package.name);
            let line = if set.is_empty() { line } else { format!("{line} --features {set}") };
            workspace.step(&line).run()?;
        }
    }
    Ok(Vec::new())
}

/// Every subset of `names`, the empty one first.
fn sets(names: &[&str]) -> Vec<String> {
    let set = |bits: usize| {
        let picked = names.iter().enumerate().filter(|(at, _)| bits >> at & 1 == 1);
        picked.map(|(_, name)| *name).collect::<Vec<_>>().join(",")
    };
    (0..1 << names.len()).map(set).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_of_features_comes_once() {
        assert_eq!(sets(&[]), [""]);
        assert_eq!(sets(&["a", "b", "c"]), ["", "a", "b", "a,b", "c", "a,c", "b,c", "a,b,c"]);
    }
}
