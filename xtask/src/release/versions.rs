//! Versions: all crates are released in one new version, and depend on each other by its number.

use serde_json::Value;

use super::workspace::{Package, Workspace};
use crate::failure::Failure;
use crate::tidy::Finding;

pub(super) fn check(workspace: &Workspace) -> Result<Vec<Finding>, Failure> {
    let version = workspace.version();
    let faults = workspace.packages.iter().flat_map(|package| {
        faults(package, version).into_iter().map(|what| Finding::new(&package.name, what))
    });
    let mut findings: Vec<Finding> = faults.collect();
    let tag = format!("v{version}");
    let tags = workspace.step(&format!("git tag --list {tag}")).read()?;
    let here = workspace.step("git tag --points-at HEAD").read()?;
    if !tags.is_empty() && !here.lines().any(|line| line == tag) {
        findings.push(Finding::new("Cargo.toml", format!("{tag} is out already: raise the version")));
    }
    Ok(findings)
}

fn faults(package: &Package, version: &str) -> Vec<String> {
    let own = (package.version != version)
        .then(|| format!("is {}, while others are {version}: all go out together", package.version));
    let dependencies = package.facts["dependencies"].as_array().into_iter().flatten();
    let ours = dependencies.filter(|other| other["path"].is_string());
    let fault = |other: &Value| {
        let (name, requirement) = (other["name"].as_str()?, other["req"].as_str()?);
        match requirement {
            // Who only tests with it does without it in the registry.
            "*" if other["kind"] == "dev" => None,
            "*" => Some(format!("asks for {name} by its path alone: give it `version = \"{version}\"`")),
            _ if requirement == format!("^{version}") => None,
            _ => Some(format!("asks for {name} {requirement}, which is not this release: ask for {version}")),
        }
    };
    own.into_iter().chain(ours.filter_map(fault)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_does_not_go_out_together_is_named() {
        let cases = [
            ("0.1.0", "normal", "^0.1.0", ""),
            ("0.1.0", "dev", "*", ""),
            ("0.1.0", "normal", "*", "asks for seed by its path alone: give it `version = \"0.1.0\"`"),
            ("0.1.0", "normal", "^0.0.9", "asks for seed ^0.0.9, which is not this release: ask for 0.1.0"),
            ("0.2.0", "normal", "^0.1.0", "is 0.2.0, while others are 0.1.0: all go out together"),
        ];
        for (version, kind, requirement, expected) in cases {
            let kind = if kind == "normal" { Value::Null } else { json!(kind) };
            let need = json!({ "name": "seed", "path": "/", "kind": kind, "req": requirement });
            let package = Package {
                name: "tree".into(),
                version: version.into(),
                facts: json!({ "dependencies": [need] }),
            };
            let expected: Vec<_> = Some(expected).filter(|what| !what.is_empty()).into_iter().collect();
            assert_eq!(faults(&package, "0.1.0"), expected);
        }
    }
}
