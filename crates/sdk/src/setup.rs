//! The settings that both clients share.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use perennial_transport::{Exchange, Jitter, Pace, Policy, Sender, Time, TokioTime, full_jitter};

use crate::{Environment, Error, ErrorKind};

/// A setting without which a client cannot be built.
#[derive(Debug, thiserror::Error)]
enum Unset {
    #[error("no environment is set: choose sandbox, production, or a URL")]
    Environment,
    #[cfg(not(any(feature = "hyper", feature = "reqwest")))]
    #[error("no exchange is given, and the features `reqwest` and `hyper`, which have one, are off")]
    Exchange,
}

/// The error for a limit with which nothing could be sent.
#[derive(Debug, thiserror::Error)]
#[error("{0} must be 1 or more: zero permits no call")]
struct NoCalls(&'static str);

/// The settings that both clients share.
pub(crate) struct Settings {
    pub(crate) environment: Option<Environment>,
    pub(crate) deadline: Duration,
    pub(crate) policy: Policy,
    pub(crate) max_in_flight: Option<u32>,
    pub(crate) per_second: Option<u32>,
    pub(crate) exchange: Option<Arc<dyn Exchange>>,
    pub(crate) time: Arc<dyn Time>,
    pub(crate) jitter: Jitter,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            environment: None,
            deadline: Duration::from_secs(30),
            policy: Policy::default(),
            max_in_flight: None,
            per_second: None,
            exchange: None,
            time: Arc::new(TokioTime),
            jitter: full_jitter,
        }
    }
}

impl Settings {
    /// The environment, and the sender for it.
    pub(crate) fn sender(&self) -> Result<(Environment, Sender), Error> {
        let environment = self.environment.clone().ok_or(Unset::Environment)?;
        let exchange = self.exchange.clone().map_or_else(default_exchange, Ok)?;
        let sender = Sender::paced(exchange, self.policy, self.pace()?, self.time.clone(), self.jitter);
        Ok((environment, sender))
    }

    fn pace(&self) -> Result<Pace, Error> {
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

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("environment", &self.environment)
            .field("deadline", &self.deadline)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// Declares the builder methods for the settings that both clients share, which are in the field `settings`.
macro_rules! settings {
    ($Builder:ident) => {
        impl $Builder {
            /// Sets the gateway to call; required.
            pub fn environment(mut self, environment: impl Into<Environment>) -> Self {
                self.settings.environment = Some(environment.into());
                self
            }

            /// Sets the maximum duration of one call, including retries and the waits between them: 30 s by default, at
            /// most a day. For a change that waits for an earlier one to the same object, the time starts when it can
            /// be sent.
            pub fn deadline(mut self, deadline: Duration) -> Self {
                self.settings.deadline = deadline;
                self
            }

            /// Sets the retry policy for calls that are safe to retry.
            pub fn retry(mut self, policy: Policy) -> Self {
                self.settings.policy = policy;
                self
            }

            /// Sets the maximum number of simultaneous exchanges of this client and its clones; unlimited by default. A
            /// call that gets no turn before its deadline was not sent, and ends with
            /// [`Timeout`](crate::ErrorKind::Timeout).
            ///
            /// ```
            /// use perennial::{Clearent, Environment, ErrorKind, clearent::ApiKey};
            ///
            /// # fn main() -> Result<(), perennial::Error> {
            /// let builder = || {
            ///     let key = ApiKey::new("0123456789abcdef0123456789abcdef").unwrap();
            ///     Clearent::builder(key).environment(Environment::Sandbox)
            /// };
            /// let client = builder().max_in_flight(8).rate(20).build()?;
            /// assert_eq!(builder().rate(0).build().unwrap_err().kind(), ErrorKind::Configuration);
            /// # Ok(())
            /// # }
            /// ```
            pub fn max_in_flight(mut self, exchanges: u32) -> Self {
                self.settings.max_in_flight = Some(exchanges);
                self
            }

            /// Sets the maximum number of exchanges that this client and its clones start in a second, including
            /// retries; unlimited by default. They start evenly: with 4, each starts at least 250 ms after the previous
            /// one. A call whose turn would come after its deadline is not sent, and immediately ends with
            /// [`Timeout`](crate::ErrorKind::Timeout).
            pub fn rate(mut self, per_second: u32) -> Self {
                self.settings.per_second = Some(per_second);
                self
            }

            /// Sets the HTTP client that sends the requests, instead of that of the feature `reqwest` or, without it, `hyper`.
            pub fn exchange(mut self, exchange: impl Exchange + 'static) -> Self {
                self.settings.exchange = Some(Arc::new(exchange));
                self
            }

            /// Sets the clock for deadlines and waits, instead of Tokio's.
            pub fn time(mut self, time: impl Time + 'static) -> Self {
                self.settings.time = Arc::new(time);
                self
            }

            /// Sets the source of randomness for waits, instead of real randomness.
            pub fn jitter(mut self, jitter: Jitter) -> Self {
                self.settings.jitter = jitter;
                self
            }
        }
    };
}

pub(crate) use settings;

impl From<Unset> for Error {
    fn from(unset: Unset) -> Self {
        Self::because(ErrorKind::Configuration, unset)
    }
}

#[cfg(any(feature = "hyper", feature = "reqwest"))]
fn default_exchange() -> Result<Arc<dyn Exchange>, Error> {
    #[cfg(feature = "reqwest")]
    let exchange = perennial_transport::ReqwestExchange::builder().build();
    #[cfg(not(feature = "reqwest"))]
    let exchange = perennial_transport::HyperExchange::builder().build();
    exchange
        .map(|exchange| Arc::new(exchange) as _)
        .map_err(|error| Error::because(ErrorKind::Configuration, error))
}

#[cfg(not(any(feature = "hyper", feature = "reqwest")))]
fn default_exchange() -> Result<Arc<dyn Exchange>, Error> {
    Err(Unset::Exchange.into())
}
