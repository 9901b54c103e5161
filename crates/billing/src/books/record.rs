//! Events about differences of the books.

use perennial::clearent::{PlanKey, TransactionId};
use perennial_journal::store::NewEvent;
use serde_json::json;

use super::{Books, Difference, DifferenceClass};
use crate::Error;
use crate::billing::Billing;
use crate::store::EventOnce;

/// The differences whose events are made at a time.
const PAGE: usize = 100;
/// The subject of an event that is about no subscription.
const NO_SUBSCRIPTION: &str = "books";

impl Billing {
    /// Stores an event `books.difference` about each difference of these books that has none yet, in this window or another
    /// one; returns their number. Two differences are the same if they agree in class, subscription, day, transaction and
    /// plan; those of a batch, in their words.
    ///
    /// ```
    #[doc = include_str!("../example.md")]
    /// let books = billing.books("2027-01-01".parse()?.."2027-02-01".parse()?).await?;
    /// assert_eq!(billing.record_differences(&books).await?, 0);
    /// # Ok(()) }
    /// ```
    pub async fn record_differences(&self, books: &Books) -> Result<u64, Error> {
        let mut count = 0;
        for differences in books.differences.chunks(PAGE) {
            let events = differences.iter().map(event_of).collect();
            count += self.store.report_once(events, self.journal.now().await?).await?;
        }
        Ok(count)
    }
}

fn event_of(difference: &Difference) -> EventOnce {
    let Difference { class, subscription, day, transaction, plan, amount, detail } = difference;
    let day = day.map(|day| day.to_string());
    let transaction = transaction.as_ref().map(TransactionId::as_str);
    let plan = plan.as_ref().map(PlanKey::as_str);
    let batch = detail.as_ref().filter(|_| *class == DifferenceClass::Batch);
    let mut body = json!({
        "subscription": subscription, "class": class.as_str(), "day": day, "transaction": transaction, "plan": plan,
        "amount": amount.to_string(),
    });
    if let Some(body) = body.as_object_mut() {
        body.retain(|_, value| !value.is_null());
    }
    EventOnce {
        key: json!(["books.difference", class.as_str(), subscription, day, transaction, plan, batch]),
        about: subscription.clone().unwrap_or_else(|| NO_SUBSCRIPTION.to_owned()),
        event: NewEvent { kind: "books.difference".to_owned(), body: body.to_string() },
    }
}
