//! XML, in the dialect of the gateway: elements with text or with elements, and one attribute, the `type` of `payload`.

mod encode;
mod grammar;
mod parser;
mod source;

pub(crate) use encode::Writer;
pub(crate) use source::Source;

/// The element that has the only attribute of the dialect.
const PAYLOAD: &str = "payload";
/// The member that JSON has for this attribute, which XML names `type`.
const PAYLOAD_TYPE: &str = "payloadType";
