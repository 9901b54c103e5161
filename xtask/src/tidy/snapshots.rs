//! Snapshots that no test reads any more, or that are still pending: `cargo test` ignores both.

use super::{Files, Finding, is};
use crate::failure::Failure;
use crate::step::Step;

/// Pending files of insta. Git ignores them, so they are searched for by name.
pub(super) fn read_pending() -> Result<Vec<String>, Failure> {
    let text = Step::new(
        "git -c core.quotepath=off ls-files --cached --others -- *.snap.new *.pending-snap :!target",
    )
    .read()?;
    Ok(text.lines().map(String::from).collect())
}

pub(super) fn check_pending(paths: &[String]) -> Vec<Finding> {
    let what = "waits for a decision: `cargo insta review`, or move it over the .snap file";
    paths.iter().map(|path| Finding::new(path, what)).collect()
}

/// Finds unused snapshots. A snapshot names the test file that reads it. Its own name comes from a test function or
/// from words of that file; without these words, no test reads it.
pub(super) fn check(files: &Files) -> Vec<Finding> {
    let snapshots = files.iter().filter(|(path, _)| is(path, "snap"));
    snapshots.filter_map(|(path, text)| fault(path, text, files)).collect()
}

fn fault(path: &str, text: &str, files: &Files) -> Option<Finding> {
    let Some(source) = text.lines().find_map(|line| line.strip_prefix("source: ")) else {
        return Some(Finding::new(path, "has no `source:` line, so nothing tells who reads it"));
    };
    let Some(code) = files.get(source.trim_matches('"')) else {
        return Some(Finding::new(path, format!("its test file {source} is gone")));
    };
    let name = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".snap");
    let name = name.rsplit("__").next().unwrap_or(name).to_lowercase();
    let code = code.to_lowercase();
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| word.parse::<u32>().is_err());
    let missing: Vec<&str> = words.filter(|word| !code.contains(word)).collect();
    (!missing.is_empty())
        .then(|| Finding::new(path, format!("orphan: {source} no longer says {}", missing.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_orphan_is_found() {
        let cases = [
            ("messages__customer_create_json.snap", "source: t.rs\n---\n{}", ""),
            ("messages__customer_create_json-2.snap", "source: \"t.rs\"\n---\n{}", ""),
            (
                "messages__customer_create@xml.snap",
                "source: t.rs\n---\n{}",
                "orphan: t.rs no longer says xml",
            ),
            (
                "messages__token_create_json.snap",
                "source: t.rs\n---\n{}",
                "orphan: t.rs no longer says token",
            ),
            ("messages__customer_create_json.snap", "source: u.rs\n---\n{}", "its test file u.rs is gone"),
            (
                "messages__customer_create_json.snap",
                "{}",
                "has no `source:` line, so nothing tells who reads it",
            ),
        ];
        for (path, text, expected) in cases {
            let files = Files::of([(path, text), ("t.rs", "fn customer_create() { check(Format::Json) }")]);
            let found: Vec<_> = check(&files).into_iter().map(|finding| finding.what).collect();
            let expected: Vec<_> = Some(expected).filter(|what| !what.is_empty()).into_iter().collect();
            assert_eq!(found, expected, "{path}");
        }
    }

    #[test]
    fn a_snapshot_that_waits_is_found() {
        assert_eq!(check_pending(&["a.snap.new".into(), "b.pending-snap".into()]).len(), 2);
        assert_eq!(check_pending(&[]), []);
    }
}
