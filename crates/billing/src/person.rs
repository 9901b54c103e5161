//! The data of a person: exported whole, and erased with the books whole.

use perennial_journal::By;
use serde_json::json;

use crate::Error;
use crate::billing::Billing;
use crate::model::{Status, Subscription};
use crate::once::Once;
use crate::store::Which;

/// The number of rows that an erasure changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Erasure {
    /// Subscriptions with the id: one, and those before it.
    pub subscriptions: u64,
    /// Writes of the journal about them, and about their customers.
    pub writes: u64,
}

/// The most subscriptions with one id.
const GENERATIONS: u32 = 1_000;

impl Billing {
    /// Returns all that is stored about the subscriptions with an id, as JSON: their rows, charges, writes, decisions, events
    /// and alerts, and the writes of the journal about their customers.
    ///
    /// Amounts are texts, times are UTC. The gateway's own records are not part of it.
    pub async fn export(&self, id: &str) -> Result<String, Error> {
        let subscriptions = self.generations(id).await?;
        Ok(self.store.exported(id, &subscriptions).await?.to_string())
    }

    /// Erases the personal data of subscriptions that are over, and leaves the books whole.
    ///
    /// The customer, the token, the name, reasons, and the persons who decided are replaced by `erased`; requests, outcomes
    /// and events of the journal's writes about the subscriptions lose their content. With the last subscription of a
    /// customer, this includes all writes of the journal about the customer, such as its creation. What stays: the id, days,
    /// amounts, states, result codes, plan keys and transaction ids. The id is the caller's, and later calls and the books
    /// name it: use ids that do not tell who a person is. The decision to erase is kept with its person and its reason.
    ///
    /// The gateway's own records, backups, and bytes that a database has freed and not overwritten yet are not erased. The
    /// same call again changes nothing; under an [operation key](Self::once), also after the id is in use again.
    ///
    /// # Errors
    ///
    /// [`Error::NotOver`] and [`Error::NotSettled`]; nothing is changed.
    pub async fn erase(&self, id: &str, by: By) -> Result<Erasure, Error> {
        let Once::New(key) = self.is_new(json!(["erase", id])).await? else {
            return Ok(Erasure::default());
        };
        let rows = self.erasable(id).await?;
        let now = self.journal.now().await?;
        if !self.store.erase(&rows, key, &by, now).await? {
            return Err(Error::Changed(id.to_owned()));
        }
        Ok(Erasure::of(&rows))
    }

    /// Counts the rows that [`erase`](Self::erase) would change. Nothing is changed.
    pub async fn preview_erase(&self, id: &str) -> Result<Erasure, Error> {
        Ok(Erasure::of(&self.erasable(id).await?))
    }

    /// The subscriptions with an id, the newest first.
    async fn generations(&self, id: &str) -> Result<Vec<Subscription>, Error> {
        let found = self.store.subscriptions(Which::Id(id), GENERATIONS).await?;
        if found.is_empty() { Err(Error::NoSubscription(id.to_owned())) } else { Ok(found) }
    }

    /// The rows of an id that may be erased now.
    async fn erasable(&self, id: &str) -> Result<crate::store::PersonalRows, Error> {
        let subscriptions = self.generations(id).await?;
        if subscriptions.iter().any(|one| one.status != Status::Ended) {
            return Err(Error::NotOver(id.to_owned()));
        }
        let not_settled = |what: String| Error::NotSettled { id: id.to_owned(), what };
        let rows = self.store.personal_rows(subscriptions).await?;
        for subscription in &rows.subscriptions {
            if let Some(day) = self.store.open_day(&subscription.uid).await? {
                return Err(not_settled(format!("the due day {day} is open, settle it first")));
            }
        }
        if let Some(open) = rows.writes.iter().find(|write| !write.is_settled()) {
            let what = match open.next {
                Some(next) => format!("the journal looks at {} again at {next}, do it after that", open.key),
                None => format!("the write {} has no outcome, settle it with perennial journal", open.key),
            };
            return Err(not_settled(what));
        }
        Ok(rows)
    }
}

impl Erasure {
    fn of(rows: &crate::store::PersonalRows) -> Self {
        let count = |length| u64::try_from(length).unwrap_or(u64::MAX);
        Self { subscriptions: count(rows.subscriptions.len()), writes: count(rows.writes.len()) }
    }
}
