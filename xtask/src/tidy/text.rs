//! Rules about single lines: unfinished code, local paths, violations of a layer's promise.

use super::{Files, Finding, is};

/// The place of a line, for the rules.
struct Line<'a> {
    path: &'a str,
    comment: bool,
    in_test: bool,
}

/// A rule: the lines it applies to, the text it finds, and the remedy.
struct Rule {
    applies: fn(&Line<'_>) -> bool,
    finds: fn(&str) -> bool,
    what: &'static str,
}

const RULES: &[Rule] = &[
    Rule { applies: written, finds: |text| text.ends_with([' ', '\r']), what: "white space ends the line" },
    Rule { applies: written, finds: |text| text.contains('\t'), what: "a tab: indent with spaces" },
    Rule { applies: anywhere, finds: names_a_machine, what: "a path of somebody's machine" },
    Rule {
        applies: code,
        finds: |text| text.contains("todo!"),
        what: "unfinished: finish it or leave it out",
    },
    Rule { applies: code, finds: |text| text.contains("dbg!"), what: "left behind from debugging" },
    Rule { applies: code, finds: |text| text.contains("#[ignore"), what: "a test that never runs" },
    Rule {
        applies: anywhere,
        finds: |text| text.contains("```ignore"),
        what: "an example that is never compiled",
    },
    Rule { applies: test, finds: sleeps, what: "a test that sleeps: use a gate or a clock that is told" },
    Rule { applies: exact, finds: names_a_float, what: "money and keys never meet a float" },
    Rule { applies: library, finds: |text| text.contains(".unwrap()"), what: "a library does not unwrap" },
    Rule { applies: domain, finds: reads_a_clock, what: "domain takes the date from its caller" },
];

pub(super) fn check(files: &Files) -> Vec<Finding> {
    files.iter().flat_map(|(path, text)| check_file(path, text)).collect()
}

/// The only one of these rules that holds for packages as well.
pub(super) fn machines(files: &Files) -> Vec<Finding> {
    let lines = files
        .iter()
        .filter(|(path, _)| !path.starts_with("xtask/src/tidy/"))
        .flat_map(|(path, text)| text.lines().zip(1..).map(move |(line, at)| (path, at, line)));
    lines
        .filter(|(_, _, line)| names_a_machine(line))
        .map(|(path, at, _)| Finding::at(path, at, "a path of somebody's machine"))
        .collect()
}

fn check_file(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let of_tests =
        ["tests/", "benches/"].iter().any(|folder| path.contains(folder)) || path.ends_with("/tests.rs");
    // Tests come last in a file.
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().lines().count();
    for (index, text) in text.split('\n').enumerate() {
        let in_test = of_tests || index >= code;
        let line = Line { path, comment: text.trim_start().starts_with("//"), in_test };
        let broken = RULES.iter().filter(|rule| (rule.applies)(&line) && (rule.finds)(text));
        findings.extend(broken.map(|rule| Finding::at(path, index + 1, rule.what)));
    }
    findings
}

/// Whether a line is outside of tidy, which names the forbidden texts and plants them in its tests.
fn anywhere(line: &Line<'_>) -> bool {
    !line.path.starts_with("xtask/src/tidy/")
}

/// Whether a file is not a snapshot or a golden message, which keep their bytes.
fn written(line: &Line<'_>) -> bool {
    !is(line.path, "snap") && !line.path.contains("/corpus/")
}

fn code(line: &Line<'_>) -> bool {
    is(line.path, "rs") && !line.comment && anywhere(line)
}

fn test(line: &Line<'_>) -> bool {
    code(line) && line.in_test
}

fn library(line: &Line<'_>) -> bool {
    let libraries = ["domain", "wire", "transport", "sdk", "journal", "sandbox"];
    code(line)
        && !line.in_test
        && libraries.iter().any(|name| line.path.starts_with(&format!("crates/{name}/src/")))
}

fn exact(line: &Line<'_>) -> bool {
    library(line)
        && ["domain", "wire", "sdk"].iter().any(|name| line.path.starts_with(&format!("crates/{name}/")))
}

fn domain(line: &Line<'_>) -> bool {
    library(line) && line.path.starts_with("crates/domain/")
}

fn names_a_machine(text: &str) -> bool {
    let starts_a_path =
        |at: usize| !text[..at].ends_with(|c: char| c.is_alphanumeric() || "._-}".contains(c));
    let folders = ["/root/", "/home/", "/work/", "/Users/"];
    folders.iter().any(|folder| text.match_indices(folder).any(|(at, _)| starts_a_path(at)))
}

fn sleeps(text: &str) -> bool {
    text.contains("thread::sleep") || text.contains("time::sleep(")
}

/// Whether a text names a float, except for serde's visitor and its list of all types, which are needed to refuse one.
fn names_a_float(text: &str) -> bool {
    let refuses =
        ["fn visit_f64", "fn visit_f32", "u128 f32 f64 char"].iter().any(|serde| text.contains(serde));
    let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    !refuses && words.any(|word| word == "f64" || word == "f32")
}

fn reads_a_clock(text: &str) -> bool {
    text.contains("::now(") || text.contains("std::time")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Holds: Tidy refuses a clock in `domain`, a float in code that handles money, an unwrap in a library,
    /// a sleep in a test and each other planted line.
    #[test]
    fn a_planted_line_is_found_where_the_rule_applies() {
        let cases = [
            ("README.md", "two  spaces inside", ""),
            ("README.md", "a space ", "white space ends the line"),
            ("README.md", "a return\r", "white space ends the line"),
            ("README.md", "a\ttab", "a tab: indent with spaces"),
            ("crates/wire/tests/snapshots/a.snap", "kept ", ""),
            ("README.md", "see /home/ada/perennial", "a path of somebody's machine"),
            ("crates/cli/src/main.rs", r#"open("/work/key")"#, "a path of somebody's machine"),
            ("README.md", "https://example.com/home/page, crates/work/x", ""),
            ("xtask/src/step.rs", "todo!()", "unfinished: finish it or leave it out"),
            ("xtask/src/step.rs", "// todo! is refused", ""),
            ("crates/cli/src/main.rs", "dbg!(x)", "left behind from debugging"),
            ("crates/sdk/tests/a.rs", "#[ignore]", "a test that never runs"),
            ("crates/sdk/tests/a.rs", "#[ignore = \"slow\"]", "a test that never runs"),
            ("crates/sdk/src/lib.rs", "//! ```ignore", "an example that is never compiled"),
            (
                "crates/sdk/tests/a.rs",
                "std::thread::sleep(d)",
                "a test that sleeps: use a gate or a clock that is told",
            ),
            (
                "crates/sdk/tests/a.rs",
                "time::sleep(d)",
                "a test that sleeps: use a gate or a clock that is told",
            ),
            ("crates/transport/src/time.rs", "tokio::time::sleep(d)", ""),
            ("crates/wire/src/money.rs", "let x: f64 = 1.0;", "money and keys never meet a float"),
            ("crates/wire/src/money.rs", "fn visit_f64<E>(self, _: f64)", ""),
            ("crates/wire/src/xml/decode.rs", "i8 u128 f32 f64 char str", ""),
            ("crates/transport/src/backoff.rs", "let x: f64 = 1.0;", ""),
            ("crates/wire/src/money.rs", "x.unwrap()", "a library does not unwrap"),
            ("crates/wire/src/money.rs", "/// x.unwrap()", ""),
            ("crates/wire/src/money.rs", "#[cfg(test)]\nmod tests {\nx.unwrap()\n}", ""),
            (
                "crates/wire/src/money.rs",
                "#[cfg(test)]\nuse a;\nfn b() { x.unwrap() }",
                "a library does not unwrap",
            ),
            ("crates/wire/tests/money.rs", "x.unwrap()", ""),
            ("crates/cli/src/main.rs", "x.unwrap()", ""),
            ("crates/domain/src/date.rs", "Utc::now()", "domain takes the date from its caller"),
            ("crates/transport/src/time.rs", "Instant::now()", ""),
        ];
        for (path, text, expected) in cases {
            let found: Vec<_> =
                check(&Files::of([(path, text)])).into_iter().map(|finding| finding.what).collect();
            let expected: Vec<_> = Some(expected).filter(|what| !what.is_empty()).into_iter().collect();
            assert_eq!(found, expected, "{path}: {text}");
        }
    }

    #[test]
    fn a_finding_says_the_line() {
        let found = check(&Files::of([("a.md", "one\ntwo \n")]));
        assert_eq!(found, [Finding::at("a.md", 2, "white space ends the line")]);
    }
}
