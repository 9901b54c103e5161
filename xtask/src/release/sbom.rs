//! Contents of the packages, as a `CycloneDX` 1.5 list under `target/`, identical for identical lock files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::{Value, json};

use super::workspace::Workspace;
use crate::failure::Failure;
use crate::tidy::Finding;

pub(super) fn check(workspace: &Workspace) -> Result<Vec<Finding>, Failure> {
    let line = "cargo metadata --format-version 1 --all-features --locked";
    let facts: Value = serde_json::from_str(&workspace.step(line).read()?)
        .map_err(|source| Failure::Unreadable { program: line.into(), source })?;
    let ours: Vec<&str> =
        workspace.packages.iter().filter_map(|package| package.facts["id"].as_str()).collect();
    let built_in = built_in(&facts, &ours);
    let file = workspace.target.join("sbom.cdx.json");
    fs::create_dir_all(&workspace.target)
        .and_then(|()| fs::write(&file, format!("{:#}\n", list(&facts, &built_in))))
        .map_err(Failure::of_file(&file))?;
    eprintln!("==> {} components in {}", built_in.len(), file.display());
    let unnamed = built_in.values().filter(|package| package["license"].is_null());
    Ok(unnamed.map(|package| Finding::new(text(&package["name"]), "names no license")).collect())
}

fn list(facts: &Value, built_in: &BTreeMap<&str, &Value>) -> Value {
    let dependencies = built_in.iter().map(|(id, package)| {
        let needs = needs(facts, id).filter_map(|id| Some(purl(built_in.get(id)?)));
        json!({ "ref": purl(package), "dependsOn": needs.collect::<BTreeSet<_>>() })
    });
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "components": built_in.values().copied().map(component).collect::<Vec<_>>(),
        "dependencies": dependencies.collect::<Vec<_>>(),
    })
}

/// Packages that `ours` reach, except for build and test dependencies, by id.
fn built_in<'a>(facts: &'a Value, ours: &[&'a str]) -> BTreeMap<&'a str, &'a Value> {
    let mut reached = BTreeMap::new();
    let mut waiting = ours.to_vec();
    while let Some(id) = waiting.pop() {
        let package = facts["packages"].as_array().into_iter().flatten().find(|package| package["id"] == id);
        if let Some(package) = package
            && reached.insert(id, package).is_none()
        {
            waiting.extend(needs(facts, id));
        }
    }
    reached
}

/// The ids of the normal dependencies of a package.
fn needs<'a>(facts: &'a Value, id: &str) -> impl Iterator<Item = &'a str> {
    let node = facts["resolve"]["nodes"].as_array().into_iter().flatten().find(|node| node["id"] == id);
    let is_normal = |need: &&Value| {
        need["dep_kinds"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind["kind"].is_null()))
    };
    let all = node.and_then(|node| node["deps"].as_array()).into_iter().flatten();
    all.filter(is_normal).filter_map(|need| need["pkg"].as_str())
}

fn component(package: &Value) -> Value {
    // As it was once written for `OR`.
    let license = text(&package["license"]).replace('/', " OR ");
    json!({
        "type": "library",
        "bom-ref": purl(package),
        "name": package["name"],
        "version": package["version"],
        "purl": purl(package),
        "licenses": [{ "expression": license }],
    })
}

/// The package URL, which is valid across registries.
fn purl(package: &Value) -> String {
    format!("pkg:cargo/{}@{}", text(&package["name"]), text(&package["version"]))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use cyclonedx_bom::prelude::*;

    use super::super::fixture::Fixture;
    use super::*;

    #[test]
    fn what_only_builds_or_tests_is_not_built_in() {
        let need = |to: &str, kind: Value| json!({ "pkg": to, "dep_kinds": [{ "kind": kind }] });
        let packages = ["ours", "a", "b", "c", "d"].map(|id| json!({ "id": id }));
        let facts = json!({
            "packages": packages,
            "resolve": { "nodes": [
                { "id": "ours", "deps": [need("a", Value::Null), need("b", json!("dev")), need("c", json!("build"))] },
                { "id": "a", "deps": [need("d", Value::Null), need("ours", json!("dev"))] },
            ] },
        });
        let built_in = built_in(&facts, &["ours"]);
        assert!(built_in.keys().eq(&["a", "d", "ours"]), "{built_in:?}");
    }

    #[test]
    fn a_component_is_named_as_registries_name_it() {
        let component =
            component(&json!({ "name": "seed", "version": "0.1.0", "license": "MIT/Apache-2.0" }));
        assert_eq!(component["purl"], "pkg:cargo/seed@0.1.0");
        assert_eq!(component["licenses"], json!([{ "expression": "MIT OR Apache-2.0" }]));
    }

    /// Validates the list with the tool of the format's authors, as a second opinion.
    #[test]
    fn the_list_is_valid_and_the_same_each_time() {
        let fixture = Fixture::new().unwrap();
        let seeds = fixture.workspace("nowhere".into()).unwrap();
        let this = Workspace::read(crate::root()).unwrap();
        let read = |workspace: &Workspace| fs::read(workspace.target.join("sbom.cdx.json")).unwrap();
        for (workspace, at_least) in [(this, 100), (seeds, 2)] {
            assert_eq!(check(&workspace).unwrap(), []);
            let list = read(&workspace);
            let parsed = Bom::parse_from_json_v1_5(list.as_slice()).unwrap();
            assert_eq!(parsed.validate(), ValidationResult::default());
            assert!(parsed.components.unwrap().0.len() >= at_least);
            check(&workspace).unwrap();
            assert!(read(&workspace) == list);
        }
    }
}
