//! The parts of a JSON text.

use std::borrow::Cow;
use std::fmt::Write;

use super::super::shown::hex;
use super::{Members, Part, PartKind, Secrecy, State};

impl<'t> Members<'t> {
    pub(super) fn next_of_json(&mut self) -> Option<Part<'t>> {
        let State::Json { mut after_colon, mut ended } = self.state else { return None };
        loop {
            let rest = self.past_space();
            let start = self.at;
            let first = *rest.as_bytes().first()?;
            self.is_malformed |= ended;
            let length = match first {
                b'"' => string_end(rest).unwrap_or(rest.len()),
                b'{' | b'}' | b'[' | b']' | b',' | b':' => 1,
                _ => rest.find(ends_a_word).unwrap_or(rest.len()),
            };
            self.at += length;
            let follows_colon = std::mem::replace(&mut after_colon, first == b':');
            let mut part = None;
            match first {
                b'{' | b'[' => {
                    let name = self.name.take();
                    self.push(name, (first == b'[').then_some(0));
                }
                b'}' | b']' => self.pop(|open| open.index.is_some() == (first == b']')),
                b',' => self.go_to_next_item(),
                b':' => {}
                _ => {
                    let token = &rest[..length];
                    let (text, is_valid) = if first == b'"' { unquoted(token) } else { word(token) };
                    self.is_malformed |= !is_valid;
                    if !follows_colon && rest[length..].trim_start().starts_with(':') {
                        part = Some(self.part(PartKind::Name, start, text.clone()));
                        let around = self.open.last().map(|open| open.secrecy).unwrap_or_default();
                        let is_readable = is_valid || first != b'"';
                        self.enter(around, if is_readable { Secrecy::of(&text) } else { Secrecy::Secret });
                        self.name = Some(text);
                    } else if token != "null" {
                        part = Some(self.part(PartKind::Value, start, text));
                    }
                }
            }
            ended = self.open.is_empty();
            self.state = State::Json { after_colon, ended };
            if part.is_some() {
                return part;
            }
        }
    }

    /// An item of a list is as secret as the list. Whatever is no item has the last name before it.
    fn go_to_next_item(&mut self) {
        if self.deeper > 0 {
            self.name = None;
        } else if let Some((index, secrecy)) =
            self.open.last_mut().and_then(|open| Some((open.index.as_mut()?, open.secrecy)))
        {
            *index += 1;
            (self.name, self.secrecy) = (None, secrecy);
        }
    }
}

fn ends_a_word(c: char) -> bool {
    matches!(c, ',' | ':' | '{' | '}' | '[' | ']' | '"') || c.is_whitespace()
}

/// The end of the string at the start of a text, unless it is cut.
fn string_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut end = 1;
    loop {
        end += bytes.get(end..)?.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
        if bytes[end] == b'"' {
            return Some(end + 1);
        }
        end += 2;
    }
}

/// A token without quotes, and whether it may be a number or a literal.
fn word(token: &str) -> (Cow<'_, str>, bool) {
    (
        token.into(),
        matches!(token, "true" | "false" | "null")
            || token.starts_with(|c: char| c == '-' || c.is_ascii_digit()),
    )
}

/// The text of a string, which may be cut, and whether it is a whole string with valid escapes.
fn unquoted(token: &str) -> (Cow<'_, str>, bool) {
    let is_whole = string_end(token).is_some();
    let inner = &token[1..token.len() - usize::from(is_whole)];
    if !inner.contains('\\') {
        return (inner.into(), is_whole);
    }
    let (mut text, mut is_valid) = (String::with_capacity(inner.len()), is_whole);
    let mut rest = inner;
    while let Some((plain, escaped)) = rest.split_once('\\') {
        text.push_str(plain);
        let escape = escape(escaped);
        is_valid &= escape.is_some();
        // An escape that means nothing is kept as text.
        let (character, length) = escape.unwrap_or(('\\', 0));
        text.push(character);
        rest = &escaped[length..];
    }
    text.push_str(rest);
    (text.into(), is_valid)
}

/// The character of an escape whose backslash was passed over, and its length.
fn escape(escaped: &str) -> Option<(char, usize)> {
    let character = match escaped.chars().next()? {
        c @ ('"' | '\\' | '/') => c,
        'u' => {
            let unit = |at: usize| u16::try_from(hex(escaped.get(at..at + 4)?)?).ok();
            let low = || escaped.get(5..7).filter(|escape| *escape == "\\u").and_then(|_| unit(7));
            let first = unit(1)?;
            let units = [Some(first), if (0xd800..0xdc00).contains(&first) { low() } else { None }];
            let character = char::decode_utf16(units.into_iter().flatten()).next()?.ok()?;
            return Some((character, if character.len_utf16() == 2 { 11 } else { 5 }));
        }
        c => SHORT.iter().find(|(letter, _)| *letter == c)?.1,
    };
    Some((character, 1))
}

/// Control characters with an escape of one letter.
const SHORT: [(char, char); 5] = [('b', '\u{8}'), ('f', '\u{c}'), ('n', '\n'), ('r', '\r'), ('t', '\t')];

/// The text as a JSON string.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match (c, SHORT.iter().find(|(_, control)| *control == c)) {
            ('"' | '\\', _) => quoted.extend(['\\', c]),
            (_, Some((letter, _))) => quoted.extend(['\\', *letter]),
            ('\0'..' ', None) => {
                // Writing to a string does not fail.
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            _ => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
