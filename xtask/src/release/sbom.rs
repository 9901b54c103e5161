//! What is built into the packages, as a `CycloneDX` 1.5 list under `target/`, the same for the same lock file.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use super::workspace::Workspace;
use crate::failure::Failure;
use crate::step::Step;
use crate::tidy::Finding;

pub(super) fn check(workspace: &Workspace) -> Result<Vec<Finding>, Failure> {
    let line = "cargo metadata --format-version 1 --all-features --locked";
    let facts: Value = serde_json::from_str(&Step::new(line).within(workspace.root.clone()).read()?)
        .map_err(|source| Failure::Unreadable { programme: line.into(), source })?;
    let ours: Vec<&str> =
        workspace.packages.iter().filter_map(|package| package.facts["id"].as_str()).collect();
    let built_in = built_in(&facts, &ours);
    let packages = facts["packages"].as_array().into_iter().flatten();
    let listed: Vec<&Value> =
        packages.filter(|package| package["id"].as_str().is_some_and(|id| built_in.contains(id))).collect();
    let list = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "components": listed.iter().copied().map(component).collect::<Vec<_>>(),
    });
    let file = workspace.target.join("sbom.cdx.json");
    fs::create_dir_all(&workspace.target)
        .and_then(|()| fs::write(&file, format!("{list:#}\n")))
        .map_err(|source| Failure::NotStarted { programme: file.display().to_string(), source })?;
    eprintln!("==> {} components in {}", listed.len(), file.display());
    let unnamed = listed.iter().filter(|package| package["license"].is_null());
    Ok(unnamed.map(|package| Finding::new(package["name"].to_string(), "says no licence")).collect())
}

/// The ids of all that `ours` reach without what only builds or tests them.
fn built_in<'a>(facts: &'a Value, ours: &[&'a str]) -> BTreeSet<&'a str> {
    let nodes: Vec<&Value> = facts["resolve"]["nodes"].as_array().into_iter().flatten().collect();
    let mut reached = BTreeSet::new();
    let mut waiting = ours.to_vec();
    while let Some(id) = waiting.pop() {
        if !reached.insert(id) {
            continue;
        }
        let node = nodes.iter().find(|node| node["id"] == id);
        let needs = node.and_then(|node| node["deps"].as_array()).into_iter().flatten();
        let is_normal = |need: &&Value| {
            need["dep_kinds"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind["kind"].is_null()))
        };
        waiting.extend(needs.filter(is_normal).filter_map(|need| need["pkg"].as_str()));
    }
    reached
}

fn component(package: &Value) -> Value {
    let (name, version) =
        (package["name"].as_str().unwrap_or_default(), package["version"].as_str().unwrap_or_default());
    // As it was once written for `OR`.
    let license = package["license"].as_str().unwrap_or_default().replace('/', " OR ");
    let purl = format!("pkg:cargo/{name}@{version}");
    json!({
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
        "licenses": [{ "expression": license }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_builds_or_tests_is_not_built_in() {
        let need = |to: &str, kind: Value| json!({ "pkg": to, "dep_kinds": [{ "kind": kind }] });
        let facts = json!({ "resolve": { "nodes": [
            { "id": "ours", "deps": [need("a", Value::Null), need("b", json!("dev")), need("c", json!("build"))] },
            { "id": "a", "deps": [need("d", Value::Null), need("ours", json!("dev"))] },
        ] } });
        assert_eq!(Vec::from_iter(built_in(&facts, &["ours"])), ["a", "d", "ours"]);
    }

    #[test]
    fn a_component_is_named_as_registries_name_it() {
        let component =
            component(&json!({ "name": "seed", "version": "0.1.0", "license": "MIT/Apache-2.0" }));
        assert_eq!(component["purl"], "pkg:cargo/seed@0.1.0");
        assert_eq!(component["licenses"], json!([{ "expression": "MIT OR Apache-2.0" }]));
    }
}
