//! Why the database cannot be used, in words for whoever started the sandbox.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::ErrorCode;

/// Why the sandbox's database cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// It was written by another version of the sandbox.
    #[error("the database {} has schema {found}, and this sandbox knows {known} only: use the version that wrote it, or another file", .path.display())]
    Schema {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The schema known here.
        known: i64,
    },
    /// It is a database of another program, which is left as it is.
    #[error("the database {} belongs to another program: use another file", .path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// Another sandbox has it open, or another program has locked it.
    #[error("the database {} is in use by another sandbox or program", .path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// Its files are not what the sandbox left: the log is missing, cut or of another database, say. Nothing is changed.
    #[error("the database {} {why}", .path.display())]
    Incomplete {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        why: &'static str,
    },
    /// Its file fails: the disk is full, say. What was answered before is kept. Requests that were refused because of it
    /// may have been executed all the same, if the system failed as it flushed them to the disk.
    #[error("the database {} {why}", .path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
        /// The same in the words of the database.
        #[source]
        error: Arc<rusqlite::Error>,
    },
    /// No thread could be started for it.
    #[error("the database's thread cannot be started")]
    Thread(#[source] std::io::Error),
    /// A statement is refused: a defect of the sandbox.
    #[error("the database refuses a statement of the sandbox")]
    Statement(#[source] rusqlite::Error),
    /// A defect of the sandbox.
    #[error("the sandbox failed in a way that is its own fault")]
    Panicked,
    /// The sandbox was stopped.
    #[error("the sandbox is stopped")]
    Closed,
}

impl StoreError {
    pub(super) fn unusable(path: &Path, error: Arc<rusqlite::Error>) -> Self {
        let path = path.to_owned();
        let why = match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy) => return Self::InUse { path },
            Some(ErrorCode::DiskFull) => "has no room left: its disk is full",
            Some(ErrorCode::ReadOnly) => "cannot be written to: the file or its folder is read-only",
            Some(ErrorCode::CannotOpen) => {
                "cannot be opened: its folder must exist, and both must be readable and writable"
            }
            Some(ErrorCode::NotADatabase) => "is not one: the file holds something else",
            Some(ErrorCode::DatabaseCorrupt) => "is damaged: put back a copy of it, or use another file",
            _ => "cannot be read or written",
        };
        Self::Unusable { path, why, error }
    }
}

/// Whether the file fails, so that nothing more can be kept, and not a statement of ours.
pub(super) fn is_of_the_file(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::ReadOnly
                | ErrorCode::CannotOpen
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::OutOfMemory
        )
    )
}
