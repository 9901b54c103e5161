//! Calls of operations, and errors of reading them.

use std::fmt;

use perennial_domain::Violations;
use perennial_domain::clearent::OneTimeToken;
use zeroize::Zeroizing;

use crate::class::Class;
use crate::codec;
use crate::error::{DecodeError, EncodeError};
use crate::format::Format;
use crate::member::Put;
use crate::message::Message;
use crate::write::Bound;

/// The method of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are HTTP's")]
pub enum Method {
    Get,
    Post,
    Put,
    Delete,
}

impl Method {
    /// The name of the method on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// One call of the API: everything except for the host, the key and the headers.
///
/// ```
/// use perennial_domain::clearent::CustomerKey;
/// use perennial_wire::clearent::{Method, customer};
///
/// let call = customer::get(&CustomerKey::try_from("cust_5a1d7c1e8a0f").unwrap());
/// assert_eq!((call.method, call.target.as_str()), (Method::Get, "/rest/v2/customers/cust_5a1d7c1e8a0f"));
/// assert_eq!((call.operation, call.route), ("customers.get", "/rest/v2/customers/{customer-key}"));
/// ```
pub struct Call {
    /// The name of the operation.
    pub operation: &'static str,
    /// The effect of the operation, which decides whether it may be sent again.
    pub class: Class,
    /// The method.
    pub method: Method,
    /// The path with the names of its parts instead of keys, for logs and metrics.
    pub route: &'static str,
    /// The path and query, percent-encoded.
    pub target: String,
    /// The body, wiped when dropped because it may hold a card.
    pub body: Option<Zeroizing<Vec<u8>>>,
    /// The value of the header `mobilejwt`, for a call that charges or refunds a one-time token.
    pub one_time_token: Option<OneTimeToken>,
}

impl Call {
    /// Creates a call without a body.
    pub(crate) fn bare(
        operation: &'static str,
        class: Class,
        method: Method,
        route: &'static str,
        target: String,
    ) -> Self {
        Self { operation, class, method, route, target, body: None, one_time_token: None }
    }

    /// Sets this message as the body of the call.
    pub(crate) fn with_body<M: Message>(self, format: Format, message: &M) -> Result<Self, EncodeError> {
        // A buffer that grows leaves copies of a card behind.
        let mut bound = Bound::default();
        message.put(M::NAME, &mut bound)?;
        let mut body = Zeroizing::new(Vec::with_capacity(bound.0));
        codec::encode(format, message, &mut body)?;
        Ok(Self { body: Some(body), ..self })
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Call({} {})", self.method.as_str(), self.route)
    }
}

/// A request that a gateway cannot accept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The document cannot be read.
    #[error("the request body cannot be read")]
    Decode(#[from] DecodeError),
    /// The document can be read, but the request breaks rules.
    #[error("the request breaks rules: {0}")]
    InvalidRequest(Violations),
}

impl From<Violations> for ReadError {
    fn from(violations: Violations) -> Self {
        Self::InvalidRequest(violations)
    }
}
