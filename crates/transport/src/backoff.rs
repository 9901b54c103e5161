//! Waits before retries, and the number of retries that a client may make.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use http::{HeaderMap, HeaderName, header};

/// Exponential backoff with full jitter: the wait before retry *n* is random between zero and `base * 2^(n - 1)`, and
/// never above `cap`.
///
/// ```
/// use std::time::Duration;
/// use perennial_transport::Backoff;
///
/// let backoff = Backoff { base: Duration::from_secs(1), cap: Duration::from_secs(5) };
/// assert_eq!([1, 2, 3, 4].map(|repeat| backoff.ceiling(repeat).as_secs()), [1, 2, 4, 5]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The maximum wait before the first retry.
    pub base: Duration,
    /// The maximum wait before any retry.
    pub cap: Duration,
}

/// Picks a duration from zero up to and including the one given.
///
/// [`full_jitter`] is random; a test passes `|upper| upper`, which makes every wait predictable.
pub type Jitter = fn(Duration) -> Duration;

/// The maximum time by which a wait requested by a response may exceed the backoff.
const COURTESY: Duration = Duration::from_secs(5);

impl Backoff {
    /// The maximum wait before this retry; the first retry is 1.
    pub fn ceiling(&self, repeat: u32) -> Duration {
        let doubled = 1_u32.checked_shl(repeat.saturating_sub(1)).unwrap_or(u32::MAX);
        self.base.saturating_mul(doubled).min(self.cap)
    }

    /// The wait before this retry: the jittered one, or the longer one that the response requested.
    ///
    /// A requested wait of up to `granted` is granted in full. A longer one counts only up to five seconds more than
    /// the jittered one: a gateway may slow a client down, not stop it.
    pub(crate) fn wait(
        &self,
        repeat: u32,
        requested: Option<Duration>,
        granted: Duration,
        jitter: Jitter,
    ) -> Duration {
        let own = jitter(self.ceiling(repeat));
        match requested {
            None => own,
            Some(requested) if requested <= granted => requested.max(own),
            Some(requested) => requested.clamp(own, own.saturating_add(COURTESY)),
        }
    }
}

impl Default for Backoff {
    /// Starts at 250 ms and doubles up to 5 s: three attempts end well within a call of 30 s.
    fn default() -> Self {
        Self { base: Duration::from_millis(250), cap: Duration::from_secs(5) }
    }
}

/// Uniformly random between zero and `upper`, so that clients that failed together do not return together.
pub fn full_jitter(upper: Duration) -> Duration {
    let nanos = u64::try_from(upper.as_nanos()).unwrap_or(u64::MAX);
    Duration::from_nanos(fastrand::u64(0..=nanos))
}

/// The wait that `Retry-After` requests: delta-seconds, or an HTTP date minus the response's own `Date`, so
/// that neither clock needs to be right. Any other value counts as absent.
///
/// ```
/// use std::time::Duration;
/// use http::{HeaderMap, header};
///
/// let mut headers = HeaderMap::new();
/// headers.insert(header::RETRY_AFTER, "120".parse().unwrap());
/// assert_eq!(perennial_transport::retry_after(&headers), Some(Duration::from_secs(120)));
/// ```
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name)?.to_str().ok().map(str::trim);
    let requested = text(header::RETRY_AFTER)?;
    if requested.bytes().all(|byte| byte.is_ascii_digit()) {
        return requested.parse().ok().map(Duration::from_secs);
    }
    let until = httpdate::parse_http_date(requested).ok()?;
    let answered = httpdate::parse_http_date(text(header::DATE)?).ok()?;
    Some(until.duration_since(answered).unwrap_or(Duration::ZERO))
}

/// The retries that a client may still make. A gateway that fails every call sees at most five percent more calls than
/// it would without retries, after the saved tokens are spent.
#[derive(Debug)]
pub(crate) struct Budget {
    tokens: AtomicU32,
    capacity: u32,
}

/// The tokens that a retry costs; each call earns one.
const PRICE: u32 = 20;

impl Budget {
    pub(crate) fn new(repeats: u32) -> Self {
        let capacity = repeats.saturating_mul(PRICE);
        Self { tokens: AtomicU32::new(capacity), capacity }
    }

    pub(crate) fn earn(&self) {
        self.change(|tokens| (tokens < self.capacity).then_some(tokens + 1));
    }

    #[must_use]
    pub(crate) fn spend(&self) -> bool {
        self.change(|tokens| tokens.checked_sub(PRICE))
    }

    fn change(&self, to: impl FnMut(u32) -> Option<u32>) -> bool {
        self.tokens.fetch_update(Ordering::Relaxed, Ordering::Relaxed, to).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn ceilings_do_not_overflow() {
        let backoff = Backoff { base: SECOND, cap: Duration::MAX };
        for (repeat, seconds) in [
            (0, 1),
            (1, 1),
            (2, 2),
            (32, 1 << 31),
            (33, u64::from(u32::MAX)),
            (u32::MAX, u64::from(u32::MAX)),
        ] {
            assert_eq!(backoff.ceiling(repeat), Duration::from_secs(seconds), "repeat {repeat}");
        }
        assert_eq!(Backoff { base: Duration::MAX, cap: Duration::MAX }.ceiling(9), Duration::MAX);
    }

    /// Holds: A Retry-After of the gateway is clamped.
    #[test]
    fn what_the_gateway_asks_is_clamped() {
        let backoff = Backoff { base: 2 * SECOND, cap: 60 * SECOND };
        for (repeat, requested, seconds, of_20_granted) in [
            (1, None, 2, 2),
            (2, None, 4, 4),
            (1, Some(0), 2, 2),
            (1, Some(3), 3, 3),
            (1, Some(7), 7, 7),
            (1, Some(8), 7, 8),
            (1, Some(20), 7, 20),
            (1, Some(21), 7, 7),
            (2, Some(86_400), 9, 9),
            (1, Some(u64::MAX), 7, 7),
        ] {
            let wait =
                |granted| backoff.wait(repeat, requested.map(Duration::from_secs), granted, |upper| upper);
            assert_eq!(
                wait(Duration::ZERO),
                Duration::from_secs(seconds),
                "repeat {repeat}, asked {requested:?}"
            );
            assert_eq!(
                wait(20 * SECOND),
                Duration::from_secs(of_20_granted),
                "repeat {repeat}, asked {requested:?}"
            );
        }
        assert_eq!(backoff.wait(3, None, SECOND, |_| Duration::ZERO), Duration::ZERO);
    }

    #[test]
    fn full_jitter_stays_below_and_reaches_everywhere() {
        let waits: Vec<_> = (0..1_000).map(|_| full_jitter(SECOND)).collect();
        assert!(waits.iter().all(|wait| *wait <= SECOND));
        assert!(
            waits.iter().any(|wait| *wait < SECOND / 10) && waits.iter().any(|wait| *wait > SECOND * 9 / 10)
        );
        assert_eq!(full_jitter(Duration::ZERO), Duration::ZERO);
    }

    #[test]
    fn both_forms_of_retry_after() {
        let noon = "Sat, 21 Nov 2026 12:00:00 GMT";
        for (requested, date, seconds) in [
            ("0", None, Some(0)),
            ("120", None, Some(120)),
            (" 7 ", None, Some(7)),
            ("", None, None),
            ("-1", None, None),
            ("+1", None, None),
            ("1.5", None, None),
            ("soon", None, None),
            ("99999999999999999999", None, None),
            ("Sat, 21 Nov 2026 12:00:30 GMT", Some(noon), Some(30)),
            ("Sat, 21 Nov 2026 11:59:00 GMT", Some(noon), Some(0)),
            ("Sat, 21 Nov 2026 12:00:30 GMT", None, None),
            ("Sat, 21 Nov 2026 12:00:30 GMT", Some("yesterday"), None),
            ("2026-11-21T12:00:30Z", Some(noon), None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(requested));
            if let Some(date) = date {
                headers.insert(header::DATE, HeaderValue::from_static(date));
            }
            assert_eq!(retry_after(&headers), seconds.map(Duration::from_secs), "{requested:?} at {date:?}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }

    /// Holds: A spent retry budget grants one retry in twenty calls.
    #[test]
    fn a_spent_budget_refills_one_repeat_in_twenty_calls() {
        let budget = Budget::new(2);
        budget.earn();
        assert_eq!([budget.spend(), budget.spend(), budget.spend()], [true, true, false]);
        let repeats = (0..10_000).filter(|_| {
            budget.earn();
            budget.spend()
        });
        assert_eq!(repeats.count(), 500);
    }
}
