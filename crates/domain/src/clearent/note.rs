//! Notes on a plan: dates and cards that are allowed but may be mistakes.

use std::fmt;

use chrono::{Days, NaiveDate, NaiveDateTime};

use super::schedule::is_to_come;
use super::{FrequencyDay, NewPlan, Plan, PlanStatus, PlanTerm, PlanUpdate, Schedule};
use crate::{Expiry, Month};

/// A note on a plan: something that is allowed but may be a mistake. Its text is for people.
///
/// ```
/// use perennial_domain::clearent::{NewPlan, PlanNote, PlanStatus};
///
/// let year = |end| {
///     NewPlan::builder()
///         .plan_name("Gold membership")
///         .customer_key("cust_5a1d7c1e8a0f")
///         .token_id("1100000000555551111")
///         .monthly_on(15)
///         .payment_amount("50.00")
///         .start_date("2027-01-15")
///         .end_date(end)
///         .status(PlanStatus::ACTIVE)
///         .build()
///         .unwrap()
/// };
/// assert!(matches!(year("2028-01-15").notes()[..], [PlanNote::ThirteenCharges { .. }]));
/// assert!(year("2028-01-14").notes().is_empty());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanNote {
    /// The term starts and ends on the plan's day, so a year has a thirteenth charge.
    ThirteenCharges {
        /// The day of the thirteenth charge.
        last: NaiveDate,
    },
    /// The plan's day is not within its term.
    NoCharges {
        /// The plan's day.
        day: FrequencyDay,
        /// The plan's term.
        term: PlanTerm,
    },
    /// The plan is created with the status `CANCELED`.
    Canceled,
    /// All charge days are in the past.
    AllPast {
        /// The last charge day.
        last: NaiveDate,
    },
    /// Some charge days are in the past; their charges are not made later.
    SomePast {
        /// The number of past days.
        days: usize,
        /// The first day that is not past.
        next: NaiveDate,
    },
    /// A charge is due today.
    DueToday {
        /// The day.
        today: NaiveDate,
        /// Whether [the hour](Schedule::HOUR) of the charge is past.
        is_past: bool,
        /// The next day on which the plan charges.
        next: Option<NaiveDate>,
    },
    /// The card expires before the last charge.
    CardExpires {
        /// The card's expiry.
        expiry: Expiry,
        /// The number of charges after the expiry.
        charges: usize,
        /// The first charge after the expiry.
        first: NaiveDate,
    },
    /// The update causes a second charge within a month.
    TwiceInMonth {
        /// The day of the charge that was already made.
        charged: NaiveDate,
        /// The day of the charge that the update adds.
        again: NaiveDate,
    },
    /// The update removes the charge of a month.
    SkipsMonth {
        /// The day of the charge that will not be made.
        lost: NaiveDate,
    },
}

impl fmt::Display for PlanNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ThirteenCharges { last } => {
                let end = *last - Days::new(1);
                let next = *last + Days::new(1);
                write!(
                    f,
                    "the plan charges 13 times, the last time on {last}: end it on {end} for 12 charges, or start the \
                     next plan on {next}, because one that starts on {last} charges that day twice"
                )
            }
            Self::NoCharges { day, term } => write!(
                f,
                "the plan never charges: day {day} of a month is not between {} and {}",
                term.start(),
                term.end()
            ),
            Self::Canceled => f.write_str("the plan never charges: it is canceled from the start"),
            Self::AllPast { last } => write!(
                f,
                "no charge is to come: the plan's last day, {last}, is past, and past days are not made up"
            ),
            Self::SomePast { days: 1, next } => {
                write!(f, "1 charge is past and is not made up; the next day is {next}")
            }
            Self::SomePast { days, next } => {
                write!(f, "{days} charges are past and are not made up; the next day is {next}")
            }
            Self::DueToday { today, is_past, next } => {
                let hour = Schedule::HOUR;
                if *is_past {
                    write!(f, "a charge was due today, {today}, at {hour}:00 UTC and is not made up")?;
                } else {
                    write!(f, "a charge is due today, {today}, at {hour}:00 UTC")?;
                }
                f.write_str(" (the hour is the sandbox's; that of the gateway is not documented)")?;
                match next {
                    Some(next) => write!(f, "; the next day is {next}"),
                    None => f.write_str("; no other day follows"),
                }
            }
            Self::CardExpires { expiry, charges, first } => {
                let s = if *charges == 1 { "" } else { "s" };
                write!(
                    f,
                    "the card expires at the end of {}: {charges} charge{s}, from {first} on, will be declined unless \
                     the plan gets another token",
                    Month::of(expiry.last_day())
                )
            }
            Self::TwiceInMonth { charged, again } => write!(
                f,
                "the card is charged twice in {}: the charge of {charged} was due already, and the changed plan charges \
                 on {again} too; make the change after {again}, or move start-date to the next month with it",
                Month::of(*again)
            ),
            Self::SkipsMonth { lost } => write!(
                f,
                "nothing is charged in {}: the charge of {lost} is dropped, and the changed plan has no other day to \
                 come in that month; make the change after {lost}",
                Month::of(*lost)
            ),
        }
    }
}

impl NewPlan {
    /// Returns the notes that follow from the calendar alone. [`notes_at`](Self::notes_at) also considers the time and
    /// the card.
    pub fn notes(&self) -> Vec<PlanNote> {
        match (self.fields().status, self.schedule()) {
            (Some(status), _) if *status == PlanStatus::CANCELED => vec![PlanNote::Canceled],
            (_, Ok(schedule)) => of_calendar(&schedule),
            (_, Err(_)) => Vec::new(),
        }
    }

    /// Returns the notes on the plan if it is created at this moment (UTC) for a card with this expiry.
    ///
    /// ```
    /// use perennial_domain::clearent::{NewPlan, PlanNote, PlanStatus};
    /// use perennial_domain::NaiveDate;
    ///
    /// let plan = NewPlan::builder()
    ///     .plan_name("Gold membership")
    ///     .customer_key("cust_5a1d7c1e8a0f")
    ///     .token_id("1100000000555551111")
    ///     .monthly_on(15)
    ///     .payment_amount("50.00")
    ///     .starting("2027-01-15")
    ///     .charges(12)
    ///     .status(PlanStatus::ACTIVE)
    ///     .build()
    ///     .unwrap();
    /// let noon = NaiveDate::from_ymd_opt(2027, 1, 15).unwrap().and_hms_opt(12, 0, 0).unwrap();
    /// let notes = plan.notes_at(noon, "0627".parse().ok());
    /// assert!(matches!(notes[0], PlanNote::DueToday { is_past: true, .. }));
    /// assert!(matches!(notes[1], PlanNote::CardExpires { charges: 6, .. }));
    /// ```
    pub fn notes_at(&self, now: NaiveDateTime, card: Option<Expiry>) -> Vec<PlanNote> {
        match (self.fields().status, self.schedule()) {
            (Some(status), _) if *status == PlanStatus::CANCELED => vec![PlanNote::Canceled],
            (_, Ok(schedule)) => {
                let mut notes = schedule.notes_at(now);
                notes.extend(of_card(&schedule, now, card));
                notes
            }
            (_, Err(_)) => Vec::new(),
        }
    }
}

impl PlanUpdate {
    /// Returns the notes on this update of a plan at this moment (UTC), for a card with this expiry. Only effects of
    /// the update are noted, and nothing is noted if the days of the plan are not known.
    ///
    /// ```
    /// use perennial_domain::clearent::{FrequencyDay, PlanNote, PlanUpdate};
    /// # use perennial_domain::clearent::{Frequency, Plan, PlanStatus};
    /// use perennial_domain::NaiveDate;
    ///
    /// # let plan = Plan {
    /// #     plan_key: "plan_3f0f6d1c5f0e".parse().unwrap(), plan_name: None, plan_type: None, customer_key: None,
    /// #     customer_name: None, token_id: None, frequency: Some(Frequency::MONTHLY),
    /// #     frequency_day: FrequencyDay::new(15).ok().map(Into::into), frequency_month: None, frequency_week: None,
    /// #     payment_amount: None, start_date: "2027-01-01".parse().ok(), end_date: "2027-12-31".parse().ok(),
    /// #     status: Some(PlanStatus::ACTIVE), status_date: None, email_address: None, email_receipt: None,
    /// #     links: Vec::new(),
    /// # };
    /// // `plan` charges on the 15th, and did so five days ago.
    /// let update = PlanUpdate::builder().frequency_day(28).build().unwrap();
    /// let now = NaiveDate::from_ymd_opt(2027, 3, 20).unwrap().and_hms_opt(9, 0, 0).unwrap();
    /// assert!(matches!(update.notes(&plan, now, None)[..], [PlanNote::TwiceInMonth { .. }]));
    /// ```
    pub fn notes(&self, plan: &Plan, now: NaiveDateTime, card: Option<Expiry>) -> Vec<PlanNote> {
        let Ok(changed) = self.apply(plan) else { return Vec::new() };
        let (Some(before), Some(after)) = (plan.schedule(), changed.schedule()) else { return Vec::new() };
        // A plan whose status is not reported may be active.
        let is_active = |plan: &Plan| plan.status.as_ref().is_none_or(|status| *status == PlanStatus::ACTIVE);
        if !is_active(&changed) {
            return Vec::new();
        }
        let was_active = is_active(plan);
        let same_days = was_active && before.clone().eq(after.clone());
        if same_days {
            let other_card = changed.token_id != plan.token_id;
            return of_card(&after, now, card).filter(|_| other_card).into_iter().collect();
        }
        let mut notes = Vec::new();
        let old_calendar = of_calendar(&before);
        notes.extend(of_calendar(&after).into_iter().filter(|note| !old_calendar.contains(note)));
        if was_active {
            notes.extend(of_month(before.clone(), &after, now));
        }
        let charged_today = was_active && before.clone().any(|day| day == now.date());
        notes.extend(of_past(&after, now).into_iter().filter(|note| match note {
            // Past days were charged by the plan before the update.
            PlanNote::SomePast { .. } => false,
            PlanNote::DueToday { is_past, .. } => *is_past && !charged_today,
            _ => true,
        }));
        notes.extend(of_card(&after, now, card));
        notes
    }
}

impl Schedule {
    /// Returns the notes on these days at this moment (UTC).
    pub fn notes_at(&self, now: NaiveDateTime) -> Vec<PlanNote> {
        let mut notes = of_calendar(self);
        notes.extend(of_past(self, now));
        notes
    }
}

fn of_calendar(schedule: &Schedule) -> Vec<PlanNote> {
    let mut days = schedule.clone();
    match (days.next(), days.nth(11)) {
        (None, _) => vec![PlanNote::NoCharges { day: schedule.day(), term: schedule.term() }],
        (_, Some(last)) => vec![PlanNote::ThirteenCharges { last }],
        _ => Vec::new(),
    }
}

/// The notes on past days and on today.
fn of_past(schedule: &Schedule, now: NaiveDateTime) -> Vec<PlanNote> {
    let today = now.date();
    let past: Vec<NaiveDate> = schedule.clone().take_while(|day| *day < today).collect();
    let mut coming = schedule.clone().skip(past.len()).peekable();
    let mut notes = Vec::new();
    match (past.last(), coming.peek()) {
        (Some(last), None) => notes.push(PlanNote::AllPast { last: *last }),
        (Some(_), Some(next)) => notes.push(PlanNote::SomePast { days: past.len(), next: *next }),
        (None, _) => {}
    }
    if coming.next_if_eq(&today).is_some() {
        notes.push(PlanNote::DueToday { today, is_past: !is_to_come(today, now), next: coming.next() });
    }
    notes
}

fn of_card(schedule: &Schedule, now: NaiveDateTime, card: Option<Expiry>) -> Option<PlanNote> {
    let expiry = card?;
    let mut after = schedule.clone().to_come(now).filter(|day| !expiry.is_valid_on(*day));
    let first = after.next()?;
    Some(PlanNote::CardExpires { expiry, charges: 1 + after.count(), first })
}

/// The note on the current month when the days of an active plan change.
fn of_month(before: Schedule, after: &Schedule, now: NaiveDateTime) -> Option<PlanNote> {
    let month = Month::of(now.date());
    let mut old = before.filter(|day| Month::of(*day) == month);
    let mut new = after.clone().to_come(now);
    let next = new.next();
    let again = next.filter(|day| Month::of(*day) == month);
    match (old.next()?, again) {
        (charged, Some(again)) if !is_to_come(charged, now) => {
            Some(PlanNote::TwiceInMonth { charged, again })
        }
        // A plan without a next charge was ended on purpose.
        (lost, None) if is_to_come(lost, now) && next.is_some() => Some(PlanNote::SkipsMonth { lost }),
        _ => None,
    }
}
