//! The journal: a database, a clock and rules.

use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use perennial::clearent::{CustomerKey, NewCustomer};
use perennial::clientpay::{AccountKey, Credentials};
use perennial::{Clearent as Client, ClientPay as PayClient, Environment};
use sha2::{Digest as _, Sha256};

use crate::access::SharedAccessIds;
use crate::clearent::Clearent;
use crate::clientpay::ClientPay;
use crate::clock::{Clock, SystemClock};
use crate::driver::{Driver, new_uid};
use crate::gateway::clientpay_request::hex;
use crate::machine::{Decision as Decided, Intent, Object, Rules, State};
#[cfg(feature = "postgres")]
use crate::store::Postgres;
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

/// A client that is bound to a tenant.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Bound {
    /// Of Clearent.
    Clearent(Clearent),
    /// Of `ClientPay`.
    ClientPay(ClientPay),
}

impl Bound {
    fn driver(&self) -> Driver<'_> {
        match self {
            Self::Clearent(clearent) => clearent.driver(),
            Self::ClientPay(clientpay) => clientpay.driver(),
        }
    }
}

impl From<&Clearent> for Bound {
    fn from(clearent: &Clearent) -> Self {
        Self::Clearent(clearent.clone())
    }
}

impl From<&ClientPay> for Bound {
    fn from(clientpay: &ClientPay) -> Self {
        Self::ClientPay(clientpay.clone())
    }
}

impl From<&Self> for Bound {
    fn from(bound: &Self) -> Self {
        bound.clone()
    }
}

/// The name of the tenant for a merchant's `ClientPay` account. A name has one row, and a row has one host and one
/// merchant, so that a merchant with both gateways has two rows.
fn clientpay_name(tenant: &str) -> String {
    format!("{tenant}/clientpay")
}

/// What the database keeps of the key of an account: enough to tell accounts apart, and no secret.
fn mark_of_account(key: &AccountKey) -> String {
    let digest = Sha256::digest(key.expose());
    format!("account:{}", hex(&digest[..8]))
}

fn check_name(tenant: &str) -> Result<(), Error> {
    if tenant.is_empty() || tenant.chars().count() > 100 || tenant.chars().any(char::is_control) {
        return Err(Error::InvalidTenant);
    }
    Ok(())
}

/// A database that was adopted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Adopted {
    /// The number of intents that are looked for before they are sent.
    pub intents: u64,
    /// Nothing is sent before this moment.
    pub quiet_until: Moment,
}

impl Journal {
    /// Opens a journal, and creates it if the database is empty: `sqlite:PATH`, `sqlite::memory:` for tests, or
    /// `postgres://USER@HOST/DATABASE` with the feature `postgres`.
    pub async fn open(url: &str) -> Result<Self, Error> {
        Self::open_with(url, SystemClock, Rules::default()).await
    }

    /// Opens a journal with another clock and other rules.
    #[cfg_attr(not(feature = "postgres"), expect(clippy::unused_async, reason = "PostgreSQL connects here"))]
    pub async fn open_with(url: &str, clock: impl Clock + 'static, rules: Rules) -> Result<Self, Error> {
        let store: Box<dyn Store> = match url.split_once(':') {
            Some(("sqlite", ":memory:")) => Box::new(Statements(Sqlite::open(None)?)),
            Some(("sqlite", path)) if !path.is_empty() => {
                Box::new(Statements(Sqlite::open(Some(Path::new(path)))?))
            }
            #[cfg(feature = "postgres")]
            Some(("postgres" | "postgresql", _)) => Box::new(Statements(Postgres::open(url).await?)),
            #[cfg(not(feature = "postgres"))]
            Some(("postgres" | "postgresql", _)) => {
                return Err(StoreError::Url("this program was built without the feature postgres").into());
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
        check_name(tenant)?;
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

    /// Binds a `ClientPay` client to a tenant: from now on, writes with an operation key take effect once.
    ///
    /// The tenant is made at its first use. It is bound to the gateway's host and to the merchant account, by a digest of
    /// the account's key: a client of another account is refused. Nothing is sent.
    ///
    /// A merchant may have a [Clearent](Self::clearent) tenant of the same name. In the database, and for
    /// [`hold`](Self::hold), [`release`](Self::release) and [`raise_guard`](Self::raise_guard), this one is called
    /// `NAME/clientpay`.
    pub async fn clientpay(&self, tenant: &str, client: &PayClient) -> Result<ClientPay, Error> {
        let found = self.account(tenant, client.environment(), client.account()).await?;
        Ok(ClientPay::new(self.clone(), client.clone(), tenant.to_owned(), found))
    }

    /// The access ids of a tenant's `ClientPay` account, shared by all processes over this journal. Give them to the
    /// builder of the client that is bound to the tenant. The tenant is made at its first use, and bound as by
    /// [`clientpay`](Self::clientpay).
    pub async fn access_ids(
        &self,
        tenant: &str,
        environment: &Environment,
        credentials: &Credentials,
    ) -> Result<SharedAccessIds, Error> {
        let found = self.account(tenant, environment, credentials.fields().account_key).await?;
        Ok(SharedAccessIds::new(self.clone(), found.uid))
    }

    /// The tenant of an account, which is made if there is none.
    async fn account(
        &self,
        tenant: &str,
        environment: &Environment,
        account: &AccountKey,
    ) -> Result<Tenant, Error> {
        check_name(tenant)?;
        let store = &*self.0.store;
        let (name, host) = (clientpay_name(tenant), environment.clientpay_base_url().to_owned());
        let sentinel = Some(mark_of_account(account));
        let found = if let Some(found) = store.tenant(&name).await? {
            found
        } else {
            let created = store.now(self.0.clock.now()).await?;
            let new = Tenant {
                uid: new_uid(),
                name: name.clone(),
                host: host.clone(),
                sentinel: sentinel.clone(),
                hold: None,
                quiet_until: None,
                worst_lag: 0,
                created,
            };
            store.add_tenant(&new).await?;
            // Another process may have made it at the same time, for another account.
            store.tenant(&name).await?.ok_or_else(|| Error::NoTenant(name))?
        };
        let other = |what| Error::OtherMerchant { tenant: tenant.to_owned(), what };
        match found {
            found if found.host != host => Err(other("host")),
            found if found.sentinel != sentinel => Err(other("account")),
            found => Ok(found),
        }
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

    /// Finishes what is being stored and closes the database; later calls of all clones fail.
    pub fn close(&self) {
        self.0.store.close();
    }

    /// Returns all tenants, by name.
    pub async fn tenants(&self) -> Result<Vec<Tenant>, Error> {
        Ok(self.0.store.tenants().await?)
    }

    /// Lists intents, the newest first.
    pub async fn intents(&self, filter: &Filter) -> Result<Vec<Intent>, Error> {
        Ok(self.0.store.list(filter).await?)
    }

    /// Returns the intent of this uid, or of this operation key of a tenant, at Clearent first and then at `ClientPay`.
    pub async fn intent(&self, tenant: Option<&str>, id: &str) -> Result<Intent, Error> {
        let store = &*self.0.store;
        if let Some(intent) = store.intent(id).await? {
            return Ok(intent);
        }
        let is_of = |known: &Tenant| {
            tenant.is_none_or(|name| known.name == name || known.name == clientpay_name(name))
        };
        for known in store.tenants().await?.iter().filter(|known| is_of(known)) {
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
        self.decide(uid, decision, by, what).await
    }

    /// Records the decision of a person that a write of `ClientPay` that needs one is sent once more, under the same
    /// request id, which the gateway accepts once. The next turn of the worker makes the attempt, or, if the request has
    /// a card, the same call with the card. If a response or a search named a result, it is refused: then
    /// [`resolve`](Self::resolve) it.
    pub async fn resend(&self, uid: &str, by: By) -> Result<Intent, Error> {
        self.decide(uid, Decided::Resend, by, "sent again under the same request id".to_owned()).await
    }

    async fn decide(&self, uid: &str, decision: Decided, by: By, what: String) -> Result<Intent, Error> {
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

    /// Checks the database.
    pub async fn check(&self) -> Result<Health, Error> {
        Ok(self.0.store.check().await?)
    }

    /// Raises the version of a guard of a tenant: what is planned under an earlier version is not sent any more.
    pub async fn raise_guard(&self, tenant: &str, name: &str) -> Result<i64, Error> {
        let found = self.0.store.tenant(tenant).await?.ok_or_else(|| Error::NoTenant(tenant.to_owned()))?;
        Ok(self.0.store.raise_guard(&found.uid, name).await?)
    }

    /// Fails if the database was restored, copied or moved: then nothing is sent until it is adopted.
    pub(crate) async fn check_same(&self) -> Result<(), Error> {
        match self.0.store.suspicion().await? {
            Some(why) => Err(StoreError::NotTheSame { place: self.0.store.place(), why }.into()),
            None => Ok(()),
        }
    }

    /// Why the database is not the one that was used last, if it was restored, copied or moved.
    pub async fn suspicion(&self) -> Result<Option<String>, Error> {
        Ok(self.0.store.suspicion().await?)
    }

    /// Accepts a restored, copied or moved database as the one in use, after somebody made sure that no other copy is.
    ///
    /// Attempts may be missing in it, so every open intent is looked for before it is sent, its refusals are doubted, and
    /// nothing is sent for a quiet period: for this long, and at least as long as a request that was sent before the restore
    /// may still take effect. Open the journal again after that.
    ///
    /// If the backup is so old that the gateway may have forgotten what was sent since then, all tenants are on hold: no
    /// look can tell what became of those writes.
    pub async fn adopt(&self, by: By, quiet: Duration) -> Result<Adopted, Error> {
        let store = &*self.0.store;
        let last = store.setting("now").await?.and_then(|last| last.parse().ok()).map(Moment::from_millis);
        let now = store.now(self.0.clock.now()).await?;
        if last.is_some_and(|last| self.0.rules.is_too_old(last, now)) {
            for mut tenant in store.tenants().await? {
                tenant.hold = Some(format!(
                    "the backup is of {}: the gateway may have forgotten what was sent since",
                    last.unwrap_or(now)
                ));
                let decision = NewDecision {
                    actor: by.actor.clone(),
                    reason: by.reason.clone(),
                    what: "hold on".to_owned(),
                };
                store.change_tenant(&tenant, Some(decision), now).await?;
            }
        }
        let quiet_until = now + quiet.max(self.0.rules.send_within + self.0.rules.window());
        let decision = NewDecision { actor: by.actor, reason: by.reason, what: "adopt".to_owned() };
        let intents = store.mark_restored(quiet_until, decision, now).await?;
        Ok(Adopted { intents, quiet_until })
    }

    /// Runs the worker for these tenants until `stop` is ready: it looks for what is open, sends what is planned, and
    /// checks the database once a second when nothing is due.
    pub async fn run<'a, T>(&self, tenants: &'a [T], stop: impl Future<Output = ()>) -> Result<(), Error>
    where
        Bound: From<&'a T>,
    {
        self.check_same().await?;
        let tenants: Vec<Bound> = tenants.iter().map(Bound::from).collect();
        let mut stop = pin!(stop);
        loop {
            self.take_inbox().await?;
            let mut is_idle = true;
            for tenant in &tenants {
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
    pub async fn settle<'a, T>(&self, tenants: &'a [T]) -> Result<u64, Error>
    where
        Bound: From<&'a T>,
    {
        self.check_same().await?;
        self.take_inbox().await?;
        let mut turns = 0;
        for tenant in tenants.iter().map(Bound::from) {
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
