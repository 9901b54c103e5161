//! The one place where a secret becomes a header.

use http::{HeaderName, HeaderValue};
use perennial_domain::clearent::ApiKey;

/// The `api-key` header of every Clearent call (Clearent recurring payments page), marked sensitive: its `Debug` does
/// not show the value, and HTTP/2 does not put it in a compression table.
///
/// ```
/// use perennial_domain::clearent::ApiKey;
/// use perennial_transport::auth;
///
/// let key = ApiKey::new("0123456789abcdef0123456789abcdef").unwrap();
/// let (name, value) = auth::api_key(&key);
/// assert_eq!(format!("{name}: {value:?}"), "api-key: Sensitive");
/// ```
#[expect(clippy::missing_panics_doc, reason = "every ApiKey is a header value")]
pub fn api_key(key: &ApiKey) -> (HeaderName, HeaderValue) {
    let mut value = HeaderValue::from_str(key.expose())
        .expect("an ApiKey is visible ASCII, which every header value may hold");
    value.set_sensitive(true);
    (HeaderName::from_static("api-key"), value)
}
