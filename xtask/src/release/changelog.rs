//! Changelog: it describes each version in a paragraph for people.

use std::fs;

use super::workspace::Workspace;
use crate::failure::Failure;
use crate::tidy::Finding;

const CHANGELOG: &str = "CHANGELOG.md";

pub(super) fn check(workspace: &Workspace) -> Result<Vec<Finding>, Failure> {
    let fault = fault(&read(workspace)?, workspace.version());
    Ok(fault.map(|what| Finding::new(CHANGELOG, what)).into_iter().collect())
}

/// Finds a version without a date.
pub(super) fn undated(workspace: &Workspace) -> Result<Option<Finding>, Failure> {
    let version = workspace.version();
    let is_open =
        section(&read(workspace)?, version).is_some_and(|(heading, _)| heading.contains("unreleased"));
    let what = format!("says `{version} (unreleased)`: write the day, as in `{version} (2026-01-31)`");
    Ok(is_open.then(|| Finding::new(CHANGELOG, what)))
}

fn read(workspace: &Workspace) -> Result<String, Failure> {
    let place = workspace.root.join(CHANGELOG);
    fs::read_to_string(&place).map_err(Failure::of_file(&place))
}

fn section<'a>(text: &'a str, version: &str) -> Option<(&'a str, &'a str)> {
    let sections =
        text.split("\n## ").skip(1).map(|section| section.split_once('\n').unwrap_or((section, "")));
    sections.into_iter().find(|(heading, _)| heading.split(' ').next() == Some(version))
}

fn fault(text: &str, version: &str) -> Option<String> {
    let Some((_, body)) = section(text, version) else {
        return Some(format!(
            "has no section `## {version}`: say in a paragraph what this version is to people"
        ));
    };
    let first = body.trim_start().split("\n\n").next().unwrap_or_default();
    let is_prose = !first.starts_with(['*', '-', '#']) && first.split_whitespace().count() >= 8;
    (!is_prose).then(|| {
        format!("{version} does not begin with a paragraph for people: eight words or more, before any list")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_begins_with_a_paragraph() {
        let missing =
            "0.2.0 does not begin with a paragraph for people: eight words or more, before any list";
        let none = "has no section `## 0.2.0`: say in a paragraph what this version is to people";
        let prose = "Plans can be paused, and a pause shows in the forecast.";
        let cases = [
            ("", Some(none)),
            ("\n## 0.1.0\n\nPROSE\n", Some(none)),
            ("\n## 0.2.0\n", Some(missing)),
            ("\n## 0.2.0\n\n* PROSE\n", Some(missing)),
            ("\n## 0.2.0\n\nFixes.\n", Some(missing)),
            ("\n## 0.2.0\n\n## 0.1.0\n\nPROSE\n", Some(missing)),
            ("\n## 0.2.0 (unreleased)\n\nPROSE\n\n* More.\n\n## 0.1.0\n", None),
        ];
        for (text, expected) in cases {
            assert_eq!(fault(&text.replace("PROSE", prose), "0.2.0").as_deref(), expected, "{text}");
        }
    }
}
