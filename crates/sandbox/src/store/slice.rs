//! The memory of the engine while it makes payments: values that no payment changes are read once, and the numbers that
//! payments take are written once, at the end.

use std::cell::{Cell, OnceCell, RefCell};

use rusqlite::Result;

use super::settings::Settings;
use super::world::Kind;
use crate::clock::Moment;

/// The open batch, as far as a slice knows it.
#[derive(Clone, Copy, Default)]
pub(super) enum OpenBatch {
    #[default]
    Unread,
    Is(Option<(u64, Moment)>),
}

/// The memory of a slice. A session has it while the engine makes payments, and no other work runs in that session.
#[derive(Default)]
pub(crate) struct Slice {
    pub(super) webhook: OnceCell<Option<String>>,
    pub(super) settings: OnceCell<Settings>,
    pub(super) open_batch: Cell<OpenBatch>,
    /// The numbers of the last objects.
    made: RefCell<Vec<(Kind, u64)>>,
}

impl Slice {
    /// The number of the next object of this kind; `read` reads the number of the last one.
    pub(super) fn next(&self, kind: Kind, read: impl FnOnce() -> Result<u64>) -> Result<u64> {
        let mut numbers = self.made.borrow_mut();
        if let Some((_, made)) = numbers.iter_mut().find(|(of, _)| *of == kind) {
            *made += 1;
            return Ok(*made);
        }
        let made = read()? + 1;
        numbers.push((kind, made));
        Ok(made)
    }

    /// The numbers of the last objects, for each kind of which the slice made some.
    pub(super) fn made(self) -> Vec<(Kind, u64)> {
        self.made.into_inner()
    }
}
