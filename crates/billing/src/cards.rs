//! Cards that end before a charge is due.

use std::collections::HashMap;

use chrono::{Days, NaiveDate};
use perennial::clearent::{CustomerKey, Paging, TokenId, TokenSearch};
use perennial::{CardBrand, ErrorKind, Expiry, Month, Reported};
use perennial_journal::store::NewEvent;
use serde_json::json;

use crate::Error;
use crate::billing::{Billing, day_of};
use crate::calendar::due_days;
use crate::model::{DueDay, Member, Subscription};
use crate::recovery::EXPIRED;
use crate::store::{EventOnce, StoredCard};

/// A card that ends before a due day of its subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EndingCard {
    /// The id of the subscription.
    pub subscription: String,
    /// The number of the subscription among those with this id.
    pub generation: i64,
    /// The customer.
    pub customer: CustomerKey,
    /// The token.
    pub token: TokenId,
    /// The brand, if the gateway reports it.
    pub brand: Option<CardBrand>,
    /// The last four digits, if the gateway reports them.
    pub last_four: Option<String>,
    /// The last day on which the card is valid.
    pub ends: NaiveDate,
    /// The first due day after it.
    pub due: NaiveDate,
    uid: String,
}

/// The cards of active subscriptions that end soon.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EndingCards {
    /// The cards, by the first due day that they do not reach, then by subscription.
    pub cards: Vec<EndingCard>,
    /// The number of active subscriptions.
    pub subscriptions: u64,
    /// The number of those whose card has no expiry that can be read, or whose token the gateway does not list.
    pub unknown: u64,
}

/// A token, as far as it matters here.
struct Card {
    ends: NaiveDate,
    brand: Option<CardBrand>,
    last_four: Option<String>,
}

/// The card of a subscription on a day.
#[derive(Debug, Default)]
pub(crate) struct CardToday {
    /// Whether it has expired, as a read of that day says.
    pub(crate) has_expired: bool,
    /// Whether days wait for another card, and it has another expiry than on the day before.
    pub(crate) is_renewed: bool,
    /// The card to be stored, if it was read now.
    pub(crate) read: Option<StoredCard>,
}

/// The subscriptions that are read with the cards.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// All active ones, so that those whose card is not known are counted.
    All,
    /// Only subscriptions whose cards end soon.
    Ending,
}

/// The days by which a card is listed before the first due day that it does not reach.
const AHEAD: Days = Days::new(60);
/// The days from one read of all tokens to the next.
const WEEK: Days = Days::new(7);
/// The records of a page.
const PAGE: u32 = 100;
/// The reads of a list that changes while it is read.
const READS: u32 = 3;

impl Billing {
    /// Lists the cards of active subscriptions that end before a day that is due within 60 days. The gateway's tokens are
    /// read as one list, a request for each hundred. Memory holds a page, and the cards that are listed.
    ///
    /// # Errors
    ///
    /// [`Error::ListChanged`] if the list of tokens changes each time it is read.
    pub async fn ending_cards(&self) -> Result<EndingCards, Error> {
        let today = self.today().await?;
        let (mut ending, read) = self.find_ending(today, today + AHEAD, Scope::All).await?;
        ending.subscriptions = self.store.count_active().await?;
        ending.unknown = ending.subscriptions.saturating_sub(read);
        Ok(ending)
    }

    /// Stores an event about each card that [ends soon](Self::ending_cards), once. The tokens are read once a week, by one
    /// process; if that fails, they are read on the next day.
    pub(crate) async fn warn_of_ending_cards(&self) -> Result<(), Error> {
        let now = self.journal.now().await?;
        let today = day_of(now);
        if !self.store.reads_cards(today, today + WEEK).await? {
            return Ok(());
        }
        let found = self.find_ending(today, today + AHEAD + WEEK, Scope::Ending).await;
        if found.is_err() {
            self.store.read_cards_on(today + Days::new(1)).await?;
        }
        let (ending, _) = match found {
            // A key that may not list tokens still does all other work.
            Err(Error::Gateway(error))
                if matches!(error.kind(), ErrorKind::Refused | ErrorKind::Unauthorized) =>
            {
                return Ok(());
            }
            found => found?,
        };
        let known = ending.cards.iter().map(|card| (card.uid.clone(), card.token.to_string(), card.ends));
        self.store.know_cards(&known.collect::<Vec<_>>()).await?;
        let events = ending.cards.into_iter().map(|card| {
            let EndingCard { subscription, generation, token, ends, due, .. } = card;
            let (token, expires) = (token.as_str(), Month::of(ends).to_string());
            let body = json!({
                "subscription": subscription, "generation": generation, "day": due.to_string(), "token-id": token,
                "expires": expires,
            });
            EventOnce {
                key: json!(["card.expiring", subscription, generation, token, expires]),
                about: subscription,
                event: NewEvent { kind: "card.expiring".to_owned(), body: body.to_string() },
            }
        });
        self.store.report_once(events.collect(), now).await?;
        Ok(())
    }

    /// The card of a subscription, if a try or a wait depends on it. A card that is known to have expired, or for which a day
    /// waits, is read at the gateway, once a day.
    pub(crate) async fn card_today(&self, member: &Member, today: NaiveDate) -> Result<CardToday, Error> {
        let Member { subscription, days, .. } = member;
        let is_ending = subscription.is_stopped(today) && !subscription.collects_open;
        if subscription.is_shadow || is_ending {
            return Ok(CardToday::default());
        }
        let is_due = |day: &DueDay| day.is_tried() && day.next_try.is_some_and(|next| next <= today);
        let waits = days.values().find(|day| day.waits_for_card(today));
        if waits.is_none() && !days.values().any(is_due) {
            return Ok(CardToday::default());
        }
        let known = self.store.card(&subscription.uid, subscription.token.as_str()).await?;
        let ends = known.as_ref().and_then(|known| known.ends);
        let has_expired = |ends: Option<NaiveDate>| ends.is_some_and(|ends| ends < today);
        if known.as_ref().is_some_and(|known| known.read == Some(today))
            || waits.is_none() && !has_expired(ends)
        {
            return Ok(CardToday { has_expired: has_expired(ends), ..CardToday::default() });
        }
        let now = match self.north.client().tokens().get(&subscription.token).await {
            Ok(token) => token.exp_date.as_ref().and_then(Reported::value).map(Expiry::last_day),
            // Without the read, the step goes on with what is known, and the next one reads again.
            Err(error) if !error.is_not_found() && error.kind() != ErrorKind::InvalidResponse => {
                return Ok(CardToday { has_expired: has_expired(ends), ..CardToday::default() });
            }
            Err(_) => ends,
        };
        let is_renewed = waits.is_some_and(|day| {
            // Only what was read since the decline tells that the card changed after it, or that the decline said that it had
            // expired, and it has not.
            let is_since = known.as_ref().and_then(|known| known.read).is_some_and(|read| read >= day.day);
            let is_later = ends.zip(now).is_some_and(|(before, now)| before < now);
            let declined_as_expired = day.code.as_deref().is_some_and(|code| EXPIRED.contains(&code));
            is_since && is_later || !is_since && declined_as_expired && now.is_some_and(|now| now >= today)
        });
        let read = Some(StoredCard { ends: now, read: Some(today) });
        Ok(CardToday { has_expired: has_expired(now), is_renewed, read })
    }

    /// The cards that end soon, and the number of the subscriptions that were read.
    async fn find_ending(
        &self,
        today: NaiveDate,
        horizon: NaiveDate,
        scope: Scope,
    ) -> Result<(EndingCards, u64), Error> {
        for _ in 0..READS {
            let search = TokenSearch {
                paging: Paging { page_size: Some(PAGE), ..Paging::default() },
                ..TokenSearch::default()
            };
            let (mut ending, mut read) = (EndingCards::default(), 0);
            let mut pages = self.north.client().tokens().search(&search).pages();
            while let Some(page) = pages.next_page().await {
                let mut cards = HashMap::new();
                // A token that cannot be read is one of those that are not known.
                for token in page?.each().into_value().into_iter().flatten() {
                    let ends = token.exp_date.as_ref().and_then(Reported::value).map(Expiry::last_day);
                    let (Some(id), Some(ends)) = (token.token_id, ends) else { continue };
                    if scope == Scope::All || ends < horizon {
                        let card = Card { ends, brand: token.card_type, last_four: token.last_four_digits };
                        cards.insert(id, card);
                    }
                }
                let tokens: Vec<_> = cards.keys().map(TokenId::as_str).collect();
                for subscription in self.store.active_of_tokens(&tokens).await? {
                    read += 1;
                    let card = cards.get(&subscription.token);
                    ending
                        .cards
                        .extend(card.and_then(|card| card.ends_before_due(subscription, today, horizon)));
                }
            }
            if !pages.changed() {
                let by_day = |one: &EndingCard, other: &EndingCard| {
                    (one.due, &one.subscription).cmp(&(other.due, &other.subscription))
                };
                ending.cards.sort_by(by_day);
                return Ok((ending, read));
            }
        }
        Err(Error::ListChanged)
    }
}

impl Card {
    /// The card, if a charge of the subscription is due after it and soon.
    fn ends_before_due(
        &self,
        subscription: Subscription,
        today: NaiveDate,
        horizon: NaiveDate,
    ) -> Option<EndingCard> {
        let from = today.max(subscription.from).max(self.ends + Days::new(1));
        let mut days = due_days(subscription.day, from).take_while(|day| *day <= horizon);
        let due = days.find(|day| subscription.wants(*day))?;
        Some(EndingCard {
            subscription: subscription.id,
            generation: subscription.generation,
            customer: subscription.customer,
            token: subscription.token,
            brand: self.brand.clone(),
            last_four: self.last_four.clone(),
            ends: self.ends,
            due,
            uid: subscription.uid,
        })
    }
}
