//! Decodes the characters of a text as a reader sees them: escapes of URLs, HTML, XML, JSON and source code.

use std::ops::Range;

/// A character and its position in the text.
#[derive(Clone, Debug)]
pub(super) struct VisibleChar {
    pub(super) span: Range<usize>,
    pub(super) character: char,
}

/// The readings of a text: its characters as they are and, if it contains escapes, its characters with the escapes
/// decoded. Both are searched: `%41` is an `A`, or the first digits of a card after a percent sign.
pub(super) fn readings(text: &str) -> &'static [Escapes] {
    let begins = |byte: u8| matches!(byte, b'%' | b'&' | b'\\');
    // Without a way out of the loop, the compiler tests many bytes at once.
    let has_escapes = text.bytes().fold(false, |found, byte| found | begins(byte));
    if has_escapes { &[Escapes::Kept, Escapes::Read] } else { &[Escapes::Kept] }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Escapes {
    Kept,
    Read,
}

/// Every character of the text.
pub(super) fn characters(text: &str, escapes: Escapes) -> impl Iterator<Item = VisibleChar> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let plain = text[at..].chars().next()?;
        let escape = if escapes == Escapes::Read { escape(&text[at..]) } else { None };
        let (character, length) = escape.unwrap_or((plain, plain.len_utf8()));
        let start = at;
        at += length;
        Some(VisibleChar { span: start..at, character })
    })
}

/// The ASCII digit of a character, if it is a decimal digit of a supported script.
pub(super) fn digit(c: char) -> Option<u8> {
    /// The zeros of Arabic, Persian, Devanagari, full-width and mathematical digits, each followed by its nine.
    const ZEROS: [char; 9] =
        ['٠', '۰', '०', '０', '\u{1d7ce}', '\u{1d7d8}', '\u{1d7e2}', '\u{1d7ec}', '\u{1d7f6}'];
    if let Ok(ascii) = u8::try_from(c) {
        return Some(ascii).filter(u8::is_ascii_digit);
    }
    let value = ZEROS
        .iter()
        .find_map(|zero| u32::from(c).checked_sub(u32::from(*zero)).filter(|value| *value < 10))?;
    u8::try_from(value).ok().map(|value| b'0' + value)
}

/// The letter or digit in a form that compares without case and width.
pub(super) fn folded(c: char) -> Option<char> {
    let narrow = match c {
        '\u{ff21}'..='\u{ff3a}' | '\u{ff41}'..='\u{ff5a}' => {
            char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c)
        }
        c => digit(c).map_or(c, char::from),
    };
    narrow.is_alphanumeric().then(|| narrow.to_ascii_lowercase())
}

/// The character of the escape at the start of the text, and the length of the escape.
fn escape(text: &str) -> Option<(char, usize)> {
    match text.as_bytes().first()? {
        b'%' => percent(text),
        b'&' => entity(text),
        b'\\' => backslash(text),
        _ => None,
    }
}

/// Decodes `%34`, `%2534` (escaped twice), and the bytes of one character in UTF-8.
fn percent(text: &str) -> Option<(char, usize)> {
    let byte = |at: usize| {
        let digits = text.get(at..)?.strip_prefix('%')?;
        let twice = digits.len() - digits.trim_start_matches("25").len();
        let (twice, digits) = match digits.get(twice..).and_then(|rest| hex(rest.get(..2)?)) {
            Some(_) => (twice, digits.get(twice..)?),
            None => (0, digits),
        };
        let value = u8::try_from(hex(digits.get(..2)?)?).ok()?;
        Some((value, at + 1 + twice + 2))
    };
    let (mut bytes, mut end) = (Vec::with_capacity(4), 0);
    while bytes.len() < 4 {
        let (value, next) = byte(end)?;
        bytes.push(value);
        end = next;
        if let Some(character) = std::str::from_utf8(&bytes).ok().and_then(|text| text.chars().next()) {
            return Some((character, end));
        }
    }
    None
}

/// Decodes `&#52;`, `&#x34;`, `&amp;#52;` (escaped twice), and any named entity, which is neither a letter nor a digit.
fn entity(text: &str) -> Option<(char, usize)> {
    let mut name = text.strip_prefix('&')?;
    while let Some(rest) = name.strip_prefix("amp;").filter(|rest| rest.starts_with(['#', 'a'])) {
        name = rest;
    }
    let Some(number) = name.strip_prefix('#') else {
        // The search stops after the length of an entity: a hostile text may consist of ampersands.
        let length = name.bytes().take(9).position(|byte| byte == b';')?;
        let word = name.get(..length)?;
        let is_word = word.len() >= 2 && word.bytes().all(|byte| byte.is_ascii_alphabetic());
        let end = text.len() - name.len() + word.len() + 1;
        return is_word.then_some(('\u{a0}', end));
    };
    let (digits, radix) = match number.strip_prefix(['x', 'X']) {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    let length = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
    let character = char::from_u32(u32::from_str_radix(&digits[..length], radix).ok()?)?;
    let rest = &digits[length..];
    Some((character, text.len() - rest.strip_prefix(';').unwrap_or(rest).len()))
}

/// Decodes `\u0034`, `\u{34}` and `\x34`.
fn backslash(text: &str) -> Option<(char, usize)> {
    let escaped = text.strip_prefix('\\')?;
    let (digits, after) = if let Some(rest) = escaped.strip_prefix("u{") {
        let digits = rest.get(..rest.bytes().take(7).position(|byte| byte == b'}')?)?;
        (digits, 3 + digits.len() + 1)
    } else if let Some(rest) = escaped.strip_prefix('u') {
        (rest.get(..4)?, 2 + 4)
    } else {
        (escaped.strip_prefix('x')?.get(..2)?, 2 + 2)
    };
    Some((char::from_u32(hex(digits)?)?, after))
}

pub(super) fn hex(digits: &str) -> Option<u32> {
    let all_hex = (1..=6).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    all_hex.then(|| u32::from_str_radix(digits, 16).ok()).flatten()
}
