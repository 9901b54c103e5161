//! Claims of documents about the tree: links have targets, invariants have tests, dependencies have reasons.

use super::{Files, Finding, is};

const ARCHITECTURE: &str = "docs/ARCHITECTURE.md";
const DEPENDENCIES: &str = "docs/DEPENDENCIES.md";

pub(super) fn check(files: &Files) -> Vec<Finding> {
    let mut findings = invariants(files);
    findings.extend(dependencies(files));
    findings.extend(links(files));
    findings
}

/// Each numbered item under `## Invariants` ends with the names of the tests that hold it: ``Tests: `a`, `b`.``
fn invariants(files: &Files) -> Vec<Finding> {
    let text = files.get(ARCHITECTURE).unwrap_or_default();
    let items = items(text.split("\n## Invariants\n").nth(1).unwrap_or_default());
    if items.is_empty() {
        return vec![Finding::new(ARCHITECTURE, "has no numbered items under `## Invariants`")];
    }
    items
        .iter()
        .zip(1..)
        .flat_map(|((number, item), expected)| invariant(files, number, item, expected))
        .collect()
}

fn invariant(files: &Files, number: &str, item: &str, expected: usize) -> Vec<Finding> {
    let place = format!("{ARCHITECTURE}, invariant {number}");
    if number != expected.to_string() {
        return vec![Finding::new(place, format!("stands where {expected} should"))];
    }
    let names: Vec<&str> = item.split("Tests: ").nth(1).into_iter().flat_map(quoted).collect();
    if names.is_empty() {
        return vec![Finding::new(place, "names no test: end it with Tests: `name`.")];
    }
    let exists = |name: &str| files.iter().any(|(path, text)| is(path, "rs") && has_test(text, name));
    let absent = names.iter().filter(|name| !exists(name));
    absent.map(|name| Finding::new(&place, format!("its test `{name}` is nowhere in the tree"))).collect()
}

/// Whether a function of this name, with any modules before it, has an attribute that makes it a test.
fn has_test(code: &str, name: &str) -> bool {
    let function = format!("fn {}(", name.rsplit("::").next().unwrap_or(name));
    code.match_indices(&function).any(|(at, _)| {
        let above = code[..at].rsplit('\n').skip(1).map(str::trim);
        above.take_while(|line| line.starts_with("#[")).any(|line| line.contains("test"))
    })
}

/// The numbered items of a section, each with the lines that continue it.
fn items(text: &str) -> Vec<(&str, String)> {
    let mut items: Vec<(&str, String)> = Vec::new();
    for line in text.lines().take_while(|line| !line.starts_with("## ")) {
        let start = line.split_once(". ").filter(|(number, _)| number.parse::<u32>().is_ok());
        match (start, items.last_mut()) {
            (Some((number, rest)), _) => items.push((number, rest.to_owned())),
            (None, Some((_, item))) => item.extend([" ", line.trim()]),
            (None, None) => {}
        }
    }
    items
}

fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Checks that every third-party crate of the root manifest has a row, and every row a crate.
fn dependencies(files: &Files) -> Vec<Finding> {
    let manifest = files.get("Cargo.toml").unwrap_or_default();
    let table = manifest.split("[workspace.dependencies]\n").nth(1).unwrap_or_default();
    let lines =
        table.lines().take_while(|line| !line.starts_with('[')).filter(|line| !line.contains("path ="));
    let used: Vec<&str> = lines.filter_map(|line| Some(line.split_once(" =")?.0)).collect();
    let text = files.get(DEPENDENCIES).unwrap_or_default();
    let rows: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let unsaid = used.iter().filter(|name| !rows.contains(name));
    let unused = rows.iter().filter(|name| !used.contains(name));
    let unsaid = unsaid.map(|name| Finding::new(DEPENDENCIES, format!("says nothing of {name}")));
    unsaid
        .chain(unused.map(|name| Finding::new(DEPENDENCIES, format!("explains {name}, which is not used"))))
        .collect()
}

/// Checks links between files of the tree, and to headings in them.
pub(super) fn links(files: &Files) -> Vec<Finding> {
    let pages = files.iter().filter(|(path, _)| is(path, "md"));
    let links =
        pages.flat_map(|(path, text)| prose(text).flat_map(targets).map(move |target| (path, target)));
    let inside = links.filter(|(_, target)| !target.contains("://") && !target.starts_with("mailto:"));
    let dead = inside.filter(|(path, target)| !leads_somewhere(files, path, target));
    dead.map(|(path, target)| Finding::new(path, format!("its link to {target} leads nowhere"))).collect()
}

fn leads_somewhere(files: &Files, page: &str, target: &str) -> bool {
    let (path, heading) =
        target.split_once('#').map_or((target, None), |(path, heading)| (path, Some(heading)));
    let path = if path.is_empty() { Some(page.to_owned()) } else { resolve(page, path) };
    let Some(path) = path else { return false };
    files.has(&path)
        && heading.is_none_or(|heading| {
            prose(files.get(&path).unwrap_or_default()).any(|line| slug(line) == heading)
        })
}

/// `target` relative to the folder of `page`, as a path from the root of the tree; `None` outside of it.
fn resolve(page: &str, target: &str) -> Option<String> {
    let mut folders: Vec<&str> = page.split('/').collect();
    folders.pop();
    for part in target.split('/') {
        match part {
            ".." => drop(folders.pop()?),
            "." | "" => {}
            _ => folders.push(part),
        }
    }
    Some(folders.join("/"))
}

/// The anchor of a heading; empty for any other line.
fn slug(line: &str) -> String {
    let title = line.trim_start_matches('#');
    if title.len() == line.len() {
        return String::new();
    }
    let kept = title.trim().to_lowercase().replace(' ', "-");
    kept.chars().filter(|c| c.is_alphanumeric() || *c == '-' || *c == '_').collect()
}

/// The lines outside fenced code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    })
}

fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whats(findings: Vec<Finding>) -> Vec<String> {
        findings.into_iter().map(|finding| finding.what).collect()
    }

    fn expected(what: &str) -> Vec<&str> {
        Some(what).filter(|what| !what.is_empty()).into_iter().collect()
    }

    #[test]
    fn an_invariant_without_a_test_is_found() {
        let cases = [
            ("1. It holds. Tests: `a_holds`.", ""),
            ("1. It\n   holds.\n   Tests: `wire::a_holds`,\n   `b_holds`.\n2. And. Tests: `a_holds`.", ""),
            ("1. It holds.", "names no test: end it with Tests: `name`."),
            ("1. `It` holds. Tests:", "names no test: end it with Tests: `name`."),
            ("1. It holds. Tests: `a_holds`, `c_holds`.", "its test `c_holds` is nowhere in the tree"),
            ("1. It holds. Tests: `a_hold`.", "its test `a_hold` is nowhere in the tree"),
            ("1. It holds. Tests: `helper`.", "its test `helper` is nowhere in the tree"),
            ("2. It holds. Tests: `a_holds`.", "stands where 1 should"),
            ("It holds.", "has no numbered items under `## Invariants`"),
        ];
        for (text, what) in cases {
            let page = format!("# A\n\n## Invariants\n\n{text}\n\n## B\n\n1. Not one.\n");
            let code = "#[test]\nfn a_holds() {}\n#[tokio::test(start_paused = true)]\nasync fn b_holds() {}\nfn helper() {}";
            let files = Files::of([(ARCHITECTURE, &page), ("t.rs", code)]);
            assert_eq!(whats(invariants(&files)), expected(what), "{text}");
        }
    }

    #[test]
    fn a_dependency_without_a_reason_is_found() {
        let cases = [
            ("| `serde` | reads |", ""),
            ("| `serde` | reads |\n| `http` | types |", "explains http, which is not used"),
            ("serde", "says nothing of serde"),
        ];
        for (text, what) in cases {
            let manifest = "[workspace.dependencies]\nours = { path = \"ours\" }\nserde = \"1\"\n\n[profile.dev]\nx = 1\n";
            let files = Files::of([("Cargo.toml", manifest), (DEPENDENCIES, text)]);
            assert_eq!(whats(dependencies(&files)), expected(what), "{text}");
        }
    }

    #[test]
    fn a_dead_link_is_found() {
        let cases = [
            ("[a](https://example.com/x) [b](mailto:a@example.com)", ""),
            ("[a](guide/one.md), [b](../README.md) and [c](guide)", ""),
            ("[a](guide/one.md#the-1st-step) [b](#here)\n## Here", ""),
            ("[a](#here)\n```\n# Here\n```", "its link to #here leads nowhere"),
            ("```\n[a](gone.md)\n```", ""),
            ("[a](gone.md)", "its link to gone.md leads nowhere"),
            ("[a](../../README.md)", "its link to ../../README.md leads nowhere"),
            ("[a](one.md \"title\")", "its link to one.md leads nowhere"),
            ("[a](guide/one.md#second)", "its link to guide/one.md#second leads nowhere"),
        ];
        for (text, what) in cases {
            let guide = ("docs/guide/one.md", "# The 1st step!");
            let files = Files::of([("docs/page.md", text), ("README.md", ""), guide]);
            assert_eq!(whats(links(&files)), expected(what), "{text}");
        }
    }
}
