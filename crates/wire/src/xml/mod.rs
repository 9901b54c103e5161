//! XML, in the dialect of the gateway: elements with text or with elements, and one attribute, the `type` of `payload`.

mod decode;
mod encode;
mod grammar;
mod parser;

pub(crate) use decode::decode;
pub(crate) use encode::Writer;

/// The element that has the only attribute of the dialect.
const PAYLOAD: &str = "payload";
/// The member that JSON has for this attribute, which XML names `type`.
const PAYLOAD_TYPE: &str = "payloadType";
