//! Why a task stopped, said so that the next thing to type is plain.

use std::fmt;
use std::io;

/// Why a task stopped.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A programme ran and reported a failure of its own.
    Refused { by_hand: String },
    /// A programme could not be started, or what it printed could not be read.
    NotStarted { programme: String, source: io::Error },
    /// A programme that is asked for facts printed something else.
    Unreadable { programme: String, source: serde_json::Error },
    /// The bundled database is compiled from its C source, and nothing here can do that.
    NoCompiler,
    /// Programmes that tests run are missing, and cannot be installed here.
    NoPrograms(String),
    /// Findings of tidy or of a release's gates, already printed.
    Untidy { findings: usize },
    /// A release needs a programme of this version, which cannot be installed here.
    NoTool { name: &'static str, version: &'static str },
    /// These crates need each other, so that none can be published first.
    Circle { crates: String },
    /// Only what has a name and a day goes out.
    Undated { heading: String },
    /// The task takes no arguments.
    Arguments { given: String },
    /// The task takes others.
    Unknown { given: String, known: &'static str },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { by_hand } => write!(f, "failed. By hand: {by_hand}"),
            Self::NotStarted { programme, source } => write!(f, "cannot run `{programme}`: {source}"),
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
            Self::NoTool { name, version } => {
                write!(f, "cannot install {name}. By hand: cargo install --locked {name}@{version}")
            }
            Self::Circle { crates } => write!(f, "{crates} need each other: none can be published first"),
            Self::Undated { heading } => write!(f, "CHANGELOG.md still says `{heading}`: write the day"),
            Self::Arguments { given } => write!(f, "takes no arguments, but was given `{given}`"),
            Self::Unknown { given, known } => write!(f, "does not know `{given}`: {known}"),
        }
    }
}

/// Refuses arguments for a task that has none.
pub(crate) fn no_arguments(arguments: &[String]) -> Result<(), Failure> {
    if arguments.is_empty() { Ok(()) } else { Err(Failure::Arguments { given: arguments.join(" ") }) }
}
