//! The reading of one document: its limits, and, after a failure, the place and the reason.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};

use perennial_domain::mask::Prose;
use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess};
use serde_json::value::RawValue;

use crate::error::{DecodeError, DecodeErrorKind};
use crate::format::Format;
use crate::json;
use crate::limits::Limits;

/// The form in which scalars reach the reader.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scalars {
    /// JSON, with numbers already parsed: fast, and exact for all but fractions and huge integers.
    Json,
    /// JSON, with each scalar as its own text.
    JsonText,
    /// XML, where every scalar is text.
    Xml,
}

/// The state of one reading. The path is collected while an error is returned, so that success costs nothing.
pub(crate) struct Reading<'r> {
    pub(crate) limits: &'r Limits,
    pub(crate) scalars: Scalars,
    failure: Cell<Option<DecodeErrorKind>>,
    /// Whether the invalid value was read to its end, so that reading can continue after it.
    passed: Cell<bool>,
    inexact: Cell<bool>,
    trail: RefCell<Vec<&'static str>>,
    key: RefCell<Option<String>>,
}

/// An invalid value that was read to its end: its first invalid member, and the key of the record
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

    /// Whether a number occurred whose text has to be read to keep it exact.
    pub(crate) fn is_inexact(&self) -> bool {
        self.inexact.get()
    }

    /// The error, with the kind of the failing member, else `kind`.
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
    /// The secrecy of the texts here.
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

    /// Masks a text by the document's setting.
    #[inline]
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

    /// Whether a value here would exceed the maximum depth.
    pub(crate) fn is_too_deep(self, value: &RawValue) -> bool {
        self.depth + json::levels(value.get()) > self.limits().depth
    }

    /// Fails for a reason that the codec's own error cannot carry.
    pub(crate) fn fail<E: Error>(self, kind: DecodeErrorKind) -> E {
        self.reading.failure.set(Some(kind));
        self.reading.passed.set(false);
        E::custom("")
    }

    /// Fails at a value that was read to its end: reading can continue after it.
    pub(crate) fn spoil<E: Error>(self, kind: DecodeErrorKind) -> E {
        let error = self.fail(kind);
        self.reading.passed.set(true);
        error
    }

    /// The details of the last error, if reading can continue after it.
    pub(crate) fn spoiled(self) -> Option<Spoiled> {
        let Reading { failure, passed, trail, key, .. } = self.reading;
        if !passed.replace(false) {
            return None;
        }
        Some(Spoiled { kind: failure.take()?, trail: trail.take(), key: key.take() })
    }

    /// Fails again for a value around an invalid one, which was read to its end, too.
    pub(crate) fn spoil_again<E: Error>(self, spoiled: Spoiled, key: Option<String>) -> E {
        let Spoiled { kind, trail, key: inner } = spoiled;
        self.reading.trail.replace(trail);
        self.reading.key.replace(key.or(inner));
        self.spoil(kind)
    }

    /// Skips the members of an object in a wrong place.
    pub(crate) fn pass_map<'de, A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_key::<IgnoredAny>()?.is_some() {
            self.skip(&mut map)?;
        }
        Ok(())
    }

    /// Skips the items of a list in a wrong place.
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

    /// Records the member through which an error is returned.
    pub(crate) fn through<E>(self, member: &'static str, error: E) -> E {
        self.reading.trail.borrow_mut().push(member);
        error
    }

    /// Skips the value of an unknown member.
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
