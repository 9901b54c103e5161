//! Members of a message: single or repeated.

use perennial_domain::mask::Prose;

use crate::error::{DecodeErrorKind, EncodeError};
use crate::failure::Failure;
use crate::reader::{Reader, Value};
use crate::shape::Kind;
use crate::write::{Name, Write};

/// Reads one value; `None` is null, which counts as absent.
pub(crate) trait Read<'de>: Sized {
    fn read(value: Value<'de>, from: &mut Reader<'de, '_>) -> Result<Option<Self>, Failure>;

    /// Reads the value into its place, which saves moving a large one. What a failure leaves there is not used.
    #[inline]
    fn read_into(
        place: &mut Option<Self>,
        value: Value<'de>,
        from: &mut Reader<'de, '_>,
    ) -> Result<(), Failure> {
        *place = Self::read(value, from)?;
        Ok(())
    }
}

/// Reads a member into its field, which must be empty unless the format repeats members.
pub(crate) trait Fill<'de> {
    fn fill(&mut self, from: &mut Reader<'de, '_>) -> Result<(), Failure>;
}

/// Reads the value of the member of this name into its field.
#[inline]
pub(crate) fn fill<'de, S: Fill<'de>>(
    slot: &mut S,
    from: &mut Reader<'de, '_>,
    member: &'static str,
    prose: Prose,
) -> Result<(), Failure> {
    from.set_prose(prose);
    slot.fill(from).map_err(|failure| failure.within(member))
}

/// Writes a member; an absent one is not written.
pub(crate) trait Put {
    /// The kind of the written value.
    const KIND: Kind;

    fn put<W: Write>(&self, name: &'static Name, to: &mut W) -> Result<(), EncodeError>;
}

impl<'de, T: Read<'de>> Fill<'de> for Option<T> {
    #[inline]
    fn fill(&mut self, from: &mut Reader<'de, '_>) -> Result<(), Failure> {
        if self.is_some() {
            from.skip()?;
            return Err(Failure::passed(DecodeErrorKind::Duplicate));
        }
        let value = from.value()?;
        T::read_into(self, value, from)
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
    fn fill(&mut self, from: &mut Reader<'de, '_>) -> Result<(), Failure> {
        items(self, from).map(|_| ())
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
    fn fill(&mut self, from: &mut Reader<'de, '_>) -> Result<(), Failure> {
        self.0.fill(from)
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
pub(crate) struct Listed<T>(pub(crate) Vec<Result<T, Failure>>);

impl<T> FromIterator<T> for Listed<T> {
    fn from_iter<I: IntoIterator<Item = T>>(records: I) -> Self {
        Self(records.into_iter().map(Ok).collect())
    }
}

impl<'de, T: Read<'de>> Fill<'de> for Listed<T> {
    fn fill(&mut self, from: &mut Reader<'de, '_>) -> Result<(), Failure> {
        items(self, from).map(|_| ())
    }
}

/// A list whose absence differs from an empty list.
impl<'de, T: Read<'de>> Read<'de> for Listed<T> {
    fn read(value: Value<'de>, from: &mut Reader<'de, '_>) -> Result<Option<Self>, Failure> {
        let mut records = Self(Vec::new());
        let is_there = items_of(value, &mut records, from)?;
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
    fn fill(&mut self, from: &mut Reader<'de, '_>) -> Result<(), Failure> {
        self.0.fill(from)
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
    fn add_failed(&mut self, item: Failure) -> Option<Failure>;
}

impl<T> Collect<T> for Many<T> {
    const PASSES_NULL: bool = true;

    fn len(&self) -> usize {
        self.len()
    }

    fn add(&mut self, item: T) {
        self.push(item);
    }

    fn add_failed(&mut self, item: Failure) -> Option<Failure> {
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

    fn add_failed(&mut self, item: Failure) -> Option<Failure> {
        self.0.push(Err(item));
        None
    }
}

/// Reads the items of a list, or one more of them; returns whether there is a list: null and an empty text are none.
fn items<'de, S: Collect<T>, T: Read<'de>>(
    into: &mut S,
    from: &mut Reader<'de, '_>,
) -> Result<bool, Failure> {
    let value = from.value()?;
    items_of(value, into, from)
}

fn items_of<'de, S: Collect<T>, T: Read<'de>>(
    value: Value<'de>,
    into: &mut S,
    from: &mut Reader<'de, '_>,
) -> Result<bool, Failure> {
    if !from.repeats_members() {
        match &value {
            Value::Null => return Ok(false),
            _ if into.len() > 0 => return Err(from.refuse(&value, DecodeErrorKind::Duplicate)),
            Value::Array => return array(into, from).map(|()| true),
            Value::Text(text) if text.is_empty() => return Ok(false),
            Value::Text(_) | Value::Bare(_) => return Err(from.refuse(&value, DecodeErrorKind::WrongType)),
            Value::Object => {}
        }
    }
    let item = T::read(value, from);
    add(into, item, from)?.map_or(Ok(true), Err)
}

/// Reads an array to its end, and returns the first failure that spoils it.
fn array<'de, S: Collect<T>, T: Read<'de>>(into: &mut S, from: &mut Reader<'de, '_>) -> Result<(), Failure> {
    let mut first = None;
    while from.has_item()? {
        let value = from.value()?;
        let item = T::read(value, from);
        let spoiled = add(into, item, from)?;
        first = first.or(spoiled);
    }
    first.map_or(Ok(()), Err)
}

/// Adds an item; returns the failure if it spoils the list.
fn add<S: Collect<T>, T>(
    into: &mut S,
    item: Result<Option<T>, Failure>,
    from: &Reader<'_, '_>,
) -> Result<Option<Failure>, Failure> {
    if into.len() >= from.limits().items {
        return Err(DecodeErrorKind::TooMany.into());
    }
    match item {
        Ok(Some(item)) => into.add(item),
        Ok(None) if S::PASSES_NULL => {}
        Ok(None) => return Ok(into.add_failed(Failure::passed(DecodeErrorKind::WrongType))),
        Err(failure) if failure.is_passed() => return Ok(into.add_failed(failure)),
        Err(failure) => return Err(failure),
    }
    Ok(None)
}
