//! Claims of documents about the tree: links have targets, invariants have tests, dependencies have reasons.

use super::holds::{self, Test};
use super::{Files, Finding, is};

const ARCHITECTURE: &str = "docs/ARCHITECTURE.md";
const DEPENDENCIES: &str = "docs/DEPENDENCIES.md";

pub(super) fn check(files: &Files) -> Vec<Finding> {
    let mut findings = invariants(files);
    findings.extend(dependencies(files));
    findings.extend(links(files));
    findings
}

/// Each paragraph that begins with `**Invariant N.**` ends with the tests that hold it, each by its module path:
/// ``Tests: `a::b`, `a::c`.``
fn invariants(files: &Files) -> Vec<Finding> {
    let text = files.get(ARCHITECTURE).unwrap_or_default();
    let paragraphs = text.split("\n\n").filter_map(|paragraph| paragraph.trim().strip_prefix("**Invariant "));
    let items: Vec<(&str, &str)> = paragraphs.filter_map(|item| item.split_once(".** ")).collect();
    if items.is_empty() {
        return vec![Finding::new(ARCHITECTURE, "has no paragraph that begins with `**Invariant 1.**`")];
    }
    let tests = holds::tests(files);
    items
        .iter()
        .zip(1..)
        .flat_map(|((number, item), expected)| invariant(&tests, number, item, expected))
        .collect()
}

fn invariant(tests: &[Test<'_>], number: &str, item: &str, expected: usize) -> Vec<Finding> {
    let place = format!("{ARCHITECTURE}, invariant {number}");
    if number != expected.to_string() {
        return vec![Finding::new(place, format!("stands where {expected} should"))];
    }
    let names: Vec<&str> = item.split("Tests: ").nth(1).into_iter().flat_map(quoted).collect();
    if names.is_empty() {
        return vec![Finding::new(place, "names no test: end it with Tests: `module::name`.")];
    }
    let absent = names.iter().filter(|name| !tests.iter().any(|test| test.path == **name));
    absent
        .map(|name| Finding::new(&place, format!("its test `{name}` {}", whereabouts(tests, name))))
        .collect()
}

/// The place of a test that is not where it was expected.
fn whereabouts(tests: &[Test<'_>], name: &str) -> String {
    let last = |path: &str| path.rsplit("::").next().unwrap_or_default().to_owned();
    let same = tests.iter().find(|test| last(&test.path) == last(name));
    same.map_or("is nowhere in the tree".into(), |test| format!("is `{}` in {}", test.path, test.file))
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
    let unexplained = used.iter().filter(|name| !rows.contains(name));
    let unused = rows.iter().filter(|name| !used.contains(name));
    let unexplained = unexplained.map(|name| Finding::new(DEPENDENCIES, format!("says nothing of {name}")));
    unexplained
        .chain(unused.map(|name| Finding::new(DEPENDENCIES, format!("explains {name}, which is not used"))))
        .collect()
}

/// Checks links between files of the tree, and to headings in them.
pub(super) fn links(files: &Files) -> Vec<Finding> {
    let pages = files.iter().filter(|(path, _)| is(path, "md"));
    let links =
        pages.flat_map(|(path, text)| prose(text).flat_map(targets).map(move |target| (path, target)));
    let is_outside = |target: &str| ["://", "crate::", "mailto:"].iter().any(|mark| target.contains(mark));
    let inside = links.filter(|(_, target)| !is_outside(target));
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
    let title = title.trim().to_lowercase().replace(' ', "-");
    title.chars().filter(|c| c.is_alphanumeric() || *c == '-' || *c == '_').collect()
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

    /// Holds: Tidy refuses an invariant whose test is not in the named module.
    #[test]
    fn an_invariant_without_a_test_is_found() {
        let unnamed = "names no test: end it with Tests: `module::name`.";
        let cases = [
            ("**Invariant 1.** It holds. Tests: `t::a_holds`.", ""),
            (
                "**Invariant 1.** It\nholds.\nTests: `t::a_holds`,\n`t::m::b_holds`.\n\n**Invariant 2.** And. Tests: `t::a_holds`.",
                "",
            ),
            ("**Invariant 1.** It holds.", unnamed),
            ("**Invariant 1.** `It` holds. Tests:", unnamed),
            (
                "**Invariant 1.** It holds. Tests: `t::a_holds`, `t::c_holds`.",
                "its test `t::c_holds` is nowhere in the tree",
            ),
            ("**Invariant 1.** It holds. Tests: `t::a_hold`.", "its test `t::a_hold` is nowhere in the tree"),
            ("**Invariant 1.** It holds. Tests: `t::helper`.", "its test `t::helper` is nowhere in the tree"),
            // The right name, and a module in which it does not stand.
            (
                "**Invariant 1.** It holds. Tests: `u::a_holds`.",
                "its test `u::a_holds` is `t::a_holds` in crates/a/tests/it/t.rs",
            ),
            (
                "**Invariant 1.** It holds. Tests: `a_holds`.",
                "its test `a_holds` is `t::a_holds` in crates/a/tests/it/t.rs",
            ),
            (
                "**Invariant 1.** It holds. Tests: `t::b_holds`.",
                "its test `t::b_holds` is `t::m::b_holds` in crates/a/tests/it/t.rs",
            ),
            ("**Invariant 2.** It holds. Tests: `t::a_holds`.", "stands where 1 should"),
            ("It holds.", "has no paragraph that begins with `**Invariant 1.**`"),
        ];
        for (text, what) in cases {
            let page = format!("# A\n\n{text}\n\n## B\n\n1. Not one.\n");
            let code = "#[test]\nfn a_holds() {}\nmod m {\n    #[tokio::test(start_paused = true)]\n    async fn b_holds() {}\n}\nfn helper() {}";
            let files = Files::of([(ARCHITECTURE, &page), ("crates/a/tests/it/t.rs", code)]);
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
