//! Inheritance of every crate from the workspace: one version, one set of lints. An application beside the workspace
//! inherits nothing, and forbids unsafe code by itself.

use super::{Files, Finding};

const INHERITED: &[&str] = &[
    "version.workspace = true",
    "edition.workspace = true",
    "license.workspace = true",
    "[lints]\nworkspace = true",
];

const BESIDE: &[&str] = &["publish = false", "unsafe_code = \"forbid\""];

pub(super) fn check(files: &Files) -> Vec<Finding> {
    let manifests = files.iter().filter(|(path, _)| path.ends_with("/Cargo.toml"));
    let faults = manifests.flat_map(|(path, text)| {
        let is_beside = text.contains("[workspace]\n");
        let required = if is_beside { BESIDE } else { INHERITED };
        let missing =
            required.iter().filter(move |line| !format!("\n{text}\n").contains(&format!("\n{line}\n")));
        missing.map(move |line| Finding::new(path, format!("lacks `{}`", line.replace('\n', " "))))
    });
    faults.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_that_goes_its_own_way_is_found() {
        let whole = INHERITED.join("\n");
        let cases = [
            (whole.clone(), None),
            (
                whole.replace("version.workspace = true\nedition", "version = \"9.9.9\"\nedition"),
                Some("lacks `version.workspace = true`"),
            ),
            (
                whole.replace("edition.workspace = true", "edition = \"2021\""),
                Some("lacks `edition.workspace = true`"),
            ),
            (whole.replace("[lints]\nworkspace = true", ""), Some("lacks `[lints] workspace = true`")),
        ];
        for (text, expected) in cases {
            let found: Vec<_> =
                check(&Files::of([("crates/a/Cargo.toml", &text)])).into_iter().map(|f| f.what).collect();
            assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{text}");
        }
    }
}
