//! Messages as tables: the members of an object, in the order in which they are written.

use std::slice;

use crate::error::{DecodeErrorKind, EncodeError};
use crate::failure::Failure;
use crate::member::{Put, Read};
use crate::reader::{Reader, Value};
use crate::shape::{Kind, Shape};
use crate::write::{Name, Write};

/// Declares a message: a struct, and the table by which both formats read and write it.
///
/// Every member is an `Option` or a `Many`, because any may be absent. The root is the name of the XML root element,
/// should the message be a whole document. With `else payload: Payload<'a>` at the end, a member that this table does
/// not know is searched for in the table of that member, as if its object were around it.
///
/// `keyed` selects the text that identifies a record, for errors about one that cannot be read.
///
/// `in any case` reads names in any letter case. With `with envelope: Envelope<'a>`, the members of that table are
/// members of this one, before its own; the shape of each table has its own only.
///
/// With `of domain::Plan`, the message is the wire's form of that record: its members have the names of the record's
/// fields, and `by` names the rule of a member that is read otherwise than its type; see `rule.rs`.
macro_rules! message {
    (
        $(#[$meta:meta])*
        $vis:vis struct $Name:ident<$a:lifetime> as $root:literal of $Record:ty $(, keyed by $key:expr)?; $(in any $case:ident)? {
            $($(#[$doc:meta])* $field:ident: $Kind:ty = $name:literal $(by $Rule:ident)?),* $(,)?
        }
    ) => {
        message! {
            $(#[$meta])*
            $vis struct $Name<$a> as $root $(keyed by $key;)? $(in any $case)? {
                $($(#[$doc])* $field: $Kind = $name),*
            }
        }

        $crate::rule::record! { $Name is $Record { $($field $(by $Rule)?),* } }
    };
    (
        $(#[$meta:meta])*
        $vis:vis struct $Name:ident $(<$a:lifetime>)? as $root:literal
            $(keyed by $key:expr;)? $(in any $case:ident)? $(with $flat:ident: $Flat:ident<$f:lifetime>)? {
            $($(#[$doc:meta])* $field:ident: $Kind:ty = $name:literal),* $(,)?
        } $(else $inner:ident: $Inner:ident<$i:lifetime>)?
    ) => {
        $(#[$meta])*
        #[derive(Default)]
        #[cfg_attr(test, derive(Clone, Debug, PartialEq))]
        #[allow(clippy::struct_field_names, reason = "the wire names them")]
        $vis struct $Name $(<$a>)? {
            $(pub(crate) $flat: $Flat<$f>,)?
            $($(#[$doc])* pub(crate) $field: $Kind,)*
        }

        /// The names of the members.
        #[allow(dead_code, non_upper_case_globals, reason = "a name is called as its field, and only records need it")]
        impl $(<$a>)? $Name $(<$a>)? {
            $(const $field: &'static str = $name;)*
        }

        const _: () = {
            use perennial_domain::mask::Prose;

            use $crate::member::{Put, fill};
            use $crate::message::{Members, Message};
            use $crate::failure::Failure;
            use $crate::reader::Reader;

            #[derive(Clone, Copy)]
            #[allow(non_camel_case_types, reason = "a row is named as its field")]
            pub(crate) enum Row {
                $($field,)*
                $(With(<$Flat<'static> as Message>::Row),)?
                $(Else(<$Inner<'static> as Message>::Row),)?
            }

            impl $(<$a>)? Message for $Name $(<$a>)? {
                const SHAPE: $crate::shape::Shape = $crate::shape::Shape {
                    name: $root,
                    members: &[$($crate::shape::Member { name: $name, kind: <$Kind as Put>::KIND }),*],
                };
                const NAME: &'static $crate::write::Name = &$crate::write::name!($root);
                type Row = Row;
                const ROWS: &'static [(&'static $crate::write::Name, Row)] =
                    &[$((&$crate::write::name!($name), Row::$field)),*];

                #[inline]
                fn row(name: &str) -> Option<Row> {
                    let row = match name {
                        $($name => Some(Row::$field),)*
                        _ => None,
                    };
                    $(let row = row.or_else(|| $crate::message::$case(name, Self::ROWS));)?
                    $(let row = row.or_else(|| $Flat::row(name).map(Row::With));)?
                    $(let row = row.or_else(|| $Inner::row(name).map(Row::Else));)?
                    row
                }

                $(
                    fn key(&self) -> Option<&str> {
                        let key: fn(&Self) -> Option<&str> = $key;
                        key(self)
                    }
                )?

                fn put_members<W: $crate::write::Write>(&self, to: &mut W) -> Result<(), $crate::error::EncodeError> {
                    $(self.$flat.put_members(to)?;)?
                    $(self.$field.put(&$crate::write::name!($name), to)?;)*
                    Ok(())
                }
            }

            impl<'de $(: $a, $a)?> Members<'de> for $Name $(<$a>)? {
                #[inline]
                fn fill(&mut self, row: Row, from: &mut Reader<'de, '_>) -> Result<(), Failure> {
                    match row {
                        $(Row::$field => fill(&mut self.$field, from, $name, const { Prose::of($name) }),)*
                        $(Row::With(row) => self.$flat.fill(row, from),)?
                        $(Row::Else(row) => self.$inner.get_or_insert_default().fill(row, from),)?
                    }
                }
            }
        };
    };
}

/// The row of a member whose name may be in any letter case.
pub(crate) fn case<R: Copy>(name: &str, rows: &[(&Name, R)]) -> Option<R> {
    rows.iter().find(|(known, _)| known.plain.eq_ignore_ascii_case(name)).map(|(_, row)| *row)
}

/// A message that its table describes.
pub(crate) trait Message: Default {
    /// The table.
    const SHAPE: Shape;
    /// The name of the table: the root element of a whole XML document.
    const NAME: &'static Name;
    /// A row of the table.
    type Row: Copy + 'static;
    /// The rows, in order.
    const ROWS: &'static [(&'static Name, Self::Row)];
    /// The row of a member, if the table has it.
    fn row(name: &str) -> Option<Self::Row>;
    /// The text that identifies a record.
    fn key(&self) -> Option<&str> {
        None
    }
    /// Writes the members that are present, in the order of the table.
    fn put_members<W: Write>(&self, to: &mut W) -> Result<(), EncodeError>;
}

/// A message that can be read from a document with lifetime `'de`.
pub(crate) trait Members<'de>: Message {
    /// Reads the value of the member of this `row`.
    fn fill(&mut self, row: Self::Row, from: &mut Reader<'de, '_>) -> Result<(), Failure>;
}

/// Boxes a large message that is rarely present.
impl<M: Message> Message for Box<M> {
    const SHAPE: Shape = M::SHAPE;
    const NAME: &'static Name = M::NAME;
    type Row = M::Row;
    const ROWS: &'static [(&'static Name, M::Row)] = M::ROWS;

    #[inline]
    fn row(name: &str) -> Option<M::Row> {
        M::row(name)
    }

    fn key(&self) -> Option<&str> {
        (**self).key()
    }

    fn put_members<W: Write>(&self, to: &mut W) -> Result<(), EncodeError> {
        (**self).put_members(to)
    }
}

impl<'de, M: Members<'de>> Members<'de> for Box<M> {
    #[inline]
    fn fill(&mut self, row: M::Row, from: &mut Reader<'de, '_>) -> Result<(), Failure> {
        (**self).fill(row, from)
    }
}

impl<M: Message> Put for M {
    const KIND: Kind = Kind::Object(M::SHAPE);

    fn put<W: Write>(&self, name: &'static Name, to: &mut W) -> Result<(), EncodeError> {
        to.begin(name);
        self.put_members(to)?;
        to.end(name);
        Ok(())
    }
}

/// Reads an object, and nothing else: not an array of its members, which derived readers accept. Null is not an object.
/// An empty text is an empty object, because PHP clients write it for objects without members and XML has no other way.
///
/// Every value is read to its end, even an invalid one: so a list continues after an invalid record, and the key of the
/// record is known.
impl<'de, M: Members<'de>> Read<'de> for M {
    fn read(value: Value<'de>, from: &mut Reader<'de, '_>) -> Result<Option<Self>, Failure> {
        let mut message = None;
        Self::read_into(&mut message, value, from)?;
        Ok(message)
    }

    fn read_into(
        place: &mut Option<Self>,
        value: Value<'de>,
        from: &mut Reader<'de, '_>,
    ) -> Result<(), Failure> {
        match &value {
            Value::Object => {}
            Value::Null => return Ok(()),
            Value::Text(text) if text.is_empty() => {
                *place = Some(M::default());
                return Ok(());
            }
            _ => return Err(from.refuse(&value, DecodeErrorKind::WrongType)),
        }
        let message = place.insert(M::default());
        let mut rows = M::ROWS.iter();
        let mut first = None;
        loop {
            let read = match next::<M>(&mut rows, from)? {
                Next::Row(row) => message.fill(row, from),
                Next::Unknown => from.skip(),
                Next::End => break,
            };
            match read {
                Ok(()) => {}
                Err(failure) if failure.is_passed() => {
                    first.get_or_insert(failure);
                }
                Err(failure) => return Err(failure),
            }
        }
        match first {
            None => Ok(()),
            Some(failure) => Err(failure.keyed(message.key())),
        }
    }
}

/// The next part of an object.
enum Next<R> {
    /// A member of this row.
    Row(R),
    /// A member that the table does not have.
    Unknown,
    /// The end.
    End,
}

/// Reads the name of the next member. Usual documents have the order of the table, so the member is compared with the
/// next rows before its name is read.
fn next<M: Message>(
    rows: &mut slice::Iter<'_, (&'static Name, M::Row)>,
    from: &mut Reader<'_, '_>,
) -> Result<Next<M::Row>, Failure> {
    for (name, row) in rows {
        if from.is_member(name)? {
            return Ok(Next::Row(*row));
        }
    }
    let Some(name) = from.member()? else { return Ok(Next::End) };
    Ok(M::row(&name).map_or(Next::Unknown, Next::Row))
}
