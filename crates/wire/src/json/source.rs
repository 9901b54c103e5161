//! Reads JSON. The reader knows the structure of a document; `serde_json` reads texts with escapes, checks numbers with
//! fractions, and finds the place of an error.

use std::borrow::Cow;

use serde::de::IgnoredAny;

use crate::error::{DecodeErrorKind, MALFORMED};
use crate::failure::Failure;
use crate::reader::Value;
use crate::write::Name;

/// A document being read.
pub(crate) struct Source<'de> {
    text: &'de str,
    /// The bytes that are read.
    at: usize,
    /// The byte at which the last value began.
    began: usize,
    /// Whether the innermost object or array has begun, and nothing of it was read.
    at_start: bool,
    /// Whether the name of a member was read, and not the colon after it.
    is_named: bool,
    /// Objects and arrays that have begun and not ended.
    depth: usize,
    deepest: usize,
}

impl<'de> Source<'de> {
    pub(crate) fn new(text: &'de str, deepest: usize) -> Self {
        Self { text, at: 0, began: 0, at_start: false, is_named: false, depth: 0, deepest }
    }

    /// Begins the document, which must be an object.
    pub(crate) fn root(&mut self) -> Result<Value<'de>, Failure> {
        if self.peek() == Some(b'{') {
            return self.value();
        }
        serde_json::from_str(self.text)
            .map_err(|_| MALFORMED.into())
            .and_then(|IgnoredAny| Err(DecodeErrorKind::WrongType.into()))
    }

    /// Ends the document: nothing may follow the object.
    pub(crate) fn end(&mut self) -> Result<(), Failure> {
        if self.peek().is_none() { Ok(()) } else { Err(DecodeErrorKind::Trailing.into()) }
    }

    /// The line and the column of the first syntax error, from 1. Reads the document once more.
    pub(crate) fn position(&self) -> (usize, usize) {
        if let Err(error) = serde_json::from_str::<IgnoredAny>(self.text) {
            return (error.line(), error.column());
        }
        // It accepts half of a surrogate pair in a text that it skips.
        let mut lines = self.text[..self.at].split('\n');
        (lines.clone().count(), lines.next_back().map_or(0, str::len))
    }

    /// The next byte that is not a blank.
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(self.at) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    /// Reads a value; of an object or an array, the beginning.
    #[inline]
    pub(crate) fn value(&mut self) -> Result<Value<'de>, Failure> {
        let first = self.begin_value()?;
        self.began = self.at;
        match first {
            Some(b'"') => self.string().map(Value::Text),
            Some(b'{') => self.begin().map(|()| Value::Object),
            Some(b'[') => self.begin().map(|()| Value::Array),
            Some(b'n') => self.word("null").map(|_| Value::Null),
            Some(b't') => self.word("true").map(Value::Bare),
            Some(b'f') => self.word("false").map(Value::Bare),
            _ => self.number().map(Value::Bare),
        }
    }

    /// Skips a value.
    pub(crate) fn skip(&mut self) -> Result<(), Failure> {
        match self.begin_value()? {
            Some(b'"') => {
                let start = self.at;
                let (_, has_escapes) = self.quoted()?;
                if has_escapes { valid(&self.text[start..self.at]) } else { Ok(()) }
            }
            Some(b'{') => {
                self.begin()?;
                while self.has_next(b'}')? {
                    if self.peek() != Some(b'"') {
                        return Err(MALFORMED.into());
                    }
                    self.skip()?;
                    self.is_named = true;
                    self.skip()?;
                }
                Ok(())
            }
            Some(b'[') => {
                self.begin()?;
                while self.has_item()? {
                    self.skip()?;
                }
                Ok(())
            }
            _ => self.value().map(|_| ()),
        }
    }

    /// Reads the value that began last once more, to its end, and returns its text.
    pub(crate) fn whole(&mut self, value: &Value<'de>) -> Result<&'de str, Failure> {
        let began = self.began;
        self.at = began;
        self.depth -= usize::from(matches!(value, Value::Object | Value::Array));
        self.skip()?;
        Ok(&self.text[began..self.at])
    }

    /// The name of the next member; `None` at the end of the object.
    #[inline]
    pub(crate) fn member(&mut self) -> Result<Option<Cow<'de, str>>, Failure> {
        if !self.has_next(b'}')? {
            return Ok(None);
        }
        if self.peek() != Some(b'"') {
            return Err(MALFORMED.into());
        }
        let name = self.string()?;
        self.is_named = true;
        Ok(Some(name))
    }

    /// Whether the next member has this name, without escapes and blanks. If so, its name is read.
    #[inline]
    pub(crate) fn is_member(&mut self, name: &Name) -> bool {
        let name = &name.member.as_bytes()[usize::from(self.at_start)..name.member.len() - 1];
        // Most other names have another length, so that the colon is not there.
        let end = self.at + name.len();
        let rest = self.text.as_bytes();
        let is_next = rest.get(end - 1) == Some(&b':') && &rest[self.at..end] == name;
        if is_next {
            self.at = end;
            self.at_start = false;
        }
        is_next
    }

    /// Whether the array has another item.
    pub(crate) fn has_item(&mut self) -> Result<bool, Failure> {
        self.has_next(b']')
    }

    /// Whether a member or an item comes next. Reads the comma before it, or the bracket after the last one.
    #[inline]
    fn has_next(&mut self, end: u8) -> Result<bool, Failure> {
        let is_first = std::mem::take(&mut self.at_start);
        match self.peek() {
            Some(byte) if byte == end => {
                self.at += 1;
                self.depth -= 1;
                Ok(false)
            }
            Some(b',') if !is_first => {
                self.at += 1;
                Ok(true)
            }
            Some(_) if is_first => Ok(true),
            _ => Err(MALFORMED.into()),
        }
    }

    fn begin(&mut self) -> Result<(), Failure> {
        if self.depth == self.deepest {
            return Err(DecodeErrorKind::TooDeep.into());
        }
        self.depth += 1;
        self.at += 1;
        self.at_start = true;
        Ok(())
    }

    /// The first byte of a value, after the colon if it is a member's.
    #[inline]
    fn begin_value(&mut self) -> Result<Option<u8>, Failure> {
        if std::mem::take(&mut self.is_named) {
            if self.peek() != Some(b':') {
                return Err(MALFORMED.into());
            }
            self.at += 1;
        }
        Ok(self.peek())
    }

    fn word(&mut self, word: &'static str) -> Result<&'de str, Failure> {
        let end = self.at + word.len();
        let found = self.text.get(self.at..end).filter(|found| *found == word).ok_or(MALFORMED)?;
        self.at = end;
        Ok(found)
    }

    fn number(&mut self) -> Result<&'de str, Failure> {
        let rest = &self.text[self.at..];
        let belongs = |byte: u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
        let number = &rest[..rest.bytes().position(|byte| !belongs(byte)).unwrap_or(rest.len())];
        let is_whole =
            matches!(number.as_bytes(), [b'1'..=b'9', digits @ ..] if digits.iter().all(u8::is_ascii_digit));
        if !is_whole {
            valid(number)?;
        }
        self.at += number.len();
        Ok(number)
    }

    /// Reads a string.
    #[inline]
    fn string(&mut self) -> Result<Cow<'de, str>, Failure> {
        let (text, has_escapes) = self.quoted()?;
        if has_escapes {
            let quoted = &self.text[self.at - text.len() - 2..self.at];
            return serde_json::from_str(quoted).map(Cow::Owned).map_err(|_| MALFORMED.into());
        }
        Ok(Cow::Borrowed(text))
    }

    /// Reads up to the end of a string. Returns what is between its quotes, and whether there are escapes, which are not
    /// checked.
    #[inline]
    fn quoted(&mut self) -> Result<(&'de str, bool), Failure> {
        let bytes = self.text.as_bytes();
        let (start, mut has_escapes) = (self.at + 1, false);
        let mut end = start;
        loop {
            end += plain(bytes.get(end..).unwrap_or_default());
            match bytes.get(end) {
                Some(b'"') => break,
                Some(b'\\') => {
                    has_escapes = true;
                    end += 2;
                }
                _ => return Err(MALFORMED.into()),
            }
        }
        self.at = end + 1;
        Ok((&self.text[start..end], has_escapes))
    }
}

/// The number of bytes before the first quote, backslash or control character. Eight bytes are tested at once: a byte of
/// the sum has its highest bit if that byte of the text is one of them, or follows one.
#[inline]
fn plain(text: &[u8]) -> usize {
    const EACH: u64 = u64::from_ne_bytes([1; 8]);
    let is_byte = |word: u64, byte: u8| {
        let other = word ^ (EACH * u64::from(byte));
        other.wrapping_sub(EACH) & !other
    };
    let (blocks, rest) = text.as_chunks::<8>();
    for (index, block) in blocks.iter().enumerate() {
        let word = u64::from_le_bytes(*block);
        let control = word.wrapping_sub(EACH * u64::from(b' ')) & !word;
        let found = (control | is_byte(word, b'"') | is_byte(word, b'\\')) & (EACH << 7);
        if found != 0 {
            return index * 8 + (found.trailing_zeros() / 8) as usize;
        }
    }
    let is_special = |byte: &u8| *byte < b' ' || matches!(byte, b'"' | b'\\');
    text.len() - rest.len() + rest.iter().position(is_special).unwrap_or(rest.len())
}

/// Checks a scalar.
fn valid(scalar: &str) -> Result<(), Failure> {
    serde_json::from_str(scalar).map(|IgnoredAny| ()).map_err(|_| MALFORMED.into())
}
