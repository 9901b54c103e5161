//! Tests by their module path, and the page of what they hold: one `/// Holds: …` sentence above a test is one line of it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::{Files, Finding, is};
use crate::failure::Failure;

const PAGE: &str = "docs/INVARIANTS.md";

const HEAD: &str = "\
# What the tests hold

Each line is a promise of this tree and the test that fails if the promise is broken. The sentence is the `/// Holds:`
comment directly above the test. [Architecture](ARCHITECTURE.md) has the invariants that shape the crates, with their
reasons.

`cargo xtask tidy --write` generates this page; `cargo xtask tidy` fails if it is out of date. A test's path starts
below `src` or below the folder of its test binary; a file directly in `tests` or `examples` is the first module of its
path.
";

/// A test of the tree.
#[derive(Debug, PartialEq)]
pub(super) struct Test<'a> {
    pub(super) file: &'a str,
    /// The modules and the function, such as `outcomes::what_each_answer_means`.
    pub(super) path: String,
    /// The sentence above it.
    holds: Option<String>,
}

pub(super) fn check(files: &Files) -> Vec<Finding> {
    let (tests, mut findings) = read(files);
    if files.get(PAGE) != Some(&page(&tests)) {
        findings.push(Finding::new(PAGE, "is not what the tests say: run `cargo xtask tidy --write`"));
    }
    findings
}

/// Writes the page from the tests.
pub(super) fn write(root: &Path) -> Result<(), Failure> {
    let files = Files::read(root)?;
    let place = root.join(PAGE);
    fs::write(&place, page(&tests(&files))).map_err(Failure::of_file(&place))
}

/// All tests of the tree.
pub(super) fn tests(files: &Files) -> Vec<Test<'_>> {
    read(files).0
}

/// The promises by crate, in the order of the files.
fn page(tests: &[Test<'_>]) -> String {
    let mut page = HEAD.to_owned();
    let mut last = "";
    for Test { file, path, holds } in tests {
        let Some(holds) = holds else { continue };
        let of = crate_of(file);
        if of != last {
            let _ = write!(page, "\n## {of}\n\n");
            last = of;
        }
        let _ = writeln!(page, "* {holds} `{file}` `{path}`");
    }
    page
}

/// The folder of a crate: `crates/wire` or `xtask`.
fn crate_of(file: &str) -> &str {
    let end = ["/src/", "/tests/", "/benches/", "/examples/"].iter().filter_map(|folder| file.find(folder));
    &file[..end.min().unwrap_or(0)]
}

fn read(files: &Files) -> (Vec<Test<'_>>, Vec<Finding>) {
    let (mut tests, mut findings) = (Vec::new(), Vec::new());
    for (file, text) in files.iter().filter(|(path, _)| is(path, "rs")) {
        if let Some(module) = module_of(file) {
            read_file(file, &module, text, &mut tests, &mut findings);
        }
    }
    (tests, findings)
}

/// The modules of a file below the root of its target.
fn module_of(file: &str) -> Option<Vec<&str>> {
    let below = file.strip_prefix(crate_of(file))?.strip_suffix(".rs")?;
    let mut parts = below.split('/').skip(1);
    let folder = parts.next()?;
    let mut parts: Vec<&str> = parts.collect();
    if folder != "src" && parts.len() > 1 {
        parts.remove(0);
    }
    if matches!(parts.last(), Some(&("mod" | "lib" | "main"))) {
        parts.pop();
    }
    Some(parts)
}

/// Lines above an item: its documentation, and whether an attribute makes it a test.
#[derive(Default)]
struct Above<'a> {
    line: usize,
    doc: Vec<&'a str>,
    is_test: bool,
    in_attribute: bool,
}

impl Above<'_> {
    /// The sentence after `Holds:`, up to the end of its paragraph.
    fn holds(&self) -> Option<String> {
        let mut lines = self.doc.iter().skip_while(|line| !line.starts_with("Holds:"));
        let first = lines.next()?.trim_start_matches("Holds:").trim();
        let rest = lines.take_while(|line| !line.is_empty()).copied();
        Some([first].into_iter().chain(rest).collect::<Vec<_>>().join(" "))
    }
}

fn read_file<'a>(
    file: &'a str,
    module: &[&'a str],
    text: &'a str,
    tests: &mut Vec<Test<'a>>,
    findings: &mut Vec<Finding>,
) {
    let mut path: Vec<&str> = module.to_vec();
    let mut ends: Vec<String> = Vec::new();
    let mut above = Above::default();
    for (line, number) in text.lines().zip(1..) {
        let code = line.trim();
        if above.in_attribute {
            above.in_attribute = !code.ends_with(']');
            continue;
        }
        if let Some(doc) = code.strip_prefix("///") {
            if above.doc.is_empty() {
                above.line = number;
            }
            above.doc.push(doc.trim());
            continue;
        }
        if code.starts_with("#[") {
            above.is_test |= ["#[test]", "#[tokio::test"].iter().any(|test| code.starts_with(test));
            above.in_attribute = !code.ends_with(']');
            continue;
        }
        let item = std::mem::take(&mut above);
        let holds = item.holds();
        if let Some(holds) = &holds
            && !(item.is_test && is_sentence(holds))
        {
            let what =
                if item.is_test { "has no sentence after `Holds:`" } else { "`Holds:` is above no test" };
            findings.push(Finding::at(file, item.line, what));
        }
        if item.is_test
            && let Some(name) = function(code)
        {
            tests.push(Test { file, path: [&path[..], &[name]].concat().join("::"), holds });
        } else if let Some(name) = code.strip_suffix(" {").and_then(|code| code.strip_prefix("mod ")) {
            path.push(name);
            ends.push(line.replacen(code, "}", 1));
        } else if ends.last().is_some_and(|end| end == line) {
            ends.pop();
            path.pop();
        }
    }
}

fn is_sentence(text: &str) -> bool {
    text.starts_with(|c: char| c.is_uppercase() || c == '`') && text.ends_with('.')
}

/// The name of the function that starts on this line.
fn function(code: &str) -> Option<&str> {
    let (_, rest) = code.split_once("fn ")?;
    rest.split(['(', '<']).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_is_known_by_its_modules_and_its_sentence() {
        let cases: &[(&str, &str, &[&str], &[&str])] = &[
            ("crates/a/tests/it/b.rs", "/// Holds: It holds.\n#[test]\nfn c() {}", &["b::c It holds."], &[]),
            ("crates/a/tests/it/b/d.rs", "#[test]\nfn c() {}", &["b::d::c"], &[]),
            ("crates/a/tests/it/b/mod.rs", "#[test]\nfn c() {}", &["b::c"], &[]),
            ("crates/a/tests/it/main.rs", "#[test]\nfn c() {}", &["c"], &[]),
            ("crates/a/tests/b.rs", "#[test]\nfn c() {}", &["b::c"], &[]),
            (
                "crates/a/src/b/e.rs",
                "mod tests {\n    #[test]\n    fn c() {}\n}\n#[test]\nfn d() {}",
                &["b::e::tests::c", "b::e::d"],
                &[],
            ),
            ("xtask/src/lib.rs", "#[tokio::test(start_paused = true)]\nasync fn c() {}", &["c"], &[]),
            // A sentence of two lines, after other words, over an attribute of three lines.
            (
                "xtask/src/b.rs",
                "/// Slow.\n///\n/// Holds: It\n/// holds.\n///\n/// Why.\n#[test]\n#[expect(\n    x,\n)]\nfn c<T>() {}",
                &["b::c It holds."],
                &[],
            ),
            // A helper is no test, and neither is a function that is compiled for tests alone.
            ("xtask/src/b.rs", "fn c() {}\n#[cfg(test)]\nfn d() {}", &[], &[]),
            (
                "xtask/src/b.rs",
                "\n/// Holds: It holds.\nfn c() {}",
                &[],
                &["xtask/src/b.rs:2: `Holds:` is above no test"],
            ),
            (
                "xtask/src/b.rs",
                "/// Holds:\n#[test]\nfn c() {}",
                &["b::c "],
                &["xtask/src/b.rs:1: has no sentence after `Holds:`"],
            ),
        ];
        for (file, text, expected, wrong) in cases {
            let files = Files::of([(file, text)]);
            let (tests, findings) = read(&files);
            let rows = tests.iter().map(|Test { path, holds, .. }| match holds {
                Some(holds) => format!("{path} {holds}"),
                None => path.clone(),
            });
            assert_eq!(rows.collect::<Vec<_>>(), *expected, "{text}");
            assert_eq!(findings.iter().map(ToString::to_string).collect::<Vec<_>>(), *wrong, "{text}");
        }
    }

    /// Holds: Tidy refuses this page if it is not what the tests say.
    #[test]
    fn a_page_that_is_out_of_date_is_found() {
        let one = ("crates/a/tests/it/b.rs", "/// Holds: One.\n#[test]\nfn c() {}");
        let two = ("xtask/src/b.rs", "#[test]\nfn d() {}\n/// Holds: Two.\n#[test]\nfn e() {}");
        let lines = "\n## crates/a\n\n* One. `crates/a/tests/it/b.rs` `b::c`\n\n## xtask\n\n* Two. `xtask/src/b.rs` `b::e`\n";
        let right = format!("{HEAD}{lines}");
        assert_eq!(check(&Files::of([one, two, (PAGE, &right)])), []);
        for wrong in [right.replace("Two", "2"), right.replace("`b::e`", "`b::d`"), HEAD.to_owned()] {
            assert_eq!(check(&Files::of([one, two, (PAGE, &wrong)])).len(), 1, "{wrong}");
        }
        assert_eq!(check(&Files::of([one, two])).len(), 1);
    }
}
