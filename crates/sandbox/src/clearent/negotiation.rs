//! The formats of a request and of its answer, which are negotiated independently.

use http::HeaderMap;
use http::header::{ACCEPT, CONTENT_TYPE};
use perennial_domain::encoding;
use perennial_wire::Format;

/// The formats of one call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Formats {
    pub(crate) request: Format,
    pub(crate) answer: Format,
}

impl Formats {
    /// The default formats.
    pub(crate) const JSON: Self = Self { request: Format::Json, answer: Format::Json };

    /// The request's format is that of its `Content-Type`, else the one that its body looks like. The answer's format
    /// is the one that `Accept` prefers: by weight, then by order. It is JSON if `Accept` names only other formats, and
    /// the request's format if `Accept` allows any.
    pub(crate) fn of(headers: &HeaderMap, body: &[u8]) -> Self {
        let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let request = content_type.and_then(Format::of_media_type).unwrap_or_else(|| {
            let body = body.strip_prefix(encoding::MARK).unwrap_or(body);
            if body.trim_ascii_start().starts_with(b"<") { Format::Xml } else { Format::Json }
        });
        Self { request, answer: preferred(headers).unwrap_or(request) }
    }
}

/// The format that `Accept` prefers; `None` if it prefers neither, or is absent.
fn preferred(headers: &HeaderMap) -> Option<Format> {
    let lines = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let ranges = lines.flat_map(|line| line.split(',')).map(str::trim).filter(|range| !range.is_empty());
    let ranges: Vec<(&str, u16)> = ranges.map(weighed).collect();
    let heaviest = |fits: &dyn Fn(&str) -> bool| {
        ranges.iter().filter(|(range, _)| fits(range)).map(|(_, weight)| *weight).max()
    };
    // A format that is named counts as it is weighed there, another as anything does.
    let anything = heaviest(&|range| matches!(range, "*/*" | "application/*"));
    let weight =
        |format| heaviest(&|range| Format::of_media_type(range) == Some(format)).or(anything).unwrap_or(0);
    let first = ranges.iter().find_map(|(range, _)| Format::of_media_type(range));
    match (weight(Format::Json), weight(Format::Xml)) {
        (0, 0) if ranges.is_empty() => None,
        (0, 0) => Some(Format::Json),
        (json, xml) if json > xml => Some(Format::Json),
        (json, xml) if json < xml => Some(Format::Xml),
        _ => first,
    }
}

/// A range of `Accept` without its parameters, and its weight in thousandths.
fn weighed(range: &str) -> (&str, u16) {
    let mut parts = range.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default();
    let weight = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
    (kind, weight.map_or(1000, thousandths))
}

/// A weight such as `1`, `0.8` or `0.125`; an invalid weight counts as 0.
fn thousandths(weight: &str) -> u16 {
    let (whole, fraction) = weight.split_once('.').unwrap_or((weight, ""));
    let number = format!("{whole}{fraction:0<3}").parse().ok();
    number.filter(|number| fraction.len() <= 3 && *number <= 1000).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats() {
        use Format::{Json, Xml};
        let cases = [
            ("application/json", "application/json", "{}", Json, Json),
            ("application/xml", "application/json", "<a/>", Xml, Json),
            ("application/json", "application/xml", "{}", Json, Xml),
            ("text/xml; charset=utf-8", "", "<a/>", Xml, Xml),
            ("APPLICATION/XML", "*/*", "<a/>", Xml, Xml),
            ("", "", " \n<a/>", Xml, Xml),
            ("", "", "{}", Json, Json),
            ("text/html", "text/html", "", Json, Json),
            ("application/x-www-form-urlencoded", "text/html", "<a/>", Xml, Json),
            ("application/xml", "text/html, */*;q=0.1", "<a/>", Xml, Xml),
            ("application/json", "text/html,application/xml;q=0.9", "{}", Json, Xml),
            ("application/json", "application/json;q=0.5, application/xml", "{}", Json, Xml),
            ("application/json", "application/json;q=0.5, application/xml;q=0.50", "{}", Json, Json),
            ("application/json", "application/xml ; q=0.4 , application/json ; q=0.125", "{}", Json, Xml),
            ("application/json", "application/xml;q=0.1, */*", "{}", Json, Json),
            ("application/json", "application/xml, */*", "{}", Json, Xml),
            ("application/json", "application/json;q=0, */*;q=0.1", "{}", Json, Xml),
            ("application/xml", "application/*;q=0.2", "<a/>", Xml, Xml),
            ("application/xml", "application/xml;q=0", "<a/>", Xml, Json),
            ("application/json", "application/xml;q=2, application/json;q=0.001", "{}", Json, Json),
            ("application/xml", ", ,", "<a/>", Xml, Xml),
        ];
        for (content_type, accept, body, request, answer) in cases {
            let mut headers = HeaderMap::new();
            for (name, value) in [(CONTENT_TYPE, content_type), (ACCEPT, accept)] {
                if !value.is_empty() {
                    headers.insert(name, value.parse().unwrap());
                }
            }
            let formats = Formats::of(&headers, body.as_bytes());
            assert_eq!(formats, Formats { request, answer }, "{content_type} {accept} {body}");
        }
    }
}
