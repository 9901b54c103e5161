//! How large a document may be before it is refused.

/// The most that a decoder takes, in bytes, levels and counts.
///
/// Every limit is far above anything that the gateway has been seen to send, and low enough that a hostile document
/// costs milliseconds.
///
/// ```
/// use perennial_wire::Limits;
///
/// assert_eq!(Limits::default().bytes, 1024 * 1024);
/// assert_eq!(Limits { bytes: 4096, ..Limits::default() }.depth, 32);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole document; 1 MiB, some thirty times a full page of 25 customers.
    pub bytes: usize,
    /// Levels of objects, arrays or elements inside one another; 32, where the deepest message has six.
    pub depth: usize,
    /// Elements of an XML document, or items of one JSON list; 20 000.
    pub items: usize,
    /// Bytes of one scalar; 64 KiB, where the longest documented text is a comment.
    pub text: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 1024 * 1024, depth: 32, items: 20_000, text: 64 * 1024 }
    }
}
