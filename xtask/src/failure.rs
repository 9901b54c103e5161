//! The reason why a task stopped, with the next command to type.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The reason why a task stopped.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A program ran and reported a failure.
    Refused { by_hand: String },
    /// A program could not be started, or its output could not be read.
    NotStarted { program: String, source: io::Error },
    /// A file or folder could not be read or written.
    File { path: PathBuf, source: io::Error },
    /// The output of a program has an unexpected form.
    Unreadable { program: String, source: serde_json::Error },
    /// The bundled database is compiled from its C source, and no C compiler was found.
    NoCompiler,
    /// Programs that tests run are missing, and cannot be installed.
    NoPrograms(String),
    /// Findings of tidy or of a release's gates, already printed.
    Untidy { findings: usize },
    /// A release needs a program that cannot be installed.
    NoTool { name: &'static str, by_hand: String },
    /// These crates need each other, so that none can be published first.
    Circle { crates: String },
    /// A gate needs a network resource that is out of reach, so it has no answer.
    OutOfReach { what: &'static str },
    /// Gates without an answer prevent a release.
    Unanswered { gates: String },
    /// Other programs use the cores on which a benchmark is to run.
    Busy { percent: u64 },
    /// The task takes no arguments.
    Arguments { given: String },
    /// The task does not accept this argument.
    Unknown { given: String, known: String },
}

impl Failure {
    pub(crate) fn of_file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        |source| Self::File { path, source }
    }

    /// The exit status: 2 for an error on the command line, 1 for all others.
    pub(crate) fn exit(&self) -> ExitCode {
        ExitCode::from(if matches!(self, Self::Arguments { .. } | Self::Unknown { .. }) { 2 } else { 1 })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { by_hand } => write!(f, "failed. By hand: {by_hand}"),
            Self::NotStarted { program, source } => write!(f, "cannot run `{program}`: {source}"),
            Self::File { path, source } => write!(f, "cannot read or write {}: {source}", path.display()),
            Self::Unreadable { program, source } => {
                write!(f, "cannot read what `{program}` prints: {source}")
            }
            Self::NoCompiler => f.write_str(
                "no C compiler that finds the C library's headers; SQLite is compiled from source.\n\
                 Debian, Ubuntu: sudo apt-get install -y build-essential\n\
                 Fedora: sudo dnf install -y gcc glibc-devel\n\
                 macOS: xcode-select --install",
            ),
            Self::NoPrograms(packages) => write!(
                f,
                "tests need programs that are not installed.\nDebian: sudo apt-get install -y {packages}"
            ),
            Self::Untidy { findings } => write!(f, "{findings} to mend"),
            Self::NoTool { name, by_hand } => write!(f, "cannot install {name}. By hand: {by_hand}"),
            Self::Circle { crates } => write!(f, "{crates} need each other: none can be published first"),
            Self::OutOfReach { what } => write!(f, "{what} cannot be reached from here"),
            Self::Unanswered { gates } => {
                write!(f, "not published: nobody could ask {gates}. Publish where they can be asked")
            }
            Self::Busy { percent } => write!(
                f,
                "other programs use {percent} % of a core, so that nothing is measured: stop them, or say --busy to measure anyway"
            ),
            Self::Arguments { given } => write!(f, "takes no arguments, but was given `{given}`"),
            Self::Unknown { given, known } => write!(f, "does not know `{given}`: {known}"),
        }
    }
}

/// Refuses arguments for a task without arguments.
pub(crate) fn no_arguments(arguments: &[String]) -> Result<(), Failure> {
    if arguments.is_empty() { Ok(()) } else { Err(Failure::Arguments { given: arguments.join(" ") }) }
}
