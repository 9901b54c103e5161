//! Subscriptions in shadow: their charges are read, and nothing is written at the gateway.

use chrono::{Days, NaiveDate};

use crate::life::{Life, MISSING_AFTER, NOT_CHARGED, expected_day};
use crate::model::{DayState, Route, Status, TermStatus};

impl Life<'_> {
    /// The part of a step that takes the place of all writes: finds out that the plan charges nothing more. Then each next due
    /// day needs a person, who ends the shadow or the subscription.
    pub(crate) fn watch(&mut self) {
        let today = self.facts.today;
        let is_ending = self.step.member.subscription.status != Status::Active;
        if let Some(index) = self.step.member.terms.iter().position(|term| term.status.is_live()) {
            let term = self.step.member.terms[index].clone();
            let days = self.step.member.days.values().filter(|day| day.term == Some(term.number));
            let has = |state| days.clone().any(|day| day.state == state);
            let may_be_canceled = has(DayState::Missing) && has(DayState::Expected);
            if let Some(plan) = term.plan.filter(|_| may_be_canceled || is_ending) {
                if self.facts.canceled.contains(&plan) {
                    let closed = &mut self.step.member.terms[index];
                    (closed.status, closed.closed) = (TermStatus::Closed, Some(today));
                    self.release(term.number);
                } else {
                    self.step.reads.push(plan);
                }
            }
        }
        let days = &mut self.step.member.days;
        if is_ending {
            days.retain(|_, day| day.state != DayState::Expected || day.route != Route::None);
        } else if !days.values().any(|day| day.state == DayState::Expected && day.route == Route::Plan) {
            let is_told = |day: &crate::model::DueDay| day.day > today && day.state == DayState::NeedsPerson;
            let mut knows_next = days.values().any(is_told);
            for (day, _) in self.open_days() {
                if day > today && std::mem::replace(&mut knows_next, true) {
                    break;
                }
                let amount = self.step.member.subscription.amount;
                let row = self.step.member.days.entry(day).or_insert_with(|| expected_day(day, amount));
                (row.state, row.reason) = (DayState::NeedsPerson, Some(NOT_CHARGED.to_owned()));
                self.tell("needs-person", day);
            }
        }
        self.end();
    }

    /// The day of the next step in shadow, if nothing happens before.
    pub(crate) fn wake_in_shadow(&self) -> Option<NaiveDate> {
        let (member, today) = (&self.step.member, self.facts.today);
        let of_day = |day: &crate::model::DueDay| match day.state {
            DayState::Expected => Some(day.day + MISSING_AFTER + Days::new(1)),
            DayState::NeedsPerson => Some(day.day).filter(|day| *day > today),
            _ => None,
        };
        let days = member.days.values().filter_map(of_day).min();
        let tomorrow = today + Days::new(1);
        match member.subscription.status {
            Status::Active => days.map(|day| day.max(tomorrow)),
            Status::Canceling => Some(tomorrow),
            Status::Ended => None,
        }
    }
}
