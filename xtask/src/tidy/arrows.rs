//! Permitted dependencies between our crates: the arrows of docs/ARCHITECTURE.md, and no others.

use serde_json::Value;

use super::Finding;
use crate::failure::Failure;
use crate::step::Step;

/// A crate, its permitted dependencies, and the additional ones of its tests.
const ALLOWED: &[(&str, &[&str], &[&str])] = &[
    ("perennial-domain", &[], &[]),
    ("perennial-wire", &["perennial-domain"], &[]),
    ("perennial-transport", &["perennial-domain"], &[]),
    (
        "perennial",
        &["perennial-domain", "perennial-wire", "perennial-transport"],
        &["perennial-oracle", "perennial-sandbox"],
    ),
    // Anybody may use it for anything, so it knows neither payments nor a gateway.
    ("perennial-sqlite", &[], &[]),
    // It stores a request as the wire message, so it reads and writes wire itself.
    (
        "perennial-journal",
        &["perennial", "perennial-domain", "perennial-sqlite", "perennial-wire"],
        &["perennial-sandbox"],
    ),
    // It plans the journal's writes, so it needs no wire of its own.
    ("perennial-billing", &["perennial", "perennial-domain", "perennial-journal"], &["perennial-sandbox"]),
    ("perennial-sandbox", &["perennial-domain", "perennial-sqlite", "perennial-wire"], &[]),
    (
        "perennial-cli",
        &["perennial", "perennial-billing", "perennial-journal", "perennial-sandbox", "perennial-domain"],
        &["perennial-oracle"],
    ),
    // It judges the others, so it must not share their code.
    ("perennial-oracle", &[], &[]),
    ("xtask", &[], &[]),
];

/// One of our crates with another one in its manifest.
pub(super) struct Arrow {
    from: String,
    to: String,
    dev: bool,
}

/// Reads the arrows. Every crate of the workspace points at itself as well, so that one without arrows is seen too.
pub(super) fn read() -> Result<Vec<Arrow>, Failure> {
    let text = Step::new("cargo metadata --no-deps --format-version 1").read()?;
    let metadata: Value = serde_json::from_str(&text)
        .map_err(|source| Failure::Unreadable { program: "cargo metadata".into(), source })?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    Ok(packages.flat_map(arrows).collect())
}

fn arrows(package: &Value) -> Vec<Arrow> {
    let name = |value: &Value| value["name"].as_str().unwrap_or_default().to_owned();
    let dependencies = package["dependencies"].as_array().into_iter().flatten();
    let ours = dependencies.filter(|dependency| dependency["path"].is_string());
    let arrow = |dependency: &Value| Arrow {
        from: name(package),
        to: name(dependency),
        dev: dependency["kind"].as_str() == Some("dev"),
    };
    let own = Arrow { from: name(package), to: name(package), dev: true };
    ours.map(arrow).chain([own]).collect()
}

pub(super) fn check(arrows: &[Arrow]) -> Vec<Finding> {
    arrows.iter().filter_map(fault).collect()
}

fn fault(Arrow { from, to, dev }: &Arrow) -> Option<Finding> {
    let Some((_, normal, in_tests)) = ALLOWED.iter().find(|(name, ..)| name == from) else {
        return Some(Finding::new(from, "a crate without a place in the architecture"));
    };
    let to = to.as_str();
    let allowed = normal.contains(&to) || *dev && (in_tests.contains(&to) || to == from);
    let what = if *dev { "must not be tested with" } else { "must not depend on" };
    (!allowed).then(|| Finding::new(from, format!("{what} {to}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Holds: Tidy refuses a dependency between our crates that the architecture does not list.
    #[test]
    fn an_arrow_that_the_architecture_lacks_is_found() {
        let cases = [
            ("perennial-wire", "perennial-domain", false, None),
            ("perennial-domain", "perennial-wire", false, Some("must not depend on perennial-wire")),
            ("perennial-transport", "perennial-wire", false, Some("must not depend on perennial-wire")),
            (
                "perennial-wire",
                "perennial-transport",
                true,
                Some("must not be tested with perennial-transport"),
            ),
            ("perennial", "perennial-sandbox", true, None),
            ("perennial", "perennial-sandbox", false, Some("must not depend on perennial-sandbox")),
            ("perennial-sqlite", "perennial-domain", false, Some("must not depend on perennial-domain")),
            ("perennial-journal", "perennial-wire", false, None),
            ("perennial-sandbox", "perennial-journal", false, Some("must not depend on perennial-journal")),
            ("perennial-billing", "perennial-journal", false, None),
            ("perennial-billing", "perennial-wire", false, Some("must not depend on perennial-wire")),
            ("perennial-cli", "perennial-wire", false, Some("must not depend on perennial-wire")),
            ("xtask", "perennial-domain", true, Some("must not be tested with perennial-domain")),
            ("perennial-new", "perennial-new", true, Some("a crate without a place in the architecture")),
        ];
        for (from, to, dev, expected) in cases {
            let arrow = Arrow { from: from.into(), to: to.into(), dev };
            let expected: Vec<_> = expected.into_iter().map(|what| Finding::new(from, what)).collect();
            assert_eq!(check(&[arrow]), expected, "{from} -> {to}");
        }
    }

    #[test]
    fn metadata_yields_our_crates_and_not_the_registrys() {
        let package = serde_json::json!({"name": "perennial-wire", "dependencies": [
            {"name": "perennial-domain", "kind": null, "path": "crates/domain"},
            {"name": "serde", "kind": null},
            {"name": "perennial-sandbox", "kind": "dev", "path": "crates/sandbox"},
        ]});
        let found: Vec<_> = arrows(&package).into_iter().map(|arrow| (arrow.to, arrow.dev)).collect();
        let expected = [("perennial-domain", false), ("perennial-sandbox", true), ("perennial-wire", true)];
        assert_eq!(found, expected.map(|(to, dev)| (to.to_owned(), dev)));
    }
}
