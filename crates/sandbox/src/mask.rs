//! Takes the secrets out of what is remembered of a request. What cannot be taken apart is not remembered at all.

use perennial_wire::Format;
use serde_json::Value as Json;

/// The most characters of a body that are remembered.
const LONGEST: usize = 16 * 1024;
const MASK: &str = "****";

/// Members that hold a secret whatever their value looks like.
const SECRET: &[&str] = &["csc", "api-key", "track2-data", "encrypted-track-data"];

/// A body without its secrets.
pub(crate) fn body(format: Format, body: &[u8]) -> String {
    if body.trim_ascii().is_empty() {
        return String::new();
    }
    let masked = match format {
        Format::Json => serde_json::from_slice(body).ok().map(|json| json_masked(json, None).to_string()),
        Format::Xml => std::str::from_utf8(body).ok().and_then(xml_masked),
    };
    match masked {
        Some(text) if text.len() <= LONGEST => text,
        Some(text) => format!("({} bytes, too long to remember)", text.len()),
        None => format!("({} bytes that cannot be read)", body.len()),
    }
}

/// Masks the scalars of a document; `within` is the innermost member around it, or the outermost that may hold a card.
fn json_masked(value: Json, within: Option<&str>) -> Json {
    match value {
        Json::Object(members) => members
            .into_iter()
            .map(|(name, value)| {
                let masked = json_masked(value, within.filter(|name| may_hide(name)).or(Some(&name)));
                (text(&name), masked)
            })
            .collect(),
        Json::Array(items) => items.into_iter().map(|item| json_masked(item, within)).collect(),
        Json::String(scalar) => value_masked(within, &scalar).into(),
        Json::Number(scalar) => {
            let masked = value_masked(within, &scalar.to_string());
            if masked == scalar.to_string() { scalar.into() } else { masked.into() }
        }
        Json::Bool(_) | Json::Null => value,
    }
}

/// The same for what stands between tags; comments are left out, and declarations are not for us.
fn xml_masked(mut rest: &str) -> Option<String> {
    let mut masked = String::with_capacity(rest.len());
    let mut open: Vec<&str> = Vec::new();
    while let Some(start) = rest.find('<') {
        let within = open.iter().find(|name| may_hide(name)).or(open.last()).copied();
        masked.push_str(&value_masked(within, &rest[..start]));
        rest = &rest[start..];
        if rest.starts_with("<!--") {
            rest = &rest[rest.find("-->")? + 3..];
        } else if let Some(data) = rest.strip_prefix("<![CDATA[") {
            let end = data.find("]]>")?;
            masked.push_str(&value_masked(within, &data[..end]));
            rest = &data[end + 3..];
        } else if rest.starts_with("<!") {
            return None;
        } else {
            let end = rest.find('>')?;
            let tag = &rest[..=end];
            if tag.starts_with("</") {
                open.pop()?;
            } else if !tag.ends_with("/>") && !tag.starts_with("<?") {
                open.extend(tag[1..end].split(|c: char| c.is_whitespace()).next());
            }
            masked.push_str(&text(tag));
            rest = &rest[end + 1..];
        }
    }
    masked.push_str(&text(rest));
    open.is_empty().then_some(masked)
}

fn may_hide(member: &str) -> bool {
    member == "card" || SECRET.contains(&member)
}

fn value_masked(member: Option<&str>, value: &str) -> String {
    let trimmed = value.trim();
    match member {
        _ if trimmed.is_empty() => value.to_owned(),
        Some(name) if SECRET.contains(&name) => MASK.to_owned(),
        Some("card") if !is_harmless(trimmed) => MASK.to_owned(),
        _ => text(value),
    }
}

/// What a member `card` may show: a token, a card that is masked already, or its last four digits.
fn is_harmless(card: &str) -> bool {
    let digits = card.bytes().all(|byte| byte.is_ascii_digit());
    let masked =
        card.strip_prefix("XXXX").is_some_and(|rest| rest.bytes().filter(u8::is_ascii_digit).count() == 4);
    masked || digits && (card.len() == 4 || card.starts_with("1100"))
}

/// Text without card numbers: runs of 12 to 19 digits, with blanks and hyphens between them or none, whose check digit
/// is right. Runs that begin with 1 are tokens; longer runs may hide a card and are masked whole.
pub(crate) fn text(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        masked.push_str(&rest[..start]);
        rest = &rest[start..];
        let end = rest.find(|c: char| !c.is_ascii_digit() && !matches!(c, ' ' | '-')).unwrap_or(rest.len());
        let run = rest[..end].trim_end_matches([' ', '-']);
        let digits: Vec<u8> = run.bytes().filter(u8::is_ascii_digit).map(|byte| byte - b'0').collect();
        let card = digits.len() > 19 || digits.len() >= 12 && digits[0] != 1 && luhn(&digits);
        masked.push_str(if card { MASK } else { run });
        rest = &rest[run.len()..];
    }
    masked.push_str(rest);
    masked
}

fn luhn(digits: &[u8]) -> bool {
    let doubled = |digit: u8| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let sum: u32 = (0..)
        .zip(digits.iter().rev())
        .map(|(index, digit)| u32::from(if index % 2 == 1 { doubled(*digit) } else { *digit }))
        .sum();
    sum.is_multiple_of(10)
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
            (json(r#"{"comments":"pays with 4111-1111-1111-1111."}"#), r#"{"comments":"pays with ****."}"#),
            (json(r#"{"phone":"3145550100","zip":63101}"#), r#"{"phone":"3145550100","zip":63101}"#),
            (json(r#"{"billing":{"card":[{"csc":"1"}]}}"#), r#"{"billing":{"card":[{"csc":"****"}]}}"#),
            (json(r#"{"csc":"999""#), "(12 bytes that cannot be read)"),
            (json(" "), ""),
            (
                xml("<token><card>4111 1111 1111 1111</card><csc>999</csc></token>"),
                "<token><card>****</card><csc>****</csc></token>",
            ),
            (xml("<a><csc><![CDATA[999]]></csc><!-- csc 999 --></a>"), "<a><csc>****</csc></a>"),
            (xml("<a><csc\n>999</csc><b/>kept</a>"), "<a><csc\n>****</csc><b/>kept</a>"),
            (xml("<a>4111111111111111</a>"), "<a>****</a>"),
            (xml("<!DOCTYPE a><a/>"), "(16 bytes that cannot be read)"),
            (xml("<a"), "(2 bytes that cannot be read)"),
            (xml("<a><csc>999"), "(11 bytes that cannot be read)"),
            (xml("<a><csc><b>999</b></csc></a>"), "<a><csc><b>****</b></csc></a>"),
            (json(r#"{"csc":{"b":["999"]}}"#), r#"{"csc":{"b":["****"]}}"#),
            (text("/tokens/1100000000555551111?id=4111111111111111"), "/tokens/1100000000555551111?id=****"),
        ];
        for (masked, expected) in &cases {
            assert_eq!(masked, expected);
        }
    }
}
