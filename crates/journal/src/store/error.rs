//! Errors of a database, in words for the person who operates it.

use std::sync::Arc;

/// The reason why a journal cannot use its database. Nothing of the call is stored, unless the text says otherwise.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The URL names no database of a known kind.
    #[error("{0}: give sqlite:PATH or postgres://USER@HOST/DATABASE")]
    Url(&'static str),
    /// The database was written by a newer version.
    #[error(
        "the journal {place} has schema {found}, and this program knows up to {known}: use a newer version of it"
    )]
    Newer {
        /// The database.
        place: String,
        /// Its schema.
        found: i64,
        /// The newest schema known here.
        known: i64,
    },
    /// The database belongs to something else.
    #[error(
        "the database {0} has tables named perennial that this program did not make: use another database"
    )]
    Foreign(String),
    /// The database was restored, copied or moved.
    #[error(
        "the journal {place} is not the one that was used last: {why}. Nothing is sent. Run `perennial journal adopt` \
         after you made sure that no other copy of it is in use"
    )]
    NotTheSame {
        /// The database.
        place: String,
        /// The difference.
        why: String,
    },
    /// The journal's time is ahead of the clock: a clock was wrong, or it was a sandbox's.
    #[error(
        "the time of the journal {place} is {stored}, and the clock shows {clock}. Nothing is sent. Correct the clock; if \
         the journal's time is wrong, because another clock was wrong or because it was used with a sandbox's clock, run \
         `perennial journal adopt`"
    )]
    ClockBehind {
        /// The database.
        place: String,
        /// The journal's time.
        stored: crate::Moment,
        /// The clock's time.
        clock: crate::Moment,
    },
    /// Another process holds the database locked.
    #[error(
        "the database {0} is locked by another program for longer than five seconds: try again, or end that program"
    )]
    Busy(String),
    /// The database cannot be reached.
    #[error("the database {place} cannot be reached: {why}; the journal does nothing without it")]
    Lost {
        /// The database.
        place: String,
        /// The reason.
        why: String,
    },
    /// The file fails.
    #[error("the database {place} {why}")]
    Unusable {
        /// The database.
        place: String,
        /// The problem.
        why: &'static str,
    },
    /// A row cannot be read.
    #[error("the journal {place} is damaged: {why}; restore a backup, then run `perennial journal adopt`")]
    Damaged {
        /// The database.
        place: String,
        /// The part that cannot be read.
        why: String,
    },
    /// The database refused a statement: a defect of this program.
    #[error("the database refused a statement of the journal: {0}")]
    Statement(Arc<str>),
    /// The journal is closed.
    #[error("the journal is closed")]
    Closed,
}
