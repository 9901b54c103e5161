//! Events of a document that is well-formed so far, without those that the dialect does not use.

use std::borrow::Cow;
use std::io::BufRead;

use memchr::memchr2;
use quick_xml::Reader;
use quick_xml::events::{BytesEnd, BytesStart, Event};

use crate::error::{DecodeErrorKind, MALFORMED};
use crate::failure::Failure;
use crate::limits::Limits;
use crate::write::Name;
use crate::xml::grammar;

/// A document being read. The event reader of `quick-xml` is fast because it checks little; this type adds the rest.
pub(super) struct Parser<'de> {
    reader: Reader<&'de [u8]>,
    text: &'de str,
    /// The unread part of the text. Usual markup is read here, and the event reader follows when it is needed.
    rest: &'de str,
    /// The tag that was read last.
    tag: Tag<'de>,
    /// The maximum numbers of levels and of elements.
    depth: usize,
    items: usize,
    /// Elements that have begun and not ended, the innermost last.
    open: Vec<&'de str>,
    elements: usize,
    at_start: bool,
    /// Whether the text of the document is its unchanged content: no line end to convert, no `]]>` to find.
    is_plain: bool,
}

/// The byte order mark, which only the bytes of a document may begin with.
const MARK: char = '\u{FEFF}';

/// The start of an element.
#[derive(Clone, Copy)]
pub(super) struct Tag<'de> {
    pub(super) name: &'de str,
    /// The text after the name, with the slash of a tag that is its own end.
    rest: &'de str,
}

impl<'de> Tag<'de> {
    /// Whether the tag is its own end.
    pub(super) fn is_empty(self) -> bool {
        self.rest.ends_with('/')
    }

    pub(super) fn attribute(self, name: &str) -> Result<Option<Cow<'de, str>>, Failure> {
        let attributes = grammar::attributes(self.rest.trim_end_matches('/'))?;
        Ok(attributes.into_iter().find(|(other, _)| *other == name).map(|(_, value)| value))
    }
}

impl<'de> Parser<'de> {
    pub(super) fn new(text: &'de str, limits: &Limits) -> Self {
        let mut reader = Reader::from_str(text);
        reader.config_mut().check_comments = true;
        // The parser passes over starts and ends that the reader never sees, and compares the names itself.
        reader.config_mut().check_end_names = false;
        reader.config_mut().allow_unmatched_ends = true;
        let is_plain = memchr2(b'\r', b']', text.as_bytes()).is_none();
        Self {
            reader,
            text,
            rest: text,
            tag: Tag { name: "", rest: "" },
            depth: limits.depth,
            items: limits.items,
            open: Vec::with_capacity(8),
            elements: 0,
            at_start: true,
            is_plain,
        }
    }

    /// The start of the element that was read last.
    pub(super) fn tag(&self) -> Tag<'de> {
        self.tag
    }

    /// Reads the start of the root element.
    pub(super) fn root(&mut self) -> Result<(), Failure> {
        // The reader would pass over a mark in silence, and count wrong from there.
        if self.text.starts_with(MARK) || !grammar::is_text(self.text) {
            return Err(MALFORMED.into());
        }
        // The first event is the reader's, which looks for a mark wherever it begins.
        loop {
            match self.next()? {
                Event::Start(start) => return self.start(&start, ">"),
                Event::Empty(start) => return self.start(&start, "/>"),
                Event::Text(text) if is_blank(&text) => {}
                _ => return Err(MALFORMED.into()),
            }
        }
    }

    /// Reads the text after the root element, which must be empty.
    pub(super) fn end(&mut self) -> Result<(), Failure> {
        if is_blank(self.rest) {
            return Ok(());
        }
        loop {
            match self.next()? {
                Event::Eof => return Ok(()),
                Event::Text(text) if is_blank(&text) => {}
                Event::End(_) => return Err(MALFORMED.into()),
                _ => return Err(DecodeErrorKind::Trailing.into()),
            }
        }
    }

    /// Reads the text of the element that has begun, and its end; `None` for the start of its first child.
    ///
    /// Blanks around the text are layout and are trimmed. Blanks in a reference or in a CDATA section are
    /// content, and stay.
    pub(super) fn content(&mut self) -> Result<Option<Cow<'de, str>>, Failure> {
        if let Some(text) = self.plain_text() {
            return Ok(Some(Cow::Borrowed(text)));
        }
        if let Some(tag) = self.plain_start() {
            return self.begin(tag).map(|()| None);
        }
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
                Event::End(end) => {
                    self.close(&end)?;
                    let end = meant + text[meant..].trim_ascii_end().len();
                    return Ok(Some(shortened(text, end)));
                }
                Event::Start(start) if is_blank(&text) && meant == 0 => {
                    return self.start(&start, ">").map(|()| None);
                }
                Event::Empty(start) if is_blank(&text) && meant == 0 => {
                    return self.start(&start, "/>").map(|()| None);
                }
                Event::Start(_) | Event::Empty(_) => return Err(DecodeErrorKind::MixedContent.into()),
                _ => return Err(MALFORMED.into()),
            }
        }
    }

    /// Reads the start of the next child, after the first; `false` at the end of the element.
    pub(super) fn sibling(&mut self) -> Result<bool, Failure> {
        if self.plain_end() {
            return Ok(false);
        }
        if let Some(tag) = self.plain_start() {
            return self.begin(tag).map(|()| true);
        }
        loop {
            match self.next()? {
                Event::Start(start) => return self.start(&start, ">").map(|()| true),
                Event::Empty(start) => return self.start(&start, "/>").map(|()| true),
                Event::End(end) => {
                    self.close(&end)?;
                    return Ok(false);
                }
                Event::Text(text) if is_blank(&text) => {}
                Event::Text(_) | Event::CData(_) | Event::GeneralRef(_) => {
                    return Err(DecodeErrorKind::MixedContent.into());
                }
                _ => return Err(MALFORMED.into()),
            }
        }
    }

    /// Skips the rest of the element that has begun, whatever its content.
    pub(super) fn skip(&mut self) -> Result<(), Failure> {
        let outside = self.open.len() - 1;
        while self.open.len() > outside {
            match self.next()? {
                Event::Start(start) => self.start(&start, ">")?,
                Event::Empty(start) => self.start(&start, "/>")?,
                Event::End(end) => self.close(&end)?,
                Event::Text(text) => drop(self.characters(text.into_inner())?),
                Event::GeneralRef(reference) => drop(grammar::referent(&reference)?),
                Event::CData(_) => {}
                _ => return Err(MALFORMED.into()),
            }
        }
        Ok(())
    }

    /// The line and the column of the reader, from 1.
    pub(super) fn position(&self) -> (usize, usize) {
        let read = &self.text.as_bytes()[..self.offset()];
        let mut lines = read.split(|byte| *byte == b'\n');
        (lines.clone().count(), lines.next_back().map_or(0, <[u8]>::len) + 1)
    }

    /// The bytes that are read.
    fn offset(&self) -> usize {
        self.text.len() - self.rest.len()
    }

    fn reader_offset(&self) -> usize {
        usize::try_from(self.reader.buffer_position())
            .map_or(self.text.len(), |offset| offset.min(self.text.len()))
    }

    /// The next event of the reader.
    fn event(&mut self) -> Result<Event<'de>, Failure> {
        let passed = self.offset() - self.reader_offset();
        self.reader.stream().consume(passed);
        let event = self.reader.read_event().map_err(|_| MALFORMED.into());
        self.rest = self.text.get(self.reader_offset()..).unwrap_or_default();
        event
    }

    /// The next event that is content or its end.
    #[inline]
    fn next(&mut self) -> Result<Event<'de>, Failure> {
        loop {
            let event = self.event()?;
            let at_start = std::mem::take(&mut self.at_start);
            match event {
                Event::Comment(_) => {}
                Event::PI(instruction) => {
                    let target = instruction.target();
                    if !grammar::is_name(target) || target.eq_ignore_ascii_case("xml") {
                        return Err(MALFORMED.into());
                    }
                }
                Event::Decl(declaration) if at_start => {
                    grammar::check_declaration(declaration.strip_prefix("xml").unwrap_or_default())?;
                }
                Event::Decl(_) => return Err(MALFORMED.into()),
                Event::DocType(_) => return Err(DecodeErrorKind::Doctype.into()),
                event => return Ok(event),
            }
        }
    }

    /// Reads the start of an element, which must be well-formed and within the limits.
    #[inline]
    fn start(&mut self, start: &BytesStart<'_>, close: &str) -> Result<(), Failure> {
        // The event borrows from itself, so the same text is taken from the document, where the reader stands after it.
        let end = self.offset() - close.len();
        let after = self.offset() - ">".len();
        let (name, rest) = self.text[end - start.len()..after].split_at(start.name().into_inner().len());
        if !grammar::is_name(name) {
            return Err(MALFORMED.into());
        }
        let attributes = &rest[..rest.len() - (after - end)];
        if !attributes.is_empty() {
            grammar::attributes(attributes)?;
        }
        self.begin(Tag { name, rest })
    }

    /// Begins an element, within the limits.
    fn begin(&mut self, tag: Tag<'de>) -> Result<(), Failure> {
        self.elements += 1;
        if self.elements > self.items {
            return Err(DecodeErrorKind::TooMany.into());
        }
        if self.open.len() == self.depth {
            return Err(DecodeErrorKind::TooDeep.into());
        }
        if !tag.is_empty() {
            self.open.push(tag.name);
        }
        self.tag = tag;
        Ok(())
    }

    /// Reads the end of an element, which must be the one that began last.
    fn close(&mut self, end: &BytesEnd<'_>) -> Result<(), Failure> {
        if self.open.pop() == Some(end.name().into_inner()) { Ok(()) } else { Err(MALFORMED.into()) }
    }

    /// The text of the element that has begun, and its end, if there is nothing else: no reference, no comment, no
    /// child. Together with [`plain_start`](Self::plain_start) and [`plain_end`](Self::plain_end) it avoids nearly all
    /// events of a usual document, and more than half the time.
    fn plain_text(&mut self) -> Option<&'de str> {
        let (text, markup) = self.rest.split_at(memchr2(b'<', b'&', self.rest.as_bytes())?);
        let after = self.after_end(markup)?;
        if !self.is_plain {
            return None;
        }
        self.rest = after;
        self.open.pop();
        Some(text.trim_ascii())
    }

    /// Reads the end of the element that began last, if it is next and has no blanks in it.
    fn plain_end(&mut self) -> bool {
        let Some(after) = self.after_end(self.rest.trim_ascii_start()) else { return false };
        self.rest = after;
        self.open.pop();
        true
    }

    /// The text after the end of the element that began last, if the markup begins with it.
    fn after_end(&self, markup: &'de str) -> Option<&'de str> {
        markup.strip_prefix("</")?.strip_prefix(*self.open.last()?)?.strip_prefix('>')
    }

    /// Reads the start of an element, if it is next and has a usual name.
    fn plain_start(&mut self) -> Option<Tag<'de>> {
        let markup = self.rest.trim_ascii_start().strip_prefix('<')?;
        let (name, after) = grammar::usual_name(markup)?;
        if let Some(after) = after.strip_prefix('>') {
            self.rest = after;
            return Some(Tag { name, rest: "" });
        }
        // Up to a `>` in an attribute, these are no attributes.
        let (rest, after) = after.split_once('>')?;
        grammar::attributes(rest).ok()?;
        self.rest = after;
        Some(Tag { name, rest })
    }

    /// Reads the start of an element, if it is next and has this name alone.
    pub(super) fn starts(&mut self, name: &'static Name) -> Result<bool, Failure> {
        // Most other names have another length, so that the end of the tag is not there.
        if self.rest.as_bytes().get(name.start.len() - 1) != Some(&b'>') {
            return Ok(false);
        }
        let Some(after) = self.rest.strip_prefix(name.start) else { return Ok(false) };
        self.rest = after;
        self.begin(Tag { name: name.plain, rest: "" }).map(|()| true)
    }

    /// Checks and converts character data.
    #[inline]
    fn characters(&self, text: Cow<'de, str>) -> Result<Cow<'de, str>, Failure> {
        if self.is_plain {
            return Ok(text);
        }
        if text.contains("]]>") { Err(MALFORMED.into()) } else { Ok(lines(text)) }
    }
}

fn is_blank(text: &str) -> bool {
    text.trim_ascii_start().is_empty()
}

/// Converts every line end to a line feed, as XML 1.0 (section 2.11) demands.
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
