use std::fmt;

use super::credential::{credentials, read};
use crate::{InvalidValue, Secret, key};

credentials! {
    /// What stands in for the credentials in every other call. It does not expire with time, but dies when a new one is
    /// given for the same credentials.
    AccessId;
}

impl AccessId {
    /// Whether it is the same id.
    pub fn is(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

/// The id of one request, which the gateway takes once: so that no request is performed twice.
///
/// It belongs to the request that it was asked for. It cannot be cloned, and another request needs another one; to
/// send the same request again needs this one again. Once sent, it is the name of what the request made: see
/// [`used`](Self::used). Samples are GUIDs; read are 1 to 100 characters of `A-Z a-z 0-9 _ - . :`.
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
    /// The text: for the wire, and for a journal that writes it down before it is used.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// The name that what was made under this id has.
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
    /// A request id that was sent, and now names the page or payment that it made: it stands in the page's URL, in
    /// postbacks and in what a search finds.
    pub struct UsedRequestId;
}

impl PartialEq<RequestId> for UsedRequestId {
    fn eq(&self, id: &RequestId) -> bool {
        self.as_str() == id.expose()
    }
}
