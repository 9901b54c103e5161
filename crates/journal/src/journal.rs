//! The journal: a database, a clock and rules.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, SystemClock};
use crate::driver::Driver;
use crate::machine::{Decision as Decided, Intent, Object, Rules, State};
#[cfg(feature = "postgres")]
use crate::store::Postgres;
use crate::store::{
    CLOCK_APART, Decision, Event, Filter, Health, NewDecision, OpenWork, Sqlite, Statement, Statements,
    Store, StoreError, Tenant, Transacted,
};
use crate::{Error, Moment, observe};

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

/// The person who decides, and the reason. Both are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By {
    /// The person who decides, such as a user name.
    pub actor: String,
    /// The reason.
    pub reason: String,
}

impl By {
    /// A person, and the reason of the decision.
    ///
    /// ```
    /// use perennial_journal::By;
    ///
    /// assert!(By::new("ines", "the member asked at the desk").check().is_ok());
    /// assert!(By::new("ines", " ").check().is_err());
    /// ```
    pub fn new(actor: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { actor: actor.into(), reason: reason.into() }
    }

    /// Checks that neither is blank.
    ///
    /// # Errors
    ///
    /// [`Error::Anonymous`] if one is.
    pub fn check(&self) -> Result<(), Error> {
        let is_blank = |text: &str| text.trim().is_empty();
        if is_blank(&self.actor) || is_blank(&self.reason) { Err(Error::Anonymous) } else { Ok(()) }
    }

    /// The decision, as it is stored.
    ///
    /// # Errors
    ///
    /// Those of [`check`](Self::check).
    pub fn decided(self, what: impl Into<String>) -> Result<NewDecision, Error> {
        self.check()?;
        Ok(NewDecision { actor: self.actor, reason: self.reason, what: what.into() })
    }
}

/// The name of the tenant for a merchant's `ClientPay` account. A name has one row, and a row has one host and one
/// merchant, so that a merchant with both gateways has two rows.
pub(crate) fn clientpay_name(tenant: &str) -> String {
    format!("{tenant}/clientpay")
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

    /// Returns the earliest write to the same object for which a planned intent waits.
    pub async fn waits_for(&self, intent: &Intent) -> Result<Option<Intent>, Error> {
        if intent.state != State::Planned || intent.is_stop {
            return Ok(None);
        }
        Ok(self.0.store.waits_for(intent).await?)
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
        self.change_hold(&self.tenant_of(tenant).await?, true, by, Vec::new()).await.map(drop)
    }

    /// Ends the hold of a tenant.
    pub async fn release(&self, tenant: &str, by: By) -> Result<(), Error> {
        self.change_hold(&self.tenant_of(tenant).await?, false, by, Vec::new()).await.map(drop)
    }

    /// Puts a tenant on hold, or ends its hold, in one transaction with other statements, such as one that takes an operation
    /// key of the caller's.
    pub async fn change_hold(
        &self,
        tenant: &Tenant,
        is_on: bool,
        by: By,
        mut with: Vec<Statement>,
    ) -> Result<Transacted, Error> {
        with.push(Statement::hold(&tenant.uid, is_on.then_some(by.reason.as_str())));
        let decision = by.decided(if is_on { "hold on" } else { "hold off" })?;
        with.push(Statement::decision(&tenant.uid, &decision, self.now().await?));
        let changed = self.transact(with).await?;
        if matches!(changed, Transacted::Rows(_)) {
            observe::held(is_on);
        }
        Ok(changed)
    }

    async fn tenant_of(&self, name: &str) -> Result<Tenant, Error> {
        self.0.store.tenant(name).await?.ok_or_else(|| Error::NoTenant(name.to_owned()))
    }

    /// Records the decision of a person about an intent that needs one: what was done at the gateway, by id, or that it
    /// was not done. An intent that was not done is not sent any more; a new try is a new operation key.
    pub async fn resolve(&self, uid: &str, done: Option<String>, by: By) -> Result<Intent, Error> {
        let is_id = |id: &String| {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.:".contains(&byte);
            matches!(id.len(), 1..=100) && id.bytes().all(is_plain)
        };
        if !done.as_ref().is_none_or(is_id) {
            return Err(Error::InvalidId);
        }
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
        let intent = self.0.store.intent(uid).await?.ok_or_else(|| Error::NoIntent(uid.to_owned()))?;
        let driver = Driver {
            store: &*self.0.store,
            gateway: &crate::gateway::Nothing,
            clock: &*self.0.clock,
            rules: &self.0.rules,
            tenant: &intent.tenant,
        };
        driver.decide(uid, decision, by.decided(what)?).await
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
        let decision = by.decided("withdrawn")?;
        driver.withdraw(uid, &reason, Some(decision)).await
    }

    /// Counts the intents without an outcome: what to alert on, and the numbers that the feature `metrics` reports.
    pub async fn open_work(&self) -> Result<OpenWork, Error> {
        Ok(self.0.store.open_work().await?)
    }

    /// Checks the database.
    pub async fn check(&self) -> Result<Health, Error> {
        Ok(self.0.store.check().await?)
    }

    /// Raises the version of a guard of a tenant: what is planned under an earlier version is not sent any more.
    pub async fn raise_guard(&self, tenant: &str, name: &str) -> Result<i64, Error> {
        Ok(self.0.store.raise_guard(&self.tenant_of(tenant).await?.uid, name).await?)
    }

    /// Fails if the database was restored, copied or moved: then nothing is sent until it is adopted.
    pub(crate) async fn check_same(&self) -> Result<(), Error> {
        match self.0.store.suspicion().await? {
            Some(why) => Err(StoreError::NotTheSame { place: self.0.store.place(), why }.into()),
            None => Ok(()),
        }
    }

    /// The reason why the database is not the one that was used last, if it was restored, copied or moved.
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
    /// look can tell the result of those writes.
    pub async fn adopt(&self, by: By, quiet: Duration) -> Result<Adopted, Error> {
        by.check()?;
        let store = &*self.0.store;
        let last = store.setting("now").await?.and_then(|last| last.parse().ok()).map(Moment::from_millis);
        let clock = self.0.clock.now();
        // A journal whose time is far ahead is set back here, and nowhere else.
        if last.is_some_and(|last| last.since(clock) > CLOCK_APART) {
            store.set("now", &clock.as_millis().to_string()).await?;
        }
        let now = store.now(clock).await?;
        if last.is_some_and(|last| self.0.rules.is_too_old(last, now)) {
            for mut tenant in store.tenants().await? {
                tenant.hold = Some(format!(
                    "the backup is of {}: the gateway may have forgotten what was sent since",
                    last.unwrap_or(now)
                ));
                let decision = by.clone().decided("hold on")?;
                store.change_tenant(&tenant, Some(decision), now).await?;
            }
        }
        let quiet_until = now + quiet.max(self.0.rules.send_within + self.0.rules.window());
        let decision = by.decided("adopt")?;
        let intents = store.mark_restored(quiet_until, decision, now).await?;
        observe::restored(intents);
        Ok(Adopted { intents, quiet_until })
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
