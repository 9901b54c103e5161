//! The end of a call's time, and the clock that measures it.

use std::time::{Duration, Instant};

use async_trait::async_trait;

/// The instant by which a call is over, with or without a response. It is always finite.
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
    /// The maximum time of a call: a day.
    pub const LONGEST: Duration = Duration::from_secs(24 * 3_600);

    /// The deadline this long after `now`, at most [`LONGEST`](Self::LONGEST) after it.
    pub fn after(now: Instant, timeout: Duration) -> Self {
        Self(now + timeout.min(Self::LONGEST))
    }

    /// The instant, by the clock that the deadline was made from.
    pub fn instant(self) -> Instant {
        self.0
    }

    /// The time left at `now`; zero after the deadline.
    pub fn remaining(self, now: Instant) -> Duration {
        self.0.saturating_duration_since(now)
    }
}

/// The clock and the sleep of a [`Sender`](crate::Sender), so that tests can be exact and take no time.
#[async_trait]
pub trait Time: Send + Sync {
    /// The current time, by a clock that never goes back.
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
