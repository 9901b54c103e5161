//! The entry points for reading and writing documents of either format.

use perennial_domain::encoding::{NotUtf8, utf8};

use crate::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::failure::Failure;
use crate::format::Format;
use crate::limits::Limits;
use crate::member::{Put, Read};
use crate::message::{Members, Message};
use crate::reader::Reader;
use crate::{json, xml};

/// Reads one document, after a byte order mark if it has one; texts are borrowed from it wherever they need no
/// change.
pub(crate) fn decode<'a, M: Members<'a>>(
    format: Format,
    document: &'a [u8],
    limits: &Limits,
) -> Result<M, DecodeError> {
    let refuse = |kind| Err(DecodeError::new(format, "", kind));
    if document.len() > limits.bytes {
        return refuse(DecodeErrorKind::TooLarge);
    }
    let text = match utf8(document) {
        Ok(text) => text,
        Err(NotUtf8::Utf16) => return refuse(DecodeErrorKind::Utf16),
        Err(NotUtf8::Other) => return refuse(DecodeErrorKind::NotUtf8),
    };
    if text.trim_ascii().is_empty() {
        return refuse(DecodeErrorKind::Empty);
    }
    let mut reader = Reader::new(format, text, limits);
    whole(&mut reader).map_err(|failure| reader.error(failure))
}

/// Reads a document that is one object, and nothing else.
fn whole<'de, M: Members<'de>>(reader: &mut Reader<'de, '_>) -> Result<M, Failure> {
    let root = reader.root(M::SHAPE.name)?;
    let mut message = None;
    M::read_into(&mut message, root, reader)?;
    reader.end()?;
    message.ok_or_else(|| DecodeErrorKind::WrongType.into())
}

/// Writes one document into the buffer, and replaces its content.
pub(crate) fn encode<M: Message>(
    format: Format,
    message: &M,
    buffer: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    buffer.clear();
    match format {
        Format::Json => message.put(M::NAME, &mut json::Writer::new(buffer)),
        Format::Xml => message.put(M::NAME, &mut xml::Writer::new(buffer)),
    }
}
