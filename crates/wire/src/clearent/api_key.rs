//! Reads the api key from the place where some live clients put it.

use perennial_domain::clearent::ApiKey;

use crate::codec;
use crate::format::Format;
use crate::limits::Limits;
use crate::text::Text;

message! {
    /// The member that some live clients send instead of the header.
    struct BodyKey<'a> as "" {
        api_key: Option<Text<'a>> = "api-key",
    }
}

/// The key that some live clients put into the body as the member `api-key` instead of the header (JSON only, as
/// seen in a shop plugin and an Android app).
#[cfg(feature = "gateway")]
pub fn read_api_key(body: &[u8], limits: &Limits) -> Option<ApiKey> {
    let BodyKey { api_key } = codec::decode(Format::Json, body, limits).ok()?;
    ApiKey::new(&api_key?).ok()
}
