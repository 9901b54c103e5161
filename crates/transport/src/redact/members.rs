//! Members of messages that are secret by their name, found in the text itself: it may be cut, or no message at all.

use perennial_domain::mask::is_secret_name;

use super::MASK;

/// A JSON text with the secret scalars replaced; what stands in objects and arrays is looked at in turn.
pub(super) fn json(body: &str) -> String {
    let mut masked = String::with_capacity(body.len());
    let mut rest = body;
    while let Some(quote) = rest.find('"') {
        let end = quote + string_end(&rest[quote..]);
        let name = rest[quote..end].trim_matches('"');
        let after = rest[end..].trim_start();
        let colon = after.strip_prefix(':').map(str::trim_start);
        if let Some(value) = colon.filter(|_| is_secret_name(name)) {
            let value_start = rest.len() - value.len();
            masked.push_str(&rest[..value_start]);
            let length = scalar_end(value);
            if length > 0 {
                masked.push('"');
                masked.push_str(MASK);
                masked.push('"');
            }
            rest = &value[length..];
        } else {
            masked.push_str(&rest[..end]);
            rest = &rest[end..];
        }
    }
    masked.push_str(rest);
    masked
}

/// An XML text with the content of secret elements replaced, up to the next closing tag.
pub(super) fn xml(body: &str) -> String {
    let mut masked = String::with_capacity(body.len());
    let mut rest = body;
    while let Some(start) = rest.find('<') {
        let Some(length) = rest[start..].find('>') else { break };
        let end = start + length;
        let tag = &rest[start + 1..end];
        let name = tag.split(|c: char| c.is_whitespace() || c == '/').next().unwrap_or_default();
        masked.push_str(&rest[..=end]);
        rest = &rest[end + 1..];
        if is_secret_name(name) && !tag.ends_with('/') {
            let close = rest.find("</").unwrap_or(rest.len());
            masked.push_str(MASK);
            rest = &rest[close..];
        }
    }
    masked.push_str(rest);
    masked
}

/// Where the string that begins with the first byte ends; the end of the text if it is cut.
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

/// The length of the string, number or literal at the start; nothing for an object, an array and `null`.
fn scalar_end(value: &str) -> usize {
    if value.starts_with('"') {
        return string_end(value);
    }
    if value.starts_with("null") {
        return 0;
    }
    value.find(|c: char| matches!(c, ',' | '}' | ']' | '{' | '[') || c.is_whitespace()).unwrap_or(value.len())
}
