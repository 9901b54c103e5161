//! JSON.

mod decode;
mod encode;

pub(crate) use decode::{decode, levels};
pub(crate) use encode::Writer;
