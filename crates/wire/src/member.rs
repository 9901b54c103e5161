//! Members of a message: at most one of a kind, or many of it.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::error::{DecodeErrorKind, EncodeError};
use crate::reading::At;
use crate::shape::Kind;
use crate::write::Write;

/// Reads one value; `None` is null, which is the same as absent.
pub(crate) trait Read<'de>: Sized {
    fn read<D: Deserializer<'de>>(de: D, at: At<'_>) -> Result<Option<Self>, D::Error>;
}

/// Reads what a member holds into its place, which must be empty unless the format repeats members.
pub(crate) trait Fill<'de> {
    fn fill<D: Deserializer<'de>>(&mut self, de: D, at: At<'_>) -> Result<(), D::Error>;
}

/// Writes a member; what is absent is not written.
pub(crate) trait Put {
    /// What is written.
    const KIND: Kind;

    fn put<W: Write>(&self, name: &'static str, to: &mut W) -> Result<(), EncodeError>;
}

impl<'de, T: Read<'de>> Fill<'de> for Option<T> {
    #[inline]
    fn fill<D: Deserializer<'de>>(&mut self, de: D, at: At<'_>) -> Result<(), D::Error> {
        if self.is_some() {
            return Err(at.fail(DecodeErrorKind::Duplicate));
        }
        *self = T::read(de, at)?;
        Ok(())
    }
}

impl<T: Put> Put for Option<T> {
    const KIND: Kind = T::KIND;

    #[inline]
    fn put<W: Write>(&self, name: &'static str, to: &mut W) -> Result<(), EncodeError> {
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
        de.deserialize_option(Items { items: self, at })
    }
}

impl<T: Put> Put for Many<T> {
    const KIND: Kind = Kind::Many(&T::KIND);

    fn put<W: Write>(&self, name: &'static str, to: &mut W) -> Result<(), EncodeError> {
        if self.is_empty() {
            return Ok(());
        }
        put_list(self, name, to)
    }
}

/// The records of an answer: a list that is written even when nothing is in it, because clients walk it unasked.
#[derive(Default)]
#[cfg_attr(test, derive(Clone, Debug, PartialEq))]
pub(crate) struct Records<T>(pub(crate) Many<T>);

impl<'de, T: Read<'de>> Fill<'de> for Records<T> {
    fn fill<D: Deserializer<'de>>(&mut self, de: D, at: At<'_>) -> Result<(), D::Error> {
        self.0.fill(de, at)
    }
}

/// A list whose absence means something else than that nothing is in it.
impl<'de, T: Read<'de>> Read<'de> for Records<T> {
    fn read<D: Deserializer<'de>>(de: D, at: At<'_>) -> Result<Option<Self>, D::Error> {
        let mut records = Self(Many::new());
        records.fill(de, at)?;
        Ok(Some(records))
    }
}

impl<T: Put> Put for Records<T> {
    const KIND: Kind = Kind::Records(&T::KIND);

    fn put<W: Write>(&self, name: &'static str, to: &mut W) -> Result<(), EncodeError> {
        put_list(&self.0, name, to)
    }
}

fn put_list<T: Put, W: Write>(items: &[T], name: &'static str, to: &mut W) -> Result<(), EncodeError> {
    to.begin_list(name);
    for item in items {
        to.item();
        item.put(name, to)?;
    }
    to.end_list();
    Ok(())
}

struct Items<'m, 'r, T> {
    items: &'m mut Vec<T>,
    at: At<'r>,
}

impl<'de, T: Read<'de>> Items<'_, '_, T> {
    fn push<E: Error>(&mut self, item: Option<T>) -> Result<(), E> {
        if self.items.len() >= self.at.limits().items {
            return Err(self.at.fail(DecodeErrorKind::TooMany));
        }
        self.items.extend(item);
        Ok(())
    }
}

/// The first three methods are the answers to `deserialize_option`: JSON says whether there is a value, XML says
/// that there is one more element of this name.
impl<'de, T: Read<'de>> Visitor<'de> for Items<'_, '_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_none<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, de: D) -> Result<(), D::Error> {
        if !self.items.is_empty() {
            return Err(self.at.fail(DecodeErrorKind::Duplicate));
        }
        de.deserialize_any(self)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(mut self, de: D) -> Result<(), D::Error> {
        let item = T::read(de, self.at)?;
        self.push(item)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        while let Some(item) = seq.next_element_seed(Item { at: self.at.deeper(), of: PhantomData })? {
            self.push(item)?;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, map: A) -> Result<(), A::Error> {
        let item = T::read(MapAccessDeserializer::new(map), self.at)?;
        self.push(item)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        if text.is_empty() { Ok(()) } else { Err(self.at.fail(DecodeErrorKind::WrongType)) }
    }
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

/// Reads the value of a member into its place.
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
