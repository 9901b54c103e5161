//! The time of a journal.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

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

/// A clock that stands still until it is set, for tests with a sandbox whose world is advanced. Its clones show the same
/// time.
///
/// ```
/// use perennial_journal::{Clock, ManualClock, Moment};
///
/// let clock = ManualClock::from(Moment::from_millis(1_798_761_600_000));
/// let journals = clock.clone();
/// clock.set(Moment::from_millis(1_801_440_000_000));
/// assert_eq!(journals.now().to_string(), "2027-02-01T00:00:00.000Z");
/// ```
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    /// Sets the time.
    pub fn set(&self, now: Moment) {
        self.0.store(now.as_millis(), Ordering::SeqCst);
    }
}

impl From<Moment> for ManualClock {
    fn from(now: Moment) -> Self {
        Self(Arc::new(AtomicI64::new(now.as_millis())))
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Moment {
        Moment::from_millis(self.0.load(Ordering::SeqCst))
    }
}
