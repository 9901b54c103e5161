//! Decisions about a subscription, as changes of its row.

use chrono::NaiveDate;
use perennial::Amount;
use perennial::clearent::TokenId;
use perennial_domain::clearent::FrequencyDay;
use serde_json::json;

use crate::Error;
use crate::model::{Status, Subscription};

/// A change of a subscription. It holds from the next due day that is not near.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SubscriptionChange {
    /// Another amount.
    pub amount: Option<Amount>,
    /// Another token of the customer.
    pub token: Option<TokenId>,
    /// Another day of the month.
    pub day: Option<FrequencyDay>,
}

/// The time of a cancellation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelAt {
    /// No further day is due, and planned tries are withdrawn.
    Now,
    /// The last charge was the last; open ones are still collected.
    PeriodEnd,
    /// The last charge is due on or before this day.
    Day(NaiveDate),
}

/// A decision about a subscription that is not over.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decision {
    /// Another amount, token or day.
    Change(SubscriptionChange),
    /// Nothing is due from a day, today if it is none, until before another.
    Pause {
        /// The first day of the pause.
        from: Option<NaiveDate>,
        /// The first day after the pause.
        until: NaiveDate,
    },
    /// A pause ends.
    Resume,
    /// The subscription ends.
    Cancel(CancelAt),
    /// A cancellation that has not come yet is taken back.
    Keep,
}

impl Decision {
    /// The word under which it is kept, and the event's.
    pub(crate) const fn word(&self) -> &'static str {
        match self {
            Self::Change(_) => "changed",
            Self::Pause { .. } => "paused",
            Self::Resume => "resumed",
            Self::Cancel(_) => "canceled",
            Self::Keep => "kept",
        }
    }

    /// The decision in words, for the digest under its operation key. They are never changed.
    pub(crate) fn words(&self, id: &str) -> serde_json::Value {
        let text = |day: &Option<NaiveDate>| day.map(|day| day.to_string());
        match self {
            Self::Change(SubscriptionChange { amount, token, day }) => {
                let amount = amount.map(|amount| amount.to_string());
                let token = token.as_ref().map(TokenId::as_str);
                json!(["change", id, amount, token, day.map(FrequencyDay::get)])
            }
            Self::Pause { from, until } => json!(["pause", id, text(from), until.to_string()]),
            Self::Resume => json!(["resume", id]),
            Self::Cancel(CancelAt::Now) => json!(["cancel", id, "now"]),
            Self::Cancel(CancelAt::PeriodEnd) => json!(["cancel", id, "period-end"]),
            Self::Cancel(CancelAt::Day(day)) => json!(["cancel", id, day.to_string()]),
            Self::Keep => json!(["keep", id]),
        }
    }

    /// Applies the decision to the row of its subscription.
    pub(crate) fn apply(&self, subscription: &mut Subscription, today: NaiveDate) -> Result<(), Error> {
        match self {
            Self::Change(SubscriptionChange { amount, token, day }) => {
                if amount.is_some_and(Amount::is_zero) {
                    return Err(Error::NoAmount);
                }
                subscription.amount = amount.unwrap_or(subscription.amount);
                subscription.token = token.clone().unwrap_or_else(|| subscription.token.clone());
                subscription.day = day.unwrap_or(subscription.day);
            }
            Self::Pause { from, until } => {
                let from = from.unwrap_or(today);
                if from < today {
                    return Err(Error::Past { what: "the start of the pause", today });
                }
                if *until <= from {
                    return Err(Error::EmptyPeriod("the pause"));
                }
                subscription.pause = Some((from, *until));
            }
            Self::Resume => {
                let pause = subscription.pause.map(|(from, until)| (from, until.min(today)));
                subscription.pause = pause.filter(|(from, until)| from < until);
            }
            Self::Cancel(CancelAt::Day(day)) if *day < today => {
                return Err(Error::Past { what: "the end", today });
            }
            // It ends already: the same decision on a later day is no other one.
            Self::Cancel(_) if subscription.status == Status::Canceling => {}
            Self::Cancel(CancelAt::Day(day)) => {
                subscription.ends_on = Some(subscription.until.map_or(*day, |last| last.min(*day)));
            }
            Self::Cancel(at) => {
                subscription.ends_on = Some(subscription.ends_on.map_or(today, |last| last.min(today)));
                if *at == CancelAt::Now {
                    subscription.status = Status::Canceling;
                }
            }
            Self::Keep => {
                if subscription.ends_on == subscription.until || subscription.status != Status::Active {
                    return Err(Error::NotEnding(subscription.id.clone()));
                }
                subscription.ends_on = subscription.until;
            }
        }
        Ok(())
    }
}
