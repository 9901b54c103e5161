//! JSON.

mod encode;
mod source;

pub(crate) use encode::Writer;
pub(crate) use source::Source;
