//! Decoding of text that arrives as bytes: UTF-8 with or without a byte order mark.
//!
//! Editors and exports on Windows, and some servers, put a mark at the start of a text. It has no meaning: all
//! functions that read text from outside skip one at the very start, with [`utf8`] or [`without_mark`].

/// The byte order mark of UTF-8.
pub const MARK: &[u8] = b"\xef\xbb\xbf";

/// Decodes these bytes as UTF-8, without a byte order mark at the start.
///
/// ```
/// use perennial_domain::encoding::{NotUtf8, utf8};
///
/// assert_eq!(utf8(b"\xef\xbb\xbf4111"), Ok("4111"));
/// assert_eq!(utf8(b"\xff\xfe4\x001\x00"), Err(NotUtf8::Utf16));
/// assert_eq!(utf8(b"\xe4"), Err(NotUtf8::Other));
/// ```
pub fn utf8(bytes: &[u8]) -> Result<&str, NotUtf8> {
    match bytes {
        [0xfe, 0xff, ..] | [0xff, 0xfe, ..] => Err(NotUtf8::Utf16),
        bytes => std::str::from_utf8(bytes).map(without_mark).map_err(|_| NotUtf8::Other),
    }
}

/// Removes a byte order mark at the start of the text. A second one is part of the text.
///
/// ```
/// use perennial_domain::encoding::without_mark;
///
/// assert_eq!(without_mark("\u{feff}4111"), "4111");
/// assert_eq!(without_mark("4111\u{feff}"), "4111\u{feff}");
/// ```
pub fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// The error for bytes that are not UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotUtf8 {
    /// The bytes begin with the byte order mark of UTF-16.
    #[error("the text is UTF-16; save it as UTF-8")]
    Utf16,
    /// The bytes are in another encoding, or are not text.
    #[error("the text is not UTF-8; save it as UTF-8")]
    Other,
}
