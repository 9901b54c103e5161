//! The time of a journal.

use std::fmt;

use crate::Moment;

/// The clock by which a journal decides what is due. It is the gateway's day and hour that count, so with a sandbox it
/// is the clock of the sandbox's world.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The current time.
    fn now(&self) -> Moment;

    /// The time by which processes of one database agree who works on what: the system's, even if [`now`](Self::now)
    /// stands still.
    fn system(&self) -> Moment {
        Moment::of_system()
    }
}

/// The clock of the system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        Moment::of_system()
    }
}

/// A clock that runs like the system's, from another moment on.
///
/// ```
/// use perennial_journal::{Clock, Moment, ShiftedClock};
///
/// let then = Moment::from_millis(1_800_000_000_000);
/// assert!(ShiftedClock::from(then).now() >= then);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct ShiftedClock {
    at_start: Moment,
    started: Moment,
}

impl From<Moment> for ShiftedClock {
    fn from(at_start: Moment) -> Self {
        Self { at_start, started: Moment::of_system() }
    }
}

impl Clock for ShiftedClock {
    fn now(&self) -> Moment {
        self.at_start + Moment::of_system().since(self.started)
    }
}
