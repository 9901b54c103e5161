//! When a call must be over, and the clock that says so.

use std::time::{Duration, Instant};

use async_trait::async_trait;

/// The instant by which a call is over, answered or not. It is always finite.
///
/// ```
/// use std::time::{Duration, Instant};
/// use perennial_transport::Deadline;
///
/// let now = Instant::now();
/// let deadline = Deadline::after(now, Duration::from_secs(30));
/// assert_eq!(deadline.remaining(now + Duration::from_secs(10)), Duration::from_secs(20));
/// assert_eq!(deadline.remaining(now + Duration::from_secs(31)), Duration::ZERO);
/// assert_eq!(Deadline::after(now, Duration::MAX), Deadline::after(now, Deadline::LONGEST));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Deadline(Instant);

impl Deadline {
    /// No call waits longer than a day.
    pub const LONGEST: Duration = Duration::from_hours(24);

    /// The deadline this long after `now`, and never longer after it than [`LONGEST`](Self::LONGEST).
    pub fn after(now: Instant, timeout: Duration) -> Self {
        Self(now + timeout.min(Self::LONGEST))
    }

    /// The instant, by the clock that the deadline was made from.
    pub fn instant(self) -> Instant {
        self.0
    }

    /// How much time is left at `now`; zero once the deadline has passed.
    pub fn remaining(self, now: Instant) -> Duration {
        self.0.saturating_duration_since(now)
    }
}

/// The clock and the sleep of a [`Sender`](crate::Sender), so that tests can be exact and take no time.
#[async_trait]
pub trait Time: Send + Sync {
    /// Now, by a clock that never goes back.
    fn now(&self) -> Instant;

    /// Returns when this much time has passed.
    async fn sleep(&self, duration: Duration);
}

/// Tokio's clock: the real one, or the paused one of a Tokio test.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokioTime;

#[async_trait]
impl Time for TokioTime {
    fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
