//! Limits on the exchanges of a client: how many run at once, and how many start in a second.

use std::num::NonZeroU32;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{Deadline, Time};

/// The limits on the exchanges of all clones of a [`Sender`](crate::Sender) together; no limit by default.
///
/// ```
/// use std::num::NonZeroU32;
/// use perennial_transport::Pace;
///
/// let pace = Pace { max_in_flight: NonZeroU32::new(4), ..Pace::default() };
/// assert_eq!(pace.per_second, None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// The maximum number of exchanges that run at once.
    pub max_in_flight: Option<NonZeroU32>,
    /// The maximum number of exchanges that start in a second: each starts at least this fraction of a second after the
    /// previous one.
    pub per_second: Option<NonZeroU32>,
}

/// Permits for exchanges within a [`Pace`].
#[derive(Debug)]
pub(crate) struct Permits {
    in_flight: Option<Arc<Semaphore>>,
    starts: Option<Starts>,
}

/// The moments at which exchanges may start.
#[derive(Debug)]
struct Starts {
    interval: Duration,
    next: Mutex<Option<Instant>>,
}

/// The permit of one exchange; dropping it releases it.
#[derive(Debug)]
pub(crate) struct Permit(
    #[expect(dead_code, reason = "dropping it is its use")] Option<OwnedSemaphorePermit>,
);

impl Permits {
    pub(crate) fn new(pace: Pace) -> Self {
        let Pace { max_in_flight, per_second } = pace;
        let number = |most: NonZeroU32| usize::try_from(most.get()).unwrap_or(usize::MAX);
        Self {
            in_flight: max_in_flight
                .map(|most| Arc::new(Semaphore::new(number(most).min(Semaphore::MAX_PERMITS)))),
            starts: per_second.map(|per_second| Starts {
                interval: Duration::from_secs(1) / per_second.get(),
                next: Mutex::default(),
            }),
        }
    }

    /// Waits for the permit of an exchange, in the order of the calls; `None` if its turn would come after the
    /// deadline.
    pub(crate) async fn wait(&self, time: &dyn Time, deadline: Deadline) -> Option<Permit> {
        let permit = match &self.in_flight {
            Some(permits) => Some(before(time, deadline, permits.clone().acquire_owned()).await?.ok()?),
            None => None,
        };
        // A permit that came free at the deadline comes too late.
        if permit.is_some() && deadline.remaining(time.now()).is_zero() {
            return None;
        }
        if let Some(starts) = &self.starts {
            let wait = starts.reserve(time.now(), deadline)?;
            if !wait.is_zero() {
                time.sleep(wait).await;
            }
        }
        Some(Permit(permit))
    }
}

impl Starts {
    /// Reserves the next start and returns the wait until it; `None`, without a reservation, if it would come after the
    /// deadline.
    fn reserve(&self, now: Instant, deadline: Deadline) -> Option<Duration> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let start = next.map_or(now, |next| next.max(now));
        let wait = start - now;
        if !wait.is_zero() && wait >= deadline.remaining(now) {
            return None;
        }
        *next = start.checked_add(self.interval);
        Some(wait)
    }
}

/// The output of the future; `None` if the deadline passes first.
async fn before<T>(time: &dyn Time, deadline: Deadline, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut expiry = time.sleep(deadline.remaining(time.now()));
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => expiry.as_mut().poll(context).map(|()| None),
    })
    .await
}
