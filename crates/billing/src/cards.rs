//! Cards that end before a charge is due.

use std::collections::HashMap;

use chrono::{Days, NaiveDate};
use perennial::clearent::{CustomerKey, Paging, TokenId, TokenSearch};
use perennial::{CardBrand, Expiry, Reported};

use crate::Error;
use crate::billing::Billing;
use crate::calendar::due_days;

/// A card that ends before a due day of its subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EndingCard {
    /// The id of the subscription.
    pub subscription: String,
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

/// The days by which a card is listed before the first due day that it does not reach.
const AHEAD: Days = Days::new(60);
/// The records of a page.
const PAGE: u32 = 100;
/// The reads of a list that changes while it is read.
const READS: u32 = 3;

impl Billing {
    /// Lists the cards of active subscriptions that end before a day that is due within 60 days. The gateway's tokens are
    /// read as one list, a request for each hundred.
    ///
    /// # Errors
    ///
    /// [`Error::ListChanged`] if the list of tokens changes each time it is read.
    pub async fn ending_cards(&self) -> Result<EndingCards, Error> {
        let today = self.today().await?;
        let horizon = today + AHEAD;
        let cards = self.cards(horizon).await?;
        let (mut ending, mut after) = (EndingCards::default(), String::new());
        loop {
            let block = self.store.active_after(&after).await?;
            let Some(last) = block.last() else { break };
            after.clone_from(&last.uid);
            for subscription in block {
                ending.subscriptions += 1;
                let Some(card) = cards.get(&subscription.token) else {
                    ending.unknown += 1;
                    continue;
                };
                let Some(card) = card else { continue };
                let from = today.max(subscription.from).max(card.ends + Days::new(1));
                let days = due_days(subscription.day, from).take_while(|day| *day <= horizon);
                let Some(due) = days.into_iter().find(|day| subscription.wants(*day)) else { continue };
                ending.cards.push(EndingCard {
                    subscription: subscription.id,
                    customer: subscription.customer,
                    token: subscription.token,
                    brand: card.brand.clone(),
                    last_four: card.last_four.clone(),
                    ends: card.ends,
                    due,
                });
            }
        }
        ending
            .cards
            .sort_by(|one, other| (one.due, &one.subscription).cmp(&(other.due, &other.subscription)));
        Ok(ending)
    }

    /// The tokens with an expiry: `None` if it is not before this day.
    async fn cards(&self, horizon: NaiveDate) -> Result<HashMap<TokenId, Option<Card>>, Error> {
        for _ in 0..READS {
            let search = TokenSearch {
                paging: Paging { page_size: Some(PAGE), ..Paging::default() },
                ..TokenSearch::default()
            };
            let mut cards = HashMap::new();
            let mut pages = self.north.client().tokens().search(&search).pages();
            while let Some(page) = pages.next_page().await {
                // A token that cannot be read is one of those that are not known.
                for token in page?.each().into_value().into_iter().flatten() {
                    let ends = token.exp_date.as_ref().and_then(Reported::value).map(Expiry::last_day);
                    let (Some(id), Some(ends)) = (token.token_id, ends) else { continue };
                    let card = Card { ends, brand: token.card_type, last_four: token.last_four_digits };
                    cards.insert(id, (ends < horizon).then_some(card));
                }
            }
            if !pages.changed() {
                return Ok(cards);
            }
        }
        Err(Error::ListChanged)
    }
}
