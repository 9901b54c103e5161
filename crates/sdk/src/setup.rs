//! What both clients are set up with.

use std::num::NonZeroU32;
use std::sync::Arc;

use perennial_transport::{Exchange, Pace};

use crate::{Error, ErrorKind};

/// What a client cannot be built without.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unset {
    #[error("no environment is named, and none is a default: sandbox, production, or a URL of your own")]
    Environment,
    #[cfg(not(feature = "reqwest"))]
    #[error("no exchange is given, and the feature `reqwest`, which has one, is off")]
    Exchange,
}

/// A bound under which nothing could be sent.
#[derive(Debug, thiserror::Error)]
#[error("{0} of zero lets no call out: give 1 or more, or leave it out")]
struct NoCalls(&'static str);

/// The bounds that a builder was given.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Bounds {
    pub(crate) max_in_flight: Option<u32>,
    pub(crate) per_second: Option<u32>,
}

impl Bounds {
    pub(crate) fn pace(self) -> Result<Pace, Error> {
        let read = |name, bound: Option<u32>| match bound.map(NonZeroU32::new) {
            Some(None) => Err(Error::because(ErrorKind::Configuration, NoCalls(name))),
            bound => Ok(bound.flatten()),
        };
        Ok(Pace {
            max_in_flight: read("max_in_flight", self.max_in_flight)?,
            per_second: read("rate", self.per_second)?,
        })
    }
}

impl From<Unset> for Error {
    fn from(unset: Unset) -> Self {
        Self::because(ErrorKind::Configuration, unset)
    }
}

#[cfg(feature = "reqwest")]
pub(crate) fn default_exchange() -> Result<Arc<dyn Exchange>, Error> {
    let exchange = perennial_transport::ReqwestExchange::builder().build();
    exchange
        .map(|exchange| Arc::new(exchange) as _)
        .map_err(|error| Error::because(ErrorKind::Configuration, error))
}

#[cfg(not(feature = "reqwest"))]
pub(crate) fn default_exchange() -> Result<Arc<dyn Exchange>, Error> {
    Err(Unset::Exchange.into())
}
