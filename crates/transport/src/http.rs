//! The parts that every [`Exchange`](crate::Exchange) over HTTP shares: its settings, and its checks of URLs, proxies,
//! certificates and bodies.

mod body;
mod builder;
mod connected;
mod proxy;
mod tls;
mod url;

pub(crate) use body::Body;
pub use builder::{BuildError, HttpBuilder};
pub(crate) use connected::Connected;
#[cfg(feature = "hyper")]
pub(crate) use proxy::Proxy;
#[cfg(feature = "reqwest")]
pub(crate) use proxy::is_proxy;
pub(crate) use url::check;

use std::error::Error;
use std::io;

/// The user agent of every request.
pub(crate) const AGENT: &str = concat!("perennial/", env!("CARGO_PKG_VERSION"));

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
