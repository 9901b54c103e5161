//! Rules of the tree that no compiler checks. Each rule is a pure function of the files; the reading is here.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;
use std::time::Instant;

use crate::failure::Failure;
use crate::step::Step;

mod arrows;
mod circles;
mod docs;
mod guide;
mod holds;
mod manifests;
mod msrv;
mod numbers;
mod operations;
mod prose;
mod snapshots;
mod sqlite;
mod text;
mod trees;

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    match arguments {
        [] => {}
        [write] if write == "--write" => {
            holds::write(&crate::root())?;
            guide::write(&crate::root())?;
        }
        _ => {
            let given = arguments.join(" ");
            return Err(Failure::Unknown { given, known: "it takes --write, or nothing".into() });
        }
    }
    let start = Instant::now();
    eprintln!("==> cargo xtask tidy");
    let findings = findings()?;
    for finding in &findings {
        eprintln!("{finding}");
    }
    if findings.is_empty() {
        eprintln!("==> ok in {:.1?}", start.elapsed());
        Ok(())
    } else {
        Err(Failure::Untidy { findings: findings.len() })
    }
}

fn findings() -> Result<Vec<Finding>, Failure> {
    let files = Files::read(&crate::root())?;
    let mut findings = arrows::check(&arrows::read()?);
    findings.extend(msrv::check(&msrv::read()?));
    findings.extend(trees::check(trees::read)?);
    findings.extend(snapshots::check(&files));
    findings.extend(snapshots::check_pending(&snapshots::read_pending()?));
    findings.extend(text::check(&files));
    findings.extend(numbers::check(&files));
    findings.extend(docs::check(&files));
    findings.extend(holds::check(&files));
    findings.extend(guide::check(&files));
    findings.extend(manifests::check(&files));
    findings.extend(sqlite::check(&files));
    findings.extend(operations::check(&files));
    findings.extend(circles::check(&files));
    findings.extend(prose::check(&files));
    findings.extend(circles::check_floors(&files));
    Ok(findings)
}

/// Secrets in files: cards, keys, and local paths.
pub(crate) fn secrets(files: &Files) -> Vec<Finding> {
    [numbers::check(files), text::machines(files)].concat()
}

/// Links of pages to files that are not among these.
pub(crate) fn links(files: &Files) -> Vec<Finding> {
    docs::links(files)
}

/// One thing to fix, and its place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Finding {
    place: String,
    what: String,
}

impl Finding {
    pub(crate) fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { place: place.into(), what: what.into() }
    }

    /// The finding, with the name of a package before its place.
    pub(crate) fn within(self, package: &str) -> Self {
        Self { place: format!("{package}: {}", self.place), ..self }
    }

    fn at(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self::new(format!("{path}:{line}"), what)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// The files of the tree and their text by their path from its root: tracked files, and files that the next `git add`
/// tracks.
pub(crate) struct Files(BTreeMap<String, String>);

impl Files {
    pub(crate) fn read(root: &Path) -> Result<Self, Failure> {
        let list = "git -c core.quotepath=off ls-files --cached --others --exclude-standard";
        let list = Step::new(list).within(root.into()).read()?;
        Ok(Self::at(root, list.lines()))
    }

    /// The given files of a folder.
    pub(crate) fn at<'a>(root: &Path, paths: impl Iterator<Item = &'a str>) -> Self {
        // A file that was deleted but not yet staged is no file; one that holds no text has none to check.
        let read = |path: &str| {
            let bytes = fs::read(root.join(path)).ok()?;
            Some((path.to_owned(), String::from_utf8(bytes).unwrap_or_default()))
        };
        Self(paths.filter_map(read).collect())
    }

    fn get(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }

    fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Whether a file or a folder exists at `path`.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.0.contains_key(path) || self.0.keys().any(|file| file.starts_with(&format!("{path}/")))
    }

    #[cfg(test)]
    fn of<const N: usize>(files: [(&str, &str); N]) -> Self {
        Self(files.map(|(path, text)| (path.to_owned(), text.to_owned())).into())
    }
}

/// Whether `path` has this extension.
fn is(path: &str, extension: &str) -> bool {
    Path::new(path).extension().is_some_and(|own| own == extension)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Holds: The tree passes all rules of tidy: crates depend on each other only along the arrows of the
    /// architecture, and no real card number or key is in any file.
    #[test]
    fn the_tree_is_tidy() {
        let findings: Vec<String> = findings().unwrap().iter().map(ToString::to_string).collect();
        assert!(findings.is_empty(), "\n{}", findings.join("\n"));
    }

    #[test]
    fn a_folder_is_there_when_a_file_is_in_it() {
        let files = Files::of([("docs/guide/one.md", "")]);
        for (path, there) in
            [("docs/guide/one.md", true), ("docs/guide", true), ("docs/gui", false), ("", false)]
        {
            assert_eq!(files.has(path), there, "{path}");
        }
    }
}
