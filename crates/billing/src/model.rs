//! The rows of a subscription, as the database has them.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use perennial::Amount;
use perennial::clearent::{CustomerKey, PlanKey, TokenId, TransactionId};
use perennial_domain::clearent::FrequencyDay;
use perennial_journal::Moment;

use crate::words::words;

words! {
    /// The status of a subscription.
    Status {
        /// It charges, or it is paused.
        Active = "active",
        /// It charges nothing more, and something of it is still open at the gateway.
        Canceling = "canceling",
        /// It is over, and nothing of it can charge.
        Ended = "ended",
    }
}

words! {
    /// The status of a term.
    TermStatus {
        /// Its plan is decided and not known to exist.
        Planned = "planned",
        /// Its plan exists and does not charge.
        Suspended = "suspended",
        /// Its plan is being activated.
        Activating = "activating",
        /// Its plan charges.
        Active = "active",
        /// Its plan is being canceled.
        Closing = "closing",
        /// A read showed that its plan is canceled, or it has none.
        Closed = "closed",
    }
}

impl TermStatus {
    /// Whether a plan of it exists or may come into being.
    pub const fn is_live(self) -> bool {
        !matches!(self, Self::Closed)
    }
}

words! {
    /// The state of a due day.
    DayState {
        /// The charge is not known yet.
        Expected = "expected",
        /// The plan's charge was approved, or the sale of a day that was due by sale from the start.
        Paid = "paid",
        /// The charge was declined, and another try may follow.
        Declined = "declined",
        /// A sale is open.
        Collecting = "collecting",
        /// A sale was approved after the plan's charge was declined or missing.
        Recovered = "recovered",
        /// Only a part of the amount was approved; the rest is open.
        Part = "part",
        /// Three days passed, and the gateway has no charge.
        Missing = "missing",
        /// The merchant does without it.
        Waived = "waived",
        /// No further try is made.
        GivenUp = "given-up",
        /// A person must find out what happened.
        NeedsPerson = "needs-person",
    }
}

impl DayState {
    /// The states of days that are collected or need a person. An index of the database has these days.
    pub const CASES: [Self; 5] =
        [Self::Declined, Self::Collecting, Self::Missing, Self::Part, Self::NeedsPerson];

    /// Whether a charge paid the day, or a part of it.
    pub const fn is_paid(self) -> bool {
        matches!(self, Self::Paid | Self::Recovered | Self::Part)
    }

    /// Whether nothing more happens to the day by itself.
    pub const fn is_settled(self) -> bool {
        self.is_paid() || matches!(self, Self::Waived | Self::GivenUp)
    }
}

words! {
    /// The route by which a due day is charged. From `plan` it may go to `sale`, and never back.
    Route {
        /// By a plan, which is the term's.
        Plan = "plan",
        /// By a sale.
        Sale = "sale",
        /// By nothing yet, or by nothing at all.
        None = "none",
    }
}

words! {
    /// The meaning of a transaction for a due day.
    Claim {
        /// It pays the day in full.
        Pays = "pays",
        /// It pays a part of the day.
        Part = "part",
        /// It pays the rest of a day of which a part was paid.
        Rest = "rest",
        /// It pays a day that is paid already: a case for a person.
        Surplus = "surplus",
        /// It was declined.
        Declined = "declined",
        /// It gives money back: a refund of another charge, or a dispute about one.
        Undoes = "undoes",
    }
}

/// The days on which nothing is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pause {
    /// The first day.
    pub from: NaiveDate,
    /// The first day after it.
    pub until: NaiveDate,
    /// The months that pass are collected by sales after the pause. If not, they are waived.
    pub collects: bool,
}

impl Pause {
    /// Whether the day lies in it.
    pub fn has(&self, day: NaiveDate) -> bool {
        (self.from..self.until).contains(&day)
    }
}

/// A change of a subscription. It holds from the next due day that is not near.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SubscriptionChange {
    /// Due days before this one are left as they are. `None` is today.
    pub from: Option<NaiveDate>,
    /// Another amount.
    pub amount: Option<Amount>,
    /// Another token of the customer.
    pub token: Option<TokenId>,
    /// Another day of the month.
    pub day: Option<FrequencyDay>,
}

/// A subscription: charges each month without end, or until a date.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Subscription {
    /// The random id, 26 characters.
    pub uid: String,
    /// The caller's id.
    pub id: String,
    /// The number of the subscription among those with this id, from 1: whoever comes back after an end has another one.
    pub generation: i64,
    /// The customer.
    pub customer: CustomerKey,
    /// The token that is charged.
    pub token: TokenId,
    /// The name of its plans.
    pub name: String,
    /// The amount of each charge.
    pub amount: Amount,
    /// The day of the month.
    pub day: FrequencyDay,
    /// The status.
    pub status: Status,
    /// The first due day.
    pub from: NaiveDate,
    /// The last day on which a charge may be due, as it was agreed at the start.
    pub until: Option<NaiveDate>,
    /// The number of charges that was agreed at the start; `until` follows from it. A waived day does not count.
    pub charges: Option<u32>,
    /// The day of a cancellation: no later day is due.
    pub canceled_on: Option<NaiveDate>,
    /// The pause.
    pub pause: Option<Pause>,
    /// The change that holds from a later day.
    pub change: Option<SubscriptionChange>,
    /// Whether days that are open at the end are still collected.
    pub collects_open: bool,
    /// The version of its guard: writes that were planned under an earlier one are not sent.
    pub guard: i64,
    /// The number of its changes.
    pub version: i64,
    /// The time of the next step; `None` after the end.
    pub next: Option<Moment>,
    /// Whether it is in shadow: its charges are read, and nothing is written at the gateway.
    pub is_shadow: bool,
}

impl Subscription {
    /// Checks what every new subscription has: an id that can be one, and an amount.
    pub(crate) fn check(id: &str, amount: Amount) -> Result<(), crate::Error> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if !matches!(id.len(), 1..=60) || !id.bytes().all(is_plain) {
            return Err(crate::Error::InvalidId);
        }
        if amount.is_zero() { Err(crate::Error::NoAmount) } else { Ok(()) }
    }

    /// The last day on which a charge may be due: the agreed one, or that of a cancellation.
    pub fn ends_on(&self) -> Option<NaiveDate> {
        [self.until, self.canceled_on].into_iter().flatten().min()
    }

    /// Whether a charge is wanted on this due day.
    pub fn wants(&self, day: NaiveDate) -> bool {
        day >= self.from && self.ends_on().is_none_or(|last| day <= last) && !self.is_paused(day)
    }

    pub(crate) fn is_paused(&self, day: NaiveDate) -> bool {
        self.pause.is_some_and(|pause| pause.has(day))
    }

    /// Whether it was canceled and its end has come. An end that was agreed at the start is no cancellation.
    pub(crate) fn is_stopped(&self, today: NaiveDate) -> bool {
        self.status != Status::Active || self.canceled_on.is_some_and(|last| last < today)
    }
}

/// One plan over at most twelve due days.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Term {
    /// The number within the subscription, from 1.
    pub number: i64,
    /// The plan, once it is known.
    pub plan: Option<PlanKey>,
    /// The token that it charges.
    pub token: TokenId,
    /// The amount that it charges.
    pub amount: Amount,
    /// The first due day.
    pub first: NaiveDate,
    /// The last due day.
    pub last: NaiveDate,
    /// The status.
    pub status: TermStatus,
    /// The day on which it got this status, if it is known.
    pub since: Option<NaiveDate>,
    /// The day on which its plan was last asked to be canceled.
    pub asked: Option<NaiveDate>,
    /// The day on which it was closed.
    pub closed: Option<NaiveDate>,
    /// The day on which its plan was adopted; `None` if the plan was made for it.
    pub adopted: Option<NaiveDate>,
}

/// A day on which a charge is due.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DueDay {
    /// The day.
    pub day: NaiveDate,
    /// The amount.
    pub amount: Amount,
    /// The state.
    pub state: DayState,
    /// The part of it that is paid.
    pub paid: Amount,
    /// The route.
    pub route: Route,
    /// The number of the term, on the route `plan`.
    pub term: Option<i64>,
    /// The number of sales that were planned.
    pub tries: i64,
    /// The state before the sale that is open; `None` if none is.
    pub was: Option<DayState>,
    /// The day on which the last sale was planned.
    pub sold: Option<NaiveDate>,
    /// The day of the next try.
    pub next_try: Option<NaiveDate>,
    /// The result code of the last decline.
    pub code: Option<String>,
    /// The reason for the state, for people.
    pub reason: Option<String>,
}

impl DueDay {
    /// The amount that is not paid.
    pub fn rest(&self) -> Amount {
        self.amount.checked_sub(self.paid).unwrap_or(Amount::ZERO)
    }

    /// Whether a sale is to follow.
    pub(crate) fn is_tried(&self) -> bool {
        matches!(self.state, DayState::Declined | DayState::Missing | DayState::Part)
            && self.next_try.is_some()
    }
}

/// A list of due days.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DueDayFilter {
    /// The id of their subscriptions; `None` is any subscription.
    pub id: Option<String>,
    /// Their states; empty is any state.
    pub states: Vec<DayState>,
    /// The most that are returned.
    pub limit: u32,
}

impl Default for DueDayFilter {
    fn default() -> Self {
        Self { id: None, states: Vec::new(), limit: 100 }
    }
}

/// A transaction of the gateway and its meaning for a due day.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Charge {
    /// The transaction.
    pub id: TransactionId,
    /// The due day.
    pub day: NaiveDate,
    /// The day on which it was made, in UTC.
    pub made: NaiveDate,
    /// The amount that was approved, declined or given back.
    pub amount: Amount,
    /// The meaning.
    pub claim: Claim,
    /// The charge that it undoes.
    pub of: Option<TransactionId>,
}

/// A subscription with its terms and due days.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Member {
    /// The subscription.
    pub subscription: Subscription,
    /// The terms, by number.
    pub terms: Vec<Term>,
    /// The due days that are known.
    pub days: BTreeMap<NaiveDate, DueDay>,
}

impl Member {
    /// The term that is not closed.
    pub fn live(&self) -> Option<&Term> {
        self.terms.iter().find(|term| term.status.is_live())
    }
}
