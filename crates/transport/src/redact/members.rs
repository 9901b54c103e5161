//! Scalars of messages, found in the text itself: it may be cut, or not a message.

use std::ops::Range;

/// A callback for each scalar: the name of its member, and its range, quotes included.
pub(super) type Visit<'f> = &'f mut dyn FnMut(&str, Range<usize>);

/// The stand-in name for a name with an escape, which no gateway writes: it counts as secret.
const ESCAPED: &str = "card";

/// Visits the scalars of a JSON text. An item of a list has the last name before it.
pub(super) fn json(body: &str, visit: Visit<'_>) {
    let (mut at, mut name) = (0, "");
    while let Some(quote) = body[at..].find('"').map(|found| at + found) {
        let end = quote + string_end(&body[quote..]);
        let Some(value) = body[end..].trim_start().strip_prefix(':').map(str::trim_start) else {
            visit(name, quote..end);
            at = end;
            continue;
        };
        name = body[quote..end].trim_matches('"');
        if name.contains('\\') {
            name = ESCAPED;
        }
        let start = body.len() - value.len();
        at = start + scalar_end(value);
        if at > start {
            visit(name, start..at);
        }
    }
}

/// Visits the texts of the elements of an XML text, each up to the next tag; a secret one up to the next closing tag.
pub(super) fn xml(body: &str, is_secret: fn(&str) -> bool, visit: Visit<'_>) {
    let mut at = 0;
    while let Some(open) = body[at..].find('<').map(|found| at + found) {
        let Some(end) = body[open..].find('>').map(|found| open + found) else { break };
        let tag = &body[open + 1..end];
        let name = tag.split(|c: char| c.is_whitespace() || c == '/').next().unwrap_or_default();
        let start = end + 1;
        at = start;
        if tag.starts_with('/') || tag.ends_with('/') {
            continue;
        }
        let rest = &body[start..];
        let to_the_close = is_secret(name) || rest.trim_start().starts_with("<![CDATA[");
        let length = if to_the_close { rest.find("</") } else { rest.find('<') }.unwrap_or(rest.len());
        at += length;
        if length > 0 {
            visit(name, start..at);
        }
    }
}

/// The end of the string that begins with the first byte; the end of the text if it is cut.
fn string_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of the string, number or literal at the start; 0 for an object, an array and `null`.
fn scalar_end(value: &str) -> usize {
    if value.starts_with('"') {
        return string_end(value);
    }
    if value.starts_with("null") {
        return 0;
    }
    value.find(|c: char| matches!(c, ',' | '}' | ']' | '{' | '[') || c.is_whitespace()).unwrap_or(value.len())
}
