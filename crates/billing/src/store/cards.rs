//! The cards of subscriptions.

use chrono::NaiveDate;
use perennial_journal::store::{Row, Statement};

use super::{SUBSCRIPTION, Store, date, maybe_date_of, subscription_of, text};
use crate::Error;
use crate::model::Subscription;

/// The expiry of a card as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredCard {
    /// The last day on which it is valid, if the gateway reported one.
    pub(crate) ends: Option<NaiveDate>,
    /// The day on which its token was last read by itself.
    pub(crate) read: Option<NaiveDate>,
}

/// The rows of one transaction.
const BATCH: usize = 100;

impl Store {
    /// The number of active subscriptions.
    pub(crate) async fn count_active(&self) -> Result<u64, Error> {
        let sql = "SELECT count(*) FROM perennial_subscription WHERE tenant = ?1 AND status = 'active'";
        let counts = self.rows(sql, vec![self.tenant.as_str().into()], Row::int).await?;
        Ok(counts.into_iter().map(i64::unsigned_abs).sum())
    }

    /// The active subscriptions that charge one of these tokens.
    pub(crate) async fn active_of_tokens(&self, tokens: &[&str]) -> Result<Vec<Subscription>, Error> {
        let select = |tokens: &str| {
            format!(
                "SELECT {SUBSCRIPTION} FROM perennial_subscription
                 WHERE tenant = ?1 AND token IN ({tokens}) AND status = 'active'"
            )
        };
        self.by_keys(Some(&self.tenant), tokens, select, subscription_of).await
    }

    /// Whether the cards are to be read on this day. Then this process reads them, and no other one before the next time.
    pub(crate) async fn reads_cards(&self, today: NaiveDate, next: NaiveDate) -> Result<bool, Error> {
        let sql = "UPDATE perennial_billing SET next_cards = ?3
                   WHERE tenant = ?1 AND (next_cards IS NULL OR next_cards <= ?2)
                     AND EXISTS (SELECT 1 FROM perennial_subscription s WHERE s.tenant = ?1 AND s.status = 'active')
                   RETURNING tenant";
        let values = vec![self.tenant.as_str().into(), date(today), date(next)];
        Ok(!self.rows(sql, values, Row::text).await?.is_empty())
    }

    /// Lets the cards be read on this day.
    pub(crate) async fn read_cards_on(&self, day: NaiveDate) -> Result<(), Error> {
        let sql = "UPDATE perennial_billing SET next_cards = ?2 WHERE tenant = ?1 RETURNING tenant";
        self.rows(sql, vec![self.tenant.as_str().into(), date(day)], Row::text).await?;
        Ok(())
    }

    /// The card of a subscription with this token, if it is stored.
    pub(crate) async fn card(&self, uid: &str, token: &str) -> Result<Option<StoredCard>, Error> {
        let sql = "SELECT ends, read FROM perennial_card WHERE subscription = ?1 AND token = ?2";
        let read = |row: &mut Row| Ok(StoredCard { ends: maybe_date_of(row)?, read: maybe_date_of(row)? });
        Ok(self.rows(sql, vec![uid.into(), token.into()], read).await?.pop())
    }

    /// Stores cards, as uid, token and expiry, but for those that are stored already.
    pub(crate) async fn know_cards(&self, cards: &[(String, String, NaiveDate)]) -> Result<(), Error> {
        let sql = "INSERT INTO perennial_card (subscription, token, ends) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
        for cards in cards.chunks(BATCH) {
            let put = |(uid, token, ends): &(String, String, NaiveDate)| {
                Statement::new(sql, vec![uid.as_str().into(), token.as_str().into(), date(*ends)])
            };
            self.journal.transact(cards.iter().map(put).collect()).await?;
        }
        Ok(())
    }

    /// Stores a card that was read.
    pub(crate) async fn put_card(&self, subscription: &Subscription, card: &StoredCard) -> Result<(), Error> {
        self.journal.transact(vec![put_card(subscription, card)]).await?;
        Ok(())
    }
}

pub(super) fn put_card(subscription: &Subscription, card: &StoredCard) -> Statement {
    let sql = "INSERT INTO perennial_card (subscription, token, ends, read) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (subscription, token) DO UPDATE SET ends = excluded.ends, read = excluded.read";
    let values = vec![
        subscription.uid.as_str().into(),
        subscription.token.as_str().into(),
        card.ends.map(text).into(),
        card.read.map(text).into(),
    ];
    Statement::new(sql, values)
}
