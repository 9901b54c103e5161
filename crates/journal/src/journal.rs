//! The journal: a database, a clock and rules.

use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use perennial::Clearent as Client;
use perennial::clearent::{CustomerKey, NewCustomer};

use crate::clearent::Clearent;
use crate::clock::{Clock, SystemClock};
use crate::driver::{Driver, new_uid};
use crate::machine::{Decision as Decided, Intent, Object, Rules, State};
use crate::store::{
    Decision, Event, Filter, Health, NewDecision, Sqlite, Statements, Store, StoreError, Tenant,
};
use crate::{Error, Moment, Settled};

/// The operation key of a tenant's control customer.
pub(crate) const SENTINEL_KEY: &str = "perennial/control";

/// A journal. It is cheap to clone; the clones share the database.
///
/// ```
/// use perennial_journal::Journal;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let folder = tempfile::tempdir()?;
/// let journal = Journal::open(&format!("sqlite:{}", folder.path().join("journal.db").display())).await?;
/// assert!(journal.tenants().await?.is_empty());
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Journal(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) store: Box<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) rules: Rules,
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal").field("clock", &self.0.clock).finish_non_exhaustive()
    }
}

/// Who decides, and why. Both are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By {
    /// Who decides, such as a user name.
    pub actor: String,
    /// Why.
    pub reason: String,
}

impl Journal {
    /// Opens a journal, and creates it if the database is empty: `sqlite:PATH`, or `sqlite::memory:` for tests.
    pub async fn open(url: &str) -> Result<Self, Error> {
        Self::open_with(url, SystemClock, Rules::default()).await
    }

    /// Opens a journal with another clock and other rules.
    #[expect(clippy::unused_async, reason = "other databases connect here")]
    pub async fn open_with(url: &str, clock: impl Clock + 'static, rules: Rules) -> Result<Self, Error> {
        let store: Box<dyn Store> = match url.split_once(':') {
            Some(("sqlite", ":memory:")) => Box::new(Statements(Sqlite::open(None)?)),
            Some(("sqlite", path)) if !path.is_empty() => {
                Box::new(Statements(Sqlite::open(Some(Path::new(path)))?))
            }
            _ => return Err(StoreError::Url("the URL of the journal names no database").into()),
        };
        Ok(Self(Arc::new(Inner { store, clock: Arc::new(clock), rules })))
    }

    /// Binds a client to a tenant: from now on, writes with an operation key take effect once.
    ///
    /// The tenant is made at its first use. It is bound to the gateway's host and, by a control customer that is created
    /// then, to the merchant: a client of another merchant is refused. The control customer also proves that searches
    /// find what exists, before the journal believes that something does not exist.
    pub async fn clearent(&self, tenant: &str, client: &Client) -> Result<Clearent, Error> {
        if tenant.is_empty() || tenant.chars().count() > 100 || tenant.chars().any(char::is_control) {
            return Err(Error::InvalidTenant);
        }
        let store = &*self.0.store;
        let host = client.environment().base_url().to_string();
        let now = store.now(self.0.clock.now()).await?;
        if store.tenant(tenant).await?.is_none() {
            let (uid, name) = (new_uid(), tenant.to_owned());
            let new = Tenant {
                uid,
                name,
                host: host.clone(),
                sentinel: None,
                hold: None,
                quiet_until: None,
                worst_lag: 0,
                created: now,
            };
            store.add_tenant(&new).await?;
        }
        let found = store.tenant(tenant).await?.ok_or_else(|| Error::NoTenant(tenant.to_owned()))?;
        if found.host != host {
            return Err(Error::OtherMerchant { tenant: tenant.to_owned(), what: "host" });
        }
        let sentinel = match found.sentinel.as_deref().map(CustomerKey::try_from) {
            Some(Ok(key)) => {
                match client.customers().get(&key).await {
                    Ok(_) => {}
                    Err(error) if error.is_not_found() => {
                        return Err(Error::OtherMerchant { tenant: tenant.to_owned(), what: "merchant" });
                    }
                    Err(error) => return Err(error.into()),
                }
                Some(key)
            }
            _ => None,
        };
        let bound = Clearent::new(self.clone(), client.clone(), found, sentinel);
        if bound.gateway.sentinel.is_some() { Ok(bound) } else { self.first_bound(bound).await }
    }

    /// Creates the control customer of a new tenant.
    async fn first_bound(&self, bound: Clearent) -> Result<Clearent, Error> {
        let key = format!("perennial-control-{}", bound.tenant.uid.to_lowercase());
        let control =
            NewCustomer::builder().first_name("Perennial").last_name("Control").customer_key(key.as_str());
        let control = control.build().map_err(perennial::Error::from)?;
        let not_bound =
            |reason: &str| Error::NotBound { tenant: bound.tenant.name.clone(), reason: reason.to_owned() };
        let made = match bound.customers().create(SENTINEL_KEY, &control).await? {
            Settled::Done { value: Some(made), .. } => made,
            Settled::Refused { reason } | Settled::Withdrawn { reason } => return Err(not_bound(&reason)),
            Settled::Open(waits) | Settled::NeedsPerson(waits) | Settled::NeedsCard(waits) => {
                return Err(not_bound(&waits.reason));
            }
            _ => return Err(not_bound("it has no key")),
        };
        let mut tenant = bound.tenant.clone();
        tenant.sentinel = Some(made.customer_key.to_string());
        let now = self.0.store.now(self.0.clock.now()).await?;
        self.0.store.change_tenant(&tenant, None, now).await?;
        Ok(Clearent::new(self.clone(), bound.client, tenant, Some(made.customer_key)))
    }

    /// Returns all tenants, by name.
    pub async fn tenants(&self) -> Result<Vec<Tenant>, Error> {
        Ok(self.0.store.tenants().await?)
    }

    /// Lists intents, the newest first.
    pub async fn intents(&self, filter: &Filter) -> Result<Vec<Intent>, Error> {
        Ok(self.0.store.list(filter).await?)
    }

    /// Returns the intent of this uid, or of this operation key of a tenant.
    pub async fn intent(&self, tenant: Option<&str>, id: &str) -> Result<Intent, Error> {
        let store = &*self.0.store;
        if let Some(intent) = store.intent(id).await? {
            return Ok(intent);
        }
        for known in
            store.tenants().await?.iter().filter(|known| tenant.is_none_or(|name| known.name == name))
        {
            if let Some(intent) = store.intent_of_key(&known.uid, id).await? {
                return Ok(intent);
            }
        }
        Err(Error::NoIntent(id.to_owned()))
    }

    /// Returns the decisions about an intent or a tenant, by uid, the oldest first.
    pub async fn decisions(&self, about: &str) -> Result<Vec<Decision>, Error> {
        Ok(self.0.store.decisions(about).await?)
    }

    /// Returns events after this position, the oldest first.
    pub async fn events(&self, after: i64, limit: u32) -> Result<Vec<Event>, Error> {
        Ok(self.0.store.events(after, limit).await?)
    }

    /// Puts a tenant on hold: nothing of it is sent but stops. Looks go on.
    pub async fn hold(&self, tenant: &str, by: By) -> Result<(), Error> {
        self.change_hold(tenant, Some(by.reason.clone()), by, "hold on").await
    }

    /// Ends the hold of a tenant.
    pub async fn release(&self, tenant: &str, by: By) -> Result<(), Error> {
        self.change_hold(tenant, None, by, "hold off").await
    }

    async fn change_hold(&self, tenant: &str, hold: Option<String>, by: By, what: &str) -> Result<(), Error> {
        let store = &*self.0.store;
        let mut found = store.tenant(tenant).await?.ok_or_else(|| Error::NoTenant(tenant.to_owned()))?;
        found.hold = hold;
        let now = store.now(self.0.clock.now()).await?;
        let decision = NewDecision { actor: by.actor, reason: by.reason, what: what.to_owned() };
        Ok(store.change_tenant(&found, Some(decision), now).await?)
    }

    /// Records the decision of a person about an intent that needs one: what was done at the gateway, by id, or that it
    /// was not done. An intent that was not done is not sent any more; a new try is a new operation key.
    pub async fn resolve(&self, uid: &str, done: Option<String>, by: By) -> Result<Intent, Error> {
        let what = done.as_ref().map_or_else(|| "not done".to_owned(), |id| format!("done: {id}"));
        let decision = match done {
            Some(id) => Decided::Done(Object { id: Some(id), value: None }),
            None => Decided::NotDone,
        };
        let nothing = crate::gateway::Nothing;
        let driver = Driver {
            store: &*self.0.store,
            gateway: &nothing,
            clock: &*self.0.clock,
            rules: &self.0.rules,
            tenant: "",
        };
        driver.decide(uid, decision, NewDecision { actor: by.actor, reason: by.reason, what }).await
    }

    /// Takes back what is not sent yet, and records who decided it. An intent that may have been sent is left as it is.
    pub async fn withdraw(&self, uid: &str, by: By) -> Result<Intent, Error> {
        let intent = self.0.store.intent(uid).await?.ok_or_else(|| Error::NoIntent(uid.to_owned()))?;
        let driver = Driver {
            store: &*self.0.store,
            gateway: &crate::gateway::Nothing,
            clock: &*self.0.clock,
            rules: &self.0.rules,
            tenant: &intent.tenant,
        };
        let reason = by.reason.clone();
        let decision = NewDecision { actor: by.actor, reason: by.reason, what: "withdrawn".to_owned() };
        driver.withdraw(uid, &reason, Some(decision)).await
    }

    /// Takes over a database that was restored, copied or moved: everything that is not settled is looked for before it
    /// is sent, and nothing is sent until the quiet period has passed. Returns the number of these intents.
    pub async fn adopt(&self, by: By, quiet: Duration) -> Result<u64, Error> {
        let now = self.now().await?;
        let decision = NewDecision { actor: by.actor, reason: by.reason, what: "adopted".to_owned() };
        Ok(self.0.store.mark_restored(now + quiet, decision, now).await?)
    }

    /// Checks the database.
    pub async fn check(&self) -> Result<Health, Error> {
        Ok(self.0.store.check().await?)
    }

    /// Raises the version of a guard of a tenant: what is planned under an earlier version is not sent any more.
    pub async fn raise_guard(&self, tenant: &str, name: &str) -> Result<i64, Error> {
        let found = self.0.store.tenant(tenant).await?.ok_or_else(|| Error::NoTenant(tenant.to_owned()))?;
        Ok(self.0.store.raise_guard(&found.uid, name).await?)
    }

    /// Runs the worker for these tenants until `stop` is ready: it looks for what is open, sends what is planned, and
    /// checks the database once a second when nothing is due.
    pub async fn run(&self, tenants: &[Clearent], stop: impl Future<Output = ()>) -> Result<(), Error> {
        let mut stop = pin!(stop);
        loop {
            let mut is_idle = true;
            for tenant in tenants {
                // A turn is never cut short: an attempt that was stored would wait until its claim runs out.
                tokio::select! {
                    biased;
                    () = &mut stop => return Ok(()),
                    () = std::future::ready(()) => {}
                }
                is_idle &= !tenant.driver().work().await?;
            }
            if is_idle {
                tokio::select! {
                    () = &mut stop => return Ok(()),
                    () = tokio::time::sleep(Duration::from_secs(1)) => {}
                }
            }
        }
    }

    /// Takes one turn for everything that is due now; returns the number of turns.
    pub async fn settle(&self, tenants: &[Clearent]) -> Result<u64, Error> {
        let mut turns = 0;
        for tenant in tenants {
            while tenant.driver().work().await? {
                turns += 1;
            }
        }
        Ok(turns)
    }

    /// The intents that wait for a person or a card, of all tenants.
    pub async fn cases(&self) -> Result<Vec<Intent>, Error> {
        let filter =
            Filter { states: vec![State::NeedsPerson, State::NeedsCard], limit: 1_000, ..Filter::default() };
        self.intents(&filter).await
    }

    /// The time of the journal.
    pub async fn now(&self) -> Result<Moment, Error> {
        Ok(self.0.store.now(self.0.clock.now()).await?)
    }
}
