//! In which format a request is, and in which its answer shall be: two questions, answered apart.

use http::HeaderMap;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderName};
use perennial_wire::Format;

/// The formats of one call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Formats {
    pub(crate) request: Format,
    pub(crate) answer: Format,
}

impl Formats {
    /// A request is what its `Content-Type` says, else what it looks like. An answer is the first of `Accept` that
    /// is JSON or XML; JSON if only others are named; the request's format if anything goes.
    pub(crate) fn of(headers: &HeaderMap, body: &[u8]) -> Self {
        let request = named(header(headers, &CONTENT_TYPE)).unwrap_or_else(|| {
            if body.trim_ascii_start().starts_with(b"<") { Format::Xml } else { Format::Json }
        });
        let accepted = header(headers, &ACCEPT);
        let ranges = || accepted.split(',').map(str::trim).filter(|range| !range.is_empty());
        let anything = |range: &str| range.starts_with("*/*") || range.starts_with("application/*");
        let answer = match ranges().find_map(named) {
            Some(format) => format,
            None if ranges().next().is_none() || ranges().any(anything) => request,
            None => Format::Json,
        };
        Self { request, answer }
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// The format of a media type: `application/json`, `text/xml`, `application/problem+json` and so on.
fn named(media_type: &str) -> Option<Format> {
    let kind = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match kind.rsplit(['/', '+']).next() {
        Some("json") => Some(Format::Json),
        Some("xml") => Some(Format::Xml),
        _ => None,
    }
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
