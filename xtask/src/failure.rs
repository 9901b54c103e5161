//! Why a task stopped, said so that the next thing to type is plain.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Why a task stopped.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A programme ran and reported a failure of its own.
    Refused { by_hand: String },
    /// A programme could not be started, or what it printed could not be read.
    NotStarted { programme: String, source: io::Error },
    /// A file or folder could not be read or written.
    File { path: PathBuf, source: io::Error },
    /// A programme that is asked for facts printed something else.
    Unreadable { programme: String, source: serde_json::Error },
    /// The bundled database is compiled from its C source, and nothing here can do that.
    NoCompiler,
    /// Programmes that tests run are missing, and cannot be installed here.
    NoPrograms(String),
    /// Findings of tidy or of a release's gates, already printed.
    Untidy { findings: usize },
    /// A release needs a programme that cannot be installed here.
    NoTool { name: &'static str, by_hand: String },
    /// These crates need each other, so that none can be published first.
    Circle { crates: String },
    /// What a gate asks for cannot be reached from here, so that it has no answer.
    OutOfReach { what: &'static str },
    /// What nobody could ask keeps a release from going out.
    Unasked { gates: String },
    /// The task takes no arguments.
    Arguments { given: String },
    /// The task takes others.
    Unknown { given: String, known: String },
}

impl Failure {
    pub(crate) fn of_file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        |source| Self::File { path, source }
    }

    /// 2 for what was typed wrong, 1 for all else.
    pub(crate) fn exit(&self) -> ExitCode {
        ExitCode::from(if matches!(self, Self::Arguments { .. } | Self::Unknown { .. }) { 2 } else { 1 })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { by_hand } => write!(f, "failed. By hand: {by_hand}"),
            Self::NotStarted { programme, source } => write!(f, "cannot run `{programme}`: {source}"),
            Self::File { path, source } => write!(f, "cannot read or write {}: {source}", path.display()),
            Self::Unreadable { programme, source } => {
                write!(f, "cannot read what `{programme}` prints: {source}")
            }
            Self::NoCompiler => f.write_str(
                "no C compiler that finds the C library's headers; SQLite is compiled from source.\n\
                 Debian, Ubuntu: sudo apt-get install -y build-essential\n\
                 Fedora: sudo dnf install -y gcc glibc-devel\n\
                 macOS: xcode-select --install",
            ),
            Self::NoPrograms(packages) => write!(
                f,
                "tests need programmes that are not installed.\nDebian: sudo apt-get install -y {packages}"
            ),
            Self::Untidy { findings } => write!(f, "{findings} to mend"),
            Self::NoTool { name, by_hand } => write!(f, "cannot install {name}. By hand: {by_hand}"),
            Self::Circle { crates } => write!(f, "{crates} need each other: none can be published first"),
            Self::OutOfReach { what } => write!(f, "{what} cannot be reached from here"),
            Self::Unasked { gates } => {
                write!(f, "not published: nobody could ask {gates}. Publish where they can be asked")
            }
            Self::Arguments { given } => write!(f, "takes no arguments, but was given `{given}`"),
            Self::Unknown { given, known } => write!(f, "does not know `{given}`: {known}"),
        }
    }
}

/// Refuses arguments for a task that has none.
pub(crate) fn no_arguments(arguments: &[String]) -> Result<(), Failure> {
    if arguments.is_empty() { Ok(()) } else { Err(Failure::Arguments { given: arguments.join(" ") }) }
}
