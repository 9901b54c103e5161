//! What both clients are set up with.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use perennial_transport::{Exchange, Jitter, Pace, Policy, Sender, Time, TokioTime, full_jitter};

use crate::{Environment, Error, ErrorKind};

/// What a client cannot be built without.
#[derive(Debug, thiserror::Error)]
enum Unset {
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

/// The settings that both clients have.
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

/// The methods of a client's builder for the settings that both clients have, which are in its field `settings`.
macro_rules! settings {
    ($Builder:ident) => {
        impl $Builder {
            /// The gateway that is called; required.
            pub fn environment(mut self, environment: impl Into<Environment>) -> Self {
                self.settings.environment = Some(environment.into());
                self
            }

            /// How long one call may take, retries and the waits between them included: 30 s, and never more than a day.
            /// A change that waits for an earlier one to the same object counts from its turn.
            pub fn deadline(mut self, deadline: Duration) -> Self {
                self.settings.deadline = deadline;
                self
            }

            /// How hard to try where a retry does no harm.
            pub fn retry(mut self, policy: Policy) -> Self {
                self.settings.policy = policy;
                self
            }

            /// The most exchanges that this client and its clones have in flight at once; no bound by default. A call that
            /// finds no place before its deadline was not sent, and ends with
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

            /// The most exchanges that this client and its clones start in a second, retries included; no bound by
            /// default. They start evenly: with 4, each at least 250 ms after the one before. A call whose turn would come
            /// after its deadline was not sent, and ends with [`Timeout`](crate::ErrorKind::Timeout) at once.
            pub fn rate(mut self, per_second: u32) -> Self {
                self.settings.per_second = Some(per_second);
                self
            }

            /// The carrier of the requests, instead of reqwest.
            pub fn exchange(mut self, exchange: impl Exchange + 'static) -> Self {
                self.settings.exchange = Some(Arc::new(exchange));
                self
            }

            /// The clock of deadlines and waits, instead of Tokio's.
            pub fn time(mut self, time: impl Time + 'static) -> Self {
                self.settings.time = Arc::new(time);
                self
            }

            /// The randomness of waits, instead of a real one.
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

#[cfg(feature = "reqwest")]
fn default_exchange() -> Result<Arc<dyn Exchange>, Error> {
    let exchange = perennial_transport::ReqwestExchange::builder().build();
    exchange
        .map(|exchange| Arc::new(exchange) as _)
        .map_err(|error| Error::because(ErrorKind::Configuration, error))
}

#[cfg(not(feature = "reqwest"))]
fn default_exchange() -> Result<Arc<dyn Exchange>, Error> {
    Err(Unset::Exchange.into())
}
