//! All tests and documentation examples of the workspace; required programs are installed first.

use std::env;
use std::fmt;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::failure::Failure;
use crate::step::Step;

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    ensure_compiler()?;
    ensure_programs()?;
    let mut tally = Tally::default();
    let result = Step::new(line(arguments)).arguments(arguments).watch(|line| tally.add(line));
    // Arguments choose among the tests of the workspace.
    let of_application = match arguments {
        [] => application("test")?.watch(|line| tally.add(line)),
        _ => Ok(()),
    };
    println!("\n{tally}");
    result.and(of_application)
}

/// The application beside the workspace that uses the journal in its own transaction, with its own lock file.
pub(crate) const APPLICATION: &str = "crates/journal/tests/own_transaction/Cargo.toml";

/// A cargo command for the application. Both share the builds of the crates of others.
pub(crate) fn application(command: &str) -> Result<Step, Failure> {
    let target = crate::target()?.display().to_string();
    let step = Step::new(&format!("cargo {command} --manifest-path {APPLICATION}"));
    Ok(step.arguments(&["--target-dir".into(), target]))
}

/// The command line: the caller's packages, or all of them.
fn line(arguments: &[String]) -> &'static str {
    let own = arguments.iter().take_while(|argument| *argument != "--");
    let picks = |argument: &String| argument.starts_with("-p") || argument.starts_with("--package");
    if own.into_iter().any(picks) {
        "cargo test --all-features --no-fail-fast"
    } else {
        "cargo test --workspace --all-features --no-fail-fast"
    }
}

/// The counts of every `test result:` line that cargo's test programs print.
#[derive(Debug, Default, PartialEq)]
struct Tally {
    programs: usize,
    passed: usize,
    failed: usize,
    ignored: usize,
}

impl Tally {
    fn add(&mut self, line: &str) {
        let Some((_, counts)) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". "))
        else {
            return;
        };
        let count = |what: &str| {
            let words = counts.split("; ").find_map(|part| part.strip_suffix(what));
            words.and_then(|number| number.trim().parse().ok()).unwrap_or(0)
        };
        self.programs += 1;
        self.passed += count("passed");
        self.failed += count("failed");
        self.ignored += count("ignored");
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { programs, passed, failed, ignored } = self;
        write!(f, "{passed} passed, {failed} failed, {ignored} ignored in {programs} test programs")
    }
}

/// Ensures a C compiler and the C library's headers for the bundled database: installs them for root on Debian, else
/// fails.
fn ensure_compiler() -> Result<(), Failure> {
    if compiles() {
        return Ok(());
    }
    if installed(&["gcc", "libc6-dev"])? && compiles() { Ok(()) } else { Err(Failure::NoCompiler) }
}

/// Programs that tests run besides Rust: a browser with its driver, the programs with which the chapter on testing
/// calls the sandbox, the shells that read completions, a keychain with its bus, a program that encrypts a PDF, and the
/// database in which many machines share a journal.
const PROGRAMS: [(&str, &str); 11] = [
    ("chromium", "chromium"),
    ("chromedriver", "chromium-driver"),
    ("curl", "curl"),
    ("zsh", "zsh"),
    ("fish", "fish"),
    ("dbus-run-session", "dbus-daemon"),
    ("gnome-keyring-daemon", "gnome-keyring"),
    ("qpdf", "qpdf"),
    ("initdb", "postgresql"),
    ("postgres", "postgresql"),
    ("psql", "postgresql"),
];

/// Debian keeps the programs of a `PostgreSQL` server off the PATH, in one folder for each version.
const POSTGRESQL: &str = "/usr/lib/postgresql";

fn ensure_programs() -> Result<(), Failure> {
    let missing = || PROGRAMS.iter().filter(|(program, _)| !is_installed(program));
    let mut packages: Vec<&str> = missing().map(|(_, package)| *package).collect();
    packages.dedup();
    if packages.is_empty() || installed(&packages)? && missing().count() == 0 {
        return Ok(());
    }
    Err(Failure::NoPrograms(packages.join(" ")))
}

fn is_installed(program: &str) -> bool {
    let runs = |program: &Path| Step::of(program).arguments(&["--version".to_owned()]).read().is_ok();
    let versions = fs::read_dir(POSTGRESQL).into_iter().flatten().flatten();
    let mut servers = versions.map(|version| version.path().join("bin").join(program));
    runs(Path::new(program)) || servers.any(|server| runs(&server))
}

/// Installs Debian packages; returns false unless this is root on Debian.
fn installed(packages: &[&str]) -> Result<bool, Failure> {
    let root = Step::new("id -u").read().is_ok_and(|id| id.trim() == "0");
    if !root || Step::new("apt-get --version").read().is_err() {
        return Ok(false);
    }
    Step::new("apt-get update -qq").run()?;
    Step::new("apt-get install -y --no-install-recommends")
        .arguments(&packages.iter().map(ToString::to_string).collect::<Vec<_>>())
        .variable("DEBIAN_FRONTEND", "noninteractive")
        .run()?;
    Ok(true)
}

fn compiles() -> bool {
    if !cfg!(unix) {
        // Where Rust links with MSVC, it has found a C compiler already.
        return true;
    }
    let compiler = env::var_os("CC").unwrap_or_else(|| "cc".into());
    let child = Command::new(compiler)
        .args(["-E", "-x", "c", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    child.is_ok_and(|mut child| {
        let written =
            child.stdin.take().is_some_and(|mut input| input.write_all(b"#include <stdlib.h>\n").is_ok());
        child.wait().is_ok_and(|status| status.success()) && written
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tally_adds_result_lines_and_nothing_else() {
        let tally = |lines: &[&str]| {
            let mut tally = Tally::default();
            for line in lines {
                tally.add(line);
            }
            (tally.programs, tally.passed, tally.failed, tally.ignored)
        };
        let ok =
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.20s";
        let bad = "test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s";
        let cases: &[(&[&str], _)] = &[
            (&[], (0, 0, 0, 0)),
            (&["running 3 tests", "test passed ... ok", "12 passed"], (0, 0, 0, 0)),
            (&[ok], (1, 12, 0, 1)),
            (&[ok, "", bad], (2, 16, 2, 1)),
        ];
        for (lines, expected) in cases {
            assert_eq!(tally(lines), *expected, "{lines:?}");
        }
    }

    #[test]
    fn the_application_is_there_and_shares_the_target_folder() {
        assert!(crate::root().join(APPLICATION).exists());
        let line = application("test").unwrap().by_hand();
        assert!(
            line.starts_with(&format!("cargo test --manifest-path {APPLICATION} --target-dir ")),
            "{line}"
        );
    }

    #[test]
    fn all_packages_are_tested_unless_some_are_picked() {
        let cases: &[(&[&str], bool)] = &[
            (&[], true),
            (&["customers"], true),
            (&["--", "-p"], true),
            (&["-p", "perennial-wire"], false),
            (&["--package=perennial"], false),
        ];
        for (arguments, all) in cases {
            let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
            assert_eq!(line(&arguments).contains("--workspace"), *all, "{arguments:?}");
        }
    }
}
