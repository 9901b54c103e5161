//! Records whether a client ever had a connection: before the first one it has sent nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Set by the first connection, TLS and the tunnel of a proxy included, before anything is sent over it.
#[derive(Clone, Default)]
pub(crate) struct Connected(Arc<AtomicBool>);

impl Connected {
    pub(crate) fn get(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}
