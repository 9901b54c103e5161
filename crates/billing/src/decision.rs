//! Decisions about a subscription, as changes of its row.

use chrono::{Datelike as _, NaiveDate};
use perennial::Amount;
use perennial::clearent::TokenId;
use perennial_domain::clearent::FrequencyDay;
use serde_json::json;

use crate::Error;
use crate::calendar::due_days;
use crate::model::{Member, Pause, Status, SubscriptionChange};

/// The end of a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PauseEnd {
    /// This is the first day after it.
    Until(NaiveDate),
    /// It lasts for this many due days.
    Charges(u32),
}

/// The time of a cancellation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelAt {
    /// No further day is due.
    Now,
    /// The last charge was the last.
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
        /// The end of the pause.
        end: PauseEnd,
        /// Whether the months that pass are collected by sales after the pause. If not, they are waived.
        collects: bool,
    },
    /// A pause ends.
    Resume,
    /// The subscription ends. Planned tries of declined charges are withdrawn when the end comes.
    Cancel {
        /// The time.
        at: CancelAt,
        /// Whether days that are open at the end are still collected.
        collects_open: bool,
    },
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
            Self::Cancel { .. } => "canceled",
            Self::Keep => "kept",
        }
    }

    /// The decision in words, for the digest under its operation key. They are never changed.
    pub(crate) fn words(&self, id: &str) -> serde_json::Value {
        let text = |day: &Option<NaiveDate>| day.map(|day| day.to_string());
        match self {
            Self::Change(SubscriptionChange { from, amount, token, day }) => {
                let amount = amount.map(|amount| amount.to_string());
                let token = token.as_ref().map(TokenId::as_str);
                json!(["change", id, text(from), amount, token, day.map(FrequencyDay::get)])
            }
            Self::Pause { from, end: PauseEnd::Until(until), collects } => {
                json!(["pause", id, text(from), until.to_string(), collects])
            }
            Self::Pause { from, end: PauseEnd::Charges(count), collects } => {
                json!(["pause", id, text(from), count, collects])
            }
            Self::Resume => json!(["resume", id]),
            Self::Cancel { at, collects_open } => {
                let at = match at {
                    CancelAt::Now => "now".to_owned(),
                    CancelAt::PeriodEnd => "period-end".to_owned(),
                    CancelAt::Day(day) => day.to_string(),
                };
                json!(["cancel", id, at, collects_open])
            }
            Self::Keep => json!(["keep", id]),
        }
    }

    /// Applies the decision to the rows of its subscription.
    pub(crate) fn apply(&self, member: &mut Member, today: NaiveDate) -> Result<(), Error> {
        let subscription = &mut member.subscription;
        match self {
            Self::Change(change) => {
                if change.amount.is_some_and(Amount::is_zero) {
                    return Err(Error::NoAmount);
                }
                match change.from {
                    Some(from) if from < today => {
                        return Err(Error::Past { what: "the start of the change", today });
                    }
                    Some(from) if from > today => subscription.change = Some(change.clone()),
                    _ => member.change(change, today),
                }
            }
            Self::Pause { from, end, collects } => {
                let from = from.unwrap_or(today);
                if from < today {
                    return Err(Error::Past { what: "the start of the pause", today });
                }
                let until = match end {
                    PauseEnd::Until(day) => Some(*day),
                    // A due day that is near is still charged, and is none of the pause.
                    PauseEnd::Charges(count) => {
                        let first = from.max(subscription.from).max(member.first_free(today));
                        let last = usize::try_from(*count).unwrap_or(usize::MAX).checked_sub(1);
                        let last = last.and_then(|last| due_days(member.subscription.day, first).nth(last));
                        last.and_then(|last| last.succ_opt())
                    }
                };
                let until = until.filter(|until| *until > from).ok_or(Error::EmptyPeriod("the pause"))?;
                member.subscription.pause = Some(Pause { from, until, collects: *collects });
            }
            Self::Resume => {
                let pause = subscription.pause.map(|pause| Pause { until: pause.until.min(today), ..pause });
                subscription.pause = pause.filter(|pause| pause.from < pause.until);
            }
            Self::Cancel { at: CancelAt::Day(day), .. } if *day < today => {
                return Err(Error::Past { what: "the end", today });
            }
            // It ends already: the same decision on a later day is no other one.
            Self::Cancel { .. } if subscription.status == Status::Canceling => {}
            Self::Cancel { at, collects_open } => {
                let last = match at {
                    CancelAt::Day(day) => subscription.until.map_or(*day, |last| last.min(*day)),
                    CancelAt::Now | CancelAt::PeriodEnd => {
                        subscription.ends_on.map_or(today, |last| last.min(today))
                    }
                };
                subscription.ends_on = Some(last);
                subscription.collects_open = *collects_open;
                if *at == CancelAt::Now {
                    subscription.status = Status::Canceling;
                }
            }
            Self::Keep => {
                if subscription.ends_on == subscription.until || subscription.status != Status::Active {
                    return Err(Error::NotEnding(subscription.id.clone()));
                }
                subscription.ends_on = subscription.until;
                subscription.collects_open = false;
            }
        }
        member.count_charges(today);
        Ok(())
    }
}

impl Member {
    /// Changes the amount, the token or the day, from the next due day that is not near.
    pub(crate) fn change(&mut self, change: &SubscriptionChange, today: NaiveDate) {
        let subscription = &mut self.subscription;
        subscription.amount = change.amount.unwrap_or(subscription.amount);
        subscription.day = change.day.unwrap_or(subscription.day);
        if let Some(token) = change.token.as_ref().filter(|token| **token != subscription.token) {
            subscription.token = token.clone();
            self.has_new_card(today);
        }
    }

    /// Makes the change that holds from a later day, if no due day comes before it. A month whose old day is due by then, and
    /// whose new day is not, keeps its day.
    pub(crate) fn make_change(&mut self, today: NaiveDate) {
        let subscription = &mut self.subscription;
        let Some(mut change) = subscription.change.take() else { return };
        let next = due_days(subscription.day, today).next();
        if change.from.zip(next).is_some_and(|(from, next)| next < from) {
            subscription.change = Some(change);
            return;
        }
        let is_later = |day: &FrequencyDay| {
            next.and_then(|next| next.with_day(day.get()))
                .zip(change.from)
                .is_some_and(|(new, from)| new < from)
        };
        if let Some(day) = change.day.take_if(|day| is_later(day)) {
            subscription.change = Some(SubscriptionChange {
                from: change.from,
                day: Some(day),
                ..SubscriptionChange::default()
            });
        }
        self.change(&change, today);
    }
}
