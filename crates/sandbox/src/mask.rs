//! Takes the secrets out of what is remembered of a request. What cannot be taken apart is not remembered at all.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use perennial_domain::mask;
use perennial_wire::Format;
use serde_json::Value as Json;

/// The most characters of a body that are remembered.
const LONGEST: usize = 16 * 1024;
const MASK: &str = "****";

/// The most elements inside of one another that are followed.
const DEEPEST: usize = 32;

/// A body without its secrets.
pub(crate) fn body(format: Format, body: &[u8]) -> String {
    if body.trim_ascii().is_empty() {
        return String::new();
    }
    let masked = match format {
        Format::Json => {
            serde_json::from_slice(body).ok().map(|json| json_masked(json, Holds::Anything).to_string())
        }
        Format::Xml => std::str::from_utf8(body).ok().and_then(xml_masked),
    };
    match masked {
        Some(text) if text.len() <= LONGEST => text,
        Some(text) => format!("({} bytes, too long to remember)", text.len()),
        None => format!("({} bytes that cannot be read)", body.len()),
    }
}

/// A path and its query without their secrets, decoded.
pub(crate) fn path(path_and_query: &str) -> String {
    let Some((path, query)) = path_and_query.split_once('?') else { return text(&decoded(path_and_query)) };
    let query = query.replace('+', " ");
    let members = query.split('&').map(|member| match member.split_once('=') {
        Some((name, value)) => {
            let name = decoded(name);
            format!("{}={}", text(&name), Holds::named(&name).masked(&decoded(value)))
        }
        None => text(&decoded(member)),
    });
    format!("{}?{}", text(&decoded(path)), members.collect::<Vec<_>>().join("&"))
}

fn decoded(text: &str) -> Cow<'_, str> {
    percent_decode_str(text).decode_utf8_lossy()
}

/// What the members around a value say of it; the strictest of them counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Holds {
    Anything,
    Card,
    Secret,
}

impl Holds {
    fn named(name: &str) -> Self {
        match name.rsplit(':').next() {
            Some(local) if local.eq_ignore_ascii_case("card") => Self::Card,
            _ if mask::is_secret_name(name) => Self::Secret,
            _ => Self::Anything,
        }
    }

    fn masked(self, value: &str) -> String {
        let trimmed = value.trim();
        match self {
            _ if trimmed.is_empty() => value.to_owned(),
            Self::Secret => MASK.to_owned(),
            Self::Card if !is_harmless(trimmed) => MASK.to_owned(),
            _ => text(value),
        }
    }
}

/// What a member `card` may show: a token, a card that is masked already, or its last four digits.
fn is_harmless(card: &str) -> bool {
    let digits = card.trim_start_matches('X');
    let is_token = digits.starts_with("1100") && matches!(card.len(), 17..=20);
    digits.bytes().all(|byte| byte.is_ascii_digit()) && (is_token || digits.len() == 4)
}

/// Text without card numbers.
pub(crate) fn text(text: &str) -> String {
    mask::card_numbers(text).into_owned()
}

fn json_masked(value: Json, holds: Holds) -> Json {
    match value {
        Json::Object(members) => members
            .into_iter()
            .map(|(name, value)| (text(&name), json_masked(value, holds.max(Holds::named(&name)))))
            .collect(),
        Json::Array(items) => items.into_iter().map(|item| json_masked(item, holds)).collect(),
        Json::String(scalar) => holds.masked(&scalar).into(),
        Json::Number(scalar) => {
            let masked = holds.masked(&scalar.to_string());
            if masked == scalar.to_string() { scalar.into() } else { masked.into() }
        }
        Json::Bool(_) | Json::Null => value,
    }
}

/// Elements and their text, put together as a reader would. Attributes, comments and instructions are left out. With a
/// declaration, or text beside elements, it is no message of ours and nothing is remembered.
fn xml_masked(mut rest: &str) -> Option<String> {
    let mut masked = String::with_capacity(rest.len());
    let mut open: Vec<(&str, Holds)> = Vec::new();
    let mut said = String::new();
    let mut is_leaf = false;
    while let Some(start) = rest.find('<') {
        said.push_str(&unescaped(&rest[..start])?);
        rest = &rest[start..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = comment.split_once("-->")?.1;
            continue;
        }
        if let Some(instruction) = rest.strip_prefix("<?") {
            rest = instruction.split_once("?>")?.1;
            continue;
        }
        if let Some(data) = rest.strip_prefix("<![CDATA[") {
            let (data, after) = data.split_once("]]>")?;
            said.push_str(data);
            rest = after;
            continue;
        }
        let end = tag_end(rest)?;
        let tag = &rest[1..end];
        rest = &rest[end + 1..];
        let closes = tag.starts_with('/');
        if !(is_leaf && closes || said.trim().is_empty()) {
            return None;
        }
        let name = tag.trim_start_matches('/').split(|c: char| c.is_whitespace() || c == '/').next()?;
        if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':'))
        {
            return None;
        }
        let around = open.last().map_or(Holds::Anything, |(_, holds)| *holds);
        masked.push_str(&escaped(&around.masked(&said)));
        said.clear();
        let shown = text(name);
        if closes {
            open.pop().filter(|(opened, _)| *opened == name)?;
            masked.extend(["</", &shown, ">"]);
        } else if tag.ends_with('/') {
            masked.extend(["<", &shown, "/>"]);
        } else {
            open.push((name, around.max(Holds::named(name))));
            masked.extend(["<", &shown, ">"]);
        }
        is_leaf = !closes && !tag.ends_with('/');
        if open.len() > DEEPEST {
            return None;
        }
    }
    (open.is_empty() && rest.trim().is_empty()).then_some(masked)
}

/// Where the tag at the start ends: at the first `>` that no attribute quotes.
fn tag_end(tag: &str) -> Option<usize> {
    let mut quote = None;
    tag.find(|c| {
        match quote {
            Some(opened) if opened == c => quote = None,
            None if matches!(c, '"' | '\'') => quote = Some(c),
            _ => {}
        }
        quote.is_none() && c == '>'
    })
}

/// Text with its references replaced by the characters they stand for.
fn unescaped(text: &str) -> Option<String> {
    let mut pieces = text.split('&');
    let mut plain = pieces.next()?.to_owned();
    for piece in pieces {
        let (reference, after) = piece.split_once(';')?;
        plain.push(match reference {
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
        });
        plain.push_str(after);
    }
    Some(plain)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_and_the_rest_is_kept() {
        let json = |body: &str| super::body(Format::Json, body.as_bytes());
        let xml = |body: &str| super::body(Format::Xml, body.as_bytes());
        let cases = [
            (json(r#"{"card":"4111111111111111","csc":"999"}"#), r#"{"card":"****","csc":"****"}"#),
            (json(r#"{"card":4111111111111111,"csc":999}"#), r#"{"card":"****","csc":"****"}"#),
            (json(r#"{"card":"4111 1111 1111 1112"}"#), r#"{"card":"****"}"#),
            (json(r#"{"card":"1100000000555551111"}"#), r#"{"card":"1100000000555551111"}"#),
            (json(r#"{"card":"XXXXXXXXXXXX1111"}"#), r#"{"card":"XXXXXXXXXXXX1111"}"#),
            (json(r#"{"api-key":"0123456789abcdef0123456789abcdef"}"#), r#"{"api-key":"****"}"#),
            (
                json(r#"{"comments":"pays with 4111-1111-1111-1111."}"#),
                r#"{"comments":"pays with ****-****-****-1111."}"#,
            ),
            (json(r#"{"phone":"3145550100","zip":63101}"#), r#"{"phone":"3145550100","zip":63101}"#),
            (json(r#"{"billing":{"card":[{"csc":"1"}]}}"#), r#"{"billing":{"card":[{"csc":"****"}]}}"#),
            (json(r#"{"csc":"999""#), "(12 bytes that cannot be read)"),
            (json(" "), ""),
            (
                xml("<token><card>4111 1111 1111 1111</card><csc>999</csc></token>"),
                "<token><card>****</card><csc>****</csc></token>",
            ),
            (xml("<a><csc><![CDATA[999]]></csc><!-- csc 999 --></a>"), "<a><csc>****</csc></a>"),
            (xml("<a><csc\n>999</csc><b/><c>kept</c></a>"), "<a><csc>****</csc><b/><c>kept</c></a>"),
            (xml("<a>4111111111111111</a>"), "<a>************1111</a>"),
            (xml("<!DOCTYPE a><a/>"), "(16 bytes that cannot be read)"),
            (xml("<a"), "(2 bytes that cannot be read)"),
            (xml("<a><csc>999"), "(11 bytes that cannot be read)"),
            (xml("<a><csc><b>999</b></csc></a>"), "<a><csc><b>****</b></csc></a>"),
            (json(r#"{"csc":{"b":["999"]}}"#), r#"{"csc":{"b":["****"]}}"#),
            (
                path("/tokens/1100000000555551111?id=4111111111111111"),
                "/tokens/1100000000555551111?id=************1111",
            ),
            (path("/tokens/4111%201111%201111%201111"), "/tokens/**** **** **** 1111"),
            (path("/tokens?x=4111+1111+1111+1111&page=2"), "/tokens?x=**** **** **** 1111&page=2"),
            (
                path("/tokens?CSC=999&api%2Dkey=0a&Card=41&flag"),
                "/tokens?CSC=****&api-key=****&Card=****&flag",
            ),
            (json(r#"{"CSC":"9","cvv":9,"cvc":"9"}"#), r#"{"CSC":"****","cvc":"****","cvv":"****"}"#),
            (json(r#"{"Card":"41","API-KEY":"0a"}"#), r#"{"API-KEY":"****","Card":"****"}"#),
            (json(r#"{"api_key":"0a","apiKey":"0a"}"#), r#"{"apiKey":"****","api_key":"****"}"#),
            (json(r#"{"card":{"csc":"9999"}}"#), r#"{"card":{"csc":"****"}}"#),
            (json(r#"{"card":"1100"}"#), r#"{"card":"1100"}"#),
            (json(r#"{"card":"11009999"}"#), r#"{"card":"****"}"#),
            (json(r#"{"comments":"1 4111.1111.1111.1111"}"#), r#"{"comments":"1 ****.****.****.1111"}"#),
            (xml("<a><x:csc>999</x:csc></a>"), "<a><x:csc>****</x:csc></a>"),
            (xml("<token csc=\"983\" b='>9' ><c d='9'/></token>"), "<token><c/></token>"),
            (xml("<?xml version='1.0'?><?a csc='9'?><a/>\n"), "<a/>"),
            (xml("<a>4111&#49;11&#x31;11111111</a>"), "<a>************1111</a>"),
            (xml("<a>41111111<!-- -->1111<![CDATA[1111]]></a>"), "<a>************1111</a>"),
            (xml("<a>1 &lt; 2 &amp;#49;</a>"), "<a>1 &lt; 2 &amp;#49;</a>"),
            (xml("<a>&b;</a>"), "(10 bytes that cannot be read)"),
            (xml("<a>4111<b/></a>"), "(15 bytes that cannot be read)"),
            (xml("<a><b/>4111</a>"), "(15 bytes that cannot be read)"),
            (xml("<a><b></a></b>"), "(14 bytes that cannot be read)"),
            (xml("<a></a>4111"), "(11 bytes that cannot be read)"),
            (xml("<csc=\"983\"/>"), "(12 bytes that cannot be read)"),
        ];
        for (masked, expected) in &cases {
            assert_eq!(masked, expected);
        }
    }

    #[test]
    fn elements_without_end_take_no_time() {
        let nested = |depth| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
        let wide = |count| format!("<a>{}</a>", "<b/>".repeat(count));
        for (body, expected) in [
            (nested(DEEPEST), nested(DEEPEST)),
            (nested(DEEPEST + 1), "(231 bytes that cannot be read)".to_owned()),
            ("<a>".repeat(80_000), "(240000 bytes that cannot be read)".to_owned()),
            (wide(80_000), "(320007 bytes, too long to remember)".to_owned()),
        ] {
            assert_eq!(super::body(Format::Xml, body.as_bytes()), expected);
        }
    }
}
