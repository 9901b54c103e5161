//! Members of a message: single or repeated.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use crate::error::{DecodeErrorKind, EncodeError};
use crate::reading::{At, Spoiled};
use crate::shape::Kind;
use crate::write::{Name, Write};

/// Reads one value; `None` is null, which counts as absent.
pub(crate) trait Read<'de>: Sized {
    fn read<D: Deserializer<'de>>(de: D, at: At<'_>) -> Result<Option<Self>, D::Error>;
}

/// Reads a member into its field, which must be empty unless the format repeats members.
pub(crate) trait Fill<'de> {
    fn fill<D: Deserializer<'de>>(&mut self, de: D, at: At<'_>) -> Result<(), D::Error>;
}

/// Writes a member; an absent one is not written.
pub(crate) trait Put {
    /// The kind of the written value.
    const KIND: Kind;

    fn put<W: Write>(&self, name: &'static Name, to: &mut W) -> Result<(), EncodeError>;
}

impl<'de, T: Read<'de>> Fill<'de> for Option<T> {
    #[inline]
    fn fill<D: Deserializer<'de>>(&mut self, de: D, at: At<'_>) -> Result<(), D::Error> {
        if self.is_some() {
            IgnoredAny::deserialize(de)?;
            return Err(at.spoil(DecodeErrorKind::Duplicate));
        }
        *self = T::read(de, at)?;
        Ok(())
    }
}

impl<T: Put> Put for Option<T> {
    const KIND: Kind = T::KIND;

    #[inline]
    fn put<W: Write>(&self, name: &'static Name, to: &mut W) -> Result<(), EncodeError> {
        match self {
            Some(value) => value.put(name, to),
            None => Ok(()),
        }
    }
}

/// A list. JSON has an array, or one bare item; XML repeats the element.
pub(crate) type Many<T> = Vec<T>;

impl<'de, T: Read<'de>> Fill<'de> for Many<T> {
    fn fill<D: Deserializer<'de>>(&mut self, de: D, at: At<'_>) -> Result<(), D::Error> {
        de.deserialize_option(Items { into: self, at, of: PhantomData }).map(|_| ())
    }
}

impl<T: Put> Put for Many<T> {
    const KIND: Kind = Kind::Many(&T::KIND);

    fn put<W: Write>(&self, name: &'static Name, to: &mut W) -> Result<(), EncodeError> {
        if self.is_empty() {
            return Ok(());
        }
        put_list(self, name, to)
    }
}

/// The records of an answer: a list that is written even if it is empty, because clients expect it.
#[derive(Default)]
#[cfg_attr(test, derive(Clone, Debug, PartialEq))]
pub(crate) struct Records<T>(pub(crate) Many<T>);

impl<'de, T: Read<'de>> Fill<'de> for Records<T> {
    fn fill<D: Deserializer<'de>>(&mut self, de: D, at: At<'_>) -> Result<(), D::Error> {
        self.0.fill(de, at)
    }
}

impl<T: Put> Put for Records<T> {
    const KIND: Kind = Kind::Records(&T::KIND);

    fn put<W: Write>(&self, name: &'static Name, to: &mut W) -> Result<(), EncodeError> {
        put_list(&self.0, name, to)
    }
}

/// The records of an answer, in order: each the record, or the reason why it could not be read. An invalid one does not
/// hide the others.
#[derive(Default)]
#[cfg_attr(test, derive(Clone, Debug, PartialEq))]
pub(crate) struct Listed<T>(pub(crate) Vec<Result<T, Spoiled>>);

impl<T> FromIterator<T> for Listed<T> {
    fn from_iter<I: IntoIterator<Item = T>>(records: I) -> Self {
        Self(records.into_iter().map(Ok).collect())
    }
}

impl<'de, T: Read<'de>> Fill<'de> for Listed<T> {
    fn fill<D: Deserializer<'de>>(&mut self, de: D, at: At<'_>) -> Result<(), D::Error> {
        de.deserialize_option(Items { into: self, at, of: PhantomData }).map(|_| ())
    }
}

/// A list whose absence differs from an empty list.
impl<'de, T: Read<'de>> Read<'de> for Listed<T> {
    fn read<D: Deserializer<'de>>(de: D, at: At<'_>) -> Result<Option<Self>, D::Error> {
        let mut records = Self(Vec::new());
        let is_there = de.deserialize_option(Items { into: &mut records, at, of: PhantomData })?;
        Ok(is_there.then_some(records))
    }
}

impl<T: Put> Put for Listed<T> {
    const KIND: Kind = Kind::Records(&T::KIND);

    fn put<W: Write>(&self, name: &'static Name, to: &mut W) -> Result<(), EncodeError> {
        put_list(self.0.iter().flatten(), name, to)
    }
}

/// Further records of a list, under another name that is read and never written.
#[derive(Default)]
#[cfg_attr(test, derive(Clone, Debug, PartialEq))]
pub(crate) struct Else<T>(pub(crate) Listed<T>);

impl<'de, T: Read<'de>> Fill<'de> for Else<T> {
    fn fill<D: Deserializer<'de>>(&mut self, de: D, at: At<'_>) -> Result<(), D::Error> {
        self.0.fill(de, at)
    }
}

impl<T: Put> Put for Else<T> {
    const KIND: Kind = Kind::Many(&T::KIND);

    fn put<W: Write>(&self, _: &'static Name, _: &mut W) -> Result<(), EncodeError> {
        Ok(())
    }
}

fn put_list<'a, T: Put + 'a, W: Write>(
    items: impl IntoIterator<Item = &'a T>,
    name: &'static Name,
    to: &mut W,
) -> Result<(), EncodeError> {
    to.begin_list(name);
    for item in items {
        to.item();
        item.put(name, to)?;
    }
    to.end_list();
    Ok(())
}

/// A collection of list items.
trait Collect<T> {
    /// Whether null items are skipped. In a list of records, null counts as an unreadable record.
    const PASSES_NULL: bool;

    fn len(&self) -> usize;

    fn add(&mut self, item: T);

    /// Records an invalid item, or returns it if one invalid item spoils the list.
    fn add_spoiled(&mut self, item: Spoiled) -> Option<Spoiled>;
}

impl<T> Collect<T> for Many<T> {
    const PASSES_NULL: bool = true;

    fn len(&self) -> usize {
        self.len()
    }

    fn add(&mut self, item: T) {
        self.push(item);
    }

    fn add_spoiled(&mut self, item: Spoiled) -> Option<Spoiled> {
        Some(item)
    }
}

impl<T> Collect<T> for Listed<T> {
    const PASSES_NULL: bool = false;

    fn len(&self) -> usize {
        self.0.len()
    }

    fn add(&mut self, item: T) {
        self.0.push(Ok(item));
    }

    fn add_spoiled(&mut self, item: Spoiled) -> Option<Spoiled> {
        self.0.push(Err(item));
        None
    }
}

struct Items<'m, 'r, S, T> {
    into: &'m mut S,
    at: At<'r>,
    of: PhantomData<T>,
}

impl<S: Collect<T>, T> Items<'_, '_, S, T> {
    /// Adds an item; returns it if it spoils the list.
    fn take<E: Error>(&mut self, item: Result<Option<T>, E>) -> Result<Option<Spoiled>, E> {
        if self.into.len() >= self.at.limits().items {
            return Err(self.at.fail(DecodeErrorKind::TooMany));
        }
        match item {
            Ok(Some(item)) => self.into.add(item),
            Ok(None) if S::PASSES_NULL => {}
            Ok(None) => {
                let _: E = self.at.spoil(DecodeErrorKind::WrongType);
                return Ok(self.at.spoiled().and_then(|spoiled| self.into.add_spoiled(spoiled)));
            }
            Err(error) => match self.at.spoiled() {
                Some(spoiled) => return Ok(self.into.add_spoiled(spoiled)),
                None => return Err(error),
            },
        }
        Ok(None)
    }

    fn end<E: Error>(&self, spoiled: Option<Spoiled>) -> Result<(), E> {
        spoiled.map_or(Ok(()), |spoiled| Err(self.at.spoil_again(spoiled, None)))
    }
}

/// Visits items. The first three methods are the answers to `deserialize_option`: JSON says whether there is a value,
/// XML says that there is one more element of this name.
impl<'de, S: Collect<T>, T: Read<'de>> Visitor<'de> for Items<'_, '_, S, T> {
    /// Whether there is a value; null and an empty text are none.
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_none<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_some<D: Deserializer<'de>>(self, de: D) -> Result<bool, D::Error> {
        if self.into.len() > 0 {
            IgnoredAny::deserialize(de)?;
            return Err(self.at.spoil(DecodeErrorKind::Duplicate));
        }
        de.deserialize_any(self)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(mut self, de: D) -> Result<bool, D::Error> {
        let item = T::read(de, self.at);
        let spoiled = self.take(item)?;
        self.end(spoiled).map(|()| true)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<bool, A::Error> {
        let mut first = None;
        loop {
            let item = seq.next_element_seed(Item { at: self.at.deeper(), of: PhantomData });
            if let Ok(None) = item {
                return self.end(first).map(|()| true);
            }
            let spoiled = self.take(item.map(Option::flatten))?;
            first = first.or(spoiled);
        }
    }

    fn visit_map<A: MapAccess<'de>>(mut self, map: A) -> Result<bool, A::Error> {
        let item = T::read(MapAccessDeserializer::new(map), self.at);
        let spoiled = self.take(item)?;
        self.end(spoiled).map(|()| true)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<bool, E> {
        if text.is_empty() { Ok(false) } else { Err(self.at.spoil(DecodeErrorKind::WrongType)) }
    }

    no_scalar!();
}

struct Item<'r, T> {
    at: At<'r>,
    of: PhantomData<T>,
}

impl<'de, T: Read<'de>> DeserializeSeed<'de> for Item<'_, T> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'de>>(self, de: D) -> Result<Option<T>, D::Error> {
        T::read(de, self.at)
    }
}

/// Reads the value of a member into its field.
pub(crate) struct Filling<'m, 'r, S> {
    pub(crate) slot: &'m mut S,
    pub(crate) at: At<'r>,
}

impl<'de, S: Fill<'de>> DeserializeSeed<'de> for Filling<'_, '_, S> {
    type Value = ();

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, de: D) -> Result<(), D::Error> {
        self.slot.fill(de, self.at)
    }
}
