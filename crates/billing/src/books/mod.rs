//! The books: what was due in a window, its result, and every difference from the gateway.

mod batches;
mod charges;
mod plans;
mod record;

use std::collections::HashSet;
use std::ops::{Range, RangeInclusive};

use chrono::{Days, NaiveDate};
use perennial::clearent::{PlanKey, TransactionId, TransactionType};
use perennial::{Amount, Total};

use crate::Error;
use crate::billing::{Billing, day_before, day_of};
use crate::model::{Charge, Claim, DayState};
use crate::words::words;

use charges::Part;

words! {
    /// The class of a difference.
    DifferenceClass {
        /// The gateway has no charge of a due day.
        Missing = "missing",
        /// A due day is paid twice.
        Doubled = "doubled",
        /// Only a part of a due day is paid.
        Part = "part",
        /// A charge was declined, and the day is still open.
        Declined = "declined",
        /// A person must find out what happened.
        NeedsPerson = "needs-person",
        /// The gateway reports another amount than the one that was stored.
        OtherAmount = "other-amount",
        /// A plan made a charge on a day that its due day does not explain.
        OtherDay = "other-day",
        /// A charge was voided, outside of billing.
        Voided = "voided",
        /// A charge was refunded, outside of billing.
        Refunded = "refunded",
        /// A plan of a subscription made a charge that no due day has.
        OrphanCharge = "orphan-charge",
        /// The gateway no longer has a charge, or the plan of a term.
        Gone = "gone",
        /// A second active plan charges what the plan of a subscription charges.
        TwinPlan = "twin-plan",
        /// A plan is active, and its term is closed.
        OrphanPlan = "orphan-plan",
        /// A suspended plan that billing made is the plan of no open term.
        DormantSpare = "dormant-spare",
        /// The gateway's plan has another amount, day, period, customer or status than its term.
        PlanChanged = "plan-changed",
        /// The gateway's plan charges another token than its term.
        TokenChanged = "token-changed",
        /// The total of a settled batch is not the sum of its transactions.
        Batch = "batch",
    }
}

/// A difference between what is due and what the gateway has.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// The class.
    pub class: DifferenceClass,
    /// The id of the subscription, if it is known.
    pub subscription: Option<String>,
    /// The due day, if it is known.
    pub day: Option<NaiveDate>,
    /// The transaction, if there is one. Of a refund, it is the refund.
    pub transaction: Option<TransactionId>,
    /// The plan, if it is about one.
    pub plan: Option<PlanKey>,
    /// The amount in question.
    pub amount: Amount,
    /// The difference in words, if the class does not say it all.
    pub detail: Option<String>,
}

impl Difference {
    fn new(class: DifferenceClass, amount: Amount) -> Self {
        Self { class, subscription: None, day: None, transaction: None, plan: None, amount, detail: None }
    }

    fn of_charge(class: DifferenceClass, id: &str, charge: &Charge) -> Self {
        Self {
            subscription: Some(id.to_owned()),
            day: Some(charge.day),
            transaction: Some(charge.id.clone()),
            ..Self::new(class, charge.amount)
        }
    }
}

/// The part of the books that is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BooksScope {
    /// The first day, and the day after the last.
    pub window: Range<NaiveDate>,
    /// Whether all plans that can charge are read: a request for each hundred.
    pub plans: bool,
    /// Whether each transaction of the merchant's other business is listed.
    pub others: bool,
}

/// A transaction that is not of a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OtherTransaction {
    /// Its id.
    pub id: Option<TransactionId>,
    /// Its day, in UTC.
    pub day: Option<NaiveDate>,
    /// Its type.
    pub kind: Option<TransactionType>,
    /// Its amount.
    pub amount: Amount,
}

/// The books of a window.
///
/// The sum always holds: [`expected`](Self::expected) is the sum of `paid`, `recovered`, `part`, `waived`, `given_up` and
/// `open`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Books {
    /// The first day, and the day after the last.
    pub window: Range<NaiveDate>,
    /// The sum of what was due.
    pub expected: Total,
    /// The sum of what plans, and sales of the first try, paid.
    pub paid: Total,
    /// The sum of what later tries paid.
    pub recovered: Total,
    /// The sum of partial payments.
    pub part: Total,
    /// The sum of what the merchant does without.
    pub waived: Total,
    /// The sum of what is not tried any more.
    pub given_up: Total,
    /// The sum of what is still open, the rest of partial payments included.
    pub open: Total,
    /// The sum of what was paid a second time. It is no part of the sum above.
    pub surplus: Total,
    /// The sum of the refunds and disputes of the window that are stored.
    pub refunds: Total,
    /// The sum of the charges of subscriptions in the window that the gateway reports as settled.
    pub settled: Total,
    /// The sum and the number of approved charges in the window that are not of a subscription.
    pub other_business: (Total, u64),
    /// These, and the refunds of them, if the scope asks for them.
    pub others: Vec<OtherTransaction>,
    /// The number of transactions that were read.
    pub read: u64,
    /// The number of plans that were read; `None` if the scope does not ask for them.
    pub plans: Option<u64>,
    /// The number of settled batches whose totals were compared.
    pub batches: u64,
    /// The number of records that cannot be read, or that are neither approved nor declined. With any, nobody can tell
    /// whether the books close.
    pub unclear: u64,
    /// The number of charges that the worker has not read yet. They are no differences.
    pub unread: u64,
    /// The differences.
    pub differences: Vec<Difference>,
}

impl Books {
    /// Whether nothing differs, and all records are clear.
    pub fn are_closed(&self) -> bool {
        self.differences.is_empty() && self.unclear == 0
    }

    fn of(window: Range<NaiveDate>) -> Self {
        Self {
            window,
            expected: Total::ZERO,
            paid: Total::ZERO,
            recovered: Total::ZERO,
            part: Total::ZERO,
            waived: Total::ZERO,
            given_up: Total::ZERO,
            open: Total::ZERO,
            surplus: Total::ZERO,
            refunds: Total::ZERO,
            settled: Total::ZERO,
            other_business: (Total::ZERO, 0),
            others: Vec::new(),
            read: 0,
            plans: None,
            batches: 0,
            unclear: 0,
            unread: 0,
            differences: Vec::new(),
        }
    }
}

/// The gateway finds a transaction for this long.
const FOUND_FOR: Days = Days::new(85);
/// A search begins and ends this much outside of its window, so that it does not matter in which time zone the gateway
/// reads the two days.
const OVERLAP: Days = Days::new(1);
/// The reads of a list that changes while it is read.
const READS: u32 = 3;
/// The transactions in one list, about.
const LONG_LIST: u64 = 2_000;
/// The transactions that take money.
const CHARGES: [TransactionType; 3] =
    [TransactionType::SALE, TransactionType::FORCED_SALE, TransactionType::CAPTURE];
/// The characters of a mark.
const MARK: usize = 26;
/// The records of a page.
const PAGE: u32 = 100;

impl Billing {
    /// Compares what was due in a window, and all plans, with what the gateway has. It changes nothing.
    ///
    /// The gateway forgets transactions after 90 days; of earlier days, only the rows are compared.
    pub async fn books(&self, window: Range<NaiveDate>) -> Result<Books, Error> {
        self.compare_books(&BooksScope { window, plans: true, others: false }).await
    }

    /// Compares a part of the books with what the gateway has. It changes nothing.
    ///
    /// Memory holds a page of the gateway, the due days of one day, and the ids that were read.
    ///
    /// # Errors
    ///
    /// [`Error::ListChanged`] if a list of the gateway changes each time it is read.
    pub async fn compare_books(&self, scope: &BooksScope) -> Result<Books, Error> {
        let window = &scope.window;
        if window.is_empty() {
            return Err(Error::EmptyPeriod("the window of the books"));
        }
        let mut books = Books::of(window.clone());
        let mut charges = 0;
        for day in window.start.iter_days().take_while(|day| *day < window.end) {
            for due in self.store.days_due(&(day..day + Days::new(1))).await? {
                books.add(&due.id, &due.day, due.paid);
            }
            for stored in self.store.charges_made_on(day).await? {
                let charge = &stored.charge;
                charges += 1;
                if charge.claim == Claim::Surplus {
                    books.surplus += charge.amount;
                    // A person gave it back.
                    if stored.undone < cents(charge.amount) {
                        books.differs(DifferenceClass::Doubled, &stored.subscription, charge);
                    }
                } else if charge.claim == Claim::Undoes {
                    books.refunds += charge.amount;
                }
            }
        }
        let today = day_of(self.journal.now().await?);
        let known_from = window.start.max(today - FOUND_FOR);
        if known_from < window.end {
            self.compare_charges(&mut books, scope, known_from..window.end, today, charges).await?;
        }
        if scope.plans {
            self.compare_plans(&mut books, today).await?;
        }
        books.differences.sort_by(|one, other| {
            (one.class, &one.subscription, one.day, &one.transaction, &one.plan).cmp(&(
                other.class,
                &other.subscription,
                other.day,
                &other.transaction,
                &other.plan,
            ))
        });
        Ok(books)
    }

    /// Compares stored charges with the gateway's records.
    async fn compare_charges(
        &self,
        books: &mut Books,
        scope: &BooksScope,
        window: Range<NaiveDate>,
        today: NaiveDate,
        charges: u64,
    ) -> Result<(), Error> {
        let (first, last) = (window.start - OVERLAP, window.end - Days::new(1) + OVERLAP);
        // Nothing is added to a day that is over, so that only the list of today is read again.
        let over = last.min(day_before(day_before(today)));
        let mut seen = HashSet::new();
        let mut batches = batches::Sums::default();
        // A list of many pages is slow at its end. Two lists that meet have a day in common, so that it does not matter whether
        // the gateway counts the last day of a search.
        let of_a_day = charges / u64::try_from((window.end - window.start).num_days()).unwrap_or(1).max(1);
        let more_days = Days::new((LONG_LIST / of_a_day.max(1)).clamp(4, 366));
        let (mut from, mut before) = (first, HashSet::new());
        loop {
            let until = if from >= over { last } else { over.min(from + more_days) };
            let mut part = self.read_part(scope, &window, from..=until, &before).await?;
            before = std::mem::take(&mut part.ids);
            books.take(part, &mut seen, &mut batches);
            if until >= last {
                break;
            }
            from = until;
        }
        for day in window.start.iter_days().take_while(|day| *day < window.end) {
            for stored in self.store.charges_made_on(day).await? {
                let charge = &stored.charge;
                let is_expected = !matches!(charge.claim, Claim::Declined | Claim::Undoes);
                // A search may lack what is new.
                if is_expected
                    && !seen.contains(&charge.id)
                    && stored.undone == 0
                    && self.is_gone(charge).await?
                {
                    books.differs(DifferenceClass::Gone, &stored.subscription, charge);
                }
            }
        }
        self.compare_batches(books, &batches, first..=last).await
    }

    async fn is_gone(&self, charge: &Charge) -> Result<bool, Error> {
        match self.north.client().transactions().get(&charge.id).await {
            Ok(_) => Ok(false),
            Err(error) if error.is_not_found() => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads the transactions of these days except for those that were read before, again if the list changed meanwhile.
    async fn read_part(
        &self,
        scope: &BooksScope,
        window: &Range<NaiveDate>,
        days: RangeInclusive<NaiveDate>,
        before: &HashSet<TransactionId>,
    ) -> Result<Part, Error> {
        for _ in 0..READS {
            if let Some(part) = self.read_charges(scope, window, &days, before).await? {
                return Ok(part);
            }
        }
        Err(Error::ListChanged)
    }
}

fn cents(amount: Amount) -> i64 {
    i64::try_from(amount.cents()).unwrap_or(i64::MAX)
}

impl Books {
    fn add(&mut self, id: &str, day: &crate::model::DueDay, paid: Option<Amount>) {
        self.expected += day.amount;
        let is_paid = matches!(day.state, DayState::Paid | DayState::Recovered | DayState::Part);
        let part = if is_paid { day.paid.max(paid.unwrap_or(Amount::ZERO)) } else { day.paid };
        let rest = day.amount.checked_sub(part).unwrap_or(Amount::ZERO);
        if !matches!(day.state, DayState::Paid | DayState::Recovered) {
            self.part += part;
        }
        let class = match day.state {
            DayState::Paid | DayState::Recovered => {
                let sum = if day.state == DayState::Paid { &mut self.paid } else { &mut self.recovered };
                *sum += day.amount;
                // A plan that was changed elsewhere charges more than was due.
                if part <= day.amount {
                    return;
                }
                DifferenceClass::OtherAmount
            }
            DayState::Waived => return self.waived += rest,
            DayState::GivenUp => return self.given_up += rest,
            state => {
                self.open += rest;
                match state {
                    DayState::Part => DifferenceClass::Part,
                    DayState::Declined => DifferenceClass::Declined,
                    DayState::Missing => DifferenceClass::Missing,
                    DayState::NeedsPerson => DifferenceClass::NeedsPerson,
                    _ => return,
                }
            }
        };
        self.differences.push(Difference {
            subscription: Some(id.to_owned()),
            day: Some(day.day),
            detail: day.reason.clone(),
            ..Difference::new(class, day.amount)
        });
    }

    fn differs(&mut self, class: DifferenceClass, id: &str, charge: &Charge) {
        self.differences.push(Difference::of_charge(class, id, charge));
    }

    /// Takes over the transactions of some days.
    fn take(&mut self, part: Part, seen: &mut HashSet<TransactionId>, batches: &mut batches::Sums) {
        self.differences.extend(part.differences);
        self.others.extend(part.others);
        self.settled += part.settled;
        self.other_business.0 += part.other_business.0;
        self.other_business.1 += part.other_business.1;
        self.read += part.read;
        self.unclear += part.unclear;
        self.unread += part.unread;
        seen.extend(part.seen);
        batches.add(part.batches);
    }
}
