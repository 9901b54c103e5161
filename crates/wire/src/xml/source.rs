//! Reads XML: elements are presented as the members that JSON has instead.

use std::borrow::Cow;

use crate::error::DecodeErrorKind;
use crate::failure::Failure;
use crate::limits::Limits;
use crate::reader::Value;
use crate::write::Name;
use crate::xml::parser::Parser;
use crate::xml::{PAYLOAD, PAYLOAD_TYPE};

/// A document being read.
pub(crate) struct Source<'de> {
    parser: Parser<'de>,
    next: Next,
    /// The `type` of the `payload` that has begun: its first member.
    attribute: Option<Cow<'de, str>>,
}

/// The next part of the innermost element that has begun.
#[derive(Clone, Copy)]
enum Next {
    /// It is still in the document.
    Unread,
    /// A child whose start was read, and which was not named.
    Child,
    /// The end, which was read.
    End,
}

impl<'de> Source<'de> {
    pub(crate) fn new(text: &'de str, limits: &Limits) -> Self {
        Self { parser: Parser::new(text, limits), next: Next::Unread, attribute: None }
    }

    /// Begins the root element, which must have this name.
    pub(crate) fn root(&mut self, name: &str) -> Result<Value<'de>, Failure> {
        self.parser.root()?;
        if self.parser.tag().name != name {
            return Err(DecodeErrorKind::WrongRoot.into());
        }
        self.content(None)
    }

    /// Ends the document: nothing may follow the root element.
    pub(crate) fn end(&mut self) -> Result<(), Failure> {
        self.parser.end()
    }

    /// The line and the column of the reader, from 1.
    pub(crate) fn position(&self) -> (usize, usize) {
        self.parser.position()
    }

    /// The name of the next member; `None` at the end of the element.
    #[inline]
    pub(crate) fn member(&mut self) -> Result<Option<&'de str>, Failure> {
        if self.attribute.is_some() {
            return Ok(Some(PAYLOAD_TYPE));
        }
        let has_child = match self.next {
            Next::Child => true,
            Next::End => false,
            Next::Unread => self.parser.sibling()?,
        };
        self.next = Next::Unread;
        Ok(has_child.then(|| self.parser.tag().name))
    }

    /// Whether the next member has this name, without attributes. If so, its name is read.
    #[inline]
    pub(crate) fn is_member(&mut self, name: &'static Name) -> Result<bool, Failure> {
        let is_next = match self.next {
            _ if self.attribute.is_some() => false,
            Next::Child => self.parser.tag().name == name.plain,
            Next::End => false,
            Next::Unread => self.parser.starts(name)?,
        };
        if is_next {
            self.next = Next::Unread;
        }
        Ok(is_next)
    }

    /// Reads the value of the member that was named; of an object, the beginning.
    #[inline]
    pub(crate) fn value(&mut self) -> Result<Value<'de>, Failure> {
        if let Some(attribute) = self.attribute.take() {
            return Ok(Value::Text(attribute));
        }
        let tag = self.parser.tag();
        let attribute = if tag.name == PAYLOAD { tag.attribute("type")? } else { None };
        self.content(attribute)
    }

    /// Reads the content of the element whose start was read last; of elements, the start of the first.
    fn content(&mut self, attribute: Option<Cow<'de, str>>) -> Result<Value<'de>, Failure> {
        let text = if self.parser.tag().is_empty() { Some("".into()) } else { self.parser.content()? };
        self.next = match text {
            Some(text) if attribute.is_none() => return Ok(Value::Text(text)),
            Some(text) if text.is_empty() => Next::End,
            Some(_) => return Err(DecodeErrorKind::MixedContent.into()),
            None => Next::Child,
        };
        self.attribute = attribute;
        Ok(Value::Object)
    }

    /// Skips the value of the member that was named.
    pub(crate) fn skip(&mut self) -> Result<(), Failure> {
        if self.attribute.take().is_some() {
            return Ok(());
        }
        if self.parser.tag().is_empty() { Ok(()) } else { self.parser.skip() }
    }
}
