//! Reasons why a database cannot be opened.

use std::path::Path;
use std::sync::Arc;

use super::StoreError;

/// The reason why a database cannot be opened, before the file is named.
pub(super) enum Unfit {
    Schema {
        found: i64,
        known: i64,
    },
    Foreign,
    /// The files are not as the sandbox left them.
    Files(&'static str),
    Sqlite(rusqlite::Error),
}

impl Unfit {
    pub(super) fn within(self, path: &Path) -> StoreError {
        match self {
            Self::Schema { found, known } => StoreError::Schema { path: path.to_owned(), found, known },
            Self::Foreign => StoreError::Foreign { path: path.to_owned() },
            Self::Files(why) => StoreError::Incomplete { path: path.to_owned(), why },
            Self::Sqlite(error) => StoreError::unusable(path, Arc::new(error)),
        }
    }
}

impl From<rusqlite::Error> for Unfit {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}
