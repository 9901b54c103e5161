//! One document being read: what is allowed, and, once it failed, where and why.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};

use perennial_domain::mask::Prose;
use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess};
use serde_json::value::RawValue;

use crate::error::{DecodeError, DecodeErrorKind};
use crate::format::Format;
use crate::json;
use crate::limits::Limits;

/// How scalars reach the reader.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scalars {
    /// JSON, with numbers already parsed: fast, and right for all but fractions and huge integers.
    Json,
    /// JSON, with each scalar as its own text.
    JsonText,
    /// XML, where every scalar is text.
    Xml,
}

/// The state of one reading. The path is gathered while an error travels up, so that success pays nothing for it.
pub(crate) struct Reading<'r> {
    pub(crate) limits: &'r Limits,
    pub(crate) scalars: Scalars,
    failure: Cell<Option<DecodeErrorKind>>,
    /// Whether the value that failed was read to its end, so that what follows it can be read.
    passed: Cell<bool>,
    inexact: Cell<bool>,
    trail: RefCell<Vec<&'static str>>,
    key: RefCell<Option<String>>,
}

/// A value that was read to its end and cannot be taken: the first member that is wrong, and the key of the record
/// around it.
#[cfg_attr(test, derive(Clone, Debug, PartialEq))]
pub(crate) struct Spoiled {
    pub(crate) kind: DecodeErrorKind,
    trail: Vec<&'static str>,
    pub(crate) key: Option<String>,
}

impl Spoiled {
    /// The member, from the record on.
    pub(crate) fn path(&self) -> String {
        self.trail.iter().rev().copied().collect::<Vec<_>>().join(".")
    }
}

impl<'r> Reading<'r> {
    pub(crate) fn new(scalars: Scalars, limits: &'r Limits) -> Self {
        Self {
            limits,
            scalars,
            failure: Cell::default(),
            passed: Cell::default(),
            inexact: Cell::default(),
            trail: RefCell::default(),
            key: RefCell::default(),
        }
    }

    /// The outermost level.
    pub(crate) fn root(&self) -> At<'_> {
        At { reading: self, depth: 1, prose: Prose::Exact }
    }

    /// Whether a number was met whose text has to be read to keep it exact.
    pub(crate) fn is_inexact(&self) -> bool {
        self.inexact.get()
    }

    /// The error, of the kind that the failing member gave, else of `kind`.
    pub(crate) fn error(self, format: Format, kind: DecodeErrorKind) -> DecodeError {
        let mut trail = self.trail.into_inner();
        trail.reverse();
        DecodeError::new(format, trail.join("."), self.failure.get().unwrap_or(kind))
    }
}

/// A level of the document being read.
#[derive(Clone, Copy)]
pub(crate) struct At<'r> {
    reading: &'r Reading<'r>,
    depth: usize,
    /// How much of the texts here may be a secret.
    prose: Prose,
}

impl<'r> At<'r> {
    pub(crate) fn limits(self) -> &'r Limits {
        self.reading.limits
    }

    pub(crate) fn scalars(self) -> Scalars {
        self.reading.scalars
    }

    /// The value of this member.
    pub(crate) fn of(self, member: &str) -> Self {
        let prose = if self.limits().mask.is_some() { Prose::of(member) } else { self.prose };
        Self { prose, ..self }
    }

    /// A number or a boolean.
    pub(crate) fn bare(self) -> Self {
        Self { prose: Prose::Exact, ..self }
    }

    /// A text, masked as far as the document is.
    pub(crate) fn masked(self, text: Cow<'_, str>) -> Cow<'_, str> {
        let Some(known) = &self.limits().mask else { return text };
        match known.mask(&text, self.prose) {
            Cow::Owned(masked) => Cow::Owned(masked),
            Cow::Borrowed(_) => text,
        }
    }

    pub(crate) fn deeper(self) -> Self {
        Self { depth: self.depth + 1, ..self }
    }

    /// Whether a value here would reach below the deepest level.
    pub(crate) fn is_too_deep(self, value: &RawValue) -> bool {
        self.depth + json::levels(value.get()) > self.limits().depth
    }

    /// Fails for a reason that the codec's own error cannot carry.
    pub(crate) fn fail<E: Error>(self, kind: DecodeErrorKind) -> E {
        self.reading.failure.set(Some(kind));
        self.reading.passed.set(false);
        E::custom("")
    }

    /// Fails at a value that has been read to its end: what follows it can still be read.
    pub(crate) fn spoil<E: Error>(self, kind: DecodeErrorKind) -> E {
        let error = self.fail(kind);
        self.reading.passed.set(true);
        error
    }

    /// What the error that has just been met is about, if the reading can go on after it.
    pub(crate) fn spoiled(self) -> Option<Spoiled> {
        let Reading { failure, passed, trail, key, .. } = self.reading;
        if !passed.replace(false) {
            return None;
        }
        Some(Spoiled { kind: failure.take()?, trail: trail.take(), key: key.take() })
    }

    /// Fails once more for a value within this one, which has been read to its end, too.
    pub(crate) fn spoil_again<E: Error>(self, spoiled: Spoiled, key: Option<String>) -> E {
        let Spoiled { kind, trail, key: inner } = spoiled;
        self.reading.trail.replace(trail);
        self.reading.key.replace(key.or(inner));
        self.spoil(kind)
    }

    /// Passes over the members of an object that stands where none belongs.
    pub(crate) fn pass_map<'de, A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_key::<IgnoredAny>()?.is_some() {
            self.skip(&mut map)?;
        }
        Ok(())
    }

    /// Passes over the items of a list that stands where none belongs.
    pub(crate) fn pass_seq<'de, A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(item) = seq.next_element::<&RawValue>()? {
            if self.is_too_deep(item) {
                return Err(self.fail(DecodeErrorKind::TooDeep));
            }
        }
        Ok(())
    }

    /// Fails at a number that only its text can carry.
    pub(crate) fn inexact<E: Error>(self) -> E {
        self.reading.inexact.set(true);
        self.fail(DecodeErrorKind::WrongType)
    }

    /// Notes the member through which an error leaves.
    pub(crate) fn through<E>(self, member: &'static str, error: E) -> E {
        self.reading.trail.borrow_mut().push(member);
        error
    }

    /// Passes over the value of a member that no table knows.
    pub(crate) fn skip<'de, A: MapAccess<'de>>(self, map: &mut A) -> Result<(), A::Error> {
        let deep = match self.scalars() {
            Scalars::Xml => {
                map.next_value::<IgnoredAny>()?;
                false
            }
            Scalars::Json | Scalars::JsonText => {
                let skipped: &RawValue = map.next_value()?;
                self.is_too_deep(skipped)
            }
        };
        if deep { Err(self.fail(DecodeErrorKind::TooDeep)) } else { Ok(()) }
    }
}
