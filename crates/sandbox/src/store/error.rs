//! Errors of the database, in words for the person who starts the sandbox.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use perennial_sqlite::problem_of_the_file;
use rusqlite::ErrorCode;

/// The reason why the sandbox cannot use its database.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file was written by another version of the sandbox.
    #[error("the database {} has schema {found}, and this sandbox knows {known} only: use the version that wrote it, or another file", .path.display())]
    Schema {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The schema known here.
        known: i64,
    },
    /// The file is a database of another program, and is left unchanged.
    #[error("the database {} belongs to another program: use another file", .path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// Another sandbox has the file open, or another program has locked it.
    #[error("the database {} is in use by another sandbox or program", .path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The files are not as the sandbox left them: for example, the log is missing, cut or of another database. Nothing
    /// is changed.
    #[error("the database {} {why}", .path.display())]
    Incomplete {
        /// The file.
        path: PathBuf,
        /// The problem, and the remedy.
        why: &'static str,
    },
    /// The file fails, for example because the disk is full. All answered requests are stored. Requests that were
    /// refused for this reason may have been executed nevertheless, if the system failed while it flushed them to the
    /// disk.
    #[error("the database {} {why}", .path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// The problem.
        why: &'static str,
        /// The error of the database.
        #[source]
        error: Arc<rusqlite::Error>,
    },
    /// No thread could be started for the database.
    #[error("the database's thread cannot be started")]
    Thread(#[source] std::io::Error),
    /// The database refused a statement: a defect of the sandbox.
    #[error("the database refuses a statement of the sandbox")]
    Statement(#[source] rusqlite::Error),
    /// A job panicked: a defect of the sandbox.
    #[error("internal error of the sandbox")]
    Panicked,
    /// The sandbox was stopped.
    #[error("the sandbox is stopped")]
    Closed,
}

impl StoreError {
    pub(super) fn unusable(path: &Path, error: Arc<rusqlite::Error>) -> Self {
        let path = path.to_owned();
        if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) {
            return Self::InUse { path };
        }
        let why = problem_of_the_file(&error);
        Self::Unusable { path, why, error }
    }
}
