//! Access ids: one is live for an account, all its processes share it, and a new one ends the one before.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use perennial_domain::clientpay::{AccessId, CustomerCredentials};
use perennial_wire::clientpay::{Operation, Session, access as wire};
use tokio::sync::Mutex;

use super::ClientPay;
use crate::{Error, ErrorKind, Response};

/// What finds the access id of a call.
///
/// An access id does not expire with time: it dies when somebody asks for a new one, or expires it. Whoever asks for
/// new ones without need therefore stops all others. An implementation
///
/// * gives the same id until a call says that it was refused, and then one that is not that id: another call may have
///   found another one since;
/// * finds one with [`Issuer::obtain`], which asks for the current one first, and only one at a time: calls that wait
///   for it share what was found, or that nothing was.
///
/// [`InProcess`] does so for the clones of a client; a store can do so for many processes.
#[async_trait]
pub trait AccessIds: Send + Sync {
    /// An access id that is not the one that was refused.
    async fn get(&self, refused: Option<&AccessId>, issuer: &dyn Issuer) -> Result<Arc<AccessId>, Error>;
}

/// The gateway, as far as it gives access ids.
#[async_trait]
pub trait Issuer: Send + Sync {
    /// The id that is live, if there is one.
    async fn current(&self) -> Result<Option<AccessId>, Error>;

    /// Whether this id is live.
    async fn is_valid(&self, id: &AccessId) -> Result<bool, Error>;

    /// A new id. It ends the one before.
    async fn issue(&self) -> Result<AccessId, Error>;

    /// The current id, or a new one if there is none but the one that was refused.
    ///
    /// # Errors
    ///
    /// [`Unauthorized`](ErrorKind::Unauthorized) if the refused id is live all the same: a new one would not help, and
    /// would stop all others.
    async fn obtain(&self, refused: Option<&AccessId>) -> Result<AccessId, Error> {
        let another = |id: &AccessId| refused.is_none_or(|refused| !refused.is(id));
        match self.current().await? {
            Some(id) if another(&id) => return Ok(id),
            Some(id) if self.is_valid(&id).await? => {
                return Err(Error::because(ErrorKind::Unauthorized, RefusedThoughValid));
            }
            _ => {}
        }
        match self.issue().await {
            // Whether there is a new one is for the gateway to say, not for a second new one to find out.
            Err(error) if error.is_outcome_unknown() => match self.current().await {
                Ok(Some(id)) if another(&id) => Ok(id),
                _ => Err(error),
            },
            issued => issued,
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the access id was refused, and the gateway says that it is valid")]
struct RefusedThoughValid;

#[derive(Debug, thiserror::Error)]
#[error("the access id that was given was refused")]
struct RefusedForGood;

/// The access id of one process: of a client and its clones.
#[derive(Default)]
pub struct InProcess {
    held: Mutex<Held>,
    /// How often no id could be found.
    failures: AtomicU64,
}

#[derive(Default)]
struct Held {
    id: Option<Arc<AccessId>>,
    /// Why none was found the last time.
    error: Option<Error>,
}

#[async_trait]
impl AccessIds for InProcess {
    async fn get(&self, refused: Option<&AccessId>, issuer: &dyn Issuer) -> Result<Arc<AccessId>, Error> {
        let failures = self.failures.load(Ordering::Acquire);
        let mut held = self.held.lock().await;
        if let Some(id) = held.id.as_ref().filter(|id| refused.is_none_or(|refused| !refused.is(id))) {
            return Ok(id.clone());
        }
        // Whoever this call waited for found none: a crowd asks once.
        if failures != self.failures.load(Ordering::Acquire)
            && let Some(error) = &held.error
        {
            return Err(error.shared());
        }
        match issuer.obtain(refused).await {
            Ok(id) => {
                let id = Arc::new(id);
                held.id = Some(id.clone());
                Ok(id)
            }
            Err(error) => {
                held.error = Some(error.shared());
                self.failures.fetch_add(1, Ordering::Release);
                Err(error)
            }
        }
    }
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InProcess")
    }
}

/// This id and no other, such as one that was given for a customer.
#[async_trait]
impl AccessIds for Arc<AccessId> {
    async fn get(&self, refused: Option<&AccessId>, _: &dyn Issuer) -> Result<Arc<AccessId>, Error> {
        match refused {
            Some(refused) if refused.is(self) => Err(Error::because(ErrorKind::Unauthorized, RefusedForGood)),
            _ => Ok(self.clone()),
        }
    }
}

/// The access ids of an account, for those who manage them themselves.
#[derive(Debug, Clone, Copy)]
#[must_use = "it does nothing by itself"]
pub struct Access<'a>(pub(super) &'a ClientPay);

impl Access<'_> {
    /// The id that is live, if there is one. It changes nothing.
    ///
    /// That the gateway refuses (but for 401 and 403) where there is none is **inferred**. Nothing else says that there is
    /// none: a success without an id is an error of kind [`InvalidResponse`](ErrorKind::InvalidResponse), because the new id that
    /// would be asked for ends the one that the others use.
    pub async fn current(self) -> Result<Response<Option<AccessId>>, Error> {
        let call = wire::current(self.0.version(), self.0.credentials())?;
        let operation = Operation::CurrentAccessId;
        let answered = self.0.send(operation, call, None, wire::decode_access_id).await?;
        answered.read_even(|id, failed| match failed {
            None => id.map(Some),
            Some(ErrorKind::NotFound | ErrorKind::Refused) => Some(None),
            Some(_) => None,
        })
    }

    /// A new id. **It ends the one before**, also for all other processes.
    ///
    /// # Errors
    ///
    /// Where the answer is lost, the outcome is unknown: ask for the [`current`](Self::current) one.
    pub async fn renew(self) -> Result<Response<AccessId>, Error> {
        let call = wire::new(self.0.version(), self.0.credentials())?;
        let operation = Operation::NewAccessId;
        let answered = self.0.send(operation, call, None, wire::decode_access_id).await?;
        answered.take(|id, failed| id.filter(|_| failed.is_none()))
    }

    /// Whether this id is live.
    pub async fn validate(self, id: &AccessId) -> Result<Response<bool>, Error> {
        let call = wire::validate(self.session(id))?;
        let operation = Operation::ValidateAccessId;
        let answered = self.0.send(operation, call, Some(id), wire::decode_validity).await?;
        // An id that is dead is an answer; a gateway that refuses to say so says so too.
        answered.read_even(|valid, failed| match failed {
            None => valid,
            Some(ErrorKind::Unauthorized | ErrorKind::Refused | ErrorKind::NotFound) => Some(false),
            Some(_) => None,
        })
    }

    /// Ends this id. To end one that is dead already is an error of kind [`Unauthorized`](ErrorKind::Unauthorized).
    pub async fn expire(self, id: &AccessId) -> Result<Response<()>, Error> {
        let call = wire::expire(self.session(id))?;
        let operation = Operation::ExpireAccessId;
        let answered = self.0.send(operation, call, Some(id), wire::decode_done).await?;
        answered.take(|(), failed| failed.is_none().then_some(()))
    }

    /// A new id of a customer across all its merchant accounts, of version 2. Only some calls take it; which ones is
    /// not documented. That it ends the one before is **inferred**.
    ///
    /// A client that is to use it is built with `.access_ids(Arc::new(id))`.
    pub async fn renew_for_customer(
        self,
        customer: &CustomerCredentials,
    ) -> Result<Response<AccessId>, Error> {
        let call = wire::new_for_customer(self.0.version(), customer)?;
        let operation = Operation::NewCustomerAccessId;
        let answered = self.0.send(operation, call, None, wire::decode_access_id).await?;
        answered.take(|id, failed| id.filter(|_| failed.is_none()))
    }

    /// Whether the credentials are good, of version 1.0.
    pub async fn validate_credentials(self) -> Result<Response<bool>, Error> {
        let call = wire::validate_credentials(self.0.version(), self.0.credentials())?;
        let operation = Operation::ValidateCredentials;
        let answered = self.0.send(operation, call, None, wire::decode_validity).await?;
        answered.read(|valid| valid)
    }

    fn session(self, access_id: &AccessId) -> Session<'_> {
        Session { version: self.0.version(), access_id }
    }
}

#[async_trait]
impl Issuer for Access<'_> {
    async fn current(&self) -> Result<Option<AccessId>, Error> {
        Ok((*self).current().await?.into_value())
    }

    async fn is_valid(&self, id: &AccessId) -> Result<bool, Error> {
        Ok((*self).validate(id).await?.into_value())
    }

    async fn issue(&self) -> Result<AccessId, Error> {
        Ok((*self).renew().await?.into_value())
    }
}
