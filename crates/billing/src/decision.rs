//! Decisions about a subscription, as changes of its row.

use chrono::{Datelike as _, NaiveDate};
use perennial::Amount;
use perennial::clearent::TokenId;
use perennial_domain::clearent::FrequencyDay;
use serde_json::json;

use crate::Error;
use crate::calendar::due_days;
use crate::model::{Member, Pause, Status, Subscription, SubscriptionChange};

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
    /// No further day is due, but for one within two days, whose charge may be under way. Nothing takes it back.
    Now,
    /// As [`Now`](Self::Now), from tomorrow on: what is paid is the last. Until then, [`Decision::Keep`] takes it back.
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
                if change.is_empty() {
                    return Err(Error::EmptyChange);
                }
                if change.amount.is_some_and(Amount::is_zero) {
                    return Err(Error::NoAmount);
                }
                match change.from {
                    Some(from) if from < today => {
                        return Err(Error::Past { what: "the start of the change", today });
                    }
                    Some(from) if from > today => subscription.change = Some(change.clone()),
                    _ => {
                        let is_other =
                            change.token.as_ref().is_some_and(|token| *token != subscription.token);
                        subscription.replace_later(change);
                        member.change(change);
                        if is_other {
                            member.has_new_card(today);
                        }
                    }
                }
            }
            // The same pause again, on a later day, is no longer one.
            Self::Pause { from, end: PauseEnd::Charges(count), collects }
                if subscription.pause.is_some_and(|pause| {
                    let days = due_days(subscription.day, pause.from.max(subscription.from));
                    pause.until > today
                        && pause.collects == *collects
                        && from.is_none_or(|from| from <= pause.from)
                        && Some(*count)
                            == u32::try_from(days.take_while(|day| *day < pause.until).count()).ok()
                }) => {}
            Self::Pause { from, end, collects } => {
                let mut from = from.unwrap_or(today);
                if from < today {
                    return Err(Error::Past { what: "the start of the pause", today });
                }
                let until = match end {
                    PauseEnd::Until(day) => Some(*day),
                    // A due day that is near is still charged, and is none of the pause.
                    PauseEnd::Charges(count) => {
                        from = from.max(member.first_free(today));
                        let first = from.max(member.subscription.from);
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
                    CancelAt::Day(day) => *day,
                    CancelAt::Now | CancelAt::PeriodEnd => {
                        subscription.canceled_on.map_or(today, |last| last.min(today))
                    }
                };
                subscription.canceled_on = Some(last);
                subscription.collects_open = *collects_open;
                if *at == CancelAt::Now {
                    subscription.status = Status::Canceling;
                }
            }
            Self::Keep => {
                if subscription.canceled_on.is_none() || subscription.is_stopped(today) {
                    return Err(Error::NotEnding(subscription.id.clone()));
                }
                subscription.canceled_on = None;
                subscription.collects_open = false;
            }
        }
        member.count_charges(today);
        Ok(())
    }
}

impl Subscription {
    /// Takes the parts of a change that holds at once out of the one that holds from a later day.
    fn replace_later(&mut self, change: &SubscriptionChange) {
        let Some(later) = &mut self.change else { return };
        later.amount = later.amount.filter(|_| change.amount.is_none());
        later.token.take_if(|_| change.token.is_some());
        later.day = later.day.filter(|_| change.day.is_none());
        self.change.take_if(|later| later.is_empty());
    }
}

impl SubscriptionChange {
    pub(crate) fn is_empty(&self) -> bool {
        self.amount.is_none() && self.token.is_none() && self.day.is_none()
    }
}

impl Member {
    /// Changes the amount, the token or the day, from the next due day that is not near.
    pub(crate) fn change(&mut self, change: &SubscriptionChange) {
        let subscription = &mut self.subscription;
        subscription.amount = change.amount.unwrap_or(subscription.amount);
        subscription.day = change.day.unwrap_or(subscription.day);
        if let Some(token) = &change.token {
            subscription.token.clone_from(token);
        }
    }

    /// Makes the change that holds from a later day, if no due day comes before it. A month whose old day is due by then, and
    /// whose new day is not, keeps its day. What was due before the day is charged by the old token until the day comes.
    pub(crate) fn make_change(&mut self, today: NaiveDate) {
        let subscription = &mut self.subscription;
        let Some((from, change)) =
            subscription.change.as_ref().and_then(|change| Some((change.from?, change.clone())))
        else {
            return;
        };
        let next = due_days(subscription.day, today).next();
        if next.is_some_and(|next| next < from) {
            return;
        }
        let has_come = from <= today;
        let is_later =
            |day: &FrequencyDay| next.and_then(|next| next.with_day(day.get())).is_some_and(|new| new < from);
        let later = SubscriptionChange {
            from: Some(from),
            amount: None,
            token: change.token.clone().filter(|_| !has_come),
            day: change.day.filter(is_later),
        };
        let now = SubscriptionChange { day: change.day.filter(|day| !is_later(day)), ..change };
        self.subscription.change = (!later.is_empty()).then_some(later);
        self.change(&now);
        if has_come && now.token.is_some() {
            self.has_new_card(today);
        }
    }

    /// The token that charges a day by a sale.
    pub(crate) fn token_of(&self, day: NaiveDate) -> &TokenId {
        let subscription = &self.subscription;
        let is_before = |change: &&SubscriptionChange| {
            change.token.as_ref() == Some(&subscription.token) && change.from.is_some_and(|from| day < from)
        };
        let mut terms = self.terms.iter().rev();
        let of_term = subscription.change.as_ref().filter(is_before).and_then(|_| {
            terms.find(|term| (term.first..=term.last).contains(&day) && term.token != subscription.token)
        });
        of_term.map_or(&subscription.token, |term| &term.token)
    }
}
