//! Events for the merchant's software, in order and by cursor.

use chrono::Days;
use perennial_journal::Moment;
use perennial_journal::store::NewEvent;
use serde_json::json;

use crate::Error;
use crate::billing::{Billing, day_of};

/// An event about a subscription of the merchant.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// The position. Positions rise, and what is stored later has a higher one; they need not be consecutive.
    pub position: i64,
    /// The kind, such as `charge.paid`.
    pub kind: String,
    /// The id of the subscription.
    pub subscription: String,
    /// The body as JSON.
    pub body: String,
    /// The time at which it was stored.
    pub at: Moment,
}

/// The beginnings of the kinds of events about subscriptions. Events about writes of the journal have others.
const KINDS: &[&str] = &["subscription.", "charge.", "card.", "books.", "needs-person"];
/// The events of the journal that are read at a time.
const PAGE: u32 = 500;
/// The days before a due day from which its charge is announced.
const UPCOMING: Days = Days::new(7);
/// The charges that are announced in one transaction.
const BATCH: u32 = 200;

impl Billing {
    /// Returns the first events after this position, the oldest first. A reader that keeps the last position misses no
    /// event and gets none twice, even of transactions that are committed out of order.
    pub async fn events(&self, after: i64, limit: u32) -> Result<Vec<Event>, Error> {
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let (mut events, mut last) = (Vec::new(), after);
        while events.len() < wanted {
            let page = self.journal.events(last, PAGE).await?;
            let Some(newest) = page.last() else { break };
            last = newest.position;
            let of_tenant = page.into_iter().filter(|event| {
                event.tenant == self.north.tenant() && KINDS.iter().any(|kind| event.kind.starts_with(kind))
            });
            let read = of_tenant.map(|event| Event {
                position: event.position,
                kind: event.kind,
                subscription: event.about,
                body: event.body,
                at: event.at,
            });
            events.extend(read);
        }
        events.truncate(wanted);
        Ok(events)
    }

    /// Stores an event about each charge that is due within seven days, once.
    pub(crate) async fn announce(&self) -> Result<(), Error> {
        loop {
            let now = self.journal.now().await?;
            let today = day_of(now);
            let upcoming = self.store.unannounced(today, today + UPCOMING, BATCH).await?;
            if upcoming.is_empty() {
                return Ok(());
            }
            let events = upcoming.iter().map(|due| {
                let body = json!({
                    "subscription": due.id, "generation": due.generation, "day": due.day.to_string(),
                    "amount": due.amount.to_string(),
                });
                NewEvent { kind: "charge.upcoming".to_owned(), body: body.to_string() }
            });
            // If another process announced one of them meanwhile, the rest is read anew.
            self.store.announce(&upcoming, events.collect(), now).await?;
        }
    }
}
