//! The changelog says, in a paragraph for people, what a version is.

use std::fs;

use super::workspace::Workspace;
use crate::failure::Failure;
use crate::tidy::Finding;

const CHANGELOG: &str = "CHANGELOG.md";

pub(super) fn check(workspace: &Workspace) -> Vec<Finding> {
    let fault = fault(&read(workspace), workspace.version());
    fault.map(|what| Finding::new(CHANGELOG, what)).into_iter().collect()
}

/// What goes out for good has a day.
pub(super) fn dated(workspace: &Workspace) -> Result<(), Failure> {
    match section(&read(workspace), workspace.version()) {
        Some((heading, _)) if heading.contains("unreleased") => {
            Err(Failure::Undated { heading: heading.into() })
        }
        _ => Ok(()),
    }
}

/// A changelog that is not there says nothing.
fn read(workspace: &Workspace) -> String {
    fs::read_to_string(workspace.root.join(CHANGELOG)).unwrap_or_default()
}

fn section<'a>(text: &'a str, version: &str) -> Option<(&'a str, &'a str)> {
    let sections =
        text.split("\n## ").skip(1).map(|section| section.split_once('\n').unwrap_or((section, "")));
    sections.into_iter().find(|(heading, _)| heading.split(' ').next() == Some(version))
}

fn fault(text: &str, version: &str) -> Option<String> {
    let Some((_, body)) = section(text, version) else {
        return Some(format!("has no section `## {version}`"));
    };
    let first = body.trim_start().split("\n\n").next().unwrap_or_default();
    let is_prose = !first.starts_with(['*', '-', '#']) && first.split_whitespace().count() >= 8;
    (!is_prose).then(|| format!("{version} does not begin with a paragraph for people"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_begins_with_a_paragraph() {
        let missing = "0.2.0 does not begin with a paragraph for people";
        let prose = "Plans can be paused, and a pause shows in the forecast.";
        let cases = [
            ("", Some("has no section `## 0.2.0`")),
            ("\n## 0.1.0\n\nPROSE\n", Some("has no section `## 0.2.0`")),
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
