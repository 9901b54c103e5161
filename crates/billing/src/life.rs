//! The life of a subscription: a pure function from what is known to what is done next.
//!
//! * A plan is created SUSPENDED, becomes ACTIVE once and CANCELED once. Price, card, day, pause, renewal and recovery are
//!   one mechanism: close the term, read that its plan is canceled, make the next one.
//! * A due day has one route. It goes from the plan to a sale only after the plan that could charge it is closed, and never
//!   back.
//! * An absence is no reason to charge again: it leads to a person, or to a try on another day.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike as _, Days, Months, NaiveDate};
use perennial::Amount;
use perennial::clearent::{PlanKey, TransactionId};
use perennial_domain::clearent::FrequencyDay;

use crate::calendar::{DAYS_OF_A_TERM, due_days};
use crate::model::{Charge, Claim, DayState, DueDay, Member, Route, Status, Term, TermStatus};
use crate::recovery::{AtEnd, DeclineClass, OLDEST, Withheld, day_of_try, decline_class};

/// The days before a due day from which its term does not change hands, so that a change does not meet the charge: 36
/// hours, in whole days.
pub(crate) const FREEZE: Days = Days::new(2);
/// A due day nearer than this goes by sale: a plan that starts two days earlier would start in the past.
pub(crate) const BY_SALE: Days = Days::new(3);
/// The days after a due day from which its charge is missing.
pub(crate) const MISSING_AFTER: Days = Days::new(3);

/// The plans of a subscription that may be closed on a day, before another one is made.
pub(crate) const PLANS_A_DAY: usize = 10;
/// The days after which a day waits for a person whose charge may be a transaction that cannot be read.
const UNREAD_FOR: Days = Days::new(7);

/// A write of a subscription.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Write {
    /// The plan of a term is created, suspended.
    Create(i64),
    /// The plan of a term is activated.
    Activate(i64),
    /// The plan of a term is canceled; a refusal is asked again on another day.
    Close(i64, NaiveDate),
    /// A due day is charged by a sale, for the first time or once more.
    Sale(NaiveDate, i64),
}

impl Write {
    /// The operation key: the same for the same decision, whoever takes it.
    pub(crate) fn key(&self, uid: &str) -> String {
        match self {
            Self::Create(term) => format!("subscriptions/{uid}/terms/{term}/create"),
            Self::Activate(term) => format!("subscriptions/{uid}/terms/{term}/activate"),
            Self::Close(term, day) => format!("subscriptions/{uid}/terms/{term}/close/{day}"),
            Self::Sale(day, number) => format!("subscriptions/{uid}/days/{day}/tries/{number}"),
        }
    }
}

impl Member {
    /// The operation key under which the journal has the open write of a term.
    pub fn key_of_term(&self, term: &Term) -> Option<String> {
        let write = match term.status {
            TermStatus::Planned => Write::Create(term.number),
            TermStatus::Activating => Write::Activate(term.number),
            TermStatus::Closing => Write::Close(term.number, term.asked?),
            TermStatus::Suspended | TermStatus::Active | TermStatus::Closed => return None,
        };
        Some(write.key(&self.subscription.uid))
    }

    /// The operation key under which the journal has the last sale of a due day.
    pub fn key_of_sale(&self, day: &DueDay) -> Option<String> {
        (day.tries > 0).then(|| Write::Sale(day.day, day.tries).key(&self.subscription.uid))
    }
}

/// The outcome of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It has none yet.
    Open,
    /// A plan was created or changed.
    Done(Option<PlanKey>),
    /// A sale was approved: for this amount and on this day, if they are known.
    Approved(TransactionId, Option<Amount>, Option<NaiveDate>),
    /// A sale was declined: with this result code and on this day, if they are known.
    Declined(Option<TransactionId>, Option<String>, Option<NaiveDate>),
    /// The gateway refused it, for a reason; it had no effect.
    Refused(String),
    /// It was not sent.
    Withdrawn,
    /// A person must find out.
    NeedsPerson(String),
}

/// Everything outside of the rows that a step depends on.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    /// The day, in UTC.
    pub(crate) today: NaiveDate,
    /// Charges of plans are known until the end of this day, but for those on unread days.
    pub(crate) read_until: NaiveDate,
    /// The days on which the gateway has a transaction that cannot be read or placed: it may be a charge of any plan.
    pub(crate) unread: BTreeSet<NaiveDate>,
    /// The plans whose own lists of transactions were read, and are whole: nothing unread is a charge of them.
    pub(crate) whole: BTreeSet<PlanKey>,
    /// The outcomes of writes. A write that is not in it was never stored.
    pub(crate) outcomes: BTreeMap<Write, Outcome>,
    /// The plans that a read showed to be canceled.
    pub(crate) canceled: BTreeSet<PlanKey>,
    /// The reason for which no declined or missing day is tried today.
    pub(crate) withheld: Option<Withheld>,
    /// Whether the card for which days wait has another expiry than before.
    pub(crate) card_is_renewed: bool,
    /// The merchant's rule for a day of which no try is left.
    pub(crate) at_end: AtEnd,
    /// The rule that a test leaves out.
    pub(crate) without: Option<Rule>,
}

/// A rule that a test leaves out, to prove that its checks find what the rule prevents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// A term does not change hands near a due day.
    Freeze,
    /// A term is closed only after a read.
    ConfirmedClose,
    /// A day goes to a sale only after all charges of its plan are known.
    LookBeforeSale,
    /// A day goes to a sale only after its term is closed.
    ClosedBeforeSale,
    /// A plan is not activated near its first due day.
    ActivationMargin,
    /// A month has one due day.
    OneDayOfAMonth,
    /// An end is reported only after everything is closed.
    OpenBeforeEnd,
    /// A day is neither missing nor sold near a transaction that cannot be read.
    ReadBeforeSale,
}

/// The result of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    /// The rows after it.
    pub(crate) member: Member,
    /// The writes that it decides.
    pub(crate) writes: Vec<Write>,
    /// The charges that it learns.
    pub(crate) charges: Vec<Charge>,
    /// The events, as kind and day.
    pub(crate) events: Vec<(&'static str, Option<NaiveDate>)>,
    /// The plans that must be read: whether they are canceled.
    pub(crate) reads: Vec<PlanKey>,
    /// The plans whose own lists of transactions must be read: whether they are whole.
    pub(crate) lists: Vec<PlanKey>,
    /// The day of the next step, if nothing happens before.
    pub(crate) wake: Option<NaiveDate>,
}

/// Takes the next step. Whoever takes it twice gets the same writes, with the same keys.
pub(crate) fn step(member: &Member, facts: &Facts) -> Step {
    let mut step = next(member, facts);
    for term in &mut step.member.terms {
        let mut before = member.terms.iter();
        if !before.any(|before| (before.number, before.status) == (term.number, term.status)) {
            term.since = Some(facts.today);
        }
    }
    step
}

fn next(member: &Member, facts: &Facts) -> Step {
    let mut life = Life {
        facts,
        step: Step {
            member: member.clone(),
            writes: Vec::new(),
            charges: Vec::new(),
            events: Vec::new(),
            reads: Vec::new(),
            lists: Vec::new(),
            wake: None,
        },
    };
    life.follow_terms();
    life.follow_sales();
    if facts.card_is_renewed {
        life.step.member.has_new_card(facts.today);
    }
    life.settle_days();
    life.step.member.make_change(facts.today);
    life.step.member.count_charges(facts.today);
    if member.subscription.is_shadow {
        life.watch();
        life.step.wake = life.wake_in_shadow();
        return life.step;
    }
    life.close();
    life.open();
    life.sell();
    life.end();
    life.step.wake = life.wake();
    life.step
}

pub(crate) struct Life<'a> {
    pub(crate) facts: &'a Facts,
    pub(crate) step: Step,
}

impl Life<'_> {
    /// Whether a rule holds: always, outside of tests that leave one out.
    fn keeps(&self, rule: Rule) -> bool {
        self.facts.without != Some(rule)
    }

    fn outcome(&self, write: &Write) -> Option<&Outcome> {
        self.facts.outcomes.get(write)
    }

    pub(crate) fn tell(&mut self, kind: &'static str, day: impl Into<Option<NaiveDate>>) {
        self.step.events.push((kind, day.into()));
    }

    /// Takes over the outcomes of the writes of terms.
    fn follow_terms(&mut self) {
        for index in 0..self.step.member.terms.len() {
            let term = self.step.member.terms[index].clone();
            let set = |life: &mut Self, status| {
                let term = &mut life.step.member.terms[index];
                term.status = status;
                if status == TermStatus::Closed {
                    term.closed = Some(life.facts.today);
                }
            };
            match term.status {
                TermStatus::Planned => match self.outcome(&Write::Create(term.number)).cloned() {
                    Some(Outcome::Done(plan)) => {
                        self.step.member.terms[index].plan = plan;
                        set(self, TermStatus::Suspended);
                    }
                    // It is made again on another day. Days that come near meanwhile go by sale.
                    // A suspended plan that may have been made after all is never activated.
                    Some(outcome @ (Outcome::Refused(_) | Outcome::NeedsPerson(_) | Outcome::Withdrawn)) => {
                        set(self, TermStatus::Closed);
                        self.release(term.number);
                        if outcome != Outcome::Withdrawn {
                            self.tell("needs-person", term.first);
                        }
                    }
                    _ => {}
                },
                TermStatus::Activating => match self.outcome(&Write::Activate(term.number)) {
                    Some(Outcome::Done(_)) => {
                        set(self, TermStatus::Active);
                        self.tell(
                            if term.number == 1 { "subscription.started" } else { "subscription.renewed" },
                            term.first,
                        );
                    }
                    Some(Outcome::Refused(_) | Outcome::Withdrawn) => self.cancel(index),
                    _ => {}
                },
                TermStatus::Closing => {
                    let asked = term.asked.unwrap_or(self.facts.today);
                    let outcome = self.outcome(&Write::Close(term.number, asked)).cloned();
                    let is_refused = matches!(outcome, Some(Outcome::Refused(_) | Outcome::Withdrawn));
                    let is_answered = !matches!(outcome, Some(Outcome::Open) | None);
                    if let (true, Some(plan)) = (is_answered, term.plan) {
                        if self.facts.canceled.contains(&plan) || !self.keeps(Rule::ConfirmedClose) {
                            set(self, TermStatus::Closed);
                            self.release(term.number);
                        } else {
                            self.step.reads.push(plan);
                            if is_refused && asked < self.facts.today {
                                self.cancel(index);
                            }
                        }
                    }
                }
                TermStatus::Suspended | TermStatus::Active | TermStatus::Closed => {}
            }
        }
    }

    /// Frees the days of a closed term that it did not charge.
    pub(crate) fn release(&mut self, number: i64) {
        for day in self.step.member.days.values_mut().filter(|day| day.term == Some(number)) {
            if day.is_tried() || !day.state.is_settled() && day.state != DayState::NeedsPerson {
                (day.route, day.term) = (Route::None, None);
            }
        }
    }

    /// Takes over the outcomes of sales. A day that a late charge of its plan has paid meanwhile stays paid.
    fn follow_sales(&mut self) {
        let days: Vec<_> = self.step.member.days.values().filter(|day| day.was.is_some()).cloned().collect();
        for mut day in days {
            let Some(was) = day.was else { continue };
            // The sale of a rest follows a part.
            let (is_rest, is_paid) = (was == DayState::Part, day.state.is_paid());
            let outcome = self.outcome(&Write::Sale(day.day, day.tries)).cloned();
            if !matches!(outcome, Some(Outcome::Open | Outcome::Done(_) | Outcome::NeedsPerson(_)) | None) {
                day.was = None;
            }
            let made = |made: Option<NaiveDate>| made.unwrap_or(self.facts.today);
            match outcome {
                Some(Outcome::Approved(id, amount, at)) => {
                    let amount = amount.unwrap_or(day.rest());
                    let claim = match amount >= day.rest() {
                        _ if is_paid => Claim::Surplus,
                        _ if is_rest => Claim::Rest,
                        true => Claim::Pays,
                        false => Claim::Part,
                    };
                    let charge = Charge { id, day: day.day, made: made(at), amount, claim, of: None };
                    let is_late = was != DayState::Expected;
                    let kind = day.is_paid_by(&charge, is_late);
                    self.step.charges.push(charge);
                    self.tell(kind, day.day);
                }
                Some(Outcome::Declined(id, code, at)) => {
                    let declined = |id| Charge {
                        id,
                        day: day.day,
                        made: made(at),
                        amount: day.rest(),
                        claim: Claim::Declined,
                        of: None,
                    };
                    self.step.charges.extend(id.map(declined));
                    if !is_paid {
                        day.code = Some(code.unwrap_or_default());
                        day.state = if is_rest { DayState::Part } else { DayState::Declined };
                        self.tell("charge.declined", day.day);
                    }
                }
                Some(Outcome::Refused(reason) | Outcome::NeedsPerson(reason)) if !is_paid => {
                    if day.state != DayState::NeedsPerson {
                        self.tell("needs-person", day.day);
                    }
                    (day.state, day.reason) = (DayState::NeedsPerson, Some(reason));
                }
                Some(Outcome::Withdrawn) if !is_paid => {
                    let tomorrow = self.facts.today + Days::new(1);
                    // Nothing that is too old becomes younger by it.
                    let is_old = day.sold.is_some_and(|sold| sold <= day.day + OLDEST);
                    let next = if is_old { tomorrow.min(day.day + OLDEST) } else { tomorrow };
                    (day.state, day.next_try) = (was, Some(next));
                }
                _ => {}
            }
            self.step.member.days.insert(day.day, day);
        }
    }

    /// Finds what is missing, and decides the result of a decline.
    fn settle_days(&mut self) {
        let Facts { today, read_until, at_end, .. } = *self.facts;
        let subscription = self.step.member.subscription.clone();
        let mut cancels = false;
        let unread: BTreeMap<_, _> =
            self.step.member.days.keys().map(|day| (*day, self.unread_plans(*day))).collect();
        let is_ending = subscription.is_stopped(today) && !subscription.collects_open;
        let mut events = Vec::new();
        for day in self.step.member.days.values_mut() {
            let collected = subscription.pause.filter(|pause| pause.collects && pause.has(day.day));
            if let (DayState::Expected, Route::Sale, None, Some(pause)) =
                (day.state, day.route, day.reason.as_ref(), collected)
            {
                (day.next_try, day.reason) = (Some(pause.until), Some(PAUSED.to_owned()));
            }
            if let (DayState::Expected, Some(pause), Some(next), Some(_)) =
                (day.state, subscription.pause, day.next_try, &day.reason)
            {
                // A pause that ends earlier is collected earlier.
                day.next_try = Some(next.min(pause.until).max(today));
            }
            if day.state == DayState::Part && is_ending {
                day.next_try = None;
            }
            let known_after = day.day + MISSING_AFTER;
            if day.state == DayState::Expected
                && day.route != Route::Sale
                && day.next_try.is_none()
                && today > known_after
                && read_until >= known_after
            {
                let plans = unread.get(&day.day).into_iter().flatten();
                self.step.lists.extend(plans.cloned());
                if unread.get(&day.day).is_some_and(|plans| !plans.is_empty()) {
                    if today > day.day + UNREAD_FOR {
                        (day.state, day.reason) = (DayState::NeedsPerson, Some(MAY_BE_UNREAD.to_owned()));
                        events.push(("needs-person", day.day));
                    }
                    continue;
                }
                (day.state, day.reason) = (
                    DayState::Missing,
                    Some("the gateway has no charge three days after the due day".to_owned()),
                );
                events.push(("charge.missing", day.day));
            }
            // A day to come by a plan is left out when its term is closed.
            let is_by_sale = day.route == Route::Sale || day.route == Route::None && day.day <= today;
            // What a pause collects has a reason, and ends with the subscription; a sale that was withdrawn has none.
            let is_collected = day.next_try.is_some() && day.reason.is_some() && !is_ending;
            let is_agreed = subscription.wants(day.day) || is_collected;
            let is_wanted = is_agreed && subscription.status == Status::Active
                || is_collected && subscription.collects_open;
            if day.state == DayState::Expected && is_by_sale && !is_wanted {
                (day.state, day.reason) = (DayState::Waived, Some("it is not due any more".to_owned()));
            }
            let is_undecided = day.next_try.is_none() || is_ending;
            let is_collected = !subscription.is_shadow || is_ending;
            if matches!(day.state, DayState::Declined | DayState::Missing) && is_undecided && is_collected {
                let class = decline_class(day.code.as_deref());
                let is_hopeless = day.state == DayState::Declined && class != DeclineClass::Soft;
                let is_of_card = day.state == DayState::Declined && class == DeclineClass::Card;
                // A sale was declined today, and a charge of the plan on the due day.
                let after = if day.tries > 0 { today } else { day.day };
                let next = day_of_try(day.day, after, today);
                match next.filter(|_| !is_hopeless && !is_ending) {
                    Some(next) => day.next_try = Some(next),
                    // It is tried with the next card.
                    None if is_of_card && !is_ending && today <= day.day + OLDEST => {
                        day.reason = Some(NEEDS_CARD.to_owned());
                    }
                    None if day.state == DayState::Missing && day.tries == 0 && !is_ending => {
                        day.state = DayState::NeedsPerson;
                        day.reason = Some(TOO_OLD.to_owned());
                        events.push(("needs-person", day.day));
                    }
                    None if class == DeclineClass::Unknown && day.state == DayState::Declined => {
                        day.state = DayState::NeedsPerson;
                        day.reason = Some("the result code of the decline is not known".to_owned());
                        events.push(("needs-person", day.day));
                    }
                    None if at_end == AtEnd::Ask && !is_ending => {
                        day.state = DayState::NeedsPerson;
                        day.reason = Some("no try is left".to_owned());
                        events.push(("needs-person", day.day));
                    }
                    None => {
                        day.state = DayState::GivenUp;
                        events.push(("charge.given-up", day.day));
                        cancels |= at_end == AtEnd::Cancel && !is_ending;
                    }
                }
            }
        }
        self.step.events.extend(events.into_iter().map(|(kind, day)| (kind, Some(day))));
        if cancels && subscription.status == Status::Active {
            let subscription = &mut self.step.member.subscription;
            subscription.canceled_on = Some(subscription.canceled_on.map_or(today, |last| last.min(today)));
            subscription.status = Status::Canceling;
            subscription.guard += 1;
            self.tell("subscription.canceled", None);
        }
    }

    /// Whether a due day of the term is so near, or so recent, that its charge may be under way.
    fn is_frozen(&self, term: i64) -> bool {
        let from = self.facts.today + FREEZE;
        if !self.keeps(Rule::Freeze) {
            return false;
        }
        let mut days = self.step.member.days.values();
        days.any(|day| day.term == Some(term) && day.state == DayState::Expected && day.day <= from)
    }

    /// Closes a term that charges what is not wanted any more, or has nothing left to charge.
    fn close(&mut self) {
        let Some(index) = self.step.member.terms.iter().position(|term| term.status.is_live()) else {
            return;
        };
        let member = &self.step.member;
        let (term, subscription) = (&member.terms[index], &member.subscription);
        let days: Vec<_> = member.days.values().filter(|day| day.term == Some(term.number)).collect();
        let is_other = term.amount != subscription.amount
            || term.token != subscription.token
            || subscription.day.get() != term.first.day();
        let expected = || days.iter().filter(|day| day.state == DayState::Expected);
        let is_unwanted = expected().any(|day| day.day > self.facts.today && !subscription.wants(day.day));
        let needs_sale = days.iter().any(|day| day.is_tried());
        let is_over = expected().next().is_none();
        // A month before it became due, as after a pause that ended early.
        let first = term.first;
        let skips = self
            .open_days()
            .iter()
            .any(|(day, is_wanted)| *is_wanted && *day + OLDEST >= self.facts.today && *day < first);
        let wants_close = is_other || is_unwanted || needs_sale || is_over || skips;
        let (status, is_frozen) = (term.status, self.is_frozen(term.number));
        match status {
            // A plan that never was active charges nothing, so it may be closed at any time.
            TermStatus::Suspended if wants_close || is_frozen && self.keeps(Rule::ActivationMargin) => {
                self.cancel(index);
            }
            TermStatus::Suspended => {
                let number = term.number;
                self.step.member.terms[index].status = TermStatus::Activating;
                self.step.writes.push(Write::Activate(number));
            }
            // A plan that is not known to exist may still be made, suspended; it is never activated.
            TermStatus::Planned if is_frozen => {
                let (number, today) = (term.number, self.facts.today);
                let term = &mut self.step.member.terms[index];
                (term.status, term.closed) = (TermStatus::Closed, Some(today));
                self.release(number);
            }
            // An activation that is not confirmed in time may still arrive, and the cancellation absorbs it.
            TermStatus::Activating if is_frozen => self.cancel(index),
            TermStatus::Active | TermStatus::Activating if wants_close && !is_frozen => self.cancel(index),
            _ => {}
        }
    }

    fn cancel(&mut self, index: usize) {
        let term = &mut self.step.member.terms[index];
        (term.status, term.asked) = (TermStatus::Closing, Some(self.facts.today));
        let write = Write::Close(term.number, self.facts.today);
        self.step.writes.push(write);
    }

    /// Makes the next term, or gives a day that is too near to a sale.
    fn open(&mut self) {
        let Facts { today, .. } = *self.facts;
        let subscription = self.step.member.subscription.clone();
        // A day to come that is not wanted any more is not due at all. After a change of the day, a month whose new day has
        // passed, or is too near, keeps the old one.
        self.step.member.days.retain(|_, day| {
            let new_day = day.day.with_day(subscription.day.get());
            let is_of_day = Some(day.day) == new_day || new_day.is_some_and(|new| new < today + BY_SALE);
            let is_wanted = subscription.wants(day.day) && is_of_day;
            is_wanted || day.route != Route::None || day.state != DayState::Expected || day.day <= today
        });
        let is_closed = |day: &DueDay| {
            let mut terms = self.step.member.terms.iter();
            day.is_tried() && !terms.any(|term| day.term == Some(term.number) && term.status.is_live())
        };
        // A plan that was adopted may charge the day after its end.
        let live = self.step.member.live().map(|term| term.first..=term.last);
        let may_be_charged = |day: &DueDay| live.as_ref().is_some_and(|days| days.contains(&day.day));
        let may_be_sold = |day: &&DueDay| {
            let is_free = day.route == Route::None || is_closed(day);
            is_free && !may_be_charged(day) || !self.keeps(Rule::ClosedBeforeSale)
        };
        let by_sale: Vec<_> = self.step.member.days.values().filter(may_be_sold).cloned().collect();
        let has_live = self.step.member.live().is_some();
        for mut day in by_sale {
            let is_near =
                day.route == Route::None && day.state == DayState::Expected && day.day < today + BY_SALE;
            if is_near && day.day >= today {
                day.amount = subscription.amount;
            }
            if day.is_tried() || is_near {
                (day.route, day.term) = (Route::Sale, None);
                self.step.member.days.insert(day.day, day);
            }
        }
        // A month that is over for a pause has a row, so that a later decision does not make it due.
        for (day, _) in self.open_days().iter().filter(|(day, is_wanted)| !is_wanted && *day <= today) {
            let collected = subscription.pause.filter(|pause| pause.collects && pause.has(*day));
            let paused = DueDay {
                state: if collected.is_some() { DayState::Expected } else { DayState::Waived },
                next_try: collected.map(|pause| pause.until),
                reason: Some(PAUSED.to_owned()),
                ..expected_day(*day, subscription.amount)
            };
            self.step.member.days.entry(*day).or_insert(paused);
        }
        // A gateway that refuses plans is asked twice a day, and decisions of a day make a few plans.
        let closed_today = || self.step.member.terms.iter().filter(|term| term.closed == Some(today));
        let is_enough = closed_today().filter(|term| term.plan.is_none()).count() >= 2
            || closed_today().count() >= PLANS_A_DAY;
        if has_live || is_enough || self.step.member.subscription.status != Status::Active {
            return;
        }
        let open = self.open_days();
        let mut wanted = open.iter().skip_while(|(_, is_wanted)| !is_wanted).peekable();
        // Days that are too near for a plan.
        while let Some((day, _)) = wanted.next_if(|(day, is_wanted)| *is_wanted && *day < today + BY_SALE) {
            self.step
                .member
                .days
                .entry(*day)
                .or_insert_with(|| expected_day(*day, subscription.amount))
                .route = Route::Sale;
        }
        let days = wanted.take_while(|(_, is_wanted)| *is_wanted).map(|(day, _)| *day);
        let mut days: Vec<_> = days.take(DAYS_OF_A_TERM).collect();
        // A month that has a day already ends the term.
        let follows = |pair: &[NaiveDate]| pair[0].checked_add_months(Months::new(1)) == Some(pair[1]);
        let length = days.windows(2).take_while(|pair| follows(pair)).count() + 1;
        days.truncate(length);
        let (Some(first), Some(last)) = (days.first().copied(), days.last().copied()) else { return };
        let number = self.step.member.terms.last().map_or(1, |term| term.number + 1);
        for day in days {
            let due =
                self.step.member.days.entry(day).or_insert_with(|| expected_day(day, subscription.amount));
            (due.route, due.term, due.amount) = (Route::Plan, Some(number), subscription.amount);
        }
        let term = Term {
            number,
            plan: None,
            token: subscription.token,
            amount: subscription.amount,
            first,
            last,
            status: TermStatus::Planned,
            since: None,
            asked: None,
            closed: None,
            adopted: None,
        };
        self.step.member.terms.push(term);
        self.step.writes.push(Write::Create(number));
    }

    /// The due days to come in months that have none, and those that a closed term left, each with whether it is wanted: no
    /// month has two due days, and none is left out.
    pub(crate) fn open_days(&self) -> Vec<(NaiveDate, bool)> {
        let Facts { today, .. } = *self.facts;
        let Member { subscription, days, .. } = &self.step.member;
        let is_left = |day: &DueDay| day.route == Route::None && day.state == DayState::Expected;
        let last =
            days.values().filter(|day| day.day <= today && !is_left(day)).map(|day| day.day).next_back();
        let after = last.and_then(|last| {
            if self.keeps(Rule::OneDayOfAMonth) {
                last.with_day(1)?.checked_add_months(Months::new(1))
            } else {
                last.succ_opt()
            }
        });
        let from = subscription.from.max(after.unwrap_or(subscription.from));
        let horizon = subscription.pause.map_or(today, |pause| pause.until.max(today)).max(subscription.from);
        let horizon = horizon.checked_add_months(Months::new(14)).unwrap_or(horizon);
        let is_free = |due: &NaiveDate| {
            let mut of_month =
                days.values().filter(|day| (day.day.year(), day.day.month()) == (due.year(), due.month()));
            of_month.all(|day| day.day == *due && is_left(day)) || !self.keeps(Rule::OneDayOfAMonth)
        };
        let days = due_days(subscription.day, from)
            .take_while(|day| *day <= horizon && !is_past_end(subscription, *day));
        days.filter(is_free).map(|day| (day, subscription.wants(day))).collect()
    }

    /// Whether no plan can charge the day any more, and every charge that one made is known.
    fn is_free(&self, day: NaiveDate) -> bool {
        let mut terms = self.step.member.terms.iter().filter(|term| (term.first..=term.last).contains(&day));
        terms.all(|term| match (&term.plan, term.closed) {
            (None, _) => !term.status.is_live(),
            (Some(_), closed) => {
                let is_known = |closed| self.facts.read_until >= closed || !self.keeps(Rule::LookBeforeSale);
                closed.is_some_and(is_known) || !self.keeps(Rule::ClosedBeforeSale)
            }
        })
    }

    /// The plans of which a transaction that cannot be read may be the charge of a due day: made from the day before it,
    /// because the gateway's date may be a day off, until the day is missing, or the plan is closed.
    fn unread_plans(&self, due: NaiveDate) -> Vec<PlanKey> {
        let Facts { unread, whole, .. } = self.facts;
        if unread.is_empty() || !self.keeps(Rule::ReadBeforeSale) {
            return Vec::new();
        }
        let terms = self.step.member.terms.iter().filter(|term| (term.first..=term.last).contains(&due));
        let is_near = |term: &&Term| {
            let until = term.closed.unwrap_or(due).max(due + MISSING_AFTER);
            unread.range(due - Days::new(1)..=until).next().is_some()
        };
        let plans = terms.filter(is_near).filter_map(|term| term.plan.clone());
        plans.filter(|plan| !whole.contains(plan)).collect()
    }

    /// Plans the sales that are due.
    fn sell(&mut self) {
        let Facts { today, .. } = *self.facts;
        let subscription = &self.step.member.subscription;
        let is_active = subscription.status == Status::Active;
        let collects = !subscription.is_stopped(today) || subscription.collects_open;
        let days = self.step.member.days.values();
        let wants: Vec<_> = days
            .filter(|day| day.route == Route::Sale && day.day <= today)
            .filter(|day| match day.state {
                DayState::Expected => {
                    // What a pause collects is open, as what was declined is.
                    let is_open = day.next_try.is_some() && day.reason.is_some() && collects;
                    (is_active || is_open) && day.next_try.is_none_or(|next| next <= today)
                }
                _ => collects && day.is_tried() && day.next_try.is_none_or(|next| next <= today),
            })
            .filter(|day| self.is_free(day.day))
            .map(|day| day.day)
            .collect();
        let is_sold = |day: &DueDay| day.sold == Some(today);
        for day in wants {
            let unread = self.unread_plans(day);
            self.step.lists.extend(unread.iter().cloned());
            let unread = (!unread.is_empty()).then_some(());
            if unread.is_some() && day + UNREAD_FOR >= today {
                continue;
            }
            // A subscription has one sale a day.
            if self.step.member.days.values().any(is_sold) {
                return;
            }
            let Some(due) = self.step.member.days.get_mut(&day) else { continue };
            // The schedule plans no try that late: a person did, or a pause.
            let since = due.next_try.filter(|next| *next > day + OLDEST).unwrap_or(day);
            let reason = if since + OLDEST < today { Some(TOO_OLD) } else { unread.map(|()| MAY_BE_UNREAD) };
            if let Some(reason) = reason {
                (due.state, due.reason, due.next_try) =
                    (DayState::NeedsPerson, Some(reason.to_owned()), None);
                self.tell("needs-person", day);
                continue;
            }
            if let (Some(why), true) = (self.facts.withheld, due.state != DayState::Expected) {
                let tomorrow = today + Days::new(1);
                let next = if since == day { tomorrow.min(day + OLDEST) } else { since };
                (due.next_try, due.reason) = (Some(next), Some(why.as_str().to_owned()));
                continue;
            }
            due.tries += 1;
            (due.was, due.state, due.next_try, due.sold) =
                (Some(due.state), DayState::Collecting, None, Some(today));
            let number = due.tries;
            self.step.writes.push(Write::Sale(day, number));
        }
    }

    /// Ends a subscription that has nothing open.
    pub(crate) fn end(&mut self) {
        let member = &self.step.member;
        let Some(last) = member.subscription.ends_on() else { return };
        let is_over = member.subscription.status == Status::Canceling || last < self.facts.today;
        let is_unsettled = |day: &DueDay| {
            day.was.is_some()
                || day.is_tried()
                || !day.state.is_settled() && day.state != DayState::NeedsPerson
        };
        let is_open = member.live().is_some()
            || member.days.values().any(is_unsettled)
            // A canceled plan absorbs what is on its way, and yet nothing is over before that is known.
            || self.facts.outcomes.values().any(|outcome| matches!(outcome, Outcome::Open | Outcome::NeedsPerson(_)));
        let is_open = is_open && self.keeps(Rule::OpenBeforeEnd);
        if member.subscription.status != Status::Ended && is_over && !is_open {
            self.step.member.subscription.status = Status::Ended;
            self.tell("subscription.ended", None);
        }
    }

    /// The day of the next step, if nothing happens before.
    fn wake(&self) -> Option<NaiveDate> {
        let member = &self.step.member;
        if member.subscription.status == Status::Ended {
            return None;
        }
        let tomorrow = self.facts.today + Days::new(1);
        let is_moving = member.live().is_none_or(|term| term.status != TermStatus::Active);
        let of_day = |day: &DueDay| match (day.state, day.route) {
            (DayState::Expected, Route::Plan) => Some(day.day + MISSING_AFTER + Days::new(1)),
            (DayState::Expected, _) => Some(day.day),
            (DayState::Declined, _) if day.waits_for_card(self.facts.today) => Some(tomorrow),
            (DayState::Declined, _) => day.next_try.or(Some(day.day + OLDEST + Days::new(1))),
            (DayState::Missing | DayState::Part, _) => day.next_try,
            _ => day.was.map(|_| tomorrow),
        };
        let days = member.days.values().filter_map(of_day).min();
        let is_paused = member.subscription.pause.is_some_and(|pause| pause.until > self.facts.today);
        let paused = is_paused.then(|| due_days(member.subscription.day, tomorrow).next()).flatten();
        let ends = member.subscription.ends_on().map(|last| last + Days::new(1));
        let moving = is_moving.then_some(tomorrow);
        let changes = member.subscription.change.as_ref().and_then(|change| change.from).map(|from| {
            let before = due_days(member.subscription.day, tomorrow).take_while(|day| *day < from).last();
            before.map_or(tomorrow, |day| day + Days::new(1))
        });
        [days, ends, moving, paused, changes].into_iter().flatten().min().map(|day| day.max(tomorrow))
    }
}

impl Member {
    /// Moves the end of a subscription that charges a number of times: a waived day does not count.
    pub(crate) fn count_charges(&mut self, today: NaiveDate) {
        let subscription = &self.subscription;
        let Some(count) = subscription.charges.and_then(|count| usize::try_from(count).ok()) else { return };
        let counts = |day: NaiveDate| {
            let pause = subscription.pause.filter(|pause| pause.has(day));
            day >= subscription.from && pause.is_none_or(|pause| pause.collects)
        };
        // What is near, or has a result, stays as it is.
        let is_fixed = |due: &&DueDay| due.day <= today + FREEZE || due.state != DayState::Expected;
        let fixed: Vec<_> = self.days.values().filter(is_fixed).collect();
        let after = fixed.last().and_then(|due| due.day.with_day(1)?.checked_add_months(Months::new(1)));
        let fixed = fixed.iter().filter(|due| match due.state {
            DayState::Waived => false,
            DayState::Expected => counts(due.day) || due.next_try.is_some(),
            _ => true,
        });
        let from = subscription.from.max(after.unwrap_or(subscription.from));
        let later = due_days(subscription.day, from).filter(|day| counts(*day));
        let Some(last) = fixed.map(|due| due.day).chain(later).nth(count.saturating_sub(1)) else { return };
        // After a change of the day, a month may keep the old one.
        let of_month = |due: &&DueDay| (due.day.year(), due.day.month()) == (last.year(), last.month());
        let last = self.days.values().filter(of_month).map(|due| due.day).fold(last, NaiveDate::max);
        self.subscription.until = Some(last);
    }

    /// Lets days that wait for another card be tried with it.
    pub(crate) fn has_new_card(&mut self, today: NaiveDate) {
        for day in self.days.values_mut().filter(|day| day.waits_for_card(today)) {
            day.try_again(today);
        }
    }

    /// The first day that a decision of today can change.
    pub(crate) fn first_free(&self, today: NaiveDate) -> NaiveDate {
        let mut near = self.days.range(today..=today + FREEZE).filter(|(_, due)| due.route == Route::Plan);
        near.next_back().and_then(|(day, _)| day.succ_opt()).unwrap_or(today)
    }
}

impl DueDay {
    /// Takes over a charge that was approved; returns the kind of the event.
    pub(crate) fn is_paid_by(&mut self, charge: &Charge, is_late: bool) -> &'static str {
        if charge.claim == Claim::Surplus {
            return "charge.surplus";
        }
        self.paid = self.paid.checked_add(charge.amount).unwrap_or(self.paid);
        self.next_try = None;
        if self.paid < self.amount {
            (self.state, self.reason) = (DayState::Part, Some(IN_PART.to_owned()));
            return "charge.paid";
        }
        self.reason = None;
        self.state = if is_late { DayState::Recovered } else { DayState::Paid };
        if is_late { "charge.recovered" } else { "charge.paid" }
    }

    /// Whether nothing of it is left to be paid. Another charge is a surplus.
    pub(crate) fn is_paid_in_full(&self) -> bool {
        matches!(self.state, DayState::Paid | DayState::Recovered)
    }

    /// Whether it is tried again with another card, and not with this one.
    pub(crate) fn waits_for_card(&self, today: NaiveDate) -> bool {
        self.state == DayState::Declined
            && self.next_try.is_none()
            && today <= self.day + OLDEST
            && decline_class(self.code.as_deref()) == DeclineClass::Card
    }

    /// Lets a sale of a declined day follow tomorrow, if none is planned.
    pub(crate) fn try_again(&mut self, today: NaiveDate) {
        if self.state == DayState::Declined && self.next_try.is_none() {
            let tomorrow = today + Days::new(1);
            self.next_try = (tomorrow <= self.day + OLDEST).then_some(tomorrow);
        }
    }
}

/// The reason of a day that a pause waived, or collects when it is over.
const PAUSED: &str = "it was paused";
/// The reason of a day that nothing charged in time.
const TOO_OLD: &str = "it is more than 30 days old, and no sale was made";
/// The reason of a day whose card is not accepted any more.
const NEEDS_CARD: &str = "the member needs another card";
/// The reason of a day whose charge may be one that cannot be read.
const MAY_BE_UNREAD: &str = "the gateway has a transaction that cannot be read, and it may be the charge";
/// The reason of a day of which only a part is paid.
const IN_PART: &str = "only a part of the amount was approved";
/// The reason of a day in shadow after the end of its plan.
pub(crate) const NOT_CHARGED: &str =
    "its plan has ended, and nothing charges this day: end the shadow, or cancel the subscription";

fn is_past_end(subscription: &crate::model::Subscription, day: NaiveDate) -> bool {
    subscription.ends_on().is_some_and(|last| day > last)
}

/// A due day of which nothing is known.
pub(crate) fn expected_day(day: NaiveDate, amount: Amount) -> DueDay {
    DueDay {
        day,
        amount,
        state: DayState::Expected,
        paid: Amount::ZERO,
        route: Route::None,
        term: None,
        tries: 0,
        was: None,
        sold: None,
        next_try: None,
        code: None,
        reason: None,
    }
}

/// The statement of a transaction of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reading {
    /// This amount was approved.
    Approved(Amount),
    /// It was declined, with this result code.
    Declined(Option<String>),
    /// Its members say neither: money may have moved.
    Unclear,
}

/// Finds the due day that a plan's transaction is about, and its meaning for that day. An unclear one is no charge yet; its
/// day waits for a person.
pub(crate) fn claim(
    member: &mut Member,
    id: TransactionId,
    term: i64,
    made: NaiveDate,
    result: Reading,
) -> Option<(Charge, &'static str)> {
    // The gateway's date may be a day off.
    let latest = made + Days::new(1);
    let of_term = member.terms.iter().find(|known| known.number == term)?;
    let (first, last) = (of_term.first, of_term.last);
    // A charge from before the adoption is of no due day.
    if of_term.adopted.is_some() && latest < first {
        return None;
    }
    let due = FrequencyDay::new(first.day()).ok().into_iter().flat_map(|day| due_days(day, first));
    let due = due.take_while(|day| *day <= last && *day <= latest).last().unwrap_or(first);
    let day = member.days.range_mut(..=due).next_back().filter(|(day, _)| **day >= first)?.1;
    let is_paid = !day.paid.is_zero();
    let charge = |day: NaiveDate, amount, claim| Charge { id, day, made, amount, claim, of: None };
    match result {
        Reading::Approved(amount) => {
            let claim = match amount >= day.amount {
                _ if is_paid => Claim::Surplus,
                true => Claim::Pays,
                false => Claim::Part,
            };
            let charge = charge(day.day, amount, claim);
            let kind = day.is_paid_by(&charge, false);
            Some((charge, kind))
        }
        Reading::Unclear => {
            if matches!(day.state, DayState::Expected | DayState::Missing | DayState::Declined) {
                day.state = DayState::NeedsPerson;
                day.reason =
                    Some("the gateway has a charge that is neither approved nor declined".to_owned());
            }
            None
        }
        Reading::Declined(code) => {
            // An unclear charge of this day has an outcome now.
            let was_unclear = day.state == DayState::NeedsPerson && day.tries == 0 && day.code.is_none();
            if matches!(day.state, DayState::Expected | DayState::Missing) || was_unclear {
                day.reason = None;
                day.state = DayState::Declined;
                day.code = Some(code.unwrap_or_default());
            }
            Some((charge(day.day, day.amount, Claim::Declined), "charge.declined"))
        }
    }
}
