//! Decisions under an operation key: each takes effect once.

use perennial_journal::store::{Tenant, Transacted};
use perennial_journal::{By, Journal, check_key, mark_of};
use serde_json::{Value, json};

use crate::store::Store;
use crate::{Billing, Error};

/// Whether a decision is new.
pub(crate) enum Once {
    /// It was taken before under its operation key.
    Known,
    /// It is new. Its key, if it has one, is stored with it.
    New(Option<(String, String)>),
}

impl Billing {
    /// Returns the same subscriptions, with an operation key for one decision: your name for it. The same decision under the
    /// same key takes effect once, also after later decisions.
    ///
    /// # Errors
    ///
    /// The decision fails with [`Error::KeyUsed`] if the key was used for another one.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// billing.once("call-77").cancel("M-1", CancelAt::PeriodEnd, by()).await?;
    /// billing.keep("M-1", by()).await?;
    /// // The request of the first decision arrives again.
    /// let member = billing.once("call-77").cancel("M-1", CancelAt::PeriodEnd, by()).await?;
    /// assert_eq!(member.subscription.ends_on(), None);
    /// assert!(billing.once("call-77").resume("M-1", by()).await.is_err());
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn once(&self, key: impl Into<String>) -> Self {
        Self { key: Some(key.into()), ..self.clone() }
    }

    /// Whether a decision was taken under the operation key.
    ///
    /// # Errors
    ///
    /// If the key cannot be one.
    pub async fn is_decided(&self) -> Result<bool, Error> {
        let Some(key) = &self.key else { return Ok(false) };
        check_key(key)?;
        Ok(self.store.decision_of_key(key).await?.is_some())
    }

    /// Whether this decision is new. Its words are an array, because the order of the members of an object is not fixed.
    pub(crate) async fn is_new(&self, decision: Value) -> Result<Once, Error> {
        self.store.is_new(self.key.as_deref(), &decision).await
    }
}

impl Store {
    /// Whether a decision of the tenant is new under its operation key.
    async fn is_new(&self, key: Option<&str>, decision: &Value) -> Result<Once, Error> {
        let Some(key) = key else { return Ok(Once::New(None)) };
        check_key(key)?;
        let digest = mark_of(self.tenant(), &decision.to_string());
        match self.decision_of_key(key).await? {
            Some(known) if known == digest => Ok(Once::Known),
            Some(_) => Err(Error::KeyUsed(key.to_owned())),
            None => Ok(Once::New(Some((key.to_owned(), digest)))),
        }
    }
}

/// Puts a tenant on hold, or ends its hold, once under an operation key; returns whether it is done now. The same call
/// again changes nothing, also after later decisions. It needs no client, and no subscription.
///
/// # Errors
///
/// [`Error::KeyUsed`] if the key was used for something else.
pub async fn hold_once(
    journal: &Journal,
    tenant: &Tenant,
    is_on: bool,
    by: By,
    key: &str,
) -> Result<bool, Error> {
    let store = Store::of(journal, &tenant.uid).await?;
    let words = json!(["hold", is_on]);
    let Once::New(Some((key, digest))) = store.is_new(Some(key), &words).await? else { return Ok(false) };
    match journal.change_hold(tenant, is_on, by, vec![store.put_key(&key, &digest)]).await? {
        Transacted::Rows(_) => Ok(true),
        // Another process used the key meanwhile.
        Transacted::Unmet | Transacted::Conflict => {
            store.is_new(Some(&key), &words).await?;
            Ok(false)
        }
    }
}
