//! A command that is shown before it starts, timed, and repeatable by hand.

use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Instant;

use crate::failure::Failure;

/// A command line of words without spaces, with the variables it runs under.
pub(crate) struct Step {
    words: Vec<String>,
    variables: Vec<(&'static str, String)>,
    folder: PathBuf,
}

impl Step {
    /// Splits `line` at spaces.
    pub(crate) fn new(line: &str) -> Self {
        Self {
            words: line.split_whitespace().map(String::from).collect(),
            variables: Vec::new(),
            folder: crate::root(),
        }
    }

    /// A step for a program that is not in the path.
    pub(crate) fn of(program: &Path) -> Self {
        Self { words: vec![program.display().to_string()], ..Self::new("") }
    }

    /// Runs in this folder instead of in the workspace.
    pub(crate) fn within(self, folder: PathBuf) -> Self {
        Self { folder, ..self }
    }

    pub(crate) fn variable(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    pub(crate) fn arguments(mut self, arguments: &[String]) -> Self {
        self.words.extend_from_slice(arguments);
        self
    }

    /// The command to type to repeat the step.
    pub(crate) fn by_hand(&self) -> String {
        let quoted = |text: &str| {
            if text.contains([' ', '"', '$', '*']) { format!("'{text}'") } else { text.to_owned() }
        };
        let variables = self.variables.iter().map(|(name, value)| format!("{name}={}", quoted(value)));
        variables.chain(self.words.iter().map(|word| quoted(word))).collect::<Vec<_>>().join(" ")
    }

    /// Runs to the end and shows the output.
    pub(crate) fn run(&self) -> Result<(), Failure> {
        self.timed(Child::wait, Stdio::inherit())
    }

    /// Runs to the end, shows the output, and passes each line of standard output to `see` as well.
    pub(crate) fn watch(&self, mut see: impl FnMut(&str)) -> Result<(), Failure> {
        self.lines(|line| {
            writeln!(io::stdout(), "{line}")?;
            see(line);
            Ok(())
        })
    }

    /// Runs to the end, and passes each line of standard output to `see` alone. The first error of it ends the step.
    pub(crate) fn lines(&self, mut see: impl FnMut(&str) -> io::Result<()>) -> Result<(), Failure> {
        let relay = |child: &mut Child| {
            if let Some(mut output) = child.stdout.take().map(BufReader::new) {
                let mut line = Vec::new();
                while output.read_until(b'\n', &mut line)? > 0 {
                    see(String::from_utf8_lossy(&line).trim_end())?;
                    line.clear();
                }
            }
            child.wait()
        };
        self.timed(relay, Stdio::piped())
    }

    /// Runs quietly and returns the standard output.
    pub(crate) fn read(&self) -> Result<String, Failure> {
        let output =
            self.command().stderr(Stdio::inherit()).output().map_err(|source| self.not_started(source))?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(self.refused())
        }
    }

    /// Runs silently and returns whether the exit status is zero.
    pub(crate) fn succeeds(&self) -> bool {
        let mut command = self.command();
        command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    }

    fn timed(
        &self,
        finish: impl FnOnce(&mut Child) -> io::Result<ExitStatus>,
        stdout: Stdio,
    ) -> Result<(), Failure> {
        eprintln!("==> {}", self.by_hand());
        let start = Instant::now();
        let mut child = self.command().stdout(stdout).spawn().map_err(|source| self.not_started(source))?;
        let status = finish(&mut child).map_err(|source| self.not_started(source))?;
        let verdict = if status.success() { "ok" } else { "FAILED" };
        eprintln!("==> {verdict} in {:.1?}", start.elapsed());
        if status.success() { Ok(()) } else { Err(self.refused()) }
    }

    fn command(&self) -> Command {
        let mut words = self.words.iter();
        let mut command = Command::new(words.next().map_or("", String::as_str));
        command
            .args(words)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.folder);
        command
    }

    fn refused(&self) -> Failure {
        Failure::Refused { by_hand: self.by_hand() }
    }

    fn not_started(&self, source: io::Error) -> Failure {
        Failure::NotStarted { program: self.words.first().cloned().unwrap_or_default(), source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand_is_what_a_shell_would_run() {
        let cases = [
            (Step::new("cargo doc  --no-deps"), "cargo doc --no-deps"),
            (
                Step::new("cargo doc").variable("RUSTDOCFLAGS", "-D warnings"),
                "RUSTDOCFLAGS='-D warnings' cargo doc",
            ),
            (Step::new("cargo test").arguments(&["a b".into(), "--lib".into()]), "cargo test 'a b' --lib"),
        ];
        for (step, expected) in cases {
            assert_eq!(step.by_hand(), expected);
        }
    }

    #[test]
    fn a_failing_program_is_a_failure_that_names_its_command() {
        let failure = Step::new("git diff --quiet --no-index Cargo.toml rustfmt.toml").read().unwrap_err();
        assert_eq!(
            failure.to_string(),
            "failed. By hand: git diff --quiet --no-index Cargo.toml rustfmt.toml"
        );
        let failure = Step::new("no-such-program-here").run().unwrap_err();
        assert!(failure.to_string().starts_with("cannot run `no-such-program-here`: "), "{failure}");
    }

    #[test]
    fn what_is_watched_arrives_line_by_line() {
        let mut lines = Vec::new();
        Step::new("cargo --version --quiet").watch(|line| lines.push(line.to_owned())).unwrap();
        assert!(matches!(lines.as_slice(), [line] if line.starts_with("cargo ")), "{lines:?}");
        let closed = |_: &str| Err(io::ErrorKind::BrokenPipe.into());
        let failure = Step::new("cargo --version --quiet").lines(closed).unwrap_err();
        assert!(matches!(failure, Failure::NotStarted { .. }), "{failure}");
    }
}
