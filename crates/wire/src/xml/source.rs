//! Reads XML: elements are presented as the members that JSON has instead.

use std::borrow::Cow;

use crate::error::{DecodeErrorKind, MALFORMED};
use crate::failure::Failure;
use crate::limits::Limits;
use crate::reader::Value;
use crate::xml::parser::{Content, Parser, Tag};
use crate::xml::{PAYLOAD, PAYLOAD_TYPE};

/// A document being read.
pub(crate) struct Source<'de> {
    parser: Parser<'de>,
    /// The element whose name was read, and not its content.
    named: Option<Tag<'de>>,
    next: Next<'de>,
    /// The `type` of the `payload` that has begun: its first member.
    attribute: Option<Cow<'de, str>>,
}

/// What comes next in the innermost element that has begun.
enum Next<'de> {
    /// It is still in the document.
    Unread,
    /// Its first child, which is read.
    Child(Tag<'de>),
    /// Its end, which is read.
    End,
}

impl<'de> Source<'de> {
    pub(crate) fn new(text: &'de str, limits: &Limits) -> Self {
        Self { parser: Parser::new(text, limits), named: None, next: Next::Unread, attribute: None }
    }

    /// Begins the root element, which must have this name.
    pub(crate) fn root(&mut self, name: &str) -> Result<Value<'de>, Failure> {
        let root = self.parser.root()?;
        if root.name != name {
            return Err(DecodeErrorKind::WrongRoot.into());
        }
        self.content(root, None)
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
        self.named = match std::mem::replace(&mut self.next, Next::Unread) {
            Next::Child(tag) => Some(tag),
            Next::End => None,
            Next::Unread => self.parser.sibling()?,
        };
        Ok(self.named.map(|tag| tag.name))
    }

    /// Reads the value of the member that was named; of an object, the beginning.
    #[inline]
    pub(crate) fn value(&mut self) -> Result<Value<'de>, Failure> {
        if let Some(attribute) = self.attribute.take() {
            return Ok(Value::Text(attribute));
        }
        let tag = self.named.take().ok_or(MALFORMED)?;
        let attribute = if tag.name == PAYLOAD { tag.attribute("type")? } else { None };
        self.content(tag, attribute)
    }

    fn content(&mut self, tag: Tag<'de>, attribute: Option<Cow<'de, str>>) -> Result<Value<'de>, Failure> {
        let content = if tag.is_empty { Content::Text("".into()) } else { self.parser.content()? };
        self.next = match content {
            Content::Text(text) if attribute.is_none() => return Ok(Value::Text(text)),
            Content::Text(text) if text.is_empty() => Next::End,
            Content::Text(_) => return Err(DecodeErrorKind::MixedContent.into()),
            Content::Elements(first) => Next::Child(first),
        };
        self.attribute = attribute;
        Ok(Value::Object)
    }

    /// Skips the value of the member that was named.
    pub(crate) fn skip(&mut self) -> Result<(), Failure> {
        match (self.attribute.take(), self.named.take()) {
            (None, Some(tag)) if !tag.is_empty => self.parser.skip(),
            _ => Ok(()),
        }
    }
}
