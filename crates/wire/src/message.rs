//! Messages as tables: the members of an object, in the order in which they are written.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::error::{DecodeErrorKind, EncodeError};
use crate::member::{Put, Read};
use crate::reading::At;
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
            use $crate::member::{Filling, Put};
            use $crate::message::{Members, Message};

            #[derive(Clone, Copy)]
            #[allow(non_camel_case_types, reason = "a row is named as its field")]
            pub(crate) enum Row {
                $($field,)*
                $(With(<$Flat<'static> as Message>::Row),)?
                $(Else(<$Inner<'static> as Message>::Row),)?
            }

            #[allow(dead_code, reason = "only names in any case are looked for here")]
            const ROWS: &[(&str, Row)] = &[$(($name, Row::$field)),*];

            impl $(<$a>)? Message for $Name $(<$a>)? {
                const SHAPE: $crate::shape::Shape = $crate::shape::Shape {
                    name: $root,
                    members: &[$($crate::shape::Member { name: $name, kind: <$Kind as Put>::KIND }),*],
                };
                const NAME: &'static $crate::write::Name = &$crate::write::name!($root);
                type Row = Row;

                #[inline]
                fn row(name: &str) -> Option<Row> {
                    let row = match name {
                        $($name => Some(Row::$field),)*
                        _ => None,
                    };
                    $(let row = row.or_else(|| $crate::message::$case(name, ROWS));)?
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
                fn fill<A: serde::de::MapAccess<'de>>(
                    &mut self,
                    row: Row,
                    map: &mut A,
                    at: $crate::reading::At<'_>,
                ) -> Result<(), A::Error> {
                    match row {
                        $(Row::$field => map
                            .next_value_seed(Filling { slot: &mut self.$field, at: at.of($name) })
                            .map_err(|error| at.through($name, error)),)*
                        $(Row::With(row) => self.$flat.fill(row, map, at),)?
                        $(Row::Else(row) => self.$inner.get_or_insert_default().fill(row, map, at),)?
                    }
                }
            }
        };
    };
}

/// Declares the methods of a visitor for which a number or a boolean is a value of another type.
macro_rules! no_scalar {
    () => {
        fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<Self::Value, E> {
            Err(self.at.spoil($crate::error::DecodeErrorKind::WrongType))
        }

        fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<Self::Value, E> {
            Err(self.at.spoil($crate::error::DecodeErrorKind::WrongType))
        }

        fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<Self::Value, E> {
            Err(self.at.spoil($crate::error::DecodeErrorKind::WrongType))
        }

        fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Self::Value, E> {
            Err(self.at.spoil($crate::error::DecodeErrorKind::WrongType))
        }
    };
}

/// The row of a member whose name may be in any letter case.
pub(crate) fn case<R: Copy>(name: &str, rows: &[(&str, R)]) -> Option<R> {
    rows.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, row)| *row)
}

/// A message that its table describes.
pub(crate) trait Message: Default {
    /// The table.
    const SHAPE: Shape;
    /// The name of the table: the root element of a whole XML document.
    const NAME: &'static Name;
    /// A row of the table.
    type Row: Copy;
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
    fn fill<A: MapAccess<'de>>(&mut self, row: Self::Row, map: &mut A, at: At<'_>) -> Result<(), A::Error>;
}

/// Boxes a large message that is rarely present.
impl<M: Message> Message for Box<M> {
    const SHAPE: Shape = M::SHAPE;
    const NAME: &'static Name = M::NAME;
    type Row = M::Row;

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
    fn fill<A: MapAccess<'de>>(&mut self, row: M::Row, map: &mut A, at: At<'_>) -> Result<(), A::Error> {
        (**self).fill(row, map, at)
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

impl<'de, M: Members<'de>> Read<'de> for M {
    fn read<D: Deserializer<'de>>(de: D, at: At<'_>) -> Result<Option<Self>, D::Error> {
        de.deserialize_any(Object { at, of: PhantomData })
    }
}

struct Object<'r, M> {
    at: At<'r>,
    of: PhantomData<M>,
}

/// Reads an object from a map, and nothing else: not from an array of its members, which derived readers accept. Null
/// is not an object. An empty text is an empty object, because PHP clients write it for objects without members and XML
/// has no other way.
///
/// Every value is read to its end, even an invalid one: so a list continues after an invalid record, and
/// the key of the record is known.
impl<'de, M: Members<'de>> Visitor<'de> for Object<'_, M> {
    type Value = Option<M>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<M>, A::Error> {
        let mut message = M::default();
        let mut spoiled = None;
        while let Some(row) = map.next_key_seed(RowOf::<M>(PhantomData))? {
            let read = match row {
                Some(row) => message.fill(row, &mut map, self.at.deeper()),
                None => self.at.skip(&mut map),
            };
            if let Err(error) = read {
                let Some(member) = self.at.spoiled() else { return Err(error) };
                spoiled.get_or_insert(member);
            }
        }
        match spoiled {
            None => Ok(Some(message)),
            Some(member) => Err(self.at.spoil_again(member, message.key().map(str::to_owned))),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Option<M>, E> {
        if text.is_empty() { Ok(Some(M::default())) } else { Err(self.at.spoil(DecodeErrorKind::WrongType)) }
    }

    no_scalar!();

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Option<M>, A::Error> {
        self.at.deeper().pass_seq(seq)?;
        Err(self.at.spoil(DecodeErrorKind::WrongType))
    }

    fn visit_unit<E>(self) -> Result<Option<M>, E> {
        Ok(None)
    }
}

/// Finds the row of a member's name, without storing the name.
struct RowOf<M>(PhantomData<M>);

impl<'de, M: Message> DeserializeSeed<'de> for RowOf<M> {
    type Value = Option<M::Row>;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, de: D) -> Result<Self::Value, D::Error> {
        de.deserialize_identifier(self)
    }
}

impl<M: Message> Visitor<'_> for RowOf<M> {
    type Value = Option<M::Row>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    #[inline]
    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(M::row(name))
    }
}
