//! Limits on the size of documents, and the masking of their texts.

use std::sync::Arc;

use perennial_domain::mask::Known;

/// Limits of a decoder, in bytes, levels and counts.
///
/// Every limit is far above everything that the gateway has been seen to send, and low enough that a hostile document
/// costs milliseconds.
///
/// ```
/// use perennial_wire::Limits;
///
/// assert_eq!(Limits::default().bytes, 1024 * 1024);
/// assert_eq!(Limits { bytes: 4096, ..Limits::default() }.depth, 32);
/// ```
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of the whole document; 1 MiB, about thirty times a full page of 25 customers.
    pub bytes: usize,
    /// Levels of nested objects, arrays or elements; 32, where the deepest message has six.
    pub depth: usize,
    /// Elements of an XML document, or items of one JSON list; 20,000.
    pub items: usize,
    /// Bytes of one scalar; 64 KiB, where the longest documented text is a comment.
    pub text: usize,
    /// Masking of every text that is read, before any value is made of it: none if `None`, as a gateway reads
    /// requests. A client that reads responses sets the secrets that its call sent, which may come back in messages and
    /// comments. Ids, money and dates are unchanged, as in [`Prose`](perennial_domain::mask::Prose).
    pub mask: Option<Arc<Known>>,
}

impl Limits {
    /// The default limits, with these secrets and everything that looks like a card number masked.
    ///
    /// ```
    /// use perennial_domain::mask::Known;
    /// use perennial_wire::{Format, Limits, clearent::{Payload, Reply}};
    ///
    /// let limits = Limits::masking(Known::default().secret("987"));
    /// let body = br#"{"payload":{"error":{"error-message":"code 987, card 4111 1111 1111 1111"}}}"#;
    /// let reply = Reply::decode(Format::Json, body, &limits).unwrap();
    /// let Payload::Error(error) = reply.payload else { panic!("an error") };
    /// assert_eq!(error.message.as_deref(), Some("code ***, card **** **** **** 1111"));
    /// ```
    pub fn masking(known: impl Into<Arc<Known>>) -> Self {
        Self { mask: Some(known.into()), ..Self::default() }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 1024 * 1024, depth: 32, items: 20_000, text: 64 * 1024, mask: None }
    }
}
