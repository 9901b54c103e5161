//! The state machine of an intent: a pure function without I/O, clock or randomness.
//!
//! [`step`] takes an intent, an event and the time, and returns the intent after it and what has to be done. All rules
//! that stand between a lost answer and a second charge are here; the store and the driver only carry them out.

mod intent;
mod rules;
mod write;

#[cfg(test)]
mod clientpay;
#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub(crate) use intent::ACTIVATION;
pub use intent::{Attempt, History, How, Intent, Judged, Outcome, Precondition, State, UnknownState};
pub use rules::Rules;
pub use write::{Absence, UnknownWrite, Write};

use crate::Moment;

/// The time within which it is sent once more after a person decided that.
const RESENT_WITHIN: Duration = Duration::from_secs(3_600);

/// Something that happened to an intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// It is the intent's turn.
    Turn {
        /// Whether the mark was made by the caller that stores the intent now, so that no gateway can have it yet.
        is_fresh: bool,
        /// Whether the request is there with its card.
        has_card: bool,
    },
    /// The answer to the last attempt, or its failure.
    Answered(Answer),
    /// The result of a look.
    Looked(Look),
    /// Somebody takes it back.
    Withdraw {
        /// The reason, in a sentence.
        reason: String,
    },
    /// A person decides.
    Decide(Decision),
}

/// The answer to an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The meaning.
    pub said: Said,
    /// The gateway's id of the exchange.
    pub exchange_id: Option<String>,
}

/// The meaning of the answer to an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// The gateway did it.
    Done(Object),
    /// The card was declined.
    Declined(Object),
    /// The gateway refused it in its own envelope.
    Refused(String),
    /// It certainly had no effect, and may be sent again after a wait: not connected, 401, 403 or 429 in the gateway's
    /// own envelope, or too late for its first byte.
    NotDone {
        /// The reason.
        reason: String,
        /// The wait before the next attempt.
        wait: Duration,
        /// Whether nothing more of the tenant is sent until a person says so.
        hold: bool,
    },
    /// Neither a yes nor a no.
    Unknown(String),
    /// Neither a yes nor a no, but it names objects that may be the result. Nothing is sent after that.
    Named {
        /// The reason why it is not a yes.
        reason: String,
        /// The ids of the objects.
        ids: Vec<String>,
    },
}

/// An object of the gateway.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Object {
    /// Its id.
    pub id: Option<String>,
    /// The object as JSON.
    pub value: Option<String>,
}

/// A read that tells the result of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// The gateway answered.
    Seen {
        /// The gateway's clock.
        at: Option<Moment>,
        /// Whether the positive control was found after it. Nobody asks where the absence [does not
        /// count](Intent::absence_may_count).
        control: bool,
        /// Everything with the mark, the oldest first.
        found: Vec<Seen>,
    },
    /// The look failed.
    Failed(String),
    /// The gateway refused the key: nothing of the tenant is sent until a person says so.
    Unauthorized(String),
    /// No read can tell.
    Impossible(String),
}

/// An object with the mark of the intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The object.
    pub object: Object,
    /// The verdict about the attempt.
    pub verdict: Verdict,
}

/// The verdict of an object with the mark about the attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It was done as requested.
    Done,
    /// The card was declined.
    Declined,
    /// The gateway has not decided yet.
    Undecided,
    /// The object differs from the request: what differs, and what the request says.
    Differs(String),
    /// Only a person can tell whether this is the result, or what is to be done with it: the reason.
    Person(String),
}

/// The decision of a person about an intent that needs one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It was done, and this is the object.
    Done(Object),
    /// It was not done, and is not done any more.
    NotDone,
    /// It is sent once more under the same request id, if it [can be](Intent::can_be_resent).
    Resend,
}

/// A task that follows from a step. The step is stored first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Send the last attempt.
    Send,
    /// Look.
    Look,
    /// Cancel this spare plan.
    CancelSpare(String),
    /// Activate this plan.
    Activate(String),
    /// Send nothing more of the tenant, for this reason.
    Hold(String),
    /// Searches of this gateway lack an object for at least this long.
    Lag(Duration),
}

/// The result of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The intent after the event.
    pub intent: Intent,
    /// The tasks that follow.
    pub commands: Vec<Command>,
}

/// Applies an event. An event that does not fit the state changes nothing.
pub fn step(intent: &Intent, event: Event, now: Moment, rules: &Rules) -> Step {
    let mut step = Step { intent: intent.clone(), commands: Vec::new() };
    match (intent.state, event) {
        (_, Event::Turn { is_fresh, has_card }) => step.turn(is_fresh, has_card, now, rules),
        (State::Sending, Event::Answered(answer)) => step.answered(answer, now, rules),
        (State::Planned | State::Unknown | State::Done, Event::Looked(look)) => step.looked(look, now, rules),
        (State::Planned | State::NeedsCard, Event::Withdraw { reason }) => {
            step.withdraw(reason);
        }
        (State::NeedsPerson | State::NeedsCard, Event::Decide(decision)) => step.decide(decision, now, rules),
        (State::Unknown, Event::Decide(decision)) if intent.is_overdue(now, rules) => {
            step.decide(decision, now, rules);
        }
        _ => {}
    }
    step
}

impl Step {
    fn turn(&mut self, is_fresh: bool, has_card: bool, now: Moment, rules: &Rules) {
        let intent = &mut self.intent;
        match intent.state {
            // An answer said that an attempt had no effect. Before it ends as not done, a look confirms that.
            State::Planned | State::NeedsCard
                if now >= intent.send_before
                    && intent.history.not_done > 0
                    && !intent.history.looked_first =>
            {
                intent.state = State::Planned;
                self.commands.push(Command::Look);
            }
            State::Planned | State::NeedsCard if now >= intent.send_before => {
                self.withdraw("the last moment to send it has passed".into());
            }
            State::NeedsCard if !has_card && intent.next.is_some_and(|end| now < end) => {}
            State::NeedsCard if !has_card => {
                let secret = intent.write.secret();
                self.withdraw(format!("its {secret} was not given again in time"));
            }
            State::Planned | State::NeedsCard if intent.needs_card && !has_card => {
                self.wait_for_card(now, rules);
            }
            State::Planned | State::NeedsCard => {
                intent.state = State::Planned;
                intent.next = Some(now);
                let is_resent = std::mem::take(&mut intent.history.resend);
                let is_first = intent.history.attempts.is_empty() && !is_resent;
                let is_restored = intent.history.restored.is_some();
                // A look before a value is set changes nothing: it is set even if it is there.
                let is_told = !intent.is_plain_update();
                // A mark that nobody has sent cannot be at the gateway, unless the database was restored.
                if is_first && !intent.history.looked_first && (is_restored || !is_fresh && is_told) {
                    self.commands.push(Command::Look);
                    return;
                }
                intent.history.attempts.push(Attempt {
                    committed: now,
                    send_by: now + rules.send_within,
                    judged: None,
                    exchange_id: None,
                });
                intent.history.looked_since = None;
                intent.state = State::Sending;
                intent.next = None;
                self.commands.push(Command::Send);
            }
            // The claim ran out before an answer was stored.
            State::Sending => {
                self.judge(Judged::Unknown);
                self.become_unknown("the process ended before the response was stored".into(), now);
            }
            State::Unknown => self.commands.push(Command::Look),
            State::Done if intent.next.is_some_and(|next| next <= now) => self.commands.push(Command::Look),
            _ => {}
        }
    }

    fn answered(&mut self, answer: Answer, now: Moment, rules: &Rules) {
        let Answer { said, exchange_id } = answer;
        if let Some(attempt) = self.intent.history.attempts.last_mut() {
            attempt.exchange_id = exchange_id;
        }
        // An earlier attempt that may have been done makes this answer no outcome of the intent.
        let is_doubtful = self.intent.history.restored.is_some() || self.intent.history.attempts.len() > 1;
        match said {
            Said::Done(object) => {
                self.judge(Judged::Done);
                if self.intent.write.is_two_phase() {
                    self.intent.history.candidate = object.id;
                    self.become_unknown("it counts when a list shows all plans with its mark".into(), now);
                } else {
                    self.done(How::Sent, object, now, rules);
                }
            }
            Said::Declined(object) if !is_doubtful => {
                self.judge(Judged::Declined);
                self.intent.outcome = Some(Outcome::new(How::Sent, object.id, object.value));
                self.end(State::Declined, None);
            }
            Said::Refused(reason) if !is_doubtful && !self.intent.write.is_refusal_confirmed() => {
                self.judge(Judged::Refused);
                self.end(State::Refused, Some(reason));
            }
            // A request that an intermediary repeats is refused because it is done.
            Said::Refused(reason) if !is_doubtful => {
                self.judge(Judged::Refused);
                self.intent.history.refusal = Some(reason.clone());
                self.become_unknown(
                    format!("refused, and a look confirms that it is not done: {reason}"),
                    now,
                );
            }
            Said::Declined(_) => {
                self.judge(Judged::Declined);
                self.become_unknown("declined, but an earlier attempt may have been done".into(), now);
            }
            Said::Refused(reason) => {
                self.judge(Judged::Refused);
                self.become_unknown(
                    format!("refused, but an earlier attempt may have been done: {reason}"),
                    now,
                );
            }
            Said::NotDone { reason, wait, hold } => {
                self.intent.history.attempts.pop();
                self.intent.history.not_done += 1;
                // The next attempt is preceded by a look, in case the gateway did it nevertheless.
                self.intent.history.looked_first = false;
                self.intent.state = State::Planned;
                self.intent.next = Some(now + wait.max(rules.least_wait));
                self.intent.history.reason = Some(reason.clone());
                let is_money = self.intent.write.absence() == Absence::Person;
                if is_money && !self.intent.history.attempts.is_empty() {
                    // The decision of a person was for one attempt, and an earlier one may have been done.
                    self.end(State::NeedsPerson, Some(format!("it was not sent again: {reason}")));
                } else if self.intent.needs_card {
                    self.wait_for_card(now, rules);
                    let waits = self.intent.history.reason.take().unwrap_or_default();
                    self.intent.history.reason = Some(format!("{reason}; {waits}"));
                }
                if hold {
                    self.commands.push(Command::Hold(reason));
                }
            }
            Said::Unknown(reason) => {
                self.judge(Judged::Unknown);
                self.become_unknown(reason, now);
            }
            Said::Named { reason, ids } => {
                self.judge(Judged::Unknown);
                let named = &mut self.intent.history.named;
                for id in ids {
                    if !named.contains(&id) {
                        named.push(id);
                    }
                }
                self.become_unknown(reason, now);
            }
        }
    }

    fn looked(&mut self, look: Look, now: Moment, rules: &Rules) {
        self.intent.history.looks += 1;
        self.intent.history.last_look = Some(now);
        let (at, control, mut found) = match look {
            Look::Failed(reason) => return self.look_again(reason, now, rules),
            Look::Unauthorized(reason) => {
                self.commands.push(Command::Hold(reason.clone()));
                return self.look_again(reason, now, rules);
            }
            Look::Impossible(_) if self.intent.history.refusal.is_some() => (Some(now), false, Vec::new()),
            // In a restored database, attempts may be missing, and no read can tell.
            Look::Impossible(_)
                if self.intent.state == State::Planned && self.intent.history.restored.is_none() =>
            {
                (Some(now), false, Vec::new())
            }
            // An outcome stays, though no read can confirm it.
            Look::Impossible(_) if self.intent.state == State::Done => {
                self.intent.next = None;
                return;
            }
            Look::Impossible(reason) => return self.end(State::NeedsPerson, Some(reason)),
            Look::Seen { at, control, found } => (at, control, found),
        };
        if self.intent.state == State::Done {
            return self.rechecked(&found, now, rules);
        }
        // An order id that the caller chose may have been declined before, under another operation key.
        if self.intent.history.attempts.is_empty() && self.intent.history.restored.is_none() {
            let declined = found.extract_if(.., |seen| seen.verdict == Verdict::Declined);
            self.intent.history.earlier.extend(declined.filter_map(|seen| seen.object.id));
        }
        let earlier = &self.intent.history.earlier;
        found.retain(|seen| seen.object.id.as_ref().is_none_or(|id| !earlier.contains(id)));
        // A refusal needs one look, and no window: the gateway answered.
        if let Some(refusal) = self.intent.history.refusal.take() {
            found.retain(|seen| {
                matches!(seen.verdict, Verdict::Done | Verdict::Declined | Verdict::Undecided)
            });
            if found.is_empty() {
                return self.end(State::Refused, Some(refusal));
            }
        }
        if let Some(differs) = found.iter().find_map(|seen| match &seen.verdict {
            Verdict::Differs(how) => Some(how.clone()),
            _ => None,
        }) {
            return self.differs(&found, differs);
        }
        if found.iter().any(|seen| seen.verdict == Verdict::Undecided) {
            return self.look_again("the gateway has not decided it yet".into(), now, rules);
        }
        let candidate = self.intent.history.candidate.as_ref();
        let is_missing =
            candidate.is_some_and(|id| found.iter().all(|seen| seen.object.id.as_ref() != Some(id)));
        if is_missing {
            let sent = self.intent.history.attempts.last().map_or(now, |last| last.committed);
            if now.since(sent) > rules.listed_within {
                let reason = "the gateway confirmed the plan, and its list never shows it";
                return self.end(State::NeedsPerson, Some(reason.into()));
            }
            return self.look_again("the list does not show the created plan yet".into(), now, rules);
        }
        let mut ids: Vec<_> = found.iter().filter_map(|seen| seen.object.id.as_deref()).collect();
        let named = self.intent.history.named.iter().map(String::as_str);
        let unseen: Vec<_> = named.filter(|id| !ids.contains(id)).collect();
        let is_several = found.len() > 1 || (!found.is_empty() && !unseen.is_empty());
        if is_several && self.intent.write.absence() == Absence::Person {
            ids.extend(unseen);
            let reason =
                format!("the gateway has it several times: {}; keep one and void the others", ids.join(", "));
            self.intent.history.spares = ids.into_iter().map(str::to_owned).collect();
            return self.end(State::NeedsPerson, Some(reason));
        }
        // A value is set in the lane of its object even if it is there: an open write may still change it.
        let is_last = now >= self.intent.send_before;
        if found.is_empty()
            || (self.intent.state == State::Planned && self.intent.is_plain_update() && !is_last)
        {
            return self.absent(at, control || !found.is_empty(), now, rules);
        }
        // The value may have been there before, and then an attempt that overwrites a later write may still arrive.
        let is_unknown =
            self.intent.history.attempts.last().is_some_and(|last| last.judged == Some(Judged::Unknown));
        if is_unknown && self.intent.is_plain_update() {
            let Some(at) = at else {
                return self.look_again("the gateway's clock is not known".into(), now, rules);
            };
            if !self.is_over(at, now, rules) {
                return self.wait_for_window(
                    "it is as requested, and an attempt may still arrive",
                    now,
                    rules,
                );
            }
        }
        self.adopt(found, now, rules);
    }

    /// Takes the oldest object for the result, and cancels the others.
    fn adopt(&mut self, mut found: Vec<Seen>, now: Moment, rules: &Rules) {
        let oldest = found.remove(0);
        if let Verdict::Person(reason) = oldest.verdict {
            return self.end(State::NeedsPerson, Some(reason));
        }
        self.spares(found);
        let how = match self.intent.history.attempts.last() {
            Some(last)
                if last.judged == Some(Judged::Done) && self.intent.history.candidate == oldest.object.id =>
            {
                How::Sent
            }
            _ => How::Adopted,
        };
        if oldest.verdict == Verdict::Declined {
            self.intent.outcome = Some(Outcome::new(how, oldest.object.id, oldest.object.value));
            self.end(State::Declined, None);
        } else {
            if self.intent.activates
                && let Some(id) = oldest.object.id.clone()
            {
                self.commands.push(Command::Activate(id));
            }
            self.done(how, oldest.object, now, rules);
        }
    }

    /// Nothing with the mark was found.
    fn absent(&mut self, at: Option<Moment>, control: bool, now: Moment, rules: &Rules) {
        if self.intent.state == State::Planned {
            return self.absent_at_first(at, control, now, rules);
        }
        let attempts = &self.intent.history.attempts;
        let Some((oldest, judged)) =
            attempts.first().zip(attempts.last()).map(|(o, l)| (o.committed, l.judged))
        else {
            // Attempts were lost with a restored database.
            return self.end(State::NeedsPerson, Some("the attempts are missing in this database".into()));
        };
        let Some(at) = at.filter(|at| at.since(now).max(now.since(*at)) <= rules.clock_apart) else {
            let reason = "the gateway's clock and this one are more than five minutes apart, or its clock is not known";
            return self.look_again(reason.into(), now, rules);
        };
        // The later clock proves the age, and the earlier one the end of the window.
        if rules.is_too_old(oldest, at.max(now)) {
            return self
                .end(State::NeedsPerson, Some("it is too old: the gateway may have forgotten it".into()));
        }
        let is_over = self.is_over(at, now, rules);
        // An account of ClientPay has no control object until its first payment.
        if !control && (!is_over || !self.intent.write.is_clientpay()) {
            return self.look_again(
                "the control object was not found, so the search proves nothing".into(),
                now,
                rules,
            );
        }
        if !is_over {
            return self.wait_for_window("it may still arrive, or appear in searches", now, rules);
        }
        if !self.intent.history.named.is_empty() {
            let named = self.intent.history.named.join(", ");
            let reason = format!("the response named {named}, and the search does not find it");
            return self.end(State::NeedsPerson, Some(reason));
        }
        if !control {
            let reason = "it was not found, but neither was any other payment, so the search proves nothing";
            return self.end(State::NeedsPerson, Some(reason.into()));
        }
        let attempts = self.intent.history.attempts.len();
        if judged == Some(Judged::Refused) {
            return self
                .end(State::Refused, Some("the last attempt was refused, and no attempt was done".into()));
        }
        if judged == Some(Judged::Declined) {
            return self
                .end(State::Declined, Some("the last attempt was declined, and no attempt was done".into()));
        }
        self.judge(Judged::Absent);
        match self.intent.write.absence() {
            Absence::Person => {
                let reason =
                    "it was sent and is not at the gateway: only a person decides whether it is sent again";
                self.end(State::NeedsPerson, Some(reason.into()));
            }
            Absence::SendAgain if attempts >= rules.attempts => {
                self.end(State::NeedsPerson, Some("no attempt arrived, and no more are made".into()));
            }
            Absence::SendAgain if self.intent.needs_card => self.wait_for_card(now, rules),
            Absence::SendAgain => {
                self.intent.history.reason = Some("it is not at the gateway, and is sent again".into());
                self.intent.state = State::Planned;
                self.intent.next = Some(now);
            }
        }
    }

    /// Whether the window of the last attempt is over: by both clocks since the last moment to send it, and by the
    /// gateway's clock alone since the first look after it, because ours may have been wrong when it was sent.
    fn is_over(&mut self, at: Moment, now: Moment, rules: &Rules) -> bool {
        let since = *self.intent.history.looked_since.get_or_insert(at);
        let send_by = self.intent.history.attempts.last().map_or(now, |last| last.send_by);
        at.min(now) > send_by + rules.window()
            && at.since(since) > rules.send_within + rules.window()
            && self.lost_until(rules).is_none_or(|until| at.min(now) > until)
    }

    /// The time until which attempts may arrive that a restored database does not know. The measured lag of searches may be
    /// longer than the quiet period.
    fn lost_until(&self, rules: &Rules) -> Option<Moment> {
        self.intent.history.restored.map(|until| until + rules.index_lag)
    }

    /// Looks again when the window is over, at the latest.
    fn wait_for_window(&mut self, reason: &str, now: Moment, rules: &Rules) {
        self.look_again(reason.into(), now, rules);
        let history = &self.intent.history;
        let send_by = history.attempts.last().map_or(now, |last| last.send_by);
        let since = history.looked_since.map_or(send_by, |since| since + rules.send_within);
        let over = (send_by.max(since) + rules.window()).max(self.lost_until(rules).unwrap_or(send_by));
        let over = over + rules.least_wait;
        self.intent.next = self.intent.next.map(|next| next.min(over).max(now + rules.least_wait));
    }

    /// Nothing with the mark was found before the first attempt that this database knows.
    fn absent_at_first(&mut self, at: Option<Moment>, control: bool, now: Moment, rules: &Rules) {
        if let Some(until) = self.lost_until(rules) {
            let seen = at.map_or(now, |at| at.min(now));
            if seen <= until {
                self.look_again("an attempt before the restore may still arrive".into(), now, rules);
                self.intent.next = Some((until + rules.least_wait).max(now + rules.least_wait));
                return;
            }
            if !control {
                let reason = "the control object was not found, so the search proves nothing";
                return self.look_again(reason.into(), now, rules);
            }
        }
        self.intent.history.looked_first = true;
        self.intent.next = Some(now);
    }

    /// An object with the mark is not as requested: nothing more is sent, and a plan that charges is canceled.
    fn differs(&mut self, found: &[Seen], how: String) {
        // In a database that was put back, the object may have been changed by an update that it does not know.
        let is_known = self.intent.history.restored.is_none() && !self.intent.history.attempts.is_empty();
        if self.intent.write.is_two_phase() && is_known {
            for id in found.iter().filter_map(|seen| seen.object.id.clone()) {
                self.intent.history.spares.push(id.clone());
                self.commands.push(Command::CancelSpare(id));
            }
        }
        self.commands.push(Command::Hold(how.clone()));
        self.end(State::NeedsPerson, Some(how));
    }

    fn spares(&mut self, spares: Vec<Seen>) {
        for id in spares.into_iter().filter_map(|spare| spare.object.id) {
            if self.intent.history.spares.contains(&id) {
                continue;
            }
            self.intent.history.spares.push(id.clone());
            if self.intent.write.is_two_phase() {
                self.commands.push(Command::CancelSpare(id));
            }
        }
    }

    /// A look after the outcome, for effects of an earlier attempt that came late.
    fn rechecked(&mut self, found: &[Seen], now: Moment, rules: &Rules) {
        let adopted = self.intent.outcome.as_ref().and_then(|outcome| outcome.id.clone());
        let is_probed = self.intent.history.is_probed;
        if is_probed {
            self.probed(found.iter().any(|seen| seen.object.id == adopted), now, rules);
        }
        let late: Vec<_> = found.iter().filter(|seen| seen.object.id != adopted).cloned().collect();
        let is_money = self.intent.write.absence() == Absence::Person;
        let ids: Vec<_> = late.iter().filter_map(|seen| seen.object.id.as_deref()).collect();
        if is_money && !ids.is_empty() {
            let reason =
                format!("the gateway has it several times: {}; keep one and void the others", ids.join(", "));
            self.intent.history.reason = Some(reason.clone());
            self.commands.push(Command::Hold(reason));
        }
        self.spares(late);
        if is_probed {
            return;
        }
        self.intent.history.rechecks += 1;
        self.intent.next = rules.recheck(self.intent.history.rechecks).map(|wait| now + wait);
    }

    fn done(&mut self, how: How, object: Object, now: Moment, rules: &Rules) {
        self.intent.outcome = Some(Outcome::new(how, object.id, object.value));
        self.end(State::Done, None);
        let has_id = self.intent.outcome.as_ref().is_some_and(|outcome| outcome.id.is_some());
        if how == How::Sent && has_id && matches!(self.intent.write, Write::Sale | Write::Auth | Write::Pay) {
            self.intent.history.is_probed = true;
            self.intent.next = Some(now + rules.first_look_wait);
        } else {
            self.plan_rechecks(now, rules);
        }
    }

    fn plan_rechecks(&mut self, now: Moment, rules: &Rules) {
        let has_rivals = self.intent.history.attempts.len() > 1 || self.intent.history.restored.is_some();
        self.intent.next = rules.recheck(0).filter(|_| has_rivals).map(|wait| now + wait);
    }

    /// A search for a charge that certainly exists: it measures how long searches lack what exists.
    fn probed(&mut self, is_found: bool, now: Moment, rules: &Rules) {
        if is_found {
            self.intent.history.is_probed = false;
            return self.plan_rechecks(now, rules);
        }
        let lag = self.intent.history.attempts.last().map(|last| now.since(last.committed));
        if let Some(lag) = lag.filter(|lag| *lag <= rules.probed_within) {
            self.commands.push(Command::Lag(lag));
            self.intent.next = Some(now + rules.between_looks(self.intent.history.looks));
        } else {
            // Nobody looked in time, or the search never shows it: the last measurement stands.
            self.intent.history.is_probed = false;
            self.plan_rechecks(now, rules);
        }
    }

    fn decide(&mut self, decision: Decision, now: Moment, rules: &Rules) {
        match decision {
            Decision::Resend if self.intent.can_be_resent() => {
                self.intent.history.resend = true;
                let reason = "a person decided to send it once more under the same request id";
                self.intent.history.reason = Some(reason.into());
                if self.intent.needs_card {
                    self.intent.send_before = now + rules.card_within;
                    self.wait_for_card(now, rules);
                } else {
                    self.intent.send_before = now + RESENT_WITHIN;
                    self.intent.state = State::Planned;
                    self.intent.next = Some(now);
                }
            }
            Decision::Resend => {}
            Decision::Done(Object { id, value }) => {
                if let Some(id) = id.clone().filter(|_| self.intent.activates) {
                    self.commands.push(Command::Activate(id));
                }
                self.intent.outcome = Some(Outcome::new(How::Decided, id, value));
                self.end(State::Done, None);
            }
            Decision::NotDone => {
                self.end(State::Withdrawn, Some("a person decided that it was not done".into()));
            }
        }
    }

    fn judge(&mut self, judged: Judged) {
        if let Some(attempt) = self.intent.history.attempts.last_mut() {
            attempt.judged = Some(judged);
        }
    }

    fn become_unknown(&mut self, reason: String, now: Moment) {
        self.intent.state = State::Unknown;
        self.intent.history.reason = Some(reason);
        self.intent.next = Some(now);
        self.commands.push(Command::Look);
    }

    /// Nothing of it is sent any more. In a restored database, it may have been sent before, and so it was before a person
    /// decided to send it again.
    fn withdraw(&mut self, reason: String) {
        if std::mem::take(&mut self.intent.history.resend) {
            self.end(State::NeedsPerson, Some(reason));
        } else if self.intent.history.restored.is_some() {
            let reason = format!("{reason}, and it may have been sent before the database was restored");
            self.end(State::NeedsPerson, Some(reason));
        } else {
            self.end(State::Withdrawn, Some(reason));
        }
    }

    fn wait_for_card(&mut self, now: Moment, rules: &Rules) {
        self.intent.state = State::NeedsCard;
        let secret = self.intent.write.secret();
        self.intent.history.reason =
            Some(format!("its {secret} is not stored: call again with the {secret}"));
        self.intent.next = Some(self.intent.send_before.min(now + rules.card_within));
    }

    fn look_again(&mut self, reason: String, now: Moment, rules: &Rules) {
        self.intent.history.reason = Some(reason);
        self.intent.next = Some(now + rules.between_looks(self.intent.history.looks));
    }

    fn end(&mut self, state: State, reason: Option<String>) {
        self.intent.state = state;
        // A person asks the gateway by the request id.
        self.intent.history.reason = match (&self.intent.history.request_id, reason) {
            (Some(id), Some(reason)) if state == State::NeedsPerson => {
                Some(format!("{reason} (request id {id})"))
            }
            (_, reason) => reason,
        };
        self.intent.next = None;
        self.intent.lease_until = None;
        if state.is_final() {
            self.intent.history.looked_first = false;
        }
    }
}
