//! The durations and limits of the state machine.

use std::time::Duration;

/// The durations and limits of the state machine. [`Rules::default`] is what the guide describes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rules {
    /// The time after the commit of an attempt within which its first byte may leave: 10 s.
    pub send_within: Duration,
    /// The latest effect that is believed possible after the last moment to send: 2 minutes. It covers the time in which
    /// a connection is made, and a gateway that works on after the caller gave up.
    pub latest_effect: Duration,
    /// The time for which a search may lack an object that exists: 60 s, or ten times the worst lag that was measured.
    pub index_lag: Duration,
    /// The time for which the gateway keeps transactions: 90 days.
    pub retention: Duration,
    /// The time before the end of the retention in which an absence proves nothing any more: 30 days.
    pub retention_margin: Duration,
    /// The greatest difference between the gateway's clock and this one: 5 minutes.
    pub clock_apart: Duration,
    /// The most attempts of a write whose spare is harmless: 3.
    pub attempts: usize,
    /// The time for which an intent waits for its card: 7 days.
    pub card_within: Duration,
    /// The time after a charge in which searches for it measure their lag: 1 hour.
    pub probed_within: Duration,
    /// The time after the last attempt from which a person may decide what no look could tell: 1 day.
    pub undecided_within: Duration,
    /// The time for which a list may lack a plan that the gateway confirmed: 1 day.
    pub listed_within: Duration,
    /// The shortest wait between two steps: 1 s.
    pub least_wait: Duration,
    /// The first wait between two looks, which doubles: 5 s.
    pub first_look_wait: Duration,
    /// The longest wait between two looks: 15 minutes.
    pub longest_look_wait: Duration,
    /// The waits before an intent with several attempts is looked at again after its outcome: an hour, and a day.
    pub rechecks: Vec<Duration>,
}

impl Default for Rules {
    fn default() -> Self {
        const fn minutes(minutes: u64) -> Duration {
            Duration::from_secs(minutes * 60)
        }
        const DAY: u64 = 24 * 60;
        Self {
            send_within: Duration::from_secs(10),
            latest_effect: minutes(2),
            index_lag: minutes(1),
            retention: minutes(90 * DAY),
            retention_margin: minutes(30 * DAY),
            clock_apart: crate::store::CLOCK_APART,
            attempts: 3,
            card_within: minutes(7 * DAY),
            probed_within: minutes(60),
            undecided_within: minutes(DAY),
            listed_within: minutes(DAY),
            least_wait: Duration::from_secs(1),
            first_look_wait: Duration::from_secs(5),
            longest_look_wait: minutes(15),
            rechecks: vec![minutes(60), minutes(DAY)],
        }
    }
}

impl Rules {
    /// The time after the last moment to send in which an absence proves nothing.
    pub fn window(&self) -> Duration {
        self.latest_effect + self.index_lag
    }

    /// Whether the gateway may have forgotten at this moment what was sent then.
    pub fn is_too_old(&self, then: crate::Moment, now: crate::Moment) -> bool {
        now.since(then) > self.retention.saturating_sub(self.retention_margin)
    }

    /// Returns the rules for a gateway whose searches were seen to lag by at most this much.
    #[must_use]
    pub fn with_worst_lag(mut self, worst: Duration) -> Self {
        self.index_lag = self.index_lag.max(worst * 10);
        self
    }

    /// The wait after this many looks.
    pub(super) fn between_looks(&self, looks: u32) -> Duration {
        let doubled = self.first_look_wait.saturating_mul(1 << looks.saturating_sub(1).min(20));
        doubled.min(self.longest_look_wait).max(self.least_wait)
    }

    /// The wait before the next look after the outcome.
    pub(super) fn recheck(&self, done: u32) -> Option<Duration> {
        self.rechecks.get(usize::try_from(done).unwrap_or(usize::MAX)).copied()
    }
}
