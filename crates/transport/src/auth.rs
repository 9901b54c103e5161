//! Conversion of secrets to headers; no other module does this.

use http::{HeaderName, HeaderValue, header};
use perennial_domain::clearent::{ApiKey, OneTimeToken};
use perennial_domain::clientpay::AccessId;

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
pub fn api_key(key: &ApiKey) -> (HeaderName, HeaderValue) {
    (HeaderName::from_static("api-key"), sensitive(key.expose()))
}

/// The `mobilejwt` header of a Clearent call that charges a one-time token (the vendor's mobile libraries), marked
/// sensitive.
///
/// ```
/// use perennial_domain::clearent::OneTimeToken;
/// use perennial_transport::auth;
///
/// let (name, value) = auth::mobile_jwt(&OneTimeToken::try_from("a.b.c").unwrap());
/// assert_eq!(format!("{name}: {value:?}"), "mobilejwt: Sensitive");
/// ```
pub fn mobile_jwt(token: &OneTimeToken) -> (HeaderName, HeaderValue) {
    (HeaderName::from_static("mobilejwt"), sensitive(token.expose()))
}

/// The `accessId` header of every ClientPay call of version 2 that has one (ClientPay API reference), marked sensitive.
///
/// ```
/// use perennial_domain::clientpay::AccessId;
/// use perennial_transport::auth;
///
/// let id: AccessId = "6b0f0a57-2f6a-4a6e-9a0f-64c1b8b7d210".parse().unwrap();
/// let (name, value) = auth::access_id(&id);
/// assert_eq!(format!("{name}: {value:?}"), "accessid: Sensitive");
/// ```
pub fn access_id(id: &AccessId) -> (HeaderName, HeaderValue) {
    (HeaderName::from_static("accessid"), sensitive(id.expose()))
}

/// The header that the page of one ClientPay call, generate request id, names instead: `Authorization`, with the
/// access id alone and no scheme before it.
pub fn authorization(id: &AccessId) -> (HeaderName, HeaderValue) {
    (header::AUTHORIZATION, sensitive(id.expose()))
}

fn sensitive(secret: &str) -> HeaderValue {
    let mut value = HeaderValue::from_str(secret)
        .expect("keys, ids and tokens are visible ASCII, which every header value may hold");
    value.set_sensitive(true);
    value
}
