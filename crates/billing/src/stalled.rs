//! Subscriptions that do not move on: an event before a day is missed.

use chrono::{Datelike as _, Days, NaiveDate};
use perennial_journal::store::NewEvent;
use serde_json::json;

use crate::Error;
use crate::billing::Billing;
use crate::calendar::due_days;
use crate::model::{DayState, DueDay, Member, Route, Status, Term, TermStatus};
use crate::store::EventOnce;

/// A subscription whose plan is not made, activated or canceled in time.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stalled {
    /// The first due day that nothing is going to charge, or of the term that does not move on.
    pub day: NaiveDate,
    /// The number of the term that does not move on, if it is one. Of several that came to no plan, it is the first.
    pub term: Option<i64>,
    /// The reason, for people.
    pub reason: String,
}

/// A term that has a status for longer does not move on by itself.
const LONGEST: Days = Days::new(3);
/// The days before a due day from which something must be going to charge it.
const AHEAD: Days = Days::new(7);

impl Member {
    /// Returns the reason why a person should look, if a term has been planned, activating or closing for more than three
    /// days, or if nothing is going to charge a day that is due within seven days, since yesterday at least.
    pub fn stalled(&self, today: NaiveDate) -> Option<Stalled> {
        let subscription = &self.subscription;
        if subscription.status == Status::Ended || subscription.is_shadow {
            return None;
        }
        let due = self.uncovered(today);
        let last = self.terms.last()?;
        let start = self.first_try(last);
        let since = start.since.unwrap_or(NaiveDate::MIN);
        let is_moving = !matches!(last.status, TermStatus::Active | TermStatus::Closed);
        let is_long = is_moving && since + LONGEST < today;
        let day = due.or(is_long.then_some(last.first)).filter(|_| since < today)?;
        let reason = if is_moving {
            format!("the plan from {} to {} is {} since {since}", last.first, last.last, last.status)
        } else {
            format!("no plan and no sale is going to charge {day}")
        };
        Some(Stalled { day, term: is_moving.then_some(start.number), reason })
    }

    /// The first of the terms with the days of this one that came to no plan: a create that is not sent in time is decided
    /// anew.
    fn first_try<'a>(&'a self, term: &'a Term) -> &'a Term {
        let is_try = |one: &&Term| one.plan.is_none() && one.first == term.first;
        self.terms.iter().rev().take_while(is_try).last().unwrap_or(term)
    }

    /// The first day due within a week that no sale and no plan is going to charge.
    fn uncovered(&self, today: NaiveDate) -> Option<NaiveDate> {
        let subscription = &self.subscription;
        if subscription.status != Status::Active {
            return None;
        }
        let charges = |day: &DueDay| {
            let is_live = |status| matches!(status, TermStatus::Activating | TermStatus::Active);
            let mut terms = self.terms.iter();
            day.state != DayState::Expected
                || day.route == Route::Sale
                || terms.any(|term| day.term == Some(term.number) && is_live(term.status))
        };
        // After a change of the day, a month may keep the old one.
        let is_of = |day: NaiveDate, due: NaiveDate| (day.year(), day.month()) == (due.year(), due.month());
        let is_covered = |due: NaiveDate| self.days.values().any(|day| is_of(day.day, due) && charges(day));
        let mut days = due_days(subscription.day, today).take_while(|day| *day <= today + AHEAD);
        days.find(|day| subscription.wants(*day) && !is_covered(*day))
    }
}

impl Billing {
    /// Stores an event about a subscription that does not move on: once for each term and status, or due day.
    pub(crate) async fn report_stalled(&self, member: &Member, stalled: &Stalled) -> Result<(), Error> {
        let subscription = &member.subscription;
        let (id, day) = (&subscription.id, stalled.day.to_string());
        let status = member.live().map(|term| term.status.as_str());
        let about = stalled.term.map_or_else(|| day.clone(), |term| term.to_string());
        let body = json!({
            "subscription": id, "generation": subscription.generation, "day": day, "reason": stalled.reason,
        });
        let event = EventOnce {
            key: json!(["stalled", subscription.uid, about, status]),
            about: id.clone(),
            event: NewEvent { kind: "needs-person".to_owned(), body: body.to_string() },
        };
        self.store.report_once(vec![event], self.journal.now().await?).await?;
        Ok(())
    }
}
