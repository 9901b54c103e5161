//! One lane per object: what changes it leaves in call order, because the gateway applies first in, first out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Mutex as Lane, OwnedMutexGuard};

/// The lanes that are in use, by the path of their objects.
#[derive(Default)]
pub(crate) struct Lanes(Mutex<HashMap<String, Arc<Lane<()>>>>);

/// The right to change one object. The next in its lane has it when this one is dropped.
pub(crate) struct Turn<'a> {
    // The lane is free before the place in it is given up.
    _free: OwnedMutexGuard<()>,
    _place: Place<'a>,
}

struct Place<'a> {
    lanes: &'a Lanes,
    path: String,
    lane: Arc<Lane<()>>,
}

impl Lanes {
    /// Waits in the lane of the object at this path. Whoever asked first goes first.
    pub(crate) async fn turn(&self, path: &str) -> Turn<'_> {
        let lane = self.lock().entry(path.to_owned()).or_default().clone();
        let place = Place { lanes: self, path: path.to_owned(), lane };
        Turn { _free: place.lane.clone().lock_owned().await, _place: place }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Lane<()>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut lanes = self.lanes.lock();
        // The map's and this one: places are taken under the same lock, so nobody else waits.
        if Arc::strong_count(&self.lane) == 2 {
            lanes.remove(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    #[test]
    fn turns_are_taken_in_order_and_lanes_are_cleared() {
        let lanes = Lanes::default();
        let mut context = Context::from_waker(Waker::noop());
        let (mut first, mut second, mut third) =
            (pin!(lanes.turn("/a")), pin!(lanes.turn("/a")), pin!(lanes.turn("/a")));
        let Poll::Ready(turn) = first.as_mut().poll(&mut context) else { panic!("a free lane") };
        assert!(second.as_mut().poll(&mut context).is_pending());
        assert!(third.as_mut().poll(&mut context).is_pending());
        assert!(pin!(lanes.turn("/b")).poll(&mut context).is_ready(), "another object waits for nobody");
        assert_eq!(lanes.lock().len(), 1);

        drop(turn);
        assert!(third.as_mut().poll(&mut context).is_pending(), "the second was first");
        let Poll::Ready(turn) = second.as_mut().poll(&mut context) else { panic!("its turn") };
        drop(turn);
        assert!(third.as_mut().poll(&mut context).is_ready());
        assert_eq!(lanes.lock().len(), 0);
    }

    #[test]
    fn whoever_gives_up_leaves_nothing_behind() {
        let lanes = Lanes::default();
        let mut context = Context::from_waker(Waker::noop());
        let Poll::Ready(turn) = pin!(lanes.turn("/a")).poll(&mut context) else { panic!("a free lane") };
        {
            let mut waiting = Box::pin(lanes.turn("/a"));
            assert!(waiting.as_mut().poll(&mut context).is_pending());
            drop(turn);
        }
        assert_eq!(lanes.lock().len(), 0);
    }
}
