//! The parts of an XML text.

use std::borrow::Cow;

use super::{Members, Part, PartKind, Secrecy, State};

const DATA: &str = "<![CDATA[";
const DECLARATION: &str = "<!";

/// Markup that is no tag, by its start and its end. A message has no declarations.
const ASIDES: [(&str, &str); 4] = [(DATA, "]]>"), ("<!--", "-->"), ("<?", "?>"), (DECLARATION, ">")];

impl<'t> Members<'t> {
    pub(super) fn next_of_xml(&mut self) -> Option<Part<'t>> {
        loop {
            self.name = None;
            match self.state {
                State::Tag { name, closes } => {
                    if let Some(attribute) = self.next_attribute(name, closes) {
                        return Some(attribute);
                    }
                }
                _ if self.rest().is_empty() => return None,
                State::Content { after_opening } => {
                    let start = self.at;
                    let text = self.text();
                    if self.at == start {
                        return Some(self.start_tag());
                    }
                    let is_leaf = after_opening && self.rest().starts_with("</");
                    self.is_malformed |= !(is_leaf || text.trim().is_empty());
                    return Some(self.part(PartKind::Value, start, text));
                }
                State::Json { .. } => return None,
            }
        }
    }

    /// Passes over all text before the next tag, and returns it decoded, without comments and instructions.
    fn text(&mut self) -> Cow<'t, str> {
        let mut text = Cow::Borrowed("");
        loop {
            let rest = self.rest();
            let (plain, rest) = rest.split_at(rest.find('<').unwrap_or(rest.len()));
            self.at += plain.len();
            match (self.unescaped(plain), &mut text) {
                (plain, Cow::Borrowed(_)) => text = plain,
                (plain, Cow::Owned(text)) => text.push_str(&plain),
            }
            let Some((start, end)) = ASIDES.iter().find(|(start, _)| rest.starts_with(start)) else {
                return text;
            };
            let inner = &rest[start.len()..];
            let length = inner.find(end);
            self.is_malformed |= length.is_none() || *start == DECLARATION;
            let inner = &inner[..length.unwrap_or(inner.len())];
            self.at += start.len() + inner.len() + length.map_or(0, |_| end.len());
            text.to_mut().push_str(if *start == DATA { inner } else { "" });
        }
    }

    /// Passes over the start of a tag and its name.
    fn start_tag(&mut self) -> Part<'t> {
        let tag = &self.rest()[1..];
        let closes = tag.trim_start().starts_with('/');
        let trimmed = tag.trim_start_matches(|c: char| c == '/' || c.is_whitespace());
        let is_of_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
        let name = &trimmed[..trimmed.find(|c| !is_of_name(c)).unwrap_or(trimmed.len())];
        self.is_malformed |= name.is_empty() || tag.len() - trimmed.len() != usize::from(closes);
        let start = self.message.len() - trimmed.len();
        self.at = start + name.len();
        self.state = State::Tag { name, closes };
        let part = self.part(PartKind::Name, start, name.into());
        if !closes {
            self.push(Some(name.into()), None);
            self.is_malformed |= self.deeper > 0;
            self.enter(self.secrecy, Secrecy::of(name));
        }
        part
    }

    /// Passes over an attribute of the current tag, or over its end.
    fn next_attribute(&mut self, tag: &'t str, closes: bool) -> Option<Part<'t>> {
        let start = self.at;
        let rest = self.past_space();
        let is_empty = rest.starts_with("/>");
        if is_empty || rest.is_empty() || rest.starts_with('>') {
            self.at += rest.len().min(if is_empty { 2 } else { 1 });
            self.is_malformed |= rest.is_empty() || closes && is_empty;
            self.state = State::Content { after_opening: !closes && !is_empty };
            if closes || is_empty {
                self.pop(|open| open.name.as_deref() == Some(tag));
            }
            return None;
        }
        let (name, value, after) = attribute(rest);
        self.is_malformed |= name.is_empty() || !after.starts_with(['"', '\'']);
        let text = self.unescaped(value);
        let after = after.strip_prefix(['"', '\'']).unwrap_or(after);
        self.at = self.message.len() - after.len();
        self.name = Some(name.into());
        let part = self.part(PartKind::Attribute, start, text);
        Some(Part { secrecy: part.secrecy.max(Secrecy::of(name)), ..part })
    }

    /// Text with its references replaced by their characters.
    fn unescaped(&mut self, text: &'t str) -> Cow<'t, str> {
        let Some((plain, _)) = text.split_once('&') else { return text.into() };
        let mut decoded = plain.to_owned();
        for piece in text.split('&').skip(1) {
            let reference = piece.split_once(';').and_then(|(name, after)| Some((character(name)?, after)));
            self.is_malformed |= reference.is_none();
            // A reference that means nothing is kept as text.
            let (character, after) = reference.unwrap_or(('&', piece));
            decoded.push(character);
            decoded.push_str(after);
        }
        decoded.into()
    }
}

/// The name of the attribute at the start of a text, its value, and the rest from the quote after it. A word without
/// a value is a value without a name.
fn attribute(text: &str) -> (&str, &str, &str) {
    let ends_a_word = |c: char| matches!(c, '=' | '>') || c.is_whitespace();
    let (name, after) = text.split_at(text.find(ends_a_word).unwrap_or(text.len()));
    let Some(value) = after.trim_start().strip_prefix('=').map(str::trim_start) else {
        return ("", name, after);
    };
    let (start, end) = match value.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        Some(quote) => (1, value[1..].find(quote).map(|end| 1 + end)),
        None => (0, value.find(ends_a_word)),
    };
    let (value, after) = value.split_at(end.unwrap_or(value.len()));
    (name, &value[start..], after)
}

/// The character of a reference such as `amp` or `#38`.
fn character(reference: &str) -> Option<char> {
    Some(match reference {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "apos" => '\'',
        "quot" => '"',
        _ => {
            let code = reference.strip_prefix('#')?;
            let hex = code.strip_prefix('x').map(|hex| u32::from_str_radix(hex, 16));
            char::from_u32(hex.unwrap_or_else(|| code.parse()).ok()?)?
        }
    })
}

/// The text of an element, with references for its special characters.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
