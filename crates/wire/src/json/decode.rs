//! Reads JSON: fast first, and once more with every scalar as its own text if a number could not be kept exact.

use serde::de::IgnoredAny;
use serde_json::error::Category;

use crate::error::DecodeError;
use crate::error::DecodeErrorKind::{self, Syntax, WrongType};
use crate::format::Format;
use crate::limits::Limits;
use crate::member::Read;
use crate::message::Members;
use crate::reading::{Reading, Scalars};

/// Reads a document that is one object.
///
/// `serde_json` reads a fraction as a float, which is not acceptable for money, and refuses a number that no float
/// can hold. Both are rare, so only they pay for a second reading.
pub(crate) fn decode<'a, M: Members<'a>>(text: &'a str, limits: &Limits) -> Result<M, DecodeError> {
    let parsed = Reading::new(Scalars::Json, limits);
    let first = match read(text, &parsed) {
        Ok(message) => return Ok(message),
        Err(kind) => kind,
    };
    let verbatim = Reading::new(Scalars::JsonText, limits);
    let (reading, kind) = match first {
        _ if parsed.is_inexact() => match read(text, &verbatim) {
            Ok(message) => return Ok(message),
            Err(second) => (verbatim, second),
        },
        Syntax { .. } => match read(text, &verbatim) {
            Ok(message) => return Ok(message),
            Err(_) => (parsed, first),
        },
        _ => (parsed, first),
    };
    Err(reading.error(Format::Json, kind))
}

fn read<'a, M: Members<'a>>(text: &'a str, reading: &Reading<'_>) -> Result<M, DecodeErrorKind> {
    if !text.trim_ascii_start().starts_with('{') {
        return Err(serde_json::from_str::<IgnoredAny>(text).map_or_else(|error| kind(&error), |_| WrongType));
    }
    let mut json = serde_json::Deserializer::from_str(text);
    let message = M::read(&mut json, reading.root()).map_err(|error| kind(&error))?;
    json.end().map_err(|_| DecodeErrorKind::Trailing)?;
    message.ok_or(WrongType)
}

fn kind(error: &serde_json::Error) -> DecodeErrorKind {
    match error.classify() {
        Category::Data => WrongType,
        Category::Io | Category::Syntax | Category::Eof => {
            Syntax { line: error.line(), column: error.column() }
        }
    }
}

/// The nesting depth of objects and arrays in a JSON text.
pub(crate) fn levels(json: &str) -> usize {
    let (mut depth, mut deepest, mut quoted, mut escaped) = (0_usize, 0, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !quoted => depth -= 1,
            _ => {}
        }
    }
    deepest
}
