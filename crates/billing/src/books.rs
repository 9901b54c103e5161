//! The books: what was due in a window, its result, and every difference from the gateway.

use std::collections::BTreeMap;
use std::ops::Range;

use chrono::{Days, NaiveDate};
use perennial::clearent::{Paging, Transaction, TransactionId, TransactionSearch, TransactionType, Verdict};
use perennial::{Amount, Date, Timestamp, Total};

use crate::Error;
use crate::billing::{Billing, day_of};
use crate::model::{Charge, Claim, DayState};
use crate::words::words;

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
        /// A charge was voided, outside of billing.
        Voided = "voided",
        /// A charge was refunded, outside of billing.
        Refunded = "refunded",
        /// A plan of a subscription made a charge that no due day has.
        OrphanCharge = "orphan-charge",
        /// The gateway no longer has a charge.
        Gone = "gone",
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
    /// The transaction, if there is one.
    pub transaction: Option<TransactionId>,
    /// The amount in question.
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
    /// The sum and the number of approved sales in the window that are not of a subscription.
    pub other_business: (Total, u64),
    /// The number of transactions that were read.
    pub read: u64,
    /// The differences.
    pub differences: Vec<Difference>,
}

impl Books {
    /// Whether nothing differs.
    pub fn are_closed(&self) -> bool {
        self.differences.is_empty()
    }
}

/// The gateway finds a transaction for this long.
const FOUND_FOR: Days = Days::new(85);

impl Billing {
    /// Compares what was due in a window with what the gateway has. It changes nothing.
    ///
    /// The gateway forgets transactions after 90 days; of an older window, only the rows are compared.
    pub async fn books(&self, window: Range<NaiveDate>) -> Result<Books, Error> {
        if window.is_empty() {
            return Err(Error::EmptyPeriod("the window of the books"));
        }
        let mut books = Books {
            window: window.clone(),
            expected: Total::ZERO,
            paid: Total::ZERO,
            recovered: Total::ZERO,
            part: Total::ZERO,
            waived: Total::ZERO,
            given_up: Total::ZERO,
            open: Total::ZERO,
            surplus: Total::ZERO,
            other_business: (Total::ZERO, 0),
            read: 0,
            differences: Vec::new(),
        };
        for due in self.store.days_due(&window).await? {
            books.add(&due.id, &due.day, due.paid);
        }
        let stored = self.store.charges_made(&window).await?;
        for (id, charge) in stored.iter().filter(|(_, charge)| charge.claim == Claim::Surplus) {
            books.surplus += charge.amount;
            books.differs(DifferenceClass::Doubled, id, charge);
        }
        let today = day_of(self.journal.now().await?);
        if window.start + FOUND_FOR >= today {
            self.compare(&mut books, &stored).await?;
        }
        books.differences.sort_by(|one, other| {
            (one.class, &one.subscription, one.day, &one.transaction).cmp(&(
                other.class,
                &other.subscription,
                other.day,
                &other.transaction,
            ))
        });
        Ok(books)
    }

    /// Compares stored charges with the gateway's records of the window.
    async fn compare(&self, books: &mut Books, stored: &[(String, Charge)]) -> Result<(), Error> {
        let mut known: BTreeMap<&TransactionId, &(String, Charge)> =
            stored.iter().map(|row| (&row.1.id, row)).collect();
        let last = books.window.end - Days::new(1);
        let search = TransactionSearch {
            start_date: Some(books.window.start.to_string()),
            end_date: Some(last.to_string()),
            paging: Paging { page_size: Some(100), ..Paging::default() },
            ..TransactionSearch::default()
        };
        let mut found = self.north.client().transactions().search(&search);
        while let Some(transaction) = found.next().await.transpose()? {
            books.read += 1;
            if transaction.transaction_type == Some(TransactionType::REFUND) {
                self.refunded(books, &transaction).await?;
                continue;
            }
            let row = transaction.id.as_ref().and_then(|id| known.remove(id));
            match row {
                Some((id, charge)) => books.compare(id, charge, &transaction),
                None => self.unknown(books, &transaction).await?,
            }
        }
        if found.changed() {
            return Err(Error::ListChanged);
        }
        for (id, charge) in known.into_values().filter(|(_, charge)| charge.claim != Claim::Declined) {
            books.differs(DifferenceClass::Gone, id, charge);
        }
        Ok(())
    }

    /// A refund of a charge of a subscription, whenever that was made.
    async fn refunded(&self, books: &mut Books, refund: &Transaction) -> Result<(), Error> {
        let (Some(of), false) = (&refund.ref_id, refund.verdict() == Verdict::Declined) else {
            return Ok(());
        };
        if let Some((id, charge)) = self.store.charge(of.as_str()).await? {
            let amount = refund.amount.unwrap_or(charge.amount);
            books.differs(DifferenceClass::Refunded, &id, &Charge { amount, ..charge });
        }
        Ok(())
    }

    /// A transaction that no due day has: of a plan of a subscription, or of the merchant's other business.
    async fn unknown(&self, books: &mut Books, transaction: &Transaction) -> Result<(), Error> {
        let amount = match (transaction.verdict(), &transaction.transaction_type, transaction.amount) {
            (Verdict::Approved, Some(kind), Some(amount)) if *kind == TransactionType::SALE => amount,
            _ => return Ok(()),
        };
        let made = transaction.created.as_ref().and_then(Timestamp::date).map(Date::naive);
        let is_ours = match (transaction.plan_key(), made) {
            (Some(plan), Some(made)) if self.store.is_before_adoption(&plan, made).await? => false,
            (Some(plan), _) => self.store.term_of_plan(&plan).await?.is_some(),
            (None, _) => false,
        };
        if !is_ours {
            books.other_business.0 += amount;
            books.other_business.1 += 1;
            return Ok(());
        }
        books.differences.push(Difference {
            class: DifferenceClass::OrphanCharge,
            subscription: None,
            day: None,
            transaction: transaction.id.clone(),
            amount,
        });
        Ok(())
    }
}

impl Books {
    fn add(&mut self, id: &str, day: &crate::model::DueDay, paid: Option<Amount>) {
        self.expected += day.amount;
        let class = match day.state {
            DayState::Paid | DayState::Recovered => {
                let sum = if day.state == DayState::Paid { &mut self.paid } else { &mut self.recovered };
                *sum += day.amount;
                // A plan that was changed elsewhere charges more than was due.
                if paid.is_none_or(|paid| paid <= day.amount) {
                    return;
                }
                DifferenceClass::OtherAmount
            }
            DayState::Waived => return self.waived += day.amount,
            DayState::GivenUp => return self.given_up += day.amount,
            DayState::Part => {
                let part = paid.unwrap_or(Amount::ZERO);
                self.part += part;
                self.open += day.amount.checked_sub(part).unwrap_or(Amount::ZERO);
                DifferenceClass::Part
            }
            state => {
                self.open += day.amount;
                match state {
                    DayState::Declined => DifferenceClass::Declined,
                    DayState::Missing => DifferenceClass::Missing,
                    DayState::NeedsPerson => DifferenceClass::NeedsPerson,
                    _ => return,
                }
            }
        };
        self.differences.push(Difference {
            class,
            subscription: Some(id.to_owned()),
            day: Some(day.day),
            transaction: None,
            amount: day.amount,
        });
    }

    fn compare(&mut self, id: &str, charge: &Charge, transaction: &Transaction) {
        if charge.claim == Claim::Declined {
            return;
        }
        if transaction.voided == Some(true) {
            self.differs(DifferenceClass::Voided, id, charge);
        } else if transaction.amount.is_some_and(|amount| amount != charge.amount) {
            self.differs(DifferenceClass::OtherAmount, id, charge);
        }
    }

    fn differs(&mut self, class: DifferenceClass, id: &str, charge: &Charge) {
        self.differences.push(Difference {
            class,
            subscription: Some(id.to_owned()),
            day: Some(charge.day),
            transaction: Some(charge.id.clone()),
            amount: charge.amount,
        });
    }
}
