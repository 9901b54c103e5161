use std::fmt;

use super::credential::{credentials, read};
use crate::{InvalidValue, Secret, key};

credentials! {
    /// An access id, which replaces the credentials in all other calls. It does not expire with time, but becomes
    /// invalid when a new one is issued for the same credentials.
    AccessId;
}

impl AccessId {
    /// Whether both are the same id.
    pub fn is(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

/// The id of one request. The gateway accepts it once, so that no request is performed twice.
///
/// It belongs to the request for which it was issued. It cannot be cloned: a different request needs a new id, and a
/// retry of the same request needs the same id. After it was sent, it names the result of the request: see
/// [`used`](Self::used). Samples are GUIDs; parsing accepts 1 to 100 characters of `A-Z a-z 0-9 _ - . :`.
///
/// ```
/// use perennial_domain::clientpay::RequestId;
///
/// let id: RequestId = "0d3f4c2e-7f55-4d0e-9a6a-3f2f8f6f1b11".parse().unwrap();
/// assert_eq!(format!("{id:?}"), "RequestId(..)");
/// assert_eq!(id.used().as_str(), id.expose());
/// ```
pub struct RequestId(Secret);

impl RequestId {
    /// Returns the text, to write it on the wire or into a journal before it is used.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// Returns the name of the object that was created under this id.
    pub fn used(&self) -> UsedRequestId {
        UsedRequestId(self.expose().to_owned())
    }
}

impl TryFrom<&str> for RequestId {
    type Error = InvalidValue;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        key::check(text)?;
        read(text).map(Self)
    }
}

impl TryFrom<String> for RequestId {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::try_from(text.as_str())
    }
}

impl std::str::FromStr for RequestId {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::try_from(text)
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequestId(..)")
    }
}

key::key! {
    /// A request id that was sent. It names the page or payment that the request created, and appears in the page's
    /// URL, in postbacks and in search results.
    pub struct UsedRequestId;
}

impl PartialEq<RequestId> for UsedRequestId {
    fn eq(&self, id: &RequestId) -> bool {
        self.as_str() == id.expose()
    }
}
