//! Access ids: an account has one valid id, which all its processes share; a new one invalidates the previous one.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use perennial_domain::clientpay::{AccessId, CustomerCredentials};
use perennial_wire::clientpay::{Operation, Session, access as wire};
use tokio::sync::Mutex;

use super::ClientPay;
use crate::{Error, ErrorKind, Response};

/// A provider of the access id for a call.
///
/// An access id does not expire with time: it becomes invalid when a new one is requested for the account, or when it
/// is expired by a request. Requesting new ids needlessly therefore stops all other processes. An implementation must
///
/// * return the same id until a call reports that it was refused, and then a different one: another call may have found
///   a new one in the meantime;
/// * get an id with [`AccessIdRequests::obtain`], which first asks for the current one, and only once at a time: waiting
///   calls share its result, also if it failed.
///
/// [`InProcess`] does this for the clones of a client; a store can do it for many processes.
#[async_trait]
pub trait AccessIds: Send + Sync {
    /// Returns an access id that is not the refused one.
    async fn get(
        &self,
        refused: Option<&AccessId>,
        requests: &dyn AccessIdRequests,
    ) -> Result<Arc<AccessId>, Error>;
}

/// The requests to the gateway for access ids.
#[async_trait]
pub trait AccessIdRequests: Send + Sync {
    /// Returns the valid id, if there is one.
    async fn current(&self) -> Result<Option<AccessId>, Error>;

    /// Whether this id is valid.
    async fn is_valid(&self, id: &AccessId) -> Result<bool, Error>;

    /// Requests a new id. It invalidates the previous one.
    async fn issue(&self) -> Result<AccessId, Error>;

    /// Returns the current id, or a new one if there is no current id or if it is the refused one.
    ///
    /// # Errors
    ///
    /// [`Unauthorized`](ErrorKind::Unauthorized) if the refused id is valid: a new one would not help, and would stop
    /// all other processes.
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
            // The gateway is asked whether there is a new id: requesting a second one would invalidate it.
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
    /// The number of times that no id could be found.
    failures: AtomicU64,
}

#[derive(Default)]
struct Held {
    id: Option<Arc<AccessId>>,
    /// The reason for the last failure.
    error: Option<Error>,
}

#[async_trait]
impl AccessIds for InProcess {
    async fn get(
        &self,
        refused: Option<&AccessId>,
        requests: &dyn AccessIdRequests,
    ) -> Result<Arc<AccessId>, Error> {
        let failures = self.failures.load(Ordering::Acquire);
        let mut held = self.held.lock().await;
        if let Some(id) = held.id.as_ref().filter(|id| refused.is_none_or(|refused| !refused.is(id))) {
            return Ok(id.clone());
        }
        // The call that this one waited for failed: its error is shared, so that waiting calls send one request only.
        if failures != self.failures.load(Ordering::Acquire)
            && let Some(error) = &held.error
        {
            return Err(error.shared());
        }
        match requests.obtain(refused).await {
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

/// Provides only this id, such as one that was issued for a customer.
#[async_trait]
impl AccessIds for Arc<AccessId> {
    async fn get(
        &self,
        refused: Option<&AccessId>,
        _: &dyn AccessIdRequests,
    ) -> Result<Arc<AccessId>, Error> {
        match refused {
            Some(refused) if refused.is(self) => Err(Error::because(ErrorKind::Unauthorized, RefusedForGood)),
            _ => Ok(self.clone()),
        }
    }
}

/// The access ids of an account, for programs that manage them themselves.
#[derive(Debug, Clone, Copy)]
#[must_use = "it does nothing by itself"]
pub struct Access<'a>(pub(super) &'a ClientPay);

impl Access<'_> {
    /// Returns the valid id, if there is one. This changes nothing.
    ///
    /// If there is no valid id, the gateway refuses the request with a status other than 401 and 403 (**inferred**).
    /// Only that means that there is none: a success without an id is an error of kind
    /// [`InvalidResponse`](ErrorKind::InvalidResponse), because requesting a new id would invalidate the one that other processes
    /// use.
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

    /// Requests a new id. **It invalidates the previous one**, also for all other processes.
    ///
    /// # Errors
    ///
    /// If the response is lost, the outcome is unknown: ask for the [`current`](Self::current) id.
    pub async fn renew(self) -> Result<Response<AccessId>, Error> {
        let call = wire::new(self.0.version(), self.0.credentials())?;
        let operation = Operation::NewAccessId;
        let answered = self.0.send(operation, call, None, wire::decode_access_id).await?;
        answered.take(|id, failed| id.filter(|_| failed.is_none()))
    }

    /// Whether this id is valid.
    pub async fn validate(self, id: &AccessId) -> Result<Response<bool>, Error> {
        let call = wire::validate(self.session(id))?;
        let operation = Operation::ValidateAccessId;
        let answered = self.0.send(operation, call, Some(id), wire::decode_validity).await?;
        // An invalid id is a definite result, also if the gateway reports it as a refusal.
        answered.read_even(|valid, failed| match failed {
            None => valid,
            Some(ErrorKind::Unauthorized | ErrorKind::Refused | ErrorKind::NotFound) => Some(false),
            Some(_) => None,
        })
    }

    /// Expires this id. If it is already invalid, the error has the kind [`Unauthorized`](ErrorKind::Unauthorized).
    pub async fn expire(self, id: &AccessId) -> Result<Response<()>, Error> {
        let call = wire::expire(self.session(id))?;
        let operation = Operation::ExpireAccessId;
        let answered = self.0.send(operation, call, Some(id), wire::decode_done).await?;
        answered.take(|(), failed| failed.is_none().then_some(()))
    }

    /// Requests a new id for a customer across all its merchant accounts (version 2). Only some calls accept it; the
    /// vendor does not document which. It invalidates the previous one (**inferred**).
    ///
    /// To use it, build a client with `.access_ids(Arc::new(id))`.
    pub async fn renew_for_customer(
        self,
        customer: &CustomerCredentials,
    ) -> Result<Response<AccessId>, Error> {
        let call = wire::new_for_customer(self.0.version(), customer)?;
        let operation = Operation::NewCustomerAccessId;
        let answered = self.0.send(operation, call, None, wire::decode_access_id).await?;
        answered.take(|id, failed| id.filter(|_| failed.is_none()))
    }

    /// Whether the credentials are valid (version 1.0).
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
impl AccessIdRequests for Access<'_> {
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
