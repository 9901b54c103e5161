//! The oldest Rust of each crate: no dependency needs a newer one.

use std::collections::HashMap;

use serde_json::Value;

use super::Finding;
use crate::failure::Failure;
use crate::step::Step;

/// One of our crates with the Rust that it promises, and what its default features depend on.
pub(super) struct Promise {
    name: String,
    rust: Version,
    dependencies: Vec<(String, Version)>,
}

/// A version of Rust, such as 1.88.0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
struct Version(u32, u32, u32);

impl Version {
    /// Reads `1.88` or `1.88.0`. A crate that promises nothing takes any.
    fn read(text: &str) -> Self {
        let mut parts = text.split('.').map(|part| part.parse().unwrap_or(0));
        let mut part = || parts.next().unwrap_or(0);
        Self(part(), part(), part())
    }
}

/// Reads the promises of all crates of the workspace that are for users.
pub(super) fn read() -> Result<Vec<Promise>, Failure> {
    let platform = Step::new("rustc -vV").read()?;
    let platform =
        platform.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default().to_owned();
    let line = format!("cargo metadata --format-version 1 --locked --filter-platform {platform}");
    let metadata: Value = serde_json::from_str(&Step::new(&line).read()?)
        .map_err(|source| Failure::Unreadable { program: line, source })?;
    let packages: Vec<&Value> = metadata["packages"].as_array().into_iter().flatten().collect();
    let text = |package: &Value, name: &str| package[name].as_str().unwrap_or_default().to_owned();
    let known: HashMap<String, Version> = packages
        .iter()
        .map(|package| {
            let id = format!("{} v{}", text(package, "name"), text(package, "version"));
            (id, Version::read(&text(package, "rust_version")))
        })
        .collect();
    // One that is published says so by not saying that it is not.
    let ours = packages.iter().filter(|package| package["source"].is_null() && package["publish"].is_null());
    let promise = |package: &&Value| {
        let name = text(package, "name");
        let line =
            format!("cargo tree --locked --package {name} --edges normal,build --prefix none --format {{p}}");
        let tree = Step::new(&line).read()?;
        let dependency = |line: &str| {
            let mut words = line.split(' ');
            let id = format!("{} {}", words.next()?, words.next()?);
            Some((id.clone(), *known.get(&id)?))
        };
        let dependencies = tree.lines().filter_map(dependency).collect();
        Ok(Promise { name, rust: Version::read(&text(package, "rust_version")), dependencies })
    };
    ours.map(promise).collect()
}

pub(super) fn check(promises: &[Promise]) -> Vec<Finding> {
    let faults = promises.iter().flat_map(|Promise { name, rust, dependencies }| {
        let newer = dependencies.iter().filter(move |(_, needed)| needed > rust);
        newer.map(move |(dependency, Version(major, minor, _))| {
            Finding::new(name, format!("promises an older Rust than {dependency} needs, {major}.{minor}"))
        })
    });
    faults.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_that_a_dependency_breaks_is_found() {
        for (rust, needed, found) in [
            ("1.88", "1.88.0", 0),
            ("1.88", "1.88.1", 1),
            ("1.88", "1.71", 0),
            ("1.88", "1.100", 1),
            ("1.88", "", 0),
        ] {
            let dependencies = vec![("serde v1.0.0".to_owned(), Version::read(needed))];
            let promise =
                Promise { name: "perennial-wire".to_owned(), rust: Version::read(rust), dependencies };
            assert_eq!(check(&[promise]).len(), found, "{rust} {needed}");
        }
    }
}
