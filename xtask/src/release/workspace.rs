//! Facts from `cargo metadata` about the published crates, in publishing order.

use std::fmt::Write;
use std::path::PathBuf;

use serde_json::Value;

use crate::failure::Failure;
use crate::step::Step;

/// The workspace, and the folders of its releases.
pub(super) struct Workspace {
    pub(super) root: PathBuf,
    pub(super) target: PathBuf,
    /// The folder of programs that gates run.
    pub(super) tools: PathBuf,
    /// Environment variables of its commands.
    pub(super) variables: Vec<(&'static str, String)>,
    /// Packages, each after its dependencies.
    pub(super) packages: Vec<Package>,
}

/// A crate that is published.
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: String,
    /// The facts from `cargo metadata`.
    pub(super) facts: Value,
}

impl Workspace {
    pub(super) fn read(root: PathBuf) -> Result<Self, Failure> {
        let line = "cargo metadata --format-version 1 --no-deps";
        let facts: Value = serde_json::from_str(&Step::new(line).within(root.clone()).read()?)
            .map_err(|source| Failure::Unreadable { program: line.into(), source })?;
        let members = facts["packages"].as_array().cloned().unwrap_or_default();
        // `publish = false` is an empty list of registries.
        let published = members.into_iter().filter(|facts| facts["publish"] != Value::Array(Vec::new()));
        let target = PathBuf::from(facts["target_directory"].as_str().unwrap_or("target"));
        Ok(Self {
            // The same, as everything in it is named.
            root: facts["workspace_root"].as_str().map_or(root, PathBuf::from),
            tools: target.join("tools"),
            target,
            variables: Vec::new(),
            packages: in_order(published.map(Package::new).collect())?,
        })
    }

    /// The version that all crates share.
    pub(super) fn version(&self) -> &str {
        self.packages.first().map_or("", |package| &package.version)
    }

    /// The last released version, from its tag.
    pub(super) fn last(&self) -> Result<Option<String>, Failure> {
        let tags = self.step("git tag --list v[0-9]* --sort=-version:refname").read()?;
        Ok(tags.lines().next().map(|tag| tag.trim_start_matches('v').to_owned()))
    }

    pub(super) fn plan(&self) -> Result<String, Failure> {
        let last = self.last()?.map_or("the first release".into(), |last| format!("after {last}"));
        let mut plan = format!("{}, {last}\n\n", self.version());
        for (package, at) in self.packages.iter().zip(1..) {
            let needs = package.needs().join(", ");
            let after = if needs.is_empty() { "first".into() } else { format!("after {needs}") };
            // Writing to a text cannot fail.
            let _ = writeln!(plan, "{at}. {:<20} {after}", package.name);
        }
        Ok(plan)
    }

    /// A command in the workspace's folder.
    pub(super) fn step(&self, line: &str) -> Step {
        self.under(Step::new(line).within(self.root.clone()))
    }

    /// Adds the workspace's variables to a command.
    pub(super) fn under(&self, step: Step) -> Step {
        self.variables.iter().fold(step, |step, (name, value)| step.variable(name, value))
    }

    /// A cargo command for all packages.
    pub(super) fn of_all(&self, line: &str) -> Step {
        self.step(line).arguments(&picks(&self.packages))
    }

    pub(super) fn libraries(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| package.is_library())
    }
}

impl Package {
    fn new(facts: Value) -> Self {
        let text = |member: &str| facts[member].as_str().unwrap_or_default().to_owned();
        Self { name: text("name"), version: text("version"), facts }
    }

    pub(super) fn folder(&self) -> PathBuf {
        PathBuf::from(self.facts["manifest_path"].as_str().unwrap_or_default()).with_file_name("")
    }

    pub(super) fn is_library(&self) -> bool {
        let targets = self.facts["targets"].as_array().into_iter().flatten();
        targets.into_iter().any(|target| target["kind"][0] == "lib")
    }

    /// The name of its archive without the extension, which is also the name of the folder in it.
    pub(super) fn archive(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }

    /// Our crates that must be in the registry first. A dependency without a version is not published.
    fn needs(&self) -> Vec<&str> {
        let dependencies = self.facts["dependencies"].as_array().into_iter().flatten();
        let ours = dependencies.filter(|other| other["path"].is_string() && other["req"] != "*");
        let mut names: Vec<&str> = ours.filter_map(|other| other["name"].as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// Arguments that select packages for cargo.
pub(super) fn picks<'a>(packages: impl IntoIterator<Item = &'a Package>) -> Vec<String> {
    packages.into_iter().flat_map(|package| ["-p".into(), package.name.clone()]).collect()
}

fn in_order(mut waiting: Vec<Package>) -> Result<Vec<Package>, Failure> {
    let mut order: Vec<Package> = Vec::new();
    while !waiting.is_empty() {
        let is_ready = |package: &Package| {
            package.needs().iter().all(|name| !waiting.iter().any(|other| other.name == *name))
        };
        let Some(next) = waiting.iter().position(is_ready) else {
            let names: Vec<&str> = waiting.iter().map(|package| package.name.as_str()).collect();
            return Err(Failure::Circle { crates: names.join(", ") });
        };
        order.push(waiting.remove(next));
    }
    Ok(order)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_crate_comes_after_those_that_it_needs() {
        let circle = "a, b need each other: none can be published first";
        let cases = [
            ("a; b", "a b"),
            ("a b^0.1; b c^0.1; c", "c b a"),
            // Without a version it is for tests only, and left out of what is published.
            ("a b*; b a^0.1", "a b"),
            ("a b^0.1; b a^0.1", circle),
        ];
        for (crates, expected) in cases {
            let order = match in_order(crates.split("; ").map(package).collect()) {
                Ok(order) => order.into_iter().map(|package| package.name).collect::<Vec<_>>().join(" "),
                Err(failure) => failure.to_string(),
            };
            assert_eq!(order, expected, "{crates}");
        }
    }

    /// A package from a line: its name, then its dependencies with their versions.
    fn package(line: &str) -> Package {
        let mut words = line.split(' ');
        let name = words.next();
        let need = |need: &str| json!({ "name": need[..1], "req": need[1..], "path": "/" });
        let needs: Vec<Value> = words.map(need).collect();
        Package::new(json!({ "name": name, "version": "0.1.0", "dependencies": needs }))
    }

    #[test]
    fn this_workspace_publishes_all_but_its_tasks() {
        let workspace = Workspace::read(crate::root()).unwrap();
        let names: Vec<&str> = workspace.packages.iter().map(|package| package.name.as_str()).collect();
        assert_eq!(names.first(), Some(&"perennial-domain"));
        assert_eq!(names.last(), Some(&"perennial-cli"));
        assert!(!names.contains(&"xtask"), "{names:?}");
    }
}
