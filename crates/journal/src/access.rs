//! Access ids of `ClientPay` that all processes over one journal share.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use perennial::Error as ClientError;
use perennial::clientpay::{AccessId, AccessIdRequests, AccessIds, InProcess};

use crate::Error;
use crate::clock::Clock;
use crate::journal::Journal;
use crate::store::{Store, StoreError};

/// The time that one process may take to get an id: its exchanges with the gateway, each with its deadline.
const LEASE: Duration = Duration::from_secs(60);
/// The time for which a process waits for the one that has the claim. It is longer than the lease, after which it claims itself.
const PATIENCE: Duration = Duration::from_secs(75);
/// The time between two looks for the id.
const POLL: Duration = Duration::from_millis(50);

/// The access ids of a `ClientPay` account, shared by all processes over one journal.
///
/// An account has one valid id, and a new one makes the previous one invalid for all processes. So one process at a time
/// gets an id, under a claim that ends by itself if the process dies: it asks for the current id first, and requests a
/// new one only if the id that was refused is still the shared one. All others take its result. Within a process, the id
/// is kept in memory until a call reports that it was refused.
///
/// The database has the id as it is: protect the file as you protect the account's PIN. An id gives access to one
/// account until another one is requested.
///
/// ```no_run
/// use perennial::clientpay::Credentials;
/// use perennial::{ClientPay, Environment};
/// use perennial_journal::Journal;
///
/// # async fn bind(journal: Journal, credentials: Credentials) -> Result<(), Box<dyn std::error::Error>> {
/// let ids = journal.access_ids("north-street", &Environment::Production, &credentials).await?;
/// let client = ClientPay::builder(credentials).access_ids(ids).build()?;
/// let north = journal.clientpay("north-street", &client).await?;
/// # Ok(()) }
/// ```
pub struct SharedAccessIds {
    /// The calls of this process share one request for an id, also if it fails.
    held: InProcess,
    journal: Journal,
    /// The uid of the tenant.
    tenant: String,
}

impl SharedAccessIds {
    pub(crate) fn new(journal: Journal, tenant: String) -> Self {
        Self { held: InProcess::default(), journal, tenant }
    }
}

impl fmt::Debug for SharedAccessIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedAccessIds").field("tenant", &self.tenant).finish_non_exhaustive()
    }
}

#[async_trait]
impl AccessIds for SharedAccessIds {
    async fn get(
        &self,
        refused: Option<&AccessId>,
        requests: &dyn AccessIdRequests,
    ) -> Result<Arc<AccessId>, ClientError> {
        let (store, clock) = (&*self.journal.0.store, &*self.journal.0.clock);
        self.held.get(refused, &Sharing { requests, store, clock, tenant: &self.tenant }).await
    }
}

/// Gets ids from the store, and from the gateway only under a claim.
struct Sharing<'a> {
    requests: &'a dyn AccessIdRequests,
    store: &'a dyn Store,
    clock: &'a dyn Clock,
    tenant: &'a str,
}

#[derive(Debug, thiserror::Error)]
#[error("another process is getting an access id and does not finish")]
struct Waited;

fn lost(error: StoreError) -> ClientError {
    ClientError::no_access_id(Error::from(error))
}

#[async_trait]
impl AccessIdRequests for Sharing<'_> {
    async fn current(&self) -> Result<Option<AccessId>, ClientError> {
        self.requests.current().await
    }

    async fn is_valid(&self, id: &AccessId) -> Result<bool, ClientError> {
        self.requests.is_valid(id).await
    }

    async fn issue(&self) -> Result<AccessId, ClientError> {
        self.requests.issue().await
    }

    async fn obtain(&self, refused: Option<&AccessId>) -> Result<AccessId, ClientError> {
        let mut waited = Duration::ZERO;
        loop {
            let shared = self.store.access(self.tenant).await.map_err(lost)?;
            let generation = shared.generation;
            // An empty text is stored if there never was an id.
            let id = shared.id.and_then(|id| AccessId::try_from(id).ok());
            match (id, refused) {
                (Some(id), None) => return Ok(id),
                (Some(id), Some(refused)) if !id.is(refused) => return Ok(id),
                _ => {}
            }
            // Leases are given by the system's clock: a world's clock may stand still.
            let now = self.clock.system();
            if self.store.claim_access(self.tenant, generation, now, now + LEASE).await.map_err(lost)? {
                let obtained = self.requests.obtain(refused).await;
                // After a failure, the earlier id stays, and the claim ends with its generation.
                let next = match &obtained {
                    Ok(id) => id.expose(),
                    Err(_) => refused.map_or("", AccessId::expose),
                };
                let is_stored =
                    self.store.replace_access(self.tenant, generation, next).await.map_err(lost)?;
                match obtained {
                    // The lease had ended, and another process has replaced the id: all use that one.
                    Ok(_) if !is_stored => {}
                    obtained => return obtained,
                }
            }
            if waited >= PATIENCE {
                return Err(ClientError::no_access_id(Waited));
            }
            tokio::time::sleep(POLL).await;
            waited += POLL;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Mutex;

    use super::*;
    use crate::driver::new_uid;
    use crate::store::{Sqlite, Statements, Tenant};
    use crate::{Moment, SystemClock};

    /// A gateway of one account.
    #[derive(Default)]
    struct Account {
        live: Mutex<Option<String>>,
        issued: AtomicUsize,
        fails: bool,
    }

    fn id(text: &str) -> AccessId {
        AccessId::try_from(text).unwrap()
    }

    #[async_trait]
    impl AccessIdRequests for Account {
        async fn current(&self) -> Result<Option<AccessId>, ClientError> {
            if self.fails {
                return Err(ClientError::no_access_id(Waited));
            }
            Ok(self.live.lock().await.as_deref().map(id))
        }

        async fn is_valid(&self, asked: &AccessId) -> Result<bool, ClientError> {
            Ok(self.live.lock().await.as_deref() == Some(asked.expose()))
        }

        async fn issue(&self) -> Result<AccessId, ClientError> {
            let number = self.issued.fetch_add(1, Ordering::SeqCst) + 1;
            let mut live = self.live.lock().await;
            // Others look for the id meanwhile.
            for _ in 0..1_000 {
                tokio::task::yield_now().await;
            }
            *live = Some(format!("id-{number}"));
            Ok(id(&format!("id-{number}")))
        }
    }

    async fn store() -> (Statements<Sqlite>, String) {
        let store = Statements(Sqlite::open(None).unwrap());
        let now = Moment::of_system();
        let tenant = Tenant {
            uid: new_uid(),
            name: "north-street".into(),
            host: "h".into(),
            sentinel: None,
            hold: None,
            quiet_until: None,
            worst_lag: 0,
            created: now,
        };
        store.add_tenant(&tenant).await.unwrap();
        (store, tenant.uid)
    }

    /// Holds: Of many processes whose access id was refused, one requests a new id, and the others take it.
    #[tokio::test]
    async fn one_process_requests_a_new_id_and_the_others_take_it() {
        let ((store, tenant), account) = (store().await, Account::default());
        for (refused, expected) in [(None, "id-1"), (Some("id-1"), "id-2")] {
            *account.live.lock().await = None;
            let get = async || {
                let refused = refused.map(id);
                let sharing =
                    Sharing { requests: &account, store: &store, clock: &SystemClock, tenant: &tenant };
                let got = InProcess::default().get(refused.as_ref(), &sharing).await.unwrap();
                assert_eq!(got.expose(), expected);
            };
            tokio::join!(get(), get(), get(), get(), get(), get());
        }
        assert_eq!(account.issued.load(Ordering::SeqCst), 2);
    }

    /// Holds: The claim of a process that died ends with its lease, and a failure ends it at once.
    #[tokio::test]
    async fn a_claim_ends_with_its_lease_or_its_failure() {
        let ((store, tenant), account) = (store().await, Account { fails: true, ..Account::default() });
        let sharing = Sharing { requests: &account, store: &store, clock: &SystemClock, tenant: &tenant };
        for _ in 0..2 {
            let started = std::time::Instant::now();
            sharing.obtain(None).await.unwrap_err();
            assert!(started.elapsed() < Duration::from_secs(5), "the failure ended the claim");
        }
        let generation = store.access(&tenant).await.unwrap().generation;
        let now = Moment::of_system();
        let lease = Duration::from_millis(300);
        assert!(store.claim_access(&tenant, generation, now, now + lease).await.unwrap());
        let account = Account::default();
        let sharing = Sharing { requests: &account, store: &store, clock: &SystemClock, tenant: &tenant };
        let started = std::time::Instant::now();
        assert_eq!(sharing.obtain(None).await.unwrap().expose(), "id-1");
        assert!(started.elapsed() >= Duration::from_millis(200), "it waited for the claim");
        // The dead process comes back too late.
        assert!(!store.replace_access(&tenant, generation, "late").await.unwrap());
    }
}
