//! What both clients are set up with.

use std::sync::Arc;

use perennial_transport::Exchange;

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
