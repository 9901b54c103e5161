//! The parts that every [`Exchange`](crate::Exchange) over HTTP shares: its settings, and its checks of URLs, proxies,
//! certificates and bodies.

mod body;
mod builder;
mod connected;
mod proxy;
mod tls;
mod url;

use std::error::Error;
use std::io;

use bytes::Bytes;
use http::Response;
use tokio::time::{Instant, timeout_at};

use crate::{Deadline, Kind, TransportError};

pub(crate) use body::Body;
pub use builder::{BuildError, HttpBuilder};
pub(crate) use connected::Connected;
#[cfg(feature = "hyper")]
pub(crate) use proxy::Proxy;
#[cfg(feature = "reqwest")]
pub(crate) use proxy::is_proxy;
pub(crate) use url::check;

/// The user agent of every request.
pub(crate) const AGENT: &str = concat!("perennial/", env!("CARGO_PKG_VERSION"));

/// The answer to a request, at most until the deadline. After it, the request is not begun.
pub(crate) async fn within(
    deadline: Deadline,
    answer: impl Future<Output = Result<Response<Bytes>, TransportError>>,
) -> Result<Response<Bytes>, TransportError> {
    let deadline = Instant::from_std(deadline.instant());
    if deadline <= Instant::now() {
        return Err(TransportError::new(Kind::Timeout).not_sent());
    }
    timeout_at(deadline, answer).await.unwrap_or_else(|_| Err(TransportError::new(Kind::Timeout)))
}

/// The first error of this type in the chain, including errors inside I/O errors, whose `source` skips them.
pub(crate) fn cause<'e, T: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = wrapped.map(|wrapped| wrapped as &(dyn Error + 'static)).or_else(|| error.source());
    }
    None
}
