//! Compatible versions: users may get the next version automatically as long as the first nonzero number stays equal,
//! so the API that they call must still exist. Two programs check, because each finds changes that the other misses:
//! lines of the public API show every change of a type, and cargo-semver-checks knows which changes break users
//! although no line is gone.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use super::tool::Tool;
use super::workspace::{Package, Workspace, picks};
use crate::failure::Failure;
use crate::tidy::Finding;

const PUBLIC_API: Tool = Tool { name: "cargo-public-api", version: "0.52.0" };
const SEMVER_CHECKS: Tool = Tool { name: "cargo-semver-checks", version: "0.51.0" };

/// Compares with the lines in `docs/api`, which a publish writes: they are the published API.
pub(super) fn lines(workspace: &Workspace) -> Result<Vec<Finding>, Failure> {
    let mut findings = Vec::new();
    for package in workspace.libraries() {
        let now = read(workspace, package)?;
        let Ok(stored) = fs::read_to_string(place(workspace, package)) else {
            eprintln!("==> {} was never published: all {} lines of its API are new", package.name, now.len());
            continue;
        };
        let (published, stored) = stored.split_once('\n').unwrap_or_default();
        let stored: BTreeSet<String> = stored.lines().map(String::from).collect();
        let gone: Vec<&String> = stored.difference(&now).collect();
        let new = now.difference(&stored).count();
        eprintln!("==> {} since {published}: {new} lines are new, {} are gone", package.name, gone.len());
        if promises(published, &package.version) {
            let what = |line| format!("{} must not break what {published} has: {line}", package.version);
            findings.extend(gone.into_iter().map(|line| Finding::new(&package.name, what(line))));
        }
    }
    Ok(findings)
}

/// Compares with the tag of the last release.
pub(super) fn semver(workspace: &Workspace) -> Result<Vec<Finding>, Failure> {
    let Some(last) = workspace.last()? else {
        eprintln!(
            "==> no tag of a release: {} is the first, and nobody has what it could break",
            workspace.version()
        );
        return Ok(Vec::new());
    };
    let words = ["semver-checks", "--all-features", "--baseline-rev", &format!("v{last}")].map(String::from);
    SEMVER_CHECKS.step(workspace)?.arguments(&words).arguments(&picks(workspace.libraries())).run()?;
    Ok(Vec::new())
}

/// Writes the API that is published now.
pub(super) fn write(workspace: &Workspace) -> Result<(), Failure> {
    for package in workspace.libraries() {
        let place = place(workspace, package);
        let lines = Vec::from_iter(read(workspace, package)?).join("\n");
        fs::create_dir_all(place.with_file_name("")).map_err(Failure::of_file(&place))?;
        fs::write(&place, format!("{}\n{lines}\n", package.version)).map_err(Failure::of_file(&place))?;
    }
    Ok(())
}

fn place(workspace: &Workspace, package: &Package) -> PathBuf {
    workspace.root.join("docs/api").join(format!("{}.txt", package.name))
}

fn promises(old: &str, new: &str) -> bool {
    let significant = |version: &str| {
        let numbers: Vec<String> = version.split('.').map(String::from).collect();
        let at = numbers.iter().position(|number| number != "0").unwrap_or(numbers.len());
        numbers.into_iter().take(at + 1).collect::<Vec<_>>()
    };
    significant(old) == significant(new)
}

/// Reads the API from rustdoc's JSON, whose format is unstable; the program knows the current one. The option that
/// allows it causes a large rebuild, so it builds in a separate folder.
fn read(workspace: &Workspace, package: &Package) -> Result<BTreeSet<String>, Failure> {
    let target = workspace.target.join("release-check/api");
    workspace
        .step(&format!("cargo rustdoc --quiet --locked --lib --all-features -p {}", package.name))
        .arguments(&["--", "-Zunstable-options", "--output-format", "json"].map(String::from))
        .variable("RUSTC_BOOTSTRAP", "1")
        .variable("CARGO_TARGET_DIR", target.display().to_string())
        .run()?;
    let json = target.join("doc").join(format!("{}.json", package.name.replace('-', "_")));
    let words =
        ["--color", "never", "--omit", "blanket-impls", "--rustdoc-json", &json.display().to_string()];
    let api = PUBLIC_API.step(workspace)?.arguments(&words.map(String::from)).read()?;
    Ok(api.lines().map(String::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_updates_within_the_first_number_that_is_not_zero() {
        let cases = [
            ("0.1.0", "0.1.1", true),
            ("0.1.9", "0.2.0", false),
            ("0.0.1", "0.0.2", false),
            ("1.2.0", "1.3.0", true),
            ("1.2.0", "2.0.0", false),
        ];
        for (old, new, expected) in cases {
            assert_eq!(promises(old, new), expected, "{old} {new}");
        }
    }
}
