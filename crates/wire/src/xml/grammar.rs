//! The productions of XML 1.0 that the event reader does not check: characters, names, attributes, references.

use std::borrow::Cow;

use crate::error::{DecodeErrorKind, MALFORMED};
use crate::failure::Failure;

/// The maximum number of attributes of a tag; no tag of the dialect has more than one.
const ATTRIBUTES: usize = 32;

/// Whether XML 1.0 can hold the character (production `Char`).
fn is_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}

/// Whether XML 1.0 can hold every character of the text.
#[expect(clippy::needless_bitwise_bool, reason = "without a branch, the compiler tests many bytes at once")]
pub(super) fn is_text(text: &str) -> bool {
    let usual = |byte: u8| (b' '..0x80).contains(&byte) | (byte == b'\t') | (byte == b'\n') | (byte == b'\r');
    text.bytes().fold(true, |all, byte| all & usual(byte)) || text.chars().all(is_char)
}

/// Whether the text is a name (production `Name`).
pub(super) fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(begins_name) && chars.all(continues_name)
}

/// The name that a text begins with, and the text after it, if the name is of ASCII letters, digits and hyphens after a
/// lowercase letter, like all names of the dialect.
pub(super) fn usual_name(text: &str) -> Option<(&str, &str)> {
    let end = text.bytes().position(|byte| !USUAL[usize::from(byte)])?;
    let (name, after) = text.split_at(end);
    name.starts_with(|c: char| c.is_ascii_lowercase()).then_some((name, after))
}

/// The bytes that continue a usual name, as a table, because every tag is read by it.
const USUAL: [bool; 256] = {
    let mut usual = [false; 256];
    let mut byte = 0;
    while byte < usual.len() {
        #[expect(clippy::cast_possible_truncation, reason = "it is below 256")]
        let c = byte as u8;
        usual[byte] = c.is_ascii_alphanumeric() || c == b'-';
        byte += 1;
    }
    usual
};

fn begins_name(c: char) -> bool {
    matches!(c,
        'a'..='z' | 'A'..='Z' | '_' | ':' | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}'
        | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}'
        | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}'
        | '\u{10000}'..='\u{EFFFF}')
}

fn continues_name(c: char) -> bool {
    begins_name(c)
        || matches!(c, '0'..='9' | '-' | '.' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

/// The character of a reference, given the text between `&` and `;`.
pub(super) fn referent(reference: &str) -> Result<char, Failure> {
    let number = match reference {
        "amp" => return Ok('&'),
        "lt" => return Ok('<'),
        "gt" => return Ok('>'),
        "quot" => return Ok('"'),
        "apos" => return Ok('\''),
        _ => match reference.strip_prefix('#') {
            Some(number) => number,
            None if is_name(reference) => return Err(DecodeErrorKind::UndefinedEntity.into()),
            None => return Err(MALFORMED.into()),
        },
    };
    let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |digits| (digits, 16));
    let code = if digits.starts_with('+') { None } else { u32::from_str_radix(digits, radix).ok() };
    code.and_then(char::from_u32).filter(|c| is_char(*c)).ok_or_else(|| MALFORMED.into())
}

/// The attributes of a tag, given the text after its name.
pub(super) fn attributes(mut rest: &str) -> Result<Vec<(&str, Cow<'_, str>)>, Failure> {
    let mut attributes: Vec<(&str, Cow<'_, str>)> = Vec::new();
    loop {
        let attribute = rest.trim_start_matches(BLANK);
        if attribute.is_empty() {
            return Ok(attributes);
        }
        if attribute.len() == rest.len() {
            return Err(MALFORMED.into());
        }
        let (name, value) = attribute.split_once('=').ok_or(MALFORMED)?;
        let name = name.trim_end_matches(BLANK);
        let value = value.trim_start_matches(BLANK);
        let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\'')).ok_or(MALFORMED)?;
        let (value, after) = value[1..].split_once(quote).ok_or(MALFORMED)?;
        if !is_name(name) || value.contains('<') {
            return Err(MALFORMED.into());
        }
        if attributes.iter().any(|(other, _)| *other == name) {
            return Err(DecodeErrorKind::Duplicate.into());
        }
        if attributes.len() == ATTRIBUTES {
            return Err(DecodeErrorKind::TooMany.into());
        }
        attributes.push((name, resolved(value)?));
        rest = after;
    }
}

/// White space in XML.
const BLANK: [char; 4] = [' ', '\t', '\n', '\r'];

fn resolved(value: &str) -> Result<Cow<'_, str>, Failure> {
    if !value.contains('&') {
        return Ok(Cow::Borrowed(value));
    }
    let mut parts = value.split('&');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (reference, after) = part.split_once(';').ok_or(MALFORMED)?;
        text.push(referent(reference)?);
        text.push_str(after);
    }
    Ok(Cow::Owned(text))
}

/// Checks that a declaration is one of XML 1.0 in UTF-8, given the text after `xml` in it.
pub(super) fn check_declaration(rest: &str) -> Result<(), Failure> {
    let attributes = attributes(rest)?;
    let mut attributes = attributes.iter().map(|(name, value)| (*name, value.as_ref())).peekable();
    if attributes.next() != Some(("version", "1.0")) {
        return Err(MALFORMED.into());
    }
    if let Some((_, encoding)) = attributes.next_if(|(name, _)| *name == "encoding")
        && !encoding.eq_ignore_ascii_case("utf-8")
    {
        return Err(DecodeErrorKind::NotUtf8.into());
    }
    attributes.next_if(|(name, value)| *name == "standalone" && matches!(*value, "yes" | "no"));
    if attributes.next().is_some() { Err(MALFORMED.into()) } else { Ok(()) }
}
