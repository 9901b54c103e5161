//! Reads XML: elements are presented as the members that JSON has instead.

use std::borrow::Cow;

use serde::de::value::{BorrowedStrDeserializer, CowStrDeserializer, StrDeserializer};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

use crate::error::{DecodeError, DecodeErrorKind};
use crate::format::Format;
use crate::limits::Limits;
use crate::member::Read;
use crate::message::Members;
use crate::reading::{At, Reading, Scalars};
use crate::xml::grammar::Fault;
use crate::xml::parser::{Content, Parser, Tag};
use crate::xml::{PAYLOAD, PAYLOAD_TYPE};

/// Reads a document whose root is the message's element.
pub(crate) fn decode<'a, M: Members<'a>>(text: &'a str, limits: &Limits) -> Result<M, DecodeError> {
    let reading = Reading::new(Scalars::Xml, limits);
    let mut parser = Parser::new(text, limits.clone());
    let fault = match read(&mut parser, reading.root()) {
        Ok(message) => return Ok(message),
        Err(fault) => fault,
    };
    let kind = match fault {
        Fault::Syntax => {
            let (line, column) = parser.position();
            DecodeErrorKind::Syntax { line, column }
        }
        Fault::Rule(kind) => kind,
        Fault::Value => DecodeErrorKind::WrongType,
    };
    Err(reading.error(Format::Xml, kind))
}

fn read<'a, M: Members<'a>>(parser: &mut Parser<'a>, at: At<'_>) -> Result<M, Fault> {
    let root = parser.root()?;
    if root.name != M::SHAPE.name {
        return Err(Fault::Rule(DecodeErrorKind::WrongRoot));
    }
    let message = M::read(Element { parser, is_empty: root.is_empty, attribute: None }, at)?;
    parser.end()?;
    message.ok_or(Fault::Rule(DecodeErrorKind::WrongType))
}

/// An element that has begun.
struct Element<'p, 'de> {
    parser: &'p mut Parser<'de>,
    is_empty: bool,
    /// The `type` of a `payload`.
    attribute: Option<Cow<'de, str>>,
}

impl<'de> Deserializer<'de> for Element<'_, 'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let Self { parser, is_empty, attribute } = self;
        let content = if is_empty { Content::Text("".into()) } else { parser.content()? };
        match content {
            Content::Text(text) if attribute.is_none() => match text {
                Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
                Cow::Owned(text) => visitor.visit_string(text),
            },
            Content::Text(text) if text.is_empty() => {
                visitor.visit_map(Children { parser, attribute, next: Next::Ended })
            }
            Content::Text(_) => Err(Fault::Rule(DecodeErrorKind::MixedContent)),
            Content::Elements(first) => {
                visitor.visit_map(Children { parser, attribute, next: Next::Known(first) })
            }
        }
    }

    /// Tells a list that this is one more item of it.
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if !self.is_empty {
            self.parser.skip()?;
        }
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier
    }
}

/// The children of an element, after its attribute.
struct Children<'p, 'de> {
    parser: &'p mut Parser<'de>,
    attribute: Option<Cow<'de, str>>,
    next: Next<'de>,
}

enum Next<'de> {
    /// Still in the document.
    Unknown,
    /// Read, but not returned.
    Known(Tag<'de>),
    /// Returned by name.
    Named(Tag<'de>),
    /// The element is at its end.
    Ended,
}

impl<'de> MapAccess<'de> for Children<'_, 'de> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        if self.attribute.is_some() {
            return seed.deserialize(BorrowedStrDeserializer::new(PAYLOAD_TYPE)).map(Some);
        }
        let tag = match std::mem::replace(&mut self.next, Next::Ended) {
            Next::Known(tag) => tag,
            Next::Ended => return Ok(None),
            Next::Unknown | Next::Named(_) => match self.parser.sibling()? {
                Some(tag) => tag,
                None => return Ok(None),
            },
        };
        let key = seed.deserialize(StrDeserializer::new(tag.name))?;
        self.next = Next::Named(tag);
        Ok(Some(key))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        if let Some(attribute) = self.attribute.take() {
            return seed.deserialize(CowStrDeserializer::new(attribute));
        }
        let Next::Named(tag) = std::mem::replace(&mut self.next, Next::Unknown) else {
            return Err(Fault::Syntax);
        };
        let attribute = if tag.name == PAYLOAD { tag.attribute("type")? } else { None };
        seed.deserialize(Element { parser: self.parser, is_empty: tag.is_empty, attribute })
    }
}
