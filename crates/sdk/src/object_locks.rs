//! Locks for objects: changes to one object are sent in call order, because the gateway applies first in, first out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Mutex as Lock, OwnedMutexGuard};

/// The locks in use, by the paths of their objects.
#[derive(Default)]
pub(crate) struct ObjectLocks(Mutex<HashMap<String, Arc<Lock<()>>>>);

/// The right to change one object. When it is dropped, the next waiting call gets it.
pub(crate) struct ObjectGuard<'a> {
    // The lock is released before its entry is removed.
    _free: OwnedMutexGuard<()>,
    _entry: Entry<'a>,
}

struct Entry<'a> {
    locks: &'a ObjectLocks,
    path: String,
    lock: Arc<Lock<()>>,
}

impl ObjectLocks {
    /// Waits for the lock of the object at this path. Calls get it in the order in which they ask.
    pub(crate) async fn guard(&self, path: &str) -> ObjectGuard<'_> {
        let lock = self.entries().entry(path.to_owned()).or_default().clone();
        let entry = Entry { locks: self, path: path.to_owned(), lock };
        ObjectGuard { _free: entry.lock.clone().lock_owned().await, _entry: entry }
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<String, Arc<Lock<()>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        let mut locks = self.locks.entries();
        // Two references: the map's and this one. Entries are taken under the same lock, so no other call waits.
        if Arc::strong_count(&self.lock) == 2 {
            locks.remove(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    /// Holds: Waiting changes to an object run in call order, and an object without waiting changes uses no memory.
    #[test]
    fn guards_are_given_in_order_and_locks_are_cleared() {
        let locks = ObjectLocks::default();
        let mut context = Context::from_waker(Waker::noop());
        let (mut first, mut second, mut third) =
            (pin!(locks.guard("/a")), pin!(locks.guard("/a")), pin!(locks.guard("/a")));
        let Poll::Ready(guard) = first.as_mut().poll(&mut context) else { panic!("a free lock") };
        assert!(second.as_mut().poll(&mut context).is_pending());
        assert!(third.as_mut().poll(&mut context).is_pending());
        assert!(pin!(locks.guard("/b")).poll(&mut context).is_ready(), "another object waits for nobody");
        assert_eq!(locks.entries().len(), 1);

        drop(guard);
        assert!(third.as_mut().poll(&mut context).is_pending(), "the second was first");
        let Poll::Ready(guard) = second.as_mut().poll(&mut context) else { panic!("its turn") };
        drop(guard);
        assert!(third.as_mut().poll(&mut context).is_ready());
        assert_eq!(locks.entries().len(), 0);
    }

    #[test]
    fn whoever_gives_up_leaves_nothing_behind() {
        let locks = ObjectLocks::default();
        let mut context = Context::from_waker(Waker::noop());
        let Poll::Ready(guard) = pin!(locks.guard("/a")).poll(&mut context) else { panic!("a free lock") };
        {
            let mut waiting = Box::pin(locks.guard("/a"));
            assert!(waiting.as_mut().poll(&mut context).is_pending());
            drop(guard);
        }
        assert_eq!(locks.entries().len(), 0);
    }
}
