//! The bytes of the Clearent recurring payments API, in JSON and in XML, in both directions.
//!
//! A message is one table (see `message!`), read and written by two codecs that share it. Reading is lenient about
//! what does not matter (unknown members, order, numbers where text is documented) and strict about what does
//! (duplicates, roots, ends, limits). No error quotes the document it is about.

#[macro_use]
mod message;

pub mod clearent;
mod error;
mod format;
mod json;
mod limits;
mod member;
mod reading;
mod text;
mod write;
mod xml;

pub use error::{DecodeError, DecodeErrorKind, EncodeError};
pub use format::{Format, UnknownFormat};
pub use limits::Limits;

#[cfg(test)]
mod tests;
