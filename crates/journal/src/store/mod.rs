//! The stored data of a journal, and the statements that keep its rules.
//!
//! [`Store`] is what the driver needs. `Statements` implements it once, in SQL that both databases understand;
//! `sqlite.rs` and `postgres.rs` only run statements.

mod error;
mod packed;
#[cfg(feature = "postgres")]
mod postgres;
mod row;
mod schema;
mod sqlite;
mod statements;
#[cfg(test)]
mod tests;
mod witness;

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;

pub use error::StoreError;
#[cfg(feature = "postgres")]
pub(crate) use postgres::Postgres;
pub use row::{Damage, Row, Value};
pub(crate) use sqlite::Sqlite;
pub(crate) use statements::Statements;
pub use statements::{Statement, Transacted};

use crate::Moment;
use crate::machine::{Intent, State};

/// The most by which the journal's time may be ahead of the clock, and the gateway's clock apart from it: 5 minutes.
pub(crate) const CLOCK_APART: Duration = Duration::from_secs(5 * 60);

/// A merchant at a gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tenant {
    /// The random id, 26 characters.
    pub uid: String,
    /// The name.
    pub name: String,
    /// The host of the gateway.
    pub host: String,
    /// The key of the customer that proves that the API key is of this merchant, and that searches find what exists.
    pub sentinel: Option<String>,
    /// The reason for the hold, if nothing is sent for the tenant.
    pub hold: Option<String>,
    /// The moment before which nothing is sent, because the database was restored.
    pub quiet_until: Option<Moment>,
    /// The longest time in milliseconds for which a search was seen to lack an object that exists.
    pub worst_lag: i64,
    /// The time at which it was stored.
    pub created: Moment,
}

/// The result of storing an intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intended {
    /// It is stored.
    New,
    /// Its key was used before; this is the earlier intent.
    Existing(Box<Intent>),
    /// Another intent that is not refused, declined or withdrawn has the same mark.
    MarkTaken {
        /// The operation key of the other intent.
        by: String,
    },
}

/// The result of storing a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Committed {
    /// It is stored.
    Yes,
    /// A later claim has the intent.
    Fenced,
    /// Nothing may be sent now: another write to the object is open.
    Busy,
    /// Nothing may be sent now: the tenant is on hold, or waits.
    Held,
    /// Nothing may be sent any more: the precondition does not hold, or the last moment to send has come.
    Unwanted,
}

/// Changes that are stored together.
#[derive(Debug, Clone)]
pub struct Change {
    /// The intent after the change. The change is stored only if the stored fence is still this intent's.
    pub intent: Intent,
    /// Intents that follow from it.
    pub follow: Vec<Intent>,
    /// Events about it.
    pub events: Vec<NewEvent>,
    /// The decision of a person that caused it.
    pub decision: Option<NewDecision>,
    /// The reason for which the tenant is put on hold.
    pub hold: Option<String>,
    /// For how long at least searches of the tenant's gateway lack an object.
    pub lag: Option<std::time::Duration>,
    /// The time of the change.
    pub now: Moment,
}

/// An event that is not stored yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// The kind, such as `intent.done`.
    pub kind: String,
    /// The body as JSON.
    pub body: String,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// The position, which has no gaps. A reader that keeps the last position misses nothing.
    pub position: i64,
    /// The name of the tenant.
    pub tenant: String,
    /// The kind, such as `intent.done`.
    pub kind: String,
    /// The uid of the intent.
    pub about: String,
    /// The body as JSON.
    pub body: String,
    /// The time at which it was stored.
    pub at: Moment,
}

/// A decision that is not stored yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDecision {
    /// The person who decided.
    pub actor: String,
    /// The reason.
    pub reason: String,
    /// The decision.
    pub what: String,
}

/// A decision of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Decision {
    /// The time.
    pub at: Moment,
    /// The person who decided.
    pub actor: String,
    /// The reason.
    pub reason: String,
    /// The uid of the intent or tenant.
    pub about: String,
    /// The decision.
    pub what: String,
}

/// The intents that are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Filter {
    /// Only intents of this tenant.
    pub tenant: Option<String>,
    /// Only intents in one of these states; all if it is empty.
    pub states: Vec<State>,
    /// Only intents whose operation key begins with this.
    pub key_prefix: Option<String>,
    /// Only intents that were stored before this moment.
    pub created_before: Option<Moment>,
    /// At most this many, the newest first; 0 means 100.
    pub limit: u32,
}

/// The open work of a journal, in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpenWork {
    /// The number of intents in each state without an outcome. A state that no intent has is not in it.
    pub states: BTreeMap<State, u64>,
    /// The time at which the oldest of them was stored.
    pub oldest: Option<Moment>,
    /// The longest time for which a search of any tenant's gateway was seen to lack an object that exists.
    pub worst_lag: Duration,
}

/// The condition of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// The database, without credentials.
    pub place: String,
    /// The number of its schema.
    pub schema: i64,
    /// The problems that the database's own check reports.
    pub problems: Vec<String>,
}

/// A request that a user's own transaction put into the inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxRow {
    /// The number of the row.
    pub id: i64,
    /// The name of the tenant.
    pub tenant: String,
    /// The operation key.
    pub key: String,
    /// The operation.
    pub operation: String,
    /// The object, for writes to an object that exists.
    pub object: Option<String>,
    /// The request as the JSON of the vendor's interface.
    pub request: String,
}

/// An access id of ClientPay that all processes share.
#[derive(Clone, PartialEq, Eq)]
pub struct SharedAccess {
    /// The id; `None` before the first one.
    pub id: Option<String>,
    /// The number of ids before it.
    pub generation: i64,
}

impl std::fmt::Debug for SharedAccess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SharedAccess").field("generation", &self.generation).finish_non_exhaustive()
    }
}

/// The functions of a database that the driver needs. Every method is one transaction.
#[async_trait]
pub trait Store: Send + Sync {
    /// Returns the later of this moment and the latest one that the journal has seen, and keeps it: the stored time
    /// never goes back.
    async fn now(&self, clock: Moment) -> Result<Moment, StoreError>;
    /// Returns the tenant of this name.
    async fn tenant(&self, name: &str) -> Result<Option<Tenant>, StoreError>;
    /// Returns all tenants, by name.
    async fn tenants(&self) -> Result<Vec<Tenant>, StoreError>;
    /// Stores a new tenant. A tenant of this name that exists is unchanged.
    async fn add_tenant(&self, tenant: &Tenant) -> Result<(), StoreError>;
    /// Changes the sentinel, the hold, the quiet time and the lag of a tenant. The lag never falls.
    async fn change_tenant(
        &self,
        tenant: &Tenant,
        decision: Option<NewDecision>,
        now: Moment,
    ) -> Result<(), StoreError>;
    /// Stores an intent, unless its key was used before.
    async fn intend(&self, intent: &Intent) -> Result<Intended, StoreError>;
    /// Returns the intent of this uid.
    async fn intent(&self, uid: &str) -> Result<Option<Intent>, StoreError>;
    /// Returns the intent of this key of a tenant.
    async fn intent_of_key(&self, tenant: &str, key: &str) -> Result<Option<Intent>, StoreError>;
    /// Returns the earliest other write to the object of this stored intent that does not let it pass.
    async fn waits_for(&self, intent: &Intent) -> Result<Option<Intent>, StoreError>;
    /// Lists intents, the newest first.
    async fn list(&self, filter: &Filter) -> Result<Vec<Intent>, StoreError>;
    /// Claims the intent of this uid, or the intent of the tenant that has waited longest, if it is due and nobody has
    /// it; stops come first, and what is planned for a tenant on hold is passed over. Raises its fence. What is due is
    /// decided by the journal's time `now`, and whether a lease has ended by the `system` clock, in which leases are given.
    async fn claim(
        &self,
        tenant: &str,
        uid: Option<&str>,
        now: Moment,
        system: Moment,
        lease_until: Moment,
    ) -> Result<Option<Intent>, StoreError>;
    /// Stores a change, if the claim still holds. A change to [`State::Sending`] also requires that the precondition
    /// holds, and, except for a stop, that the tenant is not on hold, and that no other write to the object is open or
    /// was planned earlier.
    async fn commit(&self, change: &Change) -> Result<Committed, StoreError>;
    /// Returns the events after this position, the oldest first. Positions are given here, after the commit, so that a
    /// reader never passes over an event that is committed later.
    async fn events(&self, after: i64, limit: u32) -> Result<Vec<Event>, StoreError>;
    /// Returns the longest time for which searches of the tenant's gateway were seen to lack an object that exists, by
    /// any process.
    async fn worst_lag(&self, tenant: &str) -> Result<std::time::Duration, StoreError>;
    /// Counts the intents without an outcome.
    async fn open_work(&self) -> Result<OpenWork, StoreError>;
    /// Returns the decisions about an intent or a tenant, the oldest first.
    async fn decisions(&self, about: &str) -> Result<Vec<Decision>, StoreError>;
    /// Returns the version of a guard: 0 if nobody has raised it.
    async fn guard(&self, tenant: &str, name: &str) -> Result<i64, StoreError>;
    /// Raises the version of a guard and returns it: intents with the earlier version are not sent any more.
    async fn raise_guard(&self, tenant: &str, name: &str) -> Result<i64, StoreError>;
    /// Returns the first rows of the inbox whose tenants are bound.
    async fn inbox(&self, limit: u32) -> Result<Vec<InboxRow>, StoreError>;
    /// Removes a row of the inbox, and stores its intent, or the event that it is refused. `false`, and nothing is changed,
    /// if the row is gone or the intent cannot be stored beside those that are there.
    async fn take(
        &self,
        row: &InboxRow,
        intent: Option<&Intent>,
        event: Option<(&str, &NewEvent)>,
        now: Moment,
    ) -> Result<bool, StoreError>;
    /// Returns the access id that all processes of a tenant share.
    async fn access(&self, tenant: &str) -> Result<SharedAccess, StoreError>;
    /// Claims the right to replace the access id of this generation until the end of the lease. `false` if another
    /// process has it, or the generation has passed.
    async fn claim_access(
        &self,
        tenant: &str,
        generation: i64,
        now: Moment,
        lease_until: Moment,
    ) -> Result<bool, StoreError>;
    /// Replaces the access id of this generation. `false` if the generation has passed.
    async fn replace_access(&self, tenant: &str, generation: i64, id: &str) -> Result<bool, StoreError>;
    /// Returns a setting of the journal.
    async fn setting(&self, name: &str) -> Result<Option<String>, StoreError>;
    /// Stores a setting of the journal.
    async fn set(&self, name: &str, value: &str) -> Result<(), StoreError>;
    /// The reason why the database is not the one that was used last, if it was restored, copied or moved.
    async fn suspicion(&self) -> Result<Option<String>, StoreError>;
    /// The name of the database in errors, without credentials.
    fn place(&self) -> String;
    /// Finishes what is being stored and closes the database.
    fn close(&self);
    /// Runs statements in one transaction, and returns after it is durable.
    async fn transact(&self, statements: Vec<Statement>) -> Result<Transacted, StoreError>;
    /// Runs the database's own check.
    async fn check(&self) -> Result<Health, StoreError>;
    /// Marks all intents that may have been sent, and all that are planned, as those of a restored database.
    async fn mark_restored(
        &self,
        quiet_until: Moment,
        decision: NewDecision,
        now: Moment,
    ) -> Result<u64, StoreError>;
}
