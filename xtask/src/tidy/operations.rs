//! Operations: their names and paths occur only in the tables of the wire.

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
        let repeats = |text: &str| is_named(text) && known.contains(&text) || text.starts_with("/rest/v2/");
        let repeated = literals(code).filter(move |(_, text)| repeats(text) && !is_root(text));
        repeated.map(move |(line, text)| {
            Finding::at(
                path,
                line,
                format!("writes the operation \"{text}\" out: use the table in perennial-wire"),
            )
        })
    });
    found.collect()
}

/// Whether a literal of a table is a name or a path: one has a dot, the other a slash.
fn is_named(text: &str) -> bool {
    text.contains(['.', '/'])
}

/// Whether a text is the common prefix of paths.
fn is_root(text: &str) -> bool {
    text == "/rest/v2/"
}

/// The literals of the code, each with its line. Comments have none; a raw literal is a document.
fn literals(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = code.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
    lines.flat_map(|(at, line)| {
        let parts = line.split('"').skip(1).step_by(2);
        parts.map(move |text| (at + 1, text))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Holds: Tidy refuses the name or the path of an operation outside the operation tables.
    #[test]
    fn an_operation_that_is_written_out_is_found() {
        let table = "    GetPlan \"plans.get\": Read, Get \"payment-plans/{plan-key}\";\n";
        let cases = [
            ("crates/sdk/src/plans.rs", "one(\"plans.get\", call)", 1),
            ("crates/sdk/src/plans.rs", "/// one(\"plans.get\", call)", 0),
            ("crates/sdk/src/plans.rs", "one(\"plans\", call)", 0),
            ("crates/sandbox/src/a.rs", "(\"payment-plans/{plan-key}\", get)", 1),
            ("crates/sandbox/src/a.rs", "format!(\"/rest/v2/customers/{key}\")", 1),
            ("crates/sandbox/src/a.rs", "const ROOT: &str = \"/rest/v2/\";", 0),
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
