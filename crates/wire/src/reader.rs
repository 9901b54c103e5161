//! The reader of a document: one value after another, in either format.

use std::borrow::Cow;

use perennial_domain::mask::Prose;

use crate::error::{DecodeError, DecodeErrorKind};
use crate::failure::Failure;
use crate::format::Format;
use crate::limits::Limits;
use crate::write::Name;
use crate::{json, xml};

/// A value of a document, or its beginning.
pub(crate) enum Value<'de> {
    /// A text: a string of JSON, or the content of an element of XML.
    Text(Cow<'de, str>),
    /// A number or a boolean of JSON, with exactly the letters that the document has.
    Bare(&'de str),
    /// The null of JSON.
    Null,
    /// The beginning of an object. Its members follow.
    Object,
    /// The beginning of an array of JSON. Its items follow.
    Array,
}

/// A document being read.
pub(crate) struct Reader<'de, 'r> {
    source: Source<'de>,
    limits: &'r Limits,
    /// The secrecy of the texts of the member being read.
    prose: Prose,
}

enum Source<'de> {
    Json(json::Source<'de>),
    Xml(xml::Source<'de>),
}

impl<'de, 'r> Reader<'de, 'r> {
    pub(crate) fn new(format: Format, text: &'de str, limits: &'r Limits) -> Self {
        let source = match format {
            Format::Json => Source::Json(json::Source::new(text, limits.depth)),
            Format::Xml => Source::Xml(xml::Source::new(text, limits)),
        };
        Self { source, limits, prose: Prose::Exact }
    }

    /// Begins the document, which must be one object; in XML, one with this name.
    pub(crate) fn root(&mut self, name: &str) -> Result<Value<'de>, Failure> {
        match &mut self.source {
            Source::Json(json) => json.root(),
            Source::Xml(xml) => xml.root(name),
        }
    }

    /// Ends the document: nothing may follow its root.
    pub(crate) fn end(&mut self) -> Result<(), Failure> {
        match &mut self.source {
            Source::Json(json) => json.end(),
            Source::Xml(xml) => xml.end(),
        }
    }

    /// The error of the document.
    pub(crate) fn error(&self, failure: Failure) -> DecodeError {
        match &self.source {
            Source::Json(json) => failure.at(|| json.position(), Format::Json),
            Source::Xml(xml) => failure.at(|| xml.position(), Format::Xml),
        }
    }

    /// Reads the value of the member or item that begins here.
    #[inline]
    pub(crate) fn value(&mut self) -> Result<Value<'de>, Failure> {
        match &mut self.source {
            Source::Json(json) => json.value(),
            Source::Xml(xml) => xml.value(),
        }
    }

    /// The name of the next member of the object that has begun; `None` at its end.
    #[inline]
    pub(crate) fn member(&mut self) -> Result<Option<Cow<'de, str>>, Failure> {
        match &mut self.source {
            Source::Json(json) => json.member(),
            Source::Xml(xml) => Ok(xml.member()?.map(Cow::Borrowed)),
        }
    }

    /// Whether the next member has this name, and no blanks around it. If so, its name is read.
    #[inline]
    pub(crate) fn is_member(&mut self, name: &'static Name) -> Result<bool, Failure> {
        match &mut self.source {
            Source::Json(json) => Ok(json.is_member(name)),
            Source::Xml(xml) => xml.is_member(name),
        }
    }

    /// Whether the array that has begun has another item.
    pub(crate) fn has_item(&mut self) -> Result<bool, Failure> {
        match &mut self.source {
            Source::Json(json) => json.has_item(),
            Source::Xml(_) => Ok(false),
        }
    }

    /// Skips the value of the member or item that begins here.
    pub(crate) fn skip(&mut self) -> Result<(), Failure> {
        match &mut self.source {
            Source::Json(json) => json.skip(),
            Source::Xml(xml) => xml.skip(),
        }
    }

    /// Skips the rest of a value that has begun.
    fn rest(&mut self, value: &Value<'de>) -> Result<(), Failure> {
        match value {
            Value::Text(_) | Value::Bare(_) | Value::Null => {}
            Value::Object => {
                while self.member()?.is_some() {
                    self.skip()?;
                }
            }
            Value::Array => {
                while self.has_item()? {
                    self.skip()?;
                }
            }
        }
        Ok(())
    }

    /// Refuses a value that has begun, and skips the rest of it.
    pub(crate) fn refuse(&mut self, value: &Value<'de>, kind: DecodeErrorKind) -> Failure {
        self.rest(value).err().unwrap_or_else(|| Failure::passed(kind))
    }

    /// Reads the value that began last to its end, and returns its JSON. XML has no such values.
    pub(crate) fn json(&mut self, value: &Value<'de>) -> Result<&'de str, Failure> {
        match &mut self.source {
            Source::Json(json) => json.whole(value),
            Source::Xml(_) => Err(self.refuse(value, DecodeErrorKind::WrongType)),
        }
    }

    /// Sets the secrecy of the texts of the next value.
    #[inline]
    pub(crate) fn set_prose(&mut self, prose: Prose) {
        self.prose = prose;
    }

    /// Whether the format repeats the name of a list for each of its items.
    pub(crate) fn repeats_members(&self) -> bool {
        matches!(self.source, Source::Xml(_))
    }

    pub(crate) fn limits(&self) -> &'r Limits {
        self.limits
    }

    /// Masks a text of the member being read.
    #[inline]
    pub(crate) fn masked<'t>(&self, text: Cow<'t, str>) -> Cow<'t, str> {
        self.masked_as(self.prose, text)
    }

    #[inline]
    pub(crate) fn masked_as<'t>(&self, prose: Prose, text: Cow<'t, str>) -> Cow<'t, str> {
        let Some(known) = &self.limits.mask else { return text };
        match known.mask(&text, prose) {
            Cow::Owned(masked) => Cow::Owned(masked),
            Cow::Borrowed(_) => text,
        }
    }
}
