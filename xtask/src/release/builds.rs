//! Builds that must succeed: the documentation, with the oldest promised Rust, and with each pair of features.

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

/// No feature, each, each pair, and all: the crates have up to ten, and a thousand sets would say no more.
fn sets(names: &[&str]) -> Vec<String> {
    let mut sets = vec![String::new()];
    for (index, second) in names.iter().enumerate() {
        sets.push((*second).to_owned());
        sets.extend(names[..index].iter().map(|first| format!("{first},{second}")));
    }
    if names.len() > 2 {
        sets.push(names.join(","));
    }
    sets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_feature_is_built_alone_with_each_other_and_with_all() {
        assert_eq!(sets(&[]), [""]);
        assert_eq!(sets(&["a", "b"]), ["", "a", "b", "a,b"]);
        assert_eq!(sets(&["a", "b", "c"]), ["", "a", "b", "a,b", "c", "a,c", "b,c", "a,b,c"]);
        assert_eq!(sets(&["a", "b", "c", "d"]).len(), 12);
    }
}
