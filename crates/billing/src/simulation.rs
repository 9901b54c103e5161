//! Lives of one subscription against a gateway whose habits are not known, with every delay and loss that the journal
//! allows, and the checks that hold after each step.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test that panics has failed, helpers included")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{Datelike as _, Days, Months, NaiveDate};
use perennial::Amount;
use perennial::clearent::{PlanKey, TransactionId};

use crate::adopt::{end_shadow, with_first_term};
use crate::decision::{CancelAt, Decision, PauseEnd};
use crate::life::{FREEZE, Facts, NOT_CHARGED, Outcome, Reading, Rule, Write, claim, step};
use crate::model::{
    Claim, DayState, DueDay, Member, Route, Status, Subscription, SubscriptionChange, TermStatus,
};
use crate::recovery::{AtEnd, DeclineClass, OLDEST, Withheld, decline_class};

/// The habits of a gateway that its vendor does not document.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each habit is independent of the others")]
struct Habits {
    /// Whether the first and the last date of a plan may be charged.
    start_inclusive: bool,
    end_inclusive: bool,
    /// The days by which its date is off.
    slip: i64,
    /// The days on which it tries a declined charge again.
    retries: u32,
    /// Whether it does that also after the plan was canceled: then a day may be charged twice, and is a case.
    retries_after_cancel: bool,
    /// Whether a plan that is activated charges what it missed.
    catches_up: bool,
}

struct Plan {
    is_active: bool,
    is_canceled: bool,
    start: NaiveDate,
    end: NaiveDate,
    day: u32,
    amount: Amount,
    /// The due days that it has charged, and the tries of those that were declined.
    charged: BTreeMap<NaiveDate, u32>,
}

/// A transaction of the gateway.
struct Transaction {
    id: TransactionId,
    plan: Option<PlanKey>,
    made: NaiveDate,
    due: NaiveDate,
    amount: Amount,
    code: Option<&'static str>,
    /// The end of the search's lag.
    is_known: bool,
    is_readable: bool,
}

struct World {
    rng: fastrand::Rng,
    habits: Habits,
    today: NaiveDate,
    plans: BTreeMap<PlanKey, Plan>,
    transactions: Vec<Transaction>,
    /// The chance in a hundred that a charge is declined.
    declines: u32,
    member: Member,
    outcomes: BTreeMap<Write, Outcome>,
    /// Writes with the day on which they arrive, and the guard under which they were planned.
    on_their_way: Vec<(Write, NaiveDate, i64)>,
    /// Writes that took effect and whose outcome is not known yet.
    unknown: Vec<(Write, Outcome)>,
    claimed: BTreeSet<TransactionId>,
    surplus: BTreeSet<NaiveDate>,
    read_until: NaiveDate,
    unread: BTreeSet<NaiveDate>,
    without: Option<Rule>,
    is_calm: bool,
    at_end: AtEnd,
    /// The chance in a hundred that the limit of tries is reached.
    withheld: u32,
    /// The days that a person collected.
    by_hand: BTreeSet<NaiveDate>,
    /// The day on which the shadow of an adopted plan ended.
    shadow_ended: Option<NaiveDate>,
    /// The term that is not active, its status, and the days for which it has had that status.
    moving: Option<(i64, TermStatus, u32)>,
    roads: BTreeMap<&'static str, u64>,
}

/// The first violation of a check.
type Violation = String;

/// A subscription whose first term is a plan with any dates, which is active already, perhaps in shadow at first.
fn adopted(
    rng: &mut fastrand::Rng,
    mut subscription: Subscription,
    today: NaiveDate,
) -> (Member, BTreeMap<PlanKey, Plan>) {
    let key: PlanKey = "plan_1".parse().unwrap();
    let start = today - Days::new(rng.u64(0..200)) + Days::new(rng.u64(0..40));
    // An end on a due day, just before it, just before the next one, and anywhere.
    let end = today + Days::new(rng.u64(0..300));
    let due = |from| crate::calendar::due_day(subscription.day, from).unwrap();
    let end = match rng.u32(0..4) {
        0 => due(end),
        1 => due(end + Days::new(1)) - Days::new(1),
        2 => due(today + Days::new(1)) - Days::new(1),
        _ => end,
    };
    (subscription.from, subscription.is_shadow) = (start.max(today), rng.bool());
    let plan = Plan {
        is_active: true,
        is_canceled: false,
        start,
        end,
        day: subscription.day.get(),
        amount: subscription.amount,
        charged: BTreeMap::new(),
    };
    (with_first_term(subscription, &key, end, today).unwrap(), BTreeMap::from([(key, plan)]))
}

impl World {
    fn new(seed: u64, without: Option<Rule>) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let habits = Habits {
            start_inclusive: rng.bool(),
            end_inclusive: rng.bool(),
            slip: rng.i64(-1..=1),
            retries: rng.u32(0..3),
            retries_after_cancel: rng.u32(0..8) == 0,
            catches_up: rng.bool(),
        };
        let today = date("2027-01-01") + Days::new(rng.u64(0..400));
        let day = rng.u32(1..=28);
        let from =
            crate::calendar::due_day(day.try_into().unwrap(), today + Days::new(rng.u64(0..40))).unwrap();
        let subscription = Subscription {
            uid: "S".repeat(26),
            id: "M-1".to_owned(),
            generation: 1,
            customer: "cust_1".parse().unwrap(),
            token: "tok_1".parse().unwrap(),
            name: "Gold".to_owned(),
            amount: "50.00".parse().unwrap(),
            day: day.try_into().unwrap(),
            status: Status::Active,
            from,
            until: None,
            canceled_on: None,
            charges: (rng.u32(0..6) == 0).then(|| rng.u32(1..30)),
            pause: None,
            change: None,
            collects_open: false,
            guard: 0,
            version: 1,
            next: None,
            is_shadow: false,
        };
        let declines = [0, 10, 40][rng.usize(0..3)];
        let at_end = *rng.choice(AtEnd::ALL).unwrap();
        let withheld = [5, 5, 95][rng.usize(0..3)];
        let (member, plans) = match rng.u32(0..4) {
            0 => adopted(&mut rng, subscription, today),
            _ => (Member { subscription, terms: Vec::new(), days: BTreeMap::new() }, BTreeMap::new()),
        };
        Self {
            rng,
            habits,
            today,
            plans,
            transactions: Vec::new(),
            declines,
            member,
            outcomes: BTreeMap::new(),
            on_their_way: Vec::new(),
            unknown: Vec::new(),
            claimed: BTreeSet::new(),
            surplus: BTreeSet::new(),
            read_until: today,
            unread: BTreeSet::new(),
            without,
            is_calm: false,
            at_end,
            withheld,
            by_hand: BTreeSet::new(),
            shadow_ended: None,
            moving: None,
            roads: BTreeMap::new(),
        }
    }

    fn road(&mut self, name: &'static str) {
        *self.roads.entry(name).or_default() += 1;
    }

    fn chance(&mut self, percent: u32) -> bool {
        !self.is_calm && self.rng.u32(0..100) < percent
    }

    /// A charge at the gateway.
    fn charge(&mut self, plan: Option<PlanKey>, due: NaiveDate, amount: Amount) -> bool {
        let declined = self.declines;
        let is_declined = self.rng.u32(0..100) < declined;
        let code =
            is_declined.then(|| *self.rng.choice(&["012", "012", "012", "010", "033", "777"]).unwrap());
        let id = format!("{}", 700_000 + self.transactions.len()).as_str().try_into().unwrap();
        let made = if self.habits.slip < 0 {
            self.today - Days::new(1)
        } else {
            self.today + Days::new(self.habits.slip.unsigned_abs())
        };
        let is_known = !self.chance(20);
        let is_readable = plan.is_none() || !self.chance(3);
        if !is_readable {
            self.road("a charge cannot be read");
        }
        self.transactions.push(Transaction { id, plan, made, due, amount, code, is_known, is_readable });
        !is_declined
    }

    /// The engine of the gateway on one day.
    fn engine(&mut self) {
        let Habits { start_inclusive, end_inclusive, slip, retries, retries_after_cancel, .. } = self.habits;
        let keys: Vec<_> = self.plans.keys().cloned().collect();
        for key in keys {
            let plan = &self.plans[&key];
            let may_charge = plan.is_active || retries_after_cancel && plan.is_canceled;
            if !may_charge {
                continue;
            }
            let today = self.today;
            let judged = if slip < 0 { today - Days::new(1) } else { today + Days::new(slip.unsigned_abs()) };
            let is_after_start = judged > plan.start || start_inclusive && judged == plan.start;
            let is_before_end = judged < plan.end || end_inclusive && judged == plan.end;
            let is_due = plan.is_active
                && today.day() == plan.day
                && is_after_start
                && is_before_end
                && !plan.charged.contains_key(&today);
            let amount = plan.amount;
            let declined: Vec<_> =
                plan.charged.iter().filter(|(_, tries)| **tries > 0).map(|(due, _)| *due).collect();
            for due in declined {
                let is_approved = self.charge(Some(key.clone()), due, amount);
                let left = self.plans[&key].charged[&due] - 1;
                self.plans.get_mut(&key).unwrap().charged.insert(due, if is_approved { 0 } else { left });
                self.road("the gateway tries a decline again");
            }
            if is_due {
                let is_approved = self.charge(Some(key.clone()), today, amount);
                let tries = if is_approved { 0 } else { retries };
                self.plans.get_mut(&key).unwrap().charged.insert(today, tries);
            }
        }
    }

    /// A write takes effect.
    fn take_effect(&mut self, write: &Write) -> Outcome {
        match write {
            Write::Create(number) => {
                if self.chance(3) {
                    self.road("a create is refused");
                    return Outcome::Refused("the token is gone".to_owned());
                }
                let term = self.member.terms.iter().find(|term| term.number == *number).unwrap();
                let dates = crate::calendar::dates_of_term(&(term.first..=term.last)).unwrap();
                let key: PlanKey = format!("plan_{number}").as_str().try_into().unwrap();
                let plan = Plan {
                    is_active: false,
                    is_canceled: false,
                    start: *dates.start(),
                    end: *dates.end(),
                    day: term.first.day(),
                    amount: term.amount,
                    charged: BTreeMap::new(),
                };
                self.plans.insert(key.clone(), plan);
                Outcome::Done(Some(key))
            }
            Write::Activate(number) => {
                let key: PlanKey = format!("plan_{number}").as_str().try_into().unwrap();
                if self.plans[&key].is_canceled {
                    return Outcome::Refused("the plan is canceled".to_owned());
                }
                let (start, day, amount) =
                    (self.plans[&key].start, self.plans[&key].day, self.plans[&key].amount);
                self.plans.get_mut(&key).unwrap().is_active = true;
                if self.habits.catches_up {
                    let missed = crate::calendar::due_days(day.try_into().unwrap(), start)
                        .take_while(|due| *due < self.today)
                        .last();
                    if let Some(due) = missed {
                        self.road("a late activation catches up");
                        let is_approved = self.charge(Some(key.clone()), due, amount);
                        self.plans.get_mut(&key).unwrap().charged.insert(due, u32::from(!is_approved));
                    }
                }
                Outcome::Done(None)
            }
            Write::Close(number, _) => {
                if self.chance(5) {
                    self.road("a cancellation is refused");
                    return Outcome::Refused("not now".to_owned());
                }
                let key: PlanKey = format!("plan_{number}").as_str().try_into().unwrap();
                let plan = self.plans.get_mut(&key).unwrap();
                (plan.is_active, plan.is_canceled) = (false, true);
                Outcome::Done(None)
            }
            Write::Sale(day, _) => {
                let amount = self.member.days[day].rest();
                let is_approved = self.charge(None, *day, amount);
                let made = self.transactions.last_mut().unwrap();
                made.is_known = true;
                self.claimed.insert(made.id.clone());
                if is_approved {
                    Outcome::Approved(made.id.clone(), Some(amount), Some(made.made))
                } else {
                    Outcome::Declined(Some(made.id.clone()), made.code.map(str::to_owned), Some(made.made))
                }
            }
        }
    }

    /// Sends what the step decided, late or not at all, and tells the outcome, now or later.
    fn send(&mut self, write: Write) {
        self.outcomes.insert(write.clone(), Outcome::Open);
        let late = if self.chance(15) { self.rng.u64(1..5) } else { 0 };
        if late > 0 {
            self.road("a write arrives days later");
        }
        let guard = self.member.subscription.guard;
        self.on_their_way.push((write, self.today + Days::new(late), guard));
        self.arrive();
    }

    fn arrive(&mut self) {
        let (arrived, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.on_their_way).into_iter().partition(|(_, at, _)| *at <= self.today);
        self.on_their_way = later;
        for (write, _, guard) in arrived {
            let is_stop = matches!(write, Write::Close(..));
            let is_unwanted = !is_stop && self.member.subscription.guard > guard;
            if is_unwanted || !is_stop && self.chance(4) {
                self.road("a write is withdrawn");
                self.outcomes.insert(write, Outcome::Withdrawn);
                continue;
            }
            let outcome = self.take_effect(&write);
            if self.chance(15) {
                self.road("an outcome is not known at first");
                self.unknown.push((write, outcome));
            } else {
                self.outcomes.insert(write, outcome);
            }
        }
    }

    /// The worker's turn.
    fn work(&mut self) -> Result<(), Violation> {
        if !self.unknown.is_empty() && !self.chance(50) {
            for (write, outcome) in std::mem::take(&mut self.unknown) {
                self.outcomes.insert(write, outcome);
            }
        }
        self.read();
        for _ in 0..20 {
            let mut facts = Facts {
                today: self.today,
                read_until: self.read_until,
                unread: self.unread.clone(),
                whole: BTreeSet::new(),
                outcomes: self.outcomes.clone(),
                canceled: BTreeSet::new(),
                withheld: self.chance(self.withheld).then_some(Withheld::Limit),
                card_is_renewed: self.today.day() == 20,
                at_end: self.at_end,
                without: self.without,
            };
            let mut stepped = step(&self.member, &facts);
            facts.canceled =
                stepped.reads.iter().filter(|key| self.plans[*key].is_canceled).cloned().collect();
            facts.whole = stepped.lists.iter().filter(|key| self.has_whole_list(key)).cloned().collect();
            if !facts.canceled.is_empty() || !facts.whole.is_empty() {
                stepped = step(&self.member, &facts);
            }
            if stepped.member == self.member && stepped.writes.is_empty() {
                return Ok(());
            }
            let is_of_term = |write: &Write| matches!(write, Write::Close(..) | Write::Activate(_));
            if stepped.writes.iter().any(is_of_term) {
                self.check_hands(&stepped.writes, &stepped.member)?;
            }
            // The database refuses it, too.
            let live = stepped.member.live().map(|term| term.first..=term.last);
            let is_early = |day: &&DueDay| {
                day.route == Route::Sale
                    && self.member.days.get(&day.day).is_none_or(|old| old.route != Route::Sale)
                    && live.as_ref().is_some_and(|days| days.contains(&day.day))
            };
            if let Some(day) = stepped.member.days.values().find(is_early)
                && self.without.is_none()
            {
                return Err(format!("{} goes to a sale while a plan may charge it", day.day));
            }
            self.member = stepped.member;
            for charge in &stepped.charges {
                if charge.claim == Claim::Surplus {
                    self.surplus.insert(charge.day);
                }
            }
            if self.member.subscription.is_shadow && !stepped.writes.is_empty() {
                return Err(format!("in shadow, and {:?}", stepped.writes));
            }
            for write in stepped.writes {
                if let Write::Sale(due, _) = &write {
                    let day = &self.member.days[due];
                    let is_first = day.was == Some(DayState::Expected) && day.reason.is_none();
                    let subscription = &self.member.subscription;
                    if !is_first
                        && day.reason.is_none()
                        && !self.by_hand.contains(due)
                        && *due + OLDEST < self.today
                    {
                        return Err(format!("{due} is tried on {}", self.today));
                    }
                    let is_over = subscription.status != Status::Active && !subscription.collects_open;
                    if is_over || is_first && !subscription.wants(*due) {
                        return Err(format!("{due} is sold, and is not due"));
                    }
                }
                if self.outcomes.contains_key(&write) {
                    return Err(format!("{write:?} is decided twice"));
                }
                self.send(write);
            }
            self.check()?;
        }
        Err("a step follows the other without an end".to_owned())
    }

    /// Reads the charges of plans.
    fn read(&mut self) {
        for index in 0..self.transactions.len() {
            if !self.transactions[index].is_known && !self.chance(50) {
                self.transactions[index].is_known = true;
            }
            if !self.transactions[index].is_readable && self.rng.u32(0..20) == 0 {
                self.transactions[index].is_readable = true;
            }
        }
        let is_complete = self.transactions.iter().all(|made| made.is_known);
        let reads: Vec<_> = self
            .transactions
            .iter()
            .filter(|made| made.is_known && made.is_readable)
            .filter(|made| made.plan.is_some() && !self.claimed.contains(&made.id))
            .map(|made| {
                let term = made.plan.as_ref().unwrap().as_str().trim_start_matches("plan_").parse().unwrap();
                let declined = |code: &str| Reading::Declined(Some(code.to_owned()));
                let result = made.code.map_or(Reading::Approved(made.amount), declined);
                (made.id.clone(), term, made.made, result)
            })
            .collect();
        for (id, term, made, result) in reads {
            self.claimed.insert(id.clone());
            if let Some((charge, _)) = claim(&mut self.member, id, term, made, result)
                && charge.claim == Claim::Surplus
            {
                self.road("a surplus is a case");
                self.surplus.insert(charge.day);
            }
        }
        if is_complete {
            self.read_until = self.today - Days::new(1);
            let unread = self.transactions.iter().filter(|made| !made.is_readable);
            self.unread = unread.map(|made| made.made).collect();
        }
    }

    /// Whether the plan's own list of transactions is whole.
    fn has_whole_list(&self, plan: &PlanKey) -> bool {
        let mut of_plan = self.transactions.iter().filter(|made| made.plan.as_ref() == Some(plan)).peekable();
        of_plan.peek().is_some() && of_plan.all(|made| made.is_known && made.is_readable)
    }

    /// A merchant's command.
    fn command(&mut self) {
        let today = self.today;
        let subscription = &mut self.member.subscription;
        if subscription.status != Status::Active || subscription.is_shadow {
            return;
        }
        let from = (self.rng.u32(0..4) == 0).then(|| today + Days::new(self.rng.u64(0..70)));
        let change = SubscriptionChange { from, ..SubscriptionChange::default() };
        let by_hand: Vec<_> = self.member.days.keys().copied().collect();
        let some_day = (!by_hand.is_empty()).then(|| by_hand[self.rng.usize(0..by_hand.len())]);
        let decision = match self.rng.u32(0..9) {
            0 => Decision::Change(SubscriptionChange { amount: Some("60.00".parse().unwrap()), ..change }),
            1 => {
                let day = self.rng.u32(1..=28).try_into().unwrap();
                Decision::Change(SubscriptionChange { day: Some(day), ..change })
            }
            2 => {
                let from = today + Days::new(self.rng.u64(0..60));
                let end = if self.rng.bool() {
                    PauseEnd::Charges(self.rng.u32(1..4))
                } else {
                    PauseEnd::Until(from + Days::new(self.rng.u64(1..90)))
                };
                Decision::Pause { from: Some(from), end, collects: self.rng.bool() }
            }
            3 => Decision::Resume,
            4 if self.rng.u32(0..4) == 0 => {
                Decision::Cancel { at: CancelAt::Now, collects_open: self.rng.bool() }
            }
            5 if self.rng.u32(0..2) == 0 => {
                let at = CancelAt::Day(today + Days::new(self.rng.u64(0..90)));
                Decision::Cancel { at, collects_open: self.rng.bool() }
            }
            6 => Decision::Keep,
            7 => {
                let token = format!("{}", self.rng.u32(1..3)).as_str().try_into().unwrap();
                Decision::Change(SubscriptionChange { token: Some(token), ..change })
            }
            8 => {
                let Some(day) = some_day else { return };
                let by_hand = if self.rng.bool() { Member::collect } else { Member::waive };
                if by_hand(&mut self.member, day, today).is_ok() {
                    self.road("a due day by hand");
                    self.by_hand.insert(day);
                }
                return;
            }
            _ => return,
        };
        if decision.apply(&mut self.member, today).is_err() {
            return;
        }
        let subscription = &mut self.member.subscription;
        subscription.guard += i64::from(subscription.status == Status::Canceling);
        self.road("a command");
    }

    /// From two days before a due day until that day is settled, no active term is closed, and none is activated.
    fn check_hands(&self, writes: &[Write], after: &Member) -> Result<(), Violation> {
        let Some(term) = self.member.live() else { return Ok(()) };
        let is_activated = writes.contains(&Write::Activate(term.number));
        let near = |day: &&DueDay| {
            day.term == Some(term.number)
                && day.state == DayState::Expected
                && day.day <= self.today + Days::new(2)
        };
        match after.days.values().find(near) {
            Some(day) if is_activated || term.status == TermStatus::Active => {
                Err(format!("a term changes hands near {}", day.day))
            }
            _ => Ok(()),
        }
    }

    /// The checks that hold at any time.
    fn check(&self) -> Result<(), Violation> {
        let mut approved: BTreeMap<NaiveDate, u32> = BTreeMap::new();
        for made in self.transactions.iter().filter(|made| made.code.is_none()) {
            *approved.entry(made.due).or_default() += 1;
        }
        for (due, count) in approved {
            let is_read =
                self.transactions.iter().all(|made| made.due != due || self.claimed.contains(&made.id));
            let is_open = !is_read || self.member.days.get(&due).is_some_and(|day| day.was.is_some());
            let is_case = self.habits.retries_after_cancel && (is_open || self.surplus.contains(&due));
            if count > 1 && !is_case {
                return Err(format!("{due} is charged {count} times"));
            }
        }
        if self.plans.values().filter(|plan| plan.is_active).count() > 1 {
            return Err("two plans are active".to_owned());
        }
        if self.member.subscription.status == Status::Ended {
            if self.plans.values().any(|plan| plan.is_active) {
                return Err("a plan is active after the end was reported".to_owned());
            }
            if !self.on_their_way.is_empty() {
                return Err("a write is on its way after the end was reported".to_owned());
            }
        }
        let mut months: BTreeSet<(i32, u32)> = BTreeSet::new();
        for day in self.member.days.keys() {
            if !months.insert((day.year(), day.month())) {
                return Err(format!("{day} is the second due day of its month"));
            }
        }
        Ok(())
    }

    /// A term that does not move on for more than three days is an alarm.
    fn check_alarm(&mut self) -> Result<(), Violation> {
        let term = self.member.live().filter(|term| term.status != TermStatus::Active);
        let now = term.map(|term| (term.number, term.status));
        let same = self.moving.filter(|(number, status, _)| now == Some((*number, *status)));
        let days = same.map_or(0, |(.., days)| days + 1);
        self.moving = now.map(|(number, status)| (number, status, days));
        let Subscription { is_shadow, status, .. } = self.member.subscription;
        if is_shadow || status == Status::Ended {
            return Ok(());
        }
        let stalled = self.member.stalled(self.today);
        if now.is_some() && days > 3 && stalled.is_none() {
            return Err(format!("{:?} for {days} days, and no alarm", self.moving));
        }
        if stalled.is_some() {
            self.road("an alarm");
        }
        Ok(())
    }

    /// The checks that hold after calm days without a command.
    fn check_settled(&self) -> Result<(), Violation> {
        let member = &self.member;
        for day in member.days.values() {
            let is_open = match day.state {
                DayState::Expected => day.next_try.unwrap_or(day.day) + Days::new(6) < self.today,
                DayState::Collecting => true,
                DayState::Declined | DayState::Missing => {
                    let is_late = day.day + OLDEST + Days::new(1) < self.today;
                    let waits_for_card = decline_class(day.code.as_deref()) == DeclineClass::Card;
                    day.next_try.is_none() && !waits_for_card || is_late
                }
                _ => false,
            };
            if is_open {
                return Err(format!("{day:?} is still open on {}", self.today));
            }
            // The rows and the gateway agree.
            let approved = self.transactions.iter().any(|made| made.due == day.day && made.code.is_none());
            let is_paid = matches!(day.state, DayState::Paid | DayState::Recovered);
            if approved != is_paid && day.state != DayState::NeedsPerson {
                return Err(format!("{} is {}, and the gateway approved: {approved}", day.day, day.state));
            }
        }
        if let Some(stalled) = member.stalled(self.today) {
            return Err(format!("{stalled:?} after calm days"));
        }
        // What a pause collects may come after the end.
        let collected = member.subscription.pause.filter(|pause| pause.collects).map(|pause| pause.until);
        let end = member.subscription.ends_on().map(|last| collected.map_or(last, |until| last.max(until)));
        let is_over = end.is_some_and(|last| last + Days::new(45) < self.today);
        if is_over
            && member.subscription.status != Status::Ended
            && !member.days.values().any(|day| day.state == DayState::NeedsPerson)
        {
            return Err("it is not over, long after its end".to_owned());
        }
        let subscription = &member.subscription;
        if let (Some(count), Status::Ended) = (subscription.charges, subscription.status)
            && subscription.canceled_on.is_none()
        {
            // A plan that is watched in shadow goes on past the last charge, and so does one that is near a charge then.
            let in_shadow = |day: &DueDay| {
                day.day > subscription.ends_on().unwrap()
                    && self.shadow_ended.is_some_and(|end| day.day <= end + FREEZE)
            };
            let counts = |day: &&DueDay| day.state != DayState::Waived && !in_shadow(day);
            let days = member.days.values().filter(counts).count();
            if days != usize::try_from(count).unwrap() {
                return Err(format!("{days} charges in place of {count}"));
            }
        }
        // No month is left out, but for the first, whose day may have been changed to one before the start.
        let last = member.subscription.ends_on().unwrap_or(self.today).min(self.today);
        let first = member.subscription.from.with_day(1).unwrap();
        let mut month = first.checked_add_months(Months::new(1)).unwrap();
        while month.checked_add_months(Months::new(1)).unwrap() <= last {
            let mut days =
                member.days.keys().filter(|day| (day.year(), day.month()) == (month.year(), month.month()));
            if days.next().is_none() {
                return Err(format!("{month} has no due day"));
            }
            month = month.checked_add_months(Months::new(1)).unwrap();
        }
        Ok(())
    }

    /// Lives for some years.
    fn live(&mut self) -> Result<(), Violation> {
        let days = self.rng.u64(60..900);
        let has_commands = self.rng.bool();
        for _ in 0..days {
            self.pass(has_commands)?;
        }
        self.is_calm = true;
        for _ in 0..60 {
            self.pass(false)?;
        }
        self.check_settled()
    }

    fn pass(&mut self, has_commands: bool) -> Result<(), Violation> {
        self.arrive();
        // The worker may be down for days, before or after the engine of the day.
        let (is_early, is_late) = (!self.chance(30), !self.chance(30));
        if self.member.subscription.is_shadow && (self.is_calm || self.chance(1)) {
            self.road("a shadow ends");
            if self.member.days.values().any(|day| day.reason.as_deref() == Some(NOT_CHARGED)) {
                self.road("an adopted plan ends in shadow");
            }
            end_shadow(&mut self.member, self.today);
            self.shadow_ended = Some(self.today);
        }
        if has_commands && self.chance(2) {
            self.command();
        }
        if is_early {
            self.work()?;
        }
        self.engine();
        self.check()?;
        if is_late {
            self.work()?;
        }
        self.check_alarm()?;
        self.today = self.today + Days::new(1);
        Ok(())
    }
}

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// Runs one life; returns its roads, or the violation.
fn life(seed: u64, without: Option<Rule>) -> Result<BTreeMap<&'static str, u64>, Violation> {
    let mut world = World::new(seed, without);
    match world.live() {
        Ok(()) => Ok(world.roads),
        Err(violation) => {
            let days = world.member.days.values().map(|day| format!("{day:?}"));
            let terms = world.member.terms.iter().map(|term| format!("{term:?}"));
            let made = world
                .transactions
                .iter()
                .map(|made| format!("{} {} {:?} {:?}", made.made, made.due, made.plan, made.code));
            let all: Vec<_> = terms.chain(days).chain(made).collect();
            let Subscription { status, until, canceled_on, pause, .. } = &world.member.subscription;
            Err(format!(
                "seed {seed}: {violation}; {:?} {status} {until:?} {canceled_on:?} {pause:?}\n{}",
                world.habits,
                all.join("\n")
            ))
        }
    }
}

/// The lives of a run; `cargo xtask soak billing --seeds N` runs more.
fn seeds() -> std::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|number| number.parse().ok());
    let first = number("PERENNIAL_FIRST_SEED").unwrap_or(0);
    first..first + number("PERENNIAL_SEEDS").unwrap_or(400)
}

/// Does the work for each number, on as many threads as there are cores. A panic of one is a panic of the caller.
fn in_parallel(numbers: std::ops::Range<u64>, work: impl Fn(u64) + Sync) {
    let next = AtomicU64::new(numbers.start);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= numbers.end {
                        break;
                    }
                    work(number);
                }
            });
        }
    });
}

/// Holds: Under every habit of the gateway, with writes that arrive late or not at all, outcomes that are unknown, a worker
/// that is down and commands at any time, no due day is charged twice, no plan is active after an end, no month has two due
/// days or none, and every day is settled or with a person once the faults end.
#[test]
fn no_life_charges_a_day_twice_or_never() {
    let roads = Mutex::new(BTreeMap::<&str, u64>::new());
    in_parallel(seeds(), |seed| {
        let taken = life(seed, None).unwrap_or_else(|violation| panic!("{violation}"));
        let mut roads = roads.lock().unwrap();
        for (road, count) in taken {
            *roads.entry(road).or_default() += count;
        }
    });
    let roads = roads.into_inner().unwrap();
    println!("{roads:?}");
    for road in [
        "a command",
        "a write arrives days later",
        "an outcome is not known at first",
        "a write is withdrawn",
        "a due day by hand",
        "a shadow ends",
        "an adopted plan ends in shadow",
        "a charge cannot be read",
        "an alarm",
    ] {
        assert!(roads.contains_key(road), "{road}: {roads:?}");
    }
}

/// Holds: A life without any one of the rules is caught.
#[test]
fn planted_defects_are_found() {
    let rules = [
        Rule::Freeze,
        Rule::ConfirmedClose,
        Rule::LookBeforeSale,
        Rule::ClosedBeforeSale,
        Rule::ActivationMargin,
        Rule::OneDayOfAMonth,
        Rule::OpenBeforeEnd,
        Rule::ReadBeforeSale,
    ];
    for rule in rules {
        let found = seeds().find_map(|seed| life(seed, Some(rule)).err());
        assert!(found.is_some(), "no life needs the rule {rule:?}");
    }
}

/// The charges of a quiet life by the gateway's own records: the due day, and whether a plan made it.
fn quiet_charges(habits: Habits, sign_up: NaiveDate, day: u32, months: u32) -> Vec<(i32, u32, u32, bool)> {
    let mut world = World::new(0, None);
    (world.habits, world.today, world.read_until, world.declines) = (habits, sign_up, sign_up, 0);
    (world.member.terms, world.member.days, world.plans) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
    let subscription = &mut world.member.subscription;
    subscription.is_shadow = false;
    subscription.day = day.try_into().unwrap();
    subscription.from = crate::calendar::due_day(subscription.day, sign_up).unwrap();
    subscription.charges = None;
    world.is_calm = true;
    let end = subscription.from.checked_add_months(Months::new(months)).unwrap();
    while world.today < end {
        // Nothing changes on other days but the time, and the steps of two days ago are those of today.
        let near = world
            .member
            .days
            .values()
            .any(|due| due.state == DayState::Expected && world.today + Days::new(4) >= due.day);
        let is_moving = world.member.live().is_none_or(|term| term.status != TermStatus::Active);
        if near || is_moving {
            world.work().unwrap();
        }
        world.engine();
        if near {
            world.work().unwrap();
        }
        world.today = world.today + Days::new(1);
    }
    let charge =
        |made: &Transaction| (made.due.year(), made.due.month(), made.due.day(), made.plan.is_some());
    let mut charges: Vec<_> = world.transactions.iter().map(charge).collect();
    charges.sort_unstable();
    charges
}

/// Holds: Whatever the gateway means by the dates of a plan, each month has one charge on the chosen day, from the first
/// such day on or after the sign-up, over renewals, and by a plan but for a first day that is near. The months are counted without the calendar of this crate.
#[test]
fn each_month_is_charged_once_under_every_habit() {
    // One of this many sign-up days in four years.
    let step = std::env::var("PERENNIAL_CALENDAR").ok().map(|step| step.parse().unwrap());
    let (step, years) = step.map_or((731, 2), |step| (step, 10));
    let count = AtomicU64::new(0);
    in_parallel(0..1_461_u64.div_ceil(step), |number| {
        let sign_up = date("2027-01-01") + Days::new(number * step);
        for day in 1..=28 {
            // The oracle: plain numbers.
            let (mut year, mut month) = (sign_up.year(), sign_up.month());
            if sign_up.day() > day {
                (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
            }
            let mut expected = Vec::new();
            // A first day that is today, tomorrow or the day after is too near for a plan.
            let near = [0, 1, 2].map(|days| sign_up + Days::new(days)).map(|near| (near.month(), near.day()));
            for number in 0..12 * years {
                let by_plan = number > 0 || !near.contains(&(month, day));
                expected.push((year, month, day, by_plan));
                (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
            }
            for bits in 0..12_u8 {
                let habits = Habits {
                    start_inclusive: bits & 1 == 0,
                    end_inclusive: bits & 2 == 0,
                    slip: i64::from(bits / 4) - 1,
                    retries: 0,
                    retries_after_cancel: false,
                    catches_up: false,
                };
                let charges = quiet_charges(habits, sign_up, day, 12 * years);
                assert_eq!(charges, expected, "{sign_up}, day {day}, {habits:?}");
                count.fetch_add(charges.len() as u64, Ordering::Relaxed);
            }
        }
    });
    let count = count.into_inner();
    println!("{count} due days, each charged once");
}
