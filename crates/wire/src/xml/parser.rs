//! Events of a document that is well-formed so far, without what the dialect has no use for.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::error::DecodeErrorKind;
use crate::limits::Limits;
use crate::xml::grammar::{self, Fault};

/// A document being read. The event reader of `quick-xml` is fast because it checks little; this adds the rest.
pub(super) struct Parser<'de> {
    reader: Reader<&'de [u8]>,
    text: &'de str,
    limits: Limits,
    depth: usize,
    elements: usize,
    at_start: bool,
    /// Whether the text of the document is its content as it stands: no line end to change, no `]]>` to find.
    is_plain: bool,
}

/// What an element holds.
pub(super) enum Content<'de> {
    /// Text, and then its end.
    Text(Cow<'de, str>),
    /// Elements, of which this is the first.
    Elements(Tag<'de>),
}

/// The start of an element.
#[derive(Clone, Copy)]
pub(super) struct Tag<'de> {
    pub(super) name: &'de str,
    /// What follows the name.
    rest: &'de str,
    /// Whether it is its own end.
    pub(super) is_empty: bool,
}

impl<'de> Tag<'de> {
    pub(super) fn attribute(self, name: &str) -> Result<Option<Cow<'de, str>>, Fault> {
        let attributes = grammar::attributes(self.rest)?;
        Ok(attributes.into_iter().find(|(other, _)| *other == name).map(|(_, value)| value))
    }
}

impl<'de> Parser<'de> {
    pub(super) fn new(text: &'de str, limits: Limits) -> Self {
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
        let mut reader = Reader::from_str(text);
        reader.config_mut().check_comments = true;
        let is_plain = !text.as_bytes().contains(&b'\r') && !text.as_bytes().contains(&b']');
        Self { reader, text, limits, depth: 0, elements: 0, at_start: true, is_plain }
    }

    /// Reads up to the root element.
    pub(super) fn root(&mut self) -> Result<Tag<'de>, Fault> {
        if !grammar::is_text(self.text) {
            return Err(Fault::Syntax);
        }
        loop {
            match self.next()? {
                Event::Start(start) => return self.tag(&start, ">"),
                Event::Empty(start) => return self.tag(&start, "/>"),
                Event::Text(text) if is_blank(&text) => {}
                _ => return Err(Fault::Syntax),
            }
        }
    }

    /// Reads what follows the root element, which must be nothing.
    pub(super) fn end(&mut self) -> Result<(), Fault> {
        loop {
            match self.next()? {
                Event::Eof => return Ok(()),
                Event::Text(text) if is_blank(&text) => {}
                _ => return Err(Fault::Rule(DecodeErrorKind::Trailing)),
            }
        }
    }

    /// Reads the text of the element that has begun, and its end; or its first child.
    ///
    /// Blanks around the text are layout and are trimmed. What is written as a reference or in a CDATA section is
    /// meant, and stays.
    pub(super) fn content(&mut self) -> Result<Content<'de>, Fault> {
        let mut text = Cow::Borrowed("");
        let mut meant = 0;
        loop {
            match self.next()? {
                Event::Text(piece) => {
                    let piece = self.characters(piece.into_inner())?;
                    if text.is_empty() && meant == 0 {
                        text = trimmed_start(piece);
                    } else {
                        text.to_mut().push_str(&piece);
                    }
                }
                Event::CData(piece) => {
                    text.to_mut().push_str(&lines(piece.into_inner()));
                    meant = text.len();
                }
                Event::GeneralRef(reference) => {
                    text.to_mut().push(grammar::referent(&reference)?);
                    meant = text.len();
                }
                Event::End(_) => {
                    self.depth -= 1;
                    let end = meant + text[meant..].trim_ascii_end().len();
                    return Ok(Content::Text(shortened(text, end)));
                }
                Event::Start(start) if is_blank(&text) && meant == 0 => {
                    return Ok(Content::Elements(self.tag(&start, ">")?));
                }
                Event::Empty(start) if is_blank(&text) && meant == 0 => {
                    return Ok(Content::Elements(self.tag(&start, "/>")?));
                }
                Event::Start(_) | Event::Empty(_) => return Err(Fault::Rule(DecodeErrorKind::MixedContent)),
                _ => return Err(Fault::Syntax),
            }
        }
    }

    /// Reads the next child, after the first; `None` is the end of the element.
    pub(super) fn sibling(&mut self) -> Result<Option<Tag<'de>>, Fault> {
        loop {
            match self.next()? {
                Event::Start(start) => return self.tag(&start, ">").map(Some),
                Event::Empty(start) => return self.tag(&start, "/>").map(Some),
                Event::End(_) => {
                    self.depth -= 1;
                    return Ok(None);
                }
                Event::Text(text) if is_blank(&text) => {}
                Event::Text(_) | Event::CData(_) | Event::GeneralRef(_) => {
                    return Err(Fault::Rule(DecodeErrorKind::MixedContent));
                }
                _ => return Err(Fault::Syntax),
            }
        }
    }

    /// Passes over the rest of the element that has begun, whatever it holds.
    pub(super) fn skip(&mut self) -> Result<(), Fault> {
        let outside = self.depth - 1;
        while self.depth > outside {
            match self.next()? {
                Event::Start(start) => {
                    self.tag(&start, ">")?;
                }
                Event::Empty(start) => {
                    self.tag(&start, "/>")?;
                }
                Event::End(_) => self.depth -= 1,
                Event::Text(text) => drop(self.characters(text.into_inner())?),
                Event::GeneralRef(reference) => drop(grammar::referent(&reference)?),
                Event::CData(_) => {}
                _ => return Err(Fault::Syntax),
            }
        }
        Ok(())
    }

    /// The line and the column, from 1, at which the reader stands.
    pub(super) fn position(&self) -> (usize, usize) {
        let read = &self.text.as_bytes()[..self.offset()];
        let mut lines = read.split(|byte| *byte == b'\n');
        (lines.clone().count(), lines.next_back().map_or(0, <[u8]>::len) + 1)
    }

    fn offset(&self) -> usize {
        usize::try_from(self.reader.buffer_position())
            .map_or(self.text.len(), |offset| offset.min(self.text.len()))
    }

    /// The next event that is content or the end of it.
    #[inline]
    fn next(&mut self) -> Result<Event<'de>, Fault> {
        loop {
            let event = self.reader.read_event().map_err(|_| Fault::Syntax)?;
            let at_start = std::mem::take(&mut self.at_start);
            match event {
                Event::Comment(_) => {}
                Event::PI(instruction) => {
                    let target = instruction.target();
                    if !grammar::is_name(target) || target.eq_ignore_ascii_case("xml") {
                        return Err(Fault::Syntax);
                    }
                }
                Event::Decl(declaration) if at_start => {
                    grammar::check_declaration(declaration.strip_prefix("xml").unwrap_or_default())?;
                }
                Event::Decl(_) => return Err(Fault::Syntax),
                Event::DocType(_) => return Err(Fault::Rule(DecodeErrorKind::Doctype)),
                event => return Ok(event),
            }
        }
    }

    /// Takes the start of an element, which must be well-formed and within the limits.
    #[inline]
    fn tag(&mut self, start: &BytesStart<'_>, close: &str) -> Result<Tag<'de>, Fault> {
        // The event borrows from itself, so the same text is taken from the document, where the reader stands after it.
        let end = self.offset() - close.len();
        let (name, rest) = self.text[end - start.len()..end].split_at(start.name().into_inner().len());
        let tag = Tag { name, rest, is_empty: close == "/>" };
        if !grammar::is_name(name) {
            return Err(Fault::Syntax);
        }
        if !rest.is_empty() {
            grammar::attributes(rest)?;
        }
        self.elements += 1;
        if self.elements > self.limits.items {
            return Err(Fault::Rule(DecodeErrorKind::TooMany));
        }
        if self.depth == self.limits.depth {
            return Err(Fault::Rule(DecodeErrorKind::TooDeep));
        }
        self.depth += usize::from(!tag.is_empty);
        Ok(tag)
    }

    /// Takes character data.
    #[inline]
    fn characters(&self, text: Cow<'de, str>) -> Result<Cow<'de, str>, Fault> {
        if self.is_plain {
            return Ok(text);
        }
        if text.contains("]]>") { Err(Fault::Syntax) } else { Ok(lines(text)) }
    }
}

fn is_blank(text: &str) -> bool {
    text.trim_ascii_start().is_empty()
}

/// Every line end becomes a line feed, as XML 1.0 (section 2.11) demands.
fn lines(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.as_bytes().contains(&b'\r') {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        text
    }
}

fn trimmed_start(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim_ascii_start()),
        Cow::Owned(text) => Cow::Owned(text.trim_ascii_start().to_owned()),
    }
}

fn shortened(text: Cow<'_, str>, end: usize) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(&text[..end]),
        Cow::Owned(mut text) => {
            text.truncate(end);
            Cow::Owned(text)
        }
    }
}
