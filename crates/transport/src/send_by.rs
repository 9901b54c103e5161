//! The last moment at which a request may leave.

use std::time::{Duration, SystemTime};

/// The last moment at which the first byte of a request may leave, by two clocks: the wall clock, and the clock that
/// also counts the time in which the machine was suspended. The moment has passed if it has passed by one of them.
///
/// Whoever stores the decision to send a request before it is sent knows by this moment when it can no longer arrive.
///
/// ```
/// use std::time::Duration;
/// use perennial_transport::SendBy;
///
/// assert!(!SendBy::within(Duration::from_secs(10)).has_passed());
/// assert!(SendBy::within(Duration::ZERO).has_passed());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendBy {
    wall: SystemTime,
    awake: Duration,
}

impl SendBy {
    /// The longest duration of a call that is [sent once](crate::Sender::once): whoever stores when it was sent knows how
    /// late it can still arrive.
    pub const LONGEST_CALL: Duration = Duration::from_secs(60);

    /// The moment this long from now.
    pub fn within(time: Duration) -> Self {
        Self { wall: SystemTime::now() + time, awake: awake() + time }
    }

    /// Whether the moment has passed.
    pub fn has_passed(self) -> bool {
        SystemTime::now() >= self.wall || awake() >= self.awake
    }
}

/// The time since the machine started, suspension included.
#[cfg(target_os = "linux")]
fn awake() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::new(time.tv_sec.try_into().unwrap_or(0), time.tv_nsec.try_into().unwrap_or(0))
}

/// The time since the first call, by the clock of [`Instant`](std::time::Instant), which may not count suspension: then
/// only the wall clock does.
#[cfg(not(target_os = "linux"))]
fn awake() -> Duration {
    use std::sync::OnceLock;
    use std::time::Instant;

    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}
