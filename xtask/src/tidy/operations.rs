//! Operations: their names and paths occur only in the tables of the wire, and no other code takes a name apart.

use super::{Files, Finding, is};

/// The tables.
const TABLES: [&str; 2] = ["crates/wire/src/clearent/operation.rs", "crates/wire/src/clientpay/operation.rs"];

/// Crates that test the others and must not share their tables; the quickstart's reader sees the requests.
const APART: [&str; 1] = ["crates/oracle/"];

pub(super) fn check(files: &Files) -> Vec<Finding> {
    let tables = TABLES.iter().filter_map(|path| files.get(path));
    let known: Vec<&str> = tables.flat_map(|table| literals(table).map(|(_, text)| text)).collect();
    let sources = files.iter().filter(|(path, _)| {
        path.starts_with("crates/")
            && path.contains("/src/")
            && is(path, "rs")
            && !TABLES.contains(path)
            && !path.ends_with("tests.rs")
            && !APART.iter().any(|apart| path.starts_with(apart))
    });
    let found = sources.flat_map(|(path, text)| {
        // Below the tests of a file nothing is built on.
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        let repeats = |text: &str| {
            let begins = text.ends_with('.') && known.iter().any(|name| name.starts_with(text));
            is_named(text) && known.contains(&text) || begins || text.starts_with("/rest/v2")
        };
        let repeated = literals(code).filter(move |(_, text)| repeats(text));
        let repeated = repeated.map(move |(line, text)| {
            (line, format!("writes the operation \"{text}\" out: use the table in perennial-wire"))
        });
        let apart = lines(code).filter(|(_, text)| takes_apart(text));
        let apart = apart.map(|(line, _)| {
            (line, "takes the name of an operation apart: match on the operation or its resource".to_owned())
        });
        repeated.chain(apart).map(move |(line, what)| Finding::at(path, line, what))
    });
    found.collect()
}

/// Whether a literal of a table is a name or a path: one has a dot, the other a slash.
fn is_named(text: &str) -> bool {
    text.contains(['.', '/'])
}

/// Whether a line looks for the resource in the name of an operation.
fn takes_apart(line: &str) -> bool {
    line.contains("operation")
        && [".split('.')", ".split_once('.')", ".starts_with(\""].iter().any(|part| line.contains(part))
}

/// The lines of the code without its comments, each with its number.
fn lines(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = code.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
    lines.map(|(at, line)| (at + 1, line))
}

/// The literals of the code, each with its line. A raw literal is a document.
fn literals(code: &str) -> impl Iterator<Item = (usize, &str)> {
    lines(code).flat_map(|(at, line)| line.split('"').skip(1).step_by(2).map(move |text| (at, text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Holds: Tidy refuses the name or the path of an operation outside the operation tables, and code that takes a
    /// name apart.
    #[test]
    fn an_operation_that_is_written_out_is_found() {
        let table = "    GetPlan \"plans.get\": Read, Get \"payment-plans/{plan-key}\";\n";
        let cases = [
            ("crates/sdk/src/plans.rs", "one(\"plans.get\", call)", 1),
            ("crates/sdk/src/plans.rs", "/// one(\"plans.get\", call)", 0),
            ("crates/sdk/src/plans.rs", "one(\"plans\", call)", 0),
            ("crates/sandbox/src/a.rs", "(\"payment-plans/{plan-key}\", get)", 1),
            ("crates/sandbox/src/a.rs", "format!(\"/rest/v2/customers/{key}\")", 1),
            ("crates/sandbox/src/a.rs", "const ROOT: &str = \"/rest/v2\";", 1),
            ("crates/cli/src/a.rs", "name.starts_with(\"plans.\")", 1),
            ("crates/cli/src/a.rs", "operation.starts_with(\"plans\")", 1),
            ("crates/sandbox/src/a.rs", "match operation.split('.').next() {", 1),
            ("crates/sandbox/src/a.rs", "operation.path().split_once('{')", 0),
            ("crates/sandbox/src/a.rs", "// operation.split('.')", 0),
            ("crates/sandbox/src/a.rs", "#[cfg(test)]\nmod tests { \"plans.get\" }", 0),
            ("crates/sandbox/tests/a.rs", "\"plans.get\"", 0),
            ("crates/oracle/src/case.rs", "\"plans.get\"", 0),
        ];
        for (path, code, count) in cases {
            let files = Files::of([(TABLES[0], table), (path, code)]);
            assert_eq!(check(&files).len(), count, "{path}: {code}");
        }
    }
}
