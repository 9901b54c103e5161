//! The upload. It continues where an earlier one stopped, because a version can be uploaded to a registry only once.

use std::env;
use std::ffi::OsStr;

use super::workspace::{Package, Workspace, picks};
use super::{api, changelog, gate, picked};
use crate::failure::Failure;
use crate::step::Step;
use crate::tidy::Finding;

const REGISTRY: &str = "crates-io";
/// The variable in which cargo looks for the token, so that no argument contains it.
const TOKEN: &str = "CARGO_REGISTRY_TOKEN";

/// Runs everything except for the upload itself.
pub(super) fn rehearse(workspace: &Workspace) -> Result<(), Failure> {
    gate::check(workspace, &picked(&[])?)?;
    upload(workspace, &workspace.packages, REGISTRY).arguments(&["--dry-run".into()]).run()
}

/// Checks everything, then uploads.
pub(super) fn publish(workspace: &Workspace) -> Result<(), Failure> {
    let refusals = refusals(workspace, env::var_os(TOKEN).as_deref())?;
    for refusal in &refusals {
        eprintln!("{refusal}");
    }
    if !refusals.is_empty() {
        return Err(Failure::Untidy { findings: refusals.len() });
    }
    let open = gate::check(workspace, &picked(&[])?)?;
    if !open.is_empty() {
        return Err(Failure::Unanswered { gates: open.join(", ") });
    }
    go_on(workspace, REGISTRY)?;
    let version = workspace.version();
    api::write(workspace)?;
    workspace.step(&format!("git tag --annotate --message {version} v{version}")).run()?;
    eprintln!("==> {version} is out. Commit docs/api, then push main and the tag v{version}");
    Ok(())
}

/// Refusals that need no gate.
fn refusals(workspace: &Workspace, token: Option<&OsStr>) -> Result<Vec<Finding>, Failure> {
    let mut refusals = Vec::from_iter(changelog::undated(workspace)?);
    if token.is_none_or(OsStr::is_empty) {
        refusals.push(Finding::new(
            TOKEN,
            "is not set: ask the registry for a token that may publish these crates",
        ));
    }
    let branch = workspace.step("git branch --show-current").read()?;
    if branch.trim() != "main" {
        let what = format!("`{}` is checked out: a release is made of main", branch.trim());
        refusals.push(Finding::new("git", what));
    }
    let changed = workspace.step("git status --porcelain").read()?.lines().count();
    if changed > 0 {
        refusals.push(Finding::new(
            "git",
            format!("{changed} files differ from what is committed: see git status"),
        ));
    }
    Ok(refusals)
}

/// Uploads missing crates, each after its dependencies.
fn go_on(workspace: &Workspace, registry: &str) -> Result<(), Failure> {
    let is_there = |package: &&Package| {
        let line = format!("cargo info --quiet --registry {registry} {}@{}", package.name, package.version);
        workspace.step(&line).succeeds()
    };
    let (there, rest): (Vec<_>, Vec<_>) = workspace.packages.iter().partition(is_there);
    for package in there {
        eprintln!("==> {} {} is in the registry already", package.name, package.version);
    }
    if rest.is_empty() { Ok(()) } else { upload(workspace, rest, registry).run() }
}

/// Uploads the archives that a gate built. Cargo waits for each before it uploads dependents.
fn upload<'a>(
    workspace: &Workspace,
    packages: impl IntoIterator<Item = &'a Package>,
    registry: &str,
) -> Step {
    let line = format!("cargo publish --locked --no-verify --registry {registry}");
    workspace.step(&line).arguments(&picks(packages))
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Fixture;
    use super::super::registry::Registry;
    use super::*;

    /// Holds: A tree that is not ready is refused before any gate and before any upload.
    #[test]
    fn what_is_not_ready_is_refused_before_any_gate() {
        let token = Some(OsStr::new("token"));
        let undated = "CHANGELOG.md: says `0.1.1 (unreleased)`: write the day, as in `0.1.1 (2026-01-31)`";
        let no_token =
            "CARGO_REGISTRY_TOKEN: is not set: ask the registry for a token that may publish these crates";
        let ready = |_: &Fixture| ();
        let cases: [(fn(&Fixture), _, _); _] = [
            (ready, token, None),
            (ready, None, Some(no_token)),
            (ready, Some(OsStr::new("")), Some(no_token)),
            (
                |fixture| {
                    fixture.edit("CHANGELOG.md", "## 0.1.1", "## 0.1.1 (unreleased)").unwrap();
                    fixture.commit().unwrap();
                },
                token,
                Some(undated),
            ),
            (
                |fixture| fixture.git("switch --quiet --create pruning").unwrap(),
                token,
                Some("git: `pruning` is checked out: a release is made of main"),
            ),
            (
                |fixture| fixture.edit("notes.txt", "", "Milk.").unwrap(),
                token,
                Some("git: 1 files differ from what is committed: see git status"),
            ),
        ];
        for (unready, token, expected) in cases {
            let fixture = Fixture::new().unwrap();
            unready(&fixture);
            let workspace = fixture.workspace("nowhere".into()).unwrap();
            let found: Vec<_> =
                refusals(&workspace, token).unwrap().iter().map(ToString::to_string).collect();
            assert_eq!(found, Vec::from_iter(expected));
        }
    }

    /// Holds: An upload continues where an earlier one stopped.
    #[test]
    fn an_upload_goes_on_where_one_stopped() {
        let registry = Registry::start();
        let fixture = Fixture::new().unwrap();
        fixture.edit(".cargo/config.toml", "", &registry.config()).unwrap();
        fixture.edit("tree/Cargo.toml", "path = ", "registry = \"local\", path = ").unwrap();
        fixture.edit(".gitignore", "target", ".cargo\ntarget").unwrap();
        fixture.commit().unwrap();
        let workspace = fixture.workspace("nowhere".into()).unwrap();

        registry.refuse("perennial-tree");
        go_on(&workspace, "local").unwrap_err();
        assert_eq!(registry.has(), ["perennial-seed 0.1.1"]);
        registry.refuse("nothing");
        go_on(&workspace, "local").unwrap();
        assert_eq!(registry.has(), ["perennial-seed 0.1.1", "perennial-tree 0.1.1"]);
        // Every package is published: nothing is uploaded again.
        go_on(&workspace, "local").unwrap();
        assert_eq!(registry.has().len(), 2);
    }
}
