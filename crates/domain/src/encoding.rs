//! Text that enters as bytes: UTF-8, with or without its byte order mark.
//!
//! Editors and exports on Windows put a mark before a text, and some servers do. It says nothing: everything that reads
//! a text from outside passes over one at the very start, by [`utf8`] or [`without_mark`].

/// The byte order mark of UTF-8.
pub const MARK: &[u8] = b"\xef\xbb\xbf";

/// The text of these bytes, without a byte order mark at its start.
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

/// The text without a byte order mark at its start. A second one belongs to the text.
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

/// Bytes that are no UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotUtf8 {
    /// They begin with the byte order mark of UTF-16.
    #[error("the text is UTF-16; save it as UTF-8")]
    Utf16,
    /// They are in another encoding, or are no text.
    #[error("the text is not UTF-8; save it as UTF-8")]
    Other,
}
