//! Each package can be read and used by itself: it describes itself, contains only its code and its licenses, and its
//! page links to nothing outside the package.

use serde_json::Value;

use super::workspace::{Package, Workspace};
use crate::failure::Failure;
use crate::tidy::{self, Files, Finding};

const REQUIRED_FIELDS: &[&str] =
    &["description", "license", "readme", "rust_version", "categories", "keywords", "/metadata/docs/rs"];
const REQUIRED_FILES: &[&str] = &["Cargo.toml", "README.md", "LICENSE-MIT", "LICENSE-APACHE"];
const GENERATED_FILES: &[&str] = &[".cargo_vcs_info.json", "Cargo.lock", "Cargo.toml.orig"];

pub(super) fn check(workspace: &Workspace) -> Result<Vec<Finding>, Failure> {
    let mut findings = Vec::new();
    for package in &workspace.packages {
        let files = files(workspace, package)?;
        let shows = !package.is_library() || files.lines().any(|path| path.starts_with("examples/"));
        let no_example = (!shows).then(|| String::from("its package has no example: put one into examples/"));
        let faults = missing_fields(&package.facts).chain(strange(&files)).chain(no_example);
        findings.extend(faults.map(|what| Finding::new(&package.name, what)));
        let links = tidy::links(&Files::at(&package.folder(), files.lines()));
        findings.extend(links.into_iter().map(|finding| finding.within(&package.name)));
    }
    Ok(findings)
}

/// The paths in the package's archive.
pub(super) fn files(workspace: &Workspace, package: &Package) -> Result<String, Failure> {
    workspace.step(&format!("cargo package --quiet --locked --allow-dirty --list -p {}", package.name)).read()
}

fn missing_fields(facts: &Value) -> impl Iterator<Item = String> {
    let is_set = |value: &Value| !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty());
    let value = |member: &str| {
        if member.starts_with('/') { facts.pointer(member) } else { facts.get(member) }
    };
    let missing = REQUIRED_FIELDS.iter().filter(move |member| !value(member).is_some_and(is_set));
    missing.map(|member| format!("its manifest does not say `{member}`"))
}

fn strange(files: &str) -> impl Iterator<Item = String> {
    let missing = REQUIRED_FILES.iter().filter(|name| !files.lines().any(|path| path == **name));
    let belongs = |path: &str| {
        path.starts_with("src/")
            || path.starts_with("examples/")
            || [REQUIRED_FILES, GENERATED_FILES].concat().contains(&path)
    };
    missing.map(|name| format!("its package lacks {name}")).chain(
        files.lines().filter(move |path| !belongs(path)).map(|path| format!("its package holds {path}")),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_manifest_leaves_out_is_named() {
        let whole = json!({
            "description": "A seed.", "license": "MIT", "readme": "README.md", "rust_version": "1.95",
            "categories": ["finance"], "keywords": ["seed"], "metadata": { "docs": { "rs": {} } },
        });
        assert_eq!(missing_fields(&whole).count(), 0);
        let cases = [("readme", json!(null)), ("keywords", json!([])), ("description", json!(null))];
        for (member, value) in cases {
            let mut facts = whole.clone();
            facts[member] = value;
            let expected = format!("its manifest does not say `{member}`");
            assert_eq!(missing_fields(&facts).collect::<Vec<_>>(), [expected]);
        }
    }

    #[test]
    fn a_package_holds_its_code_and_its_licenses() {
        let whole = "Cargo.toml\nCargo.lock\nREADME.md\nLICENSE-MIT\nLICENSE-APACHE\nsrc/lib.rs";
        let cases: &[(&str, &[&str])] = &[
            ("", &[]),
            ("\nexamples/sale.rs", &[]),
            ("\ntests/it.rs", &["its package holds tests/it.rs"]),
            ("\n.env", &["its package holds .env"]),
        ];
        for (more, expected) in cases {
            assert_eq!(strange(&format!("{whole}{more}")).collect::<Vec<_>>(), *expected);
        }
        assert_eq!(strange(&whole.replace("README", "READ")).count(), 2);
    }
}
