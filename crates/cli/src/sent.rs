//! The operation of a request to a gateway.

use bytes::Bytes;
use http::{Method, Request};
use perennial::clientpay::Operation;

/// Whether a request changes nothing. All of ClientPay is POST, except for the one GET of version 1.0.
pub(crate) fn is_read(request: &Request<Bytes>) -> bool {
    request.method() == Method::GET || route(request).is_some_and(|operation| operation.class().is_read())
}

/// The operation of ClientPay that a request calls.
pub(crate) fn route(request: &Request<Bytes>) -> Option<Operation> {
    // A base URL may have a path of its own before it.
    let path = request.uri().path();
    path.match_indices('/').find_map(|(at, _)| Operation::at(&path[at..])).map(|(operation, _)| operation)
}
