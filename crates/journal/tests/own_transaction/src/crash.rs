//! A crash at a chosen point of the program: the process ends at once, and nothing is flushed or rolled back.

use std::env;
use std::process::abort;
use std::sync::atomic::{AtomicU32, Ordering};

/// The variable with the number of the point at which the process ends, counted from 0.
const CRASH_AT: &str = "CRASH_AT";

/// A point between two statements.
pub(crate) fn point() {
    static PASSED: AtomicU32 = AtomicU32::new(0);
    let number = PASSED.fetch_add(1, Ordering::Relaxed);
    if env::var(CRASH_AT).is_ok_and(|at| at == number.to_string()) {
        abort();
    }
}
